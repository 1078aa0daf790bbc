//! A table of distinct values: each string, number or other value is held once and named by a small number.
//!
//! Spans repeat themselves endlessly: a thousand spans hold some ten thousand keys and values, of which most are equal.
//! Interning them at the door makes every later stage cheap: a span is a handful of fixed-size numbers, moving it to
//! another table is one array look-up per attribute, and a column of a block is a list of symbols that is already its
//! own dictionary.

use crate::ValueRef;
use crate::bytes::{hash, same};

/// The name of a distinct value inside one [`Symbols`] table. Symbols of different tables must not be mixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Symbol(pub u32);

impl Symbol {
    /// The empty string, which every table holds first.
    pub const EMPTY: Self = Self(0);

    /// The symbol as an index into arrays as long as the table.
    #[inline]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// The type of a distinct value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum SymbolKind {
    /// UTF-8 text.
    Str,
    /// A 64-bit integer: 8 bytes, little-endian.
    Int,
    /// A double: the 8 bytes of its bits, little-endian.
    Double,
    /// A boolean: one byte.
    Bool,
    /// Anything else: the canonical text of a [`Value`](crate::Value).
    Json,
}

/// The table would pass 4 GiB of payload or 2^32 entries. Bounds on requests and on live memory keep tables far below that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a symbol table is limited to 4 GiB")]
pub struct SymbolOverflow;

#[derive(Debug, Clone, Copy)]
struct Entry {
    offset: u32,
    len: u32,
    // Kept so that growing the hash table, and moving to another, do not walk the payload again.
    hash: u32,
    kind: SymbolKind,
}

/// Distinct values, each once, in the order of first appearance. Symbol 0 is the empty string.
///
/// Looking a value up costs one hash and usually one comparison (10 ns for short strings in cache).
#[derive(Debug, Clone)]
pub struct Symbols {
    payload: Vec<u8>,
    entries: Vec<Entry>,
    table: Table,
}

/// Where entries are found by hash: open addressing with linear probing, at most two thirds full. Hash and index share a
/// word, so that an entry is touched only when all 32 bits of its hash agree.
#[derive(Debug, Clone)]
struct Table {
    /// The hash in the upper half, the index plus one in the lower; 0 for an empty place. A power of two of them.
    places: Vec<u64>,
}

impl Table {
    fn with_room(values: usize) -> Self {
        Self {
            // At least one place stays empty: it ends every search.
            places: vec![0; (values * 3 / 2 + 2).next_power_of_two()],
        }
    }

    fn is_full(&self, values: usize) -> bool {
        values * 3 >= self.places.len() * 2
    }

    /// Empties the table. One that has become far too large for what it last held is given back, so that emptying stays
    /// cheap after a single large use.
    fn clear(&mut self, held: usize) {
        const FAR_TOO_LARGE: usize = 32;
        if self.places.len() > held.max(256) * FAR_TOO_LARGE {
            *self = Self::with_room(held);
        } else {
            self.places.fill(0);
        }
    }

    /// The first index under this hash for which `wanted` holds.
    #[inline]
    fn find(&self, hash: u32, mut wanted: impl FnMut(u32) -> bool) -> Option<u32> {
        let mask = self.places.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let place = self.places[at];
            if place == 0 {
                return None;
            }
            if (place >> 32) as u32 == hash && wanted(place as u32 - 1) {
                return Some(place as u32 - 1);
            }
            at = (at + 1) & mask;
        }
    }

    /// Adds an index that is not there; there must be room.
    fn insert(&mut self, hash: u32, index: u32) {
        let mask = self.places.len() - 1;
        let mut at = hash as usize & mask;
        while self.places[at] != 0 {
            at = (at + 1) & mask;
        }
        self.places[at] = u64::from(hash) << 32 | (u64::from(index) + 1);
    }
}

impl Default for Symbols {
    fn default() -> Self {
        Self::new()
    }
}

impl Symbols {
    /// A table that holds the empty string alone.
    pub fn new() -> Self {
        Self::with_capacity(16, 256)
    }

    /// A table with room for `values` distinct values of `bytes` bytes together.
    pub fn with_capacity(values: usize, bytes: usize) -> Self {
        let mut symbols = Self {
            payload: Vec::with_capacity(bytes),
            entries: Vec::with_capacity(values),
            table: Table::with_room(values),
        };
        symbols.insert_empty();
        symbols
    }

    fn insert_empty(&mut self) {
        let hash = hash_value(SymbolKind::Str, b"");
        self.entries.push(Entry {
            offset: 0,
            len: 0,
            hash,
            kind: SymbolKind::Str,
        });
        self.table.insert(hash, 0);
    }

