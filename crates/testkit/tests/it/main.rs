//! The kit itself: drawings, the plain evaluator against the suite, laws on random traces.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod laws;
mod suite;
mod traces;
