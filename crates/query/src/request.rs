//! What TraceQL can be asked for, and what comes back.

use std::sync::Arc;
use std::time::Duration;

use evaluate::{FoundSeries, Shown, Steps};
use model::{DurationNanos, SpanId, TraceSummary, UnixNanos};
use traceql::query::{Constant, Field, Scope};

use crate::{TraceCursor, TraceOrder};

/// Bounds on one question. Whatever they stop ends with [`crate::QueryError::Limit`] or a partial answer, and says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long it may take.
    pub time: Duration,
    /// Spans that may be looked at.
    pub spans: u64,
    /// Memory for what is gathered, in bytes.
    pub memory: usize,
    /// Series of an answer, and of each operand of arithmetic.
    pub series: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(60),
            spans: 2_000_000_000,
            memory: 256 << 20,
            series: 10_000,
        }
    }
}

/// Which traces match, in which order.
#[derive(Debug, Clone)]
pub struct SearchRequest {
    /// The query; its body is a search.
    pub query: Arc<traceql::Query>,
    /// Only traces that end at or after this.
    pub start: Option<UnixNanos>,
    /// Only traces that start before this.
    pub end: Option<UnixNanos>,
    /// Order.
    pub order: TraceOrder,
    /// Traces per page, at least 1.
    pub limit: usize,
    /// Spans shown of each spanset.
    pub spans_per_spanset: usize,
    /// Where the page before ended.
    pub cursor: Option<TraceCursor>,
    /// Bounds.
    pub limits: Limits,
}

impl SearchRequest {
    /// Whether a trace, or a block of traces, from one time to another may be wanted.
    pub(crate) fn covers(&self, from: UnixNanos, to: UnixNanos) -> bool {
        self.end.is_none_or(|end| from < end) && self.start.is_none_or(|start| to >= start)
    }
}

/// A page of matching traces.
#[derive(Debug, Clone, Default)]
pub struct SearchPage {
    /// The traces, in order.
    pub traces: Vec<MatchedTrace>,
    /// Where to go on; `None` when this is the last page.
    pub next: Option<TraceCursor>,
    /// What could not be read or was not looked at, in words; then traces may be missing.
    pub missing: Vec<String>,
    /// What it cost.
    pub stats: QueryStats,
}

/// A trace that matches.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchedTrace {
    /// The whole trace.
    pub summary: TraceSummary,
    /// At least one.
    pub spansets: Vec<MatchedSpanset>,
}

/// Spans of a trace that match.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchedSpanset {
    /// Name and value of each key of `by` and of each aggregate that a filter compares, in the order of the stages; of the same
    /// name the last.
    pub keys: Vec<(Arc<str>, Constant)>,
    /// How many spans match.
    pub matched: usize,
    /// The first few of them, in pre-order.
    pub spans: Vec<MatchedSpan>,
}

/// A span that matches.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchedSpan {
    /// The span.
    pub span_id: SpanId,
    /// Its name.
    pub name: String,
    /// Its service.
    pub service: String,
    /// When it started.
    pub start: UnixNanos,
    /// End minus start.
    pub duration: DurationNanos,
    /// Label, field and value of what the query touched or asked for by `select`; nil values are left out.
    pub attributes: Vec<MatchedAttribute>,
}

/// A value of a matching span.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchedAttribute {
    /// As the query writes it: `resource.service.name`, `.a`, `name`.
    pub label: Arc<str>,
    /// What it is.
    pub field: Field,
    /// The value.
    pub value: Shown,
}

/// What a question cost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct QueryStats {
    /// Traces looked at, beyond their summaries.
    pub traces: u64,
    /// Spans of which at least one column was looked at.
    pub spans: u64,
    /// Bytes read of block files, from the object store.
    pub bytes: u64,
    /// Blocks that there are.
    pub blocks: u64,
    /// Blocks that were passed over on the strength of the manifest or of their trace table.
    pub blocks_skipped: u64,
    /// Blocks that have been done with; with `blocks_skipped` at most `blocks`.
    pub blocks_done: u64,
    /// Bytes of all blocks.
    pub block_bytes: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// Series over time.
#[derive(Debug, Clone)]
pub struct MetricsRequest {
    /// The query; its body is metrics.
    pub query: Arc<traceql::Query>,
    /// The points of time; at most [`MAX_POINTS`].
    pub steps: Steps,
    /// Spans to look at wanted, for all series together; at most [`MAX_EXEMPLARS`].
    pub exemplars: usize,
    /// Bounds.
    pub limits: Limits,
}

/// Points of a series at the most, as in Tempo (which adds one).
pub const MAX_POINTS: usize = 10_001;

/// Exemplars of an answer at the most.
pub const MAX_EXEMPLARS: usize = 100;

/// Series.
#[derive(Debug, Clone, Default)]
pub struct MetricsAnswer {
    /// The series, by the text of their labels.
    pub series: Vec<FoundSeries>,
    /// What could not be read or was not looked at, in words; then counts may be too low.
    pub missing: Vec<String>,
    /// What it cost.
    pub stats: QueryStats,
}

/// Names of attributes.
#[derive(Debug, Clone, Default)]
pub struct TagsRequest {
    /// Only of this scope; of all when [`Scope::Any`].
    pub scope: Scope,
    /// Only of spans for which this holds, as far as the newest such traces show; of all when absent.
    pub filter: Option<traceql::query::Condition>,
    /// Only of blocks and live spans since.
    pub start: Option<UnixNanos>,
    /// Only of blocks and live spans until.
    pub end: Option<UnixNanos>,
    /// Names per scope.
    pub limit: usize,
    /// Bounds.
    pub limits: Limits,
}

/// Names of attributes by scope, each list sorted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TagNames {
    /// Scope and names, in the order of [`Scope::NAMED`]; scopes without names are left out.
    pub scopes: Vec<(Scope, Vec<String>)>,
    /// Whether some were left out.
    pub truncated: bool,
    /// What could not be read, in words.
    pub missing: Vec<String>,
}

/// Values of a field.
#[derive(Debug, Clone)]
pub struct TagValuesRequest {
    /// Of what.
    pub field: Field,
    /// Only of spans for which this holds; of all when absent.
    pub filter: Option<traceql::query::Condition>,
    /// Only of spans since.
    pub start: Option<UnixNanos>,
    /// Only of spans until.
    pub end: Option<UnixNanos>,
    /// Values at the most.
    pub limit: usize,
    /// Bounds.
    pub limits: Limits,
}

/// Values of a field, most frequent first as far as is known, each once.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TagValues {
    /// The values.
    pub values: Vec<Constant>,
    /// Whether some were left out.
    pub truncated: bool,
    /// What could not be read, in words.
    pub missing: Vec<String>,
    /// What it cost.
    pub stats: QueryStats,
}
