//! Keys of groups: values by which spans are told apart, found by hash.

use std::hash::{BuildHasher, Hash, Hasher};

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};
use model::{Symbol, Symbols};
use traceql::query::Constant;

use crate::item::Item;

/// One value of a key, with strings of a batch by their symbols; so all keys of one batch compare by numbers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Part {
    Nil,
    Text(Symbol),
    Value(Constant),
}

impl Part {
    /// The key that an item is. Of bytes, maps and the like, their text.
    pub(crate) fn of(item: Item<'_>) -> Self {
        Self::Value(match item {
            Item::Text(symbol) => return Self::Text(symbol),
            Item::Str(text) | Item::Other(text) => Constant::Str(text.into()),
            Item::Bool(bool) => Constant::Bool(bool),
            Item::Status(status) => Constant::Status(status),
            Item::Kind(kind) => Constant::Kind(kind),
            number => match number.number() {
                Some(number) => one_spelling(number),
                None => return Self::Nil,
            },
        })
    }

    /// A number that no other key of the same batch has; none for keys of which there may be more than numbers.
    #[inline]
    pub(crate) fn code(&self) -> Option<u32> {
        const FIRST_SYMBOL: u32 = 16;
        match self {
            Self::Nil => Some(0),
            Self::Value(Constant::Bool(bool)) => Some(1 + u32::from(*bool)),
            Self::Value(Constant::Status(status)) => Some(3 + *status as u32),
            Self::Value(Constant::Kind(kind)) => Some(6 + *kind as u32),
            Self::Value(_) => None,
            Self::Text(symbol) => symbol.0.checked_add(FIRST_SYMBOL),
        }
    }

    pub(crate) fn constant(&self, symbols: &Symbols) -> Option<Constant> {
        match self {
            Self::Nil => None,
            Self::Text(symbol) => Some(Constant::Str(symbols.str(*symbol).into())),
            Self::Value(constant) => Some(constant.clone()),
        }
    }

    fn is(&self, key: &Option<Constant>, symbols: &Symbols) -> bool {
        match (self, key) {
            (Self::Nil, None) => true,
            (Self::Text(symbol), Some(Constant::Str(text))) => {
                symbols.payload(*symbol) == text.as_bytes()
            }
            (Self::Value(Constant::Float(a)), Some(Constant::Float(b))) => {
                a.to_bits() == b.to_bits()
            }
            (Self::Value(a), Some(b)) => a == b,
            _ => false,
        }
    }

    fn hash(&self, symbols: &Symbols, state: &mut impl Hasher) {
        match self {
            Self::Nil => hash_key(&None, state),
            Self::Text(symbol) => hash_text(symbols.payload(*symbol), state),
            Self::Value(constant) => hash_constant(constant, state),
        }
    }
}

/// Zero is one key, whatever its sign, and so is what is no number.
pub(crate) fn one_spelling(value: Constant) -> Constant {
    match value {
        Constant::Float(0.0) => Constant::Float(0.0),
        Constant::Float(float) if float.is_nan() => Constant::Float(f64::NAN),
        other => other,
    }
}

fn hash_key(key: &Option<Constant>, state: &mut impl Hasher) {
    match key {
        None => state.write_u8(0),
        Some(constant) => hash_constant(constant, state),
    }
}

fn hash_text(text: &[u8], state: &mut impl Hasher) {
    state.write_u8(1);
    text.hash(state);
}

fn hash_constant(constant: &Constant, state: &mut impl Hasher) {
    let (kind, bits) = match constant {
        Constant::Str(text) => return hash_text(text.as_bytes(), state),
        Constant::Int(int) => (2, *int as u64),
        Constant::Float(float) => (3, float.to_bits()),
        Constant::Bool(bool) => (4, u64::from(*bool)),
        Constant::Duration(duration) => (5, duration.0 as u64),
        Constant::Status(status) => (6, *status as u64),
        Constant::Kind(kind) => (7, *kind as u64),
    };
    state.write_u8(kind);
    state.write_u64(bits);
}

/// Distinct keys of the same number of parts, numbered from 0 in the order of their first appearance.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys {
    width: usize,
    count: usize,
    /// The parts of all keys, end to end.
    parts: Vec<Option<Constant>>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// Bytes of their strings.
    text_bytes: usize,
}

impl Keys {
    pub(crate) fn new(width: usize) -> Self {
        Self {
            width,
            ..Self::default()
        }
    }

    /// Forgets all, and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.count = 0;
        self.text_bytes = 0;
        self.parts.clear();
        self.table.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Memory used, in bytes.
    pub(crate) fn byte_count(&self) -> usize {
        self.text_bytes + self.parts.len() * size_of::<Option<Constant>>() + self.count * 8
    }

    pub(crate) fn key(&self, number: usize) -> &[Option<Constant>] {
        &self.parts[number * self.width..(number + 1) * self.width]
    }

    /// The number of a key that is one text, if it is known.
    pub(crate) fn find_text(&self, text: &str) -> Option<u32> {
        let mut state = self.hasher.build_hasher();
        hash_text(text.as_bytes(), &mut state);
        let is_it = |number: &u32| match self.key(*number as usize) {
            [Some(Constant::Str(known))] => **known == *text,
            _ => false,
        };
        self.table.find(state.finish(), is_it).copied()
    }

    /// The number of a key, and whether it is new. A new one is refused when there are `limit` already.
    pub(crate) fn number(
        &mut self,
        key: &[Part],
        symbols: &Symbols,
        limit: usize,
    ) -> Option<(u32, bool)> {
        debug_assert_eq!(key.len(), self.width);
        let Self {
            width,
            count,
            parts,
            table,
            hasher,
            text_bytes,
        } = self;
        let (width, hasher) = (*width, &*hasher);
        let mut state = hasher.build_hasher();
        key.iter().for_each(|part| part.hash(symbols, &mut state));
        let known = |number: u32| &parts[number as usize * width..][..width];
        let entry = table.entry(
            state.finish(),
            |number| {
                let known = known(*number);
                key.iter()
                    .zip(known)
                    .all(|(part, known)| part.is(known, symbols))
            },
            |number| {
                let mut state = hasher.build_hasher();
                known(*number)
                    .iter()
                    .for_each(|part| hash_key(part, &mut state));
                state.finish()
            },
        );
        match entry {
            Entry::Occupied(entry) => Some((*entry.get(), false)),
            Entry::Vacant(_) if *count >= limit => None,
            Entry::Vacant(entry) => {
                let number = *count as u32;
                entry.insert(number);
                *count += 1;
                for part in key {
                    let constant = part.constant(symbols);
                    if let Some(Constant::Str(text)) = &constant {
                        *text_bytes += text.len();
                    }
                    parts.push(constant);
                }
                Some((number, true))
            }
        }
    }
}
