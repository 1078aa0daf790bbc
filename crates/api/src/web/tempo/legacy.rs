//! The search of old clients, which knows attributes and durations: as TraceQL.
//!
//! Each attribute may be on any span of the trace, as it always was; so every one is a filter of its own, and the filters
//! are joined with `&&`. Values had no types then: `http.status_code=200` finds the string and the number.

use std::fmt::Write as _;
use std::sync::Arc;

use model::DurationNanos;
use traceql::ast::Literal;
use traceql::query::{Field, Intrinsic, Scope};

use crate::web::failure::Failure;

/// The query for these attributes and bounds on the duration of the trace.
pub(super) fn query(
    tags: &[(String, String)],
    min: Option<DurationNanos>,
    max: Option<DurationNanos>,
) -> Result<String, Failure> {
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        return Err(Failure::invalid(
            "minDuration: must not be above maxDuration",
        ));
    }
    let mut durations = String::new();
    for (op, bound) in [(">=", min), ("<=", max)] {
        if let Some(bound) = bound {
            let join = if durations.is_empty() { "" } else { " && " };
            // Writing into a string cannot fail.
            let _ = write!(
                durations,
                "{join}traceDuration {op} {}",
                Literal::Duration(bound)
            );
        }
    }
    let mut filters = Vec::with_capacity(tags.len() + 1);
    if !durations.is_empty() {
        filters.push(format!("{{ {durations} }}"));
    }
    for (key, value) in tags {
        filters.push(format!("{{ {} }}", condition(key, value)?));
    }
    Ok(filters.join(" && "))
}

/// What an attribute demands of a span. A few keys were never attributes.
fn condition(key: &str, value: &str) -> Result<String, Failure> {
    let text = Literal::Str(Arc::from(value));
    let word = |name: &str| format!("{name} = {value}");
    Ok(match key {
        "" => return Err(Failure::invalid("tags: a key is empty")),
        "name" => format!("name = {text}"),
        "root.name" | "rootName" => format!("rootName = {text}"),
        "root.service.name" | "rootServiceName" => format!("rootServiceName = {text}"),
        "error" if value == "true" => "status = error".into(),
        "status" | "status.code" => match value {
            "ok" | "error" | "unset" => word("status"),
            _ => {
                return Err(Failure::invalid(format!(
                    "tags: `{value}` is not a status: ok, error, unset"
                )));
            }
        },
        _ => {
            let field = attribute(key);
            let mut condition = format!("{field} = {text}");
            if let Some(typed) = typed(value) {
                let _ = write!(condition, " || {field} = {typed}");
            }
            condition
        }
    })
}

/// An attribute that a client names without a scope.
pub(super) fn attribute(key: &str) -> Field {
    Field::attribute(Scope::Any, key)
}

/// What an old client means by a name: an intrinsic spelled without a scope, or an attribute wherever it is.
pub(crate) fn field(name: &str) -> Field {
    let intrinsic = Intrinsic::ALL
        .iter()
        .find(|intrinsic| intrinsic.unscoped() == Some(name));
    match (intrinsic, name) {
        (Some(intrinsic), _) => Field::intrinsic(*intrinsic),
        (None, "status.code") => Field::intrinsic(Intrinsic::Status),
        (None, "root.name") => Field::intrinsic(Intrinsic::RootName),
        (None, "root.service.name") => Field::intrinsic(Intrinsic::RootService),
        (None, name) => attribute(name),
    }
}

/// The number or boolean that a text may have been.
fn typed(value: &str) -> Option<Literal> {
    if let Ok(int) = value.parse() {
        return Some(Literal::Int(int));
    }
    if let Ok(bool) = value.parse() {
        return Some(Literal::Bool(bool));
    }
    let float: f64 = value.parse().ok()?;
    float.is_finite().then_some(Literal::Float(float))
}

