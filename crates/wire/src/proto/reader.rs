//! The cursor over the fields of one message.

use super::{Tag, WireType};

/// How deep unknown groups may be nested inside each other: what the reference implementations allow.
const MAX_GROUP_DEPTH: usize = 100;

/// What is wrong with the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The message ends inside a field.
    #[error("the message ends inside a field")]
    Truncated,
    /// A length points behind the end of the message.
    #[error("a length of {length} bytes where {left} are left")]
    Length {
        /// The length as written.
        length: u64,
        /// Bytes left in the message.
        left: usize,
    },
    /// A varint is longer than ten bytes or does not fit 64 bits.
    #[error("a varint does not fit 64 bits")]
    Varint,
    /// A field number is 0 or above 2^29 - 1.
    #[error("the field number is out of range")]
    FieldNumber,
    /// A wire type of 6 or 7.
    #[error("wire type {0} does not exist")]
    WireType(u8),
    /// A known field has a wire type that is not its own.
    #[error("field {field} has wire type {wire_type}, which is not that of its type")]
    WrongType {
        /// The number of the field.
        field: u32,
        /// The wire type found.
        wire_type: u8,
    },
    /// A group ends that did not start, or does not end where it should.
    #[error("a group starts or ends without its other half")]
    Group,
    /// Groups are nested deeper than the bound on recursion.
    #[error("groups are nested deeper than {MAX_GROUP_DEPTH}")]
    GroupDepth,
    /// The message is longer than 4 GiB, or holds more distinct values than fit 4 GiB.
    #[error("the message is larger than 4 GiB")]
    TooLarge,
}

/// A fault and where it was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("broken protobuf at byte {offset}: {fault}")]
pub struct ProtoError {
    /// Bytes from the start of the outermost message.
    pub offset: usize,
    /// What is wrong.
    pub fault: Fault,
}

/// Walks the fields of one message: [`Reader::tag`], then the one method that fits the tag, until there is no tag left.
///
/// ```
/// use wire::proto::{Reader, Tag};
///
/// const NAME: Tag = Tag::len(1);
/// let mut reader = Reader::new(b"\x0a\x04shop\x10\x07");
/// let mut name = &b""[..];
/// while let Some(tag) = reader.tag()? {
///     match tag {
///         NAME => name = reader.bytes()?,
///         other => reader.skip(other)?,
///     }
/// }
/// assert_eq!(name, b"shop");
/// # Ok::<(), wire::proto::ProtoError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
    /// Where this message ends, counted from the start of the outermost one.
    end: usize,
}

impl<'a> Reader<'a> {
    /// A reader of an outermost message.
    #[inline]
    pub fn new(message: &'a [u8]) -> Self {
        Self {
            rest: message,
            end: message.len(),
        }
    }

    /// Whether nothing is left.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Bytes left.
    #[inline]
    pub fn len(&self) -> usize {
        self.rest.len()
    }

    /// The bytes left, without taking them.
    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Bytes from the start of the outermost message to what is read next.
    #[inline]
    pub fn offset(&self) -> usize {
        self.end - self.rest.len()
    }

    /// What follows these bytes, if the rest of the message starts with them.
    #[inline]
    pub(crate) fn strip_prefix(self, prefix: &[u8]) -> Option<Self> {
        let (start, rest) = self.rest.split_at_checked(prefix.len())?;
        model::same_bytes(start, prefix).then_some(Self { rest, ..self })
    }

    #[cold]
    fn error(&self, fault: Fault) -> ProtoError {
        ProtoError {
            offset: self.offset(),
            fault,
        }
    }

    /// A fault of the tag that was just read: it is named where it starts. (A tag written with needless bytes would be
    /// shown that many bytes late.)
    #[cold]
    fn tag_error(&self, tag: Tag, fault: Fault) -> ProtoError {
        let bits = u32::BITS - tag.0.leading_zeros();
        let len = bits.div_ceil(7).max(1) as usize;
        ProtoError {
            offset: self.offset().saturating_sub(len),
            fault,
        }
    }

    /// The tag of the next field; `None` at the end of the message.
    ///
    /// A tag that no field can have (number 0, wire type 6 or 7) is found out by [`Self::skip`], to which a caller gives
    /// all tags that it does not know.
    ///
    /// # Errors
    /// [`Fault::FieldNumber`], and those of [`Self::varint`].
    #[inline]
    pub fn tag(&mut self) -> Result<Option<Tag>, ProtoError> {
        match *self.rest {
            [] => Ok(None),
            // Fields 1 to 15: all but one of those that matter here.
            [byte, ref rest @ ..] if byte < 0x80 => {
                self.rest = rest;
                Ok(Some(Tag(u32::from(byte))))
            }
            [low, high, ref rest @ ..] if high < 0x80 => {
                self.rest = rest;
                Ok(Some(Tag(u32::from(low & 0x7f) | u32::from(high) << 7)))
            }
            _ => self.long_tag().map(Some),
        }
    }

