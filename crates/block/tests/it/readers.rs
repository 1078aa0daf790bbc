//! Both readers of a block's spans, over files that are in memory and may be damaged.

use std::sync::Arc;

use block::{
    FinishedBlock, ReadError, SpanDecoder, SpanReader, check_page_headers, read_resources,
    reader_metadata,
};
use bytes::Bytes;
use model::{Gathered, Remap, SpanBatch};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};

/// The footer of a file, with the places of its indices but not their content.
pub(crate) fn footer_of(file: &[u8]) -> Arc<ParquetMetaData> {
    let bytes = Bytes::copy_from_slice(file);
    let metadata = ArrowReaderMetadata::load(&bytes, ArrowReaderOptions::new()).unwrap();
    metadata.metadata().clone()
}

/// By the reader of any rows, some at a time, as the store does it: headers are checked of what is fetched.
pub(crate) fn by_arrow(
    block: &FinishedBlock,
    footer: &Arc<ParquetMetaData>,
    batch_rows: usize,
) -> Result<SpanBatch, ReadError> {
    let bytes = Bytes::from(block.spans.clone());
    for column in footer
        .row_groups()
        .iter()
        .flat_map(RowGroupMetaData::columns)
    {
        let (start, length) = column.byte_range();
        check_page_headers(&bytes[start as usize..(start + length) as usize])?;
    }
    let metadata = reader_metadata(footer.clone())?;
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(bytes, metadata)
        .with_batch_size(batch_rows)
        .build()?;
    let resources = read_resources(Bytes::from(block.resources.clone()))?;
    let mut decoder = SpanDecoder::new(&block.meta, Arc::new(resources));
    let mut gathered = Gathered::new();
    for rows in reader {
        decoder.append(&rows?, &mut gathered)?;
    }
    Ok(gathered.batch)
}

/// By the reader of compactions: so many rows at a time, into one batch or, as `change` says, into two in turn, of which
/// the rows come one after the other in the end.
pub(crate) fn in_order(
    block: &FinishedBlock,
    footer: &Arc<ParquetMetaData>,
    rows: usize,
    change: bool,
) -> Result<SpanBatch, ReadError> {
    let bytes = Bytes::from(block.spans.clone());
    let resources = read_resources(Bytes::from(block.resources.clone()))?;
    let mut reader = SpanReader::new(footer.clone(), &block.meta, Arc::new(resources));
    let mut all = Gathered::new();
    let mut part = Gathered::new();
    while !reader.is_done() {
        if let Some(range) = reader.wanted() {
            let part = bytes.slice(range.start as usize..range.end as usize);
            reader.give(range.start, part)?;
        }
        if change {
            part.clear();
            reader.change_target();
        }
        assert!(reader.take(rows, &mut part)? > 0);
        if change {
            let mut remap = Remap::default();
            remap.reset(&part.batch);
            for row in 0..part.batch.len() {
                all.push(&part.batch, row, &mut remap).unwrap();
            }
        }
    }
    Ok(if change { all.batch } else { part.batch })
}
