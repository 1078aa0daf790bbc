//! `GET /api/v1/traces/{id}/analysis` and `…/compare/{other}`: where the time of a trace went, and what differs from
//! another one; `POST /api/v1/analysis` for a trace that is sent along. The `analysis` crate says what; here are only the
//! question and the JSON.

use analysis::{Analysis, Comparison, Settings};
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::response::Response;
use bytes::Bytes;
use collect::Encoding;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use model::SpanBatch;
use query::FoundTrace;
use serde::{Deserialize, Serialize};
use wire::otlp::DecodeLimits;

use crate::body::discard;
use crate::codes::{Code, Rejection};
use crate::edge::Edge;
use crate::web::failure::Failure;
use crate::web::params::{given, on_or_off, trace_id};
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
    let (parts, mut body) = request.into_parts();
    let protobuf = match taken(&edge, &parts.headers, &mut body).await {
        Ok(protobuf) => protobuf,
        Err(rejection) => {
            discard(body, edge.intake().body_bytes_max()).await;
            return Err(rejection.into());
        }
    };
    let answer = tokio::task::spawn_blocking(move || {
        let (spans, missing) = decoded(&protobuf)?;
        let result = analysis::analyse(&spans, &settings);
        json_of(&Answer { result, missing })
    });
    let body = answer
        .await
        .unwrap_or_else(|_| Err(Failure::internal("analysing the trace failed")));
    Ok(respond(JSON, body?))
}

/// The body as protobuf. It must be said to be JSON: then a browser asks before it lets a foreign page send it.
async fn taken(edge: &Edge, headers: &HeaderMap, body: &mut Body) -> Result<Bytes, Rejection> {
    let stated = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let name = stated.and_then(|stated| stated.split(';').next());
    if !name.is_some_and(|name| name.trim().eq_ignore_ascii_case(JSON)) {
        return Err(Rejection::permanent(
            Code::InvalidArgument,
            format!("send {JSON}, and say so"),
        )
        .with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    let taken = edge.intake().take(headers, body, 0).await?;
    let transcoder = edge.transcoder();
    transcoder
        .to_protobuf(Encoding::Identity, taken.bytes)
        .await
}

/// The spans of one trace, and how many were left out in words.
fn decoded(protobuf: &[u8]) -> Result<(SpanBatch, Vec<String>), Failure> {
    let mut spans = SpanBatch::default();
    let rejected = wire::otlp::decode(protobuf, &DecodeLimits::default(), &mut spans)
        .map_err(|error| Failure::invalid(error.to_string()))?;
    let Some(first) = spans.spans.first() else {
        let why = rejected
            .first
            .map_or_else(String::new, |first| format!(": {first}"));
        return Err(Failure::invalid(format!(
            "the body has no spans to analyse{why}"
        )));
    };
    let id = first.trace_id;
    if spans.spans.iter().any(|span| span.trace_id != id) {
        return Err(Failure::invalid(
            "the body has spans of several traces; send one trace",
        ));
    }
    let missing = rejected.first.iter().map(|first| {
        format!(
            "spans left out: {}, the first since {first}",
            rejected.total()
        )
    });
    let missing = missing.collect();
    Ok((spans, missing))
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
        json_of(&Answer { result, missing })
    });
    Ok(respond(JSON, body.await?))
}
