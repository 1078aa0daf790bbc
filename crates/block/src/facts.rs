//! What the row of a trace and the counts of services are made of.

use model::{SpanBatch, SpanRow, StatusCode, Symbol, UnixNanos};

/// What trace and service are told of a span. Words are symbols of whoever tells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SpanFacts {
    pub(crate) start: UnixNanos,
    pub(crate) end: UnixNanos,
    pub(crate) is_root: bool,
    pub(crate) is_error: bool,
    pub(crate) service: Symbol,
    pub(crate) name: Symbol,
}

impl SpanFacts {
    /// In symbols of the batch.
    #[inline]
    pub(crate) fn of(batch: &SpanBatch, span: &SpanRow) -> Self {
        Self {
            start: span.start,
            end: span.end(),
            is_root: span.is_root(),
            is_error: span.status == StatusCode::Error,
            service: batch.resources[span.resource as usize].service,
            name: span.name,
        }
    }
}
