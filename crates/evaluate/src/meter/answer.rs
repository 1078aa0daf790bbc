//! What comes of a table: merged with others, and turned into series.

use std::sync::Arc;

use traceql::query::{Constant, MetricsFunction};

use super::MeterError;
use super::cells::{Budget, Cells};
use super::histogram::Full;
use super::series::with_points;
use super::table::{Store, Sum, Table};
use crate::{Exemplar, FoundSeries, Labels, Steps};

impl Table {
    /// Adds what another table of the same query holds.
    pub(super) fn merge(&mut self, other: Self) -> Result<(), MeterError> {
        other.check()?;
        let mut groups = Vec::with_capacity(other.keys.len());
        for group in 0..other.keys.len() {
            groups.push(self.group(other.keys.key(group))?);
        }
        let merged = self.merge_store(&other.store, &groups);
        self.or_fail(merged);
        self.exemplars.merge(other.exemplars, &groups);
        self.check()
    }

    fn merge_store(&mut self, other: &Store, groups: &[u32]) -> Result<(), Full> {
        let budget = &mut self.budget;
        let merged = match (&mut self.store, other) {
            (Store::Counts(ours), Store::Counts(theirs)) => {
                merge_cells(ours, theirs, groups, budget, |a, b| *a += b)
            }
            (Store::Least(ours), Store::Least(theirs)) => {
                merge_cells(ours, theirs, groups, budget, |a, b| *a = a.min(b))
            }
            (Store::Greatest(ours), Store::Greatest(theirs)) => {
                merge_cells(ours, theirs, groups, budget, |a, b| *a = a.max(b))
            }
            (Store::Sums(ours), Store::Sums(theirs)) => {
                merge_cells(ours, theirs, groups, budget, |a, b| {
                    a.total += b.total;
                    a.weight += b.weight;
                })
            }
            (Store::Quantiles(ours), Store::Quantiles(theirs)) => {
                ours.merge(theirs, groups, budget)
            }
            (Store::Histograms(ours), Store::Histograms(theirs)) => {
                return ours.merge(theirs, groups, budget);
            }
            (Store::Compared(ours), Store::Compared(theirs)) => {
                return ours.merge(theirs, budget);
            }
            _ => None,
        };
        merged.ok_or(Full::Memory)
    }

    /// The series, without `__name__`.
    pub(super) fn finish(mut self) -> Result<Vec<FoundSeries>, MeterError> {
        self.check()?;
        if self.columns.is_empty() && matches!(self.store, Store::Counts(_)) {
            // Where nothing is counted, nothing is the count.
            self.group(&[])?;
        }
        let bytes = self
            .series_count()
            .saturating_mul(self.steps.count())
            .saturating_mul(size_of::<Option<f64>>());
        if self.budget.take(bytes).is_none() {
            return Err(self.told(Full::Memory));
        }
        if let Store::Compared(compared) = &self.store {
            let found = compared.finish(&mut self.budget);
            return found.ok_or_else(|| self.told(Full::Memory));
        }
        let mut found = self.into_series();
        with_points(&mut found);
        Ok(found)
    }

    /// How many series there will be; those of `compare` are counted when they are made.
    fn series_count(&self) -> usize {
        match (&self.store, &self.function) {
            (Store::Quantiles(_), MetricsFunction::QuantileOverTime { quantiles, .. }) => {
                self.keys.len() * quantiles.len()
            }
            (Store::Histograms(histograms), _) => histograms.len(),
            (Store::Compared(_), _) => 0,
            _ => self.keys.len(),
        }
    }

