//! `GET /api/v1/traces/{id}`: one trace as OTLP/JSON.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::Response;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use model::SpanBatch;
use query::FoundTrace;
use serde_json::{Value, json};
use wire::otlp_json::{IdStyle, write_resource_spans};

use crate::edge::Edge;
use crate::web::failure::Failure;
use crate::web::params::trace_id;

/// Above so many spans an answer is rendered off the runtime's threads: about a millisecond of work.
pub(super) const INLINE_SPANS_MAX: usize = 1000;

/// Bytes of OTLP/JSON that a span takes, roughly; for reserving memory.
const SPAN_JSON_BYTES: usize = 700;

/// Returns a whole trace over live and stored spans, as OTLP/JSON with hex ids. No time range is needed.
///
/// `missing` says in words what could not be read; then the trace may be incomplete.
#[utoipa::path(
    get,
    path = "/api/v1/traces/{id}",
    tag = "traces",
    params(("id" = String, Path, description = "Trace id in hex: any case, dashes, `0x` and missing leading zeros are fine")),
    responses(
        (status = 200, description = "`resourceSpans` as in OTLP/JSON, and `missing`, a list of strings", body = Object),
        (status = 400, description = "Not a trace id", body = String, content_type = "text/plain"),
        (status = 404, description = "No span of this trace is held", body = String, content_type = "text/plain"),
    )
)]
pub(crate) async fn trace(
    State(edge): State<Edge>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let id = trace_id(&id)?;
    let Some(FoundTrace { spans, missing }) = edge.engines()?.query.trace(id).await? else {
        return Err(Failure::not_found(format!("trace {id} is not held")));
    };
    let body = rendered(spans, move |spans| {
        let mut json = String::with_capacity(spans.len() * SPAN_JSON_BYTES);
        json.push_str("{\"resourceSpans\":");
        write_resource_spans(&spans, IdStyle::Hex, &mut json);
        json.push_str(",\"missing\":");
        json.push_str(&json!(missing).to_string());
        json.push('}');
        json.into_bytes()
    })
    .await?;
    Ok(respond("application/json", body))
}

/// Renders spans, off the runtime's threads when they are many.
pub(super) async fn rendered(
    spans: SpanBatch,
    render: impl FnOnce(SpanBatch) -> Vec<u8> + Send + 'static,
) -> Result<Vec<u8>, Failure> {
    if spans.len() <= INLINE_SPANS_MAX {
        return Ok(render(spans));
    }
    tokio::task::spawn_blocking(move || render(spans))
        .await
        .map_err(|_| Failure::internal("rendering the trace failed"))
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
