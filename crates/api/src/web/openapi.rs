//! `GET /api/v1/openapi.json`: the description of our own API, derived from the handlers' types and docs.

use std::sync::LazyLock;

use axum::body::Body;
use axum::response::Response;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use utoipa::OpenApi;

use crate::web::query::{check, complete, explain, live, search};
use crate::web::{analysis, list, matches, services, skeleton, trace};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Throughline",
        description = "Traces, over live and stored spans. Failures are plain text that names the parameter and what is accepted."
    ),
    paths(
        list::traces,
        trace::trace,
        skeleton::skeleton,
        matches::matches,
        matches::matches_of_body,
        analysis::analysis,
        analysis::analysis_of_body,
        analysis::compare,
        analysis::compare_body,
        search::search,
        live::live,
        check::check,
        complete::complete,
        explain::explain,
        services::extent,
        services::services,
        services::operations
    ),
    tags(
        (name = "traces", description = "Traces by id and in lists"),
        (name = "query", description = "TraceQL"),
        (name = "services", description = "What occurs in the spans held"),
    )
)]
struct Document;

static TEXT: LazyLock<String> = LazyLock::new(document);

/// The document as JSON text, pretty-printed; a copy is kept in `docs/openapi.json`.
pub fn document() -> String {
    // A tree of strings always has a JSON text.
    let mut text = Document::openapi().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

pub(crate) async fn serve() -> Response {
    let mut response = Response::new(Body::from(TEXT.as_str()));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
