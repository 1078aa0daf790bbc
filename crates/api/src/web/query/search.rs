//! `GET /api/v1/search`: one page of the traces that match a query, with what matched.

#![expect(
    unused_qualifications,
    reason = "the code that utoipa derives spells out paths"
)]

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use query::{
    MatchedAttribute, MatchedSpan, MatchedSpanset, MatchedTrace, QueryStats, SearchPage,
    SearchRequest, TraceOrder,
};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::value::{json_constant, json_value};
use super::{EVERYTHING, compile_search, limits};
use crate::edge::Edge;
use crate::web::failure::Failure;
use crate::web::list::TraceItem;
use crate::web::params::{
    LIMIT_DEFAULT, cursor, given, limit, number_to, order, parsed, time_range,
};

/// Spans shown of each spanset when nothing is said, as in Tempo.
pub(crate) const SPANS_DEFAULT: usize = 3;

/// Spans shown of each spanset at the most, as in Tempo.
pub(crate) const SPANS_MAX: usize = 100;

/// Which traces to find, and in which order.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchParams {
    /// TraceQL; every trace when it is empty.
    q: Option<String>,
    /// Only traces that end at or after this: Unix seconds (a fraction is allowed), Unix nanoseconds, or RFC 3339.
    start: Option<String>,
    /// Only traces that start before this.
    end: Option<String>,
    /// Traces per page, 1 to 1000; 20 when not given.
    limit: Option<String>,
    /// `newest` (the default) or `slowest` first.
    sort: Option<String>,
    /// Spans shown of each spanset, 0 to 100; 3 when not given.
    spss: Option<String>,
    /// `next` of the page before, unchanged.
    cursor: Option<String>,
}

impl SearchParams {
    /// The newest traces.
    pub(super) fn newest(
        q: Option<String>,
        start: Option<String>,
        spss: Option<String>,
        limit: Option<String>,
    ) -> Self {
        Self {
            q,
            start,
            spss,
            limit,
            ..Self::default()
        }
    }

    pub(super) fn request(&self, edge: &Edge) -> Result<SearchRequest, Failure> {
        let (start, end) = time_range(given(self.start.as_ref()), given(self.end.as_ref()))?;
        let spans = |name: &str, text: &str| number_to(SPANS_MAX, name, text);
        Ok(SearchRequest {
            query: compile_search(given(self.q.as_ref()).unwrap_or(EVERYTHING))?,
            start,
            end,
            order: parsed("sort", self.sort.as_ref(), order)?.unwrap_or(TraceOrder::Newest),
            limit: parsed("limit", self.limit.as_ref(), limit)?.unwrap_or(LIMIT_DEFAULT),
            spans_per_spanset: parsed("spss", self.spss.as_ref(), spans)?.unwrap_or(SPANS_DEFAULT),
            cursor: parsed("cursor", self.cursor.as_ref(), cursor)?,
            limits: limits(edge),
        })
    }
}

/// A page of traces that match.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FoundTraces {
    /// The traces, in the order asked for. Equal ones are ordered by id, so pages neither overlap nor leave gaps.
    traces: Vec<FoundTrace>,
    /// Pass this as `cursor` for the next page; absent when this is the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// What could not be read or was not looked at, in words. When it is not empty, traces may be missing.
    missing: Vec<String>,
    /// What it cost.
    stats: StatsItem,
}

/// A trace that matches.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FoundTrace {
    /// The whole trace.
    #[serde(flatten)]
    trace: TraceItem,
    /// Spans that match, over all spansets.
    matched: usize,
    /// At least one; several when the query splits by a key.
    spansets: Vec<FoundSpanset>,
}

/// Spans of a trace that match.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FoundSpanset {
    /// The value of each key of `by`, and of each aggregate that is compared, in the order of the query.
    #[schema(value_type = Object)]
    keys: Members,
    /// Spans that match.
    matched: usize,
    /// The first few of them, parents before their children.
    spans: Vec<FoundSpan>,
}

