//! Traces of a block judged by their columns.

use std::ops::Range;

use super::BlockScan;
use crate::QueryError;
use crate::columns::{GroupTraces, Judge, Mask};
use crate::need::Need;

/// What columns let through of some traces.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    /// Traces that have what is needed, by position.
    pub(crate) passed: Vec<u32>,
    /// Pieces of traces that have some of it: the rest may lie elsewhere.
    pub(crate) pieces: Vec<Piece>,
}

/// A piece of a trace that has not by itself what is needed.
#[derive(Debug)]
pub(crate) struct Piece {
    /// Its position.
    pub(crate) at: u32,
    /// How many of its spans may pass each filter.
    pub(crate) counts: Box<[u32]>,
}

impl Judged {
    pub(crate) fn append(&mut self, mut other: Self) {
        self.passed.append(&mut other.passed);
        self.pieces.append(&mut other.pieces);
    }
}

impl BlockScan {
    /// Those of these traces, given by position in any order, that columns let through; in no order.
    ///
    /// # Errors
    /// [`QueryError`]
    pub(crate) fn judge(&self, traces: &[u32]) -> Result<Judged, QueryError> {
        let mut judged = Judged::default();
        if self.need == Need::Nothing {
            judged.passed = traces.to_vec();
            return Ok(judged);
        }
        for (group, traces) in self.by_group(traces) {
            judged.append(self.judge_group(group, &traces)?);
        }
        Ok(judged)
    }

    /// Those of these traces of a row group, ascending, that columns let through.
    ///
    /// # Errors
    /// [`QueryError`]
    pub(crate) fn judge_group(&self, group: usize, traces: &[u32]) -> Result<Judged, QueryError> {
        let mut judged = Judged::default();
        if self.need == Need::Nothing || traces.is_empty() {
            judged.passed = traces.to_vec();
            return Ok(judged);
        }
        self.work.check()?;
        if self.is_told {
            for &trace in traces {
                let at = trace as usize;
                let told = |filter: usize| self.summaries[filter].may_hold(&self.table, at);
                self.sort(trace, &|filter| u32::from(told(filter)), &mut judged);
            }
            return Ok(judged);
        }
        let counts = self.count(group, traces)?;
        let first = self.traces_of(group).start;
        for &trace in traces {
            let count = |filter: usize| counts[filter][trace as usize - first];
            self.sort(trace, &count, &mut judged);
        }
        Ok(judged)
    }

    /// Puts a trace to those that columns let through, to the pieces, or to neither.
    #[inline]
    fn sort(&self, trace: u32, count: &impl Fn(usize) -> u32, judged: &mut Judged) {
        if self.need.is_met(count) {
            judged.passed.push(trace);
        } else if self.table.is_partial(trace as usize) && self.need.may_help(count) {
            let counts = (0..self.filters.len()).map(count).collect();
            judged.pieces.push(Piece { at: trace, counts });
        }
    }

    /// Calls `each` with those of these traces that have spans which may pass a filter, and with how many may pass each.
    ///
    /// What there is elsewhere of a trace must not change what filters say of its spans.
    ///
    /// # Errors
    /// [`QueryError`]
    pub(crate) fn count_each(
        &self,
        traces: &[u32],
        mut each: impl FnMut(u32, &dyn Fn(usize) -> u32),
    ) -> Result<(), QueryError> {
        let may_hold = |filter: usize, at: u32| {
            !self.filters[filter].is_never()
                && self.summaries[filter].may_hold(&self.table, at as usize)
        };
        let mut traces = traces.to_vec();
        traces.retain(|&at| (0..self.filters.len()).any(|filter| may_hold(filter, at)));
        for (group, traces) in self.by_group(&traces) {
            self.work.check()?;
            let counts = self.count(group, &traces)?;
            let first = self.traces_of(group).start;
            for trace in traces {
                each(trace, &|filter| counts[filter][trace as usize - first]);
            }
        }
        Ok(())
    }

    /// How many spans may pass each filter, by the position of their trace behind the first of the row group; of others than
    /// these traces it means nothing.
    fn count(&self, group: usize, traces: &[u32]) -> Result<Vec<Vec<u32>>, QueryError> {
        let pages = self.pages_of(group, traces)?;
        let (mut spans, bytes) = self.columns.read(group, &self.judged, pages.as_deref())?;
        self.work.count_bytes(bytes);
        let all: Vec<usize> = (0..spans.page_count()).collect();
        let here = GroupTraces::of(&self.table, self.columns.file().rows(group));
        let is_all = traces.len() == here.traces.len();
        let mut judges: Vec<Judge<'_>> = self.filters.iter().map(Judge::new).collect();
        let mut counts = vec![vec![0u32; here.traces.len()]; judges.len()];
        let mut next = 0;
        for &page in pages.as_deref().unwrap_or(&all) {
            let rows = spans.page_rows(page);
            let within = if is_all {
                Mask::all(rows.len())
            } else {
                self.rows_on_page(group, traces, &mut next, &rows)
            };
            self.work.count_spans(within.count());
            for (judge, counts) in judges.iter_mut().zip(&mut counts) {
                let verdict = judge.page(&mut spans, &here, page, &within);
                let verdict = verdict.map_err(|error| self.columns.damaged(error))?;
                let mut maybe = verdict.maybe;
                maybe.and(&within);
                here.each(&rows, &maybe, |at| counts[at] += 1);
            }
        }
        Ok(counts)
    }

    /// The rows of a page that belong to these traces, those that reach into it from the page before included. `next` is moved
    /// on, from page to page.
    fn rows_on_page(
        &self,
        group: usize,
        traces: &[u32],
        next: &mut usize,
        rows: &Range<u32>,
    ) -> Mask {
        let mut within = Mask::none(rows.len());
        while *next < traces.len() && self.rows_in(traces[*next], group).end <= rows.start {
            *next += 1;
        }
        for &trace in &traces[*next..] {
            let of_trace = self.rows_in(trace, group);
            if of_trace.start >= rows.end {
                break;
            }
            let from = of_trace.start.max(rows.start) - rows.start;
            let to = of_trace.end.min(rows.end) - rows.start;
            within.set_range(from as usize..to as usize);
        }
        within
    }
}
