//! `throughline serve`: durable, honest, and ending well.

use std::net::TcpListener;

use crate::process::{Server, run, span_count, throughline, trace_id, trace_json};

#[test]
fn what_was_acknowledged_is_found_after_a_clean_end_and_after_a_crash() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    assert_eq!(server.send(&trace_json(1, 5)).0, 200);
    assert_eq!(
        span_count(&server, 1),
        5,
        "found as soon as it is acknowledged"
    );
    assert_eq!(server.stop(), 0, "clean");

    let server = Server::start(data.path());
    assert_eq!(span_count(&server, 1), 5, "from its block");
    assert_eq!(server.send(&trace_json(2, 7)).0, 200);
    server.kill();

    let server = Server::start(data.path());
    assert_eq!(span_count(&server, 2), 7, "from the journal");
    assert_eq!(
        server.send(&trace_json(2, 7)).0,
        200,
        "sent again, as a sender does that got no answer"
    );
    assert_eq!(span_count(&server, 2), 7, "and still there once");
    assert_eq!(server.stop(), 0);

    let server = Server::start(data.path());
    assert_eq!((span_count(&server, 1), span_count(&server, 2)), (5, 7));
}

#[test]
fn without_its_storage_a_server_takes_spans_and_shows_those_it_has() {
    let data = tempfile::tempdir().unwrap();
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let storage = format!("s3://bucket?endpoint=http://{nobody}&anonymous=true");
    let args = ["--storage", &storage];
    let server = Server::start_with(data.path(), &args);
    assert_eq!(server.send(&trace_json(1, 5)).0, 200);
    server.kill();

    let server = Server::start_with(data.path(), &args);
    assert_eq!(span_count(&server, 1), 5, "from the journal");
    assert_eq!(server.send(&trace_json(2, 7)).0, 200);
    assert_eq!(span_count(&server, 2), 7);
    let (status, list) = server.get("/api/v1/traces");
    assert!(
        status == 200 && list.contains(&trace_id(1)) && list.contains(&trace_id(2)),
        "{list}"
    );
    for answer in [list, server.get("/ready").1] {
        assert!(
            answer.contains("the list of stored blocks could not be read yet"),
            "{answer}"
        );
    }
    let (status, unknown) = server.get(&format!("/api/v1/traces/{}", trace_id(3)));
    assert_eq!(status, 503, "it may be stored: {unknown}");
}

#[test]
fn every_span_is_accounted_for_in_the_metrics() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    for number in 0..20 {
        server.send(&trace_json(number, 10));
    }
    let bad = trace_json(99, 10).replace(&trace_id(99), &"0".repeat(32));
    assert!(server.send(&bad).1.contains("rejectedSpans"));
    let rejected = server.metric(r#"throughline_spans_rejected_total{reason="invalid_trace_id"}"#);
    assert_eq!(rejected, 10);
    let received = server.metric("throughline_spans_received_total");
    assert_eq!(received, 210);
    let stored = server.metric("throughline_spans_stored_total");
    let sampled_out = server.metric("throughline_spans_sampled_out_total");
    let in_flight = server.metric("throughline_spans_in_flight");
    assert_eq!(received, stored + sampled_out + rejected + in_flight);
    assert_eq!(server.logged("WARN"), Vec::<serde_json::Value>::new());
    assert_eq!(server.logged("ERROR"), Vec::<serde_json::Value>::new());
}

#[test]
fn a_termination_drains_within_its_time() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path());
    server.send(&trace_json(1, 100));
    let begun = std::time::Instant::now();
    server.signal("-TERM");
    let (code, log) = server.ended();
    assert_eq!(code, 0);
    assert!(
        begun.elapsed() < std::time::Duration::from_secs(5),
        "{log:#?}"
    );
    let stopped = log
        .iter()
        .find(|entry| entry["message"] == "stopped")
        .unwrap();
    assert_eq!(stopped["is_clean"], true);
}

#[test]
fn a_start_that_cannot_work_says_why_and_fails() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let data = tempfile::tempdir().unwrap();
    let free = "127.0.0.1:0";
    let failed = throughline()
        .args([
            "serve",
            "--listen-http",
            &address,
            "--listen-otlp-http",
            free,
            "--listen-otlp-grpc",
            free,
            "--data-dir",
        ])
        .arg(data.path())
        .output()
        .map(crate::process::Run::from)
        .unwrap();
    assert_eq!(failed.code, 1);
    assert!(
        failed
            .err
            .contains(&format!("cannot listen on {address} (http)")),
        "{}",
        failed.err
    );
    assert!(
        std::fs::read_dir(data.path()).unwrap().next().is_none(),
        "nothing was opened"
    );

    let _running = Server::start(data.path());
    let second = throughline()
        .args([
            "serve",
            "--listen-http",
            free,
            "--listen-otlp-http",
            free,
            "--listen-otlp-grpc",
            free,
            "--data-dir",
        ])
        .arg(data.path())
        .output()
        .map(crate::process::Run::from)
        .unwrap();
    assert_eq!(second.code, 1);
    assert!(
        second.err.contains("cannot open the journal"),
        "{}",
        second.err
    );
}

#[test]
fn listening_wider_than_loopback_without_tls_is_said_loudly() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start_with(data.path(), &["--listen-otlp-http", "0.0.0.0:0"]);
    let warnings = server.logged("WARN");
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    assert_eq!(warnings[0]["listener"], "otlp_http");
    assert!(
        warnings[0]["message"]
            .as_str()
            .unwrap()
            .starts_with("ANYBODY WHO CAN REACH")
    );
}

#[test]
fn help_shows_the_way() {
    let help = run(&[]);
    assert!(help.err.contains("throughline serve"), "{}", help.err);
    let help = run(&["serve", "--help"]);
    assert_eq!(help.code, 0);
    for flag in [
        "--data-dir",
        "--listen-http",
        "--listen-otlp-http",
        "--listen-otlp-grpc",
        "--storage",
        "--config",
    ] {
        assert!(help.out.contains(flag), "{flag} is not in {}", help.out);
    }
}
