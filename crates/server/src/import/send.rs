//! Sends requests to an OTLP endpoint and comes back when told to.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{anyhow, bail};
use bytes::Bytes;
use http::HeaderValue;
use http::header::USER_AGENT;

use crate::connect::ConnectError;
use crate::load::answer::{self, Answer};
use crate::load::client::{Compression, Connection, Target, grpc_frame};
use crate::load::endpoint::{Endpoint, Protocol};
use crate::tls::TlsArgs;

/// How often a request is sent before its refusal ends the import. With the pauses below, some two minutes.
const ATTEMPTS_MAX: u32 = 12;

/// The longest pause before the next attempt.
const PAUSE_MAX: Duration = Duration::from_secs(15);

/// How long an answer may take: a request may have many MiB, and the way there be narrow.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

/// What the server said of one request that it took.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Spans that it rejected.
    pub(super) rejected: u64,
    /// Why.
    pub(super) message: String,
}

/// Sends to one endpoint, one request after the other. Clones have connections of their own.
pub(super) struct Sender {
    target: Arc<Target>,
    connection: Option<Connection>,
}

impl Clone for Sender {
    fn clone(&self) -> Self {
        Self {
            target: Arc::clone(&self.target),
            connection: None,
        }
    }
}

impl Sender {
    /// # Errors
    /// When the endpoint is none, or TLS cannot be spoken as asked for.
    pub(super) fn new(endpoint: &str, tls: &TlsArgs) -> anyhow::Result<Self> {
        let endpoint = Endpoint::parse(endpoint.trim_end_matches('/'), None)?;
        let tls = endpoint.tls(tls)?;
        let name = (USER_AGENT, HeaderValue::from_static("throughline-import"));
        let target = Target::new(endpoint, tls, Compression::None, &[name], ANSWER_TIMEOUT)?;
        Ok(Self {
            target: Arc::new(target),
            connection: None,
        })
    }

    /// Sends a request until it is taken.
    ///
    /// # Errors
    /// When it is refused for good, or too often, or nobody is there to begin with.
    pub(super) async fn send(&mut self, request: Bytes) -> anyhow::Result<Taken> {
        let body = match self.target.endpoint.protocol {
            Protocol::Http => request,
            Protocol::Grpc => grpc_frame(&request),
        };
        let mut pause = Duration::from_millis(200);
        for attempt in 1.. {
            let told = match self.attempt(&body, attempt == 1).await? {
                Answer::Accepted { rejected, message } => return Ok(Taken { rejected, message }),
                // Taken; sending it again would double its spans.
                Answer::Failed { kind, .. } if kind == answer::UNREADABLE => {
                    return Ok(Taken::default());
                }
                Answer::Refused {
                    kind,
                    message,
                    retry_after,
                } => {
                    if !answer::is_temporary(&kind, retry_after) {
                        bail!("the server refused a request with {kind}: {message}");
                    }
                    pause = retry_after.unwrap_or(pause);
                    format!("the server answered {kind}: {message}")
                }
                Answer::Failed { message, .. } => {
                    self.connection = None;
                    format!("sending failed: {message}")
                }
            };
            if attempt == ATTEMPTS_MAX {
                bail!("gave up after {attempt} attempts: {told}");
            }
            tokio::time::sleep(pause.min(PAUSE_MAX)).await;
            pause *= 2;
        }
        unreachable!("the loop ends by returning")
    }

    /// One attempt. What cannot become better by itself is an error: nobody there when a request is first sent, and TLS that
    /// is refused or missing.
    async fn attempt(&mut self, body: &Bytes, is_first: bool) -> anyhow::Result<Answer> {
        let target = &self.target;
        let endpoint = &target.endpoint;
        let answer = match Connection::open(&mut self.connection, target).await {
            Ok(connection) => connection.send(target, body.clone()).await,
            Err(error) if is_first => {
                return Err(match error.downcast_ref() {
                    Some(ConnectError::Unreachable(_)) => anyhow!(
                        "no server answers at {endpoint}; start one with `throughline serve`"
                    ),
                    _ => error,
                });
            }
            Err(error) => Answer::failed("connect", format!("{error:#}")),
        };
        match &answer {
            Answer::Failed { kind, message } if *kind == answer::TLS => {
                bail!("cannot send to {endpoint}: {message}")
            }
            Answer::Failed { kind, .. }
                if *kind == "connection" && is_first && target.is_plain_to_tls().await =>
            {
                bail!("{endpoint} speaks TLS; send to {}", endpoint.encrypted())
            }
            _ => Ok(answer),
        }
    }
}
