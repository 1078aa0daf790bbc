//! What the segments on disk hold and what of it is still needed: the facts that decide which segments may go.

use std::collections::{BTreeMap, BTreeSet};

use crate::files::padded_end;
use crate::format::HEADER_LEN;
use crate::journal::Position;
use crate::spare::{Spare, Spares};

/// One segment file.
#[derive(Debug)]
pub(crate) struct Segment {
    /// Length of the file.
    pub(crate) bytes: u64,
    /// What of it is used: header, records, unreadable stretches. What is behind that gives way when space is short.
    pub(crate) used: u64,
    /// Offsets of the records that nobody has taken over yet.
    ///
    /// Offsets rather than a count, so that telling twice does no harm. Grows with the records between journal and shards,
    /// which the shards' inboxes bound.
    held: BTreeSet<u64>,
    /// Written by an earlier process and not yet read to its end: all its records count as held.
    to_replay: bool,
    fate: Fate,
}

/// The rest of a segment's file, which is being cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    pub(crate) number: u64,
    /// Length of the file before.
    before: u64,
    /// Length of the file when it is done.
    pub(crate) bytes: u64,
}

/// What becomes of a segment's file when nothing in it is needed any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It waits to be used again.
    Keep,
    /// It is removed: a write to it has failed once.
    Remove,
    /// It holds unreadable stretches and is kept for a person.
    SetAside,
}

impl Segment {
    /// A segment of an earlier process that ends at `used`; with records it waits to be replayed.
    pub(crate) fn new(bytes: u64, used: u64, to_replay: bool, damaged: bool) -> Self {
        Self {
            bytes,
            // What is damaged is left as it is.
            used: if damaged { bytes } else { used.min(bytes) },
            held: BTreeSet::new(),
            to_replay,
            fate: if damaged { Fate::SetAside } else { Fate::Keep },
        }
    }

    fn is_free(&self) -> bool {
        self.held.is_empty() && !self.to_replay
    }

    /// Makes the file as long as `end`, where it is shorter, and returns by how much.
    fn reach(&mut self, end: u64) -> u64 {
        let longer = end.saturating_sub(self.bytes);
        self.bytes += longer;
        longer
    }

    /// Bytes of the file behind the padding.
    fn rest(&self) -> u64 {
        self.bytes.saturating_sub(padded_end(self.used))
    }
}

/// All segments by number, and the spare files. The active segment, which is being written, is the highest and never free to go.
#[derive(Debug)]
pub(crate) struct Ledger {
    segments: BTreeMap<u64, Segment>,
    active: u64,
    /// Of all segments' files.
    bytes: u64,
    /// What is used of them.
    used: u64,
    pub(crate) spares: Spares,
}

impl Ledger {
    /// An empty ledger for segments of about `segment_bytes`.
    pub(crate) fn new(segment_bytes: u64) -> Self {
        Self {
            segments: BTreeMap::new(),
            active: 0,
            bytes: 0,
            used: 0,
            spares: Spares::new(segment_bytes),
        }
    }

    /// Adds a segment that an earlier process has written.
    pub(crate) fn recovered(&mut self, number: u64, segment: Segment) {
        self.bytes += segment.bytes;
        self.used += segment.used;
        self.segments.insert(number, segment);
    }

    /// Adds a new segment in a new file, or in the file that was spare, and makes it the active one, which seals the one before.
    pub(crate) fn begin(&mut self, number: u64, over: Option<Spare>) {
        debug_assert!(number > self.active);
        self.active = number;
        let spare_bytes = over.map_or(0, |spare| spare.bytes);
        self.spares.is_gone(spare_bytes);
        let bytes = spare_bytes.max(HEADER_LEN);
        self.recovered(number, Segment::new(bytes, HEADER_LEN, false, false));
    }

    /// Counts bytes that a failed write may have left behind the records of a segment.
    pub(crate) fn waste(&mut self, number: u64, bytes: u64) {
        if let Some(segment) = self.segments.get_mut(&number) {
            self.bytes += segment.reach(segment.used + bytes);
            segment.fate = Fate::Remove;
        }
    }

    /// Counts bytes behind those used in a segment, which may make its file longer.
    pub(crate) fn add(&mut self, number: u64, bytes: u64) {
        if let Some(segment) = self.segments.get_mut(&number) {
            segment.used += bytes;
            self.used += bytes;
            self.bytes += segment.reach(segment.used);
        }
    }

