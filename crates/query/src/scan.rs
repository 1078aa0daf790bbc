//! Lists of traces: the best few of many, from live traces and the trace tables of blocks.
//!
//! Nothing is planned, and hardly a span is read. Blocks are asked in the order in which they can still help, and when none of
//! the rest can, the search ends: for the newest traces that is after the newest blocks.
//!
//! A trace may lie in several places. Each piece is judged by itself first, widely: a piece that is marked as partial is
//! let through where the rest of its trace could make it match. Then the pieces of each winner are put together and judged
//! exactly, so that what is shown is right. Pieces that overlap in time may hold spans twice, which were sent again: these
//! traces are read to be counted, few as they are. Pages stay free of overlaps because a trace appears on a page only when the
//! key of the whole trace lies on it.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use block::{BlockMeta, TraceTable};
use collect::{ListOrder, TraceFilter};
use futures::StreamExt as _;
use model::{DurationNanos, SpanBatch, StatusCode, Symbol, TraceId, TraceSummary};

use crate::best::{Best, Rank};
use crate::{Query, QueryError, TraceCursor, TraceListRequest, TraceOrder, TracePage};

/// Traces on one page at the most.
const LIMIT_MAX: usize = 1000;

/// How often one page is filled up when pieces that could have matched did not, as those of traces without a root that were the last
/// to come; each time from [`MORE_PIECES`] times as many. Then what there is is the page.
const FILLED_MAX: usize = 32;

/// Each piece costs some 6 µs to be looked up in a hundred blocks, each time a millisecond.
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
        let limit = request.limit.clamp(1, LIMIT_MAX);
        let wanted = 2 * limit + SPARE_PIECES;
        let mut page = self.some_traces(request, wanted).await?;
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
            let more = self.some_traces(&rest, MORE_PIECES * wanted).await?;
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
        let filter = live_filter(request, wanted);
        for summary in self.collector.list(&filter).await?.value {
            best.offer(request.key(&summary), summary.trace_id);
        }
        let mut missing = Vec::new();
        let blocks = self.store.blocks();
        for block in in_order(blocks.iter(), request) {
            if best.is_beyond(request.order.best_key(block)) {
                break;
            }
            match self.store.trace_table(block).await {
                Ok(table) => scan(&table, request, &mut best),
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
        let doubtful = traces.iter_mut().filter(|trace| trace.overlaps);
        let doubtful = doubtful.map(|trace| &mut trace.summary);
        self.count_once(doubtful, &mut missing).await?;
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
        let mut add = |piece: TraceSummary| {
            let longest = piece.duration();
            match whole.entry(piece.trace_id) {
                Entry::Occupied(mut known) => known.get_mut().merge(piece),
                Entry::Vacant(free) => drop(free.insert(Whole {
                    summary: piece,
                    longest,
                    overlaps: false,
                })),
            }
        };
        live.value.into_iter().for_each(&mut add);
        let (stored, unreadable) = self.store.summaries(&blocks, ids, &live.blocks).await;
        stored.into_iter().for_each(&mut add);
        missing.extend(unreadable);
        Ok(whole.into_values().collect())
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

/// The blocks that may have something for the list, those with the best keys first.
fn in_order<'a>(
    blocks: impl Iterator<Item = &'a Arc<BlockMeta>>,
    request: &TraceListRequest,
) -> Vec<&'a Arc<BlockMeta>> {
    let mut blocks: Vec<_> = blocks.filter(|block| may_match(block, request)).collect();
    blocks.sort_by_key(|block| Reverse(request.order.best_key(block)));
    blocks
}

fn may_match(block: &BlockMeta, request: &TraceListRequest) -> bool {
    let has_pieces = block.partial_traces > 0;
    let has_service = request.service.as_deref().is_none_or(|service| {
        block
            .services
            .binary_search_by(|info| info.name.as_str().cmp(service))
            .is_ok()
    });
    is_reached(block, request)
        && request.start.is_none_or(|start| block.start_max >= start)
        && (request.end.is_none_or(|end| block.start_min < end))
        && (has_pieces || has_service)
        && (has_pieces
            || request
                .min_duration
                .is_none_or(|min| block.duration_max >= min.0))
        && (has_pieces || request.error != Some(true) || block.errors > 0)
}

/// Whether a block has traces that come after the cursor, if any.
fn is_reached(block: &BlockMeta, request: &TraceListRequest) -> bool {
    let Some(cursor) = request.cursor else {
        return true;
    };
    match request.order {
        TraceOrder::Newest => block.start_min.0 <= cursor.key,
        // What is known of durations is the longest.
        TraceOrder::Slowest => true,
    }
}

fn scan(table: &TraceTable, request: &TraceListRequest, best: &mut Best) {
    let service = request.service.as_deref().map(|name| table.word(name));
    let root_name = request.root_name.as_deref().map(|name| table.word(name));
    let offer = |best: &mut Best, index: usize| {
        let key = request.order.key(table.start(index), table.duration(index));
        if best.wants(key, table.trace_id(index))
            && may_list(table, index, request, service, root_name)
        {
            best.offer(key, table.trace_id(index));
        }
    };
    match request.order {
        TraceOrder::Newest => {
            for &index in after_cursor(table, request) {
                if best.is_beyond(table.start(index as usize).0) {
                    break;
                }
                offer(best, index as usize);
            }
        }
        TraceOrder::Slowest => (0..table.len()).for_each(|index| offer(best, index)),
    }
}

/// The newest traces of a table, but for those that start after the cursor, which earlier pages have.
fn after_cursor<'t>(table: &'t TraceTable, request: &TraceListRequest) -> &'t [u32] {
    let newest = table.newest();
    let is_earlier_page = |&at: &u32| {
        let start = table.start(at as usize).0;
        request.cursor.is_some_and(|cursor| start > cursor.key)
    };
    &newest[newest.partition_point(is_earlier_page)..]
}

/// Whether the piece matches, or could as a part of its trace.
fn may_list(
    table: &TraceTable,
    index: usize,
    request: &TraceListRequest,
    service: Option<Option<Symbol>>,
    root_name: Option<Option<Symbol>>,
) -> bool {
    let duration = table.duration(index);
    // More spans can only make a trace start earlier, end later and have more errors.
    let certain = request.max_duration.is_none_or(|max| duration <= max)
        && request
            .start
            .is_none_or(|start| table.start(index) >= start)
        && (request.error != Some(false) || table.errors(index) == 0);
    let possible = table.is_partial(index)
        || (request.min_duration.is_none_or(|min| duration >= min)
            && request.end.is_none_or(|end| table.start(index) < end)
            && (request.error != Some(true) || table.errors(index) > 0)
            && service.is_none_or(|name| name.is_some_and(|name| table.has_service(index, name)))
            && root_name.is_none_or(|name| name.is_some() && table.root_name(index) == name));
    certain && possible
}

fn live_filter(request: &TraceListRequest, limit: usize) -> TraceFilter {
    TraceFilter {
        service: request.service.clone(),
        root_name: request.root_name.clone(),
        min_duration: request.min_duration,
        max_duration: request.max_duration,
        error: request.error,
        start: request.start,
        end: request.end,
        order: match request.order {
            TraceOrder::Newest => ListOrder::Newest,
            TraceOrder::Slowest => ListOrder::Slowest,
        },
        limit,
        after: request.cursor.map(|cursor| (cursor.key, cursor.trace_id)),
    }
}
