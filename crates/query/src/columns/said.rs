//! What a test says of values, each entry of a dictionary asked once.

use block::{AttributeType, ListPages, ReadError, WordPages};

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
    for at in with_key(tail, key) {
        let row = tail.owners()[at] as usize;
        if !open.has(row) {
            continue;
        }
        if let Some(holds) = of_listed_value(tail, at, test)? {
            decide(mask, open, row, holds);
        }
    }
    Ok(())
}

/// The attributes of a list that have this key.
fn with_key<'l>(list: &'l ListPages, key: &'l str) -> impl Iterator<Item = usize> + 'l {
    let keys = list.keys();
    let code = keys.codes().map(|_| {
        let mut entries = 0..keys.entry_count() as u32;
        entries.find(|&code| keys.entry(code) == key.as_bytes())
    });
    let count = if code == Some(None) { 0 } else { keys.len() };
    (0..count).filter(move |&at| match (keys.codes(), code) {
        (Some(codes), Some(Some(code))) => codes[at] == code,
        _ => keys.plain(at) == key.as_bytes(),
    })
}

/// Whether a test holds for the value of an attribute of a list; `None` when there is none in it.
fn of_listed_value(list: &ListPages, at: usize, test: &Test) -> Result<Option<bool>, ReadError> {
    let value = tail_value(list.values().value(at), list.kind(at))?;
    Ok((!is_nil(value)).then(|| test.of_value(value)))
}

/// The rows whose elements, events or links, pass: any of them, or every one, as the test asks. `owners` are the rows of the
/// elements.
pub(super) fn of_elements(
    owners: &[u32],
    rows: usize,
    test: &Test,
    mut holds: impl FnMut(usize) -> Result<bool, ReadError>,
) -> Result<Mask, ReadError> {
    let mut of_rows = OfRows::new(rows, test);
    for (at, &row) in owners.iter().enumerate() {
        of_rows.add(row, holds(at)?);
    }
    Ok(of_rows.mask)
}

/// As [`of_elements`], by the attributes with this key: the first of each element that has one, all together as of one array.
pub(super) fn of_element_attributes(
    owners: &[u32],
    attributes: &ListPages,
    key: &str,
    test: &Test,
    rows: usize,
) -> Result<OfRows, ReadError> {
    let mut of_rows = OfRows::new(rows, test);
    let mut last = None;
    for at in with_key(attributes, key) {
        let element = attributes.owners()[at];
        if last.replace(element) == Some(element) {
            continue;
        }
        if let Some(holds) = of_listed_value(attributes, at, test)? {
            // An array is not the boolean true, whatever is in it.
            let holds = holds && !matches!(test, Test::IsTrue);
            of_rows.add(owners[element as usize], holds);
        }
    }
    Ok(of_rows)
}

/// Rows decided by the elements that they have, which come row by row.
pub(super) struct OfRows {
    /// Those that pass.
    pub(super) mask: Mask,
    /// Those that have elements.
    has_any: Mask,
    row: Option<u32>,
    asks_every: bool,
}

impl OfRows {
    /// Rows without elements are decided at once.
    fn new(rows: usize, test: &Test) -> Self {
        Self {
            mask: Mask::constant(rows, test.of_nil()),
            has_any: Mask::none(rows),
            row: None,
            asks_every: test.asks_every(),
        }
    }

    fn add(&mut self, row: u32, holds: bool) {
        let is_first = self.row.replace(row) != Some(row);
        if is_first || holds != self.asks_every {
            set(&mut self.mask, row as usize, holds);
        }
        self.has_any.set(row as usize);
    }

    /// Decides those of the open rows that have elements.
    pub(super) fn decide(mut self, mask: &mut Mask, open: &mut Mask) {
        self.has_any.and(open);
        self.mask.and(&self.has_any);
        mask.or(&self.mask);
        open.without(&self.has_any);
    }
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
