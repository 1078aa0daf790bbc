//! Pages of values that become symbols: text, numbers and booleans of attributes, and lists of attributes.

use std::ops::Range;

use bytes::Bytes;
use model::{Attribute, Range32, SpanBatch, Symbol, Symbols, ValueRef};
use parquet::basic::Encoding;

use crate::pages::{LeafPages, LeafSource, Owners, RawPage, codes, within};
use crate::rle;
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

/// Plain-encoded values, and the symbols of those that were asked for.
#[derive(Default)]
struct Entries {
    bytes: Bytes,
    /// Where each lies.
    ranges: Vec<(u32, u32)>,
    symbols: Vec<u32>,
}

impl Entries {
    /// `None` when the bytes do not hold exactly `count` values.
    fn read(&mut self, bytes: Bytes, count: usize, shape: Shape) -> Option<()> {
        self.ranges.clear();
        let mut at = 0usize;
        for _ in 0..count {
            let len = if matches!(shape, Shape::Text | Shape::Json) {
                let len = bytes.get(at..)?.first_chunk::<4>()?;
                at += 4;
                u32::from_le_bytes(*len) as usize
            } else {
                8
            };
            let end = at.checked_add(len).filter(|&end| end <= bytes.len())?;
            self.ranges
                .push((u32::try_from(at).ok()?, u32::try_from(end).ok()?));
            at = end;
        }
        self.bytes = bytes;
        self.forget();
        (at == self.bytes.len()).then_some(())
    }

    fn forget(&mut self) {
        self.symbols.clear();
        self.symbols.resize(self.ranges.len(), UNSEEN);
    }

    fn get(&self, entry: usize) -> &[u8] {
        let (start, end) = self.ranges[entry];
        &self.bytes[start as usize..end as usize]
    }

    fn text(&self, entry: usize) -> Option<&str> {
        std::str::from_utf8(self.get(entry)).ok()
    }
}

/// A column of texts or numbers, one page of it decoded at a time. The values of a page are indices into a dictionary of the
/// row group, or stand for themselves.
///
/// Entries become symbols of one target; see [`WordPages::forget_symbols`].
pub struct WordPages {
    pages: LeafPages,
    shape: Shape,
    dictionary: Entries,
    /// Where the dictionary lies while nobody has asked for it.
    unread: Option<Range<u64>>,
    /// The page that was gone to and not looked into.
    undecoded: Option<Box<RawPage>>,
    /// The values of a page without dictionary.
    plain: Entries,
    is_plain: bool,
    codes: Vec<u32>,
    /// Of a nullable column: the rows that have a value.
    pub(crate) rows: Vec<u32>,
}

impl WordPages {
    /// Values of the page that are present.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        if self.is_plain {
            self.plain.ranges.len()
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

    /// Entries of the dictionary.
    pub fn entry_count(&self) -> usize {
        self.dictionary.ranges.len()
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
        self.pages.is_coded(page)
    }

    pub(crate) fn seek(&mut self, page: usize) {
        self.pages.seek(page);
    }

    pub(crate) fn open(leaf: LeafSource<'_>, shape: Shape) -> Result<Self, ReadError> {
        let mut words = Self::open_unread(leaf, shape)?;
        words.read_dictionary()?;
        Ok(words)
    }

    /// As [`Self::open`], but the dictionary is read when a page needs it, or [`Self::read_dictionary`] asks for it: of the
    /// hundred columns of a block, a trace has values in a few.
    pub(crate) fn open_unread(leaf: LeafSource<'_>, shape: Shape) -> Result<Self, ReadError> {
        let (pages, unread) = LeafPages::open_without_dictionary(leaf)?;
        Ok(Self {
            pages,
            shape,
            dictionary: Entries::default(),
            unread,
            undecoded: None,
            plain: Entries::default(),
            is_plain: false,
            codes: Vec::new(),
            rows: Vec::new(),
        })
    }

    pub(crate) fn read_dictionary(&mut self) -> Result<(), ReadError> {
        let Some(place) = self.unread.take() else {
            return Ok(());
        };
        let (bytes, count) = self.pages.dictionary(&place)?;
        self.dictionary
            .read(bytes, count, self.shape)
            .ok_or_else(|| self.pages.damaged("its dictionary cannot be read"))
    }

    /// Must be called before symbols of another table are asked for.
    pub(crate) fn forget_symbols(&mut self) {
        self.dictionary.forget();
        self.plain.forget();
    }

