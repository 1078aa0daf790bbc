//! An encrypted connection that remembers why it broke.
//!
//! In TLS 1.3 the client is done with the handshake before the server has judged the client's certificate. A refusal then
//! comes while requests are sent, and HTTP clients turn it into a "connection closed" without a reason. So the first error
//! of TLS is kept beside the stream.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Why TLS failed on a connection, once it has.
pub(crate) type Trouble = Arc<OnceLock<rustls::Error>>;

type Inner = tokio_rustls::client::TlsStream<TcpStream>;

/// An error of TLS inside one of input and output.
pub(super) fn cause(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// A connection after the client's side of the handshake.
#[derive(Debug)]
pub(crate) struct TlsStream {
    inner: Inner,
    trouble: Trouble,
    /// That the other side has hung up, seen when writing and not told yet.
    hung_up: Option<io::Error>,
}

impl TlsStream {
    pub(super) fn new(inner: Inner) -> Self {
        Self {
            inner,
            trouble: Trouble::default(),
            hung_up: None,
        }
    }

    /// Where the reason will be, should TLS fail.
    pub(crate) fn trouble(&self) -> Trouble {
        Arc::clone(&self.trouble)
    }

    fn note<T>(&self, done: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(error)) = &done
            && let Some(cause) = cause(error)
        {
            // Later errors follow from the first.
            let _ = self.trouble.set(cause.clone());
        }
        done
    }

    /// Writes. A server that refuses us says why and hangs up, and writing may notice the latter first: then what it said is
    /// read before the failure is told.
    fn write<T>(
        &mut self,
        context: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut Inner>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if self.hung_up.is_none() {
            match write(Pin::new(&mut self.inner), context) {
                Poll::Ready(Err(error)) if is_hang_up(&error) => self.hung_up = Some(error),
                done => return self.note(done),
            }
        }
        ready!(self.read_last_words(context));
        match self.hung_up.take() {
            Some(error) => Poll::Ready(Err(error)),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    /// Reads to the end, which has come: what is left lies in a buffer of the system, and hyper, which gives a connection up
    /// when writing fails, would not read it.
    fn read_last_words(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let mut words = [0; 1024];
            let mut buffer = ReadBuf::new(&mut words);
            let read = Pin::new(&mut self.inner).poll_read(context, &mut buffer);
            match ready!(self.note(read)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                Ok(()) | Err(_) => return Poll::Ready(()),
            }
        }
    }
}

/// Whether there is nobody to write to any more.
fn is_hang_up(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
    )
}

impl AsyncRead for TlsStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        self.note(read)
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.write(context, |inner, context| inner.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.write(context, |inner, context| {
            inner.poll_write_vectored(context, bytes)
        })
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.write(context, AsyncWrite::poll_flush)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
