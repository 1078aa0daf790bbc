//! gRPC, written out: framing, encodings, and status in headers or trailers.
//!
//! A message is a flag byte (1: compressed as `grpc-encoding` says), its length as a big-endian u32, and its bytes. Why this is
//! not left to a gRPC library is told in `docs/decisions/0002-grpc-by-hand.md`.

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::{BufMut as _, Bytes, BytesMut};
use collect::Encoding;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::codes::{Code, Rejection};
use crate::metrics::GrpcCode;

const GRPC: &str = "application/grpc";
const GRPC_PROTO: &str = "application/grpc+proto";

/// Flag and length in front of a message.
pub(crate) const FRAME_HEADER_BYTES: usize = 5;

const ENCODINGS: HeaderValue = HeaderValue::from_static("identity,gzip,zstd,deflate");

const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const GRPC_DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");

/// Longest `grpc-message`, in bytes once escaped: headers must stay far below the 8 to 16 KiB that clients accept.
const MESSAGE_BYTES_MAX: usize = 2048;

/// Whether the request means to be gRPC, of whatever message format.
pub(crate) fn speaks_grpc(headers: &HeaderMap) -> bool {
    content_type(headers).is_some_and(|name| {
        name.get(..GRPC.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(GRPC.as_bytes()))
    })
}

fn content_type(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(CONTENT_TYPE)?.as_bytes();
    value
        .split(|byte| *byte == b';')
        .next()
        .map(<[u8]>::trim_ascii)
}

/// Whether the request is gRPC with protobuf in it.
pub(crate) fn speaks_protobuf(headers: &HeaderMap) -> bool {
    content_type(headers).is_some_and(|name| {
        name.eq_ignore_ascii_case(GRPC.as_bytes())
            || name.eq_ignore_ascii_case(GRPC_PROTO.as_bytes())
    })
}

/// The encoding of compressed messages.
pub(crate) fn stated_encoding(headers: &HeaderMap) -> Result<Encoding, Rejection> {
    match headers.get(GRPC_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"" | b"identity") => Ok(Encoding::Identity),
        Some(b"gzip") => Ok(Encoding::Gzip),
        Some(b"zstd") => Ok(Encoding::Zstd),
        Some(b"deflate") => Ok(Encoding::Deflate),
        Some(other) => Err(Rejection::permanent(
            Code::Unimplemented,
            format!(
                "grpc-encoding `{}` is not supported; use gzip, zstd, deflate or identity",
                other.escape_ascii()
            ),
        )),
    }
}

/// The one message of a unary request, and whether it is compressed.
pub(crate) fn message_of(body: &Bytes) -> Result<(bool, Bytes), Rejection> {
    let Some((header, rest)) = body.split_first_chunk::<FRAME_HEADER_BYTES>() else {
        return Err(protocol("the request ends before its message"));
    };
    let [flag, length @ ..] = *header;
    let length = u32::from_be_bytes(length) as usize;
    if flag > 1 {
        return Err(protocol(&format!(
            "the message has the flag {flag}; 0 and 1 are defined"
        )));
    }
    if rest.len() < length {
        return Err(protocol(&format!(
            "the message ends after {} of {length} bytes",
            rest.len()
        )));
    }
    if rest.len() > length {
        return Err(protocol("more than one message in a unary request"));
    }
    Ok((flag == 1, body.slice(FRAME_HEADER_BYTES..)))
}

/// How a message is compressed, by its flag and by what is stated.
pub(crate) fn encoding_of(is_compressed: bool, stated: Encoding) -> Result<Encoding, Rejection> {
    match (is_compressed, stated) {
        (false, _) => Ok(Encoding::Identity),
        (true, Encoding::Identity) => Err(protocol(
            "the message is marked compressed, but no grpc-encoding is stated",
        )),
        (true, encoding) => Ok(encoding),
    }
}

fn protocol(message: &str) -> Rejection {
    Rejection::permanent(Code::Internal, message)
}

