//! Connections to servers, plain or with TLS, and HTTP over them.
//!
//! What is sent over a connection does not know which kind it is: HTTP is started on the one or the other, so plain
//! connections pay nothing for TLS.

use std::error::Error as StdError;
use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use http::Uri;
use http_body_util::Full;
use hyper::body::Body;
use hyper::client::conn::{http1, http2};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tower::ServiceExt as _;

use crate::tls::{self, Tls, TlsStream, Trouble};

/// How long connecting may take, the handshake of TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    /// Nobody listens, or the way there is barred.
    #[error("{0}")]
    Unreachable(String),
    /// Somebody listens, but TLS with them failed; in words that say what to do.
    #[error("{0}")]
    Tls(String),
}

/// Connects to `authority`, a host and a port.
pub(crate) async fn open(authority: &str, tls: Option<&Tls>) -> Result<Stream, ConnectError> {
    let deadline = Instant::now() + CONNECT_TIMEOUT;
    let stream = match timeout_at(deadline, tcp(authority)).await {
        Ok(stream) => stream.map_err(ConnectError::Unreachable)?,
        Err(_) => {
            let text = format!("no connection within {CONNECT_TIMEOUT:?}");
            return Err(ConnectError::Unreachable(text));
        }
    };
    let Some(tls) = tls else {
        return Ok(Stream::Plain(stream));
    };
    match timeout_at(deadline, tls.handshake(stream)).await {
        Ok(Ok(stream)) => Ok(Stream::Tls(Box::new(stream))),
        Ok(Err(text)) => Err(ConnectError::Tls(text)),
        Err(_) => Err(ConnectError::Tls(format!(
            "no TLS handshake within {CONNECT_TIMEOUT:?}; does the server speak TLS there?"
        ))),
    }
}

/// Whether the server at `authority` speaks TLS: asked after it did not understand plain words, to explain that.
pub(crate) async fn speaks_tls(authority: &str) -> bool {
    let asked = async {
        match tcp(authority).await {
            Ok(stream) => tls::is_spoken_over(stream).await,
            Err(_) => false,
        }
    };
    timeout(CONNECT_TIMEOUT, asked).await.unwrap_or(false)
}

/// Tries the addresses of a host as clients of HTTP do: the other family too, when one does not answer at once.
async fn tcp(authority: &str) -> Result<TcpStream, String> {
    let uri: Uri = format!("http://{authority}")
        .parse()
        .map_err(|error| format!("`{authority}` is no address: {error}"))?;
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    match connector.oneshot(uri).await {
        Ok(stream) => Ok(stream.into_inner()),
        Err(error) => Err(root(&error).to_string()),
    }
}

/// What is at the bottom of an error: mostly what the system said.
fn root<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root
}

/// An open connection.
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream>),
}

impl Stream {
    /// Starts HTTP/1.1.
    pub(crate) async fn http1<B>(self) -> hyper::Result<(http1::SendRequest<B>, Driver)>
    where
        B: Body<Data: Send, Error: Into<Box<dyn StdError + Send + Sync>>> + Send + 'static,
    {
        match self {
            Self::Plain(stream) => {
                let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
                Ok((sender, Driver::spawn(connection, None)))
            }
            Self::Tls(stream) => {
                let trouble = stream.trouble();
                let (sender, connection) = http1::handshake(TokioIo::new(*stream)).await?;
                Ok((sender, Driver::spawn(connection, Some(trouble))))
            }
        }
    }

    /// Starts HTTP/2.
    pub(crate) async fn http2(self) -> hyper::Result<(http2::SendRequest<Full<Bytes>>, Driver)> {
        let executor = TokioExecutor::new();
        match self {
            Self::Plain(stream) => {
                let (sender, connection) = http2::handshake(executor, TokioIo::new(stream)).await?;
                Ok((sender, Driver::spawn(connection, None)))
            }
            Self::Tls(stream) => {
                let trouble = stream.trouble();
                let (sender, connection) =
                    http2::handshake(executor, TokioIo::new(*stream)).await?;
                Ok((sender, Driver::spawn(connection, Some(trouble))))
            }
        }
    }
}

/// Moves the bytes of a connection until that ends, or this is dropped.
#[derive(Debug)]
pub(crate) struct Driver {
    task: JoinHandle<()>,
    trouble: Option<Trouble>,
}

impl Driver {
    fn spawn(
        connection: impl Future<Output = hyper::Result<()>> + Send + 'static,
        trouble: Option<Trouble>,
    ) -> Self {
        // Whoever has a request under way is told of a failure.
        let task = tokio::spawn(async move { drop(connection.await) });
        Self { task, trouble }
    }

    /// Why TLS failed, if that is what ended the connection.
    pub(crate) fn tls_error(&self) -> Option<&rustls::Error> {
        self.trouble.as_ref()?.get()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.task.abort();
    }
}
