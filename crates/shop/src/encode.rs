//! Spans as the protobuf message `ExportTraceServiceRequest` of OTLP.

use std::sync::Arc;

use model::Value;
use wire::proto::{Tag, Writer};

use crate::span::{Attribute, Event, Link, Scope, ServiceSpans, Span};

/// Fields of `ExportTraceServiceRequest`, `ResourceSpans`, `ScopeSpans`, `Resource` and `InstrumentationScope`.
pub(crate) mod envelope {
    use super::Tag;
    pub(crate) const RESOURCE_SPANS: Tag = Tag::len(1);
    pub(crate) const RESOURCE: Tag = Tag::len(1);
    pub(crate) const SCOPE_SPANS: Tag = Tag::len(2);
    pub(crate) const SCOPE: Tag = Tag::len(1);
    pub(crate) const SPANS: Tag = Tag::len(2);
    pub(crate) const SCHEMA_URL: Tag = Tag::len(3);
    pub(crate) const RESOURCE_ATTRIBUTES: Tag = Tag::len(1);
    pub(crate) const RESOURCE_DROPPED: Tag = Tag::varint(2);
    pub(crate) const SCOPE_NAME: Tag = Tag::len(1);
    pub(crate) const SCOPE_VERSION: Tag = Tag::len(2);
    pub(crate) const SCOPE_ATTRIBUTES: Tag = Tag::len(3);
    pub(crate) const SCOPE_DROPPED: Tag = Tag::varint(4);
}

/// Fields of `Span` and `Status`.
pub(crate) mod field {
    use super::Tag;
    pub(crate) const TRACE_ID: Tag = Tag::len(1);
    pub(crate) const SPAN_ID: Tag = Tag::len(2);
    pub(crate) const TRACE_STATE: Tag = Tag::len(3);
    pub(crate) const PARENT_SPAN_ID: Tag = Tag::len(4);
    pub(crate) const NAME: Tag = Tag::len(5);
    pub(crate) const KIND: Tag = Tag::varint(6);
    pub(crate) const START: Tag = Tag::fixed64(7);
    pub(crate) const END: Tag = Tag::fixed64(8);
    pub(crate) const ATTRIBUTES: Tag = Tag::len(9);
    pub(crate) const DROPPED_ATTRIBUTES: Tag = Tag::varint(10);
    pub(crate) const EVENTS: Tag = Tag::len(11);
    pub(crate) const DROPPED_EVENTS: Tag = Tag::varint(12);
    pub(crate) const LINKS: Tag = Tag::len(13);
    pub(crate) const DROPPED_LINKS: Tag = Tag::varint(14);
    pub(crate) const STATUS: Tag = Tag::len(15);
    pub(crate) const FLAGS: Tag = Tag::fixed32(16);
    pub(crate) const STATUS_MESSAGE: Tag = Tag::len(2);
    pub(crate) const STATUS_CODE: Tag = Tag::varint(3);
}

/// Fields of `Span.Event`.
mod event {
    use super::Tag;
    pub(super) const TIME: Tag = Tag::fixed64(1);
    pub(super) const NAME: Tag = Tag::len(2);
    pub(super) const ATTRIBUTES: Tag = Tag::len(3);
    pub(super) const DROPPED: Tag = Tag::varint(4);
}

/// Fields of `Span.Link`.
mod link {
    use super::Tag;
    pub(super) const TRACE_ID: Tag = Tag::len(1);
    pub(super) const SPAN_ID: Tag = Tag::len(2);
    pub(super) const TRACE_STATE: Tag = Tag::len(3);
    pub(super) const ATTRIBUTES: Tag = Tag::len(4);
    pub(super) const DROPPED: Tag = Tag::varint(5);
    pub(super) const FLAGS: Tag = Tag::fixed32(6);
}

/// Fields of `KeyValue`, `AnyValue`, `ArrayValue` and `KeyValueList`.
pub(crate) mod any {
    use super::Tag;
    pub(crate) const KEY: Tag = Tag::len(1);
    pub(crate) const VALUE: Tag = Tag::len(2);
    pub(super) const STRING: Tag = Tag::len(1);
    pub(super) const BOOL: Tag = Tag::varint(2);
    pub(super) const INT: Tag = Tag::varint(3);
    pub(super) const DOUBLE: Tag = Tag::fixed64(4);
    pub(crate) const ARRAY: Tag = Tag::len(5);
    pub(super) const MAP: Tag = Tag::len(6);
    pub(super) const BYTES: Tag = Tag::len(7);
    pub(crate) const ITEMS: Tag = Tag::len(1);
}

/// The body of an export request with these spans: a `ResourceSpans` per group, a `ScopeSpans` per library in the order of
/// its first span.
pub fn encode<'a>(groups: impl IntoIterator<Item = &'a ServiceSpans>) -> Vec<u8> {
    let mut request = Writer::new();
    for group in groups {
        request.message_sized(3, envelope::RESOURCE_SPANS, |w| resource_spans(w, group));
    }
    request.into_bytes()
}

