//! `GET /api/v1/traces/{id}/matches`: which spans of one trace a query matches.

#![expect(
    unused_qualifications,
    reason = "the code that utoipa derives spells out paths"
)]

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
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
    let Query(params) = params.map_err(|rejection| Failure::invalid(rejection.body_text()))?;
    let query = compile_search(given(params.q.as_ref()).unwrap_or(EVERYTHING))?;
    let FoundTrace { spans, missing } = found(&edge, trace_id(&id)?).await?;
    let body = computed(spans.len(), move || {
        let spans =
            pipeline_of(&query).map_or_else(Vec::new, |pipeline| matching(&spans, pipeline));
        json_of(&Matches { spans, missing })
    });
    Ok(respond("application/json", body.await?))
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
