//! What goes and what stays.

use std::io::ErrorKind;
use std::path::Path;

use futures::FutureExt;
use journal::testing::{FaultyFiles, Operation};
use journal::{Journal, Position, Trimmed};

use crate::support::{DIR, append, entry, open, read_all, reopen};

/// A journal with a record in each of the segments 1 to `segments`.
async fn one_each(files: &FaultyFiles, segments: u64) -> (Journal, Vec<Position>) {
    let (journal, _) = open(files);
    let mut positions = Vec::new();
    for n in 1..=segments {
        let position = append(&journal, n, 4000).await;
        assert_eq!(position.segment, n);
        positions.push(position);
    }
    (journal, positions)
}

#[tokio::test]
async fn held_records_keep_their_segment_and_those_above() {
    let (journal, positions) = one_each(&FaultyFiles::new(1), 5).await;
    assert_eq!(journal.trim(5).unwrap(), Trimmed::default());
    for at in [0, 1, 3] {
        journal.handed_over(positions[at]);
    }
    assert_eq!(
        journal.trim(2).unwrap().segments,
        1,
        "not what the caller needs"
    );
    assert_eq!(
        journal.trim(9).unwrap().segments,
        1,
        "not beyond the held third"
    );
    assert_eq!(journal.stats().oldest_segment, 3);
    assert_eq!(journal.stats().held_records, 2);
    journal.handed_over(positions[2]);
    let trimmed = journal.trim(u64::MAX).unwrap();
    assert_eq!(trimmed.segments, 2, "not the active one");
    assert!(trimmed.bytes > 8000);
    let stats = journal.stats();
    assert_eq!((stats.segments, stats.trimmed_segments), (1, 4));
    assert_eq!(stats.oldest_segment, stats.active_segment);
}

#[tokio::test]
async fn telling_twice_does_not_free_another_record() {
    let (journal, _) = open(&FaultyFiles::new(1));
    let first = append(&journal, 1, 10).await;
    append(&journal, 2, 10).await;
    journal.handed_over(first);
    journal.handed_over(first);
    let newest = journal.roll().await.unwrap();
    assert_eq!(journal.trim(newest).unwrap(), Trimmed::default());
}

#[tokio::test]
async fn numbers_go_on_after_everything_was_trimmed() {
    let files = FaultyFiles::new(1);
    files.pad();
    let (journal, positions) = one_each(&files, 4).await;
    for position in &positions {
        journal.handed_over(*position);
    }
    let newest = journal.roll().await.unwrap();
    journal.trim(newest).unwrap();
    journal.close().await;
    for _ in 0..3 {
        let (journal, recovered) = open(&files);
        assert_eq!(recovered.report, journal::RecoveryReport::default());
        assert_eq!(journal.stats().segments, 1, "empty segments do not pile up");
        journal.close().await;
    }
    let (journal, _) = open(&files);
    let position = append(&journal, 9, 10).await;
    assert!(position > *positions.last().unwrap());
}

#[tokio::test]
async fn recovered_segments_stay_until_replayed_and_handed_over() {
    let files = FaultyFiles::new(1);
    one_each(&files, 3).await.0.close().await;
    let (journal, mut recovered) = open(&files);
    assert_eq!(journal.trim(u64::MAX).unwrap(), Trimmed::default());
    let (first, _) = recovered.records.next().unwrap().unwrap();
    journal.handed_over(first);
    assert_eq!(
        journal.trim(u64::MAX).unwrap(),
        Trimmed::default(),
        "it may hold more"
    );
    let (second, _) = recovered.records.next().unwrap().unwrap();
    assert_eq!(journal.trim(u64::MAX).unwrap().segments, 1);
    drop(recovered);
    journal.handed_over(second);
    assert_eq!(journal.trim(u64::MAX).unwrap(), Trimmed::default());
    journal.close().await;
    assert_eq!(
        reopen(&files).await.1,
        [2, 3],
        "what was not replayed comes again"
    );
}

#[tokio::test]
async fn a_record_whose_caller_went_away_is_not_held() {
    let files = FaultyFiles::new(1);
    let (journal, _) = open(&files);
    files.hold_syncs();
    let mut gone_before = Box::pin(journal.append(entry(1, 10)));
    let mut gone_after = Box::pin(journal.append(entry(2, 10)));
    assert!(gone_before.as_mut().now_or_never().is_none());
    assert!(gone_after.as_mut().now_or_never().is_none());
    files.wait_for_held_sync();
    drop(gone_before);
    files.release_syncs();
    journal.handed_over(append(&journal, 3, 10).await);
    let newest = journal.roll().await.unwrap();
    assert_eq!(journal.stats().held_records, 1);
    drop(gone_after);
    assert_eq!(journal.stats().held_records, 0);
    assert_eq!(journal.trim(newest).unwrap().segments, 1);
}

#[tokio::test]
async fn a_file_that_cannot_be_retired_is_tried_again() {
    let files = FaultyFiles::new(1);
    let (journal, positions) = one_each(&files, 3).await;
    for position in positions {
        journal.handed_over(position);
    }
    files.fail(Operation::Rename, ErrorKind::PermissionDenied, 1);
    let refused = journal.trim(3).unwrap_err().to_string();
    assert_eq!(
        refused,
        "cannot retire /journal/00000000000000000001.segment: permission denied"
    );
    assert_eq!(journal.stats().segments, 3);
    // A file that somebody else has removed is what was wanted.
    files.take(&Path::new(DIR).join("00000000000000000001.segment"));
    assert_eq!(journal.trim(3).unwrap().segments, 2);
}

#[tokio::test]
async fn few_damaged_files_are_kept() {
    let files = FaultyFiles::new(1);
    let (journal, _) = one_each(&files, 30).await;
    journal.close().await;
    for path in files.paths() {
        if path.extension().is_some_and(|ending| ending == "segment") {
            let mut bytes = files.content(&path).unwrap();
            bytes[500] ^= 1;
            files.put(&path, bytes);
        }
    }
    let (journal, recovered) = open(&files);
    assert_eq!(read_all(recovered), []);
    journal.trim(u64::MAX).unwrap();
    let paths = files.paths();
    let damaged = paths
        .iter()
        .filter(|path| path.to_string_lossy().ends_with(".damaged"));
    assert_eq!(damaged.count(), 16);
    assert_eq!(journal.stats().segments, 1);
}
