//! One row group of `spans.parquet`.

use std::io::Write;

use model::{
    Attribute, EventRow, LinkRow, NO_EXTRA, Range32, SpanBatch, SpanExtra, SpanRow, Symbol,
    SymbolKind,
};
use parquet::errors::ParquetError;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::SchemaDescriptor;

use crate::chunk::PageCompressor;
use crate::inventory::RowGroupCounts;
use crate::leaf::{
    IdLeaf, IntLeaf, Leaf as _, LongLeaf, Places, SymbolLeaf, SymbolShape, WordLeaf,
};
use crate::order::OrderedRow;
use crate::{AttributeColumn, AttributeScope, AttributeType};

/// Rows of a page: what reading one trace must decode of every column, against some 40 bytes of page header and index each.
pub(crate) const PAGE_ROWS: usize = 8192;

/// Takes the leaf columns of a schema one after another.
pub(crate) struct Leaves<'a> {
    schema: &'a SchemaDescriptor,
    next: usize,
}

impl<'a> Leaves<'a> {
    pub(crate) fn of(schema: &'a SchemaDescriptor) -> Self {
        Self { schema, next: 0 }
    }

    pub(crate) fn take(&mut self) -> parquet::schema::types::ColumnDescPtr {
        self.next += 1;
        self.schema.column(self.next - 1)
    }

    pub(crate) fn symbol(&mut self, shape: SymbolShape) -> SymbolLeaf {
        let id = self.next as u16;
        SymbolLeaf::new(id, self.take(), shape)
    }

    pub(crate) fn text(&mut self) -> SymbolLeaf {
        self.symbol(SymbolShape::Text)
    }

    pub(crate) fn int(&mut self) -> IntLeaf {
        IntLeaf::new(self.take())
    }

    pub(crate) fn long(&mut self) -> LongLeaf {
        LongLeaf::new(self.take())
    }
}

/// The three leaves of a list of attributes.
pub(crate) struct AttributeLeaves {
    key: SymbolLeaf,
    kind: WordLeaf,
    value: SymbolLeaf,
    /// Levels of an entry after the first.
    depth: u8,
}

impl AttributeLeaves {
    /// At `depth` 1 in a row itself, at 2 inside the elements of a list.
    pub(crate) fn new(leaves: &mut Leaves<'_>, depth: u8) -> Self {
        Self {
            key: leaves.text(),
            kind: WordLeaf::new(leaves.take()),
            value: leaves.symbol(SymbolShape::Rendered),
            depth,
        }
    }

    pub(crate) fn empty_rows(&mut self, rows: usize) {
        self.key.empty_rows(rows);
        self.kind.empty_rows(rows);
        self.value.empty_rows(rows);
    }

    /// The attributes of one owner, whose own repetition level is `repetition`.
    pub(crate) fn push(
        &mut self,
        batch: &SpanBatch,
        places: &mut Places,
        attributes: &[Attribute],
        repetition: u8,
    ) {
        if attributes.is_empty() {
            self.levels(repetition, self.depth - 1);
        }
        for (at, attribute) in attributes.iter().enumerate() {
            self.levels(if at == 0 { repetition } else { self.depth }, self.depth);
            self.key.push(&batch.symbols, places, attribute.key);
            let kind = places.kind(attribute.value);
            self.kind
                .push(kind as u8, AttributeType::from(kind).as_str());
            self.value.push(&batch.symbols, places, attribute.value);
        }
    }

    fn levels(&mut self, repetition: u8, definition: u8) {
        self.key.nested(repetition, definition);
        self.kind.nested(repetition, definition);
        self.value.nested(repetition, definition);
    }

    pub(crate) fn end_page(
        &mut self,
        rows: usize,
        compressor: &mut PageCompressor,
    ) -> Result<(), ParquetError> {
        self.key.end_page(rows, false, compressor)?;
        self.kind.end_page(rows, compressor)?;
        self.value.end_page(rows, false, compressor)
    }

    pub(crate) fn finish<W: Write + Send>(
        self,
        compressor: &mut PageCompressor,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        self.key.finish(compressor, group)?;
        self.kind.finish(compressor, group)?;
        self.value.finish(compressor, group)
    }
}

