//! The settings: where the journal is and what bounds it.

use std::path::PathBuf;
use std::time::Duration;

use crate::error::JournalError;

/// Where the journal is and what bounds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalConfig {
    /// The folder; created where missing. Nothing else may be kept in it.
    pub dir: PathBuf,
    /// Size at which a segment is sealed and the next begun. Its last commit may pass it.
    /// Smaller ones give space back sooner; each costs a file and three syncs.
    pub segment_bytes: u64,
    /// Bound on the bytes of all files together, beyond which appends are refused; padding of up to 4 KiB a segment comes on
    /// top. Up to an eighth of it is files that wait to be used again; they give way before anything is refused.
    pub max_bytes: u64,
    /// Space that is left free on the file system. Blocks usually live on the same one, and only writing blocks empties the
    /// journal: a journal that took the last byte could never be emptied. 0 takes everything.
    pub reserve_bytes: u64,
    /// The least time between the beginnings of two commits, unless `commit_bytes` wait.
    pub commit_interval: Duration,
    /// Bytes that are committed without waiting for `commit_interval`.
    pub commit_bytes: usize,
    /// Bound on the bytes appended and not yet durable.
    pub queue_bytes: usize,
}

impl JournalConfig {
    /// The part of `max_bytes` that spare files may take, as a divisor: by default 16 files, what 20 seconds of 50 MB/s fill.
    const SPARE_DIVISOR: u64 = 8;
    /// The smallest segment: below this its header and syncs would cost more than what it holds.
    pub const MIN_SEGMENT_BYTES: u64 = 4 << 10;

    /// The defaults, for the journal in `dir`.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            segment_bytes: 64 << 20,
            max_bytes: 8 << 30,
            reserve_bytes: 256 << 20,
            commit_interval: Duration::from_millis(2),
            commit_bytes: 1 << 20,
            queue_bytes: 64 << 20,
        }
    }

    /// Bound on the bytes of the spare files; one is always worth keeping.
    pub(crate) fn spare_bytes(&self) -> u64 {
        (self.max_bytes / Self::SPARE_DIVISOR).max(self.segment_bytes)
    }

    /// Says which setting cannot work.
    pub fn check(&self) -> Result<(), JournalError> {
        let wrong = |setting, reason: String| Err(JournalError::Setting { setting, reason });
        if self.segment_bytes < Self::MIN_SEGMENT_BYTES || self.segment_bytes > u32::MAX.into() {
            let reason = format!(
                "{} is outside {} to {}",
                self.segment_bytes,
                Self::MIN_SEGMENT_BYTES,
                u32::MAX
            );
            return wrong("segment_bytes", reason);
        }
        // One segment is being written and cannot be trimmed; with room for a single one, full would be for ever.
        if self.max_bytes < 2 * self.segment_bytes {
            let reason = format!("{} is less than two segments", self.max_bytes);
            return wrong("max_bytes", reason);
        }
        if self.queue_bytes == 0 {
            return wrong("queue_bytes", "0 lets nothing in".into());
        }
        if self.commit_interval > Duration::from_secs(1) {
            let reason = format!("{:?} is more than a second", self.commit_interval);
            return wrong("commit_interval", reason);
        }
        Ok(())
    }
}
