//! Checks one segment: what it holds, which unreadable bytes are damage, and which are what a crash left of a commit that nobody
//! was told of.

use std::fmt;
use std::io;
use std::path::Path;

use model::UnixNanos;

use crate::files::Files;
use crate::folder::Candidate;
use crate::format::{HEADER_LEN, Previous, Salt};
use crate::reader::{SegmentReader, Step, Stretch};

/// Most stretches and lines that are kept about damage; a segment of garbage could have millions.
pub(crate) const MAX_NOTES: usize = 64;

/// What is known of a segment from elsewhere.
pub(crate) struct Known {
    /// What the segment behind it says about it.
    pub(crate) ends: Option<Previous>,
    /// It is the newest one.
    pub(crate) is_last: bool,
}

/// What a check has found.
pub(crate) struct Checked {
    pub(crate) records: u64,
    /// Of those records.
    pub(crate) bytes: u64,
    /// Earliest and latest time of receipt.
    pub(crate) received: Option<(UnixNanos, UnixNanos)>,
    /// Of commits that were not finished.
    pub(crate) torn_bytes: u64,
    /// What a person should know, at most [`MAX_NOTES`] lines.
    pub(crate) notes: Vec<String>,
    pub(crate) notes_more: u64,
    /// Whether all of it could be read from the disk, whatever it holds.
    pub(crate) was_read: bool,
    /// Where it ends, for the header of the next.
    pub(crate) ends: Previous,
}

/// Reads a segment of journal `id` through and judges what is there.
pub(crate) fn check_segment(
    dir: &Path,
    files: &dyn Files,
    id: u128,
    candidate: &Candidate,
    known: &Known,
) -> Checked {
    let number = candidate.number;
    let end = known.ends.map(|known| known.ends);
    let limit = end.unwrap_or(candidate.bytes);
    let mut walk = Walk::new(match known.ends {
        Some(known) => Some(known.settled),
        None if known.is_last => None,
        // The header that would tell is unreadable: all of it may have been acknowledged.
        None => Some(candidate.bytes),
    });
    let read = files
        .open(&dir.join(&candidate.name))
        .and_then(|file| SegmentReader::new(file, Salt::new(id, number), end))
        .and_then(|mut reader| walk.go(&mut reader));
    walk.finish();
    let ends = known.ends.unwrap_or(Previous {
        segment: number,
        // What could not be read for an error of the disk may be readable next time.
        ends: if read.is_ok() { walk.end } else { limit },
        settled: walk.settled.unwrap_or(walk.last_group),
    });
    Checked {
        records: walk.records,
        bytes: walk.bytes,
        received: walk.received,
        torn_bytes: walk.open.iter().map(|open| open.end - open.start).sum(),
        notes: notes(candidate, limit, &walk, &read),
        notes_more: walk.damaged_more,
        was_read: read.is_ok(),
        ends,
    }
}

fn notes(candidate: &Candidate, limit: u64, walk: &Walk, read: &io::Result<()>) -> Vec<String> {
    let mut notes = Vec::new();
    if candidate.header.is_err() {
        notes.push("its header is unreadable".to_owned());
    }
    if limit > candidate.bytes {
        let missing = limit - candidate.bytes;
        notes.push(format!("{missing} bytes are missing at its end"));
    }
    if let Err(error) = read {
        let at = walk.end;
        notes.push(format!("cannot be read behind byte {at}: {error}"));
    }
    notes.extend(walk.damaged.iter().map(Stretch::to_string));
    let name = &candidate.name;
    for note in &mut notes {
        *note = format!("{name}: {note}");
    }
    notes
}

/// The state of a walk over one segment.
struct Walk {
    /// Below this an unreadable stretch is damage; `None` where the segment's own records must tell.
    settled: Option<u64>,
    records: u64,
    bytes: u64,
    received: Option<(UnixNanos, UnixNanos)>,
    /// Where the last whole record ends.
    end: u64,
    /// Where the commit of the last whole record begins.
    last_group: u64,
    /// Unreadable bytes of which nothing says yet that they were acknowledged, at most [`MAX_NOTES`] stretches.
    open: Vec<Stretch>,
    damaged: Vec<Stretch>,
    damaged_more: u64,
}

impl Walk {
    fn new(settled: Option<u64>) -> Self {
        Self {
            settled,
            records: 0,
            bytes: 0,
            received: None,
            end: HEADER_LEN,
            last_group: HEADER_LEN,
            open: Vec::new(),
            damaged: Vec::new(),
            damaged_more: 0,
        }
    }

    fn go(&mut self, reader: &mut SegmentReader) -> io::Result<()> {
        loop {
            match reader.step()? {
                Step::Record(found) => {
                    self.last_group = found.group_start;
                    self.judge_open(found.group_start);
                    self.records += 1;
                    self.bytes += found.head.record_len();
                    self.end = found.offset + found.head.record_len();
                    self.add_time(found.head.received);
                }
                Step::Unreadable(stretch) => self.add_unreadable(stretch),
                Step::End => return Ok(()),
            }
        }
    }

    fn add_time(&mut self, time: UnixNanos) {
        let (first, last) = self.received.unwrap_or((time, time));
        self.received = Some((first.min(time), last.max(time)));
    }

    fn add_unreadable(&mut self, stretch: Stretch) {
        let full = self.open.len() == MAX_NOTES;
        match self.open.last_mut() {
            Some(open) if open.end == stretch.start || full => open.end = stretch.end,
            _ => self.open.push(stretch),
        }
    }

    /// Decides about the open stretches, now that a commit is known to have begun at `group`: those before it were
    /// acknowledged, as a commit begins when the one before is durable.
    fn judge_open(&mut self, group: u64) {
        let settled = self.settled.unwrap_or(group);
        let acknowledged = self.open.partition_point(|open| open.start < settled);
        let still_open = self.open.split_off(acknowledged);
        for stretch in std::mem::replace(&mut self.open, still_open) {
            if self.damaged.len() < MAX_NOTES {
                self.damaged.push(stretch);
            } else {
                self.damaged_more += 1;
            }
        }
    }

    /// Decides about what is open at the end; what is still open then is torn.
    fn finish(&mut self) {
        if let Some(settled) = self.settled {
            self.judge_open(settled);
        }
    }
}

impl fmt::Display for Stretch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { start, end, why } = self;
        let bytes = end - start;
        write!(
            f,
            "{bytes} bytes from byte {start} on are unreadable: {why}"
        )
    }
}
