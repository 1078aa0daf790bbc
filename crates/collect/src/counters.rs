//! What was counted at each stage, and the law that the counts obey.
//!
//! *received = stored + sampled out + rejected by reason + in flight*, where in flight is itself counted where the spans
//! are (inboxes and shards) rather than derived, so that a span lost anywhere shows. The law holds whenever no request,
//! insertion or flush is just being counted.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use model::DropReason;

use crate::request::Refusal;

/// Why a generation was sealed and its traces flushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealReason {
    /// It held as many spans as a generation may.
    Spans,
    /// It held as many bytes as its share of the budget.
    Bytes,
    /// Its oldest span had waited as long as a span may.
    Age,
    /// The journal was filling up, and its oldest segment waited for spans of this one.
    Journal,
    /// Somebody asked, as a shutdown does.
    Asked,
}

impl SealReason {
    /// Every reason, in the order of declaration.
    pub const ALL: [Self; 5] = [
        Self::Spans,
        Self::Bytes,
        Self::Age,
        Self::Journal,
        Self::Asked,
    ];

    /// The label in metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spans => "spans",
            Self::Bytes => "bytes",
            Self::Age => "age",
            Self::Journal => "journal",
            Self::Asked => "asked",
        }
    }
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All of its spans were accepted.
    Accepted,
    /// Some of its spans were rejected, or all of them, one by one.
    Partial,
    /// [`Refusal::Malformed`]
    Malformed,
    /// [`Refusal::TooLarge`]
    TooLarge,
    /// [`Refusal::Overloaded`]
    Overloaded,
    /// [`Refusal::ShuttingDown`]
    ShuttingDown,
}

impl Outcome {
    /// Every outcome, in the order of declaration.
    pub const ALL: [Self; 6] = [
        Self::Accepted,
        Self::Partial,
        Self::Malformed,
        Self::TooLarge,
        Self::Overloaded,
        Self::ShuttingDown,
    ];

    /// The label in metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Partial => "partial",
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::Overloaded => "overloaded",
            Self::ShuttingDown => "shutting_down",
        }
    }

    pub(crate) fn of_refusal(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Malformed(_) => Self::Malformed,
            Refusal::TooLarge { .. } => Self::TooLarge,
            Refusal::Overloaded { .. } => Self::Overloaded,
            Refusal::ShuttingDown => Self::ShuttingDown,
        }
    }
}

/// Counters and gauges of a collector, written without locks by all its parts.
#[derive(Debug, Default)]
pub struct Counters {
    pub(crate) requests: [AtomicU64; Outcome::ALL.len()],
    pub(crate) body_bytes: AtomicU64,
    pub(crate) inflated_bytes: AtomicU64,
    pub(crate) decode_nanos: AtomicU64,
    pub(crate) journal_wait_nanos: AtomicU64,
    pub(crate) received: AtomicU64,
    pub(crate) replayed: AtomicU64,
    pub(crate) rejected: [AtomicU64; DropReason::ALL.len()],
    pub(crate) stored: AtomicU64,
    /// Spans on their way from the door to the shards.
    pub(crate) queued: AtomicU64,
    pub(crate) insert_nanos: AtomicU64,
    pub(crate) inserted: AtomicU64,
    pub(crate) carried: AtomicU64,
    pub(crate) late_traces: AtomicU64,
    pub(crate) sealed: [AtomicU64; SealReason::ALL.len()],
    pub(crate) flushed_blocks: AtomicU64,
    pub(crate) flushed_bytes: AtomicU64,
    pub(crate) flush_nanos: AtomicU64,
    pub(crate) flush_failures: AtomicU64,
    /// Flushes that have failed and not yet succeeded.
    pub(crate) flushes_failing: AtomicU64,
    shards: Vec<ShardGauges>,
}

/// What one shard holds; written by it alone. Padded, for shards write theirs after every batch.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct ShardGauges {
    pub(crate) inbox: AtomicU64,
    pub(crate) spans: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) traces: AtomicU64,
    pub(crate) sealed: AtomicU64,
}

/// What one shard holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShardSnapshot {
    /// Events that wait in its inbox.
    pub inbox: u64,
    /// Spans in memory, sealed ones included.
    pub spans: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Traces of the open generation.
    pub traces: u64,
    /// Sealed generations that wait for their block.
    pub sealed: u64,
}

