//! Quantiles of many values in little memory, with a relative error below 0.4 %.
//!
//! Values fall into buckets: the sign, the exponent and the first [`DIGITS`] bits of the fraction of a double name one, so that
//! each power of two is cut into 128 equal parts and a value is put in its place by a shift. Of all buckets that hold something,
//! whatever series and point of time they belong to, the weights lie in one table; a series of a few values costs a few
//! entries. A point that many values have come to gets a window: buckets side by side around those values, which are found
//! without a search. What is not in the window still goes to the table. The least and the greatest value of each point are kept
//! as they are, and no answer lies beyond them.
//!
//! Weights are never below 1, so the first and the last value of a point are known exactly.

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::cells::{Budget, Cells};

/// Bits of the fraction that tell buckets apart.
const DIGITS: u32 = 7;

/// Bits below them.
const DROPPED: u32 = 52 - DIGITS;

/// Bits of a bucket: sign, exponent, digits.
const BUCKET_BITS: u32 = 12 + DIGITS;

/// Bits of a point of time, and of a row.
const POINT_BITS: u32 = 20;
const ROW_BITS: u32 = 64 - BUCKET_BITS - POINT_BITS;

/// Points that a row can have.
pub(super) const MAX_POINTS: usize = 1 << POINT_BITS;

/// Rows that there can be.
pub(super) const MAX_ROWS: usize = 1 << ROW_BITS;

/// What a bucket costs in the table, which is between half and full.
const BUCKET_BYTES: usize = 24;

/// Values of a point after which it gets a window.
const WINDOW_FROM: u32 = 256;

/// Buckets of a window around those that are used already: two powers of two on each side.
const WINDOW_MARGIN: u32 = 2 << DIGITS;

/// Buckets of a window at the most: 32 powers of two.
const WINDOW_MAX: u32 = 32 << DIGITS;

/// Memory for all windows: about what processors have near at hand.
const WINDOWS_BYTES_MAX: usize = 8 << 20;

/// The share of the memory left that a window may take.
const WINDOW_SHARE: usize = 8;

/// 0.07 of a hundred values are seven, though the product of the doubles is a little more.
const SLACK: f64 = 1e-9;

/// Values of many series at many points.
#[derive(Debug, Clone)]
pub(super) struct Sketches {
    /// From row, point and bucket to weight; of points with a window only what does not fit into it.
    buckets: HashMap<u64, f64>,
    extents: Cells<Extent>,
    windows: Vec<Window>,
    windows_bytes: usize,
    /// Whether all values so far were integers: then so are the answers.
    whole: bool,
}

/// What is known of a point.
#[derive(Debug, Clone, Copy)]
struct Extent {
    least: f64,
    greatest: f64,
    /// Values so far, until there is a window.
    seen: u32,
    /// Its window, or [`NO_WINDOW`].
    window: u32,
}

const NO_WINDOW: u32 = u32::MAX;

const NOTHING: Extent = Extent {
    least: f64::INFINITY,
    greatest: f64::NEG_INFINITY,
    seen: 0,
    window: NO_WINDOW,
};

/// Buckets of one point, side by side.
#[derive(Debug, Clone)]
struct Window {
    row: u32,
    point: usize,
    /// The first bucket.
    first: u32,
    weights: Vec<f64>,
}

impl Window {
    #[inline]
    fn weight(&mut self, bucket: u32) -> Option<&mut f64> {
        self.weights
            .get_mut(bucket.wrapping_sub(self.first) as usize)
    }

    /// The buckets that hold something, ascending, by their keys.
    fn filled(&self) -> impl Iterator<Item = (u64, f64)> + '_ {
        let filled = (self.first..).zip(&self.weights);
        filled
            .filter(|(_, weight)| **weight > 0.0)
            .map(|(bucket, weight)| (key(self.row, self.point, bucket), *weight))
    }
}

impl Sketches {
    pub(super) fn new(points: usize, max_shift: u32) -> Self {
        Self {
            buckets: HashMap::new(),
            extents: Cells::new(points, max_shift, NOTHING),
            windows: Vec::new(),
            windows_bytes: 0,
            whole: true,
        }
    }

    pub(super) fn add_row(&mut self, budget: &mut Budget) -> Option<u32> {
        self.extents.add_row(budget)
    }

