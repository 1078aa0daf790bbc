//! The journal: what makes "acknowledged" mean "not lost".
//!
//! Records are appended to segment files in one folder.
//! An append is answered when its record is durable; one thread writes the records of many callers and syncs them together
//! (group commit). When the records of a segment are stored elsewhere, the segment is trimmed; after a restart, what was not
//! trimmed is replayed. Replay may bring a record that was never acknowledged, or one that is stored elsewhere already; it never
//! misses one that was acknowledged and not trimmed.
//!
//! The journal knows nothing of what it stores: a payload is bytes, a tenant is a name, an encoding is a number. It reads no
//! clock but the monotonic one by which it paces itself, and it never writes into a segment that an earlier process has left.
//!
//! ```text
//!   append ──▶ queue ──▶ writer thread ──▶ 00000000000000000007.segment      active
//!                                          00000000000000000006.segment      sealed, holds records
//!   trim ────────────────────────────────▶ 00000000000000000005.segment      sealed, free: becomes spare
//!                                          00000000000000000004.spare        the file of the next segment
//!                                          journal.id  journal.lock
//! ```
//!
//! A trimmed segment's file is not removed but kept for a new segment to be written over, up to a bound; `spare.rs` says why.
//!
//! The folder holds, besides these: `journal.id`, the journal's random id as 32 hex digits and its checksum, made once;
//! `journal.lock`, locked while a process has the journal open; and `*.damaged`, files set aside for a person, which the journal
//! never reads. The bytes of a segment are described in `format.rs`.
//!
//! # Example
//!
//! ```
//! use std::sync::Arc;
//! use journal::{Entry, Journal, JournalConfig, SystemFiles};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! let config = JournalConfig::new(dir.path());
//! let (journal, recovered) = Journal::open(config, Arc::new(SystemFiles))?;
//! for record in recovered.records {
//!     let (position, _entry) = record?;
//!     journal.handed_over(position);
//! }
//! let entry = Entry {
//!     received: model::UnixNanos(1_700_000_000_000_000_000),
//!     encoding: 0,
//!     tenant: "default".into(),
//!     payload: "request".into(),
//! };
//! let position = journal.append(entry).await?; // durable
//! journal.handed_over(position); // the spans are in memory, where queries see them
//! let newest = journal.roll().await?; // the spans are in a block
//! journal.trim(newest)?;
//! journal.close().await;
//! # Ok(())
//! # }
//! ```

mod active;
mod begin;
mod check;
mod config;
#[cfg(target_os = "linux")]
mod direct;
mod error;
mod files;
mod folder;
mod format;
mod inspect;
mod journal;
mod ledger;
mod open;
mod queue;
mod reader;
mod recover;
mod replay;
mod spare;
mod stats;
pub mod testing;
mod trim;
mod writer;

pub use config::JournalConfig;
pub use error::{AppendError, JournalError};
pub use files::{AppendFile, FileEntry, Files, Lock, PADDING, ReadFile, SystemFiles};
pub use inspect::{Inspection, SegmentInspection, inspect};
pub use journal::{Entry, Journal, Position, Trimmed};
pub use open::LockedFolder;
pub use recover::{Recovered, RecoveryReport};
pub use replay::Replay;
pub use stats::JournalStats;
