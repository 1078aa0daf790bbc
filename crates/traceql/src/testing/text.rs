//! Checks of one text, whatever it is: what a fuzzer calls.
//!
//! Invariants:
//!
//! - nothing panics;
//! - every range, of a node, a diagnostic, an edit or a completion, lies inside of the text and on character boundaries;
//! - there is a query exactly when there is no error;
//! - a text that parses is printed to a text that parses to the same tree and checks to the same query;
//! - what is known of an unfinished filter is a query itself.

use crate::ast::{
    Argument, Ast, Expr, ExprKind, FilterExpr, FilterKind, Metrics, Pipeline, StageKind,
};
use crate::{Diagnostic, TextRange, analyse, complete, known_filter, parse, parse_field, render};

#[cfg(test)]
#[allow(unreachable_pub)]
#[path = "../../../../fuzz/src/corpus.rs"]
mod fuzz_corpus;

/// Places of a long text at which completion is tried.
const CURSORS: usize = 16;

/// Checks the invariants on one text.
///
/// # Panics
/// When an invariant is broken.
pub fn check_text(text: &str) {
    let analysis = analyse(text);
    check_ranges(text, &analysis.ast);
    check_diagnostics(text, &analysis.diagnostics);
    let fails = analysis.diagnostics.iter().any(Diagnostic::is_error);
    assert_eq!(
        analysis.query.is_none(),
        fails,
        "{:?}",
        analysis.diagnostics
    );

    let (ast, problems) = parse(text);
    if !problems.iter().any(Diagnostic::is_error) {
        let printed = ast.to_string();
        let again = analyse(&printed);
        assert_eq!(again.ast, ast, "{text:?} is printed as {printed:?}");
        assert_eq!(
            again.query, analysis.query,
            "{text:?} is printed as {printed:?}"
        );
    }
    let step = (text.len() / CURSORS).max(1);
    for offset in (0..=text.len()).step_by(step).chain([text.len() + 1]) {
        let completion = complete(text, offset);
        check_range(text, completion.range);
        if let Some(filter) = completion.filter {
            assert!(analyse(&filter.text).query.is_some(), "{}", filter.text);
        }
    }
    if let Some(filter) = known_filter(text) {
        let query = analyse(&filter.text).query;
        assert_eq!(
            query.as_ref().and_then(|query| query.as_filter()),
            Some(&filter.condition)
        );
    }
    if let Err(diagnostics) = parse_field(text) {
        assert!(!diagnostics.is_empty());
        check_diagnostics(text, &diagnostics);
    }
}

fn check_diagnostics(text: &str, diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        check_range(text, diagnostic.range);
        if let Some(fix) = &diagnostic.fix {
            check_range(text, fix.range);
        }
        assert!(!diagnostic.message.is_empty() && !diagnostic.message.contains('\n'));
    }
    let _ = render(text, diagnostics);
}

fn check_range(text: &str, range: TextRange) {
    assert!(
        range.start <= range.end && text.get(range.start..range.end).is_some(),
        "{range:?} is no range of {text:?}"
    );
}

fn check_ranges(text: &str, ast: &Ast) {
    check_pipeline(text, &ast.pipeline);
    for hint in &ast.hints {
        check_range(text, hint.name.range);
        check_range(text, hint.value.range);
    }
}

fn check_pipeline(text: &str, pipeline: &Pipeline) {
    check_range(text, pipeline.range);
    for stage in &pipeline.kind {
        check_range(text, stage.range);
        match &stage.kind {
            StageKind::Expr(expr) | StageKind::Threshold { value: expr, .. } => {
                check_expr(text, expr);
            }
            StageKind::By(key) => check_filter(text, key),
            StageKind::Select(names) => names.iter().for_each(|name| check_range(text, name.range)),
            StageKind::Metrics(metrics) => check_metrics(text, metrics),
            StageKind::Coalesce | StageKind::TopK(_) | StageKind::BottomK(_) | StageKind::Error => {
            }
        }
    }
}

fn check_metrics(text: &str, metrics: &Metrics) {
    check_range(text, metrics.function.range);
    for argument in &metrics.arguments {
        check_range(text, argument.range);
        if let Argument::Filter(Some(filter)) = &argument.kind {
            check_filter(text, filter);
        }
    }
    for name in &metrics.by {
        check_range(text, name.range);
    }
}