    /// Holds records that became durable in a segment.
    pub(crate) fn hold_all(&mut self, number: u64, offsets: impl Iterator<Item = u64>) {
        match self.segments.get_mut(&number) {
            Some(segment) => segment.held.extend(offsets),
            None => debug_assert!(false, "commit to a segment that does not exist"),
        }
    }

    /// Counts a replayed record as held.
    pub(crate) fn hold(&mut self, position: Position) {
        if let Some(segment) = self.segments.get_mut(&position.segment) {
            segment.held.insert(position.offset);
        }
    }

    /// Ends the holding of a record.
    pub(crate) fn release(&mut self, position: Position) {
        if let Some(segment) = self.segments.get_mut(&position.segment) {
            segment.held.remove(&position.offset);
        }
    }

    /// Notes that a segment was read to its end.
    pub(crate) fn replayed(&mut self, number: u64) {
        if let Some(segment) = self.segments.get_mut(&number) {
            segment.to_replay = false;
        }
    }

    /// The segments that may go when nothing below `below` is needed any more, lowest first, each with what becomes of its file.
    pub(crate) fn free_below(&self, below: u64) -> Vec<(u64, Fate)> {
        self.segments
            .range(..below.min(self.active))
            .take_while(|(_, segment)| segment.is_free())
            .map(|(&number, segment)| (number, segment.fate))
            .collect()
    }

    /// Forgets a segment whose file is gone, or on its way to the spare ones.
    pub(crate) fn retire(&mut self, number: u64, is_kept: bool) -> Option<Segment> {
        debug_assert!(number < self.active);
        let segment = self.segments.remove(&number)?;
        self.bytes -= segment.bytes;
        self.used -= segment.used;
        if is_kept {
            self.spares.lend(segment.bytes);
        }
        Some(segment)
    }

    /// Counts the longest rest of a segment's file as cut off. The active segment may be cut by the thread that writes it alone.
    pub(crate) fn take_rest(&mut self, with_active: bool) -> Option<Cut> {
        let active = self.active;
        let may_be_cut = |number: u64| with_active || number != active;
        let segments = self.segments.iter_mut();
        let (&number, segment) = segments
            .filter(|(number, segment)| may_be_cut(**number) && segment.rest() > 0)
            .max_by_key(|(_, segment)| segment.rest())?;
        let before = segment.bytes;
        segment.bytes -= segment.rest();
        self.bytes -= before - segment.bytes;
        Some(Cut {
            number,
            before,
            bytes: segment.bytes,
        })
    }

    /// Counts a rest that could not be cut off as used, so that it is not tried again.
    pub(crate) fn keep_rest(&mut self, cut: &Cut) {
        if let Some(segment) = self.segments.get_mut(&cut.number) {
            self.bytes += cut.before - segment.bytes;
            self.used += cut.before - segment.used;
            (segment.bytes, segment.used) = (cut.before, cut.before);
        }
    }

    /// Bytes of all files: those of the segments, and the spare ones.
    pub(crate) fn bytes_on_disk(&self) -> u64 {
        self.bytes + self.spares.bytes()
    }

    /// Bytes that only a trim gives back: without the spare files, and without the rests of the segments' files.
    pub(crate) fn bytes_used(&self) -> u64 {
        self.used
    }

    /// Bytes on disk when `bytes` more were written to the active segment.
    pub(crate) fn bytes_on_disk_after(&self, bytes: u64) -> u64 {
        self.bytes_on_disk() + bytes.saturating_sub(self.active_left())
    }

    /// What can be written to the active segment without making its file longer.
    fn active_left(&self) -> u64 {
        let active = self.segments.get(&self.active);
        active.map_or(0, |active| active.bytes - active.used)
    }

    pub(crate) fn count(&self) -> u64 {
        self.segments.len() as u64
    }

    pub(crate) fn oldest(&self) -> Option<u64> {
        self.segments.keys().next().copied()
    }

    /// The number of the newest segment; 0 before the first.
    pub(crate) fn active(&self) -> u64 {
        self.active
    }

    pub(crate) fn held(&self) -> u64 {
        self.segments.values().map(|s| s.held.len() as u64).sum()
    }

    pub(crate) fn to_replay(&self) -> u64 {
        self.segments.values().filter(|s| s.to_replay).count() as u64
    }
}
