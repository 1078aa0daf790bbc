//! `GET /api/v1/query/complete`: what can stand at a place of a query: words of the language, and names and values that
//! occur in the spans held.

#![expect(
    unused_qualifications,
    reason = "the code that utoipa derives spells out paths"
)]

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use evaluate::Shown;
use model::UnixNanos;
use query::{QueryError, TagValuesRequest, TagsRequest};
use serde::{Deserialize, Serialize};
use traceql::query::{Constant, Field, Owner, Scope};
use traceql::{Completion, ItemKind, Wanted};
use utoipa::{IntoParams, ToSchema};

use crate::edge::Edge;
use crate::web::failure::Failure;
use crate::web::params::{given, time_range};
use crate::web::query::{limits_within, plain_text};

/// Names or values offered at a time: as many as fit a list that is still looked at.
const OFFERED_MAX: usize = 50;

/// Names and values looked through for those that begin with what is typed.
const CANDIDATES_MAX: usize = 5_000;

/// Nobody waits longer for a list while typing; what the engine has found until then is offered.
const TIME_MAX: Duration = Duration::from_secs(2);

/// Where in which query.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CompleteParams {
    /// TraceQL, perhaps not finished.
    q: String,
    /// The place of the cursor, as a count of bytes of UTF-8; the end of the query when not given.
    at: Option<usize>,
    /// Only names and values of spans since.
    start: Option<String>,
    /// Only names and values of spans until.
    end: Option<String>,
}

/// What to offer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Completions {
    /// The first byte of what the chosen item replaces.
    start: usize,
    /// One past its last byte.
    end: usize,
    /// The items, in the order in which to offer them.
    items: Vec<CompletionItem>,
}

/// One thing to offer.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct CompletionItem {
    /// `keyword`, `function`, `intrinsic`, `scope`, `operator`, `value`, `mark` or `attribute`.
    kind: &'static str,
    /// What is inserted.
    text: String,
    /// Where an attribute is found, or the type of a value.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'static str>,
}

/// Says what can stand at a place of a query, the names and values of the spans held among it.
#[utoipa::path(
    get,
    path = "/api/v1/query/complete",
    tag = "query",
    params(CompleteParams),
    responses(
        (status = 200, description = "What can stand there", body = Completions),
        (status = 400, description = "A parameter cannot be used; the text names it", body = String, content_type = "text/plain"),
    )
)]
pub(crate) async fn complete(
    State(edge): State<Edge>,
    params: Result<Query<CompleteParams>, QueryRejection>,
) -> Result<Json<Completions>, Failure> {
    let Query(params) = params.map_err(|rejection| Failure::invalid(rejection.body_text()))?;
    let range = time_range(given(params.start.as_ref()), given(params.end.as_ref()))?;
    let completion = traceql::complete(&params.q, params.at.unwrap_or(params.q.len()));
    let mut items = Vec::new();
    for wanted in &completion.wanted {
        items.extend(known(&edge, &params.q, &completion, wanted, range).await?);
    }
    items.extend(completion.items.iter().map(|item| CompletionItem {
        kind: kind_name(item.kind),
        text: item.text.to_owned(),
        detail: None,
    }));
    if matches!(
        completion.wanted.first(),
        Some(Wanted::AttributeName { .. })
    ) {
        // Names of attributes are many; the words of the language come before them.
        items.sort_by_key(|item| item.kind == ATTRIBUTE);
    }
    Ok(Json(Completions {
        start: completion.range.start,
        end: completion.range.end,
        items,
    }))
}

const ATTRIBUTE: &str = "attribute";
const VALUE: &str = "value";

fn kind_name(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Keyword => "keyword",
        ItemKind::Function => "function",
        ItemKind::Intrinsic => "intrinsic",
        ItemKind::Scope => "scope",
        ItemKind::Operator => "operator",
        ItemKind::Value => VALUE,
        ItemKind::Mark => "mark",
    }
}

type TimeRange = (Option<UnixNanos>, Option<UnixNanos>);

/// What the server knows of something wanted. A limit that was met is no failure here: then nothing is offered.
async fn known(
    edge: &Edge,
    text: &str,
    completion: &Completion,
    wanted: &Wanted,
    range: TimeRange,
) -> Result<Vec<CompletionItem>, Failure> {
    let found = match wanted {
        Wanted::AttributeName {
            owner,
            scope,
            prefix,
        } => {
            let is_dotted = completion.range.of(text).starts_with('.');
            names(edge, *owner, *scope, prefix, is_dotted, range).await
        }
        Wanted::Value {
            field,
            is_pattern,
            prefix,
        } => values(edge, completion, field, *is_pattern, prefix, range).await,
    };
    match found {
        Err(Unanswered::Query(QueryError::Limit(_))) => Ok(Vec::new()),
        Err(Unanswered::Query(error)) => Err(error.into()),
        Err(Unanswered::Starting(failure)) => Err(failure),
        Ok(items) => Ok(items),
    }
}

