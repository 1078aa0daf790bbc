//! What is read back: our API and Tempo's, over live and stored spans.

use http::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, TracesData};
use prost::Message as _;
use serde_json::json;

use crate::body::{TRACE_ID, request_of, span, trace, trace_bytes};
use crate::query::encoded;
use crate::world::World;

/// A world with one trace, live or stored.
async fn world_with_trace(is_stored: bool) -> World {
    let world = World::new().await;
    assert_eq!(world.send(trace_bytes()).await.status, StatusCode::OK);
    if is_stored {
        world.flush().await;
    }
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_answered_by_id_live_and_stored() {
    for is_stored in [false, true] {
        let world = world_with_trace(is_stored).await;
        let dashed = "0AF76519-16CD-43DD-8448-EB211C80319C";
        for id in [TRACE_ID, dashed, &TRACE_ID[1..], &format!("0x{TRACE_ID}")] {
            let answer = world.get(&format!("/api/v1/traces/{id}")).await;
            assert_eq!(answer.status, StatusCode::OK, "{id}");
            assert_eq!(answer.header("content-type"), "application/json");
            let found = answer.json();
            assert_eq!(found["missing"], json!([]));
            let spans = found["resourceSpans"][0]["scopeSpans"][0]["spans"]
                .as_array()
                .unwrap();
            assert_eq!(spans.len(), 3, "{found}");
            assert_eq!(spans[0]["traceId"], TRACE_ID);
            assert_eq!(spans[0]["spanId"], "0000000000000001");
            assert_eq!(spans[0]["startTimeUnixNano"], "1795253399000000001");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_skeleton_has_what_is_needed_to_draw() {
    let lost = Span {
        parent_span_id: vec![9; 8],
        ..span(4)
    };
    for is_stored in [false, true] {
        let world = world_with_trace(is_stored).await;
        let more = request_of("cart", vec![lost.clone()]).encode_to_vec();
        assert_eq!(world.send(more).await.status, StatusCode::OK);
        let path = format!("/api/v1/traces/{TRACE_ID}/skeleton");
        let mut found = world.get(&path).await.json();
        let columns = found.as_object_mut().unwrap();
        assert_eq!(
            columns.remove("ids").unwrap(),
            "0000000000000001000000000000000200000000000000030000000000000004"
        );
        assert_eq!(
            found,
            json!({
                "startTimeUnixNano": "1795253399000000001",
                "names": ["operation 1", "operation 2", "operation 3", "operation 4"],
                "services": ["shop", "cart"],
                "parent": [-1, 0, 0, -1],
                "orphan": [3],
                "orphanParents": "0909090909090909",
                "name": [0, 1, 2, 3],
                "service": [0, 0, 0, 1],
                "kinds": "2222",
                "statuses": "0200",
                "startNs": [0, 1, 2, 3],
                "durationNs": [250_000_000, 250_000_000, 250_000_000, 250_000_000],
                "missing": [],
            })
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_answered_in_lines_that_are_documents() {
    let world = World::new().await;
    let spans = (1..=1001_u16).map(|number| Span {
        span_id: u64::from(number).to_be_bytes().to_vec(),
        ..span(2)
    });
    let body = request_of("shop", spans.collect()).encode_to_vec();
    assert_eq!(world.send(body).await.status, StatusCode::OK);
    let answer = world
        .get(&format!("/api/v1/traces/{TRACE_ID}?lines=on"))
        .await;
    assert_eq!(answer.header("content-type"), "application/x-ndjson");
    let text = answer.text();
    let lines = text.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["missing"], json!([]));
        let spans = &line["resourceSpans"][0]["scopeSpans"][0]["spans"];
        spans.as_array().unwrap().len()
    });
    assert_eq!(lines.collect::<Vec<_>>(), [500, 500, 1]);
    let answer = world
        .get(&format!("/api/v1/traces/{TRACE_ID}?lines=yes"))
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_of_everything_is_told() {
    let empty = World::new().await.get("/api/v1/extent").await.json();
    assert_eq!(
        empty,
        json!({"startTimeUnixNano": null, "endTimeUnixNano": null, "leftOut": 0})
    );
    for is_stored in [false, true] {
        let world = world_with_trace(is_stored).await;
        assert_eq!(
            world.get("/api/v1/extent").await.json(),
            json!({"startTimeUnixNano": "1795253399000000001", "endTimeUnixNano": "1795253399250000003", "leftOut": 0})
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_by_years_does_not_stretch_the_time_of_everything() {
    let of_1970 = Span {
        trace_id: vec![7; 16],
        start_time_unix_nano: 1,
        end_time_unix_nano: 2,
        ..span(1)
    };
    for is_stored in [false, true] {
        let world = World::new().await;
        for trace_id in [[1; 16], [2; 16]] {
            let good = Span {
                trace_id: trace_id.to_vec(),
                ..span(1)
            };
            let request = request_of("shop", vec![good]).encode_to_vec();
            assert_eq!(world.send(request).await.status, StatusCode::OK);
        }
        let request = request_of("router", vec![of_1970.clone()]).encode_to_vec();
        assert_eq!(world.send(request).await.status, StatusCode::OK);
        if is_stored {
            world.flush().await;
        }
        let told = world.get("/api/v1/extent").await.json();
        assert_eq!(told["startTimeUnixNano"], "1795253399000000001");
        assert_eq!(told["leftOut"], 1, "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_spans_of_a_trace_that_match_are_named() {
    let world = world_with_trace(true).await;
    for (query, spans) in [
        ("{ name = \"operation 2\" }", json!(["0000000000000002"])),
        (
            "{ name = \"operation 1\" } > { status != error }",
            json!(["0000000000000003"]),
        ),
        ("{ name = \"nothing\" }", json!([])),
    ] {
        let path = format!("/api/v1/traces/{TRACE_ID}/matches?q={}", encoded(query));
        let answer = world.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assert_eq!(answer.json(), json!({"spans": spans, "missing": []}));
    }
    let answer = world
        .get(&format!("/api/v1/traces/{TRACE_ID}/matches?q=%7B"))
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_trace_is_said_to_be_unknown() {
    let world = world_with_trace(true).await;
    for path in ["/api/v1/traces/ab", "/api/traces/ab"] {
        let answer = world.get(path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    }
    let answer = world.get("/api/v2/traces/ab").await;
    assert_eq!(
        (answer.status, answer.json()),
        (StatusCode::OK, json!({"trace": {}, "metrics": {}}))
    );
    for path in ["/api/v1/traces/xyz", "/api/traces/xyz", "/api/v2/traces/0"] {
        let answer = world.get(path).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(
            answer.text().contains("is not a trace id"),
            "{}",
            answer.text()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tempo_answers_in_json_with_base64_ids() {
    let world = world_with_trace(true).await;
    let first = world
        .get(&format!("/api/traces/{TRACE_ID}?start=1&end=2"))
        .await
        .json();
    let span = &first["batches"][0]["scopeSpans"][0]["spans"][0];
    assert_eq!(span["traceId"], "CvdlGRbNQ92ESOshHIAxnA==", "{first}");
    assert_eq!(span["kind"], "SPAN_KIND_SERVER");

    let second = world
        .get(&format!("/api/v2/traces/{TRACE_ID}"))
        .await
        .json();
    assert_eq!(second["trace"]["resourceSpans"], first["batches"]);
    assert_eq!(second["metrics"], json!({}));
    assert_eq!(second.get("status"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn tempo_answers_in_protobuf_when_asked() {
    /// `TraceByIDResponse`
    #[derive(Clone, PartialEq, prost::Message)]
    struct TraceById {
        #[prost(message, optional, tag = "1")]
        trace: Option<TracesData>,
        #[prost(bytes, optional, tag = "2")]
        metrics: Option<Vec<u8>>,
        #[prost(int32, tag = "3")]
        status: i32,
    }
    let world = world_with_trace(true).await;
    let accept = [("accept", "application/protobuf")];
    let first = world
        .get_with(&format!("/api/traces/{TRACE_ID}"), &accept)
        .await;
    assert_eq!(first.header("content-type"), "application/protobuf");
    let sent = TracesData {
        resource_spans: trace().resource_spans,
    };
    let found = TracesData::decode(&first.body[..]).unwrap();
    assert_eq!(found.resource_spans[0].scope_spans[0].spans.len(), 3);
    assert_eq!(
        found.resource_spans[0].resource,
        sent.resource_spans[0].resource
    );

    let second = world
        .get_with(&format!("/api/v2/traces/{TRACE_ID}"), &accept)
        .await;
    let answer = TraceById::decode(&second.body[..]).unwrap();
    assert_eq!((answer.trace, answer.status), (Some(found), 0));
    let unknown = world.get_with("/api/v2/traces/ab", &accept).await;
    let answer = TraceById::decode(&unknown.body[..]).unwrap();
    assert_eq!(
        (answer.trace, answer.metrics),
        (Some(TracesData::default()), Some(vec![]))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_a_trace_is_answered() {
    let world = World::new().await;
    // 1 ─ 2 ─ 3 ─ 4 ─ 5
    let mut spans: Vec<_> = (1..=5).map(span).collect();
    for (child, parent) in (3..=5).zip(2..) {
        spans[child - 1].parent_span_id[7] = parent;
    }
    world.send(request_of("shop", spans).encode_to_vec()).await;
    let names = |query: String| {
        let world = &world;
        async move {
            let path = format!("/api/v2/traces/{TRACE_ID}?q={query}");
            let found = world.get(&path).await.json();
            let Some(spans) =
                found["trace"]["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array()
            else {
                assert_eq!(found["trace"], json!({}));
                return String::new();
            };
            let last = |span: &serde_json::Value| span["name"].as_str().unwrap()[10..].to_owned();
            spans.iter().map(last).collect()
        }
    };
    let third = encoded("{ name = \"operation 3\" }");
    for (rest, expected) in [
        ("", "3"),
        ("&keep_hierarchy=true", "123"),
        ("&keep_hierarchy=true&ancestor_depth=1", "23"),
        ("&match_depth=1", "34"),
        ("&match_depth=-1", "345"),
        ("&keep_hierarchy=true&match_depth=-1", "12345"),
    ] {
        assert_eq!(names(format!("{third}{rest}")).await, expected, "{rest}");
    }
    assert_eq!(names(encoded("{ name = \"x\" }")).await, "");
    assert_eq!(names(encoded("{ status = error } > { }")).await, "3");
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_of_tempo_are_checked() {
    let world = World::new().await;
    let refused = |query: &'static str| {
        let path = format!("/api/v2/traces/{TRACE_ID}?{query}");
        let world = &world;
        async move {
            let answer = world.get(&path).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
            answer.text()
        }
    };
    assert!(
        refused("start=2&end=1")
            .await
            .contains("start: must be before end")
    );
    assert!(refused("start=soon").await.contains("start: `soon`"));
    assert!(refused("q={name=x}").await.contains("unknown word `x`"));
    assert!(
        refused("q={}&match_depth=deep")
            .await
            .contains("match_depth: `deep`")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_are_listed_live_and_stored() {
    for is_stored in [false, true] {
        let world = world_with_trace(is_stored).await;
        let list = world.get("/api/v1/traces").await.json();
        assert_eq!(
            list,
            json!({
                "traces": [{
                    "traceId": TRACE_ID,
                    "rootService": "shop",
                    "rootName": "operation 1",
                    "hasRoot": true,
                    "startTimeUnixNano": "1795253399000000001",
                    "durationNanos": "250000002",
                    "spanCount": 3,
                    "errorCount": 1,
                    "services": [{"name": "shop", "spanCount": 3, "errorCount": 1}],
                    // Flushed before it was idle, it may be a piece.
                    "partial": is_stored,
                }],
                "next": null,
                "missing": [],
            }),
            "stored: {is_stored}"
        );
        let matching = "service=shop&operation=operation%201&minDuration=200ms&maxDuration=1s&error=true\
            &start=1795253398&end=2026-11-21T09:30:00Z&order=slowest&limit=1";
        let list = world
            .get(&format!("/api/v1/traces?{matching}"))
            .await
            .json();
        assert_eq!(list["traces"].as_array().map(Vec::len), Some(1), "{list}");
        for other in [
            "service=tax",
            "operation=x",
            "minDuration=1s",
            "maxDuration=1ms",
            "error=false",
            "end=1795253398",
        ] {
            let list = world.get(&format!("/api/v1/traces?{other}")).await.json();
            assert_eq!(list["traces"], json!([]), "{other}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_paged_to_its_end() {
    use prost::Message as _;
    let world = World::new().await;
    let spans = (1..=7).map(|number| {
        let mut span = span(1);
        span.trace_id[15] = number;
        span.start_time_unix_nano += u64::from(number);
        span
    });
    world
        .send(request_of("shop", spans.collect()).encode_to_vec())
        .await;
    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = world
            .get(&format!("/api/v1/traces?limit=3&cursor={cursor}"))
            .await
            .json();
        let ids = page["traces"].as_array().unwrap().iter();
        pages.push(
            ids.map(|trace| trace["traceId"].as_str().unwrap()[30..].to_owned())
                .collect::<Vec<_>>(),
        );
        match page["next"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(
        pages,
        [vec!["07", "06", "05"], vec!["04", "03", "02"], vec!["01"]]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_of_a_list_are_checked() {
    let world = World::new().await;
    for (query, words) in [
        ("limit=0", "limit: `0` is not a number from 1 to 1000"),
        ("limit=1001", "limit: `1001`"),
        (
            "minDuration=5",
            "minDuration: `5` is not a duration such as",
        ),
        ("maxDuration=fast", "maxDuration: `fast`"),
        (
            "minDuration=2s&maxDuration=1s",
            "minDuration: must not be above maxDuration",
        ),
        ("error=yes", "error: `yes` is not `true` or `false`"),
        (
            "order=oldest",
            "order: `oldest` is not `newest` or `slowest`",
        ),
        ("start=noon", "start: `noon` is not a time"),
        ("start=2&end=1", "start: must be before end"),
        ("cursor=abc", "cursor: not a cursor"),
        (
            "sevice=shop",
            "unknown field `sevice`, expected one of `service`",
        ),
        ("limit=1&limit=2", "duplicate field `limit`"),
    ] {
        let answer = world.get(&format!("/api/v1/traces?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(answer.text().contains(words), "{query}: {}", answer.text());
    }
    let empty = world
        .get("/api/v1/traces?service=&minDuration=&limit=")
        .await;
    assert_eq!(
        empty.status,
        StatusCode::OK,
        "empty fields of a form count as absent"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn services_and_operations_are_listed() {
    for is_stored in [false, true] {
        let world = world_with_trace(is_stored).await;
        assert_eq!(
            world.get("/api/v1/services").await.json(),
            json!({"services": [{"name": "shop", "spans": 3, "errors": 1}]}),
            "stored: {is_stored}"
        );
        let mut operations = world.get("/api/v1/services/shop/operations").await.json();
        let operations = operations["operations"].as_array_mut().unwrap();
        operations.sort_by_key(|operation| operation["name"].as_str().map(str::to_owned));
        assert_eq!(
            *operations,
            [
                json!({"name": "operation 1", "spans": 1, "roots": 1}),
                json!({"name": "operation 2", "spans": 1, "roots": 0}),
                json!({"name": "operation 3", "spans": 1, "roots": 0}),
            ]
        );
        let unknown = world.get("/api/v1/services/a%2Fb/operations").await;
        assert_eq!(unknown.json(), json!({"operations": []}));
    }
}
