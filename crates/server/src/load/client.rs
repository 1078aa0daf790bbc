//! One connection to an OTLP endpoint, over HTTP/1.1 or gRPC.
//!
//! gRPC by hand: a unary call is one POST with a prefix of five bytes before the message, and a status in the trailers.
//! That is all there is to it, and it spares a second copy of every body.

use std::io::Write as _;
use std::time::Duration;

use anyhow::Context as _;
use bytes::{BufMut as _, Bytes, BytesMut};
use http::header::{
    ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, TE,
    USER_AGENT,
};
use http::{Method, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};

use super::answer::{self, Answer};
use super::endpoint::{Endpoint, Protocol};
use crate::connect::{self, Driver};
use crate::tls::Tls;

/// Bytes in front of a gRPC message: whether it is compressed, and its length.
pub(crate) const GRPC_PREFIX: usize = 5;
/// Answers are short: OTLP allows servers 4 MiB.
const ANSWER_BYTES_MAX: usize = 4 << 20;
/// Level of gzip and zstd: what the SDKs and the collector use by default is near it.
const GZIP_LEVEL: u32 = 6;
const ZSTD_LEVEL: i32 = 3;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Compression {
    /// Not at all.
    None,
    /// gzip.
    Gzip,
    /// zstd.
    Zstd,
}

impl Compression {
    fn name(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }

    /// The body as it is sent; for gRPC `body` has its prefix, and so has what is returned.
    pub(crate) fn compress(self, protocol: Protocol, body: Bytes) -> std::io::Result<Bytes> {
        if self == Self::None {
            return Ok(body);
        }
        let prefix = match protocol {
            Protocol::Http => 0,
            Protocol::Grpc => GRPC_PREFIX,
        };
        let mut out = vec![0; prefix];
        let message = &body[prefix..];
        match self {
            Self::None => {}
            Self::Gzip => {
                let level = flate2::Compression::new(GZIP_LEVEL);
                let mut encoder = flate2::write::GzEncoder::new(&mut out, level);
                encoder.write_all(message)?;
                encoder.finish()?;
            }
            Self::Zstd => zstd::stream::copy_encode(message, &mut out, ZSTD_LEVEL)?,
        }
        if prefix > 0 {
            let length = (out.len() - prefix) as u32;
            out[0] = 1;
            out[1..prefix].copy_from_slice(&length.to_be_bytes());
        }
        Ok(out.into())
    }
}

/// A message with the prefix that gRPC puts in front.
pub(crate) fn grpc_frame(message: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(GRPC_PREFIX + message.len());
    frame.put_u8(0);
    frame.put_u32(message.len() as u32);
    frame.put_slice(message);
    frame.freeze()
}

/// What is the same for all requests of a run.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) endpoint: Endpoint,
    tls: Option<Tls>,
    uri: Uri,
    headers: HeaderMap,
    timeout: Duration,
}

