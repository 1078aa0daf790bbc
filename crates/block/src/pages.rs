//! The pages of one leaf column, decoded as this crate wrote them: see [`crate::chunk`] and [`crate::leaf`].
//!
//! Parquet's general readers turn pages into Arrow arrays, of which the symbols would then be looked up row by row. Here a
//! dictionary entry becomes a symbol once, and a page is a list of indices. That costs a quarter. Who wants few rows of a page
//! pays for decompressing it, and for decoding those rows.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, Type as PhysicalType};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::page_index::offset_index::{OffsetIndexMetaData, PageLocation};
use parquet::schema::types::ColumnDescPtr;

use crate::ReadError;
use crate::dictionary::{Dictionaries, Dictionary, Layout};
use crate::header::{PageHeader, PageKind};
use crate::read::content;

/// Bytes that a compressed byte can stand for, at most: a block of zstd is 128 KiB, and four bytes at the least.
const RAW_PER_STORED_MAX: usize = 32 << 10;

/// Bytes that are rather read than left out between two ranges: another call of the system costs about as much as copying these.
/// Object stores, where a request costs more, are asked for ranges that lie near each other at once anyway.
const NEAR_BYTES: u64 = 4 << 10;

/// A part of a file that is in memory.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    pub(crate) start: u64,
    pub(crate) bytes: Bytes,
}

impl Window {
    fn slice(&self, range: &Range<u64>) -> Option<Bytes> {
        let from = usize::try_from(range.start.checked_sub(self.start)?).ok()?;
        let to = usize::try_from(range.end.checked_sub(self.start)?).ok()?;
        (from <= to && to <= self.bytes.len()).then(|| self.bytes.slice(from..to))
    }
}

/// Parts of a file, each with where it begins.
pub(crate) fn windows(parts: Vec<(u64, Bytes)>) -> Arc<[Window]> {
    let window = |(start, bytes)| Window { start, bytes };
    parts.into_iter().map(window).collect()
}

/// Where one leaf of a row group is found.
#[derive(Clone, Copy)]
pub(crate) struct LeafSource<'a> {
    /// What is in memory of the file.
    pub(crate) parts: &'a Arc<[Window]>,
    pub(crate) chunk: &'a ColumnChunkMetaData,
    /// Where the pages are. Without it all of the chunk must be in memory.
    pub(crate) places: Option<&'a LeafPlaces>,
    /// The number of the leaf, and who may have its dictionary.
    pub(crate) leaf: usize,
    pub(crate) dictionaries: Option<&'a Arc<dyn Dictionaries>>,
}

/// A column of which one page is at hand, decoded as far as rows of it were asked for.
pub(crate) trait PagedColumn {
    /// Goes to a page of `rows` rows and decodes nothing of it.
    ///
    /// # Errors
    /// [`ReadError`], also when the page has other rows.
    fn fetch(&mut self, page: usize, rows: usize) -> Result<(), ReadError>;

    /// Decodes some rows of the page, which has `of`, and forgets what else was decoded. Gives the rows that are decoded now:
    /// these, or more, as lists are decoded page by page.
    fn decode(&mut self, rows: &Range<usize>, of: usize) -> Result<Range<usize>, ReadError>;
}

/// A page before its values are looked at.
pub(crate) struct RawPage {
    /// Values and nulls and empty lists.
    pub(crate) entries: usize,
    /// Encoded; empty where the column has none.
    pub(crate) repetition: Bytes,
    pub(crate) definition: Bytes,
    pub(crate) encoding: Encoding,
    pub(crate) values: Bytes,
}

impl Default for RawPage {
    fn default() -> Self {
        Self {
            entries: 0,
            repetition: Bytes::new(),
            definition: Bytes::new(),
            encoding: Encoding::PLAIN,
            values: Bytes::new(),
        }
    }
}

/// The pages of one leaf in one row group.
pub(crate) struct LeafPages {
    descr: ColumnDescPtr,
    parts: Arc<[Window]>,
    places: Arc<[Range<u64>]>,
    /// Where the dictionary lies while nobody has asked for it: of the hundred columns of a block, a trace has values in a few.
    dictionary: Option<Range<u64>>,
    leaf: usize,
    dictionaries: Option<Arc<dyn Dictionaries>>,
    is_compressed: bool,
    /// Values, nulls and empty lists of the whole chunk, as the footer says.
    entries_max: usize,
    /// The content of the page before: when nobody looks at it any more, the next one takes its place.
    content: Bytes,
}

