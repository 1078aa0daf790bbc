//! The handle that everybody else uses: open, append, hand over, trim, close.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use bytes::Bytes;
use model::UnixNanos;
use parking_lot::Mutex;
use tokio::sync::{oneshot, watch};

use crate::config::JournalConfig;
use crate::error::{AppendError, JournalError};
use crate::files::Files;
use crate::format::{HEAD_LEN, MAX_PAYLOAD, MAX_TENANT, segment_name};
use crate::ledger::Ledger;
use crate::open::LockedFolder;
use crate::queue::{MAX_GROUP_BYTES, Pending, Queue, time_for};
use crate::recover::Recovered;
use crate::stats::{Counters, JournalStats};
use crate::trim::Trims;

/// How often it is said that the journal is full, at the most.
const FULL_SAID_EVERY: Duration = Duration::from_secs(30);

/// What is stored: bytes that mean nothing to the journal, and what is needed to take them up again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When the payload was received.
    pub received: UnixNanos,
    /// How the payload is encoded, in the caller's numbering.
    pub encoding: u8,
    /// Whose it is; at most 255 bytes.
    pub tenant: Arc<str>,
    /// The payload; at most 128 MiB.
    pub payload: Bytes,
}

/// Where a record is. Later records have higher positions, across restarts too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Number of the segment, from 1.
    pub segment: u64,
    /// Byte offset in it.
    pub offset: u64,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.segment, self.offset)
    }
}

/// What a trim has given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// Segments that are gone.
    pub segments: u64,
    /// Bytes of their files, some of which wait to be used again.
    pub bytes: u64,
}

/// A journal that is open for appending. Clones are handles to the same one.
///
/// One thread, `journal`, does all writing. It ends after [`close`](Self::close), or after the last handle is dropped; either
/// way what was appended is written first. The folder's lock is held until then.
#[derive(Clone)]
pub struct Journal {
    shared: Arc<Shared>,
    /// Ends the thread when the last handle goes; the thread itself holds `shared`.
    _last: Arc<CloseOnDrop>,
    ended: watch::Receiver<bool>,
}

/// What handles, acknowledgements, replay and the writer share.
pub(crate) struct Shared {
    pub(crate) config: JournalConfig,
    pub(crate) files: Arc<dyn Files>,
    pub(crate) id: u128,
    pub(crate) id_text: String,
    pub(crate) queue: Queue,
    pub(crate) ledger: Mutex<Ledger>,
    pub(crate) counters: Counters,
    /// What was found at opening: see [`JournalStats`].
    pub(crate) torn_bytes_cut: u64,
    pub(crate) damage_found: u64,
    /// When it was last said that the journal is full.
    pub(crate) full_said: Mutex<Option<Instant>>,
    /// Locked for the whole of a trim, so that there is one at a time.
    pub(crate) trims: Mutex<Trims>,
}

/// The news that a record is durable. Dropped without being taken, it gives the record up: nobody was told of it, so nobody
/// will hand it over.
pub(crate) struct Ack {
    position: Position,
    shared: Option<Arc<Shared>>,
}

struct CloseOnDrop(Arc<Shared>);

impl Journal {
    /// Opens the journal in `config.dir`, or makes one there, and reads back what an earlier process has left:
    /// [`LockedFolder::lock`] and [`LockedFolder::open`] in one.
    ///
    /// # Errors
    ///
    /// Those of both.
    pub fn open(
        config: JournalConfig,
        files: Arc<dyn Files>,
    ) -> Result<(Self, Recovered), JournalError> {
        LockedFolder::lock(config, files)?.open()
    }

    pub(crate) fn new(shared: Arc<Shared>, ended: watch::Receiver<bool>) -> Self {
        Self {
            _last: Arc::new(CloseOnDrop(shared.clone())),
            shared,
            ended,
        }
    }

    /// The random id of this folder's journal, 32 hex digits; the same at every opening.
    pub fn id(&self) -> &str {
        &self.shared.id_text
    }

    /// The settings it was opened with.
    pub fn config(&self) -> &JournalConfig {
        &self.shared.config
    }

