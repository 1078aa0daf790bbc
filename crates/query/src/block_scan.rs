//! One block looked through for traces that match.
//!
//! Three sieves, each finer and dearer than the one before: the summaries of the traces, their columns, and the traces
//! themselves. In a list the best traces by its order are sifted first, and the others only if those did not suffice.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use block::{BlockMeta, SpanColumn, SpanGroup, TraceTable};
use evaluate::{Tree, TreeBuilder};
use model::{Gathered, Remap, TraceId};
use store::BlockColumns;
use traceql::query::Condition;

use crate::QueryError;
use crate::columns::{Filter, GroupTraces, Judge, Keys, Mask, Target};
use crate::need::{Need, Needs};
use crate::prune::{Summary, is_told};
use crate::work::Work;

/// Tells whether a trace may have spans in other places too.
pub(crate) type IsElsewhere<'a> = &'a dyn Fn(TraceId) -> bool;

/// A block, opened for one question.
pub(crate) struct BlockScan {
    pub(crate) meta: Arc<BlockMeta>,
    pub(crate) table: Arc<TraceTable>,
    pub(crate) columns: Arc<BlockColumns>,
    need: Need,
    summaries: Vec<Summary>,
    /// Whether no trace is ruled out by its summary.
    is_any_possible: bool,
    /// Whether summaries tell all that columns could.
    is_told: bool,
    filters: Vec<Filter>,
    /// The columns that the filters look at.
    judged: Vec<SpanColumn>,
    work: Work,
}

impl BlockScan {
    pub(crate) fn new(
        meta: Arc<BlockMeta>,
        table: Arc<TraceTable>,
        columns: Arc<BlockColumns>,
        needs: &Needs,
        work: Work,
    ) -> Self {
        let mut scan = Self {
            meta,
            table,
            columns,
            need: needs.need.clone(),
            summaries: Vec::new(),
            is_any_possible: false,
            is_told: false,
            filters: Vec::new(),
            judged: vec![SpanColumn::Resource],
            work,
        };
        for condition in &needs.filters {
            scan.add(condition);
        }
        scan.judged.sort_unstable();
        scan.judged.dedup();
        let says_nothing = |summary: &Summary| matches!(summary, Summary::Const(true));
        scan.is_told = scan.need.is_modest() && needs.filters.iter().all(is_told);
        scan.is_any_possible = scan.need.is_modest() && scan.summaries.iter().all(says_nothing);
        scan
    }

    fn add(&mut self, condition: &Condition) {
        self.summaries
            .push(Summary::compile(condition, &self.table));
        let filter = Filter::compile(condition, &self.target());
        self.judged.extend(filter.columns());
        self.filters.push(filter);
    }

