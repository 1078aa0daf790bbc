//! What is answered.

use model::Value;
use serde::Serialize;

use super::json::{is_zero, pairs, stats_by_service, text_u64, value};

/// Traces that match, or those of them that are new since the message before.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SearchResponse {
    /// The traces, in order.
    pub traces: Vec<TraceMetadata>,
    /// What was looked at.
    pub metrics: SearchMetrics,
}

/// A trace that matches.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TraceMetadata {
    /// Hex.
    pub trace_id: String,
    /// Service of the root span, or words that say that there is none.
    pub root_service_name: String,
    /// Name of the root span.
    pub root_trace_name: String,
    /// Earliest start.
    pub start_time_unix_nano: u64,
    /// From the earliest start to the latest end, whole milliseconds.
    pub duration_ms: u32,
    /// The matching spans; the first set is written a second time as `spanSet`, where old clients look for it.
    pub span_sets: Vec<SpanSet>,
    /// Spans and errors of each service.
    pub service_stats: Vec<(String, ServiceStats)>,
}

/// A service's share of a trace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceStats {
    /// Its spans.
    #[serde(skip_serializing_if = "is_zero")]
    pub span_count: u32,
    /// Its spans whose status is error.
    #[serde(skip_serializing_if = "is_zero")]
    pub error_count: u32,
}

/// Spans of a trace that match.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SpanSet {
    /// The first few.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spans: Vec<Span>,
    /// How many there are.
    #[serde(skip_serializing_if = "is_zero")]
    pub matched: u32,
    /// Keys of `by`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<KeyValue>,
}

/// A span that matches.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Span {
    /// 16 hex digits.
    #[serde(rename = "spanID", skip_serializing_if = "String::is_empty")]
    pub span_id: String,
    /// Its name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// When it started.
    #[serde(serialize_with = "text_u64", skip_serializing_if = "is_zero")]
    pub start_time_unix_nano: u64,
    /// End minus start.
    #[serde(serialize_with = "text_u64", skip_serializing_if = "is_zero")]
    pub duration_nanos: u64,
    /// What the query touched.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<KeyValue>,
}

/// A name and a value.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct KeyValue {
    /// The name.
    pub key: String,
    /// The value.
    #[serde(serialize_with = "value")]
    pub value: Value,
}

/// What a search or a metrics query looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SearchMetrics {
    /// Traces.
    #[serde(skip_serializing_if = "is_zero")]
    pub inspected_traces: u32,
    /// Bytes read.
    #[serde(serialize_with = "text_u64", skip_serializing_if = "is_zero")]
    pub inspected_bytes: u64,
    /// Blocks that there are.
    #[serde(skip_serializing_if = "is_zero")]
    pub total_blocks: u32,
    /// Parts of the work that are done; with the next field, the progress.
    #[serde(skip_serializing_if = "is_zero")]
    pub completed_jobs: u32,
    /// Parts of the work.
    #[serde(skip_serializing_if = "is_zero")]
    pub total_jobs: u32,
    /// Bytes of all blocks.
    #[serde(serialize_with = "text_u64", skip_serializing_if = "is_zero")]
    pub total_block_bytes: u64,
    /// Spans.
    #[serde(serialize_with = "text_u64", skip_serializing_if = "is_zero")]
    pub inspected_spans: u64,
}

/// What a question for names or values looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MetadataMetrics {
    /// Bytes read.
    #[serde(serialize_with = "text_u64", skip_serializing_if = "is_zero")]
    pub inspected_bytes: u64,
    /// Parts of the work.
    #[serde(skip_serializing_if = "is_zero")]
    pub total_jobs: u32,
    /// Parts of the work that are done.
    #[serde(skip_serializing_if = "is_zero")]
    pub completed_jobs: u32,
    /// Blocks that there are.
    #[serde(skip_serializing_if = "is_zero")]
    pub total_blocks: u32,
    /// Bytes of all blocks.
    #[serde(serialize_with = "text_u64", skip_serializing_if = "is_zero")]
    pub total_block_bytes: u64,
}

