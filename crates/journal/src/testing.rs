//! A disk in memory that fails on demand and crashes from a seed, for tests here and in other crates.
//!
//! It is as unkind as the promises of [`Files`] allow. A crash keeps a random part of what was not synced: a prefix, or any
//! of its sectors, with what was there before in place of the others, or zeros; and a prefix of the names changed since the
//! folder was synced. Content whose sync
//! failed is never durable, whatever a later sync says, as on Linux.

use std::fmt;
use std::io::{self, ErrorKind, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, MappedMutexGuard, Mutex, MutexGuard};

use self::state::{Content, Fault, Random, State};
use crate::files::{AppendFile, FileEntry, Files, Lock, ReadFile};

mod state;

/// How long [`FaultyFiles::wait_for_held_sync`] waits before it gives the test up.
const PATIENCE: Duration = Duration::from_secs(20);

/// An operation of [`Files`] and of its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "they are named for the operations")]
pub enum Operation {
    CreateDir,
    Lock,
    Create,
    Reuse,
    Truncate,
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

impl FaultyFiles {
    /// An empty disk without faults. All that is random about it follows from `seed`.
    pub fn new(seed: u64) -> Self {
        Self::with_state(State::new(Random(seed)))
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
        Self::with_state(state.after_crash())
    }

    /// Kills the process: every operation on this disk fails from now on. Returns the disk as the next process finds it: with all
    /// that was written, durable or not, without faults and locks.
    pub fn kill(&self) -> Self {
        let mut state = self.0.state.lock();
        state.dead = true;
        self.0.changed.notify_all();
        Self::with_state(state.after_kill())
    }

    /// Lets `operations` pass and has all later ones fail, until [`crash`](Self::crash) or [`kill`](Self::kill).
    pub fn cut_after(&self, operations: u64) {
        self.0.state.lock().power = Some(operations);
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

    /// Has new files, too, end with padding, as those of [`SystemFiles`](crate::SystemFiles) do.
    pub fn pad(&self) {
        self.0.state.lock().padding = true;
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
        state.files.push(Content::durable(bytes));
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
        match &mut state.power {
            Some(0) => state.dead = true,
            Some(operations) => *operations -= 1,
            None => {}
        }
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
        let content = Content::new(state.padding);
        state.files.push(content);
        let file = state.files.len() - 1;
        state.name(None, Some((path, file)));
        Ok(Box::new(OpenFile(self.clone(), file)))
    }

    fn reuse(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        let mut state = self.begin(Operation::Reuse)?;
        let file = state.find(path)?;
        state.files[file].reuse();
        Ok(Box::new(OpenFile(self.clone(), file)))
    }

    fn truncate(&self, path: &Path, bytes: u64) -> io::Result<()> {
        let mut state = self.begin(Operation::Truncate)?;
        let file = state.find(path)?;
        state.files[file].truncate(bytes as usize);
        Ok(())
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        let state = self.begin(Operation::Open)?;
        let file = state.find(path)?;
        Ok(Box::new(OpenFile(self.clone(), file)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.begin(Operation::Rename)?;
        let file = state.find(from)?;
        state.name(Some(from), Some((to, file)));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.begin(Operation::Remove)?;
        state.find(path)?;
        state.name(Some(path), None);
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
        state.sync_names(dir);
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
        let room = state.files[self.1].room().saturating_add(state.available());
        let mut taken = offered.min(usize::try_from(room).unwrap_or(usize::MAX));
        if taken == 0 && offered > 0 {
            return Err(ErrorKind::StorageFull.into());
        }
        if state.short_writes && taken > 1 {
            taken = 1 + state.random.below(taken);
        }
        self.content(state).append(parts, taken);
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
                self.content(state).sync();
                Ok(())
            }
            Err(error) => {
                self.content(disk.state.lock()).lose();
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

impl fmt::Debug for FaultyFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyFiles")
            .field("paths", &self.paths())
            .finish_non_exhaustive()
    }
}
