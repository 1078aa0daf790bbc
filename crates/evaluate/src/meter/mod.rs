//! Spans turned into series.
//!
//! A [`Meter`] holds a [`Table`] for each query for spans in a tree of series. Tables are filled either with whole traces,
//! [`Meter::observe`], or directly by whoever has read the columns that matter, [`Meter::table`]. Workers fill meters of their
//! own, which are merged; then functions, arithmetic and further stages are computed once.

mod answer;
mod cells;
mod compared;
mod comparer;
mod exemplars;
mod histogram;
mod observe;
mod series;
mod sketch;
mod table;

use traceql::query::{Constant, Exemplars, Hints, MetricsFunction, MetricsQuery, Series};

use crate::tree::Tree;
use crate::{Exemplar, FoundSeries, StepClock, Steps, labels_text};
use observe::Observer;
pub use table::{Counter, Table};

/// Bounds on series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeterLimits {
    /// Series of each query for spans.
    pub series: usize,
    /// Exemplars of the answer, where the query does not ask for fewer.
    pub exemplars: usize,
    /// Memory that may be filled, in bytes. Queries share it evenly. Tables that grow hold up to three times as much for a
    /// moment.
    pub bytes: usize,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MeterError {
    /// Too many series.
    #[error(
        "the query gives more than {limit} series: use fewer `by` keys, or keys with fewer values, or add a filter"
    )]
    Series {
        /// How many there may be.
        limit: usize,
    },
    /// Too much memory.
    #[error(
        "the series of the query need more than {limit} bytes of memory: ask for a narrower time range or a longer step, use fewer `by` keys, or add a filter"
    )]
    Memory {
        /// How much they may need.
        limit: usize,
    },
    /// Too many points.
    #[error(
        "the time range has more than {limit} steps: ask for a narrower range or a longer step"
    )]
    Points {
        /// How many there may be.
        limit: usize,
    },
}

/// A value that is computed with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// An integer.
    Int(i64),
    /// A double.
    Float(f64),
    /// A duration in nanoseconds, which comes out in seconds.
    Duration(i64),
}

impl Number {
    /// The number; of a duration, its seconds.
    #[inline]
    pub fn seconds(self) -> f64 {
        match self {
            Self::Int(int) => int as f64,
            Self::Float(float) => float,
            Self::Duration(nanos) => nanos as f64 / 1e9,
        }
    }
}

/// Series in the making.
#[derive(Debug)]
pub struct Meter {
    series: Series,
    steps: Steps,
    clock: StepClock,
    limits: MeterLimits,
    is_weighted: bool,
    queries: Vec<MetricsQuery>,
    observers: Vec<Observer>,
    tables: Vec<Table>,
}

impl Meter {
    /// A meter that has seen nothing.
    pub fn new(series: &Series, hints: &Hints, steps: Steps, limits: MeterLimits) -> Self {
        let queries: Vec<MetricsQuery> = series.queries().into_iter().cloned().collect();
        let is_weighted = hints.extrapolate != Some(false);
        let exemplars = match hints.exemplars {
            Some(Exemplars::Wanted(false)) => 0,
            Some(Exemplars::AtMost(count)) => usize::try_from(count)
                .unwrap_or(usize::MAX)
                .min(limits.exemplars),
            Some(Exemplars::Wanted(true)) | None => limits.exemplars,
        };
        let limits = MeterLimits {
            exemplars,
            ..limits
        };
        let of_each = MeterLimits {
            bytes: limits.bytes / queries.len().max(1),
            ..limits
        };
        Self {
            series: series.clone(),
            clock: steps.clock(),
            steps,
            limits,
            is_weighted,
            observers: queries
                .iter()
                .map(|query| Observer::new(query, is_weighted))
                .collect(),
            tables: queries
                .iter()
                .map(|query| Table::new(query, steps, of_each))
                .collect(),
            queries,
        }
    }

    /// The queries for spans, from left to right.
    pub fn queries(&self) -> &[MetricsQuery] {
        &self.queries
    }

    /// When the series have points.
    pub fn steps(&self) -> &Steps {
        &self.steps
    }

    /// Finds the points of times.
    pub fn clock(&self) -> StepClock {
        self.clock
    }

