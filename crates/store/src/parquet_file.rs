//! Reading some rows and columns of a Parquet file in the object store: only the pages that hold them are fetched.
//!
//! Opening reads the tail of the file in one request (offset index and footer, verified by the checksum in the manifest)
//! and is kept in the cache. What is fetched of the rest are whole pages, whose checksums are verified: those of headers
//! here, those of contents by the decoder. Decoding is work for the processor, so rows are read on a blocking thread that waits for the
//! object store as it goes.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use arrow::array::RecordBatch;
use block::{check_page_headers, reader_metadata};
use bytes::Bytes;
use object_store::path::Path;
use parquet::DecodeResult;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, RowSelection, RowSelector};
use parquet::arrow::push_decoder::{ParquetPushDecoder, ParquetPushDecoderBuilder};
use parquet::file::metadata::{
    PageIndexPolicy, ParquetMetaData, ParquetMetaDataPushDecoder, ParquetMetaDataReader,
    RowGroupMetaData,
};
use tokio::runtime::Handle;

use crate::StoreError;
use crate::in_place;
use crate::manifest::Checksum;
use crate::objects::Objects;

/// What precedes the end of every Parquet file: the length of the footer and the magic.
const FOOTER_TAIL_BYTES: usize = 8;

/// An opened file.
#[derive(Debug)]
pub(crate) struct ParquetFile {
    path: Path,
    bytes: u64,
    footer: Arc<ParquetMetaData>,
    /// For reading by Arrow, which only some of those who open a file do: its types are made out of the footer.
    arrow: OnceLock<ArrowReaderMetadata>,
}

/// Which rows and columns to read, and how many rows at a time.
#[derive(Debug, Default)]
pub(crate) struct Selection<'a> {
    /// Ascending, not overlapping; `None` for all.
    pub(crate) rows: Option<&'a [Range<u64>]>,
    /// Top-level columns; `None` for all.
    pub(crate) columns: Option<&'a [&'a str]>,
    pub(crate) batch_rows: usize,
}

impl ParquetFile {
    /// Reads the tail of a file of `bytes` bytes. Without a known `tail` this reads `blind` bytes and believes them.
    ///
    /// # Errors
    /// Of kind [`crate::ErrorKind::Corrupt`] when it is not the one that the manifest knows.
    pub(crate) async fn open(
        objects: &Objects,
        path: Path,
        bytes: u64,
        tail: Option<Checksum>,
        blind: u64,
        column_index: PageIndexPolicy,
    ) -> Result<Self, StoreError> {
        let start = bytes
            .checked_sub(tail.map_or(blind, |tail| tail.bytes))
            .ok_or_else(|| StoreError::corrupt(&path, "its tail is longer than the file"))?;
        let part = objects.get_range(&path, bytes, start..bytes).await?;
        if tail.is_some_and(|tail| Checksum::of(&part) != tail) {
            return Err(StoreError::corrupt(
                &path,
                "its footer does not have the checksum in the manifest",
            ));
        }
        let damaged = |error: parquet::errors::ParquetError| StoreError::corrupt(&path, error);
        let mut decoder = ParquetMetaDataPushDecoder::try_new(bytes)
            .map_err(damaged)?
            .with_column_index_policy(column_index)
            .with_offset_index_policy(PageIndexPolicy::Optional);
        decoder.push_range(start..bytes, part).map_err(damaged)?;
        let footer = loop {
            match decoder.try_decode().map_err(damaged)? {
                DecodeResult::Data(metadata) => break metadata,
                DecodeResult::NeedsData(ranges) => {
                    let parts = objects.get_ranges(&path, bytes, &ranges).await?;
                    decoder.push_ranges(ranges, parts).map_err(damaged)?;
                }
                DecodeResult::Finished => {
                    return Err(StoreError::corrupt(&path, "its footer has no content"));
                }
            }
        };
        Ok(Self {
            path,
            bytes,
            footer: Arc::new(footer),
            arrow: OnceLock::new(),
        })
    }

