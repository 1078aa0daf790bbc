//! OTLP protobuf against prost.
//!
//! Strategy: any bytes are given to our decoder and to the generated types of opentelemetry-proto. Invariants:
//!
//! - nothing panics;
//! - what prost accepts, we accept, and after encoding our batch prost reads the same spans from it, but for those that
//!   break a rule of OTLP, whose number is the number we report;
//! - what only we accept (spans with text that is not UTF-8 are rejected one by one, deeper values are allowed) comes back
//!   the same from our own encoding;
//! - a refusal names a byte inside the body.

use model::{MAX_VALUE_DEPTH, SpanBatch};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use prost::Message as _;
use wire::otlp::{self, DecodeLimits};

/// A span with its resource and scope, each as prost encodes it.
pub type Flat = (Vec<u8>, Vec<u8>, Vec<u8>);

/// Checks the invariants on one body.
///
/// # Panics
/// When an invariant is broken.
pub fn check(body: &[u8]) {
    let mut batch = SpanBatch::default();
    let ours = otlp::decode(body, &DecodeLimits::default(), &mut batch);
    let theirs = ExportTraceServiceRequest::decode(body);
    match (ours, theirs) {
        (Ok(rejected), Ok(request)) => {
            let (flat, refused) = flatten(request);
            assert_eq!(rejected.total(), refused, "{rejected:?}");
            assert_eq!(rejected.first.is_some(), refused > 0);
            let encoded = otlp::encode(&batch);
            let again = ExportTraceServiceRequest::decode(&encoded[..]).expect("what we encoded");
            assert_eq!(flatten(again), (flat, 0));
        }
        (Ok(_), Err(_)) => comes_back(&batch),
        (Err(error), Err(_)) => assert!(error.offset <= body.len(), "{error}"),
        (Err(error), Ok(_)) => panic!("prost accepts what we refuse: {error}"),
    }
}

/// As [`check`], for bytes that both decoders must accept.
///
/// # Panics
/// When an invariant is broken.
pub fn check_accepted(body: &[u8]) {
    ExportTraceServiceRequest::decode(body).expect("prost accepts");
    check(body);
}

fn comes_back(batch: &SpanBatch) {
    let encoded = otlp::encode(batch);
    let mut again = SpanBatch::default();
    let rejected = otlp::decode(&encoded, &DecodeLimits::default(), &mut again);
    assert_eq!(rejected.expect("what we encoded").total(), 0);
    assert_eq!(again.len(), batch.len());
    assert_eq!(otlp::encode(&again), encoded);
}

/// The valid spans of a request in one spelling, ordered by resource and scope; and the number of the others.
pub fn flatten(request: ExportTraceServiceRequest) -> (Vec<Flat>, u64) {
    let mut flat = Vec::new();
    let mut refused = 0;
    for mut resource_spans in request.resource_spans {
        let mut resource = resource_spans.resource.take().unwrap_or_default();
        resource.entity_refs.clear();
        let too_deep = !attributes(&mut resource.attributes);
        let mut outer = resource.encode_to_vec();
        outer.extend_from_slice(resource_spans.schema_url.as_bytes());
        for mut scope_spans in resource_spans.scope_spans {
            let mut scope = scope_spans.scope.take().unwrap_or_default();
            let too_deep = !attributes(&mut scope.attributes) || too_deep;
            let mut inner = scope.encode_to_vec();
            inner.extend_from_slice(scope_spans.schema_url.as_bytes());
            for mut span in scope_spans.spans {
                if too_deep || !tidy(&mut span) {
                    refused += 1;
                    continue;
                }
                flat.push((outer.clone(), inner.clone(), span.encode_to_vec()));
            }
        }
    }
    flat.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    (flat, refused)
}

/// Brings a span to the spelling that we write. Whether it keeps the rules.
fn tidy(span: &mut Span) -> bool {
    let mut good = span.trace_id.len() == 16 && span.trace_id.iter().any(|&b| b != 0);
    good &= span.span_id.len() == 8 && span.span_id.iter().any(|&b| b != 0);
    good &= matches!(span.parent_span_id.len(), 0 | 8);
    if span.parent_span_id.iter().all(|&b| b == 0) {
        span.parent_span_id.clear();
    }
    good &= in_range(span.start_time_unix_nano) && in_range(span.end_time_unix_nano);
    good &= attributes(&mut span.attributes);
    if !(1..=5).contains(&span.kind) {
        span.kind = 0;
    }
    if let Some(status) = &mut span.status
        && !(1..=2).contains(&status.code)
    {
        status.code = 0;
    }
    if span.status == Some(Status::default()) {
        span.status = None;
    }
    for event in &mut span.events {
        good &= in_range(event.time_unix_nano) && attributes(&mut event.attributes);
    }
    for link in &mut span.links {
        good &= matches!(link.trace_id.len(), 0 | 16) && matches!(link.span_id.len(), 0 | 8);
        link.trace_id.resize(16, 0);
        link.span_id.resize(8, 0);
        good &= attributes(&mut link.attributes);
    }
    good
}

fn in_range(nanos: u64) -> bool {
    i64::try_from(nanos).is_ok()
}

fn attributes(attributes: &mut [KeyValue]) -> bool {
    none_bad(attributes, |attribute| entry(attribute, 0))
}

/// Whether all are good, each of them looked at.
fn none_bad<T>(items: &mut [T], mut good: impl FnMut(&mut T) -> bool) -> bool {
    items
        .iter_mut()
        .filter_map(|item| (!good(item)).then_some(()))
        .count()
        == 0
}

fn entry(entry: &mut KeyValue, depth: usize) -> bool {
    entry.key_strindex = 0;
    value(entry.value.get_or_insert_default(), depth)
}

/// Whether the value, inside `depth` lists, is not nested too deeply.
fn value(any: &mut AnyValue, depth: usize) -> bool {
    let fits = depth < MAX_VALUE_DEPTH;
    match &mut any.value {
        Some(Value::ArrayValue(list)) => {
            none_bad(&mut list.values, |item| value(item, depth + 1)) && fits
        }
        Some(Value::KvlistValue(list)) => {
            none_bad(&mut list.values, |item| entry(item, depth + 1)) && fits
        }
        // In canonical text there is one NaN.
        Some(Value::DoubleValue(double)) if depth > 0 && double.is_nan() => {
            *double = f64::NAN;
            true
        }
        Some(Value::StringValueStrindex(_)) => {
            any.value = None;
            true
        }
        _ => true,
    }
}
