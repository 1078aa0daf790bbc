//! Values of a field: of live spans all, of blocks from inventories and dictionaries, and with a filter from the columns of the
//! spans that pass it. What has no column is read from the newest traces.

use std::collections::HashSet;
use std::sync::Arc;

use block::{AttributePages, AttributeType, BlockMeta, SpanColumn, WordPages};
use evaluate::{Matcher, Shown, Tree, read};
use model::{SERVICE_NAME, SpanBatch, SpanKind, StatusCode, ValueRef};
use traceql::query::{
    Condition, Constant, Field, Intrinsic, Owner, Pipeline, Scope, Spansets, Stage,
};

use crate::block_scan::BlockScan;
use crate::columns::{Filter, GroupTraces, Judge, Keys, Mask, constant, elements, value_of};
use crate::live::LiveTraces;
use crate::need::Needs;
use crate::tags::newest_first;
use crate::work::{Work, on_blocking_thread};
use crate::{Query, QueryError, QueryStats, TagValues, TagValuesRequest};

/// Values at the most.
const VALUES_MAX: usize = 100_000;

/// Traces read of a block for values that have no column.
const TRACES_READ: usize = 500;

/// A dictionary of more bytes may have been given up, so that its values are not all.
const TELLING_DICTIONARY_BYTES: usize = 4096;

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

/// Values so far, each once.
#[derive(Debug, Clone)]
struct Found {
    limit: usize,
    values: Vec<Constant>,
    known: HashSet<String>,
    truncated: bool,
}

