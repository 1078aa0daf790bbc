//! The wire formats through their public surfaces.

// The checks that the fuzzers run, compiled into this test so that they run over the committed corpus as well.
#[allow(unreachable_pub)] // public in the library of the fuzzers
#[path = "../../../../fuzz/src/otlp.rs"]
mod fuzz_otlp;

mod otlp;
mod requests;
mod response;
