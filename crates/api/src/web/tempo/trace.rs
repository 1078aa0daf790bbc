//! `GET /api/traces/{id}` and `GET /api/v2/traces/{id}`: what Grafana asks when a trace is opened.
//!
//! JSON is proto3 JSON, so ids are base64; `Accept: application/protobuf` gives protobuf. A trace that is not held is 404
//! in the first version and an empty trace in the second.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use http::HeaderMap;
use model::SpanBatch;
use query::FoundTrace;
use serde::Deserialize;
use wire::otlp_json::{IdStyle, write_resource_spans};
use wire::proto::{Tag, Writer};

use super::part::Part;
use super::{JSON, PROTOBUF, wants_protobuf};
use crate::edge::Edge;
use crate::web::failure::Failure;
use crate::web::params::{boolean, given, number, parsed, time_range, trace_id};
use crate::web::query::compile_search;
use crate::web::trace::{quoted, rendered, respond};

/// `TraceByIDResponse`
mod response {
    use super::Tag;
    pub(super) const TRACE: Tag = Tag::len(1);
    pub(super) const METRICS: Tag = Tag::len(2);
    pub(super) const STATUS: Tag = Tag::varint(3);
    pub(super) const MESSAGE: Tag = Tag::len(4);
    pub(super) const PARTIAL: u64 = 1;
}

/// The parameters of both versions that mean something here; `q` and what follows are of the second. Clients send others,
/// which Tempo ignores too.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TraceParams {
    start: Option<String>,
    end: Option<String>,
    q: Option<String>,
    keep_hierarchy: Option<String>,
    match_depth: Option<String>,
    ancestor_depth: Option<String>,
}

type Params = Result<Query<TraceParams>, QueryRejection>;

impl TraceParams {
    /// Reads the parameters. Times are checked and not needed: a trace is found whatever its age.
    fn read(params: Params) -> Result<Self, Failure> {
        let Query(params) = params.map_err(|rejection| Failure::invalid(rejection.body_text()))?;
        time_range(given(params.start.as_ref()), given(params.end.as_ref()))?;
        Ok(params)
    }

    fn part(&self) -> Result<Option<Part>, Failure> {
        let Some(q) = given(self.q.as_ref()) else {
            return Ok(None);
        };
        let query = compile_search(q)?;
        let above = parsed("ancestor_depth", self.ancestor_depth.as_ref(), depth)?;
        let keeps = parsed("keep_hierarchy", self.keep_hierarchy.as_ref(), boolean)?;
        Ok(Some(Part {
            query,
            above: match keeps {
                Some(true) => above.unwrap_or(u32::MAX),
                _ => 0,
            },
            below: parsed("match_depth", self.match_depth.as_ref(), depth)?.unwrap_or(0),
        }))
    }
}

/// How many levels: −1 stands for all.
fn depth(name: &str, text: &str) -> Result<u32, Failure> {
    match text {
        "-1" => Ok(u32::MAX),
        text => {
            let levels = number(name, text)?;
            Ok(u32::try_from(levels).unwrap_or(u32::MAX))
        }
    }
}

/// `GET /api/traces/{id}`
pub(crate) async fn trace_v1(
    State(edge): State<Edge>,
    Path(id): Path<String>,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    TraceParams::read(params)?;
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
            rendered(spans, |spans| wire::otlp::encode(&spans)).await?,
        ));
    }
    let body = rendered(spans, |spans| {
        let mut json = String::from("{\"batches\":");
        write_resource_spans(&spans, IdStyle::Base64, &mut json);
        json.push('}');
        json.into_bytes()
    });
    Ok(respond(JSON, body.await?))
}

/// `GET /api/v2/traces/{id}`
pub(crate) async fn trace_v2(
    State(edge): State<Edge>,
    Path(id): Path<String>,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let part = TraceParams::read(params)?.part()?;
    let id = trace_id(&id)?;
    let found = edge.engines()?.query.trace(id).await?;
    let (spans, missing) =
        found.map_or_else(Default::default, |found| (found.spans, found.missing));
    let message = missing.join("; ");
    let is_protobuf = wants_protobuf(&headers);
    let body = rendered(spans, move |mut spans| {
        if let Some(part) = part {
            part.take(&mut spans);
        }
        match is_protobuf {
            true => v2_protobuf(&spans, &message),
            false => v2_json(&spans, &message),
        }
    });
    let content_type = if is_protobuf { PROTOBUF } else { JSON };
    Ok(respond(content_type, body.await?))
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
