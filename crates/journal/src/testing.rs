//! A disk in memory that fails on demand and crashes from a seed, for tests here and in other crates.
//!
//! It is as unkind as the promises of [`Files`] allow. A crash keeps a random part of what was not synced: a prefix, or any
//! of its sectors with zeros in place of the others; and a prefix of the names changed since the folder was synced. Content whose sync
//! failed is never durable, whatever a later sync says, as on Linux.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, ErrorKind, IoSlice};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, MappedMutexGuard, Mutex, MutexGuard};

use crate::files::{AppendFile, FileEntry, Files, Lock, ReadFile};

/// Bytes that a disk writes whole or not at all.
const SECTOR: usize = 512;
/// How long [`FaultyFiles::wait_for_held_sync`] waits before it gives the test up.
const PATIENCE: Duration = Duration::from_secs(20);

/// An operation of [`Files`] and of its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "they are named for the operations")]
pub enum Operation {
    CreateDir,
    Lock,
    Create,
    Open,
    Read,
    Write,
    SyncData,
    Rename,
    Remove,
    List,
    SyncDir,
    Available,
}

/// A faulty disk. Clones are the same disk.
#[derive(Clone)]
pub struct FaultyFiles(Arc<Disk>);

struct Disk {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    random: Random,
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    /// Changes of names since their folder was synced.
    renamings: Vec<Renaming>,
    files: Vec<Content>,
    locked: BTreeSet<PathBuf>,
    capacity: Option<u64>,
    faults: Vec<Fault>,
    counts: BTreeMap<Operation, u64>,
    short_writes: bool,
    holding_syncs: bool,
    held_syncs: usize,
    dead: bool,
}

/// From now on `name` means this file, or none.
#[derive(Clone)]
struct Renaming {
    name: PathBuf,
    file: Option<usize>,
}

#[derive(Clone, Default)]
struct Content {
    bytes: Vec<u8>,
    /// Length of the prefix that was synced.
    synced: usize,
    /// Parts of that prefix whose sync had failed before.
    lost: Vec<Range<usize>>,
}

struct Fault {
    operation: Operation,
    error: ErrorKind,
    /// Calls that still pass.
    after: u32,
    times: u32,
}

impl FaultyFiles {
    /// An empty disk without faults. All that is random about it follows from `seed`.
    pub fn new(seed: u64) -> Self {
        Self::with_state(State {
            random: Random(seed),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            renamings: Vec::new(),
            files: Vec::new(),
            locked: BTreeSet::new(),
            capacity: None,
            faults: Vec::new(),
            counts: BTreeMap::new(),
            short_writes: false,
            holding_syncs: false,
            held_syncs: 0,
            dead: false,
        })
    }

    fn with_state(state: State) -> Self {
        Self(Arc::new(Disk {
            state: Mutex::new(state),
            changed: Condvar::new(),
        }))
    }

    /// Cuts the power: every operation on this disk fails from now on. Returns the disk as the next boot finds it,
    /// without faults and locks.
    pub fn crash(&self) -> Self {
        let mut state = self.0.state.lock();
        state.dead = true;
        self.0.changed.notify_all();
        let mut random = Random(state.random.next());
        let mut names = state.durable_names.clone();
        let kept = random.below(state.renamings.len() + 1);
        for renaming in &state.renamings[..kept] {
            renaming.apply(&mut names);
        }
        let files = state.files.iter().map(|f| f.after_crash(&mut random));
        Self::with_state(State {
            durable_names: names.clone(),
            names,
            files: files.collect(),
            renamings: Vec::new(),
            locked: BTreeSet::new(),
            faults: Vec::new(),
            counts: BTreeMap::new(),
            capacity: None,
            short_writes: false,
            holding_syncs: false,
            held_syncs: 0,
            dead: false,
            random,
        })
    }

    /// Has the next `times` calls of `operation` fail with `error`.
    pub fn fail(&self, operation: Operation, error: ErrorKind, times: u32) {
        self.fail_after(operation, error, 0, times);
    }

    /// Lets `after` calls of `operation` pass and has the next `times` fail with `error`.
    pub fn fail_after(&self, operation: Operation, error: ErrorKind, after: u32, times: u32) {
        self.0.state.lock().faults.push(Fault {
            operation,
            error,
            after,
            times,
        });
    }

    /// Ends all failures asked for.
    pub fn heal(&self) {
        self.0.state.lock().faults.clear();
    }

