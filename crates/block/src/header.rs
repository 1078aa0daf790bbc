//! Page headers of our Parquet files, with two checksums: of the page, which Parquet defines and the parquet crate checks
//! but does not write, and of the header itself, which nobody else has. A flipped bit in a header that says how many
//! values there are, or how they are encoded, would otherwise go unnoticed.
//!
//! A header is a Thrift struct in the compact protocol. Ours always have this form, numbers being zigzag varints:
//!
//! ```text
//! header  = 15 kind  15 raw  15 stored  15 crc  content  check  00
//! content = 1C 15 values 15 encoding 15 06 15 06 00        of a page of values, whose levels are RLE (3, in zigzag 6)
//!         | 3C 15 values 15 encoding 00                    of a dictionary
//! check   = 08 FE FF 03 04 crc32:u32-LE                    CRC32 of the header before it
//! ```
//! `raw` and `stored` are sizes of the page before and after compression, without header; `crc` is the CRC32 of the page
//! as stored. `check` is the field 32767 of bytes, which Parquet reserves for extensions and readers pass over.

use parquet::basic::Encoding;
use parquet::errors::ParquetError;

use crate::ReadError;
use crate::read::content;

const DATA_PAGE: i32 = 0;
const DICTIONARY_PAGE: i32 = 2;

/// A field of type i32 whose number is one more than that of the field before.
const NEXT_INT: u8 = 0x15;
/// The structs that describe a page: fields 5 and 7, after field 4.
const DATA_PAGE_HEADER: u8 = 0x1c;
const DICTIONARY_PAGE_HEADER: u8 = 0x3c;
/// Levels are RLE: fields 3 and 4 of the header of a page of values.
const LEVELS: [u8; 4] = [NEXT_INT, 6, NEXT_INT, 6];
/// Field 32767 of type binary, four bytes long.
const CHECK: [u8; 5] = [0x08, 0xfe, 0xff, 0x03, 0x04];
const STOP: u8 = 0;

/// Bytes of the longest varint of 32 bits.
const VARINT_BYTES_MAX: u32 = 5;

/// What the bytes after a header are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageKind {
    /// The dictionary of a chunk.
    Dictionary,
    /// Levels and values, as of Parquet's first version of pages.
    Data,
}

/// What is said of a page in front of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PageHeader {
    pub(crate) kind: PageKind,
    /// Bytes before compression.
    pub(crate) raw: i32,
    /// Bytes in the file.
    pub(crate) stored: i32,
    /// CRC32 of the bytes in the file.
    pub(crate) crc: u32,
    /// Values, nulls and empty lists included.
    pub(crate) values: i32,
    /// As Parquet numbers it.
    pub(crate) encoding: i32,
}

impl PageHeader {
    /// The header of a page of `raw` bytes that is stored as `stored`. Costs the CRC32: some 10 GB/s.
    ///
    /// # Errors
    /// [`ParquetError`] for what Parquet cannot hold in a page: 2 GiB, or 2^31 values.
    pub(crate) fn of(
        kind: PageKind,
        encoding: Encoding,
        values: usize,
        raw: usize,
        stored: &[u8],
    ) -> Result<Self, ParquetError> {
        let int = |number: usize| {
            i32::try_from(number)
                .map_err(|_| ParquetError::General(format!("a page is too large: {number}")))
        };
        Ok(Self {
            kind,
            raw: int(raw)?,
            stored: int(stored.len())?,
            crc: crc32fast::hash(stored),
            values: int(values)?,
            encoding: encoding as i32,
        })
    }

    /// Appends the header.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let (kind, description) = match self.kind {
            PageKind::Data => (DATA_PAGE, DATA_PAGE_HEADER),
            PageKind::Dictionary => (DICTIONARY_PAGE, DICTIONARY_PAGE_HEADER),
        };
        for number in [kind, self.raw, self.stored, self.crc as i32] {
            write_int(number, out);
        }
        out.push(description);
        write_int(self.values, out);
        write_int(self.encoding, out);
        if self.kind == PageKind::Data {
            out.extend_from_slice(&LEVELS);
        }
        out.push(STOP);
        let check = crc32fast::hash(&out[start..]);
        out.extend_from_slice(&CHECK);
        out.extend_from_slice(&check.to_le_bytes());
        out.push(STOP);
    }

    /// The header that `bytes` begin with, and its length. `None` when there is no header of our form or it does not have
    /// its checksum.
    pub(crate) fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let mut rest = bytes;
        let kind = read_int(&mut rest)?;
        let [raw, stored, crc] = [
            read_int(&mut rest)?,
            read_int(&mut rest)?,
            read_int(&mut rest)?,
        ];
        let kind = match (kind, rest.split_off_first()?) {
            (DATA_PAGE, &DATA_PAGE_HEADER) => PageKind::Data,
            (DICTIONARY_PAGE, &DICTIONARY_PAGE_HEADER) => PageKind::Dictionary,
            _ => return None,
        };
        let [values, encoding] = [read_int(&mut rest)?, read_int(&mut rest)?];
        if kind == PageKind::Data {
            rest = rest.strip_prefix(&LEVELS)?;
        }
        rest = rest.strip_prefix(&[STOP])?;
        let checked = &bytes[..bytes.len() - rest.len()];
        let (check, rest) = rest.strip_prefix(&CHECK)?.split_first_chunk::<4>()?;
        let rest = rest.strip_prefix(&[STOP])?;
        let header = Self {
            kind,
            raw,
            stored,
            crc: crc as u32,
            values,
            encoding,
        };
        let sound = u32::from_le_bytes(*check) == crc32fast::hash(checked);
        sound.then_some((header, bytes.len() - rest.len()))
    }
}

