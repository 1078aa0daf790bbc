//! Pages of columns that hold the same few bytes for every value: integers, times, ids.

use std::ops::Range;

use parquet::basic::{Encoding, Type as PhysicalType};

use crate::ReadError;
use crate::fetched::FetchedLeaf;
use crate::pages::{LeafSource, PagedColumn};

/// A column of integers without nulls.
pub(crate) struct IntPages {
    leaf: FetchedLeaf,
    dictionary: Vec<u32>,
    /// The number of the first value that is decoded.
    first: usize,
    values: Vec<u32>,
}

impl IntPages {
    pub(crate) fn open(leaf: LeafSource<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            leaf: FetchedLeaf::open(leaf, PhysicalType::INT32)?,
            dictionary: Vec::new(),
            first: 0,
            values: Vec::new(),
        })
    }

    /// Values that were decoded.
    ///
    /// # Panics
    /// When they were not.
    pub(crate) fn values(&self, range: &Range<usize>) -> &[u32] {
        &self.values[range.start - self.first..range.end - self.first]
    }

    /// All values that were decoded.
    pub(crate) fn decoded(&self) -> &[u32] {
        &self.values
    }

    /// Goes to the page with this number, however many rows it has, decodes it and gives their number.
    pub(crate) fn load_any(&mut self, page: usize) -> Result<usize, ReadError> {
        self.leaf.fetch(page)?;
        let rows = self.leaf.page().entries;
        self.decode(&(0..rows), rows)?;
        Ok(rows)
    }

    /// Goes to a page of a nested column, and decodes its `count` values.
    pub(crate) fn load_values(&mut self, page: usize, count: usize) -> Result<(), ReadError> {
        self.leaf.fetch(page)?;
        self.decode(&(0..count), count).map(drop)
    }

    fn decode_plain(&mut self, range: &Range<usize>, all: bool) -> Result<(), ReadError> {
        self.leaf.check_bits(range.end, 32, all)?;
        let ints = self.leaf.values().as_chunks::<4>().0;
        self.values.clear();
        let ints = ints[range.clone()].iter();
        self.values.extend(ints.map(|int| u32::from_le_bytes(*int)));
        Ok(())
    }

    fn decode_coded(&mut self, range: &Range<usize>, all: bool) -> Result<(), ReadError> {
        if let Some(dictionary) = self.leaf.take_dictionary()? {
            let int = |entry| dictionary.get(entry).first_chunk::<4>().copied();
            let ints = (0..dictionary.len()).map(|entry| int(entry).map(u32::from_le_bytes));
            let ints: Option<Vec<u32>> = ints.collect();
            self.dictionary = ints.ok_or_else(|| self.leaf.bad_values())?;
        }
        let entries = self.dictionary.len();
        self.leaf.codes(range, all, entries, &mut self.values)?;
        for value in &mut self.values {
            *value = self.dictionary[*value as usize];
        }
        Ok(())
    }
}

impl PagedColumn for IntPages {
    fn fetch(&mut self, page: usize, rows: usize) -> Result<(), ReadError> {
        self.leaf.fetch_rows(page, rows)
    }

    fn decode(&mut self, rows: &Range<usize>, of: usize) -> Result<Range<usize>, ReadError> {
        self.first = rows.start;
        let all = rows.len() == of;
        if self.leaf.is_plain() {
            self.decode_plain(rows, all)?;
        } else {
            self.decode_coded(rows, all)?;
        }
        Ok(rows.clone())
    }
}

/// A column of times.
pub(crate) struct LongPages {
    pub(crate) leaf: FetchedLeaf,
    first: usize,
    values: Vec<i64>,
}

