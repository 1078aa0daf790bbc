//! Where some columns of some rows of `spans.parquet` are: what queries read with.
//!
//! A [`SpanFile`] tells which bytes hold the columns of a row group; a [`SpanGroup`](crate::SpanGroup) over these bytes decodes
//! pages when they are asked for. Like [`SpanReader`](crate::SpanReader) they depend on what
//! [`BlockWriter`](crate::BlockWriter) promises: pages of all columns begin at the same rows.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::statistics::Statistics;

use crate::dictionary::Dictionaries;
use crate::extras::EVENT_NAME;
use crate::pages::{LeafPages, LeafPlaces, LeafSource, joined, windows};
use crate::read::content;
use crate::{AttributeColumn, BlockMeta, ColumnMask, ReadError};

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

/// Columns of several leaves, and what the paths of these begin with.
const NESTED: [(SpanColumn, &str); 4] = [
    (SpanColumn::Events, "events."),
    (SpanColumn::Links, "links."),
    (SpanColumn::Tail, "attributes."),
    (SpanColumn::Dropped, "dropped_"),
];

/// A `spans.parquet` whose footer is known.
pub struct SpanFile {
    pub(crate) footer: Arc<ParquetMetaData>,
    /// Leaf columns by path.
    pub(crate) leaves: HashMap<String, usize>,
    /// The leaves of each of [`NESTED`].
    nested: [Vec<usize>; 4],
    pub(crate) columns: Vec<AttributeColumn>,
    /// The first row of each row group, and behind them the number of all rows.
    first_rows: Vec<u64>,
    /// Where the pages of each leaf are, by row groups; empty when the file does not tell.
    places: Vec<Vec<LeafPlaces>>,
}

impl SpanFile {
    /// Costs a look at each column's name.
    pub fn new(footer: Arc<ParquetMetaData>, meta: &BlockMeta) -> Self {
        let paths = footer.file_metadata().schema_descr().columns().iter();
        let paths: Vec<String> = paths.map(|leaf| leaf.path().string()).collect();
        let inside = |(_, prefix): (SpanColumn, &str)| {
            let leaves = (0..paths.len()).filter(|&leaf| paths[leaf].starts_with(prefix));
            leaves.collect()
        };
        let mut first_rows = vec![0];
        for group in footer.row_groups() {
            let rows = u64::try_from(group.num_rows()).unwrap_or(0);
            first_rows.push(first_rows.last().unwrap_or(&0) + rows);
        }
        Self {
            nested: NESTED.map(inside),
            leaves: paths.into_iter().zip(0..).collect(),
            columns: meta.columns.clone(),
            first_rows,
            places: places_of(&footer),
            footer,
        }
    }

    /// Memory held besides the footer, in bytes, about.
    pub fn byte_count(&self) -> usize {
        /// A column of some thirty letters, in a table and in a list.
        const COLUMN_BYTES: usize = 160;
        let places = self.places.iter().flatten().map(LeafPlaces::byte_count);
        (self.leaves.len() + self.columns.len()) * COLUMN_BYTES + places.sum::<usize>()
    }

