//! The JSON of edits and checkpoints.

use std::sync::Arc;

use block::{BlockId, BlockMeta};
use bytes::Bytes;
use model::UnixNanos;
use serde::{Deserialize, Serialize};

use super::state::Tombstone;

/// Version of the manifest's objects. A reader refuses a newer one: it would drop what it does not know.
pub(crate) const MANIFEST_FORMAT: u32 = 1;

/// A block as the manifest knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) block: Arc<BlockMeta>,
    /// When the last of its spans had been received, at the latest. Retention counts from here.
    pub(crate) received: UnixNanos,
    pub(crate) checksums: Checksums,
}

/// Checksums of what is read in one piece. The pages between are protected by their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checksums {
    /// The end of `spans.parquet`: offset index and footer.
    pub(crate) spans_tail: Checksum,
    /// The end of `traces.parquet`: column index, offset index and footer.
    pub(crate) traces_tail: Checksum,
    pub(crate) traces: Checksum,
    pub(crate) resources: Checksum,
    pub(crate) bloom: Checksum,
}

/// How many bytes, and their XXH3 (64 bits) in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checksum {
    pub(crate) bytes: u64,
    #[serde(with = "hex64")]
    pub(crate) xxh3: u64,
}

impl Checksum {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.len() as u64,
            xxh3: xxhash_rust::xxh3::xxh3_64(bytes),
        }
    }
}

mod hex64 {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{value:016x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).map_err(D::Error::custom)
    }
}

/// Why an edit was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Reason {
    Flush,
    Compact,
    Expire,
}

/// A change of the state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Edit {
    pub(crate) format: u32,
    pub(crate) number: u64,
    pub(crate) time: UnixNanos,
    pub(crate) reason: Reason,
    pub(crate) removed: Vec<BlockId>,
    pub(crate) added: Vec<Arc<Entry>>,
}

/// The state after the edit of the same number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    pub(crate) format: u32,
    pub(crate) number: u64,
    pub(crate) time: UnixNanos,
    pub(crate) removed: Vec<Tombstone>,
    pub(crate) entries: Vec<Arc<Entry>>,
}

/// Reads just the version, which decides whether the rest can be understood.
#[derive(Deserialize)]
struct Version {
    format: u32,
    number: u64,
}

impl Edit {
    pub(crate) fn to_json(&self) -> Result<Bytes, serde_json::Error> {
        let head = serde_json::json!({
            "format": self.format, "number": self.number, "time": self.time, "reason": self.reason, "removed": self.removed,
        });
        an_entry_to_a_line(&head, "added", &self.added)
    }

    pub(crate) fn from_json(bytes: &[u8], number: u64) -> Result<Self, String> {
        parse(bytes, number)
    }
}

impl Checkpoint {
    pub(crate) fn to_json(&self) -> Result<Bytes, serde_json::Error> {
        let head = serde_json::json!({
            "format": self.format, "number": self.number, "time": self.time, "removed": self.removed,
        });
        an_entry_to_a_line(&head, "entries", &self.entries)
    }

    pub(crate) fn from_json(bytes: &[u8], number: u64) -> Result<Self, String> {
        parse(bytes, number)
    }
}

/// The fields of `head`, then the entries under `name`, in lines that grep and a person's eye can take.
fn an_entry_to_a_line(
    head: &serde_json::Value,
    name: &str,
    entries: &[Arc<Entry>],
) -> Result<Bytes, serde_json::Error> {
    let mut json = serde_json::to_vec(head)?;
    json.pop(); // the closing brace
    json.extend_from_slice(format!(",\"{name}\":[").as_bytes());
    for (position, entry) in entries.iter().enumerate() {
        json.extend_from_slice(if position == 0 { b"\n" } else { b",\n" });
        serde_json::to_writer(&mut json, entry)?;
    }
    json.extend_from_slice(b"\n]}\n");
    Ok(json.into())
}

fn parse<T: serde::de::DeserializeOwned>(bytes: &[u8], number: u64) -> Result<T, String> {
    let version: Version = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if version.format > MANIFEST_FORMAT {
        return Err(format!(
            "it has format {}, which a newer version of this program wrote; this one knows formats up to {MANIFEST_FORMAT}",
            version.format
        ));
    }
    if version.number != number {
        return Err(format!(
            "it says that it is number {}, not {number}",
            version.number
        ));
    }
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}
