//! Time: nanoseconds since the Unix epoch, durations, and the clock as a parameter.

use std::fmt;

/// A point in time, in nanoseconds since 1970-01-01T00:00:00Z.
///
/// Signed as in Parquet and Arrow, so it reaches from 1677 to 2262-04-11; OTLP's unsigned times beyond that are
/// refused at the door with [`DropReason::TimestampOutOfRange`](crate::DropReason::TimestampOutOfRange).
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize,
)]
pub struct UnixNanos(pub i64);

/// A length of time in nanoseconds; negative where a span was recorded with its end before its start.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize,
)]
pub struct DurationNanos(pub i64);

impl UnixNanos {
    /// This time moved by `duration`, held at the ends of the range.
    #[inline]
    pub fn saturating_add(self, duration: DurationNanos) -> Self {
        Self(self.0.saturating_add(duration.0))
    }

    /// The time from `earlier` to this one, negative when `earlier` is later; held at the ends of the range.
    #[inline]
    pub fn since(self, earlier: Self) -> DurationNanos {
        DurationNanos(self.0.saturating_sub(earlier.0))
    }
}

impl DurationNanos {
    /// A duration of whole milliseconds.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis * 1_000_000)
    }

    /// A duration of whole seconds.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs * 1_000_000_000)
    }
}

impl fmt::Debug for UnixNanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ns", self.0)
    }
}

impl fmt::Debug for DurationNanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ns", self.0)
    }
}

/// Where the time comes from. Behaviour that depends on time takes one of these, so that a test decides what time it is.
pub trait Clock: Send + Sync + 'static {
    /// Wall-clock time. It may step back; users of it must bear that.
    fn now(&self) -> UnixNanos;
}