    fn long_tag(&mut self) -> Result<Tag, ProtoError> {
        let start = *self;
        let number = self.varint()?;
        // The highest field number there can be leaves three bits for the wire type.
        u32::try_from(number)
            .map(Tag)
            .map_err(|_| start.error(Fault::FieldNumber))
    }

    /// A varint.
    ///
    /// # Errors
    /// [`Fault::Truncated`] and [`Fault::Varint`].
    #[inline]
    pub fn varint(&mut self) -> Result<u64, ProtoError> {
        match *self.rest {
            [byte, ref rest @ ..] if byte < 0x80 => {
                self.rest = rest;
                Ok(u64::from(byte))
            }
            [low, high, ref rest @ ..] if high < 0x80 => {
                self.rest = rest;
                Ok(u64::from(low & 0x7f) | u64::from(high) << 7)
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, ProtoError> {
        let mut value = 0u64;
        for (position, &byte) in self.rest.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * position);
            if byte < 0x80 {
                // The tenth byte has room for one bit only.
                if position == 9 && byte > 1 {
                    return Err(self.error(Fault::Varint));
                }
                self.rest = &self.rest[position + 1..];
                return Ok(value);
            }
        }
        Err(self.error(if self.rest.len() < 10 {
            Fault::Truncated
        } else {
            Fault::Varint
        }))
    }

    /// A boolean: any varint but zero is true.
    ///
    /// # Errors
    /// Those of [`Self::varint`].
    #[inline]
    pub fn bool(&mut self) -> Result<bool, ProtoError> {
        self.varint().map(|number| number != 0)
    }

    /// A `uint32`, cut to its low 32 bits as the format demands.
    ///
    /// # Errors
    /// Those of [`Self::varint`].
    #[inline]
    pub fn uint32(&mut self) -> Result<u32, ProtoError> {
        self.varint().map(|number| number as u32)
    }

    /// An `int32` or the number of an enum, cut to its low 32 bits as the format demands.
    ///
    /// # Errors
    /// Those of [`Self::varint`].
    #[inline]
    pub fn int32(&mut self) -> Result<i32, ProtoError> {
        self.varint().map(|number| number as i32)
    }

    /// An `int64`.
    ///
    /// # Errors
    /// Those of [`Self::varint`].
    #[inline]
    pub fn int64(&mut self) -> Result<i64, ProtoError> {
        self.varint().map(|number| number as i64)
    }

    /// Eight bytes as a number.
    ///
    /// # Errors
    /// [`Fault::Truncated`].
    #[inline]
    pub fn fixed64(&mut self) -> Result<u64, ProtoError> {
        let Some((bytes, rest)) = self.rest.split_first_chunk::<8>() else {
            return Err(self.error(Fault::Truncated));
        };
        self.rest = rest;
        Ok(u64::from_le_bytes(*bytes))
    }

    /// Four bytes as a number.
    ///
    /// # Errors
    /// [`Fault::Truncated`].
    #[inline]
    pub fn fixed32(&mut self) -> Result<u32, ProtoError> {
        let Some((bytes, rest)) = self.rest.split_first_chunk::<4>() else {
            return Err(self.error(Fault::Truncated));
        };
        self.rest = rest;
        Ok(u32::from_le_bytes(*bytes))
    }

    /// A `double`.
    ///
    /// # Errors
    /// [`Fault::Truncated`].
    #[inline]
    pub fn double(&mut self) -> Result<f64, ProtoError> {
        self.fixed64().map(f64::from_bits)
    }

    /// The bytes of a string, of bytes or of a message. Whether a string is UTF-8 is for the caller to check.
    ///
    /// # Errors
    /// [`Fault::Length`], and those of [`Self::varint`].
    #[inline]
    pub fn bytes(&mut self) -> Result<&'a [u8], ProtoError> {
        let start = *self;
        let length = self.varint()?;
        if length > self.rest.len() as u64 {
            let left = self.rest.len();
            return Err(start.error(Fault::Length { length, left }));
        }
        let (bytes, rest) = self.rest.split_at(length as usize);
        self.rest = rest;
        Ok(bytes)
    }

    /// A reader of a nested message.
    ///
    /// # Errors
    /// Those of [`Self::bytes`].
    #[inline]
    pub fn message(&mut self) -> Result<Self, ProtoError> {
        let rest = self.bytes()?;
        Ok(Self {
            rest,
            end: self.end - self.rest.len(),
        })
    }

