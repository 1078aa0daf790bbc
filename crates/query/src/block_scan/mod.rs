//! One block looked through for traces that match.
//!
//! Three sieves, each finer and dearer than the one before: the summaries of the traces, their columns, and the traces
//! themselves. In a list the best traces by its order are sifted first, and the others only if those did not suffice.

mod decode;
mod judge;

use std::ops::Range;
use std::sync::Arc;

use block::{BlockMeta, SpanColumn, TraceTable};
use store::BlockColumns;
use traceql::query::Condition;

use crate::QueryError;
use crate::columns::{Filter, GroupTraces, Target};
use crate::need::{Need, Needs};
use crate::prune::{Summary, is_told};
use crate::work::Work;

pub(crate) use judge::{Judged, Piece};

/// A block, opened for one question.
pub(crate) struct BlockScan {
    pub(crate) meta: Arc<BlockMeta>,
    pub(crate) table: Arc<TraceTable>,
    pub(crate) columns: Arc<BlockColumns>,
    need: Need,
    summaries: Vec<Summary>,
    /// Where summaries say nothing but how many spans traces have: how many are needed.
    least_spans: Option<u32>,
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
            least_spans: None,
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
        let is_silent = scan.summaries.iter().all(says_nothing);
        scan.least_spans = is_silent.then(|| scan.need.least_spans());
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
        match self.least_spans {
            Some(least) => self.table.rows(at).len >= u64::from(least) || self.table.is_partial(at),
            None => self.summary_matches(at),
        }
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

    /// The traces of a row group, by position.
    pub(crate) fn traces_of(&self, group: usize) -> Range<usize> {
        self.table.within(self.columns.file().rows(group))
    }
}
