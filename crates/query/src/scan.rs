//! Lists of traces: the best few of many, from live traces and the trace tables of blocks.
//!
//! Nothing is planned, and hardly a span is read. Blocks are asked in the order in which they can still help, and when none of
//! the rest can, the search ends: for the newest traces that is after the newest blocks.
//!
//! A trace may lie in several places. Each piece is judged by itself first, widely where it may be a part only
//! (`list_pieces`). Then the pieces of each winner are put together and judged exactly, so that what is shown is right. Pieces that overlap in time may hold spans twice, which were sent again: these
//! traces are read to be counted, few as they are. Pages stay free of overlaps because a trace appears on a page only when the
//! key of the whole trace lies on it.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use futures::StreamExt as _;
use model::{DurationNanos, SpanBatch, StatusCode, TraceId, TraceSummary};

use crate::best::{Best, Rank};
use crate::live::LiveTraces;
use crate::work::Work;
use crate::{Limits, Query, QueryError, TraceCursor, TraceListRequest, TraceOrder, TracePage};

/// Traces on one page at the most.
const LIMIT_MAX: usize = 1000;

/// How often one page is filled up when pieces that could have matched did not, each time from [`MORE_PIECES`] times as many as the
/// time before. Then what there is is the page: of twenty traces, out of 24,000 pieces.
const FILLED_MAX: usize = 4;

/// Each piece costs some microseconds to be looked up in a hundred blocks, each time a millisecond.
const MORE_PIECES: usize = 4;

/// Traces read at a time to be counted.
const READ_TOGETHER: usize = 4;

/// Pieces gathered beyond the page, so that pieces of one trace and those judged too widely do not leave it short.
const SPARE_PIECES: usize = 32;

impl Query {
    /// One page of a list of traces.
    ///
    /// # Errors
    /// [`QueryError::Live`]. A block that cannot be read is no error: it is named in [`TracePage::missing`].
    pub async fn traces(&self, request: &TraceListRequest) -> Result<TracePage, QueryError> {
        self.store.read_ahead();
        let limit = request.limit.clamp(1, LIMIT_MAX);
        let request = request.begun_at_its_end();
        let mut wanted = 2 * limit + SPARE_PIECES;
        let mut page = self.some_traces(&request, wanted).await?;
        for _ in 0..FILLED_MAX {
            let left = limit - page.traces.len().min(limit);
            if left == 0 || page.next.is_none() {
                break;
            }
            let rest = TraceListRequest {
                limit: left,
                cursor: page.next,
                ..request.clone()
            };
            wanted *= MORE_PIECES;
            let more = self.some_traces(&rest, wanted).await?;
            page.traces.extend(more.traces);
            page.missing.extend(more.missing);
            page.next = more.next;
        }
        page.missing.sort_unstable();
        page.missing.dedup();
        Ok(page)
    }

    /// A page out of so many pieces, which may be short, or even empty, and yet not the last.
    async fn some_traces(
        &self,
        request: &TraceListRequest,
        wanted: usize,
    ) -> Result<TracePage, QueryError> {
        let limit = request.limit.clamp(1, LIMIT_MAX);
        let mut best = Best::new(request.cursor, wanted);
        let filter = request.live_filter(wanted);
        for summary in self.collector.list(&filter).await?.value {
            best.offer(request.key(&summary), summary.trace_id);
        }
        let mut missing: Vec<String> = self.store.unread().into_iter().collect();
        let blocks = self.store.blocks();
        for block in request.in_order(blocks.iter()) {
            if best.is_beyond(request.order.best_key(block)) {
                break;
            }
            match self.store.trace_table(block).await {
                Ok(table) => request.scan(&table, &mut best),
                Err(error) => missing.push(error.to_string()),
            }
        }
        let horizon = best.horizon();
        let ids = best.ids();
        let mut traces = self.whole(&ids, &mut missing).await?;
        traces.retain(|trace| {
            let rank = trace.rank(request.order);
            let is_here =
                best.is_after_cursor(rank) && horizon.is_none_or(|horizon| rank <= horizon);
            is_here && request.matches(&trace.summary)
        });
        traces.sort_unstable_by_key(|trace| trace.rank(request.order));
        let is_cut = traces.len() > limit;
        traces.truncate(limit);
        self.settle(&mut traces, &mut missing).await?;
        let last = traces
            .last()
            .filter(|_| is_cut)
            .map(|last| last.rank(request.order))
            .or(horizon);
        Ok(TracePage {
            next: last.map(|(Reverse(key), trace_id)| TraceCursor { key, trace_id }),
            traces: traces.into_iter().map(|trace| trace.summary).collect(),
            missing,
        })
    }

