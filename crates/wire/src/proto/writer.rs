//! Writing fields, with nested messages in place.

use super::Tag;

/// Bytes set aside for the length of a nested message before its length is known: right for up to 127 bytes, which is
/// what the most frequent message, an attribute, has.
const SMALL: usize = 1;

/// Appends fields to a growing message. Nothing can fail; what was written is a valid message at every moment.
///
/// Methods named `put_…` leave out the default value, as proto3 does; the others always write.
#[derive(Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// An empty message.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty message with room for `bytes`.
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            out: Vec::with_capacity(bytes),
        }
    }

    /// The message.
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    /// Bytes written so far.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    #[inline]
    fn raw_varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.out.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.out.push(number as u8);
    }

    #[inline]
    fn tag(&mut self, tag: Tag) {
        self.raw_varint(u64::from(tag.0));
    }

    /// Writes an integer, a boolean or the number of an enum; negative numbers as their two's complement in 64 bits.
    #[inline]
    pub fn varint(&mut self, tag: Tag, number: u64) {
        self.tag(tag);
        self.raw_varint(number);
    }

    /// Writes eight bytes.
    #[inline]
    pub fn fixed64(&mut self, tag: Tag, number: u64) {
        self.tag(tag);
        self.out.extend_from_slice(&number.to_le_bytes());
    }

    /// Writes four bytes.
    #[inline]
    pub fn fixed32(&mut self, tag: Tag, number: u32) {
        self.tag(tag);
        self.out.extend_from_slice(&number.to_le_bytes());
    }

    /// Writes a double.
    #[inline]
    pub fn double(&mut self, tag: Tag, number: f64) {
        self.fixed64(tag, number.to_bits());
    }

    /// Writes a string, bytes, or a message encoded elsewhere.
    #[inline]
    pub fn bytes(&mut self, tag: Tag, bytes: &[u8]) {
        self.tag(tag);
        self.raw_varint(bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    /// Writes an integer unless it is zero.
    #[inline]
    pub fn put_varint(&mut self, tag: Tag, number: u64) {
        if number != 0 {
            self.varint(tag, number);
        }
    }

    /// Writes eight bytes unless they are zero.
    #[inline]
    pub fn put_fixed64(&mut self, tag: Tag, number: u64) {
        if number != 0 {
            self.fixed64(tag, number);
        }
    }

    /// Writes four bytes unless they are zero.
    #[inline]
    pub fn put_fixed32(&mut self, tag: Tag, number: u32) {
        if number != 0 {
            self.fixed32(tag, number);
        }
    }

    /// Writes a string or bytes unless empty.
    #[inline]
    pub fn put_bytes(&mut self, tag: Tag, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.bytes(tag, bytes);
        }
    }

    /// Writes a nested message whose fields `fill` appends. An empty one is written too.
    ///
    /// Costs a move of the nested bytes when they are more than 127.
    #[inline]
    pub fn message<R>(&mut self, tag: Tag, fill: impl FnOnce(&mut Self) -> R) -> R {
        self.message_sized(SMALL, tag, fill)
    }

    /// As [`Self::message`], for one that is expected to need a length of `width` bytes (2: up to 16 KiB, 3: up to 2 MiB):
    /// when that is right, nothing is moved.
    #[inline]
    pub fn message_sized<R>(
        &mut self,
        width: usize,
        tag: Tag,
        fill: impl FnOnce(&mut Self) -> R,
    ) -> R {
        self.tag(tag);
        let start = self.out.len();
        self.out.resize(start + width, 0);
        let result = fill(self);
        let len = self.out.len() - start - width;
        let needed = varint_len(len as u64);
        if needed != width {
            self.move_body(start, width, needed, len);
        }
        let mut number = len as u64;
        for byte in &mut self.out[start..start + needed] {
            *byte = number as u8 | 0x80;
            number >>= 7;
        }
        self.out[start + needed - 1] &= 0x7f;
        result
    }

    #[cold]
    fn move_body(&mut self, start: usize, width: usize, needed: usize, len: usize) {
        if needed > width {
            self.out.resize(start + needed + len, 0);
        }
        self.out
            .copy_within(start + width..start + width + len, start + needed);
        self.out.truncate(start + needed + len);
    }
}

fn varint_len(number: u64) -> usize {
    let bits = 64 - (number | 1).leading_zeros() as usize;
    bits.div_ceil(7)
}

#[cfg(test)]
mod tests {
    use super::super::Reader;
    use super::*;

    #[test]
    fn nested_messages_of_every_size_read_back() {
        const BODY: Tag = Tag::len(1);
        const AFTER: Tag = Tag::varint(2);
        for size in [0, 1, 127, 128, 129, 16_383, 16_384, 2_100_000] {
            let body = vec![7u8; size];
            let fill = |w: &mut Writer| w.out.extend_from_slice(&body);
            let mut writer = Writer::new();
            writer.message(BODY, fill);
            writer.message_sized(2, BODY, fill);
            writer.message_sized(4, BODY, fill);
            writer.varint(AFTER, u64::MAX);
            let bytes = writer.into_bytes();
            let mut reader = Reader::new(&bytes);
            for _ in 0..3 {
                assert_eq!(reader.tag(), Ok(Some(BODY)));
                assert!(reader.bytes() == Ok(&body), "{size}");
            }
            assert_eq!(reader.tag(), Ok(Some(AFTER)));
            assert_eq!(reader.varint(), Ok(u64::MAX));
            assert_eq!(reader.tag(), Ok(None));
        }
    }
}
