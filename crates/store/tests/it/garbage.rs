//! What is deleted, and what is not yet.

use std::time::Duration;

use store::GarbageReport;
use tokio_util::sync::CancellationToken;

use crate::support::{
    HOUR, MINUTE, World, block_of, made, tell, tell_all, tell_sent, trace, trace_id,
};

const ORPHAN: &str = "tenant=acme/class=default/date=2020-01-01/01ARZ3NDEKTSV4RRFFQ69G5FAV";

#[tokio::test]
async fn files_of_removed_blocks_stay_for_queries_that_have_begun() {
    let world = World::new();
    let store = world.open().await;
    let spans: Vec<_> = (0..4)
        .flat_map(|number| trace(number, 3, world.now()))
        .collect();
    for part in spans.chunks(6) {
        store.add(block_of(part, made(world.now()))).await.unwrap();
    }
    let before = store.blocks();
    store.compact_now().await.unwrap().unwrap();
    world.clock.advance(9 * MINUTE);
    assert_eq!(
        store.collect_garbage().await.unwrap(),
        GarbageReport::default()
    );
    // A query that took its list of blocks before the compaction.
    let table = store.trace_table(&before[0]).await.unwrap();
    let rows: Vec<_> = (0..table.len()).map(|index| table.rows(index)).collect();
    let late = store.read_rows(&before[0], &rows).await.unwrap();
    assert_eq!(tell(&late).len(), 6);
    world.clock.advance(2 * MINUTE);
    let report = store.collect_garbage().await.unwrap();
    assert_eq!(report.removed_blocks, 2);
    assert_eq!(world.folders().await, [store.blocks()[0].folder()]);
    assert_eq!(tell_all(&store).await, tell_sent(&spans));
    assert_eq!(
        store.collect_garbage().await.unwrap(),
        GarbageReport::default()
    );
}

#[tokio::test]
async fn an_orphan_goes_after_the_grace_period_and_strangers_stay() {
    let world = World::new();
    let store = world.open().await;
    let strangers = [
        "tenant=acme/notes.txt",
        "tenant=acme/class=default/date=2020-01-01/readme/x",
        "tenant=else/class=default/date=2020-01-01/01ARZ3NDEKTSV4RRFFQ69G5FAV/spans.parquet",
    ];
    for path in strangers {
        world.write(path, b"mine".to_vec()).await;
    }
    for file in ["spans.parquet", "trace_id.bloom"] {
        world
            .write(&format!("{ORPHAN}/{file}"), b"half".to_vec())
            .await;
    }
    // Without any manifest it might have been the manifest that got lost.
    world.clock.advance(HOUR);
    assert_eq!(store.collect_garbage().await.unwrap().orphans, 0);
    store
        .add(block_of(&trace(1, 1, world.now()), made(world.now())))
        .await
        .unwrap();
    assert_eq!(store.collect_garbage().await.unwrap().orphans, 1);
    let left = world.paths().await;
    assert!(
        !left.iter().any(|path| path.starts_with(ORPHAN)),
        "{left:?}"
    );
    for path in strangers {
        assert!(left.iter().any(|other| other == path), "{path}");
    }
    assert_eq!(store.stats().orphans_collected, 1);
}

#[tokio::test]
async fn a_block_that_another_process_has_added_is_no_orphan() {
    let world = World::new();
    let (store, other) = (world.open().await, world.open().await);
    let (mine, theirs) = (trace(1, 2, world.now()), trace(2, 2, world.now()));
    store.add(block_of(&mine, made(world.now()))).await.unwrap();
    other
        .add(block_of(&theirs, made(world.now())))
        .await
        .unwrap();
    world.clock.advance(HOUR);
    // This store does not know of the other's block when it begins.
    assert_eq!(store.blocks().len(), 1);
    assert_eq!(store.collect_garbage().await.unwrap().orphans, 0);
    assert_eq!(
        tell_all(&store).await,
        tell_sent(mine.iter().chain(&theirs))
    );
}

#[tokio::test(start_paused = true)]
async fn maintenance_joins_expires_and_tidies_until_it_is_told_to_stop() {
    let world = World::new();
    let store = world.open().await;
    let spans: Vec<_> = (0..8)
        .flat_map(|number| trace(number, 2, world.now()))
        .collect();
    for part in spans.chunks(2) {
        store.add(block_of(part, made(world.now()))).await.unwrap();
    }
    let cancel = CancellationToken::new();
    let keeper = tokio::spawn({
        let (store, cancel) = (store.clone(), cancel.clone());
        async move { store.maintain(cancel).await }
    });
    let soon = |done: fn(&store::StoreStats) -> bool| {
        let store = store.clone();
        async move {
            // Time is the test's: it moves as fast as nothing else is to be done.
            let all = async {
                while !done(&store.stats()) {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            };
            let limit = Duration::from_secs(2 * 3600);
            tokio::time::timeout(limit, all).await.unwrap();
        }
    };
    soon(|stats| stats.compactions == 1).await;
    assert_eq!(tell_all(&store).await, tell_sent(&spans));
    world.clock.advance(HOUR);
    soon(|stats| stats.files_deleted == 8 * 4).await;
    assert_eq!(world.folders().await.len(), 1);
    world.clock.advance(15 * 24 * HOUR);
    soon(|stats| stats.blocks == 0).await;
    world.clock.advance(HOUR);
    soon(|stats| stats.files_deleted == 9 * 4).await;
    cancel.cancel();
    keeper.await.unwrap();
    let found = store.find_trace(trace_id(1)).await.unwrap();
    assert!(found.spans.batch.is_empty() && found.unreadable.is_empty());
}
