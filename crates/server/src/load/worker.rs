//! Sending: threads with a few connections each.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::answer::Answer;
use super::client::{Connection, Target, grpc_frame};
use super::deck::{Deck, Turn};
use super::endpoint::Protocol;
use super::settings::Settings;
use super::tally::{Live, Tally};

/// The pause after a refusal that names none, and after a lost connection: long enough not to add to the trouble.
const PAUSE: Duration = Duration::from_millis(100);
/// A server that asks for more than this is not waited for that long.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Makes sure that somebody listens, so that a wrong address is told at once.
///
/// Whether a client's certificate is wanted, and ours is good, shows with TLS only in the first answer: so an empty request
/// is sent then. It has no spans, and what a server thinks of that does not matter.
pub(super) async fn probe(settings: &Settings) -> anyhow::Result<()> {
    let target = target(settings)?;
    let mut connection = target.connect().await?;
    if !target.endpoint.is_encrypted {
        return Ok(());
    }
    let protocol = target.endpoint.protocol;
    let nothing = match protocol {
        Protocol::Http => bytes::Bytes::new(),
        Protocol::Grpc => grpc_frame(&[]),
    };
    let body = settings.compression.compress(protocol, nothing)?;
    match connection.send(&target, body).await {
        Answer::Failed { message, .. } => {
            anyhow::bail!("cannot send to {}: {message}", target.endpoint)
        }
        Answer::Accepted { .. } | Answer::Refused { .. } => Ok(()),
    }
}

/// Why a whole run was in vain, where that can be told.
pub(super) async fn explain(settings: &Settings) -> Option<String> {
    let target = target(settings).ok()?;
    let is_plain_to_tls = target.is_plain_to_tls().await;
    is_plain_to_tls.then(|| {
        format!(
            "{} speaks TLS; send to {}",
            target.endpoint,
            target.endpoint.encrypted()
        )
    })
}

fn target(settings: &Settings) -> anyhow::Result<Target> {
    Target::new(
        settings.endpoint.clone(),
        settings.tls.clone(),
        settings.compression,
        &settings.headers,
        settings.timeout,
    )
}

/// What a thread has seen.
pub(super) struct Part {
    pub(super) tally: Tally,
    /// When its last answer came.
    pub(super) end: Instant,
}

/// Starts the threads. Each ends when the deck has no more turns, with what its connections have seen.
///
/// Each has a runtime of its own, single-threaded: waking other threads would cost more than the sending.
pub(super) fn spawn(
    settings: &Arc<Settings>,
    deck: &Arc<Deck>,
    live: &Arc<Live>,
) -> anyhow::Result<Vec<JoinHandle<Part>>> {
    (0..settings.threads)
        .map(|number| {
            let connections = settings.connections / settings.threads
                + usize::from(number < settings.connections % settings.threads);
            let target = Arc::new(target(settings)?);
            let worker = Worker {
                settings: Arc::clone(settings),
                deck: Arc::clone(deck),
                live: Arc::clone(live),
                target,
            };
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            std::thread::Builder::new()
                .name(format!("load-{number}"))
                .spawn(move || runtime.block_on(worker.connections(connections)))
                .context("cannot start a thread")
        })
        .collect()
}

#[derive(Clone)]
struct Worker {
    settings: Arc<Settings>,
    deck: Arc<Deck>,
    live: Arc<Live>,
    target: Arc<Target>,
}

impl Worker {
    async fn connections(self, count: usize) -> Part {
        let tasks: Vec<_> = (0..count)
            .map(|_| tokio::spawn(self.clone().connection()))
            .collect();
        let mut tally = Tally::new();
        for task in tasks {
            // A task ends early only when it panicked, which its thread has reported.
            if let Ok(part) = task.await {
                tally.merge(&part);
            }
        }
        Part {
            tally,
            end: Instant::now(),
        }
    }

    async fn connection(self) -> Tally {
        let mut tally = Tally::new();
        let mut connection = None;
        while let Some(turn) = self.deck.take() {
            let Turn { mut card, due } = turn;
            if let Some(due) = due {
                tokio::time::sleep_until(due.into()).await;
            }
            let start = due.unwrap_or_else(Instant::now);
            let body = card.lend();
            let (answer, bytes) = self.send(&mut connection, &body).await;
            card.restore(body);
            tally.record(&answer, card.spans(), bytes, start.elapsed());
            self.live.record(&answer, card.spans());
            self.deck.put(card);
            match answer {
                Answer::Accepted { .. } => {}
                Answer::Refused { retry_after, .. } => {
                    tokio::time::sleep(retry_after.unwrap_or(PAUSE).min(PAUSE_MAX)).await;
                }
                Answer::Failed { .. } => {
                    connection = None;
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        tally
    }

    /// Sends a body over the connection, opening one when there is none; the answer, and the bytes that were sent.
    async fn send(&self, slot: &mut Option<Connection>, body: &bytes::Bytes) -> (Answer, u64) {
        let protocol = self.target.endpoint.protocol;
        let body = match self.settings.compression.compress(protocol, body.clone()) {
            Ok(body) => body,
            Err(err) => return (Answer::failed("compression", err.to_string()), 0),
        };
        let bytes = body.len() as u64;
        let connection = match Connection::open(slot, &self.target).await {
            Ok(connection) => connection,
            Err(err) => return (Answer::failed("connect", format!("{err:#}")), 0),
        };
        (connection.send(&self.target, body).await, bytes)
    }
}
