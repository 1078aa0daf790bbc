//! Files of a block that are missing, cut or flipped: named, counted, and everything else is served.

use block::{BlockMeta, RowRange};
use model::{SpanId, TraceId, TraceSummary};
use store::{ErrorKind, Store, StoreError};

use crate::support::{
    World, block_of, made, read_all, tell, tell_all, tell_sent, tell_trace, trace,
};

/// A store of two blocks with a trace each, and the folder of the first.
async fn two_blocks(world: &World) -> (Store, String) {
    let store = world.open().await;
    let block = block_of(&trace(1, 9, world.now()), made(world.now()));
    let folder = block.meta().folder();
    store.add(block).await.unwrap();
    store
        .add(block_of(&trace(2, 9, world.now()), made(world.now())))
        .await
        .unwrap();
    (world.open().await, folder)
}

type Damage = (&'static str, fn(&[u8]) -> Option<Vec<u8>>);

const DAMAGES: [Damage; 4] = [
    ("missing", |_| None),
    ("empty", |_| Some(Vec::new())),
    ("cut", |bytes| Some(bytes[..bytes.len() - 1].to_vec())),
    ("flipped at the end", |bytes| {
        let mut bytes = bytes.to_vec();
        let at = bytes.len() - 9;
        bytes[at] ^= 0x10;
        Some(bytes)
    }),
];

#[tokio::test]
async fn a_damaged_file_is_named_and_the_other_blocks_are_served() {
    for file in ["spans.parquet", "traces.parquet", "resources.parquet"] {
        for (what, damage) in DAMAGES {
            let world = World::new();
            let (store, folder) = two_blocks(&world).await;
            let path = format!("{folder}/{file}");
            match damage(&world.read(&path).await) {
                Some(bytes) => world.write(&path, bytes).await,
                None => world.remove(&path).await,
            }
            let (spans, unreadable) = tell_trace(&store, 1).await;
            assert_eq!(unreadable.len(), 1, "{what} {file}");
            assert!(
                unreadable[0].contains(&path),
                "{what} {file}: {unreadable:?}"
            );
            assert!(spans.is_empty());
            assert_eq!(store.stats().unreadable_blocks, 1, "{what} {file}");
            let other = (tell_sent(&trace(2, 9, world.now())), vec![]);
            assert_eq!(tell_trace(&store, 2).await, other, "{what} {file}");
        }
    }
}

#[tokio::test]
async fn a_damaged_bloom_hides_nothing() {
    for (what, damage) in DAMAGES {
        let world = World::new();
        let (store, folder) = two_blocks(&world).await;
        let path = format!("{folder}/trace_id.bloom");
        match damage(&world.read(&path).await) {
            Some(bytes) => world.write(&path, bytes).await,
            None => world.remove(&path).await,
        }
        let whole = (tell_sent(&trace(1, 9, world.now())), vec![]);
        assert_eq!(tell_trace(&store, 1).await, whole, "{what}");
        assert_eq!(store.stats().unreadable_blocks, 1, "{what}");
    }
}

#[tokio::test]
async fn a_file_that_is_restored_is_served_again() {
    let world = World::new();
    let (store, folder) = two_blocks(&world).await;
    let path = format!("{folder}/traces.parquet");
    let bytes = world.read(&path).await;
    world.remove(&path).await;
    assert_eq!(tell_trace(&store, 1).await.1.len(), 1);
    world.write(&path, bytes).await;
    let whole = (tell_sent(&trace(1, 9, world.now())), vec![]);
    assert_eq!(tell_trace(&store, 1).await, whole);
}

const FILES: [&str; 4] = [
    "spans.parquet",
    "traces.parquet",
    "resources.parquet",
    "trace_id.bloom",
];

/// What a question may be answered with when the block has a flipped bit: the truth, or that it cannot be read.
fn check_honest<T: PartialEq + std::fmt::Debug>(
    answer: Result<T, StoreError>,
    truth: &T,
    what: &str,
) {
    match answer {
        Ok(answer) => assert_eq!(&answer, truth, "{what}"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt, "{what}: {error}"),
    }
}

async fn summaries(store: &Store, block: &BlockMeta) -> Result<Vec<TraceSummary>, StoreError> {
    let table = store.trace_table(block).await?;
    Ok((0..table.len()).map(|index| table.summary(index)).collect())
}

async fn ids(store: &Store, block: &BlockMeta) -> Result<Vec<(TraceId, SpanId)>, StoreError> {
    let mut ids = Vec::new();
    store
        .span_ids(block, |trace_id, span_id| ids.push((trace_id, span_id)))
        .await?;
    Ok(ids)
}

/// Some 200 bits of each file, one at a time, and all ways to read.
#[tokio::test]
async fn a_flipped_bit_never_changes_an_answer() {
    let world = World::new();
    let (store, folder) = two_blocks(&world).await;
    let blocks = store.blocks();
    let block = blocks.iter().find(|block| block.folder() == folder);
    let block = block.unwrap();
    let all = [RowRange { start: 0, len: 9 }];
    let sent = tell_sent(&trace(1, 9, world.now()));
    let listed = summaries(&store, block).await.unwrap();
    let identified = ids(&store, block).await.unwrap();
    for file in FILES {
        let path = format!("{folder}/{file}");
        let bytes = world.read(&path).await;
        for bit in (0..bytes.len() * 8).step_by((bytes.len() * 8 / 200) | 1) {
            let what = format!("bit {bit} of {file}");
            let mut damaged = bytes.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            world.write(&path, damaged).await;
            let store = world.open().await;
            let (spans, unreadable) = tell_trace(&store, 1).await;
            if unreadable.is_empty() {
                assert_eq!(spans, sent, "{what}");
            } else {
                assert!(unreadable[0].contains(&path), "{what}: {unreadable:?}");
                assert!(spans.is_empty(), "{what}");
            }
            check_honest(summaries(&store, block).await, &listed, &what);
            check_honest(ids(&store, block).await, &identified, &what);
            let rows = store.read_rows(block, &all).await;
            check_honest(rows.map(|batch| tell(&batch)), &sent, &what);
            let other = (tell_sent(&trace(2, 9, world.now())), vec![]);
            assert_eq!(tell_trace(&store, 2).await, other, "{what}");
        }
        world.write(&path, bytes).await;
    }
}

/// Whoever still asks a block that a compaction has replaced is told the truth as well.
#[tokio::test]
async fn a_flipped_bit_in_a_replaced_block_is_noticed() {
    let world = World::new();
    let (store, folder) = two_blocks(&world).await;
    let blocks = store.blocks();
    let block = blocks.iter().find(|block| block.folder() == folder);
    let block = block.unwrap();
    assert!(store.compact_now().await.unwrap().is_some());
    for file in ["spans.parquet", "traces.parquet"] {
        let path = format!("{folder}/{file}");
        let mut bytes = world.read(&path).await;
        // In the footer, right in front of its length and the magic.
        let at = bytes.len() - 9;
        bytes[at] ^= 1;
        world.write(&path, bytes).await;
        let store = world.open().await;
        let error = match file {
            "spans.parquet" => ids(&store, block).await.unwrap_err(),
            _ => summaries(&store, block).await.unwrap_err(),
        };
        assert!(error.to_string().contains("checksum"), "{error}");
        assert!(error.to_string().contains(&path), "{error}");
    }
}

#[tokio::test]
async fn a_compaction_does_not_carry_a_flipped_bit_on() {
    for file in FILES {
        for part in 0..24 {
            let world = World::new();
            let (_, folder) = two_blocks(&world).await;
            let path = format!("{folder}/{file}");
            let mut bytes = world.read(&path).await;
            let bit = (bytes.len() * 8 - 1) * part / 23;
            bytes[bit / 8] ^= 1 << (bit % 8);
            world.write(&path, bytes).await;
            let store = world.open().await;
            let what = format!("bit {bit} of {file}");
            match store.compact_now().await {
                Ok(report) => {
                    assert!(report.is_some(), "{what}");
                    let both = [trace(1, 9, world.now()), trace(2, 9, world.now())].concat();
                    assert_eq!(tell_all(&store).await, tell_sent(&both), "{what}");
                }
                Err(error) => assert!(error.to_string().contains(&path), "{what}: {error}"),
            }
        }
    }
}

#[tokio::test]
async fn a_damaged_block_is_left_out_of_compactions_and_the_rest_goes_on() {
    let world = World::new();
    let store = world.open().await;
    let mut kept = Vec::new();
    let mut broken = String::new();
    for number in 0..4 {
        let spans = trace(number, 5, world.now());
        let block = block_of(&spans, made(world.now()));
        if number == 2 {
            broken = format!("{}/spans.parquet", block.meta().folder());
        } else {
            kept.extend(spans);
        }
        store.add(block).await.unwrap();
    }
    let bytes = world.read(&broken).await;
    world.write(&broken, bytes[..100].to_vec()).await;
    let error = store.compact_now().await.unwrap_err();
    assert!(error.to_string().contains(&broken), "{error}");
    let report = store.compact_now().await.unwrap().unwrap();
    assert_eq!((report.inputs.len(), report.spans_out), (3, 15));
    assert_eq!(store.compact_now().await.unwrap(), None);
    assert_eq!(store.stats().compactions_abandoned, 1);
    let output = store.blocks().find(report.output).unwrap().clone();
    assert_eq!(tell(&read_all(&store, &output).await), tell_sent(&kept));
    // Restored by a person, and seen whole by the next process.
    world.write(&broken, bytes).await;
    kept.extend(trace(2, 5, world.now()));
    assert_eq!(tell_all(&world.open().await).await, tell_sent(&kept));
}
