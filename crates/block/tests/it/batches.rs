//! Random batches of spans, and spans told as plain values so that batches can be compared.

use std::collections::BTreeMap;

use block::{BlockId, BlockWriter, ColumnPlan, FinishedBlock, NewBlock, TraceRows, WriteOptions};
use model::{
    Attribute, DurationNanos, EventRow, LinkRow, NO_EXTRA, Range32, ResourceRow, SpanBatch,
    SpanExtra, SpanId, SpanKind, SpanRow, StatusCode, Symbol, TraceId, UnixNanos, Value, ValueRef,
};
use proptest::prelude::*;

/// Everything that a span says, in plain values; attributes sorted, since their order means nothing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    pub(crate) trace: u8,
    pub(crate) span: u8,
    pub(crate) parent: u8,
    pub(crate) start: i64,
    pub(crate) duration: i64,
    pub(crate) name: String,
    pub(crate) kind: u8,
    pub(crate) status: u8,
    pub(crate) flags: u32,
    pub(crate) resource: ToldResource,
    pub(crate) attributes: Vec<(String, Value)>,
    pub(crate) message: String,
    pub(crate) state: String,
    pub(crate) dropped: [u32; 3],
    pub(crate) events: Vec<ToldEvent>,
    pub(crate) links: Vec<ToldLink>,
}

/// Time, name, attributes, attributes dropped.
pub(crate) type ToldEvent = (i64, String, Vec<(String, Value)>, u32);

/// Trace, span, trace state, flags, attributes, attributes dropped.
pub(crate) type ToldLink = (u8, u8, String, u32, Vec<(String, Value)>, u32);

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ToldResource {
    pub(crate) attributes: Vec<(String, Value)>,
    pub(crate) scope: [String; 4],
    pub(crate) scope_attributes: Vec<(String, Value)>,
    pub(crate) dropped: [u32; 2],
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => "[a-c]{0,3}".prop_map(Value::Str),
        2 => (-2i64..3).prop_map(Value::Int),
        1 => any::<i64>().prop_map(Value::Int),
        1 => (-2i64..3).prop_map(|n| Value::Double(n as f64 / 2.0)),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => Just(Value::Empty),
        1 => Just(Value::Array(vec![Value::Str("x".into()), Value::Double(1.0), Value::Int(1)])),
        1 => proptest::collection::vec(any::<u8>(), 0..4).prop_map(Value::Bytes),
    ]
}

fn attributes() -> impl Strategy<Value = Vec<(String, Value)>> {
    proptest::collection::vec(("[k-o]", value()), 0..5)
}

fn told() -> impl Strategy<Value = Told> {
    let resource = (attributes(), any::<bool>(), attributes(), 0u32..2).prop_map(
        |(attributes, named, scope_attributes, dropped)| {
            let scope = if named {
                ["u", "lib", "1.0", "v"]
            } else {
                [""; 4]
            };
            ToldResource {
                attributes,
                scope: scope.map(str::to_owned),
                scope_attributes,
                dropped: [dropped, dropped * 7],
            }
        },
    );
    let event = (0i64..9, "[p-r]{0,2}", attributes(), 0u32..2);
    let link = (0u8..3, 0u8..9, "[s-t]{0,1}", 0u32..2, attributes(), 0u32..2);
    let times = prop_oneof![
        (0i64..50, -5i64..50),
        (any::<i64>(), 0i64..2),
        Just((i64::MAX, i64::MIN + 1))
    ];
    (
        (
            0u8..6,
            1u8..30,
            0u8..30,
            times,
            "[a-e]{0,2}",
            0u8..6,
            0u8..3,
            prop_oneof![Just(0), Just(1), Just(0x301), any::<u32>()],
        ),
        resource,
        attributes(),
        (
            prop_oneof![3 => Just(String::new()), 1 => "[a-c]{1,3}"],
            prop_oneof![3 => Just(String::new()), 1 => "[a-c]=1"],
        ),
        prop_oneof![3 => Just([0; 3]), 1 => any::<[u32; 3]>()],
        prop_oneof![2 => Just(Vec::new()), 1 => proptest::collection::vec(event, 0..3)],
        prop_oneof![2 => Just(Vec::new()), 1 => proptest::collection::vec(link, 0..3)],
    )
        .prop_map(
            |(
                (trace, span, parent, (start, duration), name, kind, status, flags),
                resource,
                attributes,
                (message, state),
                dropped,
                events,
                links,
            )| Told {
                trace,
                span,
                parent,
                start,
                duration,
                name,
                kind,
                status,
                flags,
                resource,
                attributes,
                message,
                state,
                dropped,
                events,
                links,
            },
        )
}

