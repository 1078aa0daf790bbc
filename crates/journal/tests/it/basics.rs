//! The ordinary life of a journal, on real files and in memory.

use std::sync::Arc;

use journal::testing::{FaultyFiles, Operation};
use journal::{
    AppendError, Entry, Journal, JournalConfig, JournalError, LockedFolder, SystemFiles,
};

use crate::support::{DIR, append, config, entry, open, open_with, read_all, reopen};

#[tokio::test]
async fn what_was_appended_is_replayed_in_order() {
    let files = FaultyFiles::new(1);
    let (journal, recovered) = open(&files);
    assert_eq!(recovered.report, journal::RecoveryReport::default());
    let mut positions = Vec::new();
    for n in 0..100 {
        positions.push(append(&journal, n, 100 * (n as usize % 7)).await);
    }
    assert!(positions.is_sorted());
    assert!(journal.stats().segments > 3);
    let id = journal.id().to_owned();
    journal.close().await;

    let (journal, recovered) = open(&files);
    assert_eq!(journal.id(), id);
    assert_eq!(recovered.report.records, 100);
    assert_eq!(recovered.report.damaged, Vec::<String>::new());
    assert_eq!(recovered.report.torn_bytes_cut, 0);
    let expected: Vec<_> = positions.into_iter().zip(0..100).collect();
    assert_eq!(read_all(recovered), expected);
    let later = append(&journal, 100, 0).await;
    assert!(later > expected[99].0);
}

#[tokio::test]
async fn works_on_real_files() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("deep/below");
    let open = || Journal::open(config(&dir), Arc::new(SystemFiles)).unwrap();
    let (journal, _) = open();
    let all = (0..200).map(|n| append(&journal, n, 300));
    futures::future::join_all(all).await;
    journal.close().await;

    let (journal, recovered) = open();
    assert_eq!(recovered.report.records, 200);
    let records = read_all(recovered);
    let numbers: Vec<u64> = records.iter().map(|(_, n)| *n).collect();
    assert_eq!(numbers, Vec::from_iter(0..200));
    for (position, _) in records {
        journal.handed_over(position);
    }
    let newest = journal.roll().await.unwrap();
    journal.trim(newest).unwrap();
    assert_eq!(journal.stats().segments, 1);
    journal.close().await;
    assert_eq!(open().1.report.records, 0);
}

#[tokio::test]
async fn a_second_opening_is_refused_and_names_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Journal::open(config(dir.path()), Arc::new(SystemFiles));
    let (journal, _) = open().unwrap();
    let refused = open().unwrap_err();
    assert!(matches!(refused, JournalError::Locked { .. }));
    assert_eq!(
        refused.to_string(),
        format!(
            "cannot open the journal in {}: another process holds its lock",
            dir.path().display()
        )
    );
    journal.close().await;
    open().unwrap();
}

#[tokio::test]
async fn a_folder_can_be_locked_before_it_is_opened() {
    let files = FaultyFiles::new(1);
    let lock = || LockedFolder::lock(config(DIR), Arc::new(files.clone()));
    let locked = lock().unwrap();
    assert!(matches!(lock().unwrap_err(), JournalError::Locked { .. }));
    assert_eq!(files.count(Operation::Create), 0, "nothing is made yet");
    drop(locked);
    let (journal, _) = lock().unwrap().open().unwrap();
    append(&journal, 1, 10).await;
    assert!(matches!(lock().unwrap_err(), JournalError::Locked { .. }));
    journal.close().await;
    assert_eq!(reopen(&files).await.1, [1]);
}

