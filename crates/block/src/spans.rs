//! The leaf columns of `spans.parquet` while one row group of it is written.

use std::io::Write;
use std::sync::Arc;

use parquet::errors::ParquetError;
use parquet::file::writer::SerializedRowGroupWriter;
use parquet::schema::types::SchemaDescriptor;

use crate::chunk::{Chunk, PageCompressor};
use crate::leaf::{IdLeaf, IntLeaf, Leaf, LongLeaf};
use crate::leaves::Leaves;
use crate::list_leaves::{AttributeLeaves, EventLeaves, LinkLeaves, ListLeaves as _};
use crate::mask::{GroupMasks, Presence};
use crate::values::{SymbolLeaf, ValueShape, WordLeaf};
use crate::{AttributeColumn, AttributeType};

/// Rows of a page: what reading one trace must decode of every column, against some 40 bytes of page header and index each.
pub(crate) const PAGE_ROWS: usize = 8192;

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

    pub(crate) fn end_page(
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
