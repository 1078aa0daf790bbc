//! What is encoded is what OTLP's own decoder reads, field by field, and batches are what SDKs send.

use std::collections::HashSet;

use model::{SpanId, TraceId, UnixNanos, Value};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span as ProtoSpan;
use prost::Message;
use shop::{Attribute, Batcher, MAX_SPANS_PER_BATCH, Rng, ServiceSpans, Shop, Span, edge, encode};

use crate::support::{OPENED, after_minutes};

fn decode(body: &[u8]) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest::decode(body).expect("a valid request")
}

fn value(value: Option<&AnyValue>) -> Value {
    match value.and_then(|value| value.value.as_ref()) {
        None => Value::Empty,
        Some(any_value::Value::StringValue(text)) => Value::Str(text.clone()),
        Some(any_value::Value::BoolValue(bool)) => Value::Bool(*bool),
        Some(any_value::Value::IntValue(int)) => Value::Int(*int),
        Some(any_value::Value::DoubleValue(double)) => Value::Double(*double),
        Some(any_value::Value::BytesValue(bytes)) => Value::Bytes(bytes.clone()),
        Some(any_value::Value::ArrayValue(array)) => Value::Array(
            array
                .values
                .iter()
                .map(|item| self::value(Some(item)))
                .collect(),
        ),
        Some(any_value::Value::KvlistValue(map)) => Value::Map(
            map.values
                .iter()
                .map(|entry| (entry.key.clone(), self::value(entry.value.as_ref())))
                .collect(),
        ),
        Some(other) => panic!("no such value is ever written: {other:?}"),
    }
}

/// Attributes as text, because NaN differs from itself.
fn attributes(read: &[KeyValue]) -> Vec<String> {
    read.iter()
        .map(|entry| format!("{} = {:?}", entry.key, value(entry.value.as_ref())))
        .collect()
}

fn expected(written: &[Attribute]) -> Vec<String> {
    written
        .iter()
        .map(|attribute| format!("{} = {:?}", attribute.key, attribute.value))
        .collect()
}

fn check_span(read: &ProtoSpan, written: &Span) {
    assert_eq!(TraceId::from_slice(&read.trace_id), Some(written.trace_id));
    assert_eq!(SpanId::from_slice(&read.span_id), Some(written.span_id));
    if written.is_root() {
        assert!(read.parent_span_id.is_empty());
    } else {
        assert_eq!(
            SpanId::from_slice(&read.parent_span_id),
            Some(written.parent_span_id)
        );
    }
    assert_eq!(read.trace_state, written.trace_state);
    assert_eq!(read.flags, written.flags);
    assert_eq!(read.name, written.name);
    assert_eq!(read.kind, written.kind as i32);
    assert_eq!(read.start_time_unix_nano, written.start.0 as u64);
    assert_eq!(read.end_time_unix_nano, written.end.0 as u64);
    assert_eq!(attributes(&read.attributes), expected(&written.attributes));
    assert_eq!(read.dropped_attributes_count, written.dropped_attributes);
    assert_eq!(read.events.len(), written.events.len());
    for (read, written) in read.events.iter().zip(&written.events) {
        assert_eq!(read.time_unix_nano, written.time.0 as u64);
        assert_eq!(read.name, written.name);
        assert_eq!(attributes(&read.attributes), expected(&written.attributes));
        assert_eq!(read.dropped_attributes_count, written.dropped_attributes);
    }
    assert_eq!(read.dropped_events_count, written.dropped_events);
    assert_eq!(read.links.len(), written.links.len());
    for (read, written) in read.links.iter().zip(&written.links) {
        assert_eq!(TraceId::from_slice(&read.trace_id), Some(written.trace_id));
        assert_eq!(SpanId::from_slice(&read.span_id), Some(written.span_id));
        assert_eq!(read.trace_state, written.trace_state);
        assert_eq!(attributes(&read.attributes), expected(&written.attributes));
        assert_eq!(read.dropped_attributes_count, written.dropped_attributes);
        assert_eq!(read.flags, written.flags);
    }
    assert_eq!(read.dropped_links_count, written.dropped_links);
    let status = read.status.clone().unwrap_or_default();
    assert_eq!(status.code, written.status as i32);
    assert_eq!(status.message, written.status_message);
}

