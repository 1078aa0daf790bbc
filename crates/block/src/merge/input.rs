//! The rows of one block that are merged next, column by column.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use model::{Gathered, Remap, SpanBatch};
use parquet::file::metadata::ParquetMetaData;

use super::{MergeError, MergedTrace, each_input};
use crate::extras::{EventPages, LinkPages};
use crate::group::no_resource;
use crate::header::check_page_headers;
use crate::lists::ListPages;
use crate::numbers::{IdPages, IntPages, LongPages, NullableIdPages};
use crate::pages::{PagedColumn, Window};
use crate::read::content;
use crate::source::{Source, leaves_of};
use crate::span_reader::bytes_of_group;
use crate::words::{AttributePages, NumberedPages, WordPages};
use crate::{AttributeColumn, AttributeScope, AttributeType, BlockMeta, KeyInfo, ReadError};

/// A block that is merged with others: its `spans.parquet`. It asks for the bytes it needs ([`Self::wanted`],
/// [`Self::give`]); [`BlockWriter::merge`](crate::BlockWriter::merge) takes the rows.
pub struct MergeInput {
    footer: Arc<ParquetMetaData>,
    /// Leaf columns by path.
    leaves: HashMap<String, usize>,
    columns: Vec<AttributeColumn>,
    /// Keys and types of span attributes that have no column of their own; `None` when they are too many to be known.
    tail: Option<Vec<(String, AttributeType)>>,
    resources: Arc<SpanBatch>,
    next_group: usize,
    /// Row groups whose bytes are here.
    open: VecDeque<Group>,
    /// The rows that are merged at this time.
    steps: Vec<Step>,
}

/// Rows of one page.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// Of the open row groups.
    group: usize,
    page: usize,
    page_rows: usize,
    pub(super) rows: Range<usize>,
    /// How many rows that are merged at this time come before.
    pub(super) first: usize,
}

/// A row group and how far it has been taken.
struct Group {
    rows: usize,
    /// The page at hand: its number, the rows before it, its own rows, and how many of these were taken.
    page: usize,
    page_first: usize,
    page_rows: usize,
    taken: usize,
    trace_id: IdPages<16>,
    columns: Columns,
}

/// A column, and which of its pages is at hand.
pub(super) struct Column<P> {
    pages: P,
    page: Option<usize>,
}

impl<P: PagedColumn> Column<P> {
    fn new(pages: P) -> Self {
        Self { pages, page: None }
    }

    fn load(&mut self, step: &Step) -> Result<&mut P, ReadError> {
        if self.page != Some(step.page) {
            self.pages.fetch(step.page, step.page_rows)?;
            self.page = Some(step.page);
        }
        self.pages.decode(&step.rows, step.page_rows)?;
        Ok(&mut self.pages)
    }
}

/// The columns of a row group but that of trace ids.
pub(super) struct Columns {
    pub(super) span_id: Column<IdPages<8>>,
    pub(super) parent: Column<IntPages>,
    pub(super) parent_span_id: Column<NullableIdPages<8>>,
    pub(super) subtree: Column<IntPages>,
    pub(super) start: Column<LongPages>,
    pub(super) duration: Column<LongPages>,
    pub(super) name: Column<WordPages>,
    pub(super) kind: Column<NumberedPages>,
    pub(super) status: Column<NumberedPages>,
    pub(super) status_message: Column<WordPages>,
    pub(super) resource: Column<IntPages>,
    pub(super) trace_state: Column<WordPages>,
    pub(super) flags: Column<IntPages>,
    pub(super) dropped: [Column<IntPages>; 3],
    pub(super) events: Column<EventPages>,
    pub(super) links: Column<LinkPages>,
    pub(super) tail: Column<ListPages>,
    /// In the order of the block's attribute columns.
    pub(super) attributes: Vec<Column<AttributePages>>,
}

