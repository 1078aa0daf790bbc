//! Writes the recorded corpus as blocks and reads it back: bytes and CPU time a span.
//!
//! `cargo run --release -p benches --bin blocks` prints a table; the corpus is found through `THROUGHLINE_DATA` or `../shared/data`.

#![allow(clippy::print_stdout, clippy::unwrap_used)] // a program that prints, and may stop at the first surprise

use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use block::{
    BlockId, BlockWriter, ColumnPlan, FinishedBlock, MergeInput, MergedTrace, NewBlock, Piece,
    SpanDecoder, SpanReader, TraceRows, TraceTable, WriteOptions, read_resources, reader_metadata,
};
use bytes::Bytes;
use model::{Gathered, Remap, SpanBatch, TraceId, UnixNanos};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::ParquetMetaData;

const FILE: &str = "real-shop-and-tickets.otlp.zst";

fn main() {
    let folder = std::env::var_os("THROUGHLINE_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data")),
        PathBuf::from,
    );
    let Ok(file) = std::fs::File::open(folder.join(FILE)) else {
        println!("skipped: no {FILE} in {}", folder.display());
        return;
    };
    let mut decoder = zstd::stream::read::Decoder::new(file).unwrap();
    decoder.window_log_max(27).unwrap();
    let mut bytes = Vec::new();
    decoder.read_to_end(&mut bytes).unwrap();

    let mut messages = Vec::new();
    let mut rest = bytes.as_slice();
    while let Some((len, after)) = rest.split_first_chunk::<4>() {
        let (message, after) = after.split_at(u32::from_le_bytes(*len) as usize);
        messages.push(message);
        rest = after;
    }
    let mut gathered = Gathered::new();
    // With memory that is in use already, as in a server that has run for a while.
    let times: Vec<_> = (0..5).map(|_| gather(&messages, &mut gathered)).collect();
    let decode = times.iter().map(|times| times.0).min().unwrap();
    let gather = times.iter().map(|times| times.1).min().unwrap();
    let batch = gathered.batch;
    let spans = batch.len() as f64;
    let each = |time: Duration| time.as_nanos() as f64 / spans;
    println!("spans                {spans:>10}");
    println!("decode               {:>10.0} ns/span", each(decode));
    println!("gather               {:>10.0} ns/span", each(gather));
    println!(
        "in memory            {:>10.1} bytes/span",
        batch.byte_count() as f64 / spans
    );

    let mut by_trace: Vec<(TraceId, u32)> = batch
        .spans
        .iter()
        .enumerate()
        .map(|(row, span)| (span.trace_id, row as u32))
        .collect();
    by_trace.sort_unstable();
    let rows: Vec<u32> = by_trace.iter().map(|&(_, row)| row).collect();
    let mut traces = Vec::new();
    let mut at = 0;
    for run in by_trace.chunk_by(|left, right| left.0 == right.0) {
        traces.push(TraceRows {
            trace_id: run[0].0,
            rows: &rows[at..at + run.len()],
            partial: false,
        });
        at += run.len();
    }
    merge(&batch, &traces, each);
    for level in [1, 3] {
        for group in [usize::MAX, 4000] {
            let options = WriteOptions {
                zstd_level: level,
                ..WriteOptions::default()
            };
            let (block, time) = best(|| write(&batch, &traces, group, &options));
            report(
                &format!("zstd {level}, groups of {group} traces"),
                &block,
                each(time),
            );
            let (count, time) = best(|| read(&block));
            println!("  read any rows      {:>10.0} ns/span", each(time));
            assert_eq!(count as u64, block.meta.spans);
            let (count, time) = best(|| read_in_order(&block));
            println!("  read in order      {:>10.0} ns/span", each(time));
            assert_eq!(count as u64, block.meta.spans);
        }
    }
}

/// How many blocks are merged into one.
const MERGED: usize = 8;

