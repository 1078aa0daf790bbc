//! Reading back is a stream, and bears a disk that cannot be read.

use std::io::ErrorKind;

use journal::testing::{FaultyFiles, Operation};

use crate::support::{append, number, open};

#[tokio::test]
async fn replay_reads_as_it_goes() {
    let files = FaultyFiles::new(1);
    let (journal, _) = open(&files);
    for n in 0..100 {
        append(&journal, n, 3000).await;
    }
    journal.close().await;
    let (_journal, mut recovered) = open(&files);
    let opened = files.count(Operation::Open);
    assert_eq!(recovered.records.records_left(), 100);
    for n in 0..100 {
        let (_, found) = recovered.records.next().unwrap().unwrap();
        assert_eq!(number(&found), n);
        assert_eq!(
            files.count(Operation::Open) - opened,
            n + 1,
            "a segment at a time"
        );
        assert_eq!(recovered.records.records_left(), 99 - n);
    }
    assert!(recovered.records.next().is_none());
    assert!(recovered.records.next().is_none());
}

#[tokio::test]
async fn a_segment_that_cannot_be_read_costs_only_itself_and_stays() {
    let files = FaultyFiles::new(1);
    let (journal, _) = open(&files);
    for n in 0..3 {
        append(&journal, n, 4000).await;
    }
    journal.close().await;
    let (journal, mut recovered) = open(&files);
    let first = recovered.records.next().unwrap().unwrap();
    journal.handed_over(first.0);
    files.fail(Operation::Open, ErrorKind::Other, 1);
    let error = recovered.records.next().unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot replay /journal/00000000000000000002.segment: other error"
    );
    let third = recovered.records.next().unwrap().unwrap();
    assert_eq!(number(&third.1), 2);
    assert!(recovered.records.next().is_none());
    journal.handed_over(third.0);
    assert_eq!(journal.trim(u64::MAX).unwrap().segments, 1);
    assert_eq!(journal.stats().segments_to_replay, 1);
}

#[tokio::test]
async fn a_segment_that_cannot_be_checked_is_stated_and_tried_again() {
    let files = FaultyFiles::new(1);
    let (journal, _) = open(&files);
    for n in 0..3 {
        append(&journal, n, 4000).await;
    }
    journal.close().await;
    // The reads of opening: the id twice is not asked, headers of three segments, then the segments one by one.
    let before = files.count(Operation::Read);
    let (journal, _) = open(&files);
    let reads = files.count(Operation::Read) - before;
    journal.close().await;
    assert!(reads > 6, "{reads}");

    let (journal, mut recovered) = {
        files.fail_after(Operation::Read, ErrorKind::Other, reads as u32 - 2, 1);
        open(&files)
    };
    assert_eq!(recovered.report.damaged.len(), 1, "{:?}", recovered.report);
    let found: Vec<u64> = recovered
        .records
        .by_ref()
        .map(|r| number(&r.unwrap().1))
        .collect();
    assert_eq!(found, [0, 1, 2], "the second try works");
    journal.close().await;
}
