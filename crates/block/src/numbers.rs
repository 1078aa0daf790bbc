//! Pages of columns that hold the same few bytes for every value: integers, times, ids.

use std::ops::Range;

use parquet::basic::Encoding;

use crate::ReadError;
use crate::pages::{LeafPages, LeafSource, PagedColumn, RawPage, codes};
use crate::rle;

/// A column of integers without nulls.
pub(crate) struct IntPages {
    leaf: LeafPages,
    dictionary: Vec<u32>,
    raw: RawPage,
    /// The number of the first value that is decoded.
    first: usize,
    values: Vec<u32>,
}

impl IntPages {
    pub(crate) fn open(leaf: LeafSource<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            leaf: LeafPages::open(leaf)?,
            dictionary: Vec::new(),
            raw: RawPage::default(),
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

    /// Goes to a page of a nested column, and decodes its `count` values.
    pub(crate) fn load_values(&mut self, page: usize, count: usize) -> Result<(), ReadError> {
        self.leaf.fetch(page, &mut self.raw)?;
        self.decode(&(0..count), count)
    }

    fn decode_values(&mut self, range: &Range<usize>, of: usize) -> Option<()> {
        self.first = range.start;
        if self.raw.encoding == Encoding::PLAIN {
            let all = self.raw.values.as_chunks::<4>().0;
            self.values.clear();
            let values = all.get(range.clone())?.iter();
            self.values
                .extend(values.map(|int| u32::from_le_bytes(*int)));
            return Some(());
        }
        codes(
            &self.raw,
            range,
            of,
            self.dictionary.len(),
            &mut self.values,
        )?;
        for value in &mut self.values {
            *value = self.dictionary[*value as usize];
        }
        Some(())
    }
}

impl PagedColumn for IntPages {
    fn fetch(&mut self, page: usize, rows: usize) -> Result<(), ReadError> {
        self.leaf.fetch_rows(page, rows, &mut self.raw)
    }

    fn decode(&mut self, rows: &Range<usize>, of: usize) -> Result<(), ReadError> {
        if let Some(dictionary) = self.leaf.take_dictionary()? {
            let int = |entry| dictionary.get(entry).first_chunk::<4>().copied();
            let ints = (0..dictionary.len()).map(|entry| int(entry).map(u32::from_le_bytes));
            let ints: Option<Vec<u32>> = ints.collect();
            self.dictionary = ints.ok_or_else(|| self.leaf.bad_values())?;
        }
        self.decode_values(rows, of)
            .ok_or_else(|| self.leaf.bad_values())
    }
}

/// A column of times.
pub(crate) struct LongPages {
    leaf: LeafPages,
    raw: RawPage,
    first: usize,
    values: Vec<i64>,
}

impl LongPages {
    pub(crate) fn open(leaf: LeafSource<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            leaf: LeafPages::open(leaf)?,
            raw: RawPage::default(),
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
        let planes = &self.raw.values;
        if self.raw.encoding != Encoding::BYTE_STREAM_SPLIT || planes.len() != of * 8 {
            return Err(self.leaf.bad_values());
        }
        Ok(planes)
    }

    /// Goes to a page of the first leaf of a list.
    pub(crate) fn fetch_list(&mut self, page: usize) -> Result<(), ReadError> {
        self.leaf.fetch(page, &mut self.raw)
    }

    /// The page that was gone to. That of the first leaf of a list tells the rows of all its leaves.
    pub(crate) fn raw(&self) -> &RawPage {
        &self.raw
    }

    #[cold]
    pub(crate) fn bad_levels(&self) -> ReadError {
        self.leaf.bad_levels()
    }
}

impl PagedColumn for LongPages {
    fn fetch(&mut self, page: usize, rows: usize) -> Result<(), ReadError> {
        self.leaf.fetch_rows(page, rows, &mut self.raw)
    }

    fn decode(&mut self, rows: &Range<usize>, of: usize) -> Result<(), ReadError> {
        self.values.clear();
        self.first = rows.start;
        if of == 0 {
            return Ok(());
        }
        let mut values = std::mem::take(&mut self.values);
        let planes = self.planes(of)?;
        if rows.len() == of {
            join_planes(planes, of, &mut values);
        } else {
            values.extend(rows.clone().map(|at| value_of(planes, of, at)));
        }
        self.values = values;
        Ok(())
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
    leaf: LeafPages,
    raw: RawPage,
}

impl<const N: usize> IdPages<N> {
    pub(crate) fn open(leaf: LeafSource<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            leaf: LeafPages::open(leaf)?,
            raw: RawPage::default(),
        })
    }

