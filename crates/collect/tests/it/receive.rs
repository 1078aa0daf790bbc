//! Requests that are taken, and requests that are refused.

use std::io::{ErrorKind, Write as _};
use std::time::Duration;

use bytes::Bytes;
use collect::{Encoding, Outcome, Refusal, TraceFilter};
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use journal::testing::Operation;
use model::{DropReason, SpanId, TraceId};

use crate::spans::{TestSpan, batch, child, expected, root, trace_id};
use crate::world::{World, request};

fn outcomes(counts: &collect::Snapshot, outcome: Outcome) -> u64 {
    counts.requests[outcome as usize]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_visible_at_once_and_durable() {
    let world = World::new(1);
    let process = world.start().await;
    for trace in 1..=50 {
        let spans = [root(trace), child(trace, 2)];
        process.accept(&spans).await;
        assert_eq!(process.all_of(trace).await, expected(&spans));
    }
    let filter = TraceFilter {
        limit: 100,
        ..TraceFilter::default()
    };
    assert_eq!(
        process.collector.list(&filter).await.unwrap().value.len(),
        50
    );
    let services = process.collector.services().await.unwrap().value;
    let services: Vec<_> = services.iter().map(|s| (&*s.name, s.spans)).collect();
    assert_eq!(services, [("shop", 50), ("stock", 50)]);
    let operations = process.collector.operations("shop").await.unwrap().value;
    assert_eq!((operations.len(), operations[0].roots), (1, 50));
    let counts = process.counts();
    assert_eq!(
        (counts.received, counts.in_flight, counts.stored),
        (100, 100, 0)
    );
    assert_eq!(outcomes(&counts, Outcome::Accepted), 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_encoding_is_taken_whatever_the_size() {
    let world = World::new(2);
    let process = world.start().await;
    let mut trace = 0;
    for spans in [1u64, 5_000] {
        let mut body = || {
            trace += 1;
            let spans: Vec<TestSpan> = (0..spans).map(|span| child(trace, span + 2)).collect();
            request(&spans)
        };
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&body()).unwrap();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(&body()).unwrap();
        let zstd = zstd::bulk::compress(&body(), 1).unwrap();
        for (encoding, body) in [
            (Encoding::Identity, body()),
            (Encoding::Gzip, gzip.finish().unwrap().into()),
            (Encoding::Deflate, zlib.finish().unwrap().into()),
            (Encoding::Zstd, zstd.into()),
        ] {
            let received = process.collector.receive(encoding, body).await.unwrap();
            assert_eq!(received.accepted, spans, "{encoding:?}");
        }
    }
    assert_eq!(process.counts().received, 4 + 20_000);
    // What the journal holds as received comes back.
    let mut world = world;
    world.crash(process);
    let process = world.start().await;
    assert_eq!(
        (process.replayed.records, process.replayed.spans),
        (8, 20_004)
    );
    assert_eq!(process.counts().in_flight, 20_004);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_requests_are_refused_whole_and_leave_nothing() {
    let mut world = World::new(3);
    world.settings.body_bytes_max = 4 << 10;
    let process = world.start().await;
    let large = Bytes::from(vec![0; 5 << 10]);
    let bomb = Bytes::from(zstd::bulk::compress(&[0; 1 << 20], 1).unwrap());
    let whole = request(&[root(1)]);
    let cases = [
        (
            "garbage",
            Encoding::Identity,
            Bytes::from_static(b"\xff\xff\xff"),
            Outcome::Malformed,
        ),
        (
            "cut off",
            Encoding::Identity,
            whole.slice(..whole.len() - 3),
            Outcome::Malformed,
        ),
        (
            "not gzip",
            Encoding::Gzip,
            whole.clone(),
            Outcome::Malformed,
        ),
        ("large", Encoding::Identity, large, Outcome::TooLarge),
        ("bomb", Encoding::Zstd, bomb, Outcome::TooLarge),
    ];
    for (name, encoding, body, outcome) in cases {
        let refusal = process.collector.receive(encoding, body).await.unwrap_err();
        let is_right = match refusal {
            Refusal::Malformed(_) => outcome == Outcome::Malformed,
            Refusal::TooLarge { limit, inflated } => {
                outcome == Outcome::TooLarge && limit == 4 << 10 && inflated == (name == "bomb")
            }
            _ => false,
        };
        assert!(is_right, "{name}: {refusal:?}");
    }
    let counts = process.counts();
    assert_eq!(
        (counts.received, process.journal.stats().appended_records),
        (0, 0)
    );
    assert_eq!(outcomes(&counts, Outcome::Malformed), 3);
    assert_eq!(outcomes(&counts, Outcome::TooLarge), 2);
    assert_eq!(process.collector.in_flight_bytes(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_spans_are_rejected_one_by_one_with_reasons() {
    let process = World::new(4).start().await;
    let mut spans = batch(&[root(1), child(1, 2), child(1, 3), child(2, 2)]);
    spans.spans[1].span_id = SpanId::ZERO;
    spans.spans[3].trace_id = TraceId::ZERO;
    let body = wire::otlp::encode(&spans);
    let received = process
        .collector
        .receive(Encoding::Identity, body.into())
        .await
        .unwrap();
    assert_eq!((received.accepted, received.rejected), (2, 2));
    assert!(
        received.message.contains("1 invalid_trace_id"),
        "{}",
        received.message
    );
    assert!(
        received.message.contains("spans[1]"),
        "{}",
        received.message
    );
    let counts = process.counts();
    assert_eq!((counts.received, counts.in_flight), (4, 2));
    assert_eq!(counts.rejected_for(DropReason::InvalidSpanId), 1);
    assert_eq!(outcomes(&counts, Outcome::Partial), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_request_is_a_success_that_costs_no_record() {
    let process = World::new(5).start().await;
    let received = process
        .collector
        .receive(Encoding::Identity, Bytes::new())
        .await;
    assert_eq!(received.unwrap(), collect::Received::default());
    assert_eq!(process.journal.stats().appended_records, 0);
    assert_eq!(process.counts().received, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fails_refuses_with_a_delay_and_counts_nothing() {
    let world = World::new(6);
    let process = world.start().await;
    process.accept(&[root(1)]).await;
    world
        .disk
        .fail(Operation::SyncData, ErrorKind::StorageFull, u32::MAX);
    let refusal = process.send(&[root(2)]).await.unwrap_err();
    let Refusal::Overloaded {
        retry_after,
        reason,
    } = refusal
    else {
        panic!("{refusal:?}");
    };
    assert!(
        retry_after > Duration::ZERO && reason.contains("journal"),
        "{reason}"
    );
    assert_eq!(process.counts().received, 1);
    assert!(process.all_of(2).await.is_empty());
    world.disk.heal();
    let mut tries = 0;
    while process.send(&[root(2)]).await.is_err() {
        tries += 1;
        assert!(tries < 1_000, "the journal does not recover");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(process.counts().received, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_that_goes_away_leaves_whole_requests_or_none() {
    let world = World::new(7);
    let process = world.start().await;
    world.disk.hold_syncs();
    for trace in 1..=20 {
        let spans = [root(trace), child(trace, 2), child(trace + 100, 3)];
        let sending = process
            .collector
            .receive(Encoding::Identity, request(&spans));
        // Long enough to be polled, too short for a sync that is held.
        let gone = tokio::time::timeout(Duration::from_millis(1), sending).await;
        assert!(gone.is_err());
    }
    world.disk.release_syncs();
    // Those that had come as far as the journal finish by themselves.
    process
        .until(|counts| counts.inserted == counts.received && counts.received > 0)
        .await;
    let settled = loop {
        let before = process.collector.snapshot();
        tokio::time::sleep(Duration::from_millis(20)).await;
        if process.collector.snapshot() == before {
            break process.counts();
        }
    };
    assert_eq!(settled.received % 3, 0);
    for trace in 1..=20 {
        let parts = (
            process.all_of(trace).await.len(),
            process.all_of(trace + 100).await.len(),
        );
        assert!(parts == (2, 1) || parts == (0, 0), "{parts:?}");
    }
    assert_eq!(process.collector.in_flight_bytes(), 0);
    // No record is held by the journal for a sender that is gone.
    process.collector.flush().await.unwrap();
    assert_eq!(process.counts().in_flight, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_fits_between_door_and_shards_is_refused() {
    let mut world = World::new(8);
    world.settings.body_bytes_max = 64 << 10;
    world.settings.in_flight_bytes_max = 128 << 10;
    let process = world.start().await;
    world.disk.hold_syncs();
    let spans: Vec<TestSpan> = (0..200).map(|span| child(1, span + 2)).collect();
    let sends = (0..20).map(|_| process.send(&spans));
    let senders = futures::future::join_all(sends);
    let release = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        world.disk.release_syncs();
    };
    let (answers, ()) = tokio::join!(senders, release);
    let refused = answers.iter().filter(|answer| {
        matches!(answer, Err(Refusal::Overloaded { retry_after, .. }) if *retry_after >= Duration::from_secs(1))
    });
    let refused = refused.count();
    let accepted = answers.iter().filter(|answer| answer.is_ok()).count();
    assert!(refused > 0 && accepted > 0, "{refused} {accepted}");
    assert_eq!(refused + accepted, 20);
    let counts = process
        .until(|counts| counts.inserted == counts.received)
        .await;
    assert_eq!(counts.received, 200 * accepted as u64);
    assert_eq!(
        process
            .collector
            .trace(trace_id(1))
            .await
            .unwrap()
            .value
            .len(),
        200
    );
    assert!(process.send(&spans).await.is_ok());
}