    /// Forgets everything but the empty string, and keeps the memory.
    pub fn clear(&mut self) {
        self.payload.clear();
        self.table.clear(self.entries.len());
        self.entries.clear();
        self.insert_empty();
    }

    /// Distinct values, the empty string included.
    #[allow(clippy::len_without_is_empty)] // never empty
    #[inline]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Memory held, in bytes: capacity, not use.
    pub fn byte_count(&self) -> usize {
        self.payload.capacity()
            + self.entries.capacity() * size_of::<Entry>()
            + self.table.places.capacity() * size_of::<u64>()
    }

    /// Memory used, in bytes: what is filled of [`Self::byte_count`].
    pub fn used_byte_count(&self) -> usize {
        self.payload.len()
            + self.entries.len() * size_of::<Entry>()
            + self.entries.len() * size_of::<u64>() * 3 / 2
    }

    /// The symbol of a string.
    ///
    /// # Errors
    /// [`SymbolOverflow`] when the table is full.
    #[inline]
    pub fn intern_str(&mut self, text: &str) -> Result<Symbol, SymbolOverflow> {
        self.intern(SymbolKind::Str, text.as_bytes(), |_| Ok(()))
    }

    /// The symbol of the string that `bytes` are meant to be.
    ///
    /// UTF-8 is checked only when the value is new: a value that is already in the table has been checked before.
    ///
    /// # Errors
    /// `None` inside `Ok` when the bytes are not UTF-8; [`SymbolOverflow`] when the table is full.
    #[inline]
    pub fn intern_utf8(&mut self, bytes: &[u8]) -> Result<Option<Symbol>, SymbolOverflow> {
        enum Refusal {
            Utf8,
            Overflow,
        }
        impl From<SymbolOverflow> for Refusal {
            fn from(_: SymbolOverflow) -> Self {
                Self::Overflow
            }
        }
        let check = |bytes: &[u8]| {
            if is_utf8(bytes) {
                Ok(())
            } else {
                Err(Refusal::Utf8)
            }
        };
        match self.intern(SymbolKind::Str, bytes, check) {
            Ok(symbol) => Ok(Some(symbol)),
            Err(Refusal::Utf8) => Ok(None),
            Err(Refusal::Overflow) => Err(SymbolOverflow),
        }
    }

    /// The symbol of a value.
    ///
    /// # Errors
    /// [`SymbolOverflow`] when the table is full.
    #[inline]
    pub fn intern_value(&mut self, value: ValueRef<'_>) -> Result<Symbol, SymbolOverflow> {
        let fine = |_: &[u8]| Ok(());
        match value {
            ValueRef::Str(text) => self.intern(SymbolKind::Str, text.as_bytes(), fine),
            ValueRef::Int(int) => self.intern(SymbolKind::Int, &int.to_le_bytes(), fine),
            ValueRef::Double(double) => {
                self.intern(SymbolKind::Double, &double.to_bits().to_le_bytes(), fine)
            }
            ValueRef::Bool(bool) => self.intern(SymbolKind::Bool, &[u8::from(bool)], fine),
            ValueRef::Json(text) => self.intern(SymbolKind::Json, text.as_bytes(), fine),
        }
    }

    /// The symbol of a value of another table.
    ///
    /// # Errors
    /// [`SymbolOverflow`] when the table is full.
    #[inline]
    pub fn intern_from(&mut self, other: &Self, symbol: Symbol) -> Result<Symbol, SymbolOverflow> {
        // Every table hashes alike, so the hash that the other has kept is ours too.
        let entry = &other.entries[symbol.index()];
        let bytes = entry_bytes(entry, &other.payload);
        self.intern_hashed(entry.kind, bytes, entry.hash, |_| Ok(()))
    }

