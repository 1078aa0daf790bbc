//! The bounded queue between those who append and the one thread that writes.
//!
//! A plain mutex and condition variable: it is taken once per record and once per commit, for well under a microsecond. The
//! writer is woken only when it sleeps for want of work or when a full commit waits, not for each record.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use model::UnixNanos;
use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use crate::error::AppendError;
use crate::journal::Ack;

/// Most records that one commit takes. Bounds the list of slices handed to the system; a commit of records so small that
/// this matters is far beyond what a sync costs.
const MAX_GROUP_RECORDS: usize = 8 << 10;
/// Most bytes that one commit takes, a single larger record excepted. More would not make the disk faster, only make those
/// who came first wait for those who came last.
pub(crate) const MAX_GROUP_BYTES: u64 = 8 << 20;
/// The least time after which a refused sender is asked to come back: a few commits.
const MIN_RETRY: Duration = Duration::from_millis(20);

/// A record that waits to be written.
pub(crate) struct Pending {
    pub(crate) received: UnixNanos,
    pub(crate) encoding: u8,
    pub(crate) tenant: Arc<str>,
    pub(crate) payload: Bytes,
    pub(crate) payload_crc: u32,
    /// Bytes that the record takes in a segment.
    pub(crate) bytes: u64,
    pub(crate) ack: oneshot::Sender<Result<Ack, AppendError>>,
}

/// What the writer has to do next. The whole list of what can move it.
pub(crate) enum Event {
    /// Write these records and make them durable.
    Commit(Vec<Pending>),
    /// Begin a new segment and tell its number.
    Roll(Vec<oneshot::Sender<Result<u64, AppendError>>>),
    /// See whether the disk works again.
    Retry,
    /// Nothing waits and nothing will come.
    Stop,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Pending>,
    /// Bytes of the records in `waiting`.
    waiting_bytes: u64,
    /// Bytes of the records taken by the writer and not yet settled.
    writing_bytes: u64,
    rolls: Vec<oneshot::Sender<Result<u64, AppendError>>>,
    failing: Option<Failing>,
    closed: bool,
    /// The writer sleeps until somebody wakes it.
    asleep: bool,
}

/// Why everything is refused, and until when.
struct Failing {
    error: Arc<str>,
    next_try: Instant,
}

/// How the writer paces itself; see [`Queue::next`].
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) interval: Duration,
    pub(crate) commit_bytes: u64,
    pub(crate) queue_bytes: u64,
}

pub(crate) struct Queue {
    state: Mutex<State>,
    wake: Condvar,
    pace: Pace,
}

/// What stands against the bounds, for statistics.
pub(crate) struct Load {
    pub(crate) records: u64,
    pub(crate) bytes: u64,
    pub(crate) failing: Option<Arc<str>>,
}

impl Queue {
    pub(crate) fn new(pace: Pace) -> Self {
        Self {
            state: Mutex::default(),
            wake: Condvar::new(),
            pace,
        }
    }

