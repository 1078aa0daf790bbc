//! Some columns of some rows of `spans.parquet`, page by page: what queries read with.
//!
//! A [`SpanFile`] tells which bytes hold the columns of a row group; a [`SpanGroup`] over these bytes decodes pages when they are
//! asked for, keeping the last one of each column. Like [`SpanReader`](crate::SpanReader) it depends on what
//! [`BlockWriter`](crate::BlockWriter) promises: pages of all columns begin at the same rows.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use model::SpanBatch;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::file::statistics::Statistics;

use crate::extras::{EVENT_NAME, EventNamePages, EventPages, LinkPages};
use crate::pages::{IdPages, IntPages, LongPages, Window, dictionary_place, page_places};
use crate::read::content;
use crate::source::Source;
use crate::words::{AttributePages, ListPages, NumberedPages, WordPages};
use crate::{AttributeColumn, BlockMeta, ReadError};

/// A column that can be read by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SpanColumn {
    /// Ids of spans.
    SpanId,
    /// How many rows back the parent is; 0 when it is not among the rows of the trace.
    Parent,
    /// The parent's id, where the parent is not among the rows.
    ParentSpanId,
    /// Start, in Unix nanoseconds.
    Start,
    /// Duration, in nanoseconds.
    Duration,
    /// Name.
    Name,
    /// Kind.
    Kind,
    /// Status.
    Status,
    /// Message of the status.
    StatusMessage,
    /// Row of the resource and instrumentation scope.
    Resource,
    /// W3C trace state.
    TraceState,
    /// Flags.
    Flags,
    /// What the sender dropped: attributes, events, links.
    Dropped,
    /// The attribute column with this position in [`BlockMeta::columns`].
    Attribute(u16),
    /// The attributes without a column of their own.
    Tail,
    /// Events, whole.
    Events,
    /// The names of events by themselves.
    EventName,
    /// Links, whole.
    Links,
}

/// Bytes that are rather read than left out between two ranges: a request costs more.
const NEAR_BYTES: u64 = 16 << 10;

/// A `spans.parquet` whose footer is known.
pub struct SpanFile {
    footer: Arc<ParquetMetaData>,
    /// Leaf columns by path.
    leaves: HashMap<String, usize>,
    columns: Vec<AttributeColumn>,
    /// The first row of each row group, and behind them the number of all rows.
    first_rows: Vec<u64>,
}

impl SpanFile {
    /// Costs a look at each column's name.
    pub fn new(footer: Arc<ParquetMetaData>, meta: &BlockMeta) -> Self {
        let leaves = footer.file_metadata().schema_descr().columns().iter();
        let leaves = leaves.enumerate();
        let mut first_rows = vec![0];
        for group in footer.row_groups() {
            let rows = u64::try_from(group.num_rows()).unwrap_or(0);
            first_rows.push(first_rows.last().unwrap_or(&0) + rows);
        }
        Self {
            leaves: leaves
                .map(|(at, leaf)| (leaf.path().string(), at))
                .collect(),
            columns: meta.columns.clone(),
            first_rows,
            footer,
        }
    }

    /// Memory held besides the footer, in bytes, about.
    pub fn byte_count(&self) -> usize {
        /// A column of some thirty letters, in a table and in a list.
        const COLUMN_BYTES: usize = 160;
        (self.leaves.len() + self.columns.len()) * COLUMN_BYTES
    }

    /// Row groups.
    pub fn group_count(&self) -> usize {
        self.footer.num_row_groups()
    }

    /// The rows of a row group, counted in the file.
    ///
    /// # Panics
    /// When there are not so many row groups.
    pub fn rows(&self, group: usize) -> Range<u64> {
        self.first_rows[group]..self.first_rows[group + 1]
    }

    /// The columns of attributes of a key, with their positions.
    pub fn columns_of(&self, key: &str) -> impl Iterator<Item = (u16, &AttributeColumn)> {
        let columns = (0..).zip(&self.columns);
        columns.filter(move |(_, column)| column.key == key)
    }

    /// All columns of attributes.
    pub fn columns(&self) -> &[AttributeColumn] {
        &self.columns
    }

