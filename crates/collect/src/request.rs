//! What a receiver hands in, and the two ways it is answered.

use std::time::Duration;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Encoding {
    /// Not at all.
    Identity = 0,
    /// gzip.
    Gzip = 1,
    /// Zstandard.
    Zstd = 2,
    /// zlib, which HTTP calls deflate; raw deflate is accepted too.
    Deflate = 3,
}

impl Encoding {
    /// The number by which the journal records it.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The encoding of a number in the journal; `None` for a number that no version of this program has written.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Identity, Self::Gzip, Self::Zstd, Self::Deflate]
            .into_iter()
            .find(|encoding| encoding.number() == number)
    }
}

/// What became of an accepted request: it is durable, but for the spans counted here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Received {
    /// Spans accepted.
    pub accepted: u64,
    /// Spans rejected.
    pub rejected: u64,
    /// Why, in words, with the place of the first; empty when none was rejected.
    pub message: String,
}

/// Why a request was refused whole. None of its spans was taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The bytes are no OTLP request, or do not inflate; sending them again cannot help.
    #[error("{0}")]
    Malformed(String),
    /// The body passes the limit, before or after decompression.
    #[error("the request is larger than the limit of {limit} bytes{}", if *.inflated { " after decompression" } else { "" })]
    TooLarge {
        /// The limit.
        limit: usize,
        /// Whether it was passed after decompression.
        inflated: bool,
    },
    /// More is coming in than can be written; try again after the delay.
    #[error("{reason}; try again in {}s", .retry_after.as_secs().max(1))]
    Overloaded {
        /// What is full: a queue, the journal, the disk.
        reason: String,
        /// When it is expected to have drained.
        retry_after: Duration,
    },
    /// The server is going down; another may take it.
    #[error("shutting down")]
    ShuttingDown,
}
