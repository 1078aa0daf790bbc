//! Pieces of traces that match only together, if at all.
//!
//! What each block says of its pieces is added up, so that only traces which may have enough are put together: to decode them is
//! dear. A span that was sent twice counts twice, which lets a trace through that is ruled out once it is whole.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ::block::{BlockId, BlockMeta};
use model::TraceId;

use super::Search;
use crate::block_scan::{BlockScan, Piece};
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