    /// Stores a record and resolves when it is durable, with its position.
    ///
    /// From then on the record is *held*: its segment stays until [`handed_over`](Self::handed_over) is called with the position.
    /// Records are stored in the order in which calls were first polled. The payload is not copied; its checksum is computed in
    /// the caller's task (about 0.1 ms per MiB).
    ///
    /// Cancelling (dropping the future) leaves open whether the record is stored; it is then not held, as nobody knows of it.
    ///
    /// # Errors
    ///
    /// See [`AppendError`]; all but the last three kinds tell when to try again. It never waits for room.
    pub async fn append(&self, entry: Entry) -> Result<Position, AppendError> {
        let acknowledged = match self.enqueue(entry) {
            Ok(acknowledged) => acknowledged.await,
            Err(refused) => Ok(Err(refused)),
        };
        match acknowledged {
            Ok(Ok(ack)) => Ok(ack.take()),
            Ok(Err(error)) => {
                self.count_refusal(&error);
                Err(error)
            }
            Err(_writer_gone) => Err(AppendError::Closed),
        }
    }

    fn enqueue(
        &self,
        entry: Entry,
    ) -> Result<oneshot::Receiver<Result<Ack, AppendError>>, AppendError> {
        let shared = &*self.shared;
        let bytes = shared.check_size(&entry)?;
        let (ack, acknowledged) = oneshot::channel();
        let pending = Pending {
            payload_crc: crc32fast::hash(&entry.payload),
            received: entry.received,
            encoding: entry.encoding,
            tenant: entry.tenant,
            payload: entry.payload,
            bytes,
            ack,
        };
        shared
            .queue
            .push(pending, shared.counters.commit_rate.get(), |queued| {
                shared.check_room(queued)
            })?;
        Ok(acknowledged)
    }

    fn count_refusal(&self, error: &AppendError) {
        let counters = &self.shared.counters;
        match error {
            AppendError::Full { .. } => {
                self.shared.say_full(error);
                counters.refused_full.fetch_add(1, Relaxed)
            }
            AppendError::QueueFull { .. } => counters.refused_queue.fetch_add(1, Relaxed),
            AppendError::Disk { .. } => counters.refused_disk.fetch_add(1, Relaxed),
            AppendError::RecordTooLarge { .. } | AppendError::TenantTooLong { .. } => {
                counters.refused_size.fetch_add(1, Relaxed)
            }
            AppendError::Closed => 0,
        };
    }

    /// Ends the holding of the record at `position`: whoever called has taken it in and will say by
    /// [`trim`](Self::trim) when it is stored elsewhere. Telling twice, or of an unknown position, does nothing.
    pub fn handed_over(&self, position: Position) {
        self.shared.ledger.lock().release(position);
    }

    /// Gives up the sealed segments numbered below `segment`, lowest first, up to the first that still holds a record or was not
    /// replayed to its end.
    ///
    /// The caller vouches that all records below `segment` that it was handed are stored elsewhere. Files are kept for new
    /// segments; of what is too much for that, a call cuts off a little, so calls should come every second or so. Segments with
    /// unreadable stretches are renamed to `*.damaged`, as long as there are few of those. A segment may come back after a power
    /// loss; it is replayed again then. Blocks while files are renamed, synced or removed.
    ///
    /// # Errors
    ///
    /// When the journal is closed, or a file cannot be renamed or removed; segments below that file are gone then, and the next
    /// call tries again.
    pub fn trim(&self, segment: u64) -> Result<Trimmed, JournalError> {
        let mut trims = self.shared.trims.lock();
        if *self.ended.borrow() {
            return Err(JournalError::Closed);
        }
        self.shared.trim(segment, &mut trims)
    }

    /// Seals the active segment and returns the number of the new one. All records acknowledged before are below it.
    ///
    /// With that number, [`trim`](Self::trim) can remove everything: for a clean stop that leaves nothing to replay.
    ///
    /// # Errors
    ///
    /// [`AppendError::Disk`] or [`AppendError::Closed`].
    pub async fn roll(&self) -> Result<u64, AppendError> {
        let (reply, rolled) = oneshot::channel();
        self.shared.queue.push_roll(reply)?;
        rolled.await.unwrap_or(Err(AppendError::Closed))
    }

    /// A snapshot of the numbers. Costs a few short locks.
    pub fn stats(&self) -> JournalStats {
        let shared = &*self.shared;
        let load = shared.queue.load();
        let ledger = shared.ledger.lock();
        JournalStats {
            segments: ledger.count(),
            bytes: ledger.bytes_on_disk(),
            max_bytes: shared.config.max_bytes,
            fullness: (ledger.bytes_used() + load.bytes) as f64 / shared.config.max_bytes as f64,
            spare_files: ledger.spares.count(),
            spare_bytes: ledger.spares.bytes(),
            oldest_segment: ledger.oldest().unwrap_or_default(),
            active_segment: ledger.active(),
            held_records: ledger.held(),
            segments_to_replay: ledger.to_replay(),
            queued_records: load.records,
            queued_bytes: load.bytes,
            torn_bytes_cut: shared.torn_bytes_cut,
            damage_found: shared.damage_found,
            failing: load.failing,
            ..shared.counters.snapshot()
        }
    }

