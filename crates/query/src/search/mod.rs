//! A page of the traces that match: live ones first, then block after block in the order in which they can still help.

mod block;
mod live;
mod page;
mod pieces;

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ::block::{BlockId, BlockMeta};
use evaluate::{Display, Matcher, Tree};
use model::TraceId;
use traceql::query::{Body, Pipeline};

use crate::best::Best;
use crate::columns::Keys;
use crate::live::LiveTraces;
use crate::need::{Needs, has_structure};
use crate::pieces::TOGETHER;
use crate::work::{Guard, Work, on_blocking_thread};
use crate::{MatchedSpanset, Query, QueryError, QueryStats, SearchPage, SearchRequest, show};
use pieces::Pieces;

/// Traces on one page at the most.
const LIMIT_MAX: usize = 10_000;

/// Traces gathered beyond the page, so that pieces of one trace do not leave it short.
const SPARE: usize = 8;

/// One search.
pub(crate) struct Search<'q> {
    query: &'q Query,
    request: Arc<SearchRequest>,
    shared: Shared,
    best: Best,
    /// Of the best, those whose spans are known already.
    known: HashMap<TraceId, Known>,
    /// Traces in several places of which it is known whether they match as a whole, mostly since they were put together.
    judged_whole: HashSet<TraceId>,
    /// Those that may match with what other places have.
    pieces: Pieces,
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
            key: request.order.key(tree.start(), tree.duration()),
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
        query.store.read_ahead();
        let mut request = request.clone();
        request.limit = request.limit.clamp(1, LIMIT_MAX);
        let (live, covered) = query.live_traces(&work).await?;
        let display = Display::new(pipeline);
        let mut fields = Vec::new();
        pipeline.visit_fields(&mut |field| fields.push(field.clone()));
        fields.extend(display.fields().iter().map(|column| column.field.clone()));
        let mut keys = Keys::of(&fields);
        if has_structure(pipeline) {
            keys = keys.with_structure();
        }
        Ok(Self {
            query,
            shared: Shared {
                needs: Arc::new(Needs::of(pipeline)),
                keys: Arc::new(keys),
                display: Arc::new(display),
                pipeline: Arc::new(pipeline.clone()),
                live,
                covered,
            },
            best: Best::new(request.cursor, request.limit + SPARE),
            request: Arc::new(request),
            known: HashMap::new(),
            judged_whole: HashSet::new(),
            pieces: Pieces::default(),
            missing: query.store.unread().into_iter().collect(),
            stats: QueryStats::default(),
            work,
            _guard: guard,
        })
    }

    /// The whole search. `progress`, if anybody wants to know, sees what has been found after each block.
    pub(crate) async fn run(
        mut self,
        mut progress: Option<&mut (dyn FnMut(&SearchPage) + Send)>,
    ) -> Result<SearchPage, QueryError> {
        self.search_live().await?;
        let all = self.query.store.blocks();
        self.stats.blocks = all.len() as u64;
        self.stats.block_bytes = all.iter().map(|block| block.byte_count()).sum();
        let covered = self.shared.covered.clone();
        let blocks = self.in_order(all.iter().filter(|block| !covered.contains(&block.id)));
        self.stats.blocks_skipped = self.stats.blocks - blocks.len() as u64;
        let count = blocks.len();
        let mut looked_through = HashSet::new();
        for (at, block) in blocks.into_iter().enumerate() {
            if self.best.is_beyond(self.request.order.best_key(&block)) {
                self.stats.blocks_skipped += (count - at) as u64;
                break;
            }
            match self.search_block(&block).await {
                Ok(()) => {
                    looked_through.insert(block.id);
                }
                Err(QueryError::Store(error)) => self.missing.push(error.to_string()),
                // What has been found is worth having, and says that it is not all.
                Err(QueryError::Limit(reason)) if !self.best.ids().is_empty() => {
                    self.missing.push(reason);
                    return self.page(true).await;
                }
                Err(error) => return Err(error),
            }
            self.stats.blocks_done += 1;
            if at + 1 < count
                && self.best.missing() > 0
                && let Some(progress) = &mut progress
            {
                progress(&self.page(false).await?);
            }
        }
        self.offer_pieces(&all, &looked_through).await?;
        self.page(true).await
    }

    /// The blocks that may have something, those with the best keys first.
    fn in_order<'a>(
        &self,
        blocks: impl Iterator<Item = &'a Arc<BlockMeta>>,
    ) -> Vec<Arc<BlockMeta>> {
        let in_time = |block: &&Arc<BlockMeta>| self.request.covers(block.start_min, block.end_max);
        let mut blocks: Vec<_> = blocks.filter(in_time).cloned().collect();
        blocks.sort_by_key(|block| Reverse(self.request.order.best_key(block)));
        blocks
    }

    fn offer(&mut self, id: TraceId, known: Known) {
        // What was found of it first is as good.
        if !self.known.contains_key(&id) && self.best.wants(known.key, id) {
            self.best.offer(known.key, id);
            self.known.insert(id, known);
        }
    }

    /// Offers those of these traces, which are in several places, that match as a whole.
    async fn offer_whole(&mut self, mut ids: Vec<TraceId>) -> Result<(), QueryError> {
        // Each block that has a piece brings it up again.
        ids.retain(|id| !self.known.contains_key(id) && self.judged_whole.insert(*id));
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
