//! Strings that are looked for: sets of them, and patterns that remember what they have seen.

use std::cell::RefCell;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};
use model::Symbols;
use traceql::query::Pattern;

use crate::item::{BoundWord, Item};

/// Up to so many words are compared one by one, by their symbols; more are found by hash.
const FEW: usize = 16;

/// Texts that a pattern remembers. Names and services of a system are fewer; of what has more values, most are met once.
const MAX_REMEMBERED: usize = 1024;

/// Longer texts are matched again each time.
const MAX_REMEMBERED_BYTES: usize = 256;

/// A set of strings.
#[derive(Debug, Clone)]
pub(crate) enum Words {
    Few(Vec<BoundWord>),
    Many(HashSet<Box<[u8]>>),
}

impl Words {
    pub(crate) fn new(words: impl ExactSizeIterator<Item = Arc<str>>) -> Self {
        if words.len() <= FEW {
            Self::Few(words.map(BoundWord::new).collect())
        } else {
            Self::Many(words.map(|word| Box::from(word.as_bytes())).collect())
        }
    }

    /// Readies this for a batch.
    pub(crate) fn bind(&mut self, symbols: &Symbols) {
        if let Self::Few(words) = self {
            words.iter_mut().for_each(|word| word.bind(symbols));
        }
    }

    /// Whether the item is a string of the set; `None` when it is no string.
    #[inline]
    pub(crate) fn contains(&self, item: Item<'_>, symbols: &Symbols) -> Option<bool> {
        match (self, item) {
            (Self::Few(words), Item::Text(symbol)) => {
                Some(words.iter().any(|word| word.symbol() == Some(symbol)))
            }
            (Self::Few(words), _) => {
                let text = item.text(symbols)?;
                Some(words.iter().any(|word| word.text().as_bytes() == text))
            }
            (Self::Many(words), _) => Some(words.contains(item.text(symbols)?)),
        }
    }
}

/// A pattern, and which texts it is known to match.
#[derive(Debug, Clone)]
pub(crate) struct Matching {
    pattern: Pattern,
    known: RefCell<HashMap<Box<[u8]>, bool>>,
}

impl Matching {
    pub(crate) fn new(pattern: Pattern) -> Self {
        let known = RefCell::default();
        Self { pattern, known }
    }

    /// Whether the item is a string that matches; `None` when it is no string.
    pub(crate) fn is_match(&self, item: Item<'_>, symbols: &Symbols) -> Option<bool> {
        let text = item.text(symbols)?;
        if text.len() > MAX_REMEMBERED_BYTES {
            return Some(self.look(text));
        }
        let mut known = self.known.borrow_mut();
        if let Some(matches) = known.get(text) {
            return Some(*matches);
        }
        if known.len() == MAX_REMEMBERED {
            known.clear();
        }
        let matches = self.look(text);
        known.insert(text.into(), matches);
        Some(matches)
    }

    fn look(&self, text: &[u8]) -> bool {
        std::str::from_utf8(text).is_ok_and(|text| self.pattern.is_match(text))
    }
}
