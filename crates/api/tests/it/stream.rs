//! Tempo's streaming queries over real HTTP/2, on both ports that serve them.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message;

use crate::body::{TRACE_ID, gzip, request_of, span};
use crate::tempo::messages as pb;
use crate::tempo::world;
use crate::world::{Answer, NOW, World};

/// The largest message that Tempo would send.
const PACKET_BYTES_MAX: usize = 1 << 20;

async fn call(address: SocketAddr, method: &str, headers: &[(&str, &str)], body: Bytes) -> Answer {
    let client = Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http::<Full<Bytes>>();
    let mut request = Request::post(format!(
        "http://{address}/tempopb.StreamingQuerier/{method}"
    ))
    .header("te", "trailers")
    .header("content-type", "application/grpc");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(body)).unwrap();
    Answer::of(client.request(request).await.unwrap()).await
}

fn frame(flag: u8, message: &[u8]) -> Bytes {
    let length = (message.len() as u32).to_be_bytes();
    [&[flag], &length[..], message].concat().into()
}

/// The messages of a stream that ends well.
fn messages<M: Message + Default>(answer: &Answer) -> Vec<M> {
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "application/grpc");
    assert_eq!(
        answer
            .trailers
            .get("grpc-status")
            .map(http::HeaderValue::as_bytes),
        Some(&b"0"[..]),
        "{answer:?}"
    );
    let mut messages = Vec::new();
    let mut rest = &answer.body[..];
    while let Some((header, after)) = rest.split_first_chunk::<5>() {
        assert_eq!(header[0], 0, "not compressed");
        let length = u32::from_be_bytes(header[1..].try_into().unwrap()) as usize;
        assert!(length <= PACKET_BYTES_MAX, "{length}");
        messages.push(M::decode(&after[..length]).unwrap());
        rest = &after[length..];
    }
    assert!(rest.is_empty() && !messages.is_empty());
    messages
}

