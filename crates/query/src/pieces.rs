//! Traces that lie in several places, put together with the columns that a query needs.

use std::collections::HashMap;
use std::sync::Arc;

use block::{BlockId, BlockMeta};
use evaluate::{Tree, TreeBuilder};
use model::{Gathered, SpanId, TraceId};
use store::StoreError;
use tokio::runtime::Handle;

use crate::block_scan::{BlockScan, Piece};
use crate::columns::Keys;
use crate::live::LiveTraces;
use crate::need::Needs;
use crate::work::{Work, on_blocking_thread};
use crate::{Query, QueryError};

/// Traces put together at a time.
pub(crate) const TOGETHER: usize = 1000;

/// Some traces, whole.
pub(crate) struct Together {
    gathered: Gathered,
    rows: HashMap<TraceId, Vec<u32>>,
    /// What could not be read, in words.
    pub(crate) missing: Vec<String>,
}

impl Together {
    /// Calls `each` with every trace that has spans, by id.
    ///
    /// # Errors
    /// Those of `each`.
    pub(crate) fn each(
        &self,
        mut each: impl FnMut(TraceId, &Tree<'_>) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        let mut builder = TreeBuilder::default();
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_unstable_by_key(|(id, _)| **id);
        for (&id, rows) in rows {
            let tree = builder.build(&self.gathered.batch, rows);
            each(id, &tree)?;
            builder.recycle(tree);
        }
        Ok(())
    }
}

impl Together {
    /// The ids of the spans of each trace, those that lie in two places twice.
    pub(crate) fn span_ids(&self) -> HashMap<TraceId, Vec<SpanId>> {
        let spans = &self.gathered.batch.spans;
        let of = |rows: &Vec<u32>| {
            rows.iter()
                .map(|&row| spans[row as usize].span_id)
                .collect()
        };
        self.rows.iter().map(|(id, rows)| (*id, of(rows))).collect()
    }
}

impl Query {
    /// All spans of these traces, at most [`TOGETHER`], from live spans and from blocks, but for the blocks that live spans cover.
    ///
    /// # Errors
    /// [`QueryError`]. A block that cannot be read is no error, but is named.
    pub(crate) async fn together(
        &self,
        ids: Vec<TraceId>,
        keys: Arc<Keys>,
        live: LiveTraces,
        covered: Arc<[BlockId]>,
        work: Work,
    ) -> Result<Together, QueryError> {
        let (query, runtime) = (self.clone(), Handle::current());
        on_blocking_thread(move || {
            let mut together = Together {
                gathered: Gathered::new(),
                rows: HashMap::with_capacity(ids.len()),
                missing: Vec::new(),
            };
            let Together { gathered, rows, .. } = &mut together;
            live.gather(&ids, gathered, rows)?;
            let blocks = query.store.blocks();
            for block in blocks.iter().filter(|block| !covered.contains(&block.id)) {
                let nothing = Needs::nothing();
                let located = query.locate(block, ids.iter().copied(), &nothing, &work);
                let gathered = match runtime.block_on(located) {
                    Ok(None) => continue,
                    Ok(Some((scan, found))) => {
                        scan.gather(&found, &keys, &mut together.gathered, &mut together.rows)
                    }
                    Err(error) => Err(error.into()),
                };
                match gathered {
                    Err(QueryError::Store(error)) => together.missing.push(error.to_string()),
                    other => other?,
                }
            }
            Ok(together)
        })
        .await
    }

    /// A block and where it has some of these traces, by position; `None` when it has none.
    ///
    /// # Errors
    /// [`StoreError`]
    pub(crate) async fn locate(
        &self,
        block: &Arc<BlockMeta>,
        ids: impl Iterator<Item = TraceId>,
        needs: &Needs,
        work: &Work,
    ) -> Result<Option<(BlockScan, Vec<u32>)>, StoreError> {
        let Some((table, found)) = self.store.traces_in(block, ids).await? else {
            return Ok(None);
        };
        let columns = Arc::new(self.store.open_columns(block).await?);
        let scan = BlockScan::new(block.clone(), table, columns, needs, work.clone());
        Ok(Some((scan, found)))
    }
}

/// Tells whether traces of a block may have spans in other places too. Asked on threads that may block.
#[derive(Clone)]
pub(crate) struct Elsewhere {
    query: Query,
    live: LiveTraces,
    runtime: Handle,
    here: BlockId,
}

impl Elsewhere {
    /// Besides those in the block `here`. The runtime must be at hand.
    pub(crate) fn new(query: &Query, live: &LiveTraces, here: BlockId) -> Self {
        Self {
            query: query.clone(),
            live: live.clone(),
            runtime: Handle::current(),
            here,
        }
    }

    /// Leaves out the pieces of a block of which nothing is elsewhere.
    pub(crate) fn retain(&self, scan: &BlockScan, pieces: &mut Vec<Piece>) {
        pieces.retain(|piece| self.has(scan.table.trace_id(piece.at as usize)));
    }

    /// Whether it may have.
    pub(crate) fn has(&self, id: TraceId) -> bool {
        if self.live.contains(id) {
            return true;
        }
        let blocks = self.query.store.blocks();
        let mut others = blocks.iter().filter(|block| block.id != self.here);
        others.any(|block| {
            let may = self
                .runtime
                .block_on(self.query.store.may_contain(block, id));
            // What cannot be read may hold anything.
            may.unwrap_or(true)
        })
    }
}
