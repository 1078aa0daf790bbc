//! Opening a folder: which journal it is, which segments there are, what each still holds, and what was lost.
//!
//! Nothing here writes into a segment. A segment that is none of this journal's is set aside under another name; all others
//! stay as they are until they are trimmed. What is in spare files is of no interest.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::check::{Checked, Known, MAX_NOTES, check_segment};
use crate::config::JournalConfig;
use crate::error::JournalError;
use crate::files::Files;
use crate::folder::{
    Candidate, DAMAGED_SUFFIX, find_id, known_ends, list_segments, set_aside, take_leftovers,
    write_id,
};
use crate::format::{Previous, segment_name};
use crate::journal::Shared;
use crate::ledger::{Ledger, Segment};
use crate::replay::{Part, Replay};
use crate::spare::Spare;

/// What opening has found, for the log and for a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// Segments that an earlier process has left.
    pub segments: u64,
    /// Whole records in them.
    pub records: u64,
    /// Bytes of those records.
    pub bytes: u64,
    /// Bytes that were left out because the commit they belong to was not finished: nobody was told that it was. Where such
    /// bytes have no readable head, only those of one block of 4 KiB are counted: the others may be from an earlier use of the file.
    pub torn_bytes_cut: u64,
    /// What cannot be read although it was acknowledged, and what is odd about the files; one line each, at most 65.
    pub damaged: Vec<String>,
    /// Lines that would have been too many for `damaged`.
    damaged_more: u64,
}

/// What an earlier process has left.
#[derive(Debug)]
pub struct Recovered {
    /// What was found, complete.
    pub report: RecoveryReport,
    /// The records, in the order in which they were appended.
    pub records: Replay,
}

/// Everything that opening needs to know.
pub(crate) struct Scan {
    pub(crate) id: u128,
    pub(crate) ledger: Ledger,
    pub(crate) parts: VecDeque<Part>,
    pub(crate) report: RecoveryReport,
    /// The last segment that stays, for the next header.
    pub(crate) previous: Previous,
    /// The highest number in use; 0 for none.
    pub(crate) highest: u64,
    /// Empty segments, to be removed when a higher one exists: without that, numbers could be used twice.
    pub(crate) leftovers: Vec<u64>,
}

impl Recovered {
    pub(crate) fn new(report: RecoveryReport, parts: VecDeque<Part>, shared: Arc<Shared>) -> Self {
        let records = Replay::new(parts, report.records, shared);
        Self { report, records }
    }
}

/// Finds out all about the folder, which is locked.
pub(crate) fn scan(config: &JournalConfig, files: &dyn Files) -> Result<Scan, JournalError> {
    let dir = &config.dir;
    let mut report = RecoveryReport::default();
    let found = list_segments(dir, files)?;
    for name in &found.unreadable {
        report.note(format!("{name} cannot be read"));
    }
    for name in &found.headless {
        set_aside(dir, files, name)?;
        report.note(format!(
            "{name} may hold a segment, its header is unreadable; it was renamed to *{DAMAGED_SUFFIX}"
        ));
    }
    let highest = found.highest();
    let mut candidates = found.segments;
    let id = settle_id(dir, files, &candidates, &mut report)?;
    set_foreign_aside(dir, files, id, &mut candidates, &mut report)?;
    note_missing(&candidates, &mut report);
    name_segments(dir, files, &mut candidates)?;
    let ends = known_ends(&candidates);
    let leftovers = take_leftovers(&mut candidates, &ends);
    let mut scan = Scan {
        id,
        ledger: Ledger::new(config.segment_bytes),
        parts: VecDeque::new(),
        report,
        previous: Previous::default(),
        highest,
        leftovers,
    };
    let last = candidates.last().map_or(0, |last| last.number);
    for candidate in &candidates {
        let known = Known {
            ends: ends.get(&candidate.number).copied(),
            is_last: candidate.number == last,
        };
        let checked = check_segment(dir, files, id, candidate, &known);
        scan.add_segment(candidate, checked);
    }
    scan.report.finish();
    scan.ledger
        .spares
        .add(take_up_spares(dir, files, found.spares)?);
    Ok(scan)
}

/// Gives segments that were begun in spare files their names. That may be lost again in a crash, and does no harm.
fn name_segments(
    dir: &Path,
    files: &dyn Files,
    candidates: &mut [Candidate],
) -> Result<(), JournalError> {
    for candidate in candidates {
        if !candidate.has_own_name() {
            let name = segment_name(candidate.number);
            let path = dir.join(&candidate.name);
            files
                .rename(&path, &dir.join(&name))
                .map_err(JournalError::io("rename", &path))?;
            candidate.name = name;
        }
    }
    Ok(())
}