    /// Passes over the value of a field.
    ///
    /// # Errors
    /// [`Fault::FieldNumber`] and [`Fault::WireType`] for tags that cannot be; [`Fault::Group`] and [`Fault::GroupDepth`]
    /// for groups; and those of the other methods.
    pub fn skip(&mut self, tag: Tag) -> Result<(), ProtoError> {
        if tag.field() == 0 {
            return Err(self.tag_error(tag, Fault::FieldNumber));
        }
        match tag.wire_type() {
            Some(WireType::Varint) => self.varint().map(|_| ()),
            Some(WireType::Fixed64) => self.fixed64().map(|_| ()),
            Some(WireType::Len) => self.bytes().map(|_| ()),
            Some(WireType::Fixed32) => self.fixed32().map(|_| ()),
            Some(WireType::StartGroup) => self.skip_group(tag.field()),
            Some(WireType::EndGroup) => Err(self.error(Fault::Group)),
            None => Err(self.tag_error(tag, Fault::WireType((tag.0 & 7) as u8))),
        }
    }

    /// Passes over the value of a field that the caller has no use for, where the caller knows the fields 1 to `known`
    /// and has matched them by tag before: one of those with another wire type is an error, not an unknown field.
    ///
    /// # Errors
    /// [`Fault::WrongType`], and those of [`Self::skip`].
    #[cold]
    pub fn skip_unknown(&mut self, tag: Tag, known: u32) -> Result<(), ProtoError> {
        if (1..=known).contains(&tag.field()) && tag.wire_type().is_some() {
            return Err(self.error(Fault::WrongType {
                field: tag.field(),
                wire_type: (tag.0 & 7) as u8,
            }));
        }
        self.skip(tag)
    }

    fn skip_group(&mut self, field: u32) -> Result<(), ProtoError> {
        let mut open = [0u32; MAX_GROUP_DEPTH];
        open[0] = field;
        let mut depth = 1;
        while depth > 0 {
            let tag = self.tag()?.ok_or_else(|| self.error(Fault::Truncated))?;
            match tag.wire_type() {
                Some(WireType::StartGroup) => {
                    let slot = open
                        .get_mut(depth)
                        .ok_or_else(|| self.error(Fault::GroupDepth))?;
                    *slot = tag.field();
                    depth += 1;
                }
                Some(WireType::EndGroup) if open[depth - 1] == tag.field() => depth -= 1,
                _ => self.skip(tag)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(bytes: &[u8]) -> Result<usize, Fault> {
        let mut reader = Reader::new(bytes);
        let mut fields = 0;
        while let Some(tag) = reader.tag().map_err(|e| e.fault)? {
            reader.skip(tag).map_err(|e| e.fault)?;
            fields += 1;
        }
        Ok(fields)
    }

    #[test]
    fn fields_of_every_wire_type_are_passed_over() {
        let message =
            b"\x08\x96\x01\x11abcdefgh\x1a\x03xyz\x25abcd\x2b\x33\x08\x01\x34\x2c\xf8\x01\x05";
        assert_eq!(walk(message), Ok(6));
    }

    #[test]
    fn every_way_to_be_broken_has_its_fault() {
        let length = |length, left| Fault::Length { length, left };
        for (bytes, fault) in [
            (&b"\x08"[..], Fault::Truncated),
            (b"\x08\xff\xff", Fault::Truncated),
            (b"\x11abc", Fault::Truncated),
            (b"\x25abc", Fault::Truncated),
            (b"\x0a\x05abc", length(5, 3)),
            (
                b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
                length(u64::MAX, 0),
            ),
            (
                b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
                Fault::Varint,
            ),
            (
                b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
                Fault::Varint,
            ),
            (b"\x00\x01", Fault::FieldNumber),
            (b"\x80\x80\x80\x80\x10\x01", Fault::FieldNumber),
            (b"\x0f", Fault::WireType(7)),
            (b"\x86\x01\x00", Fault::WireType(6)),
            (b"\x0c", Fault::Group),
            (b"\x0b\x14", Fault::Group),
            (b"\x0b\x08\x01", Fault::Truncated),
            (&[0x0b; 200], Fault::GroupDepth),
        ] {
            assert_eq!(walk(bytes), Err(fault), "{bytes:x?}");
        }
    }

    #[test]
    fn offsets_count_from_the_outermost_message() {
        // Field 1 { field 2 { field 3: a length of 9 where nothing is left } }, then one more field.
        let mut outer = Reader::new(b"\x0a\x04\x12\x02\x1a\x09\x08\x01");
        outer.tag().unwrap();
        let mut middle = outer.message().unwrap();
        middle.tag().unwrap();
        let mut inner = middle.message().unwrap();
        inner.tag().unwrap();
        assert_eq!(inner.bytes().unwrap_err().offset, 5);
        assert_eq!(outer.offset(), 6);
    }

    #[test]
    fn a_known_field_of_another_type_is_an_error_and_an_unknown_one_is_not() {
        let mut reader = Reader::new(b"\x08\x01\x48\x01");
        let tag = reader.tag().unwrap().unwrap();
        assert_eq!(
            reader.skip_unknown(tag, 1).map_err(|e| e.fault),
            Err(Fault::WrongType {
                field: 1,
                wire_type: 0
            })
        );
        reader.varint().unwrap();
        let tag = reader.tag().unwrap().unwrap();
        assert_eq!(reader.skip_unknown(tag, 1), Ok(()));
    }
}
