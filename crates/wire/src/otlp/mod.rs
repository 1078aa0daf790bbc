//! OTLP traces in protobuf: from the bytes of a request to a [`SpanBatch`] and back.
//!
//! [`decode`] is the door of the product: every span passes it once on receipt and once more when the journal is replayed.
//! It walks the bytes once, builds no objects, and interns strings as it goes; what repeats is recognised by comparing
//! bytes. Broken input comes in two kinds. When the *structure* is broken (a length that points outside, a wire type that
//! is not the field's) nothing can be trusted and the request is refused with the place. When a *span* breaks a rule of
//! OTLP it is left out and counted by [`DropReason`], and its neighbours are kept.
//!
//! [`encode`] writes what was decoded, grouped by resource and scope. Decoding what was encoded gives the same spans;
//! nothing of a span's content is lost, but a few spellings become one: an absent resource, scope or value equals an empty
//! one, an absent id of a link equals zeros, and fields of future versions are passed over.

mod decode;
mod encode;
mod group;
mod path;
mod repeats;
pub(crate) mod value;

use model::{DropReason, SpanBatch};

use crate::proto::Fault;

pub use encode::encode;
pub(crate) use group::{ResourceGroup, groups};

/// Bounds on what is decoded, besides the length of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeLimits {
    /// A span whose encoding is longer is rejected with [`DropReason::SpanTooLarge`].
    pub max_span_bytes: usize,
}

impl Default for DecodeLimits {
    /// 16 MiB: a quarter of the default limit on requests, and far above what any SDK sends.
    fn default() -> Self {
        Self {
            max_span_bytes: 16 << 20,
        }
    }
}

/// Spans that were left out of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rejected {
    /// Spans by [`DropReason::index`].
    pub counts: [u64; DropReason::ALL.len()],
    /// The place and reason of the first: `resource_spans[2].scope_spans[0].spans[17]: trace_id must be …`.
    pub first: Option<String>,
}

impl Rejected {
    /// Spans left out, for whatever reason.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// Why a body is no request at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("broken protobuf at byte {offset}{}: {fault}", in_path(.path))]
pub struct DecodeError {
    /// Bytes from the start of the body.
    pub offset: usize,
    /// The field around it, such as `resource_spans[0].scope_spans[0].spans[3].attributes[1].value`; may be empty.
    pub path: String,
    /// What is wrong there.
    pub fault: Fault,
}

fn in_path(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!(" in {path}")
    }
}

/// Clears `batch`, keeping its memory, and fills it with the spans of an `ExportTraceServiceRequest`.
///
/// Spans keep their order; each `ScopeSpans` that holds good spans becomes one row of resources. Spans that break a rule
/// are left out and counted in the answer; when the resource or scope above spans is at fault, all of these.
///
/// Costs one walk, some 200 ns for a span with ten attributes. The batch takes at most a small multiple of the body.
///
/// # Errors
/// [`DecodeError`] when the bytes are not a protobuf message of this type. The content of `batch` is then unspecified.
pub fn decode(
    body: &[u8],
    limits: &DecodeLimits,
    batch: &mut SpanBatch,
) -> Result<Rejected, DecodeError> {
    decode::Decoder::new(body, limits, batch).run()
}
