//! Behaviour of the block through its public surface.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod batches;
mod damage;
mod golden;
mod merges;
mod readers;
mod round_trip;
