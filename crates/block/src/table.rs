//! `traces.parquet`, decoded: all traces of a block by id.

use std::sync::OnceLock;

use arrow::array::{Array as _, ArrayRef, AsArray as _, RecordBatch};
use arrow::datatypes::{Int32Type, Int64Type, TimestampNanosecondType};
use bytes::Bytes;
use model::{DurationNanos, SpanBatch, Symbol, TraceId, TraceSummary, UnixNanos};

use crate::ReadError;
use crate::decode::batches;
use crate::mask::{ColumnMask, DistinctMasks};
use crate::read::{Columns as _, content, other_type};

/// All traces of a block, sorted by id: some 70 bytes for each, and 12 for each service in it.
#[derive(Debug, Default)]
pub struct TraceTable {
    words: SpanBatch,
    rows: Vec<Row>,
    services: Vec<(Symbol, u32, u32)>,
    newest: OnceLock<Vec<u32>>,
    /// Start and first row of each trace, apart for walks over all of them; behind the first rows the number of rows.
    starts: Vec<UnixNanos>,
    first_rows: Vec<u64>,
    masks: DistinctMasks,
    /// Of each trace: the number of its mask. Blocks of version 1 have none.
    columns: Vec<u32>,
}

#[derive(Debug)]
struct Row {
    trace_id: TraceId,
    end: UnixNanos,
    root: Option<(Symbol, Symbol)>,
    spans: u32,
    errors: u32,
    services: (u32, u32),
    partial: bool,
}

/// The rows of a trace in `spans.parquet`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowRange {
    /// The first row.
    pub start: u64,
    /// Rows.
    pub len: u64,
}

/// Where the spans of a trace are, and in which columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TracePlace {
    /// Its rows.
    pub rows: RowRange,
    /// The columns in which it has values; `None` when the block does not tell, which is of version 1.
    pub columns: Option<ColumnMask>,
}

