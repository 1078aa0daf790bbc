//! The format of a segment file: what the bytes are, and nothing about files.
//!
//! Goals: a reader knows after 28 bytes whether a record begins here and how long it is; damage costs the records it hits and
//! no other; bytes that merely look like a record (a payload may hold a copy of another journal) are never taken for one; and
//! what was acknowledged can be told from what a crash left unfinished.
//!
//! ```text
//! segment  = header record* padding rest
//!
//! header   = "TL-JRNL\n"          8 bytes
//!            version   u32        2
//!            journal   u128       the journal's random id
//!            segment   u64        this segment's number, from 1; also the file's name
//!            previous  u64        number of the segment before, 0 for none
//!            ends      u64        where the segment before ends; bytes behind this were never acknowledged
//!            settled   u64        below this, everything in the segment before was acknowledged
//!            crc       u32        of all above
//!
//! record   = head tenant payload
//!
//! head     = crc       u32        of salt, the rest of the head, and tenant
//!            length    u32        of payload
//!            sum       u32        crc of payload
//!            group     u32        distance back to the first record of the same commit, 0 for that record itself
//!            received  i64        ns since 1970
//!            kind      u8         1 = entry
//!            flags     u8         0
//!            encoding  u8         opaque to the journal
//!            tenant    u8         length of tenant in bytes
//!
//! padding  = bytes 0xa5 up to a multiple of 4096, at least one where anything follows
//! rest     = what an earlier use of the file has left; means nothing
//!
//! salt     = journal u128, segment u64, offset of the record u64; not stored
//! ```
//!
//! All integers are little-endian, all checksums CRC-32 (IEEE). The salt ties a head to its place, so a record copied elsewhere
//! is not one.
//!
//! A file may have been another segment before; its old records stand whole behind the end of the new ones. That their heads
//! are not taken is certain, not just likely: an old head that is read at its offset differs from one of this segment in the
//! salt's number. Numbers below 2^32 differ within 32 neighbouring bits, a CRC-32 tells any two inputs apart that do, and equal
//! bytes behind them keep the two apart.
//!
//! Version 1 is the same without rest and spare files. It is read; a program that knows only version 1 must not read version 2,
//! as it would not look for a segment in a file that has a spare one's name (see `folder.rs`).
//!
//! `group` and `settled` exist for recovery: a commit is started only when the one before is on disk, so an unreadable stretch
//! that is followed by a record of a *later* commit was acknowledged once and is damage; one inside the last commit may just be
//! what a crash left.

use crc32fast::Hasher;
use model::UnixNanos;

/// The version written, and the newest that can be read.
pub(crate) const VERSION: u32 = 2;
/// The oldest version that can be read.
const OLDEST_VERSION: u32 = 1;
/// Length of a segment's header in bytes.
pub(crate) const HEADER_LEN: u64 = 64;
/// Length of a record's head in bytes, without the tenant.
pub(crate) const HEAD_LEN: usize = 28;
/// Longest name of a tenant in bytes: its length is one byte.
pub(crate) const MAX_TENANT: usize = u8::MAX as usize;
/// Highest number of a segment that is believed, so that a file with an absurd name cannot end the counting.
const MAX_SEGMENT: u64 = 1 << 62;
/// Where in a head its kind and flags are, and what they must be; the cheap first question in a search for heads.
const MARK_AT: usize = 24;
const MARK: [u8; 2] = [KIND_ENTRY, 0];
/// Longest payload. Twice the largest request body that the receivers take, and far below what `length` can say.
pub(crate) const MAX_PAYLOAD: usize = 128 << 20;

const MAGIC: [u8; 8] = *b"TL-JRNL\n";
const KIND_ENTRY: u8 = 1;

const _: () = assert!(MAX_PAYLOAD < u32::MAX as usize);

/// What a segment's first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) journal: u128,
    pub(crate) segment: u64,
    pub(crate) previous: Previous,
}

/// What is known about the segment before; all zero when there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Previous {
    pub(crate) segment: u64,
    pub(crate) ends: u64,
    pub(crate) settled: u64,
}

/// Why the first bytes of a file are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoHeader {
    /// Fewer bytes than a header has.
    Short,
    /// Magic or checksum are wrong.
    Damaged,
    /// Intact, but of a version that this program does not know.
    Version(u32),
}

