//! What tests of the query engine are made of: drawn traces, a plain evaluator, a suite of results, random traces.
//!
//! | what | module |
//! |---|---|
//! | owned traces and spans, and their conversion to and from [`model::SpanBatch`] | [`trace`] |
//! | traces drawn as indented text | [`drawing`] |
//! | what a query answers, evaluated as plainly as can be | [`oracle`] |
//! | drawn traces, queries and their answers, in files | [`suite`] |
//! | traces that random queries hit something in | [`random`] |
//!
//! Only tests depend on this crate.

// Everything here runs inside of tests, where a panic with its place is the right way to fail.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

pub mod drawing;
pub mod oracle;
pub mod random;
pub mod suite;
pub mod trace;

pub use drawing::draw;
pub use trace::{Span, Trace};
