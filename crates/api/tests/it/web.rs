//! The page, health, metrics, and the description of the API.

use api::{Cors, Trouble};
use http::{Method, StatusCode};

use crate::body::{trace_bytes, with_bad_span};
use crate::world::{World, ask, limits};

#[tokio::test(flavor = "multi_thread")]
async fn readiness_says_why() {
    let world = World::starting(limits(), Cors::default()).await;
    world.edge.health().starting("replaying the journal");
    let answer = world.get("/ready").await;
    assert_eq!(
        (answer.status, &*answer.text()),
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "starting: replaying the journal\n"
        )
    );
    assert_eq!(
        world.get("/api/v1/traces").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );

    let world = World::new().await;
    assert_eq!(world.get("/ready").await.text(), "ready\n");
    let trouble = Trouble {
        text: "the disk is full".into(),
        refuses: true,
    };
    world
        .edge
        .health()
        .add_check(Box::new(move || Some(trouble.clone())));
    let answer = world.get("/ready").await;
    assert_eq!(
        (answer.status, &*answer.text()),
        (
            StatusCode::SERVICE_UNAVAILABLE,
            "not ready\nthe disk is full\n"
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_requests_and_bodies() {
    let world = World::new().await;
    world.send(trace_bytes()).await;
    world.send(with_bad_span()).await;
    world.send("broken").await;
    world.get("/api/v1/traces/ab").await;
    world.get("/no/such/api").await;
    let request = |surface: &str, route: &str, code: u16| {
        format!(
            r#"throughline_requests_total{{surface="{surface}",route="{route}",code="{code}"}}"#
        )
    };
    assert_eq!(
        world.metric(&request("otlp_http", "/v1/traces", 200)).await,
        Some(2.0)
    );
    assert_eq!(
        world.metric(&request("otlp_http", "/v1/traces", 400)).await,
        Some(1.0)
    );
    assert_eq!(
        world
            .metric(&request("web", "/api/v1/traces/{id}", 404))
            .await,
        Some(1.0)
    );
    assert_eq!(
        world
            .metric(r#"throughline_request_bodies_total{encoding="identity"}"#)
            .await,
        Some(3.0)
    );
    let sent = trace_bytes().len() + with_bad_span().len() + "broken".len();
    assert_eq!(
        world
            .metric(r#"throughline_request_body_bytes_total{encoding="identity"}"#)
            .await,
        Some(sent as f64)
    );
    assert_eq!(
        world.metric(r#"throughline_request_duration_seconds_count{surface="otlp_http",route="/v1/traces"}"#).await,
        Some(3.0)
    );
    let answer = world.get("/metrics").await;
    assert!(
        answer
            .header("content-type")
            .starts_with("application/openmetrics-text")
    );
    assert!(answer.text().ends_with("# EOF\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_served_and_cached() {
    let world = World::new().await;
    let page = world.get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(page.header("cache-control"), "no-cache");
    assert!(
        page.header("content-security-policy")
            .contains("default-src 'self'")
    );
    assert_eq!(
        world.get("/trace/ab?span=1").await.body,
        page.body,
        "the page routes by itself"
    );
    let known = world
        .get_with("/", &[("if-none-match", page.header("etag"))])
        .await;
    assert_eq!(
        (known.status, known.body.len()),
        (StatusCode::NOT_MODIFIED, 0)
    );

    assert_eq!(
        world.get("/assets/gone.js").await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        world.get("/api/unknown").await.status,
        StatusCode::NOT_FOUND
    );
    let posted = ask(world.web, Method::POST, "/", &[], "".into()).await;
    assert_eq!(
        (posted.status, posted.header("allow")),
        (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD")
    );
    let posted = ask(world.web, Method::POST, "/api/v1/traces", &[], "".into()).await;
    assert_eq!(posted.status, StatusCode::METHOD_NOT_ALLOWED);
    let head = ask(world.web, Method::HEAD, "/", &[], "".into()).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_compressed_for_those_who_ask() {
    let world = World::new().await;
    for (accepted, magic) in [
        ("gzip", &[0x1f, 0x8b][..]),
        ("zstd", &[0x28, 0xb5, 0x2f, 0xfd]),
    ] {
        let answer = world
            .get_with("/api/v1/openapi.json", &[("accept-encoding", accepted)])
            .await;
        assert_eq!(answer.header("content-encoding"), accepted);
        assert!(answer.body.starts_with(magic));
    }
    assert_eq!(
        world
            .get("/api/v1/openapi.json")
            .await
            .header("content-encoding"),
        ""
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn grafana_finds_a_tempo() {
    let world = World::new().await;
    assert_eq!(world.get("/api/echo").await.text(), "echo");
    let info = world.get("/api/status/buildinfo").await.json();
    // Below 2.7 Grafana would stream nothing.
    assert_eq!(info["version"], "3.1.0");
    let ours = concat!("throughline-", env!("CARGO_PKG_VERSION"));
    assert_eq!(info["revision"], ours);
    let status = world.get("/status").await.text();
    assert!(
        status.ends_with("with the API of Tempo 3.1.0\nthroughline: ready\n"),
        "{status}"
    );
}

/// Set `UPDATE=1` to write the snapshot anew.
#[test]
fn the_description_of_the_api_is_kept_in_the_docs() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/openapi.json");
    let now = api::openapi_document();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &now).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == now,
        "docs/openapi.json is stale: run this test with UPDATE=1 and look at the difference"
    );
}
