//! Values of a field: of live spans all, of blocks from inventories and dictionaries, and with a filter from the columns of the
//! spans that pass it. What has no column is read from the newest traces.

mod blocks;
mod dictionaries;
mod found;
mod kept;

pub(crate) use kept::Kept;

use std::sync::Arc;

use block::BlockMeta;
use evaluate::{Matcher, Tree, Values, is_of_span_alone, read};
use model::{SpanKind, StatusCode};
use traceql::query::{Condition, Constant, Field, Intrinsic, Pipeline, Spansets, Stage};

use self::blocks::{in_block, in_inventory};
use self::dictionaries::Dictionaries;
use self::found::Found;
use self::kept::Told;
use crate::block_scan::BlockScan;
use crate::live::{LiveRows, LiveTraces};
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
        if let Some(values) = always(&request.field) {
            return Ok(TagValues {
                values,
                ..TagValues::default()
            });
        }
        let mut found = Found::new(request.limit);
        let live = self.collector.live_spans().await?;
        let (asked, looked) = (request.clone(), work.clone());
        change(&mut found, move |found| {
            let live = LiveTraces::new(live.value);
            in_live(&live, &asked, &looked, found)
        })
        .await?;
        let mut missing: Vec<String> = self.store.unread().into_iter().collect();
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
            match self.values_in(block, &request, &work, &mut found).await {
                Err(QueryError::Store(error)) => missing.push(error.to_string()),
                other => other?,
            }
        }
        Ok(found.finish(missing, work.stats()))
    }

    /// Adds the values of a block. The trace table is only loaded when dictionaries do not tell all of them.
    async fn values_in(
        &self,
        block: Arc<BlockMeta>,
        request: &Arc<TagValuesRequest>,
        work: &Work,
        found: &mut Found,
    ) -> Result<(), QueryError> {
        if request.filter.is_none() {
            let told = self.told_by(&block, &request.field, work).await?;
            found.add_told(&told);
            if !told.is_rest || found.is_full() {
                return Ok(());
            }
        }
        let (table, columns) = futures::try_join!(
            self.store.trace_table(&block),
            self.store.open_columns(&block),
        )?;
        let columns = Arc::new(columns);
        let (request, work) = (request.clone(), work.clone());
        change(found, move |found| {
            let needs = Needs::of(&pipeline(request.filter.as_ref()));
            let scan = BlockScan::new(block, table, columns, &needs, work);
            in_block(&scan, &request, found)
        })
        .await
    }
}

impl Query {
    /// What a block tells of the values of a field without a look at its spans.
    async fn told_by(
        &self,
        block: &Arc<BlockMeta>,
        field: &Field,
        work: &Work,
    ) -> Result<Arc<Told>, QueryError> {
        if let Some(told) = self.values.get(block.id, field) {
            return Ok(told);
        }
        let dictionaries = Dictionaries {
            meta: block.clone(),
            columns: self.store.open_columns(block).await?,
            work: work.clone(),
        };
        let asked = field.clone();
        let told = on_blocking_thread(move || dictionaries.tell(&asked)).await?;
        let told = Arc::new(told);
        self.values.keep(block.id, field, &told);
        Ok(told)
    }
}

/// Has work done on what has been found where it does not hold up other tasks.
async fn change<T: Send + 'static>(
    found: &mut Found,
    work: impl FnOnce(&mut Found) -> Result<T, QueryError> + Send + 'static,
) -> Result<T, QueryError> {
    let mut taken = std::mem::replace(found, Found::new(0));
    let (taken, result) = on_blocking_thread(move || {
        let result = work(&mut taken);
        Ok((taken, result))
    })
    .await?;
    *found = taken;
    result
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

/// Adds the values of live spans, the newest first as far as the limit matters.
fn in_live(
    live: &LiveTraces,
    request: &TagValuesRequest,
    work: &Work,
    found: &mut Found,
) -> Result<(), QueryError> {
    let pipeline = pipeline(request.filter.as_ref());
    let mut matcher = Matcher::new(&pipeline);
    if is_of_span_alone(&request.field) && Needs::of(&pipeline).is_of_spans_alone() {
        return in_live_spans(live, &mut matcher, &request.field, work, found);
    }
    let mut ids: Vec<_> = live.iter().map(|(id, trace)| (trace.start, id)).collect();
    ids.sort_unstable_by(|a, b| b.cmp(a));
    let ids: Vec<_> = ids.into_iter().map(|(_, id)| id).collect();
    live.evaluate(&ids, work, |_, tree| {
        of_tree(tree, &mut matcher, &request.field, found);
        Ok(!found.is_full())
    })
}

/// Values that do not depend on the traces that spans are of.
fn in_live_spans(
    live: &LiveTraces,
    matcher: &mut Matcher,
    field: &Field,
    work: &Work,
    found: &mut Found,
) -> Result<(), QueryError> {
    let ids: Vec<_> = live.iter().map(|(id, _)| id).collect();
    let rows = LiveRows::new(live, &ids);
    for generation in rows.generations().iter().rev() {
        rows.look_at(generation, work, |spans, _| {
            let mut values = Values::new(field, spans.batch());
            let passed = matcher.run(spans).into_iter();
            for at in passed.flat_map(|spanset| spanset.spans.into_iter().rev()) {
                if found.is_full() {
                    break;
                }
                values.read(spans, at, |value| found.add_shown(value));
            }
            Ok(())
        })?;
    }
    Ok(())
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
