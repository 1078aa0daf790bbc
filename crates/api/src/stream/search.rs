//! `Search`

use model::{DurationNanos, TraceId};
use query::SearchPage;
use wire::tempo::{SearchMetrics, SearchRequest, SearchResponse, TraceMetadata};

use super::out::Out;
use super::packet::{Sent, packets};
use super::{Job, seconds, unreadable};
use crate::edge::Edge;
use crate::web::failure::Failure;
use crate::web::query::limits;
use crate::web::tempo::answer;
use crate::web::tempo::ask::SearchAsk;

/// `Search`: traces as they are found. A message has those that are new or have changed since the one before.
pub(super) fn search(edge: Edge, message: &[u8], out: Out) -> Result<Job, Failure> {
    let message = SearchRequest::decode(message).map_err(|error| unreadable(&error))?;
    let request = asked(message).request(limits(&edge))?;
    Ok(Box::pin(run(edge, request, out)))
}

fn asked(message: SearchRequest) -> SearchAsk {
    let given = |number: u32| (number > 0).then_some(number);
    let millis =
        |number: u32| given(number).map(|millis| DurationNanos(i64::from(millis) * 1_000_000));
    SearchAsk {
        q: Some(message.query).filter(|query| !query.trim().is_empty()),
        tags: message.tags,
        min_duration: millis(message.min_duration_ms),
        max_duration: millis(message.max_duration_ms),
        start: seconds(message.start),
        end: seconds(message.end),
        limit: given(message.limit).map(|limit| limit as usize),
        spans_per_spanset: given(message.spans_per_spanset).map(|spans| spans as usize),
        ..SearchAsk::default()
    }
}

async fn run(edge: Edge, request: query::SearchRequest, out: Out) -> Result<(), Failure> {
    let mut sent = Sent::new();
    let progress = |page: &SearchPage| {
        if sent.is_time() {
            let (messages, prints) = changes(page, &sent, false);
            if out.offer(&messages) {
                sent.remember(prints);
            }
        }
    };
    let page = edge
        .engines()?
        .query
        .search_with_progress(&request, progress)
        .await?;
    let (messages, _) = changes(&page, &sent, true);
    out.send(&messages).await;
    Ok(())
}

/// Messages with what has changed, and what to remember of it.
fn changes(
    page: &SearchPage,
    sent: &Sent<TraceId>,
    is_done: bool,
) -> (Vec<Vec<u8>>, Vec<(TraceId, u64)>) {
    let traces = page.traces.iter();
    let traces = traces.map(|trace| (trace.summary.trace_id, answer::trace(trace)));
    let changed = sent.changed(traces, TraceMetadata::to_protobuf);
    let prints = changed.iter().map(|(id, print, _)| (*id, *print)).collect();
    let traces = changed.into_iter().map(|(.., trace)| trace).collect();
    let metrics = answer::search_metrics(&page.stats, is_done);
    (messages(traces, metrics), prints)
}

fn messages(traces: Vec<TraceMetadata>, metrics: SearchMetrics) -> Vec<Vec<u8>> {
    packets(traces, |trace| trace.to_protobuf().len())
        .into_iter()
        .map(|traces| SearchResponse { traces, metrics }.to_protobuf())
        .collect()
}