/// Checks the headers of pages that follow one another, as those of a column, a row group or a run of rows do in a file of
/// a block. The pages themselves are checked by whoever decodes them. Costs nothing: a look at some 40 bytes a page.
///
/// # Errors
/// [`ReadError::Content`] when a header is damaged, or the last page is cut off.
pub fn check_page_headers(pages: &[u8]) -> Result<(), ReadError> {
    let mut rest = pages;
    while !rest.is_empty() {
        let at = pages.len() - rest.len();
        let damaged = |what: &str| content(format!("{what} {at} of {} bytes", pages.len()));
        let (header, length) =
            PageHeader::read(rest).ok_or_else(|| damaged("no sound page header at"))?;
        rest = usize::try_from(header.stored)
            .ok()
            .and_then(|stored| rest.get(length + stored..))
            .ok_or_else(|| damaged("a page is cut off at"))?;
    }
    Ok(())
}

fn write_int(number: i32, out: &mut Vec<u8>) {
    out.push(NEXT_INT);
    let mut zigzag = ((number << 1) ^ (number >> 31)) as u32;
    while zigzag >= 0x80 {
        out.push(zigzag as u8 | 0x80);
        zigzag >>= 7;
    }
    out.push(zigzag as u8);
}

fn read_int(rest: &mut &[u8]) -> Option<i32> {
    *rest = rest.strip_prefix(&[NEXT_INT])?;
    let mut zigzag = 0u64;
    for place in 0..VARINT_BYTES_MAX {
        let byte = *rest.split_off_first()?;
        zigzag |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            let zigzag = u32::try_from(zigzag).ok()?;
            return Some((zigzag >> 1) as i32 ^ -((zigzag & 1) as i32));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header() -> impl Strategy<Value = PageHeader> {
        let kind = prop_oneof![Just(PageKind::Data), Just(PageKind::Dictionary)];
        let size = prop_oneof![0i32..300, 0..=i32::MAX];
        (kind, size.clone(), size.clone(), any::<u32>(), size, 0..10).prop_map(
            |(kind, raw, stored, crc, values, encoding)| PageHeader {
                kind,
                raw,
                stored,
                crc,
                values,
                encoding,
            },
        )
    }

    fn written(header: PageHeader) -> Vec<u8> {
        let mut bytes = Vec::new();
        header.write(&mut bytes);
        bytes
    }

    proptest! {
        #[test]
        fn a_header_comes_back_with_its_length(header in header(), page: Vec<u8>) {
            let mut bytes = written(header);
            let length = bytes.len();
            bytes.extend(page);
            prop_assert_eq!(PageHeader::read(&bytes), Some((header, length)));
        }

        #[test]
        fn no_flipped_bit_is_overlooked(header in header(), after: [u8; 16]) {
            let mut bytes = written(header);
            let bits = bytes.len() * 8;
            bytes.extend(after);
            for bit in 0..bits {
                bytes[bit / 8] ^= 1 << (bit % 8);
                prop_assert_eq!(PageHeader::read(&bytes), None, "bit {}", bit);
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = PageHeader::read(&bytes);
            let _ = check_page_headers(&bytes);
        }
    }

    #[test]
    fn pages_are_checked_one_after_the_other_to_the_end() {
        let mut bytes = Vec::new();
        for page in [&b"first"[..], b"", b"third"] {
            PageHeader::of(PageKind::Data, Encoding::PLAIN, 1, page.len(), page)
                .unwrap()
                .write(&mut bytes);
            bytes.extend_from_slice(page);
        }
        assert!(check_page_headers(&bytes).is_ok());
        assert!(check_page_headers(&[]).is_ok());
        for end in [1, bytes.len() - 1, bytes.len() - 5] {
            assert!(check_page_headers(&bytes[..end]).is_err(), "{end}");
        }
    }
}
