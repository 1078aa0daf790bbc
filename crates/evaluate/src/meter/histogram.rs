//! How many values fall into buckets that end at powers of two.
//!
//! A bucket's end is the last value in it: of positive values the next power of two, of negative ones the next −2^n; 0 has its
//! own. Durations have powers of two of nanoseconds.

use hashbrown::HashMap;

use super::Number;
use super::cells::{Budget, Cells};

/// In a bucket's number above the 11 bits of an exponent: of negative values, of durations.
const NEGATIVE: u16 = 1 << 11;
const DURATION: u16 = 1 << 12;

/// What finding a bucket costs.
const BUCKET_BYTES: usize = 32;

/// The buckets of many groups.
#[derive(Debug, Clone)]
pub(super) struct Histograms {
    /// From group and bucket to row.
    rows: HashMap<u64, u32>,
    /// Group and bucket of each row.
    buckets: Vec<(u32, u16)>,
    cells: Cells<f64>,
    max_rows: usize,
}

/// Why a value was not counted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Full {
    Rows,
    Memory,
}

impl Histograms {
    pub(super) fn new(points: usize, max_shift: u32, max_rows: usize) -> Self {
        Self {
            rows: HashMap::new(),
            buckets: Vec::new(),
            cells: Cells::new(points, max_shift, 0.0),
            max_rows,
        }
    }

    /// Adds a finite value.
    #[inline]
    pub(super) fn add(
        &mut self,
        group: u32,
        point: usize,
        value: Number,
        weight: f64,
        budget: &mut Budget,
    ) -> Result<(), Full> {
        let row = self.row(group, bucket(value), budget)?;
        *self.cells.cell(row, point, budget).ok_or(Full::Memory)? += weight;
        Ok(())
    }

    #[inline]
    fn row(&mut self, group: u32, bucket: u16, budget: &mut Budget) -> Result<u32, Full> {
        let key = u64::from(group) << 16 | u64::from(bucket);
        if let Some(row) = self.rows.get(&key) {
            return Ok(*row);
        }
        if self.buckets.len() >= self.max_rows {
            return Err(Full::Rows);
        }
        budget.take(BUCKET_BYTES).ok_or(Full::Memory)?;
        let row = self.cells.add_row(budget).ok_or(Full::Memory)?;
        self.buckets.push((group, bucket));
        self.rows.insert(key, row);
        Ok(row)
    }

    /// Puts the values of another into this one; `groups` tells what each of its groups is here.
    pub(super) fn merge(
        &mut self,
        other: &Self,
        groups: &[u32],
        budget: &mut Budget,
    ) -> Result<(), Full> {
        for (theirs, (group, bucket)) in other.buckets.iter().enumerate() {
            let ours = self.row(groups[*group as usize], *bucket, budget)?;
            self.cells
                .merge_row(ours, &other.cells, theirs as u32, budget, |ours, theirs| {
                    *ours += theirs;
                })
                .ok_or(Full::Memory)?;
        }
        Ok(())
    }

    /// Group, end and counts of each bucket.
    pub(super) fn finish(&self) -> impl Iterator<Item = (u32, f64, Vec<Option<f64>>)> + '_ {
        self.buckets
            .iter()
            .enumerate()
            .map(|(row, (group, bucket))| {
                let points = self.cells.row(row as u32).map(Some).collect();
                (*group, end(*bucket), points)
            })
    }

    pub(super) fn len(&self) -> usize {
        self.buckets.len()
    }
}

/// The bucket of a finite value: the exponent of its end, 0 for the one of 0.
#[inline]
fn bucket(value: Number) -> u16 {
    const FRACTION: u64 = (1 << 52) - 1;
    let (number, kind) = match value {
        Number::Int(int) => (int as f64, 0),
        Number::Float(float) => (float, 0),
        Number::Duration(nanos) => (nanos as f64, DURATION),
    };
    let bits = number.abs().to_bits();
    let exponent = (bits >> 52) as u16;
    let end = if number < 0.0 {
        exponent
    } else {
        exponent + u16::from(bits & FRACTION != 0)
    };
    match (end, number < 0.0) {
        (0, _) => 0,
        (end, true) => end | NEGATIVE | kind,
        (end, false) => end | kind,
    }
}

fn end(bucket: u16) -> f64 {
    let power = f64::from_bits(u64::from(bucket & (NEGATIVE - 1)) << 52).min(f64::MAX);
    let sign = if bucket & NEGATIVE == 0 { 1.0 } else { -1.0 };
    let unit = if bucket & DURATION == 0 { 1.0 } else { 1e9 };
    // Adding takes the sign off zero.
    sign * power / unit + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_end_at_powers_of_two() {
        for (value, expected) in [
            (Number::Int(0), 0.0),
            (Number::Float(-0.0), 0.0),
            (Number::Int(1), 1.0),
            (Number::Int(3), 4.0),
            (Number::Int(-1), -1.0),
            (Number::Int(-3), -2.0),
            (Number::Float(0.3), 0.5),
            (Number::Float(f64::MAX), f64::MAX),
            (Number::Float(f64::MIN_POSITIVE / 4.0), f64::MIN_POSITIVE),
            (Number::Float(-f64::MIN_POSITIVE / 4.0), 0.0),
            (Number::Duration(1_000_000), 1_048_576e-9),
            (Number::Duration(-3), -2e-9),
            (Number::Duration(0), 0.0),
        ] {
            assert_eq!(end(bucket(value)), expected, "{value:?}");
        }
    }
}
