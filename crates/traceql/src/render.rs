//! Diagnostics as text for a terminal: the message, the line of the query, a caret under the bytes, and the hint.
//!
//! ```text
//! error[wrong-operator]: there is no operator `==`
//!   |
//! 1 | { status == error }
//!   |          ^^
//!   = write `=`
//! ```

use std::fmt::Write as _;

use crate::diagnostic::{Diagnostic, Severity};

/// Columns of the query that are shown around a mistake; the rest of a long line gives way to `…`.
const MAX_COLUMNS: usize = 100;
/// Columns kept before the mistake when a line is cut.
const COLUMNS_BEFORE: usize = 40;
const TAB: &str = "    ";

/// All of them, each with a blank line behind it. Columns are counted in characters, each taken as one column wide.
pub fn render(text: &str, diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        render_one(text, diagnostic, &mut out);
        out.push('\n');
    }
    out
}

fn render_one(text: &str, diagnostic: &Diagnostic, out: &mut String) {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    // Writing into a string cannot fail.
    let _ = writeln!(
        out,
        "{severity}[{}]: {}",
        diagnostic.code.as_str(),
        diagnostic.message
    );
    let place = Place::of(text, diagnostic);
    let number = place.line_number.to_string();
    let margin = " ".repeat(number.len());
    let _ = writeln!(out, "{margin} |");
    let _ = writeln!(out, "{}", format!("{number} | {}", place.line).trim_end());
    let _ = writeln!(
        out,
        "{margin} | {}{}",
        " ".repeat(place.column),
        "^".repeat(place.width.max(1))
    );
    if let Some(hint) = &diagnostic.hint {
        let _ = writeln!(out, "{margin} = {hint}");
    }
}

/// A line of the query as it is shown, and where the mistake stands in it.
struct Place {
    line_number: usize,
    line: String,
    column: usize,
    width: usize,
}

impl Place {
    fn of(text: &str, diagnostic: &Diagnostic) -> Self {
        let start = floor(text, diagnostic.range.start);
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let end = floor(text, diagnostic.range.end).clamp(start, line_end);
        let lead: Vec<char> = shown(&text[line_start..start]).collect();
        let marked: Vec<char> = shown(&text[start..end]).collect();
        let rest: Vec<char> = shown(&text[end..line_end]).collect();
        let column = lead.len();
        let width = marked.len();
        let all: Vec<char> = [lead, marked, rest].concat();
        let line_number = 1 + before.matches('\n').count();
        if all.len() <= MAX_COLUMNS {
            return Self {
                line_number,
                line: all.into_iter().collect(),
                column,
                width,
            };
        }
        let from = column.saturating_sub(COLUMNS_BEFORE);
        let to = (from + MAX_COLUMNS).min(all.len());
        let mut line: String = all[from..to].iter().collect();
        let mut column = column - from;
        if from > 0 {
            line.insert(0, '…');
            column += 1;
        }
        if to < all.len() {
            line.push('…');
        }
        Self {
            line_number,
            line,
            column,
            width: width.min(to - from),
        }
    }
}

fn shown(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().flat_map(|character| {
        let text = match character {
            '\t' => TAB.to_owned(),
            other if other.is_control() => " ".to_owned(),
            other => other.to_string(),
        };
        text.chars().collect::<Vec<_>>()
    })
}

/// The character boundary at `offset` or before it.
fn floor(text: &str, offset: usize) -> usize {
    text.floor_char_boundary(offset.min(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Code;
    use crate::range::TextRange;

    #[track_caller]
    fn check(text: &str, start: usize, end: usize, line: &str, caret: &str) {
        let diagnostic = Diagnostic::error(Code::Unexpected, TextRange::new(start, end), "oops");
        let rendered = render(text, &[diagnostic]);
        let lines: Vec<&str> = rendered.lines().collect();
        assert_eq!(lines[0], "error[unexpected]: oops");
        assert_eq!((lines[2], lines[3]), (line, caret));
    }

    #[test]
    fn the_caret_stands_under_the_bytes() {
        check("{ a }", 2, 3, "1 | { a }", "  |   ^");
        check("{ a", 3, 3, "1 | { a", "  |    ^");
        check("é \"ö\" x", 8, 9, "1 | é \"ö\" x", "  |       ^");
        check("{\n\tab\n}", 3, 7, "2 |     ab", "  |     ^^");
        check("", 0, 0, "1 |", "  | ^");
    }

    #[test]
    fn a_long_line_is_cut_around_the_mistake() {
        let text = "a".repeat(300);
        let line = format!("1 | …{}…", "a".repeat(100));
        check(&text, 150, 152, &line, &format!("  | {}^^", " ".repeat(41)));
    }
}
