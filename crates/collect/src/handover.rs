//! From the journal's care to the shards' and from there to blocks: which records are handed over, and which segments may go.
//!
//! A segment may be removed when no record in it is on its way to the shards and no span of it waits in a shard. The journal
//! knows the first (a record is *held* until it is handed over), the shards the second (the lowest segment each still needs).
//! The two must not be read so that a record slips from one to the other between the looks. Therefore shards only note
//! what they have taken, *after* publishing their new lowest segment, and one thread hands over and then trims: what is not
//! noted when it looks is still held, and what is noted is in the lowest segments that it reads next.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TrySendError};
use journal::{Journal, Position};
use parking_lot::Mutex;

/// How often records are handed over when nothing is flushed; bounds what the journal has to remember as held.
const PAUSE: Duration = Duration::from_secs(1);

/// When the journal is as full as this, by its bound or by its disk, spans that hold its oldest segment are flushed early. The
/// quarter that is left takes what comes in until their block is written.
const PRESSED: f64 = 0.75;

/// What shards tell the trimmer.
#[derive(Debug)]
pub(crate) struct Handover {
    /// The lowest segment that each shard needs.
    lowest: Vec<AtomicU64>,
    /// Records that all their shards have taken. Bounded by what comes in during [`PAUSE`].
    taken: Mutex<Vec<Position>>,
    /// One more than the segment that shards should let go of; 0 while the journal has room.
    pressed: AtomicU64,
    wake: Sender<()>,
    is_stopped: AtomicBool,
}

impl Handover {
    /// Starts the thread that serves `journal`. It ends after [`Self::stop`], or when all of this is dropped.
    pub(crate) fn start(
        shards: usize,
        journal: Journal,
    ) -> std::io::Result<(Arc<Self>, JoinHandle<()>)> {
        let (wake, woken) = crossbeam_channel::bounded(1);
        let handover = Arc::new(Self {
            lowest: (0..shards).map(|_| AtomicU64::new(u64::MAX)).collect(),
            taken: Mutex::default(),
            pressed: AtomicU64::new(0),
            wake,
            is_stopped: AtomicBool::new(false),
        });
        let weak = Arc::downgrade(&handover);
        let thread = std::thread::Builder::new()
            .name("trimmer".into())
            .spawn(move || {
                while wait(&woken) {
                    let Some(handover) = weak.upgrade() else {
                        return;
                    };
                    if handover.is_stopped.load(Ordering::Acquire) {
                        return;
                    }
                    handover.run_once(&journal);
                }
            })?;
        Ok((handover, thread))
    }

    /// Publishes the lowest segment that a shard needs.
    pub(crate) fn publish(&self, shard: usize, lowest: u64) {
        self.lowest[shard].store(lowest, Ordering::Release);
    }

    /// Notes that all shards have taken the record. Each must have published its lowest segment before.
    pub(crate) fn taken(&self, position: Position) {
        self.taken.lock().push(position);
    }

    /// The segment up to which the journal wants its space back, while it is short of it.
    pub(crate) fn pressed_through(&self) -> Option<u64> {
        self.pressed.load(Ordering::Relaxed).checked_sub(1)
    }

    /// Has the trimmer look now, because spans were stored.
    pub(crate) fn wake(&self) {
        // Full means that it has been woken already.
        let _: Result<(), TrySendError<()>> = self.wake.try_send(());
    }

    /// Ends the thread.
    pub(crate) fn stop(&self) {
        self.is_stopped.store(true, Ordering::Release);
        self.wake();
    }

    /// Hands over what was taken and removes the segments that nobody needs.
    pub(crate) fn run_once(&self, journal: &Journal) {
        let taken = std::mem::take(&mut *self.taken.lock());
        for position in taken {
            journal.handed_over(position);
        }
        let lowest = self
            .lowest
            .iter()
            .map(|segment| segment.load(Ordering::Acquire));
        let lowest = lowest.min().unwrap_or(u64::MAX);
        match journal.trim(lowest) {
            Ok(trimmed) if trimmed.segments > 0 => tracing::debug!(
                segments = trimmed.segments,
                bytes = trimmed.bytes,
                below = lowest,
                "journal trimmed"
            ),
            Ok(_) | Err(journal::JournalError::Closed) => {}
            Err(error) => tracing::warn!(%error, "journal not trimmed; it will be tried again"),
        }
        let stats = journal.stats();
        let wanted = if journal.fullness() >= PRESSED || stats.failing.is_some() {
            stats.oldest_segment.saturating_add(1)
        } else {
            0
        };
        self.pressed.store(wanted, Ordering::Relaxed);
    }
}

/// Waits for a wake-up or the pause; false when there will be none again.
fn wait(woken: &Receiver<()>) -> bool {
    use crossbeam_channel::RecvTimeoutError::{Disconnected, Timeout};
    match woken.recv_timeout(PAUSE) {
        Ok(()) | Err(Timeout) => true,
        Err(Disconnected) => false,
    }
}
