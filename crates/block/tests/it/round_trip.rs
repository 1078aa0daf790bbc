//! What is written comes back: every field of every span, whatever its shape.

use std::sync::Arc;

use block::{
    FinishedBlock, SpanDecoder, SpanReader, TraceTable, WriteOptions, read_resources,
    reader_metadata,
};
use bytes::Bytes;
use model::{Gathered, Remap, SpanBatch};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use proptest::prelude::*;

use crate::batches::{batch_of, block_of, expected, tell, told_spans};

fn read(block: &FinishedBlock, batch_rows: usize) -> SpanBatch {
    let bytes = Bytes::from(block.spans.clone());
    let footer = ArrowReaderMetadata::load(&bytes, ArrowReaderOptions::new())
        .unwrap()
        .metadata()
        .clone();
    let reader =
        ParquetRecordBatchReaderBuilder::new_with_metadata(bytes, reader_metadata(footer).unwrap())
            .with_batch_size(batch_rows)
            .build()
            .unwrap();
    let resources = read_resources(Bytes::from(block.resources.clone())).unwrap();
    let mut decoder = SpanDecoder::new(&block.meta, Arc::new(resources));
    let mut gathered = Gathered::new();
    for rows in reader {
        decoder.append(&rows.unwrap(), &mut gathered).unwrap();
    }
    gathered.batch
}

/// By the reader of compactions: so many rows at a time, into one batch or, as `change` says, into two in turn, of which
/// the rows come one after the other in the end.
fn read_in_order(block: &FinishedBlock, rows: usize, change: bool) -> SpanBatch {
    let bytes = Bytes::from(block.spans.clone());
    let footer = ArrowReaderMetadata::load(&bytes, ArrowReaderOptions::new()).unwrap();
    let resources = read_resources(Bytes::from(block.resources.clone())).unwrap();
    let mut reader = SpanReader::new(footer.metadata().clone(), &block.meta, Arc::new(resources));
    let mut all = Gathered::new();
    let mut part = Gathered::new();
    while !reader.is_done() {
        if let Some(range) = reader.wanted() {
            let part = bytes.slice(range.start as usize..range.end as usize);
            reader.give(range.start, part).unwrap();
        }
        if change {
            part.clear();
            reader.change_target();
        }
        assert!(reader.take(rows, &mut part).unwrap() > 0);
        if change {
            let mut remap = Remap::default();
            remap.reset(&part.batch);
            for row in 0..part.batch.len() {
                all.push(&part.batch, row, &mut remap).unwrap();
            }
        }
    }
    if change { all.batch } else { part.batch }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn both_readers_agree(spans in told_spans(), group in 1usize..7, columns_max in prop_oneof![Just(0usize), Just(2), Just(64)], rows in 1usize..70, change: bool) {
        let batch = batch_of(&spans);
        let block = block_of(&batch, group, &WriteOptions { columns_max, ..WriteOptions::default() });
        prop_assert_eq!(tell(&read_in_order(&block, rows, change)), tell(&read(&block, 1000)));
    }

    #[test]
    fn a_damaged_page_is_refused_or_read_without_panic(spans in told_spans(), at: prop::sample::Index, byte: u8) {
        let batch = batch_of(&spans);
        let mut block = block_of(&batch, 3, &WriteOptions::default());
        let bytes = Bytes::from(block.spans.clone());
        let footer = ArrowReaderMetadata::load(&bytes, ArrowReaderOptions::new()).unwrap();
        let resources = read_resources(Bytes::from(block.resources.clone())).unwrap();
        let place = at.index(block.spans.len());
        block.spans[place] = byte;
        let mut reader = SpanReader::new(footer.metadata().clone(), &block.meta, Arc::new(resources));
        let mut gathered = Gathered::new();
        while let Some(range) = reader.wanted() {
            let part = Bytes::copy_from_slice(&block.spans[range.start as usize..range.end as usize]);
            if reader.give(range.start, part).is_err() {
                break;
            }
            while let Ok(1..) = reader.take(100, &mut gathered) {}
            if reader.wanted().is_none() {
                break;
            }
        }
        prop_assert!(gathered.batch.len() <= spans.len());
    }

    #[test]
    fn spans_come_back_whole(spans in told_spans(), group in 1usize..7, columns_max in prop_oneof![Just(0usize), Just(2), Just(64)], batch_rows in 1usize..70) {
        let batch = batch_of(&spans);
        let block = block_of(&batch, group, &WriteOptions { columns_max, ..WriteOptions::default() });
        let expected = expected(&spans);
        let mut told = tell(&read(&block, batch_rows));
        told.sort_by_key(|told| (told.trace, told.span));
        prop_assert_eq!(&told, &expected);
        prop_assert_eq!(block.duplicates as usize, spans.len() - expected.len());
        prop_assert_eq!(block.meta.spans as usize, expected.len());
    }

    #[test]
    fn summaries_tell_what_the_spans_hold(spans in told_spans(), group in 1usize..7) {
        let batch = batch_of(&spans);
        let block = block_of(&batch, group, &WriteOptions::default());
        let table = TraceTable::from_bytes(Bytes::from(block.traces.clone())).unwrap();
        let expected = expected(&spans);
        let mut row = 0;
        for index in 0..table.len() {
            let summary = table.summary(index);
            let of_trace: Vec<_> = expected.iter().filter(|told| told.trace == summary.trace_id.0[0]).collect();
            prop_assert_eq!(table.find(summary.trace_id), Some(index));
            prop_assert_eq!((table.rows(index).start, table.rows(index).len), (row, of_trace.len() as u64));
            row += of_trace.len() as u64;
            prop_assert_eq!(summary.span_count, of_trace.len() as u64);
            prop_assert_eq!(summary.error_count as usize, of_trace.iter().filter(|told| told.status == 2).count());
            prop_assert_eq!(summary.start.0, of_trace.iter().map(|told| told.start).min().unwrap());
            let end = of_trace.iter().map(|told| told.start.saturating_add(told.duration)).max().unwrap();
            prop_assert_eq!(summary.end.0, end.max(summary.start.0));
            prop_assert_eq!(summary.has_root, of_trace.iter().any(|told| told.parent == 0));
            prop_assert_eq!(summary.services.iter().map(|service| u64::from(service.1)).sum::<u64>(), summary.span_count);
        }
        prop_assert_eq!(row as usize, expected.len());
        prop_assert_eq!(block.meta.traces as usize, table.len());
        prop_assert_eq!(block.meta.services.iter().map(|service| service.spans).sum::<u64>(), block.meta.spans);
    }
}
