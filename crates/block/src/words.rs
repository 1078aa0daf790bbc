//! Pages of values that become symbols: text, numbers and booleans of attributes.

use std::ops::Range;

use model::{Symbol, Symbols, ValueRef};
use parquet::basic::Type as PhysicalType;

use crate::dictionary::{Dictionary, PlainValues};
use crate::fetched::FetchedLeaf;
use crate::numbers::BoolPages;
use crate::pages::{LeafSource, PagedColumn};
use crate::{AttributeType, ReadError};

const UNSEEN: u32 = u32::MAX;

/// What the bytes of an entry mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Text,
    Json,
    Int,
    Double,
}

impl Shape {
    /// How such values are stored.
    fn stored(self) -> PhysicalType {
        match self {
            Self::Text | Self::Json => PhysicalType::BYTE_ARRAY,
            Self::Int => PhysicalType::INT64,
            Self::Double => PhysicalType::DOUBLE,
        }
    }
}

/// A column of texts or numbers, one page of it decoded at a time. The values of a page are indices into a dictionary of the
/// row group, or stand for themselves.
///
/// Entries become symbols of one target; see [`WordPages::forget_symbols`].
pub struct WordPages {
    pub(crate) leaf: FetchedLeaf,
    shape: Shape,
    is_nullable: bool,
    dictionary: Dictionary,
    /// Of the entries of the dictionary.
    symbols: Vec<u32>,
    /// The values of a page without dictionary, and their symbols.
    plain: PlainValues,
    plain_symbols: Vec<u32>,
    is_plain: bool,
    codes: Vec<u32>,
    /// Of a nullable column: the rows that have a value.
    rows: Vec<u32>,
    /// Of a column without nulls: the row of the first value that is decoded.
    first_row: usize,
}

impl WordPages {
    /// A column of which every row has a value, or only some.
    pub(crate) fn open(
        leaf: LeafSource<'_>,
        shape: Shape,
        is_nullable: bool,
    ) -> Result<Self, ReadError> {
        Ok(Self {
            leaf: FetchedLeaf::open(leaf, shape.stored())?,
            shape,
            is_nullable,
            dictionary: Dictionary::default(),
            symbols: Vec::new(),
            plain: PlainValues::default(),
            plain_symbols: Vec::new(),
            is_plain: false,
            codes: Vec::new(),
            rows: Vec::new(),
            first_row: 0,
        })
    }