impl Target {
    /// Prepares requests to `endpoint`; `tls` as [`Endpoint::tls`] gives it.
    ///
    /// # Errors
    /// When the endpoint does not fit into a request.
    pub(crate) fn new(
        endpoint: Endpoint,
        tls: Option<Tls>,
        compression: Compression,
        extra: &[(HeaderName, HeaderValue)],
        timeout: Duration,
    ) -> anyhow::Result<Self> {
        assert_eq!(endpoint.is_encrypted, tls.is_some());
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static("throughline-load"));
        let encoding = compression.name().map(HeaderValue::from_static);
        let uri = match endpoint.protocol {
            Protocol::Http => {
                headers.insert(HOST, HeaderValue::from_str(&endpoint.authority)?);
                headers.insert(
                    CONTENT_TYPE,
                    HeaderValue::from_static("application/x-protobuf"),
                );
                headers.insert(ACCEPT, HeaderValue::from_static("application/x-protobuf"));
                headers.extend(encoding.map(|name| (CONTENT_ENCODING, name)));
                endpoint.path.parse()?
            }
            Protocol::Grpc => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
                headers.insert(TE, HeaderValue::from_static("trailers"));
                headers
                    .extend(encoding.map(|name| (HeaderName::from_static("grpc-encoding"), name)));
                let scheme = if tls.is_some() { "https" } else { "http" };
                format!("{scheme}://{}{}", endpoint.authority, endpoint.path).parse()?
            }
        };
        for (name, value) in extra {
            headers.insert(name, value.clone());
        }
        Ok(Self {
            endpoint,
            tls,
            uri,
            headers,
            timeout,
        })
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// A [`connect::ConnectError`] when nobody listens, or TLS fails.
    pub(crate) async fn connect(&self) -> anyhow::Result<Connection> {
        self.handshake()
            .await
            .with_context(|| format!("cannot connect to {}", self.endpoint))
    }

    async fn handshake(&self) -> anyhow::Result<Connection> {
        let stream = connect::open(&self.endpoint.authority, self.tls.as_ref()).await?;
        let (sender, driver) = match self.endpoint.protocol {
            Protocol::Http => {
                let (sender, driver) = stream.http1().await?;
                (Sender::Http(sender), driver)
            }
            Protocol::Grpc => {
                let (sender, driver) = stream.http2().await?;
                (Sender::Grpc(sender), driver)
            }
        };
        Ok(Connection { sender, driver })
    }

    /// Whether plain words are sent to a server that speaks TLS: asked after a failure, to explain it.
    pub(crate) async fn is_plain_to_tls(&self) -> bool {
        self.tls.is_none() && connect::speaks_tls(&self.endpoint.authority).await
    }
}

#[derive(Debug)]
enum Sender {
    Http(http1::SendRequest<Full<Bytes>>),
    Grpc(http2::SendRequest<Full<Bytes>>),
}

/// An open connection with at most one request under way.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: Sender,
    driver: Driver,
}

impl Connection {
    /// The connection in `slot`, or a new one when there is none or the other side has closed it.
    ///
    /// # Errors
    /// As [`Target::connect`].
    pub(crate) async fn open<'a>(
        slot: &'a mut Option<Self>,
        target: &Target,
    ) -> anyhow::Result<&'a mut Self> {
        if slot.as_ref().is_some_and(Self::is_closed) {
            *slot = None;
        }
        match slot {
            Some(connection) => Ok(connection),
            None => Ok(slot.insert(target.connect().await?)),
        }
    }

    fn is_closed(&self) -> bool {
        match &self.sender {
            Sender::Http(sender) => sender.is_closed(),
            Sender::Grpc(sender) => sender.is_closed(),
        }
    }

    /// Sends a body, for gRPC with its prefix, and waits for the answer. After a failure the connection is of no more use.
    pub(crate) async fn send(&mut self, target: &Target, body: Bytes) -> Answer {
        match tokio::time::timeout(target.timeout, self.exchange(target, body)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(err)) => match (&target.tls, self.driver.tls_error()) {
                (Some(tls), Some(err)) => Answer::failed(answer::TLS, tls.explain(err)),
                _ => Answer::failed("connection", format!("{err:#}")),
            },
            Err(_) => Answer::failed("timeout", format!("no answer within {:?}", target.timeout)),
        }
    }

    async fn exchange(&mut self, target: &Target, body: Bytes) -> anyhow::Result<Answer> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = target.uri.clone();
        *request.headers_mut() = target.headers.clone();
        match &mut self.sender {
            Sender::Http(sender) => {
                sender.ready().await?;
                let (head, body) = whole(sender.send_request(request).await?).await?;
                let body = body.to_bytes();
                Ok(answer::of_http(head.status, &head.headers, &body))
            }
            Sender::Grpc(sender) => {
                sender.ready().await?;
                let (head, body) = whole(sender.send_request(request).await?).await?;
                // A refusal may come without a body, its status among the headers.
                let trailers = body.trailers().cloned().unwrap_or_default();
                Ok(answer::of_grpc(
                    head.status,
                    &head.headers,
                    &trailers,
                    &body.to_bytes(),
                ))
            }
        }
    }
}

async fn whole(
    response: Response<Incoming>,
) -> anyhow::Result<(http::response::Parts, http_body_util::Collected<Bytes>)> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|err| anyhow::anyhow!("cannot read the answer: {err}"))?;
    Ok((head, body))
}
