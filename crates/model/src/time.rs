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

    /// The day in UTC, as `2026-11-21`; years before 1000 cannot occur.
    pub fn utc_date(self) -> String {
        // Howard Hinnant's civil_from_days: days since 0000-03-01 in eras of 400 years, each of 146,097 days.
        let days = self.0.div_euclid(86_400_000_000_000) + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        format!("{year:04}-{month:02}-{day:02}")
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

#[cfg(test)]
mod tests {
    use super::UnixNanos;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, date) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (951_782_400, "2000-02-29"),
            (1_795_219_200, "2026-11-21"),
            (9_223_372_036, "2262-04-11"),
        ] {
            assert_eq!(UnixNanos(seconds * 1_000_000_000).utc_date(), date);
        }
    }
}
