//! Jaeger's JSON.
//!
//! Strategy: any bytes are read as a trace or an answer of Jaeger. Invariants:
//!
//! - nothing panics;
//! - what is accepted becomes protobuf that prost and our decoder accept, and both see the same spans in it;
//! - a refusal names a line that the text has.

use wire::jaeger_json;

use crate::wire_otlp;

/// Checks the invariants on one text.
///
/// # Panics
/// When an invariant is broken.
pub fn check(json: &[u8]) {
    match jaeger_json::to_protobuf(json) {
        Ok(body) => wire_otlp::check_accepted(&body),
        Err(error) => {
            let lines = 1 + json.iter().filter(|&&byte| byte == b'\n').count();
            assert!(error.line <= lines, "{error}");
        }
    }
}
