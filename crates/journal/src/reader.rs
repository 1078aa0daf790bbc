//! Walks one segment from its header to its end: the one place where bytes of a file become records.
//!
//! The same walk serves the check when the journal is opened and the replay after it, so both see the same records. It holds one
//! record at a time. Unreadable stretches are steps of the walk, not errors: an error means that the file could not be read.

use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::files::{PADDED_BLOCK, PADDING, ReadFile, padded_end};
use crate::format::{HEAD_LEN, HEADER_LEN, Head, MAX_PAYLOAD, MAX_TENANT, Salt, first_candidate};

/// Bytes read at a time where records are small. One large read costs little more than a small one.
const WINDOW: usize = 256 << 10;

const _: () = assert!(WINDOW > HEAD_LEN + MAX_TENANT && WINDOW > PADDED_BLOCK);

/// What comes next in a segment.
#[derive(Debug)]
pub(crate) enum Step {
    /// A record that is whole; its payload can be taken with [`SegmentReader::take_payload`].
    Record(Found),
    /// Bytes that are no record.
    Unreadable(Stretch),
    /// The end of the segment.
    End,
}

/// A whole record.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) offset: u64,
    /// Where the commit begins that the record was part of.
    pub(crate) group_start: u64,
    pub(crate) head: Head,
    pub(crate) tenant: Arc<str>,
}

/// Bytes that are no record, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) why: &'static str,
}

/// A walk over one segment.
pub(crate) struct SegmentReader {
    file: Box<dyn ReadFile>,
    salt: Salt,
    /// Where the next step begins.
    at: u64,
    /// Where the segment ends for this walk.
    limit: u64,
    /// Nothing tells where the segment ends but its own bytes: behind the last record are padding and remains.
    is_end_open: bool,
    window: Vec<u8>,
    window_at: u64,
    payload: BytesMut,
    /// The last tenant seen: nearly always the next one too.
    tenant: Arc<str>,
}

impl SegmentReader {
    /// A walk over the records of `file`, as far as `ends`, where that is known.
    pub(crate) fn new(file: Box<dyn ReadFile>, salt: Salt, ends: Option<u64>) -> io::Result<Self> {
        let file_len = file.bytes()?;
        let limit = ends.map_or(file_len, |ends| ends.min(file_len));
        Ok(Self {
            file,
            salt,
            at: HEADER_LEN.min(limit),
            limit,
            is_end_open: ends.is_none(),
            window: Vec::new(),
            window_at: 0,
            payload: BytesMut::new(),
            tenant: "".into(),
        })
    }

    /// Goes one step on. Costs one pass over the bytes passed, plus a short checksum for each byte that could begin a record
    /// in a stretch that is damaged.
    pub(crate) fn step(&mut self) -> io::Result<Step> {
        let start = self.at;
        if start >= self.limit {
            return Ok(Step::End);
        }
        let Some(head) = self.head_at(start)? else {
            return self.resume_behind(start);
        };
        let payload = start + HEAD_LEN as u64 + u64::from(head.tenant);
        let end = start + head.record_len();
        self.read_payload(payload, head.length as usize)?;
        self.at = end;
        if crc32fast::hash(&self.payload) != head.sum {
            let why = "the checksum of a payload is wrong";
            return Ok(Step::Unreadable(Stretch { start, end, why }));
        }
        Ok(Step::Record(Found {
            offset: start,
            group_start: start - u64::from(head.group),
            head,
            tenant: self.tenant.clone(),
        }))
    }

    /// The payload of the record that the last step found; empty when taken twice.
    pub(crate) fn take_payload(&mut self) -> Bytes {
        self.payload.split().freeze()
    }

