//! The bounds on what waits and on what is stored, and the pace of commits.

use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::join_all;
use journal::testing::{FaultyFiles, Operation};
use journal::{AppendError, JournalConfig};

use crate::support::{DIR, append, config, entry, open, open_with, reopen};

#[tokio::test]
async fn a_full_journal_refuses_until_it_is_trimmed() {
    let files = FaultyFiles::new(1);
    let bounded = JournalConfig {
        max_bytes: 16 << 10,
        ..config(DIR)
    };
    let (journal, _) = open_with(&files, bounded);
    let mut positions = Vec::new();
    let refused = loop {
        match journal.append(entry(positions.len() as u64, 1000)).await {
            Ok(position) => positions.push(position),
            Err(refused) => break refused,
        }
    };
    let AppendError::Full { bytes, max, .. } = refused else {
        panic!("{refused}");
    };
    assert_eq!(max, 16 << 10);
    assert!(bytes > max);
    let stats = journal.stats();
    assert!(stats.bytes <= max && stats.fullness > 0.9);
    assert_eq!((stats.refused_full, stats.drain_rate), (1, None));

    for position in &positions {
        journal.handed_over(*position);
    }
    journal.trim(positions.last().unwrap().segment).unwrap();
    assert!(journal.stats().drain_rate.is_some());
    append(&journal, 1000, 1000).await;
}

#[tokio::test]
async fn the_bound_holds_for_what_is_on_its_way() {
    let bounded = JournalConfig {
        max_bytes: 16 << 10,
        ..config(DIR)
    };
    let (journal, _) = open_with(&FaultyFiles::new(1), bounded);
    let appended = join_all((0..100).map(|n| journal.append(entry(n, 1000)))).await;
    let taken = appended.iter().filter(|result| result.is_ok()).count();
    // Each is refused or not for what it finds stored and on its way, however far the writer has come.
    assert_eq!(taken, 15);
    let stats = journal.stats();
    assert!(stats.bytes <= stats.max_bytes);
}

/// While a commit becomes durable its records leave the queue for the segments, and must not count in both.
#[tokio::test]
async fn what_fits_beside_a_commit_is_taken_at_any_moment() {
    let bounded = JournalConfig {
        max_bytes: 16 << 10,
        ..config(DIR)
    };
    let (journal, _) = open_with(&FaultyFiles::new(1), bounded);
    for n in 0..1000 {
        // Two have room, three have not.
        let other = journal.clone();
        let pause = Duration::from_micros(n % 60);
        let beside = std::thread::spawn(move || {
            let began = Instant::now();
            while began.elapsed() < pause {
                std::hint::spin_loop();
            }
            futures::executor::block_on(other.append(entry(n, 6000)))
        });
        let first = append(&journal, n, 6000).await;
        let second = beside.join().unwrap().unwrap();
        for position in [first, second] {
            journal.handed_over(position);
        }
        let newest = journal.roll().await.unwrap();
        journal.trim(newest).unwrap();
    }
}

#[tokio::test]
async fn a_full_queue_refuses_and_tells_when_to_come_back() {
    let files = FaultyFiles::new(1);
    let bounded = JournalConfig {
        queue_bytes: 10_000,
        ..config(DIR)
    };
    let (journal, _) = open_with(&files, bounded);
    files.hold_syncs();
    let mut waiting = Vec::new();
    let refused = loop {
        let mut append = Box::pin(journal.append(entry(waiting.len() as u64, 1000)));
        match append.as_mut().now_or_never() {
            None => waiting.push(append),
            Some(result) => break result.unwrap_err(),
        }
    };
    let AppendError::QueueFull { bytes, max, .. } = refused else {
        panic!("{refused}");
    };
    assert_eq!((max, waiting.len()), (10_000, 9));
    assert!(bytes <= max && bytes > 9000);
    assert_eq!(journal.stats().queued_bytes, bytes);
    files.release_syncs();
    for appended in join_all(waiting).await {
        appended.unwrap();
    }
    assert_eq!(journal.stats().queued_bytes, 0);
    append(&journal, 100, 1000).await;
}

#[tokio::test]
async fn who_comes_during_a_commit_shares_the_next() {
    let files = FaultyFiles::new(1);
    let roomy = JournalConfig {
        segment_bytes: 1 << 20,
        max_bytes: 8 << 20,
        ..config(DIR)
    };
    let (journal, _) = open_with(&files, roomy);
    files.hold_syncs();
    let mut first = Box::pin(journal.append(entry(0, 100)));
    assert!(first.as_mut().now_or_never().is_none());
    files.wait_for_held_sync();
    let mut others: Vec<_> = (1..500)
        .map(|n| Box::pin(journal.append(entry(n, 100))))
        .collect();
    for other in &mut others {
        assert!(other.as_mut().now_or_never().is_none());
    }
    files.release_syncs();
    first.await.unwrap();
    for other in join_all(others).await {
        other.unwrap();
    }
    let stats = journal.stats();
    assert_eq!((stats.appended_records, stats.commits), (500, 2));
    assert_eq!(
        files.count(Operation::SyncData),
        4,
        "the id, a header and two commits"
    );
}

#[tokio::test]
async fn a_new_segment_is_begun_before_what_waits() {
    let files = FaultyFiles::new(1);
    let (journal, _) = open(&files);
    files.hold_syncs();
    let mut written = Box::pin(journal.append(entry(0, 10)));
    assert!(written.as_mut().now_or_never().is_none());
    files.wait_for_held_sync();
    let mut waiting = Box::pin(journal.append(entry(1, 10)));
    assert!(waiting.as_mut().now_or_never().is_none());
    let mut rolled = Box::pin(journal.roll());
    assert!(rolled.as_mut().now_or_never().is_none());
    files.release_syncs();
    assert_eq!(rolled.await, Ok(2));
    assert_eq!(written.await.unwrap().segment, 1);
    assert_eq!(waiting.await.unwrap().segment, 2);
}

#[tokio::test]
async fn a_lone_record_does_not_wait_and_followers_wait_at_most_the_interval() {
    let interval = Duration::from_secs(1);
    let paced = JournalConfig {
        commit_interval: interval,
        commit_bytes: 10_000,
        ..config(DIR)
    };
    let (journal, _) = open_with(&FaultyFiles::new(1), paced);
    let began = Instant::now();
    append(&journal, 0, 100).await;
    assert!(
        began.elapsed() < interval / 2,
        "the first finds the writer idle"
    );

    let mut followers: Vec<_> = (1..10)
        .map(|n| Box::pin(journal.append(entry(n, 100))))
        .collect();
    for follower in &mut followers {
        assert!(follower.as_mut().now_or_never().is_none());
    }
    append(&journal, 10, 10_000).await;
    assert!(
        began.elapsed() < interval / 2,
        "a full commit does not wait"
    );
    join_all(followers).await;
    assert_eq!(journal.stats().commits, 2);

    append(&journal, 11, 100).await;
    assert!(began.elapsed() >= interval, "a follower waits for its turn");
}

#[tokio::test]
async fn the_payload_is_not_copied() {
    let files = FaultyFiles::new(1);
    let (journal, _) = open(&files);
    let shared = entry(5, 1000);
    let mut append = Box::pin(journal.append(shared.clone()));
    files.hold_syncs();
    assert!(append.as_mut().now_or_never().is_none());
    assert!(
        !shared.payload.is_unique(),
        "the queue holds the same bytes"
    );
    files.release_syncs();
    append.await.unwrap();
    journal.close().await;
    assert!(shared.payload.is_unique(), "nothing holds them afterwards");
    assert_eq!(reopen(&files).await.1, [5]);
}
