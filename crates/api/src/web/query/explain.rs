//! `GET /api/v1/query/explain`: how a query would be answered.

#![expect(
    unused_qualifications,
    reason = "the code that utoipa derives spells out paths"
)]

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::edge::Edge;
use crate::web::failure::Failure;
use crate::web::params::{given, time_range};
use crate::web::query::compile;

/// Which query over which time.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExplainParams {
    /// TraceQL.
    q: String,
    /// Start of the range.
    start: Option<String>,
    /// End of the range.
    end: Option<String>,
}

/// How a query would be answered.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Explained {
    /// The plan in words and numbers, a line for each step.
    plan: String,
}

/// Says how a query would be answered: what is passed over, what is read, what is computed.
#[utoipa::path(
    get,
    path = "/api/v1/query/explain",
    tag = "query",
    params(ExplainParams),
    responses(
        (status = 200, description = "The plan", body = Explained),
        (status = 400, description = "The query cannot run, or a parameter cannot be used", body = String, content_type = "text/plain"),
    )
)]
pub(crate) async fn explain(
    State(edge): State<Edge>,
    params: Result<Query<ExplainParams>, QueryRejection>,
) -> Result<Json<Explained>, Failure> {
    let Query(params) = params.map_err(|rejection| Failure::invalid(rejection.body_text()))?;
    let query = compile(&params.q)?;
    let (start, end) = time_range(given(params.start.as_ref()), given(params.end.as_ref()))?;
    let plan = edge.engines()?.query.explain(&query, start, end).await?;
    Ok(Json(Explained { plan }))
}
