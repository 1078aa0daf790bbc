//! What may have been meant: the diagnostics for words that mean nothing.

use crate::ast::{AggregateFn, MetricsFn, Name};
use crate::diagnostic::{Code, Diagnostic};
use crate::field::{Intrinsic, Scope, Type};
use crate::quote::print_string;
use crate::range::TextRange;
use crate::token::{KINDS, STATUSES, status_word};

/// Words of other query languages and of other tools, and what they are here.
const FOREIGN: [(&str, &str); 17] = [
    ("null", "nil"),
    ("none", "nil"),
    ("traceid", "trace:id"),
    ("trace_id", "trace:id"),
    ("spanid", "span:id"),
    ("span_id", "span:id"),
    ("parentid", "span:parentID"),
    ("parent_id", "span:parentID"),
    ("parentspanid", "span:parentID"),
    ("childcount", "span:childCount"),
    ("service", "resource.service.name"),
    ("servicename", "resource.service.name"),
    ("operation", "name"),
    ("latency", "duration"),
    ("rootservice", "rootServiceName"),
    ("root", "nestedSetParent < 0"),
    ("isroot", "nestedSetParent < 0"),
];

/// First parts of keys that OpenTelemetry puts on resources.
const RESOURCE_PREFIXES: [&str; 9] = [
    "service.",
    "k8s.",
    "host.",
    "cloud.",
    "container.",
    "deployment.",
    "telemetry.",
    "os.",
    "process.",
];

