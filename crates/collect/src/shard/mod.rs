//! One shard: the traces whose ids fall to it, from their first span to their block.
//!
//! This is a plain state machine. Time and events come in as arguments and sealed generations go out through
//! [`Shard::take_sealed`]; threads, clocks and stores are the business of `worker` and `flush`.
//!
//! Spans are gathered in the open [`Generation`]. When it is full, too large or too old, it is *sealed*: traces that are
//! complete go to a block, and of the others as many of the most active ones as the carry budget allows go on into the next
//! generation, so that few traces are cut. A sealed generation stays here, answering questions, until its block is visible.
//!
//! Nothing is ever dropped: what does not fit is sealed early.

mod choose;
mod find;
mod generation;
mod inventory;
mod list;
mod live;
mod recent;
mod sealed;
mod snapshot;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use block::BlockId;
use model::{Remap, SpanBatch};

use crate::counters::SealReason;
use crate::ids::BlockIds;
use crate::settings::{INSERT_CHUNK, SEALED_MAX, Settings};
use crate::steady::Moment;
use generation::Generation;
use inventory::Inventory;
use live::State;
use recent::Recent;
use snapshot::LastCopy;

pub use inventory::{OperationCount, ServiceCount};
pub use list::{ListOrder, TraceFilter};
pub(crate) use sealed::Sealed;
pub use snapshot::{LivePiece, LiveSpans};

/// Flushed traces that a shard remembers, at least. At 10 bytes each and two sets it costs 5 MB when full, and covers
/// several of the largest generations.
const RECENT_MAX: usize = 256 << 10;

/// How long the memory of a written generation is kept for the next one. Growing a table from nothing copies it twice over,
/// and the kernel clears every page of it first.
const SPARE_KEPT: Duration = Duration::from_secs(10);

/// The traces of one shard.
#[derive(Debug)]
pub(crate) struct Shard {
    index: usize,
    ids: BlockIds,
    settings: Arc<Settings>,
    open: Generation,
    inventory: Inventory,
    sealed: VecDeque<Arc<Sealed>>,
    /// Those of `sealed` that nobody has taken to be flushed.
    outbox: Vec<Arc<Sealed>>,
    sequence: u64,
    recent: Recent,
    remap: Remap,
    /// Written generations, emptied, the one longest kept first; at most [`SEALED_MAX`].
    spares: VecDeque<(Generation, Moment)>,
    counts: Counts,
    last_copy: LastCopy,
}

/// What a shard has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Spans copied into the next generation.
    pub(crate) carried: u64,
    /// Traces begun of which other spans had been flushed.
    pub(crate) late_traces: u64,
    /// Generations sealed by reason.
    pub(crate) sealed: [u64; SealReason::ALL.len()],
}

impl Shard {
    pub(crate) fn new(index: usize, settings: Arc<Settings>, ids: BlockIds) -> Self {
        Self {
            index,
            ids,
            settings,
            open: Generation::default(),
            inventory: Inventory::default(),
            sealed: VecDeque::new(),
            outbox: Vec::new(),
            sequence: 0,
            recent: Recent::new(RECENT_MAX),
            remap: Remap::default(),
            spares: VecDeque::new(),
            counts: Counts::default(),
            last_copy: LastCopy::default(),
        }
    }

    /// Takes those `rows` of `batch`, which the journal has in `segment`. Never refuses: bounds are kept by sealing.
    pub(crate) fn insert(&mut self, now: Moment, batch: &SpanBatch, rows: &[u32], segment: u64) {
        self.remap.reset(batch);
        let mut rest = rows;
        while !rest.is_empty() {
            if self.seal_when_due(now) {
                self.remap.reset(batch);
            }
            let chunk = &rest[..rest.len().min(INSERT_CHUNK)];
            let (recent, late_traces) = (&self.recent, &mut self.counts.late_traces);
            let inserted = self
                .open
                .insert(batch, chunk, &mut self.remap, now, segment, |id| {
                    let is_late = recent.contains(id);
                    *late_traces += u64::from(is_late);
                    is_late
                });
            let taken = match inserted {
                Ok(()) => chunk.len(),
                // Far above any generation's share of memory, so it takes settings far out of range to come here.
                Err((taken, _overflow)) => {
                    self.seal(now, SealReason::Bytes);
                    self.remap.reset(batch);
                    taken
                }
            };
            rest = &rest[taken..];
        }
        self.seal_when_due(now);
    }

    /// Does what time alone asks for.
    pub(crate) fn tick(&mut self, now: Moment) {
        self.seal_when_due(now);
        self.last_copy.tick(now);
        self.spares
            .retain(|(_, since)| now.since(*since) < SPARE_KEPT);
    }

    /// Seals everything, complete or not.
    pub(crate) fn seal_all(&mut self, now: Moment) {
        self.seal(now, SealReason::Asked);
    }

    /// Seals what still needs a journal segment up to and including `through`, so that these can be removed. Traces do not
    /// go on: they would take their need along.
    pub(crate) fn release_segments(&mut self, now: Moment, through: u64) {
        if self.open.first_segment() <= through {
            self.seal(now, SealReason::Journal);
        }
    }

