//! TraceQL over spans in memory: what a checked query gives for whole traces.
//!
//! This crate decides what is true of spans and what numbers series have. Where spans come from, and which of them need not
//! be looked at, is the business of `query`.

mod condition;
mod display;
mod item;
mod keys;
mod matcher;
mod meter;
mod node;
mod ordered;
mod reader;
mod scalar;
mod scratch;
mod shown;
mod sieve;
mod steps;
mod structure;
mod tree;
mod weight;
mod words;

pub use display::Display;
pub use matcher::{Matcher, Spanset};
pub use meter::{Counter, Meter, MeterError, MeterLimits, Number, Table};
pub use reader::{Values, read};
pub use shown::Shown;
pub use sieve::{Sieve, is_of_span_alone};
pub use steps::{StepClock, Steps};
pub use tree::{Tree, TreeBuilder};
pub use weight::weight;

use std::sync::Arc;

use traceql::query::Constant;

/// Names and values.
pub type Labels = Vec<(Arc<str>, Constant)>;

/// A series of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundSeries {
    /// Names and values, in the order of `by`.
    pub labels: Labels,
    /// A value or none for each of [`Steps::points`].
    pub points: Vec<Option<f64>>,
    /// Spans to look at, by time.
    pub exemplars: Vec<Exemplar>,
}

/// A span that a series counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Exemplar {
    /// Its trace.
    pub trace_id: model::TraceId,
    /// The span.
    pub span_id: model::SpanId,
    /// When it started.
    pub time: model::UnixNanos,
    /// Its value; of a duration, its seconds. Its duration in seconds where the function looks at no value.
    pub value: f64,
}

/// `resource.service.name="shop"` for each label, in braces: equal texts mean equal labels.
pub fn labels_text(labels: &[(Arc<str>, Constant)]) -> String {
    let one = |(name, value): &(Arc<str>, Constant)| format!("{name}={}", shown::literal(value));
    let labels: Vec<_> = labels.iter().map(one).collect();
    format!("{{{}}}", labels.join(", "))
}
