//! The wire formats through their public surfaces.

#![allow(clippy::unwrap_used)] // a test that panics has failed, as it should

// The checks that the fuzzers run, compiled into this test so that they run over the committed corpus as well.
#[allow(unreachable_pub)] // public in the library of the fuzzers
#[path = "../../../../fuzz/src/otlp.rs"]
mod fuzz_otlp;

mod jaeger_json;
mod otlp;
mod otlp_json;
mod requests;
mod response;
mod tell;
