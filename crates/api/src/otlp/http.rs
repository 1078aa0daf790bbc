//! OTLP/HTTP: content types, content encodings, and answers in the encoding of the request.

use std::borrow::Cow;

use ::http::header::{
    ACCEPT_ENCODING, ALLOW, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, EXPECT, RETRY_AFTER,
};
use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, Version};
use axum::body::Body;
use axum::extract::{Request, State};
use bytes::Bytes;
use collect::{Encoding, Received};

use crate::body::discard;
use crate::codes::{Code, Rejection};
use crate::edge::Edge;

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// The content encodings that a body may have, as a client is told.
const ENCODINGS: &str = "gzip, zstd, deflate, identity";

/// How the request is written, and so how the answer will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Protobuf,
    Json,
}

impl Format {
    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Protobuf => PROTOBUF,
            Self::Json => JSON,
        })
    }
}

/// `POST /v1/traces`
pub(super) async fn export(State(edge): State<Edge>, request: Request) -> Response<Body> {
    let version = request.version();
    let (parts, mut body) = request.into_parts();
    let (format, rejection) = match format_of(&parts.headers) {
        Ok(format) => match take(&edge, format, &parts.headers, &mut body).await {
            Ok(received) => return accepted(format, &received),
            Err(rejection) => (format, rejection),
        },
        Err(rejection) => (Format::Json, rejection),
    };
    // A sender that waits for `100 Continue` has sent nothing that would have to be read, and one that stalled has nothing.
    let has_more = !parts.headers.contains_key(EXPECT) && !has_stalled(&rejection);
    if version < Version::HTTP_2 && has_more {
        discard(body, edge.intake().body_bytes_max()).await;
    }
    rejected(format, &rejection)
}

async fn take(
    edge: &Edge,
    format: Format,
    headers: &HeaderMap,
    body: &mut Body,
) -> Result<Received, Rejection> {
    let engines = edge.engines()?;
    let encoding = encoding_of(headers)?;
    let taken = edge.intake().take(headers, body, 0).await?;
    edge.metrics().body(encoding, taken.bytes.len());
    let received = match format {
        Format::Protobuf => engines.collector.receive(encoding, taken.bytes).await?,
        Format::Json => {
            let protobuf = edge.transcoder().to_protobuf(encoding, taken.bytes).await?;
            engines
                .collector
                .receive(Encoding::Identity, protobuf)
                .await?
        }
    };
    drop(taken.share);
    Ok(received)
}

fn format_of(headers: &HeaderMap) -> Result<Format, Rejection> {
    let stated = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let name = stated.map(|value| {
        value
            .split(|byte| *byte == b';')
            .next()
            .unwrap_or_default()
            .trim_ascii()
    });
    match name {
        Some(name) if name.eq_ignore_ascii_case(PROTOBUF.as_bytes()) => Ok(Format::Protobuf),
        Some(name) if name.eq_ignore_ascii_case(JSON.as_bytes()) => Ok(Format::Json),
        other => {
            let found = match other {
                Some(name) => Cow::Owned(format!("content type `{}`", name.escape_ascii())),
                None => Cow::Borrowed("no content type"),
            };
            Err(Rejection::permanent(
                Code::InvalidArgument,
                format!("{found}; send {PROTOBUF} or {JSON}"),
            )
            .with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE))
        }
    }
}

fn encoding_of(headers: &HeaderMap) -> Result<Encoding, Rejection> {
    let stated = headers
        .get(CONTENT_ENCODING)
        .map_or(&b""[..], HeaderValue::as_bytes)
        .trim_ascii();
    let is_one_of = |names: &[&str]| {
        names
            .iter()
            .any(|name| stated.eq_ignore_ascii_case(name.as_bytes()))
    };
    if headers.get_all(CONTENT_ENCODING).iter().count() > 1 {
        return Err(unknown_encoding("several content encodings"));
    }
    match () {
        () if is_one_of(&["", "identity", "none"]) => Ok(Encoding::Identity),
        () if is_one_of(&["gzip", "x-gzip"]) => Ok(Encoding::Gzip),
        () if is_one_of(&["zstd"]) => Ok(Encoding::Zstd),
        () if is_one_of(&["deflate"]) => Ok(Encoding::Deflate),
        () => Err(unknown_encoding(&format!(
            "content encoding `{}`",
            stated.escape_ascii()
        ))),
    }
}

fn unknown_encoding(found: &str) -> Rejection {
    Rejection::permanent(
        Code::InvalidArgument,
        format!("{found}; send one of {ENCODINGS}"),
    )
    .with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE)
}

fn accepted(format: Format, received: &Received) -> Response<Body> {
    let Received {
        rejected, message, ..
    } = received;
    let body = match format {
        Format::Protobuf => {
            Bytes::from(wire::response::partial_success_protobuf(*rejected, message))
        }
        Format::Json => Bytes::from(wire::response::partial_success_json(*rejected, message)),
    };
    answer(StatusCode::OK, format, body)
}

fn rejected(format: Format, rejection: &Rejection) -> Response<Body> {
    let Rejection {
        code,
        status,
        message,
        retry_after,
    } = rejection;
    let body = match format {
        Format::Protobuf => Bytes::from(wire::response::status_protobuf(
            *code as i32,
            message,
            *retry_after,
        )),
        Format::Json => Bytes::from(wire::response::status_json(
            *code as i32,
            message,
            *retry_after,
        )),
    };
    let mut response = answer(*status, format, body);
    let headers = response.headers_mut();
    if let Some(seconds) = rejection.retry_after_secs() {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    match *status {
        StatusCode::UNSUPPORTED_MEDIA_TYPE => set(headers, ACCEPT_ENCODING, ENCODINGS),
        StatusCode::METHOD_NOT_ALLOWED => set(headers, ALLOW, Method::POST.as_str()),
        // What is left of the body would be taken for the next request.
        _ if has_stalled(rejection) => set(headers, CONNECTION, "close"),
        _ => {}
    }
    response
}

/// Whether the body did not arrive in time.
fn has_stalled(rejection: &Rejection) -> bool {
    rejection.code == Code::DeadlineExceeded
}

fn answer(status: StatusCode, format: Format, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, format.content_type());
    response
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}

/// Any other method on `/v1/traces`.
pub(super) async fn wrong_method(request: Request) -> Response<Body> {
    let message = format!(
        "{} is not for this path; spans are sent with POST",
        request.method()
    );
    let rejection = Rejection::permanent(Code::Unimplemented, message)
        .with_status(StatusCode::METHOD_NOT_ALLOWED);
    rejected(
        format_of(request.headers()).unwrap_or(Format::Json),
        &rejection,
    )
}

/// Any other path.
pub(super) fn unknown_path(headers: &HeaderMap, path: &str) -> Response<Body> {
    let rejection = Rejection::permanent(
        Code::Unimplemented,
        format!("nothing is served at `{path}`; traces are taken at /v1/traces"),
    );
    rejected(format_of(headers).unwrap_or(Format::Json), &rejection)
}