    pub(crate) fn next(&mut self) -> Result<(), ReadError> {
        let page = self.pages.next()?;
        self.decode(page.entries, page)
    }

    pub(crate) fn next_nullable(&mut self) -> Result<(), ReadError> {
        self.fetch_next()?;
        self.decode_fetched()
    }

    /// Goes to the next page and does not look into it: [`Self::decode_fetched`] does.
    pub(crate) fn fetch_next(&mut self) -> Result<(), ReadError> {
        self.undecoded = None;
        self.undecoded = Some(Box::new(self.pages.next()?));
        Ok(())
    }

    /// Decodes the nullable page that [`Self::fetch_next`] went to, unless it was done.
    pub(crate) fn decode_fetched(&mut self) -> Result<(), ReadError> {
        let Some(page) = self.undecoded.take() else {
            return Ok(());
        };
        self.rows.clear();
        rle::positions_of_ones(&page.definition, page.entries, &mut self.rows)
            .ok_or_else(|| self.pages.damaged("its levels cannot be read"))?;
        self.decode(self.rows.len(), *page)
    }

    /// Whether any of these rows of the page has a value, decoded or not.
    pub(crate) fn has_value_in(&self, rows: &Range<usize>) -> Result<bool, ReadError> {
        let Some(page) = &self.undecoded else {
            return Ok(!within(&self.rows, rows).is_empty());
        };
        rle::has_one_in(&page.definition, page.entries, rows)
            .ok_or_else(|| self.pages.damaged("its levels cannot be read"))
    }

    pub(crate) fn next_of(&mut self, count: usize) -> Result<(), ReadError> {
        let page = self.pages.next()?;
        self.decode(count, page)
    }

    /// As [`Self::next`], for the first leaf of a list, which tells the owners of all.
    pub(crate) fn next_owned(&mut self, depth: u8, owners: &mut Owners) -> Result<(), ReadError> {
        let page = self.pages.next()?;
        owners
            .read(&page, depth)
            .ok_or_else(|| self.pages.damaged("its levels cannot be read"))?;
        self.decode(owners.of_value.len(), page)
    }

    fn decode(&mut self, count: usize, page: RawPage) -> Result<(), ReadError> {
        self.is_plain = page.encoding == Encoding::PLAIN;
        let decoded = if self.is_plain {
            self.plain.read(page.values, count, self.shape)
        } else {
            self.read_dictionary()?;
            let entries = self.dictionary.ranges.len();
            codes(&page.values, count, entries, &mut self.codes)
        };
        decoded.ok_or_else(|| self.pages.damaged("its values cannot be read"))
    }

    #[inline]
    fn holder(&mut self, at: usize) -> (&mut Entries, usize) {
        if self.is_plain {
            (&mut self.plain, at)
        } else {
            (&mut self.dictionary, self.codes[at] as usize)
        }
    }

    /// The text of a value.
    fn text(&mut self, at: usize) -> Result<&str, ReadError> {
        let (entries, entry) = self.holder(at);
        if entries.text(entry).is_none() {
            return Err(self.pages.damaged("a text is not UTF-8"));
        }
        let (entries, entry) = self.holder(at);
        Ok(entries.text(entry).unwrap_or_default())
    }

    /// The symbol of the value at `at` of the values that are present.
    #[inline]
    pub(crate) fn symbol(&mut self, at: usize, symbols: &mut Symbols) -> Result<Symbol, ReadError> {
        let (entries, entry) = self.holder(at);
        let known = entries.symbols[entry];
        if known != UNSEEN {
            return Ok(Symbol(known));
        }
        self.new_symbol(at, symbols)
    }

    fn new_symbol(&mut self, at: usize, symbols: &mut Symbols) -> Result<Symbol, ReadError> {
        let shape = self.shape;
        let (entries, entry) = self.holder(at);
        let bytes = entries.get(entry);
        let eight = || bytes.first_chunk::<8>().copied().unwrap_or_default();
        let symbol = match shape {
            Shape::Text => symbols.intern_utf8(bytes)?,
            Shape::Json => match std::str::from_utf8(bytes) {
                Ok(text) => Some(symbols.intern_value(ValueRef::Json(text))?),
                Err(_) => None,
            },
            Shape::Int => Some(symbols.intern_value(ValueRef::Int(i64::from_le_bytes(eight())))?),
            Shape::Double => {
                let double = f64::from_bits(u64::from_le_bytes(eight()));
                Some(symbols.intern_value(ValueRef::Double(double))?)
            }
        };
        match symbol {
            Some(symbol) => {
                entries.symbols[entry] = symbol.0;
                Ok(symbol)
            }
            None => Err(self.pages.damaged("a text is not UTF-8")),
        }
    }
}

