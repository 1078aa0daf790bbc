//! `GET /api/v1/traces/{id}/matches`: which spans of one trace a query matches; `POST /api/v1/matches` for one that is sent
//! along.

#![expect(
    unused_qualifications,
    reason = "the code that utoipa derives spells out paths"
)]

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::response::Response;
use evaluate::{Matcher, Tree};
use model::SpanBatch;
use query::FoundTrace;
use serde::{Deserialize, Serialize};
use traceql::query::Pipeline;
use utoipa::{IntoParams, ToSchema};

use crate::edge::Edge;
use crate::web::failure::Failure;
use crate::web::params::{given, trace_id};
use crate::web::query::{EVERYTHING, compile_search, pipeline_of};
use crate::web::sent::taken;
use crate::web::trace::{computed, found, json_of, respond};

/// What to look for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MatchParams {
    /// TraceQL; every span when it is empty.
    q: Option<String>,
}

/// Spans of a trace that match.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Matches {
    /// Their ids, 16 hex digits each, parents before their children.
    spans: Vec<String>,
    /// What could not be read of the trace, in words.
    missing: Vec<String>,
}

/// Returns the spans of a trace that a query matches, whatever spansets they are in.
#[utoipa::path(
    get,
    path = "/api/v1/traces/{id}/matches",
    tag = "traces",
    params(("id" = String, Path, description = "Trace id in hex, in any spelling"), MatchParams),
    responses(
        (status = 200, description = "The spans", body = Matches),
        (status = 400, description = "Not a trace id, or the query cannot run: with a caret under the mistake", body = String, content_type = "text/plain"),
        (status = 404, description = "No span of this trace is held", body = String, content_type = "text/plain"),
    )
)]
pub(crate) async fn matches(
    State(edge): State<Edge>,
    Path(id): Path<String>,
    params: Result<Query<MatchParams>, QueryRejection>,
) -> Result<Response, Failure> {
    let query = compiled(params)?;
    let FoundTrace { spans, missing } = found(&edge, trace_id(&id)?).await?;
    let body = computed(spans.len(), move || answer(&query, &spans, missing));
    Ok(respond("application/json", body.await?))
}

/// Returns the spans that a query matches of a trace that is sent along and not stored.
///
/// The body is OTLP/JSON with the spans of one trace, as large as a request with spans may be. The answer is that of
/// `GET /api/v1/traces/{id}/matches`; `missing` tells of spans that had to be left out.
#[utoipa::path(
    post,
    path = "/api/v1/matches",
    tag = "traces",
    params(MatchParams),
    request_body(content = Object, content_type = "application/json", description = "`resourceSpans` as in OTLP/JSON"),
    responses(
        (status = 200, description = "The spans", body = Matches),
        (status = 400, description = "The body is not OTLP/JSON, has no spans or those of several traces; or the query cannot run: with a caret under the mistake", body = String, content_type = "text/plain"),
        (status = 413, description = "The body is too large", body = String, content_type = "text/plain"),
        (status = 415, description = "The body is not said to be JSON", body = String, content_type = "text/plain"),
    )
)]
pub(crate) async fn matches_of_body(
    State(edge): State<Edge>,
    params: Result<Query<MatchParams>, QueryRejection>,
    request: Request,
) -> Result<Response, Failure> {
    let query = compiled(params)?;
    let sent = taken(&edge, request).await?;
    let body = sent.computed(move |[spans], missing| answer(&query, &spans, missing));
    Ok(respond("application/json", body.await?))
}

fn compiled(
    params: Result<Query<MatchParams>, QueryRejection>,
) -> Result<Arc<traceql::Query>, Failure> {
    let Query(params) = params.map_err(|rejection| Failure::invalid(rejection.body_text()))?;
    compile_search(given(params.q.as_ref()).unwrap_or(EVERYTHING))
}

fn answer(
    query: &traceql::Query,
    batch: &SpanBatch,
    missing: Vec<String>,
) -> Result<Vec<u8>, Failure> {
    let pipeline = pipeline_of(query);
    let spans = pipeline.map_or_else(Vec::new, |pipeline| matching(batch, pipeline));
    json_of(&Matches { spans, missing })
}

fn matching(batch: &SpanBatch, pipeline: &Pipeline) -> Vec<String> {
    let rows: Vec<u32> = (0..batch.len() as u32).collect();
    let tree = Tree::new(batch, &rows);
    let spansets = Matcher::new(pipeline).run(&tree);
    let mut spans: Vec<u32> = spansets
        .into_iter()
        .flat_map(|spanset| spanset.spans)
        .collect();
    spans.sort_unstable();
    spans.dedup();
    let id = |at: u32| tree.span(at).span_id.to_string();
    spans.into_iter().map(id).collect()
}
