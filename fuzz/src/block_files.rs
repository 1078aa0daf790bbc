//! The files of a block, as a bad disk or somebody else's hand left them.
//!
//! Strategy: the input says which bytes stand where in the files of a small block: `file:u8 at:u16-LE length:u8 bytes`, as often
//! as it likes. Bit 7 of `file` asks for checksums that fit what stands there now, so that decoders see it; few changes would
//! come past the checksums otherwise. Then every reader reads. Footers and indices stay as they are: they have their
//! checksum in the manifest, and it is the parquet crate that reads them. Invariants:
//!
//! - nothing panics, and every loop comes to an end;
//! - what is read are no more spans and traces than the footers tell of, and no more memory than such a block may take;
//! - bytes that are as they were say what they said.
//!
//! Readers that go through Arrow are held to less: where checksums were made to fit they are not asked, since it is not ours
//! to mend what the parquet crate does with a page that it believes.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use block::{
    AttributePages, BlockMeta, BlockWriter, Bloom, ColumnPlan, Dictionaries, Dictionary,
    MergeError, MergeInput, MergedTrace, NewBlock, Piece, ReadError, SpanColumn, SpanFile,
    SpanGroup, SpanReader, TraceFile, TracePlace, TraceTable, WordColumn, WriteOptions,
    check_page_headers, decode_resources, read_resources,
};
use bytes::Bytes;
use model::{Gathered, Remap, SpanBatch, TraceId};
use parquet::file::metadata::{
    ColumnChunkMetaData, PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData,
};

/// Memory that the spans of the block may take, whatever stands in its files. They take some kilobytes.
const MEMORY_MAX: usize = 64 << 20;

const META: &[u8] = include_bytes!("../../crates/block/tests/golden/v2/meta.json");
const SPANS: &[u8] = include_bytes!("../../crates/block/tests/golden/v2/spans.parquet");
const TRACES: &[u8] = include_bytes!("../../crates/block/tests/golden/v2/traces.parquet");
const RESOURCES: &[u8] = include_bytes!("../../crates/block/tests/golden/v2/resources.parquet");
const BLOOM: &[u8] = include_bytes!("../../crates/block/tests/golden/v2/trace_id.bloom");

/// Checks the invariants on one way to change the files.
///
/// # Panics
/// When an invariant is broken.
pub fn check(input: &[u8]) {
    let meta: BlockMeta = serde_json::from_slice(META).expect("the entry of a golden block");
    let mut files = [SPANS, TRACES, RESOURCES, BLOOM].map(<[u8]>::to_vec);
    let is_sealed = change(&mut files, input);
    let is_changed = (0..4).any(|file| files[file] != original(file));
    let [spans, traces, resources, bloom] = files.map(Bytes::from);
    let found = Bloom::from_bytes(&bloom).map(|bloom| bloom.may_contain(meta.trace_id_min.0));
    assert!(is_changed || found.is_ok_and(|found| found));
    if !is_sealed {
        let (table, decoded) = (
            TraceTable::from_bytes(traces.clone()),
            decode_resources(resources.clone()),
        );
        assert!(is_changed || (table.is_ok() && decoded.is_ok()));
    }
    let first = by_page(&traces, meta.trace_id_min.0);
    assert!(is_changed || first.as_ref().is_ok_and(Option::is_some));
    if let Ok(Some(place)) = first {
        let file = SpanFile::new(Arc::new(footer(SPANS)), &meta);
        let columns = file.columns_with(place.columns.as_ref());
        assert!(is_changed || columns.is_ok());
        assert!(columns.unwrap_or_default().len() <= file.all_columns().len());
    }
    let resources = read_resources(resources);
    assert!(is_changed || resources.is_ok());
    // Spans that refer to resources which cannot be read are refused; they are read all the same.
    let resources = Arc::new(resources.unwrap_or_default());
    assert!(resources.byte_count() <= MEMORY_MAX);
    let in_order = in_order(&meta, &spans, &resources);
    let by_columns = by_columns(&meta, &spans, &resources);
    for read in [in_order, by_columns] {
        assert!(
            is_changed
                || read
                    .as_ref()
                    .is_ok_and(|batch| batch.len() as u64 == meta.spans)
        );
        let batch = read.unwrap_or_default();
        assert!(batch.len() as u64 <= meta.spans, "{} spans", batch.len());
        assert!(
            batch.byte_count() <= MEMORY_MAX,
            "{} bytes",
            batch.byte_count()
        );
    }
    let merged = merged(&meta, &spans, &resources, input.len() % 2);
    assert!(is_changed || merged.is_ok_and(|spans| spans == meta.spans));
}

