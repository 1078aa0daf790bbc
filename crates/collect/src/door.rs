//! What happens to a request between the socket and the shards.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use bytes::Bytes;
use crossbeam_channel::Sender;
use journal::{AppendError, Entry, Journal, Position};
use model::{Clock, DropReason, SpanBatch};
use tokio::sync::Semaphore;
use tokio::time::Instant as Deadline;
use wire::otlp::{DecodeLimits, Rejected};

use crate::budget::{Budget, Reservation};
use crate::counters::{Counters, Outcome, add_elapsed};
use crate::gate::Gate;
use crate::handover::Handover;
use crate::inflate::{expected_size, inflate};
use crate::pool::Pool;
use crate::request::{Encoding, Received, Refusal};
use crate::route::{Routed, Routes};
use crate::settings::{SEALED_MAX, Settings};
use crate::worker::Event;

/// Bodies that are larger when inflated are decoded off the runtime, whose threads must stay free to answer. Decoding this
/// much takes about a quarter of a millisecond.
const INLINE_MAX: usize = 256 << 10;

/// What all requests share.
pub(crate) struct Door {
    pub(crate) settings: Arc<Settings>,
    pub(crate) journal: Journal,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) handover: Arc<Handover>,
    pub(crate) shards: Vec<Sender<Event>>,
    /// Bounds the threads that decode large bodies.
    pub(crate) decoders: Arc<Semaphore>,
    pub(crate) is_closed: AtomicBool,
    pub(crate) tenant: Arc<str>,
}

/// A decoded request.
struct Decoded {
    batch: SpanBatch,
    rejected: Rejected,
    inflated_bytes: usize,
}

impl Door {
    /// See [`crate::Collector::receive`].
    pub(crate) async fn receive(
        self: &Arc<Self>,
        encoding: Encoding,
        body: Bytes,
    ) -> Result<Received, Refusal> {
        let answer = self.take_in(encoding, body).await;
        self.counters.count_request(match &answer {
            Ok(received) if received.rejected == 0 => Outcome::Accepted,
            Ok(_) => Outcome::Partial,
            Err(refusal) => Outcome::of_refusal(refusal),
        });
        answer
    }

    async fn take_in(
        self: &Arc<Self>,
        encoding: Encoding,
        body: Bytes,
    ) -> Result<Received, Refusal> {
        self.check_open()?;
        let limit = self.settings.body_bytes_max;
        if body.len() > limit {
            return Err(Refusal::TooLarge {
                limit,
                inflated: false,
            });
        }
        let expected = expected_size(encoding, &body, limit);
        let deadline = Deadline::now() + self.settings.admission_wait;
        let reservation = self.admit(body.len(), expected, deadline).await?;
        // Whoever closes the door waits for the reservations there are, so a later one has to look again.
        self.check_open()?;
        let (decoded, mut reservation) = self
            .decode_somewhere(encoding, body.clone(), expected, reservation)
            .await?;
        let held = decoded.inflated_bytes.max(decoded.batch.used_byte_count());
        if !reservation.resize(held, deadline).await {
            return Err(self.overloaded("too many requests are being worked on"));
        }
        if decoded.batch.is_empty() {
            let received = self.count_received(0, &decoded.rejected);
            self.pool.keep_batch(decoded.batch);
            return Ok(received);
        }
        // From here on a sender that goes away must not leave the request half taken.
        let tail = tokio::spawn(self.clone().commit(encoding, body, decoded, reservation));
        tail.await.unwrap_or_else(|error| {
            tracing::error!(%error, "the task that stores a request has failed");
            Err(Refusal::ShuttingDown)
        })
    }

    pub(crate) fn check_open(&self) -> Result<(), Refusal> {
        if self.is_closed.load(Relaxed) {
            return Err(Refusal::ShuttingDown);
        }
        Ok(())
    }

