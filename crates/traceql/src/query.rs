//! A checked query: what an engine compiles from.
//!
//! Nothing of the text is left but labels. Every leaf is a [`Field`] or a [`Constant`]; constants are folded and stand on the
//! right of comparisons; what is true or false ([`Condition`]) is kept apart from what is a value ([`Value`]).
//!
//! ```text
//! Query ─ Body::Search(Pipeline)
//!       └ Body::Metrics(Series) ─ Series::Query(MetricsQuery { input: Pipeline, function, by })
//!                               ├ Series::Math / Series::Constant
//!                               └ Series::Then(SeriesStage, …)
//! Pipeline ─ Stage::Spansets(Spansets) ─ Filter(Condition), And, Or, Related, Pipeline
//!          ├ Stage::Keep(ScalarFilter) ─ Scalar ─ Aggregate(Value)
//!          ├ Stage::By(GroupKey), Stage::Coalesce
//!          └ Stage::Select(Vec<Column>)
//! ```
//!
//! # What a query means
//!
//! A query is answered one *whole* trace at a time. The input of the first stage is one spanset: all spans of the trace. A
//! stage takes spansets and gives spansets; one that is empty is dropped. A trace matches when the last stage gives at
//! least one spanset, and its answer is those spansets.
//!
//! Values are nil (missing), strings, integers, doubles, durations, booleans, statuses, kinds, or arrays. A field of events or
//! links, such as `event:name`, is an array with a value for each event that has one, nil when there is none.

use std::sync::Arc;

use model::{DurationNanos, SpanKind, StatusCode};

pub use crate::field::{Field, Intrinsic, Owner, Scope, Type};
pub use crate::pattern::Pattern;

/// A query that makes sense.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// What is asked.
    pub body: Body,
    /// How it is to be answered.
    pub hints: Hints,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Traces with their matching spans.
    Search(Pipeline),
    /// Series of numbers over time.
    Metrics(Series),
}

// === pipelines ===

/// Stages, each working on what the one before gives.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pipeline {
    /// Never empty in a query, at most [`MAX_STAGES`](crate::MAX_STAGES).
    pub stages: Vec<Stage>,
}

/// One step from spansets to spansets.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// Replaces each spanset by the spans of it that the expression gives.
    Spansets(Spansets),
    /// Keeps the spansets whose aggregates pass; see [`ScalarFilter`] for what is kept of them.
    Keep(ScalarFilter),
    /// Splits each spanset into one for each value of the key, in addition to earlier splits.
    ///
    /// Spans without a value form a group whose key is the *string* `nil`, as in Tempo.
    By(GroupKey),
    /// Joins all spansets of the trace back into one; their group keys are gone.
    Coalesce,
    /// Changes nothing but the output: these fields are shown for each span.
    Select(Vec<Column>),
}

/// Chooses spans of a spanset.
///
/// Every operand looks at the same input, the spanset that enters the stage. Structure is that of the whole trace: spans that
/// the input does not hold still count as steps between an ancestor and its descendant.
#[derive(Debug, Clone, PartialEq)]
pub enum Spansets {
    /// The spans for which the condition holds. `{ }` is [`Condition::Const`] of true.
    Filter(Condition),
    /// The union of all operands' spans if every operand gives some; else nothing. At least two operands, perhaps thousands.
    And(Vec<Spansets>),
    /// The union of all operands' spans. At least two operands.
    Or(Vec<Spansets>),
    /// Spans related by structure. Never on an input that `by` has split.
    Related {
        /// What the right span is to the left one.
        relation: Relation,
        /// Which spans are given.
        mode: Mode,
        /// Left operand.
        left: Box<Spansets>,
        /// Right operand.
        right: Box<Spansets>,
    },
    /// The spans of all spansets that these stages give when the input is theirs.
    Pipeline(Pipeline),
}

/// What a span of the right operand is to a span of the left one. No span is related to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relation {
    /// `>`: the right span is a child of the left one.
    Child,
    /// `>>`: the right span is below the left one, at any depth.
    Descendant,
    /// `<`: the right span is the parent of the left one.
    Parent,
    /// `<<`: the right span is above the left one, at any height.
    Ancestor,
    /// `~`: both have the same parent and are two different spans. Roots are no siblings.
    Sibling,
}

/// Which spans a relation gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Plain: the right spans that have the relation to any left span. The left spans are not given.
    Right,
    /// `!`: the right spans that have it to no left span; all right spans when the left operand gives none.
    RightWithout,
    /// `&`: the right spans that have it to any left span, and the left spans to which any right span has it.
    Both,
}

/// Compares two numbers computed from spansets.
///
/// What is kept when it holds: the spans that its aggregates looked at, that is the entering spanset when there is a plain
/// aggregate, and the spans of each [`Scalar::Over`]. A number that is nil (no span had a value) makes every comparison
/// false.
#[derive(Debug, Clone, PartialEq)]
pub struct ScalarFilter {
    /// How they are compared.
    pub op: CompareOp,
    /// Has at least one aggregate in it.
    pub left: Scalar,
    /// Often a constant.
    pub right: Scalar,
}

