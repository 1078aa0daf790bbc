//! Regular expressions of `=~` and `!~`.
//!
//! The language is that of RE2, as Go has it. The engine here reads a slightly different one, so a pattern is translated first:
//!
//! - `\d \w \s` and `\b` mean ASCII;
//! - `\Q…\E` quotes;
//! - in a class, `[`, `&&`, `--` and `~~` are plain characters;
//! - a `{` that begins no repetition is a plain character.

use std::fmt;

use regex::{Regex, RegexBuilder};

/// How much memory a compiled pattern may take. RE2 has the same bound, 1 MiB, for its programs; ours are larger for the same
/// pattern.
const MAX_COMPILED_BYTES: usize = 4 << 20;

/// A pattern that must match the whole of a string, compiled. Cloning is cheap.
#[derive(Clone)]
pub struct Pattern {
    source: String,
    regex: Regex,
}

impl Pattern {
    /// Compiles `source`, anchored at both ends.
    ///
    /// # Errors
    /// In words, when it is no regular expression or would need more than 4 MiB compiled.
    pub fn new(source: &str) -> Result<Self, String> {
        let translated = format!("^(?:{})$", translate(source)?);
        let regex = RegexBuilder::new(&translated)
            .size_limit(MAX_COMPILED_BYTES)
            .build()
            .map_err(|error| problem(&error))?;
        Ok(Self {
            source: source.to_owned(),
            regex,
        })
    }

    /// As it was written, without anchors.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether the whole of `text` matches.
    #[inline]
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The compiled expression, anchored, in the syntax of the `regex` crate.
    pub fn regex(&self) -> &Regex {
        &self.regex
    }

    /// The strings that match, when the pattern is nothing but alternatives of plain text, such as `a|b`.
    pub fn literals(&self) -> Option<Vec<&str>> {
        let plain = |part: &&str| !part.contains(|c: char| r"\.+*?()[]{}^$".contains(c));
        let parts: Vec<&str> = self.source.split('|').collect();
        parts.iter().all(plain).then_some(parts)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}/", self.source)
    }
}

/// The last line of the engine's message says what is wrong; the others draw the translated pattern.
fn problem(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.trim_start_matches("error: ").to_owned()
        }
    }
}

/// The pattern in the syntax of the `regex` crate. A group that closes before it opens would escape the anchors.
fn translate(source: &str) -> Result<String, String> {
    let mut out = String::with_capacity(source.len() + 16);
    let mut rest = source;
    let mut groups = 0usize;
    while let Some(character) = next(&mut rest) {
        match character {
            '\\' => rest = escape(rest, false, &mut out),
            '[' => rest = class(rest, &mut out),
            '(' => {
                groups += 1;
                out.push('(');
            }
            ')' => {
                groups = groups.checked_sub(1).ok_or("unopened group")?;
                out.push(')');
            }
            '{' if !is_repetition(rest) => out.push_str("\\{"),
            other => out.push(other),
        }
    }
    Ok(out)
}

fn next(rest: &mut &str) -> Option<char> {
    let character = rest.chars().next()?;
    *rest = &rest[character.len_utf8()..];
    Some(character)
}

/// What follows the `[` of a class; returns what follows the class.
fn class<'a>(mut rest: &'a str, out: &mut String) -> &'a str {
    out.push('[');
    if let Some(inside) = rest.strip_prefix('^') {
        out.push('^');
        rest = inside;
    }
    let mut first = true;
    while let Some(character) = next(&mut rest) {
        if character == ']' && !first {
            out.push(']');
            return rest;
        }
        first = false;
        rest = class_item(character, rest, out);
        // A hyphen makes a range, unless it is the last of the class.
        if rest.starts_with('-') && !rest.starts_with("-]") {
            out.push('-');
            rest = &rest[1..];
            if let Some(end) = next(&mut rest) {
                rest = class_item(end, rest, out);
            }
        }
    }
    rest
}

fn class_item<'a>(character: char, rest: &'a str, out: &mut String) -> &'a str {
    match character {
        '\\' => return escape(rest, true, out),
        '[' if rest.starts_with(':') => {
            if let Some(end) = rest.find(":]") {
                out.push('[');
                out.push_str(&rest[..end + 2]);
                return &rest[end + 2..];
            }
            out.push_str("\\[");
        }
        '[' | ']' | '&' | '~' | '-' | '^' => {
            out.push('\\');
            out.push(character);
        }
        other => out.push(other),
    }
    rest
}

