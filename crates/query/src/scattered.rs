//! Which traces lie in several blocks, and which of those have a span twice.
//!
//! Blocks never change, so what was found out about some blocks holds as long as they are the ones asked about: between two
//! flushes or compactions every question gets the same answer, and only the first pays for it.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use block::{BlockId, BlockMeta};
use model::{SpanId, TraceId};

use crate::columns::Keys;
use crate::live::LiveTraces;
use crate::pieces::{Elsewhere, TOGETHER};
use crate::work::{Work, on_blocking_thread};
use crate::{Query, QueryError};

/// Sets of blocks of which the answer is kept.
const KEPT: usize = 8;

/// Traces that lie in several of some blocks.
#[derive(Debug, Default)]
pub(crate) struct Scattered {
    /// All of them.
    pub(crate) traces: HashSet<TraceId>,
    /// Those of which some span was sent twice and lies in two blocks.
    pub(crate) repeating: HashSet<TraceId>,
}

/// Answers that are kept, by the blocks they are about, latest last.
pub(crate) type Kept = Arc<parking_lot::Mutex<Vec<(u64, Arc<Scattered>)>>>;

impl Query {
    /// The traces of these blocks that lie in several blocks. At most `most` are put together to look for repeated spans; of
    /// more, none is called repeating.
    ///
    /// # Errors
    /// [`QueryError`]. What cannot be read is left out.
    pub(crate) async fn scattered(
        &self,
        blocks: &[Arc<BlockMeta>],
        most: usize,
        work: &Work,
    ) -> Result<Arc<Scattered>, QueryError> {
        let mut ids: Vec<BlockId> = blocks.iter().map(|block| block.id).collect();
        ids.sort_unstable();
        let mut hasher = DefaultHasher::new();
        ids.hash(&mut hasher);
        // Pieces may lie in blocks that were not asked about, so those count too.
        self.store.blocks().number().hash(&mut hasher);
        let key = hasher.finish();
        let known = |kept: &Vec<(u64, Arc<Scattered>)>| {
            kept.iter()
                .find(|(of, _)| *of == key)
                .map(|(_, found)| found.clone())
        };
        if let Some(found) = known(&self.scattered.lock()) {
            return Ok(found);
        }
        let traces = self.in_several(blocks, work).await?;
        let repeating = if traces.len() <= most {
            let nothing_live = LiveTraces::default();
            self.repeating(&traces, &nothing_live, &Arc::default(), work)
                .await?
        } else {
            HashSet::new()
        };
        let found = Arc::new(Scattered { traces, repeating });
        let mut kept = self.scattered.lock();
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push((key, found.clone()));
        Ok(found)
    }

    async fn in_several(
        &self,
        blocks: &[Arc<BlockMeta>],
        work: &Work,
    ) -> Result<HashSet<TraceId>, QueryError> {
        let mut scattered = HashSet::new();
        for block in blocks.iter().filter(|block| block.partial_traces > 0) {
            let Ok(table) = self.store.trace_table(block).await else {
                // It is met again, and named, when the block is looked into.
                continue;
            };
            let elsewhere = Elsewhere::new(self, &LiveTraces::default(), block.id);
            let work = work.clone();
            let found = on_blocking_thread(move || {
                let mut found = Vec::new();
                for (count, at) in (0..table.len())
                    .filter(|&at| table.is_partial(at))
                    .enumerate()
                {
                    if count % CHECK_EVERY == 0 {
                        work.check()?;
                    }
                    let trace = table.trace_id(at);
                    if elsewhere.has(trace) {
                        found.push(trace);
                    }
                }
                Ok(found)
            });
            scattered.extend(found.await?);
        }
        Ok(scattered)
    }

    /// Those of these traces of which a span lies in two places, of what is live and in blocks, but for those that live spans
    /// cover.
    ///
    /// # Errors
    /// [`QueryError`]. What cannot be read is left out.
    pub(crate) async fn repeating(
        &self,
        traces: &HashSet<TraceId>,
        live: &LiveTraces,
        covered: &Arc<[BlockId]>,
        work: &Work,
    ) -> Result<HashSet<TraceId>, QueryError> {
        let ids: Vec<TraceId> = traces.iter().copied().collect();
        let mut repeating = HashSet::new();
        for ids in ids.chunks(TOGETHER) {
            let (keys, live) = (Arc::new(Keys::ids()), live.clone());
            let together = self
                .together(ids.to_vec(), keys, live, covered.clone(), work.clone())
                .await?;
            let spans: HashMap<TraceId, Vec<SpanId>> = together.span_ids();
            for (trace, mut spans) in spans {
                let count = spans.len();
                spans.sort_unstable();
                spans.dedup();
                if spans.len() < count {
                    repeating.insert(trace);
                }
            }
        }
        Ok(repeating)
    }
}

/// Traces looked up between two looks at the clock.
const CHECK_EVERY: usize = 1024;
