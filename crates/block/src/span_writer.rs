//! Spans in memory on their way into the columns of one row group.

use std::io::Write;
use std::sync::Arc;

use model::{Attribute, NO_EXTRA, SpanBatch, SpanExtra, SpanRow, Symbol, SymbolKind};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::SchemaDescriptor;

use crate::chunk::PageCompressor;
use crate::facts::SpanFacts;
use crate::inventory::RowGroupCounts;
use crate::list_leaves::ListLeaves as _;
use crate::mask::GroupMasks;
use crate::order::OrderedRow;
use crate::spans::{PAGE_ROWS, SpanLeaves};
use crate::values::Places;
use crate::{AttributeColumn, AttributeScope, AttributeType};

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
