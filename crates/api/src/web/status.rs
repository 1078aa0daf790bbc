//! What machines ask about the server itself: health, metrics, version.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::edge::Edge;
use crate::metrics::CONTENT_TYPE as OPEN_METRICS;
use crate::web::failure::Failure;

/// `GET /ready`
pub(crate) async fn ready(State(edge): State<Edge>) -> Response {
    let readiness = edge.health().readiness();
    let status = if readiness.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, readiness.text).into_response()
}

/// `GET /metrics`
pub(crate) async fn metrics(State(edge): State<Edge>) -> Result<Response, Failure> {
    let text = edge
        .metrics()
        .encode()
        .map_err(|_| Failure::internal("metrics cannot be written"))?;
    Ok(([(CONTENT_TYPE, OPEN_METRICS)], text).into_response())
}

/// `GET /api/echo`: Grafana's health check.
pub(crate) async fn echo() -> &'static str {
    "echo"
}

/// The version of Tempo whose API is spoken. Grafana turns features on by this number: below 2.2 it would not stream searches,
/// below 2.7 not series.
const TEMPO_VERSION: &str = "3.1.0";

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// `GET /api/status/buildinfo`
pub(crate) async fn buildinfo() -> Json<Value> {
    Json(json!({
        "version": TEMPO_VERSION,
        "revision": format!("throughline-{VERSION}"),
        "branch": "",
        "buildUser": "",
        "buildDate": "",
        "goVersion": "",
    }))
}

/// `GET /status/version`
pub(crate) async fn version() -> String {
    format!("throughline, version {VERSION}, with the API of Tempo {TEMPO_VERSION}\n")
}

/// `GET /status/services`: the one service that there is, and how it does.
pub(crate) async fn services(State(edge): State<Edge>) -> String {
    format!("throughline: {}", edge.health().readiness().text)
}

/// `GET /status`
pub(crate) async fn status(State(edge): State<Edge>) -> String {
    version().await + &services(State(edge)).await
}