    /// Lets a request in when the shards are ready and there is room for `bytes`. Waits for that, within bounds.
    async fn admit(
        &self,
        body_bytes: usize,
        bytes: usize,
        deadline: Deadline,
    ) -> Result<Reservation, Refusal> {
        if !self.gate.is_closed()
            && let Some(reservation) = self.budget.try_reserve(bytes)
        {
            return Ok(reservation);
        }
        let Some(_waiting) = self.budget.wait_with(body_bytes) else {
            return Err(self.overloaded("too many requests wait to be let in"));
        };
        if !self.gate.pass(deadline).await {
            return Err(Refusal::Overloaded {
                reason: "spans come in faster than blocks can be written".to_owned(),
                // The door opens when each congested shard has written one of its generations.
                retry_after: self
                    .gate
                    .retry_after(self.settings.live_bytes_max / (SEALED_MAX + 1)),
            });
        }
        let reservation = self.budget.reserve(bytes, deadline).await;
        reservation.ok_or_else(|| self.overloaded("too many requests are being worked on"))
    }

    fn overloaded(&self, reason: &str) -> Refusal {
        Refusal::Overloaded {
            reason: reason.to_owned(),
            retry_after: self.budget.retry_after(),
        }
    }

    async fn decode_somewhere(
        self: &Arc<Self>,
        encoding: Encoding,
        body: Bytes,
        expected: usize,
        reservation: Reservation,
    ) -> Result<(Decoded, Reservation), Refusal> {
        if expected <= INLINE_MAX {
            match self.decode(
                encoding,
                &body,
                INLINE_MAX.min(self.settings.body_bytes_max),
            ) {
                // It is larger than it said: off the runtime with it, and the real limit.
                Err(Refusal::TooLarge { .. }) => {}
                decoded => return Ok((decoded?, reservation)),
            }
        }
        // An error would mean that the semaphore was closed, which nobody does.
        let _decoder = self.decoders.clone().acquire_owned().await;
        let door = self.clone();
        // The reservation goes along: when the sender leaves, the work still runs and its memory is still in use.
        let task = tokio::task::spawn_blocking(move || {
            let decoded = door.decode(encoding, &body, door.settings.body_bytes_max);
            decoded.map(|decoded| (decoded, reservation))
        });
        task.await.unwrap_or_else(|error| {
            tracing::error!(%error, "decoding has failed");
            Err(Refusal::Malformed(
                "the request could not be decoded".to_owned(),
            ))
        })
    }

    fn decode(&self, encoding: Encoding, body: &[u8], limit: usize) -> Result<Decoded, Refusal> {
        let began = Instant::now();
        let mut batch = self.pool.batch();
        let limits = DecodeLimits {
            max_span_bytes: self.settings.span_bytes_max,
        };
        let decoded = self.inflate_and_decode(encoding, body, limit, &limits, &mut batch);
        add_elapsed(&self.counters.decode_nanos, began);
        match decoded {
            Ok((rejected, inflated_bytes)) => Ok(Decoded {
                batch,
                rejected,
                inflated_bytes,
            }),
            Err(refusal) => {
                self.pool.keep_batch(batch);
                Err(refusal)
            }
        }
    }

    /// Fills `batch` and returns what was rejected, and the size of the body inflated.
    pub(crate) fn inflate_and_decode(
        &self,
        encoding: Encoding,
        body: &[u8],
        limit: usize,
        limits: &DecodeLimits,
        batch: &mut SpanBatch,
    ) -> Result<(Rejected, usize), Refusal> {
        let mut decode = |bytes: &[u8]| match wire::otlp::decode(bytes, limits, batch) {
            Ok(rejected) => Ok((rejected, bytes.len())),
            Err(error) => Err(Refusal::Malformed(error.to_string())),
        };
        if encoding == Encoding::Identity {
            return decode(body);
        }
        let mut buffer = self.pool.buffer();
        let decoded = inflate(encoding, body, limit, &mut buffer).and_then(|()| decode(&buffer));
        self.pool.keep_buffer(buffer);
        decoded
    }

