//! Which rows of the inputs come one after the other in a row group, and where their parents are.

use std::ops::Range;
use std::sync::Arc;

use model::{
    DurationNanos, NO_EXTRA, Range32, SpanBatch, SpanId, SpanKind, SpanRow, StatusCode, TraceId,
    UnixNanos,
};

use super::MergedTrace;
use super::input::Core;
use crate::order::{OrderedRow, TraceOrder};
use crate::spans::PAGE_ROWS;

/// Rows of one input that follow each other, there and in the output. All are on one page of the output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) input: usize,
    /// The first row, counted from the first of the input that is merged at this time.
    first: u32,
    len: u32,
    /// Of a trace that was put in order again: its rows have a [`Moved`] each.
    is_moved: bool,
}

impl Run {
    pub(super) fn rows(&self) -> Range<usize> {
        self.first as usize..self.first as usize + self.len as usize
    }
}

/// What is new of a row whose trace was put in order again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moved {
    row: usize,
    pub(super) parent: u32,
    pub(super) subtree: u32,
    /// The parent if it is named but not here, else zeros.
    parent_id: SpanId,
}

/// The rows of a row group.
#[derive(Debug, Default)]
pub(super) struct Layout {
    runs: Vec<Run>,
    /// By page: its runs.
    pages: Vec<Range<usize>>,
    /// Ascending by row.
    moved: Vec<Moved>,
    /// By trace: its rows.
    pub(super) traces: Vec<Range<usize>>,
    /// Rows left out because their span id came before.
    pub(super) duplicates: usize,
    rows: usize,
}

/// Where the parents of all rows are.
#[derive(Debug, Default)]
pub(super) struct Parents {
    /// Rows back to the parent; 0 when it is not here.
    pub(super) back: Vec<u32>,
    /// The parents that are named but not here: row and id, ascending.
    pub(super) by_id: Vec<(usize, [u8; 8])>,
}