#[tokio::test]
async fn an_unwritable_folder_is_refused_with_the_reason() {
    let files = FaultyFiles::new(1);
    files.fail(Operation::Lock, std::io::ErrorKind::ReadOnlyFilesystem, 1);
    let refused = Journal::open(config(DIR), Arc::new(files)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "cannot lock /journal/journal.lock: read-only filesystem or storage medium"
    );
    // Whoever prints the chain of causes would say it twice.
    assert!(std::error::Error::source(&refused).is_none());
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_by_name() {
    let check = |change: fn(&mut JournalConfig)| {
        let mut config = JournalConfig::new(DIR);
        change(&mut config);
        let opened = Journal::open(config, Arc::new(FaultyFiles::new(1)));
        match opened.unwrap_err() {
            JournalError::Setting { setting, .. } => setting,
            other => panic!("{other}"),
        }
    };
    assert_eq!(check(|c| c.segment_bytes = 100), "segment_bytes");
    assert_eq!(check(|c| c.segment_bytes = 1 << 40), "segment_bytes");
    assert_eq!(check(|c| c.max_bytes = c.segment_bytes), "max_bytes");
    assert_eq!(check(|c| c.queue_bytes = 0), "queue_bytes");
}

#[tokio::test]
async fn what_can_never_be_stored_is_refused_for_good() {
    let (journal, _) = open(&FaultyFiles::new(1));
    let refused = journal.append(entry(1, 1 << 20)).await.unwrap_err();
    assert!(matches!(refused, AppendError::RecordTooLarge { .. }));
    assert_eq!(refused.retry_after(), None);
    let long = Entry {
        tenant: "t".repeat(256).into(),
        ..entry(1, 1)
    };
    let refused = journal.append(long).await.unwrap_err();
    assert_eq!(
        refused,
        AppendError::TenantTooLong {
            bytes: 256,
            max: 255
        }
    );
    let longest = Entry {
        tenant: "t".repeat(255).into(),
        ..entry(1, 1)
    };
    journal.append(longest).await.unwrap();
    assert_eq!(journal.stats().refused_size, 2);
}

#[tokio::test]
async fn a_record_may_be_larger_than_a_segment_and_than_the_queue() {
    let files = FaultyFiles::new(1);
    let config = JournalConfig {
        queue_bytes: 100,
        ..config(DIR)
    };
    let (journal, _) = open_with(&files, config);
    append(&journal, 1, 100_000).await;
    append(&journal, 2, 0).await;
    append(&journal, 3, 300_000).await;
    journal.close().await;
    assert_eq!(reopen(&files).await.1, [1, 2, 3]);
}

#[tokio::test]
async fn closing_writes_what_waits_and_refuses_the_rest() {
    let files = FaultyFiles::new(1);
    let (journal, _) = open(&files);
    files.hold_syncs();
    let waiting: Vec<_> = (0..10)
        .map(|n| {
            let journal = journal.clone();
            tokio::spawn(async move { append(&journal, n, 10).await })
        })
        .collect();
    tokio::task::yield_now().await;
    files.wait_for_held_sync();
    let closing = tokio::spawn({
        let journal = journal.clone();
        async move { journal.close().await }
    });
    tokio::task::yield_now().await;
    let refused = journal.append(entry(11, 0)).await;
    assert_eq!(refused, Err(AppendError::Closed));
    files.release_syncs();
    closing.await.unwrap();
    for appended in waiting {
        appended.await.unwrap();
    }
    assert!(matches!(journal.trim(1), Err(JournalError::Closed)));
    assert_eq!(journal.roll().await, Err(AppendError::Closed));
    journal.close().await;
    assert_eq!(reopen(&files).await.1.len(), 10);
}

#[tokio::test]
async fn dropping_the_last_handle_closes() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Journal::open(config(dir.path()), Arc::new(SystemFiles));
    let (journal, recovered) = open().unwrap();
    append(&journal, 1, 0).await;
    drop(journal.clone());
    append(&journal, 2, 0).await;
    drop((journal, recovered));
    // The thread ends on its own time; the lock tells when.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let reopened = loop {
        match open() {
            Ok(reopened) => break reopened,
            Err(JournalError::Locked { .. }) if std::time::Instant::now() < deadline => {
                std::thread::yield_now();
            }
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(reopened.1.report.records, 2);
}
