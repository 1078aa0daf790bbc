//! What is on the faulty disk, and what a crash makes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind, IoSlice};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::Operation;
use crate::files::{PADDED_BLOCK, PADDING};

/// Bytes that a disk writes whole or not at all.
const SECTOR: usize = 512;

pub(super) struct State {
    pub(super) random: Random,
    pub(super) names: BTreeMap<PathBuf, usize>,
    pub(super) durable_names: BTreeMap<PathBuf, usize>,
    /// Changes of names since their folder was synced.
    pub(super) renamings: Vec<Renaming>,
    pub(super) files: Vec<Content>,
    pub(super) locked: BTreeSet<PathBuf>,
    pub(super) capacity: Option<u64>,
    pub(super) faults: Vec<Fault>,
    pub(super) counts: BTreeMap<Operation, u64>,
    pub(super) padding: bool,
    pub(super) short_writes: bool,
    pub(super) holding_syncs: bool,
    pub(super) held_syncs: usize,
    /// Operations until the power fails.
    pub(super) power: Option<u64>,
    pub(super) dead: bool,
}

/// From now on the first name means nothing and the second this file; all or none of it survives a crash.
#[derive(Clone)]
pub(super) struct Renaming {
    from: Option<PathBuf>,
    to: Option<(PathBuf, usize)>,
}

#[derive(Clone, Default)]
pub(super) struct Content {
    /// What can be read: what was written, padding, and what was there before.
    pub(super) bytes: Vec<u8>,
    /// Where the next append begins.
    written: usize,
    /// What is on the disk for sure.
    durable: Vec<u8>,
    /// Parts whose sync failed: they are on the disk or not, whatever a later sync says, until they are written again.
    lost: Vec<Range<usize>>,
    /// Where the last successful sync ended.
    synced: usize,
    /// Syncs put padding behind what was written.
    padding: bool,
}

pub(super) struct Fault {
    pub(super) operation: Operation,
    pub(super) error: ErrorKind,
    /// Calls that still pass.
    pub(super) after: u32,
    pub(super) times: u32,
}

impl State {
    /// An empty disk.
    pub(super) fn new(random: Random) -> Self {
        Self {
            random,
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            renamings: Vec::new(),
            files: Vec::new(),
            locked: BTreeSet::new(),
            capacity: None,
            faults: Vec::new(),
            counts: BTreeMap::new(),
            padding: false,
            short_writes: false,
            holding_syncs: false,
            held_syncs: 0,
            power: None,
            dead: false,
        }
    }

    /// What the next process finds after this one was killed: everything that was written.
    pub(super) fn after_kill(&self) -> Self {
        let files = self.files.iter();
        Self {
            names: self.names.clone(),
            durable_names: self.durable_names.clone(),
            renamings: self.renamings.clone(),
            files: files.cloned().collect(),
            padding: self.padding,
            short_writes: self.short_writes,
            ..Self::new(Random(self.random.0))
        }
    }

    /// What the next boot finds: without faults and locks, with the same habits.
    pub(super) fn after_crash(&mut self) -> Self {
        let mut random = Random(self.random.next());
        let mut names = self.durable_names.clone();
        let kept = random.below(self.renamings.len() + 1);
        for renaming in &self.renamings[..kept] {
            renaming.apply(&mut names);
        }
        let files = self.files.iter().map(|file| file.after_crash(&mut random));
        let files = files.collect();
        Self {
            durable_names: names.clone(),
            names,
            files,
            padding: self.padding,
            short_writes: self.short_writes,
            ..Self::new(random)
        }
    }

    pub(super) fn take_fault(&mut self, operation: Operation) -> Option<ErrorKind> {
        let fault = self
            .faults
            .iter_mut()
            .find(|fault| fault.operation == operation && fault.times > 0)?;
        if fault.after > 0 {
            fault.after -= 1;
            return None;
        }
        fault.times -= 1;
        Some(fault.error)
    }

    pub(super) fn find(&self, path: &Path) -> io::Result<usize> {
        let file = self.names.get(path).copied();
        file.ok_or_else(|| ErrorKind::NotFound.into())
    }

    /// Gives a file a name, in place of another one if it had that.
    pub(super) fn name(&mut self, from: Option<&Path>, to: Option<(&Path, usize)>) {
        let renaming = Renaming {
            from: from.map(Path::to_path_buf),
            to: to.map(|(name, file)| (name.to_path_buf(), file)),
        };
        renaming.apply(&mut self.names);
        self.renamings.push(renaming);
    }

