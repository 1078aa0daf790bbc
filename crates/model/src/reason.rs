//! Why a received span was not stored.

/// Every way by which a received span can leave the system without being stored.
///
/// A variant is at once the label of a metric, the field of a log line and a row of the documentation; hence the law that
/// *received = stored + sampled out + rejected by reason + in flight* can be checked from `/metrics` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DropReason {
    /// The trace id is not 16 bytes or is all zeros.
    InvalidTraceId,
    /// The span id is not 8 bytes or is all zeros, or the parent id has a length other than 0 and 8.
    InvalidSpanId,
    /// A name, key or string value is not UTF-8.
    InvalidUtf8,
    /// A time lies after 2262-04-11, the end of signed 64-bit nanoseconds.
    TimestampOutOfRange,
    /// An array or map value is nested deeper than [`MAX_VALUE_DEPTH`](crate::MAX_VALUE_DEPTH).
    NestedTooDeep,
    /// The span by itself is larger than the configured bound on one span.
    SpanTooLarge,
    /// A span of the same trace and span id was already received; it is answered once.
    Duplicate,
}

impl DropReason {
    /// Every reason, in the order of declaration.
    pub const ALL: [Self; 7] = [
        Self::InvalidTraceId,
        Self::InvalidSpanId,
        Self::InvalidUtf8,
        Self::TimestampOutOfRange,
        Self::NestedTooDeep,
        Self::SpanTooLarge,
        Self::Duplicate,
    ];

    /// The label in metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidTraceId => "invalid_trace_id",
            Self::InvalidSpanId => "invalid_span_id",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::TimestampOutOfRange => "timestamp_out_of_range",
            Self::NestedTooDeep => "nested_too_deep",
            Self::SpanTooLarge => "span_too_large",
            Self::Duplicate => "duplicate",
        }
    }

    /// What to tell the sender, in words.
    pub fn explain(self) -> &'static str {
        match self {
            Self::InvalidTraceId => {
                "trace_id must be 16 bytes and not all zeros; in JSON 32 hex digits"
            }
            Self::InvalidSpanId => {
                "span_id must be 8 bytes and not all zeros, parent_span_id empty or 8 bytes; in JSON 16 hex digits"
            }
            Self::InvalidUtf8 => "a string is not valid UTF-8",
            Self::TimestampOutOfRange => "a timestamp lies after 2262-04-11T23:47:16Z",
            Self::NestedTooDeep => "an attribute value is nested too deeply",
            Self::SpanTooLarge => "the span is larger than the limit for one span",
            Self::Duplicate => "a span with this trace_id and span_id was already received",
        }
    }

    /// The position in [`Self::ALL`], for arrays of counters.
    pub fn index(self) -> usize {
        self as usize
    }
}

impl std::fmt::Display for DropReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::DropReason;

    #[test]
    fn all_lists_every_reason_at_its_index() {
        for (position, reason) in DropReason::ALL.into_iter().enumerate() {
            assert_eq!(reason.index(), position);
        }
    }
}
