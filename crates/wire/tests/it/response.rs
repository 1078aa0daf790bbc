//! Answers of a receiver.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use wire::response::{
    partial_success_json, partial_success_protobuf, status_json, status_protobuf,
};

#[test]
fn partial_success_is_what_senders_read() {
    let read = |rejected, message| {
        let bytes = partial_success_protobuf(rejected, message);
        let response = ExportTraceServiceResponse::decode(&bytes[..]).unwrap();
        response
            .partial_success
            .map(|p| (p.rejected_spans, p.error_message))
    };
    assert_eq!(read(0, ""), None);
    assert_eq!(read(0, "slow down"), Some((0, "slow down".into())));
    assert_eq!(read(3, "bad id"), Some((3, "bad id".into())));
    assert_eq!(partial_success_json(0, ""), "{}");
    assert_eq!(
        partial_success_json(3, "bad \"id\""),
        r#"{"partialSuccess":{"errorMessage":"bad \"id\"","rejectedSpans":"3"}}"#
    );
}

/// `google.rpc.Status`, `Any`, `RetryInfo` and `Duration`, as their definitions number them.
mod rpc {
    #[derive(prost::Message)]
    pub(super) struct Status {
        #[prost(int32, tag = "1")]
        pub(super) code: i32,
        #[prost(string, tag = "2")]
        pub(super) message: String,
        #[prost(message, repeated, tag = "3")]
        pub(super) details: Vec<Any>,
    }

    #[derive(prost::Message)]
    pub(super) struct Any {
        #[prost(string, tag = "1")]
        pub(super) type_url: String,
        #[prost(bytes, tag = "2")]
        pub(super) value: Vec<u8>,
    }

    #[derive(prost::Message)]
    pub(super) struct RetryInfo {
        #[prost(message, tag = "1")]
        pub(super) retry_delay: Option<Duration>,
    }

    #[derive(prost::Message)]
    pub(super) struct Duration {
        #[prost(int64, tag = "1")]
        pub(super) seconds: i64,
        #[prost(int32, tag = "2")]
        pub(super) nanos: i32,
    }
}

#[test]
fn a_refusal_carries_code_message_and_delay() {
    let delay = Duration::from_millis(1500);
    let bytes = status_protobuf(14, "journal is full", Some(delay));
    let status = rpc::Status::decode(&bytes[..]).unwrap();
    assert_eq!(
        (status.code, &*status.message, status.details.len()),
        (14, "journal is full", 1)
    );
    let detail = &status.details[0];
    assert_eq!(detail.type_url, "type.googleapis.com/google.rpc.RetryInfo");
    let delay = rpc::RetryInfo::decode(&detail.value[..])
        .unwrap()
        .retry_delay;
    assert_eq!(delay.map(|d| (d.seconds, d.nanos)), Some((1, 500_000_000)));

    let plain = rpc::Status::decode(&status_protobuf(3, "no", None)[..]).unwrap();
    assert_eq!((plain.code, plain.details.len()), (3, 0));
}

#[test]
fn a_refusal_in_json_spells_the_delay_as_proto3_does() {
    let json = |millis| status_json(8, "wait", Some(Duration::from_micros(millis)));
    let text = |delay: &str| {
        format!(
            r#"{{"code":8,"details":[{{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"{delay}"}}],"message":"wait"}}"#
        )
    };
    assert_eq!(json(2_000_000), text("2s"));
    assert_eq!(json(1_500_000), text("1.500s"));
    assert_eq!(json(1_000_001), text("1.000001s"));
    assert_eq!(status_json(3, "no", None), r#"{"code":3,"message":"no"}"#);
}
