//! Processes that are killed at any moment: what was acknowledged is there afterwards, once.

use std::time::Duration;

use collect::Encoding;

use crate::spans::{TestSpan, child, expected, root};
use crate::world::{World, request};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_spans_survive_a_crash() {
    let mut world = World::new(21);
    let process = world.start().await;
    process.accept(&[root(1), child(1, 2)]).await;
    process.accept(&[root(2)]).await;
    world.crash(process);
    let process = world.start().await;
    assert_eq!((process.replayed.records, process.replayed.spans), (2, 3));
    assert_eq!(process.all_of(1).await, expected(&[root(1), child(1, 2)]));
    let counts = process.counts();
    assert_eq!(
        (counts.received, counts.replayed, counts.in_flight),
        (3, 3, 3)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_in_a_block_already_is_passed_over() {
    let mut world = World::new(22);
    let process = world.start().await;
    process.accept(&[root(1), child(1, 2)]).await;
    process.collector.flush().await.unwrap();
    // The same segment holds what is flushed and what is not.
    process.accept(&[child(1, 3), root(2)]).await;
    world.crash(process);
    let process = world.start().await;
    assert_eq!(
        (process.replayed.spans, process.replayed.stored_already),
        (2, 2)
    );
    assert_eq!(
        process.all_of(1).await,
        expected(&[root(1), child(1, 2), child(1, 3)])
    );
    process.collector.flush().await.unwrap();
    assert_eq!(process.counts().stored, 2);
    assert_eq!(process.store.stats().spans, 4);
    // And again, now that everything is in blocks.
    world.crash(process);
    let process = world.start().await;
    // Nothing is replayed, whether the journal had been trimmed before the crash or not.
    assert_eq!(process.replayed.spans, 0);
    assert!(matches!(process.replayed.stored_already, 0 | 4));
    assert_eq!(process.counts().received, 0);
    assert_eq!(process.store.stats().spans, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_that_cannot_be_read_is_replayed_rather_than_lost() {
    let mut world = World::new(23);
    let process = world.start().await;
    process.accept(&[root(1)]).await;
    process.collector.flush().await.unwrap();
    world.crash(process);
    world.damage_blocks().await;
    let process = world.start().await;
    assert_eq!(process.replayed.spans, 1);
    let live = process
        .collector
        .trace(crate::spans::trace_id(1))
        .await
        .unwrap();
    assert_eq!(live.value.len(), 1);
}

/// Sends, flushes and kills by a seed, and checks after each kill.
async fn check_kills(seed: u64) {
    let mut world = World::new(seed);
    world.settings.generation_spans_max = 150;
    let mut random = seed;
    let mut draw = move |below: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    let mut acknowledged: Vec<TestSpan> = Vec::new();
    let mut next = 0u64;
    for _life in 0..4 {
        let process = world.start().await;
        process.objects.die_after(5 + draw(60), draw(2) == 0);
        let sends = 5 + draw(40);
        for _ in 0..sends {
            let spans: Vec<TestSpan> = (0..1 + draw(30))
                .map(|_| {
                    next += 1;
                    // Traces of a few spans that come over many requests.
                    let trace = 1 + next / 7 + draw(3);
                    TestSpan {
                        start: next as i64,
                        ..child(trace, next + 1)
                    }
                })
                .collect();
            let sending = process
                .collector
                .receive(Encoding::Gzip, gzip(&request(&spans)));
            if sending.await.is_ok() {
                acknowledged.extend(spans);
            } else {
                break;
            }
            world.clock.advance(Duration::from_millis(draw(400)));
        }
        world.crash(process);
    }
    let process = world.start().await;
    process.collector.flush().await.unwrap();
    let mut found = Vec::new();
    let mut traces: Vec<u64> = acknowledged.iter().map(|span| span.trace).collect();
    traces.sort_unstable();
    traces.dedup();
    for trace in traces {
        found.extend(process.all_of(trace).await);
    }
    found.sort();
    let mut expected = expected(&acknowledged);
    // A request refused by a dying process may still be there, whole; nothing may be there twice.
    let mut once = found.clone();
    once.dedup();
    assert_eq!(
        once.len(),
        found.len(),
        "seed {seed}: some spans are there twice"
    );
    expected.retain(|span| found.binary_search(span).is_err());
    assert!(expected.is_empty(), "seed {seed}: lost {expected:?}");
    process.counts();
}

fn gzip(bytes: &[u8]) -> bytes::Bytes {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap().into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_at_any_moment_lose_nothing_and_double_nothing() {
    for seed in 100..112 {
        check_kills(seed).await;
    }
}
