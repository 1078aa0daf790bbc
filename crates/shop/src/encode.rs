//! Spans as the protobuf message `ExportTraceServiceRequest` of OTLP.

use std::sync::Arc;

use model::Value;

use crate::proto::Writer;
use crate::span::{Attribute, Event, Link, Scope, ServiceSpans, Span};

/// The body of an export request with these spans: a `ResourceSpans` per group, a `ScopeSpans` per library in the order of
/// its first span.
pub fn encode<'a>(groups: impl IntoIterator<Item = &'a ServiceSpans>) -> Vec<u8> {
    let mut request = Writer::default();
    for group in groups {
        request.message(1, |w| resource_spans(w, group));
    }
    request.into_bytes()
}

fn resource_spans(w: &mut Writer, group: &ServiceSpans) {
    let resource = &group.resource;
    w.message(1, |w| {
        attributes(w, 1, &resource.attributes);
        w.uint(2, u64::from(resource.dropped_attributes));
    });
    let mut scopes: Vec<&Arc<Scope>> = Vec::new();
    for span in &group.spans {
        if !scopes.iter().any(|scope| same(scope, &span.scope)) {
            scopes.push(&span.scope);
        }
    }
    for scope in scopes {
        w.message(2, |w| {
            w.message(1, |w| {
                w.bytes(1, scope.name.as_bytes());
                w.bytes(2, scope.version.as_bytes());
                attributes(w, 3, &scope.attributes);
                w.uint(4, u64::from(scope.dropped_attributes));
            });
            for one in group.spans.iter().filter(|one| same(scope, &one.scope)) {
                w.message(2, |w| span(w, one));
            }
            w.bytes(3, scope.schema_url.as_bytes());
        });
    }
    w.bytes(3, resource.schema_url.as_bytes());
}

fn same(left: &Arc<Scope>, right: &Arc<Scope>) -> bool {
    Arc::ptr_eq(left, right) || left == right
}

fn span(w: &mut Writer, span: &Span) {
    w.bytes(1, &span.trace_id.0);
    w.bytes(2, &span.span_id.0);
    w.bytes(3, span.trace_state.as_bytes());
    if !span.is_root() {
        w.bytes(4, &span.parent_span_id.0);
    }
    w.bytes(5, span.name.as_bytes());
    w.uint(6, span.kind as u64);
    w.fixed64(7, span.start.0 as u64);
    w.fixed64(8, span.end.0 as u64);
    attributes(w, 9, &span.attributes);
    w.uint(10, u64::from(span.dropped_attributes));
    for event in &span.events {
        w.message(11, |w| write_event(w, event));
    }
    w.uint(12, u64::from(span.dropped_events));
    for link in &span.links {
        w.message(13, |w| write_link(w, link));
    }
    w.uint(14, u64::from(span.dropped_links));
    if span.status as u64 != 0 || !span.status_message.is_empty() {
        w.message(15, |w| {
            w.bytes(2, span.status_message.as_bytes());
            w.uint(3, span.status as u64);
        });
    }
    w.fixed32(16, span.flags);
}

fn write_event(w: &mut Writer, event: &Event) {
    w.fixed64(1, event.time.0 as u64);
    w.bytes(2, event.name.as_bytes());
    attributes(w, 3, &event.attributes);
    w.uint(4, u64::from(event.dropped_attributes));
}

fn write_link(w: &mut Writer, link: &Link) {
    w.bytes(1, &link.trace_id.0);
    w.bytes(2, &link.span_id.0);
    w.bytes(3, link.trace_state.as_bytes());
    attributes(w, 4, &link.attributes);
    w.uint(5, u64::from(link.dropped_attributes));
    w.fixed32(6, link.flags);
}

fn attributes(w: &mut Writer, field: u32, attributes: &[Attribute]) {
    for attribute in attributes {
        w.message(field, |w| key_value(w, &attribute.key, &attribute.value));
    }
}

fn key_value(w: &mut Writer, key: &str, value: &Value) {
    w.bytes(1, key.as_bytes());
    w.message(2, |w| any_value(w, value));
}

/// Recursion is bounded by the value's own depth, which its maker chose.
fn any_value(w: &mut Writer, value: &Value) {
    match value {
        Value::Empty => {}
        Value::Str(text) => w.bytes_always(1, text.as_bytes()),
        Value::Bool(bool) => w.uint_always(2, u64::from(*bool)),
        Value::Int(int) => w.uint_always(3, *int as u64),
        Value::Double(double) => w.fixed64(4, double.to_bits()),
        Value::Array(items) => w.message(5, |w| {
            for item in items {
                w.message(1, |w| any_value(w, item));
            }
        }),
        Value::Map(entries) => w.message(6, |w| {
            for (key, value) in entries {
                w.message(1, |w| key_value(w, key, value));
            }
        }),
        Value::Bytes(bytes) => w.bytes_always(7, bytes),
    }
}
