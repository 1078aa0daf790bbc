//! What a trace says about where its time went: pure functions over the spans of one trace.
//!
//! [`analyse`] takes a [`SpanBatch`](model::SpanBatch), the form in which every trace is at hand, whether it was stored,
//! is live, or was uploaded, and gives an [`Analysis`]: the [`Tree`], corrected clocks, the [`CriticalPath`] of every root,
//! own times, [`Finding`]s that say what to do, and a [`Summary`] in words. [`compare`] lays two traces over each other,
//! [`group`] makes tables of spans.
//!
//! This crate does no I/O, reads no clock and knows nothing of storage, HTTP or the page. It never panics, whatever the
//! parents and times are; there is no recursion, so a chain of 100,000 spans is as good as any other. Everything is
//! O(n log n): 100,000 spans take some tens of milliseconds.
//!
//! # Units and names in JSON
//!
//! All results serialise with camelCase keys. Times are integers in nanoseconds, as *offsets* from the earliest
//! recorded start of the trace ([`Analysis::start_time_unix_nano`]); keys end in `Ns`. Shares are numbers from 0 to 1 of the
//! duration of the main root. A span is named by its *position*: its place in pre-order, siblings by recorded start, of equal
//! ones the longer first, then by id. [`SpanColumns::id`] leads from positions to ids.

mod analysis;
mod compare;
mod facts;
mod findings;
mod group;
mod own;
mod path;
mod patience;
mod settings;
mod skew;
mod summary;
mod template;
mod timeline;
mod trace;
mod tree;
mod words;

pub use analysis::{Analysis, Notes, SpanColumns, analyse};
pub use compare::{Change, Comparison, ComparisonNode, Side, compare};
pub use findings::{Finding, Findings, Pattern};
pub use group::{Group, GroupBy, group};
pub use path::{CriticalPath, Section};
pub use settings::Settings;
pub use summary::{Part, PartKind, Summary};
pub use tree::Tree;