    /// The head at `offset`, when there is one and its record fits before the limit. Sets the tenant.
    fn head_at(&mut self, offset: u64) -> io::Result<Option<Head>> {
        self.fill(offset, HEAD_LEN + MAX_TENANT)?;
        let from = (offset - self.window_at) as usize;
        let longest = (from + HEAD_LEN + MAX_TENANT).min(self.window.len());
        let Some((head, tenant)) = Head::decode(&self.salt, offset, &self.window[from..longest])
        else {
            return Ok(None);
        };
        let fits = head.length as usize <= MAX_PAYLOAD
            && offset + head.record_len() <= self.limit
            && offset >= HEADER_LEN + u64::from(head.group);
        if fits && *self.tenant != *tenant {
            self.tenant = tenant.into();
        }
        Ok(fits.then_some(head))
    }

    /// Goes on behind `start`, where no record begins: at the next head, or else at the end.
    fn resume_behind(&mut self, start: u64) -> io::Result<Step> {
        let next = self.next_head(start + 1)?;
        self.at = next.unwrap_or(self.limit);
        let end = match next {
            None if self.is_end_open && self.is_padding(start)? => return Ok(Step::End),
            // Of what is left behind an end that is open, no more than this block can be told from remains.
            None if self.is_end_open => padded_end(start).min(self.limit),
            None => self.limit,
            Some(next) => next,
        };
        let why = "no record begins here";
        Ok(Step::Unreadable(Stretch { start, end, why }))
    }

    /// The first offset from `from` on at which a head is.
    fn next_head(&mut self, mut from: u64) -> io::Result<Option<u64>> {
        while from + HEAD_LEN as u64 <= self.limit {
            self.fill(from, HEAD_LEN)?;
            let known = &self.window[(from - self.window_at) as usize..];
            match first_candidate(known) {
                Ok(ahead) => {
                    from += ahead as u64;
                    if self.head_at(from)?.is_some() {
                        return Ok(Some(from));
                    }
                    from += 1;
                }
                Err(ahead) => from += ahead as u64,
            }
        }
        Ok(None)
    }

    /// Whether the block of `offset` is padding from there on.
    fn is_padding(&mut self, offset: u64) -> io::Result<bool> {
        let bytes = (padded_end(offset).min(self.limit) - offset) as usize;
        self.fill(offset, bytes)?;
        let from = (offset - self.window_at) as usize;
        let rest = &self.window[from..from + bytes];
        Ok(rest.iter().all(|&byte| byte == PADDING))
    }

    /// Makes the window hold `wanted` bytes from `offset` on, or all up to the limit.
    fn fill(&mut self, offset: u64, wanted: usize) -> io::Result<()> {
        let needed = (offset + wanted as u64).min(self.limit);
        let holds = self.window_at..=self.window_at + self.window.len() as u64;
        if holds.contains(&offset) && holds.contains(&needed) {
            return Ok(());
        }
        let bytes = (self.limit - offset).min(WINDOW as u64) as usize;
        self.window.resize(bytes, 0);
        self.window_at = offset;
        let read = read_exact(&mut *self.file, offset, &mut self.window);
        if read.is_err() {
            self.window.clear();
        }
        read
    }

    /// Reads `length` bytes from `offset` as the payload, out of the window as far as it goes.
    fn read_payload(&mut self, offset: u64, length: usize) -> io::Result<()> {
        let from = (offset - self.window_at) as usize;
        let buffered = self.window.len().saturating_sub(from).min(length);
        self.payload.clear();
        self.payload.reserve(length);
        self.payload
            .extend_from_slice(&self.window[from..from + buffered]);
        if buffered < length {
            self.payload.resize(length, 0);
            let rest = &mut self.payload[buffered..];
            read_exact(&mut *self.file, offset + buffered as u64, rest)?;
        }
        Ok(())
    }
}

/// Fills `buf` with the bytes from `offset` on; a file that ends before is an error.
pub(crate) fn read_exact(
    file: &mut dyn ReadFile,
    mut offset: u64,
    mut buf: &mut [u8],
) -> io::Result<()> {
    while !buf.is_empty() {
        match file.read_at(offset, buf) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                offset += read as u64;
                buf = &mut buf[read..];
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
