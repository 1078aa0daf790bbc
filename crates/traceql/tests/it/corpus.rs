//! The corpus: queries that are right, that do not parse, and that do not check, one a line; lines with `#` are remarks.
//!
//! - `valid/*.traceql`: no diagnostics at all; printing and parsing again gives the same tree and the same checked query.
//! - `warned/*.traceql`: a query, and warnings.
//! - `does-not-parse`, `does-not-check`: at least one error, from the parser or only from the checker.
//!
//! For all but the first, the rendered diagnostics stand beside the file (`*.expected`); `UPDATE=1` writes them anew, to be
//! read before they are committed.

use std::path::{Path, PathBuf};

use traceql::{Code, Diagnostic, analyse, parse, render};

fn files(class: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus")
        .join(class);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("a folder for each class")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "traceql")
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files
}

fn queries(file: &Path) -> Vec<String> {
    std::fs::read_to_string(file)
        .expect("a readable file")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

/// Compares the rendered diagnostics of every query in `file` with the expected ones.
fn check_snapshot(file: &Path) {
    let mut actual = String::new();
    for query in queries(file) {
        actual.push_str(&render(&query, &analyse(&query).diagnostics));
        actual.push_str("----\n");
    }
    let expected = file.with_extension("expected");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&expected, actual).expect("a writable file");
        return;
    }
    let wanted = std::fs::read_to_string(&expected).unwrap_or_default();
    for (actual, wanted) in actual.split("----\n").zip(wanted.split("----\n")) {
        assert_eq!(actual, wanted, "{}; UPDATE=1 accepts", expected.display());
    }
    assert_eq!(
        actual.len(),
        wanted.len(),
        "{}; UPDATE=1 accepts",
        expected.display()
    );
}

#[test]
fn valid_queries_have_no_diagnostics_and_survive_printing() {
    let mut count = 0;
    for file in files("valid") {
        for query in queries(&file) {
            count += 1;
            let analysis = analyse(&query);
            let report = render(&query, &analysis.diagnostics);
            assert!(
                analysis.diagnostics.is_empty(),
                "{}\n{report}",
                file.display()
            );
            let printed = analysis.ast.to_string();
            let again = analyse(&printed);
            assert_eq!(again.ast, analysis.ast, "{query} printed as {printed}");
            assert_eq!(again.query, analysis.query, "{query} printed as {printed}");
            assert_eq!(again.ast.to_string(), printed);
        }
    }
    assert!(count >= 200, "the corpus has shrunk to {count}");
}

#[test]
fn warned_queries_run_and_are_warned_of() {
    for file in files("warned") {
        for query in queries(&file) {
            let analysis = analyse(&query);
            assert!(analysis.query.is_some(), "{query}");
            assert!(!analysis.diagnostics.is_empty(), "{query}");
        }
        check_snapshot(&file);
    }
}

#[test]
fn what_does_not_parse_is_explained() {
    for file in files("does-not-parse") {
        for query in queries(&file) {
            let (_, diagnostics) = parse(&query);
            assert!(
                diagnostics.iter().any(Diagnostic::is_error),
                "{query} parses"
            );
            assert!(analyse(&query).query.is_none());
        }
        check_snapshot(&file);
    }
}

#[test]
fn what_does_not_check_is_explained() {
    for file in files("does-not-check") {
        for query in queries(&file) {
            let (_, diagnostics) = parse(&query);
            assert!(diagnostics.is_empty(), "{query} does not parse");
            let analysis = analyse(&query);
            assert!(analysis.query.is_none(), "{query} checks");
            assert!(analysis.diagnostics.iter().any(Diagnostic::is_error));
        }
        check_snapshot(&file);
    }
}

#[test]
fn every_kind_of_mistake_is_in_the_corpus() {
    let mut expected = String::new();
    for class in ["warned", "does-not-parse", "does-not-check"] {
        for file in files(class) {
            expected += &std::fs::read_to_string(file.with_extension("expected")).unwrap();
        }
    }
    // Too large for a line of the corpus; see `bounds`.
    let elsewhere = [Code::TooLong, Code::TooComplex];
    for code in Code::ALL.iter().filter(|code| !elsewhere.contains(code)) {
        let name = format!("[{}]:", code.as_str());
        assert!(expected.contains(&name), "nothing shows {name}");
    }
}
