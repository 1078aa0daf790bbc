//! `throughline serve`: puts the parts together, starts them in order, and ends them in order.
//!
//! Up: bind every port and lock the journal's folder (so that what is taken is known before anything is said or read),
//! answer "starting" on the ports, open the store, open and replay the journal, answer for real. Down, following the data:
//! no new requests, answer those under way, move what is in memory to blocks, stop looking after the store, and last the
//! port that tells how it stands.

mod engines;
mod ports;
mod refused;

use std::future::Future;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use api::{Cors, Edge, Limits};
use model::Clock;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use self::engines::Running as Engines;
pub(crate) use self::engines::{BLOCKS_FOLDER, JOURNAL_FOLDER};
use self::ports::Ports;
pub(crate) use self::refused::problems;
use crate::clock::SystemClock;
use crate::config::Settings;
use crate::machine;

/// Why a server could not be started, by what helps.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The configuration names something that cannot be used.
    #[error("{0}")]
    Config(String),
    /// Something did not work.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Everything is in blocks, every request was answered.
    Clean,
    /// Time ran out; what is not in blocks is in the journal.
    OutOfTime,
    /// A part ended that should not have.
    Failed,
}

/// The part of the time for a shutdown that requests under way may take; the rest is for writing.
const ANSWERING_SHARE: u32 = 4;

/// Kept of the time for a shutdown, for what comes after the writing.
const CLOSING_TIME: Duration = Duration::from_millis(250);

/// Where a server listens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addresses {
    /// The page and the APIs.
    pub(crate) http: SocketAddr,
    /// OTLP over HTTP.
    pub(crate) otlp_http: SocketAddr,
    /// OTLP over gRPC.
    pub(crate) otlp_grpc: SocketAddr,
}

impl Addresses {
    /// The same as somebody on this machine reaches them: an address that stands for all is no destination.
    pub(crate) fn reachable(self) -> Self {
        let reachable = |mut address: SocketAddr| {
            if address.ip().is_unspecified() {
                address.set_ip(match address {
                    SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                    SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
                });
            }
            address
        };
        Self {
            http: reachable(self.http),
            otlp_http: reachable(self.otlp_http),
            otlp_grpc: reachable(self.otlp_grpc),
        }
    }
}

/// A server that answers requests.
pub(crate) struct Server {
    edge: Edge,
    engines: Engines,
    addresses: Addresses,
    shutdown_time: Duration,
    /// Tasks that serve OTLP; none of them ends before `stop_intake`.
    intake: JoinSet<()>,
    stop_intake: CancellationToken,
    /// The task that serves the page; does not end before `stop_web`.
    web: JoinSet<()>,
    stop_web: CancellationToken,
}

impl Server {
    /// Starts a server; returns when it is ready.
    pub(crate) async fn start(settings: &Settings) -> Result<Self, StartError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ports = Ports::bind(settings).await?;
        let locked = engines::lock_journal(settings).await?;
        let addresses = ports.addresses();
        ports.announce();
        let edge = Edge::new(limits(settings));
        let cors = Cors {
            allowed_origins: settings.receive_cors_origins.clone(),
            max_age: settings.receive_cors_max_age,
        };
        let (stop_intake, stop_web) = (CancellationToken::new(), CancellationToken::new());
        let (mut intake, mut web) = (JoinSet::new(), JoinSet::new());
        let connections_max = settings.listen_connections_max.0;
        let otlp = api::otlp_router(edge.clone(), &cors);
        for port in [ports.otlp_http, ports.otlp_grpc] {
            intake.spawn(port.serve(
                otlp.clone(),
                edge.metrics().clone(),
                connections_max,
                stop_intake.clone(),
            ));
        }
        let page = api::web_router(edge.clone());
        web.spawn(ports.http.serve(
            page,
            edge.metrics().clone(),
            connections_max,
            stop_web.clone(),
        ));
        prepare_page();
        let engines = Engines::start(settings, locked, clock, edge.health()).await?;
        engines.connect(&edge);
        info!(page = %format!("http://{}", addresses.http), "ready");
        Ok(Self {
            edge,
            engines,
            addresses,
            shutdown_time: settings.shutdown_timeout,
            intake,
            stop_intake,
            web,
            stop_web,
        })
    }

    /// Where it listens.
    pub(crate) fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Serves until `stop` resolves or a part ends that should not, then shuts down.
    pub(crate) async fn run_until(mut self, stop: impl Future<Output = ()>) -> Ending {
        let failed = tokio::select! {
            () = stop => None,
            Some(_) = self.intake.join_next() => Some("a listener for OTLP"),
            Some(_) = self.web.join_next() => Some("the listener for the page"),
            () = self.engines.maintenance_ended() => Some("the maintenance of the store"),
        };
        if let Some(part) = failed {
            error!("{part} ended unexpectedly; shutting down");
            self.shut_down().await;
            return Ending::Failed;
        }
        self.shut_down().await
    }

    async fn shut_down(mut self) -> Ending {
        let begun = Instant::now();
        let deadline = begun + self.shutdown_time;
        info!(within = ?self.shutdown_time, "shutting down");
        self.edge.health().draining();
        self.stop_intake.cancel();
        self.engines.stop_maintenance();
        let answered = all_ended(
            &mut self.intake,
            begun + self.shutdown_time / ANSWERING_SHARE,
        )
        .await;
        if !answered {
            warn!("requests were still under way; their connections are closed");
        }
        let left = deadline.saturating_duration_since(Instant::now());
        let is_stored = self.engines.drain(left.saturating_sub(CLOSING_TIME)).await;
        self.stop_web.cancel();
        all_ended(&mut self.web, deadline).await;
        let is_clean = answered && is_stored;
        info!(is_clean, took = ?begun.elapsed(), "stopped");
        if is_clean {
            Ending::Clean
        } else {
            Ending::OutOfTime
        }
    }
}

/// Compresses the files of the page beside everything else; who asks before it is done waits for the one file. The thread
/// ends by itself, and with the process: nothing depends on it.
fn prepare_page() {
    // Builds for development read the files from disk, whenever they are asked for.
    if cfg!(debug_assertions) {
        return;
    }
    let thread = std::thread::Builder::new().name("page".into());
    if let Err(error) = thread.spawn(api::prepare_page) {
        warn!(%error, "cannot prepare the page; its first visitor waits for it");
    }
}

/// Waits until all tasks have ended; at the deadline ends them.
async fn all_ended(tasks: &mut JoinSet<()>, deadline: Instant) -> bool {
    let ended = async { while tasks.join_next().await.is_some() {} };
    let is_in_time = timeout_at(deadline, ended).await.is_ok();
    tasks.shutdown().await;
    is_in_time
}

fn limits(settings: &Settings) -> Limits {
    /// Queries mostly wait for files, so more of them than cores make sense.
    const READS_PER_CORE: usize = 4;
    let cores = machine::cores();
    Limits {
        body_bytes_max: settings.receive_body_max.as_usize(),
        bodies_bytes_max: settings.receive_bodies_max.as_usize(),
        body_time_max: settings.receive_body_timeout,
        transcodes_max: cores,
        reads_max: settings
            .read_concurrency
            .0
            .map_or(cores * READS_PER_CORE, |count| count.0),
        read_time_max: settings.read_timeout,
    }
}
