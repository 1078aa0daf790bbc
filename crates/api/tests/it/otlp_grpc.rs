//! OTLP/gRPC over raw HTTP/2: framing, encodings, status in trailers.

use api::Cors;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;

use crate::body::{RpcStatus, TRACE_ID, gzip, trace_bytes, with_bad_span, zlib, zstd};
use crate::world::{Answer, World, limits};

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const GRPC: (&str, &str) = ("content-type", "application/grpc");

fn frame(flag: u8, message: &[u8]) -> Bytes {
    let length = (message.len() as u32).to_be_bytes();
    [&[flag], &length[..], message].concat().into()
}

async fn call(world: &World, path: &str, headers: &[(&str, &str)], body: Bytes) -> Answer {
    let client = Client::builder(TokioExecutor::new())
        .http2_only(true)
        .build_http::<Full<Bytes>>();
    let mut request =
        Request::post(format!("http://{}{path}", world.otlp)).header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(
        client
            .request(request.body(Full::new(body)).unwrap())
            .await
            .unwrap(),
    )
    .await
}

fn check_accepted(answer: &Answer) -> ExportTraceServiceResponse {
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("content-type"), "application/grpc");
    assert_eq!(
        answer.header("grpc-status"),
        "",
        "the status comes after the message"
    );
    assert_eq!(answer.trailers["grpc-status"], "0");
    let (header, message) = answer.body.split_first_chunk::<5>().unwrap();
    assert_eq!(header[0], 0);
    assert_eq!(
        u32::from_be_bytes(header[1..].try_into().unwrap()) as usize,
        message.len()
    );
    ExportTraceServiceResponse::decode(message).unwrap()
}

fn check_refused(answer: &Answer, code: &str, words: &str) {
    assert_eq!(
        answer.status,
        StatusCode::OK,
        "gRPC says everything in its own status"
    );
    assert_eq!(answer.header("content-type"), "application/grpc");
    assert_eq!(
        answer.header("grpc-status"),
        code,
        "{}",
        answer.header("grpc-message")
    );
    assert!(
        answer.header("grpc-message").contains(words),
        "{}",
        answer.header("grpc-message")
    );
    assert!(answer.body.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_accepted_in_every_encoding() {
    let world = World::new().await;
    let body = trace_bytes();
    assert_eq!(
        check_accepted(&call(&world, EXPORT, &[GRPC], frame(0, &body)).await).partial_success,
        None
    );
    for (encoding, compressed) in [
        ("gzip", gzip(&body)),
        ("zstd", zstd(&body)),
        ("deflate", zlib(&body)),
    ] {
        let headers = [
            ("content-type", "application/grpc+proto"),
            ("grpc-encoding", encoding),
        ];
        check_accepted(&call(&world, EXPORT, &headers, frame(1, &compressed)).await);
        // An encoding may be stated and a message still not be compressed.
        check_accepted(&call(&world, EXPORT, &headers, frame(0, &body)).await);
    }
    check_accepted(&call(&world, EXPORT, &[GRPC], frame(0, &[])).await);
    assert_eq!(
        world
            .get(&format!("/api/v1/traces/{TRACE_ID}"))
            .await
            .status,
        StatusCode::OK
    );
    let requests = r#"throughline_requests_total{surface="otlp_grpc",route="/opentelemetry.proto.collector.trace.v1.TraceService/Export",code="ok"}"#;
    assert_eq!(world.metric(requests).await, Some(8.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_spans_are_counted_in_a_success() {
    let world = World::new().await;
    let response = check_accepted(&call(&world, EXPORT, &[GRPC], frame(0, &with_bad_span())).await);
    let partial = response.partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 1);
    assert!(
        partial.error_message.contains("trace_id"),
        "{}",
        partial.error_message
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_refused_for_good() {
    let world = World::new().await;
    let invalid = "3";
    check_refused(
        &call(&world, EXPORT, &[GRPC], frame(0, b"nonsense")).await,
        invalid,
        "byte",
    );
    let compressed = [GRPC, ("grpc-encoding", "gzip")];
    check_refused(
        &call(&world, EXPORT, &compressed, frame(1, b"not gzip")).await,
        invalid,
        "",
    );
    let internal = "13";
    check_refused(
        &call(&world, EXPORT, &[GRPC], Bytes::new()).await,
        internal,
        "ends before",
    );
    check_refused(
        &call(&world, EXPORT, &[GRPC], frame(1, b"x")).await,
        internal,
        "no grpc-encoding",
    );
    check_refused(
        &call(&world, EXPORT, &[GRPC], frame(7, b"x")).await,
        internal,
        "flag 7",
    );
    let mut cut = frame(0, &trace_bytes()).to_vec();
    cut.pop();
    check_refused(
        &call(&world, EXPORT, &[GRPC], cut.into()).await,
        internal,
        "ends after",
    );
    let two = [frame(0, b""), frame(0, b"")].concat();
    check_refused(
        &call(&world, EXPORT, &[GRPC], two.into()).await,
        internal,
        "more than one",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_exhausted_without_a_delay() {
    let world = World::new().await;
    let limit = limits().body_bytes_max;
    let exhausted = "8";
    let answer = call(&world, EXPORT, &[GRPC], frame(0, &vec![0; limit + 1])).await;
    check_refused(&answer, exhausted, "limit of 1048576 bytes");
    assert_eq!(
        answer.header("grpc-status-details-bin"),
        "",
        "so that nobody tries again"
    );
    let zeros = vec![0; 64 << 20];
    for (encoding, bomb) in [
        ("gzip", gzip(&zeros)),
        ("zstd", zstd(&zeros)),
        ("deflate", zlib(&zeros)),
    ] {
        let answer = call(
            &world,
            EXPORT,
            &[GRPC, ("grpc-encoding", encoding)],
            frame(1, &bomb),
        )
        .await;
        check_refused(&answer, exhausted, "after decompression");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_offered_is_unimplemented() {
    let world = World::new().await;
    let unimplemented = "12";
    let answer = call(
        &world,
        EXPORT,
        &[GRPC, ("grpc-encoding", "snappy")],
        frame(1, b"x"),
    )
    .await;
    check_refused(&answer, unimplemented, "`snappy`");
    assert_eq!(
        answer.header("grpc-accept-encoding"),
        "identity,gzip,zstd,deflate"
    );
    let metrics = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
    check_refused(
        &call(&world, metrics, &[GRPC], frame(0, b"")).await,
        unimplemented,
        "MetricsService",
    );

    let answer = call(
        &world,
        EXPORT,
        &[("content-type", "application/json")],
        frame(0, b""),
    )
    .await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert!(answer.text().contains("/v1/traces"), "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_take_spans_says_when_to_come_back() {
    let world = World::starting(limits(), Cors::default()).await;
    let answer = call(&world, EXPORT, &[GRPC], frame(0, &trace_bytes())).await;
    check_refused(&answer, "14", "starting");
    let details = STANDARD_NO_PAD
        .decode(answer.header("grpc-status-details-bin"))
        .unwrap();
    let status = RpcStatus::decode(&details[..]).unwrap();
    assert_eq!(status.code, 14);
    assert_eq!(
        status.details[0].type_url,
        "type.googleapis.com/google.rpc.RetryInfo"
    );
    assert_eq!(
        status.details[0].value,
        [10, 2, 8, 2],
        "a delay of two seconds"
    );
}
