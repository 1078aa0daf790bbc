//! Several processes on one tenant while the object store fails at random: nothing that was added is lost or doubled.
//!
//! Each process adds blocks, trying again until it succeeds, compacts, and reads; everything runs on one thread and one
//! seed, so that a failing seed can be run again. Afterwards the weather clears and the auditor counts.

use std::time::Duration;

use store::testing::Faults;
use store::{ErrorKind, Store};

use crate::support::{HOUR, Sent, World, block_of, made, tell_all, tell_sent, tell_trace, trace};

async fn process(world: &World, number: u64) -> (Store, Vec<Sent>) {
    let store = loop {
        let opened = world
            .open_with(|config| {
                config.seed = Some(number);
                config.requests.attempts = 3;
            })
            .await;
        match opened {
            Ok(store) => break store,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Retry, "{error}"),
        }
    };
    let mut sent = Vec::new();
    for step in 0..8 {
        let spans = trace(number * 100 + step, 7, world.now());
        let block = block_of(&spans, made(world.now()));
        while let Err(error) = store.add(block.clone()).await {
            assert_eq!(error.kind(), ErrorKind::Retry, "{error}");
        }
        sent.extend(spans);
        match store.compact_now().await {
            Ok(_) => {}
            Err(error) => assert!(
                matches!(error.kind(), ErrorKind::Retry | ErrorKind::Conflict),
                "{error}"
            ),
        }
        if let Ok(found) = store
            .find_trace(crate::support::trace_id(number * 100 + step))
            .await
            && found.unreadable.is_empty()
        {
            assert_eq!(found.spans.batch.len(), 7);
        }
        if let Err(error) = store.collect_garbage().await {
            assert_eq!(error.kind(), ErrorKind::Retry, "{error}");
        }
    }
    (store, sent)
}

// Real time, with delays of a few milliseconds: rows are decoded on threads of their own, and while one of them waits for
// the object store a paused clock would stand still.
#[tokio::test]
async fn processes_in_bad_weather_lose_nothing_and_double_nothing() {
    for seed in 0..6 {
        let mut world = World::new();
        world.faulty = store::testing::FaultyStore::new(world.memory.clone(), seed);
        world.faulty.set_faults(Faults {
            fails: 0.1,
            loses_answer: 0.08,
            cuts_body: 0.05,
            delay_max: Duration::from_millis(3),
        });
        let processes = (0..3).map(|number| process(&world, number));
        let ended = futures::future::join_all(processes).await;
        world.faulty.set_faults(Faults::default());
        let sent: Vec<_> = ended.iter().flat_map(|(_, sent)| sent.clone()).collect();
        for (store, _) in &ended {
            store.refresh().await.unwrap();
            assert_eq!(tell_all(store).await, tell_sent(&sent), "seed {seed}");
            assert_eq!(store.stats().unreadable_blocks, 0, "seed {seed}");
        }
        world.clock.advance(HOUR);
        let store = world.open().await;
        store.collect_garbage().await.unwrap();
        let mut listed: Vec<_> = store.blocks().iter().map(|block| block.folder()).collect();
        listed.sort();
        assert_eq!(world.folders().await, listed, "seed {seed}");
        let (spans, unreadable) = tell_trace(&store, 203).await;
        assert_eq!((spans.len(), unreadable.len()), (7, 0), "seed {seed}");
    }
}
