//! TraceQL in our own API: what an editor asks, and search.

use http::StatusCode;
use serde_json::{Value, json};

use crate::world::{Answer, World};

/// A text in an address.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn check(world: &World, q: &str) -> Value {
    let answer = world
        .get(&format!("/api/v1/query/check?q={}", encoded(q)))
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{q}: {}", answer.text());
    answer.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_checked() {
    let world = World::new().await;
    assert_eq!(
        check(&world, "{duration>1.5s}|count()>3").await,
        json!({
            "valid": true,
            "kind": "search",
            "printed": "{ duration > 1s500ms } | count() > 3",
            "diagnostics": [],
        })
    );
    assert_eq!(check(&world, "{ } | rate()").await["kind"], "metrics");
    assert_eq!(
        check(&world, "{ status == error }").await,
        json!({
            "valid": false,
            "diagnostics": [{
                "severity": "error",
                "code": "wrong-operator",
                "message": "there is no operator `==`",
                "hint": "write `=`",
                "start": 9,
                "end": 11,
                "fixes": [{"start": 9, "end": 11, "replacement": "="}],
            }],
        })
    );
    let warned = check(&world, "{ } | rate() with(nonsense=1)").await;
    assert_eq!(warned["valid"], true);
    assert_eq!(warned["diagnostics"][0]["severity"], "warning", "{warned}");
    assert_eq!(check(&world, "").await["valid"], false);
}

async fn complete(world: &World, q: &str) -> (Value, Vec<String>) {
    let found = world
        .get(&format!("/api/v1/query/complete?q={}", encoded(q)))
        .await
        .json();
    let items = found["items"].as_array().unwrap().iter();
    let texts = items.map(|item| item["text"].as_str().unwrap().to_owned());
    let texts = texts.collect();
    (found, texts)
}

