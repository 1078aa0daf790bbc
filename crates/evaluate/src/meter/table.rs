//! The groups of one query and what is counted of them.

use std::sync::Arc;

use model::Symbols;
use traceql::query::{Constant, Field, MetricsFunction, MetricsQuery};

use super::cells::{Budget, Cells};
use super::compared::Compared;
use super::comparer::Found;
use super::exemplars::Exemplars;
use super::histogram::{Full, Histograms};
use super::sketch::{MAX_POINTS, MAX_ROWS, Sketches};
use super::{MeterError, MeterLimits, Number};
use crate::keys::{Keys, Part, one_spelling};
use crate::{Exemplar, Steps};

/// Points of the stretches of time for which memory is taken at once: 2^5 where every group has many spans, fewer where many
/// rows have few.
const STRETCH: u32 = 5;
const SHORT_STRETCH: u32 = 3;

/// What a key costs in the table that finds it.
const KEY_BYTES: usize = 16;

/// The series of one [`MetricsQuery`] in the making.
///
/// Spans are added to a group, found once for each distinct key, at a point of time, the [`Steps::position`] of their start.
/// What is added is not refused when memory ends: [`Self::check`] tells, and so does everything that gives a result.
#[derive(Debug, Clone)]
pub struct Table {
    pub(super) function: MetricsFunction,
    pub(super) columns: Vec<Arc<str>>,
    pub(super) steps: Steps,
    pub(super) keys: Keys,
    pub(super) max_groups: usize,
    pub(super) store: Store,
    pub(super) exemplars: Exemplars,
    pub(super) budget: Budget,
    pub(super) limits: MeterLimits,
    pub(super) error: Option<MeterError>,
}

#[derive(Debug, Clone)]
pub(super) enum Store {
    Counts(Cells<f64>),
    /// NaN where there is nothing.
    Least(Cells<f64>),
    Greatest(Cells<f64>),
    Sums(Cells<Sum>),
    Quantiles(Sketches),
    Histograms(Histograms),
    Compared(Compared),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Sum {
    pub(super) total: f64,
    /// Above 0 where there is a value.
    pub(super) weight: f64,
}

const NO_SUM: Sum = Sum {
    total: 0.0,
    weight: 0.0,
};

impl Store {
    fn new(function: &MetricsFunction, points: usize, series: usize) -> Self {
        match function {
            MetricsFunction::Rate | MetricsFunction::CountOverTime => {
                Self::Counts(Cells::new(points, STRETCH, 0.0))
            }
            MetricsFunction::MinOverTime(_) => Self::Least(Cells::new(points, STRETCH, f64::NAN)),
            MetricsFunction::MaxOverTime(_) => {
                Self::Greatest(Cells::new(points, STRETCH, f64::NAN))
            }
            MetricsFunction::AvgOverTime(_) | MetricsFunction::SumOverTime(_) => {
                Self::Sums(Cells::new(points, STRETCH, NO_SUM))
            }
            MetricsFunction::QuantileOverTime { .. } => {
                Self::Quantiles(Sketches::new(points, STRETCH))
            }
            MetricsFunction::HistogramOverTime(_) => {
                Self::Histograms(Histograms::new(points, SHORT_STRETCH, series))
            }
            MetricsFunction::Compare { top, .. } => {
                Self::Compared(Compared::new(points, SHORT_STRETCH, *top as usize, series))
            }
        }
    }

    /// Adds a row for a new group.
    fn add_row(&mut self, budget: &mut Budget) -> Option<()> {
        match self {
            Self::Counts(cells) | Self::Least(cells) | Self::Greatest(cells) => {
                cells.add_row(budget)?;
            }
            Self::Sums(cells) => {
                cells.add_row(budget)?;
            }
            Self::Quantiles(sketches) => {
                sketches.add_row(budget)?;
            }
            Self::Histograms(_) | Self::Compared(_) => {}
        }
        Some(())
    }
}

/// Counts spans for a [`Table`].
#[derive(Debug)]
pub struct Counter<'t> {
    cells: &'t mut Cells<f64>,
    budget: &'t mut Budget,
}

impl Counter<'_> {
    /// As [`Table::add_count`].
    #[inline]
    pub fn add(&mut self, group: u32, point: usize, weight: f64) {
        if let Some(cell) = self.cells.cell(group, point, self.budget) {
            *cell += weight;
        }
    }
}

