//! What a receiver answers, as protobuf and as JSON: `ExportTraceServiceResponse`, and `google.rpc.Status` for refusals.

use std::time::Duration;

use crate::proto::{Tag, Writer};

const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

mod partial_success {
    use super::Tag;
    pub(super) const IN_RESPONSE: Tag = Tag::len(1);
    pub(super) const REJECTED_SPANS: Tag = Tag::varint(1);
    pub(super) const ERROR_MESSAGE: Tag = Tag::len(2);
}

mod status {
    use super::Tag;
    pub(super) const CODE: Tag = Tag::varint(1);
    pub(super) const MESSAGE: Tag = Tag::len(2);
    pub(super) const DETAILS: Tag = Tag::len(3);
}

mod any {
    use super::Tag;
    pub(super) const TYPE_URL: Tag = Tag::len(1);
    pub(super) const VALUE: Tag = Tag::len(2);
}

const RETRY_DELAY: Tag = Tag::len(1);

mod duration {
    use super::Tag;
    pub(super) const SECONDS: Tag = Tag::varint(1);
    pub(super) const NANOS: Tag = Tag::varint(2);
}

/// An `ExportTraceServiceResponse`. With nothing rejected and nothing to say it is empty, which means full success; with
/// a message alone it is a warning.
pub fn partial_success_protobuf(rejected: u64, message: &str) -> Vec<u8> {
    let mut w = Writer::new();
    if rejected > 0 || !message.is_empty() {
        w.message(partial_success::IN_RESPONSE, |w| {
            w.put_varint(partial_success::REJECTED_SPANS, rejected);
            w.put_bytes(partial_success::ERROR_MESSAGE, message.as_bytes());
        });
    }
    w.into_bytes()
}

/// The same as [`partial_success_protobuf`] in proto3 JSON: `{}` for full success.
pub fn partial_success_json(rejected: u64, message: &str) -> String {
    let mut partial = serde_json::Map::new();
    if rejected > 0 {
        partial.insert("rejectedSpans".into(), rejected.to_string().into());
    }
    if !message.is_empty() {
        partial.insert("errorMessage".into(), message.into());
    }
    if partial.is_empty() {
        return "{}".into();
    }
    serde_json::json!({ "partialSuccess": partial }).to_string()
}

/// A `google.rpc.Status` with this code of gRPC; a delay becomes a `RetryInfo` among its details.
pub fn status_protobuf(code: i32, message: &str, retry_delay: Option<Duration>) -> Vec<u8> {
    let mut w = Writer::new();
    w.put_varint(status::CODE, i64::from(code) as u64);
    w.put_bytes(status::MESSAGE, message.as_bytes());
    if let Some(delay) = retry_delay {
        w.message(status::DETAILS, |w| {
            w.bytes(any::TYPE_URL, RETRY_INFO.as_bytes());
            w.message(any::VALUE, |w| {
                w.message(RETRY_DELAY, |w| {
                    w.put_varint(duration::SECONDS, delay.as_secs());
                    w.put_varint(duration::NANOS, u64::from(delay.subsec_nanos()));
                });
            });
        });
    }
    w.into_bytes()
}

/// The same as [`status_protobuf`] in proto3 JSON.
pub fn status_json(code: i32, message: &str, retry_delay: Option<Duration>) -> String {
    let mut status = serde_json::Map::new();
    status.insert("code".into(), code.into());
    status.insert("message".into(), message.into());
    if let Some(delay) = retry_delay {
        let detail = serde_json::json!({ "@type": RETRY_INFO, "retryDelay": seconds(delay) });
        status.insert("details".into(), vec![detail].into());
    }
    serde_json::Value::Object(status).to_string()
}

/// A `Duration` in proto3 JSON: seconds with 0, 3, 6 or 9 digits behind the point.
fn seconds(delay: Duration) -> String {
    let (seconds, nanos) = (delay.as_secs(), delay.subsec_nanos());
    if nanos == 0 {
        format!("{seconds}s")
    } else if nanos % 1_000_000 == 0 {
        format!("{seconds}.{:03}s", nanos / 1_000_000)
    } else if nanos % 1_000 == 0 {
        format!("{seconds}.{:06}s", nanos / 1_000)
    } else {
        format!("{seconds}.{nanos:09}s")
    }
}
