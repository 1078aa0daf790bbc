//! Traces that are sent along with a question, as OTLP/JSON, and are not stored.

use axum::extract::Request;
use bytes::Bytes;
use collect::Encoding;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use model::{SpanBatch, TraceId};
use wire::otlp::DecodeLimits;

use crate::body::discard;
use crate::codes::{Code, Rejection};
use crate::edge::Edge;
use crate::web::failure::Failure;

const JSON: &str = "application/json";

/// A body as OTLP protobuf.
pub(super) struct Sent(Bytes);

/// Takes a body in, as large as a request with spans may be.
pub(super) async fn taken(edge: &Edge, request: Request) -> Result<Sent, Failure> {
    let (parts, mut body) = request.into_parts();
    let bytes = match said_to_be_json(&parts.headers) {
        Ok(()) => edge.intake().take(&parts.headers, &mut body, 0).await,
        Err(rejection) => Err(rejection),
    };
    match bytes {
        Ok(taken) => {
            let transcoder = edge.transcoder();
            let protobuf = transcoder.to_protobuf(Encoding::Identity, taken.bytes);
            Ok(Sent(protobuf.await?))
        }
        Err(rejection) => {
            discard(body, edge.intake().body_bytes_max()).await;
            Err(rejection.into())
        }
    }
}

/// It must be said: then a browser asks before it lets a foreign page send it.
fn said_to_be_json(headers: &HeaderMap) -> Result<(), Rejection> {
    let stated = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let name = stated.and_then(|stated| stated.split(';').next());
    if name.is_some_and(|name| name.trim().eq_ignore_ascii_case(JSON)) {
        return Ok(());
    }
    Err(
        Rejection::permanent(Code::InvalidArgument, format!("send {JSON}, and say so"))
            .with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE),
    )
}

impl Sent {
    /// Decodes the spans of `N` traces, in the order of their first spans, and gives them to `compute`, with how many spans
    /// were left out in words. Off the runtime's threads.
    pub(super) async fn computed<const N: usize>(
        self,
        compute: impl FnOnce([SpanBatch; N], Vec<String>) -> Result<Vec<u8>, Failure> + Send + 'static,
    ) -> Result<Vec<u8>, Failure> {
        tokio::task::spawn_blocking(move || {
            let (traces, missing) = decoded(&self.0)?;
            compute(traces, missing)
        })
        .await
        .unwrap_or_else(|_| Err(Failure::internal("computing the answer failed")))
    }
}

fn decoded<const N: usize>(protobuf: &[u8]) -> Result<([SpanBatch; N], Vec<String>), Failure> {
    let mut spans = SpanBatch::default();
    let rejected = wire::otlp::decode(protobuf, &DecodeLimits::default(), &mut spans)
        .map_err(|error| Failure::invalid(error.to_string()))?;
    if spans.is_empty() {
        let why = rejected
            .first
            .map_or_else(String::new, |first| format!(": {first}"));
        return Err(Failure::invalid(format!("the body has no spans{why}")));
    }
    let ids = ids_of::<N>(&spans)?;
    let traces = ids.map(|id| {
        let mut trace = spans.clone();
        trace.spans.retain(|span| span.trace_id == id);
        trace
    });
    let missing = rejected.first.iter().map(|first| {
        format!(
            "spans left out: {}, the first since {first}",
            rejected.total()
        )
    });
    Ok((traces, missing.collect()))
}

/// The ids of exactly so many traces.
fn ids_of<const N: usize>(spans: &SpanBatch) -> Result<[TraceId; N], Failure> {
    let mut ids = Vec::with_capacity(N + 1);
    for span in &spans.spans {
        if !ids.contains(&span.trace_id) {
            ids.push(span.trace_id);
        }
        if ids.len() > N {
            break;
        }
    }
    let found = if ids.len() > N { "more" } else { "fewer" };
    ids.try_into().map_err(|_| {
        let plural = if N == 1 { "" } else { "s" };
        Failure::invalid(format!(
            "the body must have the spans of {N} trace{plural}, and has those of {found}"
        ))
    })
}
