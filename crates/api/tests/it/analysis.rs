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

/// A trace that is sent along, to the port for people.
async fn analyse_sent(world: &World, content_type: &str, body: &str) -> Answer {
    let path = "/api/v1/analysis?skew=off";
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

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_that_is_sent_along_is_analysed_and_not_stored() {
    let world = world_with_trace(false).await;
    let stored = format!("/api/v1/traces/{TRACE_ID}");
    let trace = world.get(&stored).await.text();
    let analysis = world
        .get(&format!("{stored}/analysis?skew=off"))
        .await
        .json();

    let other = World::new().await;
    let answer = analyse_sent(&other, "application/json; charset=utf-8", &trace).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(answer.json(), analysis);
    assert_eq!(other.get(&stored).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_analysed_is_refused_in_words() {
    let world = World::new().await;
    let two = JSON.replace("\"name\":\"from json\"", "\"name\":\"a\"").replace(
        "\"spans\":[",
        "\"spans\":[{\"traceId\":\"000000000000000000000000000000AB\",\"spanId\":\"0000000000000001\"},",
    );
    let large = " ".repeat(limits().body_bytes_max + 1);
    for (content_type, body, status, text) in [
        (
            "text/plain",
            JSON,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "send application/json, and say so\n",
        ),
        (
            "application/json",
            "{}",
            StatusCode::BAD_REQUEST,
            "the body has no spans to analyse\n",
        ),
        (
            "application/json",
            &two,
            StatusCode::BAD_REQUEST,
            "the body has spans of several traces; send one trace\n",
        ),
        (
            "application/json",
            &large,
            StatusCode::PAYLOAD_TOO_LARGE,
            "",
        ),
    ] {
        let answer = analyse_sent(&world, content_type, body).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(answer.text().starts_with(text), "{}", answer.text());
    }
    let answer = world.get("/api/v1/analysis").await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.header("allow"), "POST");
}
