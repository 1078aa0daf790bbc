//! What is on disk and not needed: it counts against the bound, is bounded itself, and gives way before anything is refused.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use journal::testing::{FaultyFiles, Operation};
use journal::{AppendError, Journal, JournalConfig};

use crate::support::{DIR, append, config, entry, open_with, reopen, trimmed};

/// Padding is not counted in advance: so much for each segment.
const PADDING: u64 = 4096;

/// Bytes of all segments and spare files.
fn bytes_on_disk(files: &FaultyFiles) -> u64 {
    let ours = |path: &PathBuf| {
        path.extension()
            .is_some_and(|e| e == "segment" || e == "spare")
    };
    let paths = files.paths().into_iter().filter(ours);
    paths
        .map(|path| files.content(&path).unwrap().len() as u64)
        .sum()
}

#[tokio::test]
async fn a_file_system_that_cannot_gets_its_files_back() {
    let files = FaultyFiles::new(1);
    let journal = trimmed(&files, 3).await;
    files.fail(Operation::Reuse, ErrorKind::Unsupported, u32::MAX);
    append(&journal, 10, 4000).await;
    append(&journal, 11, 4000).await;
    append(&journal, 12, 4000).await;
    assert_eq!(
        files.count(Operation::Reuse),
        1,
        "it is not asked a second time"
    );
    trim_until(&journal, |journal| journal.stats().spare_files == 0).await;
    assert_eq!(journal.stats().refused_disk, 0);
}

#[tokio::test]
async fn all_files_together_keep_to_the_bound() {
    let files = FaultyFiles::new(1);
    let bounded = JournalConfig {
        segment_bytes: 32 << 10,
        max_bytes: 256 << 10,
        ..config(DIR)
    };
    let (journal, _) = open_with(&files, bounded);
    let mut refused = 0;
    let mut held = Vec::new();
    for n in 0..400u64 {
        // Records of all sizes, some larger than a segment, so that files of all lengths come to be.
        let bytes = [700, 9000, 3000, 50_000][(n / 7 % 4) as usize];
        match journal.append(entry(n, bytes)).await {
            Ok(position) => held.push(position),
            Err(error) => {
                assert!(matches!(error, AppendError::Full { .. }), "{error}");
                refused += 1;
                held.drain(..)
                    .for_each(|position| journal.handed_over(position));
                assert!(journal.trim(u64::MAX).unwrap().bytes > 0);
            }
        }
        let stats = journal.stats();
        let padding = PADDING * (stats.segments + stats.spare_files);
        assert!(stats.bytes <= stats.max_bytes + padding, "{n}: {stats:?}");
        assert!(bytes_on_disk(&files) <= stats.bytes + padding);
    }
    assert!(refused > 5, "{refused}");
    assert!(journal.stats().reused_files > 10);
}

#[tokio::test]
async fn spare_files_give_way_to_blocks() {
    let files = FaultyFiles::new(1);
    files.set_capacity(Some(40 << 20));
    let reserving = JournalConfig {
        segment_bytes: 2 << 20,
        max_bytes: 128 << 20,
        reserve_bytes: 10 << 20,
        ..config(DIR)
    };
    let (journal, _) = open_with(&files, reserving);
    for n in 0..4 {
        journal.handed_over(append(&journal, n, 2 << 20).await);
    }
    let newest = journal.roll().await.unwrap();
    journal.trim(newest).unwrap();
    assert_eq!(journal.stats().spare_files, 4);
    // Blocks have grown: what is free and what is spare together are just enough.
    files.set_capacity(Some(17 << 20));
    append(&journal, 10, 100).await;
    let stats = journal.stats();
    assert!((1..4).contains(&stats.spare_files), "{stats:?}");
    assert_eq!(stats.refused_disk, 0);
    // And without anybody appending.
    files.set_capacity(Some(9 << 20));
    journal.trim(0).unwrap();
    assert_eq!(journal.stats().spare_files, 0);
}

