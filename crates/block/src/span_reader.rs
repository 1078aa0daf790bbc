//! `spans.parquet` in, spans out, in order and page by page: the plain way of what [`crate::merge`] does column by column.
//!
//! It depends on what [`BlockWriter`](crate::BlockWriter) promises of its pages: those of all columns of a row group begin at
//! the same rows. [`SpanDecoder`](crate::SpanDecoder) reads any rows of any writer, at four times the cost; tests hold the two
//! against each other.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use model::{
    Attribute, DurationNanos, Gathered, NO_EXTRA, Range32, Remap, SpanBatch, SpanExtra, SpanId,
    SpanKind, SpanRow, StatusCode, Symbol, TraceId, UnixNanos,
};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};

use crate::extras::{EventPages, LinkPages, ListPlaces};
use crate::group::no_resource;
use crate::header::check_page_headers;
use crate::lists::ListPages;
use crate::numbers::{IdPages, IntPages, LongPages, NullableIdPages};
use crate::pages::{PagedColumn, Window, within};
use crate::read::content;
use crate::source::{Source, leaves_of};
use crate::words::{AttributePages, NumberedPages, WordPages};
use crate::{AttributeType, BlockMeta, ReadError};

/// Reads all rows of one `spans.parquet` in their order. It asks for the bytes it needs ([`Self::wanted`], [`Self::give`]).
pub struct SpanReader {
    footer: Arc<ParquetMetaData>,
    /// Leaf columns by path.
    leaves: HashMap<String, usize>,
    columns: Vec<(String, AttributeType, String)>,
    resources: Arc<SpanBatch>,
    remap: Remap,
    /// The trace that the last row belonged to and the ids of its spans so far: parents are among them.
    open: (TraceId, Vec<SpanId>),
    next_group: usize,
    group: Option<Group>,
}

impl SpanReader {
    /// A reader before the first row; `resources` comes from [`read_resources`](crate::read_resources).
    pub fn new(footer: Arc<ParquetMetaData>, meta: &BlockMeta, resources: Arc<SpanBatch>) -> Self {
        let mut remap = Remap::default();
        remap.reset(&resources);
        Self {
            leaves: leaves_of(&footer),
            columns: meta
                .columns
                .iter()
                .map(|column| (column.key.clone(), column.kind, column.column.clone()))
                .collect(),
            footer,
            resources,
            remap,
            open: (TraceId::ZERO, Vec::new()),
            next_group: 0,
            group: None,
        }
    }

    /// The bytes of the file that are to be given next; `None` while there are rows to take, and at the end.
    pub fn wanted(&self) -> Option<Range<u64>> {
        if self.has_rows() {
            return None;
        }
        bytes_of_group(self.footer.row_groups().get(self.next_group)?)
    }

