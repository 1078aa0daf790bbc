//! The stream of messages to a client: bounded, and aware of a client that leaves.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use http_body::Frame;
use tokio::sync::mpsc;

use crate::codes::Rejection;
use crate::grpc::{frame, ok_trailers, set_status};

/// Messages that a slow client may leave waiting, each of a MiB at most. Beyond, progress is not told.
const WAITING_MAX: usize = 8;

/// Where messages are put.
#[derive(Clone)]
pub(super) struct Out(mpsc::Sender<Frame<Bytes>>);

/// The body of the answer.
pub(super) struct Messages(mpsc::Receiver<Frame<Bytes>>);

/// Both ends.
pub(super) fn stream() -> (Out, Messages) {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    (Out(sender), Messages(receiver))
}

impl Out {
    /// Sends messages if there is room for all of them; otherwise none. Returns whether they were sent.
    pub(super) fn offer(&self, messages: &[Vec<u8>]) -> bool {
        let Ok(permits) = self.0.try_reserve_many(messages.len()) else {
            return false;
        };
        for (permit, message) in permits.zip(messages) {
            permit.send(Frame::data(frame(message)));
        }
        true
    }

    /// Sends messages, waiting for the client to take them.
    pub(super) async fn send(&self, messages: &[Vec<u8>]) {
        for message in messages {
            // Whoever has left is noticed by `left`.
            let _ = self.0.send(Frame::data(frame(message))).await;
        }
    }

    /// Resolves when the client has left.
    pub(super) async fn left(&self) {
        self.0.closed().await;
    }

    /// Sends the status, with which the stream ends.
    pub(super) async fn end(self, status: Result<(), Rejection>) {
        let trailers = match status {
            Ok(()) => ok_trailers(),
            Err(rejection) => {
                let mut trailers = HeaderMap::new();
                set_status(&rejection, &mut trailers);
                trailers
            }
        };
        let _ = self.0.send(Frame::trailers(trailers)).await;
    }
}

impl http_body::Body for Messages {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|frame| frame.map(Ok))
    }
}
