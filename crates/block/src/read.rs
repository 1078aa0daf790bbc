//! The bytes of a block's files in, spans and summaries out.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use model::{Gathered, SpanBatch, TraceId, TraceSummary};

use crate::BlockMeta;

/// Why a file of a block could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The bytes are no Parquet file, or a damaged one.
    #[error("damaged: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// A column is missing, has another type, or points outside.
    #[error("damaged: {0}")]
    Content(String),
}

/// Tells for certain that a trace is not in a block, or that it is there with a probability of 99.9 %.
#[derive(Debug, Clone)]
pub struct Bloom {}

impl Bloom {
    /// From the bytes of `trace_id.bloom`.
    ///
    /// # Errors
    /// [`ReadError::Content`]
    pub fn from_bytes(_bytes: &[u8]) -> Result<Self, ReadError> {
        Ok(Self {})
    }

    /// Whether the trace may be in the block.
    pub fn may_contain(&self, _id: TraceId) -> bool {
        true
    }

    /// Memory held, in bytes.
    pub fn byte_count(&self) -> usize {
        0
    }
}

/// `traces.parquet`, decoded: all traces of a block by id.
#[derive(Debug)]
pub struct TraceTable {}

/// The rows of a trace in `spans.parquet`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowRange {
    /// The first row.
    pub start: u64,
    /// Rows.
    pub len: u64,
}

impl TraceTable {
    /// Decodes the whole file.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn from_bytes(_bytes: Bytes) -> Result<Self, ReadError> {
        Ok(Self {})
    }

    /// Traces.
    pub fn len(&self) -> usize {
        0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Memory held, in bytes.
    pub fn byte_count(&self) -> usize {
        0
    }

    /// The position of a trace.
    pub fn find(&self, _id: TraceId) -> Option<usize> {
        None
    }

    /// Where the spans of the trace at `index` are.
    ///
    /// # Panics
    /// When `index` is not below [`Self::len`]; so do the methods below.
    pub fn rows(&self, _index: usize) -> RowRange {
        RowRange { start: 0, len: 0 }
    }

    /// The trace at `index` as a row of a list.
    pub fn summary(&self, index: usize) -> TraceSummary {
        unimplemented_summary(index)
    }
}

fn unimplemented_summary(_index: usize) -> TraceSummary {
    TraceSummary {
        trace_id: TraceId::ZERO,
        start: model::UnixNanos(0),
        end: model::UnixNanos(0),
        root_service: String::new(),
        root_name: String::new(),
        has_root: false,
        span_count: 0,
        error_count: 0,
        services: Vec::new(),
        partial: false,
    }
}

/// `resources.parquet`, decoded: a batch without spans whose resource rows are those of the file, in order.
///
/// # Errors
/// [`ReadError`]
pub fn read_resources(_bytes: Bytes) -> Result<SpanBatch, ReadError> {
    Ok(SpanBatch::default())
}

/// Turns record batches of `spans.parquet` (all columns, rows of whole traces from their first row on) into spans.
pub struct SpanDecoder {}

impl SpanDecoder {
    /// A decoder for the spans of one block; `resources` comes from [`read_resources`].
    pub fn new(_meta: &BlockMeta, _resources: Arc<SpanBatch>) -> Self {
        Self {}
    }

    /// Appends the rows of `rows` to `into`. Parents are resolved by distance, so the rows of a trace must come in one batch
    /// or in consecutive ones.
    ///
    /// # Errors
    /// [`ReadError`]; then `into` may hold some of the rows.
    pub fn append(&mut self, _rows: &RecordBatch, _into: &mut Gathered) -> Result<(), ReadError> {
        Ok(())
    }
}