fn resource_spans(w: &mut Writer, group: &ServiceSpans) {
    let resource = &group.resource;
    w.message_sized(2, envelope::RESOURCE, |w| {
        attributes(w, envelope::RESOURCE_ATTRIBUTES, &resource.attributes);
        w.put_varint(
            envelope::RESOURCE_DROPPED,
            u64::from(resource.dropped_attributes),
        );
    });
    let mut scopes: Vec<&Arc<Scope>> = Vec::new();
    for span in &group.spans {
        if !scopes.iter().any(|scope| same(scope, &span.scope)) {
            scopes.push(&span.scope);
        }
    }
    for scope in scopes {
        w.message_sized(3, envelope::SCOPE_SPANS, |w| {
            w.message(envelope::SCOPE, |w| {
                w.put_bytes(envelope::SCOPE_NAME, scope.name.as_bytes());
                w.put_bytes(envelope::SCOPE_VERSION, scope.version.as_bytes());
                attributes(w, envelope::SCOPE_ATTRIBUTES, &scope.attributes);
                w.put_varint(envelope::SCOPE_DROPPED, u64::from(scope.dropped_attributes));
            });
            for one in group.spans.iter().filter(|one| same(scope, &one.scope)) {
                w.message_sized(2, envelope::SPANS, |w| span(w, one));
            }
            w.put_bytes(envelope::SCHEMA_URL, scope.schema_url.as_bytes());
        });
    }
    w.put_bytes(envelope::SCHEMA_URL, resource.schema_url.as_bytes());
}

fn same(left: &Arc<Scope>, right: &Arc<Scope>) -> bool {
    Arc::ptr_eq(left, right) || left == right
}

fn span(w: &mut Writer, span: &Span) {
    w.bytes(field::TRACE_ID, &span.trace_id.0);
    w.bytes(field::SPAN_ID, &span.span_id.0);
    w.put_bytes(field::TRACE_STATE, span.trace_state.as_bytes());
    if !span.is_root() {
        w.bytes(field::PARENT_SPAN_ID, &span.parent_span_id.0);
    }
    w.put_bytes(field::NAME, span.name.as_bytes());
    w.put_varint(field::KIND, span.kind as u64);
    w.fixed64(field::START, span.start.0 as u64);
    w.fixed64(field::END, span.end.0 as u64);
    attributes(w, field::ATTRIBUTES, &span.attributes);
    w.put_varint(
        field::DROPPED_ATTRIBUTES,
        u64::from(span.dropped_attributes),
    );
    for event in &span.events {
        w.message(field::EVENTS, |w| write_event(w, event));
    }
    w.put_varint(field::DROPPED_EVENTS, u64::from(span.dropped_events));
    for link in &span.links {
        w.message(field::LINKS, |w| write_link(w, link));
    }
    w.put_varint(field::DROPPED_LINKS, u64::from(span.dropped_links));
    if span.status as u64 != 0 || !span.status_message.is_empty() {
        w.message(field::STATUS, |w| {
            w.put_bytes(field::STATUS_MESSAGE, span.status_message.as_bytes());
            w.put_varint(field::STATUS_CODE, span.status as u64);
        });
    }
    w.put_fixed32(field::FLAGS, span.flags);
}

fn write_event(w: &mut Writer, event: &Event) {
    w.fixed64(event::TIME, event.time.0 as u64);
    w.put_bytes(event::NAME, event.name.as_bytes());
    attributes(w, event::ATTRIBUTES, &event.attributes);
    w.put_varint(event::DROPPED, u64::from(event.dropped_attributes));
}

fn write_link(w: &mut Writer, link: &Link) {
    w.bytes(link::TRACE_ID, &link.trace_id.0);
    w.bytes(link::SPAN_ID, &link.span_id.0);
    w.put_bytes(link::TRACE_STATE, link.trace_state.as_bytes());
    attributes(w, link::ATTRIBUTES, &link.attributes);
    w.put_varint(link::DROPPED, u64::from(link.dropped_attributes));
    w.put_fixed32(link::FLAGS, link.flags);
}

fn attributes(w: &mut Writer, tag: Tag, attributes: &[Attribute]) {
    for attribute in attributes {
        w.message(tag, |w| key_value(w, &attribute.key, &attribute.value));
    }
}

fn key_value(w: &mut Writer, key: &str, value: &Value) {
    w.put_bytes(any::KEY, key.as_bytes());
    w.message(any::VALUE, |w| any_value(w, value));
}

/// Recursion is bounded by the value's own depth, which its maker chose.
fn any_value(w: &mut Writer, value: &Value) {
    match value {
        Value::Empty => {}
        Value::Str(text) => w.bytes(any::STRING, text.as_bytes()),
        Value::Bool(bool) => w.varint(any::BOOL, u64::from(*bool)),
        Value::Int(int) => w.varint(any::INT, *int as u64),
        Value::Double(double) => w.double(any::DOUBLE, *double),
        Value::Array(items) => w.message(any::ARRAY, |w| {
            for item in items {
                w.message(any::ITEMS, |w| any_value(w, item));
            }
        }),
        Value::Map(entries) => w.message(any::MAP, |w| {
            for (key, value) in entries {
                w.message(any::ITEMS, |w| key_value(w, key, value));
            }
        }),
        Value::Bytes(bytes) => w.bytes(any::BYTES, bytes),
    }
}
