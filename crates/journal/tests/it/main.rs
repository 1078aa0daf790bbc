//! The journal seen from outside: what is acknowledged comes back, whatever happens in between.

#![expect(clippy::unwrap_used, reason = "helpers of tests, too, fail by panicking")]

mod basics;
mod support;
