//! Answers from live and stored spans as one.
//!
//! A question goes first to the live spans and then to the blocks: a span that leaves the shards is in a visible block
//! before it goes, so it is found in one place or the other, or in both, and what is found twice is answered once. Who asks
//! both at the same time asks the blocks again if there are others now.
//!
//! This crate knows no HTTP and no JSON: `api` asks and renders.

mod best;
mod block_scan;
mod columns;
mod engine;
mod extent;
mod inventory;
mod join;
mod list;
mod list_pieces;
mod live;
mod measure;
mod metrics;
mod names;
mod need;
mod pieces;
mod prune;
mod request;
mod restart;
mod scan;
mod scattered;
mod search;
mod show;
mod tags;
mod values;
mod work;

use collect::Collector;
use model::{SpanBatch, TraceId};
use store::Store;

pub use extent::Extent;
pub use inventory::{Operation, Service};
pub use list::{CursorError, TraceCursor, TraceListRequest, TraceOrder, TracePage};
pub use request::{
    Limits, MAX_EXEMPLARS, MAX_POINTS, MatchedAttribute, MatchedSpan, MatchedSpanset, MatchedTrace,
    MetricsAnswer, MetricsRequest, QueryStats, SearchPage, SearchRequest, TagNames, TagValues,
    TagValuesRequest, TagsRequest,
};

/// Answers questions over live and stored spans. Cheap to clone.
#[derive(Clone)]
pub struct Query {
    collector: Collector,
    store: Store,
    scattered: scattered::Kept,
    values: values::Kept,
}

/// Why a question could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The store did not deliver; asking again may help.
    #[error("cannot read the store: {0}")]
    Store(#[from] store::StoreError),
    /// The collector is going down.
    #[error("cannot ask the live spans: {0}")]
    Live(#[from] collect::Stopped),
    /// The trace has more distinct values than fit in memory at once.
    #[error("the trace is too large to be put together: {0}")]
    TooLarge(#[from] model::SymbolOverflow),
    /// A bound of [`Limits`] was reached; in words what, and what to do.
    #[error("{0}")]
    Limit(String),
    /// A defect of ours.
    #[error("{0}")]
    Bug(String),
}

/// A whole trace.
#[derive(Debug)]
pub struct FoundTrace {
    /// Every span once; parents before their children where the parent is there, siblings by start.
    pub spans: SpanBatch,
    /// What could not be read (a damaged or missing block), in words; then the trace may be incomplete.
    pub missing: Vec<String>,
}

impl Query {
    /// Answers from these two.
    pub fn new(collector: Collector, store: Store) -> Self {
        Self {
            collector,
            store,
            scattered: scattered::Kept::default(),
            values: values::Kept::default(),
        }
    }

    /// The whole trace, wherever its spans are. `None` when no span of it is known. Memory and blocks are asked at the same time.
    ///
    /// # Errors
    /// [`QueryError::Store`] when nothing was found and a block could not be asked.
    pub async fn trace(&self, id: TraceId) -> Result<Option<FoundTrace>, QueryError> {
        self.store.read_ahead();
        let blocks = self.store.blocks();
        let (live, mut found) = futures::join!(self.collector.trace(id), self.store.find_trace(id));
        let live = live?.value;
        if blocks.number() != self.store.blocks().number() {
            // A span may have left memory before it was looked for there, into a block that was not there yet.
            found = self.store.find_trace(id).await;
        }
        let mut stored = match found {
            Ok(found) => found,
            Err(error) if live.is_empty() => return Err(error.into()),
            Err(error) => store::FoundTrace {
                unreadable: vec![error.to_string()],
                ..Default::default()
            },
        };
        let missing = std::mem::take(&mut stored.unreadable);
        if live.is_empty() && stored.spans.batch.is_empty() && missing.is_empty() {
            return Ok(None);
        }
        let spans = join::whole(stored, &live)?;
        Ok(Some(FoundTrace { spans, missing }))
    }
}