/// A column of few fixed words, each of which stands for a number.
pub(crate) struct NumberedPages {
    pages: LeafPages,
    dictionary: Vec<u8>,
    codes: Vec<u32>,
}

impl NumberedPages {
    /// `number` tells the number of a word.
    pub(crate) fn open(
        leaf: LeafSource<'_>,
        number: impl Fn(&str) -> Option<u8>,
    ) -> Result<Self, ReadError> {
        let (pages, bytes, count) = LeafPages::open(leaf)?;
        let mut entries = Entries::default();
        entries
            .read(bytes, count, Shape::Text)
            .ok_or_else(|| pages.damaged("its dictionary cannot be read"))?;
        let dictionary = (0..count)
            .map(|entry| {
                let number = entries.text(entry).and_then(&number);
                number.ok_or_else(|| pages.damaged("it holds a word of no meaning"))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            pages,
            dictionary,
            codes: Vec::new(),
        })
    }

    pub(crate) fn next(&mut self) -> Result<(), ReadError> {
        let page = self.pages.next()?;
        let count = page.entries;
        self.decode(&page, count)
    }

    pub(crate) fn next_of(&mut self, count: usize) -> Result<(), ReadError> {
        let page = self.pages.next()?;
        self.decode(&page, count)
    }

    fn decode(&mut self, page: &RawPage, count: usize) -> Result<(), ReadError> {
        self.codes.clear();
        if count == 0 {
            return Ok(());
        }
        let entries = self.dictionary.len();
        codes(&page.values, count, entries, &mut self.codes)
            .filter(|()| page.encoding != Encoding::PLAIN)
            .ok_or_else(|| self.pages.damaged("its values cannot be read"))
    }

    pub(crate) fn seek(&mut self, page: usize) {
        self.pages.seek(page);
    }

    /// Values of the page.
    pub(crate) fn len(&self) -> usize {
        self.codes.len()
    }

    /// The numbers of the page.
    pub(crate) fn numbers(&self, out: &mut Vec<u8>) {
        out.clear();
        out.extend(
            self.codes
                .iter()
                .map(|&code| self.dictionary[code as usize]),
        );
    }

    #[inline]
    pub(crate) fn number(&self, at: usize) -> u8 {
        self.dictionary[self.codes[at] as usize]
    }
}

/// A nullable column of booleans, one page of it decoded at a time.
pub struct BoolPages {
    pages: LeafPages,
    bits: Bytes,
    rows: Vec<u32>,
}

