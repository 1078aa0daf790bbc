//! Files of trimmed segments that wait to be used again, and how they give way.
//!
//! A file system that discards blocks as they are freed keeps the disk busy with that: 64 MiB take some 95 ms, in which nothing
//! can be committed. And a new file makes every commit allocate blocks and record a new length. So trimmed files are kept, up to a
//! bound, and new segments are written over them. What is beyond the bound is cut off in small steps, one per trim at most,
//! and never by the thread that commits, as long as there is room.
//!
//! What is on disk and not needed counts against the bound on the journal, and never causes a refusal: spare files are removed, and
//! the rests of segments' files cut off, before anything is refused for want of room, and when the file system has less space than
//! is to be left free.

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::error::JournalError;
use crate::format::spare_name;
use crate::journal::Shared;

/// Most that is cut off a file at once: the disk is busy with it for a few milliseconds.
pub(crate) const SHRINK_STEP: u64 = 4 << 20;
/// The least time between two steps, which leaves most of the disk's time to commits.
const SHRINK_PAUSE: Duration = Duration::from_millis(100);

/// A file that waits to be used again; the number is of the segment that it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spare {
    pub(crate) number: u64,
    pub(crate) bytes: u64,
}

/// The spare files and how large they should be.
///
/// Whoever works on a file has borrowed it: nobody else finds it, and its bytes count until they are told to be gone.
#[derive(Debug)]
pub(crate) struct Spares {
    files: Vec<Spare>,
    /// Bytes of the files that somebody works on.
    lent_bytes: u64,
    segment_bytes: u64,
    /// Whether the file system can do it at all, as far as is known.
    is_possible: bool,
}

impl Spares {
    pub(crate) fn new(segment_bytes: u64) -> Self {
        Self {
            files: Vec::new(),
            lent_bytes: 0,
            segment_bytes,
            is_possible: true,
        }
    }

    /// Adds what an earlier process has left.
    pub(crate) fn add(&mut self, files: impl IntoIterator<Item = Spare>) {
        self.files.extend(files);
    }

    /// Borrows the file that is best for a new segment, if one is of use.
    pub(crate) fn take_for_use(&mut self) -> Option<Spare> {
        let best = (0..self.files.len())
            .filter(|&at| self.is_of_use(&self.files[at]))
            .min_by_key(|&at| self.misfit(&self.files[at]))?;
        Some(self.take(best))
    }

    /// Borrows the file that is missed least.
    pub(crate) fn take_to_give_back(&mut self) -> Option<Spare> {
        let least = (0..self.files.len()).min_by_key(|&at| {
            let spare = &self.files[at];
            (self.is_of_use(spare), u64::MAX - self.misfit(spare))
        })?;
        Some(self.take(least))
    }

    fn take(&mut self, at: usize) -> Spare {
        let spare = self.files.swap_remove(at);
        self.lent_bytes += spare.bytes;
        spare
    }

    /// Counts a file that was a segment until now and will be put in.
    pub(crate) fn lend(&mut self, bytes: u64) {
        self.lent_bytes += bytes;
    }

    /// Puts a file in that was borrowed with a length of `before`.
    pub(crate) fn put_back(&mut self, spare: Spare, before: u64) {
        self.is_gone(before);
        self.files.push(spare);
    }

    /// Ends the counting of a file of `bytes` that was borrowed.
    pub(crate) fn is_gone(&mut self, bytes: u64) {
        debug_assert!(bytes <= self.lent_bytes);
        self.lent_bytes -= bytes;
    }

    /// Files cannot be written over here: all are to be given back.
    pub(crate) fn use_no_more(&mut self) {
        self.is_possible = false;
    }

    pub(crate) fn has_useless(&self) -> bool {
        self.files.iter().any(|spare| !self.is_of_use(spare))
    }

    /// Bytes of the files that wait and of those that were borrowed.
    pub(crate) fn bytes(&self) -> u64 {
        let waiting: u64 = self.files.iter().map(|spare| spare.bytes).sum();
        waiting + self.lent_bytes
    }

    pub(crate) fn count(&self) -> u64 {
        self.files.len() as u64
    }

    /// A file from which much was cut off would be allocated anew as it is written, and much of one that is far too long would
    /// stay unused.
    fn is_of_use(&self, spare: &Spare) -> bool {
        let useful = self.segment_bytes / 2..=2 * self.segment_bytes;
        self.is_possible && useful.contains(&spare.bytes)
    }

    /// How far a file's length is from that of a segment. Cutting some off makes this more, so a file that was begun to be
    /// given back is the next to be cut again.
    fn misfit(&self, spare: &Spare) -> u64 {
        spare.bytes.abs_diff(self.segment_bytes)
    }
}

