//! Odd inputs, for the tests of everything that spans pass through.
//!
//! The first part is what OTLP allows and nobody expects: kept whole by a good store. The second part
//! ([`malformed`]) is bodies that are no valid requests, or hold spans that must be rejected one by one.

use std::sync::Arc;

use model::{DurationNanos, SpanId, SpanKind, StatusCode, TraceId, UnixNanos, Value};
use wire::proto::Writer;

use crate::rng::Rng;
use crate::span::{Attribute, Event, IntoValue, Link, Resource, Scope, ServiceSpans, Span};

/// A plain span of a plain service that everything here starts from: one second long.
pub fn plain(rng: &mut Rng, at: UnixNanos) -> ServiceSpans {
    ServiceSpans {
        resource: Arc::new(Resource {
            attributes: vec![Attribute::new("service.name", "edge")],
            ..Resource::default()
        }),
        spans: vec![Span {
            trace_id: TraceId(rng.bytes()),
            span_id: SpanId(rng.bytes()),
            name: "edge".into(),
            kind: SpanKind::Server,
            start: at,
            end: at.saturating_add(DurationNanos::from_secs(1)),
            ..Span::default()
        }],
    }
}

/// Every odd but valid group of spans, with a name for the test's message.
pub fn all(rng: &mut Rng, at: UnixNanos) -> Vec<(&'static str, ServiceSpans)> {
    vec![
        ("every field", every_field(rng, at)),
        ("every value", every_value(rng, at)),
        ("many attributes", many_attributes(rng, at, 10_000)),
        ("large attribute", large_attribute(rng, at, 1 << 20)),
        ("deep value", deep_value(rng, at, 30)),
        ("repeated keys", repeated_keys(rng, at)),
        ("empty names", empty_names(rng, at)),
        ("end before start", end_before_start(rng, at)),
        ("year 1970", at_time(rng, UnixNanos(1))),
        (
            "year 2262",
            at_time(rng, UnixNanos(i64::MAX - 2_000_000_000)),
        ),
        ("missing parent", missing_parent(rng, at)),
        ("own parent", own_parent(rng, at)),
        ("circle of parents", circle_of_parents(rng, at)),
        ("two roots", two_roots(rng, at)),
        ("same span twice", same_span_twice(rng, at)),
        ("no resource attributes", no_resource_attributes(rng, at)),
        ("strange texts", strange_texts(rng, at)),
        (
            "many events and links",
            many_events_and_links(rng, at, 2_000),
        ),
    ]
}

fn changed(
    rng: &mut Rng,
    at: UnixNanos,
    change: impl FnOnce(&mut Rng, &mut ServiceSpans),
) -> ServiceSpans {
    let mut group = plain(rng, at);
    change(rng, &mut group);
    group
}

/// A span on which every field that OTLP has is set.
pub fn every_field(rng: &mut Rng, at: UnixNanos) -> ServiceSpans {
    let resource = Resource {
        attributes: vec![
            Attribute::new("service.name", "every-field"),
            Attribute::new("process.pid", 4_711_i64),
        ],
        dropped_attributes: 1,
        schema_url: "https://opentelemetry.io/schemas/1.41.0".into(),
    };
    let scope = Scope {
        name: "every.scope".into(),
        version: "1.2.3-rc.4".into(),
        attributes: vec![Attribute::new("scope.attribute", true)],
        dropped_attributes: 2,
        schema_url: "https://opentelemetry.io/schemas/1.40.0".into(),
    };
    let span = Span {
        trace_id: TraceId(rng.bytes()),
        span_id: SpanId(rng.bytes()),
        parent_span_id: SpanId(rng.bytes()),
        trace_state: "ot=th:8;rv:9b8233f7e3a151,vendor=x".into(),
        flags: 0x303,
        name: "every field".into(),
        kind: SpanKind::Producer,
        start: at,
        end: at.saturating_add(DurationNanos(123_456_789)),
        attributes: values(),
        dropped_attributes: 3,
        events: vec![Event {
            time: at.saturating_add(DurationNanos(1)),
            name: "an event".into(),
            attributes: values(),
            dropped_attributes: 4,
        }],
        dropped_events: 5,
        links: vec![Link {
            trace_id: TraceId(rng.bytes()),
            span_id: SpanId(rng.bytes()),
            trace_state: "link=state".into(),
            flags: 0x101,
            attributes: values(),
            dropped_attributes: 6,
        }],
        dropped_links: 7,
        status: StatusCode::Error,
        status_message: "it broke: süß 💥".into(),
        scope: Arc::new(scope),
    };
    ServiceSpans {
        resource: Arc::new(resource),
        spans: vec![span],
    }
}