    /// The ids of the page.
    pub(crate) fn ids(&self) -> &[[u8; N]] {
        self.raw.values.as_chunks::<N>().0
    }

    /// Goes to the page with this number, however many rows it has, and gives their number.
    pub(crate) fn load_any(&mut self, page: usize) -> Result<usize, ReadError> {
        self.leaf.fetch(page, &mut self.raw)?;
        let rows = self.raw.entries;
        self.decode(&(0..rows), rows)?;
        Ok(rows)
    }

    /// As [`IntPages::load_values`].
    pub(crate) fn load_values(&mut self, page: usize, count: usize) -> Result<(), ReadError> {
        self.leaf.fetch(page, &mut self.raw)?;
        self.decode(&(0..count), count)
    }

    /// As [`LongPages::fetch_list`].
    pub(crate) fn fetch_list(&mut self, page: usize) -> Result<(), ReadError> {
        self.leaf.fetch(page, &mut self.raw)
    }

    /// As [`LongPages::raw`].
    pub(crate) fn raw(&self) -> &RawPage {
        &self.raw
    }

    #[cold]
    pub(crate) fn bad_levels(&self) -> ReadError {
        self.leaf.bad_levels()
    }
}

impl<const N: usize> PagedColumn for IdPages<N> {
    fn fetch(&mut self, page: usize, rows: usize) -> Result<(), ReadError> {
        self.leaf.fetch_rows(page, rows, &mut self.raw)
    }

    fn decode(&mut self, _: &Range<usize>, of: usize) -> Result<(), ReadError> {
        if self.raw.values.len() != of * N {
            return Err(self.leaf.bad_values());
        }
        Ok(())
    }
}

/// A column of ids that few rows have.
pub(crate) struct NullableIdPages<const N: usize> {
    leaf: LeafPages,
    raw: RawPage,
    /// The rows that have an id, of those that are decoded, and the place of the first one's among all ids of the page.
    rows: Vec<u32>,
    first: usize,
}

impl<const N: usize> NullableIdPages<N> {
    pub(crate) fn open(leaf: LeafSource<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            leaf: LeafPages::open(leaf)?,
            raw: RawPage::default(),
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
        &self.raw.values.as_chunks::<N>().0[self.first..self.first + self.rows.len()]
    }
}

impl<const N: usize> PagedColumn for NullableIdPages<N> {
    fn fetch(&mut self, page: usize, rows: usize) -> Result<(), ReadError> {
        self.leaf.fetch_rows(page, rows, &mut self.raw)
    }

    fn decode(&mut self, rows: &Range<usize>, of: usize) -> Result<(), ReadError> {
        self.rows.clear();
        self.first = rle::positions_of_ones(&self.raw.definition, of, rows, &mut self.rows)
            .ok_or_else(|| self.leaf.bad_levels())?;
        if self.raw.values.as_chunks::<N>().0.len() < self.first + self.rows.len() {
            return Err(self.leaf.bad_values());
        }
        Ok(())
    }
}

/// A nullable column of booleans.
pub struct BoolPages {
    leaf: LeafPages,
    raw: RawPage,
    rows: Vec<u32>,
    first: usize,
}

impl BoolPages {
    pub(crate) fn open(leaf: LeafSource<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            leaf: LeafPages::open(leaf)?,
            raw: RawPage::default(),
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
        self.raw.values[at / 8] >> (at % 8) & 1 == 1
    }

    /// As [`WordPages::has_value_in`](crate::WordPages::has_value_in).
    pub(crate) fn has_value_in(&self, rows: &Range<usize>) -> Result<bool, ReadError> {
        rle::has_one_in(&self.raw.definition, self.raw.entries, rows)
            .ok_or_else(|| self.leaf.bad_levels())
    }
}

impl PagedColumn for BoolPages {
    fn fetch(&mut self, page: usize, rows: usize) -> Result<(), ReadError> {
        self.leaf.fetch_rows(page, rows, &mut self.raw)
    }

    fn decode(&mut self, rows: &Range<usize>, of: usize) -> Result<(), ReadError> {
        self.rows.clear();
        self.first = rle::positions_of_ones(&self.raw.definition, of, rows, &mut self.rows)
            .ok_or_else(|| self.leaf.bad_levels())?;
        let bits = self.first + self.rows.len();
        if self.raw.encoding != Encoding::PLAIN || self.raw.values.len() < bits.div_ceil(8) {
            return Err(self.leaf.bad_values());
        }
        Ok(())
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
