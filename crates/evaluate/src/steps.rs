//! The points of time that series have.

use model::{DurationNanos, UnixNanos};

/// When series are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Steps {
    /// A point at each multiple of `step` since 1970, from the last one not after `start` to the first one not before `end`.
    /// Each stands for the spans since the point before, so the first for some before `start`: `(point - step, point]`.
    Range {
        /// Start of the range.
        start: UnixNanos,
        /// End of the range, after its start.
        end: UnixNanos,
        /// From point to point; above 0.
        step: DurationNanos,
    },
    /// One point, at `end`, for the spans from `start` to `end`, both included.
    Instant {
        /// Start of the range.
        start: UnixNanos,
        /// End of the range, after its start.
        end: UnixNanos,
    },
}

impl Steps {
    /// How many points there are.
    pub fn count(&self) -> usize {
        match *self {
            Self::Instant { .. } => 1,
            Self::Range { end, step, .. } => {
                let beyond = end.0.saturating_sub(self.first().0).max(0);
                let steps = beyond / step.0 + i64::from(beyond % step.0 != 0);
                usize::try_from(steps)
                    .unwrap_or(usize::MAX)
                    .saturating_add(1)
            }
        }
    }

    /// The first point.
    pub fn first(&self) -> UnixNanos {
        match *self {
            Self::Instant { end, .. } => end,
            Self::Range { start, step, .. } => {
                UnixNanos(start.0.div_euclid(step.0).saturating_mul(step.0))
            }
        }
    }

    /// The points, earliest first.
    pub fn points(&self) -> impl Iterator<Item = UnixNanos> {
        let (first, step) = match *self {
            Self::Instant { end, .. } => (end, 0),
            Self::Range { step, .. } => (self.first(), step.0),
        };
        (0..self.count())
            .map(move |at| UnixNanos(first.0.saturating_add(step.saturating_mul(at as i64))))
    }

    /// The position of the point that a span which started at `time` counts for. For many times, ask [`Self::clock`].
    pub fn position(&self, time: UnixNanos) -> Option<usize> {
        self.clock().position(time)
    }

    /// Finds positions quickly.
    pub fn clock(&self) -> StepClock {
        /// Positions up to which the quotient of doubles is off by one at the most, with much to spare.
        const EXACT_MAX: u64 = 1 << 40;
        let (earliest, latest) = self.bounds();
        let step = match *self {
            Self::Instant { .. } => i64::MAX,
            Self::Range { step, .. } => step.0,
        };
        let length = latest.0.checked_sub(earliest.0);
        let is_exact = length.is_some_and(|length| (length / step) as u64 <= EXACT_MAX);
        StepClock {
            earliest: earliest.0,
            latest: latest.0,
            step,
            per_step: is_exact.then_some(1.0 / step as f64),
            last: self.count() - 1,
        }
    }

    /// The earliest and the latest time that counts, both included.
    pub fn bounds(&self) -> (UnixNanos, UnixNanos) {
        match *self {
            Self::Instant { start, end } => (start, end),
            Self::Range { step, .. } => {
                let first = self.first().0;
                let steps = i64::try_from(self.count() - 1).unwrap_or(i64::MAX);
                let last = steps.saturating_mul(step.0);
                let earliest = first.saturating_sub(step.0).saturating_add(1);
                (UnixNanos(earliest), UnixNanos(first.saturating_add(last)))
            }
        }
    }

    /// Seconds that a point stands for.
    pub fn seconds(&self) -> f64 {
        let nanos = match *self {
            Self::Range { step, .. } => step.0,
            Self::Instant { start, end } => end.since(start).0,
        };
        nanos as f64 / 1e9
    }
}

/// Finds the positions of times without dividing, which would cost more than all the rest.
#[derive(Debug, Clone, Copy)]
pub struct StepClock {
    /// The earliest time that counts.
    earliest: i64,
    /// The latest time that counts.
    latest: i64,
    /// Above 0.
    step: i64,
    /// One by `step`; `None` for ranges of centuries, where doubles are not exact enough.
    per_step: Option<f64>,
    /// The last position: an instant has one only.
    last: usize,
}