    /// Leaf columns: the numbers of dictionaries are below.
    pub fn leaf_count(&self) -> usize {
        self.leaves.len()
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

    /// The bytes of the file that hold `pages` of these columns of a row group, ascending: dictionaries that are not `kept`, the
    /// pages, and what lies between pages that are near each other. All pages when there is no list of them.
    ///
    /// # Errors
    /// [`ReadError`] when a column is missing.
    pub fn bytes_of(
        &self,
        group: usize,
        columns: &[SpanColumn],
        pages: Option<&[usize]>,
        kept: &dyn Dictionaries,
    ) -> Result<Vec<Range<u64>>, ReadError> {
        let metadata = self.footer.row_group(group);
        let places = self.places(group);
        let mut ranges = Vec::new();
        for &column in columns {
            let leaves = self.leaves_of(column);
            if leaves.is_empty() {
                return Err(content(format!("column {column:?} is missing")));
            }
            for &leaf in leaves {
                let chunk = metadata.column(leaf);
                match (pages, places.and_then(|places| places.get(leaf))) {
                    (Some(pages), Some(places)) => {
                        if !kept.has(leaf) {
                            ranges.extend(places.dictionary.clone());
                        }
                        let pages = pages.iter().filter_map(|&page| places.pages.get(page));
                        ranges.extend(pages.cloned());
                    }
                    _ => {
                        let (start, len) = chunk.byte_range();
                        ranges.push(start..start.saturating_add(len));
                    }
                }
            }
        }
        Ok(joined(ranges))
    }

    /// The bytes of the file that hold the dictionaries of a row group which are not `kept`, ascending; none where the file does not
    /// tell where they are.
    pub fn bytes_of_dictionaries(&self, group: usize, kept: &dyn Dictionaries) -> Vec<Range<u64>> {
        let places = self.places(group).unwrap_or_default().iter().enumerate();
        let wanted = places.filter(|(leaf, _)| !kept.has(*leaf));
        joined(
            wanted
                .filter_map(|(_, places)| places.dictionary.clone())
                .collect(),
        )
    }

    /// Decodes dictionaries of a row group, for `kept` to keep. `bytes` are those of [`Self::bytes_of_dictionaries`], each with where
    /// it begins.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn read_dictionaries(
        &self,
        group: usize,
        bytes: Vec<(u64, Bytes)>,
        kept: &Arc<dyn Dictionaries>,
    ) -> Result<(), ReadError> {
        let parts = windows(bytes);
        let places = self.places(group).unwrap_or_default().iter().enumerate();
        for (leaf, places) in places.filter(|(leaf, _)| !kept.has(*leaf)) {
            let chunk = self.footer.row_group(group).column(leaf);
            let source = LeafSource {
                parts: &parts,
                chunk,
                places: Some(places),
                leaf,
                dictionaries: Some(kept),
            };
            LeafPages::open(source, chunk.column_type())?.take_dictionary()?;
        }
        Ok(())
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

    pub(crate) fn places(&self, group: usize) -> Option<&[LeafPlaces]> {
        self.places.get(group).map(Vec::as_slice)
    }

    /// The first row of each page of a row group, and behind them the number of all rows.
    ///
    /// # Errors
    /// [`ReadError`] when the file does not tell.
    pub fn first_rows_of_pages(&self, group: usize) -> Result<Vec<u32>, ReadError> {
        let leaf = self.leaves.get("resource");
        let index = self.footer.offset_index();
        let places = leaf.and_then(|&leaf| index?.get(group)?.get(leaf));
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

    fn leaves_of(&self, column: SpanColumn) -> &[usize] {
        match NESTED.iter().position(|(nested, _)| *nested == column) {
            Some(at) => &self.nested[at],
            None => self
                .leaves
                .get(self.path(column))
                .map_or(&[], std::slice::from_ref),
        }
    }

    pub(crate) fn path(&self, column: SpanColumn) -> &str {
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

    /// The columns that a trace with this mask is made of; every column without one.
    ///
    /// # Errors
    /// [`ReadError`] when the mask is not of this block.
    pub fn columns_with(&self, mask: Option<&ColumnMask>) -> Result<Vec<SpanColumn>, ReadError> {
        let mut columns = self.all_columns();
        if let Some(mask) = mask {
            mask.check(self.columns.len())?;
            columns.retain(|column| mask.has(*column));
        }
        Ok(columns)
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

fn places_of(footer: &ParquetMetaData) -> Vec<Vec<LeafPlaces>> {
    let indices = footer.offset_index().map_or(&[][..], Vec::as_slice);
    let of_group = |(group, index): (usize, &Vec<_>)| {
        let chunks = footer.row_group(group).columns().iter();
        let places = chunks.zip(index);
        places
            .map(|(chunk, index)| LeafPlaces::of(chunk, index))
            .collect()
    };
    let indices = indices.iter().take(footer.num_row_groups());
    indices.enumerate().map(of_group).collect()
}
