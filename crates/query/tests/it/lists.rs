//! Lists of traces, page by page.

use std::cmp::Reverse;

use model::{TraceId, UnixNanos};
use query::{TraceListRequest, TraceOrder};
use testkit::drawing::ORIGIN;
use testkit::trace::{Span, Trace};

use crate::searches::{span, trace};
use crate::world::World;

const SECOND: i64 = 1_000_000_000;

/// One of several traces that start in the same second, of different durations.
fn one(id: u8) -> Trace {
    let root = span(1, 0, "a", i64::from(id % 5));
    let start = UnixNanos(ORIGIN.0 + i64::from(id % 12) * SECOND);
    trace(id, vec![Span { start, ..root }])
}

/// Traces of several blocks and of memory, many of one start or duration: each page begins where the one before ended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_trace_is_on_one_page() {
    let world = World::empty(1).await;
    for part in 0..4 {
        let of_block: Vec<Trace> = (1..=10).map(|at| one(part * 10 + at)).collect();
        world.write_whole(&of_block).await;
    }
    world.send(&(41..=50).map(one).collect::<Vec<_>>()).await;
    for order in [TraceOrder::Newest, TraceOrder::Slowest] {
        let mut expected: Vec<(Reverse<i64>, TraceId)> = (1..=50)
            .map(one)
            .map(|trace| match order {
                TraceOrder::Newest => (Reverse(trace.spans[0].start.0), trace.id),
                TraceOrder::Slowest => (Reverse(trace.spans[0].duration.0), trace.id),
            })
            .collect();
        expected.sort_unstable();
        let expected: Vec<TraceId> = expected.into_iter().map(|(_, id)| id).collect();
        for limit in [1, 3, 7, 100] {
            assert_eq!(
                pages(&world, order, limit).await,
                expected,
                "{order:?}, {limit}"
            );
        }
    }
}

/// Pieces without a root may be of a trace that matches, so each is put together before it is known that it does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_is_full_though_many_pieces_could_have_been_on_it() {
    let world = World::empty(1).await;
    let wanted: Vec<Trace> = (1..=5).map(one).collect();
    world.write_whole(&wanted).await;
    let pieces = (6..=250).map(|id| {
        let child = span(1, 9, "b", 1);
        let start = UnixNanos(ORIGIN.0 + 60 * SECOND + i64::from(id));
        trace(id, vec![Span { start, ..child }])
    });
    world.write_whole(&pieces.collect::<Vec<_>>()).await;
    let request = TraceListRequest {
        root_name: Some(wanted[0].spans[0].name.clone()),
        limit: 5,
        ..TraceListRequest::default()
    };
    let page = world.query.traces(&request).await.unwrap();
    let ids: Vec<TraceId> = page.traces.iter().map(|trace| trace.trace_id).collect();
    let newest_first: Vec<TraceId> = wanted.iter().rev().map(|trace| trace.id).collect();
    assert_eq!(ids, newest_first);
}

async fn pages(world: &World, order: TraceOrder, limit: usize) -> Vec<TraceId> {
    let mut request = TraceListRequest {
        order,
        limit,
        ..TraceListRequest::default()
    };
    let mut ids = Vec::new();
    loop {
        let page = world.query.traces(&request).await.unwrap();
        assert_eq!(page.missing, Vec::<String>::new());
        ids.extend(page.traces.iter().map(|trace| trace.trace_id));
        match page.next {
            Some(next) => request.cursor = Some(next),
            None => return ids,
        }
    }
}
