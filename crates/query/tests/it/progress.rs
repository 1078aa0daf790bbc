//! Series as they become complete.

use std::sync::Arc;

use evaluate::Steps;
use model::{DurationNanos, SpanId, TraceId, UnixNanos};
use query::{Limits, MetricsAnswer, MetricsRequest};
use testkit::drawing::ORIGIN;
use testkit::random::{self, Size, traces};
use testkit::trace::{Span, Trace};
use traceql::testing::Choices;

use crate::world::World;

const MINUTE: i64 = 60_000_000_000;
const MINUTES: i64 = 20;

/// A block for each minute, and in the last one a live span too.
async fn minutes() -> World {
    let drawn = traces(&mut Choices::new(&random::bytes(5, 4000)), Size::default());
    let model = &drawn[0].spans[0];
    let of_minute = |minute: i64| Trace {
        id: TraceId([minute as u8 + 1; 16]),
        spans: vec![Span {
            id: SpanId([1; 8]),
            start: UnixNanos(ORIGIN.0 + minute * MINUTE),
            duration: DurationNanos(MINUTE / 2),
            ..model.clone()
        }],
    };
    let world = World::empty(1).await;
    // Blocks are not written in the order of what is in them.
    for minute in (0..MINUTES).map(|at| at * 7 % MINUTES) {
        world.write_whole(&[of_minute(minute)]).await;
    }
    world.send(&[of_minute(MINUTES)]).await;
    world
}

fn request(text: &str) -> MetricsRequest {
    MetricsRequest {
        query: Arc::new(traceql::compile(text).unwrap()),
        steps: Steps::Range {
            start: ORIGIN,
            end: UnixNanos(ORIGIN.0 + MINUTES * MINUTE),
            step: DurationNanos(MINUTE),
        },
        exemplars: 50,
        limits: Limits::default(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn series_grow_from_the_latest_point_back_and_what_is_told_stays() {
    let world = minutes().await;
    for text in [
        "{ } | count_over_time()",
        "{ } | rate() by (name)",
        "{ } | quantile_over_time(duration, .5, .9)",
        "({ } | rate()) / ({ } | count_over_time())",
    ] {
        let request = request(text);
        let mut told: Vec<MetricsAnswer> = Vec::new();
        let progress = |so_far: &MetricsAnswer| told.push(so_far.clone());
        let found = world.query.metrics_with_progress(&request, progress);
        let found = found.await.unwrap();
        let plain = world.query.metrics(&request).await.unwrap();
        assert_eq!(found.series, plain.series, "{text}");
        let mut first_points = Vec::new();
        for so_far in &told {
            for (series, whole) in so_far.series.iter().zip(&found.series) {
                assert_eq!(series.labels, whole.labels, "{text}");
                let first = series.points.iter().position(Option::is_some).unwrap();
                assert_eq!(series.points[first..], whole.points[first..], "{text}");
                assert!(
                    series
                        .exemplars
                        .iter()
                        .all(|one| whole.exemplars.contains(one))
                );
                first_points.push(first);
            }
        }
        first_points.dedup();
        let is_growing = first_points.is_sorted_by(|before, after| before > after);
        assert!(
            is_growing && first_points.len() > 1,
            "{text}: {first_points:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_comparisons_only_the_end_is_told() {
    let world = minutes().await;
    let request = request("{ } | compare({ duration > 1s })");
    let mut told = 0;
    let progress = |so_far: &MetricsAnswer| {
        assert!(so_far.series.is_empty());
        told += 1;
    };
    let found = world.query.metrics_with_progress(&request, progress);
    assert!(!found.await.unwrap().series.is_empty());
    assert!(told > 0);
}