/// Makes the changes that the input asks for, and tells whether checksums were made to fit.
fn change(files: &mut [Vec<u8>; 4], mut input: &[u8]) -> bool {
    let mut is_sealed = false;
    while let Some((&[file, low, high, length], rest)) = input.split_first_chunk::<4>() {
        let (bytes, rest) = rest.split_at(usize::from(length).min(rest.len()));
        input = rest;
        is_sealed |= file & 0x80 != 0;
        let file = usize::from(file % 4);
        let places = pages_of(file);
        let at = usize::from(u16::from_le_bytes([low, high])) % places.len();
        for (place, &byte) in files[file][places][at..].iter_mut().zip(bytes) {
            *place = byte;
        }
    }
    let is_edited = (0..4).any(|file| files[file] != original(file));
    if is_sealed {
        for (file, bytes) in files.iter_mut().enumerate().take(3) {
            for chunk in chunks_of(&footer(original(file))) {
                seal(&mut bytes[chunk.start as usize..chunk.end as usize]);
            }
        }
    }
    let is_as_it_was = (0..4).all(|file| files[file] == original(file));
    assert!(
        is_edited || is_as_it_was,
        "checksums that were sound were changed"
    );
    is_sealed
}

fn original(file: usize) -> &'static [u8] {
    [SPANS, TRACES, RESOURCES, BLOOM][file]
}

/// Where in a file there is something to change: its pages, or all of it.
fn pages_of(file: usize) -> Range<usize> {
    if file == 3 {
        return 0..BLOOM.len();
    }
    let chunks = chunks_of(&footer(original(file)));
    4..chunks.iter().map(|chunk| chunk.end).max().unwrap_or(4) as usize
}

fn footer(file: &'static [u8]) -> ParquetMetaData {
    let policy = PageIndexPolicy::Optional;
    let reader = ParquetMetaDataReader::new().with_page_index_policy(policy);
    let footer = reader.parse_and_finish(&Bytes::from_static(file));
    footer.expect("the footer of a golden block")
}

fn chunks_of(footer: &ParquetMetaData) -> Vec<Range<u64>> {
    let groups = footer.row_groups().iter();
    let chunks = groups
        .flat_map(RowGroupMetaData::columns)
        .map(ColumnChunkMetaData::byte_range);
    chunks
        .map(|(start, length)| start..start + length)
        .collect()
}

/// Makes the checksums of pages and headers fit, as far as the headers tell where they are; see `block/src/header.rs`.
fn seal(mut pages: &mut [u8]) {
    while let Some(header) = Header::find(pages) {
        let (head, rest) = pages.split_at_mut(header.length);
        let stored = header.stored.min(rest.len());
        let (page, behind) = rest.split_at_mut(stored);
        let crc = crc32fast::hash(page) as i32;
        let zigzag = ((crc << 1) ^ (crc >> 31)) as u32;
        let places = &mut head[header.crc.clone()];
        let last = places.len() - 1;
        for (at, place) in places.iter_mut().enumerate() {
            let more = if at < last { 0x80 } else { 0 };
            *place = (zigzag.checked_shr(7 * at as u32).unwrap_or(0) as u8 & 0x7f) | more;
        }
        let check = crc32fast::hash(&head[..header.check]);
        let place = header.check + 5;
        head[place..place + 4].copy_from_slice(&check.to_le_bytes());
        pages = behind;
    }
}

/// Where in a header its parts are.
struct Header {
    stored: usize,
    crc: Range<usize>,
    check: usize,
    length: usize,
}

