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
    pub(super) dead: bool,
}

/// From now on `name` means this file, or none.
#[derive(Clone)]
pub(super) struct Renaming {
    name: PathBuf,
    file: Option<usize>,
}

#[derive(Clone, Default)]
pub(super) struct Content {
    /// What was written, and padding.
    pub(super) bytes: Vec<u8>,
    /// Length of what was written.
    written: usize,
    /// Length of the prefix of it that was synced.
    synced: usize,
    /// Length of the file at that time, padding included.
    padded: usize,
    /// Parts of that prefix whose sync had failed before.
    lost: Vec<Range<usize>>,
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
            dead: false,
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

    pub(super) fn rename(&mut self, name: &Path, file: Option<usize>) {
        let name = name.to_path_buf();
        let renaming = Renaming { name, file };
        renaming.apply(&mut self.names);
        self.renamings.push(renaming);
    }

    /// Makes the changes of names in `dir` durable.
    pub(super) fn sync_names(&mut self, dir: &Path) {
        let in_dir = |renaming: &mut Renaming| renaming.name.parent() == Some(dir);
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
        match self.file {
            Some(file) => names.insert(self.name.clone(), file),
            None => names.remove(&self.name),
        };
    }
}

impl Content {
    /// A file whose bytes are all on the disk.
    pub(super) fn durable(bytes: Vec<u8>) -> Self {
        let len = bytes.len();
        Self {
            bytes,
            written: len,
            synced: len,
            padded: len,
            lost: Vec::new(),
        }
    }

    /// Appends the first `taken` bytes of `parts`.
    pub(super) fn append(&mut self, parts: &[IoSlice<'_>], taken: usize) {
        self.bytes.truncate(self.written);
        self.written += taken;
        for part in parts {
            let room = self.written - self.bytes.len();
            self.bytes.extend_from_slice(&part[..part.len().min(room)]);
        }
    }

    pub(super) fn sync(&mut self, padding: bool) {
        self.synced = self.written;
        if padding {
            let len = self.written.next_multiple_of(PADDED_BLOCK);
            self.bytes.resize(len, PADDING);
        }
        self.padded = self.bytes.len();
    }

    /// A sync fails: what was written since the last one is gone, though it can be read until the next crash.
    pub(super) fn lose(&mut self) {
        self.lost.push(self.synced..self.written);
    }

    /// What a crash leaves of it.
    pub(super) fn after_crash(&self, random: &mut Random) -> Self {
        let mut bytes = self.bytes.clone();
        let unsynced = bytes.len().max(self.padded) - self.synced;
        bytes.truncate(self.synced + random.below(unsynced + 1));
        if bytes.len() < self.padded {
            bytes.resize(self.padded, PADDING);
        }
        let tear_sectors = random.below(2) == 0;
        let torn = tear_sectors.then_some(self.synced..bytes.len());
        let draw = random.next();
        for at in torn.into_iter().chain(self.lost.iter().cloned()).flatten() {
            // One draw for a whole sector.
            let is_lost = Random(draw ^ (at / SECTOR) as u64).below(2) == 0;
            if let Some(byte) = bytes.get_mut(at).filter(|_| is_lost) {
                *byte = if at < self.padded { PADDING } else { 0 };
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
