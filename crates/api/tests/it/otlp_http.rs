//! OTLP/HTTP: every row of the table of codes, both encodings of messages, all of bodies.

use api::Cors;
use http::{Method, StatusCode};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;

use crate::body::{JSON, RpcStatus, TRACE_ID, gzip, trace_bytes, with_bad_span, zlib, zstd};
use crate::world::{Answer, World, ask, limits};

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");

fn check_accepted(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
    assert_eq!(answer.header("content-type"), "application/x-protobuf");
    assert!(answer.body.is_empty(), "full success has nothing to say");
}

/// The refusal in protobuf.
fn check_refused(answer: &Answer, status: u16, code: i32, words: &str) {
    assert_eq!(answer.status.as_u16(), status, "{:?}", answer.body);
    assert_eq!(answer.header("content-type"), "application/x-protobuf");
    let refusal = RpcStatus::decode(&answer.body[..]).unwrap();
    assert_eq!(refusal.code, code, "{}", refusal.message);
    assert!(refusal.message.contains(words), "{}", refusal.message);
}

/// The refusal in JSON.
fn check_refused_json(answer: &Answer, status: u16, code: i32, words: &str) {
    assert_eq!(answer.status.as_u16(), status, "{:?}", answer.body);
    assert_eq!(answer.header("content-type"), "application/json");
    let refusal = answer.json();
    assert_eq!(refusal["code"], code, "{refusal}");
    assert!(
        refusal["message"].as_str().unwrap().contains(words),
        "{refusal}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_accepted_in_every_encoding() {
    let world = World::new().await;
    let body = trace_bytes();
    check_accepted(&world.send(body.clone()).await);
    for (encoding, compressed) in [
        ("gzip", gzip(&body)),
        ("X-GZIP", gzip(&body)),
        ("zstd", zstd(&body)),
        ("deflate", zlib(&body)),
        ("identity", body.clone()),
    ] {
        let headers = [PROTOBUF, ("content-encoding", encoding)];
        check_accepted(&world.post("/v1/traces", &headers, compressed).await);
    }
    let found = world
        .get(&format!("/api/v1/traces/{TRACE_ID}"))
        .await
        .json();
    let spans = found["resourceSpans"][0]["scopeSpans"][0]["spans"]
        .as_array()
        .unwrap();
    assert_eq!(spans.len(), 3, "sent six times, answered once: {found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_request_is_a_success() {
    let world = World::new().await;
    check_accepted(&world.send("").await);
    let answer = world
        .post("/v1/traces", &[("content-type", "application/json")], "{}")
        .await;
    assert_eq!((answer.status, &*answer.text()), (StatusCode::OK, "{}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_accepted_and_answered_in_json() {
    let world = World::new().await;
    for (encoding, body) in [
        ("identity", JSON.as_bytes().to_vec()),
        ("gzip", gzip(JSON.as_bytes())),
        ("zstd", zstd(JSON.as_bytes())),
        ("deflate", zlib(JSON.as_bytes())),
    ] {
        let headers = [
            ("content-type", "Application/JSON; charset=utf-8"),
            ("content-encoding", encoding),
        ];
        let answer = world.post("/v1/traces", &headers, body).await;
        assert_eq!(
            (answer.status, &*answer.text()),
            (StatusCode::OK, "{}"),
            "{encoding}"
        );
        assert_eq!(answer.header("content-type"), "application/json");
    }
    let found = world
        .get(&format!("/api/v1/traces/{TRACE_ID}"))
        .await
        .json();
    assert_eq!(
        found["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"],
        "from json"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_spans_are_counted_in_a_success() {
    let world = World::new().await;
    let answer = world.send(with_bad_span()).await;
    assert_eq!(answer.status, StatusCode::OK);
    let response = ExportTraceServiceResponse::decode(&answer.body[..]).unwrap();
    let partial = response.partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 1);
    assert!(
        partial.error_message.contains("trace_id"),
        "{}",
        partial.error_message
    );

    let bad = JSON.replace("0000000000000001", "00");
    let answer = world
        .post("/v1/traces", &[("content-type", "application/json")], bad)
        .await;
    assert_eq!(
        answer.json()["partialSuccess"]["rejectedSpans"],
        "1",
        "{:?}",
        answer.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_refused_for_good() {
    let world = World::new().await;
    check_refused(&world.send("not protobuf").await, 400, 3, "byte");
    let mut cut = trace_bytes();
    cut.truncate(cut.len() - 5);
    check_refused(&world.send(cut).await, 400, 3, "byte");

    for (encoding, body) in [
        ("gzip", trace_bytes()),
        ("zstd", gzip(&trace_bytes())),
        ("deflate", b"nothing".to_vec()),
        ("gzip", gzip(&gzip(&trace_bytes()))),
        ("gzip", gzip(&trace_bytes())[..40].to_vec()),
        ("zstd", zstd(&trace_bytes())[..40].to_vec()),
    ] {
        let answer = world
            .post(
                "/v1/traces",
                &[PROTOBUF, ("content-encoding", encoding)],
                body,
            )
            .await;
        check_refused(&answer, 400, 3, "");
    }
    let json = [("content-type", "application/json")];
    check_refused_json(
        &world
            .post("/v1/traces", &json, "{\"resourceSpans\":[}")
            .await,
        400,
        3,
        "line 1",
    );
    let deep = format!(
        "{{\"resourceSpans\":{}1{}}}",
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    check_refused_json(&world.post("/v1/traces", &json, deep).await, 400, 3, "");
    check_accepted(&world.send(trace_bytes()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused_before_and_after_inflation() {
    let world = World::new().await;
    let limit = limits().body_bytes_max;
    check_refused(
        &world.send(vec![0; limit + 1]).await,
        413,
        8,
        "limit of 1048576 bytes",
    );
    let zeros = vec![0; 64 << 20];
    for (encoding, bomb) in [
        ("gzip", gzip(&zeros)),
        ("zstd", zstd(&zeros)),
        ("deflate", zlib(&zeros)),
    ] {
        assert!(bomb.len() < limit);
        let headers = [PROTOBUF, ("content-encoding", encoding)];
        let answer = world.post("/v1/traces", &headers, bomb.clone()).await;
        check_refused(&answer, 413, 8, "after decompression");
        assert_eq!(answer.header("retry-after"), "", "not worth another try");
        let headers = [
            ("content-type", "application/json"),
            ("content-encoding", encoding),
        ];
        check_refused_json(
            &world.post("/v1/traces", &headers, bomb).await,
            413,
            8,
            "after decompression",
        );
    }
    check_accepted(&world.send(trace_bytes()).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_types_encodings_and_paths_are_checked() {
    let world = World::new().await;
    let body = trace_bytes();
    let typed = |kind| [("content-type", kind)];
    let answer = world
        .post("/v1/traces", &typed("text/plain"), body.clone())
        .await;
    check_refused_json(
        &answer,
        415,
        3,
        "application/x-protobuf or application/json",
    );
    check_refused_json(
        &world.post("/v1/traces", &[], body.clone()).await,
        415,
        3,
        "no content type",
    );

    let answer = world
        .post(
            "/v1/traces",
            &[PROTOBUF, ("content-encoding", "br")],
            body.clone(),
        )
        .await;
    check_refused(&answer, 415, 3, "`br`");
    assert_eq!(
        answer.header("accept-encoding"),
        "gzip, zstd, deflate, identity"
    );
    let twice = [PROTOBUF, ("content-encoding", "gzip, gzip")];
    check_refused(
        &world.post("/v1/traces", &twice, body.clone()).await,
        415,
        3,
        "gzip, gzip",
    );

    for method in [Method::GET, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let answer = ask(world.otlp, method, "/v1/traces", &[], "".into()).await;
        check_refused_json(&answer, 405, 12, "POST");
        assert_eq!(answer.header("allow"), "POST");
    }
    let answer = ask(world.otlp, Method::HEAD, "/v1/traces", &[], "".into()).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    check_refused(
        &world.post("/v1/metrics", &[PROTOBUF], body.clone()).await,
        404,
        12,
        "/v1/traces",
    );
    check_refused_json(
        &world.post("/v1/traces/", &[], body).await,
        404,
        12,
        "/v1/traces",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_take_spans_says_when_to_come_back() {
    let starting = World::starting(limits(), Cors::default()).await;
    let answer = starting.send(trace_bytes()).await;
    check_refused(&answer, 503, 14, "starting");
    assert_eq!(answer.header("retry-after"), "2");

    let draining = World::new().await;
    draining
        .collector
        .as_ref()
        .unwrap()
        .drain(std::time::Duration::from_secs(5))
        .await;
    let answer = draining.send(trace_bytes()).await;
    check_refused(&answer, 503, 14, "shutting down");
    assert_eq!(answer.header("retry-after"), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn browsers_are_let_in_from_configured_origins() {
    let cors = Cors {
        allowed_origins: vec!["https://*.example.com".into()],
        max_age: std::time::Duration::from_secs(60),
    };
    let world = World::with(limits(), cors).await;
    let preflight = |origin: &'static str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type,x-tenant"),
        ];
        let otlp = world.otlp;
        async move { ask(otlp, Method::OPTIONS, "/v1/traces", &headers, "".into()).await }
    };
    let answer = preflight("https://shop.example.com").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.header("access-control-allow-origin"),
        "https://shop.example.com"
    );
    assert_eq!(
        answer.header("access-control-allow-headers"),
        "content-type,x-tenant"
    );
    assert_eq!(answer.header("access-control-max-age"), "60");
    assert_eq!(
        preflight("https://evil.net")
            .await
            .header("access-control-allow-origin"),
        ""
    );

    let headers = [PROTOBUF, ("origin", "https://shop.example.com")];
    let answer = world.post("/v1/traces", &headers, trace_bytes()).await;
    check_accepted(&answer);
    assert_eq!(
        answer.header("access-control-allow-origin"),
        "https://shop.example.com"
    );
    assert_eq!(
        answer.header("access-control-expose-headers"),
        "retry-after"
    );
}
