//! Live traces of which a part was written before the collector began.
//!
//! The collector says which live traces have more in blocks that it wrote; of blocks from before it began it knows nothing. So
//! live traces are looked up there, those of the time of such a block: once it has run for a while, none are.

use std::cmp::Reverse;
use std::sync::Arc;

use block::{BlockId, BlockMeta};
use model::{DurationNanos, UnixNanos};
use tokio::runtime::Handle;

use crate::live::LiveTraces;
use crate::tags::overlaps;
use crate::work::{Work, on_blocking_thread};
use crate::{Query, QueryError};

/// How much later, or earlier, than all of a block the rest of one of its traces may have come.
const APART: DurationNanos = DurationNanos(600_000_000_000);

/// Live traces held against blocks for one question at the most, those of the latest blocks first; it takes less than a
/// microsecond each. Beyond, they are taken for whole.
const LOOKED_AT_MAX: usize = 3_000_000;

impl Query {
    /// All live traces, and the blocks whose spans are among them.
    ///
    /// # Errors
    /// [`QueryError`]
    pub(crate) async fn live_traces(
        &self,
        work: &Work,
    ) -> Result<(LiveTraces, Arc<[BlockId]>), QueryError> {
        let live = self.collector.live_spans().await?;
        let covered: Arc<[BlockId]> = live.blocks.into();
        let blocks = self.store.blocks();
        let is_unknown = |block: &&Arc<BlockMeta>| {
            !covered.contains(&block.id) && !self.collector.has_written(block)
        };
        let mut unknown: Vec<Arc<BlockMeta>> = blocks.iter().filter(is_unknown).cloned().collect();
        unknown.sort_by_key(|block| Reverse(block.end_max));
        let (query, runtime, work) = (self.clone(), Handle::current(), work.clone());
        let traces = on_blocking_thread(move || {
            let mut traces = LiveTraces::new(live.value);
            let Some(times) = traces.times() else {
                return Ok(traces);
            };
            let near = unknown.iter().filter(|block| is_near(block, times));
            for block in near.take(LOOKED_AT_MAX / traces.len().max(1)) {
                work.check()?;
                traces.find_pieces(|id, trace| {
                    if !is_near(block, (trace.start, trace.end)) {
                        return false;
                    }
                    let may = runtime.block_on(query.store.may_contain(block, id));
                    // What cannot be read may hold anything.
                    may.unwrap_or(true)
                });
            }
            Ok(traces)
        });
        Ok((traces.await?, covered))
    }
}

fn is_near(block: &BlockMeta, (start, end): (UnixNanos, UnixNanos)) -> bool {
    let before = start.saturating_add(DurationNanos(-APART.0));
    overlaps(block, Some(before), Some(end.saturating_add(APART)))
}