    fn into_series(self) -> Vec<FoundSeries> {
        let groups = Groups {
            labels: (0..self.keys.len()).map(|at| self.labels(at)).collect(),
            exemplars: self.exemplars.finish(self.keys.len()),
            steps: self.steps,
        };
        let finite = |value: f64| value.is_finite().then_some(value);
        match (self.store, &self.function) {
            (Store::Counts(cells), MetricsFunction::Rate) => {
                let seconds = self.steps.seconds();
                groups.one_each(|row| cells.row(row).map(|count| Some(count / seconds)).collect())
            }
            (Store::Counts(cells), _) => groups.one_each(|row| cells.row(row).map(Some).collect()),
            (Store::Least(cells) | Store::Greatest(cells), _) => {
                groups.one_each(|row| cells.row(row).map(finite).collect())
            }
            (Store::Sums(cells), function) => {
                let is_mean = matches!(function, MetricsFunction::AvgOverTime(_));
                let value = |sum: Sum| {
                    let divisor = if is_mean { sum.weight } else { 1.0 };
                    let is_there = sum.weight > 0.0;
                    finite(sum.total / divisor).filter(|_| is_there)
                };
                groups.one_each(|row| cells.row(row).map(value).collect())
            }
            (Store::Quantiles(sketches), MetricsFunction::QuantileOverTime { quantiles, .. }) => {
                let found = sketches.finish(quantiles).into_iter();
                let of_group = |rows: Vec<Vec<Option<f64>>>| {
                    let rows = quantiles.iter().copied().zip(rows);
                    rows.map(|(quantile, points)| (quantile, None, points))
                        .collect()
                };
                groups.several_each("p", found.map(of_group).collect())
            }
            (Store::Histograms(histograms), _) => {
                let mut buckets = vec![Vec::new(); groups.labels.len()];
                for (group, end, points) in histograms.finish() {
                    buckets[group as usize].push((end, Some(end), points));
                }
                groups.several_each("__bucket", buckets)
            }
            (Store::Quantiles(_) | Store::Compared(_), _) => Vec::new(),
        }
    }

    /// A label for each part of the key that is not nil.
    fn labels(&self, group: usize) -> Labels {
        let key = self.columns.iter().zip(self.keys.key(group));
        key.filter_map(|(label, value)| Some((Arc::clone(label), value.clone()?)))
            .collect()
    }
}

/// The value of a label that tells one series of a group from the others; the greatest value that is counted for it, where
/// that is known and not its points themselves; its points.
type Part = (f64, Option<f64>, Vec<Option<f64>>);

/// What is known of the groups, by their numbers.
struct Groups {
    labels: Vec<Labels>,
    exemplars: Vec<Vec<Exemplar>>,
    steps: Steps,
}

impl Groups {
    fn one_each(self, row: impl Fn(u32) -> Vec<Option<f64>>) -> Vec<FoundSeries> {
        let groups = self.labels.into_iter().zip(self.exemplars);
        groups
            .zip(0..)
            .map(|((labels, exemplars), group)| FoundSeries {
                labels,
                points: row(group),
                exemplars,
            })
            .collect()
    }

    /// A series for each part of each group, with one label more. Exemplars go where they belong by their values.
    fn several_each(self, label: &str, parts: Vec<Vec<Part>>) -> Vec<FoundSeries> {
        let label: Arc<str> = label.into();
        let groups = self.labels.into_iter().zip(self.exemplars).zip(parts);
        let mut found = Vec::new();
        for ((labels, exemplars), parts) in groups {
            let (mut series, mut bounds) = (Vec::new(), Vec::new());
            for (value, bound, points) in parts {
                let mut labels = labels.clone();
                labels.push((Arc::clone(&label), Constant::Float(value)));
                bounds.push(bound);
                series.push(FoundSeries {
                    labels,
                    points,
                    exemplars: Vec::new(),
                });
            }
            for exemplar in exemplars {
                if let Some(at) = place(&exemplar, &series, &bounds, &self.steps) {
                    series[at].exemplars.push(exemplar);
                }
            }
            found.extend(series);
        }
        found
    }
}

/// The series with the least bound that an exemplar does not exceed, else the one with the greatest. Where no bound is given,
/// it is the point at the time of the exemplar.
fn place(
    exemplar: &Exemplar,
    series: &[FoundSeries],
    bounds: &[Option<f64>],
    steps: &Steps,
) -> Option<usize> {
    let point = steps.position(exemplar.time)?;
    let fits = bounds
        .iter()
        .zip(series)
        .zip(0..)
        .filter_map(|((bound, series), at)| {
            let bound = bound.or_else(|| series.points.get(point).copied().flatten())?;
            let is_below = bound < exemplar.value;
            // Of those that it exceeds, the greatest comes first.
            Some((is_below, if is_below { -bound } else { bound }, at))
        });
    let best = fits.min_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    best.map(|(_, _, at)| at)
}

fn merge_cells<T: Copy>(
    ours: &mut Cells<T>,
    theirs: &Cells<T>,
    rows: &[u32],
    budget: &mut Budget,
    merge: impl Fn(&mut T, T),
) -> Option<()> {
    for (row, our_row) in rows.iter().enumerate() {
        ours.merge_row(*our_row, theirs, row as u32, budget, &merge)?;
    }
    Some(())
}
