//! Texts that are built to hurt: deep, long, or nothing that anybody would write.

use traceql::{Code, MAX_DEPTH, MAX_QUERY_BYTES, MAX_STAGES, analyse};

/// The smallest stack that any thread of ours has.
const STACK_BYTES: usize = 2 << 20;

/// Analyses on a thread with the smallest stack, and returns the code of the only error.
#[track_caller]
fn refused(text: String) -> Code {
    let analysis = std::thread::Builder::new()
        .stack_size(STACK_BYTES)
        .spawn(move || {
            let analysis = analyse(&text);
            let printed = analysis.ast.to_string();
            let _ = analyse(&printed);
            analysis
        })
        .expect("a thread")
        .join()
        .expect("no panic");
    assert!(analysis.query.is_none());
    assert_eq!(analysis.diagnostics.len(), 1, "{:?}", analysis.diagnostics);
    analysis.diagnostics[0].code
}

#[test]
fn what_is_too_deep_is_refused_and_overflows_no_stack() {
    let many = 100_000;
    let half = MAX_QUERY_BYTES / 3;
    for text in [
        "(".repeat(many),
        format!("{{ {}.a{} }}", "(".repeat(half), ")".repeat(half)),
        format!("{}{{ }}{}", "(".repeat(half), ")".repeat(half)),
        format!("{{ {}.a }}", "!".repeat(many)),
        format!("{{ {}.a = 1 }}", "-".repeat(many)),
        format!("{}count() > 3", "-".repeat(many)),
        format!("{{ .a{} = 1 }}", " + 1".repeat(many / 4)),
        format!("{{ .a{} = 1 }}", " ^ 1".repeat(many / 4)),
        format!("{{ .a{} }}", " = 1".repeat(many / 4)),
        format!("{{ .a{} }}", " && .b || .c".repeat(many / 12)),
        format!("{{ }}{}", " >> { }".repeat(many / 7)),
        format!("count(){} > 1", " ^ 1".repeat(many / 4)),
        format!("({{ }} | rate()){}", " + 1".repeat(many / 4)),
        format!(
            "{{ }} | avg({}.a{}) > 1",
            "(".repeat(half),
            ")".repeat(half)
        ),
        format!("{{ }} | by({}.a{})", "(".repeat(half), ")".repeat(half)),
        format!("{{ }} | rate() > {}1", "-".repeat(many)),
    ] {
        let start = text[..20].to_owned();
        assert_eq!(refused(text), Code::TooComplex, "{start}…");
    }
    assert_eq!(refused(vec!["{ .a }"; 3000].join(" | ")), Code::TooComplex);
    assert_eq!(
        refused(format!("{{ }} | rate(){}", " > 1".repeat(3000))),
        Code::TooComplex
    );
    assert_eq!(refused(" ".repeat(MAX_QUERY_BYTES + 1)), Code::TooLong);
}

#[test]
fn what_is_long_but_flat_is_answered() {
    let values: Vec<String> = (0..3000).map(|value| format!(".a = {value}")).collect();
    for text in [
        format!("{{ {} }}", values.join(" || ")),
        format!("{{ {} }}", values.join(" && ")),
        vec!["{ .a }"; 3000].join(" && "),
        vec!["{ .a }"; MAX_STAGES].join(" | "),
        format!("{{ }} | select({})", vec![".a"; 3000].join(", ")),
        format!("{{ }} | rate() by ({})", vec!["span.a"; 3000].join(", ")),
        format!("{{ }} | rate(){}", " > 1".repeat(MAX_STAGES - 2)),
        format!("{{ .a = \"{}\" }}", "x".repeat(100_000)),
    ] {
        let analysis = analyse(&text);
        assert!(
            analysis.query.is_some(),
            "{:?}",
            analysis.diagnostics.first()
        );
    }
}

#[test]
fn the_bound_itself_can_be_reached() {
    // Braces, the operand and the pipeline take a few levels for themselves.
    let depth = MAX_DEPTH - 5;
    let nested = format!("{{ {}.a{} }}", "(".repeat(depth), ")".repeat(depth));
    assert!(analyse(&nested).query.is_some());
    let tall = format!("{{ .a{} = 1 }}", " + 1".repeat(depth));
    assert!(analyse(&tall).query.is_some());
}
