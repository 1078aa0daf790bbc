//! Bytes to spans and back: OTLP in protobuf and JSON, and Jaeger's JSON; and the messages of Tempo's query API.
//!
//! Every format becomes OTLP protobuf at the door ([`otlp_json::to_protobuf`], [`jaeger_json::to_protobuf`]), so that there
//! is one path behind it: [`otlp::decode`] makes a [`SpanBatch`](model::SpanBatch). Answers go the other way through
//! [`otlp::encode`] and [`otlp_json::write_resource_spans`].
//!
//! This is the only crate that knows the protobuf wire format; [`proto`] lends its cursor and writer to those who speak
//! other protobuf messages. Input is hostile: no function here panics or recurses without a bound, and memory is a bounded
//! multiple of the input: some twelve times for OTLP made of empty events, about a hundred times for Jaeger's JSON made of
//! empty spans, which is read into objects first and is meant for files.

pub mod jaeger_json;
pub mod otlp;
pub mod otlp_json;
pub mod proto;
pub mod response;
pub mod tempo;

mod json;
mod schema;