/// Reads `key=value key2="a value" key3`; a key without a value has the empty one.
pub(super) fn logfmt(text: &str) -> Result<Vec<(String, String)>, Failure> {
    let mut tags: Vec<(String, String)> = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| c == '=' || c == '"' || c.is_whitespace())
            .unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        let (value, after) = match after.strip_prefix('=') {
            Some(after) => value(after)?,
            None => (String::new(), after),
        };
        if key.is_empty() || after.starts_with('"') {
            return Err(malformed(text.len() - after.len()));
        }
        if tags.iter().any(|(known, _)| known == key) {
            return Err(Failure::invalid(format!("tags: `{key}` is given twice")));
        }
        tags.push((key.to_owned(), value));
        rest = after.trim_start();
    }
    Ok(tags)
}

fn malformed(at: usize) -> Failure {
    Failure::invalid(format!(
        "tags: cannot be read at byte {at}; write key=value or key=\"a value\", with blanks between"
    ))
}

/// A value, perhaps in quotes, and what follows it.
fn value(text: &str) -> Result<(String, &str), Failure> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        return Ok((text[..end].to_owned(), &text[end..]));
    };
    let mut escaped = false;
    for (at, character) in quoted.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => {
                let whole = &text[..at + 2];
                // Escapes are those of JSON.
                let value = serde_json::from_str(whole)
                    .map_err(|_| Failure::invalid(format!("tags: {whole} is not a string")))?;
                return Ok((value, &quoted[at + 1..]));
            }
            _ => {}
        }
    }
    Err(Failure::invalid("tags: a quote is not closed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(tags: &str, min: Option<i64>, max: Option<i64>, expected: &str) {
        let tags = logfmt(tags).unwrap();
        let text = query(&tags, min.map(DurationNanos), max.map(DurationNanos)).unwrap();
        assert_eq!(text, expected);
        assert!(traceql::compile(&text).is_ok(), "{text}");
    }

    #[test]
    fn tags_become_traceql() {
        check("a=b", None, None, r#"{ .a = "b" }"#);
        check(
            r#"service.name="my shop" http.status_code=200 ok=true"#,
            None,
            None,
            r#"{ .service.name = "my shop" } && { .http.status_code = "200" || .http.status_code = 200 } && { .ok = "true" || .ok = true }"#,
        );
        check(
            "error=true name=\"GET \\\"/\\\"\"",
            None,
            None,
            r#"{ status = error } && { name = "GET \"/\"" }"#,
        );
        check("x=-1.5", None, None, r#"{ .x = "-1.5" || .x = -1.5 }"#);
        check(
            "status.code=ok root.name=x",
            None,
            None,
            r#"{ status = ok } && { rootName = "x" }"#,
        );
        check(
            "",
            Some(1_500_000_000),
            None,
            "{ traceDuration >= 1s500ms }",
        );
        check(
            "a=b",
            Some(1_000_000),
            Some(2_000_000),
            r#"{ traceDuration >= 1ms && traceDuration <= 2ms } && { .a = "b" }"#,
        );
    }

    #[test]
    fn tags_that_cannot_be_read_are_refused() {
        for wrong in [
            "=x",
            "a=\"x",
            "a=b a=c",
            "a\"b",
            "a=\"\\q\"",
            "\"a\"=b",
            "status=fine",
        ] {
            let result = logfmt(wrong).and_then(|tags| query(&tags, None, None));
            assert!(result.is_err(), "{wrong}");
        }
        let (more, less) = (Some(DurationNanos(2)), Some(DurationNanos(1)));
        assert!(query(&[], more, less).is_err());
    }

    #[test]
    fn names_without_a_scope_are_intrinsics_or_attributes_anywhere() {
        assert_eq!(field("name"), Field::intrinsic(Intrinsic::Name));
        assert_eq!(field("root.name"), Field::intrinsic(Intrinsic::RootName));
        assert_eq!(
            field("service.name"),
            Field::attribute(Scope::Any, "service.name")
        );
    }
}