    /// Adds a finite value. `None` when there is no memory for it.
    #[inline]
    pub(super) fn add(
        &mut self,
        row: u32,
        point: usize,
        value: f64,
        is_whole: bool,
        weight: f64,
        budget: &mut Budget,
    ) -> Option<()> {
        let extent = self.extents.cell(row, point, budget)?;
        extent.least = extent.least.min(value);
        extent.greatest = extent.greatest.max(value);
        self.whole &= is_whole;
        let bucket = bucket(value);
        match self.windows.get_mut(extent.window as usize) {
            Some(window) => {
                if let Some(known) = window.weight(bucket) {
                    *known += weight;
                    return Some(());
                }
            }
            None => {
                extent.seen = extent.seen.saturating_add(1);
                if extent.seen == WINDOW_FROM {
                    self.open_window(row, point, budget)?;
                }
            }
        }
        self.add_weight(key(row, point, bucket), weight, budget)
    }

    /// Gives a point a window around its values, if there is memory to spare.
    #[cold]
    fn open_window(&mut self, row: u32, point: usize, budget: &mut Budget) -> Option<()> {
        let extent = self.extents.cell(row, point, budget)?;
        let first = bucket(extent.least).saturating_sub(WINDOW_MARGIN);
        let end = bucket(extent.greatest) + WINDOW_MARGIN + 1;
        let count = (end - first).min(WINDOW_MAX) as usize;
        let bytes = count * size_of::<f64>();
        if self.windows_bytes + bytes > WINDOWS_BYTES_MAX || bytes > budget.left() / WINDOW_SHARE {
            return Some(());
        }
        budget.take(bytes)?;
        self.windows_bytes += bytes;
        extent.window = self.windows.len() as u32;
        self.windows.push(Window {
            row,
            point,
            first,
            weights: vec![0.0; count],
        });
        Some(())
    }

    #[inline]
    fn add_weight(&mut self, key: u64, weight: f64, budget: &mut Budget) -> Option<()> {
        match self.buckets.entry(key) {
            Entry::Occupied(mut known) => *known.get_mut() += weight,
            Entry::Vacant(place) => {
                budget.take(BUCKET_BYTES)?;
                place.insert(weight);
            }
        }
        Some(())
    }

    /// Puts the values of another into this one; `rows` tells what each of its rows is here.
    pub(super) fn merge(&mut self, other: &Self, rows: &[u32], budget: &mut Budget) -> Option<()> {
        self.whole &= other.whole;
        for (theirs, ours) in rows.iter().enumerate() {
            let widen = |ours: &mut Extent, theirs: Extent| {
                ours.least = ours.least.min(theirs.least);
                ours.greatest = ours.greatest.max(theirs.greatest);
                ours.seen = ours.seen.saturating_add(theirs.seen);
            };
            self.extents
                .merge_row(*ours, &other.extents, theirs as u32, budget, widen)?;
        }
        for window in &other.windows {
            self.merge_window(rows[window.row as usize], window, budget)?;
        }
        for (theirs, weight) in &other.buckets {
            let (row, rest) = (theirs >> (64 - ROW_BITS), theirs << ROW_BITS >> ROW_BITS);
            let ours = u64::from(rows[row as usize]) << (64 - ROW_BITS) | rest;
            self.add_weight(ours, *weight, budget)?;
        }
        Some(())
    }

    /// Adds what a window of another holds to this row.
    fn merge_window(&mut self, row: u32, theirs: &Window, budget: &mut Budget) -> Option<()> {
        let extent = self.extents.cell(row, theirs.point, budget)?;
        if extent.window == NO_WINDOW {
            self.open_window(row, theirs.point, budget)?;
        }
        let ours = self.extents.get(row, theirs.point).window;
        for (bucket, weight) in (theirs.first..).zip(&theirs.weights) {
            let ours = self.windows.get_mut(ours as usize);
            match ours.and_then(|window| window.weight(bucket)) {
                Some(known) => *known += weight,
                None if *weight > 0.0 => {
                    self.add_weight(key(row, theirs.point, bucket), *weight, budget)?;
                }
                None => {}
            }
        }
        Some(())
    }

    /// Of each row, in order, and for each of the quantiles, the value at each point: the least that a share of so much does
    /// not exceed.
    pub(super) fn finish(self, quantiles: &[f64]) -> Vec<Vec<Vec<Option<f64>>>> {
        let Self {
            buckets,
            extents,
            windows,
            whole,
            ..
        } = self;
        let points = extents.points();
        let empty = vec![vec![None; points]; quantiles.len()];
        let mut found = vec![empty; extents.len()];
        let mut buckets: Vec<(u64, f64)> = buckets.into_iter().collect();
        buckets.extend(windows.iter().flat_map(Window::filled));
        // Windows are in order already, which this sort makes use of.
        buckets.sort_by_key(|(key, _)| *key);
        for values in buckets.chunk_by(|(a, _), (b, _)| a >> BUCKET_BITS == b >> BUCKET_BITS) {
            let cell = values[0].0 >> BUCKET_BITS;
            let (row, point) = (
                (cell >> POINT_BITS) as usize,
                cell as usize & (MAX_POINTS - 1),
            );
            let extent = extents.get(row as u32, point);
            for (quantile, series) in quantiles.iter().zip(&mut found[row]) {
                series[point] = Some(value_at(*quantile, values, extent, whole));
            }
        }
        found
    }
}

