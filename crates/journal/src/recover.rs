//! Opening a folder: which journal it is, which segments there are, what each still holds, and what was lost.
//!
//! Nothing here writes into a segment. A segment that is none of this journal's is set aside under another name; all others
//! stay as they are until they are trimmed.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fmt;
use std::io::{self, IoSlice};
use std::path::Path;
use std::sync::Arc;

use crate::error::JournalError;
use crate::files::{Files, Lock, write_all};
use crate::format::{
    HEADER_LEN, Header, NoHeader, Previous, Salt, VERSION, segment_name, segment_number,
};
use crate::journal::{JournalConfig, Shared};
use crate::ledger::{Ledger, Segment};
use crate::reader::{SegmentReader, Step, Stretch, read_exact};
use crate::replay::{Part, Replay};

const LOCK_NAME: &str = "journal.lock";
const ID_NAME: &str = "journal.id";
const ID_NEW_NAME: &str = "journal.id.new";
/// 32 digits, a space, 8 digits, and the end of the line.
const ID_TEXT_LEN: usize = 42;
const DAMAGED_SUFFIX: &str = ".damaged";
/// Files with damage that are kept for a person to look at. More would let a failing disk fill itself with evidence.
const MAX_DAMAGED_KEPT: usize = 16;
/// Most lines of [`RecoveryReport::damaged`]; a segment of garbage could have millions.
const MAX_NOTES: usize = 64;

/// What opening has found, for the log and for a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// Segments that an earlier process has left.
    pub segments: u64,
    /// Whole records in them.
    pub records: u64,
    /// Bytes of those records.
    pub bytes: u64,
    /// Bytes that were left out because the commit they belong to was not finished: nobody was told that it was.
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
    pub(crate) lock: Box<dyn Lock>,
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

/// A segment file before its records are looked at.
struct Candidate {
    number: u64,
    bytes: u64,
    header: Result<Header, NoHeader>,
}

impl Recovered {
    pub(crate) fn new(report: RecoveryReport, parts: VecDeque<Part>, shared: Arc<Shared>) -> Self {
        let records = Replay::new(parts, report.records, shared);
        Self { report, records }
    }
}

/// Locks the folder and finds out all about it.
pub(crate) fn scan(config: &JournalConfig, files: &dyn Files) -> Result<Scan, JournalError> {
    let dir = &config.dir;
    files
        .create_dir(dir)
        .map_err(JournalError::io("create the folder", dir))?;
    let lock = lock(dir, files)?;
    let mut report = RecoveryReport::default();
    let mut candidates = list_segments(dir, files)?;
    let highest = candidates.last().map_or(0, |last| last.number);
    let id = settle_id(dir, files, &candidates, &mut report)?;
    set_foreign_aside(dir, files, id, &mut candidates, &mut report)?;
    note_missing(&candidates, &mut report);
    let ends = known_ends(&candidates);
    let leftovers = take_leftovers(&mut candidates, &ends);
    let mut scan = Scan {
        lock,
        id,
        ledger: Ledger::default(),
        parts: VecDeque::new(),
        report,
        previous: Previous::default(),
        highest,
        leftovers,
    };
    let last = candidates.last().map_or(0, |last| last.number);
    for candidate in &candidates {
        let known = ends.get(&candidate.number).copied();
        scan.add_segment(dir, files, candidate, known, candidate.number == last);
    }
    scan.report.finish();
    Ok(scan)
}

/// Removes a segment that is not needed any more, or sets it aside when it is damaged and few others are.
pub(crate) fn discard(
    dir: &Path,
    files: &dyn Files,
    number: u64,
    damaged: bool,
) -> Result<(), JournalError> {
    let name = segment_name(number);
    let path = dir.join(&name);
    if damaged && count_damaged(dir, files) < MAX_DAMAGED_KEPT {
        return set_aside(dir, files, &name);
    }
    match files.remove(&path) {
        // Somebody else removed it, which is what was wanted.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done.map_err(JournalError::io("remove", &path)),
    }
}

