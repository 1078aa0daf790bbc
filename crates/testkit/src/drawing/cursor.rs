//! The words of a line.

use model::Value;

/// What is left of a line.
pub(super) struct Cursor<'t> {
    pub(super) rest: &'t str,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { rest: text.trim() }
    }

    /// Whether nothing is left; spaces in front are skipped.
    pub(super) fn at_end(&mut self) -> bool {
        self.rest = self.rest.trim_start();
        self.rest.is_empty()
    }

    /// Skips `text` if it comes next.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Everything up to a space or one of `stops`.
    pub(super) fn until(&mut self, stops: &[char]) -> &'t str {
        let is_stop = |character: char| character.is_whitespace() || stops.contains(&character);
        let end = self.rest.find(is_stop).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    /// A text in double quotes, or everything up to a space or one of `stops`.
    pub(super) fn text(&mut self, stops: &[char]) -> Result<String, String> {
        if !self.rest.starts_with('"') {
            return Ok(self.until(stops).to_owned());
        }
        match self.value()? {
            Value::Str(text) => Ok(text),
            other => Err(format!("`{}` is no text", other.to_canonical())),
        }
    }

    /// A value: canonical text, or a word that is a string. A closing brace ends a word.
    pub(super) fn value(&mut self) -> Result<Value, String> {
        if !self.rest.starts_with(['"', '[', '{']) {
            let word = self.until(&['}']);
            return Ok(match Value::from_canonical(word) {
                Ok(value) => value,
                Err(_) => Value::Str(word.to_owned()),
            });
        }
        let end = closing(self.rest).ok_or_else(|| format!("`{}` is not closed", self.rest))?;
        let (text, rest) = self.rest.split_at(end);
        self.rest = rest;
        Value::from_canonical(text).map_err(|error| format!("`{text}`: {error}"))
    }
}

/// Where the quotes or brackets that `text` begins with end.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut in_quotes, mut escaped) = (0usize, false, false);
    for (offset, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if in_quotes => escaped = true,
            '"' => in_quotes = !in_quotes,
            '[' | '{' if !in_quotes => depth += 1,
            ']' | '}' if !in_quotes => depth -= 1,
            _ => {}
        }
        if depth == 0 && !in_quotes {
            return Some(offset + character.len_utf8());
        }
    }
    None
}