/// A span that matches.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FoundSpan {
    /// 16 hex digits.
    #[schema(example = "b7ad6b7169203331")]
    span_id: String,
    /// Its name.
    name: String,
    /// Its service.
    service: String,
    /// When it started, in nanoseconds since 1970, as a decimal string.
    #[schema(example = "1795253400000000000")]
    start: String,
    /// End minus start in nanoseconds, as a decimal string.
    #[schema(example = "1500000000")]
    duration: String,
    /// What the query touched or selects, by the name that it has there. Durations are strings such as `1.5s`, statuses and
    /// kinds their words.
    #[schema(value_type = Object)]
    attributes: Members,
}

/// What a question cost.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatsItem {
    /// Traces looked at.
    traces: u64,
    /// Spans looked at.
    spans: u64,
    /// Bytes of block files read.
    bytes: u64,
    /// Blocks that there are.
    blocks: u64,
    /// Blocks that were passed over without reading spans.
    blocks_skipped: u64,
    /// How long it took.
    elapsed_ms: f64,
}

/// Members of an object, in order.
#[derive(Debug)]
struct Members(Vec<(Arc<str>, Value)>);

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            object.serialize_entry(&**name, value)?;
        }
        object.end()
    }
}

impl From<SearchPage> for FoundTraces {
    fn from(page: SearchPage) -> Self {
        Self {
            traces: page.traces.into_iter().map(Into::into).collect(),
            next: page.next.map(|cursor| cursor.to_string()),
            missing: page.missing,
            stats: page.stats.into(),
        }
    }
}

impl From<MatchedTrace> for FoundTrace {
    fn from(trace: MatchedTrace) -> Self {
        Self {
            matched: trace.spansets.iter().map(|spanset| spanset.matched).sum(),
            spansets: trace.spansets.into_iter().map(Into::into).collect(),
            trace: trace.summary.into(),
        }
    }
}

impl From<MatchedSpanset> for FoundSpanset {
    fn from(spanset: MatchedSpanset) -> Self {
        let keys = spanset.keys.into_iter();
        Self {
            keys: Members(
                keys.map(|(key, value)| (key, json_constant(&value)))
                    .collect(),
            ),
            matched: spanset.matched,
            spans: spanset.spans.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<MatchedSpan> for FoundSpan {
    fn from(span: MatchedSpan) -> Self {
        let member = |attribute: MatchedAttribute| (attribute.label, json_value(&attribute.value));
        Self {
            span_id: span.span_id.to_string(),
            name: span.name,
            service: span.service,
            start: span.start.0.to_string(),
            duration: span.duration.0.to_string(),
            attributes: Members(span.attributes.into_iter().map(member).collect()),
        }
    }
}

impl From<QueryStats> for StatsItem {
    fn from(stats: QueryStats) -> Self {
        Self {
            traces: stats.traces,
            spans: stats.spans,
            bytes: stats.bytes,
            blocks: stats.blocks,
            blocks_skipped: stats.blocks_skipped,
            elapsed_ms: stats.elapsed.as_secs_f64() * 1e3,
        }
    }
}

/// Finds traces with TraceQL, newest or slowest first, over live and stored spans.
#[utoipa::path(
    get,
    path = "/api/v1/search",
    tag = "query",
    params(SearchParams),
    responses(
        (status = 200, description = "A page of traces", body = FoundTraces),
        (status = 400, description = "The query cannot run, with a caret under the mistake; or a parameter cannot be used", body = String, content_type = "text/plain"),
        (status = 422, description = "A limit was met; the text says which", body = String, content_type = "text/plain"),
    )
)]
pub(crate) async fn search(
    State(edge): State<Edge>,
    params: Result<Query<SearchParams>, QueryRejection>,
) -> Result<Json<FoundTraces>, Failure> {
    let Query(params) = params.map_err(|rejection| Failure::invalid(rejection.body_text()))?;
    let request = params.request(&edge)?;
    let page = edge.engines()?.query.search(&request).await?;
    Ok(Json(page.into()))
}
