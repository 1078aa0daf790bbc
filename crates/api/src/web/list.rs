//! `GET /api/v1/traces`: one page of a list of traces.

#![expect(
    unused_qualifications,
    reason = "the code that utoipa derives spells out paths"
)]

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use model::TraceSummary;
use query::{TraceListRequest, TracePage};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::edge::Edge;
use crate::web::failure::Failure;
use crate::web::params::{
    LIMIT_DEFAULT, boolean, cursor, duration, given, limit, order, parsed, time,
};

/// Which traces to list, and in which order.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// Only traces in which this service takes part.
    service: Option<String>,
    /// Only traces whose root span has this name.
    operation: Option<String>,
    /// Only traces at least this long, such as `1.5s`, `200ms` or `1m30s`.
    min_duration: Option<String>,
    /// Only traces at most this long.
    max_duration: Option<String>,
    /// `true`: only traces with a span whose status is error; `false`: only traces without.
    error: Option<String>,
    /// Only traces that start at or after this: Unix seconds (a fraction is allowed), Unix nanoseconds, or RFC 3339.
    start: Option<String>,
    /// Only traces that start before this.
    end: Option<String>,
    /// `newest` (the default) or `slowest` first.
    order: Option<String>,
    /// Traces per page, 1 to 1000; 20 when not given.
    limit: Option<String>,
    /// `next` of the page before, unchanged.
    cursor: Option<String>,
}

impl ListParams {
    fn request(&self) -> Result<TraceListRequest, Failure> {
        let request = TraceListRequest {
            service: given(self.service.as_ref()).map(str::to_owned),
            root_name: given(self.operation.as_ref()).map(str::to_owned),
            min_duration: parsed("minDuration", self.min_duration.as_ref(), duration)?,
            max_duration: parsed("maxDuration", self.max_duration.as_ref(), duration)?,
            error: parsed("error", self.error.as_ref(), boolean)?,
            start: parsed("start", self.start.as_ref(), time)?,
            end: parsed("end", self.end.as_ref(), time)?,
            order: parsed("order", self.order.as_ref(), order)?.unwrap_or_default(),
            limit: parsed("limit", self.limit.as_ref(), limit)?.unwrap_or(LIMIT_DEFAULT),
            cursor: parsed("cursor", self.cursor.as_ref(), cursor)?,
        };
        if let (Some(start), Some(end)) = (request.start, request.end)
            && start >= end
        {
            return Err(Failure::invalid("start: must be before end"));
        }
        if let (Some(min), Some(max)) = (request.min_duration, request.max_duration)
            && min > max
        {
            return Err(Failure::invalid(
                "minDuration: must not be above maxDuration",
            ));
        }
        Ok(request)
    }
}

/// One page of a list of traces.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TraceList {
    /// The traces, in the order asked for. Equal ones are ordered by id, so pages neither overlap nor leave gaps.
    traces: Vec<TraceItem>,
    /// Pass this as `cursor` for the next page; null when this is the last.
    #[schema(required)]
    next: Option<String>,
    /// What could not be read, in words. When it is not empty, traces may be missing.
    missing: Vec<String>,
}

/// One trace in a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TraceItem {
    /// 32 hex digits.
    #[schema(example = "0af7651916cd43dd8448eb211c80319c")]
    trace_id: String,
    /// Service of the root span; empty when the root is not among the spans held.
    root_service: String,
    /// Name of the root span; empty when the root is not among the spans held.
    root_name: String,
    /// Whether the root span is among the spans held.
    has_root: bool,
    /// The earliest start of its spans, in nanoseconds since 1970, as a decimal string.
    #[schema(example = "1795253400000000000")]
    start_time_unix_nano: String,
    /// From the earliest start to the latest end, in nanoseconds, as a decimal string.
    #[schema(example = "1500000000")]
    duration_nanos: String,
    /// Spans held.
    span_count: u64,
    /// Spans whose status is error.
    error_count: u64,
    /// The services that take part, sorted by name.
    services: Vec<ServiceShare>,
    /// Whether this is known or feared to be only a piece of the trace.
    partial: bool,
}

/// A service's share of a trace.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServiceShare {
    /// The service.
    name: String,
    /// Its spans in this trace.
    span_count: u32,
    /// Its spans in this trace whose status is error.
    error_count: u32,
}

impl From<TracePage> for TraceList {
    fn from(page: TracePage) -> Self {
        Self {
            traces: page.traces.into_iter().map(TraceItem::from).collect(),
            next: page.next.map(|cursor| cursor.to_string()),
            missing: page.missing,
        }
    }
}

impl From<TraceSummary> for TraceItem {
    fn from(summary: TraceSummary) -> Self {
        Self {
            trace_id: summary.trace_id.to_string(),
            start_time_unix_nano: summary.start.0.to_string(),
            duration_nanos: summary.duration().0.to_string(),
            root_service: summary.root_service,
            root_name: summary.root_name,
            has_root: summary.has_root,
            span_count: summary.span_count,
            error_count: summary.error_count,
            services: summary
                .services
                .into_iter()
                .map(|(name, span_count, error_count)| ServiceShare {
                    name,
                    span_count,
                    error_count,
                })
                .collect(),
            partial: summary.partial,
        }
    }
}

/// Lists traces, newest or slowest first, over live and stored spans.
#[utoipa::path(
    get,
    path = "/api/v1/traces",
    tag = "traces",
    params(ListParams),
    responses(
        (status = 200, description = "A page of traces", body = TraceList),
        (status = 400, description = "A parameter cannot be used; the text names it", body = String, content_type = "text/plain"),
    )
)]
pub(crate) async fn traces(
    State(edge): State<Edge>,
    params: Result<Query<ListParams>, QueryRejection>,
) -> Result<Json<TraceList>, Failure> {
    let Query(params) = params.map_err(|rejection| Failure::invalid(rejection.body_text()))?;
    let request = params.request()?;
    let page = edge.engines()?.query.traces(&request).await?;
    Ok(Json(page.into()))
}
