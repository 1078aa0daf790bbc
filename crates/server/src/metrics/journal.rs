//! The journal's numbers.

use std::fmt;

use journal::Journal;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;

use super::Scrape;

/// Numbers of one journal.
#[derive(Debug)]
pub(crate) struct JournalMetrics(pub(crate) Journal);

impl Collector for JournalMetrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let stats = self.0.stats();
        let mut to = Scrape(encoder);
        to.gauge("journal_segments", "Files of the journal", stats.segments)?;
        to.gauge("journal_bytes", "Bytes of the journal on disk", stats.bytes)?;
        to.gauge(
            "journal_bytes_max",
            "Bytes that the journal may take",
            stats.max_bytes,
        )?;
        to.gauge_f64(
            "journal_fullness_ratio",
            "Bytes stored and on their way, as a share of the most",
            stats.fullness,
        )?;
        to.gauge(
            "journal_spare_bytes",
            "Bytes of files that wait to be written over, part of the bytes on disk",
            stats.spare_bytes,
        )?;
        to.gauge(
            "journal_records_held",
            "Durable requests that are not yet in memory",
            stats.held_records,
        )?;
        to.gauge(
            "journal_queue_records",
            "Requests that wait for a commit",
            stats.queued_records,
        )?;
        to.gauge(
            "journal_queue_bytes",
            "Bytes of requests that are not yet durable",
            stats.queued_bytes,
        )?;
        to.counter(
            "journal_records",
            "Requests made durable",
            stats.appended_records,
        )?;
        to.counter(
            "journal_written_bytes",
            "Bytes made durable",
            stats.appended_bytes,
        )?;
        to.counter(
            "journal_commits",
            "Commits: each one write and one sync",
            stats.commits,
        )?;
        to.counter_f64(
            "journal_sync_seconds",
            "Time spent in syncs",
            stats.sync_time.as_secs_f64(),
        )?;
        to.gauge_f64(
            "journal_sync_seconds_max",
            "The slowest sync since the start",
            stats.sync_time_max.as_secs_f64(),
        )?;
        to.counter(
            "journal_failures",
            "Commits and new files that failed",
            stats.failures,
        )?;
        to.counters(
            "journal_refused",
            "Requests refused by the journal, by reason",
            "reason",
            [
                ("full", stats.refused_full),
                ("queue", stats.refused_queue),
                ("disk", stats.refused_disk),
                ("size", stats.refused_size),
            ],
        )?;
        to.counter(
            "journal_trimmed_segments",
            "Files given up because their spans are in blocks",
            stats.trimmed_segments,
        )?;
        to.counter(
            "journal_trimmed_bytes",
            "Bytes of these",
            stats.trimmed_bytes,
        )?;
        to.counter(
            "journal_reused_files",
            "Files begun over one that was given up",
            stats.reused_files,
        )?;
        to.counter(
            "journal_torn_bytes",
            "Bytes of unfinished commits cut off at the start; nobody was told that they were durable",
            stats.torn_bytes_cut,
        )?;
        to.counter(
            "journal_damages",
            "Findings of damage at the start: acknowledged requests that cannot be read, or odd files; the log names each",
            stats.damage_found,
        )?;
        to.gauge(
            "journal_failing",
            "1 while the journal refuses to write",
            u64::from(stats.failing.is_some()),
        )
    }
}