/// A number computed from a spanset. Arithmetic follows [`Value::Arith`].
#[derive(Debug, Clone, PartialEq)]
pub enum Scalar {
    /// An integer, a double or a duration.
    Constant(Constant),
    /// Over the entering spanset; with its name in answers, the call as it would be printed: `avg(duration)`.
    Aggregate(Aggregate, Arc<str>),
    /// Over the spans that these stages give when the entering spanset is their input. They split nothing. Only in filters
    /// with more than one aggregate: `({ a } | count()) > 3` is checked into plain stages.
    Over {
        /// The stages.
        pipeline: Pipeline,
        /// Computed from what they give; has no other `Over` in it unless a further pipeline is meant.
        scalar: Box<Scalar>,
    },
    /// Changes the sign.
    Negate(Box<Scalar>),
    /// Computes.
    Arith {
        /// With what.
        op: ArithOp,
        /// Left operand.
        left: Box<Scalar>,
        /// Right operand.
        right: Box<Scalar>,
    },
}

/// A number for all spans of a spanset together. All but `Count` skip spans whose value is nil or no number, and are nil when
/// no span has one.
#[derive(Debug, Clone, PartialEq)]
pub enum Aggregate {
    /// How many spans.
    Count,
    /// Mean: a double, or a duration when the values are durations.
    Avg(Value),
    /// Least.
    Min(Value),
    /// Greatest.
    Max(Value),
    /// Sum.
    Sum(Value),
}

/// What spansets are split by.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupKey {
    /// The key of a span.
    pub value: Value,
    /// The name of the key in answers: the call as it would be printed, `by(resource.service.name)`.
    pub label: String,
}

/// A field and its name in answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Column {
    /// What is read.
    pub field: Field,
    /// As written: `resource.service.name`, `name`, `span:name`, `.a`.
    pub label: String,
}

// === conditions and values ===

/// What is either true or false for a span, never nil.
///
/// Comparisons with a missing value are false, `!=` and `!~` included; so their negation by [`Condition::Not`] is true. Values
/// of types that do not go together compare false too, `!=` included.
///
/// Arrays compare by their elements: a comparison holds if it does for any element, but `!=` and `!~` only if they do for
/// every element. An element of another type counts as one that does not compare. An empty array compares like nil.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Always the same.
    Const(bool),
    /// Whether the value is the boolean true; nil and values of other types are not.
    IsTrue(Value),
    /// True when the condition is false. Storage must not have removed spans on the strength of the inner condition.
    Not(Box<Condition>),
    /// All hold. At least two, and perhaps thousands: engines must not nest a level for each.
    And(Vec<Condition>),
    /// Any holds. At least two, and perhaps thousands.
    Or(Vec<Condition>),
    /// Compares two values; a constant stands on the right. Not both are constants.
    ///
    /// - Integers, doubles and durations (as nanoseconds) compare by their mathematical value, whatever their types:
    ///   `2` equals `2.0`, and no integer is rounded to a double first. NaN compares false.
    /// - Strings compare by their bytes.
    /// - Booleans, statuses and kinds only with `Eq` and `Ne`; other operators on such *values* are false.
    ///
    /// A constant that is compared with an id by `Eq` or `Ne` has the id's full width and lower case.
    Compare {
        /// How.
        op: CompareOp,
        /// Left operand.
        left: Value,
        /// Right operand.
        right: Value,
    },
    /// Whether a string matches a pattern as a whole (`=~`), or does not (`!~`). Values that are no strings match neither.
    Matches {
        /// `!~`
        negated: bool,
        /// The string.
        value: Value,
        /// The pattern, anchored at both ends and compiled.
        pattern: Pattern,
    },
    /// Whether there is no value (`= nil`), or is one (`!= nil`).
    IsNil {
        /// `!= nil`
        negated: bool,
        /// The value.
        value: Value,
    },
}

