//! A generation that no longer changes and waits for its block.

use std::sync::OnceLock;

use block::{BlockId, TraceRows};
use model::{SpanBatch, TraceId};

use super::generation::Generation;
use super::inventory::Inventory;
use super::live::{LiveTrace, State};
use crate::counters::SealReason;

/// What goes to one block. Shared by the shard, which answers from it, and by whoever writes the block.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) shard: usize,
    /// Counts the sealed generations of the shard.
    pub(crate) sequence: u64,
    /// The block that its spans go to.
    pub(crate) block: BlockId,
    pub(crate) reason: SealReason,
    generation: Generation,
    span_count: u64,
    first_segment: u64,
    byte_count: usize,
    inventory: OnceLock<Inventory>,
}

/// The traces of a sealed generation in the order of a block.
#[derive(Debug, Default)]
pub(crate) struct Order {
    /// Trace, where its rows end in `rows`, and whether it is a piece; ascending by id.
    traces: Vec<(TraceId, u32, bool)>,
    rows: Vec<u32>,
}

impl Sealed {
    pub(super) fn new(
        shard: usize,
        sequence: u64,
        block: BlockId,
        reason: SealReason,
        generation: Generation,
        carried_rows: u64,
    ) -> Self {
        let first_segment = to_write(&generation)
            .map(|trace| trace.first_segment)
            .min()
            .unwrap_or(u64::MAX);
        Self {
            shard,
            sequence,
            block,
            reason,
            span_count: generation.len() as u64 - carried_rows,
            first_segment,
            byte_count: generation.used_byte_count(),
            generation,
            inventory: OnceLock::new(),
        }
    }

    /// The spans, those of carried traces included.
    pub(crate) fn batch(&self) -> &SpanBatch {
        self.generation.batch()
    }

    pub(super) fn generation(&self) -> &Generation {
        &self.generation
    }

    pub(super) fn into_generation(self) -> Generation {
        self.generation
    }

    /// Spans to write.
    pub(crate) fn span_count(&self) -> u64 {
        self.span_count
    }

    /// The lowest journal segment that a span to write came from.
    pub(crate) fn first_segment(&self) -> u64 {
        self.first_segment
    }

    /// The highest journal segment that a span to write may have come from.
    pub(crate) fn last_segment(&self) -> u64 {
        self.generation.last_segment()
    }

    pub(crate) fn byte_count(&self) -> usize {
        self.byte_count
    }

    pub(super) fn inventory(&self) -> &Inventory {
        self.inventory.get_or_init(|| {
            let mut inventory = Inventory::default();
            for trace in to_write(&self.generation) {
                for row in self.generation.rows(trace) {
                    inventory.count(&self.generation, row);
                }
            }
            inventory
        })
    }

    /// Puts the traces to write in order. Costs a sort of the traces and a walk over the chains of rows.
    pub(crate) fn order(&self) -> Order {
        let mut traces: Vec<&LiveTrace> = to_write(&self.generation).collect();
        traces.sort_unstable_by_key(|trace| trace.trace_id);
        let mut order = Order {
            traces: Vec::with_capacity(traces.len()),
            rows: Vec::with_capacity(self.span_count as usize),
        };
        for trace in traces {
            let start = order.rows.len();
            order.rows.extend(self.generation.rows(trace));
            // In the order of arrival, so that of duplicates the first is kept.
            order.rows[start..].reverse();
            let is_piece = trace.state == State::Piece;
            order
                .traces
                .push((trace.trace_id, order.rows.len() as u32, is_piece));
        }
        order
    }
}

fn to_write(generation: &Generation) -> impl Iterator<Item = &LiveTrace> {
    generation
        .traces()
        .iter()
        .filter(|trace| trace.state != State::Carried)
}

impl Order {
    /// The traces in groups of about `spans` spans or one larger trace.
    pub(crate) fn groups(&self, spans: usize) -> impl Iterator<Item = Vec<TraceRows<'_>>> {
        let mut at = 0;
        let mut start = 0usize;
        std::iter::from_fn(move || {
            let mut group = Vec::new();
            let group_start = start;
            while at < self.traces.len() && (group.is_empty() || start - group_start < spans) {
                let (trace_id, end, partial) = self.traces[at];
                group.push(TraceRows {
                    trace_id,
                    rows: &self.rows[start..end as usize],
                    partial,
                    // Who sends a span twice does so within seconds.
                });
                start = end as usize;
                at += 1;
            }
            (!group.is_empty()).then_some(group)
        })
    }
}
