//! Retention counts from receipt, and removes whole blocks.

use crate::support::{HOUR, World, block_of, made, tell_all, tell_sent, trace};

const DAY: i64 = 24 * HOUR;

#[tokio::test]
async fn blocks_received_too_long_ago_are_removed_and_others_stay() {
    let world = World::new();
    let store = world.open().await;
    store
        .add(block_of(&trace(1, 3, world.now()), made(world.now())))
        .await
        .unwrap();
    world.clock.advance(10 * DAY);
    let young = trace(2, 3, world.now());
    store
        .add(block_of(&young, made(world.now())))
        .await
        .unwrap();
    assert_eq!(store.expire_once().await.unwrap().blocks, 0);
    world.clock.advance(4 * DAY + 1);
    let report = store.expire_once().await.unwrap();
    assert_eq!((report.blocks, report.spans), (1, 3));
    assert_eq!(tell_all(&store).await, tell_sent(&young));
    assert_eq!(store.stats().expired_spans, 3);
    assert_eq!(tell_all(&world.open().await).await, tell_sent(&young));
}

#[tokio::test]
async fn what_spans_say_of_their_time_does_not_shorten_or_lengthen_their_stay() {
    let world = World::new();
    let store = world.open().await;
    let ancient = trace(1, 1, model::UnixNanos(1));
    let future = trace(2, 1, model::UnixNanos(i64::MAX - HOUR));
    for spans in [&ancient, &future] {
        store.add(block_of(spans, made(world.now()))).await.unwrap();
    }
    world.clock.advance(14 * DAY);
    assert_eq!(store.expire_once().await.unwrap().blocks, 0);
    assert_eq!(
        tell_all(&store).await,
        tell_sent(ancient.iter().chain(&future))
    );
    world.clock.advance(1);
    assert_eq!(store.expire_once().await.unwrap().blocks, 2);
}

#[tokio::test]
async fn a_compacted_block_stays_as_long_as_its_youngest_span() {
    let world = World::new();
    let store = world.open().await;
    for number in 0..2 {
        let block = block_of(&trace(number, 3, world.now()), made(world.now()));
        store.add(block).await.unwrap();
        world.clock.advance(60_000_000_000);
    }
    // Long after they were received, so that the time of the compaction cannot be mistaken for it.
    world.clock.advance(5 * DAY);
    store.compact_now().await.unwrap().unwrap();
    world.clock.advance(9 * DAY - 60_000_000_000);
    assert_eq!(store.expire_once().await.unwrap().blocks, 0);
    world.clock.advance(1);
    assert_eq!(store.expire_once().await.unwrap().blocks, 1);
    assert_eq!(store.blocks().len(), 0);
}
