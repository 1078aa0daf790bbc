//! Spans in, the bytes of a block's files out.

use model::{SpanBatch, TraceId, UnixNanos};

use crate::{BlockId, BlockMeta, JournalRange};

/// The rows of one trace in a [`SpanBatch`].
#[derive(Debug, Clone, Copy)]
pub struct TraceRows<'a> {
    /// The trace.
    pub trace_id: TraceId,
    /// Indices into [`SpanBatch::spans`], in any order; a span id may occur twice, then the first is kept.
    pub rows: &'a [u32],
    /// Whether this is known to be a piece of the trace. A trace without root is taken as a piece anyway.
    pub partial: bool,
}

/// What a new block is to be called.
#[derive(Debug, Clone)]
pub struct NewBlock {
    /// Its id.
    pub id: BlockId,
    /// Tenant.
    pub tenant: String,
    /// Retention class.
    pub class: String,
    /// See [`BlockMeta::level`].
    pub level: u32,
    /// Now.
    pub created: UnixNanos,
    /// See [`BlockMeta::journal`].
    pub journal: Option<JournalRange>,
}

/// How to write.
#[derive(Debug, Clone)]
pub struct WriteOptions {
    /// Span attribute keys that may have a column of their own.
    pub columns_max: usize,
    /// zstd level.
    pub zstd_level: i32,
}

impl Default for WriteOptions {
    fn default() -> Self {
        Self {
            columns_max: 64,
            zstd_level: 1,
        }
    }
}

/// Which span attributes get a column of their own. Fixed before the first row is written.
#[derive(Debug, Clone, Default)]
pub struct ColumnPlan {}

impl ColumnPlan {
    /// The plan for a block of these spans.
    pub fn of_batch(_batch: &SpanBatch, _options: &WriteOptions) -> Self {
        Self::default()
    }

    /// The plan for a block that joins these.
    pub fn of_blocks<'a>(
        _blocks: impl IntoIterator<Item = &'a BlockMeta>,
        _options: &WriteOptions,
    ) -> Self {
        Self::default()
    }
}

/// Why a block could not be written: always a defect or a lack of memory, never the content.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The Parquet writer refused.
    #[error("cannot write a block: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
}

/// Writes one block, a row group for each call of [`BlockWriter::write`].
pub struct BlockWriter {}

/// The files of a block, complete.
#[derive(Debug)]
pub struct FinishedBlock {
    /// The manifest entry.
    pub meta: BlockMeta,
    /// What of `spans.parquet` was not taken by [`BlockWriter::take_spans`] before: all of it, or its tail.
    pub spans: Vec<u8>,
    /// `traces.parquet`
    pub traces: Vec<u8>,
    /// `resources.parquet`
    pub resources: Vec<u8>,
    /// `trace_id.bloom`
    pub bloom: Vec<u8>,
    /// Spans left out because a span of the same trace and span id was written.
    pub duplicates: u64,
}

impl BlockWriter {
    /// A writer with nothing written.
    ///
    /// # Errors
    /// [`WriteError`]
    pub fn new(
        _block: NewBlock,
        _options: WriteOptions,
        _plan: ColumnPlan,
    ) -> Result<Self, WriteError> {
        Ok(Self {})
    }

    /// Appends traces as one row group: give it some 100,000 spans at a time.
    ///
    /// # Errors
    /// [`WriteError`]
    ///
    /// # Panics
    /// When the ids do not ascend strictly, within the call and from call to call.
    pub fn write(
        &mut self,
        _batch: &SpanBatch,
        _traces: &[TraceRows<'_>],
    ) -> Result<(), WriteError> {
        Ok(())
    }

    /// Takes what `spans.parquet` grew by, so that it can be sent off and its memory freed.
    pub fn take_spans(&mut self) -> Vec<u8> {
        Vec::new()
    }

    /// Spans written so far.
    pub fn span_count(&self) -> u64 {
        0
    }

    /// Ends the files.
    ///
    /// # Errors
    /// [`WriteError`]
    pub fn finish(self) -> Result<FinishedBlock, WriteError> {
        Err(WriteError::Parquet(parquet::errors::ParquetError::General(
            "not yet".into(),
        )))
    }
}
