//! The settings of a store. Every bound on time, memory and work of this crate that somebody may want to move is here.

use std::time::Duration;

use block::WriteOptions;
use model::DurationNanos;
use object_store::path::Path;

use crate::StoreError;

/// How a store behaves. [`StoreConfig::new`] has the defaults.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// The folder of all tenants inside the object store; [`crate::open_object_store`] gives it. Empty for the top.
    pub root: Path,
    /// Whose data: 1 to 100 letters, digits, `-`, `_` and `.`, and not dots alone.
    pub tenant: String,
    /// How long spans are kept, counted from when they were received. At least a minute.
    ///
    /// Counted from receipt and not from the spans' own times, which are the sender's claim: an import of old traces is
    /// kept as long as everything else, a span dated 1970 is not deleted on the spot, one dated 2262 is not kept for ever.
    pub retention: DurationNanos,
    /// How blocks are joined.
    pub compaction: CompactionConfig,
    /// Memory for what is kept of the files of blocks: trace tables, blooms, footers, resources.
    pub cache_bytes: u64,
    /// How files of a removed block, and folders that no manifest entry names, are kept before they are deleted. Queries
    /// that run longer than this may have to start again; an upload that takes longer than this must be repeated. At most an
    /// hour.
    pub garbage_grace: Duration,
    /// How requests to the object store are made.
    pub requests: RequestConfig,
    /// How often [`crate::Store::maintain`] does what.
    pub intervals: Intervals,
    /// Names of blocks and jitter are drawn from this; `None` draws it from the machine. Simulations set it.
    pub seed: Option<u64>,
}

/// The manifest remembers removed blocks for twice as long; what it has forgotten is deleted without grace.
const GARBAGE_GRACE_MAX: Duration = Duration::from_secs(3600);

impl StoreConfig {
    /// The defaults for a tenant whose folder lies below `root`.
    pub fn new(root: Path, tenant: impl Into<String>) -> Self {
        Self {
            root,
            tenant: tenant.into(),
            retention: DurationNanos::from_secs(14 * 24 * 3600),
            compaction: CompactionConfig::default(),
            cache_bytes: 256 << 20,
            garbage_grace: Duration::from_secs(10 * 60),
            requests: RequestConfig::default(),
            intervals: Intervals::default(),
            seed: None,
        }
    }

    pub(crate) fn check(&self) -> Result<(), StoreError> {
        check_name("tenant", &self.tenant)?;
        if self.retention < DurationNanos::from_secs(60) {
            return Err(StoreError::invalid("retention must be at least one minute"));
        }
        if self.garbage_grace > GARBAGE_GRACE_MAX {
            return Err(StoreError::invalid(format!(
                "the grace period for garbage must not be longer than {GARBAGE_GRACE_MAX:?}"
            )));
        }
        if self.requests.attempts == 0 {
            return Err(StoreError::invalid("a request needs at least one attempt"));
        }
        self.compaction.check()
    }
}

/// Whether `name` can be a tenant or class: it becomes part of the paths of objects and files.
pub(crate) fn check_name(what: &str, name: &str) -> Result<(), StoreError> {
    const LENGTH_MAX: usize = 100;
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let dots_alone = name.chars().all(|c| c == '.');
    if name.len() <= LENGTH_MAX && name.chars().all(allowed) && !dots_alone {
        return Ok(());
    }
    Err(StoreError::invalid(format!(
        "{what} {name:?} must be 1 to {LENGTH_MAX} letters, digits, '-', '_' and '.', and not dots alone"
    )))
}

/// How blocks are joined.
#[derive(Debug, Clone)]
pub struct CompactionConfig {
    /// Whether at all.
    pub enabled: bool,
    /// Blocks are joined with those whose traces started in the same window: first in the short one, later in the long one.
    /// Each window is a multiple of the one before.
    pub windows: Vec<Duration>,
    /// How long after its end a window counts as closed: what is left in it is then joined however little it is.
    pub lateness: Duration,
    /// In an open window, this many blocks of similar size are joined. It is also how often less than a span is rewritten:
    /// a block of n flushed ones has seen log n rewrites to this base.
    pub inputs_min: usize,
    /// At most this many blocks are joined at once.
    pub inputs_max: usize,
    /// No block grows beyond this many spans by compaction.
    pub block_spans_max: u64,
    /// Spans gathered into one row group: the unit of memory of a compaction (some 300 bytes each while it runs).
    pub row_group_spans: usize,
    /// How the output is written.
    pub write: WriteOptions,
}

impl Default for CompactionConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            windows: vec![Duration::from_secs(3600), Duration::from_secs(24 * 3600)],
            lateness: Duration::from_secs(15 * 60),
            inputs_min: 8,
            inputs_max: 12,
            block_spans_max: 2_000_000,
            row_group_spans: 128 * 1024,
            write: WriteOptions::default(),
        }
    }
}

impl CompactionConfig {
    fn check(&self) -> Result<(), StoreError> {
        if self.inputs_min < 2 || self.inputs_max < self.inputs_min {
            return Err(StoreError::invalid(
                "compaction needs 2 <= inputs_min <= inputs_max",
            ));
        }
        if self.row_group_spans == 0 || self.block_spans_max == 0 {
            return Err(StoreError::invalid(
                "compaction needs room for at least one span",
            ));
        }
        let grow = |pair: &[Duration]| {
            pair[0] < pair[1] && pair[1].as_nanos().is_multiple_of(pair[0].as_nanos())
        };
        if self.windows.is_empty()
            || self.windows[0].is_zero()
            || !self.windows.windows(2).all(grow)
        {
            return Err(StoreError::invalid(
                "each compaction window must be a multiple of the one before",
            ));
        }
        Ok(())
    }
}

/// How requests to the object store are made.
#[derive(Debug, Clone)]
pub struct RequestConfig {
    /// Time for one attempt. Requests that move much data get a second more for each MiB.
    pub timeout: Duration,
    /// The same for reading parts of blocks: somebody may be waiting for an answer.
    pub read_timeout: Duration,
    /// How long parts of blocks are refused at once after the object store did not answer; then one is asked for again.
    pub silence: Duration,
    /// How often a request is made before its failure is reported.
    pub attempts: u32,
    /// The pause after the first failure; it doubles with each more, and is cut by up to a half at random.
    pub backoff_first: Duration,
    /// The longest pause.
    pub backoff_max: Duration,
    /// Requests under way at a time for one operation (a look-up, a start, a sweep).
    pub concurrency: usize,
}

impl Default for RequestConfig {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(20),
            read_timeout: Duration::from_secs(5),
            silence: Duration::from_secs(2),
            attempts: 4,
            backoff_first: Duration::from_millis(50),
            backoff_max: Duration::from_secs(2),
            concurrency: 16,
        }
    }
}

/// How often [`crate::Store::maintain`] does what.
#[derive(Debug, Clone)]
pub struct Intervals {
    /// Look for edits of other processes. One small request each time.
    pub refresh: Duration,
    /// Look for blocks to join.
    pub compact: Duration,
    /// Look for blocks that are too old.
    pub expire: Duration,
    /// Delete the files of removed blocks and superseded manifest objects.
    pub collect: Duration,
    /// List the whole tenant for folders that no entry names.
    pub sweep: Duration,
}

impl Default for Intervals {
    fn default() -> Self {
        Self {
            refresh: Duration::from_secs(5),
            compact: Duration::from_secs(2),
            expire: Duration::from_secs(60),
            collect: Duration::from_secs(60),
            sweep: Duration::from_secs(3600),
        }
    }
}
