//! What can go wrong, named by what the caller can do about it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Why a journal could not be opened, read or trimmed. Every variant names the path it is about.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process has this folder open; two writers would destroy each other's segments.
    #[error("cannot open the journal in {}: another process holds its lock", dir.display())]
    Locked {
        /// The folder of the journal.
        dir: PathBuf,
    },
    /// A file operation failed.
    #[error("cannot {action} {}: {answer}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file or folder it was tried on.
        path: PathBuf,
        /// The answer of the system. No source of this error, as its text tells it already.
        answer: io::Error,
    },
    /// A segment was written by a newer program. Going on would leave its records unread, so nothing was touched.
    #[error("cannot read {}: it has format version {found}, and this program reads versions up to {supported}", path.display())]
    Version {
        /// The segment.
        path: PathBuf,
        /// The version it states.
        found: u32,
        /// The newest version that can be read.
        supported: u32,
    },
    /// A setting cannot work.
    #[error("invalid journal setting `{setting}`: {reason}")]
    Setting {
        /// The field of [`JournalConfig`](crate::JournalConfig).
        setting: &'static str,
        /// What is wrong with it and what would be right.
        reason: String,
    },
    /// The journal was closed; its files may belong to another process by now.
    #[error("the journal is closed")]
    Closed,
}

impl JournalError {
    /// Wraps the answer of the system with what was tried, for `map_err`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |answer| Self::Io {
            action,
            path,
            answer,
        }
    }
}

/// Why a record was not taken. Nothing of it will be replayed, except that after [`Disk`](Self::Disk) a crash may leave
/// the record readable: replay may then bring a record that was refused, never lose one that was acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The segments together have reached their bound. Space comes back when blocks are written and the journal is trimmed.
    #[error("the journal is full: {bytes} of {max} bytes wait to be written to blocks")]
    Full {
        /// Bytes of all segments and of the records on their way there.
        bytes: u64,
        /// The bound, [`JournalConfig::max_bytes`](crate::JournalConfig::max_bytes).
        max: u64,
        /// When there should be room, judged from the rate at which the journal was trimmed.
        retry_after: Duration,
    },
    /// More waits for the disk than may wait.
    #[error("the journal's queue is full: {bytes} of {max} bytes wait for the disk")]
    QueueFull {
        /// Bytes appended but not yet durable.
        bytes: u64,
        /// The bound, [`JournalConfig::queue_bytes`](crate::JournalConfig::queue_bytes).
        max: u64,
        /// When the queue should be half empty, judged from the rate of the last commits.
        retry_after: Duration,
    },
    /// The disk refused, or has too little space left. The journal tries again by itself.
    #[error("the journal cannot write: {error}")]
    Disk {
        /// What was tried and what the system said.
        error: Arc<str>,
        /// When the journal tries the disk again.
        retry_after: Duration,
    },
    /// The record can never be stored.
    #[error("the record is too large for the journal: {bytes} bytes, at most {max} can be stored")]
    RecordTooLarge {
        /// Bytes that the record would take.
        bytes: u64,
        /// The most that one record may take.
        max: u64,
    },
    /// The tenant's name can never be stored.
    #[error(
        "the tenant's name is too long for the journal: {bytes} bytes, at most {max} can be stored"
    )]
    TenantTooLong {
        /// Bytes of the name.
        bytes: usize,
        /// The most that a name may have.
        max: usize,
    },
    /// The journal was closed, or its thread has died.
    #[error("the journal is closed")]
    Closed,
}

impl AppendError {
    /// When trying again makes sense; `None` where it never does.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Full { retry_after, .. }
            | Self::QueueFull { retry_after, .. }
            | Self::Disk { retry_after, .. } => Some(*retry_after),
            Self::RecordTooLarge { .. } | Self::TenantTooLong { .. } | Self::Closed => None,
        }
    }
}
