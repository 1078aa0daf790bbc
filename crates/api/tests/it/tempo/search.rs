//! `/api/search`, and refusals of every endpoint.

use http::StatusCode;
use opentelemetry_proto::tonic::common::v1::any_value;
use prost::Message as _;
use serde_json::json;

use super::{attribute, check_metrics, json_of, messages as pb, world};
use crate::body::{TRACE_ID, request_of, span};
use crate::query::encoded;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_search_has_the_shape_of_tempo() {
    for is_stored in [false, true] {
        let world = world(is_stored).await;
        let q = encoded("{ span.n > 1 && status = error && resource.service.name = `shop` }");
        let found = json_of(&world, &format!("/api/search?q={q}&limit=20&spss=3")).await;
        check_metrics(&found["metrics"]);
        let spanset = json!({
            "spans": [{
                "spanID": "0000000000000002",
                "name": "operation 2",
                "startTimeUnixNano": "1795253399000000002",
                "durationNanos": "250000000",
                "attributes": [
                    {"key": "n", "value": {"intValue": "2"}},
                    {"key": "status", "value": {"stringValue": "error"}},
                    {"key": "service.name", "value": {"stringValue": "shop"}},
                ],
            }],
            "matched": 1,
        });
        assert_eq!(
            found["traces"],
            json!([{
                "traceID": TRACE_ID,
                "rootServiceName": "shop",
                "rootTraceName": "operation 1",
                "startTimeUnixNano": "1795253399000000001",
                "durationMs": 250,
                "spanSet": spanset,
                "spanSets": [spanset],
                "serviceStats": {"shop": {"spanCount": 3, "errorCount": 1}},
            }]),
            "stored: {is_stored}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_groups_and_counts() {
    let world = world(true).await;
    let q = encoded("{ } | by(span.hot) | count() > 0 | max(duration) > 0 | select(span.route)");
    let found = json_of(&world, &format!("/api/search?q={q}&spss=1")).await;
    let sets = found["traces"][0]["spanSets"].as_array().unwrap();
    assert_eq!(sets.len(), 2);
    for set in sets {
        let hot = &set["attributes"][0];
        assert_eq!(hot["key"], "by(span.hot)");
        let matched = if hot["value"]["boolValue"] == true {
            1
        } else {
            2
        };
        assert_eq!(set["matched"], matched);
        let count = json!({ "key": "count()", "value": { "intValue": matched.to_string() } });
        assert_eq!(set["attributes"][1], count);
        let longest = &set["attributes"][2];
        assert_eq!(longest["key"], "max(duration)");
        assert!(longest["value"]["stringValue"].is_string(), "{longest}");
        let spans = set["spans"].as_array().unwrap();
        assert_eq!(spans.len(), 1, "spss is 1");
        let route = spans[0]["attributes"].as_array().unwrap().iter();
        assert!(route.into_iter().any(|one| one["key"] == "route"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_in_protobuf_says_the_same() {
    let world = world(true).await;
    let q = encoded("{ span.n = 2 }");
    let accept = [("accept", "application/protobuf")];
    let answer = world.get_with(&format!("/api/search?q={q}"), &accept).await;
    assert_eq!(answer.header("content-type"), "application/protobuf");
    let found = pb::SearchResponse::decode(&answer.body[..]).unwrap();
    let trace = &found.traces[0];
    assert_eq!(trace.trace_id, TRACE_ID);
    assert_eq!(trace.root_service_name, "shop");
    assert_eq!(trace.root_trace_name, "operation 1");
    assert_eq!(trace.start_time_unix_nano, 1_795_253_399_000_000_001);
    assert_eq!(trace.duration_ms, 250);
    assert_eq!(trace.span_set.as_ref(), Some(&trace.span_sets[0]));
    let stats = &trace.service_stats["shop"];
    assert_eq!((stats.span_count, stats.error_count), (3, 1));
    let set = &trace.span_sets[0];
    assert_eq!(set.matched, 1);
    assert_eq!(set.spans[0].span_id, "0000000000000002");
    assert_eq!(set.spans[0].duration_nanos, 250_000_000);
    let value = any_value::Value::IntValue(2);
    assert_eq!(set.spans[0].attributes, [attribute("n", value)]);
    let metrics = found.metrics.unwrap();
    assert_eq!(metrics.completed_jobs, metrics.total_jobs);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_search_of_old_clients_is_understood() {
    let world = world(true).await;
    for (query, found) in [
        ("tags=service.name%3Dshop", 1),
        (
            "tags=service.name%3Dshop%20n%3D2%20route%3D%22%2Fr%2F3%22",
            1,
        ),
        ("tags=error%3Dtrue&minDuration=200ms&maxDuration=1s", 1),
        ("tags=n%3D4", 0),
        ("minDuration=1s", 0),
        ("maxDuration=1s", 1),
        ("", 1),
        ("start=1795253000&end=1795253400", 1),
        ("start=1795253400&end=1795253500", 0),
        ("start=0&end=0", 1),
    ] {
        let answer = json_of(&world, &format!("/api/search?{query}")).await;
        assert_eq!(
            answer["traces"].as_array().map(Vec::len),
            Some(found),
            "{query}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_is_paged_in_either_order() {
    let world = World::new().await;
    let spans = (1..=5).map(|number| {
        let mut span = span(1);
        span.trace_id[15] = number;
        span.start_time_unix_nano += u64::from(number);
        span.end_time_unix_nano += u64::from(number * number);
        span
    });
    world
        .send(request_of("shop", spans.collect()).encode_to_vec())
        .await;
    for (sort, expected) in [("newest", "54321"), ("slowest", "54321")] {
        let (mut ids, mut cursor) = (String::new(), String::new());
        loop {
            let path = format!("/api/search?limit=2&sort={sort}&cursor={cursor}");
            let page = json_of(&world, &path).await;
            for trace in page["traces"].as_array().unwrap() {
                ids.push_str(&trace["traceID"].as_str().unwrap()[31..]);
            }
            match page["next"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => break,
            }
        }
        assert_eq!(ids, expected, "{sort}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_refused_in_plain_text() {
    let world = World::new().await;
    let metrics = "/api/metrics/query_range?q=%7B%7D%7Crate()";
    for (path, words) in [
        (
            "/api/search?limit=0",
            "limit: `0` is not a number from 1 to 262144",
        ),
        ("/api/search?limit=262145", "limit: `262145`"),
        ("/api/search?spss=101", "spss: `101`"),
        ("/api/search?start=1", "end: must be given where start is"),
        ("/api/search?end=1", "start: must be given where end is"),
        ("/api/search?start=2&end=2", "start: must be before end"),
        (
            "/api/search?q=%7B%7D&tags=a%3Db",
            "q: cannot be given together with tags",
        ),
        ("/api/search?tags=a%3D%22", "tags: a quote is not closed"),
        ("/api/search?minDuration=soon", "minDuration: `soon`"),
        ("/api/search?q=%7B%20a%20%7D", "1 | { a }\n  |   ^"),
        (
            "/api/search?q=%7B%7D%7Crate()",
            "ask /api/metrics/query_range",
        ),
        (
            "/api/v2/search/tags?scope=spam",
            "scope: `spam` is not one of span, resource",
        ),
        (
            "/api/v2/search/tag/foo/values",
            "not an attribute or intrinsic",
        ),
        (
            "/api/v2/search/tag/span.a/values?start=1",
            "end: must be given",
        ),
        ("/api/metrics/query_range", "q: a query is needed"),
        (
            "/api/metrics/query_range?q=%7B%7D",
            "add a stage such as `| rate()`",
        ),
        (
            &format!("{metrics}&start=2&end=1"),
            "start: must be before end",
        ),
        (&format!("{metrics}&step=x"), "step: `x` is not a duration"),
        (
            &format!("{metrics}&since=10001s&step=1s"),
            "at most 10000 can be answered; ask for steps of at least 1.0001s",
        ),
    ] {
        let answer = world.get(path).await;
        assert_eq!(
            answer.status,
            StatusCode::BAD_REQUEST,
            "{path}: {}",
            answer.text()
        );
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
        assert!(answer.text().contains(words), "{path}: {}", answer.text());
    }
    let answer = world.get("/api/v2/search/tag/span.a").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}