impl Table {
    pub(super) fn new(query: &MetricsQuery, steps: Steps, limits: MeterLimits) -> Self {
        let too_many_points = steps.count() > MAX_POINTS;
        let error = too_many_points.then_some(MeterError::Points { limit: MAX_POINTS });
        let points = steps.count().min(MAX_POINTS);
        let per_group = match &query.function {
            MetricsFunction::QuantileOverTime { quantiles, .. } => quantiles.len().max(1),
            _ => 1,
        };
        Self {
            columns: query.by.iter().map(|c| c.label.as_str().into()).collect(),
            keys: Keys::new(query.by.len()),
            max_groups: (limits.series / per_group).min(MAX_ROWS),
            store: Store::new(&query.function, points, limits.series),
            exemplars: Exemplars::new(limits.exemplars, points),
            budget: Budget::new(limits.bytes),
            function: query.function.clone(),
            steps,
            limits,
            error,
        }
    }

    /// The group of a key, one value for each column of `by`; it is made when there is none yet.
    ///
    /// # Errors
    /// [`MeterError`] when there are too many groups, or when memory has ended, now or before.
    pub fn group(&mut self, key: &[Option<Constant>]) -> Result<u32, MeterError> {
        let parts: Vec<Part> = key
            .iter()
            .map(|value| match value {
                Some(value) => Part::Value(one_spelling(value.clone())),
                None => Part::Nil,
            })
            .collect();
        self.group_of(&parts, &Symbols::new())
    }

    pub(super) fn group_of(&mut self, key: &[Part], symbols: &Symbols) -> Result<u32, MeterError> {
        if !key.is_empty() && key.iter().all(|part| *part == Part::Nil) {
            // One label is left: the string `nil`.
            let mut key = key.to_vec();
            key[0] = Part::Value(Constant::Str("nil".into()));
            return self.find_group(&key, symbols);
        }
        self.find_group(key, symbols)
    }

    fn find_group(&mut self, key: &[Part], symbols: &Symbols) -> Result<u32, MeterError> {
        self.check()?;
        let before = self.keys.byte_count();
        let Some((group, is_new)) = self.keys.number(key, symbols, self.max_groups) else {
            return Err(self.fail(Full::Rows));
        };
        if is_new {
            let key_bytes = self.keys.byte_count() - before + KEY_BYTES;
            let taken = self.budget.take(key_bytes);
            if taken
                .and_then(|()| self.store.add_row(&mut self.budget))
                .is_none()
            {
                return Err(self.fail(Full::Memory));
            }
        }
        Ok(group)
    }

    /// Whether all that was added has found its place.
    ///
    /// # Errors
    /// [`MeterError`] when not; then there will be no answer.
    pub fn check(&self) -> Result<(), MeterError> {
        match &self.error {
            Some(error) => Err(error.clone()),
            None if self.budget.is_exceeded() => Err(self.told(Full::Memory)),
            None => Ok(()),
        }
    }

    pub(super) fn told(&self, full: Full) -> MeterError {
        match full {
            Full::Rows => MeterError::Series {
                limit: self.limits.series,
            },
            Full::Memory => MeterError::Memory {
                limit: self.limits.bytes,
            },
        }
    }

    fn fail(&mut self, full: Full) -> MeterError {
        let error = self.told(full);
        self.error.get_or_insert(error).clone()
    }

    pub(super) fn or_fail(&mut self, result: Result<(), Full>) {
        if let Err(full) = result {
            self.fail(full);
        }
    }

    // === adding ===

    /// Counts a span; for `rate` and `count_over_time`. For many spans, ask [`Self::counter`].
    ///
    /// # Panics
    /// When [`Self::group`] has not given this group, or there is no such point; so do the other methods that add.
    pub fn add_count(&mut self, group: u32, point: usize, weight: f64) {
        if let Some(mut counter) = self.counter() {
            counter.add(group, point, weight);
        }
    }

