//! Pages of what few spans have: events and links, lists whose elements have columns and lists of attributes of their own.

use std::ops::Range;

use model::{EventRow, LinkRow, Range32, SpanBatch, SpanId, TraceId, UnixNanos};

use crate::ReadError;
use crate::fetched::FetchedLeaf;
use crate::lists::{ListPages, Owners};
use crate::numbers::{IdPages, IntPages, LongPages};
use crate::pages::PagedColumn;
use crate::source::Source;
use crate::words::WordPages;

/// Where the names of events are.
pub(crate) const EVENT_NAME: &str = "events.list.element.name";

/// The events of the rows of a page, one page decoded at a time.
pub struct EventPages {
    elements: Elements,
    time: LongPages,
    name: WordPages,
    dropped: IntPages,
}

/// The names of the events of the rows of a page, one page decoded at a time.
pub struct EventNamePages {
    owners: Owners,
    names: WordPages,
}

/// The links of the rows of a page, one page decoded at a time.
pub struct LinkPages {
    elements: Elements,
    trace_id: IdPages<16>,
    span_id: IdPages<8>,
    trace_state: WordPages,
    flags: IntPages,
    dropped: IntPages,
}

/// What events and links have in common: the elements of lists in rows, and the attributes of each.
struct Elements {
    owners: Owners,
    attributes: ListPages,
    /// The page that was gone to.
    page: usize,
}

/// How far the elements of lists have been taken.
#[derive(Default)]
pub(crate) struct ListPlaces {
    element: usize,
    attribute: usize,
}

impl Elements {
    /// Of the list with this name.
    fn open(source: &Source<'_>, list: &str) -> Result<Self, ReadError> {
        Ok(Self {
            owners: Owners::default(),
            attributes: source.list(&format!("{list}.list.element.attributes"), 2)?,
            page: 0,
        })
    }

    /// Goes to a page of the first leaf, which tells the rows of all.
    fn fetch(&mut self, page: usize, first: &mut FetchedLeaf) -> Result<(), ReadError> {
        self.page = page;
        first.fetch(page)
    }

    /// Decodes which of the `rows` rows of the page the elements belong to, and their attributes. Gives how many elements there
    /// are, so many as every other leaf must have.
    fn decode(&mut self, first: &FetchedLeaf, rows: usize) -> Result<usize, ReadError> {
        let count = self.owners.read_rows(first, rows)?;
        self.attributes.load(self.page)?;
        if self.attributes.owner_count() != count {
            return Err(first.damaged("there are more or fewer attributes than elements"));
        }
        Ok(count)
    }

    /// In front of what belongs to the row.
    fn before(&self, row: u32) -> ListPlaces {
        let before = |positions: &[u32], limit: u32| positions.partition_point(|&at| at < limit);
        let element = before(&self.owners.of_value, row);
        let attribute = before(self.attributes.owners(), element as u32);
        ListPlaces { element, attribute }
    }

    /// The next element, if it belongs to the row.
    #[inline]
    fn next_of(&self, row: u32, places: &ListPlaces) -> Option<usize> {
        let at = places.element;
        (self.owners.of_value.get(at) == Some(&row)).then_some(at)
    }

    /// Appends the attributes of the next element, and goes on to the one behind it.
    #[inline]
    fn pass(
        &mut self,
        places: &mut ListPlaces,
        into: &mut SpanBatch,
    ) -> Result<Range32, ReadError> {
        let element = places.element as u32;
        places.element += 1;
        self.attributes.range(element, &mut places.attribute, into)
    }
}

impl EventPages {
    /// The row of the page that each event belongs to, ascending.
    pub fn owners(&self) -> &[u32] {
        &self.elements.owners.of_value
    }

    /// The name of each.
    pub fn names(&self) -> &WordPages {
        &self.name
    }

    /// When each was.
    pub(crate) fn times(&self) -> &[i64] {
        self.time.decoded()
    }

    /// How many attributes of each were dropped by the sender.
    pub(crate) fn dropped(&self) -> &[u32] {
        self.dropped.decoded()
    }

    /// Their attributes, which are owned by the events, numbered in the page.
    pub fn attributes(&self) -> &ListPages {
        &self.elements.attributes
    }

    pub(crate) fn open(source: &Source<'_>) -> Result<Self, ReadError> {
        let path = |name: &str| format!("events.list.element.{name}");
        Ok(Self {
            elements: Elements::open(source, "events")?,
            time: source.longs(&path("time"))?,
            name: source.nullable_text(EVENT_NAME)?,
            dropped: source.ints(&path("dropped_attributes"))?,
        })
    }

    /// In front of what belongs to the row.
    pub(crate) fn before(&self, row: u32) -> ListPlaces {
        self.elements.before(row)
    }

    /// Whether any of these rows of the page that was gone to has events, decoded or not.
    pub(crate) fn has_value_in(&self, rows: &Range<usize>) -> Result<bool, ReadError> {
        self.time.leaf.has_element_in(rows)
    }

    pub(crate) fn forget_symbols(&mut self) {
        self.name.forget_symbols();
        self.elements.attributes.forget_symbols();
    }

    #[inline]
    pub(crate) fn push(
        &mut self,
        row: u32,
        places: &mut ListPlaces,
        into: &mut SpanBatch,
    ) -> Result<Range32, ReadError> {
        let start = into.events.len();
        while let Some(at) = self.elements.next_of(row, places) {
            let event = EventRow {
                time: UnixNanos(self.time.decoded()[at]),
                name: self.name.symbol(at, &mut into.symbols)?,
                attributes: self.elements.pass(places, into)?,
                dropped_attributes: self.dropped.decoded()[at],
            };
            into.events.push(event);
        }
        Ok(Range32::between(start, into.events.len()))
    }
}

