//! What the terminal can show: colours, and how wide it is.

use std::io::IsTerminal as _;

/// Assumed where nobody tells.
const WIDTH_DEFAULT: usize = 100;
/// Narrower, nothing can be laid out.
const WIDTH_MIN: usize = 60;
/// Wider, lines are hard to follow.
const WIDTH_MAX: usize = 240;

/// Colours, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paint(bool);

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    /// Less important.
    Dim,
    /// More important.
    Bold,
    /// A failure.
    Error,
    /// On the critical path.
    Critical,
    /// One of several that are told apart.
    Hue(u8),
}

/// Colours to tell things apart, readable on light and dark grounds: cyan, blue, magenta, green, yellow, and their bright kin.
const HUES: [u8; 8] = [36, 34, 35, 32, 33, 96, 94, 95];

impl Paint {
    /// Colours.
    #[cfg(test)]
    pub(crate) const ON: Self = Self(true);
    /// No colours.
    pub(crate) const OFF: Self = Self(false);

    /// Colours if standard output is a terminal that can and nobody says no.
    pub(crate) fn of_stdout() -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        match std::io::stdout().is_terminal() && !refused && !is_dumb {
            true => Self(true),
            false => Self::OFF,
        }
    }

    /// The text in a colour.
    pub(crate) fn ink(self, ink: Ink, text: &str) -> String {
        if !self.0 || text.is_empty() {
            return text.to_owned();
        }
        let code = match ink {
            Ink::Dim => 2,
            Ink::Bold => 1,
            Ink::Error => 31,
            Ink::Critical => 33,
            Ink::Hue(number) => HUES[usize::from(number) % HUES.len()],
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// Columns of the terminal.
pub(crate) fn width() -> usize {
    let told = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    let seen = || {
        console::Term::stdout()
            .size_checked()
            .map(|(_, columns)| columns.into())
    };
    told.or_else(seen)
        .unwrap_or(WIDTH_DEFAULT)
        .clamp(WIDTH_MIN, WIDTH_MAX)
}

/// A text of somebody else's without what could steer the terminal.
pub(crate) fn plain(text: &str) -> String {
    let blank = |character: char| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    };
    text.chars().map(blank).collect()
}

/// A text in exactly so many columns: cut with `…`, or filled up.
pub(crate) fn fitted(text: &str, columns: usize) -> String {
    let text = plain(text);
    let cut = console::truncate_str(&text, columns, "…");
    let rest = columns.saturating_sub(console::measure_text_width(&cut));
    format!("{cut}{}", " ".repeat(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_fitted() {
        assert_eq!(fitted("abc", 5), "abc  ");
        assert_eq!(fitted("abcdef", 5), "abcd…");
        assert_eq!(fitted("a\x1b[31m\nb", 12), "a [31m b    ");
        assert_eq!(fitted("日本語", 5), "日本…");
    }

    #[test]
    fn colours_are_off_when_they_are() {
        assert_eq!(Paint::OFF.ink(Ink::Error, "x"), "x");
        assert_eq!(Paint::ON.ink(Ink::Error, "x"), "\x1b[31mx\x1b[0m");
    }
}
