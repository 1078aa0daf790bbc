//! `throughline load`: a load generator for any OTLP endpoint.
//!
//! It must cost next to nothing, since it mostly shares the machine with what it measures. So the requests are encoded
//! once ([`corpus`]), and sent over and over: before each sending the ids and times inside are changed in place
//! ([`patch`]), which costs a few writes per span, and the bytes go to the socket without being copied. A repetition
//! of the corpus has its own ids throughout, so traces stay whole across requests, and no trace comes twice.
//!
//! With `--rate` the load is open-loop: each request has a time at which it is due, whatever became of the ones before, and its
//! latency counts from there. A server that stalls is charged for the requests that it kept waiting.
//!
//! - [`deck`] hands out requests in turn, due and patched; [`worker`] sends them over one connection each;
//! - [`client`] speaks HTTP/1.1 and gRPC, [`answer`] tells acceptance, rejection, refusal and failure apart;
//! - [`tally`] counts, [`usage`] reads the CPU and memory of processes, [`report`] prints.

pub(crate) mod answer;
pub(crate) mod client;
mod corpus;
mod deck;
pub(crate) mod endpoint;
mod patch;
mod progress;
mod report;
mod settings;
mod tally;
mod usage;
mod worker;

#[cfg(test)]
pub(crate) mod tests;

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use model::Clock;

use crate::clock::SystemClock;
use crate::tls::TlsArgs;
use client::Compression;
use corpus::Corpus;
use deck::Deck;
use endpoint::Protocol;
use settings::Settings;
use tally::{Live, Tally};

/// Sends traces to an OTLP endpoint and measures how it takes them.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct LoadArgs {
    /// Where to send: `http://host:port` (the path /v1/traces is supplied) or `grpc://host:port`; with TLS `https://…` or
    /// `grpcs://…`. Ports that are not given are 4318 and 4317.
    #[arg(long, default_value = "http://127.0.0.1:4318", value_name = "URL")]
    pub(crate) endpoint: String,
    /// The protocol; by default the one of the endpoint's scheme.
    #[arg(long, value_enum)]
    pub(crate) protocol: Option<Protocol>,
    /// A header of each request, `NAME: VALUE`; may be repeated.
    #[arg(long = "header", value_name = "HEADER")]
    pub(crate) headers: Vec<String>,
    /// How bodies are compressed. Fresh ids make it necessary to compress each body as it is sent, which costs this process
    /// far more than anything else it does; `--replay-exact` avoids that.
    #[arg(long, value_enum, default_value_t = Compression::None)]
    pub(crate) compression: Compression,
    /// Connections, each with one request under way.
    #[arg(long, default_value_t = 8, value_name = "N")]
    pub(crate) connections: usize,
    /// Threads that serve the connections.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) threads: usize,
    /// Spans a second, such as 150k; 0 is as fast as they are taken.
    #[arg(long, default_value = "0", value_parser = settings::parse_count, value_name = "SPANS")]
    pub(crate) rate: u64,
    /// How long to send, such as 60s; by default 30s, or until the limit on spans.
    #[arg(long, value_parser = humantime::parse_duration, value_name = "TIME")]
    pub(crate) duration: Option<Duration>,
    /// Stop when this many spans were sent, such as 5M; the last request may pass it.
    #[arg(long, value_parser = settings::parse_count, value_name = "SPANS")]
    pub(crate) limit_spans: Option<u64>,
    /// Spans of each request of the built-in shop.
    #[arg(long, default_value_t = 512, value_name = "N", conflicts_with = "file")]
    pub(crate) spans_per_request: usize,
    /// Spans of the built-in shop that are made before sending begins, then repeated with fresh ids.
    #[arg(long, default_value = "200k", value_parser = settings::parse_count, value_name = "SPANS", conflicts_with = "file")]
    pub(crate) shop_spans: u64,
    /// Send a recording instead of the built-in shop: zstd, and in it messages of a little-endian 32-bit length and an
    /// `ExportTraceServiceRequest`.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Send every request byte for byte as recorded, with its ids and times: repetitions are duplicates.
    #[arg(long)]
    pub(crate) replay_exact: bool,
    /// Makes runs repeatable: the traces of the shop, and the fresh ids. By default each run has its own ids.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) seed: Option<u64>,
    /// The server's process: its CPU per accepted span and its peak memory are reported.
    #[arg(long, value_name = "PID")]
    pub(crate) server_pid: Option<u32>,
    /// After sending, wait up to this long for the server's process to become idle, so that its CPU includes the work it put off.
    #[arg(long, default_value = "20s", value_parser = humantime::parse_duration, value_name = "TIME", requires = "server_pid")]
    pub(crate) settle: Duration,
    /// Give up on a request after this long.
    #[arg(long, default_value = "30s", value_parser = humantime::parse_duration, value_name = "TIME")]
    pub(crate) timeout: Duration,
    /// Print the report as one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) tls: TlsArgs,
}

/// Runs `throughline load` and prints the report to standard output, progress to standard error.
///
/// # Errors
/// When the arguments contradict each other, the file cannot be read, the endpoint cannot be reached at all, or not one
/// span was accepted.
pub(crate) async fn run(args: LoadArgs) -> anyhow::Result<()> {
    let settings = Settings::new(args)?;
    let json = settings.json;
    let report = measure(settings.clone(), Arc::new(SystemClock)).await?;
    let text = if json {
        serde_json::to_string(&report)?
    } else {
        report.to_string()
    };
    writeln!(std::io::stdout(), "{text}").context("cannot print the report")?;
    if report.spans.accepted > 0 {
        return Ok(());
    }
    match worker::explain(&settings).await {
        Some(why) => anyhow::bail!("not one span was accepted: {why}"),
        None => anyhow::bail!("not one span was accepted"),
    }
}

/// Sends as the settings say and reports what happened.
async fn measure(settings: Settings, clock: Arc<dyn Clock>) -> anyhow::Result<report::Report> {
    let progress = progress::Progress::new(settings.json);
    progress.say("preparing requests");
    let (settings, corpus) = tokio::task::spawn_blocking(move || {
        let corpus = Corpus::load(&settings)?;
        anyhow::Ok((settings, corpus))
    })
    .await??;
    let size = corpus.size();
    let settings = Arc::new(settings);
    worker::probe(&settings).await?;
    let deck = Arc::new(Deck::new(corpus, &settings, Arc::clone(&clock)));
    let live = Arc::new(Live::default());
    let before = usage::Snapshot::take(settings.server_pid)?;
    let start = Instant::now();
    deck.start(start);
    let threads = worker::spawn(&settings, &deck, &live)?;
    progress.follow(&live, &threads).await;
    let (mut tally, mut end) = (Tally::new(), start);
    for thread in threads {
        let part = thread
            .join()
            .map_err(|_| anyhow::anyhow!("a sending thread panicked"))?;
        tally.merge(&part.tally);
        end = end.max(part.end);
    }
    let elapsed = end.duration_since(start);
    progress.say("waiting for the server to become idle");
    let settled = usage::settle(settings.server_pid, settings.settle).await?;
    let after = usage::Snapshot::take(settings.server_pid)?;
    progress.finish();
    Ok(report::Report::new(&report::Measured {
        settings: &settings,
        size,
        tally: &tally,
        elapsed,
        before,
        after,
        settled,
    }))
}