impl PagedColumn for EventPages {
    fn fetch(&mut self, page: usize, _: usize) -> Result<(), ReadError> {
        self.elements.fetch(page, &mut self.time.leaf)
    }

    /// Decodes the whole page.
    fn decode(&mut self, _: &Range<usize>, of: usize) -> Result<Range<usize>, ReadError> {
        let count = self.elements.decode(&self.time.leaf, of)?;
        let page = self.elements.page;
        self.time.decode(&(0..count), count)?;
        self.name.load_values(page, count)?;
        self.dropped.load_values(page, count)?;
        Ok(0..of)
    }
}

impl EventNamePages {
    /// The row of the page that each event belongs to, ascending.
    pub fn owners(&self) -> &[u32] {
        &self.owners.of_value
    }

    /// The name of each.
    pub fn names(&self) -> &WordPages {
        &self.names
    }

    pub(crate) fn open(source: &Source<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            owners: Owners::default(),
            names: source.nullable_text(EVENT_NAME)?,
        })
    }
}

impl PagedColumn for EventNamePages {
    fn fetch(&mut self, page: usize, _: usize) -> Result<(), ReadError> {
        self.names.leaf.fetch(page)
    }

    /// Decodes the whole page.
    fn decode(&mut self, _: &Range<usize>, of: usize) -> Result<Range<usize>, ReadError> {
        let count = self.owners.read_rows(&self.names.leaf, of)?;
        self.names.decode_values(&(0..count), true)?;
        Ok(0..of)
    }
}

impl LinkPages {
    /// The row of the page that each link belongs to, ascending.
    pub fn owners(&self) -> &[u32] {
        &self.elements.owners.of_value
    }

    /// The trace that each leads to.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn trace_id(&self, at: usize) -> TraceId {
        TraceId(self.trace_id.ids()[at])
    }

    /// The span that each leads to.
    ///
    /// # Panics
    /// As [`Self::trace_id`].
    pub fn span_id(&self, at: usize) -> SpanId {
        SpanId(self.span_id.ids()[at])
    }

    /// The trace state of each.
    pub(crate) fn trace_states(&self) -> &WordPages {
        &self.trace_state
    }

    /// The flags of each.
    pub(crate) fn flags(&self) -> &[u32] {
        self.flags.decoded()
    }

    /// How many attributes of each were dropped by the sender.
    pub(crate) fn dropped(&self) -> &[u32] {
        self.dropped.decoded()
    }

    /// Their attributes, which are owned by the links, numbered in the page.
    pub fn attributes(&self) -> &ListPages {
        &self.elements.attributes
    }

    pub(crate) fn open(source: &Source<'_>) -> Result<Self, ReadError> {
        let path = |name: &str| format!("links.list.element.{name}");
        Ok(Self {
            elements: Elements::open(source, "links")?,
            trace_id: source.ids(&path("trace_id"))?,
            span_id: source.ids(&path("span_id"))?,
            trace_state: source.nullable_text(&path("trace_state"))?,
            flags: source.ints(&path("flags"))?,
            dropped: source.ints(&path("dropped_attributes"))?,
        })
    }

    /// In front of what belongs to the row.
    pub(crate) fn before(&self, row: u32) -> ListPlaces {
        self.elements.before(row)
    }

    /// As [`EventPages::has_value_in`].
    pub(crate) fn has_value_in(&self, rows: &Range<usize>) -> Result<bool, ReadError> {
        self.trace_id.leaf.has_element_in(rows)
    }

    pub(crate) fn forget_symbols(&mut self) {
        self.trace_state.forget_symbols();
        self.elements.attributes.forget_symbols();
    }

    #[inline]
    pub(crate) fn push(
        &mut self,
        row: u32,
        places: &mut ListPlaces,
        into: &mut SpanBatch,
    ) -> Result<Range32, ReadError> {
        let start = into.links.len();
        while let Some(at) = self.elements.next_of(row, places) {
            let link = LinkRow {
                trace_id: TraceId(self.trace_id.ids()[at]),
                span_id: SpanId(self.span_id.ids()[at]),
                trace_state: self.trace_state.symbol(at, &mut into.symbols)?,
                flags: self.flags.decoded()[at],
                attributes: self.elements.pass(places, into)?,
                dropped_attributes: self.dropped.decoded()[at],
            };
            into.links.push(link);
        }
        Ok(Range32::between(start, into.links.len()))
    }
}

impl PagedColumn for LinkPages {
    fn fetch(&mut self, page: usize, _: usize) -> Result<(), ReadError> {
        self.elements.fetch(page, &mut self.trace_id.leaf)
    }

    /// Decodes the whole page.
    fn decode(&mut self, _: &Range<usize>, of: usize) -> Result<Range<usize>, ReadError> {
        let count = self.elements.decode(&self.trace_id.leaf, of)?;
        let page = self.elements.page;
        self.trace_id.decode(&(0..count), count)?;
        self.span_id.load_values(page, count)?;
        self.trace_state.load_values(page, count)?;
        self.flags.load_values(page, count)?;
        self.dropped.load_values(page, count)?;
        Ok(0..of)
    }
}