    /// Takes the bytes of the range that was [`Self::wanted`]. They are held, compressed, until their rows are taken.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn give(&mut self, start: u64, bytes: Bytes) -> Result<(), ReadError> {
        let Some(group) = self.footer.row_groups().get(self.next_group) else {
            return Ok(());
        };
        check_page_headers(&bytes)?;
        self.next_group += 1;
        let file = Window { start, bytes };
        let source = Source {
            parts: &Arc::from([file]),
            group,
            leaves: &self.leaves,
            places: None,
            dictionaries: None,
        };
        self.group = Some(Group::open(&source, &self.columns)?);
        Ok(())
    }

    /// Whether all rows have been taken.
    pub fn is_done(&self) -> bool {
        !self.has_rows() && self.next_group >= self.footer.num_row_groups()
    }

    fn has_rows(&self) -> bool {
        self.group.as_ref().is_some_and(|group| group.left() > 0)
    }

    /// Must be called before rows are taken into another batch than the last time, or into one that was cleared.
    pub fn change_target(&mut self) {
        self.remap.reset(&self.resources);
        if let Some(group) = &mut self.group {
            group.forget_symbols();
        }
    }

    /// Appends up to `rows` rows to `into` and gives their number; 0 when bytes are [`Self::wanted`] or all is done. Costs
    /// about 0.3 µs a span.
    ///
    /// # Errors
    /// [`ReadError`]; then `into` may hold some of the rows.
    pub fn take(&mut self, rows: usize, into: &mut Gathered) -> Result<usize, ReadError> {
        let Some(group) = self.group.as_mut().filter(|group| group.left() > 0) else {
            return Ok(0);
        };
        if group.next == group.page_rows {
            group.next_page()?;
        }
        let first = group.next;
        let taken = rows.min(group.page_rows - first);
        group.next += taken;
        let range = first..first + taken;
        let from = into.batch.spans.len();
        group.push_attributes(range.clone(), into)?;
        for (at, row) in range.clone().enumerate() {
            let ids = (group.trace_id.ids()[row], group.span_id.ids()[row]);
            let (trace_id, span_id) = (TraceId(ids.0), SpanId(ids.1));
            let parent_span_id = parent_of(&mut self.open, group, row, trace_id, span_id)?;
            let resource = group.resource.decoded()[row];
            if resource as usize >= self.resources.resources.len() {
                return Err(no_resource(resource));
            }
            let resource = into.push_resource(&self.resources, resource, &mut self.remap)?;
            let batch = &mut into.batch;
            let span = SpanRow {
                trace_id,
                span_id,
                parent_span_id,
                start: UnixNanos(group.start.decoded()[row]),
                duration: DurationNanos(group.duration.decoded()[row]),
                name: group.name.symbol(row, &mut batch.symbols)?,
                resource,
                attributes: Range32::between(group.ends[at] as usize, group.ends[at + 1] as usize),
                extra: NO_EXTRA,
                flags: group.flags.decoded()[row],
                kind: SpanKind::from_number(group.kind.number(row).into()),
                status: StatusCode::from_number(group.status.number(row).into()),
            };
            batch.spans.push(span);
        }
        group.push_extras(range, from, &mut into.batch)?;
        Ok(taken)
    }
}

/// Where a row group lies in its file; `None` when it has no columns.
pub(crate) fn bytes_of_group(group: &RowGroupMetaData) -> Option<Range<u64>> {
    let ranges = group.columns().iter().map(ColumnChunkMetaData::byte_range);
    let start = ranges.clone().map(|(start, _)| start).min()?;
    let end = ranges.map(|(start, len)| start.saturating_add(len)).max()?;
    Some(start..end)
}

fn parent_of(
    open: &mut (TraceId, Vec<SpanId>),
    group: &mut Group,
    row: usize,
    trace_id: TraceId,
    span_id: SpanId,
) -> Result<SpanId, ReadError> {
    let (open, before) = open;
    if *open != trace_id {
        *open = trace_id;
        before.clear();
    }
    let parent = match group.parent.decoded()[row] as usize {
        0 => group.parent_by_id(row),
        back if back <= before.len() => before[before.len() - back],
        back => {
            return Err(content(format!(
                "a parent lies {back} rows back, outside its trace"
            )));
        }
    };
    before.push(span_id);
    Ok(parent)
}

/// A row group and its open page.
struct Group {
    rows: usize,
    next_page: usize,
    /// Rows before the open page.
    page_first: usize,
    page_rows: usize,
    /// The next row of the open page.
    next: usize,
    trace_id: IdPages<16>,
    span_id: IdPages<8>,
    parent: IntPages,
    parent_span_id: NullableIdPages<8>,
    start: LongPages,
    duration: LongPages,
    name: WordPages,
    kind: NumberedPages,
    status: NumberedPages,
    resource: IntPages,
    flags: IntPages,
    status_message: WordPages,
    trace_state: WordPages,
    dropped: [IntPages; 3],
    events: EventPages,
    links: LinkPages,
    columns: Vec<(String, AttributePages)>,
    tail: ListPages,
    /// Of the rows being taken: where their attributes end, after where the first begin.
    ends: Vec<u32>,
}