/// Merges blocks that hold every so many-th trace each, and tells what that costs and what reading and writing the spans would.
fn merge(batch: &SpanBatch, traces: &[TraceRows<'_>], each: impl Fn(Duration) -> f64) {
    let options = WriteOptions::default();
    let blocks: Vec<FinishedBlock> = (0..MERGED)
        .map(|first| {
            let own: Vec<_> = traces.iter().skip(first).step_by(MERGED).copied().collect();
            write(batch, &own, usize::MAX, &options)
        })
        .collect();
    let (spans, time) = best(|| merge_columns(&blocks, &options));
    println!("merge {MERGED} blocks     {:>10.0} ns/span", each(time));
    assert_eq!(spans, batch.len() as u64);
    let (spans, time) = best(|| merge_spans(&blocks, &options));
    println!("read and write them  {:>10.0} ns/span", each(time));
    assert_eq!(spans, batch.len() as u64);
}

/// Spans of a row group, as compaction has them.
const GROUP_SPANS: usize = 128 * 1024;

fn writer_for(blocks: &[FinishedBlock], options: &WriteOptions) -> BlockWriter {
    let plan = ColumnPlan::of_blocks(blocks.iter().map(|block| &block.meta), options);
    BlockWriter::new(new_block(), options, plan).unwrap()
}

/// The traces of all blocks in the order of ids, with where each is and how many spans it has, in row groups.
fn groups_of(blocks: &[FinishedBlock]) -> Vec<Vec<(TraceId, [Piece; 1])>> {
    let mut traces = Vec::new();
    for (input, block) in blocks.iter().enumerate() {
        let table = TraceTable::from_bytes(Bytes::from(block.traces.clone())).unwrap();
        let rows = |at: usize| table.rows(at).len as usize;
        let of_block = (0..table.len()).map(|at| {
            (
                table.trace_id(at),
                [Piece {
                    input,
                    rows: rows(at),
                }],
            )
        });
        traces.extend(of_block);
    }
    traces.sort_unstable_by_key(|(id, _)| *id);
    let (mut groups, mut spans) = (vec![Vec::new()], 0);
    for trace in traces {
        spans += trace.1[0].rows;
        groups.last_mut().unwrap().push(trace);
        if spans >= GROUP_SPANS {
            groups.push(Vec::new());
            spans = 0;
        }
    }
    groups
}

/// What compaction does.
fn merge_columns(blocks: &[FinishedBlock], options: &WriteOptions) -> u64 {
    let mut inputs: Vec<MergeInput> = blocks
        .iter()
        .map(|block| {
            let (bytes, footer) = opened(block);
            let resources = read_resources(Bytes::from(block.resources.clone())).unwrap();
            let mut input = MergeInput::new(footer, &block.meta, Arc::new(resources));
            while let Some(range) = input.wanted(usize::MAX) {
                let part = bytes.slice(range.start as usize..range.end as usize);
                input.give(range.start, part).unwrap();
            }
            input
        })
        .collect();
    let mut writer = writer_for(blocks, options);
    for group in groups_of(blocks) {
        let traces: Vec<_> = group
            .iter()
            .map(|(trace_id, pieces)| MergedTrace {
                trace_id: *trace_id,
                partial: false,
                pieces,
            })
            .collect();
        writer.merge(&mut inputs, &traces).unwrap();
        writer.take_spans();
    }
    writer.finish().unwrap().meta.spans
}

/// The plain twin of that.
fn merge_spans(blocks: &[FinishedBlock], options: &WriteOptions) -> u64 {
    let mut inputs: Vec<_> = blocks.iter().map(reader_of).collect();
    let mut writer = writer_for(blocks, options);
    let mut gathered = Gathered::new();
    for group in groups_of(blocks) {
        gathered.clear();
        let mut next = Vec::new();
        for (input, (bytes, reader)) in inputs.iter_mut().enumerate() {
            next.push(gathered.batch.len() as u32);
            reader.change_target();
            let own = group.iter().filter(|(_, [piece])| piece.input == input);
            let mut rows: usize = own.map(|(_, [piece])| piece.rows).sum();
            while rows > 0 {
                if let Some(range) = reader.wanted() {
                    let part = bytes.slice(range.start as usize..range.end as usize);
                    reader.give(range.start, part).unwrap();
                }
                rows -= reader.take(rows, &mut gathered).unwrap();
            }
        }
        let mut rows = Vec::new();
        for (_, [piece]) in &group {
            let first = next[piece.input];
            next[piece.input] += piece.rows as u32;
            rows.extend(first..next[piece.input]);
        }
        let mut at = 0;
        let traces: Vec<_> = group
            .iter()
            .map(|(trace_id, [piece])| {
                at += piece.rows;
                TraceRows {
                    trace_id: *trace_id,
                    rows: &rows[at - piece.rows..at],
                    partial: false,
                }
            })
            .collect();
        writer.write(&gathered.batch, &traces).unwrap();
        writer.take_spans();
    }
    writer.finish().unwrap().meta.spans
}

/// Decodes and gathers all messages, and tells how long each took.
fn gather(messages: &[&[u8]], gathered: &mut Gathered) -> (Duration, Duration) {
    gathered.clear();
    let (mut batch, mut remap) = (SpanBatch::default(), Remap::default());
    let (mut decode, mut gather) = (Duration::ZERO, Duration::ZERO);
    for message in messages {
        let start = Instant::now();
        wire::otlp::decode(message, &wire::otlp::DecodeLimits::default(), &mut batch).unwrap();
        decode += start.elapsed();
        let start = Instant::now();
        remap.reset(&batch);
        let rows: Vec<u32> = (0..batch.len() as u32).collect();
        remap.prepare(&batch, &rows, gathered);
        for row in 0..batch.len() {
            gathered.push(&batch, row, &mut remap).unwrap();
        }
        gather += start.elapsed();
    }
    (decode, gather)
}

/// Runs a few times and takes the shortest: the others were disturbed.
fn best<T>(mut run: impl FnMut() -> T) -> (T, Duration) {
    let mut timed = || {
        let start = Instant::now();
        let value = run();
        (value, start.elapsed())
    };
    let mut best = timed();
    for _ in 0..4 {
        let next = timed();
        if next.1 < best.1 {
            best = next;
        }
    }
    best
}

fn new_block() -> NewBlock {
    NewBlock {
        id: BlockId("01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap()),
        tenant: "default".into(),
        class: "default".into(),
        level: 0,
        created: UnixNanos(0),
        journal: None,
    }
}

fn write(
    batch: &SpanBatch,
    traces: &[TraceRows<'_>],
    group: usize,
    options: &WriteOptions,
) -> FinishedBlock {
    let plan = ColumnPlan::of_batch(batch, options);
    let mut writer = BlockWriter::new(new_block(), options, plan).unwrap();
    for group in traces.chunks(group.min(traces.len())) {
        writer.write(batch, group).unwrap();
    }
    writer.finish().unwrap()
}

fn report(what: &str, block: &FinishedBlock, ns: f64) {
    let spans = block.meta.spans as f64;
    let files = block.meta.files;
    let meta = serde_json::to_vec(&block.meta).unwrap().len();
    let all = block.meta.byte_count() as f64 + meta as f64;
    println!("{what}");
    println!("  write              {ns:>10.0} ns/span");
    println!("  all files          {:>10.2} bytes/span", all / spans);
    for (name, bytes) in [
        ("spans", files.spans),
        ("traces", files.traces),
        ("resources", files.resources),
        ("bloom", files.bloom),
    ] {
        println!("    {name:<16} {:>10.2}", bytes as f64 / spans);
    }
    println!("    {:<16} {:>10.2}", "manifest entry", meta as f64 / spans);
    if std::env::var_os("COLUMNS_TOO").is_some() {
        let bytes = Bytes::from(block.spans.clone());
        let footer = ArrowReaderMetadata::load(&bytes, ArrowReaderOptions::new())
            .unwrap()
            .metadata()
            .clone();
        let mut sizes = std::collections::BTreeMap::<String, i64>::new();
        for column in footer
            .row_groups()
            .iter()
            .flat_map(parquet::file::metadata::RowGroupMetaData::columns)
        {
            *sizes.entry(column.column_path().string()).or_default() += column.compressed_size();
        }
        let mut sizes: Vec<_> = sizes.into_iter().collect();
        sizes.sort_by_key(|(_, size)| -size);
        sizes
            .iter()
            .for_each(|(name, size)| println!("      {name:<40} {:>8.3}", *size as f64 / spans));
        let columns: i64 = sizes.iter().map(|(_, size)| size).sum();
        println!(
            "      {:<40} {:>8.3}",
            "footer and page index",
            (files.spans as f64 - columns as f64) / spans
        );
    }
}

fn opened(block: &FinishedBlock) -> (Bytes, Arc<ParquetMetaData>) {
    let bytes = Bytes::from(block.spans.clone());
    let footer = ArrowReaderMetadata::load(&bytes, ArrowReaderOptions::new()).unwrap();
    (bytes, footer.metadata().clone())
}

fn reader_of(block: &FinishedBlock) -> (Bytes, SpanReader) {
    let (bytes, footer) = opened(block);
    let resources = Arc::new(read_resources(Bytes::from(block.resources.clone())).unwrap());
    (bytes, SpanReader::new(footer, &block.meta, resources))
}

/// Reads all spans in their order.
fn read_in_order(block: &FinishedBlock) -> usize {
    let (bytes, mut reader) = reader_of(block);
    let mut gathered = Gathered::new();
    while !reader.is_done() {
        if let Some(range) = reader.wanted() {
            let part = bytes.slice(range.start as usize..range.end as usize);
            reader.give(range.start, part).unwrap();
        }
        reader.take(usize::MAX, &mut gathered).unwrap();
    }
    gathered.batch.len()
}

fn read(block: &FinishedBlock) -> usize {
    TraceTable::from_bytes(Bytes::from(block.traces.clone())).unwrap();
    let bytes = Bytes::from(block.spans.clone());
    let footer = ArrowReaderMetadata::load(&bytes, ArrowReaderOptions::new())
        .unwrap()
        .metadata()
        .clone();
    let reader =
        ParquetRecordBatchReaderBuilder::new_with_metadata(bytes, reader_metadata(footer).unwrap())
            .with_batch_size(8192)
            .build()
            .unwrap();
    let resources = Arc::new(read_resources(Bytes::from(block.resources.clone())).unwrap());
    let mut decoder = SpanDecoder::new(&block.meta, resources);
    let mut count = 0;
    for rows in reader {
        let mut gathered = Gathered::new();
        decoder.append(&rows.unwrap(), &mut gathered).unwrap();
        count += gathered.batch.len();
    }
    count
}
