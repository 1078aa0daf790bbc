//! A small OTLP receiver for tests, over HTTP or gRPC, that can misbehave.

use std::convert::Infallible;
use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use model::SpanBatch;
use parking_lot::Mutex;
use tokio::net::TcpListener;

use crate::load::client::{GRPC_PREFIX, grpc_frame};

/// What the receiver does with a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Manner {
    Accept,
    /// The first span of each request is rejected.
    Reject,
    /// Every other request is told to come back.
    Refuse,
    /// Answers after so long, one request after the other.
    Stall(Duration),
    HangUp,
}

/// A receiver that keeps the bodies of what it accepted.
#[derive(Debug)]
pub(crate) struct Sink {
    manner: Manner,
    pub(crate) seen: Mutex<Seen>,
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) requests: usize,
    pub(crate) bodies: Vec<Vec<u8>>,
    pub(crate) headers: HeaderMap,
}

type Answer = Response<BoxBody<Bytes, Infallible>>;

impl Sink {
    pub(crate) async fn listen(manner: Manner, grpc: bool) -> (Arc<Self>, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let sink = Arc::new(Self {
            manner,
            seen: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        });
        let handle = Arc::clone(&sink);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let sink = Arc::clone(&handle);
                tokio::spawn(async move {
                    let io = TokioIo::new(stream);
                    let service =
                        service_fn(move |request| Arc::clone(&sink).answer(request, grpc));
                    // A connection that breaks is part of the tests.
                    let _ = if grpc {
                        let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                        server.serve_connection(io, service).await
                    } else {
                        hyper::server::conn::http1::Builder::new()
                            .serve_connection(io, service)
                            .await
                    };
                });
            }
        });
        (sink, address)
    }

    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        grpc: bool,
    ) -> Result<Answer, std::io::Error> {
        let (head, body) = request.into_parts();
        let body = body
            .collect()
            .await
            .map_err(std::io::Error::other)?
            .to_bytes();
        let number = {
            let mut seen = self.seen.lock();
            seen.requests += 1;
            seen.headers = head.headers.clone();
            seen.requests
        };
        match self.manner {
            Manner::HangUp => return Err(std::io::Error::other("hung up")),
            Manner::Refuse if number.is_multiple_of(2) => return Ok(refusal(grpc)),
            Manner::Stall(time) => {
                let _turn = self.turn.lock().await;
                tokio::time::sleep(time).await;
            }
            _ => {}
        }
        let body = if grpc {
            assert_eq!(
                head.uri.path(),
                "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
            );
            let length = u32::from_be_bytes(body[1..GRPC_PREFIX].try_into().unwrap());
            assert_eq!(length as usize, body.len() - GRPC_PREFIX);
            let encoding = head
                .headers
                .get("grpc-encoding")
                .map(|value| value.to_str().unwrap());
            assert_eq!(body[0] == 1, encoding.is_some());
            inflate(encoding, &body[GRPC_PREFIX..])
        } else {
            assert_eq!(head.uri.path(), "/v1/traces");
            inflate(
                head.headers
                    .get("content-encoding")
                    .map(|value| value.to_str().unwrap()),
                &body,
            )
        };
        self.seen.lock().bodies.push(body);
        let rejected = u64::from(matches!(self.manner, Manner::Reject));
        let message = if rejected > 0 {
            "the first one is odd"
        } else {
            ""
        };
        Ok(success(
            grpc,
            &wire::response::partial_success_protobuf(rejected, message),
        ))
    }

    pub(crate) fn spans(&self) -> Vec<SpanBatch> {
        self.seen
            .lock()
            .bodies
            .iter()
            .map(|body| decode(body))
            .collect()
    }
}

fn inflate(encoding: Option<&str>, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match encoding {
        None => out.extend_from_slice(body),
        Some("gzip") => {
            flate2::read::GzDecoder::new(body)
                .read_to_end(&mut out)
                .unwrap();
        }
        Some("zstd") => out = zstd::decode_all(body).unwrap(),
        Some(other) => panic!("{other}"),
    }
    out
}

fn trailers(code: u32, message: &'static str) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", code.into());
    trailers.insert("grpc-message", http::HeaderValue::from_static(message));
    trailers
}

fn success(grpc: bool, body: &[u8]) -> Answer {
    if !grpc {
        return Response::new(Full::new(Bytes::copy_from_slice(body)).boxed());
    }
    let frames = [
        Ok(Frame::data(grpc_frame(body))),
        Ok(Frame::trailers(trailers(0, ""))),
    ];
    Response::new(StreamBody::new(futures::stream::iter(frames)).boxed())
}

fn refusal(grpc: bool) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(b"too busy")).boxed());
    if grpc {
        *answer.body_mut() = Full::new(Bytes::new()).boxed();
        *answer.headers_mut() = trailers(14, "too busy");
    } else {
        *answer.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
        answer.headers_mut().insert("retry-after", 0.into());
    }
    answer
}

fn decode(body: &[u8]) -> SpanBatch {
    let mut batch = SpanBatch::default();
    let rejected =
        wire::otlp::decode(body, &wire::otlp::DecodeLimits::default(), &mut batch).unwrap();
    assert_eq!(rejected.total(), 0, "{:?}", rejected.first);
    batch
}