impl Header {
    fn find(bytes: &[u8]) -> Option<Self> {
        let mut at = 0;
        let mut int = || {
            let start = at + 1;
            let mut end = start;
            let mut value = 0u64;
            while let Some(&byte) = bytes.get(end).filter(|_| end < start + 5) {
                value |= u64::from(byte & 0x7f) << (7 * (end - start));
                end += 1;
                if byte < 0x80 {
                    at = end;
                    return Some((start..end, (value >> 1) as usize));
                }
            }
            None
        };
        let (_, _kind) = int()?;
        let (_, _raw) = int()?;
        let (_, stored) = int()?;
        let (crc, _) = int()?;
        let description = crc.end;
        let check = (description..description + 32)
            .find(|&at| bytes.get(at..at + 5) == Some(&[0x08, 0xfe, 0xff, 0x03, 0x04]))?;
        let length = check + 10;
        (length <= bytes.len()).then_some(Self {
            stored,
            crc,
            check,
            length,
        })
    }
}

/// Where a trace is, by the pages that may name it.
fn by_page(traces: &Bytes, id: TraceId) -> Result<Option<TracePlace>, ReadError> {
    let file = TraceFile::new(Arc::new(footer(TRACES)))?;
    for page in file.pages_with(id) {
        let ranges = file.bytes_of(page).into_iter();
        let parts = ranges.map(|range| (range.start, part(traces, &range)));
        if let Some(place) = file.find(page, parts.collect(), id)? {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

/// By the reader of all rows.
fn in_order(
    meta: &BlockMeta,
    spans: &Bytes,
    resources: &Arc<SpanBatch>,
) -> Result<SpanBatch, ReadError> {
    let mut reader = SpanReader::new(Arc::new(footer(SPANS)), meta, Arc::clone(resources));
    let mut gathered = Gathered::new();
    while !reader.is_done() {
        if let Some(range) = reader.wanted() {
            reader.give(range.start, part(spans, &range))?;
        }
        assert!(
            reader.take(3, &mut gathered)? > 0,
            "a reader that does not go on"
        );
    }
    Ok(gathered.batch)
}

/// As compaction does it, and how many spans come of it: by itself, or with others that have its traces as well, so that each is
/// put in order again and every span is there twice.
fn merged(
    meta: &BlockMeta,
    spans: &Bytes,
    resources: &Arc<SpanBatch>,
    others: usize,
) -> Result<u64, MergeError> {
    let table = TraceTable::from_bytes(Bytes::from_static(TRACES)).expect("golden traces");
    let other = read_resources(Bytes::from_static(RESOURCES)).expect("golden resources");
    let (footer, other) = (Arc::new(footer(SPANS)), Arc::new(other));
    let mut inputs = vec![MergeInput::new(footer.clone(), meta, Arc::clone(resources))];
    let mut files = vec![spans.clone()];
    for _ in 0..others {
        inputs.push(MergeInput::new(footer.clone(), meta, Arc::clone(&other)));
        files.push(Bytes::from_static(SPANS));
    }
    for (number, (input, file)) in inputs.iter_mut().zip(&files).enumerate() {
        while let Some(range) = input.wanted(usize::MAX) {
            let given = input.give(range.start, part(file, &range));
            given.map_err(|error| MergeError::Input {
                input: number,
                error,
            })?;
        }
    }
    let pieces: Vec<Vec<Piece>> = (0..table.len())
        .map(|at| {
            let rows = table.rows(at).len as usize;
            let piece = |input| Piece { input, rows };
            (0..=others).map(piece).collect()
        })
        .collect();
    let traces: Vec<MergedTrace<'_>> = (0..table.len())
        .map(|at| MergedTrace {
            trace_id: table.trace_id(at),
            partial: false,
            pieces: &pieces[at],
        })
        .collect();
    let new = NewBlock {
        id: meta.id,
        tenant: meta.tenant.clone(),
        class: meta.class.clone(),
        level: 1,
        created: meta.created,
        journal: None,
    };
    let options = WriteOptions::default();
    let mut writer = BlockWriter::new(new, &options, ColumnPlan::of_blocks([meta], &options))?;
    writer.merge(&mut inputs, &traces)?;
    Ok(writer.finish()?.meta.spans)
}

/// By the reader of queries: all columns of all pages, and then the traces.
fn by_columns(
    meta: &BlockMeta,
    spans: &Bytes,
    resources: &Arc<SpanBatch>,
) -> Result<SpanBatch, ReadError> {
    let file = SpanFile::new(Arc::new(footer(SPANS)), meta);
    let table = TraceTable::from_bytes(Bytes::from_static(TRACES)).expect("golden traces");
    let mut gathered = Gathered::new();
    let mut remap = Remap::default();
    remap.reset(resources);
    let mut columns = file.all_columns();
    columns.push(SpanColumn::EventName);
    for group in 0..file.group_count() {
        let pages: Vec<usize> = (0..file.first_rows_of_pages(group)?.len() - 1).collect();
        let kept: Arc<dyn Dictionaries> = Arc::new(Kept::default());
        let open = || {
            let ranges = file.bytes_of(group, &columns, Some(&pages), &*kept)?;
            for range in &ranges {
                // What is between near pages is read, too, and need not be pages.
                let _ = check_page_headers(&part(spans, range));
            }
            let parts = ranges.iter().map(|range| (range.start, part(spans, range)));
            let parts = parts.collect();
            SpanGroup::open(&file, group, &columns, parts, Arc::clone(resources), &kept)
        };
        let mut columns = open()?;
        pages
            .iter()
            .for_each(|&page| look_at_all(&mut columns, page, file.columns().len()));
        let mut spans = open()?;
        let rows = file.rows(group);
        for trace in table.within(rows.clone()) {
            let of_trace = table.rows(trace);
            let first = (of_trace.start - rows.start) as u32;
            let of_trace = first..first + of_trace.len as u32;
            spans.append(table.trace_id(trace), of_trace, &mut gathered, &mut remap)?;
        }
    }
    Ok(gathered.batch)
}

/// Asks for every column of a page, and for every value of those that can be read.
fn look_at_all(spans: &mut SpanGroup, page: usize, attributes: usize) {
    let rows = spans.page_rows(page).len();
    let _ = spans.resource(page);
    let _ = spans.span_id(page);
    let _ = spans.parent(page);
    let _ = spans.parent_span_id(page);
    let _ = spans.start(page);
    let _ = spans.few_starts(page, 0..rows, |_, _| {});
    let _ = spans.duration(page);
    let _ = spans.kind(page);
    let _ = spans.status(page);
    for column in [
        WordColumn::Name,
        WordColumn::StatusMessage,
        WordColumn::TraceState,
    ] {
        if let Ok(words) = spans.words(column, page) {
            (0..words.len()).for_each(|at| drop(words.value(at).to_vec()));
        }
    }
    for at in 0..attributes as u16 {
        if let Ok(Some(words)) = spans.dictionary(at, page) {
            (0..words.entry_count() as u32).for_each(|code| drop(words.entry(code).to_vec()));
        }
        match spans.attribute(at, page) {
            Ok(AttributePages::Words(words)) => {
                (0..words.rows().len()).for_each(|at| drop(words.value(at).to_vec()));
            }
            Ok(AttributePages::Bools(bools)) => {
                (0..bools.rows().len()).for_each(|at| _ = bools.value(at));
            }
            Err(_) => {}
        }
    }
    if let Ok(tail) = spans.tail(page) {
        for at in 0..tail.owners().len() {
            _ = (
                tail.kind(at),
                tail.keys().value(at),
                tail.values().value(at),
            );
        }
    }
    if let Ok(events) = spans.events(page) {
        (0..events.owners().len()).for_each(|at| _ = events.names().value(at));
        (0..events.attributes().owners().len()).for_each(|at| _ = events.attributes().kind(at));
    }
    if let Ok(names) = spans.event_names(page) {
        (0..names.owners().len()).for_each(|at| _ = names.names().value(at));
    }
    if let Ok(links) = spans.links(page) {
        for at in 0..links.owners().len() {
            _ = (links.trace_id(at), links.span_id(at));
        }
    }
}

fn part(file: &Bytes, range: &Range<u64>) -> Bytes {
    file.slice(range.start as usize..range.end as usize)
}

/// Keeps all dictionaries.
#[derive(Default)]
struct Kept(Mutex<HashMap<usize, Dictionary>>);

impl Dictionaries for Kept {
    fn get(&self, leaf: usize) -> Option<Dictionary> {
        self.0.lock().expect("no panic before").get(&leaf).cloned()
    }

    fn keep(&self, leaf: usize, dictionary: &Dictionary) {
        let mut kept = self.0.lock().expect("no panic before");
        kept.insert(leaf, dictionary.clone());
    }
}
