//! The report: one structure, printed as a table or as JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use indicatif::HumanCount;

use super::client::Compression;
use super::corpus::Size;
use super::endpoint::Protocol;
use super::settings::Settings;
use super::tally::{Tally, Trouble};
use super::usage::{Snapshot, Usage};

/// What was measured.
pub(super) struct Measured<'a> {
    pub(super) settings: &'a Settings,
    pub(super) size: Size,
    pub(super) tally: &'a Tally,
    pub(super) elapsed: Duration,
    pub(super) before: Snapshot,
    pub(super) after: Snapshot,
    /// How long the server went on after the last answer; none when it still was busy, or was not observed.
    pub(super) settled: Option<Duration>,
}

/// What is reported.
#[derive(Debug, serde::Serialize)]
pub(super) struct Report {
    endpoint: String,
    protocol: Protocol,
    compression: Compression,
    connections: usize,
    rate: Option<u64>,
    corpus: Size,
    elapsed_seconds: f64,
    pub(super) spans: Spans,
    requests: u64,
    sent_bytes: u64,
    rejected: Trouble,
    refused: BTreeMap<String, Trouble>,
    failed: BTreeMap<String, Trouble>,
    latency_ms: Latency,
    load: Option<Process>,
    server: Option<Process>,
    /// Seconds from the last answer until the server was idle.
    server_settled_seconds: Option<f64>,
}

#[derive(Debug, serde::Serialize)]
pub(super) struct Spans {
    pub(super) accepted: u64,
    accepted_per_second: f64,
    rejected: u64,
    not_taken: u64,
}

/// Latency of accepted requests, from when they were due (with a rate) or sent (without).
#[derive(Debug, serde::Serialize)]
struct Latency {
    p50: f64,
    p90: f64,
    p99: f64,
    p99_9: f64,
    max: f64,
}

#[derive(Debug, serde::Serialize)]
struct Process {
    cpu_seconds: f64,
    /// CPU time for each accepted span.
    cpu_micros_per_span: f64,
    peak_bytes: u64,
}

impl Report {
    pub(super) fn new(measured: &Measured<'_>) -> Self {
        let Measured {
            settings,
            size,
            tally,
            elapsed,
            before,
            after,
            settled,
        } = measured;
        let accepted = tally.accepted_spans;
        let millis = |quantile: f64| tally.latency.value_at_quantile(quantile) as f64 / 1e3;
        let not_taken = tally
            .refused
            .values()
            .chain(tally.failed.values())
            .map(|trouble| trouble.spans)
            .sum();
        Self {
            endpoint: settings.endpoint.to_string(),
            protocol: settings.endpoint.protocol,
            compression: settings.compression,
            connections: settings.connections,
            rate: settings.rate,
            corpus: *size,
            elapsed_seconds: elapsed.as_secs_f64(),
            spans: Spans {
                accepted,
                accepted_per_second: accepted as f64 / elapsed.as_secs_f64(),
                rejected: tally.rejected.spans,
                not_taken,
            },
            requests: tally.requests,
            sent_bytes: tally.sent_bytes,
            rejected: tally.rejected.clone(),
            refused: tally.refused.clone(),
            failed: tally.failed.clone(),
            latency_ms: Latency {
                p50: millis(0.5),
                p90: millis(0.9),
                p99: millis(0.99),
                p99_9: millis(0.999),
                max: tally.latency.max() as f64 / 1e3,
            },
            load: process(before.own, after.own, accepted),
            server: process(before.server, after.server, accepted),
            server_settled_seconds: settled.map(|settled| settled.as_secs_f64()),
        }
    }
}

fn process(before: Option<Usage>, after: Option<Usage>, spans: u64) -> Option<Process> {
    let cpu_seconds = after?.cpu_seconds - before?.cpu_seconds;
    Some(Process {
        cpu_seconds,
        cpu_micros_per_span: if spans == 0 {
            0.0
        } else {
            cpu_seconds * 1e6 / spans as f64
        },
        peak_bytes: after?.peak_bytes,
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per_second = |count: u64| grouped((count as f64 / self.elapsed_seconds) as u64);
        let compression = match self.compression {
            Compression::None => "",
            Compression::Gzip => ", gzip",
            Compression::Zstd => ", zstd",
        };
        writeln!(
            f,
            "{}{compression}, {} connections, {:.1} s; corpus of {} spans in {} requests, {} bytes per span",
            self.endpoint,
            self.connections,
            self.elapsed_seconds,
            grouped(self.corpus.spans),
            grouped(self.corpus.requests),
            self.corpus.bytes / self.corpus.spans.max(1),
        )?;
        writeln!(f)?;
        writeln!(
            f,
            "spans accepted  {:>14}  {:>12} /s",
            grouped(self.spans.accepted),
            per_second(self.spans.accepted)
        )?;
        writeln!(
            f,
            "requests        {:>14}  {:>12} /s",
            grouped(self.requests),
            per_second(self.requests)
        )?;
        writeln!(
            f,
            "megabytes sent  {:>14}  {:>12} /s",
            grouped(self.sent_bytes / 1_000_000),
            per_second(self.sent_bytes / 1_000_000)
        )?;
        self.troubles(f)?;
        let latency = &self.latency_ms;
        let from = if self.rate.is_some() {
            "since due"
        } else {
            "since sent"
        };
        writeln!(f)?;
        writeln!(
            f,
            "latency, ms          p50       p90       p99     p99.9       max"
        )?;
        writeln!(
            f,
            "{from:<12} {:>11.2} {:>9.2} {:>9.2} {:>9.2} {:>9.2}",
            latency.p50, latency.p90, latency.p99, latency.p99_9, latency.max
        )?;
        writeln!(f)?;
        for (name, process) in [("load", &self.load), ("server", &self.server)] {
            if let Some(process) = process {
                writeln!(
                    f,
                    "{name:<8}  CPU {:>8.2} s  {:>7.3} µs per span   peak memory {:>6} MB",
                    process.cpu_seconds,
                    process.cpu_micros_per_span,
                    process.peak_bytes / 1_000_000
                )?;
            }
        }
        match (&self.server, self.server_settled_seconds) {
            (Some(_), Some(seconds)) => writeln!(
                f,
                "the server was idle {seconds:.1} s after the last answer"
            ),
            (Some(_), None) => writeln!(
                f,
                "the server was still busy when it was looked at last: its CPU is not complete"
            ),
            (None, _) => Ok(()),
        }
    }
}

impl Report {
    fn troubles(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rejected = (self.rejected.requests > 0).then_some(("rejected", "", &self.rejected));
        let refused = self
            .refused
            .iter()
            .map(|(kind, trouble)| ("refused", kind.as_str(), trouble));
        let failed = self
            .failed
            .iter()
            .map(|(kind, trouble)| ("failed", kind.as_str(), trouble));
        let mut any = false;
        for (what, kind, trouble) in rejected.into_iter().chain(refused).chain(failed) {
            any = true;
            writeln!(
                f,
                "{:<14} {:>15}  in {} requests, such as: {}",
                format!("{what} {kind}"),
                grouped(trouble.spans),
                grouped(trouble.requests),
                trouble.example
            )?;
        }
        if any {
            Ok(())
        } else {
            writeln!(f, "nothing was rejected, refused or failed")
        }
    }
}

/// A count with its thousands apart.
pub(super) fn grouped(count: u64) -> String {
    HumanCount(count).to_string()
}
