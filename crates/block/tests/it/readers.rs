//! Both readers of a block's spans, over files that are in memory and may be damaged.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use block::{
    Dictionaries, Dictionary, FinishedBlock, ReadError, SpanColumn, SpanDecoder, SpanFile,
    SpanGroup, SpanReader, TraceFile, TracePlace, TraceTable, check_page_headers, decode_resources,
    read_resources, reader_metadata,
};
use bytes::Bytes;
use model::{Gathered, Remap, SpanBatch, TraceId};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, RowGroupMetaData};

use crate::batches::Told;

/// The footer of a file, with the places of its indices but not their content.
pub(crate) fn footer_of(file: &[u8]) -> Arc<ParquetMetaData> {
    let bytes = Bytes::copy_from_slice(file);
    let metadata = ArrowReaderMetadata::load(&bytes, ArrowReaderOptions::new()).unwrap();
    metadata.metadata().clone()
}

/// As [`footer_of`], with the indices.
pub(crate) fn indexed_footer_of(file: &[u8]) -> Arc<ParquetMetaData> {
    let bytes = Bytes::copy_from_slice(file);
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
    let metadata = ArrowReaderMetadata::load(&bytes, options).unwrap();
    metadata.metadata().clone()
}

/// Where a trace is, by the pages of `traces.parquet` that may name it.
pub(crate) fn found(
    traces: &[u8],
    footer: &Arc<ParquetMetaData>,
    id: TraceId,
) -> Result<Option<TracePlace>, ReadError> {
    let file = TraceFile::new(footer.clone())?;
    for page in file.pages_with(id) {
        let part = |range: Range<u64>| {
            let bytes = &traces[range.start as usize..range.end as usize];
            (range.start, Bytes::copy_from_slice(bytes))
        };
        let parts = file.bytes_of(page).into_iter().map(part).collect();
        if let Some(place) = file.find(page, parts, id)? {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

/// By its id alone, with the columns that its mask names.
pub(crate) fn by_id(block: &FinishedBlock, id: TraceId) -> Result<SpanBatch, ReadError> {
    let place = found(&block.traces, &indexed_footer_of(&block.traces), id)?.unwrap();
    let file = SpanFile::new(indexed_footer_of(&block.spans), &block.meta);
    let columns = file.columns_with(place.columns.as_ref())?;
    let mut groups = 0..file.group_count();
    let group = groups.find(|&group| file.rows(group).contains(&place.rows.start));
    let group = group.unwrap();
    let start = (place.rows.start - file.rows(group).start) as u32;
    let rows = start..start + place.rows.len as u32;
    let pages = file.pages_with(group, [rows.clone()])?;
    let kept: Arc<dyn Dictionaries> = Arc::new(KeptDictionaries::default());
    let part = |range: Range<u64>| {
        let bytes = &block.spans[range.start as usize..range.end as usize];
        (range.start, Bytes::copy_from_slice(bytes))
    };
    let ranges = file.bytes_of(group, &columns, Some(&pages), &*kept)?;
    let parts = ranges.into_iter().map(part).collect();
    let resources = Arc::new(read_resources(Bytes::from(block.resources.clone()))?);
    let mut spans = SpanGroup::open(&file, group, &columns, parts, resources.clone(), &kept)?;
    let (mut gathered, mut remap) = (Gathered::new(), Remap::default());
    remap.reset(&resources);
    spans.append(id, rows, &mut gathered, &mut remap)?;
    Ok(gathered.batch)
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
    let resources = decode_resources(Bytes::from(block.resources.clone()))?;
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

/// Whether a trace is among the chosen.
pub(crate) fn is_chosen(chosen: u64, trace: u8) -> bool {
    chosen >> (trace % 64) & 1 == 1
}

/// Columns that may be left closed, each with its bit.
const OPTIONAL: [SpanColumn; 12] = [
    SpanColumn::Start,
    SpanColumn::Duration,
    SpanColumn::Name,
    SpanColumn::Kind,
    SpanColumn::Status,
    SpanColumn::StatusMessage,
    SpanColumn::TraceState,
    SpanColumn::Events,
    SpanColumn::Links,
    SpanColumn::Tail,
    SpanColumn::Flags,
    SpanColumn::Dropped,
];

fn is_open(opened: u32, column: SpanColumn) -> bool {
    let bit = OPTIONAL.iter().position(|known| *known == column);
    bit.is_none_or(|bit| opened >> bit & 1 == 1)
}

/// What is left of a span when only these columns are read.
pub(crate) fn only_opened(mut told: Told, opened: u32) -> Told {
    let is_open = |column| is_open(opened, column);
    if !is_open(SpanColumn::Flags) {
        told.flags = 0;
    }
    if !is_open(SpanColumn::Dropped) {
        told.dropped = [0; 3];
    }
    if !is_open(SpanColumn::Start) {
        told.start = 0;
    }
    if !is_open(SpanColumn::Duration) {
        told.duration = 0;
    }
    if !is_open(SpanColumn::Name) {
        told.name.clear();
    }
    if !is_open(SpanColumn::Kind) {
        told.kind = 0;
    }
    if !is_open(SpanColumn::Status) {
        told.status = 0;
    }
    if !is_open(SpanColumn::StatusMessage) {
        told.message.clear();
    }
    if !is_open(SpanColumn::TraceState) {
        told.state.clear();
    }
    if !is_open(SpanColumn::Events) {
        told.events.clear();
    }
    if !is_open(SpanColumn::Links) {
        told.links.clear();
    }
    told
}

/// By the reader of queries: the chosen traces, with all attributes and the opened columns.
pub(crate) fn scanned(
    block: &FinishedBlock,
    chosen: u64,
    opened: u32,
) -> Result<SpanBatch, ReadError> {
    let bytes = Bytes::from(block.spans.clone());
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
    let metadata = ArrowReaderMetadata::load(&bytes, options)?;
    let file = SpanFile::new(metadata.metadata().clone(), &block.meta);
    let table = TraceTable::from_bytes(Bytes::from(block.traces.clone()))?;
    let resources = Arc::new(read_resources(Bytes::from(block.resources.clone()))?);
    let mut columns = vec![
        SpanColumn::Resource,
        SpanColumn::SpanId,
        SpanColumn::Parent,
        SpanColumn::ParentSpanId,
        SpanColumn::Tail,
    ];
    let open = OPTIONAL.into_iter();
    columns.extend(open.filter(|column| is_open(opened, *column)));
    columns.extend((0..file.columns().len() as u16).map(SpanColumn::Attribute));
    columns.sort_unstable();
    columns.dedup();
    let mut gathered = Gathered::new();
    let mut remap = Remap::default();
    remap.reset(&resources);
    for group in 0..file.group_count() {
        let rows = file.rows(group);
        let first_rows = file.first_rows_of_pages(group)?;
        let traces: Vec<usize> = (0..table.len())
            .filter(|&at| rows.contains(&table.rows(at).start))
            .filter(|&at| is_chosen(chosen, table.trace_id(at).0[0]))
            .collect();
        let of_trace = |at: usize| {
            let start = (table.rows(at).start - rows.start) as u32;
            start..start + table.rows(at).len as u32
        };
        let pages: Vec<usize> = (0..first_rows.len() - 1)
            .filter(|&page| {
                let of_page = first_rows[page]..first_rows[page + 1];
                let touches = |at: &usize| {
                    of_trace(*at).start < of_page.end && of_page.start < of_trace(*at).end
                };
                traces.iter().any(touches)
            })
            .collect();
        let kept: Arc<dyn Dictionaries> = Arc::new(KeptDictionaries::default());
        let open = || {
            let ranges = file.bytes_of(group, &columns, Some(&pages), &*kept)?;
            let part = |range: Range<u64>| {
                let bytes = bytes.slice(range.start as usize..range.end as usize);
                (range.start, bytes)
            };
            let parts = ranges.into_iter().map(part).collect();
            SpanGroup::open(&file, group, &columns, parts, resources.clone(), &kept)
        };
        if let Some(&first) = traces.first() {
            // Keeps some dictionaries for those that come now.
            let mut spans = open()?;
            let (mut aside, mut remap) = (Gathered::new(), Remap::default());
            remap.reset(&resources);
            spans.append(
                table.trace_id(first),
                of_trace(first),
                &mut aside,
                &mut remap,
            )?;
        }
        let mut spans = open()?;
        for at in traces {
            spans.append(table.trace_id(at), of_trace(at), &mut gathered, &mut remap)?;
        }
    }
    Ok(gathered.batch)
}

/// Keeps all dictionaries of a row group.
#[derive(Default)]
struct KeptDictionaries(Mutex<HashMap<usize, Dictionary>>);

impl Dictionaries for KeptDictionaries {
    fn get(&self, leaf: usize) -> Option<Dictionary> {
        self.0.lock().unwrap().get(&leaf).cloned()
    }

    fn keep(&self, leaf: usize, dictionary: &Dictionary) {
        let before = self.0.lock().unwrap().insert(leaf, dictionary.clone());
        assert!(before.is_none(), "a dictionary was read that was kept");
    }
}
