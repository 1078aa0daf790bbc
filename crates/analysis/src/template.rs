//! What statements and names have in common when the values in them are left out.
//!
//! `select a from t where id = 17 and k = 'x'` and `… = 18 and k = 'y'` have one template,
//! `select a from t where id = ? and k = ?`. So have `GET /users/17` and `GET /users/18`, and `GET price:SKU-17`.

/// Text beyond so many bytes does not count: statements that differ only there are alike enough.
const READ_MAX: usize = 2_000;

/// Replaces every value by `?`: quoted text, numbers, and words that hold a digit and look like ids. Lists of values
/// become one. Costs O(length).
pub(crate) fn template(text: &str) -> String {
    let text = cut(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.char_indices().peekable();
    while let Some((at, character)) = rest.next() {
        if character == '\'' || character == '"' {
            // An open quote ends with the text. Double quotes around names in SQL go as well: the rest still tells.
            while rest.next().is_some_and(|(_, next)| next != character) {}
            value(&mut out);
        } else if is_word(character) {
            let mut end = at + character.len_utf8();
            while let Some(&(next, _)) = rest.peek().filter(|&&(_, next)| is_word(next)) {
                end = next + text[next..].chars().next().map_or(0, char::len_utf8);
                rest.next();
            }
            word(&text[at..end], &mut out);
        } else {
            out.push(character);
        }
    }
    out
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(READ_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Dashes belong to words: `3f2a-99` is one id.
fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '-'
}

fn word(word: &str, out: &mut String) {
    if is_value(word) {
        value(out);
    } else {
        out.push_str(word);
    }
}

/// Numbers; hex of eight digits or more; and words of which digits are the larger part, or the part behind a dash.
/// `v2`, `utf8` and `o1` stay.
fn is_value(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    if digits == 0 {
        return false;
    }
    let is_hex = word.len() >= 8
        && word
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    let ends_in_number = word.rsplit(['-', '_']).next().is_some_and(|part| {
        part.len() < word.len() && part.len() >= 2 && part.bytes().all(|byte| byte.is_ascii_digit())
    });
    is_hex || ends_in_number || digits * 2 > word.len()
}

/// A list `?, ?, ?` is one value: an IN of two and of three are the same statement.
fn value(out: &mut String) {
    let before = out.trim_end_matches([' ', ',']);
    if before.len() < out.len() && before.ends_with('?') && out[before.len()..].contains(',') {
        out.truncate(before.len());
    } else {
        out.push('?');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_left_out_and_words_stay() {
        let cases = [
            (
                "select a from t1 where id = 17 and k = 'it' and x in (1, 2, 3)",
                "select a from t1 where id = ? and k = ? and x in (?)",
            ),
            ("GET /v2/users/17/orders", "GET /v2/users/?/orders"),
            ("GET price:SKU-4711", "GET price:?"),
            ("GET user:3f2a9c41-77aa-4d0b", "GET user:?"),
            ("SELECT 'open", "SELECT ?"),
            ("utf8 über café", "utf8 über café"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(template(text), expected, "{text}");
        }
    }
}