struct EventLeaves {
    time: LongLeaf,
    name: SymbolLeaf,
    dropped: IntLeaf,
    attributes: AttributeLeaves,
}

impl EventLeaves {
    fn new(leaves: &mut Leaves<'_>) -> Self {
        let (time, name, dropped) = (leaves.long(), leaves.text(), leaves.int());
        Self {
            time,
            name,
            dropped,
            attributes: AttributeLeaves::new(leaves, 2),
        }
    }

    fn empty_rows(&mut self, rows: usize) {
        self.time.empty_rows(rows);
        self.name.empty_rows(rows);
        self.dropped.empty_rows(rows);
        self.attributes.empty_rows(rows);
    }

    fn push(&mut self, batch: &SpanBatch, places: &mut Places, event: &EventRow, repetition: u8) {
        self.time.nested(repetition, 1);
        self.time.push(event.time.0);
        self.name.nested(repetition, 1);
        self.name.push(&batch.symbols, places, event.name);
        self.dropped.nested(repetition, 1);
        self.dropped.push(event.dropped_attributes);
        self.attributes.push(
            batch,
            places,
            batch.attributes(event.attributes),
            repetition,
        );
    }

    fn end_page(
        &mut self,
        rows: usize,
        compressor: &mut PageCompressor,
    ) -> Result<(), ParquetError> {
        self.time.end_page(rows, compressor)?;
        self.name.end_page(rows, false, compressor)?;
        self.dropped.end_page(rows, compressor)?;
        self.attributes.end_page(rows, compressor)
    }

    fn finish<W: Write + Send>(
        self,
        compressor: &mut PageCompressor,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        self.time.finish(compressor, group)?;
        self.name.finish(compressor, group)?;
        self.dropped.finish(compressor, group)?;
        self.attributes.finish(compressor, group)
    }
}

struct LinkLeaves {
    trace_id: IdLeaf<16>,
    span_id: IdLeaf<8>,
    trace_state: SymbolLeaf,
    flags: IntLeaf,
    dropped: IntLeaf,
    attributes: AttributeLeaves,
}

impl LinkLeaves {
    fn new(leaves: &mut Leaves<'_>) -> Self {
        Self {
            trace_id: IdLeaf::new(leaves.take(), false),
            span_id: IdLeaf::new(leaves.take(), false),
            trace_state: leaves.text(),
            flags: leaves.int(),
            dropped: leaves.int(),
            attributes: AttributeLeaves::new(leaves, 2),
        }
    }

    fn empty_rows(&mut self, rows: usize) {
        self.trace_id.empty_rows(rows);
        self.span_id.empty_rows(rows);
        self.trace_state.empty_rows(rows);
        self.flags.empty_rows(rows);
        self.dropped.empty_rows(rows);
        self.attributes.empty_rows(rows);
    }

    fn push(&mut self, batch: &SpanBatch, places: &mut Places, link: &LinkRow, repetition: u8) {
        self.trace_id.nested(repetition, 1);
        self.trace_id.push(link.trace_id.0);
        self.span_id.nested(repetition, 1);
        self.span_id.push(link.span_id.0);
        self.trace_state.nested(repetition, 1);
        self.trace_state
            .push(&batch.symbols, places, link.trace_state);
        self.flags.nested(repetition, 1);
        self.flags.push(link.flags);
        self.dropped.nested(repetition, 1);
        self.dropped.push(link.dropped_attributes);
        self.attributes
            .push(batch, places, batch.attributes(link.attributes), repetition);
    }

    fn end_page(
        &mut self,
        rows: usize,
        compressor: &mut PageCompressor,
    ) -> Result<(), ParquetError> {
        self.trace_id.end_page(rows, false, compressor)?;
        self.span_id.end_page(rows, false, compressor)?;
        self.trace_state.end_page(rows, false, compressor)?;
        self.flags.end_page(rows, compressor)?;
        self.dropped.end_page(rows, compressor)?;
        self.attributes.end_page(rows, compressor)
    }

    fn finish<W: Write + Send>(
        self,
        compressor: &mut PageCompressor,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        self.trace_id.finish(compressor, group)?;
        self.span_id.finish(compressor, group)?;
        self.trace_state.finish(compressor, group)?;
        self.flags.finish(compressor, group)?;
        self.dropped.finish(compressor, group)?;
        self.attributes.finish(compressor, group)
    }
}

