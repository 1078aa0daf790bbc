//! The range of time that a question is about.

use anyhow::bail;
use clap::Args;
use model::{Clock as _, DurationNanos, UnixNanos};

use crate::clock::SystemClock;

/// From when to when.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Range {
    /// How far back, as in 15m, 6h or 7d
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration)]
    since: DurationNanos,
    /// From when: RFC 3339, or Unix seconds. Instead of --since
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with = "since")]
    start: Option<UnixNanos>,
    /// Until when [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    end: Option<UnixNanos>,
}

impl Range {
    /// Start and end.
    ///
    /// # Errors
    /// When the start is not before the end.
    pub(crate) fn bounds(&self) -> anyhow::Result<(UnixNanos, UnixNanos)> {
        let end = self.end.unwrap_or_else(|| SystemClock.now());
        let before = DurationNanos(self.since.0.saturating_neg());
        let start = self.start.unwrap_or_else(|| end.saturating_add(before));
        if start >= end {
            bail!("--start must be before --end");
        }
        Ok((start, end))
    }
}

/// `15m`, `1h30m`, `7d`.
pub(crate) fn duration(text: &str) -> Result<DurationNanos, String> {
    let parsed = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    match i64::try_from(parsed.as_nanos()) {
        Ok(nanos @ 1..) => Ok(DurationNanos(nanos)),
        _ => Err("out of range".into()),
    }
}

/// RFC 3339 or Unix seconds, perhaps with a fraction.
fn time(text: &str) -> Result<UnixNanos, String> {
    let nanos = match text.parse::<jiff::Timestamp>() {
        Ok(time) => i64::try_from(time.as_nanosecond()).ok(),
        Err(_) => unix(text),
    };
    nanos
        .map(UnixNanos)
        .ok_or_else(|| "expected a time such as 2026-11-21T09:30:00Z or 1795253400".into())
}

fn unix(text: &str) -> Option<i64> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(seconds) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let nanos: i64 = format!("{fraction:0<9}").parse().ok()?;
    let seconds: i64 = seconds.parse().ok()?;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        let expected = Ok(UnixNanos(1_795_253_400_500_000_000));
        assert_eq!(time("1795253400.5"), expected);
        assert_eq!(time("2026-11-21T09:30:00.5Z"), expected);
        for wrong in ["", "now", "-1", "1.2.3", "99999999999999999999"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
        assert_eq!(duration("1h30m"), Ok(DurationNanos(5_400_000_000_000)));
        assert!(duration("0s").is_err());
    }
}