    /// The symbols of many distinct values of another table; `each` is told them one by one, in their order.
    ///
    /// In a large table every look-up waits for memory three times: for the place, the entry and the payload. Here each
    /// step is taken for a group of values before the next, so that the processor waits for many of them at once: in tables
    /// beyond the cache that is three times as fast as [`Self::intern_from`].
    ///
    /// # Errors
    /// [`SymbolOverflow`] when the table is full; `each` was not told of the values from there on.
    pub fn intern_many(
        &mut self,
        other: &Self,
        wanted: &[Symbol],
        mut each: impl FnMut(Symbol, Symbol),
    ) -> Result<(), SymbolOverflow> {
        const GROUP: usize = 32;
        let nowhere = Entry {
            offset: 0,
            len: 0,
            hash: 0,
            kind: SymbolKind::Str,
        };
        let mut places = [0u64; GROUP];
        let mut entries = [nowhere; GROUP];
        let mut first_bytes = [0u8; GROUP];
        for group in wanted.chunks(GROUP) {
            let mask = self.table.places.len() - 1;
            for (place, symbol) in places.iter_mut().zip(group) {
                let hash = other.entries[symbol.index()].hash;
                *place = self.table.places[hash as usize & mask];
            }
            for (entry, &place) in entries.iter_mut().zip(&places[..group.len()]) {
                let index = (place as u32).wrapping_sub(1) as usize;
                *entry = self.entries.get(index).copied().unwrap_or(nowhere);
            }
            for (byte, entry) in first_bytes.iter_mut().zip(&entries[..group.len()]) {
                *byte = self
                    .payload
                    .get(entry.offset as usize)
                    .copied()
                    .unwrap_or(0);
            }
            // Only to have them fetched before they are compared.
            std::hint::black_box(&first_bytes);
            for (at, &symbol) in group.iter().enumerate() {
                let theirs = &other.entries[symbol.index()];
                let bytes = entry_bytes(theirs, &other.payload);
                let ours = &entries[at];
                let is_it = places[at] != 0
                    && ours.hash == theirs.hash
                    && ours.kind == theirs.kind
                    && same(entry_bytes(ours, &self.payload), bytes);
                let found = if is_it {
                    Symbol(places[at] as u32 - 1)
                } else {
                    self.intern_hashed(theirs.kind, bytes, theirs.hash, |_| {
                        Ok::<(), SymbolOverflow>(())
                    })?
                };
                each(symbol, found);
            }
        }
        Ok(())
    }

    #[inline]
    fn intern<E: From<SymbolOverflow>>(
        &mut self,
        kind: SymbolKind,
        bytes: &[u8],
        check: impl FnOnce(&[u8]) -> Result<(), E>,
    ) -> Result<Symbol, E> {
        let hash = hash_value(kind, bytes);
        self.intern_hashed(kind, bytes, hash, check)
    }

    #[inline]
    fn intern_hashed<E: From<SymbolOverflow>>(
        &mut self,
        kind: SymbolKind,
        bytes: &[u8],
        hash: u32,
        check: impl FnOnce(&[u8]) -> Result<(), E>,
    ) -> Result<Symbol, E> {
        let (entries, payload) = (&self.entries, &self.payload);
        let found = self.table.find(hash, |index| {
            let entry = &entries[index as usize];
            entry.kind == kind && same(entry_bytes(entry, payload), bytes)
        });
        if let Some(index) = found {
            return Ok(Symbol(index));
        }
        check(bytes)?;
        Ok(self.insert(kind, bytes, hash)?)
    }

    #[cold]
    fn insert(
        &mut self,
        kind: SymbolKind,
        bytes: &[u8],
        hash: u32,
    ) -> Result<Symbol, SymbolOverflow> {
        // One less than fits, since a place in the table holds the index plus one.
        let index = u32::try_from(self.entries.len() + 1).map_err(|_| SymbolOverflow)? - 1;
        let end = u32::try_from(self.payload.len() + bytes.len()).map_err(|_| SymbolOverflow)?;
        let len = bytes.len() as u32;
        self.payload.extend_from_slice(bytes);
        self.entries.push(Entry {
            offset: end - len,
            len,
            hash,
            kind,
        });
        if self.table.is_full(self.entries.len()) {
            self.grow();
        } else {
            self.table.insert(hash, index);
        }
        Ok(Symbol(index))
    }

    fn grow(&mut self) {
        self.table = Table::with_room(self.entries.len() * 2);
        for (index, entry) in self.entries.iter().enumerate() {
            self.table.insert(entry.hash, index as u32);
        }
    }

    /// The symbol of a string, if the table holds it.
    pub fn find_str(&self, text: &str) -> Option<Symbol> {
        let hash = hash_value(SymbolKind::Str, text.as_bytes());
        self.table
            .find(hash, |index| {
                let entry = &self.entries[index as usize];
                entry.kind == SymbolKind::Str
                    && entry_bytes(entry, &self.payload) == text.as_bytes()
            })
            .map(Symbol)
    }

    /// The type of a value.
    ///
    /// # Panics
    /// When the symbol is not of this table; so do all methods that take one.
    #[inline]
    pub fn kind(&self, symbol: Symbol) -> SymbolKind {
        self.entries[symbol.index()].kind
    }

    /// The bytes of a value, by the rules of its [`SymbolKind`].
    #[inline]
    pub fn payload(&self, symbol: Symbol) -> &[u8] {
        entry_bytes(&self.entries[symbol.index()], &self.payload)
    }

