//! The manifest: races, checkpoints, damage, and views that are behind.

use std::time::Duration;

use store::{ErrorKind, Store};

use crate::support::{HOUR, World, block_of, made, tell_sent, tell_trace, trace, trace_id};

fn edit(number: u64) -> String {
    format!("tenant=acme/manifest/{number:020}.json")
}

fn checkpoint(number: u64) -> String {
    format!("tenant=acme/manifest/{number:020}.checkpoint.json")
}

/// Adds one small block for each of these traces.
async fn add_blocks(world: &World, store: &Store, traces: std::ops::Range<u64>) {
    for number in traces {
        let block = block_of(&trace(number, 1, world.now()), made(world.now()));
        store.add(block).await.unwrap();
    }
}

fn ids(store: &Store) -> Vec<String> {
    let mut ids: Vec<_> = store
        .blocks()
        .iter()
        .map(|block| block.id.to_string())
        .collect();
    ids.sort();
    ids
}

/// What was opened while nothing could be asked builds nothing on not knowing: neither a commit nor a sweep.
#[tokio::test]
async fn a_store_that_could_not_be_read_is_read_as_soon_as_it_can() {
    let world = World::new();
    let store = world.open().await;
    add_blocks(&world, &store, 1..4).await;
    let there = ids(&store);
    world.faulty.die();
    let late = world.open_unread();
    assert!(late.unread().is_some());
    assert_eq!(late.blocks().len(), 0);
    let error = late.find_trace(trace_id(1)).await.unwrap_err();
    assert!(
        error.is_retry() && error.to_string().contains("could not be read yet"),
        "{error}"
    );
    let block = block_of(&trace(9, 1, world.now()), made(world.now()));
    assert!(late.add(block.clone()).await.unwrap_err().is_retry());
    assert!(late.refresh().await.unwrap_err().is_retry());
    assert!(late.unread().is_some());

    world.faulty.revive();
    late.add(block).await.unwrap();
    assert_eq!(late.unread(), None);
    assert_eq!(late.blocks().len(), there.len() + 1);
    assert!(there.iter().all(|id| ids(&late).contains(id)));
    store.refresh().await.unwrap();
    assert_eq!(ids(&store), ids(&late));
    assert_eq!(
        tell_trace(&late, 2).await,
        (tell_sent(&trace(2, 1, world.now())), vec![])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_that_race_lose_no_edit_and_leave_no_gap() {
    const WRITERS: u64 = 8;
    const BLOCKS: u64 = 12;
    let world = std::sync::Arc::new(World::new());
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let store = world.open_with(|config| config.seed = Some(writer)).await;
        let (world, store) = (world.clone(), store.unwrap());
        writers.push(tokio::spawn(async move {
            add_blocks(&world, &store, writer * BLOCKS..(writer + 1) * BLOCKS).await;
            store
        }));
    }
    let mut conflicts = 0;
    let mut stores = Vec::new();
    for writer in writers {
        let store = writer.await.unwrap();
        conflicts += store.stats().conflicts;
        stores.push(store);
    }
    let fresh = world.open().await;
    assert_eq!(fresh.blocks().len() as u64, WRITERS * BLOCKS);
    assert_eq!(fresh.blocks().number(), WRITERS * BLOCKS);
    assert!(conflicts > 0, "nobody raced");
    for store in stores {
        store.refresh().await.unwrap();
        assert_eq!(ids(&store), ids(&fresh));
    }
}

#[tokio::test]
async fn adding_a_block_again_changes_nothing() {
    let world = World::new();
    let (store, other) = (world.open().await, world.open().await);
    let block = block_of(&trace(1, 3, world.now()), made(world.now()));
    store.add(block.clone()).await.unwrap();
    store.add(block.clone()).await.unwrap();
    // The other store has not heard of it yet.
    other.add(block).await.unwrap();
    assert_eq!(ids(&store), ids(&other));
    assert_eq!(world.open().await.blocks().number(), 1);
}

#[tokio::test]
async fn blocks_are_listed_by_their_newest_trace() {
    let world = World::new();
    let store = world.open().await;
    for (number, hours_ago) in [(1, 2), (2, 0), (3, 5), (4, 1)] {
        let mut start = world.now();
        start.0 -= hours_ago * HOUR;
        let block = block_of(&trace(number, 2, start), made(world.now()));
        store.add(block).await.unwrap();
    }
    let starts: Vec<_> = store.blocks().iter().map(|block| block.start_max).collect();
    assert_eq!(starts.len(), 4);
    assert!(starts.is_sorted_by(|a, b| a >= b), "{starts:?}");
}

#[tokio::test]
async fn opening_reads_one_checkpoint_and_the_edits_after_it() {
    let world = World::new();
    let store = world.open().await;
    add_blocks(&world, &store, 0..120).await;
    assert_eq!(store.stats().checkpoints, 2);
    let opened = world.open().await;
    assert_eq!(ids(&opened), ids(&store));
    let reads = opened.stats().operation(store::Operation::Get).requests;
    assert_eq!(reads, 1 + 20);
}

#[tokio::test]
async fn a_damaged_checkpoint_costs_nothing() {
    let world = World::new();
    let store = world.open().await;
    add_blocks(&world, &store, 0..110).await;
    let damages: [fn(Vec<u8>) -> Vec<u8>; 4] = [
        |bytes| bytes[..bytes.len() / 2].to_vec(),
        |_| Vec::new(),
        |_| b"{\"format\":1,\"number\":50,\"time\":0}".to_vec(),
        |mut bytes| {
            bytes[40] ^= 0xff;
            bytes
        },
    ];
    let whole = world.read(&checkpoint(100)).await;
    for damage in damages {
        world.write(&checkpoint(100), damage(whole.clone())).await;
        assert_eq!(ids(&world.open().await), ids(&store));
    }
    world.write(&checkpoint(50), b"gone".to_vec()).await;
    assert_eq!(ids(&world.open().await), ids(&store));
}

#[tokio::test]
async fn a_manifest_that_cannot_be_told_is_refused_with_the_object_to_blame() {
    for missing in [false, true] {
        let world = World::new();
        add_blocks(&world, &world.open().await, 0..60).await;
        // Covered by the checkpoint.
        world.write(&edit(30), b"{".to_vec()).await;
        assert_eq!(world.open().await.blocks().len(), 60);
        // Not covered.
        if missing {
            world.remove(&edit(55)).await;
        } else {
            world.write(&edit(55), b"{\"format\":1".to_vec()).await;
        }
        let error = world.open_with(|_| {}).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.to_string().contains(&edit(55)), "{error}");
    }
}