    /// Values of the page that are present.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        if self.is_plain {
            self.plain_symbols.len()
        } else {
            self.codes.len()
        }
    }

    /// Of a nullable column: the rows of the page that have a value, ascending.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// The index into the dictionary of each value that is present; `None` when the values of this page stand for themselves.
    pub fn codes(&self) -> Option<&[u32]> {
        (!self.is_plain).then_some(&*self.codes)
    }

    /// The bytes of a value of a page without dictionary: UTF-8 of a text, else eight bytes, little-endian.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn plain(&self, at: usize) -> &[u8] {
        self.plain.get(at)
    }

    /// The bytes of a value of the page, wherever they are, as of [`Self::plain`].
    ///
    /// # Panics
    /// When there are not so many.
    #[inline]
    pub fn value(&self, at: usize) -> &[u8] {
        if self.is_plain {
            self.plain.get(at)
        } else {
            self.dictionary.get(self.codes[at] as usize)
        }
    }

    /// The values that [`Self::codes`] are indices into; of a page without dictionary those that are decoded.
    pub(crate) fn entries(&self) -> Dictionary {
        if self.is_plain {
            self.plain.to_dictionary(self.len())
        } else {
            self.dictionary.clone()
        }
    }

    /// Entries of the dictionary.
    pub fn entry_count(&self) -> usize {
        self.dictionary.len()
    }

    /// The bytes of an entry of the dictionary, as of [`Self::plain`].
    ///
    /// # Panics
    /// When there are not so many.
    pub fn entry(&self, code: u32) -> &[u8] {
        self.dictionary.get(code as usize)
    }

    /// Whether all values of a page are in the dictionary.
    pub(crate) fn is_coded(&self, page: usize) -> Result<bool, ReadError> {
        self.leaf.is_coded(page)
    }

    pub(crate) fn read_dictionary(&mut self) -> Result<(), ReadError> {
        if let Some(dictionary) = self.leaf.take_dictionary()? {
            self.symbols.resize(dictionary.len(), UNSEEN);
            self.dictionary = dictionary;
        }
        Ok(())
    }

    /// Must be called before symbols of another table are asked for.
    pub(crate) fn forget_symbols(&mut self) {
        self.symbols.fill(UNSEEN);
        self.plain_symbols.fill(UNSEEN);
    }

    /// Whether any of these rows of the page that was gone to has a value, decoded or not.
    pub(crate) fn has_value_in(&self, rows: &Range<usize>) -> Result<bool, ReadError> {
        self.leaf.has_value_in(rows)
    }

    /// Goes to a page of a nested column, and decodes its `count` values.
    pub(crate) fn load_values(&mut self, page: usize, count: usize) -> Result<(), ReadError> {
        self.leaf.fetch(page)?;
        self.decode_values(&(0..count), true)
    }

    #[cold]
    pub(crate) fn damaged(&self, what: &str) -> ReadError {
        self.leaf.damaged(what)
    }

    /// Decodes some values of the page. When these are `all`, there must be no other.
    pub(crate) fn decode_values(
        &mut self,
        range: &Range<usize>,
        all: bool,
    ) -> Result<(), ReadError> {
        self.is_plain = self.leaf.is_plain();
        if self.is_plain {
            self.leaf.plain(range, all, &mut self.plain)?;
            self.plain_symbols.clear();
            self.plain_symbols.resize(range.len(), UNSEEN);
            return Ok(());
        }
        self.read_dictionary()?;
        let entries = self.dictionary.len();
        self.leaf.codes(range, all, entries, &mut self.codes)
    }

    /// Where the symbol of a value is noted.
    #[inline]
    fn noted(&mut self, at: usize) -> &mut u32 {
        if self.is_plain {
            &mut self.plain_symbols[at]
        } else {
            &mut self.symbols[self.codes[at] as usize]
        }
    }

    /// The text of a value.
    pub(crate) fn text(&self, at: usize) -> Result<&str, ReadError> {
        std::str::from_utf8(self.value(at)).map_err(|_| self.leaf.damaged("a text is not UTF-8"))
    }

    /// The symbol of the value of a row of a column without nulls.
    #[inline]
    pub(crate) fn symbol_of(
        &mut self,
        row: usize,
        symbols: &mut Symbols,
    ) -> Result<Symbol, ReadError> {
        self.symbol(row - self.first_row, symbols)
    }

    /// The symbol of the value at `at` of the values that are present.
    #[inline]
    pub(crate) fn symbol(&mut self, at: usize, symbols: &mut Symbols) -> Result<Symbol, ReadError> {
        let known = *self.noted(at);
        if known != UNSEEN {
            return Ok(Symbol(known));
        }
        let symbol = self.new_symbol(at, symbols)?;
        *self.noted(at) = symbol.0;
        Ok(symbol)
    }

    fn new_symbol(&self, at: usize, symbols: &mut Symbols) -> Result<Symbol, ReadError> {
        let bytes = self.value(at);
        let not_utf8 = || self.leaf.damaged("a text is not UTF-8");
        let eight = || bytes.first_chunk::<8>().copied().unwrap_or_default();
        Ok(match self.shape {
            Shape::Text => symbols.intern_utf8(bytes)?.ok_or_else(not_utf8)?,
            Shape::Json => symbols.intern_value(ValueRef::Json(self.text(at)?))?,
            Shape::Int => symbols.intern_value(ValueRef::Int(i64::from_le_bytes(eight())))?,
            Shape::Double => {
                let double = f64::from_bits(u64::from_le_bytes(eight()));
                symbols.intern_value(ValueRef::Double(double))?
            }
        })
    }
}

impl PagedColumn for WordPages {
    fn fetch(&mut self, page: usize, rows: usize) -> Result<(), ReadError> {
        self.leaf.fetch_rows(page, rows)
    }

    fn decode(&mut self, rows: &Range<usize>, of: usize) -> Result<Range<usize>, ReadError> {
        let values = if self.is_nullable {
            self.leaf.positions(rows, &mut self.rows)?
        } else {
            self.first_row = rows.start;
            rows.clone()
        };
        self.decode_values(&values, rows.len() == of)?;
        Ok(rows.clone())
    }
}

/// A column of few fixed words, each of which stands for a number.
pub(crate) struct NumberedPages {
    leaf: FetchedLeaf,
    number: fn(&str) -> Option<u8>,
    dictionary: Vec<u8>,
    first: usize,
    codes: Vec<u32>,
}

impl NumberedPages {
    /// `number` tells the number of a word.
    pub(crate) fn open(
        leaf: LeafSource<'_>,
        number: fn(&str) -> Option<u8>,
    ) -> Result<Self, ReadError> {
        Ok(Self {
            leaf: FetchedLeaf::open(leaf, PhysicalType::BYTE_ARRAY)?,
            number,
            dictionary: Vec::new(),
            first: 0,
            codes: Vec::new(),
        })
    }

