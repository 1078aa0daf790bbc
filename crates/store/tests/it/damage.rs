//! Files of a block that are missing, cut or flipped: named, counted, and everything else is served.

use store::Store;

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

/// Whatever byte of a file is wrong: an error, or the right spans, or (where no checksum reaches: inside the pages of
/// `spans.parquet`) wrong values in the trace; never a panic of the caller, and never another trace.
#[tokio::test]
async fn no_flipped_byte_brings_the_store_down() {
    let world = World::new();
    let (_, folder) = two_blocks(&world).await;
    let other = (tell_sent(&trace(2, 9, world.now())), vec![]);
    for file in [
        "spans.parquet",
        "traces.parquet",
        "resources.parquet",
        "trace_id.bloom",
    ] {
        let path = format!("{folder}/{file}");
        let bytes = world.read(&path).await;
        for at in (0..bytes.len()).step_by(1 + bytes.len() / 60) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x55;
            world.write(&path, damaged).await;
            let store = world.open().await;
            let _ = store.find_trace(crate::support::trace_id(1)).await.unwrap();
            let _ = store.trace_table(store.blocks().last().unwrap()).await;
            assert_eq!(tell_trace(&store, 2).await, other, "{file} byte {at}");
        }
        world.write(&path, bytes).await;
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
