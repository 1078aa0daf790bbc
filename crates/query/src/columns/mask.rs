//! Sets of rows of a page.

/// A bit for each row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Mask {
    words: Vec<u64>,
    rows: usize,
}

impl Mask {
    /// No row of so many.
    pub(crate) fn none(rows: usize) -> Self {
        let words = vec![0; rows.div_ceil(64)];
        Self { words, rows }
    }

    /// All of so many rows.
    pub(crate) fn all(rows: usize) -> Self {
        let mut mask = Self {
            words: vec![u64::MAX; rows.div_ceil(64)],
            rows,
        };
        mask.trim();
        mask
    }

    /// All rows or none.
    pub(crate) fn constant(rows: usize, value: bool) -> Self {
        if value {
            Self::all(rows)
        } else {
            Self::none(rows)
        }
    }

    /// The rows for which `holds`.
    #[inline]
    pub(crate) fn of<T>(values: &[T], mut holds: impl FnMut(&T) -> bool) -> Self {
        let words = values.chunks(64).map(|chunk| {
            let bits = chunk.iter().enumerate();
            bits.fold(0u64, |word, (bit, value)| {
                word | u64::from(holds(value)) << bit
            })
        });
        Self {
            words: words.collect(),
            rows: values.len(),
        }
    }

    /// Clears the bits behind the last row.
    fn trim(&mut self) {
        let beyond = self.words.len() * 64 - self.rows;
        if let Some(last) = self.words.last_mut() {
            *last &= u64::MAX >> beyond;
        }
    }

    #[inline]
    pub(crate) fn set(&mut self, row: usize) {
        self.words[row / 64] |= 1 << (row % 64);
    }

    #[inline]
    pub(crate) fn clear(&mut self, row: usize) {
        self.words[row / 64] &= !(1 << (row % 64));
    }

    /// As [`Self::clear`], for a row that may lie behind the last.
    pub(crate) fn clear_if_there(&mut self, row: usize) {
        if row < self.rows {
            self.clear(row);
        }
    }

    #[inline]
    pub(crate) fn has(&self, row: usize) -> bool {
        self.words[row / 64] >> (row % 64) & 1 == 1
    }

    /// Sets the rows of a range.
    pub(crate) fn set_range(&mut self, rows: std::ops::Range<usize>) {
        let mut row = rows.start;
        while row < rows.end {
            let (word, bit) = (row / 64, row % 64);
            let count = (64 - bit).min(rows.end - row);
            self.words[word] |= (u64::MAX >> (64 - count)) << bit;
            row += count;
        }
    }

    /// Rows, in it or not.
    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    pub(crate) fn count(&self) -> usize {
        self.words
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum()
    }

    pub(crate) fn and(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    pub(crate) fn or(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    /// Takes the rows of `other` away.
    pub(crate) fn without(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
    }

    pub(crate) fn not(&mut self) {
        for word in &mut self.words {
            *word = !*word;
        }
        self.trim();
    }

    /// Calls `each` with every row, ascending. Where all rows are in it, as they mostly are, that is a plain loop.
    #[inline]
    pub(crate) fn each(&self, mut each: impl FnMut(usize)) {
        for (at, &word) in self.words.iter().enumerate() {
            let first = at * 64;
            if word == u64::MAX {
                (first..first + 64).for_each(&mut each);
                continue;
            }
            let mut rest = word;
            while rest != 0 {
                each(first + rest.trailing_zeros() as usize);
                rest &= rest - 1;
            }
        }
    }

    /// The rows, ascending.
    pub(crate) fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(at, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let bit = rest.trailing_zeros() as usize;
                    rest &= rest - 1;
                    at * 64 + bit
                })
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_sets_of_rows() {
        for rows in [1, 63, 64, 65, 200] {
            let all: Vec<usize> = (0..rows).collect();
            assert_eq!(Mask::all(rows).rows().collect::<Vec<_>>(), all);
            assert_eq!(Mask::none(rows).rows().count(), 0);
            let even = Mask::of(&all, |row| row % 2 == 0);
            let mut odd = even.clone();
            odd.not();
            assert!(odd.rows().all(|row| row % 2 == 1));
            for mask in [&even, &Mask::all(rows)] {
                let mut each = Vec::new();
                mask.each(|row| each.push(row));
                assert_eq!(each, mask.rows().collect::<Vec<_>>());
            }
            assert_eq!(even.count() + odd.count(), rows);
            let mut both = even.clone();
            both.or(&odd);
            assert_eq!(both, Mask::all(rows));
            both.without(&odd);
            assert_eq!(both, even);
            both.and(&odd);
            assert!(both.is_empty());
        }
    }

    #[test]
    fn ranges_are_set_to_the_bit() {
        for (from, to) in [(0, 1), (3, 64), (63, 65), (10, 190), (64, 128), (5, 5)] {
            let mut mask = Mask::none(200);
            mask.set_range(from..to);
            let rows: Vec<usize> = (from..to).collect();
            assert_eq!(mask.rows().collect::<Vec<_>>(), rows);
        }
    }
}
