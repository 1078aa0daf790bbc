//! A small cursor and a small writer for the protobuf wire format; no schema, no generated code, no reflection.
//!
//! The [`Reader`] borrows from the bytes it walks, allocates nothing, and never reads beyond the message it was made for:
//! every length is checked against the bytes that are left, a varint has at most ten bytes, groups (obsolete since 2008,
//! yet legal as unknown fields) are skipped with a bound on nesting. Errors carry the byte offset in the outermost message.
//!
//! A [`Tag`] is a field number with its wire type, so that one constant serves reading (as a pattern) and writing.

mod reader;
mod writer;

pub use reader::{Fault, ProtoError, Reader};
pub use writer::Writer;

/// How a field is laid out, numbered as on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum WireType {
    /// One varint.
    Varint = 0,
    /// Eight bytes, little-endian.
    Fixed64 = 1,
    /// A length and so many bytes: strings, bytes, messages.
    Len = 2,
    /// The start of a group; obsolete.
    StartGroup = 3,
    /// The end of a group; obsolete.
    EndGroup = 4,
    /// Four bytes, little-endian.
    Fixed32 = 5,
}

/// What stands in front of a field: its number and its wire type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag(u32);

impl Tag {
    /// The tag of a field that holds one varint: integers, booleans, enums.
    pub const fn varint(field: u32) -> Self {
        Self(field << 3)
    }

    /// The tag of a field of eight bytes: `fixed64`, `double`.
    pub const fn fixed64(field: u32) -> Self {
        Self(field << 3 | WireType::Fixed64 as u32)
    }

    /// The tag of a field with a length: strings, bytes, messages.
    pub const fn len(field: u32) -> Self {
        Self(field << 3 | WireType::Len as u32)
    }

    /// The tag of a field of four bytes: `fixed32`, `float`.
    pub const fn fixed32(field: u32) -> Self {
        Self(field << 3 | WireType::Fixed32 as u32)
    }

    /// The number of the field.
    pub const fn field(self) -> u32 {
        self.0 >> 3
    }

    /// The wire type; `None` for the numbers 6 and 7, which have no meaning.
    pub const fn wire_type(self) -> Option<WireType> {
        Some(match self.0 & 7 {
            0 => WireType::Varint,
            1 => WireType::Fixed64,
            2 => WireType::Len,
            3 => WireType::StartGroup,
            4 => WireType::EndGroup,
            5 => WireType::Fixed32,
            _ => return None,
        })
    }
}
