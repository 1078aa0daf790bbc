//! One block of a search: the best of its traces are sifted first, the others only if those do not suffice.

use std::cmp::Reverse;
use std::sync::Arc;

use ::block::{BlockId, BlockMeta};
use evaluate::Matcher;
use model::TraceId;
use traceql::query::Pipeline;

use super::{Found, Known, Search, matched};
use crate::best::{Best, Rank};
use crate::block_scan::{BlockScan, Judged};
use crate::pieces::Elsewhere;
use crate::work::{for_each_worker, on_all_processors, on_blocking_thread};
use crate::{MatchedSpanset, QueryError, SearchRequest, TraceOrder};

/// Traces of a block that are sifted before all the others.
const PROBE: usize = 64;

/// Traces looked at for the probe, wherever they lie in memory; what does not suffice by then is rather looked through in order.
const LOOKED_MAX: usize = 2048;

/// Traces evaluated at a time, of those that columns let through: so many of the best, then many more, because what few traces
/// touch of the columns is decoded again for the next few.
const CHUNK: usize = 64;
const CHUNK_GROWTH: usize = 8;

impl Search<'_> {
    pub(super) async fn search_block(&mut self, block: &Arc<BlockMeta>) -> Result<(), QueryError> {
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
        let elsewhere = self.elsewhere(block.id);
        let (probing, elsewhere_too) = (scan.clone(), elsewhere.clone());
        let judge = move || {
            let mut judged = probing.judge(&probed.traces)?;
            elsewhere_too.retain(&probing, &mut judged.pieces);
            Ok(judged)
        };
        let judged = on_blocking_thread(judge).await?;
        self.take(&scan, judged).await?;
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
            elsewhere,
        };
        let judged = rest.judge().await?;
        self.take(&scan, judged).await
    }

    fn elsewhere(&self, here: BlockId) -> Elsewhere {
        Elsewhere::new(self.query, &self.shared.live, here)
    }

    fn candidate_key(&self, scan: &BlockScan, at: u32) -> i64 {
        let at = at as usize;
        let order = self.request.order;
        order.key(scan.table.start(at), scan.table.duration(at))
    }

    /// Offers what matches of the traces that columns let through, and evaluates them if need be, best first.
    async fn take(&mut self, scan: &Arc<BlockScan>, judged: Judged) -> Result<(), QueryError> {
        let Judged { mut passed, pieces } = judged;
        scan.note(|| {
            let (passed, pieces) = (passed.len(), pieces.len());
            format!("columns let {passed} traces through, and {pieces} pieces")
        });
        passed.extend(self.add_pieces(scan, pieces));
        let order = |at: &u32| {
            let key = Reverse(self.candidate_key(scan, *at));
            (key, scan.table.trace_id(*at as usize))
        };
        passed.sort_unstable_by_key(order);
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
        let (mut rest, mut size) = (&passed[..], CHUNK);
        while let Some(first) = rest.first() {
            let key = self.candidate_key(scan, *first);
            if self.best.is_beyond(key) && self.request.order == TraceOrder::Newest {
                break;
            }
            let (chunk, behind) = rest.split_at(size.min(rest.len()));
            self.evaluate(scan, chunk).await?;
            (rest, size) = (behind, size.saturating_mul(CHUNK_GROWTH));
        }
        Ok(())
    }

    async fn evaluate(&mut self, scan: &Arc<BlockScan>, chunk: &[u32]) -> Result<(), QueryError> {
        let (shared, request) = (self.shared.clone(), self.request.clone());
        let elsewhere = self.elsewhere(scan.meta.id);
        let (on, groups) = (scan.clone(), scan.by_group(chunk));
        let count = groups.len();
        let sums = for_each_worker(count, || Evaluated::new(&self.shared.pipeline));
        let each = move |sum: &mut Evaluated, at: usize| {
            let (group, traces) = &groups[at];
            let is_scattered = |at: &u32| {
                let at = *at as usize;
                on.table.is_partial(at) && elsewhere.has(on.table.trace_id(at))
            };
            let (scattered, whole): (Vec<u32>, Vec<u32>) =
                traces.iter().copied().partition(is_scattered);
            let ids = scattered
                .into_iter()
                .map(|at| on.table.trace_id(at as usize));
            sum.scattered.extend(ids);
            on.evaluate_group(*group, &whole, &shared.keys, |at, tree| {
                let spansets = matched(&mut sum.matcher, tree, &shared, &request);
                sum.found.extend(spansets.map(|spansets| (at, spansets)));
                Ok(true)
            })?;
            Ok(())
        };
        let mut scattered = Vec::new();
        for evaluated in on_all_processors(sums, count, each).await? {
            for (at, spansets) in evaluated.found {
                self.offer_at(scan, at, Found::Spansets(spansets));
            }
            scattered.extend(evaluated.scattered);
        }
        self.offer_whole(scattered).await
    }

    fn offer_at(&mut self, scan: &BlockScan, at: u32, found: Found) {
        let key = self.candidate_key(scan, at);
        let spans = scan.table.rows(at as usize).len;
        let id = scan.table.trace_id(at as usize);
        self.offer(id, Known { key, spans, found });
    }
}

