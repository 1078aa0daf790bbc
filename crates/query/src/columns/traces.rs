//! Which rows belong to which traces.

use std::ops::Range;

use block::TraceTable;

use super::Mask;

/// The traces of a row group and where their rows begin.
#[derive(Debug)]
pub(crate) struct GroupTraces {
    /// Positions in the trace table.
    pub(crate) traces: Range<usize>,
    /// The first row of each, counted in the row group, and behind them the number of all rows.
    first_rows: Vec<u32>,
}

impl GroupTraces {
    /// The traces whose rows are `rows` of the file.
    pub(crate) fn of(table: &TraceTable, rows: Range<u64>) -> Self {
        let traces = table.within(rows.clone());
        let within = |row: &u64| row.saturating_sub(rows.start).min(rows.end - rows.start) as u32;
        let mut first_rows: Vec<u32> = table
            .first_rows(traces.clone())
            .iter()
            .map(within)
            .collect();
        if let Some(last) = first_rows.last_mut() {
            *last = (rows.end - rows.start) as u32;
        }
        Self { traces, first_rows }
    }

    /// The rows of a trace of the table, counted in the row group that begins at row `first` of the file.
    pub(crate) fn rows(table: &TraceTable, trace: usize, first: u64) -> Range<u32> {
        let rows = table.rows(trace);
        let start = rows.start.saturating_sub(first) as u32;
        start..start + rows.len as u32
    }

    /// The position of the trace that a row of the row group belongs to, behind the first.
    pub(crate) fn of_row(&self, row: u32) -> usize {
        let before = self.first_rows.partition_point(|&first| first <= row);
        before
            .saturating_sub(1)
            .min(self.traces.len().saturating_sub(1))
    }

    /// Calls `each` with the position, behind the first, of the trace of each row of a page that is in `mask`.
    pub(crate) fn each(&self, page: &Range<u32>, mask: &Mask, mut each: impl FnMut(usize)) {
        let mut at = self.of_row(page.start);
        for row in mask.rows() {
            let row = page.start + row as u32;
            while self.first_rows.get(at + 1).is_some_and(|&next| next <= row)
                && at + 1 < self.traces.len()
            {
                at += 1;
            }
            each(at);
        }
    }

    /// The traces that have rows on a page, by position behind the first, with these rows, counted in the page.
    pub(crate) fn on_page<'t>(
        &'t self,
        page: &'t Range<u32>,
    ) -> impl Iterator<Item = (usize, Range<usize>)> + 't {
        let first = self.of_row(page.start);
        let begins = move |at: &usize| self.first_rows[*at] < page.end;
        (first..self.traces.len()).take_while(begins).map(|at| {
            let from = self.first_rows[at].max(page.start) - page.start;
            let to = self.first_rows[at + 1].min(page.end).max(page.start) - page.start;
            (at, from as usize..to.max(from) as usize)
        })
    }

    /// The rows of a page, counted in it, that belong to traces for which `holds`, asked by position behind the first.
    pub(super) fn mask(&self, page: &Range<u32>, holds: impl Fn(usize) -> bool) -> Mask {
        let mut mask = Mask::none(page.len());
        for (_, rows) in self.on_page(page).filter(|(at, _)| holds(*at)) {
            mask.set_range(rows);
        }
        mask
    }
}
