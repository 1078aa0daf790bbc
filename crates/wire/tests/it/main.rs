//! The wire formats through their public surfaces.

#![allow(clippy::unwrap_used)] // a test that panics has failed, as it should

mod corpus;
mod jaeger_json;
mod otlp;
mod otlp_json;
mod requests;
mod response;
mod tell;
mod tempo;

// The checks of the fuzzers, compiled into this test so that they run without a fuzzer; public in their own library.
#[allow(unreachable_pub)]
#[path = "../../../../fuzz/src/corpus.rs"]
mod fuzz_corpus;
#[allow(unreachable_pub)]
#[path = "../../../../fuzz/src/wire_jaeger_json.rs"]
mod wire_jaeger_json;
#[allow(unreachable_pub)]
#[path = "../../../../fuzz/src/wire_otlp.rs"]
mod wire_otlp;
#[allow(unreachable_pub)]
#[path = "../../../../fuzz/src/wire_otlp_json.rs"]
mod wire_otlp_json;
