//! Bytes that changed on the disk: what they hit is lost and said to be, all else is replayed, and nothing is made up.

use std::path::{Path, PathBuf};

use journal::Position;
use journal::testing::FaultyFiles;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{DIR, append, entry, open, open_with, read_all, reopen};

/// Bytes of a record of [`entry`] before its payload.
const HEAD: u64 = 28 + "tenant-0".len() as u64;
const HEADER: usize = 64;

/// A journal with some segments, closed, and where its records are.
async fn written(records: u64, bytes: usize) -> (FaultyFiles, Vec<(Position, u64)>) {
    let files = FaultyFiles::new(7);
    let (journal, _) = open(&files);
    let mut positions = Vec::new();
    for n in 0..records {
        positions.push((append(&journal, n, bytes).await, n));
    }
    journal.close().await;
    (files, positions)
}

fn segment(number: u64) -> PathBuf {
    Path::new(DIR).join(format!("{number:020}.segment"))
}

fn change(files: &FaultyFiles, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = files.content(path).unwrap();
    change(&mut bytes);
    files.put(path, bytes);
}

#[derive(Clone, Debug)]
enum Blow {
    Flip { mask: u8 },
    Zeros { length: usize },
    Garbage { length: usize, seed: u8 },
}

fn blow() -> impl Strategy<Value = Blow> {
    prop_oneof![
        (1..=255u8).prop_map(|mask| Blow::Flip { mask }),
        (1..2000usize).prop_map(|length| Blow::Zeros { length }),
        (1..2000usize, any::<u8>()).prop_map(|(length, seed)| Blow::Garbage { length, seed }),
    ]
}

impl Blow {
    /// Strikes at `at` and returns the end of what was hit.
    fn strike(&self, bytes: &mut [u8], at: usize) -> usize {
        let end = match self {
            Self::Flip { .. } => at + 1,
            Self::Zeros { length } | Self::Garbage { length, .. } => (at + length).min(bytes.len()),
        };
        for (n, byte) in bytes[at..end].iter_mut().enumerate() {
            *byte = match self {
                Self::Flip { mask } => *byte ^ mask,
                Self::Zeros { .. } => 0,
                Self::Garbage { seed, .. } => (n as u8).wrapping_mul(29).wrapping_add(*seed),
            };
        }
        end
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn only_what_was_hit_is_lost(
        blows in vec((any::<proptest::sample::Index>(), any::<proptest::sample::Index>(), blow()), 1..5)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (files, positions) = written(40, 500).await;
            let last = positions.last().unwrap().0.segment;
            let mut hits = Vec::new();
            for (number, at, blow) in blows {
                let number = 1 + number.index(last as usize) as u64;
                change(&files, &segment(number), |bytes| {
                    let at = at.index(bytes.len());
                    hits.push((number, at as u64..blow.strike(bytes, at) as u64));
                });
            }
            let was_hit = |position: Position| hits.iter().any(|(number, hit)| {
                let end = position.offset + HEAD + 500;
                *number == position.segment && hit.start < end && position.offset < hit.end
            });
            let (journal, recovered) = open(&files);
            let report = recovered.report.clone();
            let found = read_all(recovered);
            journal.close().await;
            for record in &positions {
                assert!(was_hit(record.0) || found.contains(record), "lost {record:?}: {report:?}");
            }
            assert!(found.iter().all(|record| positions.contains(record)));
            let lost = positions.len() > found.len();
            assert!(!lost || !report.damaged.is_empty() || report.torn_bytes_cut > 0, "{report:?}");
        });
    }

    #[test]
    fn arbitrary_bytes_are_never_a_record(
        keep_header: bool,
        kept in 0..600usize,
        bytes in vec(prop_oneof![Just(0u8), Just(1u8), any::<u8>()], 0..3000),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (files, positions) = written(3, 200).await;
            change(&files, &segment(1), |content| {
                content.truncate(HEADER + kept);
                content.extend(&bytes);
                if !keep_header {
                    content[..HEADER].fill(3);
                }
            });
            let (journal, recovered) = open(&files);
            for record in read_all(recovered) {
                assert!(positions.contains(&record));
            }
            journal.close().await;
        });
    }
}

