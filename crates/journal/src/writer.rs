//! The one thread that writes: group commit, the change of segments, and what happens when the disk fails.
//!
//! ```text
//!             commit ok                 write or sync failed, or too little space
//!            ┌────────┐      ┌────────────────────────────────────────────────┐
//!            ▼        │      │                                                ▼
//!   ──▶ writing ──────┴──────┘                                             failing
//!            ▲                space is there and a new segment was begun      │
//!            └────────────────────────────────────────────────────────────────┘
//! ```
//!
//! After a failed write or sync nothing is known about the file behind its last good commit, and a later sync may report success
//! for pages that were thrown away. So the segment is given up there: its records are refused, and writing goes on in a new one,
//! whose header says where the given-up one ends.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

use crate::active::{Active, Committed};
use crate::error::{AppendError, JournalError};
use crate::files::Lock;
use crate::format::{HEADER_LEN, Previous, segment_name};
use crate::journal::{Ack, Position, Shared};
use crate::queue::{Event, Pending, retry_until};

/// Commits smaller than this are not measured for the rate at which the disk takes bytes.
const RATE_BYTES_MIN: u64 = 256 << 10;

/// How soon a failed disk is tried again, first and at most; doubled in between. A try costs a small file and two syncs.
const FIRST_RETRY: Duration = Duration::from_millis(25);
const LAST_RETRY: Duration = Duration::from_secs(5);

/// The writer's state; owned by its thread.
pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) active: Option<Active>,
    /// The last segment that was sealed or given up, for the header of the next.
    pub(crate) previous: Previous,
    pub(crate) next_number: u64,
    /// Heads of the records being committed; kept for its memory.
    heads: Vec<u8>,
    last_commit: Option<Instant>,
    retry_in: Duration,
    lock: Box<dyn Lock>,
}

impl Writer {
    /// A writer that goes on behind the segments that `previous` ends, in segment `next_number`.
    pub(crate) fn new(
        shared: Arc<Shared>,
        previous: Previous,
        next_number: u64,
        lock: Box<dyn Lock>,
    ) -> Self {
        Self {
            shared,
            active: None,
            previous,
            next_number,
            heads: Vec::new(),
            last_commit: None,
            retry_in: FIRST_RETRY,
            lock,
        }
    }

    /// Begins a segment, removes the empty segments `leftovers`, and starts the thread. What is returned turns true at its end.
    ///
    /// A disk without space is no error: the journal is open then, and refuses until there is some.
    pub(crate) fn start(
        mut self,
        leftovers: &[u64],
    ) -> Result<watch::Receiver<bool>, JournalError> {
        // In a new file: one that stays empty is told from its length, and removed at the next opening.
        match self.begin_segment_in_new_file() {
            Ok(()) => {}
            Err(failure) if failure.is_for_want_of_space() => {
                self.fail(&failure, Vec::new());
            }
            Err(failure) => return Err(failure.into_open_error(&self.shared.config.dir)),
        }
        if self.active.is_some() {
            self.remove_leftovers(leftovers);
        }
        let dir = self.shared.config.dir.clone();
        let (end, ended) = watch::channel(false);
        thread::Builder::new()
            .name("journal".into())
            .spawn(move || {
                let end = End {
                    shared: self.shared.clone(),
                    ended: end,
                };
                self.run();
                end.tell_after(self.lock);
            })
            .map_err(JournalError::io("start the writer thread for", &dir))?;
        Ok(ended)
    }

    fn run(&mut self) {
        loop {
            match self.shared.queue.next(self.last_commit) {
                Event::Commit(group) => self.commit(group),
                Event::Roll(replies) => self.roll(replies),
                Event::Retry => self.retry(),
                Event::Stop => return,
            }
        }
    }