    /// Counts spans quickly; `None` when the function does not count.
    pub fn counter(&mut self) -> Option<Counter<'_>> {
        match &mut self.store {
            Store::Counts(cells) => Some(Counter {
                cells,
                budget: &mut self.budget,
            }),
            _ => None,
        }
    }

    /// Adds a value of a span; for all functions that have one. What is not finite is left out.
    #[inline]
    pub fn add_value(&mut self, group: u32, point: usize, value: Number, weight: f64) {
        let seconds = value.seconds();
        if !seconds.is_finite() {
            return;
        }
        let budget = &mut self.budget;
        match &mut self.store {
            Store::Least(cells) => {
                if let Some(cell) = cells.cell(group, point, budget) {
                    *cell = cell.min(seconds);
                }
            }
            Store::Greatest(cells) => {
                if let Some(cell) = cells.cell(group, point, budget) {
                    *cell = cell.max(seconds);
                }
            }
            Store::Sums(cells) => {
                if let Some(cell) = cells.cell(group, point, budget) {
                    cell.total += seconds * weight;
                    cell.weight += weight;
                }
            }
            Store::Quantiles(sketches) => {
                let is_whole = matches!(value, Number::Int(_));
                // Where memory has ended is told by the budget.
                let _ = sketches.add(group, point, seconds, is_whole, weight, budget);
            }
            Store::Histograms(histograms) => {
                let added = histograms.add(group, point, value, weight, budget);
                self.or_fail(added);
            }
            Store::Counts(_) | Store::Compared(_) => {}
        }
    }

    /// Whether [`Self::add_exemplar`] would keep one.
    #[inline]
    pub fn wants_exemplar(&self, group: u32, point: usize) -> bool {
        self.exemplars.wants(group, point)
    }

    /// Keeps a span to look at, if one is still wanted.
    pub fn add_exemplar(&mut self, group: u32, point: usize, exemplar: Exemplar) {
        self.exemplars.add(group, point, exemplar);
    }

    // === compare ===

    /// The number of an attribute; for `compare`.
    ///
    /// # Errors
    /// [`MeterError`] when there are too many attributes, memory has ended, or the function is another one's.
    pub fn attribute(&mut self, field: &Field) -> Result<u32, MeterError> {
        self.check()?;
        let found = match &mut self.store {
            Store::Compared(compared) => compared.attribute(field, &mut self.budget),
            _ => Err(Full::Rows),
        };
        found.map_err(|full| self.fail(full))
    }

    /// The number of a value of an attribute; `None` when it has so many that this one is not told from others. That too is
    /// to be passed to [`Self::add_compared`].
    ///
    /// # Errors
    /// As [`Self::attribute`].
    pub fn attribute_value(
        &mut self,
        attribute: u32,
        value: &Constant,
    ) -> Result<Option<u32>, MeterError> {
        let part = Part::Value(one_spelling(value.clone()));
        self.value_of(attribute, &part, &Symbols::new())
    }

    /// [`Self::attribute_value`] of a text.
    ///
    /// # Errors
    /// As [`Self::attribute`].
    pub fn attribute_text(
        &mut self,
        attribute: u32,
        text: &str,
    ) -> Result<Option<u32>, MeterError> {
        self.check()?;
        let found = match &mut self.store {
            Store::Compared(compared) => compared.text(attribute, text, &mut self.budget),
            _ => Err(Full::Rows),
        };
        found.map_err(|full| self.fail(full))
    }

    pub(super) fn value_of(
        &mut self,
        attribute: u32,
        value: &Part,
        symbols: &Symbols,
    ) -> Result<Option<u32>, MeterError> {
        self.check()?;
        let found = match &mut self.store {
            Store::Compared(compared) => {
                compared.value(attribute, value, symbols, &mut self.budget)
            }
            _ => Err(Full::Rows),
        };
        found.map_err(|full| self.fail(full))
    }

    /// Counts a span that has a value; once for each distinct value of an array.
    #[inline]
    pub fn add_compared(
        &mut self,
        attribute: u32,
        value: Option<u32>,
        is_selected: bool,
        point: usize,
        weight: f64,
    ) {
        if let Store::Compared(compared) = &mut self.store {
            let budget = &mut self.budget;
            compared.add(attribute, value, is_selected, point, weight, budget);
        }
    }

    /// Counts a span that has any value of an attribute; once.
    #[inline]
    pub fn add_compared_total(
        &mut self,
        attribute: u32,
        is_selected: bool,
        point: usize,
        weight: f64,
    ) {
        if let Store::Compared(compared) = &mut self.store {
            let budget = &mut self.budget;
            compared.add_total(attribute, is_selected, point, weight, budget);
        }
    }

    /// Counts a span for these attributes and values. What belongs to one attribute stands together.
    pub(super) fn add_all_compared(
        &mut self,
        found: &[Found],
        is_selected: bool,
        point: usize,
        weight: f64,
    ) {
        let Store::Compared(compared) = &mut self.store else {
            return;
        };
        let budget = &mut self.budget;
        let mut last = None;
        for (attribute, value) in found {
            if last.replace(*attribute) != Some(*attribute) {
                compared.add_total(*attribute, is_selected, point, weight, budget);
            }
            compared.add(*attribute, *value, is_selected, point, weight, budget);
        }
    }
}
