//! `GET /api/v1/traces/{id}`: one trace as OTLP/JSON. And what the other answers about one trace share with it.

#![expect(
    unused_qualifications,
    reason = "the code that utoipa derives spells out paths"
)]

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use model::{SpanBatch, TraceId};
use query::FoundTrace;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::IntoParams;
use wire::otlp_json::{IdStyle, write_resource_spans};

use crate::edge::Edge;
use crate::web::failure::Failure;
use crate::web::params::{on_or_off, parsed, trace_id};

/// Above so many spans an answer is computed off the runtime's threads: about a millisecond of work.
const INLINE_SPANS_MAX: usize = 1000;

/// Bytes of OTLP/JSON that a span takes, roughly; for reserving memory.
const SPAN_JSON_BYTES: usize = 700;

/// Spans of a line: read within some milliseconds, so that a page that reads them goes on drawing.
const LINE_SPANS: usize = 500;

/// How a trace is written.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TraceParams {
    /// `on`: a document of at most 500 spans on each line, for those who read on while they read. `off` by default.
    lines: Option<String>,
}

/// Returns a whole trace over live and stored spans, as OTLP/JSON with hex ids. No time range is needed.
///
/// `missing` says in words what could not be read; then the trace may be incomplete.
#[utoipa::path(
    get,
    path = "/api/v1/traces/{id}",
    tag = "traces",
    params(
        ("id" = String, Path, description = "Trace id in hex: any case, dashes, `0x` and missing leading zeros are fine"),
        TraceParams,
    ),
    responses(
        (status = 200, description = "`resourceSpans` as in OTLP/JSON, and `missing`, a list of strings", body = Object),
        (status = 400, description = "Not a trace id", body = String, content_type = "text/plain"),
        (status = 404, description = "No span of this trace is held", body = String, content_type = "text/plain"),
    )
)]
pub(crate) async fn trace(
    State(edge): State<Edge>,
    Path(id): Path<String>,
    params: Result<Query<TraceParams>, QueryRejection>,
) -> Result<Response, Failure> {
    let Query(params) = params.map_err(|rejection| Failure::invalid(rejection.body_text()))?;
    let is_lines = parsed("lines", params.lines.as_ref(), on_or_off)?.unwrap_or(false);
    let FoundTrace { spans, missing } = found(&edge, trace_id(&id)?).await?;
    let count = spans.len();
    let body = computed(count, move || {
        let mut text = String::with_capacity(count * SPAN_JSON_BYTES);
        if is_lines {
            write_lines(spans, &missing, &mut text);
        } else {
            write_document(&spans, &missing, &mut text);
        }
        Ok(text.into_bytes())
    });
    let content_type = if is_lines {
        "application/x-ndjson"
    } else {
        "application/json"
    };
    Ok(respond(content_type, body.await?))
}

fn write_document(spans: &SpanBatch, missing: &[String], text: &mut String) {
    text.push_str("{\"resourceSpans\":");
    write_resource_spans(spans, IdStyle::Hex, text);
    text.push_str(",\"missing\":");
    text.push_str(&json!(missing).to_string());
    text.push('}');
}

/// A document for each so many spans, as the collector's file exporter writes them. Only the first tells what is missing.
fn write_lines(mut batch: SpanBatch, missing: &[String], text: &mut String) {
    let spans = std::mem::take(&mut batch.spans);
    for (number, part) in spans.chunks(LINE_SPANS).enumerate() {
        batch.spans.clear();
        batch.spans.extend_from_slice(part);
        write_document(&batch, if number == 0 { missing } else { &[] }, text);
        text.push('\n');
    }
}

/// The whole trace, or that it is not held.
pub(super) async fn found(edge: &Edge, id: TraceId) -> Result<FoundTrace, Failure> {
    let found = edge.engines()?.query.trace(id).await?;
    found.ok_or_else(|| Failure::not_found(format!("trace {id} is not held")))
}

/// Runs `compute` on so many spans, off the runtime's threads when they are many.
pub(super) async fn computed(
    spans: usize,
    compute: impl FnOnce() -> Result<Vec<u8>, Failure> + Send + 'static,
) -> Result<Vec<u8>, Failure> {
    if spans <= INLINE_SPANS_MAX {
        return compute();
    }
    tokio::task::spawn_blocking(compute)
        .await
        .unwrap_or_else(|_| Err(Failure::internal("computing the answer failed")))
}

/// Renders spans, off the runtime's threads when they are many.
pub(super) async fn rendered(
    spans: SpanBatch,
    render: impl FnOnce(SpanBatch) -> Vec<u8> + Send + 'static,
) -> Result<Vec<u8>, Failure> {
    computed(spans.len(), move || Ok(render(spans))).await
}

pub(super) fn json_of<T: Serialize>(answer: &T) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(answer)
        .map_err(|error| Failure::internal(format!("writing the answer failed: {error}")))
}

pub(super) fn respond(content_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A JSON string, quoted.
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
