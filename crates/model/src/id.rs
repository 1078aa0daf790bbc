//! Trace and span ids: opaque bytes with hex spellings.

use std::fmt;
use std::str::FromStr;

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is empty or has more digits than the id.
    #[error("expected 1 to {max} hex digits, found {found}")]
    Length {
        /// Digits that the id has.
        max: usize,
        /// Digits that the text has.
        found: usize,
    },
    /// A character is no hex digit.
    #[error("`{character}` at offset {offset} is not a hex digit")]
    Digit {
        /// The offending character.
        character: char,
        /// Its byte offset in the text.
        offset: usize,
    },
    /// Every byte is zero, which W3C Trace Context reserves for "no id".
    #[error("the id is all zeros, which means no id")]
    Zero,
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub [u8; $bytes]);

        impl $name {
            /// Bytes of the id.
            pub const BYTES: usize = $bytes;

            /// The id of all zeros, which stands for "none".
            pub const ZERO: Self = Self([0; $bytes]);

            /// Whether every byte is zero: not a valid id.
            #[inline]
            pub fn is_zero(self) -> bool {
                self.0 == [0; $bytes]
            }

            /// The id of exactly these bytes; `None` when the length is another.
            #[inline]
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                const DIGITS: &[u8; 16] = b"0123456789abcdef";
                let mut text = [0u8; $bytes * 2];
                for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
                    pair[0] = DIGITS[usize::from(byte >> 4)];
                    pair[1] = DIGITS[usize::from(byte & 15)];
                }
                f.pad(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        /// Accepts upper and lower case, and fewer digits than the id has: missing leading zeros are supplied, as
        /// Tempo prints ids without them.
        ///
        /// # Errors
        /// [`IdError`] for an empty or too long text, a character that is no hex digit, and the id of all zeros.
        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let mut digits = [0u8; $bytes * 2];
                let found = text.chars().count();
                if found == 0 || found > digits.len() {
                    return Err(IdError::Length { max: digits.len(), found });
                }
                let pad = digits.len() - found;
                for (slot, (offset, character)) in digits[pad..].iter_mut().zip(text.char_indices()) {
                    let digit = character.to_digit(16).ok_or(IdError::Digit { character, offset })?;
                    *slot = u8::try_from(digit).map_err(|_| IdError::Digit { character, offset })?;
                }
                let mut id = Self::ZERO;
                for (byte, pair) in id.0.iter_mut().zip(digits.chunks_exact(2)) {
                    *byte = pair[0] << 4 | pair[1];
                }
                if id.is_zero() { Err(IdError::Zero) } else { Ok(id) }
            }
        }
    };
}

id_type! {
    /// The 16 bytes that all spans of one trace share.
    TraceId, 16
}

id_type! {
    /// The 8 bytes that name a span inside its trace. As a parent id, [`SpanId::ZERO`] means that the span is a root.
    SpanId, 8
}

impl TraceId {
    /// A well mixed 64-bit hash of the id, the same in every process and version: shards, blooms and cursors rest on it.
    #[inline]
    pub fn hash64(self) -> u64 {
        let value = u128::from_le_bytes(self.0);
        let mixed = (value as u64) ^ (value >> 64) as u64;
        // The finaliser of SplitMix64: ids may be counters or carry constant halves.
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsing_what_was_printed_gives_the_same_id() {
        let id = TraceId(*b"\x00\x01\xfe\xff456789abcdef");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string(), "0001feff343536373839616263646566");
    }

    #[test]
    fn case_and_leading_zeros_are_free() {
        let id: SpanId = "A1".parse().unwrap();
        assert_eq!(id, SpanId([0, 0, 0, 0, 0, 0, 0, 0xa1]));
    }

    #[test]
    fn what_is_no_id_is_refused_with_the_place() {
        assert_eq!(
            "".parse::<SpanId>(),
            Err(IdError::Length { max: 16, found: 0 })
        );
        assert_eq!(
            "12é4".parse::<SpanId>(),
            Err(IdError::Digit {
                character: 'é',
                offset: 2
            })
        );
        assert_eq!("0000".parse::<TraceId>(), Err(IdError::Zero));
        assert!("00000000000000001".parse::<SpanId>().is_err());
    }
}
