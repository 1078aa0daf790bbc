//! The leaf columns of lists: attributes, events and links.

use std::io::Write;

use model::{Attribute, EventRow, LinkRow, SpanBatch};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedRowGroupWriter;

use crate::AttributeType;
use crate::chunk::PageCompressor;
use crate::leaf::{IdLeaf, IntLeaf, Leaf as _, LongLeaf};
use crate::leaves::Leaves;
use crate::values::{Places, SymbolLeaf, ValueShape, WordLeaf};

/// The leaves of a list that rows have: how many elements and which differs by list, how pages are put together does not.
pub(crate) trait ListLeaves {
    /// Rows without any element.
    fn empty_rows(&mut self, rows: usize);

    /// Ends a page of `rows` rows.
    fn end_page(
        &mut self,
        rows: usize,
        compressor: &mut PageCompressor,
    ) -> Result<(), ParquetError>;
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

impl ListLeaves for AttributeLeaves {
    fn empty_rows(&mut self, rows: usize) {
        self.key.empty_rows(rows);
        self.kind.empty_rows(rows);
        self.value.empty_rows(rows);
    }

    fn end_page(
        &mut self,
        rows: usize,
        compressor: &mut PageCompressor,
    ) -> Result<(), ParquetError> {
        self.key.end_page(rows, false, compressor)?;
        self.kind.end_page(rows, compressor)?;
        self.value.end_page(rows, false, compressor)
    }
}

/// The leaves of a list of events.
pub(crate) struct EventLeaves {
    pub(crate) time: LongLeaf,
    pub(crate) name: SymbolLeaf,
    pub(crate) dropped: IntLeaf,
    pub(crate) attributes: AttributeLeaves,
}

impl EventLeaves {
    pub(crate) fn new(leaves: &mut Leaves<'_>) -> Self {
        let (time, name, dropped) = (leaves.long(), leaves.text(), leaves.int());
        Self {
            time,
            name,
            dropped,
            attributes: AttributeLeaves::new(leaves, 2),
        }
    }

    pub(crate) fn push(
        &mut self,
        batch: &SpanBatch,
        places: &mut Places,
        event: &EventRow,
        repetition: u8,
    ) {
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

    pub(crate) fn finish<W: Write + Send>(
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

impl ListLeaves for EventLeaves {
    fn empty_rows(&mut self, rows: usize) {
        self.time.empty_rows(rows);
        self.name.empty_rows(rows);
        self.dropped.empty_rows(rows);
        self.attributes.empty_rows(rows);
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
}

/// The leaves of a list of links.
pub(crate) struct LinkLeaves {
    pub(crate) trace_id: IdLeaf<16>,
    pub(crate) span_id: IdLeaf<8>,
    pub(crate) trace_state: SymbolLeaf,
    pub(crate) flags: IntLeaf,
    pub(crate) dropped: IntLeaf,
    pub(crate) attributes: AttributeLeaves,
}

impl LinkLeaves {
    pub(crate) fn new(leaves: &mut Leaves<'_>) -> Self {
        Self {
            trace_id: IdLeaf::new(leaves.take(), false),
            span_id: IdLeaf::new(leaves.take(), false),
            trace_state: leaves.text(),
            flags: leaves.int(),
            dropped: leaves.int(),
            attributes: AttributeLeaves::new(leaves, 2),
        }
    }

    pub(crate) fn push(
        &mut self,
        batch: &SpanBatch,
        places: &mut Places,
        link: &LinkRow,
        repetition: u8,
    ) {
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

    pub(crate) fn finish<W: Write + Send>(
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

impl ListLeaves for LinkLeaves {
    fn empty_rows(&mut self, rows: usize) {
        self.trace_id.empty_rows(rows);
        self.span_id.empty_rows(rows);
        self.trace_state.empty_rows(rows);
        self.flags.empty_rows(rows);
        self.dropped.empty_rows(rows);
        self.attributes.empty_rows(rows);
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
}
