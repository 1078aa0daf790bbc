//! Series straight from columns: for queries whose spans are chosen by conditions that columns decide, and whose keys and
//! values are columns too. Most are. The others are measured on whole traces.

mod compare;
mod exemplars;
mod keys;
mod page;
mod points;
mod values;

use std::collections::HashMap;

use block::{ReadError, SpanColumn, SpanGroup};
use evaluate::Meter;
use traceql::query::{MetricsFunction, MetricsQuery};

use crate::QueryError;
use crate::block_scan::BlockScan;
use crate::columns::{Filter, GroupTraces, Judge, Mask};
use crate::need::Needs;
use compare::{Compare, Rows};
use exemplars::Exemplars;
use keys::Keys;
use points::Points;
use values::Values;

/// Service and name of the root of traces, where there is one, by position in the trace table.
pub(crate) type RootsHere = HashMap<usize, Option<(String, String)>>;

/// The queries of a meter, compiled for one block.
pub(crate) struct Measure {
    queries: Vec<Measured>,
    columns: Vec<SpanColumn>,
    is_weighted: bool,
    wants_exemplars: bool,
}

/// One query for spans.
struct Measured {
    filter: Filter,
    keys: Keys,
    values: Values,
    is_count: bool,
    /// Instead of keys and values.
    compare: Option<Compare>,
}

impl Measure {
    /// `None` when the columns of the block do not suffice.
    pub(crate) fn compile(meter: &Meter, scan: &BlockScan) -> Option<Self> {
        let mut measure = Self {
            queries: Vec::new(),
            columns: vec![SpanColumn::Resource],
            is_weighted: meter.is_weighted(),
            wants_exemplars: Exemplars::are_wanted(meter),
        };
        for query in meter.queries() {
            let measured = Measured::compile(query, scan)?;
            measure.columns.extend(measured.filter.columns());
            measure.columns.extend(measured.keys.columns());
            measure.columns.extend(measured.values.columns());
            let compared = measured.compare.as_ref();
            measure
                .columns
                .extend(compared.map_or(&[][..], Compare::columns));
            measure.queries.push(measured);
        }
        if measure.is_weighted {
            measure.columns.push(SpanColumn::TraceState);
        }
        measure.columns.sort_unstable();
        measure.columns.dedup();
        Some(measure)
    }

    /// Adds the spans of a row group to a meter, but for those of the traces at these positions of the trace table, ascending.
    /// `roots` are those of traces of which the block has a piece only.
    ///
    /// # Errors
    /// [`QueryError`]
    pub(crate) fn group(
        &self,
        scan: &BlockScan,
        group: usize,
        except: &[u32],
        roots: &RootsHere,
        meter: &mut Meter,
    ) -> Result<(), QueryError> {
        let file = scan.columns.file();
        let traces = GroupTraces::of(&scan.table, file.rows(group));
        let points = Points::of(meter, scan, group, &traces);
        let mut columns = self.columns.clone();
        columns.extend(points.column().filter(|column| !columns.contains(column)));
        let (mut spans, bytes) = scan.columns.read(group, &columns, None)?;
        scan.work().count_bytes(bytes);
        let first = file.rows(group).start;
        let mut judges: Vec<Judge<'_>> = self
            .queries
            .iter()
            .map(|query| Judge::new(&query.filter))
            .collect();
        let mut states: Vec<_> = self
            .queries
            .iter()
            .map(|query| query.keys.begin())
            .collect();
        let mut compared: Vec<_> = self
            .queries
            .iter()
            .map(|query| {
                let compare = query.compare.as_ref()?;
                let rows = Rows::new(meter.steps().count(), &spans);
                Some((compare, Judge::new(&compare.selection), rows))
            })
            .collect();
        let mut wanted = Exemplars::new(self.wants_exemplars, meter.steps().count());
        let mut buffers = page::Buffers::default();
        for page in 0..spans.page_count() {
            scan.work().check()?;
            let rows = spans.page_rows(page);
            scan.work().count_spans(rows.len());
            let damaged = |error| QueryError::from(scan.columns.damaged(error));
            let mut within = buffers
                .load(&mut spans, page, &points, self.is_weighted)
                .map_err(damaged)?;
            leave_out(&mut within, scan, except, first, rows.start);
            if within.is_empty() {
                continue;
            }
            for (at, query) in self.queries.iter().enumerate() {
                let verdict = judges[at].page(&mut spans, &traces, page, &within);
                let mut mask = verdict.map_err(damaged)?.maybe;
                mask.and(&within);
                if mask.is_empty() {
                    continue;
                }
                if let Some((compare, selection, rows)) = &mut compared[at] {
                    buffers
                        .compare(compare, selection, &mut spans, &traces, page, &mask, rows)
                        .map_err(damaged)?;
                    continue;
                }
                let table = meter.table(at);
                let state = &mut states[at];
                buffers
                    .add(query, state, &mut spans, page, &mask, table, &mut wanted)
                    .map_err(|failure| failure.told(scan))?;
            }
        }
        for (at, compared) in compared.into_iter().enumerate() {
            if let Some((_, _, rows)) = compared {
                Compare::count(&rows, (scan, group, roots), &mut spans, meter.table(at))?;
            }
        }
        wanted.deliver(scan, group, &traces, meter)
    }
}

/// Takes the rows of these traces out of the rows of a page.
fn leave_out(within: &mut Mask, scan: &BlockScan, except: &[u32], first: u64, page_first: u32) {
    for &trace in except {
        let rows = GroupTraces::rows(&scan.table, trace as usize, first);
        for row in rows {
            if let Some(row) = row.checked_sub(page_first) {
                within.clear_if_there(row as usize);
            }
        }
    }
}

impl Measured {
    fn compile(query: &MetricsQuery, scan: &BlockScan) -> Option<Self> {
        let needs = Needs::of(&query.input);
        if !needs.is_sufficient {
            return None;
        }
        let nothing = traceql::query::Condition::Const(true);
        let condition = needs.filters.first().unwrap_or(&nothing);
        let filter = Filter::compile(condition, &scan.target());
        if !filter.is_exact() {
            return None;
        }
        let field = match &query.function {
            MetricsFunction::Rate | MetricsFunction::CountOverTime => None,
            MetricsFunction::MinOverTime(field)
            | MetricsFunction::MaxOverTime(field)
            | MetricsFunction::AvgOverTime(field)
            | MetricsFunction::SumOverTime(field)
            | MetricsFunction::HistogramOverTime(field) => Some(field),
            MetricsFunction::QuantileOverTime { of, .. } => Some(of),
            MetricsFunction::Compare { .. } => None,
        };
        let compare = match &query.function {
            MetricsFunction::Compare {
                selection, window, ..
            } => Some(Compare::compile(selection, *window, scan)?),
            _ => None,
        };
        Some(Self {
            filter,
            keys: Keys::compile(&query.by, scan)?,
            values: Values::compile(field, scan)?,
            is_count: field.is_none() && compare.is_none(),
            compare,
        })
    }
}

/// What a page gives: a value or a failure to read it.
type Read<T> = Result<T, ReadError>;

/// A row group that is being read.
type Group = SpanGroup;
