//! The handle: start, receive, ask, flush, drain.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;
use std::time::Duration;

use block::{BlockId, BlockMeta};
use bytes::Bytes;
use crossbeam_channel::Sender;
use journal::{Journal, Recovered};
use model::{Clock, SpanBatch, TraceId, TraceSummary};
use parking_lot::Mutex;
use store::Store;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::{AbortHandle, spawn_blocking};
use tokio::time::{Instant, timeout_at};

use crate::budget::Budget;
use crate::counters::{Counters, Snapshot};
use crate::door::Door;
use crate::flush::{Flusher, TENANT};
use crate::gate::Gate;
use crate::handover::Handover;
use crate::ids::BlockIds;
use crate::live::{Live, Stopped};
use crate::replay::{ReplayReport, replay};
use crate::request::{Encoding, Received, Refusal};
use crate::route::shard_of;
use crate::settings::{Settings, SettingsError};
use crate::shard::{LiveSpans, OperationCount, ServiceCount, Shard, TraceFilter};
use crate::worker::{Event, Worker};

/// Receives requests and answers questions about spans not yet in a block. Cheap to clone.
///
/// Dropping the last handle stops everything at once, as a crash would: what was acknowledged is in the journal. For an
/// orderly end see [`Collector::drain`].
#[derive(Clone)]
pub struct Collector {
    door: Arc<Door>,
    machinery: Arc<Machinery>,
    /// The blocks that were there before it began.
    earlier: Arc<HashSet<BlockId>>,
}

/// The threads and tasks of a collector.
struct Machinery {
    shards: Vec<Sender<Event>>,
    flushers: Vec<AbortHandle>,
    handover: Arc<Handover>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// Why a collector could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting cannot work.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The system gave no thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] io::Error),
}

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Whether everything is in blocks and the journal is empty.
    pub is_clean: bool,
    /// Spans that were left to the journal, to be replayed at the next start.
    pub left_in_journal: u64,
}

impl Collector {
    /// Starts the shards, replays what `recovered` holds, and returns when that is done. Then requests may come.
    ///
    /// Must be called in a tokio runtime, which also runs the flushing. `seed` fixes the names of blocks for simulations.
    ///
    /// # Errors
    /// [`StartError`]
    pub async fn start(
        settings: Settings,
        journal: Journal,
        recovered: Recovered,
        store: Store,
        clock: Arc<dyn Clock>,
        seed: Option<u64>,
    ) -> Result<(Self, ReplayReport), StartError> {
        settings.check()?;
        let settings = Arc::new(settings);
        let collector = Self::assemble(&settings, journal, &store, &clock, seed)?;
        let door = collector.door.clone();
        let runtime = Handle::current();
        let report = spawn_blocking(move || replay(&door, &store, recovered, &runtime))
            .await
            .map_err(io::Error::other)?;
        if report.records > 0 || report.unreadable > 0 {
            tracing::info!(
                records = report.records,
                spans = report.spans,
                stored_already = report.stored_already,
                undecodable = report.unreadable,
                millis = report.elapsed.as_millis() as u64,
                "journal replayed"
            );
        }
        Ok((collector, report))
    }

    fn assemble(
        settings: &Arc<Settings>,
        journal: Journal,
        store: &Store,
        clock: &Arc<dyn Clock>,
        seed: Option<u64>,
    ) -> Result<Self, StartError> {
        let counters = Arc::new(Counters::new(settings.shards));
        let gate = Arc::new(Gate::new());
        let (handover, trimmer) = Handover::start(settings.shards, journal.clone())?;
        let (shards, inboxes): (Vec<_>, Vec<_>) = (0..settings.shards)
            // Unbounded by themselves: every batch in them holds a reservation, and questions are few.
            .map(|_| crossbeam_channel::unbounded())
            .unzip();
        let (to_flush, queue) = mpsc::unbounded_channel();
        let flusher = Arc::new(Flusher {
            settings: settings.clone(),
            store: store.clone(),
            journal_id: journal.id().into(),
            clock: clock.clone(),
            counters: counters.clone(),
            shards: shards.clone(),
        });
        let queue = Arc::new(tokio::sync::Mutex::new(queue));
        let machinery = Machinery {
            flushers: (0..settings.flush_concurrency)
                .map(|_| tokio::spawn(flusher.clone().run(queue.clone())).abort_handle())
                .collect(),
            shards: shards.clone(),
            handover: handover.clone(),
            threads: Mutex::new(vec![trimmer]),
        };
        for (index, inbox) in inboxes.into_iter().enumerate() {
            let ids = BlockIds::new(clock.clone(), seed, index);
            let worker = Worker {
                shard: Shard::new(index, settings.clone(), ids),
                index,
                inbox,
                clock: clock.clone(),
                counters: counters.clone(),
                gate: gate.clone(),
                handover: handover.clone(),
                to_flush: to_flush.clone(),
            };
            let thread = std::thread::Builder::new()
                .name(format!("shard-{index}"))
                .spawn(move || worker.run())?;
            machinery.threads.lock().push(thread);
        }
        let door = Door {
            budget: Budget::new(settings.in_flight_bytes_max),
            decoders: Arc::new(Semaphore::new(settings.shards)),
            settings: settings.clone(),
            journal,
            clock: clock.clone(),
            counters,
            pool: Arc::default(),
            gate,
            handover,
            shards,
            is_closed: AtomicBool::new(false),
            tenant: TENANT.into(),
        };
        Ok(Self {
            door: Arc::new(door),
            machinery: Arc::new(machinery),
            earlier: Arc::new(store.blocks().iter().map(|block| block.id).collect()),
        })
    }