/// Attributes with every type of value, nested ones and extreme ones too.
pub fn values() -> Vec<Attribute> {
    let list = Value::Array(vec![
        Value::Str("a".into()),
        Value::Int(-1),
        Value::Double(0.5),
        Value::Bool(false),
        Value::Empty,
        Value::Array(Vec::new()),
    ]);
    let map = Value::Map(vec![
        ("k".into(), Value::Bytes(vec![0, 255, 128])),
        (String::new(), Value::Str(String::new())),
        ("$odd".into(), list.clone()),
        ("k".into(), Value::Int(2)),
    ]);
    vec![
        Attribute::new("string", "text"),
        Attribute::new("string.empty", ""),
        Attribute::new("bool.true", true),
        Attribute::new("bool.false", false),
        Attribute::new("int.zero", 0_i64),
        Attribute::new("int.min", i64::MIN),
        Attribute::new("int.max", i64::MAX),
        Attribute::new("double.zero", 0.0),
        Attribute::new("double.minus_zero", -0.0),
        Attribute::new("double.integral", 3.0),
        Attribute::new("double.tiny", f64::MIN_POSITIVE),
        Attribute::new("double.nan", f64::NAN),
        Attribute::new("double.infinity", f64::INFINITY),
        Attribute::new("double.minus_infinity", f64::NEG_INFINITY),
        Attribute::new("bytes", Value::Bytes((0..=255).collect())),
        Attribute::new("bytes.empty", Value::Bytes(Vec::new())),
        Attribute::new("array", list),
        Attribute::new("array.empty", Value::Array(Vec::new())),
        Attribute::new("map", map),
        Attribute::new("map.empty", Value::Map(Vec::new())),
        Attribute::new("none", Value::Empty),
    ]
}

/// A span, a resource and a scope with every type of value.
pub fn every_value(rng: &mut Rng, at: UnixNanos) -> ServiceSpans {
    changed(rng, at, |_, group| {
        let mut resource = Resource::clone(&group.resource);
        resource.attributes.extend(values());
        group.resource = Arc::new(resource);
        group.spans[0].attributes = values();
        group.spans[0].scope = Arc::new(Scope {
            name: "values".into(),
            attributes: values(),
            ..Scope::default()
        });
    })
}

/// A span with `count` attributes, each key its own.
pub fn many_attributes(rng: &mut Rng, at: UnixNanos, count: usize) -> ServiceSpans {
    changed(rng, at, |_, group| {
        group.spans[0].attributes = (0..count)
            .map(|number| Attribute::new(format!("key.{number:05}"), number as i64))
            .collect();
    })
}

/// A span with one attribute of `bytes` bytes.
pub fn large_attribute(rng: &mut Rng, at: UnixNanos, bytes: usize) -> ServiceSpans {
    changed(rng, at, |rng, group| {
        group.spans[0].attributes = vec![Attribute::new("large", rng.hex(bytes))];
    })
}

/// A span with an array in an array, `depth` levels deep.
pub fn deep_value(rng: &mut Rng, at: UnixNanos, depth: usize) -> ServiceSpans {
    changed(rng, at, |_, group| {
        let value = (0..depth).fold(Value::Int(1), |inner, _| Value::Array(vec![inner]));
        group.spans[0].attributes = vec![Attribute::new("deep", value)];
    })
}

