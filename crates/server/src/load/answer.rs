//! What an OTLP endpoint answered.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use http::StatusCode;
use http::header::{HeaderMap, RETRY_AFTER};
use wire::proto::{ProtoError, Reader, Tag};

/// The answer to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Taken, but for the spans that were rejected, if any.
    Accepted {
        /// Spans that were rejected one by one.
        rejected: u64,
        /// Why, or a warning.
        message: String,
    },
    /// Not taken.
    Refused {
        /// The status: a metric label, short and of few kinds.
        kind: String,
        message: String,
        /// How long the server wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// No answer came.
    Failed { kind: &'static str, message: String },
}

/// The kind of failure when TLS is refused after the handshake: trying again does not help.
pub(crate) const TLS: &str = "tls";
/// The kind of failure when a request was taken, but what was said of it cannot be read.
pub(crate) const UNREADABLE: &str = "answer";

impl Answer {
    pub(crate) fn failed(kind: &'static str, message: String) -> Self {
        Self::Failed { kind, message }
    }
}

/// Whether a refusal of this kind may end by itself, as OTLP has it: who is exhausted says when to come back, or stays so.
pub(crate) fn is_temporary(kind: &str, retry_after: Option<Duration>) -> bool {
    match kind.strip_prefix("http ").unwrap_or(kind) {
        "429" | "502" | "503" | "504" => true,
        "CANCELLED" | "DEADLINE_EXCEEDED" | "ABORTED" | "OUT_OF_RANGE" | "UNAVAILABLE"
        | "DATA_LOSS" => true,
        "RESOURCE_EXHAUSTED" => retry_after.is_some(),
        _ => false,
    }
}

/// Base64 as gRPC writes it: with or without padding.
const BINARY_HEADER: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

mod tags {
    use super::Tag;
    pub(super) const PARTIAL_SUCCESS: Tag = Tag::len(1);
    pub(super) const REJECTED_SPANS: Tag = Tag::varint(1);
    pub(super) const ERROR_MESSAGE: Tag = Tag::len(2);
    pub(super) const STATUS_MESSAGE: Tag = Tag::len(2);
    pub(super) const STATUS_DETAILS: Tag = Tag::len(3);
    pub(super) const ANY_TYPE: Tag = Tag::len(1);
    pub(super) const ANY_VALUE: Tag = Tag::len(2);
    pub(super) const RETRY_DELAY: Tag = Tag::len(1);
    pub(super) const SECONDS: Tag = Tag::varint(1);
    pub(super) const NANOS: Tag = Tag::varint(2);
}

/// Texts of errors are cut here: one is kept as an example for each kind.
const MESSAGE_CHARS_MAX: usize = 300;

/// The answer of an HTTP endpoint.
pub(super) fn of_http(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Answer {
    if status.is_success() {
        return accepted(body);
    }
    let retry_after = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map(Duration::from_secs);
    // A `google.rpc.Status` where the server keeps to the specification, else whatever it says.
    let message = match status_message(body) {
        Ok(message) if !message.is_empty() => message,
        _ => text(body),
    };
    Answer::Refused {
        kind: status.as_str().to_owned(),
        message,
        retry_after,
    }
}

/// The answer of a gRPC endpoint.
pub(super) fn of_grpc(
    status: StatusCode,
    headers: &HeaderMap,
    trailers: &HeaderMap,
    body: &[u8],
) -> Answer {
    let find = |name: &str| trailers.get(name).or_else(|| headers.get(name));
    let Some(code) = find("grpc-status").and_then(|value| value.to_str().ok()?.parse().ok()) else {
        return Answer::Refused {
            kind: format!("http {}", status.as_str()),
            message: "the answer has no grpc-status".to_owned(),
            retry_after: None,
        };
    };
    if code == 0 {
        // Behind the prefix; no prefix means no message.
        return accepted(body.get(super::client::GRPC_PREFIX..).unwrap_or_default());
    }
    let message =
        find("grpc-message").map_or_else(String::new, |value| percent_decoded(value.as_bytes()));
    let details = find("grpc-status-details-bin")
        .and_then(|value| BINARY_HEADER.decode(value.as_bytes()).ok());
    Answer::Refused {
        kind: code_name(code),
        message,
        retry_after: details.and_then(|details| retry_delay(&details).ok().flatten()),
    }
}

fn accepted(body: &[u8]) -> Answer {
    match partial_success(body) {
        Ok((rejected, message)) => Answer::Accepted { rejected, message },
        Err(err) => Answer::failed(UNREADABLE, format!("the answer cannot be read: {err}")),
    }
}

fn partial_success(body: &[u8]) -> Result<(u64, String), ProtoError> {
    let (mut rejected, mut message) = (0, String::new());
    let mut response = Reader::new(body);
    while let Some(tag) = response.tag()? {
        if tag != tags::PARTIAL_SUCCESS {
            response.skip(tag)?;
            continue;
        }
        let mut partial = response.message()?;
        while let Some(tag) = partial.tag()? {
            match tag {
                tags::REJECTED_SPANS => rejected = partial.varint()?,
                tags::ERROR_MESSAGE => message = text(partial.bytes()?),
                other => partial.skip(other)?,
            }
        }
    }
    Ok((rejected, message))
}

fn status_message(body: &[u8]) -> Result<String, ProtoError> {
    let mut message = String::new();
    let mut status = Reader::new(body);
    while let Some(tag) = status.tag()? {
        match tag {
            tags::STATUS_MESSAGE => message = text(status.bytes()?),
            other => status.skip(other)?,
        }
    }
    Ok(message)
}

/// The delay of a `RetryInfo` among the details of a `google.rpc.Status`.
fn retry_delay(status: &[u8]) -> Result<Option<Duration>, ProtoError> {
    let mut status = Reader::new(status);
    while let Some(tag) = status.tag()? {
        if tag != tags::STATUS_DETAILS {
            status.skip(tag)?;
            continue;
        }
        let mut any = status.message()?;
        let (mut is_retry_info, mut value) = (false, None);
        while let Some(tag) = any.tag()? {
            match tag {
                tags::ANY_TYPE => is_retry_info = any.bytes()?.ends_with(b"/google.rpc.RetryInfo"),
                tags::ANY_VALUE => value = Some(any.message()?),
                other => any.skip(other)?,
            }
        }
        if let (true, Some(value)) = (is_retry_info, value) {
            return delay(value);
        }
    }
    Ok(None)
}

fn delay(mut retry_info: Reader<'_>) -> Result<Option<Duration>, ProtoError> {
    while let Some(tag) = retry_info.tag()? {
        if tag != tags::RETRY_DELAY {
            retry_info.skip(tag)?;
            continue;
        }
        let (mut seconds, mut nanos) = (0, 0);
        let mut delay = retry_info.message()?;
        while let Some(tag) = delay.tag()? {
            match tag {
                tags::SECONDS => seconds = delay.varint()?,
                tags::NANOS => nanos = delay.varint()?,
                other => delay.skip(other)?,
            }
        }
        return Ok(Some(
            Duration::from_secs(seconds).saturating_add(Duration::from_nanos(nanos)),
        ));
    }
    Ok(None)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .take(MESSAGE_CHARS_MAX)
        .collect()
}

fn percent_decoded(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        let escape = (first == b'%').then(|| after.get(..2)).flatten();
        let byte = escape
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        match byte {
            Some(byte) => {
                out.push(byte);
                rest = &after[2..];
            }
            None => {
                out.push(first);
                rest = after;
            }
        }
    }
    text(&out)
}

fn code_name(code: u32) -> String {
    const NAMES: [&str; 17] = [
        "OK",
        "CANCELLED",
        "UNKNOWN",
        "INVALID_ARGUMENT",
        "DEADLINE_EXCEEDED",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "FAILED_PRECONDITION",
        "ABORTED",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "INTERNAL",
        "UNAVAILABLE",
        "DATA_LOSS",
        "UNAUTHENTICATED",
    ];
    NAMES
        .get(code as usize)
        .map_or_else(|| format!("code {code}"), |name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn success_may_be_partial() {
        let body = wire::response::partial_success_protobuf(3, "trace_id must be 16 bytes");
        let expected = Answer::Accepted {
            rejected: 3,
            message: "trace_id must be 16 bytes".into(),
        };
        assert_eq!(of_http(StatusCode::OK, &HeaderMap::new(), &body), expected);
        let framed = super::super::client::grpc_frame(&body);
        let ok = headers(&[("grpc-status", "0")]);
        assert_eq!(
            of_grpc(StatusCode::OK, &HeaderMap::new(), &ok, &framed),
            expected
        );
        let full = Answer::Accepted {
            rejected: 0,
            message: String::new(),
        };
        assert_eq!(of_http(StatusCode::OK, &HeaderMap::new(), b""), full);
    }

    #[test]
    fn a_refusal_over_http_has_a_status_a_message_and_a_delay() {
        let body = wire::response::status_protobuf(8, "the journal is full", None);
        assert_eq!(
            of_http(
                StatusCode::TOO_MANY_REQUESTS,
                &headers(&[("retry-after", "2")]),
                &body
            ),
            Answer::Refused {
                kind: "429".into(),
                message: "the journal is full".into(),
                retry_after: Some(Duration::from_secs(2)),
            }
        );
        let Answer::Refused { message, .. } = of_http(
            StatusCode::NOT_FOUND,
            &HeaderMap::new(),
            b"404 page not found",
        ) else {
            panic!("a refusal");
        };
        assert_eq!(message, "404 page not found");
    }

    #[test]
    fn a_refusal_over_grpc_has_a_code_a_message_and_a_delay() {
        let status =
            wire::response::status_protobuf(14, "busy", Some(Duration::from_millis(1_250)));
        let trailers = headers(&[
            ("grpc-status", "14"),
            ("grpc-message", "busy%3A 50%25 s%C3%BC%C3%9F %zz"),
            ("grpc-status-details-bin", &BINARY_HEADER.encode(status)),
        ]);
        assert_eq!(
            of_grpc(StatusCode::OK, &HeaderMap::new(), &trailers, b""),
            Answer::Refused {
                kind: "UNAVAILABLE".into(),
                message: "busy: 50% süß %zz".into(),
                retry_after: Some(Duration::from_millis(1_250)),
            }
        );
    }

    #[test]
    fn refusals_that_may_end_are_told_from_those_that_stay() {
        let delay = Some(Duration::from_secs(1));
        for kind in ["429", "503", "http 502", "UNAVAILABLE"] {
            assert!(is_temporary(kind, None), "{kind}");
        }
        assert!(is_temporary(&code_name(8), delay) && !is_temporary(&code_name(8), None));
        for kind in ["400", "500", "http 404", "INVALID_ARGUMENT", "code 99"] {
            assert!(!is_temporary(kind, delay), "{kind}");
        }
    }

    #[test]
    fn what_is_no_grpc_is_said_to_be_none() {
        let Answer::Refused { kind, .. } = of_grpc(
            StatusCode::BAD_GATEWAY,
            &HeaderMap::new(),
            &HeaderMap::new(),
            b"",
        ) else {
            panic!("a refusal");
        };
        assert_eq!(kind, "http 502");
    }
}