    /// Makes the request durable and hands it to the shards.
    async fn commit(
        self: Arc<Self>,
        encoding: Encoding,
        body: Bytes,
        decoded: Decoded,
        reservation: Reservation,
    ) -> Result<Received, Refusal> {
        let entry = Entry {
            received: self.clock.now(),
            encoding: encoding.number(),
            tenant: self.tenant.clone(),
            payload: body.clone(),
        };
        let began = Instant::now();
        let appended = self.journal.append(entry).await;
        add_elapsed(&self.counters.journal_wait_nanos, began);
        let position = appended.map_err(|error| refusal_of(&error))?;
        let Decoded {
            batch,
            rejected,
            inflated_bytes,
        } = decoded;
        self.counters
            .body_bytes
            .fetch_add(body.len() as u64, Relaxed);
        self.counters
            .inflated_bytes
            .fetch_add(inflated_bytes as u64, Relaxed);
        let routes = Routes::of(&batch, self.shards.len(), |_| true);
        let received = self.count_received(routes.len() as u64, &rejected);
        self.hand_over(batch, routes, position, Some(reservation));
        Ok(received)
    }

    /// Gives the rows of a durable request to their shards. Never waits: what is on the way is bounded by the reservations.
    pub(crate) fn hand_over(
        &self,
        batch: SpanBatch,
        routes: Routes,
        position: Position,
        reservation: Option<Reservation>,
    ) {
        if routes.len() == 0 {
            self.handover.taken(position);
            self.pool.keep_batch(batch);
            return;
        }
        self.counters.queued.fetch_add(routes.len() as u64, Relaxed);
        let routed = Arc::new(Routed::new(
            batch,
            routes,
            position,
            self.pool.clone(),
            reservation,
        ));
        for shard in routed.routes.shards() {
            if self.shards[shard]
                .send(Event::Batch(routed.clone()))
                .is_err()
            {
                // Only a defect ends a shard while requests are taken. What is durable is not lost, but not seen until a restart.
                let was_closed = self.is_closed.swap(true, Relaxed);
                if !was_closed {
                    tracing::error!(shard, "a shard has died; no more requests are taken");
                }
            }
        }
    }

    fn count_received(&self, accepted: u64, rejected: &Rejected) -> Received {
        let counters = &self.counters;
        counters
            .received
            .fetch_add(accepted + rejected.total(), Relaxed);
        for reason in DropReason::ALL {
            counters.count_rejected(reason, rejected.counts[reason.index()]);
        }
        Received {
            accepted,
            rejected: rejected.total(),
            message: message_of(rejected),
        }
    }
}

fn message_of(rejected: &Rejected) -> String {
    if rejected.total() == 0 {
        return String::new();
    }
    let counts: Vec<String> = DropReason::ALL
        .into_iter()
        .filter(|reason| rejected.counts[reason.index()] > 0)
        .map(|reason| format!("{} {reason}", rejected.counts[reason.index()]))
        .collect();
    let first = rejected.first.as_deref().unwrap_or("unknown");
    format!(
        "{} spans rejected ({}); the first: {first}",
        rejected.total(),
        counts.join(", ")
    )
}

fn refusal_of(error: &AppendError) -> Refusal {
    /// For errors that do not say: time for a person to act, not for hammering.
    const UNKNOWN: Duration = Duration::from_secs(5);
    match error {
        AppendError::RecordTooLarge { max, .. } => Refusal::TooLarge {
            limit: usize::try_from(*max).unwrap_or(usize::MAX),
            inflated: false,
        },
        AppendError::Closed => Refusal::ShuttingDown,
        _ => Refusal::Overloaded {
            reason: error.to_string(),
            retry_after: error.retry_after().unwrap_or(UNKNOWN),
        },
    }
}
