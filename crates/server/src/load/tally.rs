//! Counting answers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hdrhistogram::Histogram;

use super::answer::Answer;

/// Latencies are held in microseconds with this many digits, up to an hour; longer ones count as an hour.
const DIGITS: u8 = 3;
const LATENCY_MICROS_MAX: u64 = 3_600_000_000;

/// How often something went wrong, and what was said the first time.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub(super) struct Trouble {
    /// Requests.
    pub(super) requests: u64,
    /// Spans in them.
    pub(super) spans: u64,
    /// An example.
    pub(super) example: String,
}

impl Trouble {
    fn add(&mut self, requests: u64, spans: u64, example: &str) {
        self.requests += requests;
        self.spans += spans;
        if self.example.is_empty() {
            example.clone_into(&mut self.example);
        }
    }
}

/// What one connection, or all together, have seen.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) requests: u64,
    pub(super) sent_bytes: u64,
    pub(super) accepted_spans: u64,
    /// Rejected span by span, in requests that were accepted.
    pub(super) rejected: Trouble,
    /// Requests not taken, by status.
    pub(super) refused: BTreeMap<String, Trouble>,
    /// Requests without an answer, by what failed.
    pub(super) failed: BTreeMap<String, Trouble>,
    /// Of accepted requests, in microseconds.
    pub(super) latency: Histogram<u64>,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self {
            requests: 0,
            sent_bytes: 0,
            accepted_spans: 0,
            rejected: Trouble::default(),
            refused: BTreeMap::new(),
            failed: BTreeMap::new(),
            latency: Histogram::new_with_max(LATENCY_MICROS_MAX, DIGITS).expect("valid bounds"),
        }
    }

    pub(super) fn record(&mut self, answer: &Answer, spans: u64, bytes: u64, latency: Duration) {
        self.requests += 1;
        self.sent_bytes += bytes;
        match answer {
            Answer::Accepted { rejected, message } => {
                let rejected = (*rejected).min(spans);
                self.accepted_spans += spans - rejected;
                if rejected > 0 {
                    self.rejected.add(1, rejected, message);
                }
                self.latency.saturating_record(latency.as_micros() as u64);
            }
            Answer::Refused { kind, message, .. } => {
                self.refused
                    .entry(kind.clone())
                    .or_default()
                    .add(1, spans, message);
            }
            Answer::Failed { kind, message } => {
                self.failed
                    .entry((*kind).to_owned())
                    .or_default()
                    .add(1, spans, message);
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.sent_bytes += other.sent_bytes;
        self.accepted_spans += other.accepted_spans;
        self.rejected.add(
            other.rejected.requests,
            other.rejected.spans,
            &other.rejected.example,
        );
        for (into, from) in [
            (&mut self.refused, &other.refused),
            (&mut self.failed, &other.failed),
        ] {
            for (kind, trouble) in from {
                into.entry(kind.clone()).or_default().add(
                    trouble.requests,
                    trouble.spans,
                    &trouble.example,
                );
            }
        }
        self.latency.add(&other.latency).expect("the same bounds");
    }
}

/// What is shown while the load runs.
#[derive(Debug, Default)]
pub(super) struct Live {
    pub(super) accepted_spans: AtomicU64,
    pub(super) requests: AtomicU64,
    pub(super) troubles: AtomicU64,
}

impl Live {
    pub(super) fn record(&self, answer: &Answer, spans: u64) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        match answer {
            Answer::Accepted { rejected, .. } => {
                self.accepted_spans
                    .fetch_add(spans.saturating_sub(*rejected), Ordering::Relaxed);
            }
            Answer::Refused { .. } | Answer::Failed { .. } => {
                self.troubles.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}
