//! The checks of the fuzzers.

use crate::fuzz_corpus::run;
use crate::{wire_jaeger_json, wire_otlp, wire_otlp_json};

#[test]
fn otlp_holds_its_invariants() {
    run("wire_otlp", wire_otlp::check);
}

#[test]
fn otlp_json_holds_its_invariants() {
    run("wire_otlp_json", wire_otlp_json::check);
}

#[test]
fn jaeger_json_holds_its_invariants() {
    run("wire_jaeger_json", wire_jaeger_json::check);
}
