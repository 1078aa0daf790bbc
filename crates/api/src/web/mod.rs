//! What people and programs read: the page, our own API under `/api/v1/`, Tempo's under `/api/`, health and metrics.
//!
//! Failures are plain text that names the parameter and what is accepted. Questions are bounded in number and in time.

mod analysis;
mod failure;
mod list;
mod openapi;
mod page;
mod params;
mod services;
mod status;
mod tempo;
mod trace;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

use crate::edge::Edge;
use crate::web::failure::Failure;

pub use openapi::document as openapi_document;

/// Everything that the web port serves.
pub fn router(edge: Edge) -> Router {
    let questions = Router::new()
        .route("/api/v1/traces", get(list::traces))
        .route("/api/v1/traces/{id}", get(trace::trace))
        .route("/api/v1/traces/{id}/analysis", get(analysis::analysis))
        .route(
            "/api/v1/traces/{id}/compare/{other}",
            get(analysis::compare),
        )
        .route("/api/v1/services", get(services::services))
        .route(
            "/api/v1/services/{service}/operations",
            get(services::operations),
        )
        .route("/api/traces/{id}", get(tempo::trace_v1))
        .route("/api/v2/traces/{id}", get(tempo::trace_v2))
        .layer(from_fn_with_state(edge.clone(), bounded));
    questions
        .route("/api/v1/openapi.json", get(openapi::serve))
        .route("/api/echo", get(status::echo))
        .route("/api/status/buildinfo", get(status::buildinfo))
        .route("/ready", get(status::ready))
        .route("/metrics", get(status::metrics))
        .method_not_allowed_fallback(wrong_method)
        .fallback(page::serve)
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .layer(from_fn_with_state(
            edge.metrics().clone(),
            crate::metrics::track_web,
        ))
        .with_state(edge)
}

/// Lets so many questions through at a time as the limits say, and gives up on one that takes too long.
async fn bounded(State(edge): State<Edge>, request: Request, next: Next) -> Response<Body> {
    let time_max = edge.limits().read_time_max;
    let answer = async {
        // Never closed, so waiting cannot fail.
        let _slot = edge.reads().acquire().await;
        next.run(request).await
    };
    match tokio::time::timeout(time_max, answer).await {
        Ok(response) => response,
        Err(_) => Failure::timed_out(time_max).into_response(),
    }
}

async fn wrong_method() -> Failure {
    Failure::method_not_allowed("GET")
}