    fn seal_when_due(&mut self, now: Moment) -> bool {
        let Some(reason) = self.seal_reason(now) else {
            return false;
        };
        self.seal(now, reason);
        true
    }

    fn seal_reason(&self, now: Moment) -> Option<SealReason> {
        let began = self.open.began()?;
        if self.open.len() >= self.settings.generation_spans_max {
            Some(SealReason::Spans)
        } else if self.open.used_byte_count() >= self.settings.generation_bytes_max() {
            Some(SealReason::Bytes)
        } else if now.since(began) >= self.settings.flush_interval {
            Some(SealReason::Age)
        } else {
            None
        }
    }

    fn seal(&mut self, now: Moment, reason: SealReason) {
        if self.open.is_empty() {
            return;
        }
        // The one last used: where one is enough, the others grow old and are let go.
        let next = self.spares.pop_back();
        let next = next.map(|(spare, _)| spare).unwrap_or_default();
        let mut full = std::mem::replace(&mut self.open, next);
        self.inventory.clear();
        self.last_copy.forget();
        let carried = self.carry_on(&full, now, reason);
        self.counts.carried += carried.rows;
        self.counts.sealed[reason as usize] += 1;
        choose::settle(&mut full, &carried.traces, now, &self.settings);
        for trace in full
            .traces()
            .iter()
            .filter(|trace| trace.state != State::Carried)
        {
            self.recent.insert(trace.trace_id);
        }
        self.sequence += 1;
        let sealed = Arc::new(Sealed::new(
            self.index,
            self.sequence,
            self.ids.next(),
            reason,
            full,
            carried.rows,
        ));
        debug_assert!(sealed.span_count() > 0);
        self.sealed.push_back(sealed.clone());
        self.outbox.push(sealed);
    }

    /// Copies the traces that go on into the open generation, and says which did.
    fn carry_on(&mut self, full: &Generation, now: Moment, reason: SealReason) -> Carried {
        let mut carried = Carried::default();
        let chosen = choose::candidates(full, now, reason, &self.settings);
        if chosen.is_empty() {
            return carried;
        }
        self.remap.reset(full.batch());
        // Half, so that a carried giant cannot make the new generation full from the start.
        let bytes_max = self.settings.generation_bytes_max() / 2;
        for index in chosen {
            let trace = &full.traces()[index as usize];
            if self.open.used_byte_count() >= bytes_max
                || self.open.carry(full, trace, &mut self.remap, now).is_err()
            {
                break;
            }
            carried.rows += u64::from(trace.span_count);
            carried.traces.push(index);
        }
        carried
    }

    /// Takes the generations that were sealed since the last call, to be flushed in this order.
    pub(crate) fn take_sealed(&mut self) -> Vec<Arc<Sealed>> {
        std::mem::take(&mut self.outbox)
    }

    /// Lets go of a generation whose block is visible. Its memory serves the next one.
    pub(crate) fn flushed(&mut self, now: Moment, flushed: Arc<Sealed>) {
        self.sealed
            .retain(|sealed| sealed.sequence != flushed.sequence);
        if self.spares.len() >= SEALED_MAX {
            return;
        }
        if let Ok(sealed) = Arc::try_unwrap(flushed) {
            let mut generation = sealed.into_generation();
            generation.clear();
            self.spares.push_back((generation, now));
        }
    }

    /// Whether so much waits for its block that no more should come in.
    pub(crate) fn is_congested(&self) -> bool {
        self.sealed.len() > SEALED_MAX
    }

    /// The lowest journal segment that holds a span which is not in a visible block; `u64::MAX` when there is none.
    pub(crate) fn first_segment(&self) -> u64 {
        self.sealed
            .iter()
            .map(|sealed| sealed.first_segment())
            .chain([self.open.first_segment()])
            .min()
            .unwrap_or(u64::MAX)
    }

    /// Spans that are here and in no visible block.
    pub(crate) fn span_count(&self) -> u64 {
        let sealed: u64 = self.sealed.iter().map(|sealed| sealed.span_count()).sum();
        sealed + self.open.len() as u64
    }

    /// Traces of the open generation.
    pub(crate) fn trace_count(&self) -> u64 {
        self.open.traces().len() as u64
    }

    /// Generations that wait for their block.
    pub(crate) fn sealed_count(&self) -> u64 {
        self.sealed.len() as u64
    }

    /// The number of the generation that was sealed last.
    pub(crate) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The lowest number of a sealed generation that waits for its block.
    pub(crate) fn lowest_sequence(&self) -> Option<u64> {
        self.sealed.iter().map(|sealed| sealed.sequence).min()
    }

    /// The blocks that sealed generations are going to.
    pub(crate) fn sealed_blocks(&self) -> impl Iterator<Item = BlockId> {
        self.sealed.iter().map(|sealed| sealed.block)
    }

    /// Memory used, in bytes.
    pub(crate) fn byte_count(&self) -> usize {
        let sealed: usize = self.sealed.iter().map(|sealed| sealed.byte_count()).sum();
        sealed + self.open.used_byte_count() + self.recent.byte_count()
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }
}

/// What went on into the next generation.
#[derive(Debug, Default)]
struct Carried {
    /// Positions in the traces of the sealed generation.
    traces: Vec<u32>,
    rows: u64,
}
