//! The messages of Tempo's query API: what is asked over gRPC, and what is answered, as protobuf and as proto3 JSON.
//!
//! Answers are plain structs. Each is rendered twice from the same fields: `to_protobuf`, and `serde::Serialize` in the form
//! that proto3 JSON has (camelCase, 64-bit integers as strings, zero values left out), except that the lists at the top of an
//! answer are always there, as Tempo writes them. Requests are read with the bounds of [`Reader`](crate::proto::Reader).

mod json;
mod protobuf;
mod request;
mod response;

pub use request::{
    QueryInstantRequest, QueryRangeRequest, RequestError, SearchRequest, TagValuesRequest,
    TagsRequest,
};
pub use response::{
    Exemplar, InstantSeries, KeyValue, MetadataMetrics, Partial, QueryInstantResponse,
    QueryRangeResponse, Sample, SearchMetrics, SearchResponse, ServiceStats, Span, SpanSet,
    TagScope, TagValue, TagValuesResponse, TagValuesV2Response, TagsResponse, TagsV2Response,
    TimeSeries, TraceMetadata,
};
