//! One trace in a list.

use crate::{DurationNanos, TraceId, UnixNanos};

/// What a list says of a trace: one row of `traces.parquet`, or the same taken from live spans.
///
/// A trace whose spans lie in several places has a summary for each; [`TraceSummary::merge`] makes one of them. Counts
/// add up, so pieces that share a span count it twice until compaction has joined them.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceSummary {
    /// The id.
    pub trace_id: TraceId,
    /// The earliest start of its spans.
    pub start: UnixNanos,
    /// The latest end of its spans, where one that is recorded to end before it begins ends when it begins.
    pub end: UnixNanos,
    /// The service of the root span; empty when no root is among the spans.
    pub root_service: String,
    /// The name of the root span; empty when no root is among the spans.
    pub root_name: String,
    /// Whether a root span (one without parent id) is among the spans.
    pub has_root: bool,
    /// Spans.
    pub span_count: u64,
    /// Spans whose status is error.
    pub error_count: u64,
    /// Each service that takes part, with its spans and errors; sorted by name.
    pub services: Vec<(String, u32, u32)>,
    /// Whether this is known or feared to be a piece of the trace: its root is missing, it was flushed early, or it is late.
    pub partial: bool,
}

impl TraceSummary {
    /// From the earliest start to the latest end.
    pub fn duration(&self) -> DurationNanos {
        self.end.since(self.start)
    }

    /// Adds another piece of the same trace. The root is taken from the piece that has one; of two, the earlier.
    pub fn merge(&mut self, other: Self) {
        debug_assert_eq!(self.trace_id, other.trace_id);
        if other.has_root && (!self.has_root || other.start < self.start) {
            self.root_service = other.root_service;
            self.root_name = other.root_name;
            self.has_root = true;
        }
        self.start = self.start.min(other.start);
        self.end = self.end.max(other.end);
        self.span_count += other.span_count;
        self.error_count += other.error_count;
        self.partial |= other.partial;
        for (service, spans, errors) in other.services {
            match self
                .services
                .binary_search_by(|(name, ..)| name.cmp(&service))
            {
                Ok(at) => {
                    self.services[at].1 += spans;
                    self.services[at].2 += errors;
                }
                Err(at) => self.services.insert(at, (service, spans, errors)),
            }
        }
    }
}
