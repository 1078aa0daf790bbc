//! What answers of all kinds have in common: warnings, times, durations, and lines of comma-separated values.

use std::borrow::Cow;

/// Says what an answer lacks.
#[expect(clippy::print_stderr, reason = "a warning belongs beside the answer")]
pub(super) fn warn(missing: &[String]) {
    for what in missing {
        eprintln!("throughline: the answer is not complete: {what}");
    }
}

/// A time to the millisecond, in UTC: `2026-11-21 09:30:00.000`.
pub(super) fn time(unix_millis: i64) -> String {
    match jiff::Timestamp::from_millisecond(unix_millis) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string(),
        Err(_) => unix_millis.to_string(),
    }
}

/// A line of comma-separated values, with quotes where they are needed.
pub(super) fn csv<S: AsRef<str>>(cells: impl IntoIterator<Item = S>) -> String {
    let mut line = String::new();
    for (position, cell) in cells.into_iter().enumerate() {
        if position > 0 {
            line.push(',');
        }
        line.push_str(&quoted(cell.as_ref()));
    }
    line.push('\n');
    line
}

fn quoted(cell: &str) -> Cow<'_, str> {
    match cell.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")).into(),
        false => cell.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_needed() {
        assert_eq!(
            csv(["a", "b c", "d,e", "f\"g"]),
            "a,b c,\"d,e\",\"f\"\"g\"\n"
        );
    }

    #[test]
    fn times_are_to_the_millisecond() {
        assert_eq!(time(1_795_253_400_042), "2026-11-21 09:30:00.042");
    }
}
