//! Blocks and manifest, described.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use block::BlockMeta;
use store::Store;

use crate::table::{Table, bytes, count, ratio, time};

/// Keys, services and operations of a block that are shown; the most frequent come first.
const SHOWN_MAX: usize = 40;

/// A row for each block.
pub(super) fn list(store: &Store) -> String {
    let mut table = Table::new([
        "block id",
        "level",
        "written",
        "traces from",
        "to",
        "spans",
        "traces",
        "errors",
        "size",
        "bytes/span",
    ]);
    for block in store.blocks().iter() {
        table.row([
            block.id.to_string(),
            block.level.to_string(),
            time(block.created),
            time(block.start_min),
            time(block.start_max),
            count(block.spans),
            count(block.traces),
            count(block.errors),
            bytes(block.byte_count()),
            ratio(block.byte_count(), block.spans),
        ]);
    }
    table.render()
}

#[derive(Default)]
struct Sum {
    blocks: u64,
    spans: u64,
    traces: u64,
    bytes: u64,
}

/// Totals, and a row for each day and level.
pub(super) fn manifest(store: &Store) -> String {
    let blocks = store.blocks();
    let mut groups: BTreeMap<(&str, u32), Sum> = BTreeMap::new();
    for block in blocks.iter() {
        let sum = groups
            .entry((block.date.as_str(), block.level))
            .or_default();
        sum.blocks += 1;
        sum.spans += block.spans;
        sum.traces += block.traces;
        sum.bytes += block.byte_count();
    }
    let stats = store.stats();
    let mut text = String::new();
    // Writing into memory cannot fail.
    let _ = writeln!(
        text,
        "edit {}: {} blocks, {} spans, {}, {} bytes a span",
        blocks.number(),
        count(stats.blocks),
        count(stats.spans),
        bytes(stats.bytes),
        ratio(stats.bytes, stats.spans),
    );
    if groups.is_empty() {
        return text;
    }
    let mut table = Table::new([
        "day",
        "level",
        "blocks",
        "spans",
        "traces",
        "size",
        "bytes/span",
    ]);
    for ((date, level), sum) in groups {
        table.row([
            format!("on {date}"),
            level.to_string(),
            count(sum.blocks),
            count(sum.spans),
            count(sum.traces),
            bytes(sum.bytes),
            ratio(sum.bytes, sum.spans),
        ]);
    }
    text.push_str(&table.render());
    text
}

/// One block in detail.
pub(super) fn describe(block: &BlockMeta) -> String {
    let mut text = String::new();
    // Writing into memory cannot fail.
    let _ = writeln!(
        text,
        "block {} (format {}, level {})",
        block.id, block.format, block.level
    );
    let _ = writeln!(text, "folder {}", block.folder());
    let _ = writeln!(text, "written {}", time(block.created));
    let _ = writeln!(
        text,
        "traces from {} to {}, ending by {}",
        time(block.start_min),
        time(block.start_max),
        time(block.end_max)
    );
    let _ = writeln!(
        text,
        "trace ids from {} to {}",
        block.trace_id_min.0, block.trace_id_max.0
    );
    let _ = writeln!(
        text,
        "{} spans, {} with errors, {} traces, {} of them pieces",
        count(block.spans),
        count(block.errors),
        count(block.traces),
        count(block.partial_traces)
    );
    let mut files = Table::new(["file", "size", "bytes/span"]);
    let sizes = [
        ("spans.parquet", block.files.spans),
        ("traces.parquet", block.files.traces),
        ("resources.parquet", block.files.resources),
        ("trace_id.bloom", block.files.bloom),
    ];
    for (name, size) in sizes {
        files.row([name.into(), bytes(size), ratio(size, block.spans)]);
    }
    let _ = write!(text, "\n{}", files.render());
    describe_keys(block, &mut text);
    describe_services(block, &mut text);
    text
}

fn describe_keys(block: &BlockMeta, text: &mut String) {
    let mut table = Table::new(["attribute", "of", "type", "occurrences", "column"]);
    for key in block.keys.iter().take(SHOWN_MAX) {
        let is_span = key.scope == block::AttributeScope::Span;
        let own = block
            .columns
            .iter()
            .find(|column| is_span && column.key == key.key && column.kind == key.kind);
        table.row([
            key.key.clone(),
            format!("{:?}", key.scope).to_lowercase(),
            format!("{:?}", key.kind).to_lowercase(),
            count(key.count),
            own.map_or_else(String::new, |column| column.column.clone()),
        ]);
    }
    let _ = write!(text, "\n{}", table.render());
    if block.keys.len() > SHOWN_MAX {
        let _ = writeln!(text, "and {} more", block.keys.len() - SHOWN_MAX);
    }
}

fn describe_services(block: &BlockMeta, text: &mut String) {
    let mut table = Table::new(["service", "spans", "errors", "operations"]);
    for service in block.services.iter().take(SHOWN_MAX) {
        table.row([
            service.name.clone(),
            count(service.spans),
            count(service.errors),
            count(service.operations.len() as u64),
        ]);
    }
    let _ = write!(text, "\n{}", table.render());
    if block.services.len() > SHOWN_MAX {
        let _ = writeln!(text, "and {} more", block.services.len() - SHOWN_MAX);
    }
}
