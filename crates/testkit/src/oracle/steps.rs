//! The points of time that series have.

use model::{DurationNanos, UnixNanos};

/// When series are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Steps {
    /// A point at each multiple of `step` since 1970, from the last one not after `start` to the first one not before `end`;
    /// each stands for the spans since the point before, so the first for some before `start`.
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
    /// The points, earliest first.
    pub fn points(&self) -> Vec<UnixNanos> {
        match *self {
            Self::Instant { end, .. } => vec![end],
            Self::Range { start, end, step } => {
                let first = start.0.div_euclid(step.0) * step.0;
                let mut points = vec![UnixNanos(first)];
                let mut last = first;
                while last < end.0 {
                    last += step.0;
                    points.push(UnixNanos(last));
                }
                points
            }
        }
    }

    /// The position of the point that a span which started at `time` counts for.
    pub fn position(&self, time: UnixNanos) -> Option<usize> {
        match *self {
            Self::Instant { start, end } => (start <= time && time <= end).then_some(0),
            Self::Range { step, .. } => self
                .points()
                .into_iter()
                .position(|point| point.0 - step.0 < time.0 && time <= point),
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
