//! Values of a field in a block: from its inventory, its dictionaries, its columns, and else from some of its traces.

use block::{AttributePages, AttributeType, BlockMeta, SpanColumn, WordPages};
use evaluate::Matcher;
use model::{SERVICE_NAME, SpanBatch};
use traceql::query::{Condition, Constant, Field, Intrinsic, Owner, Scope};

use super::found::Found;
use super::{of_tree, pipeline};
use crate::block_scan::BlockScan;
use crate::columns::{Filter, GroupTraces, Judge, Keys, Mask, value_of};
use crate::{QueryError, TagValuesRequest};

/// Traces read of a block for values that have no column.
const TRACES_READ: usize = 500;

/// A dictionary of more bytes may have been given up, so that its values are not all.
const TELLING_DICTIONARY_BYTES: usize = 4096;

/// Takes the values that the manifest knows; `false` when the block must be opened.
pub(super) fn in_inventory(
    block: &BlockMeta,
    request: &TagValuesRequest,
    found: &mut Found,
) -> bool {
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

pub(super) fn in_block(
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
        scan.judge(&candidates)?.passed
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
