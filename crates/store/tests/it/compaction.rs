//! Compaction changes where spans lie, and nothing else.

use std::collections::BTreeMap;

use block::JournalRange;
use proptest::prelude::*;
use store::{ErrorKind, Store};

use crate::support::{
    HOUR, MINUTE, Sent, World, block_of, made, tell_all, tell_sent, tell_trace, trace, trace_id,
};

async fn compact_all(store: &Store) -> usize {
    let mut compactions = 0;
    while store.compact_now().await.unwrap().is_some() {
        compactions += 1;
        assert!(compactions < 1000, "compaction does not come to an end");
    }
    compactions
}

/// Blocks of spans of few traces, so that pieces and duplicates are common; some large traces for row groups to end in.
fn blocks() -> impl Strategy<Value = Vec<Vec<(u64, u64)>>> {
    let span = (0u64..30, prop_oneof![4 => 1u64..6, 1 => 6u64..60]);
    proptest::collection::vec(proptest::collection::vec(span, 1..120), 2..7)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn all_spans_are_there_once_and_traces_in_one_piece(blocks in blocks(), row_group_spans in 1usize..200) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new();
            let store = world.open_with(|config| config.compaction.row_group_spans = row_group_spans).await.unwrap();
            let now = world.now().0;
            let mut all: BTreeMap<u64, Vec<Sent>> = BTreeMap::new();
            for block in &blocks {
                let spans: Vec<_> = block.iter().map(|&(trace, span)| Sent { trace, span, parent: span / 2, start: now + span as i64 }).collect();
                for span in &spans {
                    all.entry(span.trace).or_default().push(*span);
                }
                store.add(block_of(&spans, made(world.now()))).await.unwrap();
            }
            compact_all(&store).await;
            assert_eq!(store.blocks().len(), 1);
            let block = store.blocks()[0].clone();
            assert_eq!(tell_all(&store).await, tell_sent(all.values().flatten()));
            let table = store.trace_table(&block).await.unwrap();
            assert_eq!(table.len(), all.len());
            assert_eq!(block.spans as usize, tell_sent(all.values().flatten()).len());
            for (number, spans) in &all {
                assert_eq!(tell_trace(&store, *number).await, (tell_sent(spans), vec![]));
            }
            let stats = store.stats();
            assert_eq!(stats.unreadable_blocks, 0);
        });
    }
}

#[tokio::test]
async fn late_spans_join_their_trace() {
    let world = World::new();
    let store = world.open().await;
    let whole = trace(1, 6, world.now());
    store
        .add(block_of(&whole[..4], made(world.now())))
        .await
        .unwrap();
    world.clock.advance(MINUTE);
    store
        .add(block_of(&whole[4..], made(world.now())))
        .await
        .unwrap();
    let report = store.compact_now().await.unwrap().unwrap();
    assert_eq!((report.spans_in, report.spans_out), (6, 6));
    let block = store.blocks()[0].clone();
    assert_eq!((block.level, block.traces), (1, 1));
    let table = store.trace_table(&block).await.unwrap();
    let summary = table.summary(table.find(trace_id(1)).unwrap());
    assert_eq!(summary.span_count, 6);
    assert!(summary.has_root);
}

#[tokio::test]
async fn a_window_in_use_waits_for_enough_blocks_and_a_closed_one_takes_all() {
    let world = World::new();
    let store = world.open().await;
    let add = async |number| {
        let block = block_of(&trace(number, 3, world.now()), made(world.now()));
        store.add(block).await.unwrap();
    };
    for number in 0..7 {
        add(number).await;
    }
    assert_eq!(store.compact_once().await.unwrap(), None);
    add(7).await;
    let report = store.compact_once().await.unwrap().unwrap();
    assert_eq!(report.inputs.len(), 8);
    add(8).await;
    assert_eq!(store.compact_once().await.unwrap(), None);
    // The hour is over, and a quarter after it nothing came any more.
    world.clock.advance(50 * MINUTE);
    let report = store.compact_once().await.unwrap().unwrap();
    assert_eq!(report.inputs.len(), 2);
    assert_eq!(store.compact_once().await.unwrap(), None);
    assert_eq!(store.blocks().len(), 1);
    assert_eq!(store.stats().compaction_spans_in, 24 + 27);
}

