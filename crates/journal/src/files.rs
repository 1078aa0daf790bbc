//! The few file operations that the journal needs, as traits, so that tests can bring a disk that fails and crashes.
//!
//! The journal appends to files that it has just created, and writes over files that it needs no more; it never changes one that
//! may hold a record somebody was told of.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, IoSlice, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// A folder's entry that is a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// The name within the folder.
    pub name: String,
    /// Length in bytes.
    pub bytes: u64,
}

/// A file system, as far as the journal uses one.
///
/// What implementations promise: a name is durable after [`sync_dir`](Self::sync_dir) of its folder, content after
/// [`AppendFile::sync_data`]; before that a crash may leave any part of either. Errors carry no path: the caller adds it.
/// All calls may block.
pub trait Files: Send + Sync + fmt::Debug + 'static {
    /// Creates the folder and those above it where they are missing, durably.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;
    /// Takes the lock file at `path`, creating it where missing, until the returned value is dropped.
    /// Fails with [`io::ErrorKind::WouldBlock`] when somebody else has it.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>>;
    /// Creates a file to append to; fails when there is one.
    fn create(&self, path: &Path) -> io::Result<Box<dyn AppendFile>>;
    /// Opens an existing file to write over it from its beginning. What was there stays behind what is appended and its
    /// padding; until a sync, a crash may leave any mixture of both.
    ///
    /// Fails with [`io::ErrorKind::Unsupported`] where padding cannot be promised.
    fn reuse(&self, path: &Path) -> io::Result<Box<dyn AppendFile>>;
    /// Cuts a file that is longer than `bytes`, and gives the space behind back before it returns.
    fn truncate(&self, path: &Path, bytes: u64) -> io::Result<()>;
    /// Opens a file for reading.
    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>>;
    /// Renames a file, replacing what had the new name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// The files in a folder, in no order; folders and others are left out.
    fn list(&self, dir: &Path) -> io::Result<Vec<FileEntry>>;
    /// Makes creations, renames and removals in `dir` durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Bytes that an ordinary user can still write to the file system of `dir`.
    fn available(&self, dir: &Path) -> io::Result<u64>;
    /// A random identity for a new journal.
    fn fresh_id(&self) -> u128;
}

/// A file that is being appended to.
///
/// Implementations may keep what was written to themselves until it is synced. A sync may put [`PADDING`] behind what was
/// appended, at least one byte and up to a multiple of 4 KiB; the next append goes over it. In a [reused](Files::reuse) file
/// it must, so that the end can be told from what an earlier use has left.
pub trait AppendFile: Send {
    /// Appends a prefix of the concatenated `parts` and returns its length, as [`Write::write_vectored`] does.
    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize>;
    /// Makes everything written so far durable. After an error nothing written since the last success can be relied on,
    /// whatever a later call says.
    fn sync_data(&mut self) -> io::Result<()>;
}

/// A file that is being read.
pub trait ReadFile: Send {
    /// Length in bytes.
    fn bytes(&self) -> io::Result<u64>;
    /// Fills a prefix of `buf` with the bytes from `offset` on and returns its length; 0 at the end.
    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> io::Result<usize>;
}

/// What an [`AppendFile`] fills its last block with. Not zero: a disk gives zeros for what it lost.
pub const PADDING: u8 = 0xa5;
/// Padding goes up to the next multiple of this.
pub(crate) const PADDED_BLOCK: usize = 4 << 10;

/// Where the padding ends that begins at `end`.
pub(crate) fn padded_end(end: u64) -> u64 {
    (end + 1).next_multiple_of(PADDED_BLOCK as u64)
}

/// Holds a lock file until dropped.
pub trait Lock: Send + Sync {}

/// Appends all of `parts`.
///
/// A call that writes nothing without an error would be tried for ever, so it is an error.
pub(crate) fn write_all(
    file: &mut dyn AppendFile,
    mut parts: &mut [IoSlice<'_>],
) -> io::Result<()> {
    // Takes off leading empty parts, which would make a complete write look like one of zero bytes.
    IoSlice::advance_slices(&mut parts, 0);
    while !parts.is_empty() {
        match file.write_vectored(parts) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut parts, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The file system of the machine. On Linux it is written past the page cache where the file system allows that.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemFiles;

impl Files for SystemFiles {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        if dir.is_dir() {
            return Ok(());
        }
        fs::create_dir_all(dir)?;
        match dir.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => self.sync_dir(parent),
            _ => Ok(()),
        }
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(SystemLock(file))),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        #[cfg(target_os = "linux")]
        if let Some(file) = crate::direct::DirectAppend::create(path)? {
            return Ok(Box::new(file));
        }
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        Ok(Box::new(SystemAppend(file)))
    }

    #[cfg(target_os = "linux")]
    fn reuse(&self, path: &Path) -> io::Result<Box<dyn AppendFile>> {
        match crate::direct::DirectAppend::reuse(path)? {
            Some(file) => Ok(Box::new(file)),
            None => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn reuse(&self, _path: &Path) -> io::Result<Box<dyn AppendFile>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn truncate(&self, path: &Path, bytes: u64) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        if file.metadata()?.len() > bytes {
            file.set_len(bytes)?;
        }
        // Without this, file systems gather what was cut off and give it back at once.
        file.sync_all()
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn ReadFile>> {
        Ok(Box::new(SystemRead(File::open(path)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<FileEntry>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let metadata = entry.metadata()?;
            // A name that is not UTF-8 is none of ours.
            if let (true, Ok(name)) = (metadata.is_file(), entry.file_name().into_string()) {
                let bytes = metadata.len();
                files.push(FileEntry { name, bytes });
            }
        }
        Ok(files)
    }

    #[cfg(unix)]
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    /// Elsewhere folders cannot be opened, and the file system journals names by itself.
    #[cfg(not(unix))]
    fn sync_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    #[cfg(unix)]
    fn available(&self, dir: &Path) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(dir)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// Not known: the write that does not fit fails, and that is handled.
    #[cfg(not(unix))]
    fn available(&self, _dir: &Path) -> io::Result<u64> {
        Ok(u64::MAX)
    }

    fn fresh_id(&self) -> u128 {
        rand::random()
    }
}

struct SystemLock(#[expect(dead_code, reason = "the lock lasts as long as the file is open")] File);

impl Lock for SystemLock {}

struct SystemAppend(File);

impl AppendFile for SystemAppend {
    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.write_vectored(parts)
    }

    fn sync_data(&mut self) -> io::Result<()> {
        self.0.sync_data()
    }
}

struct SystemRead(File);

impl ReadFile for SystemRead {
    fn bytes(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&mut self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.0.seek(SeekFrom::Start(offset))?;
        self.0.read(buf)
    }
}
