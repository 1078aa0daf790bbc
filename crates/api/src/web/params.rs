//! Parameters of the surfaces that read: from text to typed values. Every refusal names the parameter, what was found and
//! what is accepted.

use model::{DurationNanos, TraceId, UnixNanos};
use query::{CursorError, TraceCursor, TraceOrder};

use crate::web::failure::Failure;

/// The largest page of a list. A page is held in memory whole; a trace's row is some hundred bytes.
pub(crate) const LIMIT_MAX: usize = 1000;

/// The page size when none is asked for.
pub(crate) const LIMIT_DEFAULT: usize = 20;

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// A parameter that was given; an empty one counts as absent, because forms send those.
pub(crate) fn given(value: Option<&String>) -> Option<&str> {
    value
        .map(|text| text.trim())
        .filter(|text| !text.is_empty())
}

/// A parameter read by `parse`, where it was given.
pub(crate) fn parsed<T>(
    name: &str,
    value: Option<&String>,
    parse: impl Fn(&str, &str) -> Result<T, Failure>,
) -> Result<Option<T>, Failure> {
    given(value).map(|text| parse(name, text)).transpose()
}

/// `newest` or `slowest`.
pub(crate) fn order(name: &str, text: &str) -> Result<TraceOrder, Failure> {
    match text {
        "newest" => Ok(TraceOrder::Newest),
        "slowest" => Ok(TraceOrder::Slowest),
        _ => Err(refused(name, text, "`newest` or `slowest`")),
    }
}

/// Where the page before ended.
pub(crate) fn cursor(name: &str, text: &str) -> Result<TraceCursor, Failure> {
    text.parse()
        .map_err(|error: CursorError| Failure::invalid(format!("{name}: {error}")))
}

fn refused(name: &str, found: &str, accepted: &str) -> Failure {
    Failure::invalid(format!("{name}: `{found}` is not {accepted}"))
}

/// A trace id in any spelling: upper or lower case, with dashes, behind `0x`, without leading zeros.
pub(crate) fn trace_id(text: &str) -> Result<TraceId, Failure> {
    let bare = text.trim();
    let bare = bare
        .strip_prefix("0x")
        .or_else(|| bare.strip_prefix("0X"))
        .unwrap_or(bare);
    let digits: String = bare.chars().filter(|character| *character != '-').collect();
    digits
        .parse()
        .map_err(|error| Failure::invalid(format!("`{text}` is not a trace id: {error}")))
}

/// `true` or `false`.
pub(crate) fn boolean(name: &str, text: &str) -> Result<bool, Failure> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(refused(name, text, "`true` or `false`")),
    }
}

/// `on` or `off`, as a switch is written in an address.
pub(crate) fn on_or_off(name: &str, text: &str) -> Result<bool, Failure> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(refused(name, text, "`on` or `off`")),
    }
}

/// A page size from 1 to [`LIMIT_MAX`].
pub(crate) fn limit(name: &str, text: &str) -> Result<usize, Failure> {
    match text.parse() {
        Ok(limit) if (1..=LIMIT_MAX).contains(&limit) => Ok(limit),
        _ => Err(refused(
            name,
            text,
            &format!("a number from 1 to {LIMIT_MAX}"),
        )),
    }
}

/// A number from 0 to `max`.
pub(crate) fn number_to(max: usize, name: &str, text: &str) -> Result<usize, Failure> {
    match text.parse() {
        Ok(number) if number <= max => Ok(number),
        _ => Err(refused(name, text, &format!("a number from 0 to {max}"))),
    }
}

/// A number.
pub(crate) fn number(name: &str, text: &str) -> Result<usize, Failure> {
    text.parse()
        .map_err(|_| refused(name, text, "a number from 0 up"))
}

/// A duration, or a number of seconds.
pub(crate) fn seconds_or_duration(name: &str, text: &str) -> Result<DurationNanos, Failure> {
    let seconds = scaled(text, NANOS_PER_SECOND).and_then(|nanos| i64::try_from(nanos).ok());
    match seconds {
        Some(nanos) => Ok(DurationNanos(nanos)),
        None => duration(name, text),
    }
}

/// `start` and `end`, either of which may be absent.
pub(crate) fn time_range(
    start: Option<&str>,
    end: Option<&str>,
) -> Result<(Option<UnixNanos>, Option<UnixNanos>), Failure> {
    let start = start.map(|text| time("start", text)).transpose()?;
    let end = end.map(|text| time("end", text)).transpose()?;
    match (start, end) {
        (Some(from), Some(to)) if from >= to => Err(Failure::invalid("start: must be before end")),
        range => Ok(range),
    }
}

/// A duration such as `1.5s`, `200ms` or `1m30s`.
pub(crate) fn duration(name: &str, text: &str) -> Result<DurationNanos, Failure> {
    parse_duration(text)
        .and_then(|nanos| i64::try_from(nanos).ok())
        .map(DurationNanos)
        .ok_or_else(|| {
            refused(
                name,
                text,
                "a duration such as `1.5s`, `200ms` or `1m30s` (units: ns, us, ms, s, m, h, d)",
            )
        })
}

