//! Record batches of `spans.parquet` and `resources.parquet` in, spans out.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, RecordBatch};
use arrow::datatypes::{Float64Type, Int32Type, Int64Type, TimestampNanosecondType};
use bytes::Bytes;
use model::{
    Attribute, DurationNanos, EventRow, Gathered, LinkRow, NO_EXTRA, Range32, Remap, ResourceRow,
    SpanBatch, SpanExtra, SpanId, SpanKind, SpanRow, StatusCode, Symbol, TraceId, UnixNanos,
    ValueRef,
};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::file::metadata::RowGroupMetaData;

use crate::header::check_page_headers;
use crate::read::{AttributeLists, Columns as _, TextColumn, content, other_type, reader_metadata};
use crate::{AttributeType, BlockMeta, ReadError};

/// Rows decoded at once where a file is read whole.
pub(crate) const BATCH_ROWS: usize = 8192;

/// The record batches of a file that is in memory.
pub(crate) fn batches(
    bytes: Bytes,
) -> Result<impl Iterator<Item = Result<RecordBatch, arrow::error::ArrowError>>, ReadError> {
    let footer = ArrowReaderMetadata::load(&bytes, ArrowReaderOptions::new())?
        .metadata()
        .clone();
    for column in footer
        .row_groups()
        .iter()
        .flat_map(RowGroupMetaData::columns)
    {
        let (start, length) = column.byte_range();
        let pages = usize::try_from(start)
            .ok()
            .and_then(|start| bytes.get(start..)?.get(..usize::try_from(length).ok()?))
            .ok_or_else(|| content("a column is outside of the file"))?;
        check_page_headers(pages)?;
    }
    let metadata = reader_metadata(footer)?;
    Ok(
        ParquetRecordBatchReaderBuilder::new_with_metadata(bytes, metadata)
            .with_batch_size(BATCH_ROWS)
            .build()?,
    )
}

/// As [`read_resources`](crate::read_resources), of any writer's file.
///
/// # Errors
/// [`ReadError`]
pub fn decode_resources(bytes: Bytes) -> Result<SpanBatch, ReadError> {
    let mut into = SpanBatch::default();
    for batch in batches(bytes)? {
        append_resources(&batch?, &mut into)?;
    }
    Ok(into)
}

fn append_resources(rows: &RecordBatch, into: &mut SpanBatch) -> Result<(), ReadError> {
    let mut service = rows.text("service")?;
    let mut attributes = rows.attributes("attributes")?;
    let dropped = rows.primitive::<Int32Type>("dropped_attributes")?;
    let mut schema_url = rows.text("schema_url")?;
    let mut scope_name = rows.text("scope_name")?;
    let mut scope_version = rows.text("scope_version")?;
    let mut scope_attributes = rows.attributes("scope_attributes")?;
    let scope_dropped = rows.primitive::<Int32Type>("scope_dropped_attributes")?;
    let mut scope_schema_url = rows.text("scope_schema_url")?;
    for row in 0..rows.num_rows() {
        let resource = ResourceRow {
            attributes: attributes.range(row, into)?,
            dropped_attributes: dropped[row] as u32,
            schema_url: schema_url.symbol(row, into)?,
            service: service.symbol(row, into)?,
            scope_name: scope_name.symbol(row, into)?,
            scope_version: scope_version.symbol(row, into)?,
            scope_attributes: scope_attributes.range(row, into)?,
            scope_dropped_attributes: scope_dropped[row] as u32,
            scope_schema_url: scope_schema_url.symbol(row, into)?,
        };
        into.resources.push(resource);
    }
    Ok(())
}

/// Turns record batches of `spans.parquet` (all columns, rows of whole traces from their first row on) into spans.
///
/// The batches must be read with [`reader_metadata`].
pub struct SpanDecoder {
    columns: Vec<(String, AttributeType, String)>,
    resources: Arc<SpanBatch>,
    /// The trace that the last batch ended in and the ids of its spans so far: parents may be among them.
    open: (TraceId, Vec<SpanId>),
}

impl SpanDecoder {
    /// A decoder for the spans of one block; `resources` comes from [`read_resources`](crate::read_resources).
    pub fn new(meta: &BlockMeta, resources: Arc<SpanBatch>) -> Self {
        let columns = meta
            .columns
            .iter()
            .map(|column| (column.key.clone(), column.kind, column.column.clone()));
        Self {
            columns: columns.collect(),
            resources,
            open: (TraceId::ZERO, Vec::new()),
        }
    }