#[tokio::test]
async fn a_damaged_edit_of_somebody_else_leaves_a_running_store_as_it_is() {
    let world = World::new();
    let store = world.open().await;
    add_blocks(&world, &store, 0..3).await;
    world.write(&edit(4), b"[]".to_vec()).await;
    let error = store.refresh().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains(&edit(4)), "{error}");
    assert_eq!(store.blocks().len(), 3);
    let block = block_of(&trace(9, 1, world.now()), made(world.now()));
    let error = store.add(block).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

#[tokio::test]
async fn a_newer_format_is_refused_and_named() {
    let world = World::new();
    add_blocks(&world, &world.open().await, 0..1).await;
    let json = String::from_utf8(world.read(&edit(1)).await).unwrap();
    let newer = json.replace("\"format\":1,\"number\"", "\"format\":2,\"number\"");
    assert_ne!(json, newer);
    world.write(&edit(1), newer.into_bytes()).await;
    let error = world.open_with(|_| {}).await.unwrap_err();
    assert!(error.to_string().contains("newer version"), "{error}");
}

#[tokio::test]
async fn an_edit_is_json_with_an_entry_to_a_line() {
    let world = World::new();
    let store = world.open().await;
    add_blocks(&world, &store, 0..1).await;
    let json = String::from_utf8(world.read(&edit(1)).await).unwrap();
    let lines: Vec<_> = json.lines().collect();
    assert_eq!(lines.len(), 3, "{json}");
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["number"], 1);
    assert_eq!(value["reason"], "flush");
    let entry = &value["added"][0];
    assert_eq!(entry["block"]["id"], ids(&store)[0].as_str());
    assert_eq!(entry["received"], world.now().0);
    assert_eq!(
        entry["checksums"]["bloom"]["xxh3"].as_str().unwrap().len(),
        16
    );
}

#[tokio::test]
async fn a_block_of_another_tenant_or_a_bad_class_is_refused() {
    let world = World::new();
    let store = world
        .open_with(|config| config.tenant = "other".into())
        .await
        .unwrap();
    let block = block_of(&trace(1, 1, world.now()), made(world.now()));
    let error = store.add(block).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    for tenant in ["", "a/b", "..", "ä"] {
        let refused = world
            .open_with(|config| config.tenant = tenant.into())
            .await;
        assert_eq!(
            refused.unwrap_err().kind(),
            ErrorKind::Invalid,
            "{tenant:?}"
        );
    }
    assert_eq!(world.paths().await, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn superseded_objects_go_and_a_store_that_slept_through_it_finds_its_place() {
    let world = World::new();
    let (store, sleeper) = (world.open().await, world.open().await);
    add_blocks(&world, &sleeper, 0..3).await;
    add_blocks(&world, &store, 3..110).await;
    // Too early: somebody may still be reading them.
    assert_eq!(store.collect_garbage().await.unwrap().manifest_objects, 0);
    world.clock.advance(HOUR / 4);
    tokio::time::advance(Duration::from_secs(900)).await;
    assert_eq!(store.collect_garbage().await.unwrap().manifest_objects, 50);
    let left = world.paths().await;
    assert!(
        !left.contains(&edit(50)) && left.contains(&edit(51)),
        "{left:?}"
    );
    // The sleeper knows three edits. The number after them is free again, and creating it must not count.
    add_blocks(&world, &sleeper, 110..111).await;
    assert_eq!(sleeper.blocks().len(), 111);
    assert_eq!(world.open().await.blocks().len(), 111);
    assert_eq!(ids(&world.open().await), ids(&sleeper));
}
