//! Values of a field: of live spans all, of blocks from inventories and dictionaries, and with a filter from the columns of the
//! spans that pass it. What has no column is read from the newest traces.

mod blocks;
mod found;

use std::sync::Arc;

use block::BlockMeta;
use evaluate::{Matcher, Tree, read};
use model::{SpanKind, StatusCode};
use traceql::query::{Condition, Constant, Field, Intrinsic, Pipeline, Spansets, Stage};

use self::blocks::{in_block, in_inventory};
use self::found::Found;
use crate::block_scan::BlockScan;
use crate::live::LiveTraces;
use crate::need::Needs;
use crate::tags::newest_first;
use crate::work::{Work, on_blocking_thread};
use crate::{Query, QueryError, TagValues, TagValuesRequest};

/// Values at the most.
const VALUES_MAX: usize = 100_000;

impl Query {
    /// Values of a field.
    ///
    /// # Errors
    /// As with [`Self::search`].
    pub async fn tag_values(&self, request: &TagValuesRequest) -> Result<TagValues, QueryError> {
        let (work, _guard) = Work::begin(request.limits);
        let mut request = request.clone();
        request.limit = request.limit.clamp(1, VALUES_MAX);
        let request = Arc::new(request);
        let mut found = Found::new(request.limit);
        if let Some(known) = always(&request.field) {
            found.values = known;
            return Ok(found.finish(Vec::new(), work.stats()));
        }
        let live = self.collector.live_spans().await?;
        let (asked, looked) = (request.clone(), work.clone());
        found = on_blocking_thread(move || {
            let live = LiveTraces::new(live.value);
            in_live(&live, &asked, &looked, &mut found)?;
            Ok(found)
        })
        .await?;
        let mut missing = Vec::new();
        let blocks = newest_first(self, request.start, request.end);
        let blocks = blocks
            .into_iter()
            .filter(|block| !live.blocks.contains(&block.id));
        for block in blocks {
            if found.is_full() {
                break;
            }
            if in_inventory(&block, &request, &mut found) {
                continue;
            }
            let opened = Self::values_in(self, block, request.clone(), work.clone(), found.clone());
            match opened.await {
                Ok(more) => found = more,
                Err(QueryError::Store(error)) => missing.push(error.to_string()),
                Err(error) => return Err(error),
            }
        }
        Ok(found.finish(missing, work.stats()))
    }

    async fn values_in(
        &self,
        block: Arc<BlockMeta>,
        request: Arc<TagValuesRequest>,
        work: Work,
        mut found: Found,
    ) -> Result<Found, QueryError> {
        let (table, columns) = futures::try_join!(
            self.store.trace_table(&block),
            self.store.open_columns(&block),
        )?;
        on_blocking_thread(move || {
            let needs = Needs::of(&pipeline(request.filter.as_ref()));
            let scan = BlockScan::new(block, table, Arc::new(columns), &needs, work);
            in_block(&scan, &request, &mut found)?;
            Ok(found)
        })
        .await
    }
}

/// Values that do not depend on the spans: of status and kind. None for numbers, which only spans have and nobody picks.
fn always(field: &Field) -> Option<Vec<Constant>> {
    let Field::Intrinsic { intrinsic, .. } = field else {
        return None;
    };
    match intrinsic {
        Intrinsic::Status => Some(
            [2, 1, 0]
                .map(|at| Constant::Status(StatusCode::from_number(at)))
                .to_vec(),
        ),
        Intrinsic::Kind => {
            let kinds = [0, 1, 2, 3, 4, 5];
            Some(
                kinds
                    .map(|at| Constant::Kind(SpanKind::from_number(at)))
                    .to_vec(),
            )
        }
        Intrinsic::Duration
        | Intrinsic::TraceDuration
        | Intrinsic::ChildCount
        | Intrinsic::EventTimeSinceStart
        | Intrinsic::NestedSetLeft
        | Intrinsic::NestedSetRight
        | Intrinsic::NestedSetParent
        | Intrinsic::SpanId
        | Intrinsic::ParentId
        | Intrinsic::TraceId => Some(Vec::new()),
        _ => None,
    }
}

fn pipeline(filter: Option<&Condition>) -> Pipeline {
    let condition = filter.cloned().unwrap_or(Condition::Const(true));
    Pipeline {
        stages: vec![Stage::Spansets(Spansets::Filter(condition))],
    }
}

// === live ===

fn in_live(
    live: &LiveTraces,
    request: &TagValuesRequest,
    work: &Work,
    found: &mut Found,
) -> Result<(), QueryError> {
    let mut ids: Vec<_> = live.iter().map(|(id, trace)| (trace.start, id)).collect();
    ids.sort_unstable_by(|a, b| b.cmp(a));
    let ids: Vec<_> = ids.into_iter().map(|(_, id)| id).collect();
    let mut matcher = Matcher::new(&pipeline(request.filter.as_ref()));
    live.evaluate(&ids, work, |_, tree| {
        of_tree(tree, &mut matcher, &request.field, found);
        Ok(!found.is_full())
    })
}

fn of_tree(tree: &Tree<'_>, matcher: &mut Matcher, field: &Field, found: &mut Found) {
    for spanset in matcher.run(tree) {
        for at in spanset.spans {
            if let Some(value) = read(field, tree, at) {
                found.add_shown(value);
            }
        }
    }
}
