//! The thread around a shard: takes events from its inbox one by one, and lets time pass.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use block::BlockId;
use crossbeam_channel::{Receiver, RecvTimeoutError};
use model::{Clock, SpanBatch, TraceId, TraceSummary};
use tokio::sync::{mpsc, oneshot};

use crate::counters::{Counters, SealReason, add_elapsed};
use crate::gate::Gate;
use crate::handover::Handover;
use crate::live::Live;
use crate::route::Routed;
use crate::shard::{Counts, LiveSpans, OperationCount, Sealed, ServiceCount, Shard, TraceFilter};
use crate::steady::Steady;

/// How often a shard looks at the time when nothing comes in.
const TICK: Duration = Duration::from_millis(250);

/// Everything that can move a shard, besides time.
pub(crate) enum Event {
    /// Rows of a durable request.
    Batch(Arc<Routed>),
    /// All live spans of a trace.
    Find {
        id: TraceId,
        reply: oneshot::Sender<Live<SpanBatch>>,
    },
    /// The best traces of a list.
    List {
        filter: Arc<TraceFilter>,
        reply: oneshot::Sender<Live<Vec<TraceSummary>>>,
    },
    /// All live spans.
    Snapshot {
        reply: oneshot::Sender<Live<Vec<LiveSpans>>>,
    },
    /// What is known here of some traces.
    Summaries {
        ids: Arc<[TraceId]>,
        reply: oneshot::Sender<Live<Vec<TraceSummary>>>,
    },
    /// Services among live spans.
    Services {
        reply: oneshot::Sender<Live<BTreeMap<String, ServiceCount>>>,
    },
    /// Operations of a service among live spans.
    Operations {
        service: Arc<str>,
        reply: oneshot::Sender<Live<BTreeMap<String, OperationCount>>>,
    },
    /// A sealed generation is in a visible block.
    Flushed(Arc<Sealed>),
    /// Seal everything, and answer when it is in blocks.
    Flush { reply: oneshot::Sender<()> },
    /// End now. What is in memory is in the journal.
    Stop,
}

/// A shard with all that it talks to.
pub(crate) struct Worker {
    pub(crate) shard: Shard,
    pub(crate) index: usize,
    pub(crate) inbox: Receiver<Event>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) handover: Arc<Handover>,
    pub(crate) to_flush: mpsc::UnboundedSender<Arc<Sealed>>,
}

/// What a worker remembers between events.
struct Progress {
    steady: Steady,
    counts: Counts,
    is_congested: bool,
    /// Who waits until nothing sealed up to a sequence number is left.
    waiting: Vec<(u64, oneshot::Sender<()>)>,
}

