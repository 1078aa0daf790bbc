//! A disk that is full, fails, or comes back.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use journal::testing::{FaultyFiles, Operation};
use journal::{AppendError, Journal, JournalConfig, Position};

use crate::support::{DIR, append, config, entry, open, open_with, reopen};

/// Appends until the journal takes it, waiting as long as it says in between.
async fn append_at_last(journal: &Journal, n: u64) -> Position {
    loop {
        match journal.append(entry(n, 100)).await {
            Ok(position) => return position,
            Err(refused) => {
                let wait = refused.retry_after().unwrap();
                assert!(wait > Duration::ZERO && wait <= Duration::from_secs(30));
                tokio::time::sleep(wait).await;
            }
        }
    }
}

fn disk_error(refused: AppendError) -> String {
    match refused {
        AppendError::Disk { error, .. } => error.to_string(),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_full_disk_refuses_until_there_is_space() {
    let files = FaultyFiles::new(1);
    files.set_capacity(Some(20_000));
    let (journal, _) = open(&files);
    let mut acknowledged = 0;
    let refused = loop {
        match journal.append(entry(acknowledged, 100)).await {
            Ok(_) => acknowledged += 1,
            Err(refused) => break disk_error(refused),
        }
    };
    assert!(acknowledged > 100);
    assert!(refused.contains("no storage space"), "{refused}");
    // Refused at once, without asking the disk, and with the reason in the statistics.
    let again = disk_error(journal.append(entry(0, 100)).await.unwrap_err());
    let stats = journal.stats();
    assert_eq!(stats.failing.as_deref(), Some(again.as_str()));
    assert!(stats.refused_disk >= 2 && stats.failures >= 1);

    files.set_capacity(None);
    append_at_last(&journal, acknowledged + 1).await;
    assert_eq!(journal.stats().failing, None);
    journal.close().await;
    let (report, found) = reopen(&files).await;
    assert_eq!(report.damaged, Vec::<String>::new());
    let expected: Vec<u64> = (0..acknowledged).chain([acknowledged + 1]).collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn space_is_left_for_blocks() {
    let files = FaultyFiles::new(1);
    files.set_capacity(Some(30 << 20));
    let config = JournalConfig {
        reserve_bytes: 30 << 20,
        ..config(DIR)
    };
    // Opening works without space: what is there must be readable.
    let (journal, _) = open_with(&files, config);
    let refused = disk_error(journal.append(entry(0, 100)).await.unwrap_err());
    assert!(
        refused.ends_with("31457280 are kept for writing blocks"),
        "{refused}"
    );
    assert_eq!(
        files.count(Operation::SyncData),
        2,
        "only the id and the first header were written"
    );
    files.set_capacity(Some(100 << 20));
    append_at_last(&journal, 1).await;
    journal.close().await;
    assert_eq!(reopen(&files).await.1, [1]);
}

#[tokio::test]
async fn opens_on_a_disk_without_a_byte_and_recovers() {
    let files = FaultyFiles::new(1);
    let (journal, _) = open(&files);
    append(&journal, 1, 100).await;
    journal.close().await;
    files.set_capacity(Some(0));
    let (journal, recovered) = open(&files);
    assert_eq!(recovered.report.records, 1);
    disk_error(journal.append(entry(2, 100)).await.unwrap_err());
    files.set_capacity(None);
    append_at_last(&journal, 3).await;
    journal.close().await;
    assert_eq!(reopen(&files).await.1, [1, 3]);
}

#[tokio::test]
async fn a_failed_sync_ends_the_segment() {
    let files = FaultyFiles::new(1);
    let (journal, _) = open(&files);
    let before = append(&journal, 0, 100).await;
    files.fail(Operation::SyncData, ErrorKind::Other, 1);
    let refused = disk_error(journal.append(entry(1, 100)).await.unwrap_err());
    assert_eq!(
        refused,
        "cannot sync 00000000000000000001.segment: other error"
    );
    let after = append_at_last(&journal, 2).await;
    assert_eq!((before.segment, after.segment), (1, 2));
    // The page cache has lost what failed to sync; that must not matter to anybody.
    let files = files.crash();
    let (report, found) = reopen(&files).await;
    assert_eq!(found, [0, 2]);
    assert_eq!(report.damaged, Vec::<String>::new());
}

#[tokio::test]
async fn a_segment_that_cannot_be_begun_costs_time_and_no_records() {
    for operation in [Operation::Create, Operation::SyncDir, Operation::SyncData] {
        let files = FaultyFiles::new(1);
        let (journal, _) = open(&files);
        append(&journal, 0, 100).await;
        files.fail(operation, ErrorKind::Other, 2);
        journal.roll().await.unwrap_err();
        disk_error(journal.append(entry(1, 100)).await.unwrap_err());
        append_at_last(&journal, 2).await;
        let files = files.crash();
        let (report, found) = reopen(&files).await;
        assert_eq!(found, [0, 2]);
        assert_eq!(report.damaged, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_whole_group_is_refused_when_its_commit_fails() {
    let files = FaultyFiles::new(1);
    let (journal, _) = open(&files);
    files.hold_syncs();
    let first = spawn_append(&journal, 0);
    tokio::task::yield_now().await;
    files.wait_for_held_sync();
    let group: Vec<_> = (1..10).map(|n| spawn_append(&journal, n)).collect();
    tokio::task::yield_now().await;
    files.fail(Operation::SyncData, ErrorKind::Other, 1);
    files.release_syncs();
    disk_error(first.await.unwrap().unwrap_err());
    for waiting in group {
        disk_error(waiting.await.unwrap().unwrap_err());
    }
    append_at_last(&journal, 10).await;
    journal.close().await;
    let files = files.crash();
    assert_eq!(reopen(&files).await.1, [10]);
}

#[tokio::test]
async fn closing_while_the_disk_fails_ends() {
    let files = FaultyFiles::new(1);
    let (journal, _) = open(&files);
    files.fail(Operation::SyncData, ErrorKind::Other, u32::MAX);
    disk_error(journal.append(entry(1, 100)).await.unwrap_err());
    journal.close().await;
    assert_eq!(journal.append(entry(2, 0)).await, Err(AppendError::Closed));
}

#[tokio::test]
async fn open_reports_the_file_that_cannot_be_written() {
    let check = |operation| {
        let files = FaultyFiles::new(1);
        files.fail(operation, ErrorKind::PermissionDenied, 1);
        let opened = Journal::open(config(DIR), Arc::new(files));
        opened.unwrap_err().to_string()
    };
    assert_eq!(
        check(Operation::CreateDir),
        "cannot create the folder /journal: permission denied"
    );
    assert_eq!(
        check(Operation::List),
        "cannot list /journal: permission denied"
    );
    assert_eq!(
        check(Operation::Create),
        "cannot write /journal/journal.id: permission denied"
    );
}

fn spawn_append(
    journal: &Journal,
    n: u64,
) -> tokio::task::JoinHandle<Result<Position, AppendError>> {
    let journal = journal.clone();
    tokio::spawn(async move { journal.append(entry(n, 100)).await })
}
