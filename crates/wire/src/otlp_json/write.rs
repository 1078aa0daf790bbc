//! A batch as a JSON array of `ResourceSpans`.

use std::fmt::{Display, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use model::{
    EventRow, LinkRow, Range32, ResourceRow, SpanBatch, SpanId, SpanKind, SpanRow, StatusCode,
    Symbol, TraceId, Value, ValueRef,
};

use crate::json::push_quoted;
use crate::otlp::{ResourceGroup, groups};

/// In which of its two spellings OTLP's JSON is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdStyle {
    /// OTLP/JSON: ids in hex, enums as numbers. What an OTLP endpoint takes, and what Jaeger's API v3 answers.
    Hex,
    /// Plain proto3 JSON: ids in base64, enums by name. What Tempo answers.
    Base64,
}

/// Appends the spans of a batch as a JSON array of `ResourceSpans`, grouped and ordered as
/// [`otlp::encode`](crate::otlp::encode) does.
///
/// Names are `lowerCamelCase`, 64-bit integers are strings, zero values are left out, but for the objects `resource`,
/// `scope` and `status`, which readers look into without asking.
pub fn write_resource_spans(batch: &SpanBatch, ids: IdStyle, out: &mut String) {
    let mut writer = JsonWriter { batch, ids, out };
    writer.array(groups(batch), |w, group| w.resource_spans(&group));
}

struct JsonWriter<'a, 'o> {
    batch: &'a SpanBatch,
    ids: IdStyle,
    out: &'o mut String,
}

impl JsonWriter<'_, '_> {
    fn array<T>(&mut self, items: impl IntoIterator<Item = T>, mut each: impl FnMut(&mut Self, T)) {
        self.out.push('[');
        for (position, item) in items.into_iter().enumerate() {
            if position > 0 {
                self.out.push(',');
            }
            each(self, item);
        }
        self.out.push(']');
    }

    fn object(&mut self, fill: impl FnOnce(&mut Self)) {
        self.out.push('{');
        fill(self);
        self.out.push('}');
    }

