//! The folder of a journal: which files there are, what they are called, and the little that is said outside of segments.
//!
//! Nothing here looks at records.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, IoSlice};
use std::path::Path;

use crate::error::JournalError;
use crate::files::{Files, Lock, PADDED_BLOCK, PADDING, write_all};
use crate::format::{
    HEADER_LEN, Header, NoHeader, Previous, VERSION, segment_name, segment_number, spare_name,
    spare_number,
};
use crate::ledger::Fate;
use crate::reader::read_exact;
use crate::spare::Spare;

const LOCK_NAME: &str = "journal.lock";
const ID_NAME: &str = "journal.id";
const ID_NEW_NAME: &str = "journal.id.new";
/// 32 digits, a space, 8 digits, and the end of the line.
const ID_TEXT_LEN: usize = 42;
/// What files end with that the journal never reads: they are for a person.
pub(crate) const DAMAGED_SUFFIX: &str = ".damaged";
/// Files with damage that are kept for a person to look at. More would let a failing disk fill itself with evidence.
const MAX_DAMAGED_KEPT: usize = 16;

/// A segment file before its records are looked at.
pub(crate) struct Candidate {
    pub(crate) number: u64,
    /// The name of its file.
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) header: Result<Header, NoHeader>,
    /// It has no place for a record: behind the header there is nothing, or what a file begins with on some disks.
    is_bare: bool,
}

/// Takes a segment that is not needed any more out of the way: keeps its file as a spare one, removes it, or sets it aside when
/// few others are. Returns whether there is a spare file now.
pub(crate) fn retire(
    dir: &Path,
    files: &dyn Files,
    number: u64,
    fate: Fate,
) -> Result<bool, JournalError> {
    let name = segment_name(number);
    let path = dir.join(&name);
    let has_room = || list_damaged(dir, files).is_ok_and(|kept| kept.len() < MAX_DAMAGED_KEPT);
    let done = match fate {
        Fate::Keep => files.rename(&path, &dir.join(spare_name(number))),
        Fate::SetAside if has_room() => {
            tracing::warn!(path = %path.display(), "sets a damaged segment aside; nothing in it is needed");
            return set_aside(dir, files, &name).map(|()| false);
        }
        Fate::SetAside | Fate::Remove => files.remove(&path),
    };
    match done {
        Ok(()) => Ok(fate == Fate::Keep),
        // Somebody else removed it, which is as good.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(JournalError::io("retire", &path)(error)),
    }
}

pub(crate) fn lock(dir: &Path, files: &dyn Files) -> Result<Box<dyn Lock>, JournalError> {
    let path = dir.join(LOCK_NAME);
    files.lock(&path).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => JournalError::Locked {
            dir: dir.to_path_buf(),
        },
        _ => JournalError::io("lock", &path)(error),
    })
}

/// The files of a folder that hold segments, or did.
pub(crate) struct Listing {
    /// The segments in order of their numbers.
    pub(crate) segments: Vec<Candidate>,
    /// The files that wait to be used again.
    pub(crate) spares: Vec<Spare>,
    /// Names of spare files that cannot be read: one may hold a segment.
    pub(crate) unreadable: Vec<String>,
    /// Names of spare files whose header is damaged: one may hold a segment.
    pub(crate) headless: Vec<String>,
}

impl Listing {
    /// The highest number in use, 0 for none. Those of spare files count: what they hold must be older than what is written over it.
    pub(crate) fn highest(&self) -> u64 {
        let segments = self.segments.iter().map(|segment| segment.number);
        let spares = self.spares.iter().map(|spare| spare.number);
        segments.chain(spares).max().unwrap_or_default()
    }
}

/// Finds the segments, with what their headers say, and the spare files.
///
/// A segment that was begun in a spare file just before a crash may still have that file's name: its header has another number.
pub(crate) fn list_segments(dir: &Path, files: &dyn Files) -> Result<Listing, JournalError> {
    let mut found = Listing {
        segments: Vec::new(),
        spares: Vec::new(),
        unreadable: Vec::new(),
        headless: Vec::new(),
    };
    for entry in files.list(dir).map_err(JournalError::io("list", dir))? {
        let bytes = entry.bytes;
        if let Some(number) = segment_number(&entry.name) {
            // That the start cannot be read will be noticed with the records.
            let start = read_start(&dir.join(&entry.name), files).unwrap_or_default();
            let candidate = Candidate::new(dir, entry.name, number, bytes, &start)?;
            found.segments.push(candidate);
        } else if let Some(number) = spare_number(&entry.name) {
            let Ok(start) = read_start(&dir.join(&entry.name), files) else {
                found.unreadable.push(entry.name);
                continue;
            };
            let candidate = Candidate::new(dir, entry.name, number, bytes, &start)?;
            match candidate.header {
                Ok(header) if header.segment != number => found.segments.push(Candidate {
                    number: header.segment,
                    ..candidate
                }),
                Err(NoHeader::Damaged) => found.headless.push(candidate.name),
                Ok(_) | Err(_) => found.spares.push(Spare { number, bytes }),
            }
        }
    }
    found
        .segments
        .sort_by_key(|found| (found.number, !found.has_own_name()));
    Ok(found)
}