/// One key with several values, of several types.
pub fn repeated_keys(rng: &mut Rng, at: UnixNanos) -> ServiceSpans {
    changed(rng, at, |_, group| {
        group.spans[0].attributes = vec![
            Attribute::new("twice", "first"),
            Attribute::new("twice", 2_i64),
            Attribute::new("twice", "first"),
        ];
    })
}

/// Empty names, keys and texts everywhere.
pub fn empty_names(rng: &mut Rng, at: UnixNanos) -> ServiceSpans {
    changed(rng, at, |_, group| {
        group.resource = Arc::new(Resource {
            attributes: vec![Attribute::new("service.name", "")],
            ..Resource::default()
        });
        let span = &mut group.spans[0];
        span.name = "".into();
        span.attributes = vec![Attribute::new("", "")];
        span.events = vec![Event {
            time: at,
            ..Event::default()
        }];
    })
}

/// A span that ended before it started, and an event outside of it.
pub fn end_before_start(rng: &mut Rng, at: UnixNanos) -> ServiceSpans {
    changed(rng, at, |_, group| {
        let span = &mut group.spans[0];
        span.end = UnixNanos(at.0 - 5_000_000_000);
        span.events = vec![Event {
            time: UnixNanos(at.0 + 1),
            name: "outside".into(),
            ..Event::default()
        }];
    })
}

/// A plain span at any time.
pub fn at_time(rng: &mut Rng, at: UnixNanos) -> ServiceSpans {
    plain(rng, at)
}

/// A span whose parent never comes.
pub fn missing_parent(rng: &mut Rng, at: UnixNanos) -> ServiceSpans {
    changed(rng, at, |rng, group| {
        group.spans[0].parent_span_id = SpanId(rng.bytes());
    })
}

/// A span that names itself as its parent.
pub fn own_parent(rng: &mut Rng, at: UnixNanos) -> ServiceSpans {
    changed(rng, at, |_, group| {
        group.spans[0].parent_span_id = group.spans[0].span_id;
    })
}

/// Three spans, each the parent of the next.
pub fn circle_of_parents(rng: &mut Rng, at: UnixNanos) -> ServiceSpans {
    changed(rng, at, |rng, group| {
        let ids: [SpanId; 3] = std::array::from_fn(|_| SpanId(rng.bytes()));
        let span = group.spans[0].clone();
        group.spans = (0..3)
            .map(|place| Span {
                span_id: ids[place],
                parent_span_id: ids[(place + 1) % 3],
                ..span.clone()
            })
            .collect();
    })
}

/// Two roots in one trace.
pub fn two_roots(rng: &mut Rng, at: UnixNanos) -> ServiceSpans {
    changed(rng, at, |rng, group| {
        let mut second = group.spans[0].clone();
        second.span_id = SpanId(rng.bytes());
        group.spans.push(second);
    })
}

/// One span, sent twice in one request, as by a sender that retried.
pub fn same_span_twice(rng: &mut Rng, at: UnixNanos) -> ServiceSpans {
    changed(rng, at, |_, group| group.spans.push(group.spans[0].clone()))
}

/// A process that says nothing about itself.
pub fn no_resource_attributes(rng: &mut Rng, at: UnixNanos) -> ServiceSpans {
    changed(rng, at, |_, group| {
        group.resource = Arc::new(Resource::default());
    })
}

/// Texts with control characters, quotes, right-to-left script, combined characters and NUL.
pub fn strange_texts(rng: &mut Rng, at: UnixNanos) -> ServiceSpans {
    const TEXTS: [&str; 6] = [
        "a\0b",
        "\"quoted\" \\ back",
        "line\nline\ttab\u{7}",
        "שלום עולם",
        "e\u{301}🏳️‍🌈",
        "{\"json\":[1]}",
    ];
    changed(rng, at, |_, group| {
        let span = &mut group.spans[0];
        span.name = TEXTS.concat().into();
        span.attributes = TEXTS
            .iter()
            .map(|text| Attribute::new(*text, *text))
            .collect();
        span.status = StatusCode::Error;
        span.status_message = TEXTS[2].into();
    })
}