#[tokio::test]
async fn what_is_too_much_is_given_back_in_small_steps() {
    let files = FaultyFiles::new(1);
    let large = JournalConfig {
        segment_bytes: 9 << 20,
        max_bytes: 48 << 20,
        queue_bytes: 16 << 20,
        ..config(DIR)
    };
    let (journal, _) = open_with(&files, large);
    for n in 0..3 {
        journal.handed_over(append(&journal, n, (9 << 20) - 200).await);
    }
    let newest = journal.roll().await.unwrap();
    journal.trim(newest).unwrap();
    let mut sizes = Vec::new();
    trim_until(&journal, |journal| {
        let stats = journal.stats();
        sizes.push(stats.spare_bytes);
        stats.spare_bytes <= 9 << 20
    })
    .await;
    let largest = sizes.windows(2).map(|pair| pair[0] - pair[1]).max();
    assert!(largest.is_some_and(|step| step <= 4 << 20), "{sizes:?}");
    assert_eq!(files.count(Operation::Truncate), 4);
    let stats = journal.stats();
    assert_eq!(stats.spare_files, 1, "what is begun is ended first");
    assert!(stats.spare_bytes > 8 << 20);
}

/// Eight files of which next to nothing is used fill the bound; the records do not.
#[tokio::test]
async fn what_sealed_segments_do_not_need_causes_no_refusal() {
    let files = FaultyFiles::new(1);
    let bounded = JournalConfig {
        segment_bytes: 32 << 10,
        max_bytes: 256 << 10,
        ..config(DIR)
    };
    let (journal, _) = open_with(&files, bounded.clone());
    for n in 0..8 {
        journal.handed_over(append(&journal, n, 31_000).await);
    }
    let newest = journal.roll().await.unwrap();
    journal.trim(newest).unwrap();
    let spares = journal.stats().spare_files;
    assert!(spares >= 7, "{spares}");
    for n in 10..10 + spares {
        append(&journal, n, 100).await;
        journal.roll().await.unwrap();
    }
    let before = journal.stats();
    assert_eq!((before.reused_files, before.spare_files), (spares, 0));
    assert!(before.bytes > 200_000 && before.fullness < 0.05);
    for n in 20..25 {
        append(&journal, n, 31_000).await;
        let stats = journal.stats();
        let padding = PADDING * stats.segments;
        assert!(stats.bytes <= stats.max_bytes + padding, "{n}: {stats:?}");
        assert!(bytes_on_disk(&files) <= stats.bytes + padding);
    }
    assert!(files.count(Operation::Truncate) > 0);
    journal.close().await;
    let (report, found) = reopen(&files).await;
    let expected: Vec<u64> = (10..10 + spares).chain(20..25).collect();
    assert_eq!((found, report.damaged), (expected, Vec::new()));
}

#[tokio::test]
async fn what_segments_do_not_need_gives_way_to_blocks() {
    let files = FaultyFiles::new(1);
    let reserving = JournalConfig {
        segment_bytes: 2 << 20,
        max_bytes: 128 << 20,
        reserve_bytes: 10 << 20,
        ..config(DIR)
    };
    let (journal, _) = open_with(&files, reserving);
    for n in 0..2 {
        journal.handed_over(append(&journal, n, 2 << 20).await);
    }
    let newest = journal.roll().await.unwrap();
    journal.trim(newest).unwrap();
    // One segment after the other gets a file of 2 MiB and uses little of it.
    for n in 10..12 {
        append(&journal, n, 100).await;
        journal.roll().await.unwrap();
    }
    assert_eq!(
        (journal.stats().reused_files, journal.stats().spare_files),
        (2, 0)
    );
    files.set_capacity(Some(11 << 20));
    append(&journal, 12, 100).await;
    assert_eq!(files.count(Operation::Truncate), 2);
    assert!(journal.stats().bytes < 64 << 10);
    let (failures, refused) = (journal.stats().failures, journal.stats().refused_disk);
    assert_eq!((failures, refused), (0, 0));
    // The segment that was cut while it was written goes on.
    append(&journal, 13, 100_000).await;
    let files = files.crash();
    let (report, found) = reopen(&files).await;
    assert_eq!((found, report.damaged), (vec![10, 11, 12, 13], Vec::new()));
}