impl Group {
    fn open(
        source: &Source<'_>,
        columns: &[(String, AttributeType, String)],
    ) -> Result<Self, ReadError> {
        let column = |(key, kind, column): &(String, AttributeType, String)| {
            let pages = AttributePages::open(source.leaf(column)?, *kind)?;
            Ok::<_, ReadError>((key.clone(), pages))
        };
        Ok(Self {
            rows: usize::try_from(source.group.num_rows()).unwrap_or(0),
            next_page: 0,
            page_first: 0,
            page_rows: 0,
            next: 0,
            trace_id: source.ids("trace_id")?,
            span_id: source.ids("span_id")?,
            parent: source.ints("parent")?,
            parent_span_id: source.nullable_ids("parent_span_id")?,
            start: source.longs("start")?,
            duration: source.longs("duration")?,
            name: source.text("name")?,
            kind: source.kinds()?,
            status: source.statuses()?,
            resource: source.ints("resource")?,
            flags: source.ints("flags")?,
            status_message: source.nullable_text("status_message")?,
            trace_state: source.nullable_text("trace_state")?,
            dropped: [
                source.ints("dropped_attributes")?,
                source.ints("dropped_events")?,
                source.ints("dropped_links")?,
            ],
            events: EventPages::open(source)?,
            links: LinkPages::open(source)?,
            columns: columns.iter().map(column).collect::<Result<_, _>>()?,
            tail: source.list("attributes", 1)?,
            ends: Vec::new(),
        })
    }

    /// Rows that are not taken.
    fn left(&self) -> usize {
        self.rows - self.page_first - self.next
    }

    fn next_page(&mut self) -> Result<(), ReadError> {
        self.page_first += self.page_rows;
        self.next = 0;
        let page = self.next_page;
        self.next_page += 1;
        let rows = self.trace_id.load_any(page)?;
        self.page_rows = rows;
        if rows == 0 || rows > self.rows - self.page_first {
            return Err(content("a row group does not have the rows it says"));
        }
        whole(&mut self.span_id, page, rows)?;
        whole(&mut self.parent, page, rows)?;
        whole(&mut self.parent_span_id, page, rows)?;
        whole(&mut self.start, page, rows)?;
        whole(&mut self.duration, page, rows)?;
        whole(&mut self.name, page, rows)?;
        whole(&mut self.kind, page, rows)?;
        whole(&mut self.status, page, rows)?;
        whole(&mut self.resource, page, rows)?;
        whole(&mut self.flags, page, rows)?;
        whole(&mut self.status_message, page, rows)?;
        whole(&mut self.trace_state, page, rows)?;
        for dropped in &mut self.dropped {
            whole(dropped, page, rows)?;
        }
        whole(&mut self.events, page, rows)?;
        whole(&mut self.links, page, rows)?;
        for (_, pages) in &mut self.columns {
            whole(pages, page, rows)?;
        }
        whole(&mut self.tail, page, rows)
    }

    fn forget_symbols(&mut self) {
        self.name.forget_symbols();
        self.status_message.forget_symbols();
        self.trace_state.forget_symbols();
        self.events.forget_symbols();
        self.links.forget_symbols();
        for (_, pages) in &mut self.columns {
            pages.forget_symbols();
        }
        self.tail.forget_symbols();
    }

    fn parent_by_id(&self, row: usize) -> SpanId {
        let at = self.parent_span_id.rows().binary_search(&(row as u32));
        at.map_or(SpanId::ZERO, |at| SpanId(self.parent_span_id.ids()[at]))
    }