fn value_at(quantile: f64, values: &[(u64, f64)], extent: Extent, whole: bool) -> f64 {
    let total: f64 = values.iter().map(|(_, weight)| weight).sum();
    let wanted = (quantile - SLACK) * total;
    if wanted <= 1.0 {
        return extent.least;
    }
    if wanted > total - 1.0 {
        return extent.greatest;
    }
    let mut seen = 0.0;
    let reached = values.iter().find(|(_, weight)| {
        seen += weight;
        seen >= wanted
    });
    reached.map_or(extent.greatest, |(key, _)| {
        middle(*key as u32 & ((1 << BUCKET_BITS) - 1), whole).clamp(extent.least, extent.greatest)
    })
}

fn key(row: u32, point: usize, bucket: u32) -> u64 {
    debug_assert!((row as usize) < MAX_ROWS && point < MAX_POINTS);
    (u64::from(row) << POINT_BITS | point as u64) << BUCKET_BITS | u64::from(bucket)
}

/// The bucket of a value; greater values have no lesser buckets.
#[inline]
fn bucket(value: f64) -> u32 {
    // What is too small to have an exponent is nothing.
    let value = if value.is_normal() { value } else { 0.0 };
    (ordered(value.to_bits()) >> DROPPED) as u32
}

/// Turns the bits of doubles into numbers of the same order, and those back.
#[inline]
const fn ordered(bits: u64) -> u64 {
    if bits >> 63 == 0 {
        bits | 1 << 63
    } else {
        !bits
    }
}

