//! In which columns of `spans.parquet` a trace has values: the column `columns` of `traces.parquet`.
//!
//! Two thirds of the columns of a block have no value in a trace. Who reads it by its id would fetch and decompress a page of each
//! only to learn that. So a trace has a mask: a bit for each column in which a row may have nothing, the lowest of a byte first, in
//! the order of the schema:
//!
//! ```text
//! 0 parent_span_id  1 status_message  2 trace_state  3 events  4 links  5 attributes  6.. the attribute columns
//! ```
//!
//! All masks of a block have as many bytes as that takes; bits behind the last column are 0. A mask is told by the levels that are
//! written ([`Presence`]), by whichever writer, so it cannot say other than the pages. There are few distinct ones: traces take few ways.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::FixedState;

use crate::levels::Levels;
use crate::read::content;
use crate::{ReadError, SpanColumn};

/// The columns that every block has and not every row has something in: those of the first bits.
const SPARSE: [SpanColumn; 6] = [
    SpanColumn::ParentSpanId,
    SpanColumn::StatusMessage,
    SpanColumn::TraceState,
    SpanColumn::Events,
    SpanColumn::Links,
    SpanColumn::Tail,
];

/// The columns in which a trace has values, of those in which a row may have none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ColumnMask(Arc<[u8]>);

impl ColumnMask {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// Bytes of a mask of a block with so many attribute columns.
    pub(crate) fn bytes_for(attribute_columns: usize) -> usize {
        (SPARSE.len() + attribute_columns).div_ceil(8)
    }

    /// As it is stored.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// That the mask is of a block with so many attribute columns, and names no other column.
    ///
    /// # Errors
    /// [`ReadError::Content`]
    pub(crate) fn check(&self, attribute_columns: usize) -> Result<(), ReadError> {
        let bits = SPARSE.len() + attribute_columns;
        let behind = (bits..self.0.len() * 8).any(|bit| self.has_bit(bit));
        if behind || self.0.len() != Self::bytes_for(attribute_columns) {
            return Err(content(
                "traces.parquet says of a trace that it has values in columns that do not exist",
            ));
        }
        Ok(())
    }

    /// Whether the trace may have values in a column.
    pub fn has(&self, column: SpanColumn) -> bool {
        let bit = match column {
            SpanColumn::Attribute(at) => Some(SPARSE.len() + usize::from(at)),
            SpanColumn::EventName => Some(3),
            _ => SPARSE.iter().position(|sparse| *sparse == column),
        };
        bit.is_none_or(|bit| self.has_bit(bit))
    }

    fn has_bit(&self, bit: usize) -> bool {
        let byte = self.0.get(bit / 8);
        byte.is_some_and(|byte| byte >> (bit % 8) & 1 == 1)
    }
}

/// The traces of a row group that have a value in a column, noted while its pages are written. Costs a nanosecond a value.
pub(crate) struct Presence {
    /// Of each row of the row group: its trace.
    trace_of_row: Arc<[u32]>,
    /// Rows of the pages so far.
    rows: usize,
    /// Ascending.
    traces: Vec<u32>,
}

impl Presence {
    pub(crate) fn new(trace_of_row: &Arc<[u32]>) -> Self {
        Self {
            trace_of_row: Arc::clone(trace_of_row),
            rows: 0,
            traces: Vec::new(),
        }
    }

    /// Notes a page of `rows` rows.
    pub(crate) fn note(&mut self, levels: Levels<'_>, rows: usize) {
        match levels {
            Levels::Nullable { present, .. } => {
                self.note_rows(present.len(), present.iter().map(|&row| row as usize));
            }
            Levels::Nested { definition, .. } if definition.iter().all(|&level| level == 0) => {}
            Levels::Nested {
                repetition,
                definition,
            } => {
                let mut rows = 0;
                let levels = repetition.iter().zip(definition);
                let present = levels.filter_map(|(&repetition, &definition)| {
                    rows += usize::from(repetition == 0);
                    (definition > 0).then(|| rows - 1)
                });
                self.note_rows(definition.len(), present);
            }
        }
        self.rows += rows;
    }

