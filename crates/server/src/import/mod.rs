//! `throughline import`: recorded traces from files to a running server, through its door like everybody's.

mod open;
mod requests;
mod send;
mod shift;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::Args;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use model::{Clock as _, DurationNanos, UnixNanos};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use self::send::{Sender, Taken};
use crate::clock::SystemClock;
use crate::tls::TlsArgs;

/// Requests read ahead of the senders; each is a few MiB.
const READ_AHEAD: usize = 4;

#[derive(Debug, Args)]
#[command(after_help = "\
Kinds of files, told apart by content, plain or compressed with gzip or zstd:
  OTLP requests in protobuf, one alone or many behind little-endian u32 lengths
  OTLP or Jaeger JSON, one document or one a line

Examples:
  throughline import trace.json
  throughline import --now recorded.otlp.zst
  throughline import --endpoint http://collector:4318 *.jaeger.ndjson.zst
  throughline import --endpoint grpcs://collector --tls-ca authority.pem trace.json")]
pub(crate) struct ImportArgs {
    /// Files to import
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The OTLP endpoint of the server: http:// or grpc://, with TLS https:// or grpcs://; ports that are not given are 4318
    /// and 4317
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:4318")]
    endpoint: String,
    /// Move the traces of all files in time together, so that the newest span ends now
    #[arg(long)]
    now: bool,
    /// Requests under way at a time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    connections: u16,
    #[command(flatten)]
    tls: TlsArgs,
}

/// What became of an import.
#[derive(Debug, Default)]
struct Totals {
    requests: u64,
    bytes: u64,
    rejected: u64,
    /// The reason of the first rejection.
    message: String,
}

impl Totals {
    fn add(&mut self, bytes: usize, taken: Taken) {
        self.requests += 1;
        self.bytes += bytes as u64;
        self.rejected += taken.rejected;
        if self.message.is_empty() {
            self.message = taken.message;
        }
    }

    fn merge(&mut self, other: Self) {
        self.requests += other.requests;
        self.bytes += other.bytes;
        self.rejected += other.rejected;
        if self.message.is_empty() {
            self.message = other.message;
        }
    }
}

/// Runs the command.
pub(crate) async fn run(args: ImportArgs) -> anyhow::Result<()> {
    let sender = Sender::new(&args.endpoint, &args.tls)?;
    let by = match args.now {
        true => Some(offset_to_now(&args.files).await?),
        false => None,
    };
    let (requests, received) = mpsc::channel(READ_AHEAD);
    let reader = tokio::task::spawn_blocking(move || read_all(&args.files, by, &requests));
    let sent = send_all(&sender, received, args.connections).await;
    // The sender's failure explains the reader's, which only sees that nobody takes its requests any more.
    let mut totals = sent?;
    totals.merge(reader.await.context("reading was interrupted")??);
    report(&totals);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the report is what the command is for")]
fn report(totals: &Totals) {
    println!(
        "imported {} requests, {}",
        HumanCount(totals.requests),
        HumanBytes(totals.bytes)
    );
    if totals.rejected > 0 {
        println!(
            "rejected {} spans: {}",
            HumanCount(totals.rejected),
            totals.message
        );
    }
}

/// Reads all files into the channel. What is left out on the way is in the totals.
fn read_all(
    files: &[PathBuf],
    by: Option<DurationNanos>,
    requests: &mpsc::Sender<Bytes>,
) -> anyhow::Result<Totals> {
    let mut totals = Totals::default();
    let progress = progress_over(files, "importing")?;
    for path in files {
        for_each_request(path, &progress, |request| {
            let request = match by {
                None => request,
                Some(by) => {
                    let (request, left_out) = shift::shifted(&request, by)?;
                    totals.rejected += left_out.total();
                    if totals.message.is_empty() {
                        totals.message = left_out.first.unwrap_or_default();
                    }
                    request
                }
            };
            if requests.blocking_send(request).is_err() {
                bail!("sending ended");
            }
            Ok(())
        })?;
    }
    progress.finish_and_clear();
    Ok(totals)
}

fn for_each_request(
    path: &Path,
    progress: &ProgressBar,
    each: impl FnMut(Bytes) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let file = open::open(path, progress)?;
    requests::read(file, each).with_context(|| format!("cannot import {}", path.display()))
}

fn progress_over(files: &[PathBuf], what: &'static str) -> anyhow::Result<ProgressBar> {
    let size = |path: &PathBuf| {
        let found = std::fs::metadata(path);
        found
            .map(|file| file.len())
            .with_context(|| format!("cannot open {}", path.display()))
    };
    let total = files.iter().map(size).sum::<anyhow::Result<u64>>()?;
    let style = ProgressStyle::with_template(
        "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
    );
    let progress = ProgressBar::new(total).with_message(what);
    Ok(match style {
        Ok(style) => progress.with_style(style),
        Err(_) => progress,
    })
}

async fn offset_to_now(files: &[PathBuf]) -> anyhow::Result<DurationNanos> {
    let files = files.to_vec();
    let latest = tokio::task::spawn_blocking(move || -> anyhow::Result<Option<UnixNanos>> {
        let progress = progress_over(&files, "looking for the newest span")?;
        let mut latest = None;
        for path in &files {
            for_each_request(path, &progress, |request| {
                latest = latest.max(shift::latest_end(&request)?);
                Ok(())
            })?;
        }
        progress.finish_and_clear();
        Ok(latest)
    });
    let latest = latest.await.context("reading was interrupted")??;
    Ok(latest.map_or(DurationNanos(0), |latest| SystemClock.now().since(latest)))
}

async fn send_all(
    sender: &Sender,
    received: mpsc::Receiver<Bytes>,
    connections: u16,
) -> anyhow::Result<Totals> {
    let received = Arc::new(Mutex::new(received));
    let mut workers = JoinSet::new();
    for _ in 0..connections {
        let (mut sender, received) = (sender.clone(), Arc::clone(&received));
        workers.spawn(async move {
            let mut totals = Totals::default();
            loop {
                let request = received.lock().await.recv().await;
                let Some(request) = request else {
                    return anyhow::Ok(totals);
                };
                let bytes = request.len();
                totals.add(bytes, sender.send(request).await?);
            }
        });
    }
    let mut totals = Totals::default();
    while let Some(worker) = workers.join_next().await {
        totals.merge(worker.context("sending was interrupted")??);
    }
    Ok(totals)
}