/// A message, not compressed, in its frame.
pub(crate) fn frame(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(FRAME_HEADER_BYTES + message.len());
    frame.put_u8(0);
    // Messages are cut long before 4 GiB.
    frame.put_u32(message.len() as u32);
    frame.put_slice(message);
    frame.freeze()
}

/// What follows the last message of a success.
pub(crate) fn ok_trailers() -> HeaderMap {
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert(GRPC_STATUS, HeaderValue::from(Code::Ok as u16));
    trailers
}

/// A refusal before any message: its status stands among the headers.
pub(crate) fn rejected(rejection: &Rejection) -> Response<Body> {
    let mut response = respond(rejection.code, Body::empty());
    set_status(rejection, response.headers_mut());
    response
}

/// Writes a status into headers or trailers.
pub(crate) fn set_status(rejection: &Rejection, headers: &mut HeaderMap) {
    headers.insert(GRPC_STATUS, HeaderValue::from(rejection.code as u16));
    if let Ok(message) = HeaderValue::from_str(&percent_encode(&rejection.message)) {
        headers.insert(GRPC_MESSAGE, message);
    }
    if rejection.retry_after.is_some() {
        let status = wire::response::status_protobuf(
            rejection.code as i32,
            &rejection.message,
            rejection.retry_after,
        );
        if let Ok(details) = HeaderValue::from_str(&STANDARD_NO_PAD.encode(status)) {
            headers.insert(GRPC_DETAILS, details);
        }
    }
}

/// An answer that begins; `code` is what it is counted as.
pub(crate) fn respond(code: Code, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(GRPC));
    headers.insert(GRPC_ACCEPT_ENCODING, ENCODINGS);
    response.extensions_mut().insert(GrpcCode(code));
    response
}

/// What somebody gets who does not speak gRPC; `instead` says where the same is offered.
pub(crate) fn not_grpc(instead: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!(
        "this is a gRPC method: send it with POST and the content type {GRPC}. {instead}\n"
    )));
    *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    response
}

/// Any other gRPC method.
pub(crate) fn unknown_method(path: &str) -> Response<Body> {
    rejected(&Rejection::permanent(
        Code::Unimplemented,
        format!("method {path} is not offered"),
    ))
}

/// Escapes everything but printable ASCII, as `grpc-message` wants it, and cuts what is too long for a header.
fn percent_encode(message: &str) -> String {
    let mut escaped = String::with_capacity(message.len());
    for byte in message.bytes() {
        if escaped.len() >= MESSAGE_BYTES_MAX {
            escaped.push_str("...");
            break;
        }
        match byte {
            b' '..=b'~' if byte != b'%' => escaped.push(char::from(byte)),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(body: &'static [u8]) -> Result<(bool, Bytes), String> {
        message_of(&Bytes::from_static(body)).map_err(|rejection| rejection.message)
    }

    #[test]
    fn a_message_is_sliced_out_of_its_frame() {
        assert_eq!(
            message(b"\0\0\0\0\x02hi"),
            Ok((false, Bytes::from_static(b"hi")))
        );
        assert_eq!(message(b"\x01\0\0\0\0"), Ok((true, Bytes::new())));
    }

    #[test]
    fn broken_framing_is_named() {
        assert!(message(b"").unwrap_err().contains("ends before"));
        assert!(message(b"\0\0\0\0").unwrap_err().contains("ends before"));
        assert!(message(b"\0\0\0\0\x03hi").unwrap_err().contains("2 of 3"));
        assert!(
            message(b"\0\0\0\0\x01hi")
                .unwrap_err()
                .contains("more than one")
        );
        assert!(message(b"\x02\0\0\0\0").unwrap_err().contains("flag 2"));
        assert!(
            message(b"\0\xff\xff\xff\xff")
                .unwrap_err()
                .contains("0 of 4294967295")
        );
    }

    #[test]
    fn messages_become_header_values() {
        assert_eq!(percent_encode("50 % of é\n"), "50 %25 of %C3%A9%0A");
        let long = percent_encode(&"é".repeat(5000));
        assert!(long.len() < MESSAGE_BYTES_MAX + 16 && long.ends_with("..."));
    }
}
