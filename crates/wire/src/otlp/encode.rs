//! From a batch to `repeated ResourceSpans`.

use model::{EventRow, LinkRow, Range32, ResourceRow, SpanBatch, SpanRow, StatusCode, Symbol};

use super::{ResourceGroup, groups, value};
use crate::proto::{Tag, Writer};
use crate::schema::{
    event, key_value, link, request, resource, resource_spans, scope, scope_spans, span, status,
};

/// What a span takes when encoded, roughly: to reserve memory once.
const USUAL_SPAN_BYTES: usize = 320;

/// All spans of a batch as `repeated ResourceSpans resource_spans = 1`: at once a valid `ExportTraceServiceRequest`,
/// `TracesData` and Tempo `Trace`.
///
/// Spans of equal resource, and in it of equal scope, are put together, in the order of their first span; inside they keep
/// their order. Resource and scope messages are always present, empty if need be: some readers do not expect otherwise.
pub fn encode(batch: &SpanBatch) -> Vec<u8> {
    let mut w = Writer::with_capacity(batch.len() * USUAL_SPAN_BYTES);
    for group in groups(batch) {
        w.message_sized(3, request::RESOURCE_SPANS, |w| {
            resource_spans(w, batch, &group);
        });
    }
    w.into_bytes()
}

fn resource_spans(w: &mut Writer, batch: &SpanBatch, group: &ResourceGroup) {
    w.message_sized(2, resource_spans::RESOURCE, |w| {
        attributes(w, batch, resource::ATTRIBUTES, group.row.attributes);
        let dropped = u64::from(group.row.dropped_attributes);
        w.put_varint(resource::DROPPED_ATTRIBUTES, dropped);
    });
    for scoped in &group.scopes {
        w.message_sized(3, resource_spans::SCOPE_SPANS, |w| {
            w.message(scope_spans::SCOPE, |w| scope(w, batch, &scoped.row));
            for &index in &scoped.spans {
                let row = &batch.spans[index as usize];
                w.message_sized(2, scope_spans::SPANS, |w| span(w, batch, row));
            }
            put_text(
                w,
                batch,
                scope_spans::SCHEMA_URL,
                scoped.row.scope_schema_url,
            );
        });
    }
    put_text(w, batch, resource_spans::SCHEMA_URL, group.row.schema_url);
}

fn scope(w: &mut Writer, batch: &SpanBatch, row: &ResourceRow) {
    put_text(w, batch, scope::NAME, row.scope_name);
    put_text(w, batch, scope::VERSION, row.scope_version);
    attributes(w, batch, scope::ATTRIBUTES, row.scope_attributes);
    let dropped = u64::from(row.scope_dropped_attributes);
    w.put_varint(scope::DROPPED_ATTRIBUTES, dropped);
}

fn span(w: &mut Writer, batch: &SpanBatch, row: &SpanRow) {
    let extra = batch.extra(row);
    w.bytes(span::TRACE_ID, &row.trace_id.0);
    w.bytes(span::SPAN_ID, &row.span_id.0);
    put_text(w, batch, span::TRACE_STATE, extra.trace_state);
    if !row.is_root() {
        w.bytes(span::PARENT_SPAN_ID, &row.parent_span_id.0);
    }
    put_text(w, batch, span::NAME, row.name);
    w.put_varint(span::KIND, row.kind as u64);
    w.put_fixed64(span::START, row.start.0 as u64);
    w.put_fixed64(span::END, row.end().0 as u64);
    attributes(w, batch, span::ATTRIBUTES, row.attributes);
    w.put_varint(
        span::DROPPED_ATTRIBUTES,
        u64::from(extra.dropped_attributes),
    );
    for row in batch.events(row) {
        w.message(span::EVENTS, |w| event(w, batch, row));
    }
    w.put_varint(span::DROPPED_EVENTS, u64::from(extra.dropped_events));
    for row in batch.links(row) {
        w.message(span::LINKS, |w| link(w, batch, row));
    }
    w.put_varint(span::DROPPED_LINKS, u64::from(extra.dropped_links));
    if row.status != StatusCode::Unset || extra.status_message != Symbol::EMPTY {
        w.message(span::STATUS, |w| {
            put_text(w, batch, status::MESSAGE, extra.status_message);
            w.put_varint(status::CODE, row.status as u64);
        });
    }
    w.put_fixed32(span::FLAGS, row.flags);
}

fn event(w: &mut Writer, batch: &SpanBatch, row: &EventRow) {
    w.put_fixed64(event::TIME, row.time.0 as u64);
    put_text(w, batch, event::NAME, row.name);
    attributes(w, batch, event::ATTRIBUTES, row.attributes);
    w.put_varint(event::DROPPED_ATTRIBUTES, u64::from(row.dropped_attributes));
}

fn link(w: &mut Writer, batch: &SpanBatch, row: &LinkRow) {
    w.bytes(link::TRACE_ID, &row.trace_id.0);
    w.bytes(link::SPAN_ID, &row.span_id.0);
    put_text(w, batch, link::TRACE_STATE, row.trace_state);
    attributes(w, batch, link::ATTRIBUTES, row.attributes);
    w.put_varint(link::DROPPED_ATTRIBUTES, u64::from(row.dropped_attributes));
    w.put_fixed32(link::FLAGS, row.flags);
}

fn attributes(w: &mut Writer, batch: &SpanBatch, tag: Tag, range: Range32) {
    let symbols = &batch.symbols;
    for attribute in batch.attributes(range) {
        w.message(tag, |w| {
            w.put_bytes(key_value::KEY, symbols.payload(attribute.key));
            w.message(key_value::VALUE, |w| {
                value::write(w, symbols, attribute.value);
            });
        });
    }
}

fn put_text(w: &mut Writer, batch: &SpanBatch, tag: Tag, text: Symbol) {
    w.put_bytes(tag, batch.symbols.payload(text));
}