#[tokio::test]
async fn classes_and_large_blocks_are_kept_apart() {
    let world = World::new();
    let store = world
        .open_with(|config| config.compaction.block_spans_max = 40)
        .await
        .unwrap();
    for (number, class) in ["gold", "gold", "dust", "dust"].into_iter().enumerate() {
        let mut making = made(world.now());
        making.class = class.into();
        let block = block_of(&trace(number as u64, 5, world.now()), making);
        store.add(block).await.unwrap();
    }
    let full = block_of(&trace(10, 20, world.now()), made(world.now()));
    store.add(full).await.unwrap();
    assert_eq!(compact_all(&store).await, 2);
    let mut blocks: Vec<_> = store
        .blocks()
        .iter()
        .map(|block| (block.class.clone(), block.spans))
        .collect();
    blocks.sort();
    let expected = [("default", 20), ("dust", 10), ("gold", 10)];
    assert_eq!(
        blocks,
        expected.map(|(class, spans)| (class.to_owned(), spans))
    );
}

#[tokio::test]
async fn a_replay_still_finds_where_compacted_spans_came_from() {
    let world = World::new();
    let store = world.open().await;
    let add = async |number, journal: &str, segments: (u64, u64)| {
        let mut making = made(world.now());
        making.journal = Some(JournalRange {
            journal: journal.into(),
            first: segments.0,
            last: segments.1,
        });
        let block = block_of(&trace(number, 3, world.now()), making);
        store.add(block).await.unwrap();
    };
    add(1, "a", (4, 6)).await;
    add(2, "a", (2, 5)).await;
    add(3, "b", (1, 1)).await;
    add(4, "b", (9, 9)).await;
    assert_eq!(compact_all(&store).await, 2);
    let mut ranges: Vec<_> = store
        .blocks()
        .iter()
        .map(|block| block.journal.clone().unwrap())
        .map(|range| (range.journal, range.first, range.last))
        .collect();
    ranges.sort();
    assert_eq!(ranges, [("a".into(), 2, 6), ("b".into(), 1, 9)]);
    // Nothing is replayed after so long.
    world.clock.advance(2 * HOUR);
    assert_eq!(compact_all(&store).await, 1);
    assert_eq!(store.blocks()[0].journal, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_compactors_that_chose_the_same_blocks_one_gives_up() {
    let world = World::new();
    let store = world.open().await;
    let mut spans = Vec::new();
    for number in 0..6 {
        let piece = trace(number, 20, world.now());
        store
            .add(block_of(&piece, made(world.now())))
            .await
            .unwrap();
        spans.extend(piece);
    }
    // Of different seeds, or both would give their block the same name.
    let mut rivals = Vec::new();
    for seed in [1, 2] {
        let rival = world.open_with(|config| config.seed = Some(seed)).await;
        rivals.push(rival.unwrap());
    }
    let results = futures::join!(rivals[0].compact_now(), rivals[1].compact_now());
    let outcomes = [results.0, results.1];
    let won = outcomes.iter().filter(|result| result.is_ok()).count();
    assert_eq!(won, 1);
    let lost = outcomes.iter().find_map(|result| result.as_ref().err());
    assert_eq!(lost.unwrap().kind(), ErrorKind::Conflict);
    store.refresh().await.unwrap();
    assert_eq!(tell_all(&store).await, tell_sent(&spans));
    // The loser has cleaned up after itself; the inputs wait for their grace period.
    assert_eq!(world.folders().await.len(), 6 + 1);
}

#[tokio::test]
async fn retention_during_a_compaction_wins() {
    let world = World::new();
    let store = world.open().await;
    for number in 0..3 {
        let block = block_of(&trace(number, 5, world.now()), made(world.now()));
        store.add(block).await.unwrap();
    }
    let behind = world.open().await;
    world.clock.advance(15 * 24 * HOUR);
    assert_eq!(store.expire_once().await.unwrap().blocks, 3);
    let error = behind.compact_now().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
    assert_eq!(world.open().await.blocks().len(), 0);
}
