//! Looking at a folder that another process may have open.

use std::path::Path;

use journal::testing::FaultyFiles;
use journal::{SystemFiles, inspect};
use model::UnixNanos;

use crate::support::{DIR, append, config, open, reopen};

#[tokio::test]
async fn tells_what_each_segment_holds_while_it_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let opened = journal::Journal::open(config(dir.path()), std::sync::Arc::new(SystemFiles));
    let journal = opened.unwrap().0;
    for n in 10..16 {
        append(&journal, n, 1500).await;
    }
    let found = inspect(dir.path(), &SystemFiles).unwrap();
    assert_eq!(found.id.as_deref(), Some(journal.id()));
    assert_eq!(found.set_aside, Vec::<String>::new());
    let numbers: Vec<u64> = found.segments.iter().map(|s| s.number).collect();
    assert_eq!(numbers, [1, 2, 3]);
    for (segment, first) in found.segments.iter().zip([10, 12, 14]) {
        assert_eq!(segment.records, 2);
        assert_eq!(segment.record_bytes, 2 * (28 + 8 + 1500));
        let received = (UnixNanos(first - 5), UnixNanos(first - 4));
        assert_eq!(segment.received, Some(received));
        assert_eq!((segment.torn_bytes, segment.damaged.len()), (0, 0));
    }
    journal.close().await;
}

#[tokio::test]
async fn changes_nothing() {
    let files = FaultyFiles::new(1);
    let (journal, _) = open(&files);
    append(&journal, 1, 100).await;
    journal.close().await;
    files.take(&Path::new(DIR).join("journal.id"));
    let segment = Path::new(DIR).join("00000000000000000001.segment");
    let mut bytes = files.content(&segment).unwrap();
    bytes.extend([7; 50]);
    files.put(&segment, bytes);
    let before = files.paths();
    let found = inspect(Path::new(DIR), &files).unwrap();
    assert_eq!(found.segments[0].torn_bytes, 50);
    assert!(found.id.is_some());
    assert_eq!(files.paths(), before);
    assert_eq!(reopen(&files).await.1, [1]);
    assert!(
        inspect(Path::new("/elsewhere"), &files)
            .unwrap()
            .id
            .is_none()
    );
}
