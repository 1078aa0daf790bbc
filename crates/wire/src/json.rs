//! What reading and writing JSON have in common: errors with their place, and strings.

use std::cell::RefCell;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Why a body is not the JSON that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot read JSON at line {line} column {column}{}: {message}", in_path(.path))]
pub struct JsonError {
    /// The line, from 1.
    pub line: usize,
    /// The column in bytes, from 1; 0 when the fault is the end of the line before.
    pub column: usize,
    /// The member around it, such as `resourceSpans[0].scopeSpans[0].spans[3].traceId`; may be empty.
    pub path: String,
    /// What is wrong there.
    pub message: String,
}

fn in_path(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!(" in {path}")
    }
}

/// The path to a fault, noted from the inside out while errors travel up; nothing is spent on it before there is one.
#[derive(Debug, Default)]
pub(crate) struct Trail(RefCell<Vec<Step>>);

#[derive(Debug)]
enum Step {
    Member(String),
    Index(usize),
}

impl Trail {
    /// Notes the member that an error comes from.
    pub(crate) fn member<T, E>(&self, result: Result<T, E>, name: &str) -> Result<T, E> {
        if result.is_err() {
            self.0.borrow_mut().push(Step::Member(name.to_owned()));
        }
        result
    }

    /// Notes the element that an error comes from.
    pub(crate) fn index<T, E>(&self, result: Result<T, E>, index: usize) -> Result<T, E> {
        if result.is_err() {
            self.0.borrow_mut().push(Step::Index(index));
        }
        result
    }

    /// The error with the path that was noted.
    pub(crate) fn error(&self, error: &serde_json::Error) -> JsonError {
        let mut path = String::new();
        for step in self.0.borrow().iter().rev() {
            // Writing into memory cannot fail.
            let _ = match step {
                Step::Index(index) => write!(path, "[{index}]"),
                Step::Member(name) if path.is_empty() => write!(path, "{name}"),
                Step::Member(name) => write!(path, ".{name}"),
            };
        }
        let (line, column) = (error.line(), error.column());
        let message = error.to_string();
        let place = format!(" at line {line} column {column}");
        JsonError {
            line,
            column,
            path,
            message: message.strip_suffix(&place).unwrap_or(&message).to_owned(),
        }
    }
}

/// The bytes of base64 text in either alphabet, padded or not.
pub(crate) fn base64_bytes(text: &str) -> Option<Vec<u8>> {
    const ENGINE: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
    );
    let standard = |byte| match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    };
    let text: Vec<u8> = text.bytes().map(standard).collect();
    ENGINE.decode(text).ok()
}

/// Appends a JSON string.
pub(crate) fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(must_be_escaped) {
        out.push_str(&rest[..at]);
        // Writing into memory cannot fail.
        let _ = match rest.as_bytes()[at] {
            b'"' => out.write_str("\\\""),
            b'\\' => out.write_str("\\\\"),
            b'\n' => out.write_str("\\n"),
            b'\r' => out.write_str("\\r"),
            b'\t' => out.write_str("\\t"),
            byte => write!(out, "\\u{byte:04x}"),
        };
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

fn must_be_escaped(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_quoted_string_parses_to_itself(text in any::<String>()) {
            let mut quoted = String::new();
            push_quoted(&mut quoted, &text);
            prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
        }
    }

    #[test]
    fn base64_is_read_in_every_usual_spelling() {
        for text in ["+/8=", "-_8=", "+/8", "-_8"] {
            assert_eq!(base64_bytes(text), Some(vec![0xfb, 0xff]), "{text}");
        }
        assert_eq!(base64_bytes("?"), None);
    }
}
