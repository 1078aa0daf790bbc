//! What the fuzzers check, as plain functions from bytes to nothing that panic when an invariant is broken.
//!
//! Each file opens with its strategy and its invariants. `cargo +nightly fuzz run <target>` searches for hours; the tests
//! of the crate in question run the same functions over `corpus/<target>` and over mutations of it in seconds. The README
//! beside tells how to search with a stable compiler.

pub mod block_files;
pub mod journal_segment;
pub mod traceql;
pub mod wire_jaeger_json;
pub mod wire_otlp;
pub mod wire_otlp_json;
