//! Spans in, the bytes of a block's files out.

use std::sync::Arc;

use model::{Gathered, Remap, SpanBatch, TraceId, UnixNanos};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::TypePtr;

use crate::chunk::PageCompressor;
use crate::facts::SpanFacts;
use crate::inventory::{Inventory, RowGroupCounts};
use crate::order::{OrderedRow, TraceOrder};
use crate::span_writer::SpanWriter;
use crate::traces::TraceRowsOut;
use crate::{
    BlockFiles, BlockId, BlockMeta, Bloom, ColumnPlan, FORMAT_VERSION, HexId, JournalRange,
    resources, schema,
};

/// The rows of one trace in a [`SpanBatch`].
#[derive(Debug, Clone, Copy)]
pub struct TraceRows<'a> {
    /// The trace.
    pub trace_id: TraceId,
    /// Indices into [`SpanBatch::spans`], in any order, at least one; a span id may occur twice, then the row of the
    /// lower index is kept.
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
    /// zstd level. Above 1 hardly anything is gained on columns that are dictionaries already.
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

/// Why a block could not be written: always a defect or a lack of memory, never the content.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The Parquet writer refused.
    #[error("cannot write a block: {0}")]
    Parquet(#[from] ParquetError),
    /// More than 4 GiB of distinct resources.
    #[error("cannot write a block: {0}")]
    Symbols(#[from] model::SymbolOverflow),
    /// A block of nothing.
    #[error("cannot write a block without spans")]
    Empty,
}

/// Writes one block, a row group for each call of [`BlockWriter::write`].
pub struct BlockWriter {
    block: NewBlock,
    pub(crate) plan: ColumnPlan,
    pub(crate) compressor: PageCompressor,
    pub(crate) spans: SerializedFileWriter<Vec<u8>>,
    span_bytes_taken: u64,
    pub(crate) traces: TraceRowsOut,
    pub(crate) resources: Gathered,
    pub(crate) inventory: Inventory,
    pub(crate) rows: u64,
    pub(crate) duplicates: u64,
    pub(crate) order: TraceOrder,
    ordered: Vec<OrderedRow>,
}

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

/// What a span is expected to take of `spans.parquet`, in bytes: room for so much is made at once, where growing step by step would
/// copy the file. Where it is more the file grows as ever.
const SPAN_BYTES_EXPECTED: usize = 32;

fn file(schema: TypePtr) -> Result<SerializedFileWriter<Vec<u8>>, ParquetError> {
    let created_by = concat!("throughline version ", env!("CARGO_PKG_VERSION"));
    let properties = WriterProperties::builder()
        .set_created_by(created_by.to_owned())
        .build();
    SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))
}

impl BlockWriter {
    /// A writer with nothing written.
    ///
    /// # Errors
    /// [`WriteError::Parquet`]
    pub fn new(
        block: NewBlock,
        options: &WriteOptions,
        plan: ColumnPlan,
    ) -> Result<Self, WriteError> {
        Ok(Self {
            spans: file(schema::spans(&plan.columns)?)?,
            compressor: PageCompressor::new(options.zstd_level)?,
            block,
            plan,
            span_bytes_taken: 0,
            traces: TraceRowsOut::default(),
            resources: Gathered::new(),
            inventory: Inventory::default(),
            rows: 0,
            duplicates: 0,
            order: TraceOrder::default(),
            ordered: Vec::new(),
        })
    }

