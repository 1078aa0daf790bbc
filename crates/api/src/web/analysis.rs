//! `GET /api/v1/traces/{id}/analysis` and `…/compare/{other}`: where the time of a trace went, and what differs from
//! another one; `POST /api/v1/analysis` and `…/compare` for traces that are sent along. The `analysis` crate says what; here
//! are only the question and the JSON.

use analysis::{Analysis, Comparison, Settings};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::response::Response;
use model::SpanBatch;
use query::FoundTrace;
use serde::{Deserialize, Serialize};

use crate::edge::Edge;
use crate::web::failure::Failure;
use crate::web::params::{given, on_or_off, parsed, trace_id};
use crate::web::sent::taken;
use crate::web::trace::{computed, found, json_of, respond};

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
        settings(params.skew.as_ref())
    }
}

fn settings(skew: Option<&String>) -> Result<Settings, Failure> {
    Ok(Settings {
        correct_skew: parsed("skew", skew, on_or_off)?.unwrap_or(true),
        ..Settings::default()
    })
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
        json_of(&Answer { result, missing })
    });
    Ok(respond(JSON, body.await?))
}

/// Analyses a trace that is sent along and not stored.
///
/// The body is OTLP/JSON with the spans of one trace, as large as a request with spans may be. The answer is that of
/// `GET /api/v1/traces/{id}/analysis`; `missing` tells of spans that had to be left out.
#[utoipa::path(
    post,
    path = "/api/v1/analysis",
    tag = "traces",
    params(("skew" = Option<String>, Query, description = "`off`: clocks that disagree are not corrected. `on` by default")),
    request_body(content = Object, content_type = "application/json", description = "`resourceSpans` as in OTLP/JSON"),
    responses(
        (status = 200, description = "The analysis", body = Object),
        (status = 400, description = "The body is not OTLP/JSON, has no spans or those of several traces; or a parameter cannot be read", body = String, content_type = "text/plain"),
        (status = 413, description = "The body is too large", body = String, content_type = "text/plain"),
        (status = 415, description = "The body is not said to be JSON", body = String, content_type = "text/plain"),
    )
)]
pub(crate) async fn analysis_of_body(
    State(edge): State<Edge>,
    params: Result<Query<AnalysisParams>, QueryRejection>,
    request: Request,
) -> Result<Response, Failure> {
    let settings = AnalysisParams::settings(params)?;
    let sent = taken(&edge, request).await?;
    let body = sent.computed(move |[spans], missing| {
        let result: Analysis = analysis::analyse(&spans, &settings);
        json_of(&Answer { result, missing })
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
        compared(&left, &right, missing, &settings)
    });
    Ok(respond(JSON, body.await?))
}

/// Which side is held, and how traces are compared.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CompareParams {
    left: Option<String>,
    right: Option<String>,
    skew: Option<String>,
}

/// Compares traces of which one or both are sent along and not stored.
///
/// The body is OTLP/JSON, as large as a request with spans may be. Without parameters it has the spans of two traces, the
/// one that comes first being the baseline, left; else of one, and `left` or `right` names the other, which is held. The
/// answer is that of `GET /api/v1/traces/{id}/compare/{other}`; `missing` tells of spans that had to be left out too.
#[utoipa::path(
    post,
    path = "/api/v1/compare",
    tag = "traces",
    params(
        ("left" = Option<String>, Query, description = "Trace id of the baseline when it is held; the body then has the other trace"),
        ("right" = Option<String>, Query, description = "Trace id of the trace that is compared with the baseline, when it is held; the body then has the baseline"),
        ("skew" = Option<String>, Query, description = "`off`: clocks that disagree are not corrected. `on` by default"),
    ),
    request_body(content = Object, content_type = "application/json", description = "`resourceSpans` as in OTLP/JSON"),
    responses(
        (status = 200, description = "The comparison", body = Object),
        (status = 400, description = "The body is not OTLP/JSON or has not as many traces as are compared; or a parameter cannot be read", body = String, content_type = "text/plain"),
        (status = 404, description = "No span of the trace that is named is held", body = String, content_type = "text/plain"),
        (status = 413, description = "The body is too large", body = String, content_type = "text/plain"),
        (status = 415, description = "The body is not said to be JSON", body = String, content_type = "text/plain"),
    )
)]
pub(crate) async fn compare_body(
    State(edge): State<Edge>,
    params: Result<Query<CompareParams>, QueryRejection>,
    request: Request,
) -> Result<Response, Failure> {
    let Query(params) = params.map_err(|rejection| Failure::invalid(rejection.body_text()))?;
    let settings = settings(params.skew.as_ref())?;
    let left = given(params.left.as_ref()).map(trace_id).transpose()?;
    let right = given(params.right.as_ref()).map(trace_id).transpose()?;
    let sent = taken(&edge, request).await?;
    let body = match (left, right) {
        (None, None) => {
            sent.computed(move |[left, right], missing| compared(&left, &right, missing, &settings))
                .await
        }
        (Some(left), None) => {
            let left = found(&edge, left).await?;
            sent.computed(move |[right], missing| {
                let missing = [left.missing, missing].concat();
                compared(&left.spans, &right, missing, &settings)
            })
            .await
        }
        (None, Some(right)) => {
            let right = found(&edge, right).await?;
            sent.computed(move |[left], missing| {
                let missing = [missing, right.missing].concat();
                compared(&left, &right.spans, missing, &settings)
            })
            .await
        }
        (Some(left), Some(right)) => Err(Failure::invalid(format!(
            "left and right: both are held, which leaves nothing for the body; ask GET /api/v1/traces/{left}/compare/{right}"
        ))),
    };
    Ok(respond(JSON, body?))
}

fn compared(
    left: &SpanBatch,
    right: &SpanBatch,
    missing: Vec<String>,
    settings: &Settings,
) -> Result<Vec<u8>, Failure> {
    let result: Comparison = analysis::compare(left, right, settings);
    json_of(&Answer { result, missing })
}