pub(crate) fn told_spans() -> impl Strategy<Value = Vec<Told>> {
    proptest::collection::vec(told(), 1..60)
}

fn id8(number: u8) -> SpanId {
    let mut id = SpanId::ZERO;
    id.0[5] = number;
    id
}

fn id16(number: u8) -> TraceId {
    let mut id = TraceId([3; 16]);
    id.0[0] = number;
    id
}

/// The batch that tells these spans.
pub(crate) fn batch_of(spans: &[Told]) -> SpanBatch {
    let mut batch = SpanBatch::default();
    for told in spans {
        push(&mut batch, told);
    }
    batch
}

fn push_attributes(batch: &mut SpanBatch, attributes: &[(String, Value)]) -> Range32 {
    let start = batch.attributes.len();
    for (key, value) in attributes {
        let key = batch.symbols.intern_str(key).unwrap();
        let text = value.to_canonical();
        let value = match value {
            Value::Str(text) => ValueRef::Str(text),
            Value::Int(int) => ValueRef::Int(*int),
            Value::Double(double) => ValueRef::Double(*double),
            Value::Bool(bool) => ValueRef::Bool(*bool),
            _ => ValueRef::Json(&text),
        };
        let value = batch.symbols.intern_value(value).unwrap();
        batch.attributes.push(Attribute { key, value });
    }
    Range32::between(start, batch.attributes.len())
}

fn push(batch: &mut SpanBatch, told: &Told) {
    let text = |batch: &mut SpanBatch, text: &str| batch.symbols.intern_str(text).unwrap();
    let attributes = push_attributes(batch, &told.resource.attributes);
    let scope_attributes = push_attributes(batch, &told.resource.scope_attributes);
    let service = batch.service_of(attributes).unwrap();
    let [schema_url, scope_name, scope_version, scope_schema_url] =
        told.resource.scope.each_ref().map(|word| text(batch, word));
    batch.resources.push(ResourceRow {
        attributes,
        dropped_attributes: told.resource.dropped[0],
        schema_url,
        service,
        scope_name,
        scope_version,
        scope_attributes,
        scope_dropped_attributes: told.resource.dropped[1],
        scope_schema_url,
    });
    let events_from = batch.events.len();
    for (time, name, attributes, dropped_attributes) in &told.events {
        let (name, attributes) = (text(batch, name), push_attributes(batch, attributes));
        batch.events.push(EventRow {
            time: UnixNanos(*time),
            name,
            attributes,
            dropped_attributes: *dropped_attributes,
        });
    }
    let links_from = batch.links.len();
    for (trace, span, state, flags, attributes, dropped_attributes) in &told.links {
        let (trace_state, attributes) = (text(batch, state), push_attributes(batch, attributes));
        batch.links.push(LinkRow {
            trace_id: id16(*trace),
            span_id: id8(*span),
            trace_state,
            flags: *flags,
            attributes,
            dropped_attributes: *dropped_attributes,
        });
    }
    let extra = SpanExtra {
        status_message: text(batch, &told.message),
        trace_state: text(batch, &told.state),
        dropped_attributes: told.dropped[0],
        dropped_events: told.dropped[1],
        dropped_links: told.dropped[2],
        events: Range32::between(events_from, batch.events.len()),
        links: Range32::between(links_from, batch.links.len()),
    };
    let plain = extra.events.len == 0
        && extra.links.len == 0
        && told.dropped == [0; 3]
        && told.message.is_empty()
        && told.state.is_empty();
    let extra = if plain {
        NO_EXTRA
    } else {
        batch.extras.push(extra);
        batch.extras.len() as u32 - 1
    };
    let name = text(batch, &told.name);
    let attributes = push_attributes(batch, &told.attributes);
    batch.spans.push(SpanRow {
        trace_id: id16(told.trace),
        span_id: id8(told.span),
        parent_span_id: id8(told.parent),
        start: UnixNanos(told.start),
        duration: DurationNanos(told.duration),
        name,
        resource: batch.resources.len() as u32 - 1,
        attributes,
        extra,
        flags: told.flags,
        kind: SpanKind::from_number(told.kind.into()),
        status: StatusCode::from_number(told.status.into()),
    });
}

