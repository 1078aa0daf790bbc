//! What the measuring programs share: an engine over a folder of blocks, and the processor's time.

#![allow(clippy::unwrap_used, reason = "for tools")]

use std::sync::Arc;
use std::time::Duration;

use collect::{Collector, Encoding, Settings};
use journal::testing::FaultyFiles;
use journal::{Journal, JournalConfig};
use model::{Clock, UnixNanos};
use query::Query;
use shop::{Batcher, MAX_SPANS_PER_BATCH, Shop};
use store::{Store, StoreConfig};

/// What is kept in memory of blocks: enough for ten million spans.
const CACHE_BYTES: u64 = 1 << 30;

struct Still;

impl Clock for Still {
    fn now(&self) -> UnixNanos {
        UnixNanos(0)
    }
}

/// Live spans that stay so: two shards hold as many in generations that are not full.
pub const LIVE_SPANS_MAX: usize = 200_000;

/// An engine over the blocks in a folder, and what it answers from; there are no live spans yet. Nothing else may use the folder.
pub struct Opened {
    /// The engine.
    pub query: Query,
    /// The blocks.
    pub store: Store,
    /// The live spans.
    pub collector: Collector,
}

/// Opens the blocks in a folder.
///
/// # Panics
/// When there is no such store.
pub async fn open(folder: &str) -> Opened {
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
    let settings = Settings {
        flush_interval: Duration::from_secs(24 * 3600),
        ..Settings::for_machine(2, 1 << 30)
    };
    let started = Collector::start(settings, journal, recovered, store.clone(), clock, Some(1));
    let (collector, _) = started.await.unwrap();
    Opened {
        query: Query::new(collector.clone(), store.clone()),
        store,
        collector,
    }
}

impl Opened {
    /// Sends at least so many spans of the shop as it is from a time on; they stay live. At most [`LIVE_SPANS_MAX`].
    ///
    /// # Panics
    /// When they are refused.
    pub async fn send(&self, spans: usize, from: UnixNanos) {
        /// As `throughline load` has it: some 300,000 spans a second.
        const VISITS_A_SECOND: f64 = 17_000.0;
        assert!(spans <= LIVE_SPANS_MAX, "more would be written to blocks");
        let mut shop = Shop::new(8, from);
        let mut batcher = Batcher::default();
        let mut made = 0;
        for (_, visit) in shop.history(from, UnixNanos(i64::MAX), VISITS_A_SECOND) {
            if made >= spans {
                break;
            }
            made += visit.span_count();
            batcher.add(visit);
        }
        for batch in batcher.take_all(MAX_SPANS_PER_BATCH) {
            let body = batch.encode().into();
            let received = self.collector.receive(Encoding::Identity, body);
            received.await.unwrap();
        }
    }
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