impl LeafPages {
    /// Notes where the pages are, of a leaf of these values. None is looked at, unless they must be searched for.
    pub(crate) fn open(leaf: LeafSource<'_>, values: PhysicalType) -> Result<Self, ReadError> {
        let chunk = leaf.chunk;
        let mut pages = Self {
            descr: chunk.column_descr_ptr(),
            parts: Arc::clone(leaf.parts),
            places: Arc::default(),
            dictionary: None,
            leaf: leaf.leaf,
            dictionaries: leaf.dictionaries.cloned(),
            is_compressed: true,
            entries_max: usize::try_from(chunk.num_values()).unwrap_or(0),
            content: Bytes::new(),
        };
        if pages.descr.physical_type() != values {
            let found = pages.descr.physical_type();
            return Err(pages.damaged(&format!("its values are {found} in place of {values}")));
        }
        pages.is_compressed = match chunk.compression() {
            Compression::UNCOMPRESSED => false,
            Compression::ZSTD(_) => true,
            other => return Err(pages.damaged(&format!("compressed by {other}"))),
        };
        match leaf.places {
            Some(places) => {
                pages.places = Arc::clone(&places.pages);
                pages.dictionary.clone_from(&places.dictionary);
            }
            None => pages.find_pages(chunk)?,
        }
        Ok(pages)
    }

    /// How plain-encoded values of the leaf lie.
    pub(crate) fn layout(&self) -> Layout {
        Layout::of(self.descr.physical_type())
    }

    /// Bytes of a value of a leaf whose values all have the same length.
    pub(crate) fn value_bytes(&self) -> Option<usize> {
        usize::try_from(self.descr.type_length()).ok()
    }

    /// The dictionary, when this is asked for the first time; `None` when there is none.
    pub(crate) fn take_dictionary(&mut self) -> Result<Option<Dictionary>, ReadError> {
        let Some(place) = self.dictionary.take() else {
            return Ok(None);
        };
        let kept = self.dictionaries.as_ref();
        if let Some(dictionary) = kept.and_then(|kept| kept.get(self.leaf)) {
            return Ok(Some(dictionary));
        }
        let (header, mut bytes) = self.page(&place)?;
        if header.kind != PageKind::Dictionary {
            return Err(self.damaged("its dictionary is not where it should be"));
        }
        if self.dictionaries.is_some() && !self.is_compressed {
            // What is kept must not hold on to all that was read of the file.
            bytes = Bytes::copy_from_slice(&bytes);
        }
        let entries = usize::try_from(header.values).unwrap_or(0);
        let dictionary = Dictionary::read(bytes, entries, self.layout())
            .ok_or_else(|| self.damaged("its dictionary cannot be read"))?;
        if let Some(kept) = &self.dictionaries {
            kept.keep(self.leaf, &dictionary);
        }
        Ok(Some(dictionary))
    }

    /// Notes where pages lie by looking at their headers.
    fn find_pages(&mut self, chunk: &ColumnChunkMetaData) -> Result<(), ReadError> {
        let (start, len) = chunk.byte_range();
        let end = start.saturating_add(len);
        let mut at = start;
        let mut places = Vec::new();
        while at < end {
            let rest = self.bytes(&(at..end))?;
            let Some((header, length)) = PageHeader::read(&rest) else {
                return Err(self.damaged("a page has no sound header"));
            };
            let stored = u64::try_from(header.stored).unwrap_or(u64::MAX / 2);
            let place = at..at + length as u64 + stored;
            at = place.end;
            match header.kind {
                PageKind::Dictionary if place.start == start => self.dictionary = Some(place),
                PageKind::Dictionary => return Err(self.damaged("a dictionary is not in front")),
                PageKind::Data => places.push(place),
            }
        }
        if at > end {
            return Err(self.damaged("its last page is cut off"));
        }
        self.places = places.into();
        Ok(())
    }

    fn bytes(&self, range: &Range<u64>) -> Result<Bytes, ReadError> {
        let bytes = self.parts.iter().find_map(|part| part.slice(range));
        bytes.ok_or_else(|| self.damaged("a page was not read"))
    }

    /// The header and the content of the page at a place, its checksums verified.
    fn page(&mut self, place: &Range<u64>) -> Result<(PageHeader, Bytes), ReadError> {
        let bytes = self.bytes(place)?;
        let Some((header, length)) = PageHeader::read(&bytes) else {
            return Err(self.damaged("a page has no sound header"));
        };
        let page = bytes.slice(length..);
        if usize::try_from(header.stored) != Ok(page.len()) {
            return Err(self.damaged("a page is not as long as it says"));
        }
        if crc32fast::hash(&page) != header.crc {
            return Err(self.damaged("a page does not have its checksum"));
        }
        if !self.is_compressed || page.is_empty() {
            return Ok((header, page));
        }
        let raw = usize::try_from(header.raw).unwrap_or(0);
        if raw > page.len().saturating_mul(RAW_PER_STORED_MAX) {
            return Err(self.damaged("a page is larger than it can be"));
        }
        let before = std::mem::take(&mut self.content);
        let mut content = if before.is_unique() {
            Vec::from(before)
        } else {
            Vec::new()
        };
        content.clear();
        content.reserve_exact(raw);
        if decompress(&page, &mut content) != Some(raw) {
            return Err(self.damaged("a page cannot be decompressed"));
        }
        self.content = Bytes::from(content);
        Ok((header, self.content.clone()))
    }

