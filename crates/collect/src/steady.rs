//! Time that never goes back, made from a clock that may.

use std::time::Duration;

use model::{Clock, UnixNanos};

/// Time since some beginning, for ages and waits. Unlike [`UnixNanos`] it never decreases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Moment(u64);

impl Moment {
    /// How long ago `earlier` was; zero when it is later.
    #[inline]
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

#[cfg(test)]
impl std::ops::Add<Duration> for Moment {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0 + duration.as_nanos() as u64)
    }
}

/// Adds up the steps of a wall clock, leaving out those that go back. A step forward makes what waits seem older, so it is
/// flushed early; a step back makes nothing wait longer than its real time from then on.
#[derive(Debug)]
pub(crate) struct Steady {
    last: UnixNanos,
    elapsed: u64,
}

impl Steady {
    pub(crate) fn new(clock: &dyn Clock) -> Self {
        Self {
            last: clock.now(),
            elapsed: 0,
        }
    }

    /// The time now.
    pub(crate) fn now(&mut self, clock: &dyn Clock) -> Moment {
        let now = clock.now();
        let step = u64::try_from(now.since(self.last).0).unwrap_or(0);
        self.last = now;
        self.elapsed = self.elapsed.saturating_add(step);
        Moment(self.elapsed)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    struct Hand(AtomicI64);

    impl Clock for Hand {
        fn now(&self) -> UnixNanos {
            UnixNanos(self.0.load(Ordering::Relaxed))
        }
    }

    #[test]
    fn steps_back_are_left_out() {
        let hand = Hand(AtomicI64::new(1_000));
        let mut steady = Steady::new(&hand);
        let mut at = |time: i64| {
            hand.0.store(time, Ordering::Relaxed);
            steady.now(&hand).since(Moment::default()).as_nanos()
        };
        assert_eq!(
            [at(1_050), at(200), at(261), at(-5), at(0)],
            [50, 50, 111, 111, 116]
        );
    }
}
