//! The bounds and times of a collector, checked: nothing here needs to be looked at again.

use std::time::Duration;

use block::WriteOptions;

/// How a collector is bounded and paced. [`Settings::for_machine`] gives the defaults.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The largest body accepted, in bytes, before and after decompression. OTLP recommends 64 MiB.
    pub body_bytes_max: usize,
    /// Bytes of requests (inflated) that may be between the door and the shards at once.
    pub in_flight_bytes_max: usize,
    /// How long a request may wait for room before it is refused. Waiting slows down senders that wait for their answer,
    /// which costs them less than a refusal; OTLP senders give up after 10 s.
    pub admission_wait: Duration,
    /// The largest single span accepted, in bytes of OTLP.
    pub span_bytes_max: usize,
    /// Shards. Each is a thread.
    pub shards: usize,
    /// Bytes of spans that wait in memory for their block, all shards together. Passing it makes traces flush early.
    pub live_bytes_max: usize,
    /// Spans of one shard that are gathered before they are written to a block. More make blocks smaller per span and
    /// split fewer traces; fewer take less memory.
    pub generation_spans_max: usize,
    /// How long spans are gathered when there are few: then what is complete is written to a block, and what is not may
    /// wait for one interval more. At least `decision_wait`, so that each time something is complete.
    pub flush_interval: Duration,
    /// A trace whose root was seen is complete when nothing came for this long.
    pub root_idle: Duration,
    /// A trace is taken as complete this long after its first span, come what may.
    pub decision_wait: Duration,
    /// Blocks that are written at the same time.
    pub flush_concurrency: usize,
    /// How long to wait before a failed flush is tried again: at first, and at most.
    pub flush_retry: (Duration, Duration),
    /// How blocks are written.
    pub write: WriteOptions,
}

/// Sealed generations of a shard that may wait for their block before the door is closed. Two let one be written while the
/// next fills; more would only turn a slow store into a larger heap.
pub(crate) const SEALED_MAX: usize = 2;

/// The share of a sealed generation that may go on into the next one, as a divisor: a quarter. Each span carried is copied
/// again, so this bounds that cost to a third of a copy per span.
pub(crate) const CARRY_DIVISOR: usize = 4;

/// Rows inserted between two looks at the bounds, so that one request of millions of tiny spans cannot pass them by much.
pub(crate) const INSERT_CHUNK: usize = 8 << 10;

/// Why settings cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid collector setting `{setting}`: {reason}")]
pub struct SettingsError {
    /// The field of [`Settings`].
    pub setting: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

impl Settings {
    /// The most that [`Settings::body_bytes_max`] can be: what the journal can hold in one record.
    pub const BODY_BYTES_MAX: usize = 128 << 20;

    /// The defaults for a machine of `cores` and a heap of `live_bytes_max` bytes for waiting spans (the server passes a
    /// quarter of the machine's memory, at most 1 GiB).
    pub fn for_machine(cores: usize, live_bytes_max: usize) -> Self {
        let cores = cores.max(1);
        Self {
            body_bytes_max: 64 << 20,
            in_flight_bytes_max: 128 << 20,
            admission_wait: Duration::from_secs(2),
            span_bytes_max: 16 << 20,
            shards: cores,
            live_bytes_max,
            // With the last rows to be inserted it stays below a power of two, to which its tables grow.
            generation_spans_max: (128 << 10) - INSERT_CHUNK,
            flush_interval: Duration::from_secs(60),
            root_idle: Duration::from_secs(2),
            decision_wait: Duration::from_secs(30),
            flush_concurrency: (cores / 2).clamp(1, 4),
            flush_retry: (Duration::from_secs(1), Duration::from_secs(30)),
            write: WriteOptions::default(),
        }
    }

    /// Bytes at which a shard seals its generation: its part of the budget, shared with the sealed ones that wait.
    pub(crate) fn generation_bytes_max(&self) -> usize {
        self.live_bytes_max / self.shards / (SEALED_MAX + 1)
    }

    /// Says which setting cannot work.
    ///
    /// # Errors
    /// The first setting that is out of its range.
    pub fn check(&self) -> Result<(), SettingsError> {
        /// Shard numbers travel in 16 bits; no machine has as many cores.
        const SHARDS_MAX: usize = 1024;
        /// Row numbers are 32 bits, and a batch may come on top.
        const GENERATION_SPANS_MAX: usize = 64 << 20;
        /// Below this a generation would hold a few hundred spans, and blocks would be all overhead.
        const GENERATION_BYTES_MIN: usize = 256 << 10;

        let wrong = |setting, reason: &str| {
            Err(SettingsError {
                setting,
                reason: reason.to_owned(),
            })
        };
        if self.body_bytes_max == 0 || self.body_bytes_max > Self::BODY_BYTES_MAX {
            return wrong("body_bytes_max", "must be between 1 byte and 128 MiB");
        }
        if self.in_flight_bytes_max < 2 * self.body_bytes_max {
            return wrong("in_flight_bytes_max", "must hold two of the largest bodies");
        }
        if self.shards == 0 || self.shards > SHARDS_MAX {
            return wrong("shards", "must be between 1 and 1024");
        }
        if self.generation_spans_max == 0 || self.generation_spans_max > GENERATION_SPANS_MAX {
            return wrong("generation_spans_max", "must be between 1 and 67108864");
        }
        if self.generation_bytes_max() < GENERATION_BYTES_MIN {
            return wrong("live_bytes_max", "must be at least 768 KiB for each shard");
        }
        if self.flush_interval < self.decision_wait {
            return wrong("flush_interval", "must not be shorter than decision_wait");
        }
        if self.flush_concurrency == 0 {
            return wrong("flush_concurrency", "must be at least 1");
        }
        Ok(())
    }
}
