//! Spans as a program under observation would hold them before export: small, owned, easy to build by hand in a test.
//!
//! Field for field the message of OTLP, so that [`encode`](crate::encode) loses nothing.

use std::borrow::Cow;
use std::sync::Arc;

use model::{SpanId, SpanKind, StatusCode, TraceId, UnixNanos, Value};

/// A text that is mostly a literal.
pub type Text = Cow<'static, str>;

/// What can stand as the value of an attribute.
pub trait IntoValue {
    /// The value.
    fn into_value(self) -> Value;
}

impl IntoValue for Value {
    fn into_value(self) -> Value {
        self
    }
}

impl IntoValue for &str {
    fn into_value(self) -> Value {
        Value::Str(self.to_owned())
    }
}

impl IntoValue for String {
    fn into_value(self) -> Value {
        Value::Str(self)
    }
}

impl IntoValue for Text {
    fn into_value(self) -> Value {
        Value::Str(self.into_owned())
    }
}

impl IntoValue for i64 {
    fn into_value(self) -> Value {
        Value::Int(self)
    }
}

impl IntoValue for f64 {
    fn into_value(self) -> Value {
        Value::Double(self)
    }
}

impl IntoValue for bool {
    fn into_value(self) -> Value {
        Value::Bool(self)
    }
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// The key.
    pub key: Text,
    /// The value.
    pub value: Value,
}

impl Attribute {
    /// An attribute of a span, event, link, scope or resource.
    pub fn new(key: impl Into<Text>, value: impl IntoValue) -> Self {
        Self {
            key: key.into(),
            value: value.into_value(),
        }
    }
}

/// The value of the first attribute with this key.
pub fn find<'a>(attributes: &'a [Attribute], key: &str) -> Option<&'a Value> {
    attributes
        .iter()
        .find(|attribute| attribute.key == key)
        .map(|attribute| &attribute.value)
}

/// The process that sends spans.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Resource {
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// Attributes that its SDK dropped.
    pub dropped_attributes: u32,
    /// Version of the conventions that the attributes follow.
    pub schema_url: Text,
}

impl Resource {
    /// The value of `service.name`; empty where there is none.
    pub fn service(&self) -> &str {
        match find(&self.attributes, model::SERVICE_NAME) {
            Some(Value::Str(name)) => name,
            _ => "",
        }
    }
}

/// The library that made a span.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scope {
    /// Its name.
    pub name: Text,
    /// Its version.
    pub version: Text,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// Attributes that the SDK dropped.
    pub dropped_attributes: u32,
    /// Version of the conventions that its spans follow.
    pub schema_url: Text,
}

/// Something that happened during a span.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Event {
    /// When.
    pub time: UnixNanos,
    /// What.
    pub name: Text,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// Attributes that the SDK dropped.
    pub dropped_attributes: u32,
}

/// A pointer from a span to another one, mostly of another trace.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Link {
    /// Trace of the other span.
    pub trace_id: TraceId,
    /// The other span.
    pub span_id: SpanId,
    /// W3C trace state of the other span.
    pub trace_state: Text,
    /// Flags, as in [`Span::flags`].
    pub flags: u32,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// Attributes that the SDK dropped.
    pub dropped_attributes: u32,
}

/// One span.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Span {
    /// The trace.
    pub trace_id: TraceId,
    /// The span.
    pub span_id: SpanId,
    /// The parent; all zeros for a root.
    pub parent_span_id: SpanId,
    /// W3C trace state.
    pub trace_state: Text,
    /// Trace flags in bits 0 to 7; bit 8 says that bit 9, "the parent is remote", is known.
    pub flags: u32,
    /// The name.
    pub name: Text,
    /// The kind.
    pub kind: SpanKind,
    /// When it started, by the clock of its host.
    pub start: UnixNanos,
    /// When it ended, by the clock of its host.
    pub end: UnixNanos,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// Attributes that the SDK dropped.
    pub dropped_attributes: u32,
    /// Its events, in the order of time.
    pub events: Vec<Event>,
    /// Events that the SDK dropped.
    pub dropped_events: u32,
    /// Its links.
    pub links: Vec<Link>,
    /// Links that the SDK dropped.
    pub dropped_links: u32,
    /// The status.
    pub status: StatusCode,
    /// What went wrong, where the status is an error.
    pub status_message: Text,
    /// The library that made it.
    pub scope: Arc<Scope>,
}

impl Span {
    /// The value of the first attribute with this key.
    pub fn attribute(&self, key: &str) -> Option<&Value> {
        find(&self.attributes, key)
    }

    /// The text of the first attribute with this key, if it is a string.
    pub fn text(&self, key: &str) -> Option<&str> {
        match self.attribute(key) {
            Some(Value::Str(text)) => Some(text),
            _ => None,
        }
    }

    /// End minus start, in milliseconds.
    pub fn millis(&self) -> f64 {
        self.end.since(self.start).0 as f64 / 1e6
    }

    /// Whether it has no parent.
    pub fn is_root(&self) -> bool {
        self.parent_span_id.is_zero()
    }
}

/// Spans of one process.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceSpans {
    /// The process. Groups of one process made by one shop share the allocation.
    pub resource: Arc<Resource>,
    /// Its spans, in the order of their ends.
    pub spans: Vec<Span>,
}