    /// Appends all rows to `into`. Parents are resolved by distance, so the rows of a trace must come in one batch or in
    /// consecutive ones, from the first.
    ///
    /// # Errors
    /// [`ReadError`]; then `into` may hold some of the rows.
    pub fn append(&mut self, rows: &RecordBatch, into: &mut Gathered) -> Result<(), ReadError> {
        let mut columns = SpanColumns::new(rows, &self.columns, into)?;
        let mut remap = Remap::default();
        remap.reset(&self.resources);
        for row in 0..rows.num_rows() {
            let span = self.span(row, &mut columns, &mut remap, into)?;
            into.batch.spans.push(span);
        }
        Ok(())
    }

    fn span(
        &mut self,
        row: usize,
        columns: &mut SpanColumns<'_>,
        remap: &mut Remap,
        into: &mut Gathered,
    ) -> Result<SpanRow, ReadError> {
        let id_of = |bytes: &[u8]| SpanId::from_slice(bytes).ok_or_else(|| other_type("span_id"));
        let trace_id = TraceId::from_slice(columns.trace_id.value(row))
            .ok_or_else(|| other_type("trace_id"))?;
        let span_id = id_of(columns.span_id.value(row))?;
        if self.open.0 != trace_id {
            self.open.0 = trace_id;
            self.open.1.clear();
        }
        let before = &mut self.open.1;
        let parent_span_id = match columns.parent[row] as usize {
            0 if columns.parent_span_id.is_null(row) => SpanId::ZERO,
            0 => id_of(columns.parent_span_id.value(row))?,
            back if back <= before.len() => before[before.len() - back],
            back => {
                return Err(content(format!(
                    "parent of row {row} lies {back} rows back, outside its trace"
                )));
            }
        };
        before.push(span_id);
        let resource = columns.resource[row] as u32;
        if resource as usize >= self.resources.resources.len() {
            return Err(content(format!(
                "resource {resource} of row {row} does not exist"
            )));
        }
        let resource = into.push_resource(&self.resources, resource, remap)?;
        let batch = &mut into.batch;
        Ok(SpanRow {
            trace_id,
            span_id,
            parent_span_id,
            start: UnixNanos(columns.start[row]),
            duration: DurationNanos(columns.duration[row]),
            name: columns.name.symbol(row, batch)?,
            resource,
            attributes: columns.attributes.range(row, batch)?,
            extra: columns.extra.push(row, batch)?,
            flags: columns.flags[row] as u32,
            kind: kind_of(columns.kind.text(row))?,
            status: status_of(columns.status.text(row))?,
        })
    }
}

fn kind_of(word: &str) -> Result<SpanKind, ReadError> {
    (0..=5)
        .map(SpanKind::from_number)
        .find(|kind| kind.as_str() == word)
        .ok_or_else(|| content(format!("`{word}` is no span kind")))
}

fn status_of(word: &str) -> Result<StatusCode, ReadError> {
    (0..=2)
        .map(StatusCode::from_number)
        .find(|status| status.as_str() == word)
        .ok_or_else(|| content(format!("`{word}` is no status")))
}

struct SpanColumns<'a> {
    trace_id: &'a arrow::array::FixedSizeBinaryArray,
    span_id: &'a arrow::array::FixedSizeBinaryArray,
    parent: &'a [i32],
    parent_span_id: &'a arrow::array::FixedSizeBinaryArray,
    start: &'a [i64],
    duration: &'a [i64],
    name: TextColumn<'a>,
    kind: TextColumn<'a>,
    status: TextColumn<'a>,
    resource: &'a [i32],
    flags: &'a [i32],
    extra: ExtraColumns<'a>,
    attributes: AttributeColumns<'a>,
}

