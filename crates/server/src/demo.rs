//! `throughline demo`: the simulated shop as senders, over loopback like everybody else.
//!
//! First an hour of history as fast as the server takes it, then live traffic. Each service of the shop has a connection
//! of its own, over gRPC or HTTP, compressed or not, as SDKs of its language have by default or often.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use model::{Clock, DurationNanos, UnixNanos, Value};
use shop::{Batch, Batcher, MAX_SPANS_PER_BATCH, Resource, Shop};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::clock::SystemClock;
use crate::load::answer::Answer;
use crate::load::client::{Compression, Connection, Target, grpc_frame};
use crate::load::endpoint::{Endpoint, Protocol};

/// How far the history reaches back, and in which steps it is made: a step's spans are in memory at once.
const HISTORY: DurationNanos = DurationNanos::from_secs(3_600);
const HISTORY_STEP: DurationNanos = DurationNanos::from_secs(300);
/// Visits a second, then and now, so that charts show one shop and not a wall where its history ends: an hour of some 170,000
/// spans, and enough live traffic to see things move.
const VISITS_PER_SECOND: f64 = 2.0;
/// How often live spans are sent. SDKs wait up to five seconds; this is more fun to watch.
const LIVE_TICK: Duration = Duration::from_secs(1);
/// After a pause of the machine, no more than this is made up for.
const LIVE_GAP_MAX: DurationNanos = DurationNanos::from_secs(10);
/// Requests that wait for a service's connection; the maker of history waits when they are too many.
const QUEUE_REQUESTS: usize = 16;
/// A request is given up after so many refusals, each followed by the pause that the server asks for, or this one.
const ATTEMPTS: usize = 30;
const PAUSE: Duration = Duration::from_millis(200);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// As the SDKs have it.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(10);

/// The running server.
#[derive(Debug, Clone)]
pub(crate) struct DemoTarget {
    /// Where it takes OTLP over HTTP.
    pub(crate) http: SocketAddr,
    /// Where it takes OTLP over gRPC.
    pub(crate) grpc: SocketAddr,
    /// The page to look at.
    pub(crate) page_url: String,
}

/// Sends the history, prints the link to the page, and sends live traffic until `cancel`.
///
/// # Errors
/// When the history cannot be sent, or nothing can be printed. Refused live traffic is retried for a while, then dropped.
pub(crate) async fn run(target: DemoTarget, cancel: CancellationToken) -> anyhow::Result<()> {
    let pace = Pace {
        history: HISTORY,
        tick: LIVE_TICK,
        attempts: ATTEMPTS,
    };
    let demo = Demo::new(&target, pace, Arc::new(SystemClock));
    let mut out = std::io::stdout();
    tokio::select! {
        () = cancel.cancelled() => Ok(()),
        ended = demo.run(&target.page_url, &mut out) => ended,
    }
}

/// How long everything takes.
#[derive(Debug, Clone, Copy)]
struct Pace {
    history: DurationNanos,
    tick: Duration,
    /// Until a request is given up.
    attempts: usize,
}

/// The shop and its exporters. Dropping it ends all sending.
struct Demo {
    clock: Arc<dyn Clock>,
    pace: Pace,
    maker: Maker,
    exporters: Exporters,
}

impl Demo {
    fn new(target: &DemoTarget, pace: Pace, clock: Arc<dyn Clock>) -> Self {
        let opened = clock.now().saturating_add(DurationNanos(-pace.history.0));
        // Another shop each time: a demo that goes on with old data must not repeat old ids.
        let seed = opened.0 as u64;
        Self {
            clock,
            pace,
            maker: Maker {
                shop: Shop::new(seed, opened),
                batcher: Batcher::default(),
                made_until: opened,
            },
            exporters: Exporters::new(target, pace.attempts),
        }
    }

    async fn run(mut self, page_url: &str, out: &mut (impl Write + Send)) -> anyhow::Result<()> {
        self.send_history().await?;
        let counts = &self.exporters.counts;
        let accepted = counts.accepted_spans.load(Ordering::Relaxed);
        anyhow::ensure!(
            accepted > 0,
            "the server took nothing of the demo's history: {}",
            counts.last_trouble()
        );
        writeln!(
            out,
            "\nAn hour of the shop is in: {} spans of {} services. Live traffic follows.\n\n    {page_url}\n",
            HumanCount(accepted),
            Shop::services().count()
        )
        .context("cannot print the link to the page")?;
        self.send_live().await
    }

