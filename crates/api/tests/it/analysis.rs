//! What is said about a trace beside its spans: the analysis and the comparison, live and stored.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::body::{JSON, TRACE_ID, trace_bytes};
use crate::world::{Answer, World, ask, limits};

async fn world_with_trace(is_stored: bool) -> World {
    let world = World::new().await;
    assert_eq!(world.send(trace_bytes()).await.status, StatusCode::OK);
    if is_stored {
        world.flush().await;
    }
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_analysed_live_and_stored() {
    for is_stored in [false, true] {
        let world = world_with_trace(is_stored).await;
        let answer = world
            .get(&format!("/api/v1/traces/{TRACE_ID}/analysis"))
            .await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("content-type"), "application/json");
        let told = answer.json();
        assert_eq!(told["startTimeUnixNano"], "1795253399000000001");
        assert_eq!(told["missing"], json!([]));
        assert_eq!(told["spans"]["id"][0], "0000000000000001");
        assert_eq!(told["spans"]["parent"], json!([null, 0, 0]));
        // The sections of the critical path are as long as the root.
        let sections = told["criticalPath"][0]["sections"].as_array().unwrap();
        let length = |section: &Value| {
            section["endNs"].as_i64().unwrap() - section["startNs"].as_i64().unwrap()
        };
        assert_eq!(sections.iter().map(length).sum::<i64>(), 250_000_000);
        let text = told["summary"]["text"].as_str().unwrap();
        assert!(text.contains('%'), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn correction_of_clocks_can_be_switched_off() {
    let world = world_with_trace(false).await;
    for (skew, status) in [
        ("on", StatusCode::OK),
        ("off", StatusCode::OK),
        ("", StatusCode::OK),
        ("no", StatusCode::BAD_REQUEST),
    ] {
        let path = format!("/api/v1/traces/{TRACE_ID}/analysis?skew={skew}");
        let answer = world.get(&path).await;
        assert_eq!(answer.status, status, "{skew}");
        if status == StatusCode::BAD_REQUEST {
            assert_eq!(answer.text(), "skew: `no` is not `on` or `off`\n");
        } else if skew == "off" {
            assert_eq!(answer.json()["spans"]["shiftNs"], json!([0, 0, 0]));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_compared_with_itself_is_the_same() {
    let world = world_with_trace(true).await;
    let path = format!("/api/v1/traces/{TRACE_ID}/compare/0x{TRACE_ID}");
    let answer = world.get(&path).await;
    assert_eq!(answer.status, StatusCode::OK);
    let told = answer.json();
    assert_eq!(told["text"], "Both take about 250 ms.");
    let nodes = told["nodes"].as_array().unwrap();
    assert_eq!(nodes.len(), 3);
    for node in nodes {
        assert_eq!(node["change"], "same");
        assert_eq!(node["left"], node["right"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_held_is_not_analysed() {
    let world = world_with_trace(true).await;
    for path in [
        "/api/v1/traces/ab/analysis".to_owned(),
        format!("/api/v1/traces/{TRACE_ID}/compare/ab"),
        format!("/api/v1/traces/ab/compare/{TRACE_ID}"),
    ] {
        let answer = world.get(&path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(
            answer.text(),
            "trace 000000000000000000000000000000ab is not held\n"
        );
    }
    let answer = world
        .get(&format!("/api/v1/traces/{TRACE_ID}/compare/xyz"))
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

/// A question with traces that are sent along, to the port for people.
async fn ask_with(world: &World, path: &str, content_type: &str, body: &str) -> Answer {
    let headers = [("content-type", content_type)];
    ask(
        world.web,
        Method::POST,
        path,
        &headers,
        body.to_owned().into(),
    )
    .await
}

const JSON_TYPE: &str = "application/json";

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_that_is_sent_along_is_answered_for_as_a_stored_one_and_not_stored() {
    let world = world_with_trace(false).await;
    let stored = format!("/api/v1/traces/{TRACE_ID}");
    let trace = world.get(&stored).await.text();
    let other = World::new().await;
    for question in [
        "analysis?skew=off",
        "analysis",
        "matches?q=%7B%20name%20%3D%20%22operation%202%22%20%7D",
        "matches",
    ] {
        let expected = world.get(&format!("{stored}/{question}")).await.json();
        let path = format!("/api/v1/{question}");
        let answer = ask_with(&other, &path, "application/json; charset=utf-8", &trace).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assert_eq!(answer.json(), expected, "{question}");
    }
    assert_eq!(other.get(&stored).await.status, StatusCode::NOT_FOUND);
}

/// A trace of two spans of which the second takes so long.
fn trace_taking(id: &str, millis: u64) -> String {
    let span = |number: u64, parent: &str, end: u64| {
        format!(
            r#"{{"traceId":"{id:0>32}","spanId":"{number:016x}","parentSpanId":"{parent}","name":"step {number}","kind":2,"startTimeUnixNano":"1795253399000000000","endTimeUnixNano":"{end}"}}"#
        )
    };
    let end = 1_795_253_399_000_000_000 + millis * 1_000_000;
    let spans = [span(1, "", end), span(2, "0000000000000001", end)].join(",");
    format!(r#"{{"resource":{{}},"scopeSpans":[{{"spans":[{spans}]}}]}}"#)
}

fn document(traces: &[&str]) -> String {
    format!(r#"{{"resourceSpans":[{}]}}"#, traces.join(","))
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_that_are_sent_along_are_compared_with_each_other_and_with_held_ones() {
    let (fast, slow) = (trace_taking("a1", 100), trace_taking("b2", 900));
    let world = World::new().await;
    let sent = ask(
        world.otlp,
        Method::POST,
        "/v1/traces",
        &[("content-type", JSON_TYPE)],
        document(&[&fast, &slow]).into(),
    )
    .await;
    assert_eq!(sent.status, StatusCode::OK, "{}", sent.text());
    let expected = world.get("/api/v1/traces/a1/compare/b2").await.json();
    assert_eq!(expected["leftNs"], 100_000_000);
    for (world, path, body) in [
        (
            &World::new().await,
            "/api/v1/compare",
            document(&[&fast, &slow]),
        ),
        (&world, "/api/v1/compare?left=a1", document(&[&slow])),
        (&world, "/api/v1/compare?right=b2", document(&[&fast])),
    ] {
        let answer = ask_with(world, path, JSON_TYPE, &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assert_eq!(answer.json(), expected, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comparison_without_two_traces_is_refused_in_words() {
    let world = World::new().await;
    let (one, two) = (trace_taking("a1", 100), trace_taking("b2", 900));
    for (path, body, status, text) in [
        (
            "/api/v1/compare",
            document(&[&one]),
            StatusCode::BAD_REQUEST,
            "the body must have the spans of 2 traces, and has those of fewer\n",
        ),
        (
            "/api/v1/compare?left=c3",
            document(&[&one]),
            StatusCode::NOT_FOUND,
            "trace 000000000000000000000000000000c3 is not held\n",
        ),
        (
            "/api/v1/compare?left=a1&right=b2",
            document(&[&one, &two]),
            StatusCode::BAD_REQUEST,
            "left and right: both are held, which leaves nothing for the body; ask GET /api/v1/traces/",
        ),
        (
            "/api/v1/compare?baseline=a1",
            document(&[&one]),
            StatusCode::BAD_REQUEST,
            "Failed to deserialize query string: baseline: unknown field `baseline`",
        ),
    ] {
        let answer = ask_with(&world, path, JSON_TYPE, &body).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(answer.text().starts_with(text), "{}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_along_and_cannot_be_used_is_refused_in_words() {
    let world = world_with_trace(false).await;
    let comparison = format!("/api/v1/compare?left={TRACE_ID}");
    let two = document(&[&trace_taking("a1", 100), &trace_taking("b2", 900)]);
    let large = " ".repeat(limits().body_bytes_max + 1);
    for (content_type, body, status, text) in [
        (
            "text/plain",
            JSON,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "send application/json, and say so\n",
        ),
        (
            JSON_TYPE,
            "{}",
            StatusCode::BAD_REQUEST,
            "the body has no spans\n",
        ),
        (
            JSON_TYPE,
            &two,
            StatusCode::BAD_REQUEST,
            "the body must have the spans of 1 trace, and has those of more\n",
        ),
        (JSON_TYPE, &large, StatusCode::PAYLOAD_TOO_LARGE, ""),
    ] {
        for path in ["/api/v1/analysis", "/api/v1/matches", &comparison] {
            let answer = ask_with(&world, path, content_type, body).await;
            assert_eq!(answer.status, status, "{path}: {}", answer.text());
            assert!(answer.text().starts_with(text), "{path}: {}", answer.text());
        }
    }
    let mistaken = ask_with(&world, "/api/v1/matches?q=%7B", JSON_TYPE, JSON).await;
    assert_eq!(mistaken.status, StatusCode::BAD_REQUEST);
    for path in ["/api/v1/analysis", "/api/v1/matches", "/api/v1/compare"] {
        let answer = world.get(path).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.header("allow"), "POST");
    }
}
