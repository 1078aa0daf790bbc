//! Values gathered, each once.

use std::sync::Arc;

use evaluate::Shown;
use hashbrown::{HashMap, HashSet};
use model::ValueRef;
use traceql::query::Constant;

use super::kept::Told;
use crate::columns::{constant, elements};
use crate::{QueryStats, TagValues};

/// Values so far, each once.
#[derive(Debug)]
pub(super) struct Found {
    limit: usize,
    /// Of many blocks, each row group has the same texts again: to know one must cost little.
    texts: HashSet<Arc<str>>,
    /// Others, by how they are written, which tells the type.
    others: HashMap<String, Constant>,
    pub(super) truncated: bool,
}

impl Found {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            texts: HashSet::new(),
            others: HashMap::new(),
            truncated: false,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.texts.len() + self.others.len() >= self.limit
    }

    /// Whether one more may be added; if not, that is noted.
    fn has_room(&mut self) -> bool {
        let has_room = !self.is_full();
        self.truncated |= !has_room;
        has_room
    }

    pub(super) fn add(&mut self, value: Constant) {
        if let Constant::Str(text) = &value {
            return self.add_text(text);
        }
        let text = Shown::One(value.clone()).to_string();
        if !self.others.contains_key(&text) && self.has_room() {
            self.others.insert(text, value);
        }
    }

    pub(super) fn add_text(&mut self, text: &str) {
        if !self.texts.contains(text) && self.has_room() {
            self.texts.insert(text.into());
        }
    }

    pub(super) fn add_shown(&mut self, value: Shown) {
        match value {
            Shown::One(constant) => self.add(constant),
            Shown::Other(_) => {}
            Shown::Many(items) => items.into_iter().for_each(|item| self.add_shown(item)),
        }
    }

    pub(super) fn add_value(&mut self, value: ValueRef<'_>) {
        match value {
            ValueRef::Str(text) => self.add_text(text),
            ValueRef::Json(text) => elements(text).for_each(|element| self.add(element)),
            single => constant(single).into_iter().for_each(|one| self.add(one)),
        }
    }

    pub(super) fn add_told(&mut self, told: &Told) {
        self.truncated |= told.truncated;
        for text in &told.texts {
            if !self.texts.contains(text) && self.has_room() {
                self.texts.insert(text.clone());
            }
        }
        for value in &told.others {
            self.add(value.clone());
        }
    }

    /// What has been found of a block by its dictionaries; `is_rest` tells whether there may be more.
    pub(super) fn told(self, is_rest: bool) -> Told {
        let truncated = self.truncated;
        let (others, texts) = self.in_order();
        Told {
            texts,
            others,
            truncated,
            is_rest,
        }
    }

    /// The values: integers, then others that are no texts, then texts, each in order.
    pub(super) fn finish(self, missing: Vec<String>, stats: QueryStats) -> TagValues {
        let truncated = self.truncated;
        let (mut values, texts) = self.in_order();
        values.extend(texts.into_iter().map(Constant::Str));
        TagValues {
            values,
            truncated,
            missing,
            stats,
        }
    }

    /// The values that are no texts, integers first, and the texts.
    fn in_order(self) -> (Vec<Constant>, Vec<Arc<str>>) {
        let mut others: Vec<(String, Constant)> = self.others.into_iter().collect();
        others.sort_unstable_by(|(text, value), (other_text, other)| {
            let number = |value: &Constant| match value {
                Constant::Int(int) => (0, *int),
                _ => (1, 0),
            };
            (number(value), text).cmp(&(number(other), other_text))
        });
        let mut texts: Vec<Arc<str>> = self.texts.into_iter().collect();
        texts.sort_unstable();
        let others = others.into_iter().map(|(_, value)| value);
        (others.collect(), texts)
    }
}
