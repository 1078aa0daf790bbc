//! Pieces of traces that match only together, if at all.
//!
//! What each block says of its pieces is added up, so that only traces which may have enough are put together: to decode them is
//! dear. A span that was sent twice counts twice, which lets a trace through that is ruled out once it is whole.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ::block::{BlockId, BlockMeta};
use model::TraceId;
use tokio::runtime::Handle;

use super::Search;
use crate::block_scan::{BlockScan, Piece};
use crate::work::on_blocking_thread;
use crate::{QueryError, TraceOrder};

/// Traces that are remembered at the most, of some hundred bytes. Of more, each is put together when it is met.
const TRACES_MAX: usize = 500_000;

/// Traces of which some pieces have been met that have not enough.
#[derive(Default)]
pub(super) struct Pieces(HashMap<TraceId, Sum>);

struct Sum {
    /// The earliest start.
    start: i64,
    /// How many spans may pass each filter.
    counts: Box<[u32]>,
}

impl Pieces {
    /// Adds a piece and gives what its trace has with it.
    fn add(&mut self, id: TraceId, start: i64, piece: &Piece) -> &Sum {
        let sum = self.0.entry(id).or_insert_with(|| Sum {
            start,
            counts: vec![0; piece.counts.len()].into(),
        });
        sum.start = sum.start.min(start);
        for (sum, count) in sum.counts.iter_mut().zip(&piece.counts) {
            *sum = sum.saturating_add(*count);
        }
        sum
    }
}

impl Search<'_> {
    /// Those of these pieces of a block, by position, with which their traces may have enough.
    pub(super) fn add_pieces(&mut self, scan: &BlockScan, pieces: Vec<Piece>) -> Vec<u32> {
        let mut enough = Vec::new();
        for piece in pieces {
            let at = piece.at;
            let id = scan.table.trace_id(at as usize);
            if self.judged_whole.contains(&id) {
                continue;
            }
            let start = scan.table.start(at as usize).0;
            let sum = self.pieces.add(id, start, &piece);
            let may_match = (self.shared.needs.need).is_met(&|filter| sum.counts[filter]);
            if may_match || self.pieces.0.len() > TRACES_MAX {
                self.pieces.0.remove(&id);
                enough.push(at);
            }
        }
        enough
    }

    /// Those of these traces which may have enough with what blocks have of them. What is live of each has not, as its counts tell.
    /// The others are done with.
    pub(super) async fn with_blocks(
        &mut self,
        live: Vec<(TraceId, Box<[u32]>)>,
    ) -> Result<Vec<TraceId>, QueryError> {
        let all: Vec<TraceId> = live.iter().map(|(id, _)| *id).collect();
        if all.is_empty() || !self.shared.needs.is_of_spans_alone() {
            return Ok(all);
        }
        let (shared, work, query) = (self.shared.clone(), self.work.clone(), self.query.clone());
        let runtime = Handle::current();
        let counted = on_blocking_thread(move || {
            let mut counts: HashMap<TraceId, Box<[u32]>> = live.into_iter().collect();
            let blocks = query.store.blocks();
            let covered = &shared.covered;
            for block in blocks.iter().filter(|block| !covered.contains(&block.id)) {
                let ids = counts.keys().copied();
                let located = query.locate(block, ids, &shared.needs, &work);
                let Some((scan, found)) = runtime.block_on(located)? else {
                    continue;
                };
                scan.count_each(&found, |at, count| {
                    let sum = counts.get_mut(&scan.table.trace_id(at as usize));
                    let sum = sum.into_iter().flat_map(|sum| sum.iter_mut().enumerate());
                    sum.for_each(|(filter, sum)| *sum = sum.saturating_add(count(filter)));
                })?;
            }
            Ok(counts)
        });
        let counts = match counted.await {
            Ok(counts) => counts,
            // What cannot be read may have anything, and is named when it is to be read for good.
            Err(QueryError::Store(_)) => return Ok(all),
            Err(error) => return Err(error),
        };
        let need = &self.shared.needs.need;
        let may_match = |id: &TraceId| need.is_met(&|filter| counts[id][filter]);
        let (enough, ruled_out): (Vec<_>, Vec<_>) = all.into_iter().partition(may_match);
        self.judged_whole.extend(ruled_out);
        Ok(enough)
    }

    /// Offers the traces of which something may lie where it was not added: in blocks that were not looked through, in blocks
    /// that take what they have for the whole, or in memory.
    pub(super) async fn offer_pieces(
        &mut self,
        all: &[Arc<BlockMeta>],
        looked_through: &HashSet<BlockId>,
    ) -> Result<(), QueryError> {
        let mut open = Vec::new();
        for (id, sum) in std::mem::take(&mut self.pieces.0) {
            // The whole starts no later than its pieces.
            let is_too_late =
                self.request.order == TraceOrder::Newest && self.best.is_beyond(sum.start);
            if !is_too_late && self.is_unadded(id, all, looked_through).await {
                open.push(id);
            }
        }
        self.offer_whole(open).await
    }

    async fn is_unadded(
        &self,
        id: TraceId,
        all: &[Arc<BlockMeta>],
        looked_through: &HashSet<BlockId>,
    ) -> bool {
        if self.shared.live.contains(id) {
            return true;
        }
        let store = &self.query.store;
        for block in all {
            // What cannot be read may hold anything.
            if self.shared.covered.contains(&block.id)
                || !store.may_contain(block, id).await.unwrap_or(true)
            {
                continue;
            }
            if !looked_through.contains(&block.id) {
                return true;
            }
            let Ok(table) = store.trace_table(block).await else {
                return true;
            };
            if table.find(id).is_some_and(|at| !table.is_partial(at)) {
                return true;
            }
        }
        false
    }
}
