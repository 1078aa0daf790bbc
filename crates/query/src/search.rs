//! A page of the traces that match: live ones first, then block after block in the order in which they can still help.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use block::{BlockId, BlockMeta};
use collect::LiveSpans;
use evaluate::{Display, Matcher, Tree};
use model::{TraceId, TraceSummary};
use tokio::runtime::Handle;
use traceql::query::{Body, Pipeline};

use crate::best::{Best, Rank};
use crate::block_scan::BlockScan;
use crate::columns::Keys;
use crate::live::LiveTraces;
use crate::need::{Needs, has_structure};
use crate::pieces::TOGETHER;
use crate::scan::Whole;
use crate::work::{Guard, Work, on_blocking_thread, workers};
use crate::{
    MatchedSpanset, MatchedTrace, Query, QueryError, QueryStats, SearchPage, SearchRequest,
    TraceCursor, TraceOrder, show,
};

/// Traces on one page at the most.
const LIMIT_MAX: usize = 10_000;

/// Traces gathered beyond the page, so that pieces of one trace do not leave it short.
const SPARE: usize = 8;

/// Traces of a block that are sifted before all the others.
const PROBE: usize = 64;

/// Traces looked at for the probe, wherever they lie in memory; what does not suffice by then is rather looked through in order.
const LOOKED_MAX: usize = 2048;

/// Traces evaluated at a time, of those that columns let through.
const CHUNK: usize = 64;

/// One search.
pub(crate) struct Search<'q> {
    query: &'q Query,
    request: Arc<SearchRequest>,
    shared: Shared,
    best: Best,
    /// Of the best, those whose spans are known already.
    known: HashMap<TraceId, Known>,
    missing: Vec<String>,
    stats: QueryStats,
    work: Work,
    _guard: Guard,
}

/// What all parts look at and none changes.
#[derive(Clone)]
struct Shared {
    pipeline: Arc<Pipeline>,
    needs: Arc<Needs>,
    display: Arc<Display>,
    keys: Arc<Keys>,
    live: LiveTraces,
    /// Blocks whose spans are among the live ones.
    covered: Arc<[BlockId]>,
}

/// What is known of a trace that matches where it was found.
#[derive(Debug, Clone)]
struct Known {
    /// What its place in the list goes by.
    key: i64,
    /// Spans of the trace there. Its whole summary tells whether that is all.
    spans: u64,
    found: Found,
}

#[derive(Debug, Clone)]
enum Found {
    /// Its spansets.
    Spansets(Vec<MatchedSpanset>),
    /// It is in this block at this position of the trace table.
    At(BlockId, u32),
}

impl Known {
    /// Of a whole trace.
    fn of(tree: &Tree<'_>, spansets: Vec<MatchedSpanset>, request: &SearchRequest) -> Self {
        Self {
            key: match request.order {
                TraceOrder::Newest => tree.start().0,
                TraceOrder::Slowest => tree.duration().0,
            },
            spans: tree.len() as u64,
            found: Found::Spansets(spansets),
        }
    }
}

impl<'q> Search<'q> {
    /// Begins with what is live.
    pub(crate) async fn begin(
        query: &'q Query,
        request: &SearchRequest,
        (work, guard): (Work, Guard),
    ) -> Result<Self, QueryError> {
        let Body::Search(pipeline) = &request.query.body else {
            return Err(QueryError::Limit(
                "the query asks for series, not for traces".into(),
            ));
        };
        let mut request = request.clone();
        request.limit = request.limit.clamp(1, LIMIT_MAX);
        let live = query.collector.live_spans().await?;
        let display = Display::new(pipeline);
        let mut fields = Vec::new();
        pipeline.visit_fields(&mut |field| fields.push(field.clone()));
        fields.extend(display.fields().iter().map(|column| column.field.clone()));
        let mut keys = Keys::of(&fields);
        if has_structure(pipeline) {
            keys = keys.with_structure();
        }
        let generations: Vec<LiveSpans> = live.value;
        let live_traces = on_blocking_thread(move || Ok(LiveTraces::new(generations))).await?;
        Ok(Self {
            query,
            shared: Shared {
                needs: Arc::new(Needs::of(pipeline)),
                keys: Arc::new(keys),
                display: Arc::new(display),
                pipeline: Arc::new(pipeline.clone()),
                live: live_traces,
                covered: live.blocks.into(),
            },
            best: Best::new(request.cursor, request.limit + SPARE),
            request: Arc::new(request),
            known: HashMap::new(),
            missing: Vec::new(),
            stats: QueryStats::default(),
            work,
            _guard: guard,
        })
    }