    /// The summaries of these traces, each put together from all its pieces.
    pub(crate) async fn whole(
        &self,
        ids: &[TraceId],
        missing: &mut Vec<String>,
    ) -> Result<Vec<Whole>, QueryError> {
        let live = self.collector.summaries(ids).await?;
        let blocks = self.store.blocks();
        let mut whole: HashMap<TraceId, Whole> = HashMap::with_capacity(ids.len());
        let mut add = |piece: TraceSummary, is_live: bool| {
            let longest = piece.duration();
            match whole.entry(piece.trace_id) {
                Entry::Occupied(mut known) => known.get_mut().merge(piece),
                Entry::Vacant(free) => drop(free.insert(Whole {
                    summary: piece,
                    longest,
                    overlaps: false,
                    is_live,
                })),
            }
        };
        live.value.into_iter().for_each(|piece| add(piece, true));
        let (stored, unreadable) = self.store.summaries(&blocks, ids, &live.blocks).await;
        stored.into_iter().for_each(|piece| add(piece, false));
        missing.extend(unreadable);
        Ok(whole.into_values().collect())
    }

    /// Counts anew those of these traces in whose pieces a span may lie twice. Where all are stored, the ids of their spans tell,
    /// which is a tenth of the cost of reading them.
    async fn settle(
        &self,
        traces: &mut [Whole],
        missing: &mut Vec<String>,
    ) -> Result<(), QueryError> {
        let stored = traces
            .iter()
            .filter(|trace| trace.overlaps && !trace.is_live);
        let stored: HashSet<TraceId> = stored.map(|trace| trace.summary.trace_id).collect();
        let (work, _guard) = Work::begin(Limits::default());
        let nothing_live = LiveTraces::default();
        let repeating = self
            .repeating(&stored, &nothing_live, &Arc::default(), &work)
            .await?;
        let doubtful = traces.iter_mut().filter(|trace| {
            trace.overlaps && (trace.is_live || repeating.contains(&trace.summary.trace_id))
        });
        let doubtful = doubtful.map(|trace| &mut trace.summary);
        self.count_once(doubtful, missing).await
    }

    /// Counts anew what may have been counted twice: spans that were sent again lie in two pieces of the same time. Where a
    /// trace begins and ends, and whether it failed, is not changed by them. Costs a look-up by id for each such trace, of which
    /// some are made at the same time.
    pub(crate) async fn count_once(
        &self,
        doubtful: impl Iterator<Item = &mut TraceSummary>,
        missing: &mut Vec<String>,
    ) -> Result<(), QueryError> {
        let reads = doubtful.map(|summary| {
            let (query, id) = (self.clone(), summary.trace_id);
            async move {
                // A task of its own, since who reads a trace does so on the thread at hand.
                let read = tokio::spawn(async move { query.trace(id).await });
                (summary, read.await)
            }
        });
        let reads: Vec<_> = reads.collect();
        let mut reads = futures::stream::iter(reads).buffered(READ_TOGETHER);
        while let Some((summary, read)) = reads.next().await {
            let Some(found) = read.map_err(|error| QueryError::Bug(error.to_string()))?? else {
                continue;
            };
            if found.missing.is_empty() {
                count(&found.spans, summary);
            }
            missing.extend(found.missing);
        }
        Ok(())
    }
}

/// Puts the counts of distinct spans into a summary.
fn count(spans: &SpanBatch, summary: &mut TraceSummary) {
    let mut services = BTreeMap::<&str, (u32, u32)>::new();
    for span in &spans.spans {
        let (spans, errors) = services.entry(spans.service(span)).or_default();
        *spans += 1;
        *errors += u32::from(span.status == StatusCode::Error);
    }
    summary.span_count = spans.len() as u64;
    summary.error_count = services
        .values()
        .map(|(_, errors)| u64::from(*errors))
        .sum();
    let services = services.into_iter();
    summary.services = services
        .map(|(name, (spans, errors))| (name.to_owned(), spans, errors))
        .collect();
}

/// A trace put together from its pieces.
pub(crate) struct Whole {
    pub(crate) summary: TraceSummary,
    /// The duration of its longest piece.
    longest: DurationNanos,
    /// Whether two of its pieces have a time in common.
    overlaps: bool,
    /// Whether one of its pieces is live.
    is_live: bool,
}

impl Whole {
    fn merge(&mut self, piece: TraceSummary) {
        self.longest = self.longest.max(piece.duration());
        self.overlaps |= piece.start <= self.summary.end && piece.end >= self.summary.start;
        self.summary.merge(piece);
    }

    /// Where it stands in the list. Among the slowest it stands where its longest piece is found: by the duration of the
    /// whole it would belong on an earlier page, which could not know of it.
    fn rank(&self, order: TraceOrder) -> Rank {
        let key = order.key(self.summary.start, self.longest);
        (Reverse(key), self.summary.trace_id)
    }
}
