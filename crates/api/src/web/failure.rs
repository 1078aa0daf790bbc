//! Why a question was not answered: a status and words, as plain text.

use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use query::QueryError;

use crate::codes::{Code, Rejection};

/// When a store that did not deliver is worth another question.
const RETRY: Duration = Duration::from_secs(1);

/// A failed answer of the surfaces that read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    status: StatusCode,
    text: String,
    retry_after: Option<Duration>,
    allow: Option<&'static str>,
}

impl Failure {
    fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self {
            status,
            text: text.into(),
            retry_after: None,
            allow: None,
        }
    }

    /// A parameter cannot be used. The text names it and says what is accepted.
    pub(crate) fn invalid(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    pub(crate) fn not_found(text: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, text)
    }

    pub(crate) fn method_not_allowed(allow: &'static str) -> Self {
        let mut failure = Self::new(StatusCode::METHOD_NOT_ALLOWED, format!("use {allow}"));
        failure.allow = Some(allow);
        failure
    }

    /// The answer was not ready within the bound.
    pub(crate) fn timed_out(after: Duration) -> Self {
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            format!("the answer was not ready after {after:?}; ask for less or try again"),
        )
    }

    /// The answer exists, perhaps, but could not be read.
    pub(crate) fn unreadable(text: impl Into<String>) -> Self {
        let mut failure = Self::new(StatusCode::SERVICE_UNAVAILABLE, text);
        failure.retry_after = Some(RETRY);
        failure
    }

    /// A defect of ours.
    pub(crate) fn internal(text: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, text)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<QueryError> for Failure {
    fn from(error: QueryError) -> Self {
        let status = match error {
            QueryError::Store(_) | QueryError::Live(_) => StatusCode::SERVICE_UNAVAILABLE,
            QueryError::TooLarge(_) | QueryError::Bug(_) => StatusCode::INTERNAL_SERVER_ERROR,
            QueryError::Limit(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let mut failure = Self::new(status, error.to_string());
        failure.retry_after = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(RETRY);
        failure
    }
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        let mut failure = Self::new(rejection.status, rejection.message);
        failure.retry_after = rejection.retry_after;
        failure
    }
}

/// The same for a client that speaks gRPC.
impl From<Failure> for Rejection {
    fn from(failure: Failure) -> Self {
        let code = match failure.status {
            StatusCode::BAD_REQUEST => Code::InvalidArgument,
            StatusCode::NOT_FOUND => Code::NotFound,
            StatusCode::UNPROCESSABLE_ENTITY => Code::ResourceExhausted,
            StatusCode::SERVICE_UNAVAILABLE => Code::Unavailable,
            StatusCode::GATEWAY_TIMEOUT => Code::DeadlineExceeded,
            _ => Code::Internal,
        };
        let mut rejection = Self::permanent(code, failure.text).with_status(failure.status);
        rejection.retry_after = failure.retry_after;
        rejection
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.text + "\n"));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        if let Some(delay) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(delay.as_secs().max(1)));
        }
        if let Some(allow) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        response
    }
}
