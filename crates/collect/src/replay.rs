//! What an earlier process left in the journal, taken up again at start.
//!
//! Replay is idempotent. A crash between a block's commit and the trimming of its segments leaves spans in both; each block
//! says which segments of which journal its spans came from, so the spans of such blocks are known by their ids and passed
//! over when they come again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use block::BlockMeta;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use journal::{Entry, Position, Recovered};
use model::{SpanId, TraceId};
use store::Store;
use tokio::runtime::Handle;
use wire::otlp::DecodeLimits;

use crate::budget::Reservation;
use crate::door::Door;
use crate::request::Encoding;
use crate::route::Routes;
use crate::settings::Settings;

/// How often progress is told.
const PROGRESS: Duration = Duration::from_secs(2);

/// What a replay did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReplayReport {
    /// Records read.
    pub records: u64,
    /// Spans taken up again.
    pub spans: u64,
    /// Spans passed over because they are in blocks.
    pub stored_already: u64,
    /// Records, or segments, that could not be read or decoded.
    pub unreadable: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// Replays all records. Blocks: runs on a thread where that is allowed.
pub(crate) fn replay(
    door: &Arc<Door>,
    store: &Store,
    recovered: Recovered,
    runtime: &Handle,
) -> ReplayReport {
    let began = Instant::now();
    let mut told = began;
    let mut report = ReplayReport::default();
    let mut stored = StoredSpans::new(store, door.journal.id());
    let total = recovered.records.records_left();
    for record in recovered.records {
        match record {
            Ok((position, entry)) => {
                report.records += 1;
                runtime.block_on(stored.advance(store, position.segment));
                replay_record(door, &stored, position, &entry, runtime, &mut report);
            }
            Err(error) => {
                report.unreadable += 1;
                tracing::error!(%error, "a segment of the journal cannot be read; it is kept");
            }
        }
        if told.elapsed() >= PROGRESS {
            told = Instant::now();
            tracing::info!(
                records = report.records,
                total,
                spans = report.spans,
                "replaying the journal"
            );
        }
    }
    report.elapsed = began.elapsed();
    report
}

fn replay_record(
    door: &Arc<Door>,
    stored: &StoredSpans,
    position: Position,
    entry: &Entry,
    runtime: &Handle,
    report: &mut ReplayReport,
) {
    // What was accepted once is accepted again, even if limits have been lowered since.
    const BODY_BYTES_MAX: usize = Settings::BODY_BYTES_MAX;
    const LIMITS: DecodeLimits = DecodeLimits {
        max_span_bytes: BODY_BYTES_MAX,
    };
    let mut batch = door.pool.batch();
    let decoded = Encoding::from_number(entry.encoding)
        .ok_or_else(|| format!("unknown encoding {}", entry.encoding))
        .and_then(|encoding| {
            door.inflate_and_decode(
                encoding,
                &entry.payload,
                BODY_BYTES_MAX,
                &LIMITS,
                &mut batch,
            )
            .map_err(|refusal| refusal.to_string())
        });
    let bytes = match decoded {
        Ok((_, inflated_bytes)) => inflated_bytes.max(batch.used_byte_count()),
        Err(error) => {
            // Its bytes are as they were written, so another version wrote what this one cannot read. Not handed over, it
            // stays in the journal for one that can.
            report.unreadable += 1;
            tracing::error!(%position, %error, "a record of the journal cannot be decoded; it is kept");
            return;
        }
    };
    let reservation = runtime.block_on(wait_for_room(door, bytes));
    let routes = Routes::of(&batch, door.shards.len(), |row| {
        let span = &batch.spans[row];
        !stored.contains(span.trace_id, span.span_id, position.segment)
    });
    let taken = routes.len() as u64;
    report.spans += taken;
    report.stored_already += batch.len() as u64 - taken;
    door.counters.received.fetch_add(taken, Relaxed);
    door.counters.replayed.fetch_add(taken, Relaxed);
    door.hand_over(batch, routes, position, Some(reservation));
}

/// Blocks have to be written before more can come in, however long that takes.
async fn wait_for_room(door: &Door, bytes: usize) -> Reservation {
    loop {
        let deadline = tokio::time::Instant::now() + PROGRESS;
        if door.gate.pass(deadline).await
            && let Some(reservation) = door.budget.reserve(bytes, deadline).await
        {
            return reservation;
        }
        tracing::info!("replay waits for blocks to be written");
    }
}

/// The spans of those blocks whose journal range reaches into what is being replayed.
struct StoredSpans {
    /// Blocks not yet reached, lowest first segment first.
    ahead: VecDeque<(u64, u64, Arc<BlockMeta>)>,
    /// Span to the last segment in which it may be found again.
    spans: HashMap<(TraceId, SpanId), u64, RandomState>,
    /// Entries of `spans` when it was last cleaned of segments passed.
    cleaned: usize,
}

impl StoredSpans {
    fn new(store: &Store, journal_id: &str) -> Self {
        let mut ahead: Vec<(u64, u64, Arc<BlockMeta>)> = store
            .blocks()
            .iter()
            .filter_map(|block| {
                let range = block.journal.as_ref()?;
                (range.journal == journal_id).then(|| (range.first, range.last, block.clone()))
            })
            .collect();
        ahead.sort_by_key(|(first, ..)| *first);
        Self {
            ahead: ahead.into(),
            spans: HashMap::default(),
            cleaned: 0,
        }
    }

    /// Learns the spans of all blocks that reach into `segment`.
    async fn advance(&mut self, store: &Store, segment: u64) {
        while let Some((_, last, block)) = self.ahead.pop_front_if(|(first, ..)| *first <= segment)
        {
            if last < segment {
                continue;
            }
            self.clean(segment);
            self.learn(store, &block, last).await;
        }
    }

    /// Forgets spans of segments passed, when they may be half of all.
    fn clean(&mut self, segment: u64) {
        if self.spans.len() > 2 * self.cleaned {
            self.spans.retain(|_, last| *last >= segment);
            self.cleaned = self.spans.len();
        }
    }

    async fn learn(&mut self, store: &Store, block: &BlockMeta, last: u64) {
        /// The store repeats each request by itself; this bounds how long a start waits for one block.
        const ATTEMPTS: u32 = 5;
        const PAUSE: Duration = Duration::from_secs(1);
        for attempt in 1..=ATTEMPTS {
            let learnt = store
                .span_ids(block, |trace, span| {
                    let entry = self.spans.entry((trace, span)).or_insert(last);
                    *entry = last.max(*entry);
                })
                .await;
            let Err(error) = learnt else {
                return;
            };
            if !error.is_retry() || attempt == ATTEMPTS {
                // Rather twice than never: answers and compaction take one of two equal spans.
                tracing::error!(block = %block.id, %error, "cannot read the span ids of a block; its spans are replayed");
                return;
            }
            tracing::warn!(block = %block.id, %error, "span ids of a block not read; trying again");
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn contains(&self, trace: TraceId, span: SpanId, segment: u64) -> bool {
        self.spans
            .get(&(trace, span))
            .is_some_and(|last| segment <= *last)
    }
}