impl TraceTable {
    /// Decodes the whole file: about 0.1 µs a trace.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn from_bytes(bytes: Bytes) -> Result<Self, ReadError> {
        let mut table = Self::default();
        for batch in batches(bytes)? {
            table.append(&batch?)?;
        }
        if table
            .rows
            .windows(2)
            .any(|pair| pair[0].trace_id >= pair[1].trace_id)
        {
            return Err(content("traces are not in order"));
        }
        let last = table.rows.last().zip(table.first_rows.last());
        let end = last.map_or(0, |(row, first)| first.saturating_add(row.spans.into()));
        table.first_rows.push(end);
        if !table.first_rows.is_sorted() {
            return Err(content("the rows of traces are not in order"));
        }
        Ok(table)
    }

    fn append(&mut self, rows: &RecordBatch) -> Result<(), ReadError> {
        let ids = rows.ids("trace_id", 16)?;
        let start = rows.primitive::<TimestampNanosecondType>("start")?;
        let end = rows.primitive::<TimestampNanosecondType>("end")?;
        let mut root_service = rows.text("root_service")?;
        let mut root_name = rows.text("root_name")?;
        let spans = rows.primitive::<Int32Type>("spans")?;
        let errors = rows.primitive::<Int32Type>("errors")?;
        let (services, fields) = rows.list("services")?;
        let offsets = services.value_offsets();
        let mut service_name = fields.text("name")?;
        let service_spans = fields.primitive::<Int32Type>("spans")?;
        let service_errors = fields.primitive::<Int32Type>("errors")?;
        let first_row = rows.primitive::<Int64Type>("row")?;
        let partial = rows
            .named("partial")?
            .as_boolean_opt()
            .ok_or_else(|| other_type("partial"))?;
        if let Some(column) = rows.find("columns") {
            self.append_masks(column)?;
        }
        for row in 0..rows.num_rows() {
            let services_from = self.services.len() as u32;
            for at in offsets[row] as usize..offsets[row + 1] as usize {
                let name = service_name.symbol(at, &mut self.words)?;
                self.services
                    .push((name, service_spans[at] as u32, service_errors[at] as u32));
            }
            let root =
                match root_service.present(row, |text| self.words.symbols.intern_str(text))? {
                    Some(service) => Some((service, root_name.symbol(row, &mut self.words)?)),
                    None => None,
                };
            self.starts.push(UnixNanos(start[row]));
            let first_row = u64::try_from(first_row[row]);
            self.first_rows
                .push(first_row.map_err(|_| content("a row number is negative"))?);
            self.rows.push(Row {
                trace_id: TraceId::from_slice(ids.value(row))
                    .ok_or_else(|| other_type("trace_id"))?,
                end: UnixNanos(end[row]),
                root,
                spans: spans[row] as u32,
                errors: errors[row] as u32,
                services: (services_from, self.services.len() as u32),
                partial: partial.value(row),
            });
        }
        Ok(())
    }

    fn append_masks(&mut self, column: &ArrayRef) -> Result<(), ReadError> {
        let column = column.as_dictionary_opt::<Int32Type>();
        let column = column.ok_or_else(|| other_type("columns"))?;
        let masks = column.values().as_binary_opt::<i32>();
        let masks = masks.ok_or_else(|| other_type("columns"))?;
        let known: Vec<u32> = (0..masks.len())
            .map(|at| self.masks.number(masks.value(at)))
            .collect();
        let numbers = column.keys().values().iter();
        let numbers = numbers.map(|&key| known.get(key as usize).copied());
        let numbers: Option<Vec<u32>> = numbers.collect();
        self.columns
            .extend(numbers.ok_or_else(|| other_type("columns"))?);
        Ok(())
    }

    /// Traces.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Memory held, in bytes.
    pub fn byte_count(&self) -> usize {
        self.words.byte_count()
            + self.rows.capacity() * (size_of::<Row>() + size_of::<u32>() + 2 * size_of::<u64>())
            + self.services.capacity() * size_of::<(Symbol, u32, u32)>()
            + self.columns.capacity() * size_of::<u32>()
            + self.masks.byte_count()
    }

    /// The position of a trace.
    pub fn find(&self, id: TraceId) -> Option<usize> {
        self.rows.binary_search_by_key(&id, |row| row.trace_id).ok()
    }

    /// The trace at `index`.
    ///
    /// # Panics
    /// When `index` is not below [`Self::len`]; so do the methods below.
    pub fn trace_id(&self, index: usize) -> TraceId {
        self.rows[index].trace_id
    }

    /// Where its spans are.
    pub fn rows(&self, index: usize) -> RowRange {
        RowRange {
            start: self.first_rows[index],
            len: u64::from(self.rows[index].spans),
        }
    }

    /// Where its spans are, and in which columns.
    pub fn place(&self, index: usize) -> TracePlace {
        let mask = self.columns.get(index);
        TracePlace {
            rows: self.rows(index),
            columns: mask.and_then(|&mask| self.masks.get(mask)).cloned(),
        }
    }

    /// Its earliest start.
    pub fn start(&self, index: usize) -> UnixNanos {
        self.starts[index]
    }

    /// The traces whose first rows are among these rows of the file.
    pub fn within(&self, rows: std::ops::Range<u64>) -> std::ops::Range<usize> {
        let before = |row: u64| self.first_rows[..self.rows.len()].partition_point(|&at| at < row);
        before(rows.start)..before(rows.end)
    }

    /// The first row of each of these traces, and behind them that of the next.
    pub fn first_rows(&self, traces: std::ops::Range<usize>) -> &[u64] {
        self.first_rows
            .get(traces.start..=traces.end)
            .unwrap_or_default()
    }

    /// From its earliest start to its latest end.
    pub fn duration(&self, index: usize) -> DurationNanos {
        self.rows[index].end.since(self.starts[index])
    }

    /// Its spans with an error.
    pub fn errors(&self, index: usize) -> u32 {
        self.rows[index].errors
    }

    /// Whether it may be a piece only.
    pub fn is_partial(&self, index: usize) -> bool {
        self.rows[index].partial
    }

    /// Its latest end, never before its start.
    pub fn end(&self, index: usize) -> UnixNanos {
        self.rows[index].end
    }

    /// Service and name of its root span, as [`Self::text`] tells them; `None` without root.
    pub fn root(&self, index: usize) -> Option<(Symbol, Symbol)> {
        self.rows[index].root
    }

    /// The services that take part, as [`Self::text`] tells their names, with their spans and those with an error.
    pub fn services(&self, index: usize) -> &[(Symbol, u32, u32)] {
        self.services_of(index)
    }

    /// The text of a word of this table.
    pub fn text(&self, word: Symbol) -> &str {
        self.words.symbols.str(word)
    }

    /// Positions of all traces, latest start first. Costs a sort the first time.
    pub fn newest(&self) -> &[u32] {
        self.newest.get_or_init(|| {
            let mut order: Vec<u32> = (0..self.rows.len() as u32).collect();
            order.sort_by_key(|&at| std::cmp::Reverse(self.starts[at as usize]));
            order
        })
    }

    /// How this block names a service or root span; `None` when the word occurs in no trace.
    pub fn word(&self, text: &str) -> Option<Symbol> {
        self.words.symbols.find_str(text)
    }

    /// Whether the service of this [`Self::word`] takes part.
    pub fn has_service(&self, index: usize, service: Symbol) -> bool {
        self.services_of(index)
            .iter()
            .any(|&(name, ..)| name == service)
    }

    /// The [`Self::word`] of its root span's name; `None` without root.
    pub fn root_name(&self, index: usize) -> Option<Symbol> {
        self.rows[index].root.map(|(_, name)| name)
    }

    /// It as a row of a list.
    pub fn summary(&self, index: usize) -> TraceSummary {
        let row = &self.rows[index];
        let text = |symbol: Symbol| self.words.symbols.str(symbol).to_owned();
        TraceSummary {
            trace_id: row.trace_id,
            start: self.starts[index],
            end: row.end,
            root_service: row
                .root
                .map(|(service, _)| text(service))
                .unwrap_or_default(),
            root_name: row.root.map(|(_, name)| text(name)).unwrap_or_default(),
            has_root: row.root.is_some(),
            span_count: u64::from(row.spans),
            error_count: u64::from(row.errors),
            services: self
                .services_of(index)
                .iter()
                .map(|&(name, spans, errors)| (text(name), spans, errors))
                .collect(),
            partial: row.partial,
        }
    }

    fn services_of(&self, index: usize) -> &[(Symbol, u32, u32)] {
        let (from, to) = self.rows[index].services;
        &self.services[from as usize..to as usize]
    }
}
