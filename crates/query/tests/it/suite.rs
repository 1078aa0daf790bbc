//! Every case of the suite, over spans in every place.

use std::sync::Arc;

use testkit::suite::{Answer, Case, cases};
use testkit::trace::Trace;
use traceql::query::Body;

use crate::asked::{metrics, search};
use crate::world::{Place, World};

/// Quantiles are estimated.
const TOLERANCE: f64 = 0.01;

async fn check(place: Place) {
    let mut wrong = Vec::new();
    let mut world: Option<(Arc<[Trace]>, World)> = None;
    for case in cases() {
        let is_same = |(traces, _): &(Arc<[Trace]>, World)| Arc::ptr_eq(traces, &case.traces);
        if !world.as_ref().is_some_and(is_same) {
            world = Some((
                case.traces.clone(),
                World::new(&case.traces, place, 7).await,
            ));
        }
        let (_, here) = world.as_ref().unwrap();
        wrong.extend(case.check(&answer(&case, here).await, TOLERANCE).err());
    }
    assert!(
        wrong.is_empty(),
        "{} wrong\n\n{}",
        wrong.len(),
        wrong.join("\n\n")
    );
}

async fn answer(case: &Case, world: &World) -> Answer {
    let Ok(query) = traceql::compile(&case.query) else {
        return Answer::Refused;
    };
    match query.body {
        // Pages of two traces, so that paging is tried too.
        Body::Search(_) => Answer::Spans(search(&world.query, &query, 2).await),
        Body::Metrics(_) => Answer::Series(metrics(&world.query, &query, &case.steps).await),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_spans_answer_as_expected() {
    check(Place::Live).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_answer_as_expected() {
    check(Place::Blocks).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traces_in_pieces_answer_as_expected() {
    check(Place::Pieces).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traces_in_blocks_and_memory_answer_as_expected() {
    check(Place::Mixed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traces_with_spans_sent_again_answer_as_expected() {
    check(Place::Resent).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traces_from_before_and_after_a_restart_answer_as_expected() {
    check(Place::Restarted).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traces_sent_again_after_a_restart_answer_as_expected() {
    check(Place::Again).await;
}