/// What follows a backslash; returns what follows the escape.
fn escape<'a>(rest: &'a str, in_class: bool, out: &mut String) -> &'a str {
    let mut after = rest;
    let Some(character) = next(&mut after) else {
        out.push('\\');
        return rest;
    };
    match (character, in_class) {
        ('Q', false) => {
            let (quoted, after) = after.split_once("\\E").unwrap_or((after, ""));
            out.push_str(&regex::escape(quoted));
            return after;
        }
        ('p' | 'P' | 'x', _) if after.starts_with('{') => {
            let end = after.find('}').map_or(after.len(), |at| at + 1);
            out.push('\\');
            out.push(character);
            out.push_str(&after[..end]);
            return &after[end..];
        }
        ('d', false) => out.push_str("[0-9]"),
        ('d', true) => out.push_str("0-9"),
        ('D', _) => out.push_str("[^0-9]"),
        ('w', false) => out.push_str("[0-9A-Za-z_]"),
        ('w', true) => out.push_str("0-9A-Za-z_"),
        ('W', _) => out.push_str("[^0-9A-Za-z_]"),
        ('s', false) => out.push_str("[\\t\\n\\x0C\\r ]"),
        ('s', true) => out.push_str("\\t\\n\\x0C\\r "),
        ('S', _) => out.push_str("[^\\t\\n\\x0C\\r ]"),
        ('b', false) => out.push_str("(?-u:\\b)"),
        _ => {
            out.push('\\');
            out.push(character);
        }
    }
    after
}

/// Whether what follows a `{` makes it a repetition: `3}`, `3,}` or `3,5}`.
fn is_repetition(rest: &str) -> bool {
    let Some((inside, _)) = rest.split_once('}') else {
        return false;
    };
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match inside.split_once(',') {
        Some((low, high)) => number(low) && (high.is_empty() || number(high)),
        None => number(inside),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, matching: &[&str], other: &[&str]) {
        let compiled = Pattern::new(pattern).unwrap();
        for text in matching {
            assert!(compiled.is_match(text), "{pattern} should match {text:?}");
        }
        for text in other {
            assert!(
                !compiled.is_match(text),
                "{pattern} should not match {text:?}"
            );
        }
    }

    #[test]
    fn patterns_match_the_whole_string() {
        check("a|b", &["a", "b"], &["ab", "xa", "bx", ""]);
        check("POST .*", &["POST /checkout"], &["a POST /x", "POST /a\nb"]);
        check("", &[""], &["a"]);
    }

    #[test]
    fn classes_of_characters_are_ascii_as_in_re2() {
        check(r"\d+", &["12"], &["١٢"]);
        check(r"[\d_]+", &["1_2"], &["١"]);
        check(r"\w\W\s\S", &["a- b"], &["é- b"]);
        check(r"[^\D]+", &["12"], &["1a"]);
        check(r"\bab\b.*", &["ab c"], &["abc"]);
    }

    #[test]
    fn what_only_one_engine_knows_means_what_re2_says() {
        check("[a&&b]+", &["a&b"], &["c"]);
        check("[[a]", &["[", "a"], &["b"]);
        check("[]a]+", &["]a"], &["b"]);
        check("[^]a]", &["b"], &["]", "a"]);
        check("[+--]+", &["+,-"], &["."]);
        check("[a~~b]+", &["a~b"], &[]);
        check("[--/]+", &["-./"], &[","]);
        check("[a-]+", &["a-"], &["b"]);
        check("[[:alpha:]]+", &["ab"], &["1"]);
        check(r"[\p{Greek}x]+\pL\x{41}", &["αxbA"], &["αxbB"]);
        check(r"[\x41-\x43]", &["B"], &["D", "-"]);
        check(r"\Qa.b\E.", &["a.bc"], &["axbc"]);
        check("a{,2}", &["a{,2}"], &["aa"]);
        check("{x}", &["{x}"], &[]);
        check("a{2,3}", &["aa", "aaa"], &["a"]);
    }

    #[test]
    fn what_is_no_pattern_is_told_in_one_line() {
        for pattern in [
            "[",
            "a(",
            "a)|(b",
            "*",
            r"\",
            "a{1001}{1001}{1001}",
            "(?=a)",
        ] {
            let problem = Pattern::new(pattern).unwrap_err();
            assert!(!problem.is_empty() && !problem.contains('\n'), "{problem}");
        }
    }

    #[test]
    fn alternatives_of_plain_text_are_known_as_such() {
        let literals = |pattern| {
            Pattern::new(pattern)
                .unwrap()
                .literals()
                .map(|list| list.join(","))
        };
        assert_eq!(literals("GET|POST"), Some("GET,POST".to_owned()));
        assert_eq!(literals("GE."), None);
    }
}
