//! Appending past the page cache, on Linux.
//!
//! A journal is written once and hardly ever read, so a page cache full of it is of no use to anybody; and filling it is the
//! largest cost of a commit: pages are found, copied to, written back and freed for as much processor time as all else together
//! (`append_load` with records of 309 kB, on two busy cores: 235 µs per record through the cache, 130 µs past it). Direct writes take the bytes from one small aligned buffer that
//! stays in the processor's cache. And an error is told by the write that it belongs to.
//!
//! Direct writes begin and end at multiples of the block size. What follows the last whole block is kept and written again, with
//! what comes after it, by the next write; its bytes on disk stay the same, as when a page of the cache is written twice. A sync
//! fills the last block up with padding, or adds a block of it, so that the end can be told from what an earlier use has left.

use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{OFlags, fcntl_setfl};

use crate::files::{AppendFile, PADDED_BLOCK, PADDING};

/// What offsets, lengths and addresses are multiples of. Devices ask for 512 or 4096.
const BLOCK: usize = PADDED_BLOCK;
/// Bytes of the buffer and of a write: few writes for a commit, and still within the processor's cache.
const BUFFER: usize = 1 << 20;

const _: () = assert!(BUFFER.is_multiple_of(BLOCK));

/// A file that is written directly.
pub(crate) struct DirectAppend {
    file: File,
    /// The buffer and room to align it.
    memory: Vec<u8>,
    /// Where in `memory` the buffer begins.
    aligned: usize,
    /// Offset in the file of the buffer's first byte; a multiple of [`BLOCK`].
    at: u64,
    /// Bytes in the buffer.
    filled: usize,
    /// Bytes in the buffer that were written before.
    written: usize,
    /// Something was appended since the last sync.
    is_dirty: bool,
}

impl DirectAppend {
    /// Creates the file, or says `None` where the file system does not know direct writes.
    pub(crate) fn create(path: &Path) -> io::Result<Option<Self>> {
        Self::open(path, OpenOptions::new().create_new(true))
    }

    /// Opens an existing file to write over it, or says `None` as [`Self::create`] does.
    pub(crate) fn reuse(path: &Path) -> io::Result<Option<Self>> {
        Self::open(path, &mut OpenOptions::new())
    }

    fn open(path: &Path, options: &mut OpenOptions) -> io::Result<Option<Self>> {
        let opened = options
            .write(true)
            .custom_flags(OFlags::DIRECT.bits().cast_signed())
            .open(path);
        let file = match opened {
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Ok(None),
            opened => opened?,
        };
        let memory = vec![0; BUFFER + BLOCK];
        let aligned = memory.as_ptr().align_offset(BLOCK);
        if aligned > BLOCK {
            return Err(io::Error::other("memory cannot be aligned"));
        }
        Ok(Some(Self {
            file,
            memory,
            aligned,
            at: 0,
            filled: 0,
            written: 0,
            is_dirty: false,
        }))
    }

    /// Writes what the buffer holds, up to `to`, a multiple of [`BLOCK`], with padding behind it; keeps the bytes of a block that
    /// is not full.
    fn flush(&mut self, to: usize) -> io::Result<()> {
        let from = self.written / BLOCK * BLOCK;
        let buffer = &mut self.memory[self.aligned..self.aligned + BUFFER];
        buffer[self.filled..to].fill(PADDING);
        write_blocks(&self.file, &buffer[from..to], self.at + from as u64)?;
        let whole = self.filled / BLOCK * BLOCK;
        buffer.copy_within(whole..self.filled, 0);
        self.at += whole as u64;
        self.filled -= whole;
        self.written = self.filled;
        Ok(())
    }
}

/// Writes directly, or, where the file system took the flag and then does not take the write, through the cache.
fn write_blocks(file: &File, blocks: &[u8], at: u64) -> io::Result<()> {
    match file.write_all_at(blocks, at) {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            fcntl_setfl(file, OFlags::empty())?;
            file.write_all_at(blocks, at)
        }
        done => done,
    }
}

impl AppendFile for DirectAppend {
    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.is_dirty = true;
        let mut taken = 0;
        for part in parts {
            let room = BUFFER - self.filled;
            let bytes = &part[..part.len().min(room)];
            let start = self.aligned + self.filled;
            self.memory[start..start + bytes.len()].copy_from_slice(bytes);
            self.filled += bytes.len();
            taken += bytes.len();
            if self.filled == BUFFER {
                self.flush(BUFFER)?;
                break;
            }
        }
        Ok(taken)
    }

    fn sync_data(&mut self) -> io::Result<()> {
        if self.is_dirty {
            // A full buffer was written before, so there is room for a byte of padding.
            self.flush((self.filled + 1).next_multiple_of(BLOCK))?;
            self.is_dirty = false;
        }
        self.file.sync_data()
    }
}
