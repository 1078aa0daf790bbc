//! `GET /api/v1/traces/{id}/analysis` and `…/compare/{other}`: where the time of a trace went, and what differs from
//! another one. The `analysis` crate says what; here are only the question and the JSON.

use analysis::{Analysis, Comparison, Settings};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use model::{SpanBatch, TraceId};
use query::FoundTrace;
use serde::{Deserialize, Serialize};

use crate::edge::Edge;
use crate::web::failure::Failure;
use crate::web::params::{given, on_or_off, trace_id};
use crate::web::trace::{INLINE_SPANS_MAX, respond};

const JSON: &str = "application/json";

/// How a trace is analysed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct AnalysisParams {
    skew: Option<String>,
}

impl AnalysisParams {
    fn settings(params: Result<Query<Self>, QueryRejection>) -> Result<Settings, Failure> {
        let Query(params) = params.map_err(|rejection| Failure::invalid(rejection.body_text()))?;
        let correct_skew = given(params.skew.as_ref())
            .map(|text| on_or_off("skew", text))
            .transpose()?;
        Ok(Settings {
            correct_skew: correct_skew.unwrap_or(true),
            ..Settings::default()
        })
    }
}

/// A result, and what could not be read for it.
#[derive(Serialize)]
struct Answer<T> {
    #[serde(flatten)]
    result: T,
    missing: Vec<String>,
}

/// Returns what is known of a trace: where its time went in words, findings, critical paths, and times for each span.
///
/// Keys are camelCase. Times are nanoseconds from `startTimeUnixNano`, keys end in `Ns`; shares are of the duration of the
/// main root. A span is named by its position, which is its place in the columns of `spans`.
#[utoipa::path(
    get,
    path = "/api/v1/traces/{id}/analysis",
    tag = "traces",
    params(
        ("id" = String, Path, description = "Trace id in hex, in any spelling"),
        ("skew" = Option<String>, Query, description = "`off`: clocks that disagree are not corrected. `on` by default"),
    ),
    responses(
        (status = 200, description = "The analysis: `summary`, `findings`, `criticalPath`, `dark`, `notes`, `spans`; and `missing`, a list of strings", body = Object),
        (status = 400, description = "Not a trace id, or a parameter that cannot be read", body = String, content_type = "text/plain"),
        (status = 404, description = "No span of this trace is held", body = String, content_type = "text/plain"),
    )
)]
pub(crate) async fn analysis(
    State(edge): State<Edge>,
    Path(id): Path<String>,
    params: Result<Query<AnalysisParams>, QueryRejection>,
) -> Result<Response, Failure> {
    let settings = AnalysisParams::settings(params)?;
    let FoundTrace { spans, missing } = found(&edge, trace_id(&id)?).await?;
    let body = computed(spans.len(), move || {
        let result: Analysis = analysis::analyse(&spans, &settings);
        rendered(&Answer { result, missing })
    });
    Ok(respond(JSON, body.await?))
}

/// Returns two traces laid over each other: a tree of the union, each node with both sides and what became of it.
///
/// The trace of the address is the baseline, left; the other one is right.
#[utoipa::path(
    get,
    path = "/api/v1/traces/{id}/compare/{other}",
    tag = "traces",
    params(
        ("id" = String, Path, description = "Trace id of the baseline, in any spelling"),
        ("other" = String, Path, description = "Trace id of the trace to compare with it"),
        ("skew" = Option<String>, Query, description = "`off`: clocks that disagree are not corrected. `on` by default"),
    ),
    responses(
        (status = 200, description = "The comparison: `text`, `leftNs`, `rightNs`, `nodes` in pre-order; and `missing`, a list of strings", body = Object),
        (status = 400, description = "Not a trace id, or a parameter that cannot be read", body = String, content_type = "text/plain"),
        (status = 404, description = "No span of one of the traces is held", body = String, content_type = "text/plain"),
    )
)]
pub(crate) async fn compare(
    State(edge): State<Edge>,
    Path((id, other)): Path<(String, String)>,
    params: Result<Query<AnalysisParams>, QueryRejection>,
) -> Result<Response, Failure> {
    let settings = AnalysisParams::settings(params)?;
    let (left, right) = (trace_id(&id)?, trace_id(&other)?);
    let left = found(&edge, left).await?;
    let right = found(&edge, right).await?;
    let missing = [left.missing, right.missing].concat();
    let (left, right): (SpanBatch, SpanBatch) = (left.spans, right.spans);
    let body = computed(left.len() + right.len(), move || {
        let result: Comparison = analysis::compare(&left, &right, &settings);
        rendered(&Answer { result, missing })
    });
    Ok(respond(JSON, body.await?))
}

async fn found(edge: &Edge, id: TraceId) -> Result<FoundTrace, Failure> {
    let found = edge.engines()?.query.trace(id).await?;
    found.ok_or_else(|| Failure::not_found(format!("trace {id} is not held")))
}

/// Runs `compute`, off the runtime's threads when there are many spans.
async fn computed(
    spans: usize,
    compute: impl FnOnce() -> Result<Vec<u8>, Failure> + Send + 'static,
) -> Result<Vec<u8>, Failure> {
    if spans <= INLINE_SPANS_MAX {
        return compute();
    }
    tokio::task::spawn_blocking(compute)
        .await
        .unwrap_or_else(|_| Err(Failure::internal("analysing the trace failed")))
}

fn rendered<T: Serialize>(answer: &Answer<T>) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(answer)
        .map_err(|error| Failure::internal(format!("rendering the analysis failed: {error}")))
}
