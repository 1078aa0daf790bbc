//! Configuration: where it is written, what is said when it is wrong.

use std::path::PathBuf;

use crate::process::{Run, run, throughline};

fn file(yaml: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.yaml");
    std::fs::write(&path, yaml).unwrap();
    (folder, path)
}

/// Checks a file, with variables and flags.
fn check(yaml: &str, variables: &[(&str, &str)], flags: &[&str]) -> Run {
    let (_folder, path) = file(yaml);
    let mut command = throughline();
    command
        .arg("check-config")
        .arg("--config")
        .arg(path)
        .args(flags)
        .envs(variables.iter().copied());
    command.output().unwrap().into()
}

fn check_shown(run: &Run, lines: &[&str]) {
    assert_eq!(run.code, 0, "{}", run.err);
    for line in lines {
        assert!(
            run.out.lines().any(|shown| shown == *line),
            "`{line}` is not in\n{}",
            run.out
        );
    }
}

#[test]
fn nothing_needs_to_be_configured() {
    check_shown(
        &run(&["check-config"]),
        &[
            "data_dir: ./throughline-data",
            "retention: 14days",
            "listen.http: 127.0.0.1:3200",
            "receive.body_max: 64MiB",
        ],
    );
    check_shown(&check("", &[], &[]), &["storage: auto"]);
    check_shown(
        &check("# nothing\n\njournal:\n  # size_max: 1GiB\n", &[], &[]),
        &["journal.size_max: 8GiB"],
    );
}

#[test]
fn a_flag_is_stronger_than_a_variable_and_that_than_the_file() {
    let yaml = "retention: 1d\njournal:\n  size_max: 1GiB\n  segment_size: 16777216\nlisten:\n  http: ':3000'\n";
    let variables = [
        ("THROUGHLINE_RETENTION", "2d"),
        ("THROUGHLINE_JOURNAL_SIZE_MAX", "2GiB"),
    ];
    let flags = [
        "--set",
        "retention=3d",
        "--listen-otlp-http",
        "127.0.0.1:9999",
    ];
    check_shown(
        &check(yaml, &variables, &flags),
        &[
            "retention: 3days",
            "journal.size_max: 2GiB",
            "journal.segment_size: 16MiB",
            "listen.http: 0.0.0.0:3000",
            "listen.otlp_http: 127.0.0.1:9999",
        ],
    );
}

#[test]
fn all_problems_are_reported_at_once_with_their_places() {
    let yaml = "retention: forever\nlisten:\n  htp: 127.0.0.1:1\n  http: nowhere\njournal: 8GiB\nreceive:\n  cors_origins: {a: 1}\nno_such: 1\n";
    let variables = [("THROUGHLINE_READ_CACHE", "lots")];
    let refused = check(
        yaml,
        &variables,
        &["--set", "journal.max_size=1GiB", "--data-dir", ""],
    );
    assert_eq!(refused.code, 2);
    for words in [
        "the configuration has 9 problems:",
        "t.yaml:1: retention: expected a duration such as 14d, 30s or 2ms, found `forever`",
        "t.yaml:3: listen.htp: there is no such setting; did you mean `listen.http`?",
        "t.yaml:4: listen.http: expected an address and port",
        "t.yaml:5: journal: expected keys below this one",
        "t.yaml:7: receive.cors_origins: expected a list",
        "t.yaml:8: no_such: there is no such setting\n",
        "THROUGHLINE_READ_CACHE: expected a size such as 64MiB, 8GiB or 500MB, found `lots`",
        "--set journal.max_size: there is no setting `journal.max_size`; did you mean `journal.size_max`?",
        "--data-dir: expected a path",
    ] {
        assert!(
            refused.err.contains(words),
            "`{words}` is not in\n{}",
            refused.err
        );
    }
}

