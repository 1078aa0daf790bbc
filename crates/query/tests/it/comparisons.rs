//! `compare` over what random traces do not have: keys that come twice, keys that not all pages have, and so many texts that they
//! get no dictionary.

use model::{SpanId, TraceId, UnixNanos, Value};
use testkit::drawing::ORIGIN;
use testkit::oracle::{self, Steps};
use testkit::random::{self, SECONDS, Size, traces};
use testkit::suite::check_series;
use testkit::trace::{Span, Trace};
use traceql::testing::Choices;

use crate::asked::metrics;
use crate::world::{Place, World};

/// Traces and their spans: more than two pages of a block hold, of which every eighth has a text of its own. So many distinct ones make the
/// block give up their dictionary after the first page.
const TRACES: u64 = 800;
const SPANS: u64 = 25;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_that_come_twice_or_late_and_distinct_texts_are_counted_once() {
    let mut drawn = traces(&mut Choices::new(&random::bytes(5, 4000)), Size::default());
    let model = drawn[0].spans[0].clone();
    drawn.extend((1..=TRACES).map(|trace| {
        let spans = (1..=SPANS).map(|number| Span {
            id: SpanId(number.to_be_bytes()),
            ..model.clone()
        });
        Trace {
            id: TraceId((u128::from(trace) << 64).to_be_bytes()),
            spans: spans.collect(),
        }
    }));
    let spans = drawn.iter_mut().flat_map(|trace| &mut trace.spans);
    for (number, span) in spans.enumerate() {
        let attributes = &mut span.attributes;
        if number % 8 == 0 {
            attributes.push(("distinct".into(), Value::Str(number.to_string())));
        }
        // On no span of the first page of a block.
        if number > 19_000 {
            attributes.push(("late".into(), Value::Str(format!("late {}", number % 3))));
        }
        for value in ["first", "second", "first"] {
            attributes.push(("twice".into(), Value::Str(value.into())));
        }
        attributes.push(("mixed".into(), Value::Bool(number % 2 == 0)));
        if number % 3 == 0 {
            attributes.push(("mixed".into(), Value::Bool(true)));
        }
    }
    let steps = Steps::Instant {
        start: ORIGIN,
        end: UnixNanos(ORIGIN.0 + SECONDS * 1_000_000_000),
    };
    for place in [Place::Blocks, Place::Again] {
        let world = World::new(&drawn, place, 3).await;
        for text in [
            "{ } | compare({ duration > 0 }, 1000)",
            "{ span.mixed = true } | compare({ name = \"x\" }, 1000)",
        ] {
            let query = traceql::compile(text).unwrap();
            let expected = oracle::metrics(&query, &drawn, &steps);
            let found = metrics(&world.query, &query, &steps).await;
            let checked = check_series(&expected, &found, 0.01);
            checked.unwrap_or_else(|wrong| panic!("{place:?} {text}\n{wrong:.3000}"));
        }
    }
}

/// Of more values than are told apart, it is the same ones every time, though several processors look at several blocks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_too_many_values_the_same_are_listed_every_time() {
    const BLOCKS: u64 = 8;
    const SPANS: u64 = 700;
    let drawn = traces(&mut Choices::new(&random::bytes(5, 4000)), Size::default());
    let model = &drawn[0].spans[0];
    let numbered = |block: u64, number: u64| Span {
        id: SpanId((number + 1).to_be_bytes()),
        start: ORIGIN,
        attributes: vec![(
            "many".into(),
            Value::Str(format!("{}", block * SPANS + number)),
        )],
        ..model.clone()
    };
    let world = World::empty(1).await;
    for block in 0..BLOCKS {
        let spans = (0..SPANS).map(|number| numbered(block, number));
        let trace = Trace {
            id: TraceId((u128::from(block + 1) << 64).to_be_bytes()),
            spans: spans.collect(),
        };
        world.write_whole(&[trace]).await;
    }
    let steps = Steps::Instant {
        start: UnixNanos(ORIGIN.0 - 1),
        end: UnixNanos(ORIGIN.0 + 1),
    };
    let query = traceql::compile("{ } | compare({ duration < 0 }, 1000)").unwrap();
    let first = metrics(&world.query, &query, &steps).await;
    assert!(first.len() > 1000, "{} series", first.len());
    for _ in 0..10 {
        assert_eq!(metrics(&world.query, &query, &steps).await, first);
    }
}