fn check_expr(text: &str, expr: &Expr) {
    check_range(text, expr.range);
    match &expr.kind {
        ExprKind::Filter(Some(filter)) => check_filter(text, filter),
        ExprKind::Pipeline(pipeline) => check_pipeline(text, pipeline),
        ExprKind::Aggregate { of: Some(of), .. } => check_filter(text, of),
        ExprKind::Negate(inner) => check_expr(text, inner),
        ExprKind::Binary { left, right, .. } => {
            check_expr(text, left);
            check_expr(text, right);
        }
        ExprKind::Logic { operands, .. } => {
            operands
                .iter()
                .for_each(|operand| check_expr(text, operand));
        }
        ExprKind::Filter(None)
        | ExprKind::Aggregate { of: None, .. }
        | ExprKind::Literal(_)
        | ExprKind::Error => {}
    }
}

fn check_filter(text: &str, filter: &FilterExpr) {
    check_range(text, filter.range);
    match &filter.kind {
        FilterKind::Not(inner) | FilterKind::Negate(inner) => check_filter(text, inner),
        FilterKind::Binary { left, right, .. } => {
            check_filter(text, left);
            check_filter(text, right);
        }
        FilterKind::Logic { operands, .. } => {
            operands
                .iter()
                .for_each(|operand| check_filter(text, operand));
        }
        FilterKind::Literal(_) | FilterKind::Name(_) | FilterKind::Error => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{Choices, Vocabulary, metrics, search};

    /// Pieces of queries, joined at random, meet more of the parser than random letters do.
    const PIECES: [&str; 71] = [
        "{",
        "}",
        "(",
        ")",
        ",",
        "|",
        "&&",
        "||",
        "!",
        "=",
        "!=",
        "<",
        ">",
        ">=",
        "=~",
        "!~",
        "~",
        ">>",
        "<<",
        "!>",
        "!>>",
        "!<<",
        "&>",
        "&~",
        "+",
        "-",
        "*",
        "/",
        "%",
        "^",
        "==",
        "'x'",
        "\"x\"",
        "\"",
        "`",
        "\\",
        "1",
        "1.5",
        "10ms",
        "9223372036854775808",
        "nil",
        "true",
        "error",
        "server",
        "name",
        "duration",
        "parent",
        "parent.",
        "parent.name",
        "span.",
        "span.a",
        ".",
        ".a",
        "span.\"a b\"",
        "span:name",
        "trace:",
        "foo",
        "foo.bar",
        "count()",
        "avg(",
        "by(",
        "by",
        "coalesce()",
        "select(",
        "rate()",
        "quantile_over_time(",
        "compare(",
        "topk(",
        "with(",
        "//",
        "é",
    ];

    fn soup() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            9 => proptest::sample::select(&PIECES[..]).prop_map(str::to_owned),
            1 => any::<String>(),
        ];
        let space = proptest::sample::select(&["", " ", "\n"][..]);
        proptest::collection::vec((piece, space), 0..24).prop_map(|parts| {
            parts
                .into_iter()
                .map(|(piece, space)| piece + space)
                .collect()
        })
    }

    /// A query with a part cut out and a piece put in its place: what stands in an editor.
    fn broken() -> impl Strategy<Value = String> {
        let bytes = proptest::collection::vec(any::<u8>(), 0..120);
        let piece = proptest::sample::select(&PIECES[..]);
        (bytes, any::<bool>(), any::<(usize, u8)>(), piece).prop_map(
            |(bytes, series, (at, length), piece)| {
                let mut choices = Choices::new(&bytes);
                let vocabulary = Vocabulary::everything();
                let ast = if series {
                    metrics(&mut choices, &vocabulary)
                } else {
                    search(&mut choices, &vocabulary)
                };
                let mut text = ast.to_string();
                let start = text.floor_char_boundary(at % (text.len() + 1));
                let end = text.floor_char_boundary(start + usize::from(length) % 12);
                text.replace_range(start..end.max(start), piece);
                text
            },
        )
    }

    #[test]
    fn the_corpus_of_the_fuzzer_keeps_the_invariants() {
        fuzz_corpus::run("traceql", |text| check_text(&String::from_utf8_lossy(text)));
    }

    proptest! {
        #[test]
        fn any_text_keeps_the_invariants(text in any::<String>()) {
            check_text(&text);
        }

        #[test]
        fn any_soup_of_words_keeps_the_invariants(text in soup()) {
            check_text(&text);
        }

        #[test]
        fn any_broken_query_keeps_the_invariants(text in broken()) {
            check_text(&text);
        }
    }
}