    /// Whether the values of a page are indices into the dictionary, as its header says.
    pub(crate) fn is_coded(&self, page: usize) -> Result<bool, ReadError> {
        let Some(place) = self.places.get(page) else {
            return Err(self.damaged("a page is missing"));
        };
        match PageHeader::read(&self.bytes(place)?) {
            Some((header, _)) => Ok(encoding_of(&header) == Some(Encoding::RLE_DICTIONARY)),
            None => Err(self.damaged("a page has no sound header")),
        }
    }

    /// Puts a page in the place of the one that was looked at before.
    pub(crate) fn fetch(&mut self, page: usize, into: &mut RawPage) -> Result<(), ReadError> {
        *into = RawPage::default();
        let Some(place) = self.places.get(page).cloned() else {
            return Err(self.damaged("a page is missing"));
        };
        let (header, mut buf) = self.page(&place)?;
        let Some(encoding) = encoding_of(&header).filter(|_| header.kind == PageKind::Data) else {
            return Err(self.damaged("a page is encoded otherwise than ours"));
        };
        // Levels and codes can say the same thing often in few bytes, so this bounds what decoding takes.
        let entries = usize::try_from(header.values).unwrap_or(usize::MAX);
        if entries > self.entries_max {
            return Err(self.damaged("a page has more values than all of the column"));
        }
        let mut levels = |max: i16| {
            if max == 0 {
                return Some(Bytes::new());
            }
            let len = u32::from_le_bytes(*buf.first_chunk::<4>()?) as usize;
            let end = len.checked_add(4).filter(|&end| end <= buf.len())?;
            Some(buf.split_to(end).slice(4..))
        };
        let repetition = levels(self.descr.max_rep_level());
        let definition = levels(self.descr.max_def_level());
        let (Some(repetition), Some(definition)) = (repetition, definition) else {
            return Err(self.damaged("its levels are cut off"));
        };
        *into = RawPage {
            entries,
            repetition,
            definition,
            encoding,
            values: buf,
        };
        Ok(())
    }

    #[cold]
    pub(crate) fn damaged(&self, what: &str) -> ReadError {
        content(format!("column `{}`: {what}", self.descr.path()))
    }
}

/// How the values of a page are encoded; `None` when otherwise than ours.
fn encoding_of(header: &PageHeader) -> Option<Encoding> {
    match header.encoding {
        0 => Some(Encoding::PLAIN),
        8 => Some(Encoding::RLE_DICTIONARY),
        9 => Some(Encoding::BYTE_STREAM_SPLIT),
        _ => None,
    }
}

/// Decompresses a page to an empty buffer, and gives the length of what came out; `None` when it is damaged, or longer than the
/// buffer has room.
fn decompress(page: &[u8], into: &mut Vec<u8>) -> Option<usize> {
    use zstd::bulk::Decompressor;
    // It holds some hundred kilobytes, and a query opens a hundred columns.
    thread_local! {
        static ZSTD: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
    }
    ZSTD.with_borrow_mut(|zstd| {
        let zstd = match zstd {
            Some(zstd) => zstd,
            None => zstd.insert(Decompressor::new().ok()?),
        };
        zstd.decompress_to_buffer(page, into).ok()
    })
}

/// Where the pages of a leaf lie in the file, headers included.
pub(crate) struct LeafPlaces {
    pub(crate) pages: Arc<[Range<u64>]>,
    /// In front of the pages of values, if there is one.
    pub(crate) dictionary: Option<Range<u64>>,
}

impl LeafPlaces {
    pub(crate) fn of(chunk: &ColumnChunkMetaData, index: &OffsetIndexMetaData) -> Self {
        let pages: Arc<[_]> = index.page_locations().iter().map(page_place).collect();
        let (start, len) = chunk.byte_range();
        let end = start.saturating_add(len);
        let first = pages
            .first()
            .map_or(end, |page| page.start.clamp(start, end));
        Self {
            pages,
            dictionary: chunk.dictionary_page_offset().map(|_| start..first),
        }
    }

    /// Memory held, in bytes, about.
    pub(crate) fn byte_count(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.pages)
    }
}

fn page_place(page: &PageLocation) -> Range<u64> {
    let start = u64::try_from(page.offset).unwrap_or(0);
    let len = u64::try_from(page.compressed_page_size).unwrap_or(0);
    start..start.saturating_add(len)
}

/// Ranges of a file in their order, those that lie near each other joined.
pub(crate) fn joined(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.sort_unstable_by_key(|range| range.start);
    let mut joined: Vec<Range<u64>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if last.end.saturating_add(NEAR_BYTES) >= range.start => {
                last.end = last.end.max(range.end);
            }
            _ => joined.push(range),
        }
    }
    joined
}

/// Which of ascending `positions` lie in `rows`.
pub(crate) fn within(positions: &[u32], rows: &Range<usize>) -> Range<usize> {
    let before = |end: usize| positions.partition_point(|&row| (row as usize) < end);
    before(rows.start)..before(rows.end)
}