#[tokio::test]
async fn a_full_disk_takes_back_what_is_not_needed_before_a_record_is_refused() {
    let files = FaultyFiles::new(1);
    let journal = trimmed(&files, 3).await;
    // Nothing is free: spare files are all that there is, and none is large enough.
    files.set_capacity(Some(0));
    let used: usize = files
        .paths()
        .iter()
        .map(|path| files.content(path).unwrap().len())
        .sum();
    files.set_capacity(Some(used as u64));
    append(&journal, 10, 11_000).await;
    assert_eq!(journal.stats().spare_files, 0);
    assert_eq!(
        (journal.stats().failures, journal.stats().refused_disk),
        (0, 0)
    );
    let files = files.crash();
    assert_eq!(reopen(&files).await.1, [10]);
}

#[tokio::test]
async fn files_of_larger_segments_are_not_used_for_smaller_ones() {
    let files = FaultyFiles::new(1);
    let large = JournalConfig {
        segment_bytes: 64 << 10,
        ..config(DIR)
    };
    let (journal, _) = open_with(&files, large);
    journal.handed_over(append(&journal, 1, 60_000).await);
    let newest = journal.roll().await.unwrap();
    journal.trim(newest).unwrap();
    journal.close().await;
    let (journal, _) = open_with(&files, config(DIR));
    assert_eq!(journal.stats().spare_files, 1);
    append(&journal, 10, 4000).await;
    append(&journal, 11, 4000).await;
    assert_eq!(journal.stats().reused_files, 0);
    trim_until(&journal, |journal| journal.stats().spare_files == 0).await;
}

#[tokio::test]
async fn a_file_counts_for_as_long_as_it_is_there() {
    let files = FaultyFiles::new(1);
    let large = JournalConfig {
        segment_bytes: 64 << 10,
        ..config(DIR)
    };
    let (journal, _) = open_with(&files, large);
    for n in 0..3 {
        journal.handed_over(append(&journal, n, 60_000).await);
    }
    journal.trim(u64::MAX).unwrap();
    assert_eq!(journal.stats().spare_files, 2);
    // Shorter ones, so that padding makes no file longer.
    for n in 10..14 {
        journal.handed_over(append(&journal, n, 50_000).await);
    }
    let counted = |journal: &Journal| assert_eq!(journal.stats().bytes, bytes_on_disk(&files));
    counted(&journal);
    // The new names cannot be made durable, so the files may not be written over.
    files.fail(Operation::SyncDir, ErrorKind::Other, 1);
    journal.trim(u64::MAX).unwrap_err();
    assert_eq!(journal.stats().spare_files, 0);
    assert!(!files.paths().iter().any(|found| is_spare(found)));
    counted(&journal);
    // And now one of them cannot be removed either.
    for n in 20..22 {
        journal.handed_over(append(&journal, n, 50_000).await);
    }
    files.fail(Operation::SyncDir, ErrorKind::Other, 1);
    files.fail(Operation::Remove, ErrorKind::Other, 1);
    journal.trim(u64::MAX).unwrap_err();
    assert_eq!(journal.stats().spare_files, 0);
    assert!(journal.stats().spare_bytes > 40_000);
    counted(&journal);
    assert!(files.paths().iter().any(|found| is_spare(found)));
}

fn is_spare(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "spare")
}

/// Trims until `is_done`, as a running collector does.
async fn trim_until(journal: &Journal, mut is_done: impl FnMut(&Journal) -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_done(journal) {
        assert!(Instant::now() < deadline, "{:?}", journal.stats());
        journal.trim(0).unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
