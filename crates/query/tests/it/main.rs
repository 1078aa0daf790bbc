//! Queries over live and stored spans, held against the plain evaluator of the testkit.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod asked;
mod comparisons;
mod exemplars;
mod lists;
mod names;
mod progress;
mod random;
mod random_lists;
mod searches;
mod suite;
mod world;
