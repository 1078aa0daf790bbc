//! TraceQL in our own API: search, and what an editor wants to know of a query while it is typed.

pub(crate) mod check;
pub(crate) mod complete;
pub(crate) mod explain;
pub(crate) mod live;
pub(crate) mod search;
mod value;

use std::sync::Arc;
use std::time::Duration;

use traceql::query::{Body, Pipeline};

use crate::edge::Edge;
use crate::web::failure::Failure;

pub(crate) use value::{duration_text, plain_text, wire_constant, wire_value};

/// What a search is when nothing is asked for: every trace.
pub(crate) const EVERYTHING: &str = "{ }";

/// The query of a text.
///
/// # Errors
/// The mistakes, each with a caret under it.
pub(crate) fn compile(text: &str) -> Result<traceql::Query, Failure> {
    traceql::compile(text).map_err(|mut diagnostics| {
        diagnostics.retain(traceql::Diagnostic::is_error);
        let shown = traceql::render(text, &diagnostics);
        Failure::invalid(format!("invalid TraceQL query\n{}", shown.trim_end()))
    })
}

/// The query of a text that is to find traces.
pub(crate) fn compile_search(text: &str) -> Result<Arc<traceql::Query>, Failure> {
    let query = compile(text)?;
    match query.body {
        Body::Search(_) => Ok(Arc::new(query)),
        Body::Metrics(_) => Err(Failure::invalid(
            "q: this query gives series, not traces; ask /api/metrics/query_range",
        )),
    }
}

/// What a search does; none of a query that gives series.
pub(crate) fn pipeline_of(query: &traceql::Query) -> Option<&Pipeline> {
    match &query.body {
        Body::Search(pipeline) => Some(pipeline),
        Body::Metrics(_) => None,
    }
}

/// The query of a text that is to give series.
pub(crate) fn compile_metrics(text: &str) -> Result<Arc<traceql::Query>, Failure> {
    let query = compile(text)?;
    match query.body {
        Body::Metrics(_) => Ok(Arc::new(query)),
        Body::Search(_) => Err(Failure::invalid(
            "q: this query gives traces, not series; add a stage such as `| rate()`, or ask /api/search",
        )),
    }
}

/// Bounds on one question: the engine gives up a little before the surface would, so that what it has found is answered.
pub(crate) fn limits(edge: &Edge) -> query::Limits {
    let defaults = query::Limits::default();
    let time = edge.limits().read_time_max;
    query::Limits {
        time: defaults.time.min(time - time / 10),
        ..defaults
    }
}

/// The same with less time.
pub(crate) fn limits_within(edge: &Edge, time: Duration) -> query::Limits {
    let limits = limits(edge);
    query::Limits {
        time: limits.time.min(time),
        ..limits
    }
}