/// All counts at one moment. Times are sums over all work of that kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Requests by [`Outcome`], in the order of [`Outcome::ALL`].
    pub requests: [u64; Outcome::ALL.len()],
    /// Bytes of bodies as received.
    pub body_bytes: u64,
    /// Bytes of bodies after decompression.
    pub inflated_bytes: u64,
    /// Time spent on inflating and decoding.
    pub decode_time: Duration,
    /// Time that requests waited for the journal.
    pub journal_wait: Duration,
    /// Spans received: accepted, rejected one by one, or replayed from the journal.
    pub received: u64,
    /// How many of them were replayed from the journal at start.
    pub replayed: u64,
    /// Spans rejected by [`DropReason`], in the order of [`DropReason::ALL`].
    pub rejected: [u64; DropReason::ALL.len()],
    /// Spans written to blocks.
    pub stored: u64,
    /// Spans left out by a sampling decision. There are no rules yet, so it is 0.
    pub sampled_out: u64,
    /// Spans accepted that are neither in a block nor dropped: in inboxes and shards.
    pub in_flight: u64,
    /// Spans inserted into shards.
    pub inserted: u64,
    /// Time the shards spent on inserting.
    pub insert_time: Duration,
    /// Spans copied from a sealed generation into the next because their traces were still active.
    pub carried: u64,
    /// Traces of which spans came after others of them had been flushed.
    pub late_traces: u64,
    /// Generations sealed by [`SealReason`], in the order of [`SealReason::ALL`].
    pub sealed: [u64; SealReason::ALL.len()],
    /// Blocks written.
    pub flushed_blocks: u64,
    /// Bytes of them.
    pub flushed_bytes: u64,
    /// Time spent on writing blocks, without the store's.
    pub flush_time: Duration,
    /// Attempts to flush that failed.
    pub flush_failures: u64,
    /// Blocks whose last attempt failed and which are being tried again.
    pub flushes_failing: u64,
    /// The shards.
    pub shards: Vec<ShardSnapshot>,
}

impl Snapshot {
    /// Whether *received = stored + sampled out + rejected + in flight*.
    pub fn law_holds(&self) -> bool {
        let rejected: u64 = self.rejected.iter().sum();
        self.received == self.stored + self.sampled_out + rejected + self.in_flight
    }

    /// Spans rejected for one reason.
    pub fn rejected_for(&self, reason: DropReason) -> u64 {
        self.rejected[reason.index()]
    }

    /// Bytes of spans in memory.
    pub fn live_bytes(&self) -> u64 {
        self.shards.iter().map(|shard| shard.bytes).sum()
    }
}

impl Counters {
    /// Counters at zero for so many shards.
    pub fn new(shards: usize) -> Self {
        Self {
            shards: (0..shards).map(|_| ShardGauges::default()).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn shard(&self, index: usize) -> &ShardGauges {
        &self.shards[index]
    }

    pub(crate) fn count_request(&self, outcome: Outcome) {
        self.requests[outcome as usize].fetch_add(1, Relaxed);
    }

    pub(crate) fn count_rejected(&self, reason: DropReason, spans: u64) {
        self.rejected[reason.index()].fetch_add(spans, Relaxed);
    }

    pub(crate) fn count_sealed(&self, reason: SealReason, generations: u64) {
        self.sealed[reason as usize].fetch_add(generations, Relaxed);
    }

    /// All counts now. Counts of different kinds may be a moment apart.
    pub fn snapshot(&self) -> Snapshot {
        let shards: Vec<ShardSnapshot> = self.shards.iter().map(ShardGauges::snapshot).collect();
        let live: u64 = shards.iter().map(|shard| shard.spans).sum();
        let load = |counter: &AtomicU64| counter.load(Relaxed);
        let time = |counter: &AtomicU64| Duration::from_nanos(counter.load(Relaxed));
        Snapshot {
            requests: self.requests.each_ref().map(load),
            body_bytes: load(&self.body_bytes),
            inflated_bytes: load(&self.inflated_bytes),
            decode_time: time(&self.decode_nanos),
            journal_wait: time(&self.journal_wait_nanos),
            received: load(&self.received),
            replayed: load(&self.replayed),
            rejected: self.rejected.each_ref().map(load),
            stored: load(&self.stored),
            sampled_out: 0,
            in_flight: load(&self.queued) + live,
            inserted: load(&self.inserted),
            insert_time: time(&self.insert_nanos),
            carried: load(&self.carried),
            late_traces: load(&self.late_traces),
            sealed: self.sealed.each_ref().map(load),
            flushed_blocks: load(&self.flushed_blocks),
            flushed_bytes: load(&self.flushed_bytes),
            flush_time: time(&self.flush_nanos),
            flush_failures: load(&self.flush_failures),
            flushes_failing: load(&self.flushes_failing),
            shards,
        }
    }
}

impl ShardGauges {
    fn snapshot(&self) -> ShardSnapshot {
        ShardSnapshot {
            inbox: self.inbox.load(Relaxed),
            spans: self.spans.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            traces: self.traces.load(Relaxed),
            sealed: self.sealed.load(Relaxed),
        }
    }
}

/// Adds the nanoseconds since `start`.
pub(crate) fn add_elapsed(counter: &AtomicU64, start: std::time::Instant) {
    let nanos = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    counter.fetch_add(nanos, Relaxed);
}
