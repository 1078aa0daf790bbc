//! Segments that are written over trimmed ones: what stands behind their end is never taken for theirs.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::future::join_all;
use journal::testing::{FaultyFiles, Operation};
use journal::{Journal, JournalConfig, Position, SystemFiles, inspect};

use crate::support::{
    DIR, append, config, entry, open, open_with, path, read_all, reopen, trimmed,
};

/// Bytes that a disk writes whole or not at all.
const SECTOR: usize = 512;

#[tokio::test]
async fn trimmed_files_are_written_again() {
    let files = FaultyFiles::new(1);
    let journal = trimmed(&files, 3).await;
    assert_eq!(journal.stats().spare_files, 3);
    let created = files.count(Operation::Create);
    let synced_names = files.count(Operation::SyncDir);
    for n in 10..13 {
        append(&journal, n, 4000).await;
    }
    assert_eq!(files.count(Operation::Create), created);
    assert_eq!(
        files.count(Operation::SyncDir),
        synced_names,
        "a commit waits for no name"
    );
    let stats = journal.stats();
    assert_eq!((stats.reused_files, stats.spare_files), (2, 1));
    assert_eq!(stats.spare_bytes, 4100);
    journal.close().await;
    let (report, found) = reopen(&files).await;
    assert_eq!(found, [10, 11, 12]);
    assert_eq!((report.damaged, report.torn_bytes_cut), (Vec::new(), 0));
}

#[tokio::test]
async fn spare_files_are_taken_up_by_the_next_process() {
    let files = FaultyFiles::new(1);
    trimmed(&files, 3).await.close().await;
    let (journal, _) = open(&files);
    assert_eq!(journal.stats().spare_files, 3);
    for n in 10..13 {
        append(&journal, n, 4000).await;
    }
    assert_eq!(journal.stats().reused_files, 2);
    let found = inspect(Path::new(DIR), &files).unwrap();
    assert_eq!((found.spare_files, found.spare_bytes), (1, 4100));
    assert!(found.segments.iter().all(|segment| segment.torn_bytes == 0));
}

/// A segment half written over one that was full of records of the same length, so that every old one stands where a new
/// one could.
#[tokio::test]
async fn a_torn_commit_never_brings_back_old_records() {
    let (disk, name, before, after) = torn_apart().await;
    let changed: Vec<usize> = (0..after.len().div_ceil(SECTOR))
        .filter(|n| sector(&before, *n) != sector(&after, *n))
        .collect();
    assert!(changed.len() > 10);
    let mix = |keep: &dyn Fn(usize) -> bool| {
        let mut bytes = before.clone();
        for &n in changed.iter().filter(|n| keep(**n)) {
            let range = n * SECTOR..((n + 1) * SECTOR).min(after.len());
            bytes[range.clone()].copy_from_slice(&after[range]);
        }
        bytes
    };
    for &cut in &changed {
        for bytes in [
            mix(&|n| n < cut),
            mix(&|n| n >= cut),
            mix(&|n| n == cut),
            mix(&|n| n != cut),
        ] {
            let files = disk.kill();
            files.put(&name, bytes);
            let (report, found) = reopen(&files).await;
            assert_eq!(report.damaged, Vec::<String>::new());
            assert!(found.starts_with(&[100, 101, 102]), "{found:?}");
            let of_the_commit = |n: &u64| (200..210).contains(n);
            assert!(found[3..].iter().all(of_the_commit), "{found:?}");
        }
    }
    assert_eq!(reopen(&disk.kill()).await.1.len(), 13);
}

fn sector(bytes: &[u8], n: usize) -> &[u8] {
    &bytes[n * SECTOR..((n + 1) * SECTOR).min(bytes.len())]
}

