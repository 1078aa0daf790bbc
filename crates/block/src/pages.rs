//! The pages of one leaf column, decoded as this crate wrote them: see [`crate::chunk`] and [`crate::leaf`].
//!
//! Parquet's general readers turn pages into Arrow arrays, of which the symbols would then be looked up row by row. Here a
//! dictionary entry becomes a symbol once, and a page is a list of indices. That costs a quarter.

use std::cell::RefCell;
use std::ops::Range;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;

use crate::ReadError;
use crate::header::{PageHeader, PageKind};
use crate::read::content;
use crate::rle;

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

/// Where one leaf of a row group is found.
#[derive(Clone, Copy)]
pub(crate) struct LeafSource<'a> {
    /// What is in memory of the file.
    pub(crate) parts: &'a [Window],
    pub(crate) chunk: &'a ColumnChunkMetaData,
    /// Where the pages are. Without it all of the chunk must be in memory.
    pub(crate) places: Option<&'a OffsetIndexMetaData>,
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

/// The pages of one leaf in one row group, in order or from any place on.
pub(crate) struct LeafPages {
    name: String,
    parts: Vec<Window>,
    /// Where the pages of values lie, headers included.
    places: Vec<Range<u64>>,
    next: usize,
    is_compressed: bool,
    /// The content of the page before: when nobody looks at it any more, the next one takes its place.
    content: Bytes,
    has_repetition: bool,
    has_definition: bool,
}

impl LeafPages {
    /// The pages, and the dictionary with the number of its entries. No page of values is looked at.
    pub(crate) fn open(leaf: LeafSource<'_>) -> Result<(Self, Bytes, usize), ReadError> {
        let (mut pages, dictionary) = Self::open_without_dictionary(leaf)?;
        let (bytes, entries) = match dictionary {
            Some(place) => pages.dictionary(&place)?,
            None => (Bytes::new(), 0),
        };
        Ok((pages, bytes, entries))
    }

    /// The pages, and where the dictionary is if there is one, for [`Self::dictionary`].
    pub(crate) fn open_without_dictionary(
        leaf: LeafSource<'_>,
    ) -> Result<(Self, Option<Range<u64>>), ReadError> {
        let chunk = leaf.chunk;
        let descr = chunk.column_descr();
        let name = descr.path().string();
        let is_compressed = match chunk.compression() {
            Compression::UNCOMPRESSED => false,
            Compression::ZSTD(_) => true,
            other => return Err(content(format!("column `{name}`: compressed by {other}"))),
        };
        let mut pages = Self {
            name,
            parts: leaf.parts.to_vec(),
            places: Vec::new(),
            next: 0,
            is_compressed,
            content: Bytes::new(),
            has_repetition: descr.max_rep_level() > 0,
            has_definition: descr.max_def_level() > 0,
        };
        let dictionary = match leaf.places {
            Some(places) => {
                pages.places = page_places(places).collect();
                dictionary_place(chunk, places)
            }
            None => pages.find_pages(chunk)?,
        };
        Ok((pages, dictionary))
    }

    /// The dictionary and the number of its entries.
    pub(crate) fn dictionary(&mut self, place: &Range<u64>) -> Result<(Bytes, usize), ReadError> {
        let (header, bytes) = self.page(place)?;
        if header.kind != PageKind::Dictionary {
            return Err(self.damaged("its dictionary is not where it should be"));
        }
        Ok((bytes, usize::try_from(header.values).unwrap_or(0)))
    }

    /// Notes where pages lie by looking at their headers, and gives the place of the dictionary.
    fn find_pages(&mut self, chunk: &ColumnChunkMetaData) -> Result<Option<Range<u64>>, ReadError> {
        let (start, len) = chunk.byte_range();
        let end = start.saturating_add(len);
        let mut dictionary = None;
        let mut at = start;
        while at < end {
            let rest = self.bytes(&(at..end))?;
            let Some((header, length)) = PageHeader::read(&rest) else {
                return Err(self.damaged("a page has no sound header"));
            };
            let stored = u64::try_from(header.stored).unwrap_or(u64::MAX / 2);
            let place = at..at + length as u64 + stored;
            at = place.end;
            match header.kind {
                PageKind::Dictionary if place.start == start => dictionary = Some(place),
                PageKind::Dictionary => return Err(self.damaged("a dictionary is not in front")),
                PageKind::Data => self.places.push(place),
            }
        }
        if at > end {
            return Err(self.damaged("its last page is cut off"));
        }
        Ok(dictionary)
    }