/// Names of attributes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TagsResponse {
    /// The names.
    pub tag_names: Vec<String>,
    /// What was looked at.
    pub metrics: MetadataMetrics,
}

/// Names of attributes by scope.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TagsV2Response {
    /// The scopes that have names.
    pub scopes: Vec<TagScope>,
    /// What was looked at.
    pub metrics: MetadataMetrics,
}

/// Names of attributes of one scope.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TagScope {
    /// `resource`, `span`, `event`, `link`, `instrumentation` or `intrinsic`.
    pub name: String,
    /// The names.
    pub tags: Vec<String>,
}

/// Values as text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TagValuesResponse {
    /// The values.
    pub tag_values: Vec<String>,
    /// What was looked at.
    pub metrics: MetadataMetrics,
}

/// Values with their types.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TagValuesV2Response {
    /// The values.
    pub tag_values: Vec<TagValue>,
    /// What was looked at.
    pub metrics: MetadataMetrics,
}

/// A value and its type.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TagValue {
    /// `string`, `int`, `float`, `bool`, `duration` or `keyword`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The value as text, without quotes.
    pub value: String,
}

/// Series over time.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct QueryRangeResponse {
    /// The series.
    pub series: Vec<TimeSeries>,
    /// What was looked at.
    pub metrics: SearchMetrics,
    /// What is missing, in words; its presence makes the status `PARTIAL`.
    #[serde(flatten)]
    pub partial: Partial,
}

/// Whether an answer is complete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Partial(pub Option<String>);

/// One series.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct TimeSeries {
    /// Names and typed values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<KeyValue>,
    /// The points.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<Sample>,
    /// Spans to look at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exemplars: Vec<Exemplar>,
}

/// A point of a series.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sample {
    /// When.
    #[serde(
        serialize_with = "super::json::text_i64",
        skip_serializing_if = "is_zero"
    )]
    pub timestamp_ms: i64,
    /// How much.
    #[serde(skip_serializing_if = "is_zero")]
    pub value: f64,
}

/// A span that a series counted.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Exemplar {
    /// Which: `trace:id` and `span:id`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<KeyValue>,
    /// Its value.
    #[serde(skip_serializing_if = "is_zero")]
    pub value: f64,
    /// When.
    #[serde(
        serialize_with = "super::json::text_i64",
        skip_serializing_if = "is_zero"
    )]
    pub timestamp_ms: i64,
}

/// One number for each series.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct QueryInstantResponse {
    /// The series.
    pub series: Vec<InstantSeries>,
    /// What was looked at.
    pub metrics: SearchMetrics,
    /// See [`QueryRangeResponse::partial`].
    #[serde(flatten)]
    pub partial: Partial,
}

/// A series of one number.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct InstantSeries {
    /// Names and typed values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<KeyValue>,
    /// How much.
    #[serde(skip_serializing_if = "is_zero")]
    pub value: f64,
}

/// As [`TraceMetadata`] is written in JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TraceJson<'a> {
    #[serde(rename = "traceID")]
    trace_id: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    root_service_name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    root_trace_name: &'a str,
    #[serde(serialize_with = "text_u64", skip_serializing_if = "is_zero")]
    start_time_unix_nano: u64,
    #[serde(skip_serializing_if = "is_zero")]
    duration_ms: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    span_set: Option<&'a SpanSet>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    span_sets: &'a [SpanSet],
    #[serde(
        serialize_with = "stats_by_service",
        skip_serializing_if = "<[_]>::is_empty"
    )]
    service_stats: &'a [(String, ServiceStats)],
}

impl Serialize for TraceMetadata {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        TraceJson {
            trace_id: &self.trace_id,
            root_service_name: &self.root_service_name,
            root_trace_name: &self.root_trace_name,
            start_time_unix_nano: self.start_time_unix_nano,
            duration_ms: self.duration_ms,
            span_set: self.span_sets.first(),
            span_sets: &self.span_sets,
            service_stats: &self.service_stats,
        }
        .serialize(serializer)
    }
}

impl Serialize for Partial {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let members = self.0.as_deref();
        pairs(
            members.map(|message| [("status", "PARTIAL"), ("message", message)]),
            serializer,
        )
    }
}
