//! Random OTLP requests.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use proptest::collection::vec;
use proptest::prelude::*;

/// Requests in which most spans are good, and every field of OTLP occurs.
pub(crate) fn request() -> impl Strategy<Value = ExportTraceServiceRequest> {
    vec(resource_spans(), 0..4)
        .prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
}

fn resource_spans() -> impl Strategy<Value = ResourceSpans> {
    (
        proptest::option::of((attributes(), 0..3u32)),
        vec(scope_spans(), 0..3),
        text(),
    )
        .prop_map(|(resource, scope_spans, schema_url)| ResourceSpans {
            resource: resource.map(|(attributes, dropped_attributes_count)| Resource {
                attributes,
                dropped_attributes_count,
                entity_refs: Vec::new(),
            }),
            scope_spans,
            schema_url,
        })
}

fn scope_spans() -> impl Strategy<Value = ScopeSpans> {
    let scope = (text(), text(), attributes(), 0..3u32).prop_map(
        |(name, version, attributes, dropped_attributes_count)| InstrumentationScope {
            name,
            version,
            attributes,
            dropped_attributes_count,
        },
    );
    (proptest::option::of(scope), vec(span(), 0..5), text()).prop_map(
        |(scope, spans, schema_url)| ScopeSpans {
            scope,
            spans,
            schema_url,
        },
    )
}

fn span() -> impl Strategy<Value = Span> {
    let ids = (id(16), id(8), prop_oneof![Just(vec![]), id(8)]);
    let times = (time(), time(), -1..8i32, any::<u32>());
    let lists = (attributes(), vec(event(), 0..3), vec(link(), 0..3));
    let dropped = (0..3u32, 0..3u32, 0..3u32);
    let status = proptest::option::of((text(), -1..4i32));
    (ids, times, (text(), text()), lists, dropped, status).prop_map(
        |(ids, times, texts, lists, dropped, status)| Span {
            trace_id: ids.0,
            span_id: ids.1,
            parent_span_id: ids.2,
            start_time_unix_nano: times.0,
            end_time_unix_nano: times.1,
            kind: times.2,
            flags: times.3,
            name: texts.0,
            trace_state: texts.1,
            attributes: lists.0,
            events: lists.1,
            links: lists.2,
            dropped_attributes_count: dropped.0,
            dropped_events_count: dropped.1,
            dropped_links_count: dropped.2,
            status: status.map(|(message, code)| Status { message, code }),
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
    (time(), text(), attributes(), 0..3u32).prop_map(
        |(time_unix_nano, name, attributes, dropped_attributes_count)| Event {
            time_unix_nano,
            name,
            attributes,
            dropped_attributes_count,
        },
    )
}

fn link() -> impl Strategy<Value = Link> {
    let id_or_none = |bytes| prop_oneof![4 => id(bytes), 1 => Just(vec![])];
    (
        id_or_none(16),
        id_or_none(8),
        text(),
        attributes(),
        0..3u32,
        any::<u32>(),
    )
        .prop_map(
            |(trace_id, span_id, trace_state, attributes, dropped_attributes_count, flags)| Link {
                trace_id,
                span_id,
                trace_state,
                attributes,
                dropped_attributes_count,
                flags,
            },
        )
}

/// Mostly a good id; sometimes zeros or of a wrong length.
fn id(bytes: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        30 => vec(1..=255u8, bytes),
        1 => Just(vec![0; bytes]),
        1 => vec(any::<u8>(), 0..20),
    ]
}

/// Mostly a time that can be held.
fn time() -> impl Strategy<Value = u64> {
    prop_oneof![30 => 0..=i64::MAX as u64, 3 => Just(0), 1 => any::<u64>()]
}

/// Few words again and again, as in life, and now and then anything.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec!["", "service.name", "http.method", "GET", "a", "$x"])
            .prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    vec(key_value(value()), 0..5)
}

fn key_value(value: impl Strategy<Value = AnyValue>) -> impl Strategy<Value = KeyValue> {
    (text(), proptest::option::weighted(0.9, value)).prop_map(|(key, value)| KeyValue {
        key,
        value,
        key_strindex: 0,
    })
}

fn value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        4 => text().prop_map(Value::StringValue).prop_map(Some),
        1 => any::<bool>().prop_map(Value::BoolValue).prop_map(Some),
        2 => any::<i64>().prop_map(Value::IntValue).prop_map(Some),
        2 => any::<f64>().prop_map(Value::DoubleValue).prop_map(Some),
        1 => vec(any::<u8>(), 0..9).prop_map(Value::BytesValue).prop_map(Some),
        1 => Just(None),
    ]
    .prop_map(|value| AnyValue { value });
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|values| Value::ArrayValue(ArrayValue { values })),
            vec(key_value(inner), 0..4)
                .prop_map(|values| Value::KvlistValue(KeyValueList { values })),
        ]
        .prop_map(|value| AnyValue { value: Some(value) })
    })
}
