//! From a sealed generation to a block in the store. Tries for ever: nothing that was acknowledged is given up, and until
//! the block is visible its spans stay in memory, in the journal, and in answers.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use block::{BlockWriter, ColumnPlan, FinishedBlock, JournalRange, NewBlock, WriteError};
use crossbeam_channel::Sender;
use model::{Clock, DropReason};
use store::{PendingBlock, Store};
use tokio::sync::{Mutex, mpsc};

use crate::counters::{Counters, add_elapsed};
use crate::settings::Settings;
use crate::shard::Sealed;
use crate::worker::Event;

/// The tenant of everything, until there are several.
pub const TENANT: &str = "default";

/// The retention class of everything, until sampling rules assign others.
const CLASS: &str = "default";

/// Spans of a row group: large enough that dictionaries and page headers are shared by many, small enough that a query
/// reads little besides what it looks for.
const ROW_GROUP_SPANS: usize = 128 << 10;

/// Writes sealed generations to blocks.
pub(crate) struct Flusher {
    pub(crate) settings: Arc<Settings>,
    pub(crate) store: Store,
    pub(crate) journal_id: Arc<str>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) counters: Arc<Counters>,
    /// The inboxes of the shards, to tell them what is done.
    pub(crate) shards: Vec<Sender<Event>>,
}

/// The queue of sealed generations. Short: shards with more than a few waiting close the door.
pub(crate) type Queue = Arc<Mutex<mpsc::UnboundedReceiver<Arc<Sealed>>>>;

impl Flusher {
    /// Flushes one generation after the other until nobody can add to the queue. Cancelling leaves the current one to the
    /// journal, or to the store where it got that far.
    pub(crate) async fn run(self: Arc<Self>, queue: Queue) {
        loop {
            let next = queue.lock().await.recv().await;
            let Some(sealed) = next else {
                return;
            };
            self.flush(&sealed).await;
            let shard = sealed.shard;
            // Refused only when the shard was stopped, and then nobody needs to know.
            let _ = self.shards[shard].send(Event::Flushed(sealed));
        }
    }

    async fn flush(&self, sealed: &Arc<Sealed>) {
        let began = Instant::now();
        let (block, duplicates) = self.encode_until_done(sealed).await;
        let spans = block.meta().spans;
        let bytes = block.meta().byte_count();
        self.add_until_done(&block).await;
        let counters = &self.counters;
        counters.flushed_blocks.fetch_add(1, Relaxed);
        counters.flushed_bytes.fetch_add(bytes, Relaxed);
        counters.stored.fetch_add(spans, Relaxed);
        counters.count_rejected(DropReason::Duplicate, duplicates);
        tracing::debug!(
            block = %sealed.block,
            shard = sealed.shard,
            reason = sealed.reason.as_str(),
            spans,
            duplicates,
            bytes,
            millis = began.elapsed().as_millis() as u64,
            "block flushed"
        );
    }

    /// Encodes off the runtime, for it takes a tenth of a second and more.
    async fn encode_until_done(&self, sealed: &Arc<Sealed>) -> (PendingBlock, u64) {
        let mut pause = Pause::new(&self.settings);
        loop {
            let began = Instant::now();
            let task = tokio::task::spawn_blocking({
                let (sealed, new) = (sealed.clone(), self.new_block(sealed));
                let settings = self.settings.clone();
                move || encode(&sealed, new, &settings)
            });
            let error = match task.await {
                Ok(Ok(finished)) => {
                    add_elapsed(&self.counters.flush_nanos, began);
                    pause.succeeded(&self.counters);
                    let duplicates = finished.duplicates;
                    return (finished.into(), duplicates);
                }
                Ok(Err(error)) => error.to_string(),
                Err(panic) => panic.to_string(),
            };
            // A defect: the spans are safe in the journal, and a person has to look.
            tracing::error!(block = %sealed.block, %error, "cannot write a block; its spans stay in memory and journal");
            pause.failed(&self.counters).await;
        }
    }

    async fn add_until_done(&self, block: &PendingBlock) {
        let mut pause = Pause::new(&self.settings);
        while let Err(error) = self.store.add(block.clone()).await {
            tracing::warn!(
                block = %block.meta().id,
                %error,
                retry_millis = pause.next.as_millis() as u64,
                "block not stored; its spans stay in memory and journal until it is"
            );
            pause.failed(&self.counters).await;
        }
        pause.succeeded(&self.counters);
    }

    fn new_block(&self, sealed: &Sealed) -> NewBlock {
        NewBlock {
            id: sealed.block,
            tenant: TENANT.to_owned(),
            class: CLASS.to_owned(),
            level: 0,
            created: self.clock.now(),
            journal: Some(JournalRange {
                journal: self.journal_id.to_string(),
                first: sealed.first_segment(),
                last: sealed.last_segment(),
            }),
        }
    }
}

fn encode(
    sealed: &Arc<Sealed>,
    new: NewBlock,
    settings: &Settings,
) -> Result<FinishedBlock, WriteError> {
    let order = sealed.order();
    let plan = ColumnPlan::of_batch(sealed.batch(), &settings.write);
    let mut writer = BlockWriter::new(new, &settings.write, plan)?;
    for group in order.groups(ROW_GROUP_SPANS) {
        writer.write(sealed.batch(), &group)?;
    }
    writer.finish()
}

/// The pause between attempts, doubled with each failure, and the count of flushes in trouble.
struct Pause {
    next: Duration,
    longest: Duration,
    has_failed: bool,
}

impl Pause {
    fn new(settings: &Settings) -> Self {
        let (next, longest) = settings.flush_retry;
        Self {
            next,
            longest,
            has_failed: false,
        }
    }

    async fn failed(&mut self, counters: &Counters) {
        counters.flush_failures.fetch_add(1, Relaxed);
        if !self.has_failed {
            counters.flushes_failing.fetch_add(1, Relaxed);
        }
        self.has_failed = true;
        tokio::time::sleep(self.next).await;
        self.next = (self.next * 2).min(self.longest);
    }

    fn succeeded(&self, counters: &Counters) {
        if self.has_failed {
            counters.flushes_failing.fetch_sub(1, Relaxed);
        }
    }
}