async fn ask<M: Message + Default>(
    address: SocketAddr,
    method: &str,
    message: &impl Message,
) -> Vec<M> {
    let body = frame(0, &message.encode_to_vec());
    messages(&call(address, method, &[], body).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_is_streamed_on_both_ports() {
    let world = world(true).await;
    let request = pb::SearchRequest {
        query: "{ span.n > 1 }".into(),
        limit: 20,
        spans_per_span_set: 1,
        start: (NOW / 1_000_000_000) as u32 - 60,
        end: (NOW / 1_000_000_000) as u32,
        ..pb::SearchRequest::default()
    };
    for address in [world.otlp, world.web] {
        let found: Vec<pb::SearchResponse> = ask(address, "Search", &request).await;
        let traces: Vec<_> = found.iter().flat_map(|message| &message.traces).collect();
        assert_eq!(traces.len(), 1);
        assert_eq!(traces[0].trace_id, TRACE_ID);
        let set = &traces[0].span_sets[0];
        assert_eq!((set.matched, set.spans.len()), (2, 1));
        let metrics = found.last().unwrap().metrics.clone().unwrap();
        assert!(metrics.total_jobs > 0);
        assert_eq!(metrics.completed_jobs, metrics.total_jobs);
    }
    let legacy = pb::SearchRequest {
        tags: [("service.name".to_owned(), "shop".to_owned())].into(),
        min_duration_ms: 200,
        ..pb::SearchRequest::default()
    };
    let found: Vec<pb::SearchResponse> = ask(world.web, "Search", &legacy).await;
    assert_eq!(found[0].traces.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_found_is_a_message_too() {
    let world = world(false).await;
    let request = pb::SearchRequest {
        query: "{ name = `x` }".into(),
        ..pb::SearchRequest::default()
    };
    let found: Vec<pb::SearchResponse> = ask(world.otlp, "Search", &request).await;
    assert_eq!(found.len(), 1);
    assert!(found[0].traces.is_empty() && found[0].metrics.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn large_answers_are_cut_and_nothing_is_lost_or_repeated() {
    let world = World::new().await;
    let name = "a long name ".repeat(400);
    let spans = (0..600_u32).map(|number| {
        let mut span = span(1);
        span.trace_id[12..].copy_from_slice(&number.to_be_bytes());
        span.name = format!("{name}{number}");
        span
    });
    for batch in spans.collect::<Vec<_>>().chunks(100) {
        let request = request_of("shop", batch.to_vec());
        assert_eq!(
            world.send(request.encode_to_vec()).await.status,
            StatusCode::OK
        );
    }
    let request = pb::SearchRequest {
        query: "{ }".into(),
        limit: 1000,
        ..pb::SearchRequest::default()
    };
    let found: Vec<pb::SearchResponse> = ask(world.web, "Search", &request).await;
    assert!(found.len() > 1);
    let mut ids: Vec<&str> = found
        .iter()
        .flat_map(|message| &message.traces)
        .map(|trace| &*trace.trace_id)
        .collect();
    assert_eq!(ids.len(), 600);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 600);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_values_are_streamed() {
    let world = world(true).await;
    let names = pb::SearchTagsRequest {
        scope: "span".into(),
        ..pb::SearchTagsRequest::default()
    };
    let found: Vec<pb::SearchTagsResponse> = ask(world.web, "SearchTags", &names).await;
    assert_eq!(found[0].tag_names, ["hot", "n", "route"]);
    let all = pb::SearchTagsRequest::default();
    let found: Vec<pb::SearchTagsV2Response> = ask(world.web, "SearchTagsV2", &all).await;
    let scopes: Vec<&str> = found[0].scopes.iter().map(|scope| &*scope.name).collect();
    assert_eq!(scopes, ["span", "resource", "intrinsic"]);
    assert_eq!(found[0].scopes[0].tags, ["hot", "n", "route"]);

    let values = pb::SearchTagValuesRequest {
        tag_name: "route".into(),
        ..pb::SearchTagValuesRequest::default()
    };
    let found: Vec<pb::SearchTagValuesResponse> = ask(world.web, "SearchTagValues", &values).await;
    assert_eq!(found[0].tag_values, ["/r/1", "/r/2", "/r/3"]);
    let values = pb::SearchTagValuesRequest {
        tag_name: "span.n".into(),
        query: "{ status = error && ".into(),
        ..pb::SearchTagValuesRequest::default()
    };
    let found: Vec<pb::SearchTagValuesV2Response> =
        ask(world.web, "SearchTagValuesV2", &values).await;
    let value = pb::TagValue {
        r#type: "int".into(),
        value: "2".into(),
    };
    assert_eq!(found[0].tag_values, [value]);
    let metrics = found[0].metrics.as_ref().unwrap();
    assert_eq!(metrics.completed_jobs, metrics.total_jobs);
}

#[tokio::test(flavor = "multi_thread")]
async fn series_are_streamed_and_the_last_messages_have_all() {
    let world = world(true).await;
    let range = pb::QueryRangeRequest {
        query: "{ } | count_over_time() by (span.n)".into(),
        start: NOW as u64 - 30_000_000_000,
        end: NOW as u64,
        step: 30_000_000_000,
        ..pb::QueryRangeRequest::default()
    };
    let found: Vec<pb::QueryRangeResponse> = ask(world.web, "MetricsQueryRange", &range).await;
    let last = found.last().unwrap();
    assert_eq!(last.series.len(), 3);
    for series in &last.series {
        let sample = pb::Sample {
            value: 1.0,
            timestamp_ms: NOW / 1_000_000,
        };
        assert_eq!(series.samples.last(), Some(&sample));
        let label = series.labels[0].value.clone().unwrap().value;
        assert!(matches!(label, Some(Value::IntValue(1..=3))), "{label:?}");
    }
    let metrics = last.metrics.clone().unwrap();
    assert_eq!(metrics.completed_jobs, metrics.total_jobs);

    let instant = pb::QueryInstantRequest {
        query: "{ } | count_over_time()".into(),
        start: NOW as u64 - 30_000_000_000,
        end: NOW as u64,
    };
    let found: Vec<pb::QueryInstantResponse> =
        ask(world.otlp, "MetricsQueryInstant", &instant).await;
    assert_eq!(found.last().unwrap().series[0].value, 3.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn compressed_questions_are_read() {
    let world = world(false).await;
    let request = pb::SearchRequest::default().encode_to_vec();
    let body = frame(1, &gzip(&request));
    let answer = call(world.web, "Search", &[("grpc-encoding", "gzip")], body).await;
    assert_eq!(messages::<pb::SearchResponse>(&answer)[0].traces.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_has_a_status_of_grpc() {
    let world = World::new().await;
    let metrics = |query: &str| {
        pb::QueryRangeRequest {
            query: query.into(),
            ..pb::QueryRangeRequest::default()
        }
        .encode_to_vec()
    };
    let search = |query: &str| {
        pb::SearchRequest {
            query: query.into(),
            ..pb::SearchRequest::default()
        }
        .encode_to_vec()
    };
    for (method, message, code, words) in [
        (
            "Search",
            search("{ status == error }"),
            "3",
            "there is no operator `==`",
        ),
        (
            "Search",
            search("{ } | rate()"),
            "3",
            "gives series, not traces",
        ),
        (
            "MetricsQueryRange",
            metrics("{ }"),
            "3",
            "gives traces, not series",
        ),
        (
            "SearchTagValuesV2",
            b"\x0a\x03foo".to_vec(),
            "3",
            "not an attribute or intrinsic",
        ),
        (
            "SearchTags",
            b"\x0a\x04spam".to_vec(),
            "3",
            "is not one of span",
        ),
        (
            "Search",
            b"\x42\xff".to_vec(),
            "3",
            "cannot read the request: broken protobuf",
        ),
        (
            "Search",
            b"\x42\x01\xff".to_vec(),
            "3",
            "field 8 is not UTF-8",
        ),
        (
            "Delete",
            vec![],
            "12",
            "method /tempopb.StreamingQuerier/Delete is not offered",
        ),
    ] {
        for address in [world.otlp, world.web] {
            let answer = call(address, method, &[], frame(0, &message)).await;
            assert_eq!(answer.status, StatusCode::OK, "{method}");
            assert_eq!(answer.header("grpc-status"), code, "{method}: {answer:?}");
            let text = answer.header("grpc-message");
            assert!(text.contains(words), "{method}: {text}");
            assert!(answer.body.is_empty());
        }
    }
    let answer = call(
        world.web,
        "Search",
        &[],
        Bytes::from_static(b"\0\0\0\0\x05hi"),
    )
    .await;
    assert_eq!(answer.header("grpc-status"), "13");
    let plain = world.get("/tempopb.StreamingQuerier/Search").await;
    assert_eq!(plain.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_starts_says_when_to_come_again() {
    let world = World::starting(crate::world::limits(), api::Cors::default()).await;
    let answer = call(world.web, "SearchTags", &[], frame(0, b"")).await;
    assert_eq!(answer.status, StatusCode::OK);
    let status = answer
        .trailers
        .get("grpc-status")
        .map_or(answer.header("grpc-status"), |status| {
            status.to_str().unwrap()
        });
    assert_eq!(status, "14", "{answer:?}");
}