/// The disk, and the content of the newest segment, with three records in it, before and after a commit of ten more.
async fn torn_apart() -> (FaultyFiles, PathBuf, Vec<u8>, Vec<u8>) {
    let files = FaultyFiles::new(5);
    let paced = JournalConfig {
        segment_bytes: 40_000,
        // Those that come together are committed together.
        commit_interval: Duration::from_millis(50),
        commit_bytes: 1 << 20,
        ..config(DIR)
    };
    let (journal, _) = open_with(&files, paced);
    let old = join_all((0..60).map(|n| append(&journal, n, 600))).await;
    old.into_iter().for_each(|at| journal.handed_over(at));
    let newest = journal.roll().await.unwrap();
    journal.trim(newest).unwrap();
    // So large that what comes next goes to a new segment.
    journal.handed_over(append(&journal, 99, 39_500).await);
    let mut last = None;
    for n in 100..103 {
        last = Some(append(&journal, n, 600).await);
    }
    journal.trim(u64::MAX).unwrap();
    let stats = journal.stats();
    assert_eq!((stats.reused_files, stats.segments), (1, 1));
    let name = path(last.unwrap().segment, "segment");
    let before = files.content(&name).unwrap();
    join_all((200..210).map(|n| append(&journal, n, 600))).await;
    assert_eq!(journal.stats().commits, stats.commits + 1);
    let after = files.content(&name).unwrap();
    journal.close().await;
    (files, name, before, after)
}

/// What the world knows when the power fails.
#[derive(Default)]
struct Told {
    acknowledged: Vec<(Position, u64)>,
    /// Records below may be gone.
    trimmed_below: u64,
}

/// Uses files again and again, until an operation fails.
async fn use_again(files: &FaultyFiles, told: &mut Told) -> Option<()> {
    let opened = Journal::open(config(DIR), std::sync::Arc::new(files.clone()));
    let (journal, _) = opened.ok()?;
    for n in 0..14 {
        let position = journal.append(entry(n, 1900)).await.ok()?;
        told.acknowledged.push((position, n));
        journal.handed_over(position);
        if n % 5 == 4 {
            told.trimmed_below = position.segment;
            journal.trim(position.segment).ok()?;
        }
    }
    let reused = journal.stats().reused_files;
    assert!(reused >= 2, "{reused}");
    told.trimmed_below = journal.roll().await.ok()?;
    journal.trim(told.trimmed_below).ok()?;
    journal.close().await;
    Some(())
}

#[tokio::test]
async fn every_operation_may_be_the_last() {
    for operations in 0.. {
        let files = FaultyFiles::new(operations);
        files.cut_after(operations);
        let mut told = Told::default();
        let is_done = use_again(&files, &mut told).await.is_some();
        for after in [files.kill(), files.crash()] {
            let (journal, recovered) = open(&after);
            let context = format!("{operations}: {:?}", recovered.report);
            assert_eq!(recovered.report.damaged, Vec::<String>::new(), "{context}");
            let found = read_all(recovered);
            journal.close().await;
            for record in &told.acknowledged {
                let is_needed = record.0.segment >= told.trimmed_below;
                assert!(
                    !is_needed || found.contains(record),
                    "{context}: lost {record:?}"
                );
            }
            let last = told.acknowledged.last().map_or(0, |(_, n)| n + 1);
            for (position, n) in found {
                let was_told = told.acknowledged.contains(&(position, n));
                assert!(was_told || n == last, "{context}: {n} at {position}");
            }
        }
        if is_done {
            assert!(operations > 60, "{operations}");
            return;
        }
    }
}

#[tokio::test]
async fn a_segment_whose_name_was_lost_is_found_by_its_header() {
    let files = FaultyFiles::new(1);
    let journal = trimmed(&files, 2).await;
    append(&journal, 10, 4000).await;
    let position = append(&journal, 11, 4000).await;
    journal.close().await;
    let name = path(position.segment, "segment");
    let bytes = files.content(&name).unwrap();
    files.take(&name);
    files.put(&path(1, "spare"), bytes);
    let looked_at = inspect(Path::new(DIR), &files).unwrap();
    let newest = looked_at.segments.last().unwrap();
    assert_eq!((newest.number, newest.records), (position.segment, 1));
    let (report, found) = reopen(&files).await;
    assert_eq!(found, [10, 11]);
    assert_eq!(report.damaged, Vec::<String>::new());
    assert!(files.content(&name).is_some());
}

#[tokio::test]
async fn a_copy_of_a_segment_replaces_none() {
    let files = FaultyFiles::new(1);
    let (journal, _) = open(&files);
    append(&journal, 1, 4000).await;
    append(&journal, 2, 4000).await;
    journal.close().await;
    let bytes = files.content(&path(2, "segment")).unwrap();
    for copy in [path(7, "spare"), path(8, "spare")] {
        files.put(&copy, bytes.clone());
    }
    let (report, found) = reopen(&files).await;
    assert_eq!(found, [1, 2]);
    assert_eq!(report.damaged.len(), 2, "{report:?}");
    for copy in [path(7, "spare.damaged"), path(8, "spare.damaged")] {
        assert_eq!(files.content(&copy).as_ref(), Some(&bytes));
    }
}

