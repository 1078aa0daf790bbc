//! From Jaeger's model to OTLP's, by the table of the module above.

use std::borrow::Cow;
use std::collections::HashMap;

use model::{SpanId, SpanKind, StatusCode, TraceId, Value};
use serde_json::Value as Json;

use super::document::{Log, Process, Reference, Span, Tag, Trace};
use crate::json::base64_bytes;
use crate::otlp::value::write_owned;
use crate::proto::{self, Writer};
use crate::schema::{
    event, key_value, link, request, resource, resource_spans, scope, scope_spans, span, status,
};

/// What old SDKs wrote as the service name where there was none.
const NO_SERVICE_NAME: &str = "OTLPResourceNoServiceName";

type Attributes<'a> = Vec<(Cow<'a, str>, Value)>;

/// A span on its way: its tags as attributes, and what was taken out of them.
struct Converted<'a> {
    span: &'a Span<'a>,
    attributes: Attributes<'a>,
    scope: (String, String),
    trace_state: String,
    kind: SpanKind,
    status: (StatusCode, String),
}

/// Writes a trace as one `ResourceSpans` for each process, with one `ScopeSpans` for each scope in it.
pub(super) fn trace(w: &mut Writer, trace: &Trace<'_>) {
    let mut groups: Vec<(Option<&Process<'_>>, Vec<Vec<Converted<'_>>>)> = Vec::new();
    let mut processes = HashMap::new();
    let mut scopes = HashMap::new();
    for span in trace.spans.iter().flatten() {
        let process = process_of(trace, span);
        // Processes are told apart by where they stand: each is written once.
        let address = process.map(std::ptr::from_ref);
        let at = *processes.entry(address).or_insert_with(|| {
            groups.push((process, Vec::new()));
            groups.len() - 1
        });
        let converted = convert(span);
        let scoped = &mut groups[at].1;
        let inner = *scopes
            .entry((at, converted.scope.clone()))
            .or_insert_with(|| {
                scoped.push(Vec::new());
                scoped.len() - 1
            });
        scoped[inner].push(converted);
    }
    for (process, scoped) in &groups {
        w.message_sized(3, request::RESOURCE_SPANS, |w| {
            w.message_sized(2, resource_spans::RESOURCE, |w| {
                if let Some(process) = process {
                    write_attributes(w, resource::ATTRIBUTES, &resource_attributes(process));
                }
            });
            for spans in scoped {
                w.message_sized(3, resource_spans::SCOPE_SPANS, |w| scope_spans(w, spans));
            }
        });
    }
}

fn process_of<'a>(trace: &'a Trace<'a>, span: &'a Span<'a>) -> Option<&'a Process<'a>> {
    let named = || {
        let id = span.process_id.as_deref()?;
        trace.processes.as_ref()?.get(id)
    };
    span.process.as_ref().or_else(named)
}

fn resource_attributes<'a>(process: &'a Process<'a>) -> Attributes<'a> {
    let mut attributes = tags(process.tags.as_deref());
    if let Some(version) = take_text(&mut attributes, "jaeger.version") {
        let exporter = Value::Str(format!("Jaeger-{version}"));
        attributes.push(("opencensus.exporterversion".into(), exporter));
    }
    let has_host_name = attributes.iter().any(|(key, _)| key == "host.name");
    for (key, _) in &mut attributes {
        if key == "hostname" && !has_host_name {
            *key = "host.name".into();
        }
    }
    if process.service_name != NO_SERVICE_NAME && !process.service_name.is_empty() {
        let name = Value::Str(process.service_name.clone().into_owned());
        attributes.insert(0, (model::SERVICE_NAME.into(), name));
    }
    attributes
}

fn convert<'a>(span: &'a Span<'a>) -> Converted<'a> {
    let mut attributes = tags(span.tags.as_deref());
    let kind = take_kind(&mut attributes);
    let status = take_status(&mut attributes, kind);
    let mut either = |new, old| {
        take_text(&mut attributes, new)
            .or_else(|| take_text(&mut attributes, old))
            .unwrap_or_default()
    };
    let scope = (
        either("otel.scope.name", "otel.library.name"),
        either("otel.scope.version", "otel.library.version"),
    );
    let trace_state = take_text(&mut attributes, "w3c.tracestate").unwrap_or_default();
    if let Some(warnings) = span.warnings.as_ref().filter(|w| !w.is_empty()) {
        let texts = warnings.iter().map(|w| Value::Str(w.clone().into_owned()));
        attributes.push(("@jaeger@warnings".into(), Value::Array(texts.collect())));
    }
    Converted {
        span,
        attributes,
        scope,
        trace_state,
        kind,
        status,
    }
}