    /// The bytes of the file that hold `pages` of these columns of a row group, ascending: dictionaries, the pages, and what
    /// lies between pages that are near each other. All pages when there is no list of them.
    ///
    /// # Errors
    /// [`ReadError`] when a column is missing.
    pub fn bytes_of(
        &self,
        group: usize,
        columns: &[SpanColumn],
        pages: Option<&[usize]>,
    ) -> Result<Vec<Range<u64>>, ReadError> {
        let metadata = self.footer.row_group(group);
        let index = self
            .footer
            .offset_index()
            .and_then(|index| index.get(group));
        let mut ranges = Vec::new();
        for &column in columns {
            let leaves = self.leaves_of(column);
            if leaves.is_empty() {
                return Err(content(format!("column {column:?} is missing")));
            }
            for leaf in leaves {
                let chunk = metadata.column(leaf);
                match (pages, index.and_then(|index| index.get(leaf))) {
                    (Some(pages), Some(places)) => {
                        let all: Vec<_> = page_places(places).collect();
                        ranges.extend(dictionary_place(chunk, places));
                        ranges.extend(pages.iter().filter_map(|&page| all.get(page).cloned()));
                    }
                    _ => {
                        let (start, len) = chunk.byte_range();
                        ranges.push(start..start.saturating_add(len));
                    }
                }
            }
        }
        ranges.sort_unstable_by_key(|range| range.start);
        let mut joined: Vec<Range<u64>> = Vec::new();
        for range in ranges {
            match joined.last_mut() {
                Some(last) if last.end.saturating_add(NEAR_BYTES) >= range.start => {
                    last.end = last.end.max(range.end);
                }
                _ => joined.push(range),
            }
        }
        Ok(joined)
    }

    /// The earliest and the latest start of the spans of a row group; `None` when the file does not tell.
    pub fn starts(&self, group: usize) -> Option<(i64, i64)> {
        self.bounds("start", group)
    }

    /// The least and the greatest duration of the spans of a row group; `None` when the file does not tell.
    pub fn durations(&self, group: usize) -> Option<(i64, i64)> {
        self.bounds("duration", group)
    }

    fn bounds(&self, path: &str, group: usize) -> Option<(i64, i64)> {
        let leaf = *self.leaves.get(path)?;
        match self.footer.row_group(group).column(leaf).statistics()? {
            Statistics::Int64(bounds) => Some((*bounds.min_opt()?, *bounds.max_opt()?)),
            _ => None,
        }
    }

    /// Pages of all row groups.
    ///
    /// # Errors
    /// As [`Self::first_rows_of_pages`].
    pub fn page_count(&self) -> Result<usize, ReadError> {
        let of_group = |group| Ok(self.first_rows_of_pages(group)?.len() - 1);
        (0..self.group_count()).map(of_group).sum()
    }

    fn places(&self, group: usize) -> Option<&[OffsetIndexMetaData]> {
        let index = self.footer.offset_index()?.get(group)?;
        Some(index)
    }

    /// The first row of each page of a row group, and behind them the number of all rows.
    ///
    /// # Errors
    /// [`ReadError`] when the file does not tell.
    pub fn first_rows_of_pages(&self, group: usize) -> Result<Vec<u32>, ReadError> {
        let leaf = self.leaves.get("resource");
        let places = leaf.and_then(|&leaf| self.places(group)?.get(leaf));
        let Some(places) = places else {
            return Err(content("the file does not tell where its pages are"));
        };
        let first = places.page_locations().iter();
        let first = first.map(|page| u32::try_from(page.first_row_index).ok());
        let rows = self.rows(group);
        let all = u32::try_from(rows.end - rows.start).ok();
        let rows: Option<Vec<u32>> = first.chain([all]).collect();
        rows.filter(|rows| rows.is_sorted() && rows.first() == Some(&0))
            .ok_or_else(|| content("the pages of a row group are not in order"))
    }

    /// The pages of a row group that hold any of these rows, counted in it; ascending.
    ///
    /// # Errors
    /// As [`Self::first_rows_of_pages`].
    pub fn pages_with(
        &self,
        group: usize,
        rows: impl IntoIterator<Item = Range<u32>>,
    ) -> Result<Vec<usize>, ReadError> {
        let first_rows = self.first_rows_of_pages(group)?;
        let page_count = first_rows.len() - 1;
        let page_of = |row: u32| first_rows[1..=page_count].partition_point(|&end| end <= row);
        let mut pages = Vec::new();
        for rows in rows.into_iter().filter(|rows| !rows.is_empty()) {
            let last = page_of(rows.end - 1).min(page_count.saturating_sub(1));
            pages.extend(page_of(rows.start)..=last);
        }
        pages.sort_unstable();
        pages.dedup();
        Ok(pages)
    }

