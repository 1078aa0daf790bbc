//! What is written comes back: every field of every span, whatever its shape.

use block::{FinishedBlock, TraceTable, WriteOptions};
use bytes::Bytes;
use model::{SpanBatch, TraceId};
use proptest::prelude::*;

use crate::batches::{batch_of, block_of, expected, tell, told_spans};
use crate::readers::{
    by_arrow, footer_of, found, in_order, indexed_footer_of, is_chosen, only_opened, scanned,
};

fn read(block: &FinishedBlock, batch_rows: usize) -> SpanBatch {
    by_arrow(block, &footer_of(&block.spans), batch_rows).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn both_readers_agree(spans in told_spans(), group in 1usize..7, columns_max in prop_oneof![Just(0usize), Just(2), Just(64)], rows in 1usize..70, change: bool) {
        let batch = batch_of(&spans);
        let block = block_of(&batch, group, &WriteOptions { columns_max, ..WriteOptions::default() });
        let in_order = in_order(&block, &footer_of(&block.spans), rows, change).unwrap();
        prop_assert_eq!(tell(&in_order), tell(&read(&block, 1000)));
    }

    /// What a scan of chosen rows and columns gives is what reading everything gives, but for what was not opened.
    #[test]
    fn chosen_columns_of_chosen_traces_agree(spans in told_spans(), group in 1usize..7, columns_max in prop_oneof![Just(0usize), Just(2), Just(64)], chosen: u64, opened: u32) {
        let batch = batch_of(&spans);
        let block = block_of(&batch, group, &WriteOptions { columns_max, ..WriteOptions::default() });
        let footer = footer_of(&block.spans);
        let all = by_arrow(&block, &footer, 1000).unwrap();
        let scanned = scanned(&block, chosen, opened).unwrap();
        let expected: Vec<_> = tell(&all)
            .into_iter()
            .filter(|told| is_chosen(chosen, told.trace))
            .map(|told| only_opened(told, opened))
            .collect();
        prop_assert_eq!(tell(&scanned), expected);
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
    fn the_page_that_names_a_trace_tells_what_the_table_tells(spans in told_spans(), others: [[u8; 16]; 4]) {
        let block = block_of(&batch_of(&spans), 3, &WriteOptions::default());
        let footer = indexed_footer_of(&block.traces);
        let table = TraceTable::from_bytes(Bytes::from(block.traces.clone())).unwrap();
        let known = (0..table.len()).map(|at| table.trace_id(at));
        for id in known.chain(others.map(TraceId)) {
            let expected = table.find(id).map(|at| table.place(at));
            prop_assert_eq!(found(&block.traces, &footer, id).unwrap(), expected);
        }
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
            let ends = of_trace.iter().map(|told| told.start.saturating_add(told.duration.max(0)));
            prop_assert_eq!(summary.end.0, ends.max().unwrap());
            prop_assert_eq!(summary.has_root, of_trace.iter().any(|told| told.parent == 0));
            prop_assert_eq!(summary.services.iter().map(|service| u64::from(service.1)).sum::<u64>(), summary.span_count);
        }
        prop_assert_eq!(row as usize, expected.len());
        prop_assert_eq!(block.meta.traces as usize, table.len());
        prop_assert_eq!(block.meta.services.iter().map(|service| service.spans).sum::<u64>(), block.meta.spans);
    }
}