fn tags<'a>(tags: Option<&'a [Tag<'a>]>) -> Attributes<'a> {
    let tags = tags.unwrap_or_default();
    tags.iter()
        .map(|tag| (Cow::Borrowed(&*tag.key), value(tag)))
        .collect()
}

/// The value of a tag in its declared type; where that does not fit, as it stands.
fn value(tag: &Tag<'_>) -> Value {
    let declared = match (&*tag.kind, &tag.value) {
        ("bool", Json::String(text)) => text.parse().ok().map(Value::Bool),
        ("int64", Json::String(text)) => text.parse().ok().map(Value::Int),
        ("int64", Json::Number(number)) => number.as_i64().map(Value::Int),
        ("float64", Json::String(text)) => text.parse().ok().map(Value::Double),
        ("float64", Json::Number(number)) => number.as_f64().map(Value::Double),
        ("binary", Json::String(text)) => base64_bytes(text).map(Value::Bytes),
        _ => None,
    };
    declared.unwrap_or_else(|| plain(&tag.value))
}

/// A JSON value as it stands; arrays and objects as their text.
fn plain(value: &Json) -> Value {
    match value {
        Json::Null => Value::Empty,
        Json::Bool(bool) => Value::Bool(*bool),
        Json::Number(number) => number.as_i64().map_or_else(
            || Value::Double(number.as_f64().unwrap_or_default()),
            Value::Int,
        ),
        Json::String(text) => Value::Str(text.clone()),
        Json::Array(_) | Json::Object(_) => Value::Str(value.to_string()),
    }
}

/// Removes the first attribute of this key if `wanted` makes something of it.
fn take<T>(
    attributes: &mut Attributes<'_>,
    key: &str,
    wanted: impl Fn(&Value) -> Option<T>,
) -> Option<T> {
    let at = attributes.iter().position(|(k, _)| k == key)?;
    let found = wanted(&attributes[at].1)?;
    attributes.remove(at);
    Some(found)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Str(text) => Some(text.clone()),
        _ => None,
    }
}

fn take_text(attributes: &mut Attributes<'_>, key: &str) -> Option<String> {
    take(attributes, key, text)
}

fn take_kind(attributes: &mut Attributes<'_>) -> SpanKind {
    let kind = take(attributes, "span.kind", |value| match value {
        Value::Str(kind) => Some(match &*kind.to_ascii_lowercase() {
            "internal" => SpanKind::Internal,
            "server" => SpanKind::Server,
            "client" => SpanKind::Client,
            "producer" => SpanKind::Producer,
            "consumer" => SpanKind::Consumer,
            _ => return None,
        }),
        _ => None,
    });
    kind.unwrap_or_default()
}

/// The tag `error` is the last word; then comes what OpenTelemetry left behind; then what HTTP says.
fn take_status(attributes: &mut Attributes<'_>, kind: SpanKind) -> (StatusCode, String) {
    let error = take(attributes, "error", |value| {
        (*value == Value::Bool(true)).then_some(())
    });
    let stated = take_text(attributes, "otel.status_code");
    let http_message = |attributes: &Attributes<'_>| {
        let found = attributes.iter().find(|(k, _)| k == "http.status_message");
        found.and_then(|(_, value)| text(value))
    };
    if error.is_some() {
        let message = take_text(attributes, "otel.status_description");
        let message = message.or_else(|| http_message(attributes));
        return (StatusCode::Error, message.unwrap_or_default());
    }
    if let Some(code) = stated {
        let message = take_text(attributes, "otel.status_description");
        let code = match &*code.to_ascii_uppercase() {
            "OK" => StatusCode::Ok,
            "ERROR" => StatusCode::Error,
            _ => StatusCode::Unset,
        };
        return (code, message.unwrap_or_default());
    }
    if http_says_error(attributes, kind) {
        return (
            StatusCode::Error,
            http_message(attributes).unwrap_or_default(),
        );
    }
    (StatusCode::Unset, String::new())
}

fn http_says_error(attributes: &Attributes<'_>, kind: SpanKind) -> bool {
    let found = attributes.iter().find(|(key, _)| key == "http.status_code");
    let code = match found.map(|(_, value)| value) {
        Some(Value::Int(code)) => *code,
        Some(Value::Double(code)) => *code as i64,
        Some(Value::Str(code)) => code.parse().unwrap_or_default(),
        _ => 0,
    };
    match code {
        400..=499 => kind != SpanKind::Server,
        500..=599 => true,
        _ => false,
    }
}

