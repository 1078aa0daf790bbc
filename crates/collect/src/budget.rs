//! The bytes that may be between the door and the shards, and how fast they leave.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// Bytes that one permit of the semaphore stands for.
const UNIT: usize = 4 << 10;

/// Requests that may wait for room at once, as a divisor of the permits: they hold their bodies while they wait, so they
/// are bounded too.
const WAITERS_MAX: usize = 1024;

/// A bounded number of bytes, reserved before work is taken and given back when the shards have it.
#[derive(Debug)]
pub(crate) struct Budget {
    permits: Arc<Semaphore>,
    units: usize,
    waiting: AtomicU64,
    drained: Drained,
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
            waiting: AtomicU64::new(0),
            drained: Drained::default(),
        })
    }

    /// Reserves `bytes` (at most all there are), waiting for them up to `wait`. First come, first served.
    ///
    /// `None` when they did not come free, or too many wait already.
    pub(crate) async fn reserve(
        self: &Arc<Self>,
        bytes: usize,
        wait: Duration,
    ) -> Option<Reservation> {
        let units = self.units_of(bytes);
        let permit = match self.permits.clone().try_acquire_many_owned(units) {
            Ok(permit) => permit,
            Err(_) => self.wait_for(units, wait).await?,
        };
        Some(Reservation {
            budget: self.clone(),
            permit,
        })
    }

    async fn wait_for(&self, units: u32, wait: Duration) -> Option<OwnedSemaphorePermit> {
        /// Counts itself out however the wait ends, cancelling included.
        struct Waiting<'a>(&'a AtomicU64);
        impl Drop for Waiting<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Relaxed);
            }
        }
        let before = self.waiting.fetch_add(1, Relaxed);
        let _waiting = Waiting(&self.waiting);
        if before >= WAITERS_MAX as u64 {
            return None;
        }
        timeout(wait, self.permits.clone().acquire_many_owned(units))
            .await
            .ok()?
            .ok()
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

impl Reservation {
    /// Changes the reservation to `bytes`: gives back what is too much, waits for what is missing.
    ///
    /// Returns false when the missing bytes did not come free in time; the reservation is then unchanged.
    pub(crate) async fn resize(&mut self, bytes: usize, wait: Duration) -> bool {
        let units = self.budget.units_of(bytes) as usize;
        let held = self.permit.num_permits();
        if units <= held {
            drop(self.permit.split(held - units));
            return true;
        }
        let missing = (units - held) * UNIT;
        let Some(more) = self.budget.reserve(missing, wait).await else {
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
            self.budget.drained.add(bytes as u64);
        }
    }
}

/// Bytes that left, and their rate over the last seconds.
#[derive(Debug)]
pub(crate) struct Drained {
    bytes: AtomicU64,
    rate: Mutex<Rate>,
}

#[derive(Debug)]
struct Rate {
    since: Instant,
    bytes: u64,
    per_second: Option<f64>,
}

impl Default for Drained {
    fn default() -> Self {
        Self {
            bytes: AtomicU64::new(0),
            rate: Mutex::new(Rate {
                since: Instant::now(),
                bytes: 0,
                per_second: None,
            }),
        }
    }
}

impl Drained {
    pub(crate) fn add(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Relaxed);
    }

    /// How long `bytes` need at the rate of late; held to a range in which a sender neither hammers nor sleeps through.
    pub(crate) fn time_for(&self, bytes: usize) -> Duration {
        /// Rates are averaged over at least this long.
        const WINDOW: Duration = Duration::from_secs(1);
        const SHORTEST: f64 = 1.0;
        const LONGEST: f64 = 30.0;
        /// A guess for when nothing has left yet.
        const UNKNOWN: Duration = Duration::from_secs(5);

        let mut rate = self.rate.lock();
        let now = self.bytes.load(Relaxed);
        let elapsed = rate.since.elapsed();
        if elapsed >= WINDOW || rate.per_second.is_none() {
            let measured = (now - rate.bytes) as f64 / elapsed.as_secs_f64().max(0.001);
            rate.per_second = Some(
                rate.per_second
                    .map_or(measured, |old| (old + measured) / 2.0),
            );
            rate.since = Instant::now();
            rate.bytes = now;
        }
        match rate.per_second {
            Some(per_second) if per_second > 1.0 => {
                Duration::from_secs_f64((bytes as f64 / per_second).clamp(SHORTEST, LONGEST))
            }
            _ => UNKNOWN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_millis(1);

    #[tokio::test]
    async fn what_is_reserved_is_missing_until_it_is_dropped() {
        let budget = Budget::new(10 * UNIT);
        let mut first = budget.reserve(6 * UNIT, WAIT).await.unwrap();
        assert!(budget.reserve(5 * UNIT, WAIT).await.is_none());
        assert!(first.resize(10 * UNIT, WAIT).await);
        assert_eq!(budget.in_use(), 10 * UNIT);
        assert!(first.resize(1, WAIT).await);
        assert_eq!(budget.in_use(), UNIT);
        let second = budget.reserve(9 * UNIT, WAIT).await.unwrap();
        assert!(!first.resize(2 * UNIT, WAIT).await);
        drop((first, second));
        budget.all_returned().await;
        assert_eq!(budget.in_use(), 0);
    }

    #[tokio::test]
    async fn who_waits_gets_what_another_gives_back() {
        let budget = Budget::new(UNIT);
        let held = budget.reserve(UNIT, WAIT).await.unwrap();
        let waiting = tokio::spawn({
            let budget = budget.clone();
            async move { budget.reserve(1, Duration::from_secs(60)).await.is_some() }
        });
        tokio::task::yield_now().await;
        drop(held);
        assert!(waiting.await.unwrap());
    }

    #[tokio::test]
    async fn more_than_there_is_takes_all() {
        let budget = Budget::new(2 * UNIT);
        let all = budget.reserve(100 * UNIT, WAIT).await.unwrap();
        assert_eq!(budget.in_use(), 2 * UNIT);
        drop(all);
    }
}