/// The candidate most like `word`, if one is like it: at most a third of the letters differ, upper and lower case alike.
pub(crate) fn closest<'a>(
    word: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let bound = 1 + word.len() / 4;
    candidates
        .map(|candidate| {
            let distance = strsim::osa_distance(&lower, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, candidate)| {
            *distance <= bound && *distance * 3 <= candidate.chars().count()
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn scope_of_key(key: &str) -> &'static str {
    if RESOURCE_PREFIXES
        .iter()
        .any(|prefix| key.starts_with(prefix))
    {
        "resource"
    } else {
        "span"
    }
}

/// For `http.method`, a name without its scope.
pub(crate) fn missing_scope(text: &str, range: TextRange) -> Diagnostic {
    let first = text.split('.').next().unwrap_or_default();
    if let Some(scope) = closest(
        first,
        [
            "span",
            "resource",
            "event",
            "link",
            "instrumentation",
            "parent",
        ]
        .into_iter(),
    ) {
        let right = format!("{scope}{}", &text[first.len()..]);
        return Diagnostic::error(
            Code::MissingScope,
            range,
            format!("there is no scope `{first}`"),
        )
        .hint(format!("did you mean `{right}`?"))
        .fix(range, right);
    }
    let right = format!("{}.{text}", scope_of_key(text));
    Diagnostic::error(
        Code::MissingScope,
        range,
        format!("`{text}` is an attribute without a scope"),
    )
    .hint(format!(
        "write `{right}`, or `.{text}` to look in every scope"
    ))
    .fix(range, right)
}

/// For `trace:foo`, an intrinsic that does not exist.
pub(crate) fn unknown_intrinsic(text: &str, range: TextRange) -> Diagnostic {
    let (scope, word) = text.split_once(':').unwrap_or((text, ""));
    let diagnostic = Diagnostic::error(
        Code::UnknownWord,
        range,
        format!("there is no intrinsic `{text}`"),
    );
    let all = || {
        Intrinsic::ALL
            .iter()
            .filter_map(|intrinsic| intrinsic.scoped())
    };
    let elsewhere = Intrinsic::ALL
        .iter()
        .find(|intrinsic| {
            let plain = intrinsic.unscoped() == Some(word);
            plain
                || intrinsic
                    .scoped()
                    .is_some_and(|name| name.ends_with(&text[scope.len()..]))
        })
        .filter(|_| !word.is_empty())
        .map(|intrinsic| intrinsic.spelling(true));
    if let Some(right) = elsewhere.or_else(|| closest(text, all())) {
        return diagnostic
            .hint(format!("did you mean `{right}`?"))
            .fix(range, right);
    }
    let of_scope: Vec<_> = all()
        .filter(|name| {
            name.split_once(':')
                .is_some_and(|(first, _)| first == scope)
        })
        .collect();
    if of_scope.is_empty() {
        diagnostic.hint("scopes of intrinsics are `span:`, `trace:`, `event:`, `link:` and `instrumentation:`; attributes take a dot, as in `span.x`")
    } else {
        diagnostic.hint(format!("there are {}", of_scope.join(", ")))
    }
}

/// For a bare word inside of braces that means nothing, perhaps on the other side of a comparison with a field.
pub(crate) fn unknown_word(
    word: &str,
    range: TextRange,
    compared_with: Option<&Name>,
) -> Diagnostic {
    let kind = compared_with
        .and_then(Name::field)
        .map(|field| field.value_type());
    let diagnostic = Diagnostic::error(Code::UnknownWord, range, format!("unknown word `{word}`"));
    let meant = |right: &str| {
        diagnostic
            .clone()
            .hint(format!("did you mean `{right}`?"))
            .fix(range, right)
    };
    match kind {
        Some(Type::Status) => {
            let words = || STATUSES.into_iter().map(status_word);
            return match closest(word, words()) {
                Some(right) => meant(right),
                None => diagnostic.hint("a status is `ok`, `error` or `unset`"),
            };
        }
        Some(Type::Kind) => {
            let words = || KINDS.into_iter().map(model::SpanKind::as_str);
            return match closest(word, words()) {
                Some(right) => meant(right),
                None => diagnostic.hint(
                    "a kind is `server`, `client`, `producer`, `consumer`, `internal` or `unspecified`",
                ),
            };
        }
        Some(Type::Str | Type::Any) if word.parse::<bool>().is_err() => {
            let mut quoted = String::new();
            print_string(word, &mut quoted);
            return diagnostic
                .hint(format!("a string stands in quotes: {quoted}"))
                .fix(range, quoted);
        }
        _ => {}
    }
    if Scope::from_word(word).is_some() || word == "parent" {
        return Diagnostic::error(
            Code::UnknownWord,
            range,
            format!("`{word}` alone is a scope and no value"),
        )
        .hint(format!(
            "a dot and the name of an attribute follow it, as in `{word}.x`"
        ));
    }
    let lower = word.to_lowercase();
    if let Some((_, right)) = FOREIGN.iter().find(|(foreign, _)| *foreign == lower) {
        return meant(right);
    }
    if AggregateFn::from_word(word).is_some() || MetricsFn::from_word(word).is_some() {
        return Diagnostic::error(
            Code::WrongPlace,
            range,
            format!("`{word}` cannot stand inside of braces"),
        )
        .hint(format!("put it after the spanset: `{{ … }} | {word}(…)`"));
    }
    let words = Intrinsic::ALL
        .iter()
        .flat_map(|intrinsic| [intrinsic.unscoped(), intrinsic.scoped()])
        .flatten()
        .chain(["true", "false", "nil"]);
    match closest(word, words) {
        Some(right) => meant(right),
        None => diagnostic
            .hint(format!(
                "attributes begin with their scope: `span.{word}`, `resource.{word}`, or `.{word}` for any"
            ))
            .fix(range, format!("span.{word}")),
    }
}

/// For a word where a stage should begin.
pub(crate) fn unknown_stage(word: &str, range: TextRange) -> Diagnostic {
    let stages = ["by", "coalesce", "select", "topk", "bottomk", "with"];
    let known = AggregateFn::ALL
        .iter()
        .map(|function| function.as_str())
        .chain(MetricsFn::ALL.iter().map(|function| function.as_str()))
        .chain(stages);
    let diagnostic = Diagnostic::error(Code::UnknownWord, range, format!("unknown word `{word}`"));
    match closest(word, known) {
        Some(right) => diagnostic
            .hint(format!("did you mean `{right}`?"))
            .fix(range, right),
        None => diagnostic.hint("a stage is a spanset `{ … }`, an aggregate such as `count() > 3`, `by(…)`, `coalesce()`, `select(…)`, or a metrics function such as `rate()`"),
    }
}
