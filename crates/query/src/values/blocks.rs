//! Values of a field in a block: from its inventory, its columns, and else from some of its traces.

use block::{AttributePages, AttributeType, BlockMeta, SpanColumn, SpanFile, WordPages};
use evaluate::Matcher;
use traceql::query::{Condition, Constant, Field, Intrinsic, Owner, Scope};

use super::found::Found;
use super::{of_tree, pipeline};
use crate::block_scan::BlockScan;
use crate::columns::{Filter, GroupTraces, Judge, Keys, Mask, value_of};
use crate::{QueryError, TagValuesRequest};

/// Traces read of a block for values that have no column.
const TRACES_READ: usize = 500;

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
        service if service.is_service_name() => {
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

/// Adds what dictionaries do not tell: the values of spans that pass a filter, and of what has no column.
pub(super) fn in_block(
    scan: &BlockScan,
    request: &TagValuesRequest,
    found: &mut Found,
) -> Result<(), QueryError> {
    let file = scan.columns.file();
    let of_span = match &request.field {
        Field::Attribute {
            owner: Owner::Span,
            scope: Scope::Span | Scope::Any,
            name,
        } => Some(name),
        _ => None,
    };
    if let (Some(name), Some(filter), true) = (of_span, &request.filter, scan.is_exact()) {
        let columns: Vec<_> = file
            .columns_of(name)
            .map(|(at, column)| (at, column.kind))
            .collect();
        if !columns.is_empty() {
            in_columns(scan, filter, &columns, found)?;
            if !is_elsewhere(&request.field, &scan.meta, file) || found.is_full() {
                return Ok(());
            }
        }
    }
    in_traces(scan, request, found)
}

/// Whether spans may have values of a field where it has no column.
pub(super) fn is_elsewhere(field: &Field, meta: &BlockMeta, file: &SpanFile) -> bool {
    let keys = Keys::of([field]).columns(meta, file);
    let elsewhere = [SpanColumn::Tail, SpanColumn::Events, SpanColumn::Links];
    elsewhere.iter().any(|column| keys.contains(column))
}

/// The values in the columns of the rows that pass the filter, which columns decide.
fn in_columns(
    scan: &BlockScan,
    filter: &Condition,
    columns: &[(u16, AttributeType)],
    found: &mut Found,
) -> Result<(), QueryError> {
    let damaged = |error| scan.columns.damaged(error);
    let filter = Filter::compile(filter, &scan.target());
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
