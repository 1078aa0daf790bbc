//! The leaf columns of a row group while it is being written: levels and values of the open page, and the chunk behind it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write;

use foldhash::fast::FixedState;
use model::{Symbol, SymbolKind, Symbols, ValueRef};
use parquet::basic::Encoding;
use parquet::data_type::{ByteArray, FixedLenByteArray};
use parquet::errors::ParquetError;
use parquet::file::statistics::Statistics;
use parquet::file::writer::SerializedRowGroupWriter;
use parquet::schema::types::ColumnDescPtr;

use crate::chunk::{Chunk, Levels, PageCompressor, Values};

/// Texts longer than this are no bounds worth their bytes in the footer: a chunk that holds one has none.
const BOUND_BYTES_MAX: usize = 64;

/// Integers below this find their place in the dictionary by indexing.
const SMALL_INTS: usize = 1 << 16;

const NOWHERE: u32 = u32::MAX;

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

/// Levels of the open page. A column without nulls and repetition leaves all empty.
#[derive(Default)]
pub(crate) struct OpenLevels {
    repetition: Vec<u8>,
    definition: Vec<u8>,
    /// In place of levels, of a column that is nullable and not nested: the rows that have a value.
    present: Vec<u32>,
}

impl OpenLevels {
    fn borrow(&self) -> Levels<'_> {
        Levels::Nested {
            repetition: &self.repetition,
            definition: &self.definition,
        }
    }

    /// Of a page of a column that is nullable and not nested.
    fn borrow_nullable(&self, rows: usize) -> Levels<'_> {
        Levels::Nullable {
            present: &self.present,
            rows,
        }
    }

    fn clear(&mut self) {
        self.repetition.clear();
        self.definition.clear();
        self.present.clear();
    }

    /// Notes that `row` has a value. `false`: it had one already.
    #[inline]
    fn set(&mut self, row: usize) -> bool {
        let row = row as u32;
        if self.present.last().is_some_and(|&last| last >= row) {
            return false;
        }
        self.present.push(row);
        true
    }

    #[inline]
    fn push(&mut self, repetition: u8, definition: u8) {
        self.repetition.push(repetition);
        self.definition.push(definition);
    }

    /// As many rows of a nested column hold nothing.
    #[inline]
    fn push_empty(&mut self, rows: usize) {
        self.repetition.resize(self.repetition.len() + rows, 0);
        self.definition.resize(self.definition.len() + rows, 0);
    }
}

/// What the writers of nested columns need of a leaf, whatever its type.
pub(crate) trait Leaf {
    fn levels(&mut self) -> &mut OpenLevels;

    /// Rows of a nested column without any element.
    #[inline]
    fn empty_rows(&mut self, rows: usize) {
        self.levels().push_empty(rows);
    }

    /// The levels of the next value of a nested column.
    #[inline]
    fn nested(&mut self, repetition: u8, definition: u8) {
        self.levels().push(repetition, definition);
    }
}

/// The physical shape of values that are symbols.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SymbolShape {
    /// Text.
    Text,
    /// Integers or doubles.
    Eight { double: bool },
    /// Booleans, which Parquet does not put in dictionaries.
    Bool,
    /// Values of any type, as text.
    Rendered,
}

impl SymbolShape {
    fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Rendered)
    }
}

/// The bytes of a value in a column of this shape.
fn stored_bytes(symbols: &Symbols, value: Symbol, shape: SymbolShape) -> Cow<'_, [u8]> {
    if shape != SymbolShape::Rendered {
        return Cow::Borrowed(symbols.payload(value));
    }
    match symbols.value(value) {
        ValueRef::Str(text) | ValueRef::Json(text) => Cow::Borrowed(text.as_bytes()),
        ValueRef::Int(int) => Cow::Owned(int.to_string().into_bytes()),
        ValueRef::Double(double) => Cow::Owned(format!("{double:?}").into_bytes()),
        ValueRef::Bool(bool) => Cow::Owned(bool.to_string().into_bytes()),
    }
}