    /// Whether it has written this block itself since it began. Of the traces in such blocks it says when there is more of them,
    /// [`LivePiece::is_piece`](crate::LivePiece::is_piece); of those in blocks from before, and in what came of their
    /// compaction, it knows nothing.
    pub fn has_written(&self, block: &BlockMeta) -> bool {
        let journal = block.journal.as_ref().map(|range| range.journal.as_str());
        journal == Some(self.door.journal.id()) && !self.earlier.contains(&block.id)
    }

    /// Takes one OTLP export request (protobuf, perhaps compressed). When this returns `Ok`, every accepted span survives
    /// a crash and is found by questions asked from then on. Dropping the future does not undo anything: the request may
    /// have been taken, whole.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub async fn receive(&self, encoding: Encoding, body: Bytes) -> Result<Received, Refusal> {
        self.door.receive(encoding, body).await
    }

    /// The spans of a trace that may not be in a block yet, each once; empty when there is none.
    ///
    /// # Errors
    /// [`Stopped`] after a drain; so do the questions below.
    pub async fn trace(&self, id: TraceId) -> Result<Live<SpanBatch>, Stopped> {
        let shard = shard_of(id, self.door.shards.len());
        let (reply, answer) = oneshot::channel();
        let asked = self.door.shards[shard].send(Event::Find { id, reply });
        asked.map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }

    /// The best live traces of a list, in its order.
    pub async fn list(&self, filter: &TraceFilter) -> Result<Live<Vec<TraceSummary>>, Stopped> {
        let filter = Arc::new(filter.clone());
        let mut listed = Vec::new();
        let answers = self.ask_all(|reply| Event::List {
            filter: filter.clone(),
            reply,
        });
        let blocks = fold(answers.await?, |mut summaries| {
            listed.append(&mut summaries);
        });
        filter.sort(&mut listed);
        Ok(Live {
            value: listed,
            blocks,
        })
    }

    /// All live spans as they were at most a quarter of a second ago, in no order.
    pub async fn live_spans(&self) -> Result<Live<Vec<LiveSpans>>, Stopped> {
        let mut all = Vec::new();
        let answers = self.ask_all(|reply| Event::Snapshot { reply }).await?;
        let blocks = fold(answers, |mut spans| all.append(&mut spans));
        Ok(Live { value: all, blocks })
    }

    /// The summaries of those of these traces that have live spans, in no order.
    pub async fn summaries(&self, ids: &[TraceId]) -> Result<Live<Vec<TraceSummary>>, Stopped> {
        let ids: Arc<[TraceId]> = ids.into();
        let mut found = Vec::new();
        let answers = self.ask_all(|reply| Event::Summaries {
            ids: ids.clone(),
            reply,
        });
        let blocks = fold(answers.await?, |mut summaries| found.append(&mut summaries));
        Ok(Live {
            value: found,
            blocks,
        })
    }

    /// Services among live spans, sorted by name. A span that was sent twice counts twice until its block is written.
    pub async fn services(&self) -> Result<Live<Vec<ServiceCount>>, Stopped> {
        let mut all: BTreeMap<String, ServiceCount> = BTreeMap::new();
        let answers = self.ask_all(|reply| Event::Services { reply }).await?;
        let blocks = fold(answers, |services| {
            for (name, count) in services {
                let total = all.entry(name).or_default();
                total.spans += count.spans;
                total.errors += count.errors;
                total.name = count.name;
            }
        });
        Ok(Live {
            value: all.into_values().collect(),
            blocks,
        })
    }

    /// Operations of a service among live spans, sorted by name; duplicates as with [`Self::services`].
    pub async fn operations(&self, service: &str) -> Result<Live<Vec<OperationCount>>, Stopped> {
        let service: Arc<str> = service.into();
        let mut all: BTreeMap<String, OperationCount> = BTreeMap::new();
        let answers = self.ask_all(|reply| Event::Operations {
            service: service.clone(),
            reply,
        });
        let blocks = fold(answers.await?, |operations| {
            for (name, count) in operations {
                let total = all.entry(name).or_default();
                total.spans += count.spans;
                total.roots += count.roots;
                total.name = count.name;
            }
        });
        Ok(Live {
            value: all.into_values().collect(),
            blocks,
        })
    }

    async fn ask_all<T>(
        &self,
        event: impl Fn(oneshot::Sender<T>) -> Event,
    ) -> Result<Vec<T>, Stopped> {
        let mut answers = Vec::with_capacity(self.door.shards.len());
        for shard in &self.door.shards {
            let (reply, answer) = oneshot::channel();
            shard.send(event(reply)).map_err(|_| Stopped)?;
            answers.push(answer);
        }
        let mut all = Vec::with_capacity(answers.len());
        for answer in answers {
            all.push(answer.await.map_err(|_| Stopped)?);
        }
        Ok(all)
    }

    /// Writes all live spans to blocks, whether their traces are complete or not, and returns when the blocks are visible.
    /// Waits as long as the store takes. Cancelling does not stop the writing.
    ///
    /// # Errors
    /// [`Stopped`]
    pub async fn flush(&self) -> Result<(), Stopped> {
        self.ask_all(|reply| Event::Flush { reply }).await.map(drop)
    }

    /// Stops taking requests, writes what is there to blocks if `within` allows, and ends everything. Requests that are being
    /// worked on are still answered.
    ///
    /// What is not in a block by then stays in the journal and is replayed at the next start. Call it once.
    pub async fn drain(&self, within: Duration) -> Drained {
        let deadline = Instant::now() + within;
        self.door.is_closed.store(true, Relaxed);
        let settled = timeout_at(deadline, async {
            self.door.budget.all_returned().await;
            self.flush().await
        })
        .await;
        let is_flushed = matches!(settled, Ok(Ok(())));
        let left_in_journal = self.snapshot().in_flight;
        self.machinery.stop();
        let machinery = self.machinery.clone();
        if spawn_blocking(move || machinery.join()).await.is_err() {
            tracing::error!("waiting for the shards has failed");
        }
        let is_clean = is_flushed && self.empty_journal().await;
        self.door.journal.close().await;
        Drained {
            is_clean,
            left_in_journal,
        }
    }

    /// Removes all segments, for everything is in blocks.
    async fn empty_journal(&self) -> bool {
        if let Err(error) = self.door.journal.roll().await {
            tracing::warn!(%error, "the journal's last segment stays; its spans are known by their blocks");
            return false;
        }
        let door = self.door.clone();
        spawn_blocking(move || door.handover.run_once(&door.journal))
            .await
            .is_ok()
    }

    /// All counts now.
    pub fn snapshot(&self) -> Snapshot {
        self.door.counters.snapshot()
    }

    /// The settings it was started with.
    pub fn settings(&self) -> &Settings {
        &self.door.settings
    }

    /// Bytes of requests between the door and the shards.
    pub fn in_flight_bytes(&self) -> usize {
        self.door.budget.in_use()
    }

    /// Whether requests are taken: no drain has begun, no shard has died, and no shard waits for the store.
    pub fn is_ready(&self) -> bool {
        self.door.check_open().is_ok() && !self.door.gate.is_closed()
    }
}

/// Takes answers apart, and returns the blocks of all.
fn fold<T>(answers: Vec<Live<T>>, mut each: impl FnMut(T)) -> Vec<BlockId> {
    let mut blocks = Vec::new();
    for answer in answers {
        blocks.extend(answer.blocks);
        each(answer.value);
    }
    blocks
}

impl Machinery {
    fn stop(&self) {
        for flusher in &self.flushers {
            flusher.abort();
        }
        for shard in &self.shards {
            // Refused by a shard that has stopped already.
            let _ = shard.send(Event::Stop);
        }
        self.handover.stop();
    }

    /// Waits for the threads to end. Blocks.
    fn join(&self) {
        for thread in self.threads.lock().drain(..) {
            if thread.join().is_err() {
                tracing::error!("a thread of the collector has panicked");
            }
        }
    }
}

impl Drop for Machinery {
    fn drop(&mut self) {
        self.stop();
    }
}