    fn leaves_of(&self, column: SpanColumn) -> Vec<usize> {
        let prefix = match column {
            SpanColumn::Events => "events.",
            SpanColumn::Links => "links.",
            SpanColumn::Tail => "attributes.",
            SpanColumn::Dropped => "dropped_",
            other => {
                return self
                    .leaves
                    .get(self.path(other))
                    .copied()
                    .into_iter()
                    .collect();
            }
        };
        let inside = self
            .leaves
            .iter()
            .filter(|(path, _)| path.starts_with(prefix));
        inside.map(|(_, &leaf)| leaf).collect()
    }

    fn path(&self, column: SpanColumn) -> &str {
        match column {
            SpanColumn::SpanId => "span_id",
            SpanColumn::Parent => "parent",
            SpanColumn::ParentSpanId => "parent_span_id",
            SpanColumn::Start => "start",
            SpanColumn::Duration => "duration",
            SpanColumn::Name => "name",
            SpanColumn::Kind => "kind",
            SpanColumn::Status => "status",
            SpanColumn::StatusMessage => "status_message",
            SpanColumn::Resource => "resource",
            SpanColumn::TraceState => "trace_state",
            SpanColumn::Flags => "flags",
            SpanColumn::Attribute(at) => self
                .columns
                .get(usize::from(at))
                .map_or("", |column| &column.column),
            SpanColumn::EventName => EVENT_NAME,
            SpanColumn::Tail | SpanColumn::Events | SpanColumn::Links | SpanColumn::Dropped => "",
        }
    }

    /// Every column: what a whole span is made of.
    pub fn all_columns(&self) -> Vec<SpanColumn> {
        let mut all = vec![
            SpanColumn::SpanId,
            SpanColumn::Parent,
            SpanColumn::ParentSpanId,
            SpanColumn::Start,
            SpanColumn::Duration,
            SpanColumn::Name,
            SpanColumn::Kind,
            SpanColumn::Status,
            SpanColumn::StatusMessage,
            SpanColumn::Resource,
            SpanColumn::TraceState,
            SpanColumn::Flags,
            SpanColumn::Dropped,
            SpanColumn::Tail,
            SpanColumn::Events,
            SpanColumn::Links,
        ];
        all.extend((0..self.columns.len() as u16).map(SpanColumn::Attribute));
        all
    }
}

/// A column, and which of its pages is decoded.
struct Paged<T> {
    pages: T,
    page: usize,
}

/// In [`Paged::page`]: none yet.
const NO_PAGE: usize = usize::MAX;

impl<T> Paged<T> {
    fn new(pages: T) -> Self {
        let page = NO_PAGE;
        Self { pages, page }
    }

    /// Has `page` decoded, unless it is.
    #[inline]
    fn load(
        &mut self,
        page: usize,
        decode: impl FnOnce(&mut T) -> Result<(), ReadError>,
    ) -> Result<&mut T, ReadError> {
        if self.page != page {
            self.page = NO_PAGE;
            decode(&mut self.pages)?;
            self.page = page;
        }
        Ok(&mut self.pages)
    }
}

/// Some columns of one row group. Pages are numbered from 0, rows are counted in their page unless said otherwise.
///
/// Methods that give a column fail when it was not among those asked for.
pub struct SpanGroup {
    pub(crate) resources: Arc<SpanBatch>,
    /// The first row of each page, counted in the row group, and behind them the number of all rows.
    first_rows: Vec<u32>,
    resource: Paged<IntPages>,
    span_id: Option<Paged<IdPages<8>>>,
    parent: Option<Paged<IntPages>>,
    parent_span_id: Option<Paged<IdPages<8>>>,
    start: Option<Paged<LongPages>>,
    duration: Option<Paged<LongPages>>,
    /// Which pages of start and duration are read and not decoded.
    planes: [usize; 2],
    kind: Option<Paged<NumberedPages>>,
    status: Option<Paged<NumberedPages>>,
    words: [Option<Paged<WordPages>>; 3],
    pub(crate) attributes: Vec<(u16, String, AttributePagesAt)>,
    tail: Option<Paged<ListPages>>,
    events: Option<Paged<EventPages>>,
    event_names: Option<Paged<EventNamePages>>,
    links: Option<Paged<LinkPages>>,
    flags: Option<Paged<IntPages>>,
    dropped: Option<[Paged<IntPages>; 3]>,
    numbers: Vec<u8>,
}

