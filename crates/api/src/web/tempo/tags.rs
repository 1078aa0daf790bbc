//! Names of attributes and their values: `/api/search/tags`, `/api/search/tag/{tag}/values`, and the second versions.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use http::{HeaderMap, Uri};
use query::{TagNames, TagValues};
use serde::Deserialize;
use traceql::query::Field;
use wire::tempo::{TagValuesResponse, TagValuesV2Response, TagsResponse, TagsV2Response};

use super::ask::{TagsAsk, Values, ValuesAsk, identifier, tags_scope};
use super::{answer, legacy, rendered};
use crate::edge::Edge;
use crate::web::failure::Failure;
use crate::web::params::{given, number, parsed, time};
use crate::web::query::limits;

/// The parameters of all four. `q` restricts names and values. Others that Tempo has, such as `maxStaleValues`, ask it to give up early; they are passed over.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct TagsParams {
    scope: Option<String>,
    q: Option<String>,
    start: Option<String>,
    end: Option<String>,
    limit: Option<String>,
}

type Params = Result<Query<TagsParams>, QueryRejection>;

fn read(params: Params) -> Result<TagsParams, Failure> {
    match params {
        Ok(Query(params)) => Ok(params),
        Err(rejection) => Err(Failure::invalid(rejection.body_text())),
    }
}

impl TagsParams {
    fn names(&self) -> Result<TagsAsk, Failure> {
        Ok(TagsAsk {
            scope: tags_scope(given(self.scope.as_ref()).unwrap_or_default())?,
            q: given(self.q.as_ref()).map(str::to_owned),
            start: parsed("start", self.start.as_ref(), time)?,
            end: parsed("end", self.end.as_ref(), time)?,
            limit: parsed("limit", self.limit.as_ref(), number)?.unwrap_or(0),
        })
    }

    fn values(&self, field: Field) -> Result<ValuesAsk, Failure> {
        Ok(ValuesAsk {
            field,
            q: given(self.q.as_ref()).map(str::to_owned),
            start: parsed("start", self.start.as_ref(), time)?,
            end: parsed("end", self.end.as_ref(), time)?,
            limit: parsed("limit", self.limit.as_ref(), number)?.unwrap_or(0),
        })
    }
}

/// The names asked for.
pub(crate) async fn names(edge: &Edge, ask: &TagsAsk) -> Result<TagNames, Failure> {
    match ask.request(limits(edge))? {
        Some(request) => Ok(edge.engines()?.query.tag_names(&request).await?),
        None => Ok(TagNames::default()),
    }
}

/// The values asked for.
pub(crate) async fn values(edge: &Edge, ask: ValuesAsk) -> Result<TagValues, Failure> {
    match ask.request(limits(edge))? {
        Values::Ask(request) => Ok(edge.engines()?.query.tag_values(&request).await?),
        Values::Known(values) => Ok(TagValues {
            values,
            ..TagValues::default()
        }),
    }
}

/// `GET /api/search/tags`
pub(crate) async fn names_v1(
    State(edge): State<Edge>,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let ask = read(params)?.names()?;
    let message = answer::tags_v1(&ask, names(&edge, &ask).await?);
    rendered(&headers, &message, TagsResponse::to_protobuf)
}

/// `GET /api/v2/search/tags`
pub(crate) async fn names_v2(
    State(edge): State<Edge>,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let ask = read(params)?.names()?;
    let message = answer::tags_v2(&ask, names(&edge, &ask).await?);
    rendered(&headers, &message, TagsV2Response::to_protobuf)
}

/// `GET /api/search/tag/{tag}/values`
pub(crate) async fn values_v1(
    State(edge): State<Edge>,
    uri: Uri,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let name = named(&uri)?;
    let ask = read(params)?.values(legacy::field(&name))?;
    let message = answer::values_v1(&values(&edge, ask).await?);
    rendered(&headers, &message, TagValuesResponse::to_protobuf)
}

/// `GET /api/v2/search/tag/{identifier}/values`
pub(crate) async fn values_v2(
    State(edge): State<Edge>,
    uri: Uri,
    params: Params,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let ask = read(params)?.values(identifier(&named(&uri)?)?)?;
    let message = answer::values_v2(&values(&edge, ask).await?);
    rendered(&headers, &message, TagValuesV2Response::to_protobuf)
}

/// The name between `/tag/` and `/values`, in which there may be slashes. Some versions of Grafana encode it twice.
fn named(uri: &Uri) -> Result<String, Failure> {
    let path = uri.path();
    let name = path.split_once("/tag/").map(|(_, rest)| rest);
    let name = name.and_then(|rest| rest.strip_suffix("/values"));
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return Err(Failure::not_found(format!("nothing is served at `{path}`")));
    };
    Ok(decoded(&decoded(name)?).unwrap_or_default())
}

/// Resolves percent signs, where each has two hex digits behind it; otherwise none is meant.
fn decoded(text: &str) -> Result<String, Failure> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        if *byte != b'%' {
            bytes.push(*byte);
            rest = after;
            continue;
        }
        let digits = after
            .get(..2)
            .and_then(|digits| str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) => bytes.push(decoded),
            None => return Ok(text.to_owned()),
        }
        rest = &after[2..];
    }
    String::from_utf8(bytes).map_err(|_| Failure::invalid(format!("`{text}` is not UTF-8")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_however_it_is_encoded() {
        for (path, name) in [
            ("/api/v2/search/tag/span.a/values", "span.a"),
            ("/api/v2/search/tag/span.a/b/values", "span.a/b"),
            ("/api/v2/search/tag/span.a%2Fb/values", "span.a/b"),
            ("/api/v2/search/tag/span.a%252Fb/values", "span.a/b"),
            ("/api/search/tag/.%22a%20b%22/values", ".\"a b\""),
            ("/api/search/tag/a%25/values", "a%"),
            ("/api/search/tag/a%25zz/values", "a%zz"),
            ("/api/search/tag/a%25/values/values", "a%/values"),
        ] {
            let uri: Uri = path.parse().unwrap();
            assert_eq!(named(&uri), Ok(name.to_owned()), "{path}");
        }
        for path in ["/api/search/tag/a", "/api/search/tag//values"] {
            assert!(named(&path.parse().unwrap()).is_err(), "{path}");
        }
        assert!(named(&"/api/search/tag/%FF/values".parse().unwrap()).is_err());
    }
}