/// What the spans of a batch say.
pub(crate) fn tell(batch: &SpanBatch) -> Vec<Told> {
    batch
        .spans
        .iter()
        .map(|span| tell_span(batch, span))
        .collect()
}

fn tell_attributes(batch: &SpanBatch, range: Range32) -> Vec<(String, Value)> {
    let mut attributes: Vec<(String, Value)> = batch
        .attributes(range)
        .iter()
        .map(|attribute| {
            (
                batch.symbols.str(attribute.key).to_owned(),
                batch.symbols.value(attribute.value).to_value().unwrap(),
            )
        })
        .collect();
    sort(&mut attributes);
    attributes
}

fn sort(attributes: &mut [(String, Value)]) {
    attributes.sort_by_cached_key(|(key, value)| (key.clone(), value.to_canonical()));
}

fn tell_span(batch: &SpanBatch, span: &SpanRow) -> Told {
    let text = |symbol: Symbol| batch.symbols.str(symbol).to_owned();
    let resource = &batch.resources[span.resource as usize];
    let extra = batch.extra(span);
    Told {
        trace: span.trace_id.0[0],
        span: span.span_id.0[5],
        parent: span.parent_span_id.0[5],
        start: span.start.0,
        duration: span.duration.0,
        name: text(span.name),
        kind: span.kind as u8,
        status: span.status as u8,
        flags: span.flags,
        resource: ToldResource {
            attributes: tell_attributes(batch, resource.attributes),
            scope: [
                resource.schema_url,
                resource.scope_name,
                resource.scope_version,
                resource.scope_schema_url,
            ]
            .map(text),
            scope_attributes: tell_attributes(batch, resource.scope_attributes),
            dropped: [
                resource.dropped_attributes,
                resource.scope_dropped_attributes,
            ],
        },
        attributes: tell_attributes(batch, span.attributes),
        message: text(extra.status_message),
        state: text(extra.trace_state),
        dropped: [
            extra.dropped_attributes,
            extra.dropped_events,
            extra.dropped_links,
        ],
        events: batch
            .events(span)
            .iter()
            .map(|event| {
                (
                    event.time.0,
                    text(event.name),
                    tell_attributes(batch, event.attributes),
                    event.dropped_attributes,
                )
            })
            .collect(),
        links: batch
            .links(span)
            .iter()
            .map(|link| {
                let attributes = tell_attributes(batch, link.attributes);
                (
                    link.trace_id.0[0],
                    link.span_id.0[5],
                    text(link.trace_state),
                    link.flags,
                    attributes,
                    link.dropped_attributes,
                )
            })
            .collect(),
    }
}

/// The spans as a block must give them back: each id once, the first kept; comparable.
pub(crate) fn expected(spans: &[Told]) -> Vec<Told> {
    let mut distinct = BTreeMap::new();
    for told in spans {
        let mut told = told.clone();
        sort(&mut told.attributes);
        sort(&mut told.resource.attributes);
        sort(&mut told.resource.scope_attributes);
        told.events.iter_mut().for_each(|event| sort(&mut event.2));
        told.links.iter_mut().for_each(|link| sort(&mut link.4));
        distinct.entry((told.trace, told.span)).or_insert(told);
    }
    distinct.into_values().collect()
}

/// The rows of each trace, by id.
pub(crate) fn traces_of(batch: &SpanBatch) -> BTreeMap<TraceId, Vec<u32>> {
    let mut traces = BTreeMap::<TraceId, Vec<u32>>::new();
    for (row, span) in batch.spans.iter().enumerate() {
        traces.entry(span.trace_id).or_default().push(row as u32);
    }
    traces
}

pub(crate) fn new_block() -> NewBlock {
    NewBlock {
        id: BlockId("01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap()),
        tenant: "default".into(),
        class: "default".into(),
        level: 0,
        created: UnixNanos(0),
        journal: None,
    }
}

/// A block of these spans, written in row groups of about `group` traces.
pub(crate) fn block_of(batch: &SpanBatch, group: usize, options: &WriteOptions) -> FinishedBlock {
    let mut writer =
        BlockWriter::new(new_block(), options, ColumnPlan::of_batch(batch, options)).unwrap();
    let traces = traces_of(batch);
    let rows: Vec<TraceRows<'_>> = traces
        .iter()
        .map(|(&trace_id, rows)| TraceRows {
            trace_id,
            rows,
            partial: false,
        })
        .collect();
    for group in rows.chunks(group) {
        writer.write(batch, group).unwrap();
    }
    writer.finish().unwrap()
}