    fn arrow(&self) -> Result<ArrowReaderMetadata, StoreError> {
        if let Some(known) = self.arrow.get() {
            return Ok(known.clone());
        }
        let made =
            reader_metadata(Arc::clone(&self.footer)).map_err(|error| self.damaged(error))?;
        Ok(self.arrow.get_or_init(|| made).clone())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn metadata(&self) -> &Arc<ParquetMetaData> {
        &self.footer
    }

    /// Memory held, in bytes, about.
    pub(crate) fn byte_count(&self) -> usize {
        self.metadata().memory_size()
    }

    /// Begins to read. The returned value must be used on a thread that may block.
    pub(crate) fn rows(
        self: &Arc<Self>,
        objects: &Arc<Objects>,
        runtime: &Handle,
        selection: &Selection<'_>,
    ) -> Result<Rows, StoreError> {
        let damaged = |error: parquet::errors::ParquetError| self.damaged(error);
        let mut builder = ParquetPushDecoderBuilder::new_with_metadata(self.arrow()?)
            .with_batch_size(selection.batch_rows.max(1));
        if let Some(columns) = selection.columns {
            let schema = self.metadata().file_metadata().schema_descr();
            builder =
                builder.with_projection(ProjectionMask::columns(schema, columns.iter().copied()));
        }
        if let Some(rows) = selection.rows {
            let (row_groups, selection) = self.select(rows)?;
            builder = builder
                .with_row_groups(row_groups)
                .with_row_selection(selection);
        }
        Ok(Rows {
            decoder: builder.build().map_err(damaged)?,
            objects: Arc::clone(objects),
            runtime: runtime.clone(),
            file: Arc::clone(self),
        })
    }

    /// The row groups that hold `rows`, and where in them.
    fn select(&self, rows: &[Range<u64>]) -> Result<(Vec<usize>, RowSelection), StoreError> {
        debug_assert!(rows.windows(2).all(|pair| pair[0].end <= pair[1].start));
        let mut groups = Vec::new();
        let mut selectors = Vec::new();
        let mut first = 0;
        let mut pending = rows.iter().filter(|range| !range.is_empty()).peekable();
        for (group, metadata) in self.metadata().row_groups().iter().enumerate() {
            let end = first + metadata.num_rows().max(0) as u64;
            let mut at = first;
            while let Some(range) = pending.peek().filter(|range| range.start < end) {
                let (from, to) = (range.start.max(at), range.end.min(end));
                selectors.push(RowSelector::skip((from - at) as usize));
                selectors.push(RowSelector::select((to - from) as usize));
                at = to;
                if range.end > end {
                    break;
                }
                pending.next();
            }
            if at > first {
                selectors.push(RowSelector::skip((end - at) as usize));
                groups.push(group);
            }
            first = end;
        }
        match pending.next() {
            Some(outside) => Err(self.damaged(format_args!(
                "row {} was asked for and it has {first}",
                outside.end - 1
            ))),
            None => Ok((groups, RowSelection::from(selectors))),
        }
    }

    /// Bytes of the file.
    pub(crate) async fn read(
        &self,
        objects: &Objects,
        range: Range<u64>,
    ) -> Result<Bytes, StoreError> {
        objects.get_range(&self.path, self.bytes, range).await
    }

    /// Bytes of the file, of several ranges at once.
    pub(crate) async fn read_all(
        &self,
        objects: &Objects,
        ranges: &[Range<u64>],
    ) -> Result<Vec<Bytes>, StoreError> {
        objects.get_ranges(&self.path, self.bytes, ranges).await
    }

    /// The same, each with where it begins. Blocks the thread while the object store is asked.
    pub(crate) fn read_parts(
        &self,
        objects: &Objects,
        runtime: &Handle,
        ranges: &[Range<u64>],
    ) -> Result<Vec<(u64, Bytes)>, StoreError> {
        let read = self.read_all(objects, ranges);
        let parts = in_place::waiting(|| runtime.block_on(read))?;
        Ok(ranges.iter().map(|range| range.start).zip(parts).collect())
    }

    pub(crate) fn damaged(&self, cause: impl std::fmt::Display) -> StoreError {
        StoreError::corrupt(&self.path, cause)
    }
}

/// The rows of a selection, batch by batch.
pub(crate) struct Rows {
    decoder: ParquetPushDecoder,
    objects: Arc<Objects>,
    runtime: Handle,
    file: Arc<ParquetFile>,
}

impl Rows {
    /// The next rows; `None` at the end. Blocks the thread while the object store is asked.
    pub(crate) fn next(&mut self) -> Result<Option<RecordBatch>, StoreError> {
        loop {
            match self
                .decoder
                .try_decode()
                .map_err(|error| self.file.damaged(error))?
            {
                DecodeResult::Data(batch) => return Ok(Some(batch)),
                DecodeResult::Finished => return Ok(None),
                DecodeResult::NeedsData(ranges) => {
                    let read = self.file.read_all(&self.objects, &ranges);
                    let parts = in_place::waiting(|| self.runtime.block_on(read))?;
                    for pages in &parts {
                        check_page_headers(pages).map_err(|error| self.file.damaged(error))?;
                    }
                    self.decoder
                        .push_ranges(ranges, parts)
                        .map_err(|error| self.file.damaged(error))?;
                }
            }
        }
    }

    pub(crate) fn file(&self) -> &Arc<ParquetFile> {
        &self.file
    }
}

/// The checksum of the part of a new file that [`ParquetFile::open`] will read: from the first offset index on (or from
/// the first column index, with `column_index`), to the end. `tail` is the end of the file, as much of it as is at hand;
/// `bytes` is the size of all of it.
pub(crate) fn tail_checksum(tail: &[u8], bytes: u64, column_index: bool) -> Option<Checksum> {
    let footer_bytes = footer_bytes(tail)?;
    let metadata = ParquetMetaDataReader::decode_metadata(
        &tail[tail.len() - footer_bytes..tail.len() - FOOTER_TAIL_BYTES],
    )
    .ok()?;
    let columns = || {
        metadata
            .row_groups()
            .iter()
            .flat_map(RowGroupMetaData::columns)
    };
    let first_index = columns()
        .filter_map(|column| {
            let offsets = column.offset_index_offset();
            let bounds = column.column_index_offset().filter(|_| column_index);
            offsets.into_iter().chain(bounds).min()
        })
        .min();
    let wanted = first_index
        .and_then(|offset| bytes.checked_sub(u64::try_from(offset).ok()?))
        .and_then(|wanted| usize::try_from(wanted).ok())
        .filter(|wanted| (footer_bytes..=tail.len()).contains(wanted))
        .unwrap_or(footer_bytes);
    Some(Checksum::of(&tail[tail.len() - wanted..]))
}

/// Bytes of the footer with its length and the magic; `None` when the end of the file does not look like one.
fn footer_bytes(tail: &[u8]) -> Option<usize> {
    let (rest, magic) = tail.split_last_chunk::<4>()?;
    let (_, length) = rest.split_last_chunk::<4>()?;
    let total = u32::from_le_bytes(*length) as usize + FOOTER_TAIL_BYTES;
    (magic == b"PAR1" && total <= tail.len()).then_some(total)
}