#[test]
fn settings_that_do_not_fit_each_other_are_reported() {
    let yaml = "receive:\n  body_max: 200MiB\njournal:\n  size_max: 100MiB\ntls:\n  certificate: a.pem\nlog:\n  level: loud=very\nstorage: ftp://x\n";
    let refused = check(yaml, &[], &["--listen-otlp-http", "127.0.0.1:4317"]);
    assert_eq!(refused.code, 2);
    for words in [
        "receive.body_max: must be between 1B and 128MiB",
        "receive.bodies_max: must hold at least one body",
        "journal.size_max: must hold two segments",
        "tls.key: certificate and key are needed together",
        "log.level: expected one of error, warn",
        "storage: cannot open ftp://x: storage \"ftp\" is not known; use a path, file://, s3:// or memory://",
        "listen.otlp_grpc: 127.0.0.1:4317 is taken by listen.otlp_http",
    ] {
        assert!(
            refused.err.contains(words),
            "`{words}` is not in\n{}",
            refused.err
        );
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let missing = run(&["check-config", "--config", "/nowhere/t.yaml"]);
    assert_eq!(missing.code, 2);
    assert!(
        missing
            .err
            .contains("/nowhere/t.yaml: cannot read the file"),
        "{}",
        missing.err
    );
    let broken = check("listen: [\n", &[], &[]);
    assert_eq!(broken.code, 2);
    assert!(broken.err.contains("t.yaml"), "{}", broken.err);
    let twice = check("retention: 1d\nretention: 2d\n", &[], &[]);
    assert_eq!(twice.code, 2, "{}", twice.out);
}

#[test]
fn a_variable_that_is_nearly_ours_is_a_warning() {
    let variables = [
        ("THROUGHLINE_RETENTON", "1d"),
        ("THROUGHLINE_PORT_4317_TCP_ADDR", "10.0.0.1"),
    ];
    let run = check("", &variables, &[]);
    assert_eq!(run.code, 0);
    assert!(run.err.contains(
        "THROUGHLINE_RETENTON: there is no such setting; did you mean `THROUGHLINE_RETENTION`?"
    ));
    assert!(
        !run.err.contains("4317"),
        "set by orchestrators: {}",
        run.err
    );
}

/// Each would be refused by some part of the server, and is found out before any is opened; all at once.
#[test]
fn what_a_part_of_the_server_would_refuse_is_a_problem() {
    let yaml = "\
storage: s3://
live:
  flush_interval: 1s
  memory_max: 1MiB
log:
  level: verbose
receive:
  body_timeout: 0s
  cors_origins: ['https://shop.example.com', 'not a url', 'https://shop.example.com/']
read:
  timeout: 0s
tls:
  certificate: /nowhere/a.pem
  key: /nowhere/b.pem
";
    let run = check(yaml, &[("THROUGHLINE_RETENTON", "1d")], &[]);
    assert_eq!(run.code, 2);
    for line in [
        "the configuration has 8 problems:",
        "receive.body_timeout: must be above 0",
        "read.timeout: must be above 0",
        "log.level: expected one of error, warn",
        "found `not a url`",
        "found `https://shop.example.com/`",
        "tls.certificate: cannot read /nowhere/a.pem",
        "storage: cannot open s3://: the bucket is missing",
        "(a warning) THROUGHLINE_RETENTON",
    ] {
        assert!(run.err.contains(line), "`{line}` is not in\n{}", run.err);
    }
    for (set, expected) in [
        (
            "live.flush_interval=1s",
            "live.flush_interval: must not be shorter than live.decision_wait",
        ),
        ("storage=ftp://a/b", "storage: "),
        (
            "storage=s3://bucket/folder?endpont=http://a",
            "option \"endpont=http://a\" is not known",
        ),
        ("storage=file://a/b", "storage: "),
        ("log.level=store", "log.level: "),
    ] {
        let refused = check("", &[], &["--set", set]);
        assert_eq!(refused.code, 2, "{set}: {}", refused.out);
        assert!(refused.err.contains(expected), "{set}: {}", refused.err);
    }
    for fine in [
        "log.level=info,store=debug",
        "log.level=WARN",
        "receive.cors_origins=*",
        "receive.cors_origins=https://*.example.com,http://localhost:3000",
        "storage=s3://bucket/folder?endpoint=http://127.0.0.1:9000&region=garage",
    ] {
        let taken = check("", &[], &["--set", fine]);
        assert_eq!(taken.code, 0, "{fine}: {}", taken.err);
    }
}

#[test]
fn a_server_with_a_wrong_configuration_ends_with_its_own_code() {
    let (_folder, path) = file("retention: 1s\n");
    let refused = run(&["serve", "--config", path.to_str().unwrap()]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.err.contains("retention: must be at least 1m"),
        "{}",
        refused.err
    );
    let refused = run(&[
        "serve",
        "--set",
        "tls.certificate=/nowhere/a.pem",
        "--set",
        "tls.key=/nowhere/b.pem",
    ]);
    assert_eq!(refused.code, 2);
    assert!(
        refused
            .err
            .contains("tls.certificate: cannot read /nowhere/a.pem"),
        "{}",
        refused.err
    );
}

/// Set `UPDATE=1` to write the pages anew.
#[test]
fn the_pages_about_settings_are_kept_in_the_docs() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs");
    for (flag, name) in [
        ("--print-reference", "configuration.md"),
        ("--print-sample", "throughline.yaml"),
    ] {
        let now = run(&["check-config", flag]).out;
        let path = format!("{docs}/{name}");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &now).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == now,
            "docs/{name} is stale: run this test with UPDATE=1 and look at the difference"
        );
    }
    let sample = run(&[
        "check-config",
        "--config",
        &format!("{docs}/throughline.yaml"),
    ]);
    assert_eq!(
        (sample.code, sample.out),
        (0, run(&["check-config"]).out),
        "{}",
        sample.err
    );
}
