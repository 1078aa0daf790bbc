//! The JSON as it is written, with all that is optional or spelled in two ways.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::{Deserialize, Deserializer};

use super::JsonError;

/// Either an answer with many traces, or one trace.
#[derive(Debug, Deserialize)]
pub(super) struct Document<'a> {
    #[serde(borrow, default)]
    data: Option<Vec<Trace<'a>>>,
    #[serde(borrow, default)]
    spans: Option<Vec<Span<'a>>>,
    #[serde(borrow, default)]
    processes: Option<HashMap<Cow<'a, str>, Process<'a>>>,
}

impl<'a> Document<'a> {
    pub(super) fn into_traces(self) -> Result<Vec<Trace<'a>>, JsonError> {
        match (self.data, self.spans) {
            (Some(traces), _) => Ok(traces),
            (None, Some(spans)) => Ok(vec![Trace {
                spans: Some(spans),
                processes: self.processes,
            }]),
            (None, None) => Err(JsonError {
                line: 1,
                column: 1,
                path: String::new(),
                message: "found neither `spans` of a trace nor `data` of an answer".into(),
            }),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Trace<'a> {
    #[serde(borrow, default)]
    pub(super) spans: Option<Vec<Span<'a>>>,
    #[serde(borrow, default)]
    pub(super) processes: Option<HashMap<Cow<'a, str>, Process<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Span<'a> {
    #[serde(rename = "traceID", borrow, default)]
    pub(super) trace_id: Cow<'a, str>,
    #[serde(rename = "spanID", borrow, default)]
    pub(super) span_id: Cow<'a, str>,
    /// Deprecated since references exist; old files have it.
    #[serde(rename = "parentSpanID", borrow, default)]
    pub(super) parent_span_id: Option<Cow<'a, str>>,
    #[serde(default)]
    pub(super) flags: Option<u32>,
    #[serde(borrow, default)]
    pub(super) operation_name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) references: Option<Vec<Reference<'a>>>,
    #[serde(default, deserialize_with = "micros")]
    pub(super) start_time: u64,
    #[serde(default, deserialize_with = "micros")]
    pub(super) duration: u64,
    #[serde(borrow, default)]
    pub(super) tags: Option<Vec<Tag<'a>>>,
    #[serde(borrow, default)]
    pub(super) logs: Option<Vec<Log<'a>>>,
    #[serde(rename = "processID", borrow, default)]
    pub(super) process_id: Option<Cow<'a, str>>,
    /// In place of `processID`, where spans are stored one by one.
    #[serde(borrow, default)]
    pub(super) process: Option<Process<'a>>,
    #[serde(borrow, default)]
    pub(super) warnings: Option<Vec<Cow<'a, str>>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Reference<'a> {
    #[serde(rename = "refType", borrow, default)]
    pub(super) kind: Cow<'a, str>,
    #[serde(rename = "traceID", borrow, default)]
    pub(super) trace_id: Cow<'a, str>,
    #[serde(rename = "spanID", borrow, default)]
    pub(super) span_id: Cow<'a, str>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Process<'a> {
    #[serde(rename = "serviceName", borrow, default)]
    pub(super) service_name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) tags: Option<Vec<Tag<'a>>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Tag<'a> {
    #[serde(borrow, default)]
    pub(super) key: Cow<'a, str>,
    /// `string`, `bool`, `int64`, `float64` or `binary`.
    #[serde(rename = "type", borrow, default)]
    pub(super) kind: Cow<'a, str>,
    #[serde(default)]
    pub(super) value: serde_json::Value,
}

#[derive(Debug, Deserialize)]
pub(super) struct Log<'a> {
    #[serde(default, deserialize_with = "micros")]
    pub(super) timestamp: u64,
    #[serde(borrow, default)]
    pub(super) fields: Option<Vec<Tag<'a>>>,
}

/// Microseconds, as a number or as a decimal string.
fn micros<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Spelling<'a> {
        Int(u64),
        Float(f64),
        #[serde(borrow)]
        Text(Cow<'a, str>),
    }
    let parsed = match Spelling::deserialize(deserializer) {
        Ok(Spelling::Int(int)) => Some(int),
        Ok(Spelling::Float(float)) => (float >= 0.0).then_some(float as u64),
        Ok(Spelling::Text(text)) => text.parse().ok(),
        Err(_) => None,
    };
    parsed.ok_or_else(|| serde::de::Error::custom("expected a count of microseconds"))
}
