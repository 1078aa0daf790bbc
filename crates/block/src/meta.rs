//! What is known of a block without opening its files: its manifest entry.

use std::fmt;
use std::str::FromStr;

use model::{IdError, TraceId, UnixNanos};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

/// Version of the block's files. Readers know every version that was ever released; golden files keep them honest.
///
/// - 1: the first.
/// - 2: `traces.parquet` tells in which columns a trace has values.
pub const FORMAT_VERSION: u32 = 2;

/// Names a block for ever. Ordered by time of creation, to the millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BlockId(pub Ulid);

impl fmt::Display for BlockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for BlockId {
    type Err = ulid::DecodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ulid::from_string(text).map(Self)
    }
}

/// A block's entry in the manifest: where it is, what it spans, what it contains.
///
/// Written once with the block and never changed. Everything here answers a question without reading the block: whether
/// it can be skipped, which services and operations exist, which attribute keys occur and where their columns are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlockMeta {
    /// The block.
    pub id: BlockId,
    /// [`FORMAT_VERSION`] at the time of writing.
    pub format: u32,
    /// Tenant, the first level of the folder.
    pub tenant: String,
    /// Retention class, the second level of the folder.
    pub class: String,
    /// UTC day of the earliest trace start, as `2026-11-21`; the third level of the folder.
    pub date: String,
    /// How often its rows have been rewritten: 0 from a flush, one more than its highest input from a compaction.
    pub level: u32,
    /// When it was written.
    pub created: UnixNanos,
    /// Rows of `spans.parquet`.
    pub spans: u64,
    /// Rows of `traces.parquet`.
    pub traces: u64,
    /// Spans whose status is error.
    pub errors: u64,
    /// Traces of which this is known or feared to be a piece.
    pub partial_traces: u64,
    /// The earliest start of any trace.
    pub start_min: UnixNanos,
    /// The latest start of any trace: no trace of this block is newer.
    pub start_max: UnixNanos,
    /// The latest end of any trace.
    pub end_max: UnixNanos,
    /// The longest trace, in nanoseconds.
    pub duration_max: i64,
    /// The first trace id.
    pub trace_id_min: HexId,
    /// The last trace id.
    pub trace_id_max: HexId,
    /// Its files.
    pub files: BlockFiles,
    /// Attribute keys that have a column of their own in `spans.parquet`.
    pub columns: Vec<AttributeColumn>,
    /// Attribute keys that occur, most frequent first. See [`BlockMeta::keys_truncated`].
    pub keys: Vec<KeyInfo>,
    /// Whether there were more keys than an entry holds.
    pub keys_truncated: bool,
    /// Services and their operations, sorted by name.
    pub services: Vec<ServiceInfo>,
    /// Which part of which journal its spans came from; absent after a compaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journal: Option<JournalRange>,
}

impl BlockMeta {
    /// The folder of the block below the root of the store, without a slash at either end.
    pub fn folder(&self) -> String {
        format!(
            "tenant={}/class={}/date={}/{}",
            self.tenant, self.class, self.date, self.id
        )
    }

    /// Bytes of all files.
    pub fn byte_count(&self) -> u64 {
        let BlockFiles {
            spans,
            traces,
            resources,
            bloom,
        } = self.files;
        spans + traces + resources + bloom
    }

    /// Whether some trace may start between the bounds, both included.
    pub fn may_start_between(&self, earliest: UnixNanos, latest: UnixNanos) -> bool {
        self.start_min <= latest && self.start_max >= earliest
    }
}

/// A trace id as hex in the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HexId(pub TraceId);

impl Serialize for HexId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for HexId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.parse() {
            Ok(id) => Ok(Self(id)),
            // No trace has this id, but as a bound of ids it is as good as any.
            Err(IdError::Zero) => Ok(Self(TraceId::ZERO)),
            Err(error) => Err(serde::de::Error::custom(error)),
        }
    }
}

/// Sizes in bytes of a block's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BlockFiles {
    /// `spans.parquet`
    pub spans: u64,
    /// `traces.parquet`
    pub traces: u64,
    /// `resources.parquet`
    pub resources: u64,
    /// `trace_id.bloom`
    pub bloom: u64,
}

/// Where an attribute belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttributeScope {
    /// The process.
    Resource,
    /// The instrumentation scope.
    Instrumentation,
    /// The span.
    Span,
    /// An event of the span.
    Event,
    /// A link of the span.
    Link,
}

/// The type of an attribute's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AttributeType {
    /// Text.
    String,
    /// 64-bit integers.
    Int,
    /// Doubles.
    Double,
    /// Booleans.
    Bool,
    /// Arrays, maps, bytes and empty values, as canonical text.
    Json,
}

impl AttributeType {
    /// The word in files and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int => "int",
            Self::Double => "double",
            Self::Bool => "bool",
            Self::Json => "json",
        }
    }
}

impl fmt::Display for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A span attribute with a column of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeColumn {
    /// The key.
    pub key: String,
    /// The type of the values in this column. A key with values of two types may have two columns.
    #[serde(rename = "type")]
    pub kind: AttributeType,
    /// Name of the column in `spans.parquet`.
    pub column: String,
}

impl AttributeColumn {
    /// Whether both are of the same attribute, whatever the columns are called.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (&self.key, self.kind) == (&other.key, other.kind)
    }
}

/// An attribute key that occurs in a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyInfo {
    /// Where.
    pub scope: AttributeScope,
    /// The key.
    pub key: String,
    /// The type.
    #[serde(rename = "type")]
    pub kind: AttributeType,
    /// Occurrences: on spans, events or links for those scopes, on distinct resources for the other two.
    pub count: u64,
}

/// A service that occurs in a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceInfo {
    /// Its name.
    pub name: String,
    /// Its spans.
    pub spans: u64,
    /// Its spans with an error.
    pub errors: u64,
    /// Its span names, most frequent first.
    pub operations: Vec<OperationInfo>,
    /// Whether it had more names than an entry holds.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub operations_truncated: bool,
}

/// A span name of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationInfo {
    /// The name.
    pub name: String,
    /// Its spans.
    pub spans: u64,
    /// How many of them are the root of their trace.
    pub roots: u64,
}

/// The part of a journal that a flushed block was taken from. After a crash, spans found again in these segments are
/// looked up in the block before they are taken for new.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalRange {
    /// The journal.
    pub journal: String,
    /// The first segment.
    pub first: u64,
    /// The last segment.
    pub last: u64,
}
