//! Blocks merged column by column are what their spans, read and written again, are.

use std::collections::BTreeMap;
use std::sync::Arc;

use block::{
    BlockWriter, ColumnPlan, FinishedBlock, MergeError, MergeInput, MergedTrace, Piece, TraceRows,
    TraceTable, WriteOptions, read_resources,
};
use bytes::Bytes;
use model::{
    Attribute, DurationNanos, Gathered, NO_EXTRA, Range32, Remap, ResourceRow, SpanBatch, SpanId,
    SpanKind, SpanRow, StatusCode, TraceId, UnixNanos, ValueRef,
};
use proptest::prelude::*;

use crate::batches::{Told, batch_of, block_of, new_block, tell, told_spans, traces_of};
use crate::damage::pages_of;
use crate::masks::check_masks;
use crate::readers::{by_arrow, footer_of, in_order};

fn writer_for(blocks: &[FinishedBlock], options: &WriteOptions) -> BlockWriter {
    let plan = ColumnPlan::of_blocks(blocks.iter().map(|block| &block.meta), options);
    BlockWriter::new(new_block(), options, plan).unwrap()
}

/// The traces of all blocks and their pieces.
fn pieces_of(blocks: &[FinishedBlock]) -> BTreeMap<TraceId, Vec<Piece>> {
    let mut pieces = BTreeMap::<TraceId, Vec<Piece>>::new();
    for (input, block) in blocks.iter().enumerate() {
        let table = TraceTable::from_bytes(Bytes::from(block.traces.clone())).unwrap();
        for at in 0..table.len() {
            let rows = table.rows(at).len as usize;
            pieces
                .entry(table.trace_id(at))
                .or_default()
                .push(Piece { input, rows });
        }
    }
    pieces
}

/// Column by column, in row groups of so many traces.
fn merged(
    blocks: &[FinishedBlock],
    group: usize,
    options: &WriteOptions,
) -> Result<FinishedBlock, MergeError> {
    let mut inputs: Vec<MergeInput> = blocks
        .iter()
        .map(|block| {
            let resources = read_resources(Bytes::from(block.resources.clone())).unwrap();
            MergeInput::new(footer_of(&block.spans), &block.meta, Arc::new(resources))
        })
        .collect();
    let mut writer = writer_for(blocks, options);
    let pieces: Vec<_> = pieces_of(blocks).into_iter().collect();
    for group in pieces.chunks(group) {
        for (number, (input, block)) in inputs.iter_mut().zip(blocks).enumerate() {
            let own = group.iter().flat_map(|(_, pieces)| pieces);
            let own = own.filter(|piece| piece.input == number);
            let rows = own.map(|piece| piece.rows).sum();
            while let Some(range) = input.wanted(rows) {
                let bytes = &block.spans[range.start as usize..range.end as usize];
                let given = input.give(range.start, Bytes::copy_from_slice(bytes));
                given.map_err(|error| MergeError::Input {
                    input: number,
                    error,
                })?;
            }
        }
        let traces: Vec<MergedTrace<'_>> = group
            .iter()
            .map(|(trace_id, pieces)| MergedTrace {
                trace_id: *trace_id,
                partial: false,
                pieces,
            })
            .collect();
        writer.merge(&mut inputs, &traces)?;
    }
    assert!(inputs.iter().all(MergeInput::is_done));
    Ok(writer.finish().unwrap())
}

/// The plain way: all spans are read, gathered and written.
fn rewritten(blocks: &[FinishedBlock], group: usize, options: &WriteOptions) -> FinishedBlock {
    let mut gathered = Gathered::new();
    for block in blocks {
        let batch = in_order(block, &footer_of(&block.spans), 1000, false).unwrap();
        let mut remap = Remap::default();
        remap.reset(&batch);
        for row in 0..batch.len() {
            gathered.push(&batch, row, &mut remap).unwrap();
        }
    }
    let mut writer = writer_for(blocks, options);
    let traces = traces_of(&gathered.batch);
    let rows: Vec<TraceRows<'_>> = traces
        .iter()
        .map(|(&trace_id, rows)| TraceRows {
            trace_id,
            rows,
            partial: false,
        })
        .collect();
    for group in rows.chunks(group) {
        writer.write(&gathered.batch, group).unwrap();
    }
    writer.finish().unwrap()
}

/// # Panics
/// When they are not, or masks are not what the rows hold.
pub(crate) fn check_same(blocks: &[FinishedBlock], group: usize, options: &WriteOptions) {
    let merged = merged(blocks, group, options).unwrap();
    check_masks(&merged);
    let plain = rewritten(blocks, group, options);
    let read = |block: &FinishedBlock| {
        let footer = footer_of(&block.spans);
        let by_arrow = tell(&by_arrow(block, &footer, 1000).unwrap());
        let in_order = tell(&in_order(block, &footer, 1000, false).unwrap());
        assert_eq!(by_arrow, in_order);
        by_arrow
    };
    assert_eq!(read(&merged), read(&plain));
    assert_eq!(merged.traces, plain.traces);
    assert_eq!(merged.bloom, plain.bloom);
    assert_eq!(merged.duplicates, plain.duplicates);
    let without_sizes = |block: &FinishedBlock| {
        let mut meta = block.meta.clone();
        meta.files = block::BlockFiles::default();
        meta
    };
    assert_eq!(without_sizes(&merged), without_sizes(&plain));
}