    /// Bounds the bytes of all files; `None` lifts the bound.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.0.state.lock().capacity = bytes;
    }

    /// Has writes take a random part of what they are given, at least a byte.
    pub fn write_short(&self) {
        self.0.state.lock().short_writes = true;
    }

    /// Has syncs wait for [`release_syncs`](Self::release_syncs).
    pub fn hold_syncs(&self) {
        self.0.state.lock().holding_syncs = true;
    }

    /// Lets waiting and later syncs pass.
    pub fn release_syncs(&self) {
        self.0.state.lock().holding_syncs = false;
        self.0.changed.notify_all();
    }

    /// Blocks until a sync is being held.
    ///
    /// # Panics
    ///
    /// After 20 seconds, so that a test ends.
    pub fn wait_for_held_sync(&self) {
        let deadline = Instant::now() + PATIENCE;
        let mut state = self.0.state.lock();
        while state.held_syncs == 0 {
            let timeout = self.0.changed.wait_until(&mut state, deadline);
            assert!(!timeout.timed_out(), "nobody syncs");
        }
    }

    /// How often `operation` was called, failures included.
    pub fn count(&self, operation: Operation) -> u64 {
        let state = self.0.state.lock();
        state.counts.get(&operation).copied().unwrap_or_default()
    }

    /// The content of a file, if there is one.
    pub fn content(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.0.state.lock();
        let file = *state.names.get(path)?;
        Some(state.files[file].bytes.clone())
    }

    /// Puts a file there, durably, in place of what was there.
    pub fn put(&self, path: &Path, bytes: Vec<u8>) {
        let mut state = self.0.state.lock();
        let synced = bytes.len();
        state.files.push(Content {
            bytes,
            synced,
            lost: Vec::new(),
        });
        let file = state.files.len() - 1;
        state.names.insert(path.to_path_buf(), file);
        state.durable_names.insert(path.to_path_buf(), file);
    }

    /// Takes a file away, durably.
    pub fn take(&self, path: &Path) {
        let mut state = self.0.state.lock();
        state.names.remove(path);
        state.durable_names.remove(path);
    }

    /// The paths of all files.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.0.state.lock().names.keys().cloned().collect()
    }

    /// Counts a call of `operation` and decides whether it fails.
    fn begin(&self, operation: Operation) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.0.state.lock();
        *state.counts.entry(operation).or_default() += 1;
        if state.dead {
            return Err(io::Error::other("the power is off"));
        }
        match state.take_fault(operation) {
            Some(error) => Err(error.into()),
            None => Ok(state),
        }
    }
}

