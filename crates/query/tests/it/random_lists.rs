//! Random traces in every place, listed page by page, against lists made by hand.

use std::cmp::Reverse;

use model::{DurationNanos, StatusCode, TraceId, UnixNanos};
use query::{TraceListRequest, TraceOrder};
use testkit::drawing::print;
use testkit::random::{self, SECONDS, Size, traces};
use testkit::trace::{Span, Trace};
use traceql::testing::Choices;

use crate::world::{Place, World};

const ROUNDS: u64 = 12;
const LISTS: u64 = 60;

/// A line of a list: id, spans, errors.
type Line = (TraceId, u64, u64);

/// What a list says of a trace, and what it is ordered by.
struct Whole<'t> {
    line: Line,
    start: UnixNanos,
    duration: DurationNanos,
    root: Option<&'t Span>,
    services: Vec<&'t str>,
}

impl<'t> Whole<'t> {
    fn of(trace: &'t Trace) -> Self {
        let spans = &trace.spans;
        let errors = spans.iter().filter(|span| span.status == StatusCode::Error);
        let mut roots = spans.iter().filter(|span| span.parent.0 == [0; 8]);
        let start = spans.iter().map(|span| span.start).min().unwrap();
        let ends = spans.iter().map(|span| span.end().max(span.start));
        Self {
            line: (trace.id, spans.len() as u64, errors.count() as u64),
            start,
            duration: ends.max().unwrap().since(start),
            root: roots.next(),
            services: spans.iter().map(Span::service).collect(),
        }
    }

    fn matches(&self, asked: &TraceListRequest) -> bool {
        let service = asked.service.as_deref();
        let root_name = asked.root_name.as_deref();
        service.is_none_or(|service| self.services.contains(&service))
            && root_name.is_none_or(|name| self.root.is_some_and(|root| &*root.name == name))
            && asked.min_duration.is_none_or(|min| self.duration >= min)
            && asked.max_duration.is_none_or(|max| self.duration <= max)
            && asked.error.is_none_or(|error| (self.line.2 > 0) == error)
            && asked.start.is_none_or(|start| self.start >= start)
            && asked.end.is_none_or(|end| self.start < end)
    }
}

fn by_hand(asked: &TraceListRequest, traces: &[Trace]) -> Vec<Line> {
    let wholes = traces.iter().map(Whole::of);
    let mut listed: Vec<Whole<'_>> = wholes.filter(|whole| whole.matches(asked)).collect();
    listed.sort_by_key(|whole| match asked.order {
        TraceOrder::Newest => (Reverse(whole.start.0), whole.line.0),
        TraceOrder::Slowest => (Reverse(whole.duration.0), whole.line.0),
    });
    listed.into_iter().map(|whole| whole.line).collect()
}

/// All pages; each but the last must be full.
async fn by_pages(world: &World, asked: &TraceListRequest) -> Vec<Line> {
    let mut request = asked.clone();
    let mut lines = Vec::new();
    loop {
        let page = world.query.traces(&request).await.unwrap();
        assert_eq!(page.missing, Vec::<String>::new());
        let listed = page.traces.iter();
        lines.extend(listed.map(|trace| (trace.trace_id, trace.span_count, trace.error_count)));
        let Some(next) = page.next else {
            return lines;
        };
        assert_eq!(page.traces.len(), request.limit, "{request:?}");
        request.cursor = Some(next);
    }
}

/// Half of the conditions are set, to what occurs.
fn random_request(
    choices: &mut Choices<'_>,
    traces: &[Trace],
    order: TraceOrder,
) -> TraceListRequest {
    let trace = choices.of(traces);
    let whole = Whole::of(trace);
    let span = choices.of(&trace.spans);
    let within = |choices: &mut Choices<'_>| {
        let second = choices.below(SECONDS as usize) as i64;
        UnixNanos(whole.start.0 + (second - SECONDS / 2) * 1_000_000_000)
    };
    TraceListRequest {
        service: choices.once_in(2).then(|| span.service().to_owned()),
        root_name: choices.once_in(4).then(|| span.name.to_string()),
        min_duration: choices.once_in(4).then_some(span.duration),
        max_duration: choices.once_in(4).then_some(whole.duration),
        error: choices.once_in(3).then(|| choices.once_in(2)),
        start: choices.once_in(4).then(|| within(choices)),
        end: choices.once_in(4).then(|| within(choices)),
        order,
        limit: *choices.of(&[1, 2, 5, 100]),
        cursor: None,
    }
}

/// Traces of at most one root each: which of several a list shows depends on where they lie.
fn random_traces(round: u64) -> Vec<Trace> {
    let size = Size {
        traces: 24,
        ..Size::default()
    };
    let mut drawn = traces(&mut Choices::new(&random::bytes(round, 20_000)), size);
    for trace in &mut drawn {
        let mut roots = trace
            .spans
            .iter_mut()
            .filter(|span| span.parent.0 == [0; 8]);
        if let Some(first) = roots.next() {
            roots.for_each(|root| root.parent = first.id);
        }
    }
    drawn
}

async fn rounds(place: Place, orders: &[TraceOrder]) {
    for round in 0..ROUNDS {
        let drawn = random_traces(round);
        let world = World::new(&drawn, place, round).await;
        for number in 0..LISTS {
            let bytes = random::bytes(round << 32 | number, 100);
            let choices = &mut Choices::new(&bytes);
            let order = *choices.of(orders);
            let mut asked = random_request(choices, &drawn, order);
            if place == Place::Resent {
                // What makes it match may have come after the trace was taken for whole, and lie before the place where a list goes on.
                asked = TraceListRequest {
                    limit: 100,
                    end: None,
                    ..asked
                };
            }
            let (expected, found) = (by_hand(&asked, &drawn), by_pages(&world, &asked).await);
            assert!(
                expected == found,
                "round {round}, list {number}, {place:?}\n{asked:?}\nexpected {expected:?}\nfound {found:?}\n{}",
                print(&drawn)
            );
        }
    }
}

const BOTH: &[TraceOrder] = &[TraceOrder::Newest, TraceOrder::Slowest];

/// By duration, a trace in pieces stands where its longest piece does.
const NEWEST: &[TraceOrder] = &[TraceOrder::Newest];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_of_live_traces_are_as_made_by_hand() {
    rounds(Place::Live, BOTH).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_of_blocks_are_as_made_by_hand() {
    rounds(Place::Blocks, BOTH).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_of_traces_in_pieces_are_as_made_by_hand() {
    rounds(Place::Pieces, NEWEST).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_of_traces_in_blocks_and_memory_are_as_made_by_hand() {
    rounds(Place::Mixed, NEWEST).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_of_traces_sent_again_are_as_made_by_hand() {
    rounds(Place::Resent, NEWEST).await;
}