    /// Whether spans count with the [`weight`](crate::weight) of their trace states; else each counts as one.
    pub fn is_weighted(&self) -> bool {
        self.is_weighted
    }

    /// Whether the answer shows spans to look at.
    pub fn wants_exemplars(&self) -> bool {
        self.limits.exemplars > 0
    }

    /// Adds the spans that a whole trace gives.
    ///
    /// # Errors
    /// [`MeterError`] when there is too much; then there will be no answer.
    pub fn observe(&mut self, tree: &Tree<'_>) -> Result<(), MeterError> {
        let all = self.observers.iter_mut().zip(&mut self.tables);
        for (observer, table) in all {
            observer.observe(tree, &self.clock, table)?;
        }
        Ok(())
    }

    /// The table of one of [`Self::queries`], to be filled by hand.
    ///
    /// # Panics
    /// When there is no such query.
    pub fn table(&mut self, query: usize) -> &mut Table {
        &mut self.tables[query]
    }

    /// Adds what another meter, made of the same arguments, has seen.
    ///
    /// # Errors
    /// [`MeterError`] when it is too much together; then there will be no answer.
    pub fn merge(&mut self, other: Self) -> Result<(), MeterError> {
        debug_assert_eq!(self.series, other.series);
        for (ours, theirs) in self.tables.iter_mut().zip(other.tables) {
            ours.merge(theirs)?;
        }
        Ok(())
    }

    /// The series from a point on, if all spans that count for it and for later ones have been added. None for `compare`: what
    /// it lists may yet change at every point.
    ///
    /// # Errors
    /// As [`Self::finish`].
    pub fn complete_from(&self, point: usize) -> Result<Vec<FoundSeries>, MeterError> {
        let compares =
            |query: &MetricsQuery| matches!(query.function, MetricsFunction::Compare { .. });
        if point >= self.steps.count() || self.queries.iter().any(compares) {
            return Ok(Vec::new());
        }
        let copy = Self {
            series: self.series.clone(),
            tables: self.tables.clone(),
            queries: Vec::new(),
            observers: Vec::new(),
            ..*self
        };
        let mut found = copy.finish()?;
        for series in &mut found {
            series.points[..point].fill(None);
            let position = |exemplar: &Exemplar| self.clock.position(exemplar.time);
            series
                .exemplars
                .retain(|exemplar| position(exemplar) >= Some(point));
        }
        found.retain(|series| series.points.iter().any(Option::is_some));
        Ok(found)
    }

    /// The series, by the text of their labels.
    ///
    /// # Errors
    /// [`MeterError`] when there is too much, now or before.
    pub fn finish(self) -> Result<Vec<FoundSeries>, MeterError> {
        for table in &self.tables {
            table.check()?;
        }
        let points = self.steps.count();
        let mut tables = self.tables.into_iter();
        let mut found = evaluate(&self.series, &mut tables, points)?;
        exemplars::deal(&mut found, self.limits.exemplars, &self.steps);
        for one in &mut found {
            if one.labels.is_empty() {
                let name = Constant::Str(self.series.name().into());
                one.labels.push(("__name__".into(), name));
            }
        }
        found.sort_by_cached_key(|series| labels_text(&series.labels));
        Ok(found)
    }
}

/// The series without `__name__`; tables are taken from left to right.
fn evaluate(
    series: &Series,
    tables: &mut impl Iterator<Item = Table>,
    points: usize,
) -> Result<Vec<FoundSeries>, MeterError> {
    Ok(match series {
        Series::Query(_) => match tables.next() {
            Some(table) => table.finish()?,
            None => Vec::new(),
        },
        Series::Constant(value) => vec![FoundSeries {
            labels: Vec::new(),
            points: vec![Some(*value); points],
            exemplars: Vec::new(),
        }],
        Series::Math { op, left, right } => {
            let left = evaluate(left, tables, points)?;
            let right = evaluate(right, tables, points)?;
            series::math(*op, &left, &right)
        }
        Series::Then { input, stages } => {
            let mut found = evaluate(input, tables, points)?;
            for stage in stages {
                series::run_stage(stage, &mut found);
            }
            found
        }
    })
}
