//! What a test says of values, each entry of a dictionary asked once.

use block::{AttributeType, EventNamePages, ListPages, ReadError, WordPages};

use super::value::{is_nil, tail_value, value_of};
use super::{Mask, Test};

const UNSEEN: u8 = 0;
pub(super) const NO: u8 = 1;
pub(super) const YES: u8 = 2;
/// There is no value, as if the row had none.
pub(super) const NIL: u8 = 3;

/// What a test says of the values of a page, each entry of the dictionary asked once.
pub(super) struct Said<'a> {
    words: &'a WordPages,
    test: &'a Test,
    kind: AttributeType,
    memo: &'a mut [u8],
}

impl<'a> Said<'a> {
    pub(super) fn new(
        words: &'a WordPages,
        test: &'a Test,
        kind: AttributeType,
        memo: &'a mut Vec<u8>,
    ) -> Self {
        memo.resize(words.entry_count(), UNSEEN);
        Self {
            words,
            test,
            kind,
            memo,
        }
    }

    #[inline]
    pub(super) fn of(&mut self, at: usize) -> Result<u8, ReadError> {
        let Some(codes) = self.words.codes() else {
            return self.ask(self.words.plain(at));
        };
        let code = codes[at];
        let known = self.memo[code as usize];
        if known != UNSEEN {
            return Ok(known);
        }
        let verdict = self.ask(self.words.entry(code))?;
        self.memo[code as usize] = verdict;
        Ok(verdict)
    }

    fn ask(&self, bytes: &[u8]) -> Result<u8, ReadError> {
        let value = value_of(bytes, self.kind)?;
        Ok(if is_nil(value) {
            NIL
        } else if self.test.of_value(value) {
            YES
        } else {
            NO
        })
    }
}

/// Decides rows by what the attributes without a column say.
pub(super) fn in_tail(
    tail: &ListPages,
    key: &str,
    test: &Test,
    mask: &mut Mask,
    open: &mut Mask,
) -> Result<(), ReadError> {
    let keys = tail.keys();
    let wanted = keys.codes().map(|_| {
        let mut entries = 0..keys.entry_count() as u32;
        entries.find(|&code| keys.entry(code) == key.as_bytes())
    });
    if wanted == Some(None) {
        return Ok(());
    }
    for (at, &row) in tail.owners().iter().enumerate() {
        let is_it = match (keys.codes(), wanted) {
            (Some(codes), Some(Some(wanted))) => codes[at] == wanted,
            _ => keys.plain(at) == key.as_bytes(),
        };
        if !is_it || !open.has(row as usize) {
            continue;
        }
        if let Some(holds) = of_tail_value(tail, at, test)? {
            decide(mask, open, row as usize, holds);
        }
    }
    Ok(())
}

fn of_tail_value(tail: &ListPages, at: usize, test: &Test) -> Result<Option<bool>, ReadError> {
    let value = tail_value(tail.values().value(at), tail.kind(at))?;
    Ok((!is_nil(value)).then(|| test.of_value(value)))
}

/// The rows whose events have such names.
pub(super) fn of_event_names(
    events: &EventNamePages,
    rows: usize,
    test: &Test,
    memo: &mut Vec<u8>,
) -> Result<Mask, ReadError> {
    let mut said = Said::new(events.names(), test, AttributeType::String, memo);
    let mut mask = Mask::constant(rows, test.of_nil());
    let mut at = 0;
    for of_row in events.owners().chunk_by(|a, b| a == b) {
        // Every name is to pass, or any.
        let decisive = if test.asks_every() { NO } else { YES };
        let mut is_decided = false;
        for name in at..at + of_row.len() {
            is_decided |= said.of(name)? == decisive;
        }
        set(
            &mut mask,
            of_row[0] as usize,
            is_decided == (decisive == YES),
        );
        at += of_row.len();
    }
    Ok(mask)
}

pub(super) fn set(mask: &mut Mask, row: usize, value: bool) {
    if value {
        mask.set(row);
    } else {
        mask.clear(row);
    }
}

#[inline]
pub(super) fn decide(mask: &mut Mask, open: &mut Mask, row: usize, holds: bool) {
    if open.has(row) {
        open.clear(row);
        if holds {
            mask.set(row);
        }
    }
}