#[tokio::test]
async fn a_spare_file_that_fails_is_replaced_by_a_new_one() {
    for operation in [Operation::Reuse, Operation::Write, Operation::Rename] {
        let files = FaultyFiles::new(1);
        let journal = trimmed(&files, 2).await;
        append(&journal, 10, 4000).await;
        files.fail(operation, ErrorKind::Other, 1);
        append(&journal, 11, 4000).await;
        let stats = journal.stats();
        assert_eq!((stats.reused_files, stats.spare_files), (0, 1));
        assert_eq!((stats.failures, stats.refused_disk), (0, 0));
        let files = files.crash();
        assert_eq!(reopen(&files).await.1, [10, 11]);
    }
}

#[tokio::test]
async fn a_spare_file_that_cannot_be_read_is_stated_and_left_alone() {
    let files = FaultyFiles::new(1);
    trimmed(&files, 1).await.close().await;
    let before = files.content(&path(1, "spare"));
    // The first file that opening reads is the spare one, as it comes first by name.
    files.fail(Operation::Read, ErrorKind::Other, 1);
    let (journal, recovered) = open(&files);
    let told = "00000000000000000001.spare cannot be read";
    assert_eq!(recovered.report.damaged, [told]);
    assert_eq!(journal.stats().spare_files, 0);
    append(&journal, 10, 4000).await;
    append(&journal, 11, 4000).await;
    assert_eq!(files.content(&path(1, "spare")), before);
}

#[tokio::test]
async fn a_spare_file_without_a_header_is_set_aside() {
    let files = FaultyFiles::new(1);
    trimmed(&files, 3).await.close().await;
    let mut bytes = files.content(&path(2, "spare")).unwrap();
    bytes[20] ^= 1;
    files.put(&path(2, "spare"), bytes.clone());
    let looked_at = inspect(Path::new(DIR), &files).unwrap();
    let name = "00000000000000000002.spare";
    assert_eq!(looked_at.unreadable_spares, [name]);
    let (journal, recovered) = open(&files);
    let told =
        format!("{name} may hold a segment, its header is unreadable; it was renamed to *.damaged");
    assert_eq!(recovered.report.damaged, [told]);
    assert_eq!(journal.stats().spare_files, 2);
    let aside = files.content(&path(2, "spare.damaged"));
    assert_eq!(aside, Some(bytes));
}

/// Somebody has removed the segments and left the rest: a number used twice would make old records look new.
#[tokio::test]
async fn numbers_go_on_above_those_of_spare_files() {
    let files = FaultyFiles::new(1);
    trimmed(&files, 3).await.close().await;
    files.take(&path(4, "segment"));
    let (journal, _) = open(&files);
    assert_eq!(append(&journal, 10, 4000).await.segment, 4);
    assert_eq!(append(&journal, 11, 4000).await.segment, 5);
    assert_eq!(journal.stats().reused_files, 1);
    journal.close().await;
    assert_eq!(reopen(&files).await.1, [10, 11]);
}

#[tokio::test]
async fn real_files_are_used_again() {
    let dir = tempfile::tempdir().unwrap();
    let open = || Journal::open(config(dir.path()), std::sync::Arc::new(SystemFiles)).unwrap();
    let (journal, _) = open();
    let mut kept = Vec::new();
    for n in 0..300 {
        let position = append(&journal, n, 500).await;
        kept.push((position, n));
        if n % 20 == 19 {
            let below = position.segment - 1;
            for (position, _) in kept.extract_if(.., |(position, _)| position.segment < below) {
                journal.handed_over(position);
            }
            journal.trim(below).unwrap();
        }
    }
    let stats = journal.stats();
    assert!(stats.trimmed_segments > 30, "{stats:?}");
    // Where files cannot be written directly, none is written over.
    assert!(stats.reused_files > 20 || stats.reused_files == 0);
    journal.close().await;
    let (journal, recovered) = open();
    assert_eq!(recovered.report.damaged, Vec::<String>::new());
    assert_eq!(recovered.report.torn_bytes_cut, 0);
    assert_eq!(read_all(recovered), kept);
    journal.close().await;
}
