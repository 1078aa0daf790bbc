//! OTLP at the door: `POST /v1/traces` over HTTP and `TraceService/Export` over gRPC.
//!
//! Both ports serve both, told apart by path and content type as the protocol allows: a sender that is pointed at the
//! wrong one of the two simply works. Tempo's streaming queries are served here too, where Grafana looks for gRPC. Compressed protobuf is handed on as it came; the collector inflates it, bounded,
//! and the journal keeps the small form.

mod grpc;
mod http;

use ::http::Response;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::post;

use crate::cors::Cors;
use crate::edge::Edge;
use crate::grpc::{speaks_grpc, unknown_method};

/// The path of the gRPC method.
const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// Everything that the OTLP ports serve.
pub fn router(edge: Edge, cors: &Cors) -> Router {
    let mut http_routes = Router::new().route(
        "/v1/traces",
        post(http::export).fallback(http::wrong_method),
    );
    if let Some(layer) = cors.layer() {
        http_routes = http_routes.layer(layer);
    }
    http_routes
        .route(EXPORT, post(grpc::export))
        .merge(crate::stream::routes())
        .fallback(unknown_path)
        .layer(axum::middleware::from_fn_with_state(
            edge.metrics().clone(),
            crate::metrics::track_otlp,
        ))
        .with_state(edge)
}

async fn unknown_path(request: Request) -> Response<Body> {
    let path = request.uri().path().to_owned();
    if speaks_grpc(request.headers()) {
        unknown_method(&path)
    } else {
        http::unknown_path(request.headers(), &path)
    }
}