    fn bytes(&self, range: &Range<u64>) -> Result<Bytes, ReadError> {
        let bytes = self.parts.iter().find_map(|part| part.slice(range));
        bytes.ok_or_else(|| self.damaged("a page was not read"))
    }

    /// Makes `page` the one that comes next.
    pub(crate) fn seek(&mut self, page: usize) {
        self.next = page;
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
        let mut content = std::mem::take(&mut self.content)
            .try_into_mut()
            .unwrap_or_default();
        content.resize(raw, 0);
        if decompress(&page, &mut content) != Some(raw) {
            return Err(self.damaged("a page cannot be decompressed"));
        }
        self.content = content.freeze();
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

    /// The next page, which must be there.
    pub(crate) fn next(&mut self) -> Result<RawPage, ReadError> {
        let Some(place) = self.places.get(self.next).cloned() else {
            return Err(self.damaged("a page is missing"));
        };
        self.next += 1;
        let (header, mut buf) = self.page(&place)?;
        let Some(encoding) = encoding_of(&header) else {
            return Err(self.damaged("a page is encoded otherwise than ours"));
        };
        let mut levels = |is_there: bool| {
            if !is_there {
                return Some(Bytes::new());
            }
            let len = u32::from_le_bytes(*buf.first_chunk::<4>()?) as usize;
            let end = len.checked_add(4).filter(|&end| end <= buf.len())?;
            Some(buf.split_to(end).slice(4..))
        };
        let repetition = levels(self.has_repetition);
        let definition = levels(self.has_definition);
        let (Some(repetition), Some(definition)) = (repetition, definition) else {
            return Err(self.damaged("its levels are cut off"));
        };
        Ok(RawPage {
            entries: usize::try_from(header.values).unwrap_or(0),
            repetition,
            definition,
            encoding,
            values: buf,
        })
    }

    #[cold]
    pub(crate) fn damaged(&self, what: &str) -> ReadError {
        content(format!("column `{}`: {what}", self.name))
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

/// Decompresses a page, and gives the length of what came out; `None` when it is damaged or longer than `into`.
fn decompress(page: &[u8], into: &mut [u8]) -> Option<usize> {
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

/// Where pages of values lie, headers included.
pub(crate) fn page_places(
    places: &OffsetIndexMetaData,
) -> impl ExactSizeIterator<Item = Range<u64>> + '_ {
    places.page_locations().iter().map(|page| {
        let start = u64::try_from(page.offset).unwrap_or(0);
        let len = u64::try_from(page.compressed_page_size).unwrap_or(0);
        start..start.saturating_add(len)
    })
}

/// Where the dictionary of a chunk lies, if it has one: in front of the pages of values.
pub(crate) fn dictionary_place(
    chunk: &ColumnChunkMetaData,
    places: &OffsetIndexMetaData,
) -> Option<Range<u64>> {
    chunk.dictionary_page_offset()?;
    let (start, len) = chunk.byte_range();
    let end = start.saturating_add(len);
    let first = page_places(places).next();
    Some(start..first.map_or(end, |first| first.start.clamp(start, end)))
}

/// The codes of a page whose values are indices into a dictionary of `entries` entries.
pub(crate) fn codes(
    values: &Bytes,
    count: usize,
    entries: usize,
    out: &mut Vec<u32>,
) -> Option<()> {
    out.clear();
    let (&width, runs) = values.split_first()?;
    rle::decode(runs, width, count, out)?;
    let within = out.iter().fold(0, |most: u32, &code| most.max(code)) < entries as u32;
    (within || count == 0).then_some(())
}

/// Which of ascending `positions` lie in `rows`.
pub(crate) fn within(positions: &[u32], rows: &Range<usize>) -> Range<usize> {
    let before = |end: usize| positions.partition_point(|&row| (row as usize) < end);
    before(rows.start)..before(rows.end)
}

/// A column of integers without nulls.
pub(crate) struct IntPages {
    pages: LeafPages,
    dictionary: Vec<u32>,
    pub(crate) values: Vec<u32>,
}

impl IntPages {
    /// Makes `page` the one that comes next.
    pub(crate) fn seek(&mut self, page: usize) {
        self.pages.seek(page);
    }

    pub(crate) fn open(leaf: LeafSource<'_>) -> Result<Self, ReadError> {
        let (pages, dictionary, _) = LeafPages::open(leaf)?;
        Ok(Self {
            pages,
            dictionary: ints(&dictionary).collect(),
            values: Vec::new(),
        })
    }

    pub(crate) fn next(&mut self) -> Result<(), ReadError> {
        let page = self.pages.next()?;
        self.decode(&page, page.entries)
            .ok_or_else(|| self.pages.damaged("its values cannot be read"))
    }

    /// As [`Self::next`], for a nested column of which `count` values are present.
    pub(crate) fn next_of(&mut self, count: usize) -> Result<(), ReadError> {
        let page = self.pages.next()?;
        self.decode(&page, count)
            .ok_or_else(|| self.pages.damaged("its values cannot be read"))
    }

    fn decode(&mut self, page: &RawPage, count: usize) -> Option<()> {
        if page.encoding == Encoding::PLAIN {
            self.values.clear();
            self.values.extend(ints(&page.values));
        } else {
            let entries = self.dictionary.len();
            codes(&page.values, count, entries, &mut self.values)?;
            for value in &mut self.values {
                *value = self.dictionary[*value as usize];
            }
        }
        (self.values.len() == count).then_some(())
    }
}

fn ints(bytes: &[u8]) -> impl Iterator<Item = u32> {
    let (ints, _) = bytes.as_chunks::<4>();
    ints.iter().map(|int| u32::from_le_bytes(*int))
}

/// A column of times.
pub(crate) struct LongPages {
    pages: LeafPages,
    pub(crate) values: Vec<i64>,
    /// The page as it is encoded, for those who want few of its values.
    planes: Bytes,
}

impl LongPages {
    /// Makes `page` the one that comes next.
    pub(crate) fn seek(&mut self, page: usize) {
        self.pages.seek(page);
    }

    pub(crate) fn open(leaf: LeafSource<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            pages: LeafPages::open(leaf)?.0,
            values: Vec::new(),
            planes: Bytes::new(),
        })
    }

    /// Reads the next page of `count` values without decoding them; see [`Self::value`].
    pub(crate) fn next_planes(&mut self, count: usize) -> Result<(), ReadError> {
        let page = self.pages.next()?;
        if page.encoding != Encoding::BYTE_STREAM_SPLIT || page.values.len() != count * 8 {
            return Err(self.pages.damaged("its values cannot be read"));
        }
        self.planes = page.values;
        Ok(())
    }

    /// A value of the page that [`Self::next_planes`] has read.
    #[inline]
    pub(crate) fn value(&self, at: usize) -> i64 {
        let count = self.planes.len() / 8;
        (0..8).fold(0, |value, plane| {
            value | i64::from(self.planes[plane * count + at]) << (8 * plane)
        })
    }

    /// Decodes the next page, of which `count` values are present.
    pub(crate) fn next_of(&mut self, count: usize) -> Result<(), ReadError> {
        let page = self.pages.next()?;
        self.decode(&page, count)
    }

    /// Decodes the next page of the first leaf of a list, which tells the rows of all.
    pub(crate) fn next_owned(&mut self, owners: &mut Owners) -> Result<(), ReadError> {
        let page = self.pages.next()?;
        owners
            .read(&page, 1)
            .ok_or_else(|| self.pages.damaged("its levels cannot be read"))?;
        self.decode(&page, owners.of_value.len())
    }

    fn decode(&mut self, page: &RawPage, count: usize) -> Result<(), ReadError> {
        self.values.clear();
        if count == 0 {
            return Ok(());
        }
        if page.encoding != Encoding::BYTE_STREAM_SPLIT || page.values.len() != count * 8 {
            return Err(self.pages.damaged("its values cannot be read"));
        }
        join_planes(&page.values, count, &mut self.values);
        Ok(())
    }
}

/// Appends `count` numbers of eight bytes, of which `bytes` has all first bytes, then all second ones and so on.
fn join_planes(bytes: &[u8], count: usize, out: &mut Vec<i64>) {
    /// Numbers put together at a time: few enough to stay in the nearest cache.
    const AT_ONCE: usize = 128;
    let mut base = 0u64;
    let mut varying: Vec<(u32, &[u8])> = Vec::with_capacity(8);
    for (plane, bytes) in bytes.chunks_exact(count).enumerate() {
        let (shift, first) = (8 * plane as u32, bytes[0]);
        // The upper bytes of times are mostly the same in all of a page.
        if bytes
            .iter()
            .fold(0, |differs, &byte| differs | (byte ^ first))
            == 0
        {
            base |= u64::from(first) << shift;
        } else {
            varying.push((shift, bytes));
        }
    }
    out.reserve(count);
    for from in (0..count).step_by(AT_ONCE) {
        let len = AT_ONCE.min(count - from);
        let mut joined = [base; AT_ONCE];
        for (shift, bytes) in &varying {
            for (value, &byte) in joined.iter_mut().zip(&bytes[from..from + len]) {
                *value |= u64::from(byte) << shift;
            }
        }
        out.extend(joined[..len].iter().map(|&value| value.cast_signed()));
    }
}

/// A column of ids.
pub(crate) struct IdPages<const N: usize> {
    pages: LeafPages,
    values: Bytes,
    /// Of a nullable column: the rows that have an id.
    pub(crate) rows: Vec<u32>,
}

impl<const N: usize> IdPages<N> {
    /// Makes `page` the one that comes next.
    pub(crate) fn seek(&mut self, page: usize) {
        self.pages.seek(page);
    }