    /// Appends the attributes of the rows, row by row, and notes where they end. Columns know their rows, not the other way
    /// round, so this counts first, and then puts each value where its row wants it.
    fn push_attributes(
        &mut self,
        rows: Range<usize>,
        into: &mut Gathered,
    ) -> Result<(), ReadError> {
        let batch = &mut into.batch;
        let (first, count) = (rows.start as u32, rows.len());
        // Behind the begin of all: first the count of each row, two further on, then the place of its next attribute.
        self.ends.clear();
        self.ends.resize(count + 2, 0);
        for (_, pages) in &self.columns {
            for &row in &pages.rows()[within(pages.rows(), &rows)] {
                self.ends[(row - first) as usize + 2] += 1;
            }
        }
        for &row in &self.tail.owners()[within(self.tail.owners(), &rows)] {
            self.ends[(row - first) as usize + 2] += 1;
        }
        let begin = batch.attributes.len() as u32;
        (self.ends[0], self.ends[1]) = (begin, begin);
        for at in 2..self.ends.len() {
            self.ends[at] += self.ends[at - 1];
        }
        let end = self.ends[count + 1] as usize;
        batch.attributes.resize(
            end,
            Attribute {
                key: Symbol::EMPTY,
                value: Symbol::EMPTY,
            },
        );
        for (key, pages) in &mut self.columns {
            let own = within(pages.rows(), &rows);
            if own.is_empty() {
                continue;
            }
            let key = batch.symbols.intern_str(key)?;
            for at in own {
                let value = pages.symbol(at, &mut batch.symbols)?;
                let place = &mut self.ends[(pages.rows()[at] - first) as usize + 1];
                batch.attributes[*place as usize] = Attribute { key, value };
                *place += 1;
            }
        }
        for at in within(self.tail.owners(), &rows) {
            let attribute = self.tail.attribute(at, &mut batch.symbols)?;
            let place = &mut self.ends[(self.tail.owners()[at] - first) as usize + 1];
            batch.attributes[*place as usize] = attribute;
            *place += 1;
        }
        // Every place has moved on to the end of its row.
        self.ends.truncate(count + 1);
        Ok(())
    }

    /// Gives the spans from `from` on, which are those of `rows`, what few spans have.
    fn push_extras(
        &mut self,
        rows: Range<usize>,
        from: usize,
        into: &mut SpanBatch,
    ) -> Result<(), ReadError> {
        let mut places = ExtraPlaces::at(self, rows.start as u32);
        for row in rows.clone() {
            let extra = self.extra(row as u32, &mut places, into)?;
            let nothing = SpanExtra {
                events: extra.events,
                links: extra.links,
                ..SpanExtra::default()
            };
            if extra != nothing || extra.events.len > 0 || extra.links.len > 0 {
                into.spans[from + row - rows.start].extra = into.extras.len() as u32;
                into.extras.push(extra);
            }
        }
        Ok(())
    }

    #[inline]
    fn extra(
        &mut self,
        row: u32,
        places: &mut ExtraPlaces,
        into: &mut SpanBatch,
    ) -> Result<SpanExtra, ReadError> {
        let mut extra = SpanExtra {
            dropped_attributes: self.dropped[0].decoded()[row as usize],
            dropped_events: self.dropped[1].decoded()[row as usize],
            dropped_links: self.dropped[2].decoded()[row as usize],
            ..SpanExtra::default()
        };
        if self.status_message.rows().get(places.message) == Some(&row) {
            let symbol = self
                .status_message
                .symbol(places.message, &mut into.symbols);
            extra.status_message = symbol?;
            places.message += 1;
        }
        if self.trace_state.rows().get(places.state) == Some(&row) {
            let symbol = self.trace_state.symbol(places.state, &mut into.symbols);
            extra.trace_state = symbol?;
            places.state += 1;
        }
        extra.events = self.events.push(row, &mut places.events, into)?;
        extra.links = self.links.push(row, &mut places.links, into)?;
        Ok(extra)
    }
}

/// Decodes a page, which has `rows` rows.
fn whole(pages: &mut impl PagedColumn, page: usize, rows: usize) -> Result<(), ReadError> {
    pages.fetch(page, rows)?;
    pages.decode(&(0..rows), rows).map(drop)
}

/// How far the columns that few rows have a value of have been taken.
struct ExtraPlaces {
    message: usize,
    state: usize,
    events: ListPlaces,
    links: ListPlaces,
}

impl ExtraPlaces {
    fn at(group: &Group, row: u32) -> Self {
        let before = |positions: &[u32]| positions.partition_point(|&at| at < row);
        Self {
            message: before(group.status_message.rows()),
            state: before(group.trace_state.rows()),
            events: group.events.before(row),
            links: group.links.before(row),
        }
    }
}
