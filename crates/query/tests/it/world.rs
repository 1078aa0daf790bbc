//! Engines over a temporary folder and a store in memory, and the ways in which spans can lie in them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use collect::{Collector, Encoding, Settings};
use journal::testing::FaultyFiles;
use journal::{Journal, JournalConfig};
use model::{Clock, UnixNanos};
use query::Query;
use store::testing::FaultyStore;
use store::{Store, StoreConfig};
use testkit::trace::{Trace, split, to_batch};

/// A clock that stands still until it is moved.
struct Moved(AtomicI64);

impl Clock for Moved {
    fn now(&self) -> UnixNanos {
        UnixNanos(self.0.load(Relaxed))
    }
}

/// Where spans are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// All in memory.
    Live,
    /// All in blocks, each trace in one.
    Blocks,
    /// In blocks, traces dealt out to several.
    Pieces,
    /// Traces dealt out to blocks and memory.
    Mixed,
    /// Traces dealt out to a block and memory, spans of both sent again: into memory what is in the block, and what is in memory.
    Resent,
    /// All in blocks, and half of each trace sent again after a restart.
    Again,
    /// Traces dealt out to blocks from before a restart and memory after it.
    Restarted,
}

/// An engine that holds some traces.
pub(crate) struct World {
    pub(crate) query: Query,
    collector: Collector,
    store: Store,
    clock: Arc<Moved>,
}

impl World {
    pub(crate) async fn new(traces: &[Trace], place: Place, seed: u64) -> Self {
        let world = Self::empty(seed).await;
        match place {
            Place::Live => world.send(traces).await,
            Place::Blocks => world.write_whole(traces).await,
            Place::Pieces => {
                for part in split(traces, 3, seed) {
                    world.send(&part).await;
                    world.collector.flush().await.unwrap();
                }
            }
            Place::Mixed => {
                let parts = split(traces, 2, seed);
                world.send(&parts[0]).await;
                world.collector.flush().await.unwrap();
                world.send(&parts[1]).await;
            }
            Place::Resent => {
                let parts = split(traces, 3, seed);
                world.send(&parts[0]).await;
                world.write_whole(&parts[1]).await;
                for part in [1, 2, 2] {
                    world.send(&parts[part]).await;
                }
            }
            Place::Restarted => {
                let parts = split(traces, 2, seed);
                world.write_whole(&parts[0]).await;
                let world = Self::over(world.store, world.clock, seed).await;
                world.send(&parts[1]).await;
                return world;
            }
            Place::Again => {
                world.write_whole(traces).await;
                let world = Self::over(world.store, world.clock, seed).await;
                world.send(&split(traces, 2, seed)[1]).await;
                return world;
            }
        }
        world
    }

    pub(crate) async fn empty(seed: u64) -> Self {
        Self::faulty(seed).await.0
    }

    /// An empty engine over a store to which things can happen.
    pub(crate) async fn faulty(seed: u64) -> (Self, FaultyStore) {
        let clock = Arc::new(Moved(AtomicI64::new(1_795_253_400_000_000_000)));
        let (objects, root) = store::open_object_store("memory://").unwrap();
        let faulty = FaultyStore::new(objects, seed);
        let mut config = StoreConfig::new(root, "default");
        config.requests.attempts = 1;
        let store = Store::open(config, Arc::new(faulty.clone()), clock.clone());
        let world = Self::over(store.await.unwrap(), clock, seed).await;
        (world, faulty)
    }

    /// A collector that has just begun, over a store.
    async fn over(store: Store, clock: Arc<Moved>, seed: u64) -> Self {
        let config = JournalConfig {
            segment_bytes: 1 << 20,
            reserve_bytes: 0,
            ..JournalConfig::new("/journal")
        };
        let files = Arc::new(FaultyFiles::new(seed));
        let (journal, recovered) = Journal::open(config, files).unwrap();
        let settings = Settings::for_machine(2, 64 << 20);
        let (collector, _) = Collector::start(
            settings,
            journal,
            recovered,
            store.clone(),
            clock.clone(),
            Some(seed),
        )
        .await
        .unwrap();
        Self {
            query: Query::new(collector.clone(), store.clone()),
            collector,
            store,
            clock,
        }
    }

    /// Sends traces and has them written when nothing has come for a while, so that those with a root are taken for whole.
    pub(crate) async fn write_whole(&self, traces: &[Trace]) {
        self.send(traces).await;
        self.clock.0.fetch_add(1_000_000_000, Relaxed);
        self.collector.flush().await.unwrap();
    }

    pub(crate) async fn send(&self, traces: &[Trace]) {
        let spans: usize = traces.iter().map(|trace| trace.spans.len()).sum();
        if spans == 0 {
            return;
        }
        let body = wire::otlp::encode(&to_batch(traces));
        let received = self.collector.receive(Encoding::Identity, body.into());
        let received = received.await.unwrap();
        assert_eq!(received.accepted, spans as u64, "{received:?}");
    }
}