    /// As [`WordPages::load_values`].
    pub(crate) fn load_values(&mut self, page: usize, count: usize) -> Result<(), ReadError> {
        self.leaf.fetch(page)?;
        self.decode(&(0..count), count).map(drop)
    }

    fn read_dictionary(&mut self) -> Result<(), ReadError> {
        let Some(dictionary) = self.leaf.take_dictionary()? else {
            return Ok(());
        };
        let word = |entry| std::str::from_utf8(dictionary.get(entry)).ok();
        let numbers = (0..dictionary.len()).map(|entry| word(entry).and_then(self.number));
        let numbers: Option<Vec<u8>> = numbers.collect();
        self.dictionary =
            numbers.ok_or_else(|| self.leaf.damaged("it holds a word of no meaning"))?;
        Ok(())
    }

    /// The numbers of rows that were decoded.
    ///
    /// # Panics
    /// When they were not.
    pub(crate) fn numbers(&self, rows: &Range<usize>) -> impl Iterator<Item = u8> + '_ {
        let codes = &self.codes[rows.start - self.first..rows.end - self.first];
        codes.iter().map(|&code| self.dictionary[code as usize])
    }

    /// The number of the row, or of the value of a nested column.
    ///
    /// # Panics
    /// As [`Self::numbers`].
    #[inline]
    pub(crate) fn number(&self, at: usize) -> u8 {
        self.dictionary[self.codes[at - self.first] as usize]
    }
}

impl PagedColumn for NumberedPages {
    fn fetch(&mut self, page: usize, rows: usize) -> Result<(), ReadError> {
        self.leaf.fetch_rows(page, rows)
    }

    fn decode(&mut self, rows: &Range<usize>, of: usize) -> Result<Range<usize>, ReadError> {
        self.read_dictionary()?;
        self.first = rows.start;
        let entries = self.dictionary.len();
        if self.leaf.is_plain() {
            // So is a page without any value, in front of which there was none either. There is no other.
            self.codes.clear();
            let is_empty = of == 0 && self.leaf.values().is_empty();
            return if is_empty {
                Ok(0..0)
            } else {
                Err(self.leaf.bad_values())
            };
        }
        let all = rows.len() == of;
        self.leaf.codes(rows, all, entries, &mut self.codes)?;
        Ok(rows.clone())
    }
}

/// A column of attributes of one key and type.
pub enum AttributePages {
    /// Texts and numbers.
    Words(WordPages),
    /// Booleans.
    Bools(BoolPages),
}

impl AttributePages {
    pub(crate) fn open(leaf: LeafSource<'_>, kind: AttributeType) -> Result<Self, ReadError> {
        let shape = match kind {
            AttributeType::String => Shape::Text,
            AttributeType::Json => Shape::Json,
            AttributeType::Int => Shape::Int,
            AttributeType::Double => Shape::Double,
            AttributeType::Bool => return BoolPages::open(leaf).map(Self::Bools),
        };
        WordPages::open(leaf, shape, true).map(Self::Words)
    }

    /// As [`WordPages::has_value_in`].
    pub(crate) fn has_value_in(&self, rows: &Range<usize>) -> Result<bool, ReadError> {
        match self {
            Self::Words(words) => words.has_value_in(rows),
            Self::Bools(bools) => bools.has_value_in(rows),
        }
    }

    pub(crate) fn forget_symbols(&mut self) {
        if let Self::Words(words) = self {
            words.forget_symbols();
        }
    }

    /// The rows of the page that have a value, ascending.
    pub fn rows(&self) -> &[u32] {
        match self {
            Self::Words(words) => words.rows(),
            Self::Bools(bools) => bools.rows(),
        }
    }

    #[inline]
    pub(crate) fn symbol(&mut self, at: usize, symbols: &mut Symbols) -> Result<Symbol, ReadError> {
        match self {
            Self::Words(words) => words.symbol(at, symbols),
            Self::Bools(bools) => {
                let value = ValueRef::Bool(bools.value(at));
                Ok(symbols.intern_value(value)?)
            }
        }
    }
}

impl PagedColumn for AttributePages {
    fn fetch(&mut self, page: usize, rows: usize) -> Result<(), ReadError> {
        match self {
            Self::Words(words) => words.fetch(page, rows),
            Self::Bools(bools) => bools.fetch(page, rows),
        }
    }

    fn decode(&mut self, rows: &Range<usize>, of: usize) -> Result<Range<usize>, ReadError> {
        match self {
            Self::Words(words) => words.decode(rows, of),
            Self::Bools(bools) => bools.decode(rows, of),
        }
    }
}
