//! From a request's bytes to traces in blocks: receive, decode, append, assemble, decide, flush.
//!
//! ```text
//!   receive ─► reserve ─► inflate, decode ─► journal ─► route ─┬─► shard 0 ─► sealed ─┐
//!     door.rs  budget.rs  inflate.rs         (durable)  route.rs├─► shard 1 ─► sealed ─┼─► flush ─► store
//!                                               ▲               └─► …                  ┘   flush.rs
//!                                               └──────────── trim ◄── handover.rs ◄───────────┘
//! ```
//!
//! - A request is refused before any work is done for it when there is no room; once it is durable it cannot be refused.
//! - A shard is one thread and one state machine (`shard` knows neither clock nor thread); all spans of a trace meet in one.
//! - Spans leave memory only when their block is visible, and their journal segment only after that. A store that fails
//!   fills memory up to its bound and then closes the door; nothing is dropped.
//! - What is counted where is in [`Counters`], with the law that says that nothing was lost.
//!
//! This crate does not know protobuf (`wire`), Parquet (`block`), object stores (`store`) or status codes (`api`).

mod budget;
mod collector;
mod counters;
mod door;
mod drain_rate;
mod flush;
mod gate;
mod handover;
mod ids;
mod inflate;
mod live;
mod pool;
mod replay;
mod request;
mod route;
mod settings;
mod shard;
mod steady;
mod worker;

pub use collector::{Collector, Drained, StartError};
pub use counters::{Counters, Outcome, SealReason, ShardSnapshot, Snapshot};
pub use flush::TENANT;
pub use inflate::inflate;
pub use live::{Live, Stopped};
pub use replay::ReplayReport;
pub use request::{Encoding, Received, Refusal};
pub use settings::{Settings, SettingsError};
pub use shard::{ListOrder, LivePiece, LiveSpans, OperationCount, ServiceCount, TraceFilter};
