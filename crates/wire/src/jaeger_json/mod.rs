//! Jaeger's legacy JSON, as its query API answers and its UI saves to files: from a trace to OTLP protobuf.
//!
//! The translation is the one that Jaeger and the OpenTelemetry Collector agree on:
//!
//! | Jaeger | OTLP |
//! |---|---|
//! | process | resource: `serviceName` is `service.name`, tag `hostname` is `host.name` if that is absent, tag `jaeger.version` is `opencensus.exporterversion` |
//! | tag `span.kind` | kind |
//! | tag `error` = true | status error, with `otel.status_description` or else `http.status_message`; wins over the next two |
//! | tag `otel.status_code` | status, with `otel.status_description` |
//! | tag `http.status_code` | status error from 500, for all but servers from 400; the tag stays |
//! | tags `otel.scope.name`, `otel.scope.version` (older: `otel.library.…`) | scope |
//! | tag `w3c.tracestate` | trace state |
//! | log | event, named by its field `event`, or else `message` |
//! | first reference CHILD_OF in the same trace | parent |
//! | other references | links with `opentracing.ref_type` |
//! | `warnings` | attribute `@jaeger@warnings`, a list |
//!
//! Times are whole microseconds. Of `flags` the sampled bit is kept. An id that is no hex number becomes none, so that
//! [`otlp::decode`](crate::otlp::decode) rejects that span alone.

mod convert;
mod document;

use crate::json::{JsonError, Trail};
use crate::proto::Writer;
use document::Document;

/// An `ExportTraceServiceRequest` with the spans of one trace object (`{"traceID": …, "spans": […], "processes": {…}}`) or
/// of an answer that holds many (`{"data": [trace, …]}`).
///
/// # Errors
/// [`JsonError`] with line and column when the text is no JSON or not of this form.
pub fn to_protobuf(trace_or_document: &[u8]) -> Result<Vec<u8>, JsonError> {
    let document: Document<'_> = serde_json::from_slice(trace_or_document)
        .map_err(|error| Trail::default().error(&error))?;
    let mut w = Writer::with_capacity(trace_or_document.len() / 2);
    for trace in document.into_traces()? {
        convert::trace(&mut w, &trace);
    }
    Ok(w.into_bytes())
}
