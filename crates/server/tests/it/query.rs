//! `throughline query` and `throughline trace`: offline, and against a server.

use serde_json::Value;

use crate::process::{Run, Server, run, throughline, trace_id, trace_json};

/// A server with three traces of four spans, and its address.
fn server(data: &std::path::Path) -> (Server, String) {
    let server = Server::start(data);
    for number in 1..=3 {
        assert_eq!(server.send(&trace_json(number, 4)).0, 200);
    }
    let address = format!("http://{}", server.http());
    (server, address)
}

/// Around the time of the traces.
const RANGE: [&str; 4] = ["--start", "2026-11-21T09:29:00Z", "--end", "1795253460"];

fn query(address: &str, args: &[&str]) -> Run {
    let mut command = throughline();
    command.args(["query", "--address", address]).args(RANGE);
    command.args(args).output().unwrap().into()
}

#[test]
fn a_query_is_checked_without_a_server() {
    let fine = run(&["query", "check", "{duration>1.5s}|count()>3"]);
    assert_eq!((fine.code, &*fine.err), (0, ""));
    assert_eq!(fine.out, "{ duration > 1s500ms } | count() > 3\n");

    let wrong = run(&["query", "check", "{ status == error }"]);
    assert_eq!((wrong.code, &*wrong.out), (1, ""));
    assert_eq!(
        wrong.err,
        "\
error[wrong-operator]: there is no operator `==`
  |
1 | { status == error }
  |          ^^
  = write `=`
"
    );
    let warned = run(&["query", "check", "{ } | rate() with(nonsense=1)"]);
    assert_eq!(warned.code, 0);
    assert!(
        warned.err.starts_with("warning[ignored-hint]"),
        "{}",
        warned.err
    );
    // Mistakes are told before anybody is asked.
    let asked = run(&[
        "query",
        "{ status == error }",
        "--address",
        "http://127.0.0.1:1",
    ]);
    assert_eq!((asked.code, &*asked.err), (1, &*wrong.err));
}

#[test]
fn a_server_that_is_not_there_is_named() {
    for command in [
        &["query", "{ }", "--address", "http://127.0.0.1:1"][..],
        &["trace", "abc", "--address", "http://127.0.0.1:1"],
    ] {
        let told = run(command);
        assert_eq!(told.code, 1);
        let words = "no server answers at http://127.0.0.1:1; start one with `throughline serve`";
        assert!(told.err.contains(words), "{}", told.err);
    }
    assert_eq!(run(&["trace", "xyz"]).code, 2, "not an id");
    assert_eq!(run(&["query"]).code, 2, "no query");
    assert_eq!(
        run(&["query", "{ }", "--since", "1h", "--start", "1"]).code,
        2
    );
}

#[test]
fn traces_are_searched() {
    let data = tempfile::tempdir().unwrap();
    let (_server, address) = server(data.path());
    let q = "{ resource.service.name = \"shop\" && name != \"operation 1\" }";

    let table = query(&address, &[q]);
    assert_eq!((table.code, &*table.err), (0, ""));
    let lines: Vec<&str> = table.out.lines().collect();
    assert_eq!(lines.len(), 4, "{}", table.out);
    assert!(lines[0].starts_with("start (UTC)"));
    for line in &lines[1..] {
        assert!(line.starts_with("2026-11-21 09:30:00.000"), "{line}");
        assert!(line.ends_with("shop  operation 1"), "{line}");
    }
    assert!(!table.out.contains('\x1b'), "not a terminal");

    let csv = query(&address, &[q, "--output", "csv"]).out;
    assert_eq!(csv.lines().count(), 4);
    assert!(
        csv.contains(&format!(
            "{},2026-11-21T09:30:00.000Z,249.999999,shop,operation 1,4,0,3\n",
            trace_id(2)
        )),
        "{csv}"
    );

    let json: Value = serde_json::from_str(&query(&address, &[q, "-o", "json"]).out).unwrap();
    assert_eq!(json["traces"].as_array().map(Vec::len), Some(3));
    assert_eq!(json["traces"][0]["matched"], 3);
    assert_eq!(json.get("next"), None);

    let first = query(&address, &[q, "--limit", "2"]);
    assert!(
        first
            .out
            .ends_with("the first 2 traces; more with --limit\n"),
        "{}",
        first.out
    );
    let none = query(&address, &["{ name = \"x\" }"]);
    assert_eq!((none.code, &*none.out), (0, "no traces match\n"));
    let plan = query(&address, &[q, "--explain"]);
    assert_eq!(plan.code, 0, "{}", plan.err);
    assert!(!plan.out.trim().is_empty());
}

#[test]
fn series_are_drawn() {
    let data = tempfile::tempdir().unwrap();
    let (_server, address) = server(data.path());
    let q = "{ } | count_over_time() by (name)";
    let step = ["--step", "30s"];
    let table = query(&address, &[&[q], &step[..]].concat());
    assert_eq!((table.code, &*table.err), (0, ""));
    let lines: Vec<&str> = table.out.lines().collect();
    assert!(lines[1].starts_with("name "), "{}", table.out);
    assert!(lines[2].starts_with("operation 1  "), "{}", table.out);
    assert!(table.out.contains('█'));
    let csv = query(&address, &[&[q, "-o", "csv"], &step[..]].concat()).out;
    assert!(
        csv.contains("2026-11-21T09:30:30.000Z,{name = operation 2},3\n"),
        "{csv}"
    );
    let json = query(&address, &[q, "-o", "json"]).out;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["series"].as_array().map(Vec::len), Some(4));
}

#[test]
fn a_query_is_read_from_standard_input() {
    use std::io::Write as _;
    let mut child = throughline()
        .args(["query", "check", "-"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"{\n}\n").unwrap();
    let told: Run = child.wait_with_output().unwrap().into();
    assert_eq!((told.code, &*told.out), (0, "{ }\n"));
}

#[test]
fn a_trace_is_drawn() {
    let data = tempfile::tempdir().unwrap();
    let (_server, address) = server(data.path());
    let id = trace_id(1).to_uppercase();
    let told = run(&["trace", id.trim_start_matches('0'), "--address", &address]);
    assert_eq!((told.code, &*told.err), (0, ""));
    let lines: Vec<&str> = told.out.lines().collect();
    assert_eq!(lines[0], "shop  operation 1  250 ms  4 spans  1 service");
    assert!(lines[1].starts_with(&format!("trace {}  2026-11-21T09:30:00", trace_id(1))));
    assert!(lines[3].starts_with("shop  operation 1") && lines[3].ends_with("250 ms"));
    assert!(lines[4].starts_with("├ shop  operation 2"), "{}", told.out);
    assert!(lines[6].starts_with("└ shop  operation 4"));

    let json = run(&["trace", &trace_id(1), "--address", &address, "-o", "json"]).out;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["missing"], serde_json::json!([]));
    let unknown = run(&["trace", "abc", "--address", &address]);
    assert_eq!(unknown.code, 1);
    assert!(unknown.err.contains("is not held by"), "{}", unknown.err);
}
