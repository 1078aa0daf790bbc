//! The status codes of gRPC and what they are in HTTP, and the one form that a refusal takes before it is put into either.

use std::time::Duration;

use collect::Refusal;
use http::StatusCode;

/// A gRPC status code, by the number on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// Success.
    Ok = 0,
    /// Given up by the caller.
    Cancelled = 1,
    /// No better code applies.
    Unknown = 2,
    /// The request can never work.
    InvalidArgument = 3,
    /// It took too long.
    DeadlineExceeded = 4,
    /// There is no such thing.
    NotFound = 5,
    /// It is there already.
    AlreadyExists = 6,
    /// Not for this caller.
    PermissionDenied = 7,
    /// A limit was passed; worth another try only when the answer says after which delay.
    ResourceExhausted = 8,
    /// The system is not in a state for this.
    FailedPrecondition = 9,
    /// Interrupted by something concurrent.
    Aborted = 10,
    /// Past the end.
    OutOfRange = 11,
    /// Not offered here.
    Unimplemented = 12,
    /// A protocol violation or a bug.
    Internal = 13,
    /// Not now; try again.
    Unavailable = 14,
    /// Data is lost for good.
    DataLoss = 15,
    /// Who is asking?
    Unauthenticated = 16,
}

impl Code {
    /// Every code, in the order of the numbers.
    pub const ALL: [Self; 17] = [
        Self::Ok,
        Self::Cancelled,
        Self::Unknown,
        Self::InvalidArgument,
        Self::DeadlineExceeded,
        Self::NotFound,
        Self::AlreadyExists,
        Self::PermissionDenied,
        Self::ResourceExhausted,
        Self::FailedPrecondition,
        Self::Aborted,
        Self::OutOfRange,
        Self::Unimplemented,
        Self::Internal,
        Self::Unavailable,
        Self::DataLoss,
        Self::Unauthenticated,
    ];

    /// The name that gRPC gives it, in lower case: the label in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
            Self::InvalidArgument => "invalid_argument",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::PermissionDenied => "permission_denied",
            Self::ResourceExhausted => "resource_exhausted",
            Self::FailedPrecondition => "failed_precondition",
            Self::Aborted => "aborted",
            Self::OutOfRange => "out_of_range",
            Self::Unimplemented => "unimplemented",
            Self::Internal => "internal",
            Self::Unavailable => "unavailable",
            Self::DataLoss => "data_loss",
            Self::Unauthenticated => "unauthenticated",
        }
    }

    /// The HTTP status that an OTLP client takes the same way: retryable stays retryable, permanent stays permanent.
    pub fn http_status(self) -> StatusCode {
        match self {
            Self::Ok => StatusCode::OK,
            Self::Cancelled
            | Self::DeadlineExceeded
            | Self::Aborted
            | Self::OutOfRange
            | Self::Unavailable
            | Self::DataLoss => StatusCode::SERVICE_UNAVAILABLE,
            Self::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
            Self::InvalidArgument => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::PermissionDenied => StatusCode::FORBIDDEN,
            Self::Unimplemented => StatusCode::NOT_FOUND,
            Self::Unknown
            | Self::NotFound
            | Self::AlreadyExists
            | Self::FailedPrecondition
            | Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// A request refused whole, before it is known whether the answer is spoken in HTTP or in gRPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejection {
    /// What a gRPC client sees, and `code` in the body of an HTTP answer.
    pub(crate) code: Code,
    /// What an HTTP client sees. HTTP tells some cases apart that gRPC does not (413, 415).
    pub(crate) status: StatusCode,
    /// What is wrong, in words, with the place.
    pub(crate) message: String,
    /// After which delay the same request may succeed; `None` when it never will.
    pub(crate) retry_after: Option<Duration>,
}

/// What a client is told when the server goes down: another instance, or this one after a restart, may take it.
const SHUTDOWN_RETRY: Duration = Duration::from_secs(1);

impl Rejection {
    /// A permanent rejection with the HTTP status that belongs to the code.
    pub(crate) fn permanent(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            status: code.http_status(),
            message: message.into(),
            retry_after: None,
        }
    }

    /// The same with an HTTP status of its own.
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Not now, but after the delay.
    pub(crate) fn unavailable(message: impl Into<String>, retry_after: Duration) -> Self {
        Self {
            code: Code::Unavailable,
            status: StatusCode::SERVICE_UNAVAILABLE,
            message: message.into(),
            retry_after: Some(retry_after),
        }
    }

    /// The delay in whole seconds, at least one, as `Retry-After` has it.
    pub(crate) fn retry_after_secs(&self) -> Option<u64> {
        self.retry_after
            .map(|delay| (delay.as_millis().div_ceil(1000) as u64).max(1))
    }
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::Malformed(_) => Self::permanent(Code::InvalidArgument, message),
            Refusal::TooLarge { .. } => Self::permanent(Code::ResourceExhausted, message)
                .with_status(StatusCode::PAYLOAD_TOO_LARGE),
            Refusal::Overloaded { retry_after, .. } => Self::unavailable(message, retry_after),
            Refusal::ShuttingDown => Self::unavailable(message, SHUTDOWN_RETRY),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_number_and_http_status() {
        let table = [
            200, 503, 500, 400, 503, 500, 500, 403, 429, 500, 503, 503, 404, 500, 503, 503, 401,
        ];
        for (number, (code, status)) in Code::ALL.into_iter().zip(table).enumerate() {
            assert_eq!(code as usize, number);
            assert_eq!(code.http_status().as_u16(), status, "{code:?}");
        }
    }

    #[test]
    fn retryable_codes_are_retryable_in_http_and_permanent_ones_are_not() {
        for code in Code::ALL {
            let retryable_grpc = matches!(code as u8, 1 | 4 | 10 | 11 | 14 | 15);
            let retryable_http = matches!(code.http_status().as_u16(), 429 | 502..=504);
            // RESOURCE_EXHAUSTED is retryable only with RetryInfo, which 429 is sent with.
            if code != Code::ResourceExhausted {
                assert_eq!(retryable_grpc, retryable_http, "{code:?}");
            }
        }
    }

    #[test]
    fn refusals_become_the_codes_of_the_protocol() {
        let too_large = Refusal::TooLarge {
            limit: 1,
            inflated: true,
        };
        let rejection = Rejection::from(too_large);
        assert_eq!(
            (rejection.code, rejection.status.as_u16()),
            (Code::ResourceExhausted, 413)
        );
        assert_eq!(
            rejection.retry_after, None,
            "not retryable, so without RetryInfo"
        );

        let overloaded = Refusal::Overloaded {
            reason: "the journal is full".into(),
            retry_after: Duration::from_millis(2400),
        };
        let rejection = Rejection::from(overloaded);
        assert_eq!(
            (rejection.code, rejection.status.as_u16()),
            (Code::Unavailable, 503)
        );
        assert_eq!(rejection.retry_after_secs(), Some(3));
    }
}
