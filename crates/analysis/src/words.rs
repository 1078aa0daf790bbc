//! Numbers and lists as people say them.

use model::ValueRef;

use crate::settings::{HOUR, MICROSECOND, MILLISECOND, MINUTE, SECOND};

/// `3 s`, `1.2 s`, `180 ms`, `45 µs`, `2 min 5 s`, `1 h 3 min`; at most three digits that matter.
pub(crate) fn time(ns: i64) -> String {
    match ns {
        HOUR.. => two(ns, HOUR, "h", MINUTE, "min"),
        MINUTE.. => two(ns, MINUTE, "min", SECOND, "s"),
        // 59.96 s would otherwise be 60 s, and 999.7 ms be 1000 ms.
        _ if ns >= SECOND - MILLISECOND / 2 => decimal(ns, SECOND, "s"),
        _ if ns >= MILLISECOND - MICROSECOND / 2 => decimal(ns, MILLISECOND, "ms"),
        MICROSECOND.. => decimal(ns, MICROSECOND, "µs"),
        _ => format!("{ns} ns"),
    }
}

fn two(ns: i64, large: i64, large_name: &str, small: i64, small_name: &str) -> String {
    let (whole, rest) = (ns / large, ns % large / small);
    if rest == 0 {
        format!("{whole} {large_name}")
    } else {
        format!("{whole} {large_name} {rest} {small_name}")
    }
}

fn decimal(ns: i64, unit: i64, name: &str) -> String {
    let value = ns as f64 / unit as f64;
    let rounded = if value < 9.95 {
        (value * 10.0).round() / 10.0
    } else {
        value.round()
    };
    format!("{rounded} {name}")
}

/// `62 %`, and `under 1 %` rather than `0 %`.
pub(crate) fn percent(share: f64) -> String {
    match (share * 100.0).round() {
        rounded if rounded >= 1.0 => format!("{rounded} %"),
        _ => "under 1 %".to_owned(),
    }
}

/// `1 span`, `2 spans`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}

/// `a`, `a and b`, `a, b and 3 more`.
pub(crate) fn list(items: &[String], shown_max: usize) -> String {
    let shown = &items[..items.len().min(shown_max)];
    let more = items.len() - shown.len();
    match (shown, more) {
        ([], _) => String::new(),
        (_, 1..) => format!("{} and {more} more", shown.join(", ")),
        ([one], 0) => one.clone(),
        ([most @ .., last], 0) => format!("{} and {last}", most.join(", ")),
    }
}

/// A text that fits a line: white space made one space, and cut at `characters`, with an ellipsis. Reads no further.
pub(crate) fn short(text: &str, characters: usize) -> String {
    let mut line = String::new();
    let mut count = 0;
    'words: for word in text.split_whitespace() {
        let space = if line.is_empty() { None } else { Some(' ') };
        for character in space.into_iter().chain(word.chars()) {
            if count == characters {
                line.push('…');
                break 'words;
            }
            line.push(character);
            count += 1;
        }
    }
    line
}

/// The value of an attribute; numbers and truths as they are written.
pub(crate) fn value(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Str(text) | ValueRef::Json(text) => text.to_owned(),
        ValueRef::Int(int) => int.to_string(),
        ValueRef::Double(double) => double.to_string(),
        ValueRef::Bool(truth) => truth.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_with_the_digits_that_matter() {
        let cases = [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_500, "1.5 µs"),
            (999_700, "1 ms"),
            (180_400_000, "180 ms"),
            (999_700_000, "1 s"),
            (3_000_000_000, "3 s"),
            (3_040_000_000, "3 s"),
            (12_600_000_000, "13 s"),
            (125 * SECOND, "2 min 5 s"),
            (3_600 * SECOND, "1 h"),
        ];
        for (ns, told) in cases {
            assert_eq!(time(ns), told);
        }
    }

    #[test]
    fn lists_end_with_and() {
        let items = ["a", "b", "c"].map(str::to_owned);
        assert_eq!(list(&items[..1], 2), "a");
        assert_eq!(list(&items[..2], 2), "a and b");
        assert_eq!(list(&items, 2), "a, b and 1 more");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(short("Größe  und\nmehr", 4), "Größ…");
        assert_eq!(short(" kurz ", 4), "kurz");
        assert_eq!(short("ein Wort", 3), "ein…");
    }
}
