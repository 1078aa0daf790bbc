//! The analysis, driven through its public surface: drawn traces in, short texts out; invariants on arbitrary traces; the
//! stories of the simulated shop.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod comparison;
mod drawn;
mod findings;
mod json;
mod path;
mod properties;
mod size;
mod skew;
mod stories;
mod told;
mod tree;