/// What is computed for a span; nil when something it needs is missing or has the wrong type.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Always the same.
    Constant(Constant),
    /// Read from the span.
    Field(Field),
    /// Changes the sign of a number; nil where the result does not fit.
    Negate(Box<Value>),
    /// Computes with two numbers; nil if either is nil, no number or an array.
    ///
    /// - A double among the operands makes the result a double; else a duration makes it a duration; else it is an integer.
    /// - Integers and durations divide by cutting off what is behind the point (`7 / 2` is 3), and `%` has the sign of the left
    ///   operand. Division by zero is nil (in Tempo the whole query fails). What does not fit 64 bits is nil.
    /// - Of doubles, results that are not finite are nil.
    /// - `^` of integers is an integer (in Tempo the operands are swapped); with a negative exponent it is a double.
    ///
    /// [`arith`](crate::semantics::arith) is this, for constants.
    Arith {
        /// With what.
        op: ArithOp,
        /// Left operand.
        left: Box<Value>,
        /// Right operand.
        right: Box<Value>,
    },
    /// A boolean that is never nil.
    Condition(Box<Condition>),
}

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Constant {
    /// A string.
    Str(Arc<str>),
    /// An integer.
    Int(i64),
    /// A finite double.
    Float(f64),
    /// A boolean.
    Bool(bool),
    /// A duration.
    Duration(DurationNanos),
    /// A status.
    Status(StatusCode),
    /// A kind.
    Kind(SpanKind),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CompareOp {
    /// `=`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

/// Arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArithOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `%`
    Mod,
    /// `^`
    Pow,
}

// === metrics ===

/// Series of numbers over time.
#[derive(Debug, Clone, PartialEq)]
pub enum Series {
    /// Spans turned into series.
    Query(MetricsQuery),
    /// The same number at every time. Only as an operand of [`Series::Math`].
    Constant(f64),
    /// Point by point. Series pair when their labels, without `__name__`, are the same; a side whose only series has no labels goes with every
    /// series of the other. Points that one side lacks, and results that are not finite, are dropped.
    Math {
        /// With what.
        op: MathOp,
        /// Left operand.
        left: Box<Series>,
        /// Right operand; not both are constants.
        right: Box<Series>,
    },
    /// Further stages on whole series.
    Then {
        /// What they work on; never a `Then` itself.
        input: Box<Series>,
        /// What is done, one after the other; never empty.
        stages: Vec<SeriesStage>,
    },
}

/// Spans turned into series.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricsQuery {
    /// Gives the spans that count: each span of its spansets once, at its start time, with its sampling weight.
    pub input: Pipeline,
    /// What is computed of them.
    pub function: MetricsFunction,
    /// One series for each combination of values; any number of keys. A key that is nil is left out of the labels; when all
    /// are nil, one label has the string `nil`.
    pub by: Vec<Column>,
}

/// What is computed of the spans in each step of time, for each group. Steps are right-closed: `(t, t + step]`.
///
/// Values that are nil or no numbers are skipped. Durations come out in seconds.
#[derive(Debug, Clone, PartialEq)]
pub enum MetricsFunction {
    /// Spans per second of the step.
    Rate,
    /// Spans.
    CountOverTime,
    /// Least value.
    MinOverTime(Field),
    /// Greatest value.
    MaxOverTime(Field),
    /// Mean of the values.
    AvgOverTime(Field),
    /// Sum of the values.
    SumOverTime(Field),
    /// Quantiles of the values: a series for each, with label `p`.
    QuantileOverTime {
        /// The values.
        of: Field,
        /// Between 0 and 1, in the order written; at least one.
        quantiles: Vec<f64>,
    },
    /// How many values fall into each bucket: a series for each, with label `__bucket`.
    HistogramOverTime(Field),
    /// Which attributes tell the selected spans from the others. Has no `by` and no further stage.
    Compare {
        /// What is selected; the other spans of the input are the baseline.
        selection: Condition,
        /// How many values of each attribute are listed, 1 to 1000.
        top: u32,
        /// Selects only spans that start between these times (Unix nanoseconds).
        window: Option<(i64, i64)>,
    },
}

/// What can be done to series.
#[derive(Debug, Clone, PartialEq)]
pub enum SeriesStage {
    /// Keeps the greatest `n` at every point of time, so that more than `n` series can come out.
    TopK(u64),
    /// Keeps the least `n` at every point of time.
    BottomK(u64),
    /// Keeps the points for which *point `op` value* holds.
    Threshold {
        /// How.
        op: CompareOp,
        /// With what; durations are in seconds, like the points.
        value: f64,
    },
}

/// Arithmetic on series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MathOp {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
}

// === hints ===

/// What `with(…)` asks for. Hints that nobody knows are not here.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Hints {
    /// `most_recent=true`: the newest traces, at any cost.
    pub most_recent: Option<bool>,
    /// `exemplars=…`
    pub exemplars: Option<Exemplars>,
    /// `sample=…`
    pub sample: Option<Sample>,
    /// `span_sample=0.x`: the share of spans looked at.
    pub span_sample: Option<f64>,
    /// `trace_sample=0.x`: the share of traces looked at.
    pub trace_sample: Option<f64>,
    /// `extrapolate=true`: scale by the probability in the trace state.
    pub extrapolate: Option<bool>,
}

/// How many exemplars are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exemplars {
    /// None (`false`), or as many as the server thinks fit (`true`).
    Wanted(bool),
    /// At most this many.
    AtMost(u64),
}

/// Whether metrics may be computed from a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sample {
    /// No (`false`), or at a rate that the server chooses (`true`).
    Chosen(bool),
    /// This share, above 0 and at most 1.
    Share(f64),
}
