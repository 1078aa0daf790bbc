//! Spans to look at that series give.

use std::collections::HashSet;
use std::sync::Arc;

use evaluate::Steps;
use model::{DurationNanos, UnixNanos};
use query::{Limits, MetricsRequest};
use testkit::drawing::ORIGIN;
use testkit::random::{self, SECONDS, Size, traces};
use testkit::trace::{Span, Trace};
use traceql::query::Constant;
use traceql::testing::Choices;

use crate::world::{Place, World};

const WANTED: usize = 12;

/// Asks for exemplars of a series for each name, and checks that they are spans of that name and have these values.
async fn check(world: &World, drawn: &[Trace], function: &str, value: impl Fn(&Span) -> f64) {
    let text = format!("{{ }} | {function} by (name)");
    let request = MetricsRequest {
        query: Arc::new(traceql::compile(&text).unwrap()),
        steps: Steps::Range {
            start: ORIGIN,
            end: UnixNanos(ORIGIN.0 + SECONDS * 1_000_000_000),
            step: DurationNanos(7_500_000_000),
        },
        exemplars: WANTED,
        limits: Limits::default(),
    };
    let answer = world.query.metrics(&request).await.unwrap();
    let mut known = HashSet::new();
    for series in &answer.series {
        let (_, Constant::Str(name)) = &series.labels[0] else {
            panic!("{:?} is no name", series.labels);
        };
        assert!(!series.exemplars.is_empty(), "{text}: none for {name}");
        for exemplar in &series.exemplars {
            let trace = drawn.iter().find(|trace| trace.id == exemplar.trace_id);
            let spans = &trace.unwrap().spans;
            let span = spans.iter().find(|span| span.id == exemplar.span_id);
            let span = span.unwrap();
            assert_eq!((&*span.name, span.start), (&**name, exemplar.time));
            assert_eq!(exemplar.value, value(span), "{text}");
            assert!(known.insert((exemplar.trace_id, exemplar.span_id)));
        }
    }
    assert!((1..=WANTED).contains(&known.len()), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exemplars_are_spans_that_were_counted() {
    for (round, place) in [Place::Live, Place::Blocks, Place::Pieces, Place::Mixed]
        .into_iter()
        .enumerate()
    {
        let bytes = random::bytes(round as u64, 4000);
        let drawn = traces(&mut Choices::new(&bytes), Size::default());
        let world = World::new(&drawn, place, 3).await;
        let seconds = |span: &Span| span.duration.0 as f64 / 1e9;
        for function in ["rate()", "count_over_time()", "max_over_time(duration)"] {
            check(&world, &drawn, function, seconds).await;
        }
    }
}
