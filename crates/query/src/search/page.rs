//! What a search shows of the traces that it found.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use ::block::BlockId;
use evaluate::Matcher;
use model::{TraceId, TraceSummary};

use super::{Found, Search, matched};
use crate::best::Rank;
use crate::block_scan::BlockScan;
use crate::need::Needs;
use crate::scan::Whole;
use crate::work::{for_each_worker, on_all_processors};
use crate::{MatchedTrace, QueryError, SearchPage, TraceCursor};

impl Search<'_> {
    /// What has been found. `last` says that nothing more is looked at.
    pub(super) async fn page(&mut self, last: bool) -> Result<SearchPage, QueryError> {
        let horizon = self.best.horizon();
        let ids = self.best.ids();
        let mut whole = self.query.whole(&ids, &mut self.missing).await?;
        let order = self.request.order;
        let rank = |trace: &Whole| -> Rank {
            let summary = &trace.summary;
            let key = order.key(summary.start, summary.duration());
            (Reverse(key), summary.trace_id)
        };
        whole.retain(|trace| {
            let rank = rank(trace);
            self.request.covers(trace.summary.start, trace.summary.end)
                && self.best.is_after_cursor(rank)
                && horizon.is_none_or(|horizon| rank <= horizon)
        });
        whole.sort_unstable_by_key(rank);
        // What does not match as a whole is left out below; the next page begins behind it all the same.
        let is_cut = whole.len() > self.request.limit;
        whole.truncate(self.request.limit);
        let end = whole.last().map(rank);
        let end = end.filter(|_| is_cut).or(horizon);
        let mut traces = self.shown(whole).await?;
        // A trace that was put together has its spans once; its summary adds up what its places have.
        let known = &self.known;
        let has_fewer = |summary: &&mut TraceSummary| {
            let known = known.get(&summary.trace_id);
            known.is_some_and(|known| known.spans < summary.span_count)
        };
        let summaries = traces.iter_mut().map(|trace| &mut trace.summary);
        let doubtful = summaries.filter(has_fewer);
        self.query.count_once(doubtful, &mut self.missing).await?;
        // Only now all that could not be read is known.
        self.missing.sort_unstable();
        self.missing.dedup();
        Ok(SearchPage {
            traces,
            next: end
                .filter(|_| last)
                .map(|(Reverse(key), trace_id)| TraceCursor { key, trace_id }),
            missing: self.missing.clone(),
            stats: self.work.cost(self.stats),
        })
    }

    /// The traces with their spansets, in this order.
    async fn shown(&mut self, whole: Vec<Whole>) -> Result<Vec<MatchedTrace>, QueryError> {
        let mut at_blocks: HashMap<BlockId, Vec<(TraceId, u32)>> = HashMap::new();
        let mut elsewhere = Vec::new();
        for trace in &whole {
            let TraceSummary {
                trace_id: id,
                span_count,
                ..
            } = trace.summary;
            match self.known.get(&id) {
                Some(known) if known.spans == span_count => match known.found {
                    Found::Spansets(_) => {}
                    Found::At(block, at) => at_blocks.entry(block).or_default().push((id, at)),
                },
                _ => elsewhere.push(id),
            }
        }
        for (block, traces) in at_blocks {
            if let Err(error) = self.show_block(block, &traces).await {
                match error {
                    QueryError::Store(error) => self.missing.push(error.to_string()),
                    other => return Err(other),
                }
            }
        }
        for id in &elsewhere {
            self.known.remove(id);
        }
        let found = self.whole_matches(elsewhere).await?;
        self.known.extend(found);
        let shown = whole.into_iter().filter_map(|trace| {
            match &self.known.get(&trace.summary.trace_id)?.found {
                Found::Spansets(spansets) => Some(MatchedTrace {
                    summary: trace.summary,
                    spansets: spansets.clone(),
                }),
                _ => None,
            }
        });
        Ok(shown.collect())
    }

    async fn show_block(
        &mut self,
        block: BlockId,
        traces: &[(TraceId, u32)],
    ) -> Result<(), QueryError> {
        let blocks = self.query.store.blocks();
        let Some(meta) = blocks.iter().find(|meta| meta.id == block).cloned() else {
            // Compacted in the meantime: the whole traces are found where they are now.
            let ids = traces.iter().map(|(id, _)| *id).collect();
            let found = self.whole_matches(ids).await?;
            self.known.extend(found);
            return Ok(());
        };
        let (table, columns) = futures::try_join!(
            self.query.store.trace_table(&meta),
            self.query.store.open_columns(&meta),
        )?;
        let columns = Arc::new(columns);
        let scan = BlockScan::new(meta, table, columns, &Needs::nothing(), self.work.clone());
        let at: Vec<u32> = traces.iter().map(|(_, at)| *at).collect();
        let (groups, shared, request) = (
            scan.by_group(&at),
            self.shared.clone(),
            self.request.clone(),
        );
        let begin = || (Matcher::new(&self.shared.pipeline), Vec::new());
        let sums = for_each_worker(groups.len(), begin);
        let found = on_all_processors(sums, groups.len(), move |(matcher, found), at| {
            let (group, traces) = &groups[at];
            scan.evaluate_group(*group, traces, &shared.keys, |at, tree| {
                let id = scan.table.trace_id(at as usize);
                let spansets = matched(matcher, tree, &shared, &request);
                found.extend(spansets.map(|spansets| (id, spansets)));
                Ok(true)
            })?;
            Ok(())
        });
        for (id, spansets) in found.await?.into_iter().flat_map(|(_, found)| found) {
            if let Some(known) = self.known.get_mut(&id) {
                known.found = Found::Spansets(spansets);
            }
        }
        Ok(())
    }
}
