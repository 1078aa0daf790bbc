//! Spans counted by a code, of which there are as many as a dictionary has entries, and by what they count for.

use hashbrown::HashMap;

/// Cells up to which there is one for each code and slot. Those of the few codes that most columns have stay in the cache.
const DENSE_MAX: usize = 256 << 10;

/// How often each code occurs in each slot.
#[derive(Default)]
pub(super) struct Tally {
    slots: usize,
    dense: Vec<f64>,
    sparse: HashMap<u64, f64>,
    is_dense: bool,
}

impl Tally {
    /// Begins anew, for so many codes and slots.
    pub(super) fn begin(&mut self, codes: usize, slots: usize) {
        self.slots = slots;
        self.sparse.clear();
        self.dense.clear();
        let cells = codes.saturating_mul(slots);
        self.is_dense = cells <= DENSE_MAX;
        if self.is_dense {
            self.dense.resize(cells, 0.0);
        }
    }

    #[inline]
    pub(super) fn add(&mut self, code: u32, slot: u32, weight: f64) {
        if self.is_dense {
            self.dense[code as usize * self.slots + slot as usize] += weight;
        } else {
            let cell = u64::from(code) << 32 | u64::from(slot);
            *self.sparse.entry(cell).or_insert(0.0) += weight;
        }
    }

    /// Everything that was counted: code, slot and weight.
    pub(super) fn counted(&self) -> impl Iterator<Item = (u32, u32, f64)> + '_ {
        let dense = self.dense.iter().enumerate().map(|(cell, &weight)| {
            let (code, slot) = (cell / self.slots.max(1), cell % self.slots.max(1));
            (code as u32, slot as u32, weight)
        });
        let sparse = self.sparse.iter();
        let sparse = sparse.map(|(&cell, &weight)| ((cell >> 32) as u32, cell as u32, weight));
        dense.chain(sparse).filter(|(_, _, weight)| *weight > 0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_codes_are_counted_as_few_are() {
        let mut tally = Tally::default();
        for codes in [3, DENSE_MAX] {
            tally.begin(codes, 4);
            for (code, slot, weight) in [(0, 0, 1.0), (2, 3, 0.5), (0, 0, 1.0), (1, 0, 4.0)] {
                tally.add(code, slot, weight);
            }
            let mut counted: Vec<_> = tally.counted().collect();
            counted.sort_by(|a, b| a.partial_cmp(b).unwrap());
            assert_eq!(counted, [(0, 0, 2.0), (1, 0, 4.0), (2, 3, 0.5)]);
        }
    }
}