fn parse_duration(text: &str) -> Option<i128> {
    let mut total: i128 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(number_end);
        let unit_end = after
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let unit_nanos = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => NANOS_PER_SECOND,
            "m" => 60 * NANOS_PER_SECOND,
            "h" => 3_600 * NANOS_PER_SECOND,
            "d" => 86_400 * NANOS_PER_SECOND,
            _ => return None,
        };
        total = total.checked_add(scaled(number, unit_nanos)?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

/// A decimal number times `unit`, exactly; digits below the unit's last are dropped.
fn scaled(number: &str, unit: i128) -> Option<i128> {
    // So many digits reach beyond any time that can be meant, and far from the end of 128 bits.
    const DIGITS_MAX: usize = 20;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.len() + fraction.len() == 0 || whole.len() > DIGITS_MAX {
        return None;
    }
    let digits = |text: &str| -> Option<i128> {
        let all_digits = text.bytes().all(|byte| byte.is_ascii_digit());
        all_digits.then(|| {
            text.bytes()
                .fold(0, |sum, byte| sum * 10 + i128::from(byte - b'0'))
        })
    };
    let fraction = &fraction[..fraction.len().min(9)];
    let fraction_nanos = digits(fraction)? * unit / 10_i128.pow(fraction.len() as u32);
    digits(whole)?
        .checked_mul(unit)?
        .checked_add(fraction_nanos)
}

/// A time: Unix seconds (whole or with a fraction), milliseconds, microseconds or nanoseconds, told apart by magnitude, or
/// RFC 3339.
pub(crate) fn time(name: &str, text: &str) -> Result<UnixNanos, Failure> {
    let nanos = parse_unix(text).or_else(|| {
        let timestamp: jiff::Timestamp = text.parse().ok()?;
        Some(timestamp.as_nanosecond())
    });
    nanos
        .and_then(|nanos| i64::try_from(nanos).ok())
        .map(UnixNanos)
        .ok_or_else(|| {
            refused(name, text, "a time: Unix seconds, Unix nanoseconds, or RFC 3339 such as `2026-11-21T09:30:00Z`")
        })
}

fn parse_unix(text: &str) -> Option<i128> {
    if text.contains('.') {
        return scaled(text, NANOS_PER_SECOND);
    }
    let number = scaled(text, 1)?;
    // 100,000,000,000 s is the year 5138 and, read as milliseconds, March 1973: no unit's useful range meets the next's.
    const SECONDS_END: i128 = 100_000_000_000;
    Some(match number {
        _ if number < SECONDS_END => number * NANOS_PER_SECOND,
        _ if number < SECONDS_END * 1_000 => number * 1_000_000,
        _ if number < SECONDS_END * 1_000_000 => number * 1_000,
        _ => number,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_in_any_spelling() {
        let id = trace_id("4bf92f3577b34da6a3ce929d0e0e4736").unwrap();
        assert_eq!(trace_id("4BF92F35-77B3-4DA6-A3CE-929D0E0E4736"), Ok(id));
        assert_eq!(trace_id("0x4bf92f3577b34da6a3ce929d0e0e4736"), Ok(id));
        assert_eq!(trace_id("00a1"), trace_id("a1"));
        for wrong in ["", "0", "xyz", "4bf92f3577b34da6a3ce929d0e0e47361"] {
            assert!(trace_id(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations_are_exact() {
        let nanos = |text| {
            duration("minDuration", text)
                .map(|duration| duration.0)
                .ok()
        };
        assert_eq!(nanos("1.5s"), Some(1_500_000_000));
        assert_eq!(nanos("200ms"), Some(200_000_000));
        assert_eq!(nanos("1m30s"), Some(90_000_000_000));
        assert_eq!(nanos("0.1us"), Some(100));
        assert_eq!(nanos(".5ms"), Some(500_000));
        assert_eq!(nanos("3µs"), Some(3_000));
        for wrong in [
            "",
            "5",
            "s",
            "1.2.3s",
            "1x",
            "-1s",
            "1e3s",
            "99999999999999999999d",
            "1s ms",
        ] {
            assert_eq!(nanos(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_come_in_every_unit() {
        let expected = Some(1_795_253_400_000_000_000);
        let nanos = |text| time("start", text).map(|time| time.0).ok();
        assert_eq!(nanos("1795253400"), expected);
        assert_eq!(nanos("1795253400.0"), expected);
        assert_eq!(nanos("1795253400000"), expected);
        assert_eq!(nanos("1795253400000000000"), expected);
        assert_eq!(nanos("2026-11-21T09:30:00Z"), expected);
        assert_eq!(nanos("2026-11-21T10:30:00+01:00"), expected);
        assert_eq!(
            nanos("1795253400.000000001"),
            Some(1_795_253_400_000_000_001)
        );
        for wrong in [
            "",
            "yesterday",
            "99999999999999999999999",
            "-1",
            "2026-11-21",
        ] {
            assert_eq!(nanos(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_refusal_names_the_parameter_and_what_is_accepted() {
        assert_eq!(
            limit("limit", "0"),
            Err(Failure::invalid(
                "limit: `0` is not a number from 1 to 1000"
            ))
        );
        assert!(limit("limit", "1001").is_err());
        assert_eq!(limit("limit", "1000"), Ok(1000));
        assert!(boolean("error", "yes").is_err());
        assert!(on_or_off("skew", "false").is_err());
    }
}