    /// The text of a string; empty for a value that is none.
    pub fn str(&self, symbol: Symbol) -> &str {
        match self.kind(symbol) {
            // Checked when it was interned; checking again costs less than a wrong promise.
            SymbolKind::Str | SymbolKind::Json => {
                std::str::from_utf8(self.payload(symbol)).unwrap_or_default()
            }
            _ => "",
        }
    }

    /// The value.
    pub fn value(&self, symbol: Symbol) -> ValueRef<'_> {
        let payload = self.payload(symbol);
        let eight = || payload.first_chunk::<8>().copied().unwrap_or_default();
        match self.kind(symbol) {
            SymbolKind::Str => ValueRef::Str(self.str(symbol)),
            SymbolKind::Int => ValueRef::Int(i64::from_le_bytes(eight())),
            SymbolKind::Double => ValueRef::Double(f64::from_bits(u64::from_le_bytes(eight()))),
            SymbolKind::Bool => ValueRef::Bool(payload == [1]),
            SymbolKind::Json => ValueRef::Json(self.str(symbol)),
        }
    }
}

#[inline]
fn entry_bytes<'a>(entry: &Entry, payload: &'a [u8]) -> &'a [u8] {
    &payload[entry.offset as usize..(entry.offset + entry.len) as usize]
}

/// The hash of a value, the same in every table.
#[inline]
fn hash_value(kind: SymbolKind, bytes: &[u8]) -> u32 {
    // Only text and numbers of equal bytes could meet, and they are told apart by kind on comparison.
    (hash(bytes) as u32).wrapping_add(kind as u32)
}

fn is_utf8(bytes: &[u8]) -> bool {
    // The vectorised check pays off only on longer input.
    if bytes.len() < 64 {
        std::str::from_utf8(bytes).is_ok()
    } else {
        simdutf8::basic::from_utf8(bytes).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_a_symbol_and_types_are_told_apart() {
        let mut symbols = Symbols::new();
        assert_eq!(symbols.intern_str(""), Ok(Symbol::EMPTY));
        let text = symbols.intern_str("1").unwrap();
        let int = symbols.intern_value(ValueRef::Int(1)).unwrap();
        let double = symbols
            .intern_value(ValueRef::Double(f64::from_bits(1)))
            .unwrap();
        assert!(text != int && int != double);
        assert_eq!(symbols.intern_str("1"), Ok(text));
        assert_eq!(symbols.value(int), ValueRef::Int(1));
        assert_eq!(symbols.find_str("1"), Some(text));
        assert_eq!(symbols.find_str("2"), None);
        symbols.clear();
        assert_eq!((symbols.len(), symbols.find_str("1")), (1, None));
    }

    #[test]
    fn every_value_comes_back_from_a_large_table() {
        let mut symbols = Symbols::new();
        let all: Vec<Symbol> = (0..10_000)
            .map(|i| symbols.intern_str(&format!("value {i}")).unwrap())
            .collect();
        for (i, symbol) in all.into_iter().enumerate() {
            assert_eq!(symbols.str(symbol), format!("value {i}"));
            assert_eq!(symbols.intern_str(&format!("value {i}")), Ok(symbol));
        }
    }

    #[test]
    fn many_values_move_as_one_by_one() {
        let mut source = Symbols::new();
        let all: Vec<Symbol> = (0..1000)
            .map(|i| match i % 3 {
                0 => source.intern_str(&format!("value {i}")).unwrap(),
                1 => source.intern_value(ValueRef::Int(i)).unwrap(),
                _ => source.intern_value(ValueRef::Double(i as f64)).unwrap(),
            })
            .collect();
        let mut one_by_one = Symbols::new();
        let mut at_once = Symbols::new();
        // Some are there already, some come in between and make the table grow.
        for part in [&all[100..300], &all[..], &all[500..]] {
            let expected: Vec<_> = part
                .iter()
                .map(|&symbol| one_by_one.intern_from(&source, symbol).unwrap())
                .collect();
            let mut found = Vec::new();
            at_once
                .intern_many(&source, part, |symbol, moved| found.push((symbol, moved)))
                .unwrap();
            let expected: Vec<_> = part.iter().copied().zip(expected).collect();
            assert_eq!(found, expected);
        }
        assert_eq!(at_once.len(), one_by_one.len());
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_and_leave_no_trace() {
        let mut symbols = Symbols::new();
        assert_eq!(symbols.intern_utf8(b"\xff"), Ok(None));
        assert_eq!(symbols.intern_utf8(&[0xff; 100]), Ok(None));
        assert_eq!(symbols.len(), 1);
    }
}
