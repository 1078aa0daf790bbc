//! The fields of `opentelemetry.proto.trace.v1` and its neighbours, and where in a message a byte lies.
//!
//! Decoding keeps no path while it walks: that something is wrong is rare, and the path can be found again from the byte
//! offset by a second walk over the names kept here.

use std::fmt::Write as _;

use crate::proto::{Reader, Tag};

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

/// A message type, as far as paths need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Message {
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

type Field = (Tag, &'static str, Option<Message>);

/// The fields of a message: tag, name, and what is inside. Names of repeated fields end in `[`; an index follows in paths.
fn fields(message: Message) -> &'static [Field] {
    use Message as M;
    match message {
        M::Request => &[(
            request::RESOURCE_SPANS,
            "resource_spans[",
            Some(M::ResourceSpans),
        )],
        M::ResourceSpans => &[
            (resource_spans::RESOURCE, "resource", Some(M::Resource)),
            (
                resource_spans::SCOPE_SPANS,
                "scope_spans[",
                Some(M::ScopeSpans),
            ),
            (resource_spans::SCHEMA_URL, "schema_url", None),
        ],
        M::Resource => &[
            (resource::ATTRIBUTES, "attributes[", Some(M::KeyValue)),
            (
                resource::DROPPED_ATTRIBUTES,
                "dropped_attributes_count",
                None,
            ),
        ],
        M::ScopeSpans => &[
            (scope_spans::SCOPE, "scope", Some(M::Scope)),
            (scope_spans::SPANS, "spans[", Some(M::Span)),
            (scope_spans::SCHEMA_URL, "schema_url", None),
        ],
        M::Scope => &[
            (scope::NAME, "name", None),
            (scope::VERSION, "version", None),
            (scope::ATTRIBUTES, "attributes[", Some(M::KeyValue)),
            (scope::DROPPED_ATTRIBUTES, "dropped_attributes_count", None),
        ],
        M::Span => &[
            (span::TRACE_ID, "trace_id", None),
            (span::SPAN_ID, "span_id", None),
            (span::TRACE_STATE, "trace_state", None),
            (span::PARENT_SPAN_ID, "parent_span_id", None),
            (span::NAME, "name", None),
            (span::KIND, "kind", None),
            (span::START, "start_time_unix_nano", None),
            (span::END, "end_time_unix_nano", None),
            (span::ATTRIBUTES, "attributes[", Some(M::KeyValue)),
            (span::DROPPED_ATTRIBUTES, "dropped_attributes_count", None),
            (span::EVENTS, "events[", Some(M::Event)),
            (span::DROPPED_EVENTS, "dropped_events_count", None),
            (span::LINKS, "links[", Some(M::Link)),
            (span::DROPPED_LINKS, "dropped_links_count", None),
            (span::STATUS, "status", Some(M::Status)),
            (span::FLAGS, "flags", None),
        ],
        M::Event => &[
            (event::TIME, "time_unix_nano", None),
            (event::NAME, "name", None),
            (event::ATTRIBUTES, "attributes[", Some(M::KeyValue)),
            (event::DROPPED_ATTRIBUTES, "dropped_attributes_count", None),
        ],
        M::Link => &[
            (link::TRACE_ID, "trace_id", None),
            (link::SPAN_ID, "span_id", None),
            (link::TRACE_STATE, "trace_state", None),
            (link::ATTRIBUTES, "attributes[", Some(M::KeyValue)),
            (link::DROPPED_ATTRIBUTES, "dropped_attributes_count", None),
            (link::FLAGS, "flags", None),
        ],
        M::Status => &[
            (status::MESSAGE, "message", None),
            (status::CODE, "code", None),
        ],
        M::KeyValue => &[
            (key_value::KEY, "key", None),
            (key_value::VALUE, "value", Some(M::AnyValue)),
        ],
        M::AnyValue => &[
            (any_value::STRING, "string_value", None),
            (any_value::BOOL, "bool_value", None),
            (any_value::INT, "int_value", None),
            (any_value::DOUBLE, "double_value", None),
            (any_value::ARRAY, "array_value", Some(M::Array)),
            (any_value::KVLIST, "kvlist_value", Some(M::KeyValueList)),
            (any_value::BYTES, "bytes_value", None),
        ],
        M::Array => &[(list::VALUES, "values[", Some(M::AnyValue))],
        M::KeyValueList => &[(list::VALUES, "values[", Some(M::KeyValue))],
    }
}

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The field whose tag starts at this offset.
    Field(usize),
    /// Where reading met a [`Fault`](crate::proto::Fault) with this offset.
    Fault(usize),
}

/// Names from the request down to the deepest value that decoding enters, an array or map being two names per level.
const MAX_PATH: usize = 8 + 2 * model::MAX_VALUE_DEPTH;

/// The path of a place, such as `resource_spans[2].scope_spans[0].spans[17].name`; empty when it lies in no field of `body`.
///
/// Costs a walk over the messages around it; for errors only.
pub(crate) fn path_of(body: &[u8], place: Place) -> String {
    let mut path = String::new();
    if !find(
        Message::Request,
        Reader::new(body),
        place,
        MAX_PATH,
        &mut path,
    ) {
        path.clear();
    }
    path
}

/// Whether `place` is in this message; then its path from here is appended to `path`.
fn find(
    message: Message,
    mut reader: Reader<'_>,
    place: Place,
    depth: usize,
    path: &mut String,
) -> bool {
    let (Place::Field(offset) | Place::Fault(offset)) = place;
    let mut seen = [0usize; 16];
    loop {
        let start = reader.offset();
        let tag = match reader.tag() {
            Ok(Some(tag)) => tag,
            Ok(None) => return place == Place::Fault(start),
            Err(error) => return place == Place::Fault(error.offset),
        };
        let mut value = reader;
        let skipped = reader.skip(tag);
        let known = fields(message).iter().position(|field| field.0 == tag);
        let outside = path.len();
        if let Some(position) = known {
            push_name(path, fields(message)[position].1, seen[position]);
            seen[position] += 1;
        }
        if place == Place::Field(start) || place == Place::Fault(value.offset()) {
            return true;
        }
        if skipped.is_err() {
            return false;
        }
        let inside = known.and_then(|position| fields(message)[position].2);
        if let (Some(inside), true, true) = (inside, offset <= reader.offset(), depth > 0)
            && let Ok(nested) = value.message()
            && find(inside, nested, place, depth - 1, path)
        {
            return true;
        }
        path.truncate(outside);
    }
}

fn push_name(path: &mut String, name: &str, index: usize) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(name);
    if name.ends_with('[') {
        // Writing into memory cannot fail.
        let _ = write!(path, "{index}]");
    }
}
