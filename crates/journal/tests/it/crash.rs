//! Crashes at random moments, from a seed.
//!
//! Strategy: a random life of a journal on a disk that takes short writes and forgets at every crash a random part of what was
//! not synced: appends one by one and many at once, crashes in the middle of a commit, kills, failing writes and syncs, orderly
//! restarts, hand-overs and trims, after which segments are written over trimmed ones. Invariants, checked at every opening: what was acknowledged and not trimmed is there; everything that is
//! there was appended, whole, in order, once; nothing is called damage, as nothing was damaged; nothing held is ever trimmed.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::time::Duration;

use futures::future::join_all;
use journal::testing::{FaultyFiles, Operation};
use journal::{AppendError, Journal, JournalConfig, JournalStats, Position};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{DIR, append, config, entry, open_with, read_all};

#[derive(Clone, Debug)]
enum Step {
    Append { bytes: usize },
    AppendTogether { count: u64, bytes: usize },
    FailSync,
    FailWrite,
    CrashWhileIdle,
    Kill,
    CrashInCommit { count: u64, bytes: usize },
    Restart,
    Roll,
    HandOver { every: u64 },
    Trim { below: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..3000usize).prop_map(|bytes| Step::Append { bytes }),
        6 => (1..20u64, 0..900usize).prop_map(|(count, bytes)| Step::AppendTogether { count, bytes }),
        1 => Just(Step::FailSync),
        1 => Just(Step::FailWrite),
        1 => Just(Step::CrashWhileIdle),
        1 => Just(Step::Kill),
        4 => (1..20u64, 0..900usize).prop_map(|(count, bytes)| Step::CrashInCommit { count, bytes }),
        1 => Just(Step::Restart),
        1 => Just(Step::Roll),
        3 => (1..4u64).prop_map(|every| Step::HandOver { every }),
        3 => (0..12u64).prop_map(|below| Step::Trim { below }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn acknowledged_records_survive_every_life(seed: u64, padding: bool, steps in vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut life = Life::begin(seed, padding);
            for step in steps {
                life.go(step).await;
            }
            life.crash();
            life.open_again();
        });
    }
}

struct Life {
    files: FaultyFiles,
    journal: Journal,
    /// The next number to append; numbers are never used twice.
    next: u64,
    /// Acknowledged and not known to be trimmed.
    acknowledged: BTreeMap<Position, u64>,
    held: BTreeSet<Position>,
}

impl Life {
    fn begin(seed: u64, padding: bool) -> Self {
        let files = FaultyFiles::new(seed);
        files.write_short();
        if padding {
            files.pad();
        }
        let (journal, recovered) = open_with(&files, settings());
        assert_eq!(read_all(recovered), []);
        Self {
            files,
            journal,
            next: 0,
            acknowledged: BTreeMap::new(),
            held: BTreeSet::new(),
        }
    }

    async fn go(&mut self, step: Step) {
        match step {
            Step::Append { bytes } => self.append_together(1, bytes).await,
            Step::AppendTogether { count, bytes } => self.append_together(count, bytes).await,
            Step::FailSync => self.fail(Operation::SyncData).await,
            Step::FailWrite => self.fail(Operation::Write).await,
            Step::CrashWhileIdle => {
                self.crash();
                self.open_again();
            }
            Step::Kill => {
                self.files = self.files.kill();
                self.open_again();
            }
            Step::CrashInCommit { count, bytes } => {
                self.crash_in_commit(count, bytes).await;
                self.open_again();
            }
            Step::Restart => {
                self.journal.close().await;
                self.open_again();
            }
            Step::Roll => {
                let newest = self.journal.roll().await.unwrap();
                let last = self.acknowledged.keys().last();
                assert!(last.is_none_or(|last| last.segment < newest));
            }
            Step::HandOver { every } => self.hand_over(every),
            Step::Trim { below } => self.trim(below),
        }
    }

