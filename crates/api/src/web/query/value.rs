//! Values as the surfaces write them.

use evaluate::Shown;
use model::{DurationNanos, Value};
use serde_json::Value as Json;
use traceql::query::Constant;

/// A duration as Go prints it, which is what Tempo does: `1h0m30s`, `1.5s`, `250ms`, `10µs`, `0s`.
pub(crate) fn duration_text(duration: DurationNanos) -> String {
    let sign = if duration.0 < 0 { "-" } else { "" };
    let nanos = duration.0.unsigned_abs();
    let decimal = |unit: u64| {
        let text = format!(
            "{}.{:0width$}",
            nanos / unit,
            nanos % unit,
            width = unit.ilog10() as usize
        );
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    let text = match nanos {
        0 => "0s".to_owned(),
        1..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => decimal(1_000) + "µs",
        1_000_000..1_000_000_000 => decimal(1_000_000) + "ms",
        _ => long_duration(nanos),
    };
    format!("{sign}{text}")
}

/// One of a second or more.
fn long_duration(nanos: u64) -> String {
    const SECOND: u64 = 1_000_000_000;
    let (minutes, rest) = (nanos / (60 * SECOND), nanos % (60 * SECOND));
    let mut seconds = format!("{}.{:09}", rest / SECOND, rest % SECOND);
    seconds.truncate(seconds.trim_end_matches('0').trim_end_matches('.').len());
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{seconds}s"),
        (0, minutes) => format!("{minutes}m{seconds}s"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
    }
}

/// A constant without the quotes of a string.
pub(crate) fn plain_text(constant: &Constant) -> String {
    match constant {
        Constant::Str(text) => text.to_string(),
        Constant::Int(int) => int.to_string(),
        Constant::Float(float) => float.to_string(),
        Constant::Bool(bool) => bool.to_string(),
        Constant::Duration(duration) => duration_text(*duration),
        Constant::Status(_) | Constant::Kind(_) => Shown::One(constant.clone()).to_string(),
    }
}

/// A constant in Tempo's messages: what OTLP has no type for is a string.
pub(crate) fn wire_constant(constant: &Constant) -> Value {
    match constant {
        Constant::Int(int) => Value::Int(*int),
        Constant::Float(float) => Value::Double(*float),
        Constant::Bool(bool) => Value::Bool(*bool),
        other => Value::Str(plain_text(other)),
    }
}

/// A value in Tempo's messages.
pub(crate) fn wire_value(shown: &Shown) -> Value {
    match shown {
        Shown::One(constant) => wire_constant(constant),
        Shown::Many(items) => Value::Array(items.iter().map(wire_value).collect()),
        Shown::Other(text) => {
            Value::from_canonical(text).unwrap_or_else(|_| Value::Str(text.clone()))
        }
    }
}

/// A constant in our JSON.
pub(super) fn json_constant(constant: &Constant) -> Json {
    match constant {
        Constant::Int(int) => (*int).into(),
        Constant::Float(float) => (*float).into(),
        Constant::Bool(bool) => (*bool).into(),
        other => plain_text(other).into(),
    }
}

/// A value in our JSON.
pub(super) fn json_value(shown: &Shown) -> Json {
    match shown {
        Shown::One(constant) => json_constant(constant),
        Shown::Many(items) => items.iter().map(json_value).collect(),
        Shown::Other(text) => text.as_str().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_go_writes_them() {
        let text = |nanos| duration_text(DurationNanos(nanos));
        for (nanos, expected) in [
            (0, "0s"),
            (1, "1ns"),
            (999, "999ns"),
            (1_000, "1µs"),
            (1_500, "1.5µs"),
            (250_000_000, "250ms"),
            (250_000_001, "250.000001ms"),
            (1_000_000_000, "1s"),
            (1_500_000_000, "1.5s"),
            (90_000_000_000, "1m30s"),
            (3_600_000_000_000, "1h0m0s"),
            (93_784_000_000_001, "26h3m4.000000001s"),
            (-1_500_000_000, "-1.5s"),
            (i64::MIN, "-2562047h47m16.854775808s"),
        ] {
            assert_eq!(text(nanos), expected);
        }
    }
}
