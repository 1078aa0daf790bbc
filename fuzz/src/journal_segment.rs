//! A segment of the journal as a crash, a bad disk or somebody else's hand left it.
//!
//! Strategy: any bytes lie where the first segment should. The journal opens over them, its records are read, and one more is
//! appended. Invariants:
//!
//! - nothing panics, and opening succeeds: damage is reported, not fatal;
//! - records come in ascending order, and no more bytes of them than the segment has;
//! - what is appended after that is read back, next to exactly what was read before.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use journal::testing::FaultyFiles;
use journal::{Entry, Journal, JournalConfig, Position, Recovered};
use model::UnixNanos;

const FOLDER: &str = "/journal";

/// Checks the invariants on the bytes of one segment.
///
/// # Panics
/// When an invariant is broken.
pub fn check(segment: &[u8]) {
    let files = FaultyFiles::new(1);
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(async {
        // The journal makes its folder; what lies in it comes after.
        open(&files).0.close().await;
        let path = Path::new(FOLDER).join(format!("{:020}.segment", 1));
        files.put(&path, segment.to_vec());
        let (journal, recovered) = open(&files);
        let before = read(recovered);
        let bytes: usize = before.iter().map(|(_, entry)| entry.payload.len()).sum();
        assert!(bytes <= segment.len(), "{bytes} of {}", segment.len());
        let added = Entry {
            received: UnixNanos(7),
            encoding: 1,
            tenant: "one-more".into(),
            payload: Bytes::from_static(b"and a record behind"),
        };
        let position = journal.append(added.clone()).await.expect("an append");
        journal.close().await;
        let (journal, recovered) = open(&files);
        let after = read(recovered);
        journal.close().await;
        let (last, rest) = after.split_last().expect("the record that was added");
        assert_eq!(*last, (position, added));
        assert_eq!(rest, before);
    });
}

fn open(files: &FaultyFiles) -> (Journal, Recovered) {
    let config = JournalConfig {
        segment_bytes: JournalConfig::MIN_SEGMENT_BYTES,
        max_bytes: 16 << 20,
        reserve_bytes: 0,
        commit_interval: std::time::Duration::ZERO,
        ..JournalConfig::new(FOLDER)
    };
    Journal::open(config, Arc::new(files.clone())).expect("opening over any bytes")
}

fn read(recovered: Recovered) -> Vec<(Position, Entry)> {
    let records: Result<Vec<_>, _> = recovered.records.collect();
    let records = records.expect("records can be read");
    assert!(records.is_sorted_by_key(|(position, _)| *position));
    records
}
