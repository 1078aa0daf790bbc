//! Spans to look at, chosen while a row group is measured.

use block::{ReadError, SpanColumn};
use evaluate::{Exemplar, Meter, Number, Table};
use model::{SpanId, UnixNanos};

use crate::QueryError;
use crate::block_scan::BlockScan;
use crate::columns::{GroupTraces, Mask};

/// Exemplars that are noted of one row group. More would be thrown away.
const NOTED_MAX: usize = 256;

/// Of the rows of all pages but the first, one in so many is looked at. A power of two.
const STRIDE: usize = 8;

/// Cells, pairs of group and point, that are asked about. There are far fewer exemplars than that.
const CELLS_MAX: usize = 1 << 20;

/// Spans that were chosen to be looked at, until their ids are read.
pub(super) struct Exemplars {
    is_wanted: bool,
    points: usize,
    /// Whether a cell has been asked about.
    asked: Vec<bool>,
    page: usize,
    /// Of the rows of the page every one by so many is looked at.
    stride: usize,
    noted: Vec<Noted>,
}

struct Noted {
    page: usize,
    row: usize,
    group: u32,
    point: usize,
    /// What is shown; `None` for the duration.
    value: Option<Number>,
}

impl Exemplars {
    /// Whether `meter` wants any that can be delivered: only those of one query.
    pub(super) fn are_wanted(meter: &Meter) -> bool {
        meter.wants_exemplars() && meter.queries().len() == 1
    }

    /// None yet, of series with so many points.
    pub(super) fn new(is_wanted: bool, points: usize) -> Self {
        Self {
            is_wanted,
            points,
            asked: Vec::new(),
            page: 0,
            stride: 1,
            noted: Vec::new(),
        }
    }

    /// What comes now is of this page. Where there are many pages, a sample of them does.
    pub(super) fn begin_page(&mut self, page: usize) {
        self.page = page;
        self.stride = if self.asked.is_empty() { 1 } else { STRIDE };
    }

    /// Whether a row is looked at.
    #[inline]
    pub(super) fn samples(&self, row: usize) -> bool {
        self.is_wanted && row.is_multiple_of(self.stride)
    }

    /// The rows that are looked at.
    pub(super) fn rows<'m>(&self, mask: &'m Mask) -> impl Iterator<Item = usize> + use<'m> {
        let end = if self.has_room() { mask.len() } else { 0 };
        (0..end).step_by(self.stride).filter(|&row| mask.has(row))
    }

    fn has_room(&self) -> bool {
        self.is_wanted && self.noted.len() < NOTED_MAX
    }

    /// Notes a span if it is the first of its group and point, and the table wants one there.
    #[inline]
    pub(super) fn look_at(
        &mut self,
        table: &Table,
        row: usize,
        (group, point): (u32, u32),
        value: Option<Number>,
    ) {
        let cell = group as usize * self.points + point as usize;
        if self.asked.get(cell) != Some(&true) {
            self.ask(table, cell, row, (group, point as usize), value);
        }
    }

    #[cold]
    fn ask(
        &mut self,
        table: &Table,
        cell: usize,
        row: usize,
        (group, point): (u32, usize),
        value: Option<Number>,
    ) {
        if cell >= CELLS_MAX {
            return;
        }
        if self.asked.len() <= cell {
            self.asked.resize(cell + 1, false);
        }
        self.asked[cell] = true;
        if self.has_room() && table.wants_exemplar(group, point) {
            let page = self.page;
            self.noted.push(Noted {
                page,
                row,
                group,
                point,
                value,
            });
        }
    }

    /// Reads what is shown of the noted spans and hands them over.
    pub(super) fn deliver(
        self,
        scan: &BlockScan,
        group: usize,
        traces: &GroupTraces,
        meter: &mut Meter,
    ) -> Result<(), QueryError> {
        if self.noted.is_empty() {
            return Ok(());
        }
        let damaged = |error: ReadError| scan.columns.damaged(error);
        let mut pages: Vec<usize> = self.noted.iter().map(|noted| noted.page).collect();
        pages.dedup();
        let columns = [
            SpanColumn::SpanId,
            SpanColumn::Start,
            SpanColumn::Duration,
            SpanColumn::Resource,
        ];
        let (mut spans, bytes) = scan.columns.read(group, &columns, Some(&pages))?;
        scan.work().count_bytes(bytes);
        for noted in self.noted {
            let Noted { page, row, .. } = noted;
            let first = spans.page_rows(page).start as usize;
            let span_id = SpanId(spans.span_id(page).map_err(damaged)?[row]);
            let time = UnixNanos(spans.start(page).map_err(damaged)?[row]);
            let value = match noted.value {
                Some(value) => value,
                None => Number::Duration(spans.duration(page).map_err(damaged)?[row]),
            };
            let trace = traces.traces.start + traces.of_row((first + row) as u32);
            let exemplar = Exemplar {
                trace_id: scan.table.trace_id(trace),
                span_id,
                time,
                value: value.seconds(),
            };
            meter
                .table(0)
                .add_exemplar(noted.group, noted.point, exemplar);
        }
        Ok(())
    }
}