impl Worker {
    /// Works until it is told to stop, or everybody who could tell is gone.
    pub(crate) fn run(mut self) {
        let mut progress = Progress {
            steady: Steady::new(&*self.clock),
            counts: Counts::default(),
            is_congested: false,
            waiting: Vec::new(),
        };
        loop {
            let event = match self.inbox.recv_timeout(TICK) {
                Ok(event) => Some(event),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let now = progress.steady.now(&*self.clock);
            match event {
                Some(Event::Stop) => return,
                Some(event) => self.handle(event, now, &mut progress),
                None => self.shard.tick(now),
            }
            if let Some(through) = self.handover.pressed_through() {
                self.shard.release_segments(now, through);
            }
            self.publish(&mut progress);
        }
    }

    fn handle(&mut self, event: Event, now: crate::steady::Moment, progress: &mut Progress) {
        match event {
            Event::Batch(routed) => self.insert(&routed, now),
            Event::Find { id, reply } => {
                let found = self.shard.find(id).unwrap_or_else(|error| {
                    tracing::error!(trace = %id, %error, "cannot answer with a live trace");
                    SpanBatch::default()
                });
                self.answer(reply, found);
            }
            Event::List { filter, reply } => {
                let listed = self.shard.list(&filter);
                self.answer(reply, listed);
            }
            Event::Snapshot { reply } => {
                let spans = self.shard.snapshot(now);
                self.answer(reply, spans);
            }
            Event::Summaries { ids, reply } => {
                let summaries = self.shard.summaries(&ids);
                self.answer(reply, summaries);
            }
            Event::Services { reply } => {
                let services = self.shard.services();
                self.answer(reply, services);
            }
            Event::Operations { service, reply } => {
                let operations = self.shard.operations(&service);
                self.answer(reply, operations);
            }
            Event::Flushed(sealed) => {
                self.gate.flushed(sealed.byte_count());
                self.shard.flushed(now, sealed);
                self.handover
                    .publish(self.index, self.shard.first_segment());
                self.handover.wake();
            }
            Event::Flush { reply } => {
                self.shard.seal_all(now);
                progress.waiting.push((self.shard.sequence(), reply));
            }
            Event::Stop => unreachable!("handled by the loop"),
        }
    }

    fn insert(&mut self, routed: &Routed, now: crate::steady::Moment) {
        let began = Instant::now();
        let rows = routed.routes.rows(self.index);
        self.shard
            .insert(now, &routed.batch, rows, routed.position.segment);
        self.handover
            .publish(self.index, self.shard.first_segment());
        if routed.shard_done() {
            self.handover.taken(routed.position);
        }
        add_elapsed(&self.counters.insert_nanos, began);
        self.counters.inserted.fetch_add(rows.len() as u64, Relaxed);
        // In this order a reader may count a span twice for a moment, but never miss it.
        let gauges = self.counters.shard(self.index);
        gauges.spans.store(self.shard.span_count(), Relaxed);
        self.counters.queued.fetch_sub(rows.len() as u64, Relaxed);
    }

    fn answer<T>(&self, reply: oneshot::Sender<Live<T>>, value: T) {
        let blocks: Vec<BlockId> = self.shard.sealed_blocks().collect();
        // Who asked may have gone away.
        let _ = reply.send(Live { value, blocks });
    }

    /// Hands sealed generations on and shows the world how things stand.
    fn publish(&mut self, progress: &mut Progress) {
        for sealed in self.shard.take_sealed() {
            // Refused only when the collector is being dropped; the journal has it all.
            let _ = self.to_flush.send(sealed);
        }
        let lowest_waiting = self.shard.lowest_sequence().unwrap_or(u64::MAX);
        let (done, waiting) = std::mem::take(&mut progress.waiting)
            .into_iter()
            .partition(|(sequence, _)| *sequence < lowest_waiting);
        progress.waiting = waiting;
        self.publish_numbers(progress);
        let is_congested = self.shard.is_congested();
        match (progress.is_congested, is_congested) {
            (false, true) => self.gate.close(),
            (true, false) => self.gate.reopen(),
            _ => {}
        }
        progress.is_congested = is_congested;
        for (_, reply) in done {
            let _ = reply.send(());
        }
    }

    fn publish_numbers(&self, progress: &mut Progress) {
        let gauges = self.counters.shard(self.index);
        gauges.inbox.store(self.inbox.len() as u64, Relaxed);
        gauges.spans.store(self.shard.span_count(), Relaxed);
        gauges.bytes.store(self.shard.byte_count() as u64, Relaxed);
        gauges.traces.store(self.shard.trace_count(), Relaxed);
        gauges.sealed.store(self.shard.sealed_count(), Relaxed);
        let (before, after) = (progress.counts, self.shard.counts());
        progress.counts = after;
        let counters = &self.counters;
        counters
            .carried
            .fetch_add(after.carried - before.carried, Relaxed);
        counters
            .late_traces
            .fetch_add(after.late_traces - before.late_traces, Relaxed);
        for reason in SealReason::ALL {
            let sealed = after.sealed[reason as usize] - before.sealed[reason as usize];
            counters.count_sealed(reason, sealed);
        }
    }
}
