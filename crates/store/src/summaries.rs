//! What blocks know of given traces, without reading a span.

use std::sync::Arc;

use block::{BlockId, BlockMeta, TraceTable};
use model::{TraceId, TraceSummary};

use crate::blocks::BlockList;
use crate::objects::in_parallel;
use crate::{Store, StoreError};

/// Traces that are looked up in a block before its table is loaded for them.
const LOOKED_UP_MAX: usize = 8;

impl Store {
    /// The summaries of these traces in these blocks, one for each block that has spans of a trace, in no order; and in
    /// words the blocks that could not be read. Blocks in `except` are passed over.
    ///
    /// Costs a look at the bloom of each block for each trace, and the trace table of each block that has one of them;
    /// both are kept in the cache.
    pub async fn summaries(
        &self,
        blocks: &BlockList,
        ids: &[TraceId],
        except: &[BlockId],
    ) -> (Vec<TraceSummary>, Vec<String>) {
        let asked = blocks.iter().filter(|block| !except.contains(&block.id));
        let limit = self.inner.objects.concurrency();
        let answers = in_parallel(asked, limit, |block| self.summaries_in(block, ids)).await;
        let (mut summaries, mut unreadable) = (Vec::new(), Vec::new());
        for answer in answers {
            match answer {
                Ok(found) => summaries.extend(found),
                Err(error) => unreadable.push(error.to_string()),
            }
        }
        (summaries, unreadable)
    }

    async fn summaries_in(
        &self,
        block: &BlockMeta,
        ids: &[TraceId],
    ) -> Result<Vec<TraceSummary>, StoreError> {
        let Some((table, found)) = self.traces_in(block, ids.iter().copied()).await? else {
            return Ok(Vec::new());
        };
        let found = found.into_iter();
        Ok(found.map(|at| table.summary(at as usize)).collect())
    }

    /// The trace table of a block and where in it these traces are, in the order of `ids`; `None` when it has none of them.
    ///
    /// # Errors
    /// As with [`Self::trace_table`].
    pub async fn traces_in(
        &self,
        block: &BlockMeta,
        ids: impl Iterator<Item = TraceId>,
    ) -> Result<Option<(Arc<TraceTable>, Vec<u32>)>, StoreError> {
        let block_ref = self.inner.block_ref(block);
        let is_ruled_out = self.inner.reader.ruled_out_of(block);
        let mut likely = Vec::new();
        for id in ids.filter(|&id| !is_ruled_out(id)) {
            // A bloom that cannot be read says nothing; the table will tell.
            let bloom = self.inner.reader.may_contain(&block_ref, id).await;
            if bloom.unwrap_or(true) {
                likely.push(id);
            }
        }
        if likely.len() <= LOOKED_UP_MAX && !self.inner.reader.has_trace_table(block).await {
            // Of a hundred blocks some are likely by mistake: no reason to decode all of their traces.
            let there = self.inner.reader.there(&block_ref, likely).await;
            likely = self.reported(block, there)?;
        }
        if likely.is_empty() {
            return Ok(None);
        }
        let table = self.trace_table(block).await?;
        let found = likely.into_iter().filter_map(|id| table.find(id));
        let found: Vec<u32> = found.map(|at| at as u32).collect();
        Ok((!found.is_empty()).then_some((table, found)))
    }
}
