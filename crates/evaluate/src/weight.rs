//! How many spans a sampled span stands for.

use model::{NO_EXTRA, SpanBatch, SpanRow};

/// 2^56: a threshold of so many would reject every span.
const ALL: u64 = 1 << 56;

/// The weight of a span with this W3C trace state: 2^56 / (2^56 − `th`), where `th` is that of OpenTelemetry's member, and 1
/// without a valid one. Never below 1.
pub fn weight(trace_state: &str) -> f64 {
    // Subtracted before it is rounded: of thresholds close to all, the difference would be nothing.
    threshold(trace_state).map_or(1.0, |rejected| ALL as f64 / (ALL - rejected) as f64)
}

/// The threshold, which is below 2^56.
fn threshold(trace_state: &str) -> Option<u64> {
    let mut members = trace_state.split(',');
    let member = members.find_map(|member| member.trim().strip_prefix("ot="))?;
    let digits = member
        .split(';')
        .find_map(|field| field.strip_prefix("th:"))?;
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if !(1..=14).contains(&digits.len()) || !digits.bytes().all(is_digit) {
        return None;
    }
    let rejected = u64::from_str_radix(digits, 16).ok()?;
    // Zeros at the end may be left out.
    Some(rejected << (4 * (14 - digits.len())))
}

/// The weight of a row.
#[inline]
pub(crate) fn weight_of(span: &SpanRow, batch: &SpanBatch) -> f64 {
    if span.extra == NO_EXTRA {
        return 1.0;
    }
    match batch.extras[span.extra as usize].trace_state {
        model::Symbol::EMPTY => 1.0,
        trace_state => weight(batch.symbols.str(trace_state)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threshold_rejects_a_share_of_all() {
        for (trace_state, expected) in [
            ("", 1.0),
            ("ot=th:0", 1.0),
            ("ot=th:8", 2.0),
            ("ot=rv:1;th:c", 4.0),
            ("x=1, ot=th:e;rv:1 ,y=2", 8.0),
            ("ot=th:ffffffffffffff", ALL as f64),
            ("ot=th:", 1.0),
            ("ot=th:C", 1.0),
            ("ot=th:000000000000000", 1.0),
            ("ot=rv:1,ot=th:8", 1.0),
            ("th:8", 1.0),
        ] {
            assert_eq!(weight(trace_state), expected, "{trace_state}");
        }
    }
}
