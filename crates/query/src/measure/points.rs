//! The point of time that each span counts for.

use evaluate::Steps;
use model::UnixNanos;

/// [`Steps`], made ready for many look-ups: a division costs more than all the rest.
pub(super) struct Points {
    steps: Steps,
    /// The last time that does not count, and the last that does.
    before: i64,
    last: i64,
    step: i64,
    per_step: f64,
    count: u32,
}

/// A span that counts for none.
pub(super) const NO_POINT: u32 = u32::MAX;

impl Points {
    pub(super) fn new(steps: Steps) -> Self {
        let (earliest, last) = steps.bounds();
        let step = match steps {
            Steps::Range { step, .. } => step.0.max(1),
            Steps::Instant { .. } => i64::MAX,
        };
        Self {
            steps,
            before: earliest.0.saturating_sub(1),
            last: last.0,
            step,
            per_step: 1.0 / step as f64,
            count: u32::try_from(steps.count()).unwrap_or(NO_POINT),
        }
    }

    #[inline]
    pub(super) fn of(&self, start: i64) -> u32 {
        if start <= self.before || start > self.last {
            return NO_POINT;
        }
        let since = start.wrapping_sub(self.before);
        if since < 0 || self.step == i64::MAX {
            // Ranges of centuries, and instants.
            return self.plainly(start);
        }
        // The quotient is right but for its last digits, so at most one off.
        let guess = ((since - 1) as f64 * self.per_step) as i64;
        let begin = guess * self.step;
        let at = if begin > since - 1 {
            guess - 1
        } else if since - 1 - begin >= self.step {
            guess + 1
        } else {
            guess
        };
        if (0..i64::from(self.count)).contains(&at) {
            at as u32
        } else {
            NO_POINT
        }
    }

    fn plainly(&self, start: i64) -> u32 {
        let at = self.steps.position(UnixNanos(start));
        at.and_then(|at| u32::try_from(at).ok()).unwrap_or(NO_POINT)
    }
}

#[cfg(test)]
mod tests {
    use model::DurationNanos;

    use super::*;

    #[test]
    fn points_are_those_of_the_steps() {
        let origin = 1_795_253_400_000_000_000;
        let range = |step: i64, count: i64| Steps::Range {
            start: UnixNanos(origin),
            end: UnixNanos(origin + step * count),
            step: DurationNanos(step),
        };
        let all = [
            range(1, 10),
            range(7, 1000),
            range(1_000_000_000, 10_000),
            range(3_600_000_000_000, 24 * 365),
            Steps::Instant {
                start: UnixNanos(origin),
                end: UnixNanos(origin + 5),
            },
        ];
        for steps in all {
            let points = Points::new(steps);
            let (earliest, last) = steps.bounds();
            let step = (last.0 - earliest.0) / 97 + 1;
            let inside = (0..100).flat_map(|at| {
                let time = earliest.0 + at * step;
                [time - 1, time, time + 1]
            });
            let edges = steps
                .points()
                .take(1000)
                .flat_map(|point| [point.0 - 1, point.0, point.0 + 1]);
            for time in inside.chain(edges).chain([i64::MIN, i64::MAX]) {
                let expected = steps
                    .position(UnixNanos(time))
                    .map_or(NO_POINT, |at| at as u32);
                assert_eq!(points.of(time), expected, "{time} in {steps:?}");
            }
        }
    }
}
