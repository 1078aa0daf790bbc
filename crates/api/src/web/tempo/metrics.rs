//! `GET /api/metrics/query_range` and `GET /api/metrics/query`

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use http::HeaderMap;
use serde::Deserialize;
use wire::tempo::{QueryInstantResponse, QueryRangeResponse};

use super::ask::MetricsAsk;
use super::{answer, rendered};
use crate::edge::Edge;
use crate::web::failure::Failure;
use crate::web::params::{boolean, duration, given, number, parsed, seconds_or_duration, time};
use crate::web::query::limits;

/// Tempo's parameters. Others are passed over, as Tempo does.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct MetricsParams {
    q: Option<String>,
    query: Option<String>,
    start: Option<String>,
    end: Option<String>,
    since: Option<String>,
    step: Option<String>,
    exemplars: Option<String>,
    max_series: Option<String>,
    instant: Option<String>,
}

impl MetricsParams {
    fn ask(&self) -> Result<MetricsAsk, Failure> {
        let q = given(self.q.as_ref()).or_else(|| given(self.query.as_ref()));
        Ok(MetricsAsk {
            q: q.ok_or_else(|| Failure::invalid("q: a query is needed"))?
                .to_owned(),
            start: parsed("start", self.start.as_ref(), time)?,
            end: parsed("end", self.end.as_ref(), time)?,
            since: parsed("since", self.since.as_ref(), duration)?,
            step: parsed("step", self.step.as_ref(), seconds_or_duration)?,
            exemplars: parsed("exemplars", self.exemplars.as_ref(), number)?,
            max_series: parsed("maxSeries", self.max_series.as_ref(), number)?.unwrap_or(0),
            instant: parsed("instant", self.instant.as_ref(), boolean)?.unwrap_or(false),
        })
    }
}

type Params = Result<Query<MetricsParams>, QueryRejection>;

fn read(params: Params) -> Result<MetricsAsk, Failure> {
    let Query(params) = params.map_err(|rejection| Failure::invalid(rejection.body_text()))?;
    params.ask()
}

/// `GET /api/metrics/query_range`
pub(crate) async fn query_range(
    State(edge): State<Edge>,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let ask = read(params)?;
    let engines = edge.engines()?;
    let request = ask.request(engines.clock.now(), limits(&edge))?;
    let found = engines.query.metrics(&request).await?;
    let message = answer::query_range(&found, &request.steps, ask.max_series);
    rendered(&headers, &message, QueryRangeResponse::to_protobuf)
}

/// `GET /api/metrics/query`
pub(crate) async fn query_instant(
    State(edge): State<Edge>,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let ask = MetricsAsk {
        instant: true,
        ..read(params)?
    };
    let engines = edge.engines()?;
    let request = ask.request(engines.clock.now(), limits(&edge))?;
    let found = engines.query.metrics(&request).await?;
    let message = answer::query_instant(&found);
    rendered(&headers, &message, QueryInstantResponse::to_protobuf)
}
