//! From memory to blocks: early, late, slowly, and not at all.

use std::time::Duration;

use collect::{Refusal, SealReason, Snapshot, TraceFilter};
use model::DropReason;
use store::testing::Faults;

use crate::spans::{TestSpan, child, expected, root, trace_id};
use crate::world::World;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flushed_spans_leave_memory_and_journal() {
    let world = World::new(11);
    let process = world.start().await;
    for trace in 1..=400 {
        process.accept(&[root(trace), child(trace, 2)]).await;
    }
    let before = process.journal.stats();
    assert!(before.segments >= 2, "{before:?}");
    process.collector.flush().await.unwrap();
    let counts = process.counts();
    assert_eq!(
        (counts.stored, counts.in_flight, counts.flushed_blocks),
        (800, 0, 2)
    );
    assert_eq!(process.store.stats().spans, 800);
    for trace in [1, 200, 400] {
        assert_eq!(
            process.all_of(trace).await,
            expected(&[root(trace), child(trace, 2)])
        );
    }
    let live = process
        .collector
        .list(&TraceFilter {
            limit: 9,
            ..TraceFilter::default()
        })
        .await;
    assert_eq!(live.unwrap(), Default::default());
    for _ in 0..500 {
        if process.journal.stats().segments == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(
        process.journal.stats().segments,
        1,
        "only the active one stays"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_fills_up_has_its_oldest_spans_flushed() {
    let mut world = World::new(21);
    world.journal.max_bytes = 256 << 10;
    check_flushed_when_full(world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_has_one_whose_disk_fills_up() {
    let mut world = World::new(22);
    world.journal.reserve_bytes = 64 << 10;
    world.disk.set_capacity(Some(320 << 10));
    check_flushed_when_full(world).await;
}

async fn check_flushed_when_full(mut world: World) {
    // Nothing else would flush for an hour.
    world.settings.flush_interval = Duration::from_secs(3600);
    world.settings.decision_wait = Duration::from_secs(3600);
    let process = world.start().await;
    let mut sent = 0;
    while process.journal.fullness() < 0.8 {
        sent += 1;
        process.accept(&[root(sent), child(sent, 2)]).await;
    }
    let flushed =
        |counts: &Snapshot| counts.sealed[SealReason::Journal as usize] > 0 && counts.stored > 0;
    process.until(flushed).await;
    // There is room again, and nothing is lost.
    while process.journal.fullness() >= 0.75 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    process.collector.flush().await.unwrap();
    assert_eq!(process.counts().stored, 2 * sent);
    assert_eq!(process.store.stats().spans, 2 * sent);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn duplicates_are_stored_once_and_counted() {
    let process = World::new(12).start().await;
    let spans = [root(1), child(1, 2)];
    process.accept(&spans).await;
    process.accept(&spans).await;
    assert_eq!(process.all_of(1).await, expected(&spans));
    process.collector.flush().await.unwrap();
    let counts = process.counts();
    assert_eq!(
        (
            counts.received,
            counts.stored,
            counts.rejected_for(DropReason::Duplicate)
        ),
        (4, 2, 2)
    );
    assert_eq!(process.all_of(1).await, expected(&spans));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_spans_are_found_with_the_rest_of_their_trace() {
    let process = World::new(13).start().await;
    let spans: Vec<TestSpan> = (1..=6)
        .map(|span| if span == 1 { root(1) } else { child(1, span) })
        .collect();
    for (number, span) in spans.iter().enumerate() {
        process.accept(&[*span]).await;
        assert_eq!(process.all_of(1).await, expected(&spans[..=number]));
        process.collector.flush().await.unwrap();
        assert_eq!(process.all_of(1).await, expected(&spans[..=number]));
    }
    let counts = process.counts();
    assert_eq!((counts.flushed_blocks, counts.late_traces), (6, 5));
    let blocks = process.store.blocks();
    let partial: u64 = blocks.iter().map(|block| block.partial_traces).sum();
    // The first piece was cut right after its span came, the others are late.
    assert_eq!(partial, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_of_100_000_spans_is_kept_whole() {
    let mut world = World::new(14);
    world.settings.generation_spans_max = 30_000;
    let process = world.start().await;
    for part in 0..100u64 {
        let spans: Vec<TestSpan> = (0..1_000).map(|i| child(1, 2 + part * 1_000 + i)).collect();
        process.accept(&spans).await;
    }
    process.accept(&[root(1)]).await;
    process.collector.flush().await.unwrap();
    let counts = process.counts();
    assert_eq!((counts.stored, counts.in_flight), (100_001, 0));
    assert!(counts.flushed_blocks > 2);
    let found = process.store.find_trace(trace_id(1)).await.unwrap();
    assert_eq!(found.spans.batch.len(), 100_001);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn age_flushes_by_itself_and_a_clock_that_steps_back_does_not_stop_it() {
    let world = World::new(15);
    let process = world.start().await;
    process.accept(&[root(1), root(2), root(3)]).await;
    process.until(|counts| counts.inserted == 3).await;
    world.clock.advance(Duration::from_secs(50));
    process.accept(&[root(4)]).await;
    process.until(|counts| counts.inserted == 4).await;
    assert_eq!(process.counts().flushed_blocks, 0);
    // What has waited 50 s when the clock steps back an hour waits 10 s more, not an hour.
    world.clock.step_back(Duration::from_secs(3600));
    tokio::time::sleep(Duration::from_millis(600)).await;
    world.clock.advance(Duration::from_secs(11));
    let counts = process
        .until(|counts| counts.stored >= 3 && counts.law_holds())
        .await;
    assert!(counts.sealed[SealReason::Age as usize] > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_store_closes_the_door_loses_nothing_and_opens_it_again() {
    let mut world = World::new(16);
    world.settings.generation_spans_max = 100;
    let process = world.start().await;
    process.objects.die();
    let mut accepted = 0;
    let refusal = loop {
        let trace = accepted + 1;
        match process.send(&[root(trace), child(trace, 2)]).await {
            Ok(_) => accepted += 1,
            Err(refusal) => break refusal,
        }
        assert!(accepted < 10_000, "the door never closes");
    };
    assert!(matches!(refusal, Refusal::Overloaded { .. }), "{refusal:?}");
    assert!(!process.collector.is_ready());
    process
        .until(|counts| counts.flush_failures > 0 && counts.flushes_failing > 0)
        .await;
    let counts = process.until(Snapshot::law_holds).await;
    assert_eq!(
        (counts.received, counts.in_flight, counts.stored),
        (2 * accepted, 2 * accepted, 0)
    );
    for trace in [1, accepted] {
        let live = process
            .collector
            .trace(trace_id(trace))
            .await
            .unwrap()
            .value;
        assert_eq!(live.len(), 2);
    }
    process.objects.revive();
    process.collector.flush().await.unwrap();
    let counts = process.counts();
    assert_eq!(
        (counts.stored, counts.in_flight, counts.flushes_failing),
        (2 * accepted, 0, 0)
    );
    assert!(process.collector.is_ready());
    process.accept(&[root(1_000_000)]).await;
    for trace in 1..=accepted {
        assert_eq!(process.all_of(trace).await.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_in_time_leaves_nothing_to_replay() {
    let world = World::new(17);
    let process = world.start().await;
    for trace in 1..=100 {
        process.accept(&[root(trace)]).await;
    }
    let drained = process.collector.drain(Duration::from_secs(20)).await;
    assert!(drained.is_clean);
    assert_eq!(drained.left_in_journal, 0);
    assert_eq!(process.counts().stored, 100);
    assert_eq!(process.send(&[root(1)]).await, Err(Refusal::ShuttingDown));
    assert!(process.collector.trace(trace_id(1)).await.is_err());
    drop(process);
    let process = world.start().await;
    assert_eq!(process.replayed.records, 0);
    assert_eq!(process.all_of(7).await, expected(&[root(7)]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_that_runs_out_of_time_leaves_the_rest_to_the_journal() {
    let world = World::new(18);
    let process = world.start().await;
    process.accept(&[root(1), root(2), root(3)]).await;
    process.objects.die();
    let drained = process.collector.drain(Duration::from_millis(200)).await;
    assert_eq!((drained.is_clean, drained.left_in_journal), (false, 3));
    drop(process);
    let process = world.start().await;
    assert_eq!(process.replayed.spans, 3);
    process.collector.flush().await.unwrap();
    assert_eq!(
        (process.counts().stored, process.all_of(2).await),
        (3, expected(&[root(2)]))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_stays_in_its_bounds_when_the_store_is_slower_than_the_senders() {
    let mut world = World::new(19);
    world.settings.live_bytes_max = 6 << 20;
    world.settings.body_bytes_max = 1 << 20;
    world.settings.in_flight_bytes_max = 2 << 20;
    world.settings.admission_wait = Duration::from_secs(20);
    let process = world.start().await;
    process.objects.set_faults(Faults {
        delay_max: Duration::from_millis(30),
        ..Faults::default()
    });
    let send = |sender: u64| {
        let process = &process;
        async move {
            for part in 0..40u64 {
                let trace = 1 + sender * 1_000 + part;
                let spans: Vec<TestSpan> = (0..1_000).map(|span| child(trace, span + 2)).collect();
                process.accept(&spans).await;
            }
        }
    };
    let watch = async {
        let mut most = 0;
        loop {
            let counts = process.collector.snapshot();
            most = most.max(counts.live_bytes());
            if counts.received == 160_000 {
                return most;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let (most, ..) = tokio::join!(watch, send(0), send(1), send(2), send(3));
    assert!(most > 2 << 20, "{most}: nothing was tested");
    // On top of the budget comes what was on its way when the door closed, which in the tables of a shard takes up to twice
    // as much, for it brings traces along that are carried on.
    assert!(most < (6 << 20) + 2 * (2 << 20), "{most}");
    process.collector.flush().await.unwrap();
    let counts = process.counts();
    assert_eq!((counts.stored, counts.in_flight), (160_000, 0));
    assert!(counts.sealed[SealReason::Bytes as usize] > 4);
}
