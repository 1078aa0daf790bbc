//! What people and programs read: the page, our own API under `/api/v1/`, Tempo's under `/api/` and over gRPC, health and
//! metrics.
//!
//! Failures are plain text that names the parameter and what is accepted. Questions are bounded in number and in time.

mod analysis;
pub(crate) mod failure;
mod list;
mod matches;
mod openapi;
mod page;
mod params;
pub(crate) mod query;
mod sent;
mod services;
mod skeleton;
mod status;
pub(crate) mod tempo;
mod trace;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get, post};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;

use crate::edge::Edge;
use crate::web::failure::Failure;

pub use openapi::document as openapi_document;
pub use page::prepare as prepare_page;

/// Everything that the web port serves.
pub fn router(edge: Edge) -> Router {
    let questions = Router::new()
        .route("/api/v1/traces", get(list::traces))
        .route("/api/v1/traces/{id}", get(trace::trace))
        .route("/api/v1/traces/{id}/skeleton", get(skeleton::skeleton))
        .route("/api/v1/traces/{id}/matches", get(matches::matches))
        .route("/api/v1/traces/{id}/analysis", get(analysis::analysis))
        .route("/api/v1/analysis", posted(post(analysis::analysis_of_body)))
        .route("/api/v1/matches", posted(post(matches::matches_of_body)))
        .route("/api/v1/compare", posted(post(analysis::compare_body)))
        .route(
            "/api/v1/traces/{id}/compare/{other}",
            get(analysis::compare),
        )
        .route("/api/v1/search", get(query::search::search))
        .route("/api/v1/query/complete", get(query::complete::complete))
        .route("/api/v1/query/explain", get(query::explain::explain))
        .route("/api/v1/extent", get(services::extent))
        .route("/api/v1/services", get(services::services))
        .route(
            "/api/v1/services/{service}/operations",
            get(services::operations),
        )
        .route("/api/traces/{id}", get(tempo::trace::trace_v1))
        .route("/api/v2/traces/{id}", get(tempo::trace::trace_v2))
        .route("/api/search", get(tempo::search::search))
        .route("/api/search/tags", get(tempo::tags::names_v1))
        .route("/api/v2/search/tags", get(tempo::tags::names_v2))
        .route("/api/search/tag/{*name}", get(tempo::tags::values_v1))
        .route("/api/v2/search/tag/{*name}", get(tempo::tags::values_v2))
        .route("/api/metrics/query_range", get(tempo::metrics::query_range))
        .route("/api/metrics/query", get(tempo::metrics::query_instant))
        .layer(from_fn_with_state(edge.clone(), bounded));
    questions
        .route("/api/v1/search/live", get(query::live::live))
        .route("/api/v1/query/check", get(query::check::check))
        .route("/api/v1/openapi.json", get(openapi::serve))
        .route("/api/echo", get(status::echo))
        .route("/api/status/buildinfo", get(status::buildinfo))
        .route("/status", get(status::status))
        .route("/status/version", get(status::version))
        .route("/status/services", get(status::services))
        .route("/ready", get(status::ready))
        .route("/metrics", get(status::metrics))
        .method_not_allowed_fallback(wrong_method)
        .fallback(page::serve)
        .layer(CompressionLayer::new().quality(CompressionLevel::Fastest))
        .merge(crate::stream::routes())
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

/// A question that is posted, since a trace comes with it.
fn posted(post: MethodRouter<Edge>) -> MethodRouter<Edge> {
    post.fallback(async || Failure::method_not_allowed("POST"))
}

async fn wrong_method() -> Failure {
    Failure::method_not_allowed("GET")
}
