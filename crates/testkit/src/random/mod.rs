//! Random traces over few words, and random queries that hit something in them.
//!
//! Decisions come from bytes, as those of [`traceql::testing`] do: a property test that shrinks its bytes shrinks the traces.
//! Of the queries, half are of the kinds that people write, which find some spans and not all; the other half is anything that
//! [`traceql::testing`] makes over the same words.
//!
//! Values are such that sums of them are exact in doubles, durations in seconds too, so that two engines that add in different
//! orders agree. (Quotients of them may not be, so a query that divides and then compares a sum might tell them apart; rarely.)

mod queries;

use model::{DurationNanos, SERVICE_NAME, SpanId, SpanKind, StatusCode, TraceId, UnixNanos, Value};
use traceql::query::{Field, Intrinsic, Owner, Scope as FieldScope};
use traceql::testing::{Choices, Vocabulary};

pub use queries::{comparison, metrics, search};

use crate::drawing::{ORIGIN, trace_id};
use crate::trace::{Attributes, Event, Link, Scope, Span, Trace};

/// Words of names, services, messages and values; the vocabulary of queries knows them.
const WORDS: [&str; 4] = ["x", "y", "z", ""];

/// Keys of attributes in every scope.
const KEYS: [&str; 3] = ["a", "b", "service.name"];

/// Durations, in nanoseconds, that are sums of few powers of two when in seconds.
const DURATIONS: [i64; 5] = [0, 1_953_125, 15_625_000, 1_500_000_000, -15_625_000];

/// Seconds over which the starts of spans are spread.
pub const SECONDS: i64 = 60;

/// How large and how odd traces are.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// At most so many traces.
    pub traces: usize,
    /// At most so many spans in each.
    pub spans: usize,
    /// Whether spans may lack their parents, hang in circles, or come twice.
    pub odd: bool,
}

impl Default for Size {
    fn default() -> Self {
        Self {
            traces: 4,
            spans: 10,
            odd: false,
        }
    }
}

/// Bytes from a seed, to take decisions from.
pub fn bytes(seed: u64, count: usize) -> Vec<u8> {
    (0..count as u64)
        .map(|at| mix(seed ^ mix(at)) as u8)
        .collect()
}

/// SplitMix64's finaliser: equal numbers in, equal numbers out, and no pattern between.
pub(crate) fn mix(value: u64) -> u64 {
    let mixed = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Random traces, at least one, with ids from 1.
pub fn traces(choices: &mut Choices<'_>, size: Size) -> Vec<Trace> {
    let count = 1 + choices.below(size.traces);
    (1..=count as u64)
        .map(|number| trace(choices, trace_id(number), size))
        .collect()
}

/// What random queries over these traces are made of: every intrinsic and the keys in every scope, of the span and of its
/// parent, and values that occur. What most spans have comes up as often as all the rest together.
pub fn vocabulary() -> Vocabulary {
    let common = common();
    let all = all();
    let repeated = common.iter().cycle().take(all.len()).cloned();
    let fields: Vec<Field> = repeated.chain(all.iter().cloned()).collect();
    let mut vocabulary = Vocabulary::of_fields(fields);
    let ids = ["1", "2", "0000000000000003"];
    vocabulary.strings.extend(ids.map(Into::into));
    vocabulary.durations.extend(DURATIONS.map(DurationNanos));
    vocabulary
}

fn common() -> Vec<Field> {
    let intrinsics = [
        Intrinsic::Name,
        Intrinsic::Kind,
        Intrinsic::Status,
        Intrinsic::Duration,
        Intrinsic::ChildCount,
        Intrinsic::RootName,
        Intrinsic::NestedSetParent,
    ];
    let attributes = [
        (FieldScope::Any, "a"),
        (FieldScope::Any, "b"),
        (FieldScope::Span, "a"),
        (FieldScope::Span, "a"),
        (FieldScope::Resource, "a"),
        (FieldScope::Resource, SERVICE_NAME),
    ];
    let attributes = attributes.map(|(scope, key)| Field::attribute(scope, key));
    let intrinsics = intrinsics.map(Field::intrinsic);
    intrinsics.into_iter().chain(attributes).collect()
}

fn all() -> Vec<Field> {
    let mut fields = Vec::new();
    for owner in [Owner::Span, Owner::Parent] {
        for intrinsic in Intrinsic::ALL.iter().copied() {
            if owner == Owner::Span || intrinsic.is_of_span() {
                fields.push(Field::Intrinsic { owner, intrinsic });
            }
        }
        for scope in FieldScope::NAMED.into_iter().chain([FieldScope::Any]) {
            fields.extend(KEYS.map(|key| Field::Attribute {
                owner,
                scope,
                name: key.into(),
            }));
        }
    }
    fields
}

fn trace(choices: &mut Choices<'_>, id: TraceId, size: Size) -> Trace {
    let count = 1 + choices.below(size.spans);
    let mut spans: Vec<Span> = Vec::with_capacity(count);
    for number in 1..=count as u64 {
        let parent = parent(choices, number, size.odd);
        let mut span = span(choices, SpanId(number.to_be_bytes()), parent);
        if size.odd && choices.once_in(16) {
            span.id = SpanId(1u64.to_be_bytes());
        }
        spans.push(span);
    }
    Trace { id, spans }
}

/// An earlier span, or none for a root; of odd traces, anything.
fn parent(choices: &mut Choices<'_>, number: u64, odd: bool) -> SpanId {
    let parent = if odd && choices.once_in(6) {
        choices.below(12) as u64
    } else if number == 1 || choices.once_in(8) {
        0
    } else {
        1 + choices.below(number as usize - 1) as u64
    };
    SpanId(parent.to_be_bytes())
}

fn span(choices: &mut Choices<'_>, id: SpanId, parent: SpanId) -> Span {
    // Whole and half seconds, so that steps of time begin and end where spans do.
    let half_seconds = choices.below(2 * SECONDS as usize + 1) as i64;
    let start = UnixNanos(ORIGIN.0 + half_seconds * 500_000_000);
    Span {
        id,
        parent,
        name: word(choices),
        start,
        duration: duration(choices),
        kind: SpanKind::from_number(choices.below(6) as i64),
        status: StatusCode::from_number(choices.below(3) as i64),
        status_message: sometimes(choices, word),
        trace_state: sometimes(choices, |choices| {
            (*choices.of(&["ot=th:8", "x=1,ot=rv:1;th:c"])).to_owned()
        }),
        attributes: attributes(choices),
        resource: resource(choices),
        scope: sometimes(choices, |choices| Scope {
            name: word(choices),
            version: word(choices),
            attributes: attributes(choices),
        }),
        events: few(choices, |choices| Event {
            time: start.saturating_add(duration(choices)),
            name: word(choices),
            attributes: attributes(choices),
        }),
        links: few(choices, |choices| Link {
            trace: trace_id(1 + choices.below(4) as u64),
            span: SpanId((1 + choices.below(4) as u64).to_be_bytes()),
            attributes: attributes(choices),
        }),
    }
}

fn duration(choices: &mut Choices<'_>) -> DurationNanos {
    DurationNanos(*choices.of(&DURATIONS))
}

fn word(choices: &mut Choices<'_>) -> String {
    (*choices.of(&WORDS)).to_owned()
}

/// Once in four times what `make` makes.
fn sometimes<T: Default>(choices: &mut Choices<'_>, make: impl FnOnce(&mut Choices<'_>) -> T) -> T {
    if choices.once_in(4) {
        make(choices)
    } else {
        T::default()
    }
}

