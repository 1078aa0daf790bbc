//! Some columns of one row group of `spans.parquet`, page by page: what queries read with.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use model::SpanBatch;

use crate::ReadError;
use crate::dictionary::Dictionaries;
use crate::extras::{EventNamePages, EventPages, LinkPages};
use crate::lists::ListPages;
use crate::numbers::{IdPages, IntPages, LongPages, NullableIdPages};
use crate::pages::{PagedColumn, windows};
use crate::read::content;
use crate::scan::{SpanColumn, SpanFile};
use crate::source::Source;
use crate::words::{AttributePages, NumberedPages, WordPages};

/// A column, which of its pages is at hand, and what of that is decoded.
pub(crate) struct Paged<T> {
    pages: T,
    page: usize,
    decoded: Range<usize>,
}

/// In [`Paged::page`]: none yet.
const NO_PAGE: usize = usize::MAX;

impl<T: PagedColumn> Paged<T> {
    fn new(pages: T) -> Self {
        Self {
            pages,
            page: NO_PAGE,
            decoded: 0..0,
        }
    }

    /// Has a page of `of` rows at hand, decoded or not.
    #[inline]
    pub(crate) fn fetch(&mut self, page: usize, of: usize) -> Result<&mut T, ReadError> {
        if self.page != page {
            (self.page, self.decoded) = (NO_PAGE, 0..0);
            self.pages.fetch(page, of)?;
            self.page = page;
        }
        Ok(&mut self.pages)
    }

    /// Has all of a page of `of` rows decoded.
    #[inline]
    pub(crate) fn load(&mut self, page: usize, of: usize) -> Result<&mut T, ReadError> {
        self.load_rows(page, &(0..of), of)
    }

