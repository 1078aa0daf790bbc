//! What is asked over gRPC.

use crate::proto::{ProtoError, Reader, Tag};

/// Why a message is no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The bytes are not protobuf, or a field has another type than it should.
    #[error(transparent)]
    Broken(#[from] ProtoError),
    /// A text is not UTF-8.
    #[error("field {0} is not UTF-8")]
    NotText(u32),
}

/// `SearchRequest`. Zero means that a field was not given, here and below.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchRequest {
    /// Attributes by key, for clients that know no TraceQL.
    pub tags: Vec<(String, String)>,
    /// Least duration of the trace in milliseconds; with tags.
    pub min_duration_ms: u32,
    /// Greatest duration of the trace in milliseconds; with tags.
    pub max_duration_ms: u32,
    /// Traces at the most.
    pub limit: u32,
    /// Unix seconds.
    pub start: u32,
    /// Unix seconds.
    pub end: u32,
    /// TraceQL.
    pub query: String,
    /// Spans shown of each spanset.
    pub spans_per_spanset: u32,
}

/// `SearchTagsRequest`, of both versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagsRequest {
    /// `span`, `resource` and so on; empty for all.
    pub scope: String,
    /// A filter.
    pub query: String,
    /// Unix seconds.
    pub start: u32,
    /// Unix seconds.
    pub end: u32,
    /// Names of a scope at the most.
    pub limit: u32,
}

/// `SearchTagValuesRequest`, of both versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagValuesRequest {
    /// The attribute.
    pub tag: String,
    /// A filter, perhaps not finished.
    pub query: String,
    /// Unix seconds.
    pub start: u32,
    /// Unix seconds.
    pub end: u32,
    /// Values at the most.
    pub limit: u32,
}

/// `QueryRangeRequest`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryRangeRequest {
    /// TraceQL.
    pub query: String,
    /// Unix nanoseconds.
    pub start: u64,
    /// Unix nanoseconds.
    pub end: u64,
    /// Nanoseconds.
    pub step: u64,
    /// Exemplars wanted.
    pub exemplars: u32,
    /// Series at the most.
    pub max_series: u32,
    /// Whether one point is wanted rather than many.
    pub instant: bool,
}

/// `QueryInstantRequest`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryInstantRequest {
    /// TraceQL.
    pub query: String,
    /// Unix nanoseconds.
    pub start: u64,
    /// Unix nanoseconds.
    pub end: u64,
}

fn text(reader: &mut Reader<'_>, tag: Tag) -> Result<String, RequestError> {
    let bytes = reader.bytes()?;
    match simdutf8::basic::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(RequestError::NotText(tag.field())),
    }
}

/// Reads the known fields of a message into a struct; of a field that comes twice the last counts, and what is not known,
/// or not of its type, is passed over.
macro_rules! decode {
    ($message:ident, $($tag:expr => $field:ident by $read:ident),* $(,)?) => {
        impl $message {
            /// Reads the message.
            ///
            /// # Errors
            /// [`RequestError`]
            pub fn decode(bytes: &[u8]) -> Result<Self, RequestError> {
                let mut message = Self::default();
                let mut reader = Reader::new(bytes);
                while let Some(tag) = reader.tag()? {
                    $(if tag == $tag {
                        $read(&mut message.$field, &mut reader, tag)?;
                        continue;
                    })*
                    reader.skip(tag)?;
                }
                Ok(message)
            }
        }
    };
}

type Read = Result<(), RequestError>;

fn string(into: &mut String, reader: &mut Reader<'_>, tag: Tag) -> Read {
    *into = text(reader, tag)?;
    Ok(())
}

fn uint32(into: &mut u32, reader: &mut Reader<'_>, _: Tag) -> Read {
    *into = reader.uint32()?;
    Ok(())
}

fn uint64(into: &mut u64, reader: &mut Reader<'_>, _: Tag) -> Read {
    *into = reader.varint()?;
    Ok(())
}

fn bool(into: &mut bool, reader: &mut Reader<'_>, _: Tag) -> Read {
    *into = reader.bool()?;
    Ok(())
}

/// An entry of a map from string to string.
fn pair(into: &mut Vec<(String, String)>, reader: &mut Reader<'_>, tag: Tag) -> Read {
    let mut entry = reader.message()?;
    let (mut key, mut value) = (String::new(), String::new());
    while let Some(inner) = entry.tag()? {
        if inner == Tag::len(1) {
            key = text(&mut entry, tag)?;
        } else if inner == Tag::len(2) {
            value = text(&mut entry, tag)?;
        } else {
            entry.skip(inner)?;
        }
    }
    into.push((key, value));
    Ok(())
}

decode!(
    SearchRequest,
    Tag::len(1) => tags by pair,
    Tag::varint(2) => min_duration_ms by uint32,
    Tag::varint(3) => max_duration_ms by uint32,
    Tag::varint(4) => limit by uint32,
    Tag::varint(5) => start by uint32,
    Tag::varint(6) => end by uint32,
    Tag::len(8) => query by string,
    Tag::varint(9) => spans_per_spanset by uint32,
);

decode!(
    TagsRequest,
    Tag::len(1) => scope by string,
    Tag::len(2) => query by string,
    Tag::varint(3) => start by uint32,
    Tag::varint(4) => end by uint32,
    Tag::varint(5) => limit by uint32,
);

decode!(
    TagValuesRequest,
    Tag::len(1) => tag by string,
    Tag::len(2) => query by string,
    Tag::varint(4) => start by uint32,
    Tag::varint(5) => end by uint32,
    Tag::varint(6) => limit by uint32,
);

decode!(
    QueryRangeRequest,
    Tag::len(1) => query by string,
    Tag::varint(2) => start by uint64,
    Tag::varint(3) => end by uint64,
    Tag::varint(4) => step by uint64,
    Tag::varint(16) => exemplars by uint32,
    Tag::varint(17) => max_series by uint32,
    Tag::varint(18) => instant by bool,
);

decode!(
    QueryInstantRequest,
    Tag::len(1) => query by string,
    Tag::varint(2) => start by uint64,
    Tag::varint(3) => end by uint64,
);