    async fn send_history(&mut self) -> anyhow::Result<()> {
        let until = self.clock.now();
        let bar = ProgressBar::new((self.pace.history.0 / HISTORY_STEP.0) as u64);
        bar.set_style(ProgressStyle::with_template(
            "an hour of the shop {wide_bar} {msg}",
        )?);
        while self.maker.made_until < until {
            let step = self
                .maker
                .made_until
                .saturating_add(HISTORY_STEP)
                .min(until);
            self.send_until(step).await?;
            bar.inc(1);
            bar.set_message(format!(
                "{} spans",
                self.exporters.counts.accepted_spans.load(Ordering::Relaxed)
            ));
        }
        self.exporters.flush().await;
        bar.finish_and_clear();
        Ok(())
    }

    async fn send_live(&mut self) -> anyhow::Result<()> {
        let mut tick = tokio::time::interval(self.pace.tick);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let now = self.clock.now();
            let earliest = now.saturating_add(DurationNanos(-LIVE_GAP_MAX.0));
            self.maker.made_until = self.maker.made_until.max(earliest);
            // When the clock steps back, the shop pauses until it has caught up.
            self.send_until(now).await?;
        }
    }

    /// Makes the visits up to `until` and hands the spans that have ended by then to the exporters.
    async fn send_until(&mut self, until: UnixNanos) -> anyhow::Result<()> {
        let mut maker = std::mem::replace(&mut self.maker, Maker::closed());
        let made = tokio::task::spawn_blocking(move || {
            let batches = maker.make(until);
            (maker, batches)
        });
        let (maker, batches) = made.await.context("cannot make visits")?;
        self.maker = maker;
        for batch in batches {
            self.exporters.export(batch).await;
        }
        Ok(())
    }
}

/// Makes visits. Runs outside of the threads that serve, because a step of history costs some hundred milliseconds.
struct Maker {
    shop: Shop,
    batcher: Batcher,
    made_until: UnixNanos,
}

impl Maker {
    /// Stands in while the real one is busy.
    fn closed() -> Self {
        Self {
            shop: Shop::new(0, UnixNanos(0)),
            batcher: Batcher::default(),
            made_until: UnixNanos(0),
        }
    }

    fn make(&mut self, until: UnixNanos) -> Vec<Batch> {
        let visits = self.shop.history(self.made_until, until, VISITS_PER_SECOND);
        for (_, visit) in visits {
            self.batcher.add(visit);
        }
        self.made_until = self.made_until.max(until);
        self.batcher.take_ended(until, MAX_SPANS_PER_BATCH)
    }
}

/// A connection for each service, opened when its first span is sent.
struct Exporters {
    http: SocketAddr,
    grpc: SocketAddr,
    attempts: usize,
    queues: HashMap<String, mpsc::Sender<Export>>,
    /// Ends the tasks when dropped.
    tasks: JoinSet<()>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    accepted_spans: AtomicU64,
    last_trouble: parking_lot::Mutex<String>,
}

impl Counts {
    fn last_trouble(&self) -> String {
        self.last_trouble.lock().clone()
    }
}

enum Export {
    Request {
        message: Bytes,
        spans: u64,
    },
    /// Answered when everything before it is done.
    Flush(oneshot::Sender<()>),
}

impl Exporters {
    fn new(target: &DemoTarget, attempts: usize) -> Self {
        Self {
            http: target.http,
            grpc: target.grpc,
            attempts,
            queues: HashMap::new(),
            tasks: JoinSet::new(),
            counts: Arc::default(),
        }
    }

    async fn export(&mut self, batch: Batch) {
        let resource = &batch.spans.resource;
        let queue = match self.queues.get(resource.service()) {
            Some(queue) => queue.clone(),
            None => {
                let (queue, exports) = mpsc::channel(QUEUE_REQUESTS);
                let exporter = self.exporter(resource);
                self.tasks.spawn(exporter.run(exports));
                self.queues
                    .insert(resource.service().to_owned(), queue.clone());
                queue
            }
        };
        let request = Export::Request {
            message: batch.encode().into(),
            spans: batch.spans.spans.len() as u64,
        };
        // The other end lives as long as the queue.
        let _ = queue.send(request).await;
    }

