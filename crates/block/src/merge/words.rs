//! Values on their way from the dictionaries of the inputs to that of the output.

use std::hash::BuildHasher as _;
use std::ops::Range;

use foldhash::fast::FixedState;
use hashbrown::HashTable;
use parquet::errors::ParquetError;

use super::layout::{Cursor, Layout};
use crate::chunk::PageCompressor;
use crate::dictionary::Dictionary;
use crate::values::ValueLeaf;
use crate::words::{AttributePages, WordPages};

use super::input::Step;

/// Values of rows of one input. Each is an entry: of a dictionary, or of the values of a page without one.
#[derive(Default)]
pub(super) struct Words {
    /// Of each value that is present: its entry.
    entries: Vec<u32>,
    /// Of a nullable column: the row of each, ascending.
    rows: Vec<u32>,
    /// Where entries are, each with the number of the first.
    parts: Vec<(u32, Dictionary)>,
    /// Entries of all parts.
    count: u32,
}

impl Words {
    pub(super) fn entries(&self) -> &[u32] {
        &self.entries
    }

    pub(super) fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Entries there are.
    pub(super) fn entry_count(&self) -> usize {
        self.count as usize
    }

    /// The bytes of an entry, as they are stored.
    #[inline]
    pub(super) fn entry(&self, entry: u32) -> &[u8] {
        let part = self.parts.partition_point(|(first, _)| *first <= entry) - 1;
        let (first, values) = &self.parts[part];
        values.get((entry - first) as usize)
    }

    /// The number of the first entry of `values`, which are kept.
    pub(super) fn add(&mut self, values: Dictionary) -> u32 {
        if let Some((first, last)) = self.parts.last()
            && last.is_same(&values)
        {
            return *first;
        }
        let first = self.count;
        if values.len() > 0 {
            self.count += values.len() as u32;
            self.parts.push((first, values));
        }
        first
    }

    /// Takes those values in `range` of the ones that are decoded.
    pub(super) fn extend(&mut self, pages: &WordPages, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        let first = self.add(pages.entries());
        match pages.codes() {
            Some(codes) => self
                .entries
                .extend(codes[range].iter().map(|code| first + code)),
            None => self.entries.extend(range.map(|at| first + at as u32)),
        }
    }

    /// Takes the rows of a step that have a value.
    pub(super) fn extend_rows(&mut self, step: &Step, pages: &WordPages) {
        self.rows
            .extend(pages.rows().iter().map(|&row| step.place(row)));
        self.extend(pages, 0..pages.len());
    }

    /// As [`Self::extend_rows`].
    pub(super) fn extend_attributes(&mut self, step: &Step, pages: &AttributePages) {
        match pages {
            AttributePages::Words(words) => self.extend_rows(step, words),
            AttributePages::Bools(bools) => {
                let first = self.add(Dictionary::of_bools());
                self.rows
                    .extend(bools.rows().iter().map(|&row| step.place(row)));
                let values = (0..bools.rows().len()).map(|at| bools.value(at));
                self.entries
                    .extend(values.map(|value| first + u32::from(value)));
            }
        }
    }

    /// A value for each of ascending `rows`.
    pub(super) fn of_rows(rows: Vec<u32>, values: Dictionary) -> Self {
        let mut words = Self::default();
        let first = words.add(values);
        words.extend_entries((0..rows.len()).map(|at| first + at as u32));
        words.rows = rows;
        words
    }

    /// The bytes of all entries there are.
    pub(super) fn each_entry(&self) -> impl Iterator<Item = &[u8]> {
        let of_part = |(_, values): &'_ (u32, Dictionary)| 0..values.len();
        let parts = self.parts.iter();
        parts.flat_map(move |part| of_part(part).map(|at| part.1.get(at)))
    }

    /// Adds values that are entries already.
    pub(super) fn extend_entries(&mut self, entries: impl Iterator<Item = u32>) {
        self.entries.extend(entries);
    }

    /// Keeps the values at these places, in this order, of a column whose rows are kept elsewhere.
    pub(super) fn select(&mut self, places: &[usize]) {
        let entries = &self.entries;
        self.entries = places.iter().map(|&at| entries[at]).collect();
    }
}

const UNSEEN: u32 = u32::MAX;

/// Gives equal entries of all inputs one code.
pub(super) struct Translation {
    /// By input and entry: the code.
    codes: Vec<Vec<u32>>,
    known: HashTable<Known>,
}

/// A value that has a code, and one of the places where it is.
struct Known {
    hash: u64,
    input: u32,
    entry: u32,
    code: u32,
}

impl Translation {
    /// Of a column of which `words` are the values.
    pub(super) fn new(words: &[Words]) -> Self {
        let unseen = |words: &Words| vec![UNSEEN; words.entry_count()];
        Self {
            codes: words.iter().map(unseen).collect(),
            known: HashTable::new(),
        }
    }

    /// The next values of the leaf, which are those in `range` of an input.
    #[inline]
    pub(super) fn push(
        &mut self,
        words: &[Words],
        input: usize,
        range: Range<usize>,
        leaf: &mut ValueLeaf,
    ) {
        let entries = &words[input].entries[range];
        if !leaf.takes_codes() {
            for &entry in entries {
                leaf.push_plain(words[input].entry(entry));
            }
            return;
        }
        for &entry in entries {
            let mut code = self.codes[input][entry as usize];
            if code == UNSEEN {
                code = self.code(words, input, entry, leaf);
                self.codes[input][entry as usize] = code;
            }
            leaf.push_code(code);
        }
    }

    fn code(&mut self, words: &[Words], input: usize, entry: u32, leaf: &mut ValueLeaf) -> u32 {
        let value = words[input].entry(entry);
        let hash = FixedState::with_seed(0).hash_one(value);
        let is_it = |known: &Known| {
            known.hash == hash && words[known.input as usize].entry(known.entry) == value
        };
        if let Some(known) = self.known.find(hash, is_it) {
            return known.code;
        }
        let code = leaf.add(value);
        let known = Known {
            hash,
            input: input as u32,
            entry,
            code,
        };
        self.known.insert_unique(hash, known, |known| known.hash);
        code
    }
}

/// Writes a column that some rows have a value in.
pub(super) fn merge_nullable(
    words: &[Words],
    layout: &Layout,
    leaf: &mut ValueLeaf,
    compressor: &mut PageCompressor,
) -> Result<(), ParquetError> {
    let mut translation = Translation::new(words);
    let mut cursor = Cursor::new(words.len());
    for (runs, rows) in layout.pages() {
        let mut first = 0;
        for run in runs {
            let of_input = &words[run.input].rows;
            let found = cursor.find(run, of_input);
            for &row in &of_input[found.clone()] {
                leaf.set(first + row as usize - run.rows().start);
            }
            translation.push(words, run.input, found, leaf);
            first += run.rows().len();
        }
        leaf.end_page(rows, true, compressor)?;
    }
    Ok(())
}