/// What a worker has evaluated.
struct Evaluated {
    matcher: Matcher,
    found: Vec<(u32, Vec<MatchedSpanset>)>,
    /// What must be put together first.
    scattered: Vec<TraceId>,
}

impl Evaluated {
    fn new(pipeline: &Pipeline) -> Self {
        Self {
            matcher: Matcher::new(pipeline),
            found: Vec::new(),
            scattered: Vec::new(),
        }
    }
}

/// The best traces of a block that summaries let through, by the order of the list.
struct Probed {
    traces: Vec<u32>,
    /// Where the first that was not looked at may stand; `None` when all were.
    last: Option<Rank>,
}

/// Looks at the newest traces of a block. There is no order of the slowest: then nothing is probed. Nor is where it does not pay.
fn probe(scan: &BlockScan, request: &SearchRequest, best: &Best) -> Probed {
    let table = &scan.table;
    let mut probed = Probed {
        traces: Vec::new(),
        last: None,
    };
    let is_quick = scan.is_quickly_judged();
    if request.order == TraceOrder::Slowest || (is_quick && !best.is_full()) {
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
        // What is judged quickly is judged at once, up to what is no longer wanted.
        if !is_quick && (probed.traces.len() >= PROBE || looked >= LOOKED_MAX) {
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
    let key = request.order.key(table.start(at), table.duration(at));
    let in_time = request.covers(table.start(at), table.end(at));
    let is_here = in_time && best.wants(key, table.trace_id(at));
    // The whole starts no later than its pieces, but it may well take longer.
    let is_too_late = request.order == TraceOrder::Newest && best.is_beyond(key);
    (is_here || (table.is_partial(at) && !is_too_late)) && scan.may_match(at)
}

/// What is to be looked at of a block after the probe: everything behind it.
struct Rest {
    scan: Arc<BlockScan>,
    request: Arc<SearchRequest>,
    best: Best,
    /// Traces in front of this were probed.
    after: Rank,
    elsewhere: Elsewhere,
}

impl Rest {
    /// Those that columns let through, row group by row group on all processors.
    async fn judge(self) -> Result<Judged, QueryError> {
        let groups = self.scan.columns.file().group_count();
        let sums = for_each_worker(groups, Judged::default);
        let judged = on_all_processors(sums, groups, move |sum, group| {
            let candidates = self.candidates(group);
            let mut judged = self.scan.judge_group(group, &candidates)?;
            self.elsewhere.retain(&self.scan, &mut judged.pieces);
            sum.append(judged);
            Ok(())
        });
        let mut all = Judged::default();
        judged.await?.into_iter().for_each(|some| all.append(some));
        Ok(all)
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
