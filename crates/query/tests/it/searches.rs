//! Searches whose traces lie in several places, or cannot be read.

use std::sync::Arc;

use model::{DurationNanos, SpanId, SpanKind, StatusCode, TraceId, UnixNanos};
use query::{Limits, Query, SearchPage, SearchRequest, TraceOrder};
use store::testing::Faults;
use testkit::drawing::ORIGIN;
use testkit::trace::{Scope, Span, Trace};

use crate::world::World;

const SECOND: i64 = 1_000_000_000;

pub(crate) fn span(id: u8, parent: u8, name: &str, seconds: i64) -> Span {
    Span {
        id: SpanId([id; 8]),
        parent: SpanId([parent; 8]),
        name: name.into(),
        start: ORIGIN,
        duration: DurationNanos(seconds * SECOND),
        kind: SpanKind::Server,
        status: StatusCode::Unset,
        status_message: String::new(),
        trace_state: String::new(),
        attributes: Vec::new(),
        resource: Vec::new(),
        scope: Scope::default(),
        events: Vec::new(),
        links: Vec::new(),
    }
}

pub(crate) fn trace(id: u8, spans: Vec<Span>) -> Trace {
    Trace {
        id: TraceId([id; 16]),
        spans,
    }
}

fn request(text: &str, order: TraceOrder, limit: usize) -> SearchRequest {
    SearchRequest {
        query: Arc::new(traceql::compile(text).unwrap()),
        start: None,
        end: None,
        order,
        limit,
        spans_per_spanset: 3,
        cursor: None,
        limits: Limits::default(),
    }
}

fn ids(page: &SearchPage) -> Vec<TraceId> {
    page.traces
        .iter()
        .map(|trace| trace.summary.trace_id)
        .collect()
}

/// The slowest trace is written but for a short span that came late: what is live of it is the quickest of all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_slowest_trace_is_found_though_little_of_it_is_live() {
    let world = World::empty(1).await;
    world
        .write_whole(&[trace(1, vec![span(1, 0, "a", 100)])])
        .await;
    world.send(&[trace(1, vec![span(2, 1, "b", 0)])]).await;
    let quick = (2..40).map(|id| trace(id, vec![span(1, 0, "a", 2), span(2, 1, "b", 1)]));
    world.send(&quick.collect::<Vec<_>>()).await;
    let request = request(
        r#"{ name = "a" } >> { name = "b" }"#,
        TraceOrder::Slowest,
        1,
    );
    let page = world.query.search(&request).await.unwrap();
    assert_eq!(ids(&page), [TraceId([1; 16])]);
}

/// Spans are counted in all pieces of a trace: in a block that took what it had for the whole, and in one that is too old for the
/// time asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_of_a_trace_in_several_blocks_are_counted_together() {
    let world = World::empty(1).await;
    let late = |id, hours: i64| Span {
        start: UnixNanos(ORIGIN.0 + hours * 3600 * SECOND),
        ..span(id, 1, "a", 1)
    };
    world
        .write_whole(&[trace(1, vec![span(1, 0, "a", 1), span(2, 1, "a", 1)])])
        .await;
    for (id, hours) in [(3, 1), (4, 2)] {
        world.write_whole(&[trace(1, vec![late(id, hours)])]).await;
    }
    let asked = |text: &str, since: i64| SearchRequest {
        start: Some(UnixNanos(ORIGIN.0 + since * SECOND)),
        ..request(text, TraceOrder::Newest, 5)
    };
    for (since, text, found) in [
        (0, r#"{ name = "a" } | count() > 3"#, 1),
        (0, r#"{ name = "a" } | count() > 4"#, 0),
        (5400, r#"{ name = "a" } | count() = 4"#, 1),
        (5400, r#"{ name = "a" } | count() > 4"#, 0),
        (
            0,
            r#"{ span:id = "0101010101010101" } && { span:id = "0404040404040404" }"#,
            1,
        ),
    ] {
        let page = world.query.search(&asked(text, since)).await.unwrap();
        assert_eq!(page.traces.len(), found, "{text} since {since} s");
    }
}

/// An answer that lacks something says so, wherever reading failed: when blocks were looked through, or only when what was found
/// was to be shown.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_named() {
    let (world, store) = World::faulty(1).await;
    let traces: Vec<Trace> = (1..60)
        .map(|id| trace(id, vec![span(1, 0, "a", 1), span(2, 1, "b", 1)]))
        .collect();
    for part in traces.chunks(20) {
        world.write_whole(part).await;
    }
    let request = request(r#"{ name = "b" }"#, TraceOrder::Newest, 50);
    // What is kept in memory from now on is read now.
    let whole = world.query.search(&request).await.unwrap();
    assert_eq!((whole.traces.len(), whole.missing.len()), (50, 0));
    let (mut full, mut partial) = (0, 0);
    for fails in [0.02, 0.1, 0.2, 0.3] {
        store.set_faults(Faults {
            fails,
            ..Faults::default()
        });
        for _ in 0..25 {
            let page = world.query.search(&request).await.unwrap();
            if ids(&page) == ids(&whole) {
                full += 1;
            } else {
                assert!(!page.missing.is_empty(), "{} traces", page.traces.len());
                partial += 1;
            }
        }
    }
    assert!(full > 0 && partial > 0, "{full} full, {partial} partial");
}

/// Whoever wants to know how far a search has come gets the same answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn progress_changes_nothing() {
    let world = World::empty(1).await;
    for id in 1..5 {
        let of_block = (id * 10..id * 10 + 10).map(|id| trace(id, vec![span(1, 0, "a", 1)]));
        world.write_whole(&of_block.collect::<Vec<_>>()).await;
    }
    let request = request(r#"{ name = "a" }"#, TraceOrder::Newest, 100);
    let mut seen = Vec::new();
    let progress = |page: &SearchPage| seen.push(page.traces.len());
    let found = followed(&world.query, &request, progress).await;
    let plain = world.query.search(&request).await.unwrap();
    assert_eq!((ids(&found), found.next), (ids(&plain), plain.next));
    assert_eq!((found.traces.len(), seen), (40, vec![10, 20, 30]));
}

async fn followed(
    query: &Query,
    request: &SearchRequest,
    progress: impl FnMut(&SearchPage) + Send,
) -> SearchPage {
    let found = query.search_with_progress(request, progress);
    found.await.unwrap()
}
