//! Requests to send, made with the reference types of OpenTelemetry.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message as _;

use crate::world::NOW;

/// The trace of [`trace`], in hex.
pub(crate) const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";

fn id_bytes() -> Vec<u8> {
    (0..16)
        .map(|at| u8::from_str_radix(&TRACE_ID[at * 2..at * 2 + 2], 16).unwrap())
        .collect()
}

/// Spans of one service.
pub(crate) fn request_of(service: &str, spans: Vec<Span>) -> ExportTraceServiceRequest {
    let name = KeyValue {
        key: "service.name".into(),
        value: Some(AnyValue {
            value: Some(any_value::Value::StringValue(service.into())),
        }),
        ..KeyValue::default()
    };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: vec![name],
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

/// A span of the trace [`TRACE_ID`]; `number` is its id, 1 the root.
pub(crate) fn span(number: u8) -> Span {
    let start = NOW as u64 - 1_000_000_000 + u64::from(number);
    Span {
        trace_id: id_bytes(),
        span_id: vec![0, 0, 0, 0, 0, 0, 0, number],
        parent_span_id: if number == 1 {
            vec![]
        } else {
            vec![0, 0, 0, 0, 0, 0, 0, 1]
        },
        name: format!("operation {number}"),
        kind: 2,
        start_time_unix_nano: start,
        end_time_unix_nano: start + 250_000_000,
        status: Some(Status {
            code: if number == 2 { 2 } else { 0 },
            ..Status::default()
        }),
        ..Span::default()
    }
}

/// A trace of three spans, one of them with an error.
pub(crate) fn trace() -> ExportTraceServiceRequest {
    request_of("shop", (1..=3).map(span).collect())
}

/// [`trace`] as bytes.
pub(crate) fn trace_bytes() -> Vec<u8> {
    trace().encode_to_vec()
}

/// [`trace`] with a span that must be rejected.
pub(crate) fn with_bad_span() -> Vec<u8> {
    let mut spans: Vec<Span> = (1..=3).map(span).collect();
    spans[1].trace_id = vec![0; 16];
    request_of("shop", spans).encode_to_vec()
}

/// The same in OTLP/JSON.
pub(crate) const JSON: &str = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},
    "scopeSpans":[{"spans":[{"traceId":"0AF7651916CD43DD8448EB211C80319C","spanId":"0000000000000001","name":"from json","kind":2,
    "startTimeUnixNano":"1795253399000000000","endTimeUnixNano":1795253399250000000}]}]}]}"#;

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zlib(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 3).unwrap()
}

/// A `google.rpc.Status`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct RpcStatus {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
    #[prost(message, repeated, tag = "3")]
    pub(crate) details: Vec<AnyMessage>,
}

/// A `google.protobuf.Any`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct AnyMessage {
    #[prost(string, tag = "1")]
    pub(crate) type_url: String,
    #[prost(bytes, tag = "2")]
    pub(crate) value: Vec<u8>,
}