impl Layout {
    /// Lays out the traces, whose pieces are the rows of `cores` one after the other.
    pub(super) fn of(traces: &[MergedTrace<'_>], cores: &[Core], order: &mut TraceOrder) -> Self {
        let mut layout = Self::default();
        let mut next = vec![0; cores.len()];
        for trace in traces {
            let begin = layout.rows;
            if let [piece] = trace.pieces {
                let first = next[piece.input];
                layout.push(piece.input, first..first + piece.rows, false);
                next[piece.input] += piece.rows;
            } else {
                layout.push_joined(trace, cores, &mut next, order);
            }
            layout.traces.push(begin..layout.rows);
        }
        layout
    }

    /// Puts a trace that lies in several inputs in order.
    fn push_joined(
        &mut self,
        trace: &MergedTrace<'_>,
        cores: &[Core],
        next: &mut [usize],
        order: &mut TraceOrder,
    ) {
        let mut joined = SpanBatch::default();
        let mut from = Vec::new();
        for piece in trace.pieces {
            let rows = next[piece.input]..next[piece.input] + piece.rows;
            next[piece.input] = rows.end;
            for row in rows {
                from.push((piece.input, row));
                joined
                    .spans
                    .push(cores[piece.input].span(trace.trace_id, row));
            }
        }
        let rows: Vec<u32> = (0..from.len() as u32).collect();
        let mut ordered = Vec::with_capacity(rows.len());
        self.duplicates += order.order(&joined, &rows, &mut ordered);
        for OrderedRow {
            row,
            parent,
            subtree,
        } in ordered
        {
            let named = joined.spans[row as usize].parent_span_id;
            self.moved.push(Moved {
                row: self.rows,
                parent,
                subtree,
                parent_id: if parent == 0 { named } else { SpanId::ZERO },
            });
            let (input, row) = from[row as usize];
            self.push(input, row..row + 1, true);
        }
    }

    fn push(&mut self, input: usize, mut rows: Range<usize>, is_moved: bool) {
        while !rows.is_empty() {
            let on_page = self.rows % PAGE_ROWS;
            if on_page == 0 {
                self.pages.push(self.runs.len()..self.runs.len());
            }
            let len = rows.len().min(PAGE_ROWS - on_page);
            let follows = |last: &&mut Run| {
                on_page > 0
                    && (last.input, last.is_moved) == (input, is_moved)
                    && last.rows().end == rows.start
            };
            if let Some(last) = self.runs.last_mut().filter(follows) {
                last.len += len as u32;
            } else {
                self.runs.push(Run {
                    input,
                    first: rows.start as u32,
                    len: len as u32,
                    is_moved,
                });
            }
            if let Some(page) = self.pages.last_mut() {
                page.end = self.runs.len();
            }
            rows.start += len;
            self.rows += len;
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// The runs of each page, one page after the other, and how many rows they have.
    pub(super) fn pages(&self) -> impl Iterator<Item = (&[Run], usize)> {
        let runs = self.pages.iter().map(|page| &self.runs[page.clone()]);
        runs.zip(self.page_rows().map(|rows| rows.len()))
    }

    /// The rows of each page.
    pub(super) fn page_rows(&self) -> impl Iterator<Item = Range<usize>> {
        let end = |first: usize| self.rows.min(first + PAGE_ROWS);
        let pages = (0..self.rows).step_by(PAGE_ROWS);
        pages.map(move |first| first..end(first))
    }

    /// The values of the rows, of those of each input.
    pub(super) fn gather<'a, T: Copy + 'a>(&self, of_input: impl Fn(usize) -> &'a [T]) -> Vec<T> {
        let mut values = Vec::with_capacity(self.rows);
        for run in &self.runs {
            values.extend_from_slice(&of_input(run.input)[run.rows()]);
        }
        values
    }

    /// The number of the trace of each row.
    pub(super) fn trace_of_row(&self) -> Arc<[u32]> {
        let mut numbers = Vec::with_capacity(self.rows);
        for (number, rows) in (0..).zip(&self.traces) {
            numbers.resize(rows.end, number);
        }
        numbers.into()
    }

    /// The trace of each row.
    pub(super) fn trace_ids(&self, traces: &[MergedTrace<'_>]) -> Vec<[u8; 16]> {
        let mut ids = Vec::with_capacity(self.rows);
        for (trace, rows) in traces.iter().zip(&self.traces) {
            ids.resize(rows.end, trace.trace_id.0);
        }
        ids
    }

    /// Descendants of each row.
    pub(super) fn subtrees<'a>(&self, of_input: impl Fn(usize) -> &'a [u32]) -> Vec<u32> {
        let mut subtrees = self.gather(of_input);
        for moved in &self.moved {
            subtrees[moved.row] = moved.subtree;
        }
        subtrees
    }

    pub(super) fn parents(&self, cores: &[Core]) -> Parents {
        let mut parents = Parents::default();
        parents.back.reserve(self.rows);
        let mut moved = self.moved.iter();
        let mut cursor = Cursor::new(cores.len());
        for run in &self.runs {
            let first = parents.back.len();
            if run.is_moved {
                for moved in moved.by_ref().take(run.len as usize) {
                    parents.back.push(moved.parent);
                    if moved.parent_id != SpanId::ZERO {
                        parents.by_id.push((moved.row, moved.parent_id.0));
                    }
                }
                continue;
            }
            let core = &cores[run.input];
            parents.back.extend_from_slice(&core.parent[run.rows()]);
            for at in cursor.find(run, &core.parent_rows) {
                let row = first + core.parent_rows[at] as usize - run.first as usize;
                parents.by_id.push((row, core.parent_ids[at]));
            }
        }
        parents
    }
}

impl Core {
    /// A span as the order of a trace is told by.
    fn span(&self, trace_id: TraceId, row: usize) -> SpanRow {
        let parent_span_id = match self.parent[row] as usize {
            0 => {
                let at = self.parent_rows.binary_search(&(row as u32));
                at.map_or(SpanId::ZERO, |at| SpanId(self.parent_ids[at]))
            }
            back => SpanId(self.span_id[row - back]),
        };
        SpanRow {
            trace_id,
            span_id: SpanId(self.span_id[row]),
            parent_span_id,
            start: UnixNanos(self.start[row]),
            duration: DurationNanos::default(),
            name: model::Symbol::EMPTY,
            resource: 0,
            attributes: Range32::default(),
            extra: NO_EXTRA,
            flags: 0,
            kind: SpanKind::Unspecified,
            status: StatusCode::Unset,
        }
    }
}

/// Finds the values that few rows have, run by run. Runs of an input mostly ascend, so a value is mostly behind the one before.
pub(super) struct Cursor(Vec<usize>);

impl Cursor {
    pub(super) fn new(inputs: usize) -> Self {
        Self(vec![0; inputs])
    }

    /// Which of ascending `rows`, those of the input that have a value, are of the run.
    #[inline]
    pub(super) fn find(&mut self, run: &Run, rows: &[u32]) -> Range<usize> {
        let (first, end) = (run.first, run.first + run.len);
        let place = &mut self.0[run.input];
        let is_before = |at: usize| at.checked_sub(1).is_none_or(|before| rows[before] < first);
        if *place > rows.len() || !is_before(*place) {
            *place = rows.partition_point(|&row| row < first);
        }
        while rows.get(*place).is_some_and(|&row| row < first) {
            *place += 1;
        }
        let from = *place;
        while rows.get(*place).is_some_and(|&row| row < end) {
            *place += 1;
        }
        from..*place
    }
}
