//! Batches as SDKs send them: the spans of one process, of many traces, in the order of their ends.

use std::collections::HashMap;
use std::sync::Arc;

use model::UnixNanos;

use crate::encode::encode;
use crate::shop::Visit;
use crate::span::{Resource, ServiceSpans, Span};

/// What an SDK puts into one request at most, by default.
pub const MAX_SPANS_PER_BATCH: usize = 512;

/// Spans of one process that are sent in one request.
#[derive(Debug, Clone)]
pub struct Batch {
    /// When the last of them ended: not before this could an SDK send them.
    pub ended: UnixNanos,
    /// The spans.
    pub spans: ServiceSpans,
}

impl Batch {
    /// The body of the request.
    pub fn encode(&self) -> Vec<u8> {
        encode([&self.spans])
    }
}

/// Gathers spans by process until they are taken.
#[derive(Debug, Default)]
pub struct Batcher {
    processes: Vec<Process>,
    /// Where the process of a resource is, by address: processes of one shop share theirs.
    places: HashMap<usize, usize>,
}

#[derive(Debug)]
struct Process {
    /// Held, so that its address stays its own.
    resource: Arc<Resource>,
    spans: Vec<Span>,
}

impl Batcher {
    /// Takes in a visit.
    pub fn add(&mut self, visit: Visit) {
        self.add_spans(visit.services);
    }

    /// Takes in spans of processes.
    pub fn add_spans(&mut self, groups: impl IntoIterator<Item = ServiceSpans>) {
        for group in groups {
            let place = *self
                .places
                .entry(Arc::as_ptr(&group.resource).addr())
                .or_insert_with(|| {
                    self.processes.push(Process {
                        resource: Arc::clone(&group.resource),
                        spans: Vec::new(),
                    });
                    self.processes.len() - 1
                });
            self.processes[place].spans.extend(group.spans);
        }
    }

    /// Spans that wait.
    pub fn len(&self) -> usize {
        self.processes
            .iter()
            .map(|process| process.spans.len())
            .sum()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes the spans that have ended by `now`, in batches of up to `max_spans`, in the order in which the batches
    /// could be sent. Spans that end later wait on.
    pub fn take_ended(&mut self, now: UnixNanos, max_spans: usize) -> Vec<Batch> {
        let mut batches = Vec::new();
        for process in &mut self.processes {
            process.spans.sort_by_key(|span| span.end);
            let ended = process.spans.partition_point(|span| span.end <= now);
            let mut spans = process.spans.drain(..ended).peekable();
            while spans.peek().is_some() {
                let spans: Vec<Span> = spans.by_ref().take(max_spans.max(1)).collect();
                batches.push(Batch {
                    ended: spans.last().map_or(now, |span| span.end),
                    spans: ServiceSpans {
                        resource: Arc::clone(&process.resource),
                        spans,
                    },
                });
            }
        }
        batches.sort_by_key(|batch| batch.ended);
        batches
    }

    /// Takes all spans, as [`Self::take_ended`] at the end of time.
    pub fn take_all(&mut self, max_spans: usize) -> Vec<Batch> {
        self.take_ended(UnixNanos(i64::MAX), max_spans)
    }
}
