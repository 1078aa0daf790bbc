//! What the store counted, for metrics and the status page.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::ErrorKind;

/// A kind of request to the object store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Read an object or parts of it.
    Get,
    /// Write an object.
    Put,
    /// Create a manifest object that must not exist yet.
    Create,
    /// Write an object in parts.
    Upload,
    /// List a folder.
    List,
    /// Delete an object.
    Delete,
}

impl Operation {
    /// Every operation, in the order of declaration.
    pub const ALL: [Self; 6] = [
        Self::Get,
        Self::Put,
        Self::Create,
        Self::Upload,
        Self::List,
        Self::Delete,
    ];

    /// The label in metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Put => "put",
            Self::Create => "create",
            Self::Upload => "upload",
            Self::List => "list",
            Self::Delete => "delete",
        }
    }

    pub(crate) fn index(self) -> usize {
        self as usize
    }
}

/// Requests of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OperationStats {
    /// Attempts made, repeated ones included.
    pub requests: u64,
    /// Attempts that were a repetition.
    pub retries: u64,
    /// Attempts that failed and may be repeated: the weather.
    pub failures: u64,
    /// Operations given up.
    pub errors: u64,
    /// Bytes read or written.
    pub bytes: u64,
}

/// What the store holds and has done since it was opened. Counters only grow; the first five are gauges.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoreStats {
    /// Blocks in the manifest.
    pub blocks: u64,
    /// Bytes of their files.
    pub bytes: u64,
    /// Their spans.
    pub spans: u64,
    /// Their traces; one that lies in several blocks counts in each.
    pub traces: u64,
    /// Number of the newest manifest edit known.
    pub manifest_number: u64,
    /// Blocks added by [`crate::Store::add`].
    pub blocks_added: u64,
    /// Edits committed.
    pub commits: u64,
    /// Edits that had to be made again because somebody else's came first.
    pub conflicts: u64,
    /// Checkpoints written.
    pub checkpoints: u64,
    /// Compactions committed.
    pub compactions: u64,
    /// Compactions given up: another process or retention took an input, or something failed.
    pub compactions_abandoned: u64,
    /// Blocks joined.
    pub compaction_blocks_in: u64,
    /// Spans read by compactions.
    pub compaction_spans_in: u64,
    /// Spans written by compactions: fewer by the duplicates.
    pub compaction_spans_out: u64,
    /// Bytes of the blocks joined.
    pub compaction_bytes_in: u64,
    /// Bytes of the blocks that came of them.
    pub compaction_bytes_out: u64,
    /// Blocks removed by retention.
    pub expired_blocks: u64,
    /// Their spans.
    pub expired_spans: u64,
    /// Files deleted of blocks that compaction or retention had removed.
    pub files_deleted: u64,
    /// Folders deleted that no manifest entry named.
    pub orphans_collected: u64,
    /// Look-ups in the cache that found.
    pub cache_hits: u64,
    /// Look-ups in the cache that had to load.
    pub cache_misses: u64,
    /// Bytes in the cache.
    pub cache_bytes: u64,
    /// Blocks of the manifest that could not be read when last tried.
    pub unreadable_blocks: u64,
    /// Requests by operation, in the order of [`Operation::ALL`].
    pub operations: [OperationStats; Operation::ALL.len()],
}

impl StoreStats {
    /// Requests of one kind.
    pub fn operation(&self, operation: Operation) -> OperationStats {
        self.operations[operation.index()]
    }
}

/// A counter that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Default)]
struct OperationCounters {
    requests: Counter,
    retries: Counter,
    failures: Counter,
    errors: Counter,
    bytes: Counter,
}

/// The counters behind [`StoreStats`], shared by all parts of a store.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    operations: [OperationCounters; Operation::ALL.len()],
    pub(crate) blocks_added: Counter,
    pub(crate) commits: Counter,
    pub(crate) conflicts: Counter,
    pub(crate) checkpoints: Counter,
    pub(crate) compactions: Counter,
    pub(crate) compactions_abandoned: Counter,
    pub(crate) compaction_blocks_in: Counter,
    pub(crate) compaction_spans_in: Counter,
    pub(crate) compaction_spans_out: Counter,
    pub(crate) compaction_bytes_in: Counter,
    pub(crate) compaction_bytes_out: Counter,
    pub(crate) expired_blocks: Counter,
    pub(crate) expired_spans: Counter,
    pub(crate) files_deleted: Counter,
    pub(crate) orphans_collected: Counter,
    pub(crate) cache_hits: Counter,
    pub(crate) cache_misses: Counter,
}

impl Counters {
    pub(crate) fn attempt(&self, operation: Operation, repeated: bool) {
        let counters = &self.operations[operation.index()];
        counters.requests.add(1);
        counters.retries.add(u64::from(repeated));
    }

    /// `last` says that the operation is given up.
    pub(crate) fn failure(&self, operation: Operation, kind: ErrorKind, last: bool) {
        let counters = &self.operations[operation.index()];
        counters.failures.add(u64::from(kind == ErrorKind::Retry));
        counters.errors.add(u64::from(last));
    }

    pub(crate) fn moved(&self, operation: Operation, bytes: usize) {
        self.operations[operation.index()].bytes.add(bytes as u64);
    }

    /// The counters; gauges are left at zero for the caller.
    pub(crate) fn read(&self) -> StoreStats {
        StoreStats {
            blocks_added: self.blocks_added.get(),
            commits: self.commits.get(),
            conflicts: self.conflicts.get(),
            checkpoints: self.checkpoints.get(),
            compactions: self.compactions.get(),
            compactions_abandoned: self.compactions_abandoned.get(),
            compaction_blocks_in: self.compaction_blocks_in.get(),
            compaction_spans_in: self.compaction_spans_in.get(),
            compaction_spans_out: self.compaction_spans_out.get(),
            compaction_bytes_in: self.compaction_bytes_in.get(),
            compaction_bytes_out: self.compaction_bytes_out.get(),
            expired_blocks: self.expired_blocks.get(),
            expired_spans: self.expired_spans.get(),
            files_deleted: self.files_deleted.get(),
            orphans_collected: self.orphans_collected.get(),
            cache_hits: self.cache_hits.get(),
            cache_misses: self.cache_misses.get(),
            operations: std::array::from_fn(|index| {
                let counters = &self.operations[index];
                OperationStats {
                    requests: counters.requests.get(),
                    retries: counters.retries.get(),
                    failures: counters.failures.get(),
                    errors: counters.errors.get(),
                    bytes: counters.bytes.get(),
                }
            }),
            ..StoreStats::default()
        }
    }
}