    /// The whole search. `progress` sees what has been found after each block.
    pub(crate) async fn run(
        mut self,
        mut progress: impl FnMut(&SearchPage) + Send,
    ) -> Result<SearchPage, QueryError> {
        self.search_live().await?;
        let all = self.query.store.blocks();
        self.stats.blocks = all.len() as u64;
        self.stats.block_bytes = all.iter().map(|block| block.byte_count()).sum();
        let covered = self.shared.covered.clone();
        let blocks = self.in_order(all.iter().filter(|block| !covered.contains(&block.id)));
        self.stats.blocks_skipped = self.stats.blocks - blocks.len() as u64;
        let count = blocks.len();
        for (at, block) in blocks.into_iter().enumerate() {
            if self.best.is_beyond(self.best_key(&block)) {
                self.stats.blocks_skipped += (count - at) as u64;
                break;
            }
            match self.search_block(&block).await {
                Ok(()) => {}
                Err(QueryError::Store(error)) => self.missing.push(error.to_string()),
                // What has been found is worth having, and says that it is not all.
                Err(QueryError::Limit(reason)) if !self.best.ids().is_empty() => {
                    self.missing.push(reason);
                    break;
                }
                Err(error) => return Err(error),
            }
            self.stats.blocks_done += 1;
            if at + 1 < count && self.best.missing() > 0 {
                progress(&self.page(false).await?);
            }
        }
        self.page(true).await
    }

    fn key(&self, summary_start: i64, duration: i64) -> i64 {
        match self.request.order {
            TraceOrder::Newest => summary_start,
            TraceOrder::Slowest => duration,
        }
    }

    fn best_key(&self, block: &BlockMeta) -> i64 {
        match self.request.order {
            TraceOrder::Newest => block.start_max.0,
            TraceOrder::Slowest if block.partial_traces > 0 => i64::MAX,
            TraceOrder::Slowest => block.duration_max,
        }
    }

