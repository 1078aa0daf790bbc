//! Sends requests to an OTLP/HTTP endpoint, a few at a time, and comes back when told to.

use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use wire::proto::{Reader, Tag};

/// How often a request is sent before its refusal ends the import. With the pauses below, some two minutes.
const ATTEMPTS_MAX: u32 = 12;

/// The longest pause before the next attempt.
const PAUSE_MAX: Duration = Duration::from_secs(15);

/// The path of OTLP/HTTP, where the endpoint does not name one.
const PATH: &str = "/v1/traces";

/// What the server said of one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Answer {
    /// Spans that it rejected.
    pub(super) rejected: u64,
    /// Why.
    pub(super) message: String,
}

/// A client of one endpoint. Cheap to clone.
#[derive(Clone)]
pub(super) struct Sender {
    client: Client<HttpConnector, Full<Bytes>>,
    endpoint: Uri,
}

impl Sender {
    pub(super) fn new(endpoint: &str) -> anyhow::Result<Self> {
        let mut endpoint = endpoint.trim_end_matches('/').to_owned();
        if endpoint.matches('/').count() <= 2 {
            endpoint.push_str(PATH);
        }
        let endpoint: Uri = endpoint
            .parse()
            .with_context(|| format!("`{endpoint}` is not a URL"))?;
        if endpoint.scheme_str() != Some("http") {
            bail!("`{endpoint}` is not an http:// URL");
        }
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            endpoint,
        })
    }

    /// Sends a request until it is taken.
    pub(super) async fn send(&self, request: Bytes) -> anyhow::Result<Answer> {
        let mut pause = Duration::from_millis(200);
        for attempt in 1.. {
            let told = match self.attempt(request.clone()).await {
                Ok(response) if response.status() == StatusCode::OK => {
                    let body = response.into_body().collect().await?.to_bytes();
                    return Ok(answer(&body));
                }
                Ok(response) if is_retryable(response.status()) => {
                    pause = retry_after(&response).unwrap_or(pause);
                    format!("the server answered {}", response.status())
                }
                Ok(response) => {
                    let status = response.status();
                    let body = response.into_body().collect().await?.to_bytes();
                    bail!(
                        "the server refused a request with {status}: {}",
                        status_message(&body)
                    );
                }
                Err(error) if attempt == 1 && error.is_connect() => {
                    bail!(
                        "no server answers at {}; start one with `throughline serve`",
                        self.endpoint
                    );
                }
                Err(error) => format!("sending failed: {error}"),
            };
            if attempt == ATTEMPTS_MAX {
                bail!("gave up after {attempt} attempts: {told}");
            }
            tokio::time::sleep(pause.min(PAUSE_MAX)).await;
            pause *= 2;
        }
        unreachable!("the loop ends by returning")
    }

    async fn attempt(
        &self,
        body: Bytes,
    ) -> Result<Response<Incoming>, hyper_util::client::legacy::Error> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.endpoint.clone();
        request.headers_mut().insert(
            CONTENT_TYPE,
            http::HeaderValue::from_static("application/x-protobuf"),
        );
        self.client.request(request).await
    }
}

fn is_retryable(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502..=504)
}

fn retry_after(response: &Response<Incoming>) -> Option<Duration> {
    let seconds = response
        .headers()
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}

/// Reads an `ExportTraceServiceResponse`; what cannot be read says nothing.
fn answer(body: &[u8]) -> Answer {
    const PARTIAL_SUCCESS: Tag = Tag::len(1);
    const REJECTED_SPANS: Tag = Tag::varint(1);
    const ERROR_MESSAGE: Tag = Tag::len(2);
    let mut answer = Answer::default();
    let mut reader = Reader::new(body);
    while let Ok(Some(tag)) = reader.tag() {
        let Ok(mut partial) = (if tag == PARTIAL_SUCCESS {
            reader.message()
        } else {
            break;
        }) else {
            break;
        };
        while let Ok(Some(tag)) = partial.tag() {
            match tag {
                REJECTED_SPANS => answer.rejected = partial.varint().unwrap_or(0),
                ERROR_MESSAGE => answer.message = text(partial.bytes().unwrap_or_default()),
                other => {
                    if partial.skip(other).is_err() {
                        break;
                    }
                }
            }
        }
    }
    answer
}

/// The message of a `google.rpc.Status`.
fn status_message(body: &[u8]) -> String {
    const MESSAGE: Tag = Tag::len(2);
    let mut reader = Reader::new(body);
    while let Ok(Some(tag)) = reader.tag() {
        match tag {
            MESSAGE => return text(reader.bytes().unwrap_or_default()),
            other => {
                if reader.skip(other).is_err() {
                    break;
                }
            }
        }
    }
    text(body)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read() {
        let body = wire::response::partial_success_protobuf(3, "three were bad");
        assert_eq!(
            answer(&body),
            Answer {
                rejected: 3,
                message: "three were bad".into()
            }
        );
        assert_eq!(answer(&[]), Answer::default());
        assert_eq!(answer(b"\xff\xff"), Answer::default());
        let refusal = wire::response::status_protobuf(3, "no", None);
        assert_eq!(status_message(&refusal), "no");
    }

    #[test]
    fn an_endpoint_is_a_url_with_or_without_a_path() {
        let endpoint = |text| {
            Sender::new(text)
                .map(|sender| sender.endpoint.to_string())
                .ok()
        };
        assert_eq!(
            endpoint("http://localhost:4318").as_deref(),
            Some("http://localhost:4318/v1/traces")
        );
        assert_eq!(
            endpoint("http://localhost:4318/otlp/x").as_deref(),
            Some("http://localhost:4318/otlp/x")
        );
        assert_eq!(endpoint("localhost:4318"), None);
    }
}