impl Candidate {
    fn new(
        dir: &Path,
        name: String,
        number: u64,
        bytes: u64,
        start: &[u8],
    ) -> Result<Self, JournalError> {
        let header = Header::decode(start);
        if let Err(NoHeader::Version(found)) = header {
            return Err(JournalError::Version {
                path: dir.join(name),
                found,
                supported: VERSION,
            });
        }
        let behind = start.get(HEADER_LEN as usize..).unwrap_or_default();
        let is_bare =
            bytes <= start.len() as u64 && behind.iter().all(|&byte| byte == 0 || byte == PADDING);
        Ok(Self {
            number,
            name,
            bytes,
            header,
            is_bare,
        })
    }

    /// Whether its file is named for it.
    pub(crate) fn has_own_name(&self) -> bool {
        self.name == segment_name(self.number)
    }

    /// Whether its header says that it is another journal's, or has another number.
    pub(crate) fn is_foreign(&self, id: u128) -> bool {
        let is_ours = |header: Header| header.journal == id && header.segment == self.number;
        self.header.is_ok_and(|header| !is_ours(header))
    }
}

/// The first block of a file, or all of a shorter one.
fn read_start(path: &Path, files: &dyn Files) -> io::Result<Vec<u8>> {
    let mut file = files.open(path)?;
    let mut start = vec![0; file.bytes()?.min(PADDED_BLOCK as u64) as usize];
    read_exact(&mut *file, 0, &mut start).map(|()| start)
}

/// What the folder says about whose it is.
pub(crate) struct FoundId {
    /// From the file, else from a segment; `None` where nothing tells.
    pub(crate) id: Option<u128>,
    /// The file is there and states the id.
    pub(crate) is_stated: bool,
    /// What is odd about it.
    pub(crate) odd: Option<&'static str>,
}

/// Finds out which journal this is.
pub(crate) fn find_id(
    dir: &Path,
    files: &dyn Files,
    candidates: &[Candidate],
) -> Result<FoundId, JournalError> {
    let path = dir.join(ID_NAME);
    let in_file = read_id(&path, files).map_err(JournalError::io("read", &path))?;
    let in_segments = candidates
        .iter()
        .find_map(|c| c.header.ok())
        .map(|header| header.journal);
    let (id, odd) = match (in_file, in_segments) {
        (Some(Some(id)), _) => (Some(id), None),
        (Some(None), Some(id)) => (
            Some(id),
            Some("journal.id was unreadable; took the id from a segment"),
        ),
        (Some(None), None) => (None, Some("journal.id was unreadable; took a new id")),
        (None, Some(id)) => (
            Some(id),
            Some("journal.id was missing; took the id from a segment"),
        ),
        (None, None) => (None, None),
    };
    let is_stated = in_file.flatten().is_some();
    Ok(FoundId { id, is_stated, odd })
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

pub(crate) fn write_id(dir: &Path, files: &dyn Files, id: u128) -> Result<(), JournalError> {
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

/// Where segments end, as far as later ones tell.
pub(crate) fn known_ends(candidates: &[Candidate]) -> HashMap<u64, Previous> {
    let headers = candidates.iter().filter_map(|c| c.header.ok());
    headers
        .map(|header| (header.previous.segment, header.previous))
        .collect()
}

/// Takes out the segments that never held a record: a header at most, and no later segment that goes on behind them.
///
/// An opening whose process appended nothing leaves one at the end; a segment whose beginning failed can be anywhere, when
/// its removal was undone by a crash.
pub(crate) fn take_leftovers(
    candidates: &mut Vec<Candidate>,
    ends: &HashMap<u64, Previous>,
) -> Vec<u64> {
    candidates
        .extract_if(.., |c| c.is_bare && !ends.contains_key(&c.number))
        .map(|candidate| candidate.number)
        .collect()
}

/// The names of the files that were set aside.
pub(crate) fn list_damaged(dir: &Path, files: &dyn Files) -> io::Result<Vec<String>> {
    let names = files.list(dir)?.into_iter().map(|entry| entry.name);
    Ok(names
        .filter(|name| name.ends_with(DAMAGED_SUFFIX))
        .collect())
}

/// Renames a file to the first free `NAME.damaged`, `NAME.1.damaged`, …
pub(crate) fn set_aside(dir: &Path, files: &dyn Files, name: &str) -> Result<(), JournalError> {
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