#[tokio::test]
async fn a_torn_tail_is_left_out_and_no_damage() {
    let (files, _) = written(3, 500).await;
    change(&files, &segment(1), |bytes| {
        bytes.truncate(bytes.len() - 100);
    });
    let (report, found) = reopen(&files).await;
    assert_eq!(found, [0, 1]);
    assert_eq!(report.torn_bytes_cut, HEAD + 400);
    assert_eq!(report.damaged, Vec::<String>::new());
    // It stays left out, and is not told again, now that other segments are behind it.
    let (report, found) = reopen(&files).await;
    assert_eq!(found, [0, 1]);
    assert_eq!((report.torn_bytes_cut, report.damaged), (0, Vec::new()));
}

#[tokio::test]
async fn padding_at_the_end_is_nothing_and_less_than_a_block_of_it_is_torn() {
    // Three records end at byte 1672 of the block.
    for (padding, behind, torn) in [(4095, 0, 0), (2424, 1, 0), (2423, 1, 2424), (0, 5000, 2424)] {
        let (files, _) = written(3, 500).await;
        change(&files, &segment(1), |bytes| {
            bytes.resize(bytes.len() + padding, journal::PADDING);
            bytes.resize(bytes.len() + behind, 9);
        });
        let (report, found) = reopen(&files).await;
        assert_eq!(found, [0, 1, 2]);
        assert_eq!((report.torn_bytes_cut, report.damaged), (torn, Vec::new()));
    }
}

#[tokio::test]
async fn damage_in_a_sealed_segment_is_stated_and_the_file_kept() {
    let (files, positions) = written(20, 500).await;
    let (position, n) = positions[2];
    assert_eq!(position.segment, 1);
    let hit = position.offset as usize + 300;
    change(&files, &segment(1), |bytes| bytes[hit] ^= 1);

    let (journal, recovered) = open(&files);
    let line = format!(
        "00000000000000000001.segment: {} bytes from byte {} on are unreadable: the checksum of a payload is wrong",
        HEAD + 500,
        position.offset
    );
    assert_eq!(recovered.report.damaged, [line]);
    assert_eq!(recovered.report.torn_bytes_cut, 0);
    let found = read_all(recovered);
    assert_eq!(found.len(), 19);
    assert!(found.iter().all(|(_, found)| *found != n));

    for (position, _) in found {
        journal.handed_over(position);
    }
    journal.trim(u64::MAX).unwrap();
    assert_eq!(files.content(&segment(1)), None);
    let aside = Path::new(DIR).join("00000000000000000001.segment.damaged");
    assert!(files.content(&aside).is_some());
    journal.close().await;
    assert_eq!(reopen(&files).await.0.damaged, Vec::<String>::new());
}

#[tokio::test]
async fn a_hole_before_a_later_commit_is_damage_even_in_the_last_segment() {
    let (files, positions) = written(3, 100).await;
    let hit = positions[1].0.offset as usize + 10;
    change(&files, &segment(1), |bytes| bytes[hit] ^= 1);
    let (report, found) = reopen(&files).await;
    assert_eq!(found, [0, 2]);
    assert_eq!(report.damaged.len(), 1);
    assert_eq!(report.torn_bytes_cut, 0);
}

#[tokio::test]
async fn a_copy_of_a_record_inside_a_payload_is_not_a_record() {
    let files = FaultyFiles::new(3);
    let (journal, _) = open(&files);
    let position = append(&journal, 1, 50).await;
    let bytes = files.content(&segment(1)).unwrap();
    let mut carrier = entry(2, 0);
    carrier.payload = bytes[position.offset as usize..].to_vec().into();
    let carried_at = journal.append(carrier).await.unwrap();
    journal.close().await;
    // Without its head, the reader has to look for a record in what was the payload.
    change(&files, &segment(1), |bytes| {
        bytes[carried_at.offset as usize + 5] ^= 1;
    });
    assert_eq!(reopen(&files).await.1, [1]);
}

#[tokio::test]
async fn the_id_survives_the_loss_of_its_file() {
    let (files, _) = written(3, 100).await;
    let id_path = Path::new(DIR).join("journal.id");
    let good = files.content(&id_path).unwrap();
    for at in 0..good.len() {
        change(&files, &id_path, |bytes| bytes[at] ^= 1);
        let (report, found) = reopen(&files).await;
        assert_eq!(found, [0, 1, 2]);
        let told = "journal.id was unreadable; took the id from a segment";
        assert_eq!(report.damaged, [told]);
        assert_eq!(files.content(&id_path).unwrap(), good);
    }
}

