//! Random traces and random queries, in every place, against the plain evaluator.

use model::{DurationNanos, UnixNanos};
use testkit::drawing::{ORIGIN, print};
use testkit::oracle::{self, Steps};
use testkit::random::{self, SECONDS, Size, traces};
use testkit::suite::{check_series, span_lines};
use testkit::trace::Trace;
use traceql::Query;
use traceql::testing::Choices;

use crate::asked::{metrics, search};
use crate::world::{Place, World};

/// Sets of traces; each is asked [`QUERIES`] queries in each place.
const ROUNDS: u64 = 12;
const QUERIES: u64 = 40;

/// Bytes that one random thing is decided by.
const DECISIONS: usize = 400;

/// Quantiles are estimated.
const TOLERANCE: f64 = 0.01;

const STEPS: Steps = Steps::Range {
    start: ORIGIN,
    end: UnixNanos(ORIGIN.0 + SECONDS * 1_000_000_000),
    step: DurationNanos(7_500_000_000),
};

fn lines(found: &[oracle::Found], traces: &[Trace]) -> Vec<String> {
    let mut lines = span_lines(found, traces);
    lines.sort();
    lines
}

async fn check_search(world: &World, text: &str, traces: &[Trace]) -> Result<(), String> {
    let query: Query = traceql::compile(text).unwrap();
    let expected = lines(&oracle::search(&query, traces), traces);
    let found = lines(&search(&world.query, &query, 3).await, traces);
    if expected == found {
        return Ok(());
    }
    let (expected, found) = (expected.join("\n  "), found.join("\n  "));
    Err(format!("expected\n  {expected}\nfound\n  {found}"))
}

async fn check_metrics(world: &World, text: &str, traces: &[Trace]) -> Result<(), String> {
    let query: Query = traceql::compile(text).unwrap();
    let expected = oracle::metrics(&query, traces, &STEPS);
    let found = metrics(&world.query, &query, &STEPS).await;
    check_series(&expected, &found, TOLERANCE)
}

async fn rounds(place: Place, odd: bool) {
    for round in 0..ROUNDS {
        let size = Size {
            odd,
            ..Size::default()
        };
        let drawn = traces(&mut Choices::new(&random::bytes(round, 4000)), size);
        let world = World::new(&drawn, place, round).await;
        for number in 0..QUERIES {
            let bytes = random::bytes(round << 32 | number, DECISIONS);
            let text = random::search(&mut Choices::new(&bytes));
            let checked = check_search(&world, &text, &drawn).await;
            let shown = || {
                format!(
                    "round {round}, search {number}, {place:?}\n{text}\n{}",
                    print(&drawn)
                )
            };
            checked.unwrap_or_else(|wrong| panic!("{wrong}\n{}", shown()));
            let text = random::metrics(&mut Choices::new(&bytes));
            let checked = check_metrics(&world, &text, &drawn).await;
            let shown = || {
                format!(
                    "round {round}, metrics {number}, {place:?}\n{text}\n{}",
                    print(&drawn)
                )
            };
            checked.unwrap_or_else(|wrong| panic!("{wrong}\n{}", shown()));
            let text = random::comparison(&mut Choices::new(&bytes));
            let checked = check_metrics(&world, &text, &drawn).await;
            let shown = || {
                format!(
                    "round {round}, comparison {number}, {place:?}\n{text}\n{}",
                    print(&drawn)
                )
            };
            checked.unwrap_or_else(|wrong| panic!("{wrong}\n{}", shown()));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_spans_answer_as_the_plain_evaluator() {
    rounds(Place::Live, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_answer_as_the_plain_evaluator() {
    rounds(Place::Blocks, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traces_in_pieces_answer_as_the_plain_evaluator() {
    rounds(Place::Pieces, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traces_in_blocks_and_memory_answer_as_the_plain_evaluator() {
    rounds(Place::Mixed, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traces_with_spans_sent_again_answer_as_the_plain_evaluator() {
    rounds(Place::Resent, true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traces_sent_again_after_a_restart_answer_as_the_plain_evaluator() {
    rounds(Place::Again, true).await;
}

/// Times that are far apart are for others: what comes that long after a restart is not looked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traces_from_before_and_after_a_restart_answer_as_the_plain_evaluator() {
    rounds(Place::Restarted, false).await;
}