/// All leaf columns of `spans.parquet`, in the order of the schema.
struct SpanLeaves {
    trace_id: IdLeaf<16>,
    span_id: IdLeaf<8>,
    parent: IntLeaf,
    parent_span_id: IdLeaf<8>,
    subtree: IntLeaf,
    start: LongLeaf,
    duration: LongLeaf,
    service: SymbolLeaf,
    name: SymbolLeaf,
    kind: WordLeaf,
    status: WordLeaf,
    status_message: SymbolLeaf,
    resource: IntLeaf,
    trace_state: SymbolLeaf,
    flags: IntLeaf,
    dropped: [IntLeaf; 3],
    events: EventLeaves,
    links: LinkLeaves,
    attributes: AttributeLeaves,
    columns: Vec<SymbolLeaf>,
}

impl SpanLeaves {
    fn new(schema: &SchemaDescriptor, columns: &[AttributeColumn]) -> Self {
        let leaves = &mut Leaves::of(schema);
        Self {
            trace_id: IdLeaf::new(leaves.take(), true),
            span_id: IdLeaf::new(leaves.take(), false),
            parent: leaves.int(),
            parent_span_id: IdLeaf::new(leaves.take(), false),
            subtree: leaves.int(),
            start: leaves.long(),
            duration: leaves.long(),
            service: leaves.text(),
            name: leaves.text(),
            kind: WordLeaf::new(leaves.take()),
            status: WordLeaf::new(leaves.take()),
            status_message: leaves.text(),
            resource: leaves.int(),
            trace_state: leaves.text(),
            flags: leaves.int(),
            dropped: [leaves.int(), leaves.int(), leaves.int()],
            events: EventLeaves::new(leaves),
            links: LinkLeaves::new(leaves),
            attributes: AttributeLeaves::new(leaves, 1),
            columns: columns
                .iter()
                .map(|column| leaves.symbol(shape_of(column.kind)))
                .collect(),
        }
    }

    fn end_page(
        &mut self,
        rows: usize,
        compressor: &mut PageCompressor,
    ) -> Result<(), ParquetError> {
        self.trace_id.end_page(rows, false, compressor)?;
        self.span_id.end_page(rows, false, compressor)?;
        self.parent.end_page(rows, compressor)?;
        self.parent_span_id.end_page(rows, true, compressor)?;
        self.subtree.end_page(rows, compressor)?;
        self.start.end_page(rows, compressor)?;
        self.duration.end_page(rows, compressor)?;
        self.service.end_page(rows, false, compressor)?;
        self.name.end_page(rows, false, compressor)?;
        self.kind.end_page(rows, compressor)?;
        self.status.end_page(rows, compressor)?;
        self.status_message.end_page(rows, true, compressor)?;
        self.resource.end_page(rows, compressor)?;
        self.trace_state.end_page(rows, true, compressor)?;
        self.flags.end_page(rows, compressor)?;
        for leaf in &mut self.dropped {
            leaf.end_page(rows, compressor)?;
        }
        self.events.end_page(rows, compressor)?;
        self.links.end_page(rows, compressor)?;
        self.attributes.end_page(rows, compressor)?;
        self.columns
            .iter_mut()
            .try_for_each(|leaf| leaf.end_page(rows, true, compressor))
    }

    fn finish<W: Write + Send>(
        self,
        compressor: &mut PageCompressor,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        self.trace_id.finish(compressor, group)?;
        self.span_id.finish(compressor, group)?;
        self.parent.finish(compressor, group)?;
        self.parent_span_id.finish(compressor, group)?;
        self.subtree.finish(compressor, group)?;
        self.start.finish(compressor, group)?;
        self.duration.finish(compressor, group)?;
        self.service.finish(compressor, group)?;
        self.name.finish(compressor, group)?;
        self.kind.finish(compressor, group)?;
        self.status.finish(compressor, group)?;
        self.status_message.finish(compressor, group)?;
        self.resource.finish(compressor, group)?;
        self.trace_state.finish(compressor, group)?;
        self.flags.finish(compressor, group)?;
        for leaf in self.dropped {
            leaf.finish(compressor, group)?;
        }
        self.events.finish(compressor, group)?;
        self.links.finish(compressor, group)?;
        self.attributes.finish(compressor, group)?;
        self.columns
            .into_iter()
            .try_for_each(|leaf| leaf.finish(compressor, group))
    }
}