impl Found {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            values: Vec::new(),
            known: HashSet::new(),
            truncated: false,
        }
    }

    fn is_full(&self) -> bool {
        self.values.len() >= self.limit
    }

    fn add(&mut self, value: Constant) {
        let text = Shown::One(value.clone()).to_string();
        if self.known.contains(&text) {
            return;
        }
        if self.is_full() {
            self.truncated = true;
            return;
        }
        self.known.insert(text);
        self.values.push(value);
    }

    fn add_text(&mut self, text: &str) {
        self.add(Constant::Str(text.into()));
    }

    fn add_shown(&mut self, value: Shown) {
        match value {
            Shown::One(constant) => self.add(constant),
            Shown::Other(_) => {}
            Shown::Many(items) => items.into_iter().for_each(|item| self.add_shown(item)),
        }
    }

    fn add_value(&mut self, value: ValueRef<'_>) {
        match value {
            ValueRef::Json(text) => elements(text).for_each(|element| self.add(element)),
            single => constant(single).into_iter().for_each(|one| self.add(one)),
        }
    }

    fn finish(mut self, missing: Vec<String>, stats: QueryStats) -> TagValues {
        self.values.sort_by_cached_key(|value| match value {
            Constant::Int(int) => (0, *int, String::new()),
            other => (1, 0, Shown::One(other.clone()).to_string()),
        });
        TagValues {
            values: self.values,
            truncated: self.truncated,
            missing,
            stats,
        }
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

// === blocks ===

/// Takes the values that the manifest knows; `false` when the block must be opened.
fn in_inventory(block: &BlockMeta, request: &TagValuesRequest, found: &mut Found) -> bool {
    if request.filter.is_some() {
        return false;
    }
    match &request.field {
        Field::Attribute {
            owner: Owner::Span,
            scope: Scope::Resource,
            name,
        } if &**name == SERVICE_NAME => {
            block
                .services
                .iter()
                .for_each(|service| found.add_text(&service.name));
            true
        }
        Field::Intrinsic {
            owner: Owner::Span,
            intrinsic: intrinsic @ (Intrinsic::Name | Intrinsic::RootName),
        } => {
            let is_all = block
                .services
                .iter()
                .all(|service| !service.operations_truncated);
            for operation in block
                .services
                .iter()
                .flat_map(|service| &service.operations)
            {
                if *intrinsic == Intrinsic::Name || operation.roots > 0 {
                    found.add_text(&operation.name);
                }
            }
            found.truncated |= !is_all;
            true
        }
        _ => false,
    }
}

fn in_block(
    scan: &BlockScan,
    request: &TagValuesRequest,
    found: &mut Found,
) -> Result<(), QueryError> {
    let file = scan.columns.file();
    let (scope, name) = match &request.field {
        Field::Attribute {
            owner: Owner::Span,
            scope,
            name,
        } => (*scope, name),
        _ => return in_traces(scan, request, found),
    };
    let resources = scan.columns.resources();
    if request.filter.is_none()
        && matches!(scope, Scope::Resource | Scope::Instrumentation | Scope::Any)
    {
        of_resources(resources, scope, name, found);
    }
    if request.filter.is_none() && matches!(scope, Scope::Resource | Scope::Instrumentation) {
        return Ok(());
    }
    let columns: Vec<_> = file
        .columns_of(name)
        .map(|(at, column)| (at, column.kind))
        .collect();
    let keys = Keys::of([&request.field]).columns(&scan.meta, file);
    let is_elsewhere = [SpanColumn::Tail, SpanColumn::Events, SpanColumn::Links]
        .iter()
        .any(|column| keys.contains(column));
    let is_of_span = matches!(scope, Scope::Span | Scope::Any) && !columns.is_empty();
    if is_of_span && request.filter.is_none() {
        in_dictionaries(scan, &columns, found)?;
    } else if is_of_span && scan.is_exact() {
        in_columns(scan, request.filter.as_ref(), &columns, found)?;
    }
    let was_read = is_of_span && (request.filter.is_none() || scan.is_exact());
    let is_rest = is_elsewhere || (request.filter.is_some() && !was_read);
    if is_rest && !found.is_full() {
        in_traces(scan, request, found)?;
    }
    Ok(())
}

fn of_resources(resources: &SpanBatch, scope: Scope, name: &str, found: &mut Found) {
    for row in &resources.resources {
        if scope != Scope::Instrumentation {
            if name == SERVICE_NAME {
                found.add_text(resources.symbols.str(row.service));
            } else {
                of_attributes(resources, row.attributes, name, found);
            }
        }
        if scope != Scope::Resource {
            of_attributes(resources, row.scope_attributes, name, found);
        }
    }
}

fn of_attributes(batch: &SpanBatch, range: model::Range32, name: &str, found: &mut Found) {
    let mut attributes = batch.attributes(range).iter();
    if let Some(attribute) = attributes.find(|it| batch.symbols.str(it.key) == name) {
        found.add_value(batch.symbols.value(attribute.value));
    }
}

/// The entries of the dictionaries of the columns; of a chunk without one, the values of its first page.
fn in_dictionaries(
    scan: &BlockScan,
    columns: &[(u16, AttributeType)],
    found: &mut Found,
) -> Result<(), QueryError> {
    let damaged = |error| scan.columns.damaged(error);
    let mut wanted = vec![SpanColumn::Resource];
    wanted.extend(columns.iter().map(|(at, _)| SpanColumn::Attribute(*at)));
    for group in 0..scan.columns.file().group_count() {
        scan.work().check()?;
        let (mut spans, bytes) = scan.columns.read(group, &wanted, Some(&[0]))?;
        scan.work().count_bytes(bytes);
        for &(at, kind) in columns {
            match spans.attribute(at, 0).map_err(damaged)? {
                AttributePages::Bools(_) => {
                    found.add(Constant::Bool(false));
                    found.add(Constant::Bool(true));
                }
                AttributePages::Words(words) => {
                    of_dictionary(words, kind, found).map_err(damaged)?;
                }
            }
        }
        if found.is_full() {
            break;
        }
    }
    Ok(())
}

fn of_dictionary(
    words: &WordPages,
    kind: AttributeType,
    found: &mut Found,
) -> Result<(), block::ReadError> {
    let mut bytes = 0;
    for code in 0..words.entry_count() as u32 {
        bytes += words.entry(code).len() + size_of::<u32>();
        found.add_value(value_of(words.entry(code), kind)?);
    }
    if words.codes().is_none() {
        for at in 0..words.len() {
            found.add_value(value_of(words.plain(at), kind)?);
        }
    }
    found.truncated |= bytes > TELLING_DICTIONARY_BYTES || words.entry_count() == 0;
    Ok(())
}

/// The values in the columns of the rows that pass the filter, which columns decide.
fn in_columns(
    scan: &BlockScan,
    filter: Option<&Condition>,
    columns: &[(u16, AttributeType)],
    found: &mut Found,
) -> Result<(), QueryError> {
    let damaged = |error| scan.columns.damaged(error);
    let condition = filter.cloned().unwrap_or(Condition::Const(true));
    let filter = Filter::compile(&condition, &scan.target());
    let mut wanted = filter.columns().to_vec();
    wanted.extend(columns.iter().map(|(at, _)| SpanColumn::Attribute(*at)));
    wanted.sort_unstable();
    wanted.dedup();
    let file = scan.columns.file();
    for group in 0..file.group_count() {
        let (mut spans, bytes) = scan.columns.read(group, &wanted, None)?;
        scan.work().count_bytes(bytes);
        let traces = GroupTraces::of(&scan.table, file.rows(group));
        let mut judge = Judge::new(&filter);
        for page in 0..spans.page_count() {
            scan.work().check()?;
            let rows = spans.page_rows(page).len();
            scan.work().count_spans(rows);
            let verdict = judge.page(&mut spans, &traces, page, &Mask::all(rows));
            let passing = verdict.map_err(damaged)?.maybe;
            if passing.is_empty() {
                continue;
            }
            for &(at, kind) in columns {
                match spans.attribute(at, page).map_err(damaged)? {
                    AttributePages::Bools(bools) => {
                        for (place, &row) in bools.rows().iter().enumerate() {
                            if passing.has(row as usize) {
                                found.add(Constant::Bool(bools.value(place)));
                            }
                        }
                    }
                    AttributePages::Words(words) => {
                        of_rows(words, kind, &passing, found).map_err(damaged)?;
                    }
                }
            }
            if found.is_full() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn of_rows(
    words: &WordPages,
    kind: AttributeType,
    passing: &Mask,
    found: &mut Found,
) -> Result<(), block::ReadError> {
    let mut seen = vec![false; words.entry_count()];
    for (place, &row) in words.rows().iter().enumerate() {
        if !passing.has(row as usize) {
            continue;
        }
        match words.codes() {
            Some(codes) if seen[codes[place] as usize] => {}
            Some(codes) => {
                seen[codes[place] as usize] = true;
                found.add_value(value_of(words.entry(codes[place]), kind)?);
            }
            None => found.add_value(value_of(words.plain(place), kind)?),
        }
    }
    Ok(())
}

/// The values of the newest traces that may pass.
fn in_traces(
    scan: &BlockScan,
    request: &TagValuesRequest,
    found: &mut Found,
) -> Result<(), QueryError> {
    let newest = scan.table.newest().iter().copied();
    let candidates = newest.filter(|&at| scan.may_match(at as usize));
    let candidates: Vec<u32> = candidates.collect();
    let mut passed = if scan.is_judged() {
        scan.judge(&candidates, &|_| true)?
    } else {
        candidates
    };
    passed.sort_unstable_by_key(|&at| std::cmp::Reverse(scan.table.start(at as usize)));
    found.truncated |= passed.len() > TRACES_READ;
    passed.truncate(TRACES_READ);
    let mut fields = vec![request.field.clone()];
    let pipeline = pipeline(request.filter.as_ref());
    pipeline.visit_fields(&mut |field| fields.push(field.clone()));
    let mut matcher = Matcher::new(&pipeline);
    scan.evaluate(&passed, &Keys::of(&fields), |_, tree| {
        of_tree(tree, &mut matcher, &request.field, found);
        Ok(!found.is_full())
    })
}
