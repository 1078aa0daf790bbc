//! One column chunk: the values of one leaf column in one row group, encoded page by page.
//!
//! Parquet's general writers hash every value of every row to find its place in the dictionary. Here the values come as
//! [`Symbol`](model::Symbol)s that were made distinct at the door, so finding the place is one array look-up, and writing
//! costs a third. Page headers are of [`crate::header`]; indices and the footer are the parquet crate's.
//!
//! A chunk starts with a dictionary. When that grows past [`DICTIONARY_BYTES_MAX`] the rest of the chunk is written plain: a reader of
//! one page must read the whole dictionary.

use std::io::Write;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, EncodingMask, ZstdLevel};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder};
use parquet::file::statistics::Statistics;
use parquet::file::writer::SerializedRowGroupWriter;
use parquet::schema::types::ColumnDescPtr;

use crate::header::{PageHeader, PageKind};
use crate::levels::Levels;
use crate::mask::Presence;
use crate::rle;

/// Payload of a dictionary after which a chunk goes on without. Reading a single trace reads all dictionaries.
const DICTIONARY_BYTES_MAX: usize = 1 << 20;

/// A dictionary that saves less than this share of the values is no help: checked after the first page.
const DICTIONARY_DISTINCT_MAX: f64 = 0.75;

/// A chunk stays uncompressed when compression does not save a twentieth of it: random ids.
const SAVING_MIN: f64 = 0.05;

/// A first page smaller than this says nothing about the chunk.
const PAGE_TELLING_BYTES: usize = 512;

