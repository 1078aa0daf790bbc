//! Leaf columns of values: text, numbers and booleans of names and attributes.
//!
//! [`WordLeaf`] knows its few words. [`ValueLeaf`] takes codes of its dictionary and the bytes of what goes without one. How a value finds its code is its
//! caller's business: [`SymbolLeaf`] looks up symbols, a merge translates the codes of its inputs.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write;

use foldhash::fast::FixedState;
use model::{Symbol, SymbolKind, Symbols, ValueRef};
use parquet::basic::Encoding;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::statistics::Statistics;
use parquet::file::writer::SerializedRowGroupWriter;
use parquet::schema::types::ColumnDescPtr;

use crate::chunk::{Chunk, PageCompressor, Values};
use crate::leaf::{Leaf, NOWHERE};
use crate::levels::OpenLevels;

/// Texts longer than this are no bounds worth their bytes in the footer: a chunk that holds one has none.
const BOUND_BYTES_MAX: usize = 64;

/// The physical shape of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueShape {
    /// Text.
    Text,
    /// Integers or doubles.
    Eight { double: bool },
    /// Booleans, which Parquet does not put in dictionaries.
    Bool,
    /// Values of any type, as text.
    Rendered,
}

impl ValueShape {
    fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Rendered)
    }
}

/// A column of values, given as the bytes that are stored: UTF-8 of a text, eight bytes of a number, little-endian, one byte
/// of a boolean.
pub(crate) struct ValueLeaf {
    shape: ValueShape,
    chunk: Chunk,
    levels: OpenLevels,
    codes: Vec<u32>,
    plain: Vec<u8>,
    plain_len: usize,
    /// Whether there can still be bounds.
    is_bounded: bool,
    bounds: Option<(Vec<u8>, Vec<u8>)>,
}

impl ValueLeaf {
    pub(crate) fn new(descr: ColumnDescPtr, shape: ValueShape) -> Self {
        Self {
            shape,
            chunk: Chunk::new(descr, true),
            levels: OpenLevels::default(),
            codes: Vec::new(),
            plain: Vec::new(),
            plain_len: 0,
            is_bounded: !matches!(shape, ValueShape::Eight { double: true } | ValueShape::Bool),
            bounds: None,
        }
    }

    /// Values so far, in the pages that were ended.
    pub(crate) fn present(&self) -> u64 {
        self.chunk.present()
    }

    /// Whether the values of the open page are to be pushed as codes; otherwise plain. It changes only between pages.
    #[inline]
    pub(crate) fn takes_codes(&self) -> bool {
        !(self.chunk.is_plain() || self.shape == ValueShape::Bool)
    }

    /// Notes that `row` of the open page of a nullable column has a value, which is to be pushed next. `false`: it had one.
    #[inline]
    pub(crate) fn set(&mut self, row: usize) -> bool {
        self.levels.set(row)
    }

    /// Adds a value to the dictionary, which the caller knows that it has not, and gives its code.
    #[cold]
    pub(crate) fn add(&mut self, value: &[u8]) -> u32 {
        self.widen(value);
        let is_text = self.shape.is_text();
        self.chunk
            .add_to_dictionary(|dictionary| write_plain(value, is_text, dictionary))
    }

    /// The next value.
    #[inline]
    pub(crate) fn push_code(&mut self, code: u32) {
        self.codes.push(code);
    }

    /// The next value.
    pub(crate) fn push_plain(&mut self, value: &[u8]) {
        if self.shape == ValueShape::Bool {
            let bit = self.plain_len % 8;
            if bit == 0 {
                self.plain.push(0);
            }
            if let Some(last) = self.plain.last_mut() {
                *last |= u8::from(*value == [1]) << bit;
            }
        } else {
            self.widen(value);
            write_plain(value, self.shape.is_text(), &mut self.plain);
        }
        self.plain_len += 1;
    }

    fn widen(&mut self, value: &[u8]) {
        if !self.is_bounded {
            return;
        }
        if value.len() > BOUND_BYTES_MAX {
            self.is_bounded = false;
            self.bounds = None;
            return;
        }
        match &mut self.bounds {
            None => self.bounds = Some((value.to_vec(), value.to_vec())),
            Some((min, max)) => {
                if less(self.shape, value, min) {
                    value.clone_into(min);
                }
                if less(self.shape, max, value) {
                    value.clone_into(max);
                }
            }
        }
    }

