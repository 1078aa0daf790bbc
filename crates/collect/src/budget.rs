//! The bytes that may be between the door and the shards, and how fast they leave.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use crate::drain_rate::DrainRate;

/// Bytes that one permit of the semaphore stands for.
const UNIT: usize = 4 << 10;

/// The share of the budget that bodies of waiting requests may take on top of it, as a divisor. They hold memory while they
/// wait, so they are bounded too; beyond it, a request is refused at once.
const WAITING_DIVISOR: usize = 4;

/// A bounded number of bytes, reserved before work is taken and given back when the shards have it.
#[derive(Debug)]
pub(crate) struct Budget {
    permits: Arc<Semaphore>,
    units: usize,
    /// Bytes of bodies whose requests wait to be let in.
    waiting: AtomicUsize,
    drained: DrainRate,
}

/// Bytes that a request has reserved. Dropping it gives them back.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: Arc<Budget>,
    permit: OwnedSemaphorePermit,
}

impl Budget {
    pub(crate) fn new(bytes: usize) -> Arc<Self> {
        let units = (bytes / UNIT).clamp(1, u32::MAX as usize);
        Arc::new(Self {
            permits: Arc::new(Semaphore::new(units)),
            units,
            waiting: AtomicUsize::new(0),
            drained: DrainRate::default(),
        })
    }

    /// Reserves `bytes`, at most all there are, when they are free and nobody waits for them.
    pub(crate) fn try_reserve(self: &Arc<Self>, bytes: usize) -> Option<Reservation> {
        let permits = self.permits.clone();
        let permit = permits.try_acquire_many_owned(self.units_of(bytes)).ok()?;
        Some(self.reservation(permit))
    }

    /// Reserves `bytes`, at most all there are, waiting for them until `deadline`. First come, first served.
    pub(crate) async fn reserve(
        self: &Arc<Self>,
        bytes: usize,
        deadline: Instant,
    ) -> Option<Reservation> {
        let permits = self.permits.clone();
        let acquiring = permits.acquire_many_owned(self.units_of(bytes));
        let permit = timeout_at(deadline, acquiring).await.ok()?.ok()?;
        Some(self.reservation(permit))
    }

    fn reservation(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Reservation {
        Reservation {
            budget: self.clone(),
            permit,
        }
    }

    /// Lets a request with a body of so many bytes wait as long as the returned value lives; `None` when too much waits.
    pub(crate) fn wait_with(&self, body_bytes: usize) -> Option<Waiting<'_>> {
        let before = self.waiting.fetch_add(body_bytes, Relaxed);
        let waiting = Waiting {
            budget: self,
            body_bytes,
        };
        (before + body_bytes <= self.units * UNIT / WAITING_DIVISOR).then_some(waiting)
    }

    /// Waits until nothing is reserved.
    pub(crate) async fn all_returned(&self) {
        // An error would mean that the semaphore was closed, which nobody does.
        let _ = self.permits.acquire_many(self.units as u32).await;
    }

    /// Bytes reserved.
    pub(crate) fn in_use(&self) -> usize {
        (self.units - self.permits.available_permits().min(self.units)) * UNIT
    }

    /// How long the reserved bytes need to drain, judged from the last seconds.
    pub(crate) fn retry_after(&self) -> Duration {
        self.drained.time_for(self.in_use())
    }

    fn units_of(&self, bytes: usize) -> u32 {
        bytes.div_ceil(UNIT).clamp(1, self.units) as u32
    }
}

/// The right of a request to wait.
#[derive(Debug)]
pub(crate) struct Waiting<'a> {
    budget: &'a Budget,
    body_bytes: usize,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.budget.waiting.fetch_sub(self.body_bytes, Relaxed);
    }
}

impl Reservation {
    /// Changes the reservation to `bytes`: gives back what is too much, waits for what is missing.
    ///
    /// Returns false when the missing bytes did not come free in time; the reservation is then unchanged.
    pub(crate) async fn resize(&mut self, bytes: usize, deadline: Instant) -> bool {
        let units = self.budget.units_of(bytes) as usize;
        let held = self.permit.num_permits();
        if units <= held {
            drop(self.permit.split(held - units));
            return true;
        }
        let missing = (units - held) * UNIT;
        let Some(more) = self.budget.reserve(missing, deadline).await else {
            return false;
        };
        self.absorb(more);
        true
    }

    fn absorb(&mut self, mut other: Self) {
        let all = other.permit.num_permits();
        if let Some(permit) = other.permit.split(all) {
            self.permit.merge(permit);
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let bytes = self.permit.num_permits() * UNIT;
        if bytes > 0 {
            self.budget.drained.add(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(1)
    }

    #[tokio::test]
    async fn what_is_reserved_is_missing_until_it_is_dropped() {
        let budget = Budget::new(10 * UNIT);
        let mut first = budget.reserve(6 * UNIT, soon()).await.unwrap();
        assert!(budget.reserve(5 * UNIT, soon()).await.is_none());
        assert!(first.resize(10 * UNIT, soon()).await);
        assert_eq!(budget.in_use(), 10 * UNIT);
        assert!(first.resize(1, soon()).await);
        assert_eq!(budget.in_use(), UNIT);
        let second = budget.reserve(9 * UNIT, soon()).await.unwrap();
        assert!(!first.resize(2 * UNIT, soon()).await);
        drop((first, second));
        budget.all_returned().await;
        assert_eq!(budget.in_use(), 0);
    }

    #[tokio::test]
    async fn who_waits_gets_what_another_gives_back() {
        let budget = Budget::new(UNIT);
        let held = budget.reserve(UNIT, soon()).await.unwrap();
        let waiting = tokio::spawn({
            let budget = budget.clone();
            async move {
                budget
                    .reserve(1, Instant::now() + Duration::from_secs(60))
                    .await
                    .is_some()
            }
        });
        tokio::task::yield_now().await;
        drop(held);
        assert!(waiting.await.unwrap());
    }

    #[tokio::test]
    async fn bodies_that_wait_are_bounded() {
        let budget = Budget::new(8 * UNIT);
        let first = budget.wait_with(2 * UNIT).unwrap();
        assert!(budget.wait_with(1).is_none());
        drop(first);
        assert!(budget.wait_with(UNIT).is_some());
    }

    #[tokio::test]
    async fn more_than_there_is_takes_all() {
        let budget = Budget::new(2 * UNIT);
        let all = budget.reserve(100 * UNIT, soon()).await.unwrap();
        assert_eq!(budget.in_use(), 2 * UNIT);
        drop(all);
    }
}
