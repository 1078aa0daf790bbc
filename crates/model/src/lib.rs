//! The nouns of tracing that every other crate shares: ids, times, values, kinds, reasons, and the columns of a batch of spans.
//!
//! This crate performs no I/O, reads no clock, spawns nothing and knows no wire or file format.
//!
//! - [`TraceId`], [`SpanId`]: opaque bytes, printed as lower-case hex.
//! - [`UnixNanos`], [`DurationNanos`]: time in nanoseconds; [`Clock`] is how anybody asks for it.
//! - [`Value`]: an attribute's value, owned; and its canonical text for arrays and maps.
//! - [`SpanBatch`]: many spans as columns over one table of [`Symbols`]. It is what a request is decoded to, what a shard
//!   gathers, what a block is written from and read into, and what an answer is rendered from.
//! - [`TraceSummary`]: one trace in a list.
//! - [`DropReason`]: every way by which a received span can leave the system without being stored.

mod batch;
mod bytes;
mod id;
mod reason;
mod summary;
mod symbols;
mod time;
mod value;

pub use batch::{
    Attribute, EventRow, Gathered, LinkRow, NO_EXTRA, Range32, Remap, ResourceRow, SpanBatch,
    SpanExtra, SpanKind, SpanRow, StatusCode,
};
pub use bytes::same as same_bytes;
pub use id::{IdError, SpanId, TraceId};
pub use reason::DropReason;
pub use summary::TraceSummary;
pub use symbols::{Symbol, SymbolKind, SymbolOverflow, Symbols};
pub use time::{Clock, DurationNanos, UnixNanos};
pub use value::{MAX_VALUE_DEPTH, Value, ValueError, ValueRef};

/// The name that OpenTelemetry gives to a service that did not say its own.
pub const UNKNOWN_SERVICE: &str = "unknown_service";

/// The attribute key that names the service of a resource.
pub const SERVICE_NAME: &str = "service.name";
