//! Decoding and encoding OTLP protobuf.

use model::{DropReason, SpanBatch, SpanKind, StatusCode, ValueRef};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use proptest::prelude::*;
use prost::Message;
use wire::otlp::{DecodeError, DecodeLimits, Rejected, decode, encode};

use crate::{requests, wire_otlp};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn prost_reads_from_our_encoding_what_it_wrote(request in requests::request()) {
        wire_otlp::check(&request.encode_to_vec());
    }

    #[test]
    fn a_request_with_bytes_changed_is_read_as_prost_reads_it_or_refused(
        request in requests::request(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut body = request.encode_to_vec();
        for (place, byte) in edits {
            if !body.is_empty() {
                let place = place.index(body.len());
                body[place] = byte;
            }
        }
        if let Some(cut) = cut {
            body.truncate(cut.index(body.len() + 1));
        }
        wire_otlp::check(&body);
    }
}

fn good_span() -> Span {
    Span {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        name: "pay".into(),
        start_time_unix_nano: 100,
        end_time_unix_nano: 350,
        ..Default::default()
    }
}

fn string(text: &str) -> AnyValue {
    AnyValue {
        value: Some(Value::StringValue(text.into())),
    }
}

fn attribute(key: &str, value: AnyValue) -> KeyValue {
    KeyValue {
        key: key.into(),
        value: Some(value),
        key_strindex: 0,
    }
}

fn request(spans: Vec<Span>) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: vec![attribute("service.name", string("shop"))],
                ..Default::default()
            }),
            scope_spans: vec![ScopeSpans {
                spans,
                ..Default::default()
            }],
            ..Default::default()
        }],
    }
}

fn read(body: &[u8]) -> (SpanBatch, Result<Rejected, DecodeError>) {
    // A batch that has served before, as in life.
    let mut batch = SpanBatch::default();
    let before = request(vec![good_span(), good_span()]).encode_to_vec();
    decode(&before, &DecodeLimits::default(), &mut batch).unwrap();
    let outcome = decode(body, &DecodeLimits::default(), &mut batch);
    (batch, outcome)
}

#[test]
fn every_field_of_a_span_arrives_in_its_column() {
    let span = Span {
        parent_span_id: vec![3; 8],
        trace_state: "a=b".into(),
        flags: 0x301,
        kind: 3,
        attributes: vec![attribute("http.method", string("GET"))],
        dropped_attributes_count: 1,
        events: vec![Event {
            time_unix_nano: 120,
            name: "retry".into(),
            attributes: vec![attribute(
                "attempt",
                AnyValue {
                    value: Some(Value::IntValue(-2)),
                },
            )],
            dropped_attributes_count: 4,
        }],
        dropped_events_count: 2,
        links: vec![Link {
            trace_id: vec![9; 16],
            span_id: vec![8; 8],
            trace_state: "c=d".into(),
            attributes: vec![],
            dropped_attributes_count: 5,
            flags: 6,
        }],
        dropped_links_count: 3,
        status: Some(Status {
            message: "card refused".into(),
            code: 2,
        }),
        ..good_span()
    };
    let (batch, outcome) = read(&request(vec![span]).encode_to_vec());
    assert_eq!(outcome.unwrap(), Rejected::default());
    let text = |symbol| batch.symbols.str(symbol);
    let row = &batch.spans[0];
    assert_eq!(row.trace_id.0, [1; 16]);
    assert_eq!(row.span_id.0, [2; 8]);
    assert_eq!(row.parent_span_id.0, [3; 8]);
    assert_eq!((row.start.0, row.duration.0), (100, 250));
    assert_eq!((text(row.name), batch.service(row)), ("pay", "shop"));
    assert_eq!((row.flags, row.kind), (0x301, SpanKind::Client));
    assert_eq!(row.status, StatusCode::Error);
    let extra = batch.extra(row);
    assert_eq!(text(extra.status_message), "card refused");
    assert_eq!(text(extra.trace_state), "a=b");
    assert_eq!(
        (
            extra.dropped_attributes,
            extra.dropped_events,
            extra.dropped_links
        ),
        (1, 2, 3)
    );
    let [event] = batch.events(row) else {
        panic!("one event")
    };
    assert_eq!(
        (event.time.0, text(event.name), event.dropped_attributes),
        (120, "retry", 4)
    );
    let [attribute] = batch.attributes(event.attributes) else {
        panic!("one attribute")
    };
    assert_eq!(text(attribute.key), "attempt");
    assert_eq!(batch.symbols.value(attribute.value), ValueRef::Int(-2));
    let [link] = batch.links(row) else {
        panic!("one link")
    };
    assert_eq!((link.trace_id.0, link.span_id.0), ([9; 16], [8; 8]));
    assert_eq!(
        (text(link.trace_state), link.dropped_attributes, link.flags),
        ("c=d", 5, 6)
    );
}

