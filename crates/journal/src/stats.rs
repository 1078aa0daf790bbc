//! What the journal has done since it was opened, counted as it happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// A snapshot of a journal's numbers. Counts begin at zero when the journal is opened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JournalStats {
    /// Segments on disk, the active one included.
    pub segments: u64,
    /// Bytes of all segments' files and of the spare ones.
    pub bytes: u64,
    /// The bound on `bytes`.
    pub max_bytes: u64,
    /// Bytes stored and on their way, as a share of `max_bytes`: 1.0 is full. Spare files do not count, nor do the rests of
    /// segments' files, as they give way.
    pub fullness: f64,
    /// Files of trimmed segments that wait to be used again.
    pub spare_files: u64,
    /// Bytes of those files, and of those on their way to be spare or to be removed.
    pub spare_bytes: u64,
    /// Segments begun in such a file.
    pub reused_files: u64,
    /// Number of the oldest segment.
    pub oldest_segment: u64,
    /// Number of the segment being written; positions of later records are in this one or higher.
    pub active_segment: u64,
    /// Records that are durable and not yet handed over.
    pub held_records: u64,
    /// Segments of an earlier process that were not yet read to their end.
    pub segments_to_replay: u64,
    /// Records that wait for a commit to begin.
    pub queued_records: u64,
    /// Bytes appended and not yet durable.
    pub queued_bytes: u64,
    /// Records made durable.
    pub appended_records: u64,
    /// Bytes of those records as stored.
    pub appended_bytes: u64,
    /// Commits that succeeded; each is one write and one sync.
    pub commits: u64,
    /// Time that the disk took to write and sync those commits, together.
    pub sync_time: Duration,
    /// The longest that it took for one of them.
    pub sync_time_max: Duration,
    /// Commits and new segments that failed.
    pub failures: u64,
    /// Records refused because the journal was full.
    pub refused_full: u64,
    /// Records refused because too much waited for the disk.
    pub refused_queue: u64,
    /// Records refused because the disk did not work or had too little space.
    pub refused_disk: u64,
    /// Records refused because they can never be stored.
    pub refused_size: u64,
    /// Segments trimmed.
    pub trimmed_segments: u64,
    /// Bytes of the segments trimmed.
    pub trimmed_bytes: u64,
    /// The rate at which trimming has freed space of late, in bytes per second; `None` before the first trim.
    pub drain_rate: Option<f64>,
    /// Bytes of unfinished commits that were cut off when it was opened.
    pub torn_bytes_cut: u64,
    /// Findings of damage when it was opened: what was acknowledged and cannot be read, and what is odd.
    pub damage_found: u64,
    /// Why appends are refused, while they are.
    pub failing: Option<Arc<str>>,
}

/// The counters behind [`JournalStats`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) appended_records: AtomicU64,
    pub(crate) appended_bytes: AtomicU64,
    pub(crate) commits: AtomicU64,
    pub(crate) sync_nanos: AtomicU64,
    pub(crate) sync_nanos_max: AtomicU64,
    pub(crate) failures: AtomicU64,
    pub(crate) refused_full: AtomicU64,
    pub(crate) refused_queue: AtomicU64,
    pub(crate) refused_disk: AtomicU64,
    pub(crate) refused_size: AtomicU64,
    pub(crate) reused_files: AtomicU64,
    pub(crate) trimmed_segments: AtomicU64,
    pub(crate) trimmed_bytes: AtomicU64,
    pub(crate) drain_rate: Rate,
    pub(crate) commit_rate: Rate,
}

impl Counters {
    /// Counts a commit.
    pub(crate) fn committed(&self, records: u64, bytes: u64, sync: Duration) {
        self.appended_records.fetch_add(records, Relaxed);
        self.appended_bytes.fetch_add(bytes, Relaxed);
        self.commits.fetch_add(1, Relaxed);
        let nanos = u64::try_from(sync.as_nanos()).unwrap_or(u64::MAX);
        self.sync_nanos.fetch_add(nanos, Relaxed);
        self.sync_nanos_max.fetch_max(nanos, Relaxed);
    }

    /// The part of a snapshot that is counted here.
    pub(crate) fn snapshot(&self) -> JournalStats {
        JournalStats {
            appended_records: self.appended_records.load(Relaxed),
            appended_bytes: self.appended_bytes.load(Relaxed),
            commits: self.commits.load(Relaxed),
            sync_time: Duration::from_nanos(self.sync_nanos.load(Relaxed)),
            sync_time_max: Duration::from_nanos(self.sync_nanos_max.load(Relaxed)),
            failures: self.failures.load(Relaxed),
            refused_full: self.refused_full.load(Relaxed),
            refused_queue: self.refused_queue.load(Relaxed),
            refused_disk: self.refused_disk.load(Relaxed),
            refused_size: self.refused_size.load(Relaxed),
            reused_files: self.reused_files.load(Relaxed),
            trimmed_segments: self.trimmed_segments.load(Relaxed),
            trimmed_bytes: self.trimmed_bytes.load(Relaxed),
            drain_rate: self.drain_rate.get(),
            ..JournalStats::default()
        }
    }
}

/// A rate in bytes per second that follows its measurements smoothly. One writer at a time; any number of readers.
#[derive(Debug, Default)]
pub(crate) struct Rate(
    /// The bits of a positive `f64`; 0 while nothing was measured.
    AtomicU64,
);

impl Rate {
    /// The share of the newest measurement: old ones fade within some ten.
    const NEWEST: f64 = 0.3;
    /// Shorter times are taken for this long; a clock cannot tell them apart from nothing.
    const SHORTEST: Duration = Duration::from_micros(10);

    pub(crate) fn measured(&self, bytes: u64, time: Duration) {
        let now = bytes as f64 / time.max(Self::SHORTEST).as_secs_f64();
        let rate = match self.get() {
            Some(before) => before + Self::NEWEST * (now - before),
            None => now,
        };
        self.0.store(rate.to_bits(), Relaxed);
    }

    pub(crate) fn get(&self) -> Option<f64> {
        match self.0.load(Relaxed) {
            0 => None,
            bits => Some(f64::from_bits(bits)),
        }
    }
}