impl Columns {
    fn open(source: &Source<'_>, columns: &[AttributeColumn]) -> Result<Self, ReadError> {
        let attribute = |column: &AttributeColumn| {
            let pages = AttributePages::open(source.leaf(&column.column)?, column.kind)?;
            Ok::<_, ReadError>(Column::new(pages))
        };
        Ok(Self {
            span_id: Column::new(source.ids("span_id")?),
            parent: Column::new(source.ints("parent")?),
            parent_span_id: Column::new(source.nullable_ids("parent_span_id")?),
            subtree: Column::new(source.ints("subtree")?),
            start: Column::new(source.longs("start")?),
            duration: Column::new(source.longs("duration")?),
            name: Column::new(source.text("name")?),
            kind: Column::new(source.kinds()?),
            status: Column::new(source.statuses()?),
            status_message: Column::new(source.nullable_text("status_message")?),
            resource: Column::new(source.ints("resource")?),
            trace_state: Column::new(source.nullable_text("trace_state")?),
            flags: Column::new(source.ints("flags")?),
            dropped: [
                Column::new(source.ints("dropped_attributes")?),
                Column::new(source.ints("dropped_events")?),
                Column::new(source.ints("dropped_links")?),
            ],
            events: Column::new(EventPages::open(source)?),
            links: Column::new(LinkPages::open(source)?),
            tail: Column::new(source.list("attributes", 1)?),
            attributes: columns.iter().map(attribute).collect::<Result<_, _>>()?,
        })
    }
}

impl MergeInput {
    /// An input of which nothing was taken; `resources` comes from [`read_resources`](crate::read_resources).
    pub fn new(footer: Arc<ParquetMetaData>, meta: &BlockMeta, resources: Arc<SpanBatch>) -> Self {
        let has_column = |key: &KeyInfo| {
            let is_it =
                |column: &AttributeColumn| (&column.key, column.kind) == (&key.key, key.kind);
            meta.columns.iter().any(is_it)
        };
        let keys = meta
            .keys
            .iter()
            .filter(|key| key.scope == AttributeScope::Span && !has_column(key));
        let tail = keys.map(|key| (key.key.clone(), key.kind)).collect();
        Self {
            leaves: leaves_of(&footer),
            columns: meta.columns.clone(),
            tail: (!meta.keys_truncated).then_some(tail),
            footer,
            resources,
            next_group: 0,
            open: VecDeque::new(),
            steps: Vec::new(),
        }
    }

    /// The bytes of the file that are to be given next, if `rows` rows are to be merged; `None` when they are here, and at
    /// the end of the file.
    pub fn wanted(&self, rows: usize) -> Option<Range<u64>> {
        if self.left() >= rows {
            return None;
        }
        bytes_of_group(self.footer.row_groups().get(self.next_group)?)
    }