    pub(crate) fn end_page(
        &mut self,
        rows: usize,
        nullable: bool,
        compressor: &mut PageCompressor,
    ) -> Result<(), ParquetError> {
        let levels = if nullable {
            self.levels.borrow_nullable(rows)
        } else {
            self.levels.borrow()
        };
        let values = if self.takes_codes() {
            Values::Codes(&self.codes)
        } else {
            Values::Encoded(Encoding::PLAIN, &self.plain, self.plain_len)
        };
        self.chunk
            .end_page(compressor, rows as u32, levels, &values, None)?;
        self.levels.clear();
        self.codes.clear();
        self.plain.clear();
        self.plain_len = 0;
        Ok(())
    }

    pub(crate) fn finish<W: Write + Send>(
        self,
        compressor: &mut PageCompressor,
        row_group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        let nulls = Some(self.chunk.absent());
        let statistics = self.bounds.and_then(|(min, max)| {
            let eight = |bytes: &[u8]| bytes.first_chunk::<8>().copied();
            match self.shape {
                ValueShape::Text | ValueShape::Rendered => Some(Statistics::byte_array(
                    Some(ByteArray::from(min)),
                    Some(ByteArray::from(max)),
                    None,
                    nulls,
                    false,
                )),
                ValueShape::Eight { double: false } => {
                    let (min, max) = (
                        i64::from_le_bytes(eight(&min)?),
                        i64::from_le_bytes(eight(&max)?),
                    );
                    Some(Statistics::int64(Some(min), Some(max), None, nulls, false))
                }
                _ => None,
            }
        });
        self.chunk.finish(compressor, row_group, statistics)
    }
}

impl Leaf for ValueLeaf {
    fn levels(&mut self) -> &mut OpenLevels {
        &mut self.levels
    }

    fn chunk(&mut self) -> &mut Chunk {
        &mut self.chunk
    }
}

/// A column of a few fixed words.
pub(crate) struct WordLeaf {
    chunk: Chunk,
    levels: OpenLevels,
    codes: Vec<u32>,
    places: [u32; 8],
}

impl WordLeaf {
    pub(crate) fn new(descr: ColumnDescPtr) -> Self {
        Self {
            chunk: Chunk::new(descr, true),
            levels: OpenLevels::default(),
            codes: Vec::new(),
            places: [NOWHERE; 8],
        }
    }

    /// The next value: `word`, which is always the same for a `number`. Numbers are below 8.
    #[inline]
    pub(crate) fn push(&mut self, number: u8, word: &'static str) {
        let place = &mut self.places[usize::from(number)];
        if *place == NOWHERE {
            *place = self
                .chunk
                .add_to_dictionary(|dictionary| write_plain(word.as_bytes(), true, dictionary));
        }
        self.codes.push(*place);
    }

    pub(crate) fn end_page(
        &mut self,
        rows: usize,
        compressor: &mut PageCompressor,
    ) -> Result<(), ParquetError> {
        self.chunk.end_page(
            compressor,
            rows as u32,
            self.levels.borrow(),
            &Values::Codes(&self.codes),
            None,
        )?;
        self.levels.clear();
        self.codes.clear();
        Ok(())
    }

    pub(crate) fn finish<W: Write + Send>(
        self,
        compressor: &mut PageCompressor,
        row_group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        self.chunk.finish(compressor, row_group, None)
    }
}

impl Leaf for WordLeaf {
    fn levels(&mut self) -> &mut OpenLevels {
        &mut self.levels
    }

    fn chunk(&mut self) -> &mut Chunk {
        &mut self.chunk
    }
}

/// Appends a value to plain-encoded ones.
fn write_plain(value: &[u8], is_text: bool, out: &mut Vec<u8>) {
    if is_text {
        out.extend_from_slice(&(value.len() as u32).to_le_bytes());
    }
    out.extend_from_slice(value);
}

fn less(shape: ValueShape, left: &[u8], right: &[u8]) -> bool {
    match (shape, left.first_chunk::<8>(), right.first_chunk::<8>()) {
        (ValueShape::Eight { double: false }, Some(left), Some(right)) => {
            i64::from_le_bytes(*left) < i64::from_le_bytes(*right)
        }
        _ => left < right,
    }
}

/// Where symbols stand in dictionaries. A symbol nearly always belongs to one column, and that column is found here.
pub(crate) struct Places(Vec<Place>);

