//! Names of attributes, from the inventories of blocks and the symbols of live spans; no stored span is read. Those of some spans
//! only: [`crate::names`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use block::{AttributeScope, BlockMeta};
use collect::LiveSpans;
use model::{Range32, SpanBatch, UnixNanos};
use traceql::query::Scope;

use crate::work::on_blocking_thread;
use crate::{Query, QueryError, TagNames, TagsRequest};

/// Names per scope at the most.
const NAMES_MAX: usize = 100_000;

/// The names of each scope.
pub(crate) type Names = BTreeMap<Scope, BTreeSet<String>>;

impl Query {
    /// Names of attributes, from inventories: no stored span is read, unless only those of some spans are wanted.
    ///
    /// # Errors
    /// [`QueryError::Live`]; with a filter, as with [`Self::search`].
    pub async fn tag_names(&self, request: &TagsRequest) -> Result<TagNames, QueryError> {
        if let Some(filter) = &request.filter {
            return self.names_of_spans(request, filter).await;
        }
        let live = self.collector.live_spans().await?;
        let (spans, wanted) = (live.value, request.clone());
        let mut names = on_blocking_thread(move || Ok(live_names(&spans, &wanted))).await?;
        let blocks = self.store.blocks();
        let mut truncated = false;
        for block in blocks
            .iter()
            .filter(|block| overlaps(block, request.start, request.end))
        {
            truncated |= block.keys_truncated;
            for key in &block.keys {
                let scope = scope_of(key.scope);
                if is_wanted(request, scope) && !key.key.is_empty() {
                    let known = names.entry(scope).or_default();
                    if !known.contains(&key.key) {
                        known.insert(key.key.clone());
                    }
                }
            }
        }
        // Every span has one, whether its resource says so or not.
        if is_wanted(request, Scope::Resource) && !names.is_empty() {
            let resource = names.entry(Scope::Resource).or_default();
            resource.insert(model::SERVICE_NAME.to_owned());
        }
        Ok(told(names, request, truncated, Vec::new()))
    }
}

/// The names by scope, no more than are wanted.
pub(crate) fn told(
    mut names: Names,
    request: &TagsRequest,
    mut truncated: bool,
    missing: Vec<String>,
) -> TagNames {
    let limit = request.limit.clamp(1, NAMES_MAX);
    let mut scopes = Vec::new();
    for scope in Scope::NAMED {
        let Some(known) = names.remove(&scope) else {
            continue;
        };
        truncated |= known.len() > limit;
        scopes.push((scope, known.into_iter().take(limit).collect()));
    }
    TagNames {
        scopes,
        truncated,
        missing,
    }
}

/// Whether some span of the block may have started between the two.
pub(crate) fn overlaps(
    block: &BlockMeta,
    start: Option<UnixNanos>,
    end: Option<UnixNanos>,
) -> bool {
    end.is_none_or(|end| block.start_min <= end) && start.is_none_or(|start| block.end_max >= start)
}

pub(crate) fn is_wanted(request: &TagsRequest, scope: Scope) -> bool {
    request.scope == Scope::Any || request.scope == scope
}

fn scope_of(scope: AttributeScope) -> Scope {
    match scope {
        AttributeScope::Resource => Scope::Resource,
        AttributeScope::Instrumentation => Scope::Instrumentation,
        AttributeScope::Span => Scope::Span,
        AttributeScope::Event => Scope::Event,
        AttributeScope::Link => Scope::Link,
    }
}

fn live_names(spans: &[LiveSpans], request: &TagsRequest) -> Names {
    let mut names = Names::new();
    for generation in spans {
        let batch = generation.batch();
        let mut collect = |scope: Scope, ranges: &mut dyn Iterator<Item = Range32>| {
            if is_wanted(request, scope) {
                keys(batch, ranges, names.entry(scope).or_default());
            }
        };
        let resources = || batch.resources.iter();
        collect(Scope::Resource, &mut resources().map(|row| row.attributes));
        collect(
            Scope::Instrumentation,
            &mut resources().map(|row| row.scope_attributes),
        );
        collect(
            Scope::Span,
            &mut batch.spans.iter().map(|span| span.attributes),
        );
        collect(
            Scope::Event,
            &mut batch.events.iter().map(|event| event.attributes),
        );
        collect(
            Scope::Link,
            &mut batch.links.iter().map(|link| link.attributes),
        );
    }
    names.retain(|_, known| !known.is_empty());
    names
}

/// Adds the keys of these attributes, each symbol looked at once.
fn keys(batch: &SpanBatch, ranges: &mut dyn Iterator<Item = Range32>, into: &mut BTreeSet<String>) {
    let mut seen = vec![false; batch.symbols.len()];
    for range in ranges {
        for attribute in batch.attributes(range) {
            let seen = &mut seen[attribute.key.index()];
            if !*seen {
                *seen = true;
                let key = batch.symbols.str(attribute.key);
                if !key.is_empty() {
                    into.insert(key.to_owned());
                }
            }
        }
    }
}

/// Blocks that may have spans between the two, newest first.
pub(crate) fn newest_first(
    query: &Query,
    start: Option<UnixNanos>,
    end: Option<UnixNanos>,
) -> Vec<Arc<BlockMeta>> {
    let all = query.store.blocks();
    let mut blocks: Vec<_> = all
        .iter()
        .filter(|block| overlaps(block, start, end))
        .cloned()
        .collect();
    blocks.sort_by_key(|block| std::cmp::Reverse(block.start_max));
    blocks
}
