//! `GET /api/v1/services` and `GET /api/v1/services/{service}/operations`.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use utoipa::ToSchema;

use crate::edge::Edge;
use crate::web::failure::Failure;

/// All services.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServiceList {
    /// Sorted by name.
    services: Vec<ServiceItem>,
}

/// A service that occurs in live or stored spans.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ServiceItem {
    /// Its name: `service.name` of its resource, or `unknown_service`.
    name: String,
    /// Spans held.
    spans: u64,
    /// Spans whose status is error.
    errors: u64,
}

/// Lists the services that occur, from inventories: no span is read.
#[utoipa::path(
    get,
    path = "/api/v1/services",
    tag = "services",
    responses((status = 200, description = "The services", body = ServiceList))
)]
pub(crate) async fn services(State(edge): State<Edge>) -> Result<Json<ServiceList>, Failure> {
    let services = edge.engines()?.query.services().await?;
    let services = services
        .into_iter()
        .map(
            |query::Service {
                 name,
                 spans,
                 errors,
             }| ServiceItem {
                name,
                spans,
                errors,
            },
        )
        .collect();
    Ok(Json(ServiceList { services }))
}

/// The time of everything held.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Extent {
    /// The earliest start, in nanoseconds since 1970, as a decimal string; null when no span is held.
    #[schema(required)]
    start_time_unix_nano: Option<String>,
    /// The latest end.
    #[schema(required)]
    end_time_unix_nano: Option<String>,
    /// Traces that start or end more than a year away from the middle of all, such as those of clocks that begin at 1970:
    /// what they say does not count here.
    left_out: u64,
}

/// Tells from when to when there are spans, from inventories: no span is read. Clocks that are wrong by years do not count.
#[utoipa::path(
    get,
    path = "/api/v1/extent",
    tag = "services",
    responses((status = 200, description = "The time", body = Extent))
)]
pub(crate) async fn extent(State(edge): State<Edge>) -> Result<Json<Extent>, Failure> {
    let extent = edge.engines()?.query.extent().await?;
    Ok(Json(Extent {
        start_time_unix_nano: extent.map(|extent| extent.start.0.to_string()),
        end_time_unix_nano: extent.map(|extent| extent.end.0.to_string()),
        left_out: extent.map_or(0, |extent| extent.left_out),
    }))
}

/// The operations of a service.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OperationList {
    /// Most frequent first; empty when the service is unknown.
    operations: Vec<OperationItem>,
}

/// A span name of a service.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OperationItem {
    /// The name.
    name: String,
    /// Spans held.
    spans: u64,
    /// How many of them are the root of their trace.
    roots: u64,
}

/// Lists the span names of a service, from inventories: no span is read.
#[utoipa::path(
    get,
    path = "/api/v1/services/{service}/operations",
    tag = "services",
    params(("service" = String, Path, description = "Name of the service")),
    responses((status = 200, description = "The operations", body = OperationList))
)]
pub(crate) async fn operations(
    State(edge): State<Edge>,
    Path(service): Path<String>,
) -> Result<Json<OperationList>, Failure> {
    let operations = edge.engines()?.query.operations(&service).await?;
    let operations = operations
        .into_iter()
        .map(|query::Operation { name, spans, roots }| OperationItem { name, spans, roots })
        .collect();
    Ok(Json(OperationList { operations }))
}