// === impl Shared ===

impl Shared {
    /// The path of a spare file.
    pub(crate) fn spare_path(&self, number: u64) -> PathBuf {
        self.config.dir.join(spare_name(number))
    }

    /// Puts in files that were renamed just now.
    ///
    /// The new names are made durable first: a crash that brought an old name back after the file was written over would leave
    /// a segment with another one's records.
    pub(crate) fn keep_spares(&self, files: Vec<Spare>) -> Result<(), JournalError> {
        if files.is_empty() {
            return Ok(());
        }
        let dir = &self.config.dir;
        let synced = self.files.sync_dir(dir);
        for spare in files {
            match synced {
                Ok(()) => self.ledger.lock().spares.put_back(spare, spare.bytes),
                Err(_) => self.remove_spare(&spare),
            }
        }
        synced.map_err(JournalError::io("sync", dir))
    }

    /// Gives back a little of the spare files, where there are too many bytes of them; all that is not needed when space is
    /// short. Part of a trim.
    pub(crate) fn shrink_spares(&self, last_step: &mut Instant) {
        while self.has_less_than(self.space_needed(0))
            && (self.give_back_spare() || self.cut_rest(false))
        {}
        if last_step.elapsed() < SHRINK_PAUSE {
            return;
        }
        let bound = self.config.spare_bytes();
        let max = self.config.max_bytes;
        let spare = {
            let ledger = &mut *self.ledger.lock();
            let is_much = ledger.spares.bytes() > bound || ledger.bytes_on_disk() > max;
            let is_due = is_much || ledger.spares.has_useless();
            is_due.then(|| ledger.spares.take_to_give_back()).flatten()
        };
        if let Some(spare) = spare {
            self.shrink(spare);
            *last_step = Instant::now();
        }
    }

    /// Cuts a step off a file that was borrowed, and puts it back while something is left.
    fn shrink(&self, spare: Spare) {
        if spare.bytes <= SHRINK_STEP {
            return self.remove_spare(&spare);
        }
        let before = spare.bytes;
        let bytes = before - SHRINK_STEP;
        match self.files.truncate(&self.spare_path(spare.number), bytes) {
            Ok(()) => {
                let shorter = Spare { bytes, ..spare };
                self.ledger.lock().spares.put_back(shorter, before);
            }
            Err(_) => self.remove_spare(&spare),
        }
    }

    /// Gives back some of what is on disk and not needed, for the thread that writes; false when there is nothing of that kind.
    ///
    /// Waits for a trim under way where it comes to segments, lest both work on the same file.
    pub(crate) fn give_way(&self, with_active: bool) -> bool {
        self.give_back_spare() || {
            let _no_trim = self.trims.lock();
            self.cut_rest(with_active)
        }
    }

    /// Gives back all that is on disk and not needed; false when there is nothing of that kind.
    pub(crate) fn give_all(&self) -> bool {
        let is_something = self.give_way(true);
        while self.give_way(true) {}
        is_something
    }

    /// Removes the spare file that is missed least; false when there is none.
    fn give_back_spare(&self) -> bool {
        let spare = self.ledger.lock().spares.take_to_give_back();
        if let Some(spare) = spare {
            self.remove_spare(&spare);
        }
        spare.is_some()
    }

    /// Cuts off the longest rest of a segment's file; false when there is none. Only while trims are locked.
    fn cut_rest(&self, with_active: bool) -> bool {
        let cut = self.ledger.lock().take_rest(with_active);
        if let Some(cut) = &cut {
            let path = self.segment_path(cut.number);
            if let Err(error) = self.files.truncate(&path, cut.bytes) {
                tracing::warn!(path = %path.display(), %error, "cannot cut off what a segment does not need");
                self.ledger.lock().keep_rest(cut);
            }
        }
        cut.is_some()
    }

    /// Removes a file that was borrowed. One that cannot be removed counts until the journal is opened again, which finds it.
    pub(crate) fn remove_spare(&self, spare: &Spare) {
        let path = self.spare_path(spare.number);
        match self.files.remove(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(path = %path.display(), %error, "cannot remove a spare file of the journal");
            }
            Ok(()) | Err(_) => self.ledger.lock().spares.is_gone(spare.bytes),
        }
    }

    /// Whether the file system has less than `needed` bytes free. Not knowing is no reason to stop; the write will tell.
    fn has_less_than(&self, needed: Option<u64>) -> bool {
        let available = || self.files.available(&self.config.dir);
        needed.is_some_and(|needed| available().is_ok_and(|available| available < needed))
    }
}
