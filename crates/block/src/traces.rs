//! `traces.parquet`: a row per trace.

use std::io::Write;

use model::{Symbol, Symbols, TraceId, UnixNanos, ValueRef};
use parquet::errors::ParquetError;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{ColumnDescPtr, SchemaDescriptor};

use crate::chunk::PageCompressor;
use crate::facts::SpanFacts;
use crate::leaf::{IdLeaf, IntLeaf, Leaf as _, LongLeaf, NOWHERE};
use crate::leaves::Leaves;
use crate::mask::{ColumnMask, DistinctMasks, GroupMasks};
use crate::values::{Places, SymbolLeaf, ValueLeaf, ValueShape};

/// Rows of a page of `traces.parquet`. Looking up one trace reads a page of ids, which do not compress: 32 KiB.
const PAGE_ROWS: usize = 2048;

/// Rows of a row group: all of a large block's, so that each dictionary is written once.
const GROUP_ROWS: usize = 1 << 20;

/// Why a trace was kept while there are no sampling rules.
const REASON_KEEP_ALL: &str = "keep_all";

/// A row, in symbols of [`TraceRowsOut::words`].
#[derive(Debug, Clone, Copy)]
struct Row {
    trace_id: TraceId,
    start: UnixNanos,
    end: UnixNanos,
    root: Option<(Symbol, Symbol)>,
    spans: u32,
    errors: u32,
    services: (u32, u32),
    row: u64,
    partial: bool,
    /// The number of its mask.
    columns: u32,
}

/// What the manifest entry says of all traces together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TraceBounds {
    pub(crate) start_min: UnixNanos,
    pub(crate) start_max: UnixNanos,
    pub(crate) end_max: UnixNanos,
    pub(crate) duration_max: i64,
    pub(crate) trace_id_min: TraceId,
    pub(crate) trace_id_max: TraceId,
    pub(crate) spans: u64,
    pub(crate) errors: u64,
    pub(crate) partial: u64,
}

/// The rows of `traces.parquet` while the block is written: some 100 bytes for each trace.
#[derive(Default)]
pub(crate) struct TraceRowsOut {
    words: Symbols,
    rows: Vec<Row>,
    services: Vec<(Symbol, u32, u32)>,
    masks: DistinctMasks,
    /// Rows whose mask is known.
    masked: usize,
    /// The services of the trace at hand, in symbols of its caller.
    open: Vec<(Symbol, u32, u32)>,
}

