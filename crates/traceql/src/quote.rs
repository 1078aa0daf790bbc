//! Quoted text: strings with Go's escapes, and the quoted parts of attribute names, which have two escapes only.

use std::iter::Peekable;
use std::str::CharIndices;

use crate::token::ends_name;

/// Why what stands between quotes is no string: the escape's bytes, relative to the text given, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EscapeError {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) problem: &'static str,
}

/// The string that the text between two double quotes stands for, with the escapes of Go.
pub(crate) fn unescape(text: &str) -> Result<String, EscapeError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut characters = text.char_indices().peekable();
    while let Some((start, character)) = characters.next() {
        if character != '\\' {
            bytes.extend(character.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        let error = |end, problem| EscapeError {
            start,
            end,
            problem,
        };
        let Some((at, escape)) = characters.next() else {
            return Err(error(text.len(), "nothing follows the backslash"));
        };
        let end = at + escape.len_utf8();
        let code = match escape {
            'a' => 7,
            'b' => 8,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'v' => 11,
            '\\' | '"' => u32::from(escape),
            'x' => match digits(&mut characters, 2, 16) {
                Some(byte) => {
                    bytes.push(u8::try_from(byte).unwrap_or_default());
                    continue;
                }
                None => return Err(error(end, "`\\x` needs two hex digits")),
            },
            '0'..='7' => {
                let first = escape.to_digit(8).unwrap_or_default();
                let byte = digits(&mut characters, 2, 8).map(|rest| first * 64 + rest);
                match byte.and_then(|byte| u8::try_from(byte).ok()) {
                    Some(byte) => bytes.push(byte),
                    None => {
                        return Err(error(
                            end,
                            "an octal escape needs three digits, at most `\\377`",
                        ));
                    }
                }
                continue;
            }
            'u' => digits(&mut characters, 4, 16)
                .ok_or_else(|| error(end, "`\\u` needs four hex digits"))?,
            'U' => digits(&mut characters, 8, 16)
                .ok_or_else(|| error(end, "`\\U` needs eight hex digits"))?,
            _ => return Err(error(end, "no such escape")),
        };
        match char::from_u32(code) {
            Some(character) => bytes.extend(character.encode_utf8(&mut [0; 4]).bytes()),
            None => return Err(error(end, "no such character in Unicode")),
        }
    }
    String::from_utf8(bytes).map_err(|_| EscapeError {
        start: 0,
        end: text.len(),
        problem: "the escaped bytes are not UTF-8",
    })
}

fn digits(characters: &mut Peekable<CharIndices<'_>>, count: usize, radix: u32) -> Option<u32> {
    let mut value = 0u32;
    for _ in 0..count {
        let digit = characters.peek()?.1.to_digit(radix)?;
        characters.next();
        value = value.checked_mul(radix)?.checked_add(digit)?;
    }
    Some(value)
}

/// Appends a string in double quotes, so that [`unescape`] gives it back.
pub(crate) fn print_string(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other if u32::from(other) < 32 || u32::from(other) == 127 => {
                out.push_str(&format!("\\x{:02x}", u32::from(other)));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// Appends the name of an attribute, in quotes if it must be. `scoped` tells whether a word stands before the dot.
pub(crate) fn print_name(name: &str, scoped: bool, out: &mut String) {
    let plain = !name.is_empty()
        && !name.contains(|character| ends_name(character) || character == '"')
        && (scoped || !name.starts_with(|first: char| first.is_ascii_digit()));
    if plain {
        out.push_str(name);
    } else {
        print_quoted_name(name, out);
    }
}

/// Appends the name of an attribute in quotes.
pub(crate) fn print_quoted_name(name: &str, out: &mut String) {
    out.push('"');
    for character in name.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_are_those_of_go() {
        assert_eq!(
            unescape(r#"a\n\t\\\"\x41\102\u00e9\U0001F600\a"#).unwrap(),
            "a\n\t\\\"AB\u{e9}\u{1F600}\u{7}"
        );
        assert_eq!(unescape(r"\xc3\xa9").unwrap(), "é");
    }

    #[test]
    fn a_wrong_escape_is_named_with_its_place() {
        for (text, start, end) in [
            (r"ab\d", 2, 4),
            (r"\'", 0, 2),
            (r"\x4", 0, 2),
            (r"\400", 0, 2),
            (r"\ud800", 0, 2),
            ("\\", 0, 1),
            (r"\xff", 0, 4),
        ] {
            let error = unescape(text).unwrap_err();
            assert_eq!((error.start, error.end), (start, end), "{text}");
        }
    }

    proptest! {
        #[test]
        fn unescaping_what_was_printed_gives_the_same_string(text in any::<String>()) {
            let mut printed = String::new();
            print_string(&text, &mut printed);
            prop_assert_eq!(unescape(&printed[1..printed.len() - 1]).unwrap(), text);
        }
    }
}