    /// The blocks that may have something, those with the best keys first.
    fn in_order<'a>(
        &self,
        blocks: impl Iterator<Item = &'a Arc<BlockMeta>>,
    ) -> Vec<Arc<BlockMeta>> {
        let in_time = |block: &&Arc<BlockMeta>| {
            self.request.end.is_none_or(|end| block.start_min < end)
                && self
                    .request
                    .start
                    .is_none_or(|start| block.end_max >= start)
        };
        let mut blocks: Vec<_> = blocks.filter(in_time).cloned().collect();
        blocks.sort_by_key(|block| Reverse(self.best_key(block)));
        blocks
    }

    fn is_in_time(&self, start: model::UnixNanos, end: model::UnixNanos) -> bool {
        self.request.end.is_none_or(|limit| start < limit)
            && self.request.start.is_none_or(|limit| end >= limit)
    }

    // === live traces ===

    async fn search_live(&mut self) -> Result<(), QueryError> {
        let mut candidates: Vec<(Rank, bool)> = Vec::new();
        for (id, trace) in self.shared.live.iter() {
            let rank = (
                Reverse(self.key(trace.start.0, trace.end.since(trace.start).0)),
                id,
            );
            // The whole of a scattered trace may stand elsewhere in the list than what is live of it.
            let is_whole = trace.is_whole();
            let may_be_here = !is_whole
                || (self.is_in_time(trace.start, trace.end) && self.best.is_after_cursor(rank));
            if may_be_here {
                candidates.push((rank, is_whole));
            }
        }
        candidates.sort_unstable();
        let (shared, work, request) =
            (self.shared.clone(), self.work.clone(), self.request.clone());
        let wanted = self.best.missing();
        let found = on_blocking_thread(move || {
            let mut matcher = Matcher::new(&shared.pipeline);
            let mut found = Vec::new();
            let mut scattered = 0;
            for (rank, is_whole) in candidates {
                if !is_whole {
                    found.push((rank, None));
                    scattered += 1;
                    continue;
                }
                shared.live.evaluate(&[rank.1], &work, |_, tree| {
                    let spansets = matched(&mut matcher, tree, &shared, &request);
                    found.extend(spansets.map(|spansets| (rank, Some((spansets, tree.len())))));
                    Ok(true)
                })?;
                if found.len() - scattered >= wanted {
                    break;
                }
            }
            Ok(found)
        })
        .await?;
        let mut scattered = Vec::new();
        for ((Reverse(key), id), spansets) in found {
            match spansets {
                Some((spansets, spans)) => {
                    let (spans, found) = (spans as u64, Found::Spansets(spansets));
                    self.offer(id, Known { key, spans, found });
                }
                None => scattered.push(id),
            }
        }
        self.offer_whole(scattered).await
    }

    /// Offers those of these traces, which are in several places, that match as a whole.
    async fn offer_whole(&mut self, mut ids: Vec<TraceId>) -> Result<(), QueryError> {
        ids.retain(|id| !self.known.contains_key(id));
        for (id, known) in self.whole_matches(ids).await? {
            self.offer(id, known);
        }
        Ok(())
    }

    /// Puts traces together from wherever their spans are, and evaluates them.
    async fn whole_matches(
        &mut self,
        ids: Vec<TraceId>,
    ) -> Result<Vec<(TraceId, Known)>, QueryError> {
        let mut matches = Vec::new();
        for ids in ids.chunks(TOGETHER) {
            let Shared {
                keys,
                live,
                covered,
                ..
            } = self.shared.clone();
            let work = self.work.clone();
            let together = self
                .query
                .together(ids.to_vec(), keys, live, covered, work)
                .await?;
            self.missing.extend_from_slice(&together.missing);
            let (shared, request) = (self.shared.clone(), self.request.clone());
            let found = on_blocking_thread(move || {
                let mut matcher = Matcher::new(&shared.pipeline);
                let mut found = Vec::new();
                together.each(|id, tree| {
                    if let Some(spansets) = matched(&mut matcher, tree, &shared, &request) {
                        found.push((id, Known::of(tree, spansets, &request)));
                    }
                    Ok(())
                })?;
                Ok(found)
            });
            matches.extend(found.await?);
        }
        self.missing.sort_unstable();
        self.missing.dedup();
        Ok(matches)
    }

    // === blocks ===

    async fn search_block(&mut self, block: &Arc<BlockMeta>) -> Result<(), QueryError> {
        let (table, columns) = futures::try_join!(
            self.query.store.trace_table(block),
            self.query.store.open_columns(block),
        )?;
        let (shared, work) = (self.shared.clone(), self.work.clone());
        let (meta, request, best) = (block.clone(), self.request.clone(), self.best.clone());
        let columns = Arc::new(columns);
        let sift = on_blocking_thread(move || {
            let scan = BlockScan::new(meta, table, columns, &shared.needs, work);
            if scan.is_hopeless() {
                scan.note(|| "passed over: its inventory rules all traces out".to_owned());
                return Ok(None);
            }
            let probed = probe(&scan, &request, &best);
            scan.note(|| format!("{} traces, {}", scan.table.len(), scan.plan()));
            scan.note(|| format!("probed with {} traces", probed.traces.len()));
            Ok(Some((Arc::new(scan), probed)))
        });
        let Some((scan, probed)) = sift.await? else {
            return Ok(());
        };
        let passed = judge(&scan, probed.traces).await?;
        self.take(&scan, passed).await?;
        let Some(last) = probed.last else {
            return Ok(());
        };
        let pieces_may_be =
            self.request.order == TraceOrder::Slowest && scan.meta.partial_traces > 0;
        if self.best.is_full() && self.best.horizon() <= Some(last) && !pieces_may_be {
            return Ok(());
        }
        let rest = Rest {
            scan: scan.clone(),
            request: self.request.clone(),
            best: self.best.clone(),
            after: last,
        };
        let passed = rest.judge().await?;
        self.take(&scan, passed).await
    }

    fn candidate_key(&self, scan: &BlockScan, at: u32) -> i64 {
        let at = at as usize;
        self.key(scan.table.start(at).0, scan.table.duration(at).0)
    }

    /// Offers what matches of the traces that columns let through, and evaluates them if need be, best first.
    async fn take(
        &mut self,
        scan: &Arc<BlockScan>,
        mut passed: Vec<u32>,
    ) -> Result<(), QueryError> {
        let order = |at: &u32| {
            let key = Reverse(self.candidate_key(scan, *at));
            (key, scan.table.trace_id(*at as usize))
        };
        passed.sort_unstable_by_key(order);
        scan.note(|| format!("columns let {} traces through", passed.len()));
        if self.shared.needs.is_sufficient && scan.is_exact() {
            // Where the whole of a piece stands in the list, only the whole tells.
            let (pieces, whole) = passed
                .into_iter()
                .partition(|&at| scan.table.is_partial(at as usize));
            for at in whole {
                self.offer_at(scan, at, Found::At(scan.meta.id, at));
            }
            passed = pieces;
        }
        for chunk in passed.chunks(CHUNK) {
            let key = self.candidate_key(scan, chunk[0]);
            if self.best.is_beyond(key) && self.request.order == TraceOrder::Newest {
                break;
            }
            self.evaluate(scan, chunk.to_vec()).await?;
        }
        Ok(())
    }

    async fn evaluate(&mut self, scan: &Arc<BlockScan>, chunk: Vec<u32>) -> Result<(), QueryError> {
        let (shared, request, query) = (
            self.shared.clone(),
            self.request.clone(),
            self.query.clone(),
        );
        let (on, runtime) = (scan.clone(), Handle::current());
        let found = on_blocking_thread(move || {
            let mut found = Vec::new();
            let mut scattered = Vec::new();
            let mut matcher = Matcher::new(&shared.pipeline);
            on.evaluate(&chunk, &shared.keys, |at, tree| {
                let id = on.table.trace_id(at as usize);
                if on.table.is_partial(at as usize)
                    && is_elsewhere(&query, &shared.live, &runtime, id, on.meta.id)
                {
                    scattered.push(at);
                    return Ok(true);
                }
                let spansets = matched(&mut matcher, tree, &shared, &request);
                found.extend(spansets.map(|spansets| (at, spansets)));
                Ok(true)
            })?;
            Ok((found, scattered))
        });
        let (found, scattered) = found.await?;
        for (at, spansets) in found {
            self.offer_at(scan, at, Found::Spansets(spansets));
        }
        let scattered = scattered.into_iter();
        let scattered = scattered
            .map(|at| scan.table.trace_id(at as usize))
            .collect();
        self.offer_whole(scattered).await
    }

    fn offer_at(&mut self, scan: &BlockScan, at: u32, found: Found) {
        let key = self.candidate_key(scan, at);
        let spans = scan.table.rows(at as usize).len;
        let id = scan.table.trace_id(at as usize);
        self.offer(id, Known { key, spans, found });
    }

    fn offer(&mut self, id: TraceId, known: Known) {
        // What was found of it first is as good.
        if !self.known.contains_key(&id) && self.best.wants(known.key, id) {
            self.best.offer(known.key, id);
            self.known.insert(id, known);
        }
    }

    // === the page ===

    /// What has been found. `last` says that nothing more is looked at.
    async fn page(&mut self, last: bool) -> Result<SearchPage, QueryError> {
        let horizon = self.best.horizon();
        let ids = self.best.ids();
        let mut missing = self.missing.clone();
        let mut whole = self.query.whole(&ids, &mut missing).await?;
        let rank = |trace: &Whole| -> Rank {
            let summary = &trace.summary;
            let key = self.key(summary.start.0, summary.duration().0);
            (Reverse(key), summary.trace_id)
        };
        whole.retain(|trace| {
            let rank = rank(trace);
            self.is_in_time(trace.summary.start, trace.summary.end)
                && self.best.is_after_cursor(rank)
                && horizon.is_none_or(|horizon| rank <= horizon)
        });
        whole.sort_unstable_by_key(rank);
        // What does not match as a whole is left out below; the next page begins behind it all the same.
        let is_cut = whole.len() > self.request.limit;
        whole.truncate(self.request.limit);
        let end = whole.last().map(rank);
        let end = end.filter(|_| is_cut).or(horizon);
        let traces = self.shown(whole).await?;
        let stats = QueryStats {
            blocks: self.stats.blocks,
            blocks_skipped: self.stats.blocks_skipped,
            blocks_done: self.stats.blocks_done,
            block_bytes: self.stats.block_bytes,
            ..self.work.stats()
        };
        Ok(SearchPage {
            traces,
            next: end
                .filter(|_| last)
                .map(|(Reverse(key), trace_id)| TraceCursor { key, trace_id }),
            missing,
            stats,
        })
    }

    /// The traces with their spansets, in this order.
    async fn shown(&mut self, whole: Vec<Whole>) -> Result<Vec<MatchedTrace>, QueryError> {
        let mut at_blocks: HashMap<BlockId, Vec<(TraceId, u32)>> = HashMap::new();
        let mut elsewhere = Vec::new();
        for trace in &whole {
            let TraceSummary {
                trace_id: id,
                span_count,
                ..
            } = trace.summary;
            match self.known.get(&id) {
                Some(known) if known.spans == span_count => match known.found {
                    Found::Spansets(_) => {}
                    Found::At(block, at) => at_blocks.entry(block).or_default().push((id, at)),
                },
                _ => elsewhere.push(id),
            }
        }
        for (block, traces) in at_blocks {
            if let Err(error) = self.show_block(block, &traces).await {
                match error {
                    QueryError::Store(error) => self.missing.push(error.to_string()),
                    other => return Err(other),
                }
            }
        }
        for id in &elsewhere {
            self.known.remove(id);
        }
        let found = self.whole_matches(elsewhere).await?;
        self.known.extend(found);
        let shown = whole.into_iter().filter_map(|trace| {
            match &self.known.get(&trace.summary.trace_id)?.found {
                Found::Spansets(spansets) => Some(MatchedTrace {
                    summary: trace.summary,
                    spansets: spansets.clone(),
                }),
                _ => None,
            }
        });
        Ok(shown.collect())
    }

    async fn show_block(
        &mut self,
        block: BlockId,
        traces: &[(TraceId, u32)],
    ) -> Result<(), QueryError> {
        let blocks = self.query.store.blocks();
        let Some(meta) = blocks.iter().find(|meta| meta.id == block).cloned() else {
            // Compacted in the meantime: the whole traces are found where they are now.
            let ids = traces.iter().map(|(id, _)| *id).collect();
            let found = self.whole_matches(ids).await?;
            self.known.extend(found);
            return Ok(());
        };
        let (table, columns) = futures::try_join!(
            self.query.store.trace_table(&meta),
            self.query.store.open_columns(&meta),
        )?;
        let (shared, request, work) =
            (self.shared.clone(), self.request.clone(), self.work.clone());
        let at: Vec<u32> = traces.iter().map(|(_, at)| *at).collect();
        let found = on_blocking_thread(move || {
            let scan = BlockScan::new(meta, table, Arc::new(columns), &Needs::nothing(), work);
            let mut matcher = Matcher::new(&shared.pipeline);
            let mut found = Vec::new();
            scan.evaluate(&at, &shared.keys, |at, tree| {
                let id = scan.table.trace_id(at as usize);
                let spansets = matched(&mut matcher, tree, &shared, &request);
                found.extend(spansets.map(|spansets| (id, spansets)));
                Ok(true)
            })?;
            Ok(found)
        });
        for (id, spansets) in found.await? {
            if let Some(known) = self.known.get_mut(&id) {
                known.found = Found::Spansets(spansets);
            }
        }
        Ok(())
    }
}

