//! Answers from live and stored spans as one.

mod list;

pub use list::{CursorError, TraceCursor, TraceListRequest, TraceOrder, TracePage};

use model::{SpanBatch, TraceId};

/// Answers questions over live and stored spans. Cheap to clone.
#[derive(Clone)]
pub struct Query {}

/// Why a question could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The store did not deliver; asking again may help.
    #[error("cannot read the store: {0}")]
    Store(String),
}

/// A service that occurs in live or stored spans.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Spans held.
    pub spans: u64,
    /// Spans with an error.
    pub errors: u64,
}

/// A span name of a service.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Operation {
    /// The name.
    pub name: String,
    /// Spans held.
    pub spans: u64,
    /// How many of them are the root of their trace.
    pub roots: u64,
}

impl Query {
    /// The whole trace: every span once, parents before children where the parent is there. `None` when no span is known.
    /// The second value lists what could not be read (a damaged or missing block), in words; then the trace may be incomplete.
    pub async fn trace(
        &self,
        _id: TraceId,
    ) -> Result<Option<(SpanBatch, Vec<String>)>, QueryError> {
        Ok(None)
    }

    /// One page of a list of traces.
    pub async fn traces(&self, _request: &TraceListRequest) -> Result<TracePage, QueryError> {
        Ok(TracePage::default())
    }

    /// All services, sorted by name.
    pub async fn services(&self) -> Result<Vec<Service>, QueryError> {
        Ok(Vec::new())
    }

    /// The operations of a service, most frequent first; empty when the service is unknown.
    pub async fn operations(&self, _service: &str) -> Result<Vec<Operation>, QueryError> {
        Ok(Vec::new())
    }
}
