//! Values gathered, each once.

use std::collections::HashSet;

use evaluate::Shown;
use model::ValueRef;
use traceql::query::Constant;

use crate::columns::{constant, elements};
use crate::{QueryStats, TagValues};

/// Values so far, each once.
#[derive(Debug, Clone)]
pub(super) struct Found {
    limit: usize,
    pub(super) values: Vec<Constant>,
    known: HashSet<String>,
    pub(super) truncated: bool,
}

impl Found {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            values: Vec::new(),
            known: HashSet::new(),
            truncated: false,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.values.len() >= self.limit
    }

    pub(super) fn add(&mut self, value: Constant) {
        let text = Shown::One(value.clone()).to_string();
        if self.known.contains(&text) {
            return;
        }
        if self.is_full() {
            self.truncated = true;
            return;
        }
        self.known.insert(text);
        self.values.push(value);
    }

    pub(super) fn add_text(&mut self, text: &str) {
        self.add(Constant::Str(text.into()));
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
            ValueRef::Json(text) => elements(text).for_each(|element| self.add(element)),
            single => constant(single).into_iter().for_each(|one| self.add(one)),
        }
    }

    pub(super) fn finish(mut self, missing: Vec<String>, stats: QueryStats) -> TagValues {
        self.values.sort_by_cached_key(|value| match value {
            Constant::Int(int) => (0, *int, String::new()),
            other => (1, 0, Shown::One(other.clone()).to_string()),
        });
        TagValues {
            values: self.values,
            truncated: self.truncated,
            missing,
            stats,
        }
    }
}
