//! The one accept loop behind every port: TLS, HTTP/1 and HTTP/2 on the same socket, a bound on connections, time limits
//! on everything that a client could otherwise hold open for nothing, and a graceful end.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::Sleep;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::metrics::{ConnectionGuard, Metrics};

/// A TLS handshake that takes longer is not going to end.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// How long the headers of a request may take, and how long an HTTP/1 connection may idle between requests.
const HEADER_TIME: Duration = Duration::from_secs(30);

/// Bytes of the preface of HTTP/2: after so many it is known which protocol is spoken.
const PREFACE_BYTES: usize = 24;

/// Windows that let a sender put a whole batch on the way without waiting for us, at any distance.
const STREAM_WINDOW_BYTES: u32 = 4 << 20;
/// See [`STREAM_WINDOW_BYTES`].
const CONNECTION_WINDOW_BYTES: u32 = 8 << 20;
const _: () = assert!(STREAM_WINDOW_BYTES <= CONNECTION_WINDOW_BYTES);

/// Frames as large as a typical batch, so that most bodies come in few pieces.
const FRAME_BYTES_MAX: u32 = 1 << 20;

/// Requests at a time on one HTTP/2 connection. Exporters use one; proxies multiplex many senders.
const STREAMS_MAX: u32 = 256;

/// Headers of a request in HTTP/2. Far more than any client sends.
const HEADERS_BYTES_MAX: u32 = 32 << 10;

/// A silent HTTP/2 peer is asked for a sign of life after this, and closed when it gives none for as long again.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// Pause after a failed accept: mostly the process is out of file descriptors, and trying at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A bound socket that is not served yet.
#[derive(Debug)]
pub struct Listener {
    name: &'static str,
    address: SocketAddr,
    socket: TcpListener,
    tls: Option<Arc<ServerConfig>>,
}

impl Listener {
    /// Binds `address`. `name` is the label in metrics and logs.
    ///
    /// # Errors
    /// Those of the operating system, such as an address in use.
    pub async fn bind(
        name: &'static str,
        address: SocketAddr,
        tls: Option<Arc<ServerConfig>>,
    ) -> io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        let address = socket.local_addr()?;
        Ok(Self {
            name,
            address,
            socket,
            tls,
        })
    }

    /// The address bound, with the port that was chosen where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The label in metrics and logs.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether connections are encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    /// Serves `router` until `stop`, then lets requests under way finish and returns. Whoever wants an end to that waiting
    /// drops the future, which closes what is left.
    ///
    /// At most `connections_max` connections are open at a time; more wait in the backlog of the socket.
    pub async fn serve(
        self,
        router: Router,
        metrics: Metrics,
        connections_max: usize,
        stop: CancellationToken,
    ) {
        let acceptor = self.tls.map(TlsAcceptor::from);
        let free = Arc::new(Semaphore::new(connections_max.min(Semaphore::MAX_PERMITS)));
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(_) = connections.join_next() => continue,
                accepted = accept(&self.socket, &free) => accepted,
            };
            let (stream, slot) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    warn!(listener = self.name, %error, "cannot accept connections");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            connections.spawn(serve_connection(
                stream,
                acceptor.clone(),
                router.clone(),
                graceful.watcher(),
                (slot, metrics.connection(self.name)),
            ));
        }
        drop(self.socket);
        graceful.shutdown().await;
        while connections.join_next().await.is_some() {}
    }
}

/// Waits for a slot first, so that a connection is only taken out of the backlog when it can be served.
async fn accept(
    socket: &TcpListener,
    free: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let slot = Arc::clone(free)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (stream, _) = socket.accept().await?;
    Ok((stream, slot))
}

async fn serve_connection(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    router: Router,
    watcher: hyper_util::server::graceful::Watcher,
    _held: (OwnedSemaphorePermit, ConnectionGuard),
) {
    // Answers are small and awaited: never hold one back to fill a packet.
    let _ = stream.set_nodelay(true);
    let ended = match acceptor {
        None => speak(Opening::new(stream), router, watcher).await,
        Some(acceptor) => {
            match tokio::time::timeout(HANDSHAKE_TIME, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => speak(Opening::new(stream), router, watcher).await,
                Ok(Err(error)) => return debug!(%error, "TLS handshake failed"),
                Err(_) => return debug!("TLS handshake timed out"),
            }
        }
    };
    if let Err(error) = ended {
        debug!(error, "connection ended early");
    }
}

async fn speak<S>(
    stream: S,
    router: Router,
    watcher: hyper_util::server::graceful::Watcher,
) -> Result<(), String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME);
    builder
        .http2()
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_frame_size(FRAME_BYTES_MAX)
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEADERS_BYTES_MAX)
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE);
    let service = TowerToHyperService::new(router);
    let connection = builder
        .serve_connection(TokioIo::new(stream), service)
        .into_owned();
    watcher
        .watch(connection)
        .await
        .map_err(|error| error.to_string())
}

/// A stream whose first bytes must come in time. The server cannot start its own timers before it knows whether HTTP/1 or
/// HTTP/2 is spoken, and a client could leave it in that doubt for ever.
struct Opening<S> {
    stream: S,
    seen: usize,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<S> Opening<S> {
    fn new(stream: S) -> Self {
        Self {
            stream,
            seen: 0,
            deadline: Some(Box::pin(tokio::time::sleep(HEADER_TIME))),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Opening<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if let Some(deadline) = &mut self.deadline {
            if read.is_pending() && deadline.as_mut().poll(context).is_ready() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.seen += buffer.filled().len() - before;
            if self.seen >= PREFACE_BYTES {
                self.deadline = None;
            }
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Opening<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
