//! A leaf of a row group and the page of it that is at hand: what every column is made of.

use std::ops::Range;

use bytes::Bytes;
use parquet::basic::{Encoding, Type as PhysicalType};

use crate::ReadError;
use crate::dictionary::{Dictionary, PlainValues};
use crate::pages::{LeafPages, LeafSource, RawPage};
use crate::rle;

/// A leaf, and the page of it that was gone to.
pub(crate) struct FetchedLeaf {
    pages: LeafPages,
    page: RawPage,
}

impl FetchedLeaf {
    /// A leaf of values of this type, before its first page.
    pub(crate) fn open(leaf: LeafSource<'_>, values: PhysicalType) -> Result<Self, ReadError> {
        Ok(Self {
            pages: LeafPages::open(leaf, values)?,
            page: RawPage::default(),
        })
    }

    /// As [`Self::open`], of values that all have so many bytes.
    pub(crate) fn open_ids(leaf: LeafSource<'_>, value_bytes: usize) -> Result<Self, ReadError> {
        let opened = Self::open(leaf, PhysicalType::FIXED_LEN_BYTE_ARRAY)?;
        if opened.pages.value_bytes() != Some(value_bytes) {
            return Err(opened.damaged(&format!("its values do not have {value_bytes} bytes")));
        }
        Ok(opened)
    }

    /// Goes to a page, whatever it holds.
    pub(crate) fn fetch(&mut self, page: usize) -> Result<(), ReadError> {
        self.pages.fetch(page, &mut self.page)
    }

    /// Goes to a page of a column that is no list: it has an entry for each of its `rows` rows.
    pub(crate) fn fetch_rows(&mut self, page: usize, rows: usize) -> Result<(), ReadError> {
        self.fetch(page)?;
        if self.page.entries != rows {
            let entries = self.page.entries;
            return Err(self.damaged(&format!("a page of {rows} rows has {entries} of them")));
        }
        Ok(())
    }

    /// The page that was gone to.
    pub(crate) fn page(&self) -> &RawPage {
        &self.page
    }

    /// Its values, encoded.
    pub(crate) fn values(&self) -> &Bytes {
        &self.page.values
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.page.encoding == Encoding::PLAIN
    }

    /// Whether all values of a page are in the dictionary.
    pub(crate) fn is_coded(&self, page: usize) -> Result<bool, ReadError> {
        self.pages.is_coded(page)
    }

    /// As [`LeafPages::take_dictionary`].
    pub(crate) fn take_dictionary(&mut self) -> Result<Option<Dictionary>, ReadError> {
        self.pages.take_dictionary()
    }

    /// Whether any of these rows of a nullable column has a value.
    pub(crate) fn has_value_in(&self, rows: &Range<usize>) -> Result<bool, ReadError> {
        rle::has_one_in(&self.page.definition, self.page.entries, rows)
            .ok_or_else(|| self.bad_levels())
    }

    /// Whether any of these rows has elements, of the first leaf of a list in rows.
    pub(crate) fn has_element_in(&self, rows: &Range<usize>) -> Result<bool, ReadError> {
        let page = &self.page;
        rle::entries_of(&page.repetition, page.entries, rows)
            .and_then(|entries| rle::has_one_in(&page.definition, page.entries, &entries))
            .ok_or_else(|| self.bad_levels())
    }

    /// Puts those of `rows` of a nullable column that have a value in place of what is in `found`, and gives where their values
    /// are among those of the page.
    pub(crate) fn positions(
        &self,
        rows: &Range<usize>,
        found: &mut Vec<u32>,
    ) -> Result<Range<usize>, ReadError> {
        found.clear();
        let page = &self.page;
        let before = rle::positions_of_ones(&page.definition, page.entries, rows, found)
            .ok_or_else(|| self.bad_levels())?;
        Ok(before..before + found.len())
    }

    /// The codes of some values, which are indices into a dictionary of `entries` entries. When these are `all`, there must be no
    /// other.
    pub(crate) fn codes(
        &self,
        range: &Range<usize>,
        all: bool,
        entries: usize,
        out: &mut Vec<u32>,
    ) -> Result<(), ReadError> {
        out.clear();
        if range.is_empty() && !all {
            return Ok(());
        }
        let mut decode = || {
            let (&width, runs) = self.page.values.split_first()?;
            let end = rle::decode(runs, width, range.end, range, out)?;
            let most = out.iter().fold(0, |most: u32, &code| most.max(code));
            let is_sound = out.is_empty() || (most as usize) < entries;
            (is_sound && (!all || end == runs.len())).then_some(())
        };
        decode().ok_or_else(|| self.bad_values())
    }

    /// Takes some plain-encoded values. When these are `all`, there must be no other.
    pub(crate) fn plain(
        &self,
        range: &Range<usize>,
        all: bool,
        out: &mut PlainValues,
    ) -> Result<(), ReadError> {
        let bytes = &self.page.values;
        out.read(bytes, range, self.pages.layout())
            .filter(|&end| !all || end == bytes.len())
            .map(drop)
            .ok_or_else(|| self.bad_values())
    }

    /// That there are bytes for so many values of `size` bits, and when these are `all`, no more.
    pub(crate) fn check_bits(
        &self,
        values: usize,
        size: usize,
        all: bool,
    ) -> Result<(), ReadError> {
        let bytes = values.checked_mul(size).map(|bits| bits.div_ceil(8));
        let found = self.page.values.len();
        match bytes {
            Some(bytes) if bytes == found || (!all && bytes < found) => Ok(()),
            _ => Err(self.bad_values()),
        }
    }

    #[cold]
    pub(crate) fn damaged(&self, what: &str) -> ReadError {
        self.pages.damaged(what)
    }

    #[cold]
    pub(crate) fn bad_levels(&self) -> ReadError {
        self.damaged("its levels cannot be read")
    }

    #[cold]
    pub(crate) fn bad_values(&self) -> ReadError {
        self.damaged("its values cannot be read")
    }
}