/// The value that stands for those of a bucket; of integers, an integer.
fn middle(bucket: u32, whole: bool) -> f64 {
    let edge = |ordered: u64| {
        f64::from_bits(if ordered >> 63 == 1 {
            ordered & !(1 << 63)
        } else {
            !ordered
        })
    };
    if bucket == self::bucket(0.0) {
        return 0.0;
    }
    let first = u64::from(bucket) << DROPPED;
    let (low, high) = (edge(first), edge(first | ((1 << DROPPED) - 1)));
    let middle = low + (high - low) / 2.0;
    if !whole {
        return middle;
    }
    // Up to 256 there is no more than one integer in a bucket, and with integers only, there is one in each.
    let lowest = low.ceil();
    if lowest + 1.0 > high {
        lowest
    } else {
        middle.round()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const QUANTILES: [f64; 7] = [0.0, 0.01, 0.25, 0.5, 0.9, 0.999, 1.0];

    fn sketch(values: &[(f64, f64)]) -> Sketches {
        let mut sketches = Sketches::new(1, 5);
        let mut budget = Budget::new(usize::MAX);
        sketches.add_row(&mut budget);
        for (value, weight) in values {
            let is_whole = value.fract() == 0.0 && value.abs() < 1e15;
            sketches.add(0, 0, *value, is_whole, *weight, &mut budget);
        }
        sketches
    }

    fn answers(sketches: Sketches) -> Vec<Option<f64>> {
        let mut found = sketches.finish(&QUANTILES);
        found
            .remove(0)
            .into_iter()
            .map(|points| points[0])
            .collect()
    }

    /// The least value that a share of `q` does not exceed.
    fn exact(quantile: f64, values: &[(f64, f64)]) -> f64 {
        let mut sorted = values.to_vec();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        let total: f64 = sorted.iter().map(|(_, weight)| weight).sum();
        let mut seen = 0.0;
        let reached = sorted.iter().find(|(_, weight)| {
            seen += weight;
            seen >= (quantile - SLACK) * total
        });
        reached.unwrap_or(&sorted[sorted.len() - 1]).0
    }

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![
            (-400i32..400).prop_map(f64::from),
            any::<i64>().prop_map(|int| int as f64),
            1e-9..1e3f64,
            any::<f64>().prop_filter("finite", |value| value.is_finite()),
            Just(0.0),
            Just(-0.0),
        ]
    }

    proptest! {
        #[test]
        fn answers_are_close_and_among_the_values(
            values in proptest::collection::vec((value(), prop_oneof![Just(1.0), Just(2.0), Just(4.0)]), 1..60),
            split in 0usize..60,
        ) {
            let (one, other) = values.split_at(split.min(values.len()));
            let mut merged = sketch(one);
            merged.merge(&sketch(other), &[0], &mut Budget::new(usize::MAX)).unwrap();
            for answers in [answers(sketch(&values)), answers(merged)] {
                for (quantile, answer) in QUANTILES.into_iter().zip(answers) {
                    let (answer, exact) = (answer.unwrap(), exact(quantile, &values));
                    // What has no exponent counts as nothing.
                    let error = (answer - exact).abs() / exact.abs().max(f64::MIN_POSITIVE);
                    prop_assert!(error <= 0.004 || !exact.is_normal(), "p{quantile}: {answer} for {exact}");
                    let (least, greatest) = (self::exact(0.0, &values), self::exact(1.0, &values));
                    prop_assert!(least <= answer && answer <= greatest);
                    prop_assert!(answer == exact || (quantile > 0.0 && quantile < 1.0));
                }
            }
        }

        /// Points of many values and of few, in one table and in two that are merged.
        #[test]
        fn windows_change_nothing(
            values in proptest::collection::vec((value(), 0usize..3), 1..40),
            times in 1usize..60, split in 0usize..60,
        ) {
            let mut budget = Budget::new(usize::MAX);
            let new = |budget: &mut Budget| {
                let mut sketches = Sketches::new(3, 5);
                sketches.add_row(budget);
                sketches
            };
            let (mut one, mut other) = (new(&mut budget), new(&mut budget));
            let mut plain: Vec<Vec<(f64, f64)>> = vec![Vec::new(); 3];
            for time in 0..times {
                for (value, point) in &values {
                    let value = value / (1.0 + time as f64);
                    let target = if time < split { &mut one } else { &mut other };
                    target.add(0, *point, value, false, 1.0, &mut budget).unwrap();
                    plain[*point].push((value, 1.0));
                }
            }
            one.merge(&other, &[0], &mut budget).unwrap();
            let found = one.finish(&QUANTILES);
            for (quantile, points) in QUANTILES.into_iter().zip(&found[0]) {
                for (answer, values) in points.iter().zip(&plain) {
                    prop_assert_eq!(answer.is_some(), !values.is_empty());
                    if let Some(answer) = answer {
                        let exact = exact(quantile, values);
                        let error = (answer - exact).abs() / exact.abs().max(f64::MIN_POSITIVE);
                        prop_assert!(error <= 0.004 || !exact.is_normal(), "p{quantile}: {answer} for {exact}");
                    }
                }
            }
        }

        #[test]
        fn small_integers_are_told_exactly(values in proptest::collection::vec(-256i32..=256, 1..60)) {
            let values: Vec<_> = values.into_iter().map(|value| (f64::from(value), 1.0)).collect();
            for (quantile, answer) in QUANTILES.into_iter().zip(answers(sketch(&values))) {
                prop_assert_eq!(answer, Some(exact(quantile, &values)));
            }
        }
    }

    #[test]
    fn a_point_without_values_has_no_quantile() {
        let mut sketches = Sketches::new(3, 5);
        let mut budget = Budget::new(usize::MAX);
        sketches.add_row(&mut budget);
        sketches.add_row(&mut budget);
        sketches.add(1, 2, 7.5, false, 1.0, &mut budget);
        let none = vec![None, None, None];
        assert_eq!(
            sketches.finish(&[0.5]),
            [vec![none], vec![vec![None, None, Some(7.5)]]]
        );
    }

    #[test]
    fn many_values_of_a_point_cost_a_window() {
        let mut budget = Budget::new(1 << 20);
        let mut sketches = Sketches::new(1, 5);
        sketches.add_row(&mut budget);
        for at in 0..100_000u32 {
            let value = 1e-3 * f64::from(1 + at % 1000);
            sketches.add(0, 0, value, false, 1.0, &mut budget).unwrap();
        }
        assert!(sketches.buckets.len() <= WINDOW_FROM as usize);
        assert_eq!(sketches.windows.len(), 1);
        assert!(budget.left() > 900_000);
    }

    #[test]
    fn memory_is_bounded() {
        let mut sketches = Sketches::new(1, 5);
        let mut budget = Budget::new(10_000);
        sketches.add_row(&mut budget);
        let mut added = 0;
        while sketches
            .add(0, 0, f64::from(added) * 1e3, true, 1.0, &mut budget)
            .is_some()
        {
            added += 1;
        }
        assert!(sketches.buckets.len() * BUCKET_BYTES <= 10_000);
        assert!(added > 100 && budget.is_exceeded());
    }
}
