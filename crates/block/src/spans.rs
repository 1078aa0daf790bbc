//! One row group of `spans.parquet`.

use std::io::Write;
use std::sync::Arc;

use model::{
    Attribute, EventRow, LinkRow, NO_EXTRA, SpanBatch, SpanExtra, SpanRow, Symbol, SymbolKind,
};
use parquet::errors::ParquetError;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::SchemaDescriptor;

use crate::chunk::{Chunk, PageCompressor};
use crate::facts::SpanFacts;
use crate::inventory::RowGroupCounts;
use crate::leaf::{IdLeaf, IntLeaf, Leaf, LongLeaf};
use crate::mask::{GroupMasks, Presence};
use crate::order::OrderedRow;

use crate::values::{Places, SymbolLeaf, ValueShape, WordLeaf};
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

    pub(crate) fn symbol(&mut self, shape: ValueShape) -> SymbolLeaf {
        let id = self.next as u16;
        SymbolLeaf::new(id, self.take(), shape)
    }

    pub(crate) fn text(&mut self) -> SymbolLeaf {
        self.symbol(ValueShape::Text)
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
    pub(crate) key: SymbolLeaf,
    pub(crate) kind: WordLeaf,
    pub(crate) value: SymbolLeaf,
    /// Levels of an entry after the first.
    depth: u8,
}

impl AttributeLeaves {
    /// At `depth` 1 in a row itself, at 2 inside the elements of a list.
    pub(crate) fn new(leaves: &mut Leaves<'_>, depth: u8) -> Self {
        Self {
            key: leaves.text(),
            kind: WordLeaf::new(leaves.take()),
            value: leaves.symbol(ValueShape::Rendered),
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
            self.push_none(repetition);
        }
        for (at, attribute) in attributes.iter().enumerate() {
            self.push_levels(at == 0, repetition);
            self.key.push(&batch.symbols, places, attribute.key);
            let kind = places.kind(attribute.value);
            self.kind
                .push(kind as u8, AttributeType::from(kind).as_str());
            self.value.push(&batch.symbols, places, attribute.value);
        }
    }

    /// An owner without attributes, whose own repetition level is `repetition`.
    pub(crate) fn push_none(&mut self, repetition: u8) {
        self.levels(repetition, self.depth - 1);
    }