/// A column of symbols.
pub(crate) struct SymbolLeaf {
    id: u16,
    shape: SymbolShape,
    chunk: Chunk,
    levels: OpenLevels,
    codes: Vec<u32>,
    plain: Vec<u8>,
    plain_len: usize,
    elsewhere: HashMap<u32, u32, FixedState>,
    /// Whether there can still be bounds.
    is_bounded: bool,
    bounds: Option<(Vec<u8>, Vec<u8>)>,
}

impl SymbolLeaf {
    pub(crate) fn new(id: u16, descr: ColumnDescPtr, shape: SymbolShape) -> Self {
        Self {
            id,
            shape,
            chunk: Chunk::new(descr, true),
            levels: OpenLevels::default(),
            codes: Vec::new(),
            plain: Vec::new(),
            plain_len: 0,
            elsewhere: HashMap::default(),
            is_bounded: !matches!(
                shape,
                SymbolShape::Eight { double: true } | SymbolShape::Bool
            ),
            bounds: None,
        }
    }

    /// Values so far, in the pages that were ended.
    pub(crate) fn present(&self) -> u64 {
        self.chunk.present()
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
        let is_free = self.levels.set(row);
        if is_free {
            self.push(symbols, places, value);
        }
        is_free
    }

    /// The next value, of a column without nulls or whose levels the caller has pushed.
    #[inline]
    pub(crate) fn push(&mut self, symbols: &Symbols, places: &mut Places, value: Symbol) {
        if self.chunk.is_plain() || self.shape == SymbolShape::Bool {
            self.push_plain(symbols, value);
            return;
        }
        let place = &mut places.0[value.index()];
        if place.leaf == self.id {
            self.codes.push(place.code);
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
        self.codes.push(code);
    }

    #[cold]
    fn add(&mut self, symbols: &Symbols, value: Symbol) -> u32 {
        let payload = stored_bytes(symbols, value, self.shape);
        self.widen(&payload);
        let is_text = self.shape.is_text();
        self.chunk
            .add_to_dictionary(|dictionary| write_plain(&payload, is_text, dictionary))
    }

    fn push_plain(&mut self, symbols: &Symbols, value: Symbol) {
        let payload = stored_bytes(symbols, value, self.shape);
        if self.shape == SymbolShape::Bool {
            let bit = self.plain_len % 8;
            if bit == 0 {
                self.plain.push(0);
            }
            if let Some(last) = self.plain.last_mut() {
                *last |= u8::from(*payload == [1]) << bit;
            }
        } else {
            self.widen(&payload);
            write_plain(&payload, self.shape.is_text(), &mut self.plain);
        }
        self.plain_len += 1;
    }

    fn widen(&mut self, payload: &[u8]) {
        if !self.is_bounded {
            return;
        }
        if payload.len() > BOUND_BYTES_MAX {
            self.is_bounded = false;
            self.bounds = None;
            return;
        }
        match &mut self.bounds {
            None => self.bounds = Some((payload.to_vec(), payload.to_vec())),
            Some((min, max)) => {
                if less(self.shape, payload, min) {
                    payload.clone_into(min);
                }
                if less(self.shape, max, payload) {
                    payload.clone_into(max);
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
        let values = if self.shape == SymbolShape::Bool || self.chunk.is_plain() {
            Values::Encoded(Encoding::PLAIN, &self.plain, self.plain_len)
        } else {
            Values::Codes(&self.codes)
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
                SymbolShape::Text | SymbolShape::Rendered => Some(Statistics::byte_array(
                    Some(ByteArray::from(min)),
                    Some(ByteArray::from(max)),
                    None,
                    nulls,
                    false,
                )),
                SymbolShape::Eight { double: false } => {
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

impl Leaf for SymbolLeaf {
    fn levels(&mut self) -> &mut OpenLevels {
        &mut self.levels
    }
}

fn write_plain(payload: &[u8], text: bool, out: &mut Vec<u8>) {
    if text {
        out.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    }
    out.extend_from_slice(payload);
}

fn less(shape: SymbolShape, left: &[u8], right: &[u8]) -> bool {
    match (shape, left.first_chunk::<8>(), right.first_chunk::<8>()) {
        (SymbolShape::Eight { double: false }, Some(left), Some(right)) => {
            i64::from_le_bytes(*left) < i64::from_le_bytes(*right)
        }
        _ => left < right,
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
}

/// A column of small non-negative integers without nulls.
pub(crate) struct IntLeaf {
    chunk: Chunk,
    levels: OpenLevels,
    codes: Vec<u32>,
    plain: Vec<u8>,
    places: Vec<u32>,
    bounds: Option<(i32, i32)>,
}

impl IntLeaf {
    pub(crate) fn new(descr: ColumnDescPtr) -> Self {
        Self {
            chunk: Chunk::new(descr, true),
            levels: OpenLevels::default(),
            codes: Vec::new(),
            plain: Vec::new(),
            places: Vec::new(),
            bounds: None,
        }
    }

    /// The next value. Numbers from 2^31 on are written as the negative number of the same bits.
    #[inline]
    pub(crate) fn push(&mut self, value: u32) {
        if !self.plain.is_empty() || self.chunk.is_plain() || value as usize >= SMALL_INTS {
            self.push_plain(value);
            return;
        }
        let index = value as usize;
        if index >= self.places.len() {
            self.places.resize(index + 1, NOWHERE);
        }
        if self.places[index] == NOWHERE {
            self.widen(value);
            self.places[index] = self
                .chunk
                .add_to_dictionary(|dictionary| dictionary.extend_from_slice(&value.to_le_bytes()));
        }
        self.codes.push(self.places[index]);
    }

    /// The next values.
    #[inline]
    pub(crate) fn extend(&mut self, values: impl Iterator<Item = u32>) {
        values.for_each(|value| self.push(value));
    }

    /// A page with one number too large for the table is written plain as a whole.
    #[cold]
    fn push_plain(&mut self, value: u32) {
        if !self.codes.is_empty() {
            let mut by_code = vec![0u32; self.places.len()];
            for (number, &code) in self
                .places
                .iter()
                .enumerate()
                .filter(|(_, code)| **code != NOWHERE)
            {
                by_code[code as usize] = number as u32;
            }
            for code in self.codes.drain(..) {
                self.plain
                    .extend_from_slice(&by_code[code as usize].to_le_bytes());
            }
        }
        self.widen(value);
        self.plain.extend_from_slice(&value.to_le_bytes());
    }

    fn widen(&mut self, value: u32) {
        let value = value as i32;
        let (min, max) = self.bounds.unwrap_or((value, value));
        self.bounds = Some((min.min(value), max.max(value)));
    }

    pub(crate) fn end_page(
        &mut self,
        rows: usize,
        compressor: &mut PageCompressor,
    ) -> Result<(), ParquetError> {
        let values = if self.plain.is_empty() && !self.chunk.is_plain() {
            Values::Codes(&self.codes)
        } else {
            Values::Encoded(Encoding::PLAIN, &self.plain, self.plain.len() / 4)
        };
        self.chunk
            .end_page(compressor, rows as u32, self.levels.borrow(), &values, None)?;
        self.levels.clear();
        self.codes.clear();
        self.plain.clear();
        Ok(())
    }

    pub(crate) fn finish<W: Write + Send>(
        self,
        compressor: &mut PageCompressor,
        row_group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        let statistics = self
            .bounds
            .map(|(min, max)| Statistics::int32(Some(min), Some(max), None, Some(0), false));
        self.chunk.finish(compressor, row_group, statistics)
    }
}

impl Leaf for IntLeaf {
    fn levels(&mut self) -> &mut OpenLevels {
        &mut self.levels
    }
}

/// A column of 64-bit integers that hardly repeat: times. Written byte plane by byte plane, of which the high ones are
/// nearly constant.
pub(crate) struct LongLeaf {
    chunk: Chunk,
    levels: OpenLevels,
    values: Vec<i64>,
    planes: Vec<u8>,
    bounds: Option<(i64, i64)>,
}

impl LongLeaf {
    pub(crate) fn new(descr: ColumnDescPtr) -> Self {
        Self {
            chunk: Chunk::new(descr, true),
            levels: OpenLevels::default(),
            values: Vec::new(),
            planes: Vec::new(),
            bounds: None,
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, value: i64) {
        self.values.push(value);
    }

    /// The next values.
    #[inline]
    pub(crate) fn extend(&mut self, values: impl Iterator<Item = i64>) {
        self.values.extend(values);
    }

    pub(crate) fn end_page(
        &mut self,
        rows: usize,
        compressor: &mut PageCompressor,
    ) -> Result<(), ParquetError> {
        self.planes.clear();
        for plane in 0..8 {
            let bytes = self.values.iter().map(|value| (value >> (8 * plane)) as u8);
            self.planes.extend(bytes);
        }
        let range = self
            .values
            .iter()
            .copied()
            .fold(None, |range: Option<(i64, i64)>, value| {
                Some(range.map_or((value, value), |(min, max)| {
                    (min.min(value), max.max(value))
                }))
            });
        if let Some((min, max)) = range {
            let (least, most) = self.bounds.unwrap_or((min, max));
            self.bounds = Some((least.min(min), most.max(max)));
        }
        let flat = self.levels.definition.is_empty();
        let bounds = range
            .filter(|_| flat)
            .map(|(min, max)| (min.to_le_bytes().to_vec(), max.to_le_bytes().to_vec()));
        let values = Values::Encoded(Encoding::BYTE_STREAM_SPLIT, &self.planes, self.values.len());
        self.chunk.end_page(
            compressor,
            rows as u32,
            self.levels.borrow(),
            &values,
            bounds,
        )?;
        self.levels.clear();
        self.values.clear();
        Ok(())
    }

    pub(crate) fn finish<W: Write + Send>(
        self,
        compressor: &mut PageCompressor,
        row_group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        let statistics = self
            .bounds
            .map(|(min, max)| Statistics::int64(Some(min), Some(max), None, Some(0), false));
        self.chunk.finish(compressor, row_group, statistics)
    }
}

impl Leaf for LongLeaf {
    fn levels(&mut self) -> &mut OpenLevels {
        &mut self.levels
    }
}

/// A column of ids.
pub(crate) struct IdLeaf<const N: usize> {
    chunk: Chunk,
    levels: OpenLevels,
    values: Vec<u8>,
    indexed: bool,
    bounds: Option<([u8; N], [u8; N])>,
}

impl<const N: usize> IdLeaf<N> {
    /// A column of ids; `sorted` ones are compressed (they repeat) and get a page index, others are random and get neither.
    pub(crate) fn new(descr: ColumnDescPtr, sorted: bool) -> Self {
        Self {
            chunk: Chunk::new(descr, sorted),
            levels: OpenLevels::default(),
            values: Vec::new(),
            indexed: sorted,
            bounds: None,
        }
    }

    #[inline]
    pub(crate) fn push(&mut self, id: [u8; N]) {
        self.values.extend_from_slice(&id);
    }

    /// The next ids, of a column without nulls.
    #[inline]
    pub(crate) fn extend(&mut self, ids: impl Iterator<Item = [u8; N]>) {
        ids.for_each(|id| self.push(id));
    }

    /// An id at `row` of the open page of a nullable column.
    #[inline]
    pub(crate) fn set(&mut self, row: usize, id: [u8; N]) {
        if self.levels.set(row) {
            self.push(id);
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
        let (ids, _) = self.values.as_chunks::<N>();
        // Sorted: the first is the least.
        let range = if self.indexed {
            ids.first().copied().zip(ids.last().copied())
        } else {
            None
        };
        if let Some((first, last)) = range {
            self.bounds = Some((self.bounds.map_or(first, |(least, _)| least), last));
        }
        let bounds = range.map(|(first, last)| (first.to_vec(), last.to_vec()));
        let values = Values::Encoded(Encoding::PLAIN, &self.values, ids.len());
        self.chunk
            .end_page(compressor, rows as u32, levels, &values, bounds)?;
        self.levels.clear();
        self.values.clear();
        Ok(())
    }

    pub(crate) fn finish<W: Write + Send>(
        self,
        compressor: &mut PageCompressor,
        row_group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        let statistics = self.bounds.map(|(min, max)| {
            let array = |id: [u8; N]| FixedLenByteArray::from(id.to_vec());
            Statistics::fixed_len_byte_array(
                Some(array(min)),
                Some(array(max)),
                None,
                Some(0),
                false,
            )
        });
        self.chunk.finish(compressor, row_group, statistics)
    }
}

impl<const N: usize> Leaf for IdLeaf<N> {
    fn levels(&mut self) -> &mut OpenLevels {
        &mut self.levels
    }
}