fn lock(dir: &Path, files: &dyn Files) -> Result<Box<dyn Lock>, JournalError> {
    let path = dir.join(LOCK_NAME);
    files.lock(&path).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => JournalError::Locked {
            dir: dir.to_path_buf(),
        },
        _ => JournalError::io("lock", &path)(error),
    })
}

/// The segment files in order of their numbers, with what their headers say.
fn list_segments(dir: &Path, files: &dyn Files) -> Result<Vec<Candidate>, JournalError> {
    let mut candidates = Vec::new();
    for entry in files.list(dir).map_err(JournalError::io("list", dir))? {
        let Some(number) = segment_number(&entry.name) else {
            continue;
        };
        let path = dir.join(&entry.name);
        let header = read_header(&path, files).map_err(JournalError::io("read", &path))?;
        if let Err(NoHeader::Version(found)) = header {
            let supported = VERSION;
            return Err(JournalError::Version {
                path,
                found,
                supported,
            });
        }
        candidates.push(Candidate {
            number,
            bytes: entry.bytes,
            header,
        });
    }
    candidates.sort_by_key(|candidate| candidate.number);
    Ok(candidates)
}

fn read_header(path: &Path, files: &dyn Files) -> io::Result<Result<Header, NoHeader>> {
    let mut bytes = [0; HEADER_LEN as usize];
    match read_exact(&mut *files.open(path)?, 0, &mut bytes) {
        Ok(()) => Ok(Header::decode(&bytes)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Err(NoHeader::Short)),
        Err(error) => Err(error),
    }
}

/// The id of the journal: from its file, else from its segments, else a fresh one. Makes sure that the file states it.
fn settle_id(
    dir: &Path,
    files: &dyn Files,
    candidates: &[Candidate],
    report: &mut RecoveryReport,
) -> Result<u128, JournalError> {
    let path = dir.join(ID_NAME);
    let stored = read_id(&path, files).map_err(JournalError::io("read", &path))?;
    if let Some(Some(id)) = stored {
        return Ok(id);
    }
    let in_segments = candidates.iter().find_map(|c| c.header.ok());
    let id = in_segments.map_or_else(|| files.fresh_id(), |header| header.journal);
    match (stored, in_segments) {
        (Some(_), Some(_)) => report.note("journal.id was unreadable; took the id from a segment"),
        (Some(_), None) => report.note("journal.id was unreadable; took a new id"),
        (None, Some(_)) => report.note("journal.id was missing; took the id from a segment"),
        (None, None) => {}
    }
    write_id(dir, files, id)?;
    Ok(id)
}

/// `None` without a file, `Some(None)` with one that holds no id.
fn read_id(path: &Path, files: &dyn Files) -> io::Result<Option<Option<u128>>> {
    let mut text = [0; ID_TEXT_LEN];
    let mut file = match files.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    match read_exact(&mut *file, 0, &mut text) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Some(None)),
        read => read?,
    }
    let id = std::str::from_utf8(&text[..32])
        .ok()
        .and_then(|digits| u128::from_str_radix(digits, 16).ok());
    Ok(Some(id.filter(|&id| id_text(id).as_bytes() == text)))
}

/// What `journal.id` holds: the id and its checksum, without which a flipped digit would make all segments another journal's.
fn id_text(id: u128) -> String {
    format!("{id:032x} {:08x}\n", crc32fast::hash(&id.to_le_bytes()))
}