impl LongPages {
    pub(crate) fn open(leaf: LeafSource<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            leaf: FetchedLeaf::open(leaf, PhysicalType::INT64)?,
            first: 0,
            values: Vec::new(),
        })
    }

    /// As [`IntPages::values`].
    pub(crate) fn values(&self, range: &Range<usize>) -> &[i64] {
        &self.values[range.start - self.first..range.end - self.first]
    }

    /// As [`IntPages::decoded`].
    pub(crate) fn decoded(&self) -> &[i64] {
        &self.values
    }

    /// Values of the page that was gone to, of `of`, without decoding it.
    pub(crate) fn few(
        &self,
        rows: Range<usize>,
        of: usize,
    ) -> Result<impl Iterator<Item = i64> + '_, ReadError> {
        let planes = self.planes(of)?;
        Ok(rows.map(move |at| value_of(planes, of, at)))
    }

    fn planes(&self, of: usize) -> Result<&[u8], ReadError> {
        if self.leaf.page().encoding != Encoding::BYTE_STREAM_SPLIT {
            return Err(self.leaf.bad_values());
        }
        self.leaf.check_bits(of, 64, true)?;
        Ok(self.leaf.values())
    }
}

impl PagedColumn for LongPages {
    fn fetch(&mut self, page: usize, rows: usize) -> Result<(), ReadError> {
        self.leaf.fetch_rows(page, rows)
    }

    fn decode(&mut self, rows: &Range<usize>, of: usize) -> Result<Range<usize>, ReadError> {
        self.values.clear();
        self.first = rows.start;
        if of == 0 {
            return Ok(0..0);
        }
        let mut values = std::mem::take(&mut self.values);
        let planes = self.planes(of)?;
        if rows.len() == of {
            join_planes(planes, of, &mut values);
        } else {
            values.extend(rows.clone().map(|at| value_of(planes, of, at)));
        }
        self.values = values;
        Ok(rows.clone())
    }
}

/// The number at `at` of `count`, of which `planes` has all first bytes, then all second ones and so on.
#[inline]
fn value_of(planes: &[u8], count: usize, at: usize) -> i64 {
    (0..8).fold(0, |value, plane| {
        value | i64::from(planes[plane * count + at]) << (8 * plane)
    })
}

/// Appends `count` numbers of eight bytes, of which `bytes` has all first bytes, then all second ones and so on.
fn join_planes(bytes: &[u8], count: usize, out: &mut Vec<i64>) {
    /// Numbers put together at a time: few enough to stay in the nearest cache.
    const AT_ONCE: usize = 128;
    let mut base = 0u64;
    let mut varying: Vec<(u32, &[u8])> = Vec::with_capacity(8);
    for (plane, bytes) in bytes.chunks_exact(count).enumerate() {
        let (shift, first) = (8 * plane as u32, bytes[0]);
        // The upper bytes of times are mostly the same in all of a page.
        if bytes
            .iter()
            .fold(0, |differs, &byte| differs | (byte ^ first))
            == 0
        {
            base |= u64::from(first) << shift;
        } else {
            varying.push((shift, bytes));
        }
    }
    out.reserve(count);
    for from in (0..count).step_by(AT_ONCE) {
        let len = AT_ONCE.min(count - from);
        let mut joined = [base; AT_ONCE];
        for (shift, bytes) in &varying {
            for (value, &byte) in joined.iter_mut().zip(&bytes[from..from + len]) {
                *value |= u64::from(byte) << shift;
            }
        }
        out.extend(joined[..len].iter().map(|&value| value.cast_signed()));
    }
}

/// A column of ids.
pub(crate) struct IdPages<const N: usize> {
    pub(crate) leaf: FetchedLeaf,
}

impl<const N: usize> IdPages<N> {
    pub(crate) fn open(leaf: LeafSource<'_>) -> Result<Self, ReadError> {
        let leaf = FetchedLeaf::open_ids(leaf, N)?;
        Ok(Self { leaf })
    }

    /// The ids of the page.
    pub(crate) fn ids(&self) -> &[[u8; N]] {
        self.leaf.values().as_chunks::<N>().0
    }

    /// As [`IntPages::load_any`].
    pub(crate) fn load_any(&mut self, page: usize) -> Result<usize, ReadError> {
        self.leaf.fetch(page)?;
        let rows = self.leaf.page().entries;
        self.decode(&(0..rows), rows)?;
        Ok(rows)
    }

    /// As [`IntPages::load_values`].
    pub(crate) fn load_values(&mut self, page: usize, count: usize) -> Result<(), ReadError> {
        self.leaf.fetch(page)?;
        self.decode(&(0..count), count).map(drop)
    }
}