    pub(crate) fn open(leaf: LeafSource<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            pages: LeafPages::open(leaf)?.0,
            values: Bytes::new(),
            rows: Vec::new(),
        })
    }

    pub(crate) fn ids(&self) -> &[[u8; N]] {
        self.values.as_chunks::<N>().0
    }

    pub(crate) fn next(&mut self) -> Result<(), ReadError> {
        let page = self.pages.next()?;
        let count = page.entries;
        self.keep(page, count)
    }

    pub(crate) fn next_of(&mut self, count: usize) -> Result<(), ReadError> {
        let page = self.pages.next()?;
        self.keep(page, count)
    }

    /// As [`LongPages::next_owned`].
    pub(crate) fn next_owned(&mut self, owners: &mut Owners) -> Result<(), ReadError> {
        let page = self.pages.next()?;
        owners
            .read(&page, 1)
            .ok_or_else(|| self.pages.damaged("its levels cannot be read"))?;
        self.keep(page, owners.of_value.len())
    }

    pub(crate) fn next_nullable(&mut self) -> Result<(), ReadError> {
        let page = self.pages.next()?;
        self.rows.clear();
        rle::positions_of_ones(&page.definition, page.entries, &mut self.rows)
            .ok_or_else(|| self.pages.damaged("its levels cannot be read"))?;
        self.keep(page, self.rows.len())
    }

    fn keep(&mut self, page: RawPage, count: usize) -> Result<(), ReadError> {
        self.values = page.values;
        if self.values.len() != count * N {
            return Err(self.pages.damaged("its values cannot be read"));
        }
        Ok(())
    }
}

