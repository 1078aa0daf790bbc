//! What the segments on disk hold and what of it is still needed: the facts that decide which segments may go.

use std::collections::{BTreeMap, BTreeSet};

use crate::journal::Position;

/// One segment file.
#[derive(Debug)]
pub(crate) struct Segment {
    /// Length of the file, header and unreadable stretches included.
    bytes: u64,
    /// Offsets of the records that nobody has taken over yet.
    ///
    /// Offsets rather than a count, so that telling twice does no harm. Grows with the records between journal and shards,
    /// which the shards' inboxes bound.
    held: BTreeSet<u64>,
    /// Written by an earlier process and not yet read to its end: all its records count as held.
    to_replay: bool,
    /// Holds unreadable stretches, so it is set aside when its time comes, not deleted.
    damaged: bool,
}

impl Segment {
    /// A segment of an earlier process; with records it waits to be replayed.
    pub(crate) fn new(bytes: u64, to_replay: bool, damaged: bool) -> Self {
        Self {
            bytes,
            held: BTreeSet::new(),
            to_replay,
            damaged,
        }
    }

    fn is_free(&self) -> bool {
        self.held.is_empty() && !self.to_replay
    }
}

/// All segments by number. The active one, which is being written, is the highest and never free to go.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    segments: BTreeMap<u64, Segment>,
    active: u64,
    bytes: u64,
}

impl Ledger {
    /// Adds a segment that an earlier process has written.
    pub(crate) fn recovered(&mut self, number: u64, segment: Segment) {
        self.bytes += segment.bytes;
        self.segments.insert(number, segment);
    }

    /// Adds a new segment of `bytes` and makes it the active one, which seals the one before.
    pub(crate) fn begin(&mut self, number: u64, bytes: u64) {
        debug_assert!(number > self.active);
        self.active = number;
        self.recovered(number, Segment::new(bytes, false, false));
    }

    /// Counts bytes that a failed write may have left behind the records of a segment.
    pub(crate) fn waste(&mut self, number: u64, bytes: u64) {
        if let Some(segment) = self.segments.get_mut(&number) {
            segment.bytes += bytes;
            self.bytes += bytes;
        }
    }

    /// Counts records that became durable in a segment; they are held from here on.
    pub(crate) fn committed(
        &mut self,
        number: u64,
        bytes: u64,
        offsets: impl Iterator<Item = u64>,
    ) {
        let Some(segment) = self.segments.get_mut(&number) else {
            debug_assert!(false, "commit to a segment that does not exist");
            return;
        };
        segment.bytes += bytes;
        self.bytes += bytes;
        segment.held.extend(offsets);
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

    /// The segments that may go when nothing below `below` is needed any more, lowest first, each with whether it is damaged.
    pub(crate) fn free_below(&self, below: u64) -> Vec<(u64, bool)> {
        self.segments
            .range(..below.min(self.active))
            .take_while(|(_, segment)| segment.is_free())
            .map(|(&number, segment)| (number, segment.damaged))
            .collect()
    }

    /// Forgets a segment whose file is gone and returns its bytes.
    pub(crate) fn remove(&mut self, number: u64) -> u64 {
        debug_assert!(number < self.active);
        let bytes = self.segments.remove(&number).map_or(0, |s| s.bytes);
        self.bytes -= bytes;
        bytes
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
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
