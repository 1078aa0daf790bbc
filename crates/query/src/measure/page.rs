//! One page added to the tables.

use block::{ReadError, SpanColumn, WordColumn};
use evaluate::{Exemplar, Meter, MeterError, Number, Table, weight};
use hashbrown::HashSet;
use model::{SpanId, UnixNanos};

use super::compare::{Compare, Rows};
use super::keys::State;
use super::points::{NO_POINT, Points};
use super::{Group, Measured, Read};
use crate::QueryError;
use crate::block_scan::BlockScan;
use crate::columns::{GroupTraces, Judge, Mask};

/// Why a page could not be added.
pub(super) enum Failure {
    Read(ReadError),
    Meter(MeterError),
}

impl Failure {
    pub(super) fn told(self, scan: &BlockScan) -> QueryError {
        match self {
            Self::Read(error) => scan.columns.damaged(error).into(),
            Self::Meter(error) => error.into(),
        }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

impl From<MeterError> for Failure {
    fn from(error: MeterError) -> Self {
        Self::Meter(error)
    }
}

/// What all queries need of a page, in memory that is used again for the next.
#[derive(Default)]
pub(super) struct Buffers {
    starts: Vec<i64>,
    points: Vec<u32>,
    groups: Vec<u32>,
    /// Of each row; empty when all count as one.
    weights: Vec<f64>,
}

impl Buffers {
    pub(super) fn load(
        &mut self,
        spans: &mut Group,
        page: usize,
        points: &Points,
        is_weighted: bool,
    ) -> Read<()> {
        self.starts.clear();
        self.starts.extend_from_slice(spans.start(page)?);
        self.points.clear();
        self.points
            .extend(self.starts.iter().map(|&start| points.of(start)));
        self.weights.clear();
        if is_weighted {
            let rows = self.starts.len();
            let words = spans.words(WordColumn::TraceState, page)?;
            for (at, &row) in words.rows().iter().enumerate() {
                let bytes = match words.codes() {
                    Some(codes) => words.entry(codes[at]),
                    None => words.plain(at),
                };
                self.weights.resize(rows, 1.0);
                self.weights[row as usize] = weight(std::str::from_utf8(bytes).unwrap_or_default());
            }
        }
        Ok(())
    }

    /// Notes which rows are selected and which are not.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn compare(
        &self,
        compare: &Compare,
        selection: &mut Judge<'_>,
        spans: &mut Group,
        traces: &GroupTraces,
        page: usize,
        mask: &Mask,
        rows: &mut Rows,
    ) -> Read<()> {
        let selected = selection.page(spans, traces, page, mask)?.maybe;
        let is_selected = |row: usize| selected.has(row) && compare.is_in_window(self.starts[row]);
        let first = spans.page_rows(page).start as usize;
        let (points, weights) = (&self.points, &self.weights);
        rows.add((page, first), mask, points, weights, is_selected);
        Ok(())
    }

    pub(super) fn in_time(&self) -> Mask {
        Mask::of(&self.points, |&point| point != NO_POINT)
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn add(
        &mut self,
        query: &Measured,
        state: &mut State,
        spans: &mut Group,
        page: usize,
        mask: &Mask,
        table: &mut Table,
        wanted: &mut Exemplars,
    ) -> Result<(), Failure> {
        let Self {
            starts,
            points,
            groups,
            weights,
        } = self;
        query.keys.groups(state, spans, page, mask, table, groups)?;
        let weight = |row: usize| weights.get(row).copied().unwrap_or(1.0);
        if query.is_count {
            for row in mask.rows() {
                table.add_count(groups[row], points[row] as usize, weight(row));
            }
            if wanted.has_room() {
                let durations = spans.duration(page)?;
                for row in mask.rows() {
                    let (group, point) = (groups[row], points[row] as usize);
                    if wanted.asks(table, group, point) {
                        let value = Number::Duration(durations[row]);
                        wanted.note(row, group, point, starts[row], value);
                    }
                }
            }
            return Ok(());
        }
        query.values.each(spans, page, mask, |row, value| {
            let (group, point) = (groups[row], points[row] as usize);
            table.add_value(group, point, value, weight(row));
            if wanted.asks(table, group, point) {
                wanted.note(row, group, point, starts[row], value);
            }
        })?;
        Ok(table.check()?)
    }
}

/// Spans that were chosen to be looked at, until their ids are read.
pub(super) struct Exemplars {
    is_wanted: bool,
    /// Groups and points that have been asked about.
    asked: HashSet<u64>,
    of_page: Vec<(usize, u32, usize, i64, Number)>,
    all: Vec<(usize, usize, u32, usize, i64, Number)>,
}

/// Exemplars that are noted of one row group. More would be thrown away.
const NOTED_MAX: usize = 256;

impl Exemplars {
    /// Whether `meter` wants any that can be delivered: only those of one query.
    pub(super) fn are_wanted(meter: &Meter) -> bool {
        meter.wants_exemplars() && meter.queries().len() == 1
    }

    /// None yet.
    pub(super) fn new(is_wanted: bool) -> Self {
        Self {
            is_wanted,
            asked: HashSet::new(),
            of_page: Vec::new(),
            all: Vec::new(),
        }
    }

    fn has_room(&self) -> bool {
        self.is_wanted && self.all.len() + self.of_page.len() < NOTED_MAX
    }

    /// Whether a span of this group and point is to be noted. That is asked of the table once.
    #[inline]
    fn asks(&mut self, table: &Table, group: u32, point: usize) -> bool {
        self.has_room()
            && self.asked.insert(u64::from(group) << 32 | point as u64)
            && table.wants_exemplar(group, point)
    }

    fn note(&mut self, row: usize, group: u32, point: usize, start: i64, value: Number) {
        self.of_page.push((row, group, point, start, value));
    }

    pub(super) fn end_page(&mut self, page: usize) {
        let noted = self.of_page.drain(..);
        self.all.extend(
            noted.map(|(row, group, point, start, value)| (page, row, group, point, start, value)),
        );
    }

    /// Reads the ids of the noted spans and hands them over.
    pub(super) fn deliver(
        self,
        scan: &BlockScan,
        group: usize,
        traces: &GroupTraces,
        meter: &mut Meter,
    ) -> Result<(), QueryError> {
        if self.all.is_empty() {
            return Ok(());
        }
        let mut pages: Vec<usize> = self.all.iter().map(|noted| noted.0).collect();
        pages.dedup();
        let columns = [SpanColumn::SpanId, SpanColumn::Resource];
        let (mut spans, bytes) = scan.columns.read(group, &columns, Some(&pages))?;
        scan.work().count_bytes(bytes);
        for (page, row, of_group, point, start, value) in self.all {
            let first = spans.page_rows(page).start as usize;
            let ids = spans
                .span_id(page)
                .map_err(|error| scan.columns.damaged(error))?;
            let trace = traces.traces.start + traces.of_row((first + row) as u32);
            let exemplar = Exemplar {
                trace_id: scan.table.trace_id(trace),
                span_id: SpanId(ids[row]),
                time: UnixNanos(start),
                value: value.seconds(),
            };
            meter.table(0).add_exemplar(of_group, point, exemplar);
        }
        Ok(())
    }
}
