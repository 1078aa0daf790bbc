//! Tempo's API, as far as traces by id: what Grafana asks when a trace is opened.
//!
//! JSON is proto3 JSON, so ids are base64; `Accept: application/protobuf` gives protobuf. A trace that is not held is 404
//! in the first version and an empty trace in the second. Times are accepted and not needed.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::HeaderMap;
use http::header::ACCEPT;
use model::SpanBatch;
use query::FoundTrace;
use serde::Deserialize;
use wire::otlp_json::{IdStyle, write_resource_spans};
use wire::proto::{Tag, Writer};

use crate::edge::Edge;
use crate::web::failure::Failure;
use crate::web::params::{given, time, trace_id};
use crate::web::trace::{quoted, rendered, respond};

const PROTOBUF: &str = "application/protobuf";
const JSON: &str = "application/json";

/// `TraceByIDResponse`
mod response {
    use super::Tag;
    pub(super) const TRACE: Tag = Tag::len(1);
    pub(super) const METRICS: Tag = Tag::len(2);
    pub(super) const STATUS: Tag = Tag::varint(3);
    pub(super) const MESSAGE: Tag = Tag::len(4);
    pub(super) const PARTIAL: u64 = 1;
}

/// The parameters of both versions that mean something here. Clients send others, which Tempo ignores too.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TempoParams {
    start: Option<String>,
    end: Option<String>,
    q: Option<String>,
}

impl TempoParams {
    fn check(params: Result<Query<Self>, QueryRejection>) -> Result<(), Failure> {
        let Query(params) = params.map_err(|rejection| Failure::invalid(rejection.body_text()))?;
        let bound = |name, value| given(value).map(|text| time(name, text)).transpose();
        let start = bound("start", params.start.as_ref())?;
        let end = bound("end", params.end.as_ref())?;
        if let (Some(start), Some(end)) = (start, end)
            && start >= end
        {
            return Err(Failure::invalid("start: must be before end"));
        }
        if given(params.q.as_ref()).is_some() {
            return Err(Failure::invalid(
                "q: filtering the spans of a trace is not supported; leave it out for the whole trace",
            ));
        }
        Ok(())
    }
}

fn wants_protobuf(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|accepted| accepted.contains(PROTOBUF))
}

/// `GET /api/traces/{id}`
pub(crate) async fn trace_v1(
    State(edge): State<Edge>,
    Path(id): Path<String>,
    params: Result<Query<TempoParams>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    TempoParams::check(params)?;
    let id = trace_id(&id)?;
    let Some(FoundTrace { spans, missing }) = edge.engines()?.query.trace(id).await? else {
        return Err(Failure::not_found("trace not found"));
    };
    if spans.is_empty() {
        // This version has no word for an incomplete answer, and "not found" would be wrong.
        return Err(Failure::unreadable(missing.join("; ")));
    }
    if wants_protobuf(&headers) {
        return Ok(respond(
            PROTOBUF,
            rendered(spans, wire::otlp::encode).await?,
        ));
    }
    let body = rendered(spans, |spans| {
        let mut json = String::from("{\"batches\":");
        write_resource_spans(spans, IdStyle::Base64, &mut json);
        json.push('}');
        json.into_bytes()
    });
    Ok(respond(JSON, body.await?))
}

/// `GET /api/v2/traces/{id}`
pub(crate) async fn trace_v2(
    State(edge): State<Edge>,
    Path(id): Path<String>,
    params: Result<Query<TempoParams>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    TempoParams::check(params)?;
    let id = trace_id(&id)?;
    let found = edge.engines()?.query.trace(id).await?;
    let (spans, missing) =
        found.map_or_else(Default::default, |found| (found.spans, found.missing));
    let message = missing.join("; ");
    if wants_protobuf(&headers) {
        let body = rendered(spans, move |spans| v2_protobuf(spans, &message));
        return Ok(respond(PROTOBUF, body.await?));
    }
    let body = rendered(spans, move |spans| v2_json(spans, &message));
    Ok(respond(JSON, body.await?))
}

/// Grafana looks into `trace` without asking whether it is there, so it always is.
fn v2_protobuf(spans: &SpanBatch, message: &str) -> Vec<u8> {
    let trace = wire::otlp::encode(spans);
    let mut writer = Writer::with_capacity(trace.len() + message.len() + 32);
    writer.bytes(response::TRACE, &trace);
    writer.bytes(response::METRICS, &[]);
    if !message.is_empty() {
        writer.varint(response::STATUS, response::PARTIAL);
        writer.bytes(response::MESSAGE, message.as_bytes());
    }
    writer.into_bytes()
}

fn v2_json(spans: &SpanBatch, message: &str) -> Vec<u8> {
    let mut json = String::from("{\"trace\":{");
    if !spans.is_empty() {
        json.push_str("\"resourceSpans\":");
        write_resource_spans(spans, IdStyle::Base64, &mut json);
    }
    json.push_str("},\"metrics\":{}");
    if !message.is_empty() {
        json.push_str(",\"status\":\"PARTIAL\",\"message\":");
        json.push_str(&quoted(message));
    }
    json.push('}');
    json.into_bytes()
}