    /// The levels of the next attribute of an owner, whose own repetition level is `repetition`; its values are to be pushed.
    pub(crate) fn push_levels(&mut self, is_first: bool, repetition: u8) {
        self.levels(if is_first { repetition } else { self.depth }, self.depth);
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

pub(crate) struct EventLeaves {
    pub(crate) time: LongLeaf,
    pub(crate) name: SymbolLeaf,
    pub(crate) dropped: IntLeaf,
    pub(crate) attributes: AttributeLeaves,
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

    pub(crate) fn empty_rows(&mut self, rows: usize) {
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

    pub(crate) fn end_page(
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

pub(crate) struct LinkLeaves {
    pub(crate) trace_id: IdLeaf<16>,
    pub(crate) span_id: IdLeaf<8>,
    pub(crate) trace_state: SymbolLeaf,
    pub(crate) flags: IntLeaf,
    pub(crate) dropped: IntLeaf,
    pub(crate) attributes: AttributeLeaves,
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

    pub(crate) fn empty_rows(&mut self, rows: usize) {
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

    pub(crate) fn end_page(
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
pub(crate) struct SpanLeaves {
    pub(crate) trace_id: IdLeaf<16>,
    pub(crate) span_id: IdLeaf<8>,
    pub(crate) parent: IntLeaf,
    pub(crate) parent_span_id: IdLeaf<8>,
    pub(crate) subtree: IntLeaf,
    pub(crate) start: LongLeaf,
    pub(crate) duration: LongLeaf,
    pub(crate) service: SymbolLeaf,
    pub(crate) name: SymbolLeaf,
    pub(crate) kind: WordLeaf,
    pub(crate) status: WordLeaf,
    pub(crate) status_message: SymbolLeaf,
    pub(crate) resource: IntLeaf,
    pub(crate) trace_state: SymbolLeaf,
    pub(crate) flags: IntLeaf,
    pub(crate) dropped: [IntLeaf; 3],
    pub(crate) events: EventLeaves,
    pub(crate) links: LinkLeaves,
    pub(crate) attributes: AttributeLeaves,
    pub(crate) columns: Vec<SymbolLeaf>,
}

impl SpanLeaves {
    /// `trace_of_row` are the numbers of the traces, from 0, that the rows to come belong to.
    pub(crate) fn new(
        schema: &SchemaDescriptor,
        columns: &[AttributeColumn],
        trace_of_row: &Arc<[u32]>,
    ) -> Self {
        let leaves = &mut Leaves::of(schema);
        let mut all = Self {
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
        };
        for chunk in all.sparse() {
            chunk.watch(Presence::new(trace_of_row));
        }
        all
    }

    /// The columns that masks tell of, in the order of their bits; of lists the first leaf.
    fn sparse(&mut self) -> impl Iterator<Item = &mut Chunk> {
        let own = [
            self.parent_span_id.chunk(),
            self.status_message.chunk(),
            self.trace_state.chunk(),
            self.events.time.chunk(),
            self.links.trace_id.chunk(),
            self.attributes.key.chunk(),
        ];
        own.into_iter()
            .chain(self.columns.iter_mut().map(Leaf::chunk))
    }

    /// The masks of so many traces, which are those of the rows, when all pages are ended.
    pub(crate) fn masks(&mut self, traces: usize) -> GroupMasks {
        let mut masks = GroupMasks::new(traces, self.columns.len());
        for (bit, chunk) in self.sparse().enumerate() {
            masks.set(bit, chunk.traces());
        }
        masks
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

    pub(crate) fn finish<W: Write + Send>(
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

fn shape_of(kind: AttributeType) -> ValueShape {
    match kind {
        AttributeType::String | AttributeType::Json => ValueShape::Text,
        AttributeType::Int => ValueShape::Eight { double: false },
        AttributeType::Double => ValueShape::Eight { double: true },
        AttributeType::Bool => ValueShape::Bool,
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

/// Rows that go through the columns together: what they touch must stay in the second-level cache.
const GROUP_ROWS: usize = 256;

/// Writes one row group.
///
/// The spans of a trace lie far apart in the batch, and so do the values of a span. Fetching them one row at a time
/// would wait for memory at every step; so a group of rows is copied first, in loops that do nothing else and in which the
/// processor has many fetches under way, and then goes through the leaves column by column.
pub(crate) struct SpanWriter<'a> {
    batch: &'a SpanBatch,
    /// By resource of the batch: row of `resources.parquet`.
    resources: &'a [u32],
    columns: ColumnFinder,
    places: Places,
    leaves: SpanLeaves,
    group: Group,
    tail: Vec<Attribute>,
    /// Rows at the end of the page with nothing in the nested columns, which are not told of each.
    without_events: usize,
    without_links: usize,
    without_tail: usize,
}

/// Copies of a group of rows.
#[derive(Default)]
struct Group {
    /// Row of the page that the group begins at.
    first: usize,
    spans: Vec<SpanRow>,
    attributes: Vec<Attribute>,
    /// Of each span: the end of its attributes.
    ends: Vec<u32>,
    /// Of each attribute: the kind of its value.
    kinds: Vec<SymbolKind>,
}

impl Group {
    fn fetch(&mut self, first: usize, rows: &[OrderedRow], batch: &SpanBatch, places: &Places) {
        self.first = first;
        self.spans.clear();
        let spans = rows.iter().map(|row| batch.spans[row.row as usize]);
        self.spans.extend(spans);
        self.attributes.clear();
        self.ends.clear();
        for span in &self.spans {
            self.attributes
                .extend_from_slice(batch.attributes(span.attributes));
            self.ends.push(self.attributes.len() as u32);
        }
        self.kinds.clear();
        let kinds = self.attributes.iter().map(|each| places.kind(each.value));
        self.kinds.extend(kinds);
    }
}

impl<'a> SpanWriter<'a> {
    pub(crate) fn new(
        schema: &SchemaDescriptor,
        columns: &[AttributeColumn],
        trace_of_row: &Arc<[u32]>,
        batch: &'a SpanBatch,
        resources: &'a [u32],
    ) -> Self {
        Self {
            batch,
            resources,
            columns: ColumnFinder::new(batch, columns),
            places: Places::new(&batch.symbols),
            leaves: SpanLeaves::new(schema, columns, trace_of_row),
            group: Group::default(),
            tail: Vec::new(),
            without_events: 0,
            without_links: 0,
            without_tail: 0,
        }
    }

    /// Writes the rows, of so many traces, as the next row group of the file, and gives the masks of these.
    pub(crate) fn write<W: Write + Send>(
        mut self,
        rows: &[OrderedRow],
        columns: &[AttributeColumn],
        counts: &mut RowGroupCounts,
        compressor: &mut PageCompressor,
        traces: usize,
        file: &mut SerializedFileWriter<W>,
    ) -> Result<GroupMasks, ParquetError> {
        for page in rows.chunks(PAGE_ROWS) {
            for (number, group) in page.chunks(GROUP_ROWS).enumerate() {
                let first = number * GROUP_ROWS;
                self.group.fetch(first, group, self.batch, &self.places);
                self.push_core(group, counts);
                self.push_extras(counts);
                self.push_attributes(counts);
            }
            self.end_page(page.len(), compressor)?;
        }
        for (leaf, column) in self.leaves.columns.iter().zip(columns) {
            counts.column(&column.key, column.kind, leaf.present());
        }
        let masks = self.leaves.masks(traces);
        let mut group = file.next_row_group()?;
        self.leaves.finish(compressor, &mut group)?;
        group.close()?;
        Ok(masks)
    }

    fn push_core(&mut self, rows: &[OrderedRow], counts: &mut RowGroupCounts) {
        let (spans, leaves) = (&self.group.spans, &mut self.leaves);
        let (symbols, places) = (&self.batch.symbols, &mut self.places);
        leaves.trace_id.extend(spans.iter().map(|s| s.trace_id.0));
        leaves.span_id.extend(spans.iter().map(|s| s.span_id.0));
        leaves.parent.extend(rows.iter().map(|row| row.parent));
        leaves.subtree.extend(rows.iter().map(|row| row.subtree));
        for (at, (row, span)) in rows.iter().zip(spans).enumerate() {
            if row.parent == 0 && !span.is_root() {
                let parent = span.parent_span_id.0;
                leaves.parent_span_id.set(self.group.first + at, parent);
            }
        }
        leaves.start.extend(spans.iter().map(|s| s.start.0));
        leaves.duration.extend(spans.iter().map(|s| s.duration.0));
        for span in spans {
            let service = self.batch.resources[span.resource as usize].service;
            leaves.service.push(symbols, places, service);
            counts.span(&SpanFacts::of(self.batch, span));
        }
        for span in spans {
            leaves.name.push(symbols, places, span.name);
        }
        for span in spans {
            leaves.kind.push(span.kind as u8, span.kind.as_str());
            leaves.status.push(span.status as u8, span.status.as_str());
        }
        let resources = spans.iter().map(|s| self.resources[s.resource as usize]);
        leaves.resource.extend(resources);
        leaves.flags.extend(spans.iter().map(|s| s.flags));
    }

    fn push_extras(&mut self, counts: &mut RowGroupCounts) {
        for at in 0..self.group.spans.len() {
            let extra = self.batch.extra(&self.group.spans[at]);
            let dropped = [
                extra.dropped_attributes,
                extra.dropped_events,
                extra.dropped_links,
            ];
            for (leaf, dropped) in self.leaves.dropped.iter_mut().zip(dropped) {
                leaf.push(dropped);
            }
            if self.group.spans[at].extra == NO_EXTRA {
                self.without_events += 1;
                self.without_links += 1;
            } else {
                self.push_extra(self.group.first + at, &extra, counts);
            }
        }
    }

    fn push_extra(&mut self, at: usize, extra: &SpanExtra, counts: &mut RowGroupCounts) {
        let (batch, leaves) = (self.batch, &mut self.leaves);
        let (symbols, places) = (&batch.symbols, &mut self.places);
        if extra.status_message != Symbol::EMPTY {
            let message = extra.status_message;
            leaves.status_message.set(at, symbols, places, message);
        }
        if extra.trace_state != Symbol::EMPTY {
            let state = extra.trace_state;
            leaves.trace_state.set(at, symbols, places, state);
        }
        if extra.events.len == 0 {
            self.without_events += 1;
        } else {
            let before = std::mem::take(&mut self.without_events);
            leaves.events.empty_rows(before);
        }
        for (position, event) in batch.events[extra.events.indices()].iter().enumerate() {
            let repetition = u8::from(position > 0);
            leaves.events.push(batch, places, event, repetition);
            counts.attributes(AttributeScope::Event, batch, event.attributes);
        }
        if extra.links.len == 0 {
            self.without_links += 1;
        } else {
            let before = std::mem::take(&mut self.without_links);
            leaves.links.empty_rows(before);
        }
        for (position, link) in batch.links[extra.links.indices()].iter().enumerate() {
            let repetition = u8::from(position > 0);
            leaves.links.push(batch, places, link, repetition);
            counts.attributes(AttributeScope::Link, batch, link.attributes);
        }
    }

    fn push_attributes(&mut self, counts: &mut RowGroupCounts) {
        let (batch, group) = (self.batch, &self.group);
        let (symbols, places) = (&batch.symbols, &mut self.places);
        let mut from = 0;
        for (row, &end) in (group.first..).zip(&group.ends) {
            let own = from..end as usize;
            from = end as usize;
            for (attribute, &kind) in group.attributes[own.clone()].iter().zip(&group.kinds[own]) {
                let leaf = self.columns.find(attribute.key, kind);
                let taken = leaf.is_some_and(|leaf| {
                    self.leaves.columns[leaf].set(row, symbols, places, attribute.value)
                });
                if !taken {
                    self.tail.push(*attribute);
                }
            }
            if self.tail.is_empty() {
                self.without_tail += 1;
                continue;
            }
            let before = std::mem::take(&mut self.without_tail);
            self.leaves.attributes.empty_rows(before);
            self.leaves.attributes.push(batch, places, &self.tail, 0);
            counts.tail(batch, &self.tail);
            self.tail.clear();
        }
    }

    fn end_page(
        &mut self,
        rows: usize,
        compressor: &mut PageCompressor,
    ) -> Result<(), ParquetError> {
        let leaves = &mut self.leaves;
        leaves
            .events
            .empty_rows(std::mem::take(&mut self.without_events));
        leaves
            .links
            .empty_rows(std::mem::take(&mut self.without_links));
        leaves
            .attributes
            .empty_rows(std::mem::take(&mut self.without_tail));
        leaves.end_page(rows, compressor)
    }
}