/// Mostly none, at most three.
fn few<T>(choices: &mut Choices<'_>, mut make: impl FnMut(&mut Choices<'_>) -> T) -> Vec<T> {
    let count = choices.below(6).saturating_sub(2);
    (0..count).map(|_| make(choices)).collect()
}

fn resource(choices: &mut Choices<'_>) -> Attributes {
    let mut resource = attributes(choices);
    let names_service = resource.iter().any(|(key, _)| key == SERVICE_NAME);
    if !names_service && !choices.once_in(8) {
        let service = Value::Str(word(choices));
        resource.insert(0, (SERVICE_NAME.to_owned(), service));
    }
    resource
}

/// Mostly one key, often two, now and then one that means something in a resource only.
fn attributes(choices: &mut Choices<'_>) -> Attributes {
    let mut attributes = Attributes::new();
    for (key, in_sixteen) in KEYS.into_iter().zip([12, 8, 1]) {
        if choices.below(16) >= 16 - in_sixteen {
            attributes.push((key.to_owned(), value(choices)));
        }
    }
    attributes
}

fn value(choices: &mut Choices<'_>) -> Value {
    match choices.below(10) {
        0..=2 => Value::Str(word(choices)),
        3 | 4 => Value::Int(*choices.of(&[0, 1, 2, 3, -1])),
        5 | 6 => Value::Double(*choices.of(&[0.0, 1.0, 1.5, 2.0, -0.5])),
        7 => Value::Bool(choices.below(2) == 0),
        8 => {
            let count = choices.below(4);
            Value::Array((0..count).map(|_| element(choices)).collect())
        }
        _ => choices
            .of(&[
                Value::Empty,
                Value::Bytes(vec![1, 2]),
                Value::Map(vec![("k".to_owned(), Value::Int(1))]),
                Value::Double(f64::NAN),
                Value::Double(f64::INFINITY),
                Value::Int(1 << 40),
            ])
            .clone(),
    }
}

fn element(choices: &mut Choices<'_>) -> Value {
    match choices.below(4) {
        0 | 1 => Value::Str(word(choices)),
        2 => Value::Int(choices.below(3) as i64),
        _ => choices
            .of(&[
                Value::Double(1.5),
                Value::Bool(true),
                Value::Array(Vec::new()),
                Value::Empty,
            ])
            .clone(),
    }
}
