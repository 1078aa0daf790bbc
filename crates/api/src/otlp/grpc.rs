//! OTLP/gRPC: one unary method. The whole request is one message; it is sliced out of the body and handed on as it came,
//! compressed or not.

use ::http::{HeaderMap, Response};
use axum::body::Body;
use axum::extract::{Request, State};
use bytes::Bytes;
use collect::Received;
use http_body_util::{BodyExt as _, Full};

use crate::codes::{Code, Rejection};
use crate::edge::Edge;
use crate::grpc::{
    FRAME_HEADER_BYTES, encoding_of, frame, message_of, not_grpc, ok_trailers, rejected, respond,
    speaks_protobuf, stated_encoding,
};

/// `TraceService/Export`
pub(super) async fn export(State(edge): State<Edge>, request: Request) -> Response<Body> {
    let (parts, mut body) = request.into_parts();
    if !speaks_protobuf(&parts.headers) {
        return not_grpc("OTLP over HTTP is taken at /v1/traces");
    }
    match take(&edge, &parts.headers, &mut body).await {
        Ok(received) => accepted(&received),
        Err(rejection) => rejected(&rejection),
    }
}

async fn take(edge: &Edge, headers: &HeaderMap, body: &mut Body) -> Result<Received, Rejection> {
    let engines = edge.engines()?;
    let stated = stated_encoding(headers)?;
    let taken = edge
        .intake()
        .take(headers, body, FRAME_HEADER_BYTES)
        .await?;
    let (is_compressed, message) = message_of(&taken.bytes)?;
    let encoding = encoding_of(is_compressed, stated)?;
    edge.metrics().body(encoding, message.len());
    let received = engines.collector.receive(encoding, message).await?;
    drop(taken.share);
    Ok(received)
}

fn accepted(received: &Received) -> Response<Body> {
    let message = wire::response::partial_success_protobuf(received.rejected, &received.message);
    let trailers = std::future::ready(Some(Ok(ok_trailers())));
    let body = Full::<Bytes>::new(frame(&message)).with_trailers(trailers);
    respond(Code::Ok, Body::new(body))
}
