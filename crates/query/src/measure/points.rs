//! The points of time that the spans of a row group count for.
//!
//! Most traces are short beside a step. Then all their spans count for one point, which the trace table tells, and times are read
//! only of the few traces that reach into the next one.

use std::ops::Range;

use block::{SpanColumn, SpanGroup};
use evaluate::{Meter, StepClock};
use model::UnixNanos;

use super::Read;
use crate::block_scan::BlockScan;
use crate::columns::GroupTraces;

/// In place of a position: the span counts for no point.
pub(super) const NO_POINT: u32 = u32::MAX;

/// In place of that of a trace: each of its spans has its own.
const SEVERAL: u32 = u32::MAX - 1;

/// Of more than one trace in so many, all times of a page are rather decoded at once.
const FEW: usize = 4;

/// When spans count.
pub(super) struct Points<'t> {
    clock: StepClock,
    traces: &'t GroupTraces,
    known: Known,
}

/// What is known without looking at spans.
enum Known {
    /// The point of all of them.
    All(u32),
    /// The point of each trace, [`NO_POINT`] or [`SEVERAL`].
    OfTraces(Vec<u32>),
    Nothing,
}

impl<'t> Points<'t> {
    pub(super) fn of(
        meter: &Meter,
        scan: &BlockScan,
        group: usize,
        traces: &'t GroupTraces,
    ) -> Self {
        let file = scan.columns.file();
        let clock = meter.clock();
        // A span that ends before it starts may start when its trace is over.
        let are_bounded = file.durations(group).is_some_and(|(least, _)| least >= 0);
        let known = if let Some(point) = file.starts(group).and_then(|starts| only(&clock, starts))
        {
            Known::All(point)
        } else if are_bounded {
            let table = &scan.table;
            let bounds = meter.steps().bounds();
            let of_trace = |at: usize| point_of(&clock, bounds, (table.start(at), table.end(at)));
            let points: Vec<u32> = traces.traces.clone().map(of_trace).collect();
            let several = points.iter().filter(|point| **point == SEVERAL).count();
            if several > points.len() / FEW {
                Known::Nothing
            } else {
                Known::OfTraces(points)
            }
        } else {
            Known::Nothing
        };
        Self {
            clock,
            traces,
            known,
        }
    }

    /// The column that is looked at, if any.
    pub(super) fn column(&self) -> Option<SpanColumn> {
        let needs_none = match &self.known {
            Known::All(_) => true,
            Known::OfTraces(points) => !points.contains(&SEVERAL),
            Known::Nothing => false,
        };
        (!needs_none).then_some(SpanColumn::Start)
    }

    /// The point of each span of a page, and how many have one.
    pub(super) fn read(
        &self,
        spans: &mut SpanGroup,
        page: usize,
        out: &mut Vec<u32>,
    ) -> Read<usize> {
        let rows = spans.page_rows(page);
        out.clear();
        match &self.known {
            Known::All(point) => {
                out.resize(rows.len(), *point);
                Ok(rows.len())
            }
            Known::OfTraces(points) => self.of_traces(points, spans, page, &rows, out),
            Known::Nothing => {
                let starts = spans.start(page)?.iter();
                out.extend(starts.map(|&start| self.at(start)));
                Ok(out.iter().filter(|point| **point != NO_POINT).count())
            }
        }
    }

    fn of_traces(
        &self,
        points: &[u32],
        spans: &mut SpanGroup,
        page: usize,
        rows: &Range<u32>,
        out: &mut Vec<u32>,
    ) -> Read<usize> {
        out.resize(rows.len(), NO_POINT);
        let mut counted = 0;
        for (trace, rows) in self.traces.on_page(rows) {
            match points[trace] {
                NO_POINT => {}
                SEVERAL => spans.few_starts(page, rows, |row, start| {
                    out[row] = self.at(start);
                    counted += usize::from(out[row] != NO_POINT);
                })?,
                point => {
                    counted += rows.len();
                    out[rows].fill(point);
                }
            }
        }
        Ok(counted)
    }

    #[inline]
    fn at(&self, start: i64) -> u32 {
        let point = self.clock.position(UnixNanos(start));
        point.map_or(NO_POINT, |point| point as u32)
    }
}

/// The point that all spans count for which start in between.
fn only(clock: &StepClock, (earliest, latest): (i64, i64)) -> Option<u32> {
    let first = clock.position(UnixNanos(earliest))?;
    let last = clock.position(UnixNanos(latest))?;
    (first == last).then_some(first as u32)
}

/// The point of all spans of a trace that lasts from one time to another, [`NO_POINT`] or [`SEVERAL`].
fn point_of(
    clock: &StepClock,
    (earliest, latest): (UnixNanos, UnixNanos),
    (start, end): (UnixNanos, UnixNanos),
) -> u32 {
    if end < earliest || latest < start {
        return NO_POINT;
    }
    only(clock, (start.0, end.0)).unwrap_or(SEVERAL)
}
