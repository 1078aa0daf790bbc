//! The leaf columns of a row group while it is being written: levels and values of the open page, and the chunk behind it.

use std::io::Write;

use parquet::basic::Encoding;
use parquet::data_type::FixedLenByteArray;
use parquet::errors::ParquetError;
use parquet::file::statistics::Statistics;
use parquet::file::writer::SerializedRowGroupWriter;
use parquet::schema::types::ColumnDescPtr;

use crate::chunk::{Chunk, PageCompressor, Values};
use crate::levels::OpenLevels;

/// Integers below this find their place in the dictionary by indexing.
const SMALL_INTS: usize = 1 << 16;

pub(crate) const NOWHERE: u32 = u32::MAX;

/// What the writers of nested columns need of a leaf, whatever its type.
pub(crate) trait Leaf {
    fn levels(&mut self) -> &mut OpenLevels;

    /// The pages that were ended.
    fn chunk(&mut self) -> &mut Chunk;

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

    fn chunk(&mut self) -> &mut Chunk {
        &mut self.chunk
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
        let flat = self.levels.is_flat();
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

    fn chunk(&mut self) -> &mut Chunk {
        &mut self.chunk
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

    fn chunk(&mut self) -> &mut Chunk {
        &mut self.chunk
    }
}