    /// Starts a member; its value comes next.
    fn member(&mut self, name: &str) {
        if !self.out.ends_with('{') {
            self.out.push(',');
        }
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\":");
    }

    fn text(&mut self, name: &str, text: Symbol) {
        if text != Symbol::EMPTY {
            self.member(name);
            push_quoted(self.out, self.batch.symbols.str(text));
        }
    }

    fn number(&mut self, name: &str, number: u32) {
        if number != 0 {
            self.member(name);
            self.display(number);
        }
    }

    /// A 64-bit integer: a string, since numbers in JavaScript have 53 bits.
    fn nanos(&mut self, name: &str, nanos: i64) {
        if nanos != 0 {
            self.member(name);
            self.quoted(nanos);
        }
    }

    fn display(&mut self, value: impl Display) {
        // Writing into memory cannot fail.
        let _ = write!(self.out, "{value}");
    }

    fn quoted(&mut self, value: impl Display) {
        let _ = write!(self.out, "\"{value}\"");
    }

    fn trace_id(&mut self, id: TraceId) {
        self.member("traceId");
        match self.ids {
            IdStyle::Hex => self.quoted(id),
            IdStyle::Base64 => self.base64(&id.0),
        }
    }

    fn span_id(&mut self, name: &str, id: SpanId) {
        self.member(name);
        match self.ids {
            IdStyle::Hex => self.quoted(id),
            IdStyle::Base64 => self.base64(&id.0),
        }
    }

    fn base64(&mut self, bytes: &[u8]) {
        self.out.push('"');
        BASE64.encode_string(bytes, self.out);
        self.out.push('"');
    }

    /// An enum that is not zero.
    fn number_or_name(&mut self, name: &str, number: u8, long_name: &str) {
        self.member(name);
        match self.ids {
            IdStyle::Hex => self.display(number),
            IdStyle::Base64 => self.quoted(long_name),
        }
    }

    fn resource_spans(&mut self, group: &ResourceGroup) {
        self.object(|w| {
            w.member("resource");
            w.object(|w| {
                w.attributes(group.row.attributes);
                w.number("droppedAttributesCount", group.row.dropped_attributes);
            });
            w.member("scopeSpans");
            w.array(&group.scopes, |w, scoped| {
                w.object(|w| {
                    w.member("scope");
                    w.object(|w| w.scope(&scoped.row));
                    w.member("spans");
                    w.array(&scoped.spans, |w, &index| {
                        let row = &w.batch.spans[index as usize];
                        w.object(|w| w.span(row));
                    });
                    w.text("schemaUrl", scoped.row.scope_schema_url);
                });
            });
            w.text("schemaUrl", group.row.schema_url);
        });
    }

    fn scope(&mut self, row: &ResourceRow) {
        self.text("name", row.scope_name);
        self.text("version", row.scope_version);
        self.attributes(row.scope_attributes);
        self.number("droppedAttributesCount", row.scope_dropped_attributes);
    }

    fn span(&mut self, row: &SpanRow) {
        let batch = self.batch;
        let extra = batch.extra(row);
        self.trace_id(row.trace_id);
        self.span_id("spanId", row.span_id);
        self.text("traceState", extra.trace_state);
        if !row.is_root() {
            self.span_id("parentSpanId", row.parent_span_id);
        }
        self.number("flags", row.flags);
        self.text("name", row.name);
        if row.kind != SpanKind::Unspecified {
            self.number_or_name("kind", row.kind as u8, kind_name(row.kind));
        }
        self.nanos("startTimeUnixNano", row.start.0);
        self.nanos("endTimeUnixNano", row.end().0);
        self.attributes(row.attributes);
        self.number("droppedAttributesCount", extra.dropped_attributes);
        self.list("events", batch.events(row), Self::event);
        self.number("droppedEventsCount", extra.dropped_events);
        self.list("links", batch.links(row), Self::link);
        self.number("droppedLinksCount", extra.dropped_links);
        self.member("status");
        self.object(|w| {
            w.text("message", extra.status_message);
            if row.status != StatusCode::Unset {
                w.number_or_name("code", row.status as u8, status_name(row.status));
            }
        });
    }

    /// An array of objects, left out when empty.
    fn list<T>(&mut self, name: &str, rows: &[T], mut fill: impl FnMut(&mut Self, &T)) {
        if !rows.is_empty() {
            self.member(name);
            self.array(rows, |w, row| w.object(|w| fill(w, row)));
        }
    }

    fn event(&mut self, row: &EventRow) {
        self.nanos("timeUnixNano", row.time.0);
        self.text("name", row.name);
        self.attributes(row.attributes);
        self.number("droppedAttributesCount", row.dropped_attributes);
    }

    fn link(&mut self, row: &LinkRow) {
        self.trace_id(row.trace_id);
        self.span_id("spanId", row.span_id);
        self.text("traceState", row.trace_state);
        self.attributes(row.attributes);
        self.number("droppedAttributesCount", row.dropped_attributes);
        self.number("flags", row.flags);
    }

    fn attributes(&mut self, range: Range32) {
        let batch = self.batch;
        self.list("attributes", batch.attributes(range), |w, attribute| {
            w.member("key");
            push_quoted(w.out, batch.symbols.str(attribute.key));
            w.member("value");
            w.object(|w| w.value(batch.symbols.value(attribute.value)));
        });
    }

    fn value(&mut self, value: ValueRef<'_>) {
        match value {
            ValueRef::Str(text) => {
                self.member("stringValue");
                push_quoted(self.out, text);
            }
            ValueRef::Int(int) => {
                self.member("intValue");
                self.quoted(int);
            }
            ValueRef::Double(double) => self.double(double),
            ValueRef::Bool(bool) => {
                self.member("boolValue");
                self.display(bool);
            }
            // Text that is not canonical can only come from a damaged file; shown as it stands rather than hidden.
            ValueRef::Json(text) => match Value::from_canonical(text) {
                Ok(value) => self.owned_value(&value),
                Err(_) => self.value(ValueRef::Str(text)),
            },
        }
    }

    fn double(&mut self, double: f64) {
        self.member("doubleValue");
        // Writing into memory cannot fail. `{:?}` is the shortest text that reads back to the same bits.
        let _ = if double.is_finite() {
            write!(self.out, "{double:?}")
        } else if double.is_nan() {
            write!(self.out, "\"NaN\"")
        } else if double > 0.0 {
            write!(self.out, "\"Infinity\"")
        } else {
            write!(self.out, "\"-Infinity\"")
        };
    }

    fn owned_value(&mut self, value: &Value) {
        match value {
            Value::Empty => {}
            Value::Str(text) => self.value(ValueRef::Str(text)),
            Value::Int(int) => self.value(ValueRef::Int(*int)),
            Value::Double(double) => self.double(*double),
            Value::Bool(bool) => self.value(ValueRef::Bool(*bool)),
            Value::Bytes(bytes) => {
                self.member("bytesValue");
                self.base64(bytes);
            }
            Value::Array(items) => {
                self.member("arrayValue");
                self.object(|w| w.list("values", items, Self::owned_value));
            }
            Value::Map(entries) => {
                self.member("kvlistValue");
                self.object(|w| {
                    w.list("values", entries, |w, (key, value)| {
                        w.member("key");
                        push_quoted(w.out, key);
                        w.member("value");
                        w.object(|w| w.owned_value(value));
                    });
                });
            }
        }
    }
}

fn kind_name(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Unspecified => "SPAN_KIND_UNSPECIFIED",
        SpanKind::Internal => "SPAN_KIND_INTERNAL",
        SpanKind::Server => "SPAN_KIND_SERVER",
        SpanKind::Client => "SPAN_KIND_CLIENT",
        SpanKind::Producer => "SPAN_KIND_PRODUCER",
        SpanKind::Consumer => "SPAN_KIND_CONSUMER",
    }
}

fn status_name(status: StatusCode) -> &'static str {
    match status {
        StatusCode::Unset => "STATUS_CODE_UNSET",
        StatusCode::Ok => "STATUS_CODE_OK",
        StatusCode::Error => "STATUS_CODE_ERROR",
    }
}