    pub(crate) fn target(&self) -> Target<'_> {
        Target {
            meta: &self.meta,
            file: self.columns.file(),
            resources: self.columns.resources(),
            traces: &self.table,
        }
    }

    pub(crate) fn work(&self) -> &Work {
        &self.work
    }

    /// Notes a line about this block for the explanation, if one is wanted.
    pub(crate) fn note(&self, line: impl FnOnce() -> String) {
        self.work
            .note(|| format!("block {}: {}", self.meta.id, line()));
    }

    /// How it is looked through, in words.
    pub(crate) fn plan(&self) -> String {
        let columns: Vec<String> = self
            .judged
            .iter()
            .map(|column| self.name(*column))
            .collect();
        if self.need == Need::Nothing {
            "nothing to ask of columns".to_owned()
        } else if self.is_told {
            "decided by summaries".to_owned()
        } else if self.is_exact() {
            format!("decided by {}", columns.join(", "))
        } else {
            format!("narrowed down by {}", columns.join(", "))
        }
    }

    fn name(&self, column: SpanColumn) -> String {
        match column {
            SpanColumn::Attribute(at) => {
                let columns = self.columns.file().columns();
                columns
                    .get(usize::from(at))
                    .map_or_else(String::new, |column| column.column.clone())
            }
            other => format!("{other:?}"),
        }
    }

    /// Whether there is anything to ask columns.
    pub(crate) fn is_judged(&self) -> bool {
        self.need != Need::Nothing
    }

    /// Whether its columns are judged so quickly that nothing is gained by judging the best traces first: they touch most of the
    /// few pages anyway.
    pub(crate) fn is_quickly_judged(&self) -> bool {
        /// Pages of some two million spans.
        const PAGES_FEW: usize = 256;
        let is_large =
            |column: &SpanColumn| matches!(column, SpanColumn::Tail | SpanColumn::Events);
        let pages = self.columns.file().page_count();
        self.is_judged()
            && !self.judged.iter().any(is_large)
            && pages.is_ok_and(|pages| pages <= PAGES_FEW)
    }

    /// Whether columns decide everything that is needed.
    pub(crate) fn is_exact(&self) -> bool {
        self.filters.iter().all(Filter::is_exact)
    }

    /// Whether no trace of the block can have what is needed, and none is a piece that might help.
    pub(crate) fn is_hopeless(&self) -> bool {
        let possible = |at: usize| u32::from(!self.filters[at].is_never()) * u32::MAX;
        !self.need.is_met(&possible)
            && (self.meta.partial_traces == 0 || !self.need.may_help(&possible))
    }

    /// Whether the summary of a trace lets it through.
    #[inline]
    pub(crate) fn may_match(&self, at: usize) -> bool {
        self.is_any_possible || self.summary_matches(at)
    }

    fn summary_matches(&self, at: usize) -> bool {
        let spans = self.table.rows(at).len as u32;
        let count = |filter: usize| {
            let may_hold = self.summaries[filter].may_hold(&self.table, at);
            u32::from(may_hold) * spans
        };
        self.is_enough(at, &count)
    }

    fn is_enough(&self, at: usize, count: &impl Fn(usize) -> u32) -> bool {
        self.need.is_met(count) || (self.table.is_partial(at) && self.need.may_help(count))
    }

    /// Those of these traces, given by position in any order, that columns let through; in no order.
    ///
    /// # Errors
    /// [`QueryError`]
    pub(crate) fn judge(
        &self,
        traces: &[u32],
        is_elsewhere: IsElsewhere<'_>,
    ) -> Result<Vec<u32>, QueryError> {
        if self.need == Need::Nothing {
            return Ok(traces.to_vec());
        }
        let mut passed = Vec::new();
        for (group, traces) in self.by_group(traces) {
            passed.extend(self.judge_group(group, &traces, is_elsewhere)?);
        }
        Ok(passed)
    }

    /// The traces by row group, ascending in each.
    pub(crate) fn by_group(&self, traces: &[u32]) -> Vec<(usize, Vec<u32>)> {
        let mut traces = traces.to_vec();
        traces.sort_unstable();
        let file = self.columns.file();
        let mut groups = Vec::new();
        let mut rest = traces.as_slice();
        for group in 0..file.group_count() {
            let end = self.table.within(file.rows(group)).end as u32;
            let (here, behind) = rest.split_at(rest.partition_point(|&trace| trace < end));
            if !here.is_empty() {
                groups.push((group, here.to_vec()));
            }
            rest = behind;
        }
        groups
    }

    fn rows_in(&self, trace: u32, group: usize) -> Range<u32> {
        let first = self.columns.file().rows(group).start;
        GroupTraces::rows(&self.table, trace as usize, first)
    }

    /// The pages that hold these traces, ascending; `None` for most or all of them.
    fn pages_of(&self, group: usize, traces: &[u32]) -> Result<Option<Vec<usize>>, QueryError> {
        let file = self.columns.file();
        let damaged = |error| self.columns.damaged(error);
        let page_count = file.first_rows_of_pages(group).map_err(damaged)?.len() - 1;
        // So many traces touch all pages anyway.
        if traces.len() > page_count * 8 {
            return Ok(None);
        }
        let rows = traces.iter().map(|&trace| self.rows_in(trace, group));
        let pages = file.pages_with(group, rows).map_err(damaged)?;
        Ok((pages.len() < page_count).then_some(pages))
    }

    /// Those of these traces of a row group, ascending, that columns let through. Whether a piece is let through that only the rest
    /// of its trace could make match, `is_elsewhere` tells: whether there may be such a rest.
    ///
    /// # Errors
    /// [`QueryError`]
    pub(crate) fn judge_group(
        &self,
        group: usize,
        traces: &[u32],
        is_elsewhere: IsElsewhere<'_>,
    ) -> Result<Vec<u32>, QueryError> {
        if self.need == Need::Nothing || traces.is_empty() {
            return Ok(traces.to_vec());
        }
        self.work.check()?;
        if self.is_told {
            let told = |filter: usize, at| self.summaries[filter].may_hold(&self.table, at);
            let passed = traces.iter().copied().filter(|&trace| {
                let count = |filter: usize| u32::from(told(filter, trace as usize));
                self.is_let_through(trace, &count, is_elsewhere)
            });
            return Ok(passed.collect());
        }
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
        let first = here.traces.start;
        let passed = traces.iter().copied().filter(|&trace| {
            let count = |filter: usize| counts[filter][trace as usize - first];
            self.is_let_through(trace, &count, is_elsewhere)
        });
        Ok(passed.collect())
    }

    fn is_let_through(
        &self,
        trace: u32,
        count: &impl Fn(usize) -> u32,
        is_elsewhere: IsElsewhere<'_>,
    ) -> bool {
        let at = trace as usize;
        self.need.is_met(count)
            || (self.is_enough(at, count) && is_elsewhere(self.table.trace_id(at)))
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

    /// The traces of a row group, by position.
    pub(crate) fn traces_of(&self, group: usize) -> Range<usize> {
        self.table.within(self.columns.file().rows(group))
    }

    /// Decodes what `keys` say of these traces, and calls `each` with the position of every trace and the trace; by row group,
    /// in the order of the rows. `each` may end it by giving `false`.
    ///
    /// # Errors
    /// [`QueryError`], also those of `each`.
    pub(crate) fn evaluate(
        &self,
        traces: &[u32],
        keys: &Keys,
        mut each: impl FnMut(u32, &Tree<'_>) -> Result<bool, QueryError>,
    ) -> Result<(), QueryError> {
        for (group, traces) in self.by_group(traces) {
            if !self.evaluate_group(group, &traces, keys, &mut each)? {
                break;
            }
        }
        Ok(())
    }

    /// As [`Self::evaluate`], for traces of one row group, ascending. Gives what `each` gave last.
    ///
    /// # Errors
    /// As [`Self::evaluate`].
    pub(crate) fn evaluate_group(
        &self,
        group: usize,
        traces: &[u32],
        keys: &Keys,
        mut each: impl FnMut(u32, &Tree<'_>) -> Result<bool, QueryError>,
    ) -> Result<bool, QueryError> {
        if traces.is_empty() {
            return Ok(true);
        }
        let columns = keys.columns(&self.meta, self.columns.file());
        let mut reader = self.open_group(group, traces, &columns)?;
        let mut builder = TreeBuilder::default();
        let mut gathered = Gathered::new();
        let mut rows = Vec::new();
        for &trace in traces {
            if gathered.batch.len() > BATCH_SPANS {
                self.work.check()?;
                gathered.clear();
                reader.change_target();
            }
            rows.clear();
            self.append(&mut reader, trace, &mut gathered, &mut rows)?;
            self.work.count_traces(1);
            let tree = builder.build(&gathered.batch, &rows);
            let goes_on = each(trace, &tree)?;
            builder.recycle(tree);
            if !goes_on {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Appends what `keys` say of these traces to a batch, and the rows there of each to what `rows` has for its id.
    ///
    /// # Errors
    /// [`QueryError`]
    pub(crate) fn gather(
        &self,
        traces: &[u32],
        keys: &Keys,
        into: &mut Gathered,
        rows: &mut HashMap<TraceId, Vec<u32>>,
    ) -> Result<(), QueryError> {
        let columns = keys.columns(&self.meta, self.columns.file());
        for (group, traces) in self.by_group(traces) {
            let mut reader = self.open_group(group, &traces, &columns)?;
            for trace in traces {
                let id = self.table.trace_id(trace as usize);
                self.append(&mut reader, trace, into, rows.entry(id).or_default())?;
            }
        }
        Ok(())
    }

    fn open_group(
        &self,
        group: usize,
        traces: &[u32],
        columns: &[SpanColumn],
    ) -> Result<GroupRows, QueryError> {
        self.work.check()?;
        let pages = self.pages_of(group, traces)?;
        let (spans, bytes) = self.columns.read(group, columns, pages.as_deref())?;
        self.work.count_bytes(bytes);
        let mut remap = Remap::default();
        remap.reset(self.columns.resources());
        Ok(GroupRows {
            group,
            spans,
            remap,
        })
    }

    fn append(
        &self,
        reader: &mut GroupRows,
        trace: u32,
        into: &mut Gathered,
        rows: &mut Vec<u32>,
    ) -> Result<(), QueryError> {
        let first = into.batch.len() as u32;
        let id = self.table.trace_id(trace as usize);
        let of_trace = self.rows_in(trace, reader.group);
        let appended = reader.spans.append(id, of_trace, into, &mut reader.remap);
        appended.map_err(|error| self.columns.damaged(error))?;
        rows.extend(first..into.batch.len() as u32);
        self.work.count_spans(into.batch.len() - first as usize);
        Ok(())
    }
}

/// A row group whose rows are appended to batches.
struct GroupRows {
    group: usize,
    spans: SpanGroup,
    remap: Remap,
}

impl GroupRows {
    /// Must be called when the batch was cleared.
    fn change_target(&mut self) {
        let resources = self.spans.resources().clone();
        self.spans.change_target();
        self.remap.reset(&resources);
    }
}

/// Spans decoded before their memory is used again.
const BATCH_SPANS: usize = 16 << 10;
