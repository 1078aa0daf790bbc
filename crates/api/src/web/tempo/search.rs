//! `GET /api/search`

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use http::HeaderMap;
use query::SearchPage;
use serde::{Deserialize, Serialize};
use wire::tempo::SearchResponse;

use super::ask::SearchAsk;
use super::{answer, legacy, rendered};
use crate::edge::Edge;
use crate::web::failure::Failure;
use crate::web::params::{cursor, duration, given, number, order, parsed, time};
use crate::web::query::limits;

/// Tempo's parameters, and two of ours: `sort` and `cursor`. Others are passed over, as Tempo does.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct SearchParams {
    q: Option<String>,
    tags: Option<String>,
    min_duration: Option<String>,
    max_duration: Option<String>,
    limit: Option<String>,
    start: Option<String>,
    end: Option<String>,
    spss: Option<String>,
    sort: Option<String>,
    cursor: Option<String>,
}

impl SearchParams {
    fn ask(&self) -> Result<SearchAsk, Failure> {
        Ok(SearchAsk {
            q: given(self.q.as_ref()).map(str::to_owned),
            tags: match given(self.tags.as_ref()) {
                Some(text) => legacy::logfmt(text)?,
                None => Vec::new(),
            },
            min_duration: parsed("minDuration", self.min_duration.as_ref(), duration)?,
            max_duration: parsed("maxDuration", self.max_duration.as_ref(), duration)?,
            start: parsed("start", self.start.as_ref(), time)?,
            end: parsed("end", self.end.as_ref(), time)?,
            limit: parsed("limit", self.limit.as_ref(), number)?,
            spans_per_spanset: parsed("spss", self.spss.as_ref(), number)?,
            order: parsed("sort", self.sort.as_ref(), order)?.unwrap_or_default(),
            cursor: parsed("cursor", self.cursor.as_ref(), cursor)?,
        })
    }
}

/// Tempo's answer, and what it has no field for; its clients pass over what they do not know.
#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    response: SearchResponse,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    missing: Vec<String>,
}

impl From<SearchPage> for Answer {
    fn from(page: SearchPage) -> Self {
        Self {
            response: answer::search(&page),
            next: page.next.map(|cursor| cursor.to_string()),
            missing: page.missing,
        }
    }
}

/// `GET /api/search`
pub(crate) async fn search(
    State(edge): State<Edge>,
    params: Result<Query<SearchParams>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let Query(params) = params.map_err(|rejection| Failure::invalid(rejection.body_text()))?;
    let request = params.ask()?.request(limits(&edge))?;
    let page = edge.engines()?.query.search(&request).await?;
    rendered(&headers, &Answer::from(page), |answer| {
        answer.response.to_protobuf()
    })
}