    /// Takes the bytes of the range that was [`Self::wanted`]. They are held, compressed, until their rows are merged.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn give(&mut self, start: u64, bytes: Bytes) -> Result<(), ReadError> {
        let Some(group) = self.footer.row_groups().get(self.next_group) else {
            return Ok(());
        };
        check_page_headers(&bytes)?;
        self.next_group += 1;
        let source = Source {
            parts: &Arc::from([Window { start, bytes }]),
            group,
            leaves: &self.leaves,
            places: None,
            dictionaries: None,
        };
        self.open.push_back(Group {
            rows: usize::try_from(group.num_rows()).unwrap_or(0),
            page: 0,
            page_first: 0,
            page_rows: 0,
            taken: 0,
            trace_id: source.ids("trace_id")?,
            columns: Columns::open(&source, &self.columns)?,
        });
        Ok(())
    }

    /// Whether all rows have been merged.
    pub fn is_done(&self) -> bool {
        self.left() == 0 && self.next_group >= self.footer.num_row_groups()
    }

    /// Rows that are here and not merged.
    fn left(&self) -> usize {
        self.open.iter().map(Group::left).sum()
    }

    /// Rows that are merged at this time.
    fn rows(&self) -> usize {
        self.steps.iter().map(|step| step.rows.len()).sum()
    }

    pub(super) fn columns(&self) -> &[AttributeColumn] {
        &self.columns
    }

    /// Where among its columns the input has the one of an attribute.
    pub(super) fn place_of(&self, column: &AttributeColumn) -> Option<usize> {
        self.columns.iter().position(|own| own.is_same(column))
    }

    /// Whether a key and type without a column of its own may occur.
    pub(super) fn may_have_in_tail(&self, column: &AttributeColumn) -> bool {
        let is_it =
            |(key, kind): &(String, AttributeType)| *key == column.key && *kind == column.kind;
        self.tail.as_ref().is_none_or(|tail| tail.iter().any(is_it))
    }

    /// Goes to the next `count` rows, and gives their traces.
    fn begin(&mut self, count: usize) -> Result<Vec<[u8; 16]>, ReadError> {
        while self.open.front().is_some_and(|group| group.left() == 0) {
            self.open.pop_front();
        }
        self.steps.clear();
        let mut ids = Vec::with_capacity(count);
        for (at, group) in self.open.iter_mut().enumerate() {
            while ids.len() < count && group.left() > 0 {
                let step = group.step(at, ids.len(), count - ids.len())?;
                ids.extend_from_slice(&group.trace_id.ids()[step.rows.clone()]);
                self.steps.push(step);
            }
        }
        if ids.len() < count {
            return Err(content("it has fewer rows than its traces"));
        }
        Ok(ids)
    }

    /// Takes the rows of one column, step by step.
    pub(super) fn each<P: PagedColumn>(
        &mut self,
        column: impl Fn(&mut Columns) -> &mut Column<P>,
        mut take: impl FnMut(&Step, &mut P) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        for step in &self.steps {
            let pages = column(&mut self.open[step.group].columns).load(step)?;
            take(step, pages)?;
        }
        Ok(())
    }

    pub(super) fn ints(
        &mut self,
        column: impl Fn(&mut Columns) -> &mut Column<IntPages>,
    ) -> Result<Vec<u32>, ReadError> {
        let mut ints = Vec::with_capacity(self.rows());
        self.each(column, |step, pages| {
            ints.extend_from_slice(pages.values(&step.rows));
            Ok(())
        })?;
        Ok(ints)
    }

    pub(super) fn longs(
        &mut self,
        column: impl Fn(&mut Columns) -> &mut Column<LongPages>,
    ) -> Result<Vec<i64>, ReadError> {
        let mut longs = Vec::with_capacity(self.rows());
        self.each(column, |step, pages| {
            longs.extend_from_slice(pages.values(&step.rows));
            Ok(())
        })?;
        Ok(longs)
    }

    pub(super) fn numbers(
        &mut self,
        column: impl Fn(&mut Columns) -> &mut Column<NumberedPages>,
    ) -> Result<Vec<u8>, ReadError> {
        let mut numbers = Vec::with_capacity(self.rows());
        self.each(column, |step, pages| {
            numbers.extend(pages.numbers(&step.rows));
            Ok(())
        })?;
        Ok(numbers)
    }

    /// The resource of each row, as numbered in `block`, which gets those that it has not.
    pub(super) fn resources(
        &mut self,
        block: &mut Gathered,
        remap: &mut Remap,
    ) -> Result<Vec<u32>, ReadError> {
        let mut resources = self.ints(|columns| &mut columns.resource)?;
        remap.reset(&self.resources);
        for resource in &mut resources {
            if *resource as usize >= self.resources.resources.len() {
                return Err(no_resource(*resource));
            }
            *resource = block.push_resource(&self.resources, *resource, remap)?;
        }
        Ok(resources)
    }
}

impl Group {
    /// Rows that are not taken.
    fn left(&self) -> usize {
        self.rows - self.page_first - self.taken
    }