    /// Notes the traces of ascending rows of the page at hand, of which there are at most `count`. Whether a row is of another trace
    /// than the one before cannot be guessed, so nothing branches on it.
    fn note_rows(&mut self, count: usize, rows: impl Iterator<Item = usize>) {
        let trace_of_row = &self.trace_of_row[self.rows..];
        let mut noted = self.traces.len();
        let mut last = self.traces.last().copied().unwrap_or(u32::MAX);
        self.traces.resize(noted + count, 0);
        for row in rows {
            let trace = trace_of_row[row];
            noted += usize::from(trace != last);
            self.traces[noted - 1] = trace;
            last = trace;
        }
        self.traces.truncate(noted);
    }

    /// The traces noted, ascending.
    pub(crate) fn traces(&self) -> &[u32] {
        &self.traces
    }
}

/// The masks of the traces of a row group.
pub(crate) struct GroupMasks {
    bytes: Vec<u8>,
    /// Of each mask.
    mask_bytes: usize,
}

impl GroupMasks {
    /// Of so many traces without any value.
    pub(crate) fn new(traces: usize, attribute_columns: usize) -> Self {
        let mask_bytes = ColumnMask::bytes_for(attribute_columns);
        Self {
            bytes: vec![0; traces * mask_bytes],
            mask_bytes,
        }
    }

    /// Notes that these traces have values in the column of a bit.
    pub(crate) fn set(&mut self, bit: usize, traces: &[u32]) {
        let (byte, bit) = (bit / 8, 1 << (bit % 8));
        for &trace in traces {
            self.bytes[trace as usize * self.mask_bytes + byte] |= bit;
        }
    }

    /// The mask of each trace.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.chunks_exact(self.mask_bytes)
    }
}

/// Masks, each once.
#[derive(Debug, Default)]
pub(crate) struct DistinctMasks {
    masks: Vec<ColumnMask>,
    numbers: HashMap<ColumnMask, u32, FixedState>,
}

impl std::borrow::Borrow<[u8]> for ColumnMask {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl DistinctMasks {
    /// The number of a mask: one more than that of the last new one.
    pub(crate) fn number(&mut self, mask: &[u8]) -> u32 {
        if let Some(&number) = self.numbers.get(mask) {
            return number;
        }
        let (mask, number) = (ColumnMask::new(mask), self.masks.len() as u32);
        self.masks.push(mask.clone());
        self.numbers.insert(mask, number);
        number
    }

    /// The mask of a number; `None` when there is none.
    pub(crate) fn get(&self, number: u32) -> Option<&ColumnMask> {
        self.masks.get(number as usize)
    }

    pub(crate) fn len(&self) -> usize {
        self.masks.len()
    }

    /// Memory held, in bytes, about.
    pub(crate) fn byte_count(&self) -> usize {
        /// A mask and its counts, where it is listed, and where it is found.
        const MASK_BYTES: usize = 80;
        self.masks.len() * MASK_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_of_other_columns_than_the_blocks_is_refused() {
        let mask = ColumnMask::new(&[0, 0b0000_0011]);
        assert!(mask.check(4).is_ok());
        assert!(mask.check(3).is_err(), "a bit for a column too much");
        assert!(mask.check(2).is_err(), "too long");
        assert!(mask.check(11).is_err(), "too short");
        assert!(ColumnMask::new(&[]).check(0).is_err());
    }

    #[test]
    fn a_mask_tells_of_the_columns_that_may_be_empty() {
        let mask = ColumnMask::new(&[0b0100_1000, 0b0000_0010]);
        let has = |column| mask.has(column);
        assert!(has(SpanColumn::Events) && has(SpanColumn::EventName));
        assert!(has(SpanColumn::Attribute(0)) && has(SpanColumn::Attribute(3)));
        assert!(!has(SpanColumn::Attribute(1)) && !has(SpanColumn::Attribute(900)));
        assert!(!has(SpanColumn::Tail) && !has(SpanColumn::ParentSpanId));
        assert!(has(SpanColumn::Name) && has(SpanColumn::Dropped));
    }
}