fn check(groups: &[ServiceSpans]) {
    let request = decode(&encode(groups));
    assert_eq!(request.resource_spans.len(), groups.len());
    for (read, written) in request.resource_spans.iter().zip(groups) {
        let resource = read.resource.clone().unwrap_or_default();
        assert_eq!(
            attributes(&resource.attributes),
            expected(&written.resource.attributes)
        );
        assert_eq!(
            resource.dropped_attributes_count,
            written.resource.dropped_attributes
        );
        assert_eq!(read.schema_url, written.resource.schema_url);
        let mut count = 0;
        for scope_spans in &read.scope_spans {
            let scope = scope_spans.scope.clone().unwrap_or_default();
            for span in &scope_spans.spans {
                let written = written
                    .spans
                    .iter()
                    .find(|written| {
                        written.span_id.0[..] == span.span_id && written.scope.name == scope.name
                    })
                    .expect("a span that was written");
                assert_eq!(scope.version, written.scope.version);
                assert_eq!(
                    attributes(&scope.attributes),
                    expected(&written.scope.attributes)
                );
                assert_eq!(
                    scope.dropped_attributes_count,
                    written.scope.dropped_attributes
                );
                assert_eq!(scope_spans.schema_url, written.scope.schema_url);
                check_span(span, written);
                count += 1;
            }
        }
        assert_eq!(count, written.spans.len());
    }
}

#[test]
fn the_shop_survives_encoding() {
    let mut shop = Shop::new(61, OPENED);
    for _ in 0..300 {
        check(&shop.visit(OPENED).services);
    }
}

#[test]
fn odd_but_valid_spans_survive_encoding() {
    for (name, group) in edge::all(&mut Rng::new(62), OPENED) {
        println!("{name}");
        check(&[group]);
    }
}

#[test]
fn malformed_bodies_are_what_they_say() {
    let mut rng = Rng::new(63);
    let ids = decode(&edge::malformed::ids(&[1, 2, 3], &[], &[0; 8]));
    let span = &ids.resource_spans[0].scope_spans[0].spans[0];
    assert_eq!(
        (
            span.trace_id.len(),
            span.span_id.len(),
            span.parent_span_id.len()
        ),
        (3, 0, 8)
    );
    let times = decode(&edge::malformed::times(u64::MAX, 0));
    assert_eq!(
        times.resource_spans[0].scope_spans[0].spans[0].start_time_unix_nano,
        u64::MAX
    );
    assert!(ExportTraceServiceRequest::decode(&edge::malformed::name(&[0xff, 0xfe])[..]).is_err());
    assert!(
        ExportTraceServiceRequest::decode(&edge::malformed::nested(&mut rng, OPENED, 10_000)[..])
            .is_err()
    );
    for keep in [20, 300, 700, 999] {
        let body = edge::malformed::truncated(&mut rng, OPENED, keep);
        assert!(
            ExportTraceServiceRequest::decode(&body[..]).is_err(),
            "{keep}"
        );
    }
}

#[test]
fn a_batch_is_of_one_process_in_the_order_of_ends() {
    let mut shop = Shop::new(64, OPENED);
    let mut batcher = Batcher::default();
    let mut written = 0;
    let until = after_minutes(20);
    for (_, visit) in shop.history(OPENED, until, 3.0) {
        written += visit.span_count();
        batcher.add(visit);
    }
    assert_eq!(batcher.len(), written);
    let batches = batcher.take_all(MAX_SPANS_PER_BATCH);
    assert!(batcher.is_empty());
    assert!(batches.is_sorted_by_key(|batch| batch.ended));
    let mut ids = HashSet::new();
    for batch in &batches {
        let spans = &batch.spans.spans;
        assert!((1..=MAX_SPANS_PER_BATCH).contains(&spans.len()));
        assert!(spans.is_sorted_by_key(|span| span.end));
        ids.extend(spans.iter().map(|span| span.span_id));
    }
    assert_eq!(ids.len(), written);
    assert!(
        batches
            .iter()
            .any(|batch| batch.spans.spans.len() == MAX_SPANS_PER_BATCH)
    );
    let full = batches
        .iter()
        .max_by_key(|batch| batch.spans.spans.len())
        .expect("a batch");
    let traces: HashSet<_> = full.spans.spans.iter().map(|span| span.trace_id).collect();
    assert!(traces.len() > 20, "spans of {} traces", traces.len());
    let request = decode(&full.encode());
    assert_eq!(request.resource_spans.len(), 1);
    assert!(request.resource_spans[0].scope_spans.len() > 1);
}

#[test]
fn spans_that_have_not_ended_wait() {
    let mut shop = Shop::new(65, OPENED);
    let visit = shop
        .find(shop::Scene::Checkout, shop::Story::PaymentTimeouts, OPENED)
        .expect("a slow checkout");
    let spans = visit.span_count();
    let mut batcher = Batcher::default();
    batcher.add(visit);
    let now = UnixNanos(OPENED.0 + 10_000_000_000);
    let ended: usize = batcher
        .take_ended(now, 512)
        .iter()
        .map(|batch| batch.spans.spans.len())
        .sum();
    assert!(ended > 5 && batcher.len() > 5);
    let later: usize = batcher
        .take_all(512)
        .iter()
        .map(|batch| batch.spans.spans.len())
        .sum();
    assert_eq!(ended + later, spans);
}
