//! Lists of traces.

use std::fmt;
use std::str::FromStr;

use block::BlockMeta;
use model::{DurationNanos, TraceId, TraceSummary, UnixNanos};

/// Which traces, in which order.
#[derive(Debug, Clone, Default)]
pub struct TraceListRequest {
    /// Only traces in which this service takes part.
    pub service: Option<String>,
    /// Only traces whose root span has this name.
    pub root_name: Option<String>,
    /// Only traces at least this long.
    pub min_duration: Option<DurationNanos>,
    /// Only traces at most this long.
    pub max_duration: Option<DurationNanos>,
    /// Only traces with (`true`) or without (`false`) a span whose status is error.
    pub error: Option<bool>,
    /// Only traces that start at or after this.
    pub start: Option<UnixNanos>,
    /// Only traces that start before this.
    pub end: Option<UnixNanos>,
    /// Order.
    pub order: TraceOrder,
    /// Traces per page, at least 1.
    pub limit: usize,
    /// Where the page before ended.
    pub cursor: Option<TraceCursor>,
}

/// The order of a list. Ties are broken by trace id, so that pages neither overlap nor leave gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TraceOrder {
    /// Latest start first.
    #[default]
    Newest,
    /// Longest duration first.
    Slowest,
}

impl TraceOrder {
    /// What a trace is ordered by, in nanoseconds.
    pub(crate) fn key(self, start: UnixNanos, duration: DurationNanos) -> i64 {
        match self {
            Self::Newest => start.0,
            Self::Slowest => duration.0,
        }
    }

    /// The best key that a trace of a block can have. A longer duration may come from pieces elsewhere, so a block with
    /// pieces may always help there.
    pub(crate) fn best_key(self, block: &BlockMeta) -> i64 {
        match self {
            Self::Newest => block.start_max.0,
            Self::Slowest if block.partial_traces > 0 => i64::MAX,
            Self::Slowest => block.duration_max,
        }
    }
}

/// The last trace of a page: the next page starts after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceCursor {
    /// Its start or duration, in nanoseconds, by the order of the list.
    pub key: i64,
    /// Its id.
    pub trace_id: TraceId,
}

impl fmt::Display for TraceCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.key, self.trace_id)
    }
}

/// The text is not a cursor that a page gave.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor: pass `next` of the page before, unchanged")]
pub struct CursorError;

impl FromStr for TraceCursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (key, id) = text.rsplit_once('-').ok_or(CursorError)?;
        Ok(Self {
            key: key.parse().map_err(|_| CursorError)?,
            trace_id: id.parse().map_err(|_| CursorError)?,
        })
    }
}

/// A page of a list.
#[derive(Debug, Clone, Default)]
pub struct TracePage {
    /// The traces, in order.
    pub traces: Vec<TraceSummary>,
    /// Where to go on; `None` when this is the last page.
    pub next: Option<TraceCursor>,
    /// What could not be read, in words; then traces may be missing.
    pub missing: Vec<String>,
}

impl TraceListRequest {
    /// What the list is ordered by, in nanoseconds.
    pub(crate) fn key(&self, summary: &TraceSummary) -> i64 {
        self.order.key(summary.start, summary.duration())
    }

    /// Whether the whole trace belongs in the list. The cursor is not asked.
    pub(crate) fn matches(&self, trace: &TraceSummary) -> bool {
        let duration = trace.duration();
        self.service
            .as_deref()
            .is_none_or(|service| trace.services.iter().any(|(name, ..)| name == service))
            && self
                .root_name
                .as_deref()
                .is_none_or(|name| trace.has_root && trace.root_name == name)
            && self.min_duration.is_none_or(|min| duration >= min)
            && self.max_duration.is_none_or(|max| duration <= max)
            && self
                .error
                .is_none_or(|error| (trace.error_count > 0) == error)
            && self.start.is_none_or(|start| trace.start >= start)
            && self.end.is_none_or(|end| trace.start < end)
    }
}