impl BoolPages {
    /// The rows of the page that have a value, ascending.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// The value at `at` of those that are present.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn value(&self, at: usize) -> bool {
        self.bits[at / 8] >> (at % 8) & 1 == 1
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
            AttributeType::Bool => {
                let (pages, ..) = LeafPages::open(leaf)?;
                let (bits, rows) = (Bytes::new(), Vec::new());
                return Ok(Self::Bools(BoolPages { pages, bits, rows }));
            }
        };
        WordPages::open_unread(leaf, shape).map(Self::Words)
    }

    pub(crate) fn next(&mut self) -> Result<(), ReadError> {
        self.fetch_next()?;
        self.decode_fetched()
    }

    /// As [`WordPages::decode_fetched`].
    pub(crate) fn decode_fetched(&mut self) -> Result<(), ReadError> {
        match self {
            Self::Words(words) => words.decode_fetched(),
            Self::Bools(_) => Ok(()),
        }
    }

    /// As [`WordPages::has_value_in`].
    pub(crate) fn has_value_in(&self, rows: &Range<usize>) -> Result<bool, ReadError> {
        match self {
            Self::Words(words) => words.has_value_in(rows),
            Self::Bools(bools) => Ok(!within(&bools.rows, rows).is_empty()),
        }
    }

    /// As [`WordPages::fetch_next`]; booleans are decoded at once.
    pub(crate) fn fetch_next(&mut self) -> Result<(), ReadError> {
        let bools = match self {
            Self::Words(words) => return words.fetch_next(),
            Self::Bools(bools) => bools,
        };
        let page = bools.pages.next()?;
        bools.rows.clear();
        rle::positions_of_ones(&page.definition, page.entries, &mut bools.rows)
            .filter(|()| page.encoding == Encoding::PLAIN)
            .filter(|()| page.values.len() >= bools.rows.len().div_ceil(8))
            .ok_or_else(|| bools.pages.damaged("its values cannot be read"))?;
        bools.bits = page.values;
        Ok(())
    }

    pub(crate) fn seek(&mut self, page: usize) {
        match self {
            Self::Words(words) => words.seek(page),
            Self::Bools(bools) => bools.pages.seek(page),
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
            Self::Words(words) => &words.rows,
            Self::Bools(bools) => &bools.rows,
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

/// A list of attributes: key, type, value. One page of it decoded at a time.
pub struct ListPages {
    depth: u8,
    keys: WordPages,
    kinds: NumberedPages,
    values: WordPages,
    owners: Owners,
}

const KINDS: [AttributeType; 5] = [
    AttributeType::String,
    AttributeType::Int,
    AttributeType::Double,
    AttributeType::Bool,
    AttributeType::Json,
];

impl ListPages {
    /// `leaves` are those of key, type and value. At `depth` 1 in a row itself, at 2 inside the elements of a list.
    pub(crate) fn open(leaves: [LeafSource<'_>; 3], depth: u8) -> Result<Self, ReadError> {
        let kind = |word: &str| {
            let kind = KINDS.iter().position(|kind| kind.as_str() == word);
            kind.map(|kind| kind as u8)
        };
        Ok(Self {
            depth,
            keys: WordPages::open(leaves[0], Shape::Text)?,
            kinds: NumberedPages::open(leaves[1], kind)?,
            values: WordPages::open(leaves[2], Shape::Text)?,
            owners: Owners::default(),
        })
    }

    pub(crate) fn seek(&mut self, page: usize) {
        self.keys.seek(page);
        self.kinds.seek(page);
        self.values.seek(page);
    }

    /// The keys of the attributes of the page.
    pub fn keys(&self) -> &WordPages {
        &self.keys
    }

    /// The type of an attribute of the page.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn kind(&self, at: usize) -> AttributeType {
        KINDS[usize::from(self.kinds.number(at))]
    }

    /// The texts of the values of the page: numbers in digits, other types in canonical text.
    pub fn values(&self) -> &WordPages {
        &self.values
    }

    pub(crate) fn next(&mut self) -> Result<(), ReadError> {
        self.keys.next_owned(self.depth, &mut self.owners)?;
        let count = self.owners.of_value.len();
        self.kinds.next_of(count)?;
        self.values.next_of(count)
    }

    pub(crate) fn forget_symbols(&mut self) {
        self.keys.forget_symbols();
        self.values.forget_symbols();
    }

    /// Owners in the page.
    pub(crate) fn owner_count(&self) -> usize {
        self.owners.count
    }

    /// Of each attribute of the page: its owner, ascending.
    pub fn owners(&self) -> &[u32] {
        &self.owners.of_value
    }

    pub(crate) fn attribute(
        &mut self,
        at: usize,
        symbols: &mut Symbols,
    ) -> Result<Attribute, ReadError> {
        let key = self.keys.symbol(at, symbols)?;
        let kind = KINDS[usize::from(self.kinds.number(at))];
        if kind == AttributeType::String {
            let value = self.values.symbol(at, symbols)?;
            return Ok(Attribute { key, value });
        }
        let text = self.values.text(at)?;
        let value = match kind {
            AttributeType::Int => text.parse().ok().map(ValueRef::Int),
            AttributeType::Double => text.parse().ok().map(ValueRef::Double),
            AttributeType::Bool => text.parse().ok().map(ValueRef::Bool),
            AttributeType::String | AttributeType::Json => Some(ValueRef::Json(text)),
        };
        let Some(value) = value else {
            return Err(self.values.pages.damaged("a value is not of its type"));
        };
        let value = symbols.intern_value(value)?;
        Ok(Attribute { key, value })
    }

    /// Appends the attributes of an owner to `into`. Owners must be asked for in ascending order; `at` begins at 0 and is
    /// moved on.
    pub(crate) fn range(
        &mut self,
        owner: u32,
        at: &mut usize,
        into: &mut SpanBatch,
    ) -> Result<Range32, ReadError> {
        let start = into.attributes.len();
        while self.owners().get(*at) == Some(&owner) {
            let attribute = self.attribute(*at, &mut into.symbols)?;
            into.attributes.push(attribute);
            *at += 1;
        }
        Ok(Range32::between(start, into.attributes.len()))
    }
}
