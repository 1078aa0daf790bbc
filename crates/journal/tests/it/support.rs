//! What the tests share: small settings, entries with recognisable content, and reading everything back.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use journal::testing::FaultyFiles;
use journal::{Entry, Journal, JournalConfig, Position, Recovered, RecoveryReport};
use model::UnixNanos;

/// The folder on disks in memory.
pub(crate) const DIR: &str = "/journal";

/// Small segments, no pacing, no reserve.
pub(crate) fn config(dir: impl AsRef<Path>) -> JournalConfig {
    JournalConfig {
        segment_bytes: JournalConfig::MIN_SEGMENT_BYTES,
        max_bytes: 1 << 20,
        reserve_bytes: 0,
        commit_interval: Duration::ZERO,
        commit_bytes: 1 << 10,
        queue_bytes: 1 << 20,
        ..JournalConfig::new(dir.as_ref())
    }
}

/// An entry that can be told from all others by `n`, with a payload of `bytes`.
pub(crate) fn entry(n: u64, bytes: usize) -> Entry {
    let mut payload = n.to_le_bytes().to_vec();
    payload.extend((0..bytes).map(|at| (n as usize + at) as u8));
    payload.truncate(bytes.max(8));
    Entry {
        received: UnixNanos(n as i64 - 5),
        encoding: n as u8,
        tenant: format!("tenant-{}", n % 3).into(),
        payload: Bytes::from(payload),
    }
}

/// The `n` of an [`entry`], after checking that it is whole.
pub(crate) fn number(found: &Entry) -> u64 {
    let mut n = [0; 8];
    n.copy_from_slice(&found.payload[..8]);
    let n = u64::from_le_bytes(n);
    assert_eq!(*found, entry(n, found.payload.len()));
    n
}

pub(crate) fn open(files: &FaultyFiles) -> (Journal, Recovered) {
    open_with(files, config(DIR))
}

pub(crate) fn open_with(files: &FaultyFiles, config: JournalConfig) -> (Journal, Recovered) {
    Journal::open(config, Arc::new(files.clone())).unwrap()
}

/// Opens, reads everything back and closes: the report, and what [`number`] says of each record.
pub(crate) async fn reopen(files: &FaultyFiles) -> (RecoveryReport, Vec<u64>) {
    let (journal, recovered) = open(files);
    let report = recovered.report.clone();
    let records = read_all(recovered);
    journal.close().await;
    assert_eq!(report.records, records.len() as u64);
    (report, records.into_iter().map(|(_, n)| n).collect())
}

/// All records, checked to be in ascending order of position.
pub(crate) fn read_all(recovered: Recovered) -> Vec<(Position, u64)> {
    let records: Vec<_> = recovered
        .records
        .map(|record| record.map(|(position, found)| (position, number(&found))))
        .collect::<Result<_, _>>()
        .unwrap();
    assert!(records.is_sorted_by_key(|(position, _)| *position));
    records
}

pub(crate) async fn append(journal: &Journal, n: u64, bytes: usize) -> Position {
    journal.append(entry(n, bytes)).await.unwrap()
}

/// The path of a segment or of a spare file.
pub(crate) fn path(number: u64, ending: &str) -> PathBuf {
    Path::new(DIR).join(format!("{number:020}.{ending}"))
}

/// Fills segments 1 to `segments` with a record each, numbered alike, and trims them.
pub(crate) async fn trimmed(files: &FaultyFiles, segments: u64) -> Journal {
    let (journal, _) = open(files);
    for n in 1..=segments {
        let position = append(&journal, n, 4000).await;
        assert_eq!(position.segment, n);
        journal.handed_over(position);
    }
    let newest = journal.roll().await.unwrap();
    assert_eq!(journal.trim(newest).unwrap().segments, segments);
    journal
}