#[tokio::test]
async fn foreign_segments_are_set_aside() {
    let (files, _) = written(3, 100).await;
    let (others, _) = {
        let files = FaultyFiles::new(8);
        let (journal, _) = open(&files);
        let position = append(&journal, 77, 100).await;
        journal.close().await;
        (files, position)
    };
    files.put(&segment(5), others.content(&segment(1)).unwrap());
    files.put(&segment(6), files.content(&segment(1)).unwrap());
    let (report, found) = reopen(&files).await;
    assert_eq!(found, [0, 1, 2]);
    assert_eq!(report.damaged.len(), 2, "{report:?}");
    assert!(
        files
            .content(&segment(5).with_extension("segment.damaged"))
            .is_some()
    );
    assert!(
        files
            .content(&segment(6).with_extension("segment.damaged"))
            .is_some()
    );
}

#[tokio::test]
async fn a_lost_segment_and_a_shortened_one_are_stated() {
    let (files, positions) = written(40, 500).await;
    assert!(positions.last().unwrap().0.segment >= 5);
    let (journal, recovered) = open(&files);
    assert_eq!(recovered.report.damaged, Vec::<String>::new());
    journal.close().await;
    change(&files, &segment(2), |bytes| bytes.truncate(HEADER));
    files.put(&segment(9999), Vec::new());
    let gone = segment(4);
    std::assert_ne!(files.content(&gone), None);
    files.take(&gone);
    let (report, _) = reopen(&files).await;
    let missing = |line: &String| line == "00000000000000000004.segment is missing";
    assert!(report.damaged.iter().any(missing), "{report:?}");
    let shortened = |line: &String| {
        line.starts_with("00000000000000000002.segment: ")
            && line.ends_with(" bytes are missing at its end")
    };
    assert!(report.damaged.iter().any(shortened), "{report:?}");
}

#[tokio::test]
async fn a_segment_that_was_never_begun_is_nothing() {
    let (files, _) = written(3, 100).await;
    // Its header was not synced, its removal was undone by a crash, and the next took a higher number.
    for bare in [Vec::new(), vec![9; 40], vec![0; 64], vec![0; 4096]] {
        let after = {
            let (journal, _) = open(&files);
            let number = journal.stats().active_segment + 1;
            journal.close().await;
            number
        };
        files.put(&segment(after), bare);
        let (report, found) = reopen(&files).await;
        assert_eq!(found, [0, 1, 2]);
        assert_eq!((report.damaged, report.torn_bytes_cut), (Vec::new(), 0));
        assert_eq!(files.content(&segment(after)), None);
    }
}

#[tokio::test]
async fn a_newer_format_is_refused_untouched() {
    let (files, _) = written(3, 100).await;
    change(&files, &segment(1), |bytes| {
        bytes[8] = 3;
        let crc = crc32fast::hash(&bytes[..60]);
        bytes[60..64].copy_from_slice(&crc.to_le_bytes());
    });
    let before = files.paths();
    let config = crate::support::config(DIR);
    let refused = journal::Journal::open(config, std::sync::Arc::new(files.clone()));
    assert_eq!(
        refused.unwrap_err().to_string(),
        "cannot read /journal/00000000000000000001.segment: it has format version 3, and this program reads versions up to 2"
    );
    assert_eq!(files.paths(), before);
}

#[tokio::test]
async fn the_format_before_is_read() {
    let (files, positions) = written(20, 500).await;
    let newest = positions.last().unwrap().0.segment;
    for number in 1..=newest {
        change(&files, &segment(number), |bytes| {
            bytes[8] = 1;
            let crc = crc32fast::hash(&bytes[..60]);
            bytes[60..64].copy_from_slice(&crc.to_le_bytes());
        });
    }
    let (report, found) = reopen(&files).await;
    assert_eq!(found, Vec::from_iter(0..20));
    assert_eq!((report.damaged, report.torn_bytes_cut), (Vec::new(), 0));
}

#[tokio::test]
async fn a_segment_of_garbage_makes_a_short_report() {
    let (files, positions) = written(400, 0).await;
    let mut config = crate::support::config(DIR);
    config.max_bytes = 1 << 30;
    for number in 1..=positions.last().unwrap().0.segment {
        change(&files, &segment(number), |bytes| {
            bytes
                .iter_mut()
                .skip(100)
                .step_by(70)
                .for_each(|byte| *byte ^= 1);
        });
    }
    let (_journal, recovered) = open_with(&files, config);
    let damaged = &recovered.report.damaged;
    assert_eq!(damaged.len(), 65);
    assert!(damaged[64].starts_with("and "), "{}", damaged[64]);
}