impl<const N: usize> PagedColumn for IdPages<N> {
    fn fetch(&mut self, page: usize, rows: usize) -> Result<(), ReadError> {
        self.leaf.fetch_rows(page, rows)
    }

    /// There is nothing to decode: all ids of the page are at hand.
    fn decode(&mut self, _: &Range<usize>, of: usize) -> Result<Range<usize>, ReadError> {
        self.leaf.check_bits(of, 8 * N, true)?;
        Ok(0..of)
    }
}

/// A column of ids that few rows have.
pub(crate) struct NullableIdPages<const N: usize> {
    leaf: FetchedLeaf,
    /// The rows that have an id, of those that are decoded, and the place of the first one's among all ids of the page.
    rows: Vec<u32>,
    first: usize,
}

impl<const N: usize> NullableIdPages<N> {
    pub(crate) fn open(leaf: LeafSource<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            leaf: FetchedLeaf::open_ids(leaf, N)?,
            rows: Vec::new(),
            first: 0,
        })
    }

    /// The rows that have an id, ascending.
    pub(crate) fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Their ids.
    pub(crate) fn ids(&self) -> &[[u8; N]] {
        &self.leaf.values().as_chunks::<N>().0[self.first..self.first + self.rows.len()]
    }
}

impl<const N: usize> PagedColumn for NullableIdPages<N> {
    fn fetch(&mut self, page: usize, rows: usize) -> Result<(), ReadError> {
        self.leaf.fetch_rows(page, rows)
    }

    fn decode(&mut self, rows: &Range<usize>, of: usize) -> Result<Range<usize>, ReadError> {
        let ids = self.leaf.positions(rows, &mut self.rows)?;
        self.first = ids.start;
        self.leaf.check_bits(ids.end, 8 * N, rows.len() == of)?;
        Ok(rows.clone())
    }
}

/// A nullable column of booleans.
pub struct BoolPages {
    leaf: FetchedLeaf,
    rows: Vec<u32>,
    first: usize,
}

impl BoolPages {
    pub(crate) fn open(leaf: LeafSource<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            leaf: FetchedLeaf::open(leaf, PhysicalType::BOOLEAN)?,
            rows: Vec::new(),
            first: 0,
        })
    }

    /// The rows of the page that have a value, ascending.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// The value at `at` of those that are present.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn value(&self, at: usize) -> bool {
        let at = self.first + at;
        self.leaf.values()[at / 8] >> (at % 8) & 1 == 1
    }

    /// As [`WordPages::has_value_in`](crate::WordPages::has_value_in).
    pub(crate) fn has_value_in(&self, rows: &Range<usize>) -> Result<bool, ReadError> {
        self.leaf.has_value_in(rows)
    }
}

impl PagedColumn for BoolPages {
    fn fetch(&mut self, page: usize, rows: usize) -> Result<(), ReadError> {
        self.leaf.fetch_rows(page, rows)
    }

    fn decode(&mut self, rows: &Range<usize>, of: usize) -> Result<Range<usize>, ReadError> {
        let bools = self.leaf.positions(rows, &mut self.rows)?;
        self.first = bools.start;
        if !self.leaf.is_plain() {
            return Err(self.leaf.bad_values());
        }
        self.leaf.check_bits(bools.end, 1, rows.len() == of)?;
        Ok(rows.clone())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn planes_are_joined_to_the_numbers_they_came_from(
            values in proptest::collection::vec(prop_oneof![0i64..300, any::<i64>()], 1..400),
            same in any::<i64>(),
        ) {
            // Upper bytes that all share, and none.
            for values in [values.clone(), values.iter().map(|value| (same & !0xffff) | (value & 0xffff)).collect()] {
                let planes: Vec<u8> = (0..8)
                    .flat_map(|plane| values.iter().map(move |value| value.to_le_bytes()[plane]))
                    .collect();
                let mut joined = Vec::new();
                join_planes(&planes, values.len(), &mut joined);
                prop_assert_eq!(joined, values);
            }
        }
    }
}
