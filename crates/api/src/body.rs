//! Reading request bodies: bounded in size, in time, and in how much all of them hold together.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use collect::Refusal;
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body::Body;
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::codes::{Code, Rejection};

/// What a length header alone may make us allocate; the rest is allocated as bytes arrive.
const INITIAL_CAPACITY_MAX: usize = 1 << 20;

/// Reservations are made in steps of this, so that a body of many small frames asks rarely.
const RESERVE_STEP: usize = 64 << 10;

/// How long we go on reading a body that was refused already. Some HTTP/1 clients only look at the answer after they have
/// sent everything; closing on them would show as a broken connection, which they would try again.
const DISCARD_TIME: Duration = Duration::from_secs(2);

/// What a client is told when the memory for bodies is used up. Bodies stay for the few milliseconds of a commit.
const BUSY_RETRY: Duration = Duration::from_secs(1);

/// Takes in request bodies. Cheap to clone; clones share one budget.
#[derive(Debug, Clone)]
pub(crate) struct Intake {
    body_bytes_max: usize,
    total_bytes_max: usize,
    time_max: Duration,
    free: Arc<Semaphore>,
}

/// A whole body, and its share of the budget until this is dropped.
pub(crate) struct TakenBody {
    pub(crate) bytes: Bytes,
    pub(crate) share: BodyShare,
}

/// A share of the budget for bodies; given back when dropped.
pub(crate) struct BodyShare {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Intake {
    /// Bodies of at most `body_bytes_max` bytes that arrive within `time_max`, together at most `total_bytes_max` bytes.
    pub(crate) fn new(body_bytes_max: usize, total_bytes_max: usize, time_max: Duration) -> Self {
        let total_bytes_max = total_bytes_max.clamp(body_bytes_max, Semaphore::MAX_PERMITS);
        Self {
            body_bytes_max,
            total_bytes_max,
            time_max,
            free: Arc::new(Semaphore::new(total_bytes_max)),
        }
    }

    /// The largest body.
    pub(crate) fn body_bytes_max(&self) -> usize {
        self.body_bytes_max
    }

    /// Bytes of bodies held now.
    pub(crate) fn bytes_held(&self) -> usize {
        self.total_bytes_max - self.free.available_permits()
    }

    /// Reads a body to its end; `extra` bytes of framing are allowed on top of the limit.
    ///
    /// A body that came in one piece is not copied. On `Err` the body may be unread in part: see [`discard`].
    pub(crate) async fn take<B>(
        &self,
        headers: &HeaderMap,
        body: &mut B,
        extra: usize,
    ) -> Result<TakenBody, Rejection>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: std::fmt::Display,
    {
        match tokio::time::timeout(self.time_max, self.read(headers, body, extra)).await {
            Ok(taken) => taken,
            // The network may be quicker next time. Of 408, which says just this, senders of OTLP make nothing but a loss.
            Err(_) => Err(Rejection {
                code: Code::DeadlineExceeded,
                ..Rejection::unavailable(
                    format!("the body did not arrive within {:?}", self.time_max),
                    BUSY_RETRY,
                )
            }),
        }
    }

    async fn read<B>(
        &self,
        headers: &HeaderMap,
        body: &mut B,
        extra: usize,
    ) -> Result<TakenBody, Rejection>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: std::fmt::Display,
    {
        let limit = self.body_bytes_max + extra;
        let announced = announced_length(headers).unwrap_or(0);
        if announced > limit {
            return Err(self.too_large());
        }
        let mut reserved = Reservation::new(self);
        reserved.cover(announced)?;
        let mut first = Bytes::new();
        let mut rest = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| {
                Rejection::permanent(
                    Code::InvalidArgument,
                    format!("cannot read the body: {error}"),
                )
            })?;
            let Ok(data) = frame.into_data() else {
                continue; // Trailers mean nothing here.
            };
            let length = first.len() + rest.len() + data.len();
            if length > limit {
                return Err(self.too_large());
            }
            reserved.cover(length)?;
            if first.is_empty() && rest.is_empty() {
                first = data;
                continue;
            }
            if rest.is_empty() {
                rest.reserve(announced.min(INITIAL_CAPACITY_MAX).max(length));
                rest.extend_from_slice(&std::mem::take(&mut first));
            }
            rest.extend_from_slice(&data);
        }
        let bytes = if rest.is_empty() {
            first
        } else {
            rest.freeze()
        };
        Ok(TakenBody {
            bytes,
            share: BodyShare {
                _permit: reserved.permit,
            },
        })
    }

    fn too_large(&self) -> Rejection {
        Refusal::TooLarge {
            limit: self.body_bytes_max,
            inflated: false,
        }
        .into()
    }
}

/// The bytes reserved for one body so far.
struct Reservation<'a> {
    intake: &'a Intake,
    permit: Option<OwnedSemaphorePermit>,
}

impl<'a> Reservation<'a> {
    fn new(intake: &'a Intake) -> Self {
        Self {
            intake,
            permit: None,
        }
    }

    /// Makes sure that `bytes` are reserved in all.
    fn cover(&mut self, bytes: usize) -> Result<(), Rejection> {
        let reserved = self
            .permit
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits);
        if bytes <= reserved {
            return Ok(());
        }
        let wanted = (bytes - reserved).max(RESERVE_STEP.min(self.intake.total_bytes_max));
        let count = u32::try_from(wanted).unwrap_or(u32::MAX);
        let more = Arc::clone(&self.intake.free)
            .try_acquire_many_owned(count)
            .map_err(|_| {
                Rejection::unavailable(
                    format!(
                        "the requests being received already hold {} bytes of at most {}",
                        self.intake.bytes_held(),
                        self.intake.total_bytes_max
                    ),
                    BUSY_RETRY,
                )
            })?;
        match &mut self.permit {
            Some(permit) => permit.merge(more),
            None => self.permit = Some(more),
        }
        Ok(())
    }
}

fn announced_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads and forgets the rest of a refused body, at most `bytes_max` bytes of it and not for long.
pub(crate) async fn discard<B>(body: B, bytes_max: usize)
where
    B: Body<Data = Bytes>,
{
    let deadline = Instant::now() + DISCARD_TIME;
    let mut body = pin!(body);
    let mut seen = 0;
    while let Ok(Some(Ok(frame))) = tokio::time::timeout_at(deadline, body.frame()).await {
        seen += frame.data_ref().map_or(0, Bytes::len);
        if seen > bytes_max {
            return;
        }
    }
}
