//! Several blocks in, one block out, in one pass and in bounded memory.
//!
//! All inputs hold their traces by id. So this walks their `traces.parquet` together, takes traces in the order of ids until
//! they have enough spans for a row group, fetches the row groups of each `spans.parquet` that hold these rows (they are next to
//! each other), and has [`BlockWriter::merge`] put their columns together. The rows of a trace that has pieces in several inputs
//! meet there, and span ids that occur twice are dropped. What was written is sent off before the next row group is begun.
//!
//! Held at a time: some columns of the spans of one row group, the column chunks of one or two row groups of each input
//! (compressed), and a row of `traces.parquet` for each trace of the output (in the writer).

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{AsArray as _, RecordBatch};
use arrow::datatypes::Int32Type;
use block::{
    BlockId, BlockMeta, BlockWriter, FinishedBlock, MergeInput, MergedTrace, Piece, WriteError,
};
use model::{SpanBatch, TraceId};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use crate::objects::{Objects, Upload};
use crate::parquet_file::{ParquetFile, Rows, Selection};
use crate::reader::{BATCH_ROWS, id_column, unexpected};
use crate::{ErrorKind, StoreError};

/// Compressed bytes of spans gathered at a time, where spans are so large that a row group of the usual number would be too
/// much. In memory they may be some ten times as much.
const GATHERED_FILE_BYTES_MAX: u64 = 16 << 20;

/// A block that is being read.
pub(super) struct Input {
    id: BlockId,
    traces: TraceCursor,
    file: Arc<ParquetFile>,
    objects: Arc<Objects>,
    runtime: Handle,
}

/// A failure, and the inputs that caused it if it was theirs.
#[derive(Debug)]
pub(super) struct MergeError {
    pub(super) inputs: Vec<BlockId>,
    pub(super) error: StoreError,
}

impl From<StoreError> for MergeError {
    fn from(error: StoreError) -> Self {
        Self {
            inputs: Vec::new(),
            error,
        }
    }
}

impl Input {
    pub(super) fn open(
        meta: &BlockMeta,
        traces: &Arc<ParquetFile>,
        spans: &Arc<ParquetFile>,
        resources: Arc<SpanBatch>,
        objects: &Arc<Objects>,
        runtime: &Handle,
    ) -> Result<(Self, MergeInput), StoreError> {
        let trace_columns = Selection {
            rows: None,
            columns: Some(&["trace_id", "spans", "partial"]),
            batch_rows: BATCH_ROWS,
        };
        let input = Self {
            id: meta.id,
            traces: TraceCursor {
                rows: traces.rows(objects, runtime, &trace_columns)?,
                waiting: VecDeque::new(),
            },
            file: Arc::clone(spans),
            objects: Arc::clone(objects),
            runtime: runtime.clone(),
        };
        let spans = MergeInput::new(Arc::clone(spans.metadata()), meta, resources);
        Ok((input, spans))
    }

    /// Gives `spans` the bytes that `rows` rows need. Blocks the thread while the object store is asked for a row group.
    fn fetch(&self, spans: &mut MergeInput, rows: usize) -> Result<(), StoreError> {
        while let Some(range) = spans.wanted(rows) {
            let start = range.start;
            let asked = self.file.read(&self.objects, range);
            let bytes = self.runtime.block_on(asked)?;
            let given = spans.give(start, bytes);
            given.map_err(|error| self.file.damaged(error))?;
        }
        Ok(())
    }

    fn blame(&self, error: StoreError) -> MergeError {
        MergeError {
            inputs: vec![self.id],
            error,
        }
    }
}

/// How many spans to gather for a row group.
pub(super) fn row_group_spans<'a>(
    inputs: impl Iterator<Item = &'a BlockMeta>,
    usual: usize,
) -> usize {
    let span_bytes = inputs
        .map(|meta| meta.files.spans / meta.spans.max(1))
        .max()
        .unwrap_or(1)
        .max(1);
    usual.min((GATHERED_FILE_BYTES_MAX / span_bytes).max(1) as usize)
}

/// Joins the inputs and sends `spans.parquet` off as it grows. The upload is neither completed nor aborted; what
/// remains of the file is in the returned block.
///
/// Must be called on a thread that may block. Stops with [`ErrorKind::ShuttingDown`] between two row groups when cancelled.
pub(super) fn merge(
    inputs: Vec<(Input, MergeInput)>,
    mut writer: BlockWriter,
    row_group_spans: usize,
    upload: &mut Upload,
    runtime: &Handle,
    cancel: &CancellationToken,
) -> Result<FinishedBlock, MergeError> {
    let (mut inputs, mut spans): (Vec<_>, Vec<_>) = inputs.into_iter().unzip();
    loop {
        if cancel.is_cancelled() {
            return Err(StoreError::new(
                ErrorKind::ShuttingDown,
                "stopped a compaction: shutting down",
            )
            .into());
        }
        let plan = Plan::next(&mut inputs, row_group_spans)?;
        if plan.traces.is_empty() {
            break;
        }
        for ((input, spans), &rows) in inputs.iter().zip(&mut spans).zip(&plan.rows_of_input) {
            let fetched = input.fetch(spans, rows);
            fetched.map_err(|error| input.blame(error))?;
        }
        let merged = writer.merge(&mut spans, &plan.traces());
        merged.map_err(|error| blamed(error, &inputs))?;
        let grown = writer.take_spans();
        runtime.block_on(upload.write(grown.into()))?;
    }
    if let Some(at) = spans.iter().position(|spans| !spans.is_done()) {
        let more = "it has more rows than traces.parquet says";
        return Err(inputs[at].blame(inputs[at].file.damaged(more)));
    }
    writer.finish().map_err(|error| unwritable(&error).into())
}

