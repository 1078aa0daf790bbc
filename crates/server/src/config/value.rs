//! The kinds of values that settings have: how each is read from text, shown again, and what is accepted, in words.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// A kind of value. Reading what was shown gives the same value.
pub(crate) trait Value: Sized {
    /// What is accepted, as in "expected …" and in the reference.
    const ACCEPTS: &'static str;

    /// From the words of a file, an environment variable or a flag; a single value is one word. `None` for anything else.
    fn read(words: &[String]) -> Option<Self>;

    /// The value as it would be written in a file.
    fn show(&self) -> String;
}

fn single(words: &[String]) -> Option<&str> {
    match words {
        [word] => Some(word),
        _ => None,
    }
}

impl Value for bool {
    const ACCEPTS: &'static str = "true or false";

    fn read(words: &[String]) -> Option<Self> {
        single(words)?.parse().ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// A whole number above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count(pub(crate) usize);

impl Value for Count {
    const ACCEPTS: &'static str = "a whole number above 0";

    fn read(words: &[String]) -> Option<Self> {
        let count = single(words)?.parse().ok()?;
        (count > 0).then_some(Self(count))
    }

    fn show(&self) -> String {
        self.0.to_string()
    }
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ByteCount(pub(crate) u64);

const BYTE_UNITS: [(&str, u64); 8] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

impl ByteCount {
    /// For sizes of things in memory.
    pub(crate) fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl Value for ByteCount {
    const ACCEPTS: &'static str = "a size such as 64MiB, 8GiB or 500MB";

    fn read(words: &[String]) -> Option<Self> {
        let text = single(words)?;
        let digits_end = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let (digits, unit) = text.split_at(digits_end);
        let unit = unit.trim();
        let factor = match unit {
            "" => 1,
            unit => {
                BYTE_UNITS
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case(unit))?
                    .1
            }
        };
        digits.parse::<u64>().ok()?.checked_mul(factor).map(Self)
    }

    fn show(&self) -> String {
        let fits = |factor: u64| self.0 >= factor && self.0.is_multiple_of(factor);
        match BYTE_UNITS.iter().find(|(_, factor)| fits(*factor)) {
            Some((name, factor)) => format!("{}{name}", self.0 / factor),
            None => "0B".into(),
        }
    }
}

impl Value for Duration {
    const ACCEPTS: &'static str = "a duration such as 14d, 30s or 2ms";

    fn read(words: &[String]) -> Option<Self> {
        humantime::parse_duration(single(words)?).ok()
    }

    fn show(&self) -> String {
        humantime::format_duration(*self)
            .to_string()
            .replace(' ', "")
    }
}

impl Value for SocketAddr {
    const ACCEPTS: &'static str = "an address and port such as 127.0.0.1:3200 or [::]:3200";

    fn read(words: &[String]) -> Option<Self> {
        let text = single(words)?;
        // Two spellings that people use out of habit and that mean one thing.
        let text = text.replacen("localhost:", "127.0.0.1:", 1);
        match text.strip_prefix(':') {
            Some(port) => Some(Self::from(([0, 0, 0, 0], port.parse().ok()?))),
            None => text.parse().ok(),
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl Value for PathBuf {
    const ACCEPTS: &'static str = "a path";

    fn read(words: &[String]) -> Option<Self> {
        single(words)
            .filter(|text| !text.is_empty())
            .map(Self::from)
    }

    fn show(&self) -> String {
        self.display().to_string()
    }
}

impl Value for String {
    const ACCEPTS: &'static str = "a word";

    fn read(words: &[String]) -> Option<Self> {
        single(words)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    }

    fn show(&self) -> String {
        self.clone()
    }
}

impl Value for Vec<String> {
    const ACCEPTS: &'static str =
        "a list (in an environment variable or flag: separated by commas)";

    fn read(words: &[String]) -> Option<Self> {
        let parts = words.iter().flat_map(|word| word.split(','));
        Some(
            parts
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(str::to_owned)
                .collect(),
        )
    }

    fn show(&self) -> String {
        format!("[{}]", self.join(", "))
    }
}

/// A value that may be left to the machine it runs on, or left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Auto<T>(pub(crate) Option<T>);

impl<T: Value> Value for Auto<T> {
    const ACCEPTS: &'static str = T::ACCEPTS;

    fn read(words: &[String]) -> Option<Self> {
        match words {
            [] => Some(Self(None)),
            [word] if word.is_empty() || word == "auto" => Some(Self(None)),
            words => T::read(words).map(|value| Self(Some(value))),
        }
    }

    fn show(&self) -> String {
        self.0.as_ref().map_or_else(|| "auto".into(), T::show)
    }
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

impl Value for LogFormat {
    const ACCEPTS: &'static str = "text, json or auto";

    fn read(words: &[String]) -> Option<Self> {
        match single(words)? {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    fn show(&self) -> String {
        match self {
            Self::Text => "text".into(),
            Self::Json => "json".into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: Value>(text: &str) -> Option<T> {
        T::read(&[text.to_owned()])
    }

    fn check_shown<T: Value + PartialEq + std::fmt::Debug>(text: &str, shown: &str) {
        let value = read::<T>(text).unwrap_or_else(|| panic!("`{text}` is not read"));
        assert_eq!(value.show(), shown);
        assert_eq!(read::<T>(shown), Some(value));
    }

    #[test]
    fn reading_what_was_shown_gives_the_same_value() {
        check_shown::<ByteCount>("64MiB", "64MiB");
        check_shown::<ByteCount>("67108864", "64MiB");
        check_shown::<ByteCount>("1500 kb", "1500kB");
        check_shown::<ByteCount>("0", "0B");
        check_shown::<Duration>("14d", "14days");
        check_shown::<Duration>("1m 30s", "1m30s");
        check_shown::<Duration>("2ms", "2ms");
        check_shown::<SocketAddr>("localhost:3200", "127.0.0.1:3200");
        check_shown::<SocketAddr>(":3200", "0.0.0.0:3200");
        check_shown::<SocketAddr>("[::1]:3200", "[::1]:3200");
        check_shown::<Auto<ByteCount>>("auto", "auto");
        check_shown::<Auto<LogFormat>>("json", "json");
        check_shown::<bool>("true", "true");
    }

    #[test]
    fn what_means_nothing_is_not_read() {
        assert_eq!(read::<ByteCount>("64 MeB"), None);
        assert_eq!(read::<ByteCount>("-1"), None);
        assert_eq!(read::<ByteCount>("99999999999TiB"), None);
        assert_eq!(read::<Duration>("5"), None, "a unit is needed");
        assert_eq!(read::<SocketAddr>("3200"), None);
        assert_eq!(read::<Count>("0"), None);
        assert_eq!(
            <bool as Value>::read(&["true".into(), "false".into()]),
            None
        );
    }

    #[test]
    fn lists_come_as_lists_or_with_commas() {
        let expected = Some(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(read::<Vec<String>>("a, b,"), expected);
        assert_eq!(Vec::<String>::read(&["a".into(), "b".into()]), expected);
    }
}
