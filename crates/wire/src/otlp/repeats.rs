//! Recognising attributes that were seen before.
//!
//! Instrumentation writes its attributes in the same order again and again. So the key that followed the last time after
//! the same key (for the first attribute: after the same span name) is nearly always the one that follows now, and in half
//! of the cases it has the same value. Both are found out by comparing bytes, which costs less than a hash and a probe of
//! the symbol table.

use model::{Attribute, Symbol, same_bytes};

use crate::proto::Reader;

/// Attributes remembered; a power of two. More keys than this share places, which costs time and nothing else.
const PLACES: usize = 128;

/// A `KeyValue` as it stood on the wire, and what it was found to mean.
#[derive(Debug, Clone, Copy)]
struct Seen<'a> {
    /// From its start through the tag of its value.
    head: &'a [u8],
    /// The rest: the length and the bytes of the value.
    tail: &'a [u8],
    attribute: Attribute,
}

/// Which attribute followed which, within one request whose bytes live for `'a`.
#[derive(Debug)]
pub(super) struct Repeats<'a> {
    after: [Option<Seen<'a>>; PLACES],
}

/// How far an attribute is known.
pub(super) enum Known<'a> {
    /// It was seen before.
    Whole(Attribute),
    /// Its key was; here are the symbol of the key and what follows the tag of the value.
    Key(Symbol, Reader<'a>),
    /// Neither.
    Nothing,
}

impl<'a> Repeats<'a> {
    pub(super) fn new() -> Self {
        Self {
            after: [None; PLACES],
        }
    }

    /// What is known of the attribute that comes after `previous`.
    #[inline]
    pub(super) fn look(&self, previous: Symbol, message: Reader<'a>) -> Known<'a> {
        let Some(seen) = &self.after[previous.index() % PLACES] else {
            return Known::Nothing;
        };
        match message.strip_prefix(seen.head) {
            Some(tail) if same_bytes(tail.rest(), seen.tail) => Known::Whole(seen.attribute),
            Some(tail) => Known::Key(seen.attribute.key, tail),
            None => Known::Nothing,
        }
    }

    /// Remembers an attribute: `message` holds one key and, in its last bytes `tail`, one value.
    #[inline]
    pub(super) fn note(
        &mut self,
        previous: Symbol,
        message: &'a [u8],
        tail: &'a [u8],
        attribute: Attribute,
    ) {
        let (head, tail) = message.split_at(message.len() - tail.len());
        self.after[previous.index() % PLACES] = Some(Seen {
            head,
            tail,
            attribute,
        });
    }
}