/// Spans for each block, how many attributes have columns there, and traces in its row groups.
fn blocks() -> impl Strategy<Value = Vec<(Vec<Told>, usize, usize)>> {
    let columns_max = prop_oneof![Just(0usize), Just(2), Just(64)];
    proptest::collection::vec((told_spans(), columns_max, 1usize..7), 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn merged_blocks_are_what_their_spans_are(blocks in blocks(), group in 1usize..7, columns_max in prop_oneof![Just(0usize), Just(3), Just(64)]) {
        let blocks: Vec<FinishedBlock> = blocks
            .iter()
            .map(|(spans, columns_max, group)| block_of(&batch_of(spans), *group, &WriteOptions { columns_max: *columns_max, ..WriteOptions::default() }))
            .collect();
        check_same(&blocks, group, &WriteOptions { columns_max, ..WriteOptions::default() });
    }
}

/// Many traces of up to 40 spans, with values that repeat and values that never do. Every `shared`th trace is in all blocks.
fn large(number: u64, traces: u64, shared: u64) -> SpanBatch {
    let mut batch = SpanBatch::default();
    let service = batch.symbols.intern_str("service.name").unwrap();
    let value = batch.symbols.intern_str("shop").unwrap();
    batch.attributes.push(Attribute {
        key: service,
        value,
    });
    let attributes = Range32::between(0, 1);
    let service = batch.service_of(attributes).unwrap();
    batch.resources.push(ResourceRow {
        attributes,
        service,
        ..Default::default()
    });
    for trace in 0..traces {
        let is_shared = trace % shared == 0;
        let mixed =
            (trace * 4 + if is_shared { 3 } else { number }).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut trace_id = TraceId([7; 16]);
        trace_id.0[..8].copy_from_slice(&mixed.to_be_bytes());
        for span in 0..1 + mixed % 40 {
            push_span(
                &mut batch,
                trace_id,
                if is_shared { number * 40 + span } else { span },
                mixed,
            );
        }
    }
    batch
}

fn push_span(batch: &mut SpanBatch, trace_id: TraceId, span: u64, mixed: u64) {
    let id = |number: u64| SpanId((number + 1).to_be_bytes());
    let start = batch.attributes.len();
    let distinct = mixed.wrapping_add(span);
    let texts = [
        (
            "user",
            format!("user-{distinct}-of-a-name-that-is-not-short"),
        ),
        ("region", format!("region-{}", distinct % 5)),
        ("rare", "seldom".to_owned()),
    ];
    for (key, text) in &texts[..if span.is_multiple_of(97) { 3 } else { 2 }] {
        let key = batch.symbols.intern_str(key).unwrap();
        let value = batch.symbols.intern_str(text).unwrap();
        batch.attributes.push(Attribute { key, value });
    }
    let values = [
        ("amount", ValueRef::Int(distinct.cast_signed())),
        ("share", ValueRef::Double(distinct as f64 / 7.0)),
        ("retried", ValueRef::Bool(distinct.is_multiple_of(3))),
    ];
    for (key, value) in values {
        let key = batch.symbols.intern_str(key).unwrap();
        let value = batch.symbols.intern_value(value).unwrap();
        batch.attributes.push(Attribute { key, value });
    }
    let name = format!("step {}", span % 7);
    let name = batch.symbols.intern_str(&name).unwrap();
    batch.spans.push(SpanRow {
        trace_id,
        span_id: id(span),
        parent_span_id: if span == 0 {
            SpanId::ZERO
        } else {
            id(span / 2)
        },
        start: UnixNanos((mixed >> 8).cast_signed() + span.cast_signed()),
        duration: DurationNanos((distinct % 1_000_000).cast_signed()),
        name,
        resource: 0,
        attributes: Range32::between(start, batch.attributes.len()),
        extra: NO_EXTRA,
        flags: 1,
        kind: SpanKind::Server,
        status: StatusCode::Unset,
    });
}

#[test]
fn blocks_of_many_pages_with_and_without_dictionaries_are_merged() {
    let options = WriteOptions::default();
    let blocks: Vec<FinishedBlock> = (0..3)
        .map(|number| block_of(&large(number, 1500, 50), 700, &options))
        .collect();
    assert!(blocks.iter().all(|block| block.meta.spans > 3 * 8192));
    check_same(&blocks, 1300, &options);
}

#[test]
fn rows_of_other_traces_than_said_are_refused() {
    let options = WriteOptions::default();
    let block = block_of(&large(0, 20, 3), 20, &options);
    let mut other = block_of(&large(1, 20, 50), 20, &options);
    other.traces.clone_from(&block.traces);
    let error = merged(&[other], 1000, &options).unwrap_err();
    assert!(
        matches!(error, MergeError::Input { input: 0, .. }),
        "{error}"
    );
}

#[test]
fn a_flipped_bit_is_noticed_or_changes_nothing() {
    let options = WriteOptions::default();
    let mut blocks = [0, 1].map(|number| block_of(&large(number, 60, 3), 25, &options));
    let expected = merged(&blocks, 50, &options).unwrap();
    let pages = pages_of(&blocks[0].spans);
    let mut noticed = 0;
    for at in pages.clone().step_by(pages.len() / 300) {
        blocks[0].spans[at] ^= 1 << (at % 8);
        match merged(&blocks, 50, &options) {
            // What follows from other columns is not read.
            Ok(block) => assert_eq!(block.spans, expected.spans, "byte {at}"),
            Err(_) => noticed += 1,
        }
        blocks[0].spans[at] ^= 1 << (at % 8);
    }
    assert!(noticed >= 290, "{noticed} of 300");
}
