//! Names of the attributes of spans that pass a filter, from the newest traces that have some.

use std::cmp::Reverse;
use std::sync::Arc;

use block::BlockMeta;
use evaluate::{Matcher, Tree};
use model::{Range32, SERVICE_NAME};
use traceql::query::{Condition, Pipeline, Scope, Spansets, Stage};

use crate::block_scan::BlockScan;
use crate::columns::Keys;
use crate::live::LiveTraces;
use crate::need::Needs;
use crate::tags::{Names, is_wanted, newest_first, told};
use crate::work::{Work, on_blocking_thread};
use crate::{Query, QueryError, TagNames, TagsRequest};

/// Traces with spans that pass which are looked at. Spans of one kind have much the same attributes, and whole spans are dear.
const TRACES_MAX: usize = 64;

/// Names so far.
struct Gathering {
    request: TagsRequest,
    matcher: Matcher,
    names: Names,
    /// Traces that have given some.
    traces: usize,
    truncated: bool,
}

impl Query {
    pub(crate) async fn names_of_spans(
        &self,
        request: &TagsRequest,
        filter: &Condition,
    ) -> Result<TagNames, QueryError> {
        let (work, _guard) = Work::begin(request.limits);
        let pipeline = Arc::new(Pipeline {
            stages: vec![Stage::Spansets(Spansets::Filter(filter.clone()))],
        });
        let mut gathering = Gathering {
            request: request.clone(),
            matcher: Matcher::new(&pipeline),
            names: Names::new(),
            traces: 0,
            truncated: false,
        };
        let live = self.collector.live_spans().await?;
        let looked = work.clone();
        gathering = on_blocking_thread(move || {
            gathering.add_live(&LiveTraces::new(live.value), &looked)?;
            Ok(gathering)
        })
        .await?;
        let mut missing: Vec<String> = self.store.unread().into_iter().collect();
        for block in newest_first(self, request.start, request.end) {
            if gathering.is_full() {
                gathering.truncated = true;
                break;
            }
            if live.blocks.contains(&block.id) {
                continue;
            }
            match self.scan_for_names(&block, &pipeline, &work).await {
                Ok(scan) => {
                    gathering = on_blocking_thread(move || {
                        gathering.add_block(&scan)?;
                        Ok(gathering)
                    })
                    .await?;
                }
                Err(QueryError::Store(error)) => missing.push(error.to_string()),
                Err(error) => return Err(error),
            }
        }
        let Gathering {
            names, truncated, ..
        } = gathering;
        Ok(told(names, request, truncated, missing))
    }

    async fn scan_for_names(
        &self,
        block: &Arc<BlockMeta>,
        pipeline: &Arc<Pipeline>,
        work: &Work,
    ) -> Result<BlockScan, QueryError> {
        let (table, columns) = futures::try_join!(
            self.store.trace_table(block),
            self.store.open_columns(block),
        )?;
        let (block, pipeline, work) = (block.clone(), pipeline.clone(), work.clone());
        on_blocking_thread(move || {
            let needs = Needs::of(&pipeline);
            Ok(BlockScan::new(
                block,
                table,
                Arc::new(columns),
                &needs,
                work,
            ))
        })
        .await
    }
}

impl Gathering {
    fn is_full(&self) -> bool {
        self.traces >= TRACES_MAX
    }

    fn add_live(&mut self, live: &LiveTraces, work: &Work) -> Result<(), QueryError> {
        let mut ids: Vec<_> = live
            .iter()
            .map(|(id, trace)| (Reverse(trace.start), id))
            .collect();
        ids.sort_unstable();
        let ids: Vec<_> = ids.into_iter().map(|(_, id)| id).collect();
        live.evaluate(&ids, work, |_, tree| {
            self.add(tree);
            Ok(!self.is_full())
        })
    }

    fn add_block(&mut self, scan: &BlockScan) -> Result<(), QueryError> {
        let newest = scan.table.newest().iter().copied();
        let candidates: Vec<u32> = newest.filter(|&at| scan.may_match(at as usize)).collect();
        let mut passed = scan.judge(&candidates)?.passed;
        passed.sort_unstable_by_key(|&at| Reverse(scan.table.start(at as usize)));
        self.truncated |= passed.len() > TRACES_MAX;
        passed.truncate(TRACES_MAX);
        scan.evaluate(&passed, &Keys::everything(), |_, tree| {
            self.add(tree);
            Ok(!self.is_full())
        })
    }

    /// Adds the names of the spans of a trace that pass.
    fn add(&mut self, tree: &Tree<'_>) {
        let batch = tree.batch();
        let mut has_any = false;
        for at in self
            .matcher
            .run(tree)
            .into_iter()
            .flat_map(|spanset| spanset.spans)
        {
            has_any = true;
            let (names, request) = (&mut self.names, &self.request);
            let mut add = |scope: Scope, range: Range32| {
                for attribute in batch.attributes(range) {
                    let key = batch.symbols.str(attribute.key);
                    if is_wanted(request, scope) && !key.is_empty() {
                        let known = names.entry(scope).or_default();
                        if !known.contains(key) {
                            known.insert(key.to_owned());
                        }
                    }
                }
            };
            let span = tree.span(at);
            let resource = &batch.resources[span.resource as usize];
            add(Scope::Span, span.attributes);
            add(Scope::Resource, resource.attributes);
            add(Scope::Instrumentation, resource.scope_attributes);
            let events = batch.events(span).iter();
            events.for_each(|event| add(Scope::Event, event.attributes));
            let links = batch.links(span).iter();
            links.for_each(|link| add(Scope::Link, link.attributes));
        }
        self.traces += usize::from(has_any);
        // Every span has one, whether its resource says so or not.
        if has_any && is_wanted(&self.request, Scope::Resource) {
            let resource = self.names.entry(Scope::Resource).or_default();
            resource.insert(SERVICE_NAME.to_owned());
        }
    }
}