    /// Has some rows of a page of `of` rows decoded: only those, and the whole page when others of it were asked for before.
    #[inline]
    pub(crate) fn load_rows(
        &mut self,
        page: usize,
        rows: &Range<usize>,
        of: usize,
    ) -> Result<&mut T, ReadError> {
        self.fetch(page, of)?;
        if self.decoded.start > rows.start || self.decoded.end < rows.end {
            let is_first = self.decoded.is_empty();
            self.decoded = 0..0;
            let wanted = if is_first { rows.clone() } else { 0..of };
            self.decoded = self.pages.decode(&wanted, of)?;
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
    pub(crate) resource: Paged<IntPages>,
    pub(crate) span_id: Option<Paged<IdPages<8>>>,
    pub(crate) parent: Option<Paged<IntPages>>,
    pub(crate) parent_span_id: Option<Paged<NullableIdPages<8>>>,
    pub(crate) start: Option<Paged<LongPages>>,
    pub(crate) duration: Option<Paged<LongPages>>,
    pub(crate) kind: Option<Paged<NumberedPages>>,
    pub(crate) status: Option<Paged<NumberedPages>>,
    pub(crate) words: [Option<Paged<WordPages>>; 3],
    pub(crate) attributes: Vec<(u16, String, Paged<AttributePages>)>,
    pub(crate) tail: Option<Paged<ListPages>>,
    pub(crate) events: Option<Paged<EventPages>>,
    event_names: Option<Paged<EventNamePages>>,
    pub(crate) links: Option<Paged<LinkPages>>,
    pub(crate) flags: Option<Paged<IntPages>>,
    /// Attributes, events, links.
    pub(crate) dropped: Option<[Paged<IntPages>; 3]>,
    /// Kinds or statuses of a page.
    numbers: Vec<u8>,
}

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
    /// [`SpanFile::bytes_of`] for the same columns and dictionaries, each with where it begins. Pages that are not among them cannot be asked for.
    /// `dictionaries` keeps those of this row group.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn open(
        file: &SpanFile,
        group: usize,
        columns: &[SpanColumn],
        bytes: Vec<(u64, Bytes)>,
        resources: Arc<SpanBatch>,
        dictionaries: &Arc<dyn Dictionaries>,
    ) -> Result<Self, ReadError> {
        let parts = windows(bytes);
        let source = Source {
            parts: &parts,
            group: file.footer.row_group(group),
            leaves: &file.leaves,
            places: file.places(group),
            dictionaries: Some(dictionaries),
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
            kind: None,
            status: None,
            words: [None, None, None],
            attributes: Vec::with_capacity(attribute_count(columns)),
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
            SpanColumn::ParentSpanId => {
                self.parent_span_id = Some(Paged::new(source.nullable_ids(path)?));
            }
            SpanColumn::Start => self.start = Some(Paged::new(source.longs(path)?)),
            SpanColumn::Duration => self.duration = Some(Paged::new(source.longs(path)?)),
            SpanColumn::Kind => self.kind = Some(Paged::new(source.kinds()?)),
            SpanColumn::Status => self.status = Some(Paged::new(source.statuses()?)),
            SpanColumn::Name => self.words[0] = Some(Paged::new(source.text(path)?)),
            SpanColumn::StatusMessage => {
                self.words[1] = Some(Paged::new(source.nullable_text(path)?));
            }
            SpanColumn::TraceState => {
                self.words[2] = Some(Paged::new(source.nullable_text(path)?));
            }
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
                self.attributes
                    .push((at, column.key.clone(), Paged::new(pages)));
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
        let resources = self.resource.load(page, rows)?.decoded();
        let last = resources.iter().fold(0, |last, &at| at.max(last));
        if last as usize >= limit && rows > 0 {
            return Err(no_resource(last));
        }
        Ok(resources)
    }

    pub(crate) fn len_of(&self, page: usize) -> usize {
        self.page_rows(page).len()
    }

    /// Ids of spans.
    pub fn span_id(&mut self, page: usize) -> Result<&[[u8; 8]], ReadError> {
        let rows = self.len_of(page);
        Ok(there(&mut self.span_id)?.load(page, rows)?.ids())
    }

    /// How many rows back the parent is, 0 where it is not among them. The caller checks that it stays in the trace.
    pub fn parent(&mut self, page: usize) -> Result<&[u32], ReadError> {
        let rows = self.len_of(page);
        Ok(there(&mut self.parent)?.load(page, rows)?.decoded())
    }

    /// The rows that have a parent which is not among the rows of their trace, and its id.
    pub fn parent_span_id(&mut self, page: usize) -> Result<(&[u32], &[[u8; 8]]), ReadError> {
        let rows = self.len_of(page);
        let pages = there(&mut self.parent_span_id)?.load(page, rows)?;
        Ok((pages.rows(), pages.ids()))
    }

    /// Start times, in Unix nanoseconds.
    pub fn start(&mut self, page: usize) -> Result<&[i64], ReadError> {
        let rows = self.len_of(page);
        Ok(there(&mut self.start)?.load(page, rows)?.decoded())
    }

    /// Calls `each` with some rows of a page and when they start, without decoding the rest of it.
    pub fn few_starts(
        &mut self,
        page: usize,
        rows: Range<usize>,
        mut each: impl FnMut(usize, i64),
    ) -> Result<(), ReadError> {
        let of = self.len_of(page);
        let starts = there(&mut self.start)?.fetch(page, of)?;
        for (row, start) in rows.clone().zip(starts.few(rows, of)?) {
            each(row, start);
        }
        Ok(())
    }

    /// Durations, in nanoseconds.
    pub fn duration(&mut self, page: usize) -> Result<&[i64], ReadError> {
        let rows = self.len_of(page);
        Ok(there(&mut self.duration)?.load(page, rows)?.decoded())
    }

    /// Kinds, as [`model::SpanKind::from_number`] takes them.
    pub fn kind(&mut self, page: usize) -> Result<&[u8], ReadError> {
        let rows = self.len_of(page);
        let pages = there(&mut self.kind)?.load(page, rows)?;
        self.numbers.clear();
        self.numbers.extend(pages.numbers(&(0..rows)));
        Ok(&self.numbers)
    }

    /// Statuses, as [`model::StatusCode::from_number`] takes them.
    pub fn status(&mut self, page: usize) -> Result<&[u8], ReadError> {
        let rows = self.len_of(page);
        let pages = there(&mut self.status)?.load(page, rows)?;
        self.numbers.clear();
        self.numbers.extend(pages.numbers(&(0..rows)));
        Ok(&self.numbers)
    }

    /// A column of words.
    pub fn words(&mut self, column: WordColumn, page: usize) -> Result<&mut WordPages, ReadError> {
        let rows = self.len_of(page);
        there(&mut self.words[column as usize])?.load(page, rows)
    }

    /// The attribute column with this position in [`BlockMeta::columns`](crate::BlockMeta::columns).
    pub fn attribute(&mut self, at: u16, page: usize) -> Result<&mut AttributePages, ReadError> {
        let rows = self.len_of(page);
        let mut attributes = self.attributes.iter_mut();
        let attribute = attributes.find(|(known, ..)| *known == at);
        let (.., pages) = attribute.ok_or_else(missing)?;
        pages.load(page, rows)
    }

    /// The attribute column with this position, if all values of this page are texts or numbers in its dictionary: then that tells
    /// what they may be. Nothing of the page is decoded.
    pub fn dictionary(&mut self, at: u16, page: usize) -> Result<Option<&WordPages>, ReadError> {
        let mut attributes = self.attributes.iter_mut();
        let attribute = attributes.find(|(known, ..)| *known == at);
        let (.., pages) = attribute.ok_or_else(missing)?;
        match &mut pages.pages {
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
        there(&mut self.tail)?.load(page, rows)
    }

    /// Events.
    pub fn events(&mut self, page: usize) -> Result<&mut EventPages, ReadError> {
        let rows = self.len_of(page);
        there(&mut self.events)?.load(page, rows)
    }

    /// Names of events.
    pub fn event_names(&mut self, page: usize) -> Result<&mut EventNamePages, ReadError> {
        let rows = self.len_of(page);
        there(&mut self.event_names)?.load(page, rows)
    }

    /// Links.
    pub fn links(&mut self, page: usize) -> Result<&mut LinkPages, ReadError> {
        let rows = self.len_of(page);
        there(&mut self.links)?.load(page, rows)
    }

    /// Must be called before rows are appended to another batch than the last time, or to one that was cleared.
    pub fn change_target(&mut self) {
        for words in self.words.iter_mut().flatten() {
            words.pages.forget_symbols();
        }
        for (.., pages) in &mut self.attributes {
            pages.pages.forget_symbols();
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

fn attribute_count(columns: &[SpanColumn]) -> usize {
    let is_attribute = |column: &&SpanColumn| matches!(column, SpanColumn::Attribute(_));
    columns.iter().filter(is_attribute).count()
}

fn there<T>(column: &mut Option<T>) -> Result<&mut T, ReadError> {
    column.as_mut().ok_or_else(missing)
}

#[cold]
fn missing() -> ReadError {
    content("a column was asked for that was not opened")
}

#[cold]
pub(crate) fn no_resource(row: u32) -> ReadError {
    content(format!("there is no resource {row}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Notes what is asked of it. A list decodes whole pages.
    #[derive(Default)]
    struct Noted {
        is_list: bool,
        fetched: Vec<usize>,
        decoded: Vec<Range<usize>>,
    }

    impl PagedColumn for Noted {
        fn fetch(&mut self, page: usize, _: usize) -> Result<(), ReadError> {
            self.fetched.push(page);
            Ok(())
        }

        fn decode(&mut self, rows: &Range<usize>, of: usize) -> Result<Range<usize>, ReadError> {
            self.decoded.push(rows.clone());
            Ok(if self.is_list { 0..of } else { rows.clone() })
        }
    }

    fn asked(is_list: bool) -> Noted {
        let mut column = Paged::new(Noted {
            is_list,
            ..Noted::default()
        });
        for rows in [5..9, 6..7, 20..30, 0..3] {
            column.load_rows(1, &rows, 100).unwrap();
        }
        column.load_rows(2, &(0..3), 100).unwrap();
        column.pages
    }

    #[test]
    fn the_first_rows_are_decoded_alone_and_then_the_page() {
        let column = asked(false);
        assert_eq!(column.fetched, [1, 2]);
        assert_eq!(column.decoded, [5..9, 0..100, 0..3]);
    }

    #[test]
    fn a_list_is_decoded_once_for_a_page() {
        let column = asked(true);
        assert_eq!(column.fetched, [1, 2]);
        assert_eq!(column.decoded, [5..9, 0..3]);
    }
}
