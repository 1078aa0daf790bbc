//! What a query answers, evaluated as plainly as can be: a direct reading of [`traceql::query`] over owned traces.
//!
//! The engine is compared with this, so clarity comes before speed: structure is found by walking from span to span, sets are
//! sets, every value is looked up when it is needed. Scalar arithmetic and comparisons are [`traceql::semantics`].
//!
//! | part of a query | module |
//! |---|---|
//! | parents, roots, nested set numbers | [`tree`] |
//! | fields | `field` |
//! | conditions and values | `condition` |
//! | spansets, stages, aggregates | `spanset`, `scalar` |
//! | steps of time, metrics functions | `steps`, `metrics`, `compare` |
//! | stages and arithmetic on series | `series` |
//!
//! # Decided here
//!
//! Where [`traceql::query`] and the reference leave something open, this is what holds:
//!
//! - Of several spans with one id, the first counts. A span whose parent is not in the trace is a root for structure and
//!   `nestedSetParent`, but has no part in `rootName`. Of spans that are their own ancestors, the earliest (by start, then id)
//!   is taken as a root; what hangs below stays below.
//! - `span:childCount` counts children in that tree. `rootName` is of the earliest span without parent id.
//! - `resource.service.name` is the service, so [`model::UNKNOWN_SERVICE`] where the resource names none.
//! - Of attributes with one key, the first counts. An empty value ([`Value::Empty`](model::Value::Empty)) is no value, and so
//!   is an empty array. Bytes, maps and arrays inside of arrays are there (`!= nil`), but compare with nothing.
//! - Arrays inside of events and links are laid end to end.
//! - Where one value is needed of an array, as a group key, it is the first; where numbers are collected, by aggregates and
//!   metrics functions, every element is collected.
//! - Numbers that are not finite are not collected.
//! - Sums of integers and durations are exact, and nil when they do not fit. The mean of durations is cut to nanoseconds. Of
//!   equal numbers of different type, `min` and `max` give the integer before the duration before the double.
//! - What a scalar filter keeps are the spans that its aggregates looked at; of nested pipelines, the inner ones'.
//! - `select` anywhere in a query shows its columns for every span of the answer.
//! - `rate` and `count_over_time` have points of 0 at every step, and without `by` there is always a series; so has each bucket
//!   of a histogram that has a value at any step. The other functions have no point where there is no value.
//! - The value of a quantile is the least one that at least so many of the values do not exceed (nearest rank).
//! - A histogram's buckets end at powers of two, of nanoseconds for durations; 0 has its own; negative values lie in buckets
//!   that end at −2^n.
//! - Series that have no other label carry `__name__`, results of arithmetic too.
//! - `topk` and `bottomk` prefer, of equal points, the series whose labels come first as text.
//! - The weight of a span is that of its trace state, unless `extrapolate=false`. Hints that allow sampling change nothing.
//! - `compare` looks at attributes of every scope and at `name`, `kind`, `status`, `rootName`, `rootServiceName`, `event:name`,
//!   and where not empty `statusMessage`, `instrumentation:name` and `instrumentation:version`. A span counts once for each
//!   distinct value. The window holds its start and not its end.

mod compare;
mod condition;
mod field;
mod metrics;
mod scalar;
mod series;
mod spanset;
mod steps;
pub mod tree;

use std::fmt;

use model::{SpanId, TraceId};
use traceql::Query;
use traceql::ast::Literal;
use traceql::query::{Body, Constant, Pipeline};

pub use steps::Steps;

use crate::trace::Trace;
use tree::Tree;

/// A trace that matches, with its spansets.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The trace.
    pub trace: TraceId,
    /// At least one, in no particular order.
    pub spansets: Vec<FoundSpanset>,
}

/// A spanset of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundSpanset {
    /// Name and value of each key of `by` and of each aggregate that a filter compares, in the order of the stages; of the same
    /// name the last.
    pub keys: Vec<(String, Constant)>,
    /// At least one, in no particular order.
    pub spans: Vec<FoundSpan>,
}

/// A span of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundSpan {
    /// Its id.
    pub id: SpanId,
    /// Label and value of what `select` asked for, each label once, in the order written; nil values are left out.
    pub columns: Vec<(String, Shown)>,
}

/// A value of a span as an answer shows it.
#[derive(Debug, Clone, PartialEq)]
pub enum Shown {
    /// A single value.
    One(Constant),
    /// Bytes, a map, or an array inside of an array: its canonical text.
    Other(String),
    /// An array.
    Many(Vec<Shown>),
}

/// A series of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundSeries {
    /// Names and values, in the order of `by`.
    pub labels: Vec<(String, Constant)>,
    /// A value or none for each of [`Steps::points`].
    pub points: Vec<Option<f64>>,
}

/// The traces that match, in the order given.
///
/// # Panics
/// When the query asks for series.
pub fn search(query: &Query, traces: &[Trace]) -> Vec<Found> {
    let Body::Search(pipeline) = &query.body else {
        panic!("not a query for spans");
    };
    traces
        .iter()
        .filter_map(|trace| search_trace(pipeline, trace))
        .collect()
}

fn search_trace(pipeline: &Pipeline, trace: &Trace) -> Option<Found> {
    let tree = Tree::new(trace);
    let columns = spanset::columns(pipeline);
    let spansets: Vec<_> = spanset::run(pipeline, vec![spanset::Spanset::whole(&tree)], &tree)
        .into_iter()
        .map(|spanset| spanset.found(&tree, &columns))
        .collect();
    let trace = trace.id;
    (!spansets.is_empty()).then_some(Found { trace, spansets })
}

/// The series at `steps`, by the text of their labels.
///
/// # Panics
/// When the query asks for spans.
pub fn metrics(query: &Query, traces: &[Trace], steps: &Steps) -> Vec<FoundSeries> {
    let Body::Metrics(series) = &query.body else {
        panic!("not a query for series");
    };
    let trees: Vec<_> = traces.iter().map(Tree::new).collect();
    let weighted = query.hints.extrapolate != Some(false);
    series::answer(
        series,
        &metrics::Data {
            trees,
            steps,
            weighted,
        },
    )
}

// === texts ===

/// `resource.service.name="shop"`, for each label, in braces.
pub fn labels_text(labels: &[(String, Constant)]) -> String {
    let labels: Vec<_> = labels
        .iter()
        .map(|(name, value)| format!("{name}={}", constant_text(value)))
        .collect();
    format!("{{{}}}", labels.join(", "))
}

/// The constant as a query spells it: text that tells its type.
pub fn constant_text(value: &Constant) -> String {
    match value {
        Constant::Str(text) => Literal::Str(text.clone()),
        Constant::Int(int) => Literal::Int(*int),
        Constant::Float(float) => Literal::Float(*float),
        Constant::Bool(bool) => Literal::Bool(*bool),
        Constant::Duration(duration) => Literal::Duration(*duration),
        Constant::Status(status) => Literal::Status(*status),
        Constant::Kind(kind) => Literal::Kind(*kind),
    }
    .to_string()
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(constant) => f.write_str(&constant_text(constant)),
            Self::Other(text) => f.write_str(text),
            Self::Many(items) => {
                let items: Vec<_> = items.iter().map(Self::to_string).collect();
                write!(f, "[{}]", items.join(", "))
            }
        }
    }
}
