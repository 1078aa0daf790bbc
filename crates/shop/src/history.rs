//! Visits over time: arrivals at random, in the waves of a day.

use model::UnixNanos;

use crate::fleet::{HOUR, MINUTE, SECOND};
use crate::shop::{Shop, Visit};

/// How far the rate swings around its mean with the hour of the day, and in waves of some minutes.
const DAY_SWING: f64 = 0.35;
const WAVE_SWING: f64 = 0.2;
const WAVE: i64 = 11 * MINUTE;
/// The hour (UTC) of the most visits.
const BUSIEST_HOUR: i64 = 17;

/// The visits of a stretch of time, each with its start. See [`Shop::history`].
#[derive(Debug)]
pub struct History<'a> {
    shop: &'a mut Shop,
    now: UnixNanos,
    until: UnixNanos,
    visits_per_second: f64,
}

impl<'a> History<'a> {
    pub(crate) fn new(
        shop: &'a mut Shop,
        from: UnixNanos,
        until: UnixNanos,
        visits_per_second: f64,
    ) -> Self {
        Self {
            shop,
            now: from,
            until,
            visits_per_second,
        }
    }
}

impl Iterator for History<'_> {
    type Item = (UnixNanos, Visit);

    fn next(&mut self) -> Option<Self::Item> {
        let rate = self.visits_per_second * shape(self.now);
        if rate <= 0.0 {
            return None;
        }
        let wait = self.shop.rng().exponential(1.0 / rate);
        self.now.0 += (wait * SECOND as f64) as i64;
        if self.now >= self.until {
            return None;
        }
        Some((self.now, self.shop.visit(self.now)))
    }
}

/// The rate at a time, as a multiple of the mean.
pub(crate) fn shape(at: UnixNanos) -> f64 {
    let turn = |period: i64, peak: i64| {
        let phase = (at.0 - peak).rem_euclid(period) as f64 / period as f64;
        (std::f64::consts::TAU * phase).cos()
    };
    1.0 + DAY_SWING * turn(24 * HOUR, BUSIEST_HOUR * HOUR) + WAVE_SWING * turn(WAVE, 0)
}
