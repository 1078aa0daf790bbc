//! Moving recorded traces in time.

use bytes::Bytes;
use model::{DurationNanos, SpanBatch, UnixNanos};
use wire::otlp::{DecodeLimits, Rejected, decode, encode};

/// The latest end of any span in a request; `None` when it has none.
pub(super) fn latest_end(request: &[u8]) -> anyhow::Result<Option<UnixNanos>> {
    let (batch, _) = decoded(request)?;
    Ok(batch.spans.iter().map(model::SpanRow::end).max())
}

/// The request with all times moved, and what had to be left out because it could not be read.
pub(super) fn shifted(request: &[u8], by: DurationNanos) -> anyhow::Result<(Bytes, Rejected)> {
    let (mut batch, rejected) = decoded(request)?;
    for span in &mut batch.spans {
        span.start = span.start.saturating_add(by);
    }
    for event in &mut batch.events {
        event.time = event.time.saturating_add(by);
    }
    Ok((encode(&batch).into(), rejected))
}

fn decoded(request: &[u8]) -> anyhow::Result<(SpanBatch, Rejected)> {
    let mut batch = SpanBatch::default();
    let rejected = decode(request, &DecodeLimits::default(), &mut batch)?;
    Ok((batch, rejected))
}
