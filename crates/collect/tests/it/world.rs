//! A machine for tests: disk, object store and clock that outlive the process, and processes that can be killed.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use collect::{Collector, Encoding, Received, Refusal, ReplayReport, Settings, Snapshot};
use futures::StreamExt as _;
use journal::testing::FaultyFiles;
use journal::{Journal, JournalConfig};
use model::{Clock, UnixNanos};
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt as _, PutPayload};
use store::testing::FaultyStore;
use store::{Store, StoreConfig};

use crate::spans::{TestSpan, batch, told, trace_id};

/// A clock that stands still until it is moved.
#[derive(Debug, Default)]
pub(crate) struct TestClock(AtomicI64);

impl TestClock {
    pub(crate) fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_nanos() as i64, Ordering::SeqCst);
    }

    pub(crate) fn step_back(&self, by: Duration) {
        self.0.fetch_sub(by.as_nanos() as i64, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> UnixNanos {
        UnixNanos(1_795_219_200_000_000_000 + self.0.load(Ordering::SeqCst))
    }
}

/// What survives a process.
pub(crate) struct World {
    pub(crate) disk: FaultyFiles,
    objects: Arc<dyn ObjectStore>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) settings: Settings,
    pub(crate) journal: JournalConfig,
}

/// A process.
pub(crate) struct Process {
    pub(crate) collector: Collector,
    pub(crate) store: Store,
    pub(crate) journal: Journal,
    pub(crate) objects: FaultyStore,
    pub(crate) replayed: ReplayReport,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut settings = Settings::for_machine(2, 64 << 20);
        settings.admission_wait = Duration::from_millis(50);
        settings.flush_retry = (Duration::from_millis(5), Duration::from_millis(20));
        Self {
            disk: FaultyFiles::new(seed),
            objects: Arc::new(InMemory::new()),
            clock: Arc::default(),
            settings,
            journal: JournalConfig {
                segment_bytes: 64 << 10,
                reserve_bytes: 0,
                ..JournalConfig::new(PathBuf::from("/journal"))
            },
        }
    }

    pub(crate) async fn start(&self) -> Process {
        let objects = FaultyStore::new(self.objects.clone(), 7);
        let mut config = StoreConfig::new(Default::default(), "default");
        config.seed = Some(7);
        config.requests.backoff_first = Duration::from_millis(1);
        config.requests.backoff_max = Duration::from_millis(5);
        let store = Store::open(config, Arc::new(objects.clone()), self.clock.clone());
        let store = store.await.unwrap();
        let (journal, recovered) =
            Journal::open(self.journal.clone(), Arc::new(self.disk.clone())).unwrap();
        let (collector, replayed) = Collector::start(
            self.settings.clone(),
            journal.clone(),
            recovered,
            store.clone(),
            self.clock.clone(),
            None,
        )
        .await
        .unwrap();
        Process {
            collector,
            store,
            journal,
            objects,
            replayed,
        }
    }

    /// Destroys the files of all blocks, but not the manifest.
    pub(crate) async fn damage_blocks(&self) {
        let all: Vec<_> = self.objects.list(None).map(Result::unwrap).collect().await;
        for object in all {
            if object.location.as_ref().contains("class=") {
                let garbage = PutPayload::from_static(b"not what was written");
                self.objects.put(&object.location, garbage).await.unwrap();
            }
        }
    }

    /// Kills the process as `kill -9` and a power cut together would.
    pub(crate) fn crash(&mut self, process: Process) {
        self.disk = self.disk.crash();
        process.objects.die();
        drop(process);
    }
}

pub(crate) fn request(spans: &[TestSpan]) -> Bytes {
    wire::otlp::encode(&batch(spans)).into()
}

impl Process {
    pub(crate) async fn send(&self, spans: &[TestSpan]) -> Result<Received, Refusal> {
        let body = request(spans);
        self.collector.receive(Encoding::Identity, body).await
    }

    /// Sends spans that must be accepted.
    pub(crate) async fn accept(&self, spans: &[TestSpan]) {
        let received = self.send(spans).await.unwrap();
        assert_eq!(received.accepted, spans.len() as u64, "{received:?}");
    }

    /// All spans of a trace, wherever they are, each with its repetitions.
    pub(crate) async fn all_of(&self, trace: u64) -> Vec<String> {
        // In this order, and without the blocks that the live answer covers.
        let live = self.collector.trace(trace_id(trace)).await.unwrap();
        let found = self.store.find_trace(trace_id(trace)).await.unwrap();
        assert_eq!(found.unreadable, Vec::<String>::new());
        let mut all = told(&live.value);
        let visible = self.store.blocks();
        let covered = live.blocks.iter().any(|id| visible.find(*id).is_some());
        assert!(!covered, "ask when nothing is being flushed");
        all.extend(told(&found.spans.batch));
        all.sort();
        all
    }

    /// The counts, after checking the law.
    pub(crate) fn counts(&self) -> Snapshot {
        let counts = self.collector.snapshot();
        assert!(counts.law_holds(), "{counts:#?}");
        counts
    }

    /// Waits until `condition` holds of the counts.
    pub(crate) async fn until(&self, condition: impl Fn(&Snapshot) -> bool) -> Snapshot {
        const PATIENCE: Duration = Duration::from_secs(30);
        let waiting = async {
            loop {
                let counts = self.collector.snapshot();
                if condition(&counts) {
                    return counts;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        waited.unwrap_or_else(|_| panic!("not in time: {:#?}", self.collector.snapshot()))
    }
}