fn write_id(dir: &Path, files: &dyn Files, id: u128) -> Result<(), JournalError> {
    let path = dir.join(ID_NAME);
    let new = dir.join(ID_NEW_NAME);
    let text = id_text(id);
    let write = || {
        match files.remove(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = files.create(&new)?;
        write_all(&mut *file, &mut [IoSlice::new(text.as_bytes())])?;
        file.sync_data()?;
        files.rename(&new, &path)?;
        files.sync_dir(dir)
    };
    write().map_err(JournalError::io("write", &path))
}

/// Sets aside what was copied or renamed into the folder: its records are not this journal's, or not at this place.
fn set_foreign_aside(
    dir: &Path,
    files: &dyn Files,
    id: u128,
    candidates: &mut Vec<Candidate>,
    report: &mut RecoveryReport,
) -> Result<(), JournalError> {
    let is_foreign = |c: &Candidate| match c.header {
        Ok(header) => header.journal != id || header.segment != c.number,
        Err(_) => false,
    };
    for foreign in candidates.extract_if(.., |c| is_foreign(c)) {
        let name = segment_name(foreign.number);
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

/// Where segments end, as far as later ones tell.
fn known_ends(candidates: &[Candidate]) -> HashMap<u64, Previous> {
    let headers = candidates.iter().filter_map(|c| c.header.ok());
    headers
        .map(|header| (header.previous.segment, header.previous))
        .collect()
}

/// Takes out the segments that never held a record: no more than a header, and no later segment that goes on behind them.
///
/// An opening whose process appended nothing leaves one at the end; a segment whose beginning failed can be anywhere, when
/// its removal was undone by a crash.
fn take_leftovers(candidates: &mut Vec<Candidate>, ends: &HashMap<u64, Previous>) -> Vec<u64> {
    candidates
        .extract_if(.., |c| {
            c.bytes <= HEADER_LEN && !ends.contains_key(&c.number)
        })
        .map(|candidate| candidate.number)
        .collect()
}

fn count_damaged(dir: &Path, files: &dyn Files) -> usize {
    let is_damaged = |name: &str| name.ends_with(DAMAGED_SUFFIX);
    files.list(dir).map_or(0, |entries| {
        entries.iter().filter(|e| is_damaged(&e.name)).count()
    })
}

/// Renames a file to the first free `NAME.damaged`, `NAME.1.damaged`, …
fn set_aside(dir: &Path, files: &dyn Files, name: &str) -> Result<(), JournalError> {
    let path = dir.join(name);
    let taken: BTreeSet<String> = files
        .list(dir)
        .map_err(JournalError::io("list", dir))?
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    let mut aside = format!("{name}{DAMAGED_SUFFIX}");
    for n in 1..=taken.len() {
        if !taken.contains(&aside) {
            break;
        }
        aside = format!("{name}.{n}{DAMAGED_SUFFIX}");
    }
    files
        .rename(&path, &dir.join(aside))
        .map_err(JournalError::io("set aside", &path))
}

// === impl Scan ===

impl Scan {
    /// Checks one segment and adds what it holds.
    fn add_segment(
        &mut self,
        dir: &Path,
        files: &dyn Files,
        candidate: &Candidate,
        known: Option<Previous>,
        is_last: bool,
    ) {
        let number = candidate.number;
        let name = segment_name(number);
        let settled = match known {
            Some(known) => Some(known.settled),
            None if is_last => None,
            // The header that would tell is unreadable: all of it may have been acknowledged.
            None => Some(candidate.bytes),
        };
        let limit = known.map_or(candidate.bytes, |known| known.ends);
        let mut found = Findings::new(settled);
        let notes_before = self.report.notes();
        if candidate.header.is_err() {
            self.report
                .note(format!("{name}: its header is unreadable"));
        }
        if limit > candidate.bytes {
            let missing = limit - candidate.bytes;
            self.report
                .note(format!("{name}: {missing} bytes are missing at its end"));
        }
        let walked = files
            .open(&dir.join(&name))
            .and_then(|file| SegmentReader::new(file, Salt::new(self.id, number), limit))
            .and_then(|mut reader| found.walk(&mut reader));
        found.finish();
        if let Err(error) = &walked {
            let at = found.end;
            self.report
                .note(format!("{name}: cannot be read behind byte {at}: {error}"));
        }
        for stretch in &found.damaged {
            self.report.note(format!("{name}: {stretch}"));
        }
        self.report.damaged_more += found.damaged_more;
        self.report.segments += 1;
        self.report.records += found.records;
        self.report.bytes += found.bytes;
        self.report.torn_bytes_cut += found.torn_bytes;
        let to_replay = found.records > 0 || walked.is_err();
        let damaged = self.report.notes() > notes_before;
        self.ledger
            .recovered(number, Segment::new(candidate.bytes, to_replay, damaged));
        self.previous = known.unwrap_or(Previous {
            segment: number,
            // What could not be read for an error of the disk may be readable next time.
            ends: if walked.is_ok() { found.end } else { limit },
            settled: found.settled.unwrap_or(found.last_group),
        });
        if to_replay {
            let limit = self.previous.ends;
            self.parts.push_back(Part { number, limit });
        }
    }
}

// === impl Findings ===

/// What a walk over one segment has found.
struct Findings {
    /// Below this an unreadable stretch is damage; `None` where the segment's own records must tell.
    settled: Option<u64>,
    records: u64,
    bytes: u64,
    /// Where the last whole record ends.
    end: u64,
    /// Where the commit of the last whole record begins.
    last_group: u64,
    /// Unreadable bytes of which nothing says yet that they were acknowledged, at most [`MAX_NOTES`] stretches.
    open: Vec<Stretch>,
    torn_bytes: u64,
    damaged: Vec<Stretch>,
    damaged_more: u64,
}

impl Findings {
    fn new(settled: Option<u64>) -> Self {
        Self {
            settled,
            records: 0,
            bytes: 0,
            end: HEADER_LEN,
            last_group: HEADER_LEN,
            open: Vec::new(),
            torn_bytes: 0,
            damaged: Vec::new(),
            damaged_more: 0,
        }
    }

    fn walk(&mut self, reader: &mut SegmentReader) -> io::Result<()> {
        loop {
            match reader.step()? {
                Step::Record(found) => {
                    self.last_group = found.group_start;
                    self.judge_open(found.group_start);
                    self.records += 1;
                    self.bytes += found.head.record_len();
                    self.end = found.offset + found.head.record_len();
                }
                Step::Unreadable(stretch) => self.add_unreadable(stretch),
                Step::End => return Ok(()),
            }
        }
    }

    fn add_unreadable(&mut self, stretch: Stretch) {
        let full = self.open.len() == MAX_NOTES;
        match self.open.last_mut() {
            Some(open) if open.end == stretch.start || full => open.end = stretch.end,
            _ => self.open.push(stretch),
        }
    }

    /// Decides about the open stretches, now that a commit is known to have begun at `group`.
    fn judge_open(&mut self, group: u64) {
        let settled = self.settled.unwrap_or(group);
        let acknowledged = self.open.partition_point(|open| open.start < settled);
        let open = self.open.split_off(acknowledged);
        for stretch in std::mem::replace(&mut self.open, open) {
            self.add_damage(stretch);
        }
    }

    fn add_damage(&mut self, stretch: Stretch) {
        if self.damaged.len() < MAX_NOTES {
            self.damaged.push(stretch);
        } else {
            self.damaged_more += 1;
        }
    }

    /// Decides about what is open at the end.
    fn finish(&mut self) {
        if let Some(settled) = self.settled {
            self.judge_open(settled);
        }
        self.torn_bytes = self.open.iter().map(|open| open.end - open.start).sum();
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

// === impl RecoveryReport ===

impl RecoveryReport {
    fn note(&mut self, line: impl Into<String>) {
        if self.damaged.len() < MAX_NOTES {
            self.damaged.push(line.into());
        } else {
            self.damaged_more += 1;
        }
    }

    fn notes(&self) -> u64 {
        self.damaged.len() as u64 + self.damaged_more
    }

    fn finish(&mut self) {
        if self.damaged_more > 0 {
            self.damaged.push(format!("and {} more", self.damaged_more));
        }
    }
}
