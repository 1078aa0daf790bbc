//! A decoded request on its way to the shards: who gets which rows.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use journal::Position;
use model::{SpanBatch, TraceId};

use crate::budget::Reservation;
use crate::pool::Pool;

/// The shard of a trace: the same in every process with as many shards.
#[inline]
pub(crate) fn shard_of(id: TraceId, shards: usize) -> usize {
    // The upper half: tables inside a shard use the lower bits.
    ((id.hash64() >> 32) % shards as u64) as usize
}

/// The rows of a batch, grouped by shard.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    rows: Vec<u32>,
    /// Where the rows of each shard end in `rows`.
    ends: Vec<u32>,
}

impl Routes {
    /// Groups those rows of `batch` that `wanted` wants. Two passes over the spans; rows of a shard keep their order.
    pub(crate) fn of(batch: &SpanBatch, shards: usize, wanted: impl Fn(usize) -> bool) -> Self {
        let mut ends = vec![0u32; shards];
        let places = || {
            batch
                .spans
                .iter()
                .enumerate()
                .filter(|(row, _)| wanted(*row))
                .map(|(row, span)| (row as u32, shard_of(span.trace_id, shards)))
        };
        for (_, shard) in places() {
            ends[shard] += 1;
        }
        let mut total = 0;
        for end in &mut ends {
            (*end, total) = (total, total + *end);
        }
        let mut rows = vec![0u32; total as usize];
        for (row, shard) in places() {
            rows[ends[shard] as usize] = row;
            ends[shard] += 1;
        }
        Self { rows, ends }
    }

    /// The rows of one shard, ascending.
    pub(crate) fn rows(&self, shard: usize) -> &[u32] {
        let start = if shard == 0 { 0 } else { self.ends[shard - 1] };
        &self.rows[start as usize..self.ends[shard] as usize]
    }

    /// All rows.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The shards that have rows.
    pub(crate) fn shards(&self) -> impl Iterator<Item = usize> {
        (0..self.ends.len()).filter(|&shard| !self.rows(shard).is_empty())
    }
}

/// A durable request, shared by the shards that have rows in it.
#[derive(Debug)]
pub(crate) struct Routed {
    pub(crate) batch: SpanBatch,
    pub(crate) routes: Routes,
    /// Where the journal has it.
    pub(crate) position: Position,
    /// Shards that have not inserted their rows yet.
    remaining: AtomicUsize,
    pool: Arc<Pool>,
    /// Given back when the last shard is done.
    _reservation: Option<Reservation>,
}

impl Routed {
    pub(crate) fn new(
        batch: SpanBatch,
        routes: Routes,
        position: Position,
        pool: Arc<Pool>,
        reservation: Option<Reservation>,
    ) -> Self {
        Self {
            remaining: AtomicUsize::new(routes.shards().count()),
            batch,
            routes,
            position,
            pool,
            _reservation: reservation,
        }
    }

    /// Notes that one more shard is done and says whether it was the last.
    pub(crate) fn shard_done(&self) -> bool {
        self.remaining.fetch_sub(1, Ordering::AcqRel) == 1
    }
}

impl Drop for Routed {
    fn drop(&mut self) {
        self.pool.keep_batch(std::mem::take(&mut self.batch));
    }
}

#[cfg(test)]
mod tests {
    use model::{DurationNanos, SpanId, SpanKind, SpanRow, StatusCode, Symbol, UnixNanos};
    use proptest::prelude::*;

    use super::*;

    fn batch_of(ids: &[u8]) -> SpanBatch {
        let mut batch = SpanBatch::default();
        batch.spans.extend(ids.iter().map(|&id| SpanRow {
            trace_id: TraceId([id; 16]),
            span_id: SpanId([1; 8]),
            parent_span_id: SpanId::ZERO,
            start: UnixNanos(0),
            duration: DurationNanos(0),
            name: Symbol::EMPTY,
            resource: 0,
            attributes: Default::default(),
            extra: model::NO_EXTRA,
            flags: 0,
            kind: SpanKind::Internal,
            status: StatusCode::Unset,
        }));
        batch
    }

    proptest! {
        #[test]
        fn every_wanted_row_goes_to_the_shard_of_its_trace_once(
            ids in proptest::collection::vec(any::<u8>(), 0..50),
            shards in 1usize..6,
        ) {
            let batch = batch_of(&ids);
            let wanted = |row: usize| !row.is_multiple_of(3);
            let routes = Routes::of(&batch, shards, wanted);
            let mut seen = Vec::new();
            for shard in 0..shards {
                let rows = routes.rows(shard);
                prop_assert!(rows.is_sorted());
                for &row in rows {
                    prop_assert_eq!(shard_of(batch.spans[row as usize].trace_id, shards), shard);
                    seen.push(row as usize);
                }
            }
            seen.sort_unstable();
            let expected: Vec<usize> = (0..ids.len()).filter(|&row| wanted(row)).collect();
            prop_assert_eq!(routes.len(), expected.len());
            prop_assert_eq!(seen, expected);
        }
    }
}