/// The best traces of a block that summaries let through, by the order of the list.
struct Probed {
    traces: Vec<u32>,
    /// Where the first that was not looked at may stand; `None` when all were.
    last: Option<Rank>,
}

/// Looks at the newest traces of a block. There is no order of the slowest: then nothing is probed.
fn probe(scan: &BlockScan, request: &SearchRequest, best: &Best) -> Probed {
    let table = &scan.table;
    let mut probed = Probed {
        traces: Vec::new(),
        last: None,
    };
    if request.order == TraceOrder::Slowest {
        probed.last = Some((Reverse(i64::MAX), TraceId::ZERO));
        return probed;
    }
    for (looked, &at) in table.newest().iter().enumerate() {
        let position = at as usize;
        let key = table.start(position).0;
        // The whole of a piece starts no later.
        if best.is_beyond(key) {
            return probed;
        }
        if probed.traces.len() >= PROBE || looked >= LOOKED_MAX {
            probed.last = Some((Reverse(key), TraceId::ZERO));
            return probed;
        }
        if may_be_wanted(scan, request, best, position) {
            probed.traces.push(at);
        }
    }
    probed
}

/// Whether a trace may be wanted, as far as its summary tells. Pieces are let through whatever their own place in the list: the
/// whole may stand elsewhere.
fn may_be_wanted(scan: &BlockScan, request: &SearchRequest, best: &Best, at: usize) -> bool {
    let table = &scan.table;
    let key = match request.order {
        TraceOrder::Newest => table.start(at).0,
        TraceOrder::Slowest => table.duration(at).0,
    };
    let in_time = request.end.is_none_or(|end| table.start(at) < end)
        && request.start.is_none_or(|start| table.end(at) >= start);
    let is_here = in_time && best.wants(key, table.trace_id(at));
    (is_here || table.is_partial(at)) && scan.may_match(at)
}

