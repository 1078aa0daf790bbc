//! What selected spans have and others do not, counted from columns: exactly what `evaluate` counts of whole traces.
//!
//! First each row is told for what it counts, its slot: a point of time, among the selected spans or the others. Then column
//! after column is gone through, and how often each entry of its dictionary occurs in each slot is counted; values are looked
//! up in the table only for what occurred. What spans share with all others of their resource or trace is counted by that.

mod columns;
mod found;
mod lists;
mod rows;
mod tally;

use block::{SpanColumn, SpanGroup};
use evaluate::Table;
use traceql::query::Condition;

use crate::QueryError;
use crate::block_scan::BlockScan;
use crate::columns::Filter;
use crate::measure::RootsHere;
use crate::measure::page::Failure;
use columns::Counting;
pub(super) use rows::Rows;

/// A comparison compiled for one block.
pub(super) struct Compare {
    /// Which of the spans are selected.
    pub(super) selection: Filter,
    /// When selected spans start: from one time to before another.
    pub(super) window: Option<(i64, i64)>,
    columns: Vec<SpanColumn>,
}

/// What is looked at of every span that has a column of its own.
const OF_SPAN: [SpanColumn; 8] = [
    SpanColumn::Name,
    SpanColumn::Kind,
    SpanColumn::Status,
    SpanColumn::StatusMessage,
    SpanColumn::Resource,
    SpanColumn::Tail,
    SpanColumn::Events,
    SpanColumn::Links,
];

impl Compare {
    /// `None` when columns do not decide which spans are selected.
    pub(super) fn compile(
        selection: &Condition,
        window: Option<(i64, i64)>,
        scan: &BlockScan,
    ) -> Option<Self> {
        let selection = Filter::compile(selection, &scan.target());
        if !selection.is_exact() {
            return None;
        }
        let attributes = 0..scan.columns.file().columns().len() as u16;
        let mut columns = selection.columns().to_vec();
        columns.extend(OF_SPAN);
        columns.extend(window.map(|_| SpanColumn::Start));
        columns.extend(attributes.map(SpanColumn::Attribute));
        Some(Self {
            selection,
            window,
            columns,
        })
    }

    pub(super) fn columns(&self) -> &[SpanColumn] {
        &self.columns
    }

    /// Counts everything that the rows of a row group have.
    ///
    /// # Errors
    /// [`QueryError`]
    pub(super) fn count(
        rows: &Rows,
        (scan, group, roots): (&BlockScan, usize, &RootsHere),
        spans: &mut SpanGroup,
        table: &mut Table,
    ) -> Result<(), QueryError> {
        if rows.pages().is_empty() {
            return Ok(());
        }
        let told = |failure: Failure| failure.told(scan);
        let mut counting = Counting::new(scan, rows, spans, table);
        counting.of_traces(group, roots).map_err(told)?;
        counting.of_resources().map_err(told)?;
        counting.of_intrinsics().map_err(told)?;
        for at in 0..scan.columns.file().columns().len() as u16 {
            scan.work().check()?;
            counting.of_attribute(at).map_err(told)?;
        }
        scan.work().check()?;
        counting.of_lists().map_err(told)?;
        Ok(table.check()?)
    }
}