/// The pages of an attribute's column.
pub(crate) struct AttributePagesAt(Paged<AttributePages>);

/// The columns of words that every span has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WordColumn {
    /// [`SpanColumn::Name`]; every row has one.
    Name = 0,
    /// [`SpanColumn::StatusMessage`]
    StatusMessage = 1,
    /// [`SpanColumn::TraceState`]
    TraceState = 2,
}

impl SpanGroup {
    /// Opens columns of a row group. `columns` must name [`SpanColumn::Resource`]; `bytes` are those of
    /// [`SpanFile::bytes_of`] for the same columns, each with where it begins. Pages that are not among them cannot be asked for.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn open(
        file: &SpanFile,
        group: usize,
        columns: &[SpanColumn],
        bytes: Vec<(u64, Bytes)>,
        resources: Arc<SpanBatch>,
    ) -> Result<Self, ReadError> {
        let parts: Vec<Window> = bytes
            .into_iter()
            .map(|(start, bytes)| Window { start, bytes })
            .collect();
        let source = Source {
            parts: &parts,
            group: file.footer.row_group(group),
            leaves: &file.leaves,
            places: file.places(group),
        };
        let resource = source.ints("resource")?;
        let first_rows = file.first_rows_of_pages(group)?;
        let mut opened = Self {
            resources,
            first_rows,
            resource: Paged::new(resource),
            span_id: None,
            parent: None,
            parent_span_id: None,
            start: None,
            duration: None,
            planes: [NO_PAGE; 2],
            kind: None,
            status: None,
            words: [None, None, None],
            attributes: Vec::new(),
            tail: None,
            events: None,
            event_names: None,
            links: None,
            flags: None,
            dropped: None,
            numbers: Vec::new(),
        };
        for &column in columns {
            opened.add(&source, file, column)?;
        }
        Ok(opened)
    }

    fn add(
        &mut self,
        source: &Source<'_>,
        file: &SpanFile,
        column: SpanColumn,
    ) -> Result<(), ReadError> {
        let path = file.path(column);
        match column {
            SpanColumn::Resource => {}
            SpanColumn::SpanId => self.span_id = Some(Paged::new(source.ids(path)?)),
            SpanColumn::Parent => self.parent = Some(Paged::new(source.ints(path)?)),
            SpanColumn::ParentSpanId => self.parent_span_id = Some(Paged::new(source.ids(path)?)),
            SpanColumn::Start => self.start = Some(Paged::new(source.longs(path)?)),
            SpanColumn::Duration => self.duration = Some(Paged::new(source.longs(path)?)),
            SpanColumn::Kind => self.kind = Some(Paged::new(source.kinds()?)),
            SpanColumn::Status => self.status = Some(Paged::new(source.statuses()?)),
            SpanColumn::Name => self.words[0] = Some(Paged::new(source.text(path)?)),
            SpanColumn::StatusMessage => self.words[1] = Some(Paged::new(source.text(path)?)),
            SpanColumn::TraceState => self.words[2] = Some(Paged::new(source.text(path)?)),
            SpanColumn::Tail => self.tail = Some(Paged::new(source.list("attributes", 1)?)),
            SpanColumn::Events => self.events = Some(Paged::new(EventPages::open(source)?)),
            SpanColumn::EventName => {
                self.event_names = Some(Paged::new(EventNamePages::open(source)?));
            }
            SpanColumn::Links => self.links = Some(Paged::new(LinkPages::open(source)?)),
            SpanColumn::Flags => self.flags = Some(Paged::new(source.ints(path)?)),
            SpanColumn::Dropped => {
                self.dropped = Some([
                    Paged::new(source.ints("dropped_attributes")?),
                    Paged::new(source.ints("dropped_events")?),
                    Paged::new(source.ints("dropped_links")?),
                ]);
            }
            SpanColumn::Attribute(at) => {
                let Some(column) = file.columns.get(usize::from(at)) else {
                    return Err(content(format!("there is no attribute column {at}")));
                };
                let pages = AttributePages::open(source.leaf(path)?, column.kind)?;
                let pages = AttributePagesAt(Paged::new(pages));
                self.attributes.push((at, column.key.clone(), pages));
            }
        }
        Ok(())
    }

    /// Pages.
    pub fn page_count(&self) -> usize {
        self.first_rows.len() - 1
    }

    /// The rows of a page, counted in the row group.
    ///
    /// # Panics
    /// When there are not so many pages.
    pub fn page_rows(&self, page: usize) -> Range<u32> {
        self.first_rows[page]..self.first_rows[page + 1]
    }

    /// The page that holds a row of the row group.
    pub fn page_of(&self, row: u32) -> usize {
        let pages = self.page_count();
        self.first_rows[1..=pages].partition_point(|&end| end <= row)
    }

    /// Resources and instrumentation scopes, to which [`Self::resource`] refers.
    pub fn resources(&self) -> &Arc<SpanBatch> {
        &self.resources
    }

    /// Rows of [`Self::resources`], none beyond their number.
    ///
    /// # Errors
    /// [`ReadError`], as all below.
    pub fn resource(&mut self, page: usize) -> Result<&[u32], ReadError> {
        let (rows, limit) = (self.len_of(page), self.resources.resources.len());
        let pages = self.resource.load(page, |pages| {
            pages.seek(page);
            pages.next()?;
            let last = pages.values.iter().fold(0, |last, &at| at.max(last));
            check(pages.values.len() == rows && (rows == 0 || (last as usize) < limit))
        })?;
        Ok(&pages.values)
    }

    fn len_of(&self, page: usize) -> usize {
        self.page_rows(page).len()
    }

    /// Ids of spans.
    pub fn span_id(&mut self, page: usize) -> Result<&[[u8; 8]], ReadError> {
        let rows = self.len_of(page);
        let pages = there(&mut self.span_id)?.load(page, |pages| {
            pages.seek(page);
            pages.next()?;
            check(pages.ids().len() == rows)
        })?;
        Ok(pages.ids())
    }

    /// How many rows back the parent is, 0 where it is not among them. The caller checks that it stays in the trace.
    pub fn parent(&mut self, page: usize) -> Result<&[u32], ReadError> {
        let rows = self.len_of(page);
        let pages = there(&mut self.parent)?.load(page, |pages| {
            pages.seek(page);
            pages.next_of(rows)
        })?;
        Ok(&pages.values)
    }

    /// The rows that have a parent which is not among the rows of their trace, and its id.
    pub fn parent_span_id(&mut self, page: usize) -> Result<(&[u32], &[[u8; 8]]), ReadError> {
        let rows = self.len_of(page);
        let pages = there(&mut self.parent_span_id)?.load(page, |pages| {
            pages.seek(page);
            pages.next_nullable()?;
            check(within(&pages.rows, rows))
        })?;
        Ok((&pages.rows, pages.ids()))
    }

    /// Start times, in Unix nanoseconds.
    pub fn start(&mut self, page: usize) -> Result<&[i64], ReadError> {
        let rows = self.len_of(page);
        longs(&mut self.start, page, rows)
    }

    /// Durations, in nanoseconds.
    pub fn duration(&mut self, page: usize) -> Result<&[i64], ReadError> {
        let rows = self.len_of(page);
        longs(&mut self.duration, page, rows)
    }

    /// Calls `each` with some rows of a page and when they start, without decoding the rest of it.
    pub fn few_starts(
        &mut self,
        page: usize,
        rows: Range<usize>,
        mut each: impl FnMut(usize, i64),
    ) -> Result<(), ReadError> {
        let count = self.len_of(page);
        let column = there(&mut self.start)?;
        read_planes(column, &mut self.planes[0], page, count)?;
        for row in rows {
            each(row, column.pages.value(row));
        }
        Ok(())
    }

    /// Some start times and durations, in the order of `rows`, without decoding the rest of the page.
    pub(crate) fn few_times(
        &mut self,
        page: usize,
        rows: Range<usize>,
        mut each: impl FnMut(usize, Option<i64>, Option<i64>),
    ) -> Result<(), ReadError> {
        let count = self.len_of(page);
        let columns = [&mut self.start, &mut self.duration];
        for (column, planes) in columns.into_iter().zip(&mut self.planes) {
            if let Some(column) = column {
                read_planes(column, planes, page, count)?;
            }
        }
        let value = |column: &Option<Paged<LongPages>>, row| {
            column.as_ref().map(|column| column.pages.value(row))
        };
        for (at, row) in rows.enumerate() {
            each(at, value(&self.start, row), value(&self.duration, row));
        }
        Ok(())
    }

    /// Kinds, as [`model::SpanKind::from_number`] takes them.
    pub fn kind(&mut self, page: usize) -> Result<&[u8], ReadError> {
        let rows = self.len_of(page);
        numbers(&mut self.kind, page, rows)?.numbers(&mut self.numbers);
        Ok(&self.numbers)
    }

    /// Statuses, as [`model::StatusCode::from_number`] takes them.
    pub fn status(&mut self, page: usize) -> Result<&[u8], ReadError> {
        let rows = self.len_of(page);
        numbers(&mut self.status, page, rows)?.numbers(&mut self.numbers);
        Ok(&self.numbers)
    }

    /// A column of words.
    pub fn words(&mut self, column: WordColumn, page: usize) -> Result<&mut WordPages, ReadError> {
        let rows = self.len_of(page);
        there(&mut self.words[column as usize])?.load(page, |pages| {
            pages.seek(page);
            if column == WordColumn::Name {
                pages.next()?;
                return check(pages.len() == rows);
            }
            pages.next_nullable()?;
            check(within(pages.rows(), rows))
        })
    }

    /// The attribute column with this position in [`BlockMeta::columns`].
    pub fn attribute(&mut self, at: u16, page: usize) -> Result<&mut AttributePages, ReadError> {
        let rows = self.len_of(page);
        let place = self.attributes.iter().position(|(known, ..)| *known == at);
        let Some(place) = place else {
            return Err(missing());
        };
        self.attributes[place].2.load(page, rows)
    }

    /// The attribute column with this position, if all values of this page are texts or numbers in its dictionary: then that tells
    /// what they may be. Nothing of the page is decoded.
    pub fn dictionary(&mut self, at: u16, page: usize) -> Result<Option<&WordPages>, ReadError> {
        let mut attributes = self.attributes.iter_mut();
        let Some((.., pages)) = attributes.find(|(known, ..)| *known == at) else {
            return Err(missing());
        };
        match &mut pages.0.pages {
            AttributePages::Words(words) if words.is_coded(page)? => {
                words.read_dictionary()?;
                Ok(Some(words))
            }
            _ => Ok(None),
        }
    }

    /// The attributes without a column of their own.
    pub fn tail(&mut self, page: usize) -> Result<&mut ListPages, ReadError> {
        let rows = self.len_of(page);
        there(&mut self.tail)?.load(page, |pages| {
            pages.seek(page);
            pages.next()?;
            check(pages.owner_count() == rows)
        })
    }

    pub(crate) fn has(&self, column: SpanColumn) -> bool {
        match column {
            SpanColumn::Resource => true,
            SpanColumn::SpanId => self.span_id.is_some(),
            SpanColumn::Parent => self.parent.is_some(),
            SpanColumn::ParentSpanId => self.parent_span_id.is_some(),
            SpanColumn::Start => self.start.is_some(),
            SpanColumn::Duration => self.duration.is_some(),
            SpanColumn::Kind => self.kind.is_some(),
            SpanColumn::Status => self.status.is_some(),
            SpanColumn::Name => self.words[0].is_some(),
            SpanColumn::StatusMessage => self.words[1].is_some(),
            SpanColumn::TraceState => self.words[2].is_some(),
            SpanColumn::Tail => self.tail.is_some(),
            SpanColumn::Events => self.events.is_some(),
            SpanColumn::EventName => self.event_names.is_some(),
            SpanColumn::Links => self.links.is_some(),
            SpanColumn::Flags => self.flags.is_some(),
            SpanColumn::Dropped => self.dropped.is_some(),
            SpanColumn::Attribute(at) => self.attributes.iter().any(|(known, ..)| *known == at),
        }
    }

    pub(crate) fn flags(&mut self, page: usize) -> Result<&[u32], ReadError> {
        let rows = self.len_of(page);
        ints(there(&mut self.flags)?, page, rows)
    }

    /// What was dropped: attributes, events, links.
    pub(crate) fn dropped(&mut self, page: usize) -> Result<[&[u32]; 3], ReadError> {
        let rows = self.len_of(page);
        let [attributes, events, links] = there(&mut self.dropped)?;
        Ok([
            ints(attributes, page, rows)?,
            ints(events, page, rows)?,
            ints(links, page, rows)?,
        ])
    }

    /// Events.
    pub fn events(&mut self, page: usize) -> Result<&mut EventPages, ReadError> {
        let rows = self.len_of(page);
        there(&mut self.events)?.load(page, |pages| {
            pages.seek(page);
            pages.next()?;
            check(pages.owner_count() == rows)
        })
    }

    /// Names of events.
    pub fn event_names(&mut self, page: usize) -> Result<&mut EventNamePages, ReadError> {
        let rows = self.len_of(page);
        there(&mut self.event_names)?.load(page, |pages| {
            pages.seek(page);
            pages.next()?;
            check(pages.owner_count() == rows)
        })
    }

    /// Links.
    pub fn links(&mut self, page: usize) -> Result<&mut LinkPages, ReadError> {
        let rows = self.len_of(page);
        there(&mut self.links)?.load(page, |pages| {
            pages.seek(page);
            pages.next()?;
            check(pages.owner_count() == rows)
        })
    }

    /// Must be called before rows are appended to another batch than the last time, or to one that was cleared.
    pub fn change_target(&mut self) {
        for words in self.words.iter_mut().flatten() {
            words.pages.forget_symbols();
        }
        for (.., pages) in &mut self.attributes {
            pages.0.pages.forget_symbols();
        }
        if let Some(tail) = &mut self.tail {
            tail.pages.forget_symbols();
        }
        if let Some(events) = &mut self.events {
            events.pages.forget_symbols();
        }
        if let Some(links) = &mut self.links {
            links.pages.forget_symbols();
        }
    }
}