/// The spare files that an earlier process has left, with names that are durable, as [`Shared::keep_spares`] has it.
fn take_up_spares(
    dir: &Path,
    files: &dyn Files,
    spares: Vec<Spare>,
) -> Result<Vec<Spare>, JournalError> {
    if !spares.is_empty() {
        files.sync_dir(dir).map_err(JournalError::io("sync", dir))?;
    }
    Ok(spares)
}

/// The id of the journal, a fresh one for a new journal. Makes sure that the folder states it.
fn settle_id(
    dir: &Path,
    files: &dyn Files,
    candidates: &[Candidate],
    report: &mut RecoveryReport,
) -> Result<u128, JournalError> {
    let found = find_id(dir, files, candidates)?;
    if let Some(odd) = found.odd {
        report.note(odd);
    }
    let id = found.id.unwrap_or_else(|| files.fresh_id());
    if !found.is_stated {
        write_id(dir, files, id)?;
    }
    Ok(id)
}

/// Sets aside what was copied or renamed into the folder: its records are not this journal's, or not at this place, or are
/// there already.
fn set_foreign_aside(
    dir: &Path,
    files: &dyn Files,
    id: u128,
    candidates: &mut Vec<Candidate>,
    report: &mut RecoveryReport,
) -> Result<(), JournalError> {
    let mut last = None;
    let is_foreign = |found: &mut Candidate| {
        let is_copy = last.replace(found.number) == Some(found.number);
        is_copy || found.is_foreign(id)
    };
    for foreign in candidates.extract_if(.., is_foreign) {
        let name = foreign.name;
        set_aside(dir, files, &name)?;
        report.note(format!(
            "{name} belongs to another journal or place and was renamed to *{DAMAGED_SUFFIX}"
        ));
    }
    Ok(())
}

/// Notes segments that others point to and that are not there, though an older one is: trimming goes from the oldest on.
fn note_missing(candidates: &[Candidate], report: &mut RecoveryReport) {
    let there: BTreeSet<u64> = candidates.iter().map(|c| c.number).collect();
    let previous = candidates.iter().filter_map(|c| c.header.ok());
    let missing: BTreeSet<u64> = previous
        .map(|header| header.previous.segment)
        .filter(|number| there.first() < Some(number) && !there.contains(number))
        .collect();
    for number in missing {
        report.note(format!("{} is missing", segment_name(number)));
    }
}

// === impl Scan ===

impl Scan {
    /// Adds what one segment holds.
    fn add_segment(&mut self, candidate: &Candidate, checked: Checked) {
        let number = candidate.number;
        let to_replay = checked.records > 0 || !checked.was_read;
        let damaged = !checked.notes.is_empty();
        let limit = checked.ends.ends;
        let segment = Segment::new(candidate.bytes, limit, to_replay, damaged);
        self.ledger.recovered(number, segment);
        if to_replay {
            self.parts.push_back(Part { number, limit });
        }
        self.previous = checked.ends;
        self.report.add(checked);
    }
}

// === impl RecoveryReport ===

impl RecoveryReport {
    fn note(&mut self, line: impl Into<String>) {
        if self.damaged.len() < MAX_NOTES {
            self.damaged.push(line.into());
        } else {
            self.damaged_more += 1;
        }
    }

    fn add(&mut self, checked: Checked) {
        self.segments += 1;
        self.records += checked.records;
        self.bytes += checked.bytes;
        self.torn_bytes_cut += checked.torn_bytes;
        for line in checked.notes {
            self.note(line);
        }
        self.damaged_more += checked.notes_more;
    }

    /// Findings of damage, whether there is a line for each or not.
    pub(crate) fn damage_count(&self) -> u64 {
        // The last line stands for those that were too many.
        let lines = self.damaged.len() - usize::from(self.damaged_more > 0);
        lines as u64 + self.damaged_more
    }

    fn finish(&mut self) {
        if self.damaged_more > 0 {
            self.damaged.push(format!("and {} more", self.damaged_more));
        }
    }
}

impl fmt::Display for RecoveryReport {
    /// One line for the log; the lines of `damaged` are for the caller to add.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} records ({} bytes) in {} segments, {} bytes of unfinished commits left out",
            self.records, self.bytes, self.segments, self.torn_bytes_cut
        )?;
        match self.damaged.len() {
            0 => Ok(()),
            notes => write!(f, ", {notes} notes about damage"),
        }
    }
}
