//! The fields of `opentelemetry.proto.trace.v1` and its neighbours: tags for walking and writing the wire, and tables of
//! names and types for OTLP/JSON and for naming places.

use crate::proto::Tag;

/// `ExportTraceServiceRequest`, `TracesData` and Tempo's `Trace`: one field, the same in all.
pub(crate) mod request {
    use super::Tag;
    pub(crate) const RESOURCE_SPANS: Tag = Tag::len(1);
    pub(crate) const KNOWN: u32 = 1;
}

pub(crate) mod resource_spans {
    use super::Tag;
    pub(crate) const RESOURCE: Tag = Tag::len(1);
    pub(crate) const SCOPE_SPANS: Tag = Tag::len(2);
    pub(crate) const SCHEMA_URL: Tag = Tag::len(3);
    pub(crate) const KNOWN: u32 = 3;
}

pub(crate) mod resource {
    use super::Tag;
    pub(crate) const ATTRIBUTES: Tag = Tag::len(1);
    pub(crate) const DROPPED_ATTRIBUTES: Tag = Tag::varint(2);
    pub(crate) const KNOWN: u32 = 2;
}

pub(crate) mod scope_spans {
    use super::Tag;
    pub(crate) const SCOPE: Tag = Tag::len(1);
    pub(crate) const SPANS: Tag = Tag::len(2);
    pub(crate) const SCHEMA_URL: Tag = Tag::len(3);
    pub(crate) const KNOWN: u32 = 3;
}

pub(crate) mod scope {
    use super::Tag;
    pub(crate) const NAME: Tag = Tag::len(1);
    pub(crate) const VERSION: Tag = Tag::len(2);
    pub(crate) const ATTRIBUTES: Tag = Tag::len(3);
    pub(crate) const DROPPED_ATTRIBUTES: Tag = Tag::varint(4);
    pub(crate) const KNOWN: u32 = 4;
}

pub(crate) mod span {
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
    pub(crate) const KNOWN: u32 = 16;
}

pub(crate) mod event {
    use super::Tag;
    pub(crate) const TIME: Tag = Tag::fixed64(1);
    pub(crate) const NAME: Tag = Tag::len(2);
    pub(crate) const ATTRIBUTES: Tag = Tag::len(3);
    pub(crate) const DROPPED_ATTRIBUTES: Tag = Tag::varint(4);
    pub(crate) const KNOWN: u32 = 4;
}

pub(crate) mod link {
    use super::Tag;
    pub(crate) const TRACE_ID: Tag = Tag::len(1);
    pub(crate) const SPAN_ID: Tag = Tag::len(2);
    pub(crate) const TRACE_STATE: Tag = Tag::len(3);
    pub(crate) const ATTRIBUTES: Tag = Tag::len(4);
    pub(crate) const DROPPED_ATTRIBUTES: Tag = Tag::varint(5);
    pub(crate) const FLAGS: Tag = Tag::fixed32(6);
    pub(crate) const KNOWN: u32 = 6;
}

pub(crate) mod status {
    use super::Tag;
    /// Field 1 held a code of an older generation, and is reserved: whatever stands there is passed over.
    pub(crate) const MESSAGE: Tag = Tag::len(2);
    pub(crate) const CODE: Tag = Tag::varint(3);
    pub(crate) const KNOWN: u32 = 3;
    pub(crate) const RESERVED: u32 = 1;
}

pub(crate) mod key_value {
    use super::Tag;
    pub(crate) const KEY: Tag = Tag::len(1);
    pub(crate) const VALUE: Tag = Tag::len(2);
    pub(crate) const KNOWN: u32 = 2;
}

pub(crate) mod any_value {
    use super::Tag;
    pub(crate) const STRING: Tag = Tag::len(1);
    pub(crate) const BOOL: Tag = Tag::varint(2);
    pub(crate) const INT: Tag = Tag::varint(3);
    pub(crate) const DOUBLE: Tag = Tag::fixed64(4);
    pub(crate) const ARRAY: Tag = Tag::len(5);
    pub(crate) const KVLIST: Tag = Tag::len(6);
    pub(crate) const BYTES: Tag = Tag::len(7);
    /// Points into a table that only profiles have; in a span it says nothing, yet as the last one of the `oneof` it wins.
    pub(crate) const STRING_INDEX: Tag = Tag::varint(8);
    pub(crate) const KNOWN: u32 = 8;
}

/// `ArrayValue` and `KeyValueList` have one repeated field each.
pub(crate) mod list {
    use super::Tag;
    pub(crate) const VALUES: Tag = Tag::len(1);
    pub(crate) const KNOWN: u32 = 1;
}

/// A message type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Message {
    Request,
    ResourceSpans,
    Resource,
    ScopeSpans,
    Scope,
    Span,
    Event,
    Link,
    Status,
    KeyValue,
    AnyValue,
    Array,
    KeyValueList,
}

/// The type of a field, as far as its spelling in JSON depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Text,
    /// Bytes that OTLP/JSON writes in hex.
    Id,
    /// Bytes that OTLP/JSON writes in base64.
    Bytes,
    Bool,
    Double,
    Int64,
    Fixed64,
    UInt32,
    Fixed32,
    Enum,
    One(Message),
    Many(Message),
}

/// A field of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) tag: Tag,
    /// The name in protobuf, `snake_case`.
    pub(crate) name: &'static str,
    pub(crate) kind: Type,
}