    /// Makes a group of records durable, or refuses all of them.
    fn commit(&mut self, group: Vec<Pending>) {
        let began = Instant::now();
        self.last_commit = Some(began);
        let outcome = match self.try_commit(&group) {
            Err(failure) if failure.is_for_want_of_space() && self.shared.give_all() => {
                self.try_commit(&group)
            }
            outcome => outcome,
        };
        match outcome {
            Ok(committed) => self.acknowledge(group, &committed, began),
            Err(failure) => {
                self.fail(&failure, group);
            }
        }
    }

    fn try_commit(&mut self, group: &[Pending]) -> Result<Committed, Failure> {
        let bytes = group.iter().map(|pending| pending.bytes).sum();
        self.check_space(self.shared.space_needed(bytes))?;
        let full = |active: &Active| {
            active.end > HEADER_LEN && active.end + bytes > self.shared.config.segment_bytes
        };
        if self.active.as_ref().is_none_or(full) {
            self.seal();
            self.begin_segment()?;
        }
        self.make_room(bytes);
        let Some(mut active) = self.active.take() else {
            return Err(Failure::bug("no segment is open"));
        };
        match active.write(group, &mut self.heads) {
            Ok(committed) => {
                self.active = Some(active);
                Ok(committed)
            }
            Err((action, source)) => {
                self.shared.ledger.lock().waste(active.number, bytes);
                let number = active.number;
                self.give_up(&active);
                Err(Failure {
                    action,
                    name: segment_name(number),
                    source,
                })
            }
        }
    }

    fn acknowledge(&mut self, group: Vec<Pending>, committed: &Committed, began: Instant) {
        self.retry_in = FIRST_RETRY;
        let shared = &self.shared;
        let segment = committed.segment;
        let offsets = committed.offsets.iter().copied();
        shared.ledger.lock().hold_all(segment, offsets);
        shared.queue.settled(|| {
            shared.ledger.lock().add(segment, committed.bytes);
        });
        let counters = &shared.counters;
        counters.committed(group.len() as u64, committed.bytes, committed.disk_time);
        // A small commit takes as long as the disk needs to sync, and says nothing of how much it can take.
        if committed.bytes >= RATE_BYTES_MIN {
            counters
                .commit_rate
                .measured(committed.bytes, began.elapsed());
        }
        for (pending, &offset) in group.into_iter().zip(&committed.offsets) {
            let position = Position { segment, offset };
            // Refused by a caller that has gone away: the `Ack` then gives the record up as it is dropped.
            let _ = pending.ack.send(Ok(Ack::new(position, shared.clone())));
        }
    }

    fn roll(&mut self, replies: Vec<oneshot::Sender<Result<u64, AppendError>>>) {
        let is_empty = |active: &Active| active.end == HEADER_LEN;
        let outcome = if self.active.as_ref().is_some_and(is_empty) {
            Ok(())
        } else {
            self.seal();
            self.begin_segment()
        };
        let answer = match outcome {
            Ok(()) => Ok(self.shared.ledger.lock().active()),
            Err(failure) => Err(self.fail(&failure, Vec::new())),
        };
        for reply in replies {
            let _ = reply.send(answer.clone());
        }
    }

    /// Tries whether the disk works again.
    fn retry(&mut self) {
        let outcome = self
            .check_space(self.shared.space_to_resume())
            .and_then(|()| match self.active {
                Some(_) => Ok(()),
                None => self.begin_segment(),
            });
        match outcome {
            Ok(()) => {
                if self.shared.queue.recover() {
                    tracing::info!(dir = %self.shared.config.dir.display(), "the journal writes again");
                }
            }
            Err(failure) => {
                self.fail(&failure, Vec::new());
            }
        }
    }

    /// Ends the active segment where its last good commit ends.
    fn seal(&mut self) {
        if let Some(active) = self.active.take() {
            self.give_up(&active);
        }
    }

    fn give_up(&mut self, active: &Active) {
        self.previous = Previous {
            segment: active.number,
            ends: active.end,
            settled: active.end,
        };
    }