    /// How full it is, as a share of what it may take: of its bound, or of its disk, whatever is less. 1.0 is full. Asks the file system.
    pub fn fullness(&self) -> f64 {
        let Shared { config, files, .. } = &*self.shared;
        let stats = self.stats();
        let of_disk = match config.reserve_bytes {
            0 => 0.0,
            reserve => {
                let used = stats.fullness * config.max_bytes as f64;
                // Not knowing is no reason for haste.
                let available = files.available(&config.dir).unwrap_or(u64::MAX);
                let free = available.saturating_add(stats.spare_bytes);
                used / (used + free.saturating_sub(reserve) as f64).max(1.0)
            }
        };
        stats.fullness.max(of_disk)
    }

    /// Refuses further appends, writes what waits, ends the thread and gives the folder's lock back.
    ///
    /// Resolves when all of that is done; calling it again, or from another handle, waits for the same end. Cancelling does not
    /// stop it.
    pub async fn close(&self) {
        self.shared.queue.close();
        // An error means that the thread is gone, which is what was waited for.
        let _ = self.ended.clone().wait_for(|ended| *ended).await;
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal")
            .field("dir", &self.shared.config.dir)
            .field("id", &self.shared.id_text)
            .finish_non_exhaustive()
    }
}

// === impl Shared ===

impl Shared {
    /// The path of a segment.
    pub(crate) fn segment_path(&self, number: u64) -> PathBuf {
        self.config.dir.join(segment_name(number))
    }

    /// The bytes that `entry` takes in a segment, if it can ever be stored.
    fn check_size(&self, entry: &Entry) -> Result<u64, AppendError> {
        if entry.tenant.len() > MAX_TENANT {
            return Err(AppendError::TenantTooLong {
                bytes: entry.tenant.len(),
                max: MAX_TENANT,
            });
        }
        let bytes = (HEAD_LEN + entry.tenant.len() + entry.payload.len()) as u64;
        // A segment ends behind the commit that passes its size, so no record is larger than half of all segments.
        let max = (MAX_PAYLOAD as u64).min(self.config.max_bytes / 2);
        if bytes > max {
            return Err(AppendError::RecordTooLarge { bytes, max });
        }
        Ok(bytes)
    }

    /// Logs that records are refused because the journal is full: once for a burst of refusals.
    fn say_full(&self, error: &AppendError) {
        let mut said = self.full_said.lock();
        if said.is_none_or(|said| said.elapsed() >= FULL_SAID_EVERY) {
            *said = Some(Instant::now());
            tracing::warn!(
                dir = %self.config.dir.display(), %error,
                "senders are told to come back; if this goes on, the storage is too slow for what comes in, or does not take blocks"
            );
        }
    }

    /// Whether `queued` bytes more fit into the bound on all files, when the spare ones give way.
    fn check_room(&self, queued: u64) -> Result<(), AppendError> {
        let bytes = self.ledger.lock().bytes_used() + queued;
        let max = self.config.max_bytes;
        if bytes <= max {
            return Ok(());
        }
        // Space comes back by whole segments; on average the next one is half a segment away.
        let until_room = (bytes - max).max(self.config.segment_bytes / 2);
        Err(AppendError::Full {
            bytes,
            max,
            retry_after: time_for(until_room, self.counters.drain_rate.get()),
        })
    }

    /// Bytes that must be free on the file system for `bytes` more to be written; `None` when any space may be used.
    pub(crate) fn space_needed(&self, bytes: u64) -> Option<u64> {
        match self.config.reserve_bytes {
            0 => None,
            reserve => Some(reserve + bytes),
        }
    }

    /// Bytes that must be free before writing is taken up again; more than for one commit, lest it stops again at once.
    pub(crate) fn space_to_resume(&self) -> Option<u64> {
        self.space_needed(2 * MAX_GROUP_BYTES)
    }
}

// === impl Ack ===

impl Ack {
    pub(crate) fn new(position: Position, shared: Arc<Shared>) -> Self {
        Self {
            position,
            shared: Some(shared),
        }
    }

    fn take(mut self) -> Position {
        self.shared = None;
        self.position
    }
}

impl Drop for Ack {
    fn drop(&mut self) {
        if let Some(shared) = &self.shared {
            shared.ledger.lock().release(self.position);
        }
    }
}

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.queue.close();
    }
}