    /// Makes the changes of names in `dir` durable.
    pub(super) fn sync_names(&mut self, dir: &Path) {
        let in_dir = |renaming: &mut Renaming| {
            let to = renaming.to.as_ref().map(|(name, _)| name);
            let name = renaming.from.as_ref().or(to);
            name.and_then(|name| name.parent()) == Some(dir)
        };
        for renaming in self.renamings.extract_if(.., in_dir) {
            renaming.apply(&mut self.durable_names);
        }
    }

    pub(super) fn available(&self) -> u64 {
        let used: usize = self
            .names
            .values()
            .map(|&file| self.files[file].bytes.len())
            .sum();
        self.capacity
            .map_or(u64::MAX, |capacity| capacity.saturating_sub(used as u64))
    }
}

impl Renaming {
    pub(super) fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        if let Some(from) = &self.from {
            names.remove(from);
        }
        if let Some((name, file)) = &self.to {
            names.insert(name.clone(), *file);
        }
    }
}

impl Content {
    /// A new file.
    pub(super) fn new(padding: bool) -> Self {
        Self {
            padding,
            ..Self::default()
        }
    }

    /// A file whose bytes are all on the disk.
    pub(super) fn durable(bytes: Vec<u8>) -> Self {
        let len = bytes.len();
        Self {
            durable: bytes.clone(),
            bytes,
            written: len,
            synced: len,
            ..Self::default()
        }
    }

    /// Has the next append go to the beginning.
    pub(super) fn reuse(&mut self) {
        (self.written, self.synced) = (0, 0);
        self.padding = true;
    }

    /// Bytes that can be appended without making the file longer.
    pub(super) fn room(&self) -> u64 {
        (self.bytes.len() - self.written) as u64
    }

    /// Appends the first `taken` bytes of `parts`.
    pub(super) fn append(&mut self, parts: &[IoSlice<'_>], taken: usize) {
        let end = self.written + taken;
        self.find_again(self.written..end);
        self.bytes.resize(self.bytes.len().max(end), 0);
        for part in parts {
            let part = &part[..part.len().min(end - self.written)];
            self.bytes[self.written..][..part.len()].copy_from_slice(part);
            self.written += part.len();
        }
    }

    pub(super) fn sync(&mut self) {
        if self.padding && self.written > self.synced {
            let end = (self.written + 1).next_multiple_of(PADDED_BLOCK);
            self.bytes.resize(self.bytes.len().max(end), 0);
            self.bytes[self.written..end].fill(PADDING);
        }
        self.synced = self.written;
        let before = std::mem::replace(&mut self.durable, self.bytes.clone());
        for at in self.lost.iter().cloned().flatten() {
            self.durable[at] = before.get(at).copied().unwrap_or_default();
        }
    }

    /// A sync fails: what was written since the last one is gone, though it can be read until the next crash.
    pub(super) fn lose(&mut self) {
        self.lost.push(self.synced..self.written);
    }

    /// What is written once more is synced like anything else.
    fn find_again(&mut self, written: Range<usize>) {
        let parts = self.lost.iter().flat_map(|lost| {
            let before = lost.start..lost.end.min(written.start);
            let behind = lost.start.max(written.end)..lost.end;
            [before, behind]
        });
        self.lost = parts.filter(|part| !part.is_empty()).collect();
    }

    /// Cuts the file, durably.
    pub(super) fn truncate(&mut self, bytes: usize) {
        self.bytes.truncate(bytes);
        self.durable.truncate(bytes);
    }

    /// What a crash leaves of it.
    pub(super) fn after_crash(&self, random: &mut Random) -> Self {
        let mut bytes = self.durable.clone();
        let before = bytes.len();
        let longer = self.bytes.len().saturating_sub(bytes.len());
        bytes.resize(bytes.len() + random.below(longer + 1), 0);
        let is_prefix = random.below(2) == 0;
        let prefix = self.synced + random.below((self.written - self.synced).max(1) + 1);
        let draw = random.next();
        for (at, byte) in bytes.iter_mut().enumerate() {
            let sector = at / SECTOR;
            // One draw for a whole sector.
            let of_sector = Random(draw ^ sector as u64).below(2) == 0;
            // A file may get longer by any number of bytes; what it had before changes by sectors.
            let up_to = if at < before {
                (sector + 1) * SECTOR
            } else {
                at + 1
            };
            let is_new = if is_prefix {
                up_to <= prefix
            } else {
                of_sector
            };
            if let Some(new) = self.bytes.get(at).filter(|_| is_new) {
                *byte = *new;
            }
        }
        Self::durable(bytes)
    }
}

/// SplitMix64: small, seeded, good enough to choose faults with.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}
