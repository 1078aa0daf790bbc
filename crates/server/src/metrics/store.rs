//! The store's numbers: blocks, compaction, retention, requests to the object store.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use store::{Operation, OperationStats, Store, StoreStats};

use super::Scrape;

/// Numbers of one store.
#[derive(Debug)]
pub(crate) struct StoreMetrics(pub(crate) Store);

impl Collector for StoreMetrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let stats = self.0.stats();
        let mut to = Scrape(encoder);
        encode_content(&stats, &mut to)?;
        encode_compaction(&stats, &mut to)?;
        encode_requests(&stats, &mut to)
    }
}

fn encode_content(stats: &StoreStats, to: &mut Scrape<'_>) -> fmt::Result {
    to.gauge("store_blocks", "Blocks in the manifest", stats.blocks)?;
    to.gauge("store_bytes", "Bytes of their files", stats.bytes)?;
    to.gauge("store_spans", "Spans in them", stats.spans)?;
    to.gauge(
        "store_traces",
        "Traces in them; one that lies in several blocks counts in each",
        stats.traces,
    )?;
    to.gauge(
        "store_unreadable_blocks",
        "Blocks that could not be read when last tried",
        stats.unreadable_blocks,
    )?;
    to.gauge(
        "store_manifest_number",
        "Number of the newest manifest edit known",
        stats.manifest_number,
    )?;
    to.counter(
        "store_blocks_added",
        "Blocks written by flushes",
        stats.blocks_added,
    )?;
    to.counter(
        "store_manifest_commits",
        "Manifest edits committed",
        stats.commits,
    )?;
    to.counter(
        "store_manifest_conflicts",
        "Manifest edits made again because another came first",
        stats.conflicts,
    )?;
    to.counter(
        "store_manifest_checkpoints",
        "Manifest checkpoints written",
        stats.checkpoints,
    )?;
    to.counter(
        "store_expired_blocks",
        "Blocks removed by retention",
        stats.expired_blocks,
    )?;
    to.counter("store_expired_spans", "Spans in them", stats.expired_spans)?;
    to.counter(
        "store_files_deleted",
        "Files deleted of removed blocks",
        stats.files_deleted,
    )?;
    to.counter(
        "store_orphans_collected",
        "Folders deleted that a crash had left behind",
        stats.orphans_collected,
    )?;
    to.counter(
        "store_cache_hits",
        "Look-ups in the cache that found",
        stats.cache_hits,
    )?;
    to.counter(
        "store_cache_misses",
        "Look-ups in the cache that had to load",
        stats.cache_misses,
    )?;
    to.gauge("store_cache_bytes", "Bytes in the cache", stats.cache_bytes)
}

fn encode_compaction(stats: &StoreStats, to: &mut Scrape<'_>) -> fmt::Result {
    to.counter("compactions", "Compactions committed", stats.compactions)?;
    to.counter(
        "compactions_abandoned",
        "Compactions given up",
        stats.compactions_abandoned,
    )?;
    to.counter(
        "compaction_blocks_in",
        "Blocks joined by compactions",
        stats.compaction_blocks_in,
    )?;
    to.counter(
        "compaction_spans_in",
        "Spans read by compactions",
        stats.compaction_spans_in,
    )?;
    to.counter(
        "compaction_spans_out",
        "Spans written by compactions: fewer by the duplicates",
        stats.compaction_spans_out,
    )?;
    to.counter(
        "compaction_in_bytes",
        "Bytes of the blocks joined",
        stats.compaction_bytes_in,
    )?;
    to.counter(
        "compaction_out_bytes",
        "Bytes of the blocks that came of them",
        stats.compaction_bytes_out,
    )
}

fn encode_requests(stats: &StoreStats, to: &mut Scrape<'_>) -> fmt::Result {
    let by_operation = |count: fn(OperationStats) -> u64| {
        Operation::ALL.map(|operation| (operation.as_str(), count(stats.operation(operation))))
    };
    let label = "operation";
    to.counters(
        "store_requests",
        "Requests to the object store, repetitions included",
        label,
        by_operation(|o| o.requests),
    )?;
    to.counters(
        "store_request_retries",
        "Requests that were a repetition",
        label,
        by_operation(|o| o.retries),
    )?;
    to.counters(
        "store_request_failures",
        "Requests that failed and may be repeated",
        label,
        by_operation(|o| o.failures),
    )?;
    to.counters(
        "store_request_errors",
        "Operations given up",
        label,
        by_operation(|o| o.errors),
    )?;
    to.counters(
        "store_request_bytes",
        "Bytes read or written",
        label,
        by_operation(|o| o.bytes),
    )
}
