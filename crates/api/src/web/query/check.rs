//! `GET /api/v1/query/check`: what is wrong with a query, or what it is.

#![expect(
    unused_qualifications,
    reason = "the code that utoipa derives spells out paths"
)]

use axum::Json;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use serde::{Deserialize, Serialize};
use traceql::query::Body;
use traceql::{Diagnostic, Fix, Severity};
use utoipa::{IntoParams, ToSchema};

use crate::web::failure::Failure;

/// Which query.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CheckParams {
    /// TraceQL.
    q: String,
}

/// What can be said of a query.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Checked {
    /// Whether it can run.
    valid: bool,
    /// `search` or `metrics`; absent when it cannot run.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    /// The query as the printer writes it; absent when it cannot run.
    #[serde(skip_serializing_if = "Option::is_none")]
    printed: Option<String>,
    /// Errors and warnings, in the order of the text.
    diagnostics: Vec<DiagnosticItem>,
}

/// One thing wrong with a query.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DiagnosticItem {
    /// `error`: it cannot run. `warning`: it can, but hardly does what is wanted.
    severity: &'static str,
    /// The kind of mistake; stable.
    #[schema(example = "wrong-operator")]
    code: &'static str,
    /// What is wrong, in one line.
    message: String,
    /// What to do about it, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// The first byte it is about, counted in UTF-8.
    start: usize,
    /// One past the last byte.
    end: usize,
    /// Edits that mend it.
    fixes: Vec<FixItem>,
}

/// A replacement.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FixItem {
    /// First byte to replace.
    start: usize,
    /// One past the last byte to replace.
    end: usize,
    /// With what.
    replacement: String,
}

impl From<Diagnostic> for DiagnosticItem {
    fn from(diagnostic: Diagnostic) -> Self {
        Self {
            severity: match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            code: diagnostic.code.as_str(),
            message: diagnostic.message,
            hint: diagnostic.hint,
            start: diagnostic.range.start,
            end: diagnostic.range.end,
            fixes: diagnostic.fix.into_iter().map(FixItem::from).collect(),
        }
    }
}

impl From<Fix> for FixItem {
    fn from(fix: Fix) -> Self {
        Self {
            start: fix.range.start,
            end: fix.range.end,
            replacement: fix.replacement,
        }
    }
}

/// Checks a query without running it. A query with mistakes is a good answer, not a failure.
#[utoipa::path(
    get,
    path = "/api/v1/query/check",
    tag = "query",
    params(CheckParams),
    responses((status = 200, description = "What can be said of the query", body = Checked))
)]
pub(crate) async fn check(
    params: Result<Query<CheckParams>, QueryRejection>,
) -> Result<Json<Checked>, Failure> {
    let Query(params) = params.map_err(|rejection| Failure::invalid(rejection.body_text()))?;
    let analysis = traceql::analyse(&params.q);
    let kind = analysis.query.as_ref().map(|query| match query.body {
        Body::Search(_) => "search",
        Body::Metrics(_) => "metrics",
    });
    Ok(Json(Checked {
        valid: kind.is_some(),
        kind,
        printed: kind.map(|_| analysis.ast.to_string()),
        diagnostics: analysis.diagnostics.into_iter().map(Into::into).collect(),
    }))
}