impl AttributePagesAt {
    pub(crate) fn load(
        &mut self,
        page: usize,
        rows: usize,
    ) -> Result<&mut AttributePages, ReadError> {
        self.go_to(page)?;
        let decoded = self.0.pages.decode_fetched();
        let checked = decoded.and_then(|()| check(within(self.0.pages.rows(), rows)));
        if let Err(error) = checked {
            self.0.page = NO_PAGE;
            return Err(error);
        }
        Ok(&mut self.0.pages)
    }

    /// Whether any of these rows of a page has a value. Costs less than [`Self::load`].
    pub(crate) fn has_value_in(
        &mut self,
        page: usize,
        rows: &Range<usize>,
    ) -> Result<bool, ReadError> {
        self.go_to(page)?;
        self.0.pages.has_value_in(rows)
    }

    fn go_to(&mut self, page: usize) -> Result<(), ReadError> {
        self.0.load(page, |pages| {
            pages.seek(page);
            pages.fetch_next()
        })?;
        Ok(())
    }
}

fn ints(column: &mut Paged<IntPages>, page: usize, rows: usize) -> Result<&[u32], ReadError> {
    let pages = column.load(page, |pages| {
        pages.seek(page);
        pages.next_of(rows)
    })?;
    Ok(&pages.values)
}