    /// Takes up to `count` of the next rows, as many as are on one page.
    fn step(&mut self, group: usize, first: usize, count: usize) -> Result<Step, ReadError> {
        if self.taken == self.page_rows {
            self.page += usize::from(self.page_rows > 0);
            self.page_first += self.page_rows;
            self.page_rows = self.trace_id.load_any(self.page)?;
            self.taken = 0;
            if self.page_rows == 0 || self.page_rows > self.rows - self.page_first {
                self.page_rows = 0;
                return Err(content("a row group does not have the rows it says"));
            }
        }
        let rows = self.taken..self.page_rows.min(self.taken + count);
        self.taken = rows.end;
        Ok(Step {
            group,
            page: self.page,
            page_rows: self.page_rows,
            rows,
            first,
        })
    }
}

/// What is known of the rows of one input before they are laid out.
pub(super) struct Core {
    pub(super) span_id: Vec<[u8; 8]>,
    pub(super) parent: Vec<u32>,
    pub(super) parent_rows: Vec<u32>,
    pub(super) parent_ids: Vec<[u8; 8]>,
    pub(super) subtree: Vec<u32>,
    pub(super) start: Vec<i64>,
}

impl Core {
    /// Goes to the rows of these traces in each input.
    pub(super) fn load_all(
        inputs: &mut [MergeInput],
        traces: &[MergedTrace<'_>],
    ) -> Result<Vec<Self>, MergeError> {
        let mut counts = vec![0; inputs.len()];
        for piece in traces.iter().flat_map(|trace| trace.pieces) {
            counts[piece.input] += piece.rows;
        }
        let mut counts = counts.iter();
        let ids = each_input(inputs, |input| {
            input.begin(counts.next().copied().unwrap_or(0))
        })?;
        let cores = each_input(inputs, Self::load)?;
        check_traces(traces, &ids, &cores)?;
        Ok(cores)
    }

    fn load(input: &mut MergeInput) -> Result<Self, ReadError> {
        let mut core = Self {
            span_id: Vec::with_capacity(input.rows()),
            parent: input.ints(|columns| &mut columns.parent)?,
            parent_rows: Vec::new(),
            parent_ids: Vec::new(),
            subtree: input.ints(|columns| &mut columns.subtree)?,
            start: input.longs(|columns| &mut columns.start)?,
        };
        input.each(
            |columns| &mut columns.span_id,
            |step, pages| {
                core.span_id
                    .extend_from_slice(&pages.ids()[step.rows.clone()]);
                Ok(())
            },
        )?;
        input.each(
            |columns| &mut columns.parent_span_id,
            |step, pages| {
                core.parent_rows
                    .extend(pages.rows().iter().map(|&row| step.place(row)));
                core.parent_ids.extend_from_slice(pages.ids());
                Ok(())
            },
        )?;
        Ok(core)
    }
}

impl Step {
    /// Where a row of the page is among the rows that are merged at this time.
    #[inline]
    pub(super) fn place(&self, row: u32) -> u32 {
        row - self.rows.start as u32 + self.first as u32
    }
}

/// Whether the rows of each input are those of the traces that are merged, and tell of no parent or descendant outside of them.
fn check_traces(
    traces: &[MergedTrace<'_>],
    ids: &[Vec<[u8; 16]>],
    cores: &[Core],
) -> Result<(), MergeError> {
    let mut next = vec![0; ids.len()];
    for trace in traces {
        for piece in trace.pieces {
            let input = piece.input;
            let rows = next[input]..next[input] + piece.rows;
            next[input] = rows.end;
            let error = |what: &str| MergeError::Input {
                input,
                error: content(what),
            };
            if ids[input][rows.clone()]
                .iter()
                .any(|id| *id != trace.trace_id.0)
            {
                return Err(error("its rows are not where traces.parquet says"));
            }
            let parents = &cores[input].parent[rows.clone()];
            let subtrees = &cores[input].subtree[rows];
            let is_outside = (parents.iter().enumerate()).any(|(at, &back)| back as usize > at)
                || (subtrees.iter().enumerate())
                    .any(|(at, &below)| at + below as usize >= piece.rows);
            if is_outside {
                return Err(error("a parent or a descendant lies outside its trace"));
            }
        }
    }
    Ok(())
}