impl TraceRowsOut {
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn last_id(&self) -> Option<TraceId> {
        self.rows.last().map(|row| row.trace_id)
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = TraceId> {
        self.rows.iter().map(|row| row.trace_id)
    }

    /// Adds a trace of at least one span whose first row in `spans.parquet` is `row`. Words of `spans` are of `symbols`.
    pub(crate) fn push(
        &mut self,
        symbols: &Symbols,
        id: TraceId,
        row: u64,
        partial: bool,
        spans: impl Iterator<Item = SpanFacts>,
    ) {
        let mut root: Option<SpanFacts> = None;
        let (mut start, mut end) = (UnixNanos(i64::MAX), UnixNanos(i64::MIN));
        let (mut count, mut errors) = (0, 0);
        self.open.clear();
        for span in spans {
            count += 1;
            start = start.min(span.start);
            // What is recorded to end before it begins makes no trace end earlier, and pieces agree with their whole.
            end = end.max(span.end).max(span.start);
            let error = u32::from(span.is_error);
            errors += error;
            if span.is_root && root.is_none_or(|root| span.start < root.start) {
                root = Some(span);
            }
            let service = span.service;
            match self.open.iter_mut().find(|(known, ..)| *known == service) {
                Some((_, spans, failed)) => (*spans, *failed) = (*spans + 1, *failed + error),
                None => self.open.push((service, 1, error)),
            }
        }
        let payload = |service: &(Symbol, u32, u32)| symbols.payload(service.0);
        self.open
            .sort_by(|left, right| payload(left).cmp(payload(right)));
        let services_from = self.services.len() as u32;
        for at in 0..self.open.len() {
            let (service, spans, failed) = self.open[at];
            let service = self.word(symbols, service);
            self.services.push((service, spans, failed));
        }
        let root = root.map(|root| {
            (
                self.word(symbols, root.service),
                self.word(symbols, root.name),
            )
        });
        self.rows.push(Row {
            trace_id: id,
            start,
            end: end.max(start),
            partial: partial || root.is_none(),
            root,
            spans: count,
            errors,
            services: (services_from, self.services.len() as u32),
            row,
            columns: 0,
        });
    }

    /// Takes the masks of the traces that were pushed since the last call.
    pub(crate) fn push_masks(&mut self, masks: &GroupMasks) {
        let mut masks = masks.iter();
        for (row, mask) in self.rows[self.masked..].iter_mut().zip(&mut masks) {
            row.columns = self.masks.number(mask);
            self.masked += 1;
        }
        debug_assert!(masks.next().is_none() && self.masked == self.rows.len());
    }

    /// Service and span names are few, so the table cannot overflow; were it to, the name would be lost, not the trace.
    fn word(&mut self, symbols: &Symbols, symbol: Symbol) -> Symbol {
        self.words
            .intern_from(symbols, symbol)
            .unwrap_or(Symbol::EMPTY)
    }

    /// `None` when there is no trace.
    pub(crate) fn bounds(&self) -> Option<TraceBounds> {
        let (first, last) = (self.rows.first()?, self.rows.last()?);
        let mut bounds = TraceBounds {
            start_min: first.start,
            start_max: first.start,
            end_max: first.end,
            duration_max: 0,
            trace_id_min: first.trace_id,
            trace_id_max: last.trace_id,
            spans: 0,
            errors: 0,
            partial: 0,
        };
        for row in &self.rows {
            bounds.start_min = bounds.start_min.min(row.start);
            bounds.start_max = bounds.start_max.max(row.start);
            bounds.end_max = bounds.end_max.max(row.end);
            bounds.duration_max = bounds.duration_max.max(row.end.since(row.start).0);
            bounds.spans += u64::from(row.spans);
            bounds.errors += u64::from(row.errors);
            bounds.partial += u64::from(row.partial);
        }
        Some(bounds)
    }

    /// Writes all rows.
    pub(crate) fn write<W: Write + Send>(
        &mut self,
        compressor: &mut PageCompressor,
        file: &mut SerializedFileWriter<W>,
    ) -> Result<(), ParquetError> {
        let full =
            |_| ParquetError::General("more service and span names than a table can hold".into());
        let constants = Constants {
            reason: self.words.intern_str(REASON_KEEP_ALL).map_err(full)?,
            weight: self
                .words
                .intern_value(ValueRef::Double(1.0))
                .map_err(full)?,
            partial: [
                self.words
                    .intern_value(ValueRef::Bool(false))
                    .map_err(full)?,
                self.words
                    .intern_value(ValueRef::Bool(true))
                    .map_err(full)?,
            ],
        };
        let schema = file.schema_descr().clone();
        for group in self.rows.chunks(GROUP_ROWS) {
            let places = &mut Places::new(&self.words);
            let mut leaves = TraceLeaves::new(&schema, self.masks.len());
            for page in group.chunks(PAGE_ROWS) {
                for (at, row) in page.iter().enumerate() {
                    let services = &self.services[row.services.0 as usize..row.services.1 as usize];
                    leaves.push(at, row, services, &self.words, places, &constants);
                    leaves.columns.push(row.columns, &self.masks);
                }
                leaves.end_page(page.len(), compressor)?;
            }
            let mut group = file.next_row_group()?;
            leaves.finish(compressor, &mut group)?;
            group.close()?;
        }
        Ok(())
    }
}

/// Values that are the same for every trace while there are no sampling rules, and the two booleans.
struct Constants {
    reason: Symbol,
    weight: Symbol,
    partial: [Symbol; 2],
}

/// All leaf columns of `traces.parquet`, in the order of the schema.
struct TraceLeaves {
    trace_id: IdLeaf<16>,
    start: LongLeaf,
    end: LongLeaf,
    root_service: SymbolLeaf,
    root_name: SymbolLeaf,
    spans: IntLeaf,
    errors: IntLeaf,
    services: (SymbolLeaf, IntLeaf, IntLeaf),
    row: LongLeaf,
    partial: SymbolLeaf,
    reason: SymbolLeaf,
    weight: SymbolLeaf,
    columns: MaskLeaf,
}

impl TraceLeaves {
    /// For traces with so many distinct masks.
    fn new(schema: &SchemaDescriptor, masks: usize) -> Self {
        let leaves = &mut Leaves::of(schema);
        Self {
            trace_id: IdLeaf::new(leaves.take(), true),
            start: leaves.long(),
            end: leaves.long(),
            root_service: leaves.text(),
            root_name: leaves.text(),
            spans: leaves.int(),
            errors: leaves.int(),
            services: (leaves.text(), leaves.int(), leaves.int()),
            row: leaves.long(),
            partial: leaves.symbol(ValueShape::Bool),
            reason: leaves.text(),
            weight: leaves.symbol(ValueShape::Eight { double: true }),
            columns: MaskLeaf::new(leaves.take(), masks),
        }
    }