fn shape_of(kind: AttributeType) -> SymbolShape {
    match kind {
        AttributeType::String | AttributeType::Json => SymbolShape::Text,
        AttributeType::Int => SymbolShape::Eight { double: false },
        AttributeType::Double => SymbolShape::Eight { double: true },
        AttributeType::Bool => SymbolShape::Bool,
    }
}

/// Finds the column of a key and type.
struct ColumnFinder {
    /// By symbol of the key: 0, or one more than an index into `leaves`.
    of_key: Vec<u16>,
    /// By symbol kind: leaf, or [`NO_COLUMN`].
    leaves: Vec<[u16; 5]>,
}

const NO_COLUMN: u16 = u16::MAX;

impl ColumnFinder {
    fn new(batch: &SpanBatch, columns: &[AttributeColumn]) -> Self {
        let mut finder = Self {
            of_key: vec![0; batch.symbols.len()],
            leaves: Vec::new(),
        };
        for (leaf, column) in columns.iter().enumerate() {
            let Some(key) = batch.symbols.find_str(&column.key) else {
                continue;
            };
            if finder.of_key[key.index()] == 0 {
                finder.leaves.push([NO_COLUMN; 5]);
                finder.of_key[key.index()] = finder.leaves.len() as u16;
            }
            let kind = match column.kind {
                AttributeType::String => SymbolKind::Str,
                AttributeType::Int => SymbolKind::Int,
                AttributeType::Double => SymbolKind::Double,
                AttributeType::Bool => SymbolKind::Bool,
                AttributeType::Json => SymbolKind::Json,
            };
            finder.leaves[usize::from(finder.of_key[key.index()]) - 1][kind as usize] = leaf as u16;
        }
        finder
    }

    #[inline]
    fn find(&self, key: Symbol, kind: SymbolKind) -> Option<usize> {
        let slot = self.of_key[key.index()];
        if slot == 0 {
            return None;
        }
        let leaf = self.leaves[usize::from(slot) - 1][kind as usize];
        (leaf != NO_COLUMN).then_some(usize::from(leaf))
    }
}

/// Writes one row group.
pub(crate) struct SpanWriter<'a> {
    batch: &'a SpanBatch,
    /// By resource of the batch: row of `resources.parquet`.
    resources: &'a [u32],
    columns: ColumnFinder,
    places: Places,
    leaves: SpanLeaves,
    tail: Vec<Attribute>,
    /// Rows at the end of the page with nothing in the nested columns, which are not told of each.
    without_events: usize,
    without_links: usize,
    without_tail: usize,
}

impl<'a> SpanWriter<'a> {
    pub(crate) fn new(
        schema: &SchemaDescriptor,
        columns: &[AttributeColumn],
        batch: &'a SpanBatch,
        resources: &'a [u32],
    ) -> Self {
        Self {
            batch,
            resources,
            columns: ColumnFinder::new(batch, columns),
            places: Places::new(&batch.symbols),
            leaves: SpanLeaves::new(schema, columns),
            tail: Vec::new(),
            without_events: 0,
            without_links: 0,
            without_tail: 0,
        }
    }

    /// Writes the rows as the next row group of the file.
    pub(crate) fn write<W: Write + Send>(
        mut self,
        rows: &[OrderedRow],
        columns: &[AttributeColumn],
        counts: &mut RowGroupCounts,
        compressor: &mut PageCompressor,
        file: &mut SerializedFileWriter<W>,
    ) -> Result<(), ParquetError> {
        for page in rows.chunks(PAGE_ROWS) {
            for (at, row) in page.iter().enumerate() {
                self.push(at, row, counts);
            }
            self.end_page(page.len(), compressor)?;
        }
        for (leaf, column) in self.leaves.columns.iter().zip(columns) {
            counts.column(&column.key, column.kind, leaf.present());
        }
        let mut group = file.next_row_group()?;
        self.leaves.finish(compressor, &mut group)?;
        group.close()?;
        Ok(())
    }

