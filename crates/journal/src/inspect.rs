//! Looks at a journal without opening it: for a person who wants to know what is in the folder. Takes no lock and changes nothing.

use std::path::Path;

use model::UnixNanos;

use crate::check::{Known, check_segment};
use crate::error::JournalError;
use crate::files::Files;
use crate::folder::{Candidate, find_id, known_ends, list_damaged, list_segments};

/// What is in the folder of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The journal's id, 32 hex digits; `None` where nothing tells it.
    pub id: Option<String>,
    /// The segments, oldest first.
    pub segments: Vec<SegmentInspection>,
    /// Names of the files that were set aside because of damage.
    pub set_aside: Vec<String>,
    /// Files that wait to be used again; nothing in them is needed.
    pub spare_files: u64,
    /// Bytes of those files.
    pub spare_bytes: u64,
    /// Names of files that should be spare and whose header cannot be read: they may hold a segment.
    pub unreadable_spares: Vec<String>,
}

/// What is in one segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentInspection {
    /// Its number.
    pub number: u64,
    /// Length of the file.
    pub file_bytes: u64,
    /// Whole records.
    pub records: u64,
    /// Bytes of those records.
    pub record_bytes: u64,
    /// Earliest and latest time at which their payloads were received.
    pub received: Option<(UnixNanos, UnixNanos)>,
    /// Bytes of unfinished commits; in the newest segment of a running process also what is just being written.
    pub torn_bytes: u64,
    /// What is wrong with it, a line each, at most some hundred.
    pub damaged: Vec<String>,
}

/// Reads all segments in `dir` through and tells what they hold.
///
/// A process that has the journal open is not disturbed; what it does meanwhile may show as a torn or unreadable segment. Blocks, at the speed of the disk.
///
/// # Errors
///
/// When the folder cannot be listed, or a segment is of a newer format version.
pub fn inspect(dir: &Path, files: &dyn Files) -> Result<Inspection, JournalError> {
    let found = list_segments(dir, files)?;
    let candidates = found.segments;
    let id = find_id(dir, files, &candidates)?.id;
    let ends = known_ends(&candidates);
    let last = candidates.last().map_or(0, |last| last.number);
    let inspect_one = |candidate: &Candidate| {
        let known = Known {
            ends: ends.get(&candidate.number).copied(),
            is_last: candidate.number == last,
        };
        let checked = check_segment(dir, files, id.unwrap_or_default(), candidate, &known);
        SegmentInspection {
            number: candidate.number,
            file_bytes: candidate.bytes,
            records: checked.records,
            record_bytes: checked.bytes,
            received: checked.received,
            torn_bytes: checked.torn_bytes,
            damaged: checked.notes,
        }
    };
    Ok(Inspection {
        id: id.map(|id| format!("{id:032x}")),
        segments: candidates.iter().map(inspect_one).collect(),
        set_aside: list_damaged(dir, files).map_err(JournalError::io("list", dir))?,
        spare_files: found.spares.len() as u64,
        spare_bytes: found.spares.iter().map(|spare| spare.bytes).sum(),
        unreadable_spares: [found.unreadable, found.headless].concat(),
    })
}