fn scope_spans(w: &mut Writer, spans: &[Converted<'_>]) {
    w.message(scope_spans::SCOPE, |w| {
        if let Some(first) = spans.first() {
            w.put_bytes(scope::NAME, first.scope.0.as_bytes());
            w.put_bytes(scope::VERSION, first.scope.1.as_bytes());
        }
    });
    for span in spans {
        w.message_sized(2, scope_spans::SPANS, |w| write_span(w, span));
    }
}

fn write_span(w: &mut Writer, converted: &Converted<'_>) {
    let span = converted.span;
    let trace_id = id_or_zero::<TraceId>(&span.trace_id);
    let (parent, links) = parent_and_links(span, trace_id);
    w.bytes(span::TRACE_ID, &trace_id.0);
    w.bytes(span::SPAN_ID, &id_or_zero::<SpanId>(&span.span_id).0);
    w.put_bytes(span::TRACE_STATE, converted.trace_state.as_bytes());
    if !parent.is_zero() {
        w.bytes(span::PARENT_SPAN_ID, &parent.0);
    }
    w.put_bytes(span::NAME, span.operation_name.as_bytes());
    w.put_varint(span::KIND, converted.kind as u64);
    w.put_fixed64(span::START, nanos(span.start_time));
    let end = span.start_time.saturating_add(span.duration);
    w.put_fixed64(span::END, nanos(end));
    write_attributes(w, span::ATTRIBUTES, &converted.attributes);
    for log in span.logs.iter().flatten() {
        w.message(span::EVENTS, |w| write_log(w, log));
    }
    for reference in links {
        w.message(span::LINKS, |w| write_link(w, reference));
    }
    let (code, message) = &converted.status;
    if *code != StatusCode::Unset || !message.is_empty() {
        w.message(span::STATUS, |w| {
            w.put_bytes(status::MESSAGE, message.as_bytes());
            w.put_varint(status::CODE, *code as u64);
        });
    }
    // Bit 0 is "sampled" on both sides; what Jaeger has above it means something else to OTLP.
    w.put_fixed32(span::FLAGS, span.flags.unwrap_or_default() & 1);
}

/// The parent, zeros if there is none, and the references that are not it.
fn parent_and_links<'a>(
    span: &'a Span<'a>,
    trace_id: TraceId,
) -> (SpanId, impl Iterator<Item = &'a Reference<'a>>) {
    let references = span.references.as_deref().unwrap_or_default();
    let at = references.iter().position(|reference| {
        reference.kind == "CHILD_OF" && id_or_zero::<TraceId>(&reference.trace_id) == trace_id
    });
    let parent = match at {
        Some(at) => &*references[at].span_id,
        None => span.parent_span_id.as_deref().unwrap_or_default(),
    };
    let others = references.iter().enumerate();
    let others = others.filter(move |(position, _)| Some(*position) != at);
    (id_or_zero(parent), others.map(|(_, reference)| reference))
}

fn write_link(w: &mut Writer, reference: &Reference<'_>) {
    let trace_id = id_or_zero::<TraceId>(&reference.trace_id);
    let span_id = id_or_zero::<SpanId>(&reference.span_id);
    let kind = Value::Str(reference.kind.to_ascii_lowercase());
    w.bytes(link::TRACE_ID, &trace_id.0);
    w.bytes(link::SPAN_ID, &span_id.0);
    write_attributes(
        w,
        link::ATTRIBUTES,
        &vec![("opentracing.ref_type".into(), kind)],
    );
}

fn write_log(w: &mut Writer, log: &Log<'_>) {
    let mut fields = tags(log.fields.as_deref());
    let name = take_text(&mut fields, "event").or_else(|| take_text(&mut fields, "message"));
    w.put_fixed64(event::TIME, nanos(log.timestamp));
    w.put_bytes(event::NAME, name.unwrap_or_default().as_bytes());
    write_attributes(w, event::ATTRIBUTES, &fields);
}

fn write_attributes(w: &mut Writer, tag: proto::Tag, attributes: &Attributes<'_>) {
    for (key, value) in attributes {
        w.message(tag, |w| {
            w.put_bytes(key_value::KEY, key.as_bytes());
            w.message(key_value::VALUE, |w| write_owned(w, value));
        });
    }
}

/// An id of 1 to 16 or 32 hex digits; zeros, which no span may have, for anything else.
fn id_or_zero<Id: std::str::FromStr + Default>(text: &str) -> Id {
    text.parse().unwrap_or_default()
}

/// Microseconds as nanoseconds; what does not fit stays out of range, for the decoder to reject.
fn nanos(micros: u64) -> u64 {
    micros.saturating_mul(1_000)
}