enum Unanswered {
    Starting(Failure),
    Query(QueryError),
}

impl From<QueryError> for Unanswered {
    fn from(error: QueryError) -> Self {
        Self::Query(error)
    }
}

fn engine(edge: &Edge) -> Result<&query::Query, Unanswered> {
    match edge.engines() {
        Ok(engines) => Ok(&engines.query),
        Err(rejection) => Err(Unanswered::Starting(rejection.into())),
    }
}

async fn names(
    edge: &Edge,
    owner: Owner,
    scope: Scope,
    prefix: &str,
    is_dotted: bool,
    (start, end): TimeRange,
) -> Result<Vec<CompletionItem>, Unanswered> {
    let request = TagsRequest {
        scope,
        start,
        end,
        limit: CANDIDATES_MAX,
        ..TagsRequest::default()
    };
    let found = engine(edge)?.tag_names(&request).await?;
    let named = found
        .scopes
        .into_iter()
        .flat_map(|(scope, names)| names.into_iter().map(move |name| (scope, name)));
    let mut items: Vec<CompletionItem> = Vec::new();
    for (found_in, name) in ranked(named, prefix, |(_, name)| name) {
        let field = Field::Attribute {
            owner,
            // Behind a bare dot the scope is left open, as it was typed.
            scope: if is_dotted { Scope::Any } else { found_in },
            name: name.into(),
        };
        let item = CompletionItem {
            kind: ATTRIBUTE,
            text: field.to_string(),
            detail: Some(found_in.word()),
        };
        if !items.iter().any(|other| other.text == item.text) {
            items.push(item);
        }
        if items.len() == OFFERED_MAX {
            break;
        }
    }
    Ok(items)
}

async fn values(
    edge: &Edge,
    completion: &Completion,
    field: &Field,
    is_pattern: bool,
    prefix: &str,
    (start, end): TimeRange,
) -> Result<Vec<CompletionItem>, Unanswered> {
    let request = TagValuesRequest {
        field: field.clone(),
        filter: completion
            .filter
            .as_ref()
            .map(|filter| filter.condition.clone()),
        start,
        end,
        limit: CANDIDATES_MAX,
        limits: limits_within(edge, TIME_MAX),
    };
    let found = engine(edge)?.tag_values(&request).await?;
    let values = found
        .values
        .into_iter()
        .filter(|value| !is_pattern || matches!(value, Constant::Str(_)))
        .map(|value| (plain_text(&value), value));
    let ranked = ranked(values, prefix, |(text, _)| text);
    let items = ranked.take(OFFERED_MAX).map(|(text, value)| {
        let value = match value {
            Constant::Str(_) if is_pattern => Constant::Str(escaped(&text).into()),
            other => other,
        };
        CompletionItem {
            kind: VALUE,
            detail: Some(value_type(&value)),
            text: Shown::One(value).to_string(),
        }
    });
    Ok(items.collect())
}

/// What begins with `typed` and then what else holds it, whatever the case of letters; otherwise in the order they come.
fn ranked<T>(
    items: impl Iterator<Item = T>,
    typed: &str,
    text: impl Fn(&T) -> &str,
) -> impl Iterator<Item = T> {
    let typed = typed.to_lowercase();
    let mut ranked: Vec<(usize, T)> = items
        .filter_map(|item| {
            let place = text(&item).to_lowercase().find(&typed)?;
            Some((place.min(1), item))
        })
        .collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, item)| item)
}

fn value_type(value: &Constant) -> &'static str {
    match value {
        Constant::Str(_) => "string",
        Constant::Int(_) => "int",
        Constant::Float(_) => "float",
        Constant::Bool(_) => "bool",
        Constant::Duration(_) => "duration",
        Constant::Status(_) => "status",
        Constant::Kind(_) => "kind",
    }
}

/// The pattern that matches exactly this text.
fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for character in text.chars() {
        if r"\.+*?()|[]{}^$".contains(character) {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_with_the_typed_text_comes_first() {
        let names = ["db.http", "http.route", "url", "HTTP.method"];
        let found: Vec<&str> = ranked(names.into_iter(), "http", |name| name).collect();
        assert_eq!(found, ["http.route", "HTTP.method", "db.http"]);
    }

    #[test]
    fn patterns_match_only_the_text() {
        assert_eq!(escaped("GET /a(b)?"), r"GET /a\(b\)\?");
    }
}