    #[inline]
    fn push(&mut self, at: usize, row: &OrderedRow, counts: &mut RowGroupCounts) {
        let span = &self.batch.spans[row.row as usize];
        let symbols = &self.batch.symbols;
        let leaves = &mut self.leaves;
        let resource = &self.batch.resources[span.resource as usize];
        leaves.trace_id.push(span.trace_id.0);
        leaves.span_id.push(span.span_id.0);
        leaves.parent.push(row.parent);
        if row.parent == 0 && !span.is_root() {
            leaves.parent_span_id.set(at, span.parent_span_id.0);
        }
        leaves.subtree.push(row.subtree);
        leaves.start.push(span.start.0);
        leaves.duration.push(span.duration.0);
        leaves
            .service
            .push(symbols, &mut self.places, resource.service);
        leaves.name.push(symbols, &mut self.places, span.name);
        leaves.kind.push(span.kind as u8, span.kind.as_str());
        leaves.status.push(span.status as u8, span.status.as_str());
        leaves.resource.push(self.resources[span.resource as usize]);
        leaves.flags.push(span.flags);
        counts.span(resource.service, span);
        self.push_extra(at, span, counts);
        self.push_attributes(at, span.attributes, counts);
    }

    #[inline]
    fn push_extra(&mut self, at: usize, span: &SpanRow, counts: &mut RowGroupCounts) {
        let extra = if span.extra == NO_EXTRA {
            SpanExtra::default()
        } else {
            self.batch.extras[span.extra as usize]
        };
        let leaves = &mut self.leaves;
        for (leaf, dropped) in leaves.dropped.iter_mut().zip([
            extra.dropped_attributes,
            extra.dropped_events,
            extra.dropped_links,
        ]) {
            leaf.push(dropped);
        }
        if extra.status_message != Symbol::EMPTY {
            leaves.status_message.set(
                at,
                &self.batch.symbols,
                &mut self.places,
                extra.status_message,
            );
        }
        if extra.trace_state != Symbol::EMPTY {
            leaves
                .trace_state
                .set(at, &self.batch.symbols, &mut self.places, extra.trace_state);
        }
        if extra.events.len == 0 {
            self.without_events += 1;
        } else {
            leaves
                .events
                .empty_rows(std::mem::take(&mut self.without_events));
            for (position, event) in self.batch.events[extra.events.indices()].iter().enumerate() {
                leaves
                    .events
                    .push(self.batch, &mut self.places, event, u8::from(position > 0));
                counts.attributes(AttributeScope::Event, self.batch, event.attributes);
            }
        }
        if extra.links.len == 0 {
            self.without_links += 1;
        } else {
            leaves
                .links
                .empty_rows(std::mem::take(&mut self.without_links));
            for (position, link) in self.batch.links[extra.links.indices()].iter().enumerate() {
                leaves
                    .links
                    .push(self.batch, &mut self.places, link, u8::from(position > 0));
                counts.attributes(AttributeScope::Link, self.batch, link.attributes);
            }
        }
    }

    #[inline]
    fn push_attributes(&mut self, at: usize, attributes: Range32, counts: &mut RowGroupCounts) {
        for attribute in self.batch.attributes(attributes) {
            let kind = self.places.kind(attribute.value);
            let taken = self.columns.find(attribute.key, kind).is_some_and(|leaf| {
                self.leaves.columns[leaf].set(
                    at,
                    &self.batch.symbols,
                    &mut self.places,
                    attribute.value,
                )
            });
            if !taken {
                self.tail.push(*attribute);
            }
        }
        if self.tail.is_empty() {
            self.without_tail += 1;
        } else {
            self.leaves
                .attributes
                .empty_rows(std::mem::take(&mut self.without_tail));
            self.leaves
                .attributes
                .push(self.batch, &mut self.places, &self.tail, 0);
            counts.tail(self.batch, &self.tail);
            self.tail.clear();
        }
    }

    fn end_page(
        &mut self,
        rows: usize,
        compressor: &mut PageCompressor,
    ) -> Result<(), ParquetError> {
        self.leaves
            .events
            .empty_rows(std::mem::take(&mut self.without_events));
        self.leaves
            .links
            .empty_rows(std::mem::take(&mut self.without_links));
        self.leaves
            .attributes
            .empty_rows(std::mem::take(&mut self.without_tail));
        self.leaves.end_page(rows, compressor)
    }
}