const fn field(tag: Tag, name: &'static str, kind: Type) -> Field {
    Field { tag, name, kind }
}

impl Field {
    /// The message or messages inside.
    pub(crate) fn inside(self) -> Option<Message> {
        match self.kind {
            Type::One(message) | Type::Many(message) => Some(message),
            _ => None,
        }
    }
}

/// The fields of a message, in the order of their numbers.
pub(crate) fn fields(message: Message) -> &'static [Field] {
    use Message as M;
    use Type::*;
    const ATTRIBUTES: &str = "attributes";
    const DROPPED: &str = "dropped_attributes_count";
    const REQUEST: [Field; 1] = [field(
        request::RESOURCE_SPANS,
        "resource_spans",
        Many(M::ResourceSpans),
    )];
    const RESOURCE_SPANS: [Field; 3] = [
        field(resource_spans::RESOURCE, "resource", One(M::Resource)),
        field(
            resource_spans::SCOPE_SPANS,
            "scope_spans",
            Many(M::ScopeSpans),
        ),
        field(resource_spans::SCHEMA_URL, "schema_url", Text),
    ];
    const RESOURCE: [Field; 2] = [
        field(resource::ATTRIBUTES, ATTRIBUTES, Many(M::KeyValue)),
        field(resource::DROPPED_ATTRIBUTES, DROPPED, UInt32),
    ];
    const SCOPE_SPANS: [Field; 3] = [
        field(scope_spans::SCOPE, "scope", One(M::Scope)),
        field(scope_spans::SPANS, "spans", Many(M::Span)),
        field(scope_spans::SCHEMA_URL, "schema_url", Text),
    ];
    const SCOPE: [Field; 4] = [
        field(scope::NAME, "name", Text),
        field(scope::VERSION, "version", Text),
        field(scope::ATTRIBUTES, ATTRIBUTES, Many(M::KeyValue)),
        field(scope::DROPPED_ATTRIBUTES, DROPPED, UInt32),
    ];
    const SPAN: [Field; 16] = [
        field(span::TRACE_ID, "trace_id", Id),
        field(span::SPAN_ID, "span_id", Id),
        field(span::TRACE_STATE, "trace_state", Text),
        field(span::PARENT_SPAN_ID, "parent_span_id", Id),
        field(span::NAME, "name", Text),
        field(span::KIND, "kind", Enum),
        field(span::START, "start_time_unix_nano", Fixed64),
        field(span::END, "end_time_unix_nano", Fixed64),
        field(span::ATTRIBUTES, ATTRIBUTES, Many(M::KeyValue)),
        field(span::DROPPED_ATTRIBUTES, DROPPED, UInt32),
        field(span::EVENTS, "events", Many(M::Event)),
        field(span::DROPPED_EVENTS, "dropped_events_count", UInt32),
        field(span::LINKS, "links", Many(M::Link)),
        field(span::DROPPED_LINKS, "dropped_links_count", UInt32),
        field(span::STATUS, "status", One(M::Status)),
        field(span::FLAGS, "flags", Fixed32),
    ];
    const EVENT: [Field; 4] = [
        field(event::TIME, "time_unix_nano", Fixed64),
        field(event::NAME, "name", Text),
        field(event::ATTRIBUTES, ATTRIBUTES, Many(M::KeyValue)),
        field(event::DROPPED_ATTRIBUTES, DROPPED, UInt32),
    ];
    const LINK: [Field; 6] = [
        field(link::TRACE_ID, "trace_id", Id),
        field(link::SPAN_ID, "span_id", Id),
        field(link::TRACE_STATE, "trace_state", Text),
        field(link::ATTRIBUTES, ATTRIBUTES, Many(M::KeyValue)),
        field(link::DROPPED_ATTRIBUTES, DROPPED, UInt32),
        field(link::FLAGS, "flags", Fixed32),
    ];
    const STATUS: [Field; 2] = [
        field(status::MESSAGE, "message", Text),
        field(status::CODE, "code", Enum),
    ];
    const KEY_VALUE: [Field; 2] = [
        field(key_value::KEY, "key", Text),
        field(key_value::VALUE, "value", One(M::AnyValue)),
    ];
    const ANY_VALUE: [Field; 7] = [
        field(any_value::STRING, "string_value", Text),
        field(any_value::BOOL, "bool_value", Bool),
        field(any_value::INT, "int_value", Int64),
        field(any_value::DOUBLE, "double_value", Double),
        field(any_value::ARRAY, "array_value", One(M::Array)),
        field(any_value::KVLIST, "kvlist_value", One(M::KeyValueList)),
        field(any_value::BYTES, "bytes_value", Bytes),
    ];
    const ARRAY: [Field; 1] = [field(list::VALUES, "values", Many(M::AnyValue))];
    const KEY_VALUE_LIST: [Field; 1] = [field(list::VALUES, "values", Many(M::KeyValue))];
    match message {
        M::Request => &REQUEST,
        M::ResourceSpans => &RESOURCE_SPANS,
        M::Resource => &RESOURCE,
        M::ScopeSpans => &SCOPE_SPANS,
        M::Scope => &SCOPE,
        M::Span => &SPAN,
        M::Event => &EVENT,
        M::Link => &LINK,
        M::Status => &STATUS,
        M::KeyValue => &KEY_VALUE,
        M::AnyValue => &ANY_VALUE,
        M::Array => &ARRAY,
        M::KeyValueList => &KEY_VALUE_LIST,
    }
}