    /// Takes `pending` in, or says why not. `admit` is asked with the bytes that are on their way to the segments,
    /// `pending` included; asking it under the lock is what makes the bound on the segments exact.
    ///
    /// A record alone in the queue is taken whatever its size, so that one larger than the queue can pass.
    pub(crate) fn push(
        &self,
        pending: Pending,
        commit_rate: Option<f64>,
        admit: impl FnOnce(u64) -> Result<(), AppendError>,
    ) -> Result<(), AppendError> {
        let mut state = self.state.lock();
        state.check_open()?;
        let before = state.waiting_bytes + state.writing_bytes;
        let bytes = before + pending.bytes;
        if before > 0 && bytes > self.pace.queue_bytes {
            return Err(AppendError::QueueFull {
                bytes: before,
                max: self.pace.queue_bytes,
                retry_after: time_for(before / 2, commit_rate),
            });
        }
        admit(bytes)?;
        let was_full_commit = state.waiting_bytes >= self.pace.commit_bytes;
        state.waiting_bytes += pending.bytes;
        state.waiting.push_back(pending);
        let is_full_commit = state.waiting_bytes >= self.pace.commit_bytes;
        let wake = state.asleep || (is_full_commit && !was_full_commit);
        drop(state);
        if wake {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Asks for a new segment. It is begun before what waits is written: under load something always waits.
    pub(crate) fn push_roll(
        &self,
        reply: oneshot::Sender<Result<u64, AppendError>>,
    ) -> Result<(), AppendError> {
        let mut state = self.state.lock();
        state.check_open()?;
        state.rolls.push(reply);
        drop(state);
        self.wake.notify_one();
        Ok(())
    }

    /// Waits for work.
    ///
    /// The pace: a record that finds the writer idle is committed at once, for a lone sender should pay for one sync and
    /// nothing else. But commits begin at least `interval` apart unless `commit_bytes` wait, so a fast disk is not asked for a
    /// thousand tiny syncs a second, each of which costs tens of microseconds of processor time. On a disk whose syncs take
    /// longer than `interval`, commits are back to back and each takes what gathered during the one before. So `interval` is
    /// the most that pacing ever adds to an acknowledgement.
    pub(crate) fn next(&self, last_commit: Option<Instant>) -> Event {
        let due = last_commit.map(|last| last + self.pace.interval);
        let mut state = self.state.lock();
        loop {
            if let Some(failing) = &state.failing {
                let next_try = failing.next_try;
                if state.closed {
                    return Event::Stop;
                }
                if Instant::now() >= next_try {
                    return Event::Retry;
                }
                self.wake.wait_until(&mut state, next_try);
            } else if !state.rolls.is_empty() {
                return Event::Roll(std::mem::take(&mut state.rolls));
            } else if state.waiting.is_empty() {
                if state.closed {
                    return Event::Stop;
                }
                state.asleep = true;
                self.wake.wait(&mut state);
                state.asleep = false;
            } else {
                let hurry = state.waiting_bytes >= self.pace.commit_bytes || state.closed;
                match due {
                    Some(due) if !hurry && Instant::now() < due => {
                        self.wake.wait_until(&mut state, due);
                    }
                    _ => return Event::Commit(state.take_group()),
                }
            }
        }
    }

    /// Counts the group that was taken as done, durable or not. `count` counts what became durable of it, under the lock: in between
    /// the group would be counted twice, and what still fits be refused.
    pub(crate) fn settled(&self, count: impl FnOnce()) {
        let mut state = self.state.lock();
        count();
        state.writing_bytes = 0;
    }

    /// Refuses everything from here on, and returns what waited, to be refused by the caller.
    pub(crate) fn fail(&self, error: Arc<str>, next_try: Instant) -> Vec<Pending> {
        let mut state = self.state.lock();
        let retry_after = retry_until(next_try);
        for roll in state.rolls.drain(..) {
            let error = error.clone();
            let _ = roll.send(Err(AppendError::Disk { error, retry_after }));
        }
        state.failing = Some(Failing { error, next_try });
        state.waiting_bytes = 0;
        std::mem::take(&mut state.waiting).into()
    }

    /// Takes records again. Returns whether it did not before.
    pub(crate) fn recover(&self) -> bool {
        self.state.lock().failing.take().is_some()
    }

    /// Has the writer look at the disk now rather than when its time comes.
    pub(crate) fn retry_now(&self) {
        if let Some(failing) = &mut self.state.lock().failing {
            failing.next_try = Instant::now();
        }
        self.wake.notify_one();
    }

    /// Takes nothing more. What waits is still written.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.wake.notify_one();
    }

    /// Takes nothing more and lets go of what waits, whose senders see that as [`AppendError::Closed`].
    pub(crate) fn abandon(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        let waiting = std::mem::take(&mut state.waiting);
        let rolls = std::mem::take(&mut state.rolls);
        drop(state);
        drop((waiting, rolls));
    }

    pub(crate) fn load(&self) -> Load {
        let state = self.state.lock();
        Load {
            records: state.waiting.len() as u64,
            bytes: state.waiting_bytes + state.writing_bytes,
            failing: state.failing.as_ref().map(|f| f.error.clone()),
        }
    }
}

impl State {
    fn check_open(&self) -> Result<(), AppendError> {
        if self.closed {
            return Err(AppendError::Closed);
        }
        match &self.failing {
            None => Ok(()),
            Some(failing) => Err(AppendError::Disk {
                error: failing.error.clone(),
                retry_after: retry_until(failing.next_try),
            }),
        }
    }

    fn take_group(&mut self) -> Vec<Pending> {
        let mut bytes = 0;
        let count = self
            .waiting
            .iter()
            .take(MAX_GROUP_RECORDS)
            .take_while(|pending| {
                let first = bytes == 0;
                bytes += pending.bytes;
                first || bytes <= MAX_GROUP_BYTES
            })
            .count();
        let group: Vec<Pending> = self.waiting.drain(..count).collect();
        let taken = group.iter().map(|pending| pending.bytes).sum();
        self.waiting_bytes -= taken;
        self.writing_bytes = taken;
        group
    }
}

/// How long `bytes` should take at `rate` bytes per second, or what to guess when the rate is not known; held to a range
/// in which a sender neither hammers nor sleeps through the recovery.
pub(crate) fn time_for(bytes: u64, rate: Option<f64>) -> Duration {
    /// A guess for when nothing has been measured: long enough for a flush.
    const UNKNOWN: Duration = Duration::from_secs(2);
    const LONGEST: f64 = 30.0;
    match rate {
        Some(rate) if rate > 0.0 => {
            let seconds = (bytes as f64 / rate).min(LONGEST);
            Duration::from_secs_f64(seconds).max(MIN_RETRY)
        }
        _ => UNKNOWN,
    }
}

/// Until the next try of the writer and a little, so that who comes back then finds it done.
pub(crate) fn retry_until(next_try: Instant) -> Duration {
    next_try.saturating_duration_since(Instant::now()) + MIN_RETRY
}
