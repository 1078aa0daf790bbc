//! OTLP/JSON: from a request to protobuf, and from a [`SpanBatch`](model::SpanBatch) to `ResourceSpans`.
//!
//! [`to_protobuf`] turns a request into its protobuf twin, so that JSON is only a spelling and one decoder makes the rules.
//! The spelling is proto3 JSON but for what the OTLP specification changes: ids are hex, enums are numbers, names are
//! `lowerCamelCase` only, unknown members are passed over.
//!
//! [`write_resource_spans`] writes either of two spellings: OTLP/JSON, and the plain proto3 JSON that Tempo answers with.

mod read;
mod write;

pub use crate::json::JsonError;
pub use read::to_protobuf;
pub use write::{IdStyle, write_resource_spans};
