//! Durations as text.

use std::fmt::Write as _;

/// Nanoseconds in each unit, longest first; a day is 24 hours and a year 365 days, as in Prometheus.
const UNITS: [(&str, u64); 11] = [
    ("y", 365 * 86_400_000_000_000),
    ("w", 7 * 86_400_000_000_000),
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1000),
    ("µs", 1000),
    ("μs", 1000),
    ("ns", 1),
];

/// The units that are printed, all of which Tempo reads too.
const PRINTED: [(&str, u64); 6] = [UNITS[3], UNITS[4], UNITS[5], UNITS[6], UNITS[7], UNITS[10]];

/// Digits after the point that can matter: a year has 3.2e16 ns.
const MAX_FRACTION_DIGITS: usize = 18;

/// Why a text is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DurationError {
    /// It is not numbers with units.
    Form,
    /// It is longer than 292 years.
    Range,
}

/// Nanoseconds of a text such as `1h30m`, `1.5s` or `100µs`: numbers with units, added up, no sign, at least one.
/// What is finer than a nanosecond is cut off.
pub(crate) fn parse_duration(mut text: &str) -> Result<u64, DurationError> {
    let mut total = 0u128;
    if text.is_empty() {
        return Err(DurationError::Form);
    }
    while !text.is_empty() {
        let whole = take(&mut text, |character| character.is_ascii_digit());
        let fraction = match text.strip_prefix('.') {
            Some(rest) => {
                text = rest;
                take(&mut text, |character| character.is_ascii_digit())
            }
            None => "",
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(DurationError::Form);
        }
        let word = take(&mut text, char::is_alphabetic);
        let (_, unit) = UNITS
            .into_iter()
            .find(|(name, _)| *name == word)
            .ok_or(DurationError::Form)?;
        let whole: u64 = match whole {
            "" => 0,
            digits => digits.parse().map_err(|_| DurationError::Range)?,
        };
        total += u128::from(whole) * u128::from(unit) + fraction_of(fraction, unit);
        if total > u128::from(i64::MAX as u64) + 1 {
            return Err(DurationError::Range);
        }
    }
    u64::try_from(total).map_err(|_| DurationError::Range)
}

fn take<'a>(text: &mut &'a str, wanted: impl Fn(char) -> bool) -> &'a str {
    let end = text
        .find(|character| !wanted(character))
        .unwrap_or(text.len());
    let (taken, rest) = text.split_at(end);
    *text = rest;
    taken
}

fn fraction_of(digits: &str, unit: u64) -> u128 {
    let digits = &digits[..digits.len().min(MAX_FRACTION_DIGITS)];
    let scale = digits.bytes().fold(1u128, |scale, _| scale * 10);
    let value = digits
        .bytes()
        .fold(0u128, |value, digit| value * 10 + u128::from(digit - b'0'));
    value * u128::from(unit) / scale
}

/// Appends a duration in units from hours to nanoseconds, exactly: `1h30m`, `-5ms`, `0s`.
pub(crate) fn print_duration(nanos: i64, out: &mut String) {
    if nanos == 0 {
        out.push_str("0s");
        return;
    }
    if nanos < 0 {
        out.push('-');
    }
    let mut left = nanos.unsigned_abs();
    for (name, unit) in PRINTED {
        if left >= unit {
            // Writing into a string cannot fail.
            let _ = write!(out, "{}{name}", left / unit);
            left %= unit;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_styles_of_durations_are_read() {
        for (text, nanos) in [
            ("1h30m", 5_400_000_000_000),
            ("1d", 86_400_000_000_000),
            ("1y2w3d4h5m6s7ms", 33_019_506_007_000_000),
            ("1.5s", 1_500_000_000),
            (".5ms", 500_000),
            ("100us", 100_000),
            ("100µs", 100_000),
            ("10ns", 10),
            ("1.0000000009s", 1_000_000_000),
            ("0s", 0),
        ] {
            assert_eq!(parse_duration(text), Ok(nanos), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_told_from_what_is_too_long() {
        for text in ["", "5", "5sec", "s", "1h5", ".s", "1e3s", "5 s"] {
            assert_eq!(parse_duration(text), Err(DurationError::Form), "{text}");
        }
        for text in ["293y", "99999999999999999999s"] {
            assert_eq!(parse_duration(text), Err(DurationError::Range), "{text}");
        }
    }

    proptest! {
        #[test]
        fn reading_what_was_printed_gives_the_same_duration(nanos in any::<i64>()) {
            let mut text = String::new();
            print_duration(nanos, &mut text);
            prop_assert_eq!(parse_duration(text.trim_start_matches('-')), Ok(nanos.unsigned_abs()));
        }
    }
}
