//! The process dies at each single write: what is found afterwards is the old state or the new one, and nothing is left over.

use store::{PendingBlock, Store};

use crate::support::{HOUR, World, block_of, made, tell_all, tell_sent, trace};

/// Opens the store of a world whose writer has died, collects garbage an hour later, and checks that exactly the listed
/// blocks have files.
async fn recover(world: &World) -> Store {
    world.faulty.revive();
    world.clock.advance(HOUR);
    let store = world.open().await;
    store.collect_garbage().await.unwrap();
    let mut listed: Vec<_> = store.blocks().iter().map(|block| block.folder()).collect();
    listed.sort();
    assert_eq!(world.folders().await, listed);
    store
}

#[tokio::test]
async fn a_crash_while_adding_leaves_the_block_in_or_out_and_no_orphan() {
    for lands in [false, true] {
        let mut writes = 0;
        loop {
            let world = World::new();
            let spans = trace(1, 5, world.now());
            let first: PendingBlock = block_of(&spans, made(world.now()));
            world.open().await.add(first).await.unwrap();
            let more = trace(2, 5, world.now());
            let block = block_of(&more, made(world.now()));
            let store = world.open_with(|config| config.requests.attempts = 1).await;
            world.faulty.die_after(writes, lands);
            let added = store.unwrap().add(block.clone()).await;
            let complete = !world.faulty.is_dead();
            let store = recover(&world).await;
            let told = tell_all(&store).await;
            let with = tell_sent(spans.iter().chain(&more));
            if added.is_ok() {
                assert_eq!(told, with);
            } else {
                assert!(told == with || told == tell_sent(&spans), "after {writes}");
            }
            // Whoever still has the block adds it again.
            store.add(block).await.unwrap();
            assert_eq!(tell_all(&store).await, with);
            assert_eq!(store.blocks().len(), 2);
            if complete {
                break;
            }
            writes += 1;
        }
        assert!(writes >= 5, "four files and an edit are five writes");
    }
}

#[tokio::test]
async fn a_crash_while_compacting_leaves_the_inputs_or_the_output_and_no_orphan() {
    for lands in [false, true] {
        let mut writes = 0;
        loop {
            let world = World::new();
            let spans: Vec<_> = (0..40)
                .flat_map(|number| trace(number, 4, world.now()))
                .collect();
            let store = world.open_with(|config| config.requests.attempts = 1).await;
            let store = store.unwrap();
            for half in spans.chunks(80) {
                store.add(block_of(half, made(world.now()))).await.unwrap();
            }
            world.faulty.die_after(writes, lands);
            let compacted = store.compact_now().await;
            let complete = !world.faulty.is_dead();
            let store = recover(&world).await;
            assert_eq!(tell_all(&store).await, tell_sent(&spans));
            let blocks = store.blocks().len();
            if compacted.is_ok() {
                assert_eq!(blocks, 1);
            } else {
                assert!(blocks == 1 || blocks == 2, "{blocks}");
            }
            if complete {
                break;
            }
            writes += 1;
        }
        assert!(
            writes >= 6,
            "an upload of one part, three files and an edit"
        );
    }
}
