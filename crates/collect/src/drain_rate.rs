//! How fast something drains, so that a refusal can say when to come back.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Rates are averaged over this long.
const WINDOW: Duration = Duration::from_secs(1);

/// A rate this old says nothing about now: either nothing came, or nothing moves.
const STALE: Duration = Duration::from_secs(5);

/// Bytes per second of late. The lock is held for some nanoseconds, once per request.
#[derive(Debug)]
pub(crate) struct DrainRate(Mutex<Window>);

#[derive(Debug)]
struct Window {
    since: Instant,
    bytes: usize,
    /// Of the window before, when this one followed upon it.
    before: Option<f64>,
}

impl Default for DrainRate {
    fn default() -> Self {
        Self(Mutex::new(Window {
            since: Instant::now(),
            bytes: 0,
            before: None,
        }))
    }
}

impl DrainRate {
    /// Counts bytes that have left.
    pub(crate) fn add(&self, bytes: usize) {
        self.add_at(bytes, Instant::now());
    }

    fn add_at(&self, bytes: usize, now: Instant) {
        let mut window = self.0.lock();
        let elapsed = now.saturating_duration_since(window.since);
        if elapsed >= WINDOW {
            window.before = (elapsed < STALE).then(|| window.bytes as f64 / elapsed.as_secs_f64());
            window.since = now;
            window.bytes = 0;
        }
        window.bytes += bytes;
    }

    /// How long `bytes` will need; held to a range in which a sender neither hammers nor sleeps through the recovery.
    pub(crate) fn time_for(&self, bytes: usize) -> Duration {
        self.time_for_at(bytes, Instant::now())
    }

    fn time_for_at(&self, bytes: usize, now: Instant) -> Duration {
        const SHORTEST: f64 = 1.0;
        const LONGEST: f64 = 30.0;
        /// A guess for when nothing is known.
        const UNKNOWN: Duration = Duration::from_secs(5);

        let window = self.0.lock();
        let elapsed = now.saturating_duration_since(window.since);
        if elapsed >= STALE {
            return UNKNOWN;
        }
        let in_window = window.bytes as f64 / elapsed.max(WINDOW).as_secs_f64();
        let rate = in_window.max(window.before.unwrap_or(0.0));
        if rate < 1.0 {
            return UNKNOWN;
        }
        Duration::from_secs_f64((bytes as f64 / rate).clamp(SHORTEST, LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_follows_the_rate_of_late() {
        let rate = DrainRate::default();
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        assert_eq!(rate.time_for_at(1_000, at(0)), Duration::from_secs(5));
        for tenth in 0..30 {
            rate.add_at(100, at(tenth * 100));
        }
        // 1,000 bytes a second.
        let told = rate.time_for_at(7_000, at(2_950)).as_secs_f64();
        assert!((6.0..8.0).contains(&told), "{told}");
        assert_eq!(rate.time_for_at(10, at(2_950)), Duration::from_secs(1));
        assert_eq!(
            rate.time_for_at(usize::MAX, at(2_950)),
            Duration::from_secs(30)
        );
        // Nothing moves any more.
        assert_eq!(rate.time_for_at(7_000, at(60_000)), Duration::from_secs(5));
        // After a pause the old rate is forgotten.
        rate.add_at(5_000, at(60_000));
        assert_eq!(rate.time_for_at(10_000, at(60_100)), Duration::from_secs(2));
    }
}