/// Compresses pages, keeping the state of zstd from page to page.
pub(crate) struct PageCompressor(zstd::bulk::Compressor<'static>);

impl PageCompressor {
    pub(crate) fn new(level: i32) -> Result<Self, ParquetError> {
        let compressor = zstd::bulk::Compressor::new(level)
            .map_err(|error| ParquetError::General(format!("cannot set up zstd: {error}")))?;
        Ok(Self(compressor))
    }

    fn compress(&mut self, raw: &[u8]) -> Result<Vec<u8>, ParquetError> {
        self.0
            .compress(raw)
            .map_err(|error| ParquetError::General(format!("zstd: {error}")))
    }
}

struct EncodedPage {
    header: PageHeader,
    encoding: Encoding,
    bytes: Vec<u8>,
    rows: u32,
    bounds: Option<(Vec<u8>, Vec<u8>)>,
}

/// The pages of a chunk so far, and its dictionary.
pub(crate) struct Chunk {
    descr: ColumnDescPtr,
    compressed: bool,
    pages: Vec<EncodedPage>,
    dictionary: Vec<u8>,
    dictionary_len: u32,
    plain: bool,
    values: u64,
    present: u64,
    payload: Vec<u8>,
    /// Of a column that masks tell of.
    presence: Option<Presence>,
}

/// The values of a page.
pub(crate) enum Values<'a> {
    /// Indices into the dictionary.
    Codes(&'a [u32]),
    /// Encoded as the encoding says; the number of values that are not null.
    Encoded(Encoding, &'a [u8], usize),
}

impl Chunk {
    pub(crate) fn new(descr: ColumnDescPtr, compressed: bool) -> Self {
        Self {
            descr,
            compressed,
            pages: Vec::new(),
            dictionary: Vec::new(),
            dictionary_len: 0,
            plain: false,
            values: 0,
            present: 0,
            payload: Vec::new(),
            presence: None,
        }
    }

    /// Has it noted which traces have a value. Must be called before the first page.
    pub(crate) fn watch(&mut self, presence: Presence) {
        self.presence = Some(presence);
    }

    /// The traces that have a value in the pages that were ended, if that was noted.
    pub(crate) fn traces(&self) -> &[u32] {
        self.presence.as_ref().map_or(&[], Presence::traces)
    }

    /// Whether the next page must come without dictionary.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.plain
    }

    /// Values that are not null, so far.
    pub(crate) fn present(&self) -> u64 {
        self.present
    }

    /// Levels that stand for no value, so far.
    pub(crate) fn absent(&self) -> u64 {
        self.values - self.present
    }

    /// Adds a value to the dictionary, plain-encoded, and gives its index. The caller knows that it is new.
    #[inline]
    pub(crate) fn add_to_dictionary(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> u32 {
        write(&mut self.dictionary);
        self.dictionary_len += 1;
        self.dictionary_len - 1
    }

    /// Ends a page of `rows` rows. `bounds` are its least and greatest value, for the column index.
    pub(crate) fn end_page(
        &mut self,
        compressor: &mut PageCompressor,
        rows: u32,
        levels: Levels<'_>,
        values: &Values<'_>,
        bounds: Option<(Vec<u8>, Vec<u8>)>,
    ) -> Result<(), ParquetError> {
        if let Some(presence) = &mut self.presence {
            presence.note(levels, rows as usize);
        }
        self.payload.clear();
        let level_count = self.encode_levels(levels);
        let (encoding, present) = match *values {
            // Nothing but nulls so far: there may never be a dictionary to refer to.
            Values::Codes([]) if self.dictionary_len == 0 => (Encoding::PLAIN, 0),
            Values::Codes(codes) => {
                let width = rle::width_of(self.dictionary_len.saturating_sub(1));
                self.payload.push(width);
                rle::encode(codes, width, &mut self.payload);
                (Encoding::RLE_DICTIONARY, codes.len())
            }
            Values::Encoded(encoding, bytes, present) => {
                self.payload.extend_from_slice(bytes);
                (encoding, present)
            }
        };
        let num_values = if self.descr.max_def_level() > 0 {
            level_count
        } else {
            present
        };
        let bytes = self.pack(compressor)?;
        let raw = self.payload.len();
        self.pages.push(EncodedPage {
            header: PageHeader::of(PageKind::Data, encoding, num_values, raw, &bytes)?,
            encoding,
            bytes,
            rows,
            bounds,
        });
        self.values += num_values as u64;
        self.present += present as u64;
        if !self.plain && self.dictionary_len > 0 {
            let too_distinct =
                f64::from(self.dictionary_len) > self.present as f64 * DICTIONARY_DISTINCT_MAX;
            self.plain = self.dictionary.len() > DICTIONARY_BYTES_MAX
                || (too_distinct && self.dictionary.len() > 4096);
        }
        Ok(())
    }

    /// Appends the levels to the payload, and gives their number.
    fn encode_levels(&mut self, levels: Levels<'_>) -> usize {
        match levels {
            Levels::Nullable { present, rows } => {
                with_length(&mut self.payload, |out| {
                    rle::encode_presence(present, rows, out);
                });
                rows
            }
            Levels::Nested {
                repetition,
                definition,
            } => {
                for (levels, max) in [
                    (repetition, self.descr.max_rep_level()),
                    (definition, self.descr.max_def_level()),
                ] {
                    if max > 0 {
                        with_length(&mut self.payload, |out| {
                            rle::encode(levels, rle::width_of(max as u32), out);
                        });
                    }
                }
                definition.len()
            }
        }
    }

    /// The payload as it goes into the file. The first page decides whether the chunk is compressed at all.
    fn pack(&mut self, compressor: &mut PageCompressor) -> Result<Vec<u8>, ParquetError> {
        if !self.compressed {
            return Ok(self.payload.clone());
        }
        let packed = compressor.compress(&self.payload)?;
        let pays = (packed.len() as f64) < self.payload.len() as f64 * (1.0 - SAVING_MIN);
        if self.pages.is_empty()
            && self.payload.len() > PAGE_TELLING_BYTES
            && self.dictionary_len == 0
            && !pays
        {
            self.compressed = false;
            return Ok(self.payload.clone());
        }
        Ok(packed)
    }

    /// Writes the chunk as the next column of the row group.
    pub(crate) fn finish<W: Write + Send>(
        mut self,
        compressor: &mut PageCompressor,
        row_group: &mut SerializedRowGroupWriter<'_, W>,
        statistics: Option<Statistics>,
    ) -> Result<(), ParquetError> {
        let mut written = Written::new(&self.descr);
        if self.dictionary_len > 0 {
            written.dictionary(&mut self, compressor)?;
        }
        for page in std::mem::take(&mut self.pages) {
            written.page(page);
        }
        let bytes = Bytes::from(std::mem::take(&mut written.bytes));
        let close = written.close(&self, bytes.len(), statistics)?;
        row_group.append_column(&bytes, close)
    }
}

/// The bytes of the pages written, and what the footer must know of them.
struct Written {
    bytes: Vec<u8>,
    offsets: OffsetIndexBuilder,
    index: ColumnIndexBuilder,
    rows: u64,
    uncompressed: i64,
    encodings: Vec<Encoding>,
    dictionary_offset: Option<i64>,
    data_offset: Option<i64>,
}

impl Written {
    fn new(descr: &ColumnDescPtr) -> Self {
        Self {
            bytes: Vec::new(),
            offsets: OffsetIndexBuilder::new(),
            index: ColumnIndexBuilder::new(descr.physical_type()),
            rows: 0,
            uncompressed: 0,
            encodings: vec![Encoding::RLE],
            dictionary_offset: None,
            data_offset: None,
        }
    }

    fn dictionary(
        &mut self,
        chunk: &mut Chunk,
        compressor: &mut PageCompressor,
    ) -> Result<(), ParquetError> {
        let raw = std::mem::take(&mut chunk.dictionary);
        let values = chunk.dictionary_len as usize;
        let packed = chunk.compressed.then(|| compressor.compress(&raw));
        let packed = packed.transpose()?;
        let bytes = packed.as_ref().unwrap_or(&raw);
        let kind = PageKind::Dictionary;
        let header = PageHeader::of(kind, Encoding::PLAIN, values, raw.len(), bytes)?;
        self.dictionary_offset = Some(self.bytes.len() as i64);
        self.encodings.push(Encoding::PLAIN);
        self.append(&header, bytes);
        Ok(())
    }

    fn page(&mut self, page: EncodedPage) {
        let offset = self.bytes.len() as i64;
        self.append(&page.header, &page.bytes);
        self.encodings.push(page.encoding);
        self.data_offset.get_or_insert(offset);
        self.rows += u64::from(page.rows);
        self.offsets.append_row_count(i64::from(page.rows));
        let size = self.bytes.len() as i64 - offset;
        self.offsets.append_offset_and_size(offset, size as i32);
        match page.bounds {
            Some((min, max)) => self.index.append(false, min, max, 0),
            None => self.index.to_invalid(),
        }
    }

    fn append(&mut self, header: &PageHeader, page: &[u8]) {
        let start = self.bytes.len();
        header.write(&mut self.bytes);
        self.uncompressed += (self.bytes.len() - start) as i64 + i64::from(header.raw);
        self.bytes.extend_from_slice(page);
    }

    fn close(
        self,
        chunk: &Chunk,
        bytes: usize,
        statistics: Option<Statistics>,
    ) -> Result<ColumnCloseResult, ParquetError> {
        let compression = if chunk.compressed {
            Compression::ZSTD(ZstdLevel::default())
        } else {
            Compression::UNCOMPRESSED
        };
        let mut metadata = ColumnChunkMetaData::builder(chunk.descr.clone())
            .set_compression(compression)
            .set_encodings_mask(EncodingMask::new_from_encodings(self.encodings.iter()))
            .set_total_compressed_size(bytes as i64)
            .set_total_uncompressed_size(self.uncompressed)
            .set_num_values(chunk.values as i64)
            .set_data_page_offset(self.data_offset.unwrap_or_default())
            .set_dictionary_page_offset(self.dictionary_offset);
        if let Some(statistics) = statistics {
            metadata = metadata.set_statistics(statistics);
        }
        Ok(ColumnCloseResult {
            bytes_written: bytes as u64,
            rows_written: self.rows,
            metadata: metadata.build()?,
            bloom_filter: None,
            column_index: if self.index.valid() {
                Some(self.index.build()?)
            } else {
                None
            },
            offset_index: Some(self.offsets.build()),
        })
    }
}

/// Puts the length of what `encode` appends in front of it.
fn with_length(out: &mut Vec<u8>, encode: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    encode(out);
    let len = (out.len() - at - 4) as u32;
    out[at..at + 4].copy_from_slice(&len.to_le_bytes());
}