    async fn append_together(&mut self, count: u64, bytes: usize) {
        let numbers = self.next..self.next + count;
        self.next += count;
        let journal = &self.journal;
        let appends = numbers.clone().map(|n| append(journal, n, bytes));
        let positions = join_all(appends).await;
        for (n, position) in numbers.zip(positions) {
            self.acknowledge(n, position);
        }
    }

    fn acknowledge(&mut self, n: u64, position: Position) {
        assert_eq!(self.acknowledged.insert(position, n), None);
        assert!(self.held.insert(position));
    }

    /// One operation fails: the record is refused, or the next segment was begun in a new file instead, and soon others are taken.
    async fn fail(&mut self, operation: Operation) {
        self.files.fail(operation, ErrorKind::Other, 1);
        let n = self.next;
        self.next += 1;
        match self.journal.append(entry(n, 50)).await {
            Ok(position) => self.acknowledge(n, position),
            Err(refused) => assert!(matches!(refused, AppendError::Disk { .. }), "{refused}"),
        }
        loop {
            match self.journal.append(entry(self.next, 50)).await {
                Ok(position) => {
                    self.acknowledge(self.next, position);
                    self.next += 1;
                    return;
                }
                Err(refused) => tokio::time::sleep(refused.retry_after().unwrap()).await,
            }
        }
    }

    async fn crash_in_commit(&mut self, count: u64, bytes: usize) {
        self.files.hold_syncs();
        let appends: Vec<_> = (self.next..self.next + count)
            .map(|n| {
                let journal = self.journal.clone();
                tokio::spawn(async move { (n, journal.append(entry(n, bytes)).await) })
            })
            .collect();
        self.next += count;
        tokio::task::yield_now().await;
        self.files.wait_for_held_sync();
        self.crash();
        for append in appends {
            let (_, appended) = append.await.unwrap();
            assert!(appended.is_err());
        }
    }

    fn crash(&mut self) {
        self.files = self.files.crash();
    }

    fn open_again(&mut self) {
        let (journal, recovered) = open_with(&self.files, settings());
        self.journal = journal;
        assert_eq!(recovered.report.damaged, Vec::<String>::new());
        let found = read_all(recovered);
        let numbers: Vec<u64> = found.iter().map(|(_, n)| *n).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
        assert!(numbers.last().is_none_or(|last| *last < self.next));
        let found = BTreeMap::from_iter(found);
        for (position, n) in &self.acknowledged {
            assert_eq!(found.get(position), Some(n), "lost at {position}");
        }
        // Records that were not acknowledged and are there nevertheless are held like all others, and stay.
        self.held = found.keys().copied().collect();
        self.acknowledged = found;
    }

    fn hand_over(&mut self, every: u64) {
        self.held.retain(|&position| {
            let done = self.acknowledged[&position].is_multiple_of(every);
            if done {
                self.journal.handed_over(position);
            }
            !done
        });
    }

    fn trim(&mut self, below: u64) {
        let before = self.journal.stats();
        let below = before.oldest_segment + below;
        let trimmed = self.journal.trim(below).unwrap();
        let after = self.journal.stats();
        assert_eq!(after.segments + trimmed.segments, before.segments);
        let in_segments = |stats: &JournalStats| stats.bytes - stats.spare_bytes;
        assert_eq!(in_segments(&after) + trimmed.bytes, in_segments(&before));
        assert!(after.oldest_segment <= after.active_segment);
        let oldest_held = self.held.first().map(|held| held.segment);
        assert!(oldest_held.is_none_or(|held| after.oldest_segment <= held));
        let needed = Position {
            segment: below,
            offset: 0,
        };
        let needed = self.acknowledged.range(needed..).next();
        assert!(needed.is_none_or(|(needed, _)| after.oldest_segment <= needed.segment));
        self.acknowledged
            .retain(|position, _| position.segment >= after.oldest_segment);
    }
}

fn settings() -> JournalConfig {
    JournalConfig {
        max_bytes: 64 << 20,
        commit_interval: Duration::ZERO,
        ..config(DIR)
    }
}