#[test]
fn arrays_maps_bytes_and_nothing_become_canonical_text() {
    let list = AnyValue {
        value: Some(Value::ArrayValue(ArrayValue {
            values: vec![
                string("a\"\n"),
                AnyValue { value: None },
                AnyValue {
                    value: Some(Value::DoubleValue(2.0)),
                },
            ],
        })),
    };
    let map = AnyValue {
        value: Some(Value::KvlistValue(KeyValueList {
            values: vec![
                attribute("$in", list.clone()),
                attribute(
                    "raw",
                    AnyValue {
                        value: Some(Value::BytesValue(vec![255])),
                    },
                ),
            ],
        })),
    };
    let mut span = good_span();
    span.attributes = vec![
        attribute("list", list),
        attribute("map", map),
        KeyValue {
            key: "none".into(),
            value: None,
            key_strindex: 0,
        },
    ];
    let (batch, outcome) = read(&request(vec![span]).encode_to_vec());
    outcome.unwrap();
    let texts: Vec<_> = batch
        .attributes(batch.spans[0].attributes)
        .iter()
        .map(|a| match batch.symbols.value(a.value) {
            ValueRef::Json(text) => text,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        texts,
        [
            r#"["a\"\n",null,2.0]"#,
            r#"{"$$in":["a\"\n",null,2.0],"raw":{"$bytes":"/w=="}}"#,
            "null",
        ]
    );
}

#[test]
fn a_bad_span_is_counted_with_its_place_and_leaves_nothing_behind() {
    let event = |time_unix_nano| Event {
        time_unix_nano,
        ..Default::default()
    };
    let bad: [(DropReason, Span); 8] = [
        (
            DropReason::InvalidTraceId,
            Span {
                trace_id: vec![0; 16],
                ..good_span()
            },
        ),
        (
            DropReason::InvalidTraceId,
            Span {
                trace_id: vec![1; 15],
                ..good_span()
            },
        ),
        (
            DropReason::InvalidSpanId,
            Span {
                span_id: vec![],
                ..good_span()
            },
        ),
        (
            DropReason::InvalidSpanId,
            Span {
                parent_span_id: vec![1; 7],
                ..good_span()
            },
        ),
        (
            DropReason::TimestampOutOfRange,
            Span {
                end_time_unix_nano: 1 << 63,
                ..good_span()
            },
        ),
        (
            DropReason::TimestampOutOfRange,
            Span {
                attributes: vec![attribute("k", string("v"))],
                events: vec![event(1), event(u64::MAX)],
                ..good_span()
            },
        ),
        (
            DropReason::InvalidSpanId,
            Span {
                links: vec![Link {
                    span_id: vec![1; 9],
                    ..Default::default()
                }],
                ..good_span()
            },
        ),
        (DropReason::NestedTooDeep, {
            let deep = (0..65).fold(string("x"), |inner, _| AnyValue {
                value: Some(Value::ArrayValue(ArrayValue {
                    values: vec![inner],
                })),
            });
            Span {
                attributes: vec![attribute("k", string("v")), attribute("deep", deep)],
                ..good_span()
            }
        }),
    ];
    for (reason, span) in bad {
        let (batch, outcome) = read(&request(vec![good_span(), span, good_span()]).encode_to_vec());
        let rejected = outcome.unwrap();
        assert_eq!(
            (rejected.total(), rejected.counts[reason.index()]),
            (1, 1),
            "{reason}"
        );
        assert_eq!(
            rejected.first.as_deref(),
            Some(&*format!(
                "resource_spans[0].scope_spans[0].spans[1]: {}",
                reason.explain()
            ))
        );
        assert_eq!(batch.len(), 2);
        let rows = [
            &batch.attributes.len(),
            &batch.extras.len(),
            &batch.events.len(),
            &batch.links.len(),
        ];
        assert_eq!(rows, [&1, &0, &0, &0], "{reason}");
    }
}

#[test]
fn values_may_be_nested_as_deep_as_the_bound_says() {
    let deep = (0..model::MAX_VALUE_DEPTH).fold(string("x"), |inner, _| AnyValue {
        value: Some(Value::ArrayValue(ArrayValue {
            values: vec![inner],
        })),
    });
    let span = Span {
        attributes: vec![attribute("deep", deep)],
        ..good_span()
    };
    let body = request(vec![span]).encode_to_vec();
    let (batch, outcome) = read(&body);
    assert_eq!(outcome.unwrap().total(), 0);
    let (again, outcome) = read(&encode(&batch));
    assert_eq!(outcome.unwrap().total(), 0);
    assert_eq!(encode(&again), encode(&batch));
}

#[test]
fn the_deepest_value_is_within_the_usual_recursion_limit_of_readers() {
    let deep = (0..model::MAX_VALUE_DEPTH).fold(string("x"), |inner, _| AnyValue {
        value: Some(Value::KvlistValue(KeyValueList {
            values: vec![attribute("k", inner)],
        })),
    });
    let span = Span {
        events: vec![Event {
            attributes: vec![attribute("deep", deep)],
            ..Event::default()
        }],
        ..good_span()
    };
    let sent = request(vec![span]);
    let (batch, outcome) = read(&sent.encode_to_vec());
    assert_eq!(outcome.unwrap().total(), 0);
    let answer = ExportTraceServiceRequest::decode(encode(&batch).as_slice()).unwrap();
    let spans = |of: &ExportTraceServiceRequest| of.resource_spans[0].scope_spans[0].spans.clone();
    assert_eq!(spans(&answer), spans(&sent));
}

/// `body` with its only occurrence of `from` replaced, which must be as long.
fn replaced(body: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let at = body.windows(from.len()).position(|w| w == from).unwrap();
    let mut body = body.to_vec();
    body[at..at + from.len()].copy_from_slice(to);
    body
}

#[test]
fn text_that_is_not_utf8_rejects_the_span_or_all_spans_below() {
    let other = Span {
        name: "other".into(),
        ..good_span()
    };
    let mut request = request(vec![good_span(), other]);
    let scope_spans = &mut request.resource_spans[0].scope_spans;
    scope_spans[0].scope = Some(InstrumentationScope {
        name: "library".into(),
        ..Default::default()
    });
    scope_spans.push(ScopeSpans {
        spans: vec![good_span()],
        ..Default::default()
    });
    let body = request.encode_to_vec();
    for (from, count, place) in [
        ("other", 1, "resource_spans[0].scope_spans[0].spans[1]"),
        ("library", 2, "resource_spans[0].scope_spans[0].scope"),
        ("shop", 3, "resource_spans[0].resource"),
    ] {
        let to = vec![0xff; from.len()];
        let (batch, outcome) = read(&replaced(&body, from.as_bytes(), &to));
        let rejected = outcome.unwrap();
        assert_eq!(rejected.counts[DropReason::InvalidUtf8.index()], count);
        assert_eq!(
            rejected.first.as_deref(),
            Some(&*format!("{place}: a string is not valid UTF-8"))
        );
        assert_eq!(batch.len() as u64 + count, 3);
    }
}

#[test]
fn a_broken_message_is_refused_with_byte_and_path() {
    let mut span = good_span();
    span.attributes = vec![
        attribute("first", string("1")),
        attribute("second", string("2")),
    ];
    span.events = vec![Event {
        name: "pop".into(),
        ..Default::default()
    }];
    let body = request(vec![good_span(), span]).encode_to_vec();
    let refused = |body: &[u8]| read(body).1.unwrap_err().to_string();

    // The length of the string value points behind its message.
    let long = replaced(&body, b"\x0a\x012", b"\x0a\x092");
    assert_eq!(
        refused(&long),
        format!(
            "broken protobuf at byte {} in resource_spans[0].scope_spans[0].spans[1].attributes[1].value.string_value: \
             a length of 9 bytes where 1 are left",
            body.windows(3).position(|w| w == b"\x0a\x012").unwrap() + 1
        )
    );
    // The name of an event as a number.
    let typed = replaced(&body, b"\x12\x03pop", b"\x10\x03\x1a\x01\x08");
    let error = refused(&typed);
    assert!(
        error.contains("resource_spans[0].scope_spans[0].spans[1].events[0]"),
        "{error}"
    );
    assert!(
        error.ends_with("field 2 has wire type 0, which is not that of its type"),
        "{error}"
    );
    // Cut in the middle: the outermost length is wrong.
    let error = refused(&body[..body.len() / 2]);
    assert!(
        error.contains("byte 1 in resource_spans[0]: a length of"),
        "{error}"
    );
    let error = refused(b"GET / HTTP/1.1\r\n");
    assert!(error.contains("at byte 0: "), "{error}");
}

#[test]
fn a_span_above_the_limit_is_rejected_alone() {
    let big = Span {
        name: "x".repeat(1000),
        ..good_span()
    };
    let body = request(vec![big, good_span()]).encode_to_vec();
    let mut batch = SpanBatch::default();
    let limits = DecodeLimits {
        max_span_bytes: 999,
    };
    let rejected = decode(&body, &limits, &mut batch).unwrap();
    assert_eq!(
        (
            rejected.counts[DropReason::SpanTooLarge.index()],
            batch.len()
        ),
        (1, 1)
    );
}

#[test]
fn a_million_empty_spans_are_counted_and_take_no_memory() {
    let spans = b"\x12\x00".repeat(1 << 20);
    let mut scope_spans = Vec::new();
    prost::encoding::bytes::encode(2, &spans, &mut scope_spans);
    let mut body = Vec::new();
    prost::encoding::bytes::encode(1, &scope_spans, &mut body);
    let (batch, outcome) = read(&body);
    let rejected = outcome.unwrap();
    assert_eq!(rejected.counts[DropReason::InvalidTraceId.index()], 1 << 20);
    assert!(batch.byte_count() < 64 << 10, "{}", batch.byte_count());
}

#[test]
fn fields_in_any_order_and_in_pieces_are_read_as_protobuf_says() {
    // Span with an event before the attributes; the resource behind the scopes and in two pieces.
    let span = good_span().encode_to_vec();
    let event = |name: &str| Event {
        name: name.into(),
        attributes: vec![attribute("e", string(name))],
        ..Default::default()
    };
    let attributes = Span {
        attributes: vec![attribute("a", string("1"))],
        ..Default::default()
    };
    let events = Span {
        events: vec![event("one")],
        ..Default::default()
    };
    let more = Span {
        events: vec![event("two")],
        ..Default::default()
    };
    let shuffled = [
        events.encode_to_vec(),
        attributes.encode_to_vec(),
        span,
        more.encode_to_vec(),
        attributes.encode_to_vec(),
    ]
    .concat();
    let mut body = request(vec![]).encode_to_vec();
    body.clear();
    let mut scope_spans = Vec::new();
    prost::encoding::bytes::encode(2, &shuffled, &mut scope_spans);
    let mut resource_spans = Vec::new();
    prost::encoding::bytes::encode(2, &scope_spans, &mut resource_spans);
    for name in ["a", "service.name"] {
        let piece = Resource {
            attributes: vec![attribute(name, string("x"))],
            ..Default::default()
        };
        prost::encoding::message::encode(1, &piece, &mut resource_spans);
    }
    prost::encoding::bytes::encode(1, &resource_spans, &mut body);
    wire_otlp::check(&body);
    let (batch, outcome) = read(&body);
    assert_eq!(outcome.unwrap().total(), 0);
    let row = &batch.spans[0];
    assert_eq!(
        (
            batch.attributes(row.attributes).len(),
            batch.events(row).len()
        ),
        (2, 2)
    );
    assert_eq!(batch.service(row), "x");
}

#[test]
fn equal_resources_and_scopes_are_written_once() {
    let twice = [
        request(vec![good_span()]),
        request(vec![good_span(), good_span()]),
    ];
    let body: Vec<u8> = twice.iter().flat_map(Message::encode_to_vec).collect();
    let (batch, _) = read(&body);
    assert_eq!(batch.resources.len(), 2);
    let merged = ExportTraceServiceRequest::decode(&encode(&batch)[..]).unwrap();
    assert_eq!(merged.resource_spans.len(), 1);
    assert_eq!(merged.resource_spans[0].scope_spans.len(), 1);
    assert_eq!(merged.resource_spans[0].scope_spans[0].spans.len(), 3);
}

#[test]
fn nothing_in_gives_nothing_out() {
    let (batch, outcome) = read(b"");
    assert_eq!(outcome.unwrap(), Rejected::default());
    assert!(batch.is_empty() && batch.resources.is_empty());
    assert_eq!(encode(&batch), b"");
    let (batch, _) = read(&request(vec![]).encode_to_vec());
    assert!(batch.is_empty() && batch.resources.is_empty());
}