#[derive(Clone, Copy)]
struct Place {
    leaf: u16,
    /// Beside the place because the two are always wanted together, and the table of symbols is far away in memory.
    kind: SymbolKind,
    code: u32,
}

/// In [`Place::leaf`]: in no dictionary yet.
const NO_LEAF: u16 = u16::MAX;

impl Places {
    pub(crate) fn new(symbols: &Symbols) -> Self {
        let all = (0..symbols.len() as u32).map(Symbol);
        Self(
            all.map(|symbol| Place {
                leaf: NO_LEAF,
                kind: symbols.kind(symbol),
                code: 0,
            })
            .collect(),
        )
    }

    #[inline]
    pub(crate) fn kind(&self, symbol: Symbol) -> SymbolKind {
        self.0[symbol.index()].kind
    }
}

/// A column of values that come as symbols of one table.
pub(crate) struct SymbolLeaf {
    id: u16,
    values: ValueLeaf,
    elsewhere: HashMap<u32, u32, FixedState>,
}

impl SymbolLeaf {
    pub(crate) fn new(id: u16, descr: ColumnDescPtr, shape: ValueShape) -> Self {
        Self {
            id,
            values: ValueLeaf::new(descr, shape),
            elsewhere: HashMap::default(),
        }
    }

    /// The column without symbols.
    pub(crate) fn values(&mut self) -> &mut ValueLeaf {
        &mut self.values
    }

    /// As [`ValueLeaf::present`].
    pub(crate) fn present(&self) -> u64 {
        self.values.present()
    }

    /// A value at `row` of the open page of a nullable column. `false`: the row has one already, nothing was taken.
    #[inline]
    pub(crate) fn set(
        &mut self,
        row: usize,
        symbols: &Symbols,
        places: &mut Places,
        value: Symbol,
    ) -> bool {
        let is_free = self.values.set(row);
        if is_free {
            self.push(symbols, places, value);
        }
        is_free
    }

    /// The next value, of a column without nulls or whose levels the caller has pushed.
    #[inline]
    pub(crate) fn push(&mut self, symbols: &Symbols, places: &mut Places, value: Symbol) {
        if !self.values.takes_codes() {
            let bytes = stored_bytes(symbols, value, self.values.shape);
            self.values.push_plain(&bytes);
            return;
        }
        let place = &mut places.0[value.index()];
        if place.leaf == self.id {
            self.values.push_code(place.code);
            return;
        }
        let code = if place.leaf == NO_LEAF {
            let code = self.add(symbols, value);
            (place.leaf, place.code) = (self.id, code);
            code
        } else if let Some(&code) = self.elsewhere.get(&value.0) {
            code
        } else {
            let code = self.add(symbols, value);
            self.elsewhere.insert(value.0, code);
            code
        };
        self.values.push_code(code);
    }

    #[cold]
    fn add(&mut self, symbols: &Symbols, value: Symbol) -> u32 {
        let bytes = stored_bytes(symbols, value, self.values.shape);
        self.values.add(&bytes)
    }

    /// As [`ValueLeaf::end_page`].
    pub(crate) fn end_page(
        &mut self,
        rows: usize,
        nullable: bool,
        compressor: &mut PageCompressor,
    ) -> Result<(), ParquetError> {
        self.values.end_page(rows, nullable, compressor)
    }

    /// As [`ValueLeaf::finish`].
    pub(crate) fn finish<W: Write + Send>(
        self,
        compressor: &mut PageCompressor,
        row_group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        self.values.finish(compressor, row_group)
    }
}

impl Leaf for SymbolLeaf {
    fn levels(&mut self) -> &mut OpenLevels {
        self.values.levels()
    }

    fn chunk(&mut self) -> &mut Chunk {
        self.values.chunk()
    }
}

/// The bytes of a value in a column of this shape.
fn stored_bytes(symbols: &Symbols, value: Symbol, shape: ValueShape) -> Cow<'_, [u8]> {
    if shape != ValueShape::Rendered {
        return Cow::Borrowed(symbols.payload(value));
    }
    match symbols.value(value) {
        ValueRef::Str(text) | ValueRef::Json(text) => Cow::Borrowed(text.as_bytes()),
        ValueRef::Int(int) => Cow::Owned(int.to_string().into_bytes()),
        ValueRef::Double(double) => Cow::Owned(format!("{double:?}").into_bytes()),
        ValueRef::Bool(bool) => Cow::Owned(bool.to_string().into_bytes()),
    }
}