    fn push(
        &mut self,
        at: usize,
        row: &Row,
        services: &[(Symbol, u32, u32)],
        words: &Symbols,
        places: &mut Places,
        constants: &Constants,
    ) {
        self.trace_id.push(row.trace_id.0);
        self.start.push(row.start.0);
        self.end.push(row.end.0);
        if let Some((service, name)) = row.root {
            self.root_service.set(at, words, places, service);
            self.root_name.set(at, words, places, name);
        }
        self.spans.push(row.spans);
        self.errors.push(row.errors);
        for (position, &(name, spans, errors)) in services.iter().enumerate() {
            let repetition = u8::from(position > 0);
            self.services.0.nested(repetition, 1);
            self.services.0.push(words, places, name);
            self.services.1.nested(repetition, 1);
            self.services.1.push(spans);
            self.services.2.nested(repetition, 1);
            self.services.2.push(errors);
        }
        self.row.push(row.row as i64);
        self.partial
            .push(words, places, constants.partial[usize::from(row.partial)]);
        self.reason.push(words, places, constants.reason);
        self.weight.push(words, places, constants.weight);
    }

    fn end_page(
        &mut self,
        rows: usize,
        compressor: &mut PageCompressor,
    ) -> Result<(), ParquetError> {
        self.trace_id.end_page(rows, false, compressor)?;
        self.start.end_page(rows, compressor)?;
        self.end.end_page(rows, compressor)?;
        self.root_service.end_page(rows, true, compressor)?;
        self.root_name.end_page(rows, true, compressor)?;
        self.spans.end_page(rows, compressor)?;
        self.errors.end_page(rows, compressor)?;
        self.services.0.end_page(rows, false, compressor)?;
        self.services.1.end_page(rows, compressor)?;
        self.services.2.end_page(rows, compressor)?;
        self.row.end_page(rows, compressor)?;
        self.partial.end_page(rows, false, compressor)?;
        self.reason.end_page(rows, false, compressor)?;
        self.weight.end_page(rows, false, compressor)?;
        self.columns.values.end_page(rows, false, compressor)
    }

    fn finish<W: Write + Send>(
        self,
        compressor: &mut PageCompressor,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        self.trace_id.finish(compressor, group)?;
        self.start.finish(compressor, group)?;
        self.end.finish(compressor, group)?;
        self.root_service.finish(compressor, group)?;
        self.root_name.finish(compressor, group)?;
        self.spans.finish(compressor, group)?;
        self.errors.finish(compressor, group)?;
        self.services.0.finish(compressor, group)?;
        self.services.1.finish(compressor, group)?;
        self.services.2.finish(compressor, group)?;
        self.row.finish(compressor, group)?;
        self.partial.finish(compressor, group)?;
        self.reason.finish(compressor, group)?;
        self.weight.finish(compressor, group)?;
        self.columns.values.finish(compressor, group)
    }
}

/// The column of masks.
struct MaskLeaf {
    values: ValueLeaf,
    /// By the number of a mask: its code, or [`NOWHERE`].
    codes: Vec<u32>,
}

impl MaskLeaf {
    fn new(descr: ColumnDescPtr, masks: usize) -> Self {
        Self {
            values: ValueLeaf::new(descr, ValueShape::Text),
            codes: vec![NOWHERE; masks],
        }
    }

    fn push(&mut self, number: u32, masks: &DistinctMasks) {
        let mask = masks.get(number).map_or(&[][..], ColumnMask::as_bytes);
        if !self.values.takes_codes() {
            self.values.push_plain(mask);
            return;
        }
        let code = &mut self.codes[number as usize];
        if *code == NOWHERE {
            *code = self.values.add(mask);
        }
        self.values.push_code(*code);
    }
}