/// Which list the values of a nested column belong to.
#[derive(Default)]
pub(crate) struct Owners {
    repetition: Vec<u8>,
    definition: Vec<u8>,
    /// Of each value: the number of its owner, counted in the page. At depth 1 owners are rows, at 2 the elements of depth 1.
    pub(crate) of_value: Vec<u32>,
    /// Owners in the page.
    pub(crate) count: usize,
}

impl Owners {
    pub(crate) fn read(&mut self, page: &RawPage, depth: u8) -> Option<()> {
        let width = rle::width_of(u32::from(depth));
        self.repetition.clear();
        self.definition.clear();
        rle::decode(&page.repetition, width, page.entries, &mut self.repetition)?;
        rle::decode(&page.definition, width, page.entries, &mut self.definition)?;
        self.of_value.clear();
        let mut owners = 0u32;
        for (&repetition, &definition) in self.repetition.iter().zip(&self.definition) {
            // Of two levels, a value or an empty list at the upper one begins an owner; a row without elements has none.
            owners += u32::from(repetition < depth && definition + 1 >= depth);
            if definition == depth {
                self.of_value.push(owners.checked_sub(1)?);
            }
        }
        self.count = owners as usize;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn planes_are_joined_to_the_numbers_they_came_from(
            values in proptest::collection::vec(prop_oneof![0i64..300, any::<i64>()], 1..400),
            same in any::<i64>(),
        ) {
            // Upper bytes that all share, and none.
            for values in [values.clone(), values.iter().map(|value| (same & !0xffff) | (value & 0xffff)).collect()] {
                let planes: Vec<u8> = (0..8)
                    .flat_map(|plane| values.iter().map(move |value| value.to_le_bytes()[plane]))
                    .collect();
                let mut joined = Vec::new();
                join_planes(&planes, values.len(), &mut joined);
                prop_assert_eq!(joined, values);
            }
        }
    }
}