impl Header {
    pub(crate) fn encode(&self) -> [u8; HEADER_LEN as usize] {
        let mut bytes = [0; HEADER_LEN as usize];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..28].copy_from_slice(&self.journal.to_le_bytes());
        bytes[28..36].copy_from_slice(&self.segment.to_le_bytes());
        bytes[36..44].copy_from_slice(&self.previous.segment.to_le_bytes());
        bytes[44..52].copy_from_slice(&self.previous.ends.to_le_bytes());
        bytes[52..60].copy_from_slice(&self.previous.settled.to_le_bytes());
        let crc = crc32fast::hash(&bytes[..60]);
        bytes[60..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, NoHeader> {
        let bytes = bytes.get(..HEADER_LEN as usize).ok_or(NoHeader::Short)?;
        if bytes[..8] != MAGIC || crc32fast::hash(&bytes[..60]) != u32_at(bytes, 60) {
            return Err(NoHeader::Damaged);
        }
        let version = u32_at(bytes, 8);
        if !(OLDEST_VERSION..=VERSION).contains(&version) {
            return Err(NoHeader::Version(version));
        }
        Ok(Self {
            journal: u128::from(u64_at(bytes, 12)) | (u128::from(u64_at(bytes, 20)) << 64),
            segment: u64_at(bytes, 28),
            previous: Previous {
                segment: u64_at(bytes, 36),
                ends: u64_at(bytes, 44),
                settled: u64_at(bytes, 52),
            },
        })
    }
}

/// The part of a record that says what follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) length: u32,
    pub(crate) sum: u32,
    pub(crate) group: u32,
    pub(crate) received: UnixNanos,
    pub(crate) encoding: u8,
    pub(crate) tenant: u8,
}

impl Head {
    /// Bytes of head, tenant and payload together.
    pub(crate) fn record_len(&self) -> u64 {
        HEAD_LEN as u64 + u64::from(self.tenant) + u64::from(self.length)
    }

    /// Appends head and `tenant` to `out`.
    pub(crate) fn encode(&self, salt: &Salt, offset: u64, tenant: &str, out: &mut Vec<u8>) {
        debug_assert_eq!(tenant.len(), usize::from(self.tenant));
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&self.length.to_le_bytes());
        out.extend_from_slice(&self.sum.to_le_bytes());
        out.extend_from_slice(&self.group.to_le_bytes());
        out.extend_from_slice(&self.received.0.to_le_bytes());
        out.extend_from_slice(&MARK);
        out.extend_from_slice(&[self.encoding, self.tenant]);
        out.extend_from_slice(tenant.as_bytes());
        let crc = salt.crc(offset, &out[start + 4..]);
        out[start..start + 4].copy_from_slice(&crc.to_le_bytes());
    }

    /// Reads the head that begins `bytes`, and the tenant behind it, if one belongs at `offset` of the salt's segment.
    ///
    /// Nothing but a head that was written for this place is taken, up to the strength of CRC-32.
    pub(crate) fn decode<'a>(salt: &Salt, offset: u64, bytes: &'a [u8]) -> Option<(Self, &'a str)> {
        let fixed = bytes.get(..HEAD_LEN)?;
        if fixed[MARK_AT..MARK_AT + MARK.len()] != MARK {
            return None;
        }
        let end = HEAD_LEN + usize::from(fixed[27]);
        let crc = u32_at(fixed, 0);
        if salt.crc(offset, bytes.get(4..end)?) != crc {
            return None;
        }
        let head = Self {
            length: u32_at(fixed, 4),
            sum: u32_at(fixed, 8),
            group: u32_at(fixed, 12),
            received: UnixNanos(u64_at(fixed, 16).cast_signed()),
            encoding: fixed[26],
            tenant: fixed[27],
        };
        Some((head, std::str::from_utf8(&bytes[HEAD_LEN..end]).ok()?))
    }
}

/// The first place in `bytes` where a head could begin, or else the first whose answer needs more bytes.
pub(crate) fn first_candidate(bytes: &[u8]) -> Result<usize, usize> {
    let unknown = bytes.len().saturating_sub(MARK_AT + MARK.len() - 1);
    let marks = bytes.get(MARK_AT..).unwrap_or_default();
    let found = marks.windows(MARK.len()).position(|pair| pair == MARK);
    found.ok_or(unknown)
}

/// What ties the heads of one segment to it.
#[derive(Clone)]
pub(crate) struct Salt(Hasher);

impl Salt {
    pub(crate) fn new(journal: u128, segment: u64) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(&journal.to_le_bytes());
        hasher.update(&segment.to_le_bytes());
        Self(hasher)
    }

    fn crc(&self, offset: u64, rest: &[u8]) -> u32 {
        let mut hasher = self.0.clone();
        hasher.update(&offset.to_le_bytes());
        hasher.update(rest);
        hasher.finalize()
    }
}

/// The file name of a trimmed segment whose file waits to be used again.
pub(crate) fn spare_name(number: u64) -> String {
    format!("{number:020}.spare")
}

/// The file name of a segment. Padded, so that names sort as the numbers do.
pub(crate) fn segment_name(number: u64) -> String {
    format!("{number:020}.segment")
}

/// The number in a segment's file name; `None` for every other name.
pub(crate) fn segment_number(name: &str) -> Option<u64> {
    number_before(name, ".segment")
}

/// The number in a spare's file name; `None` for every other name.
pub(crate) fn spare_number(name: &str) -> Option<u64> {
    number_before(name, ".spare")
}

fn number_before(name: &str, suffix: &str) -> Option<u64> {
    let digits = name.strip_suffix(suffix)?;
    let all_digits = digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit());
    all_digits
        .then(|| digits.parse().ok())
        .flatten()
        .filter(|number| (1..=MAX_SEGMENT).contains(number))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    word.copy_from_slice(&bytes[at..at + 4]);
    u32::from_le_bytes(word)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}
