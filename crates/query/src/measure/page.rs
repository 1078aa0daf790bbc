//! One page added to the tables.

use block::{ReadError, WordColumn};
use evaluate::{MeterError, Table, weight};

use super::compare::{Compare, Rows};
use super::exemplars::Exemplars;
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
    /// Of each row its point, or [`NO_POINT`].
    points: Vec<u32>,
    groups: Vec<u32>,
    /// Of each row; empty when all count as one.
    weights: Vec<f64>,
}

impl Buffers {
    /// Reads when and for how much the spans of a page count, and gives those that do.
    pub(super) fn load(
        &mut self,
        spans: &mut Group,
        page: usize,
        points: &Points<'_>,
        is_weighted: bool,
    ) -> Read<Mask> {
        let rows = spans.page_rows(page).len();
        let counted = points.read(spans, page, &mut self.points)?;
        self.weights.clear();
        if is_weighted {
            let words = spans.words(WordColumn::TraceState, page)?;
            for (at, &row) in words.rows().iter().enumerate() {
                let state = std::str::from_utf8(words.value(at)).unwrap_or_default();
                self.weights.resize(rows, 1.0);
                self.weights[row as usize] = weight(state);
            }
        }
        if counted == rows {
            return Ok(Mask::all(rows));
        }
        Ok(Mask::of(&self.points, |&point| point != NO_POINT))
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
        let mut selected = selection.page(spans, traces, page, mask)?.maybe;
        if let Some(window) = &compare.window {
            let in_window = |&start: &i64| window.0 <= start && start < window.1;
            selected.and(&Mask::of(spans.start(page)?, in_window));
        }
        let first = spans.page_rows(page).start as usize;
        rows.add((page, first), mask, &self.points, &self.weights, &selected);
        Ok(())
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
            points,
            groups,
            weights,
        } = self;
        query.keys.groups(state, spans, page, mask, table, groups)?;
        let (groups, points) = (&groups[..], &points[..]);
        let weight = |row: usize| weights.get(row).copied().unwrap_or(1.0);
        wanted.begin_page(page);
        if query.is_count {
            if let Some(mut counter) = table.counter() {
                mask.each(|row| counter.add(groups[row], points[row] as usize, weight(row)));
            }
            for row in wanted.rows(mask) {
                wanted.look_at(table, row, (groups[row], points[row]), None);
            }
            return Ok(());
        }
        query.values.each(spans, page, mask, |row, value| {
            let (group, point) = (groups[row], points[row]);
            table.add_value(group, point as usize, value, weight(row));
            if wanted.samples(row) {
                wanted.look_at(table, row, (group, point), Some(value));
            }
        })?;
        Ok(table.check()?)
    }
}
