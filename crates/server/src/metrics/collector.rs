//! The collector's numbers: every stage from the door to the block, and the law.

use std::fmt;

use collect::{Collector, Outcome, SealReason, Snapshot};
use model::DropReason;
use prometheus_client::encoding::DescriptorEncoder;

use super::Scrape;

/// Numbers of one collector.
pub(crate) struct CollectorMetrics(pub(crate) Collector);

impl fmt::Debug for CollectorMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CollectorMetrics")
    }
}

impl prometheus_client::collector::Collector for CollectorMetrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let snapshot = self.0.snapshot();
        let mut to = Scrape(encoder);
        encode_law(&snapshot, &mut to)?;
        encode_door(&snapshot, &mut to)?;
        encode_shards(&snapshot, &mut to)?;
        encode_flushes(&snapshot, &mut to)
    }
}

fn encode_law(now: &Snapshot, to: &mut Scrape<'_>) -> fmt::Result {
    to.counter(
        "spans_received",
        "Spans received: accepted, rejected, or replayed from the journal",
        now.received,
    )?;
    to.counter("spans_stored", "Spans written to blocks", now.stored)?;
    to.counter(
        "spans_sampled_out",
        "Spans left out by a sampling decision",
        now.sampled_out,
    )?;
    to.counters(
        "spans_rejected",
        "Spans rejected, by reason",
        "reason",
        DropReason::ALL.map(|reason| (reason.as_str(), now.rejected_for(reason))),
    )?;
    to.gauge(
        "spans_in_flight",
        "Spans accepted that are in memory and journal, and not yet in a block",
        now.in_flight,
    )?;
    to.counter(
        "spans_replayed",
        "Spans received that came from the journal at start",
        now.replayed,
    )
}

fn encode_door(now: &Snapshot, to: &mut Scrape<'_>) -> fmt::Result {
    let outcomes = Outcome::ALL.into_iter().zip(now.requests);
    to.counters(
        "receive_requests",
        "OTLP requests whose body was received, by what became of them; requests_total has all by their code",
        "outcome",
        outcomes.map(|(outcome, count)| (outcome.as_str(), count)),
    )?;
    to.counter(
        "receive_body_bytes",
        "Bytes of requests as received",
        now.body_bytes,
    )?;
    to.counter(
        "receive_inflated_bytes",
        "Bytes of requests after decompression",
        now.inflated_bytes,
    )?;
    to.counter_f64(
        "receive_decode_seconds",
        "Time spent on decompressing and decoding",
        now.decode_time.as_secs_f64(),
    )?;
    to.counter_f64(
        "receive_journal_wait_seconds",
        "Time that requests waited for the journal",
        now.journal_wait.as_secs_f64(),
    )
}

fn encode_shards(now: &Snapshot, to: &mut Scrape<'_>) -> fmt::Result {
    let sum = |count: fn(&collect::ShardSnapshot) -> u64| now.shards.iter().map(count).sum();
    to.gauge("live_bytes", "Bytes of spans in memory", now.live_bytes())?;
    to.gauge(
        "live_traces",
        "Traces of the generations that are being filled",
        sum(|shard| shard.traces),
    )?;
    to.gauge(
        "live_inbox",
        "Batches that wait for their shard",
        sum(|shard| shard.inbox),
    )?;
    to.gauge(
        "live_sealed_generations",
        "Generations that wait for their block",
        sum(|shard| shard.sealed),
    )?;
    to.counter("assemble_spans", "Spans inserted into shards", now.inserted)?;
    to.counter_f64(
        "assemble_seconds",
        "Time spent on inserting",
        now.insert_time.as_secs_f64(),
    )?;
    to.counter(
        "assemble_late_traces",
        "Traces of which spans came after others of them had been flushed",
        now.late_traces,
    )?;
    to.counter(
        "assemble_carried_spans",
        "Spans copied into the next generation because their traces were still active",
        now.carried,
    )
}

fn encode_flushes(now: &Snapshot, to: &mut Scrape<'_>) -> fmt::Result {
    let sealed = SealReason::ALL.into_iter().zip(now.sealed);
    to.counters(
        "flush_generations",
        "Generations sealed, by reason",
        "reason",
        sealed.map(|(reason, count)| (reason.as_str(), count)),
    )?;
    to.counter("flush_blocks", "Blocks written", now.flushed_blocks)?;
    to.counter("flush_bytes", "Bytes of them", now.flushed_bytes)?;
    to.counter_f64(
        "flush_seconds",
        "Time spent on writing blocks, without the store's",
        now.flush_time.as_secs_f64(),
    )?;
    to.counter(
        "flush_failures",
        "Attempts to write a block that failed",
        now.flush_failures,
    )?;
    to.gauge(
        "flush_failing",
        "Blocks whose last attempt failed and which are being tried again",
        now.flushes_failing,
    )
}
