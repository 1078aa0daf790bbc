//! Why the store could not do something, sorted by what helps.

use std::fmt;

/// What helps against a [`StoreError`]. Kinds are part of the interface, the text is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The object store failed, was too slow or too contended, although it was asked several times. Later may be better.
    Retry,
    /// The object store refuses these credentials or this user. A person has to act; then the same call succeeds.
    Denied,
    /// The object is not there.
    NotFound,
    /// The object is there and is not what was written: it is truncated, flipped or replaced.
    Corrupt,
    /// The request, the address or a setting can never work.
    Invalid,
    /// The state of the store has moved on, so that the change no longer makes sense.
    Conflict,
    /// The store is being closed.
    ShuttingDown,
    /// A defect in this program.
    Bug,
}

impl ErrorKind {
    /// The label in metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Denied => "denied",
            Self::NotFound => "not_found",
            Self::Corrupt => "corrupt",
            Self::Invalid => "invalid",
            Self::Conflict => "conflict",
            Self::ShuttingDown => "shutting_down",
            Self::Bug => "bug",
        }
    }
}

/// Why the store could not do something: what was tried, on which object, and the cause, in one sentence.
///
/// Cheap to clone compared with the request that failed, so that all who waited for one load can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError {
    kind: ErrorKind,
    message: String,
}

impl StoreError {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    pub(crate) fn corrupt(path: impl fmt::Display, cause: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Corrupt, format!("cannot read {path}: {cause}"))
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Conflict, message)
    }

    /// `what` is the infinitive of the attempt, as in "read" or "create".
    pub(crate) fn of_object_store(
        what: &str,
        path: impl fmt::Display,
        cause: &object_store::Error,
    ) -> Self {
        Self::new(
            kind_of(cause),
            format!("cannot {what} {path}: {}", Causes(cause)),
        )
    }

    pub(crate) fn joined(what: &str, cause: &tokio::task::JoinError) -> Self {
        let kind = if cause.is_cancelled() {
            ErrorKind::ShuttingDown
        } else {
            ErrorKind::Bug
        };
        Self::new(kind, format!("cannot {what}: {cause}"))
    }

    /// What helps.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the same call may succeed later without anybody acting.
    pub fn is_retry(&self) -> bool {
        self.kind == ErrorKind::Retry
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for StoreError {}

/// An error with those that caused it, in one line and without the repetitions that wrapping leaves behind.
struct Causes<'a>(&'a dyn std::error::Error);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = self.0.to_string();
        f.write_str(&told)?;
        let mut next = self.0.source();
        while let Some(cause) = next {
            let words = cause.to_string();
            if !told.contains(&words) {
                write!(f, ": {words}")?;
                told = words;
            }
            next = cause.source();
        }
        Ok(())
    }
}

fn kind_of(error: &object_store::Error) -> ErrorKind {
    use object_store::Error as E;
    match error {
        E::NotFound { .. } => ErrorKind::NotFound,
        E::AlreadyExists { .. } | E::Precondition { .. } | E::NotModified { .. } => {
            ErrorKind::Conflict
        }
        E::PermissionDenied { .. } | E::Unauthenticated { .. } => ErrorKind::Denied,
        E::InvalidPath { .. }
        | E::NotSupported { .. }
        | E::NotImplemented { .. }
        | E::UnknownConfigurationKey { .. } => ErrorKind::Invalid,
        // Everything else is the weather: time-outs, resets, 5xx, full disks, throttling.
        _ => ErrorKind::Retry,
    }
}
