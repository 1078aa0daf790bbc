//! The evaluator against the suite of results, and against the plain one on random traces and queries.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod answers;
mod bounds;
mod columns;
mod random;
mod suite;