    /// Appends traces as one row group: give it some 100,000 spans at a time. Costs about half a microsecond a span.
    ///
    /// # Errors
    /// [`WriteError`]; the writer is of no use afterwards.
    ///
    /// # Panics
    /// When the ids do not ascend strictly, within the call and from call to call.
    pub fn write(&mut self, batch: &SpanBatch, traces: &[TraceRows<'_>]) -> Result<(), WriteError> {
        if traces.is_empty() {
            return Ok(());
        }
        self.ordered.clear();
        let mut trace_of_row = Vec::new();
        for (number, trace) in (0..).zip(traces) {
            assert!(
                self.traces
                    .last_id()
                    .is_none_or(|last| last < trace.trace_id),
                "traces must come by ascending id"
            );
            let from = self.ordered.len();
            self.duplicates += self.order.order(batch, trace.rows, &mut self.ordered) as u64;
            trace_of_row.resize(self.ordered.len(), number);
            let row = self.rows + from as u64;
            let rows = self.ordered[from..].iter();
            let spans = rows.map(|row| SpanFacts::of(batch, &batch.spans[row.row as usize]));
            let symbols = &batch.symbols;
            self.traces
                .push(symbols, trace.trace_id, row, trace.partial, spans);
        }
        let mut remap = Remap::default();
        remap.reset(batch);
        let resources = (0..batch.resources.len() as u32)
            .map(|index| self.resources.push_resource(batch, index, &mut remap))
            .collect::<Result<Vec<u32>, _>>()?;
        let mut counts = RowGroupCounts::default();
        self.expect(self.ordered.len());
        let schema = self.spans.schema_descr().clone();
        let columns = &self.plan.columns;
        let writer = SpanWriter::new(&schema, columns, &trace_of_row.into(), batch, &resources);
        let masks = writer.write(
            &self.ordered,
            columns,
            &mut counts,
            &mut self.compressor,
            traces.len(),
            &mut self.spans,
        )?;
        self.traces.push_masks(&masks);
        self.inventory.add(&batch.symbols, counts);
        self.rows += self.ordered.len() as u64;
        Ok(())
    }

    /// Makes room for so many spans.
    pub(crate) fn expect(&mut self, spans: usize) {
        self.spans.inner_mut().reserve(spans * SPAN_BYTES_EXPECTED);
    }

    /// Takes what `spans.parquet` grew by, so that it can be sent off and its memory freed.
    pub fn take_spans(&mut self) -> Vec<u8> {
        let bytes = std::mem::take(self.spans.inner_mut());
        self.span_bytes_taken += bytes.len() as u64;
        bytes
    }

    /// Spans written so far.
    pub fn span_count(&self) -> u64 {
        self.rows
    }

    /// Ends the files.
    ///
    /// # Errors
    /// [`WriteError::Empty`] when nothing was written, or another [`WriteError`].
    pub fn finish(mut self) -> Result<FinishedBlock, WriteError> {
        let bounds = self.traces.bounds().ok_or(WriteError::Empty)?;
        self.spans.finish()?;
        let spans = std::mem::take(self.spans.inner_mut());
        let mut traces_file = file(schema::traces()?)?;
        self.traces.write(&mut self.compressor, &mut traces_file)?;
        let traces = traces_file.into_inner()?;
        let mut resources_file = file(schema::resources()?)?;
        resources::write(
            &self.resources.batch,
            &mut self.compressor,
            &mut resources_file,
        )?;
        let resources = resources_file.into_inner()?;
        let mut bloom = Bloom::with_capacity(self.traces.len());
        self.traces.ids().for_each(|id| bloom.insert(id));
        let bloom = bloom.to_bytes();
        self.inventory.add_resources(&self.resources.batch);
        let services = self.inventory.services();
        let (keys, keys_truncated) = self.inventory.keys();
        let block = self.block;
        let meta = BlockMeta {
            id: block.id,
            format: FORMAT_VERSION,
            tenant: block.tenant,
            class: block.class,
            date: bounds.start_min.utc_date(),
            level: block.level,
            created: block.created,
            spans: bounds.spans,
            traces: self.traces.len() as u64,
            errors: bounds.errors,
            partial_traces: bounds.partial,
            start_min: bounds.start_min,
            start_max: bounds.start_max,
            end_max: bounds.end_max,
            duration_max: bounds.duration_max,
            trace_id_min: HexId(bounds.trace_id_min),
            trace_id_max: HexId(bounds.trace_id_max),
            files: BlockFiles {
                spans: self.span_bytes_taken + spans.len() as u64,
                traces: traces.len() as u64,
                resources: resources.len() as u64,
                bloom: bloom.len() as u64,
            },
            columns: self.plan.columns,
            keys,
            keys_truncated,
            services,
            journal: block.journal,
        };
        Ok(FinishedBlock {
            meta,
            spans,
            traces,
            resources,
            bloom,
            duplicates: self.duplicates,
        })
    }
}