impl Files for FaultyFiles {
    fn create_dir(&self, _dir: &Path) -> io::Result<()> {
        self.begin(Operation::CreateDir).map(drop)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        let mut state = self.begin(Operation::Lock)?;
        if !state.locked.insert(path.to_path_buf()) {
            return Err(ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(HeldLock(self.clone(), path.to_path_buf())))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        let mut state = self.begin(Operation::Create)?;
        if state.names.contains_key(path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        state.files.push(Content::default());
        let file = state.files.len() - 1;
        state.rename(path, Some(file));
        Ok(Box::new(OpenFile(self.clone(), file)))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        let state = self.begin(Operation::Open)?;
        let file = state.find(path)?;
        Ok(Box::new(OpenFile(self.clone(), file)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.begin(Operation::Rename)?;
        let file = state.find(from)?;
        state.rename(from, None);
        state.rename(to, Some(file));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.begin(Operation::Remove)?;
        state.find(path)?;
        state.rename(path, None);
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<FileEntry>> {
        let state = self.begin(Operation::List)?;
        let in_dir = state
            .names
            .iter()
            .filter(|(path, _)| path.parent() == Some(dir));
        let entries = in_dir.filter_map(|(path, &file)| {
            Some(FileEntry {
                name: path.file_name()?.to_str()?.to_owned(),
                bytes: state.files[file].bytes.len() as u64,
            })
        });
        Ok(entries.collect())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.begin(Operation::SyncDir)?;
        let state = &mut *state;
        let in_dir = |renaming: &mut Renaming| renaming.name.parent() == Some(dir);
        for renaming in state.renamings.extract_if(.., in_dir) {
            renaming.apply(&mut state.durable_names);
        }
        Ok(())
    }

    fn available(&self, _dir: &Path) -> io::Result<u64> {
        let state = self.begin(Operation::Available)?;
        Ok(state.available())
    }

    fn fresh_id(&self) -> u128 {
        let mut state = self.0.state.lock();
        u128::from(state.random.next()) << 64 | u128::from(state.random.next())
    }
}

struct HeldLock(FaultyFiles, PathBuf);

impl Lock for HeldLock {}

impl Drop for HeldLock {
    fn drop(&mut self) {
        self.0.0.state.lock().locked.remove(&self.1);
    }
}

/// A file that is open; the number is its index on the disk.
struct OpenFile(FaultyFiles, usize);

impl OpenFile {
    fn content<'a>(&self, state: MutexGuard<'a, State>) -> MappedMutexGuard<'a, Content> {
        MutexGuard::map(state, |state| &mut state.files[self.1])
    }
}

impl AppendFile for OpenFile {
    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut state = self.0.begin(Operation::Write)?;
        let offered: usize = parts.iter().map(|part| part.len()).sum();
        let mut taken = offered.min(usize::try_from(state.available()).unwrap_or(usize::MAX));
        if taken == 0 && offered > 0 {
            return Err(ErrorKind::StorageFull.into());
        }
        if state.short_writes && taken > 1 {
            taken = 1 + state.random.below(taken);
        }
        let mut content = self.content(state);
        let end = content.bytes.len() + taken;
        for part in parts {
            let room = end - content.bytes.len();
            content
                .bytes
                .extend_from_slice(&part[..part.len().min(room)]);
        }
        Ok(taken)
    }

    fn sync_data(&mut self) -> io::Result<()> {
        let disk = self.0.0.clone();
        let mut state = disk.state.lock();
        state.held_syncs += 1;
        disk.changed.notify_all();
        while state.holding_syncs && !state.dead {
            disk.changed.wait(&mut state);
        }
        state.held_syncs -= 1;
        drop(state);
        match self.0.begin(Operation::SyncData) {
            Ok(state) => {
                let mut content = self.content(state);
                content.synced = content.bytes.len();
                Ok(())
            }
            Err(error) => {
                let mut content = self.content(disk.state.lock());
                let lost = content.synced..content.bytes.len();
                content.lost.push(lost);
                Err(error)
            }
        }
    }
}

impl ReadFile for OpenFile {
    fn bytes(&self) -> io::Result<u64> {
        let state = self.0.begin(Operation::Read)?;
        Ok(self.content(state).bytes.len() as u64)
    }

    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let state = self.0.begin(Operation::Read)?;
        let content = self.content(state);
        let from = content.bytes.len().min(offset as usize);
        let bytes = &content.bytes[from..];
        let read = bytes.len().min(buf.len());
        buf[..read].copy_from_slice(&bytes[..read]);
        Ok(read)
    }
}

// === impl State ===

impl State {
    fn take_fault(&mut self, operation: Operation) -> Option<ErrorKind> {
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

    fn find(&self, path: &Path) -> io::Result<usize> {
        let file = self.names.get(path).copied();
        file.ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn rename(&mut self, name: &Path, file: Option<usize>) {
        let name = name.to_path_buf();
        let renaming = Renaming { name, file };
        renaming.apply(&mut self.names);
        self.renamings.push(renaming);
    }

    fn available(&self) -> u64 {
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
    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        match self.file {
            Some(file) => names.insert(self.name.clone(), file),
            None => names.remove(&self.name),
        };
    }
}

impl Content {
    /// What a crash leaves of it.
    fn after_crash(&self, random: &mut Random) -> Self {
        let unsynced = self.bytes.len() - self.synced;
        let mut bytes = self.bytes.clone();
        bytes.truncate(self.synced + random.below(unsynced + 1));
        let tear_sectors = random.below(2) == 0;
        let tail = self.synced..bytes.len();
        let torn = tear_sectors.then_some(tail).into_iter();
        for range in torn.chain(self.lost.iter().cloned()) {
            for at in range {
                // One draw per sector: the seed is mixed with the sector's number.
                if Random(random.0 ^ (at / SECTOR) as u64).below(2) == 0
                    && let Some(byte) = bytes.get_mut(at)
                {
                    *byte = 0;
                }
            }
        }
        random.next();
        Self {
            synced: bytes.len(),
            bytes,
            lost: Vec::new(),
        }
    }
}

impl fmt::Debug for FaultyFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyFiles")
            .field("paths", &self.paths())
            .finish_non_exhaustive()
    }
}

/// SplitMix64: small, seeded, good enough to choose faults with.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not 0.
    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}
