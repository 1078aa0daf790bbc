//! The best few of many, by the order of a list.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use model::TraceId;

use crate::TraceCursor;

/// Where a trace stands in a list, by its key and id: greater is later.
pub(crate) type Rank = (Reverse<i64>, TraceId);

/// The best so far.
#[derive(Debug, Clone)]
pub(crate) struct Best {
    wanted: usize,
    after: Option<Rank>,
    pieces: BinaryHeap<Rank>,
}

impl Best {
    /// At most `wanted`, all after the cursor.
    pub(crate) fn new(cursor: Option<TraceCursor>, wanted: usize) -> Self {
        Self {
            wanted,
            after: cursor.map(|cursor| (Reverse(cursor.key), cursor.trace_id)),
            pieces: BinaryHeap::with_capacity(wanted + 1),
        }
    }

    pub(crate) fn is_after_cursor(&self, rank: Rank) -> bool {
        self.after.is_none_or(|after| rank > after)
    }

    #[inline]
    pub(crate) fn wants(&self, key: i64, id: TraceId) -> bool {
        let rank = (Reverse(key), id);
        let is_better = !self.is_full() || self.pieces.peek().is_some_and(|worst| rank < *worst);
        is_better && self.is_after_cursor(rank)
    }

    pub(crate) fn offer(&mut self, key: i64, id: TraceId) {
        if self.wants(key, id) {
            self.pieces.push((Reverse(key), id));
            if self.pieces.len() > self.wanted {
                self.pieces.pop();
            }
        }
    }

    /// Whether nothing with this key or a worse one is wanted.
    pub(crate) fn is_beyond(&self, key: i64) -> bool {
        self.is_full()
            && self
                .pieces
                .peek()
                .is_some_and(|(Reverse(worst), _)| key < *worst)
    }

    /// Whether only better ones are wanted.
    pub(crate) fn is_full(&self) -> bool {
        self.pieces.len() >= self.wanted
    }

    /// How many more are wanted, whatever they are.
    pub(crate) fn missing(&self) -> usize {
        self.wanted - self.pieces.len().min(self.wanted)
    }

    /// Where the list was cut; `None` when all that there is was gathered.
    pub(crate) fn horizon(&self) -> Option<Rank> {
        if self.is_full() {
            self.pieces.peek().copied()
        } else {
            None
        }
    }

    /// Their ids, ascending, each once.
    pub(crate) fn ids(&self) -> Vec<TraceId> {
        let mut ids: Vec<TraceId> = self.pieces.iter().map(|&(_, id)| id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}