#[tokio::test(flavor = "multi_thread")]
async fn words_of_the_language_are_offered() {
    let world = World::new().await;
    let (found, texts) = complete(&world, "{ sta").await;
    assert_eq!((&found["start"], &found["end"]), (&json!(2), &json!(5)));
    assert!(
        texts.starts_with(&["status".into(), "statusMessage".into()]),
        "{texts:?}"
    );
    assert_eq!(
        found["items"][0],
        json!({"kind": "intrinsic", "text": "status"})
    );
    let (_, texts) = complete(&world, "{ status = ").await;
    assert_eq!(texts, ["error", "ok", "unset"]);
    let (_, texts) = complete(&world, "{ } | quant").await;
    assert_eq!(texts, ["quantile_over_time"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_inside_of_the_query_is_named_in_bytes() {
    let world = World::new().await;
    let q = encoded("{ name = \"é\" && ki = server }");
    let found = world
        .get(&format!("/api/v1/query/complete?q={q}&at=19"))
        .await
        .json();
    assert_eq!((&found["start"], &found["end"]), (&json!(17), &json!(19)));
    assert_eq!(found["items"][0]["text"], "kind", "{found}");
}

fn assert_refused(answer: &Answer, words: &str) {
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text());
    assert!(answer.text().contains(words), "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_cannot_run_is_shown_with_a_caret() {
    let world = World::new().await;
    let q = encoded("{ status == error }");
    for path in ["/api/v1/search", "/api/v1/query/explain"] {
        let answer = world.get(&format!("{path}?q={q}")).await;
        assert_refused(
            &answer,
            "1 | { status == error }\n  |          ^^\n  = write `=`",
        );
        assert!(
            answer
                .text()
                .starts_with("invalid TraceQL query\nerror[wrong-operator]")
        );
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    }
    let series = world.get("/api/v1/search?q=%7B%7D%7Crate()").await;
    assert_refused(&series, "gives series, not traces");
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_of_a_search_are_checked() {
    let world = World::new().await;
    for (query, words) in [
        ("limit=0", "limit: `0` is not a number from 1 to 1000"),
        ("spss=101", "spss: `101` is not a number from 0 to 100"),
        ("sort=oldest", "sort: `oldest` is not `newest` or `slowest`"),
        ("cursor=x", "cursor: not a cursor"),
        ("start=2&end=1", "start: must be before end"),
        ("query=%7B%7D", "unknown field `query`"),
    ] {
        let answer = world.get(&format!("/api/v1/search?{query}")).await;
        assert_refused(&answer, words);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_values_of_the_spans_held_are_offered() {
    let world = crate::tempo::world(true).await;
    let offered = |q: &'static str| {
        let world = &world;
        async move {
            let (found, _) = complete(world, q).await;
            found["items"].as_array().unwrap().clone()
        }
    };
    let name =
        |text: &str, scope: &str| json!({"kind": "attribute", "text": text, "detail": scope});
    assert_eq!(offered("{ span.ro").await, [name("span.route", "span")]);
    assert_eq!(offered("{ .ro").await, [name(".route", "span")]);
    let typed = offered("{ serv").await;
    assert!(
        typed.contains(&name("resource.service.name", "resource")),
        "{typed:?}"
    );

    let value = |text: &str, kind: &str| json!({"kind": "value", "text": text, "detail": kind});
    assert_eq!(
        offered("{ span.route = \"/r").await,
        [1, 2, 3].map(|n| value(&format!("\"/r/{n}\""), "string"))
    );
    // What stands beside it restricts the values.
    assert_eq!(
        offered("{ status = error && span.route = \"").await,
        [value("\"/r/2\"", "string")]
    );
    let pattern = offered("{ status = error && name =~ ").await;
    assert_eq!(pattern, [value("\"operation 2\"", "string")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_says_what_matched() {
    for is_stored in [false, true] {
        let world = crate::tempo::world(is_stored).await;
        let q = encoded("{ span.n > 1 && duration > 200ms } | by(status) | select(span.hot)");
        let path = format!("/api/v1/search?q={q}&spss=1&sort=slowest");
        let answer = world.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let mut found = answer.json();
        let stats = found["stats"].take();
        assert!(
            stats["spans"].as_u64().unwrap() > 0 && stats["elapsed_ms"].as_f64().unwrap() > 0.0
        );
        found["traces"][0]["spansets"]
            .as_array_mut()
            .unwrap()
            .sort_by_key(ToString::to_string);
        let spanset = |number: u8, status: &str| {
            json!({
                "keys": {"by(status)": status},
                "matched": 1,
                "spans": [{
                    "span_id": format!("{number:016x}"),
                    "name": format!("operation {number}"),
                    "service": "shop",
                    "start": format!("179525339900000000{number}"),
                    "duration": "250000000",
                    "attributes": {
                        "span.n": number,
                        "duration": "250ms",
                        "status": status,
                        "span.hot": false,
                    },
                }],
            })
        };
        assert_eq!(
            found,
            json!({
                "traces": [{
                    "traceId": crate::body::TRACE_ID,
                    "rootService": "shop",
                    "rootName": "operation 1",
                    "hasRoot": true,
                    "startTimeUnixNano": "1795253399000000001",
                    "durationNanos": "250000002",
                    "spanCount": 3,
                    "errorCount": 1,
                    "services": [{"name": "shop", "spanCount": 3, "errorCount": 1}],
                    "partial": is_stored,
                    "matched": 2,
                    "spansets": [spanset(2, "error"), spanset(3, "unset")],
                }],
                "missing": [],
                "stats": null,
            })
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_explained() {
    let world = crate::tempo::world(true).await;
    for q in ["{ status = error }", "{ } | rate()"] {
        let answer = world
            .get(&format!("/api/v1/query/explain?q={}", encoded(q)))
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let plan = answer.json();
        assert!(plan["plan"].as_str().unwrap().contains("block"), "{plan}");
    }
}
