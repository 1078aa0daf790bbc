//! A simulated web shop: realistic traces from a seed.
//!
//! The demo, the load generator, benches and tests all need traces that look like life: two dozen services in ten
//! languages, their databases, caches and queues, users and tenants, releases, clock skew, and the troubles of the field
//! (see [`Story`]) at known rates. This crate makes them. It reads no clock, opens no socket, and the same seed gives
//! the same traces.
//!
//! - [`Shop`] makes visits: one at a time, of a chosen [`Scene`], or as a [`History`] with the load shape of a day.
//! - [`Visit`] is what one visit caused: spans by process, in one trace or in several.
//! - [`Batcher`] gathers the spans of many visits per process, as SDKs do, and encodes them as OTLP requests.
//! - [`edge`] has the odd inputs: every type of value, huge attributes, times that run backwards, and worse.
//!
//! ```
//! use model::UnixNanos;
//! let opened = UnixNanos(1_795_000_000_000_000_000);
//! let mut shop = shop::Shop::new(7, opened);
//! let visit = shop.visit(opened);
//! let request = shop::encode(&visit.services);
//! assert!(!request.is_empty());
//! ```

mod batcher;
mod data;
pub mod edge;
mod encode;
mod fleet;
mod goods;
mod history;
mod http;
mod language;
mod long;
mod messaging;
mod pages;
mod rates;
mod record;
mod rng;
mod rpc;
mod shop;
mod span;
mod stack;
mod stories;
mod story;
mod visitor;

pub use batcher::{Batch, Batcher, MAX_SPANS_PER_BATCH};
pub use encode::encode;
pub use history::History;
pub use rng::Rng;
pub use shop::{Scene, Shop, Visit};
pub use span::{
    Attribute, Event, IntoValue, Link, Resource, Scope, ServiceSpans, Span, Text, find,
};
pub use story::Story;
