//! What the measuring programs share: an engine over a folder of blocks, and the processor's time.

#![allow(clippy::unwrap_used, reason = "for tools")]

use std::sync::Arc;

use collect::{Collector, Settings};
use journal::testing::FaultyFiles;
use journal::{Journal, JournalConfig};
use model::{Clock, UnixNanos};
use query::Query;
use store::{Store, StoreConfig};

/// What is kept in memory of blocks: enough for ten million spans.
const CACHE_BYTES: u64 = 1 << 30;

struct Still;

impl Clock for Still {
    fn now(&self) -> UnixNanos {
        UnixNanos(0)
    }
}

/// An engine over the blocks in a folder, without live spans. Nothing else may use the folder.
///
/// # Panics
/// When there is no such store.
pub async fn open(folder: &str) -> (Query, Store) {
    let clock = Arc::new(Still);
    let (objects, root) = store::open_object_store(folder).unwrap();
    let config = StoreConfig {
        cache_bytes: CACHE_BYTES,
        ..StoreConfig::new(root, "default")
    };
    let store = Store::open(config, objects, clock.clone()).await.unwrap();
    let config = JournalConfig {
        segment_bytes: 1 << 20,
        reserve_bytes: 0,
        ..JournalConfig::new("/journal")
    };
    let (journal, recovered) = Journal::open(config, Arc::new(FaultyFiles::new(1))).unwrap();
    let settings = Settings::for_machine(2, 64 << 20);
    let started = Collector::start(settings, journal, recovered, store.clone(), clock, Some(1));
    let (collector, _) = started.await.unwrap();
    (Query::new(collector, store.clone()), store)
}

/// Time that the processors have spent on this process, in milliseconds, as Linux tells it: exact to ten.
pub fn processor_millis() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split(' ')
        .collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
    // User and system time.
    (ticks(12).unwrap_or(0.0) + ticks(13).unwrap_or(0.0)) * 10.0
}
