//! OTLP/JSON.
//!
//! Strategy: any bytes are read as a request in JSON. Invariants:
//!
//! - nothing panics, however deep the nesting;
//! - what is accepted becomes protobuf that our decoder accepts, if need be span by span;
//! - the spans written as OTLP/JSON and read again are the same; the spelling of Tempo is JSON;
//! - a refusal names a line that the text has.

use model::SpanBatch;
use wire::otlp::{self, DecodeLimits};
use wire::otlp_json::{self, IdStyle};

/// Checks the invariants on one text.
///
/// # Panics
/// When an invariant is broken.
pub fn check(json: &[u8]) {
    let body = match otlp_json::to_protobuf(json) {
        Ok(body) => body,
        Err(error) => {
            let lines = 1 + json.iter().filter(|&&byte| byte == b'\n').count();
            assert!(error.line <= lines, "{error}");
            return;
        }
    };
    let batch = decoded(&body);
    let mut again = r#"{"resourceSpans":"#.to_owned();
    otlp_json::write_resource_spans(&batch, IdStyle::Hex, &mut again);
    again.push('}');
    let again = otlp_json::to_protobuf(again.as_bytes()).expect("what we wrote");
    assert_eq!(otlp::encode(&decoded(&again)), otlp::encode(&batch));

    let mut tempo = String::new();
    otlp_json::write_resource_spans(&batch, IdStyle::Base64, &mut tempo);
    let mut tempo = serde_json::Deserializer::from_str(&tempo);
    tempo.disable_recursion_limit();
    let _: serde::de::IgnoredAny = serde::Deserialize::deserialize(&mut tempo).expect("JSON");
}

fn decoded(body: &[u8]) -> SpanBatch {
    let mut batch = SpanBatch::default();
    otlp::decode(body, &DecodeLimits::default(), &mut batch).expect("what we wrote");
    batch
}