fn blamed(error: block::MergeError, inputs: &[Input]) -> MergeError {
    match error {
        block::MergeError::Input { input, error } => {
            let input = &inputs[input];
            input.blame(input.file.damaged(error))
        }
        block::MergeError::Write(error) => unwritable(&error).into(),
    }
}

fn unwritable(error: &WriteError) -> StoreError {
    StoreError::new(ErrorKind::Bug, error.to_string())
}

/// A trace of the row group at hand.
struct PlannedTrace {
    id: TraceId,
    partial: bool,
    pieces: Range<usize>,
}

/// The traces of one row group, ascending by id, and where they come from.
struct Plan {
    traces: Vec<PlannedTrace>,
    pieces: Vec<Piece>,
    rows_of_input: Vec<usize>,
}

impl Plan {
    /// Takes traces off the cursors until they have `spans` spans. At least one trace, if there is any.
    fn next(inputs: &mut [Input], spans: usize) -> Result<Self, MergeError> {
        let mut plan = Self {
            traces: Vec::new(),
            pieces: Vec::new(),
            rows_of_input: vec![0; inputs.len()],
        };
        let mut gathered = 0;
        while gathered < spans {
            let Some(id) = least(inputs)? else { break };
            let first_piece = plan.pieces.len();
            let mut partial = false;
            for (at, input) in inputs.iter_mut().enumerate() {
                if let Some(row) = input.traces.take(id) {
                    // Whatever is missing of one piece may be in a block that is not joined here.
                    partial |= row.partial;
                    plan.rows_of_input[at] += row.spans;
                    gathered += row.spans;
                    plan.pieces.push(Piece {
                        input: at,
                        rows: row.spans,
                    });
                }
            }
            plan.traces.push(PlannedTrace {
                id,
                partial,
                pieces: first_piece..plan.pieces.len(),
            });
        }
        Ok(plan)
    }

    /// The traces for the writer.
    fn traces(&self) -> Vec<MergedTrace<'_>> {
        let merged = |trace: &PlannedTrace| MergedTrace {
            trace_id: trace.id,
            partial: trace.partial,
            pieces: &self.pieces[trace.pieces.clone()],
        };
        self.traces.iter().map(merged).collect()
    }
}

/// The least trace id that any cursor is at.
fn least(inputs: &mut [Input]) -> Result<Option<TraceId>, MergeError> {
    let mut least = None;
    for input in inputs {
        let next = input.traces.peek();
        let next = next.map_err(|error| input.blame(error))?;
        least = match (least, next) {
            (Some(a), Some(b)) => Some(std::cmp::min(a, b)),
            (a, b) => a.or(b),
        };
    }
    Ok(least)
}

/// What the merge needs of a row of `traces.parquet`.
#[derive(Debug, Clone, Copy)]
struct TraceRow {
    id: TraceId,
    spans: usize,
    partial: bool,
}

/// Walks `traces.parquet`.
struct TraceCursor {
    rows: Rows,
    waiting: VecDeque<TraceRow>,
}

impl TraceCursor {
    fn peek(&mut self) -> Result<Option<TraceId>, StoreError> {
        while self.waiting.is_empty() {
            let Some(batch) = self.rows.next()? else {
                return Ok(None);
            };
            self.waiting = trace_rows(&batch).ok_or_else(|| unexpected(&self.rows))?;
        }
        Ok(self.waiting.front().map(|row| row.id))
    }

    /// The row of this trace if the cursor, which has been peeked at, is there.
    fn take(&mut self, id: TraceId) -> Option<TraceRow> {
        self.waiting.pop_front_if(|row| row.id == id)
    }
}

fn trace_rows(batch: &RecordBatch) -> Option<VecDeque<TraceRow>> {
    let ids = id_column(batch, "trace_id", TraceId::BYTES)?;
    let spans = batch
        .column_by_name("spans")?
        .as_primitive_opt::<Int32Type>()?;
    let partial = batch.column_by_name("partial")?.as_boolean_opt()?;
    (0..batch.num_rows())
        .map(|row| {
            Some(TraceRow {
                id: TraceId::from_slice(ids.value(row))?,
                spans: usize::try_from(spans.value(row)).ok()?,
                partial: partial.value(row),
            })
        })
        .collect()
}