    /// Whether the file system has the space `needed`, for which all gives way that is not.
    fn check_space(&self, needed: Option<u64>) -> Result<(), Failure> {
        let Some(needed) = needed else {
            return Ok(());
        };
        let dir = &self.shared.config.dir;
        loop {
            let available = match self.shared.files.available(dir) {
                Ok(available) if available < needed => available,
                // Not knowing is no reason to stop; the write will tell.
                Ok(_) | Err(_) => return Ok(()),
            };
            if self.shared.give_way(true) {
                continue;
            }
            let reserve = self.shared.config.reserve_bytes;
            return Err(Failure {
                action: "write to",
                name: dir.display().to_string(),
                source: io::Error::new(
                    io::ErrorKind::StorageFull,
                    format!(
                        "{available} bytes are free on its file system, {reserve} are kept for writing blocks"
                    ),
                ),
            });
        }
    }

    /// Has files give way until `bytes` more in the active segment keep all of them within their bound.
    fn make_room(&self, bytes: u64) {
        let shared = &self.shared;
        let is_room = || {
            let after = shared.ledger.lock().bytes_on_disk_after(bytes);
            after <= shared.config.max_bytes
        };
        while !is_room() && shared.give_way(false) {}
    }

    /// Has the queue refuse until the next try, refuses `group` and what waited behind it, and returns with what.
    ///
    /// The queue refuses before anybody learns why, so that who tries again at once finds it refusing.
    fn fail(&mut self, failure: &Failure, group: Vec<Pending>) -> AppendError {
        let shared = &self.shared;
        let error = failure.text();
        shared.counters.failures.fetch_add(1, Relaxed);
        if self.retry_in == FIRST_RETRY {
            tracing::error!(
                dir = %shared.config.dir.display(), %error,
                "the journal cannot write; appends are refused until it can"
            );
        }
        let next_try = Instant::now() + self.retry_in;
        self.retry_in = (self.retry_in * 2).min(LAST_RETRY);
        let waited = shared.queue.fail(error.clone(), next_try);
        shared.queue.settled(|| ());
        let retry_after = retry_until(next_try);
        let refusal = AppendError::Disk { error, retry_after };
        for pending in group.into_iter().chain(waited) {
            let _ = pending.ack.send(Err(refusal.clone()));
        }
        refusal
    }

    fn remove_leftovers(&self, leftovers: &[u64]) {
        for &number in leftovers {
            let path = self.shared.segment_path(number);
            if let Err(error) = self.shared.files.remove(&path) {
                tracing::warn!(path = %path.display(), %error, "cannot remove an empty segment");
            }
        }
    }
}

// === impl Failure ===

/// A file operation that failed.
pub(crate) struct Failure {
    pub(crate) action: &'static str,
    /// Of the file within the folder, or the folder.
    pub(crate) name: String,
    pub(crate) source: io::Error,
}

impl Failure {
    fn bug(what: &'static str) -> Self {
        Self {
            action: "commit to",
            name: "the journal".into(),
            source: io::Error::other(what),
        }
    }

    fn text(&self) -> Arc<str> {
        format!("cannot {} {}: {}", self.action, self.name, self.source).into()
    }

    pub(crate) fn is_for_want_of_space(&self) -> bool {
        use io::ErrorKind::{QuotaExceeded, StorageFull};
        matches!(self.source.kind(), StorageFull | QuotaExceeded)
    }

    fn into_open_error(self, dir: &Path) -> JournalError {
        JournalError::io(self.action, &dir.join(&self.name))(self.source)
    }
}

/// Tells the end of the thread, also when it panics: nobody waits for what no longer runs.
struct End {
    shared: Arc<Shared>,
    ended: watch::Sender<bool>,
}

impl End {
    /// Gives the folder's lock back and tells the end: in this order, so that who waited can open the journal again, and with
    /// no trim under way, so that none ever removes files of the next one who opens it.
    fn tell_after(self, lock: Box<dyn Lock>) {
        let shared = self.shared.clone();
        let no_trim = shared.trims.lock();
        drop(lock);
        drop(self);
        drop(no_trim);
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.shared.queue.abandon();
        self.ended.send_replace(true);
    }
}