impl StepClock {
    /// The position of the point that a span which started at `time` counts for.
    #[inline]
    pub fn position(&self, time: UnixNanos) -> Option<usize> {
        if time.0 < self.earliest || self.latest < time.0 {
            return None;
        }
        // Right-closed: what lies on a point belongs to it, so that the first time after a point is the first of the next.
        let since = time.0.wrapping_sub(self.earliest);
        let Some(per_step) = self.per_step else {
            let position = since as u64 / self.step as u64;
            return Some((position as usize).min(self.last));
        };
        let guess = (since as f64 * per_step) as i64;
        // What overflows comes back: the rest itself fits.
        let rest = since.wrapping_sub(guess.wrapping_mul(self.step));
        let position = guess - i64::from(rest < 0) + i64::from(rest >= self.step);
        Some((position as usize).min(self.last))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(start: i64, end: i64, step: i64) -> Steps {
        Steps::Range {
            start: UnixNanos(start),
            end: UnixNanos(end),
            step: DurationNanos(step),
        }
    }

    #[test]
    fn points_are_multiples_of_the_step_around_the_range() {
        let points = |steps: Steps| -> Vec<i64> { steps.points().map(|point| point.0).collect() };
        assert_eq!(points(range(7, 21, 5)), [5, 10, 15, 20, 25]);
        assert_eq!(points(range(5, 20, 5)), [5, 10, 15, 20]);
        assert_eq!(points(range(-7, -1, 5)), [-10, -5, 0]);
        let instant = Steps::Instant {
            start: UnixNanos(3),
            end: UnixNanos(9),
        };
        assert_eq!(points(instant), [9]);
        assert_eq!(instant.seconds(), 6e-9);
    }

    #[test]
    fn the_ends_of_time_are_no_trouble() {
        for steps in [
            range(i64::MIN, i64::MIN + 3, 7),
            range(i64::MAX - 3, i64::MAX, 7),
            range(i64::MIN, i64::MAX, i64::MAX),
            range(0, i64::MAX, 1),
        ] {
            let (from, to) = steps.bounds();
            let clock = steps.clock();
            for time in [i64::MIN, from.0, -1, 0, 1, to.0, i64::MAX - 1, i64::MAX] {
                let position = clock.position(UnixNanos(time));
                assert!(
                    position.is_none_or(|at| at < steps.count()),
                    "{time} in {steps:?}"
                );
            }
            assert!(steps.points().take(3).count() > 0);
        }
    }

    #[test]
    fn an_instant_is_one_point_however_long() {
        for (start, end) in [(0, 5), (0, i64::MAX), (-1, i64::MAX), (i64::MIN, i64::MAX)] {
            let (start, end) = (UnixNanos(start), UnixNanos(end));
            let clock = Steps::Instant { start, end }.clock();
            for time in [start, end, UnixNanos(end.0 / 2)] {
                assert_eq!(
                    clock.position(time),
                    Some(0),
                    "{time:?} of {start:?} to {end:?}"
                );
            }
        }
    }

    #[test]
    fn edges_are_told_to_the_nanosecond() {
        let origin = 1_795_253_400_000_000_000;
        for (step, count) in [
            (7, 1000),
            (1_000_000_000, 10_000),
            (3_600_000_000_000, 8760),
        ] {
            let steps = range(origin, origin + step * count, step);
            let (clock, (earliest, latest)) = (steps.clock(), steps.bounds());
            for (at, point) in steps.points().enumerate() {
                assert_eq!(clock.position(point), Some(at));
                let after = UnixNanos(point.0 + 1);
                assert_eq!(clock.position(after), (after <= latest).then_some(at + 1));
            }
            assert_eq!(clock.position(UnixNanos(earliest.0 - 1)), None);
        }
    }

    proptest! {
        #[test]
        fn a_time_belongs_to_the_first_point_that_is_not_before_it(
            start in -50i64..50, length in 1i64..60, step in 1i64..20,
            times in proptest::collection::vec(-90i64..130, 0..20),
        ) {
            let steps = range(start, start + length, step);
            let points: Vec<i64> = steps.points().map(|point| point.0).collect();
            prop_assert_eq!(points.len(), steps.count());
            prop_assert!(points[0] <= start && start < points[0] + step);
            prop_assert!(points[points.len() - 1] >= start + length);
            let (earliest, latest) = steps.bounds();
            let clock = steps.clock();
            for time in times {
                let expected = points.iter().position(|point| point - step < time && time <= *point);
                prop_assert_eq!(clock.position(UnixNanos(time)), expected);
                prop_assert_eq!(steps.position(UnixNanos(time)), expected);
                prop_assert_eq!((earliest.0..=latest.0).contains(&time), expected.is_some());
            }
        }
    }
}