/// Has a page of times read, but not decoded; `planes` is the one that is.
fn read_planes(
    column: &mut Paged<LongPages>,
    planes: &mut usize,
    page: usize,
    count: usize,
) -> Result<(), ReadError> {
    if *planes != page {
        *planes = NO_PAGE;
        column.pages.seek(page);
        column.pages.next_planes(count)?;
        *planes = page;
    }
    Ok(())
}

fn longs(
    column: &mut Option<Paged<LongPages>>,
    page: usize,
    rows: usize,
) -> Result<&[i64], ReadError> {
    let pages = there(column)?.load(page, |pages| {
        pages.seek(page);
        pages.next_of(rows)
    })?;
    Ok(&pages.values)
}

fn numbers(
    column: &mut Option<Paged<NumberedPages>>,
    page: usize,
    rows: usize,
) -> Result<&mut NumberedPages, ReadError> {
    there(column)?.load(page, |pages| {
        pages.seek(page);
        pages.next()?;
        check(pages.len() == rows)
    })
}

fn there<T>(column: &mut Option<T>) -> Result<&mut T, ReadError> {
    column.as_mut().ok_or_else(missing)
}

#[cold]
fn missing() -> ReadError {
    content("a column was asked for that was not opened")
}

fn within(positions: &[u32], rows: usize) -> bool {
    positions.last().is_none_or(|&row| (row as usize) < rows)
}

fn check(agrees: bool) -> Result<(), ReadError> {
    if agrees {
        Ok(())
    } else {
        Err(content("the pages of the columns are not of the same rows"))
    }
}