/// A span with `count` events and `count` links.
pub fn many_events_and_links(rng: &mut Rng, at: UnixNanos, count: usize) -> ServiceSpans {
    changed(rng, at, |rng, group| {
        let span = &mut group.spans[0];
        for number in 0..count as i64 {
            span.events.push(Event {
                time: at.saturating_add(DurationNanos(number)),
                name: "message".into(),
                attributes: vec![Attribute::new("message.id", number)],
                dropped_attributes: 0,
            });
            span.links.push(Link {
                trace_id: TraceId(rng.bytes()),
                span_id: SpanId(rng.bytes()),
                ..Link::default()
            });
        }
    })
}

/// Bodies that no valid sender makes.
pub mod malformed {
    use super::{Attribute, IntoValue, Rng, ServiceSpans, Span, UnixNanos, Value, Writer, plain};
    use crate::encode::{any, encode, envelope, field};

    /// A request with one span whose fields `write` writes, raw.
    fn with_span(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
        let mut request = Writer::new();
        request.message(envelope::RESOURCE_SPANS, |w| {
            w.message(envelope::SCOPE_SPANS, |w| w.message(envelope::SPANS, write));
        });
        request.into_bytes()
    }

    /// A span with these ids, of any length.
    pub fn ids(trace_id: &[u8], span_id: &[u8], parent_span_id: &[u8]) -> Vec<u8> {
        with_span(|w| {
            w.put_bytes(field::TRACE_ID, trace_id);
            w.put_bytes(field::SPAN_ID, span_id);
            w.put_bytes(field::PARENT_SPAN_ID, parent_span_id);
            w.bytes(field::NAME, b"odd ids");
            w.fixed64(field::START, 1);
            w.fixed64(field::END, 2);
        })
    }

    /// A span with these raw times; OTLP's are unsigned and reach beyond the year 2262.
    pub fn times(start: u64, end: u64) -> Vec<u8> {
        with_span(|w| {
            w.bytes(field::TRACE_ID, &[1; 16]);
            w.bytes(field::SPAN_ID, &[2; 8]);
            w.fixed64(field::START, start);
            w.fixed64(field::END, end);
        })
    }

    /// A span whose name is these bytes, UTF-8 or not.
    pub fn name(bytes: &[u8]) -> Vec<u8> {
        with_span(|w| {
            w.bytes(field::TRACE_ID, &[1; 16]);
            w.bytes(field::SPAN_ID, &[2; 8]);
            w.put_bytes(field::NAME, bytes);
            w.fixed64(field::START, 1);
            w.fixed64(field::END, 2);
        })
    }

    /// A span with a value nested this deep, which is how a parser's stack is attacked.
    pub fn nested(rng: &mut Rng, at: UnixNanos, depth: usize) -> Vec<u8> {
        // Built from the inside out without recursion: each level wraps the bytes so far.
        let mut value = Vec::new();
        for _ in 0..depth {
            let mut array = Writer::new();
            array.bytes(any::ITEMS, &value);
            let mut any_value = Writer::new();
            any_value.bytes(any::ARRAY, &array.into_bytes());
            value = any_value.into_bytes();
        }
        let group: ServiceSpans = plain(rng, at);
        let span: &Span = &group.spans[0];
        with_span(|w| {
            w.bytes(field::TRACE_ID, &span.trace_id.0);
            w.bytes(field::SPAN_ID, &span.span_id.0);
            w.fixed64(field::START, span.start.0 as u64);
            w.fixed64(field::END, span.end.0 as u64);
            w.message(field::ATTRIBUTES, |w| {
                w.bytes(any::KEY, b"deep");
                w.bytes(any::VALUE, &value);
            });
        })
    }

    /// A valid request with one span, cut off after `keep` parts of a thousand.
    pub fn truncated(rng: &mut Rng, at: UnixNanos, keep: usize) -> Vec<u8> {
        let mut group = plain(rng, at);
        let value: Value = "x".repeat(100).into_value();
        group.spans[0].attributes = vec![Attribute::new("padding", value)];
        let mut body = encode([&group]);
        body.truncate(body.len() * keep.min(1_000) / 1_000);
        body
    }
}