async fn judge(scan: &Arc<BlockScan>, traces: Vec<u32>) -> Result<Vec<u32>, QueryError> {
    let scan = scan.clone();
    on_blocking_thread(move || scan.judge(&traces)).await
}

/// What is to be looked at of a block after the probe: everything behind it.
#[derive(Clone)]
struct Rest {
    scan: Arc<BlockScan>,
    request: Arc<SearchRequest>,
    best: Best,
    /// Traces in front of this were probed.
    after: Rank,
}

impl Rest {
    /// Those that columns let through, row group by row group on all processors.
    async fn judge(self) -> Result<Vec<u32>, QueryError> {
        let groups = self.scan.columns.file().group_count();
        let next = Arc::new(AtomicUsize::new(0));
        let judges = (0..workers().min(groups.max(1))).map(|_| {
            let (rest, next) = (self.clone(), next.clone());
            on_blocking_thread(move || {
                let mut passed = Vec::new();
                loop {
                    let group = next.fetch_add(1, Relaxed);
                    if group >= groups {
                        return Ok(passed);
                    }
                    let candidates = rest.candidates(group);
                    passed.extend(rest.scan.judge_group(group, &candidates)?);
                }
            })
        });
        let passed = futures::future::try_join_all(judges).await?;
        Ok(passed.into_iter().flatten().collect())
    }