impl<'a> SpanColumns<'a> {
    fn new(
        rows: &'a RecordBatch,
        columns: &[(String, AttributeType, String)],
        into: &mut Gathered,
    ) -> Result<Self, ReadError> {
        Ok(Self {
            trace_id: rows.ids("trace_id", 16)?,
            span_id: rows.ids("span_id", 8)?,
            parent: rows.primitive::<Int32Type>("parent")?,
            parent_span_id: rows.ids("parent_span_id", 8)?,
            start: rows.primitive::<TimestampNanosecondType>("start")?,
            duration: rows.primitive::<Int64Type>("duration")?,
            name: rows.text("name")?,
            kind: rows.text("kind")?,
            status: rows.text("status")?,
            resource: rows.primitive::<Int32Type>("resource")?,
            flags: rows.primitive::<Int32Type>("flags")?,
            extra: ExtraColumns::new(rows)?,
            attributes: AttributeColumns::new(rows, columns, into)?,
        })
    }
}

/// The attributes of spans: columns of their own, then the rest.
struct AttributeColumns<'a> {
    columns: Vec<(Symbol, AttributeColumn<'a>)>,
    tail: AttributeLists<'a>,
}

enum AttributeColumn<'a> {
    Text(TextColumn<'a>),
    Json(TextColumn<'a>),
    Int(&'a Int64Array),
    Double(&'a Float64Array),
    Bool(&'a BooleanArray),
}

impl<'a> AttributeColumns<'a> {
    fn new(
        rows: &'a RecordBatch,
        columns: &[(String, AttributeType, String)],
        into: &mut Gathered,
    ) -> Result<Self, ReadError> {
        let mut found = Vec::with_capacity(columns.len());
        for (key, kind, name) in columns {
            let array = rows.named(name)?;
            // A column without a value in these rows would only be asked in vain, row after row.
            if array.null_count() < array.len() {
                found.push((
                    into.batch.symbols.intern_str(key)?,
                    AttributeColumn::new(name, *kind, array)?,
                ));
            }
        }
        Ok(Self {
            columns: found,
            tail: rows.attributes("attributes")?,
        })
    }

    #[inline]
    fn range(&mut self, row: usize, into: &mut SpanBatch) -> Result<Range32, ReadError> {
        let start = into.attributes.len();
        for (key, column) in &mut self.columns {
            if let Some(value) = column.symbol(row, into)? {
                into.attributes.push(Attribute { key: *key, value });
            }
        }
        self.tail.push(row, into)?;
        Ok(Range32::between(start, into.attributes.len()))
    }
}

impl<'a> AttributeColumn<'a> {
    fn new(name: &str, kind: AttributeType, array: &'a ArrayRef) -> Result<Self, ReadError> {
        let wrong = || other_type(name);
        Ok(match kind {
            AttributeType::String => Self::Text(TextColumn::new(name, array)?),
            AttributeType::Json => Self::Json(TextColumn::new(name, array)?),
            AttributeType::Int => {
                Self::Int(array.as_primitive_opt::<Int64Type>().ok_or_else(wrong)?)
            }
            AttributeType::Double => {
                Self::Double(array.as_primitive_opt::<Float64Type>().ok_or_else(wrong)?)
            }
            AttributeType::Bool => Self::Bool(array.as_boolean_opt().ok_or_else(wrong)?),
        })
    }

    #[inline]
    fn symbol(&mut self, row: usize, into: &mut SpanBatch) -> Result<Option<Symbol>, ReadError> {
        let symbols = &mut into.symbols;
        Ok(match self {
            Self::Text(column) => column.present(row, |text| symbols.intern_str(text))?,
            Self::Json(column) => {
                column.present(row, |text| symbols.intern_value(ValueRef::Json(text)))?
            }
            Self::Int(array) if array.is_valid(row) => {
                Some(symbols.intern_value(ValueRef::Int(array.value(row)))?)
            }
            Self::Double(array) if array.is_valid(row) => {
                Some(symbols.intern_value(ValueRef::Double(array.value(row)))?)
            }
            Self::Bool(array) if array.is_valid(row) => {
                Some(symbols.intern_value(ValueRef::Bool(array.value(row)))?)
            }
            _ => None,
        })
    }
}

/// What few spans have.
struct ExtraColumns<'a> {
    status_message: TextColumn<'a>,
    trace_state: TextColumn<'a>,
    dropped: [&'a [i32]; 3],
    events: EventColumns<'a>,
    links: LinkColumns<'a>,
}

impl<'a> ExtraColumns<'a> {
    fn new(rows: &'a RecordBatch) -> Result<Self, ReadError> {
        Ok(Self {
            status_message: rows.text("status_message")?,
            trace_state: rows.text("trace_state")?,
            dropped: [
                rows.primitive::<Int32Type>("dropped_attributes")?,
                rows.primitive::<Int32Type>("dropped_events")?,
                rows.primitive::<Int32Type>("dropped_links")?,
            ],
            events: EventColumns::new(rows)?,
            links: LinkColumns::new(rows)?,
        })
    }

    /// The index of the row's extra, or [`NO_EXTRA`] when all of it is empty.
    #[inline]
    fn push(&mut self, row: usize, into: &mut SpanBatch) -> Result<u32, ReadError> {
        let extra = SpanExtra {
            status_message: self.status_message.symbol(row, into)?,
            trace_state: self.trace_state.symbol(row, into)?,
            dropped_attributes: self.dropped[0][row] as u32,
            dropped_events: self.dropped[1][row] as u32,
            dropped_links: self.dropped[2][row] as u32,
            events: self.events.range(row, into)?,
            links: self.links.range(row, into)?,
        };
        let nothing = SpanExtra {
            events: extra.events,
            links: extra.links,
            ..SpanExtra::default()
        };
        if extra == nothing && extra.events.len == 0 && extra.links.len == 0 {
            return Ok(NO_EXTRA);
        }
        into.extras.push(extra);
        Ok((into.extras.len() - 1) as u32)
    }
}

struct EventColumns<'a> {
    offsets: &'a [i32],
    time: &'a [i64],
    name: TextColumn<'a>,
    dropped: &'a [i32],
    attributes: AttributeLists<'a>,
}

impl<'a> EventColumns<'a> {
    fn new(rows: &'a RecordBatch) -> Result<Self, ReadError> {
        let (list, fields) = rows.list("events")?;
        Ok(Self {
            offsets: list.value_offsets(),
            time: fields.primitive::<TimestampNanosecondType>("time")?,
            name: fields.text("name")?,
            dropped: fields.primitive::<Int32Type>("dropped_attributes")?,
            attributes: fields.attributes("attributes")?,
        })
    }

    #[inline]
    fn range(&mut self, row: usize, into: &mut SpanBatch) -> Result<Range32, ReadError> {
        let start = into.events.len();
        for at in self.offsets[row] as usize..self.offsets[row + 1] as usize {
            let event = EventRow {
                time: UnixNanos(self.time[at]),
                name: self.name.symbol(at, into)?,
                attributes: self.attributes.range(at, into)?,
                dropped_attributes: self.dropped[at] as u32,
            };
            into.events.push(event);
        }
        Ok(Range32::between(start, into.events.len()))
    }
}

struct LinkColumns<'a> {
    offsets: &'a [i32],
    trace_id: &'a arrow::array::FixedSizeBinaryArray,
    span_id: &'a arrow::array::FixedSizeBinaryArray,
    trace_state: TextColumn<'a>,
    flags: &'a [i32],
    dropped: &'a [i32],
    attributes: AttributeLists<'a>,
}

impl<'a> LinkColumns<'a> {
    fn new(rows: &'a RecordBatch) -> Result<Self, ReadError> {
        let (list, fields) = rows.list("links")?;
        Ok(Self {
            offsets: list.value_offsets(),
            trace_id: fields.ids("trace_id", 16)?,
            span_id: fields.ids("span_id", 8)?,
            trace_state: fields.text("trace_state")?,
            flags: fields.primitive::<Int32Type>("flags")?,
            dropped: fields.primitive::<Int32Type>("dropped_attributes")?,
            attributes: fields.attributes("attributes")?,
        })
    }

    #[inline]
    fn range(&mut self, row: usize, into: &mut SpanBatch) -> Result<Range32, ReadError> {
        let start = into.links.len();
        for at in self.offsets[row] as usize..self.offsets[row + 1] as usize {
            let link = LinkRow {
                trace_id: TraceId::from_slice(self.trace_id.value(at)).unwrap_or(TraceId::ZERO),
                span_id: SpanId::from_slice(self.span_id.value(at)).unwrap_or(SpanId::ZERO),
                trace_state: self.trace_state.symbol(at, into)?,
                flags: self.flags[at] as u32,
                attributes: self.attributes.range(at, into)?,
                dropped_attributes: self.dropped[at] as u32,
            };
            into.links.push(link);
        }
        Ok(Range32::between(start, into.links.len()))
    }
}