    fn exporter(&self, resource: &Resource) -> Exporter {
        let (protocol, compression) = habit(resource);
        let address = match protocol {
            Protocol::Http => self.http,
            Protocol::Grpc => self.grpc,
        };
        Exporter {
            endpoint: Endpoint::at(address, protocol),
            compression,
            attempts: self.attempts,
            counts: Arc::clone(&self.counts),
        }
    }

    /// Waits until everything handed over so far was answered, or given up.
    async fn flush(&self) {
        for queue in self.queues.values() {
            let (done, flushed) = oneshot::channel();
            if queue.send(Export::Flush(done)).await.is_ok() {
                // Not answered only when the exporter is gone, and with it what it had to do.
                let _ = flushed.await;
            }
        }
    }
}

/// How SDKs of a language export: by default, or as most people set them.
fn habit(resource: &Resource) -> (Protocol, Compression) {
    let language = match shop::find(&resource.attributes, "telemetry.sdk.language") {
        Some(Value::Str(language)) => language.as_str(),
        _ => "",
    };
    match language {
        "go" | "rust" | "cpp" => (Protocol::Grpc, Compression::None),
        "java" | "dotnet" => (Protocol::Grpc, Compression::Gzip),
        "python" | "ruby" => (Protocol::Http, Compression::Gzip),
        _ => (Protocol::Http, Compression::None),
    }
}

/// Sends the requests of one service, one after the other.
struct Exporter {
    endpoint: Endpoint,
    compression: Compression,
    attempts: usize,
    counts: Arc<Counts>,
}

impl Exporter {
    async fn run(self, mut exports: mpsc::Receiver<Export>) {
        let endpoint = self.endpoint.clone();
        let target = match Target::new(endpoint, None, self.compression, &[], EXPORT_TIMEOUT) {
            Ok(target) => target,
            Err(err) => {
                *self.counts.last_trouble.lock() = format!("{err:#}");
                return;
            }
        };
        let mut connection = None;
        while let Some(export) = exports.recv().await {
            match export {
                Export::Request { message, spans } => {
                    self.export(&target, &mut connection, &message, spans).await;
                }
                // Nobody waits any more: the demo was cancelled.
                Export::Flush(done) => drop(done.send(())),
            }
        }
    }

    async fn export(
        &self,
        target: &Target,
        slot: &mut Option<Connection>,
        message: &Bytes,
        spans: u64,
    ) {
        let body = match self.endpoint.protocol {
            Protocol::Http => message.clone(),
            Protocol::Grpc => grpc_frame(message),
        };
        let body = match self.compression.compress(self.endpoint.protocol, body) {
            Ok(body) => body,
            Err(err) => return self.trouble(&err.to_string()),
        };
        for _ in 0..self.attempts {
            let answer = match Connection::open(slot, target).await {
                Ok(connection) => connection.send(target, body.clone()).await,
                Err(err) => Answer::failed("connect", format!("{err:#}")),
            };
            let pause = match answer {
                Answer::Accepted { rejected, .. } => {
                    let accepted = spans.saturating_sub(rejected);
                    self.counts
                        .accepted_spans
                        .fetch_add(accepted, Ordering::Relaxed);
                    return;
                }
                Answer::Refused {
                    kind,
                    message,
                    retry_after,
                } => {
                    self.trouble(&format!("{kind}: {message}"));
                    retry_after.unwrap_or(PAUSE).min(PAUSE_MAX)
                }
                Answer::Failed { kind, message } => {
                    self.trouble(&format!("{kind}: {message}"));
                    *slot = None;
                    PAUSE
                }
            };
            tokio::time::sleep(pause).await;
        }
        tracing::warn!(
            endpoint = %self.endpoint,
            spans,
            reason = self.counts.last_trouble(),
            "demo spans given up"
        );
    }

    fn trouble(&self, text: &str) {
        text.clone_into(&mut self.counts.last_trouble.lock());
    }
}