    /// The traces of a row group that may be wanted, by position.
    fn candidates(&self, group: usize) -> Vec<u32> {
        let table = &self.scan.table;
        let is_newest = self.request.order == TraceOrder::Newest;
        let (Reverse(limit), _) = self.after;
        let traces = self.scan.traces_of(group);
        let behind = traces.filter(|&at| !is_newest || table.start(at).0 <= limit);
        let wanted = behind.filter(|&at| may_be_wanted(&self.scan, &self.request, &self.best, at));
        wanted.map(|at| at as u32).collect()
    }
}

fn matched(
    matcher: &mut Matcher,
    tree: &Tree<'_>,
    shared: &Shared,
    request: &SearchRequest,
) -> Option<Vec<MatchedSpanset>> {
    let found = matcher.run(tree);
    (!found.is_empty())
        .then(|| show::spansets(found, tree, &shared.display, request.spans_per_spanset))
}

/// Whether a trace may have spans besides those in this block.
pub(crate) fn is_elsewhere(
    query: &Query,
    live: &LiveTraces,
    runtime: &Handle,
    id: TraceId,
    here: BlockId,
) -> bool {
    if live.contains(id) {
        return true;
    }
    let blocks = query.store.blocks();
    let mut others = blocks.iter().filter(|block| block.id != here);
    others.any(|block| {
        let may = runtime.block_on(query.store.may_contain(block, id));
        // What cannot be read may hold anything.
        may.unwrap_or(true)
    })
}
