//! Pages of what few spans have: events and links, lists whose elements have columns and lists of attributes of their own.

use std::ops::Range;

use model::{EventRow, LinkRow, Range32, SpanBatch, SpanId, TraceId, UnixNanos};

use crate::ReadError;
use crate::lists::{ListPages, Owners, has_element_in};
use crate::numbers::{IdPages, IntPages, LongPages};
use crate::pages::PagedColumn;
use crate::read::content;
use crate::source::Source;
use crate::words::WordPages;

/// Where the names of events are.
pub(crate) const EVENT_NAME: &str = "events.list.element.name";

/// The events of the rows of a page, one page decoded at a time.
pub struct EventPages {
    owners: Owners,
    time: LongPages,
    name: WordPages,
    dropped: IntPages,
    attributes: ListPages,
    /// The page that was gone to.
    page: usize,
}

/// The names of the events of the rows of a page, one page decoded at a time.
pub struct EventNamePages {
    owners: Owners,
    names: WordPages,
}

/// The links of the rows of a page, one page decoded at a time.
pub struct LinkPages {
    owners: Owners,
    trace_id: IdPages<16>,
    span_id: IdPages<8>,
    trace_state: WordPages,
    flags: IntPages,
    dropped: IntPages,
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

impl ListPlaces {
    /// In front of what belongs to the row.
    fn before(owners: &Owners, attributes: &ListPages, row: u32) -> Self {
        let before = |positions: &[u32], limit: u32| positions.partition_point(|&at| at < limit);
        let element = before(&owners.of_value, row);
        let attribute = before(attributes.owners(), element as u32);
        Self { element, attribute }
    }
}

impl EventPages {
    /// The row of the page that each event belongs to, ascending.
    pub fn owners(&self) -> &[u32] {
        &self.owners.of_value
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
        &self.attributes
    }

    pub(crate) fn open(source: &Source<'_>) -> Result<Self, ReadError> {
        let path = |name: &str| format!("events.list.element.{name}");
        Ok(Self {
            owners: Owners::default(),
            time: source.longs(&path("time"))?,
            name: source.nullable_text(EVENT_NAME)?,
            dropped: source.ints(&path("dropped_attributes"))?,
            attributes: source.list(&path("attributes"), 2)?,
            page: 0,
        })
    }

    /// In front of what belongs to the row.
    pub(crate) fn before(&self, row: u32) -> ListPlaces {
        ListPlaces::before(&self.owners, &self.attributes, row)
    }

    /// Whether any of these rows of the page that was gone to has events, decoded or not.
    pub(crate) fn has_value_in(&self, rows: &Range<usize>) -> Result<bool, ReadError> {
        has_element_in(self.time.raw(), rows).ok_or_else(|| self.time.bad_levels())
    }

    pub(crate) fn forget_symbols(&mut self) {
        self.name.forget_symbols();
        self.attributes.forget_symbols();
    }

    #[inline]
    pub(crate) fn push(
        &mut self,
        row: u32,
        places: &mut ListPlaces,
        into: &mut SpanBatch,
    ) -> Result<Range32, ReadError> {
        let start = into.events.len();
        while self.owners.of_value.get(places.element) == Some(&row) {
            let at = places.element;
            let place = &mut places.attribute;
            let event = EventRow {
                time: UnixNanos(self.time.decoded()[at]),
                name: self.name.symbol(at, &mut into.symbols)?,
                attributes: self.attributes.range(at as u32, place, into)?,
                dropped_attributes: self.dropped.decoded()[at],
            };
            into.events.push(event);
            places.element += 1;
        }
        Ok(Range32::between(start, into.events.len()))
    }
}

impl PagedColumn for EventPages {
    fn fetch(&mut self, page: usize, _: usize) -> Result<(), ReadError> {
        self.page = page;
        self.time.fetch_list(page)
    }

    /// Decodes the whole page.
    fn decode(&mut self, _: &Range<usize>, of: usize) -> Result<(), ReadError> {
        self.owners
            .read_rows(self.time.raw(), of)
            .ok_or_else(|| self.time.bad_levels())?;
        let count = self.owners.of_value.len();
        self.time.decode(&(0..count), count)?;
        self.name.load_values(self.page, count)?;
        self.dropped.load_values(self.page, count)?;
        self.attributes.load(self.page)?;
        if self.attributes.owner_count() != count {
            return Err(content("the columns of events do not agree"));
        }
        Ok(())
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
        self.names.fetch_list(page)
    }

    /// Decodes the whole page.
    fn decode(&mut self, _: &Range<usize>, of: usize) -> Result<(), ReadError> {
        self.owners
            .read_rows(self.names.raw(), of)
            .ok_or_else(|| self.names.bad_levels())?;
        let count = self.owners.of_value.len();
        self.names.decode_values(&(0..count), count)
    }
}

impl LinkPages {
    /// The row of the page that each link belongs to, ascending.
    pub fn owners(&self) -> &[u32] {
        &self.owners.of_value
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
        &self.attributes
    }

    pub(crate) fn open(source: &Source<'_>) -> Result<Self, ReadError> {
        let path = |name: &str| format!("links.list.element.{name}");
        Ok(Self {
            owners: Owners::default(),
            trace_id: source.ids(&path("trace_id"))?,
            span_id: source.ids(&path("span_id"))?,
            trace_state: source.nullable_text(&path("trace_state"))?,
            flags: source.ints(&path("flags"))?,
            dropped: source.ints(&path("dropped_attributes"))?,
            attributes: source.list(&path("attributes"), 2)?,
            page: 0,
        })
    }

    /// In front of what belongs to the row.
    pub(crate) fn before(&self, row: u32) -> ListPlaces {
        ListPlaces::before(&self.owners, &self.attributes, row)
    }

    /// As [`EventPages::has_value_in`].
    pub(crate) fn has_value_in(&self, rows: &Range<usize>) -> Result<bool, ReadError> {
        has_element_in(self.trace_id.raw(), rows).ok_or_else(|| self.trace_id.bad_levels())
    }

    pub(crate) fn forget_symbols(&mut self) {
        self.trace_state.forget_symbols();
        self.attributes.forget_symbols();
    }

    #[inline]
    pub(crate) fn push(
        &mut self,
        row: u32,
        places: &mut ListPlaces,
        into: &mut SpanBatch,
    ) -> Result<Range32, ReadError> {
        let start = into.links.len();
        while self.owners.of_value.get(places.element) == Some(&row) {
            let at = places.element;
            let place = &mut places.attribute;
            let link = LinkRow {
                trace_id: TraceId(self.trace_id.ids()[at]),
                span_id: SpanId(self.span_id.ids()[at]),
                trace_state: self.trace_state.symbol(at, &mut into.symbols)?,
                flags: self.flags.decoded()[at],
                attributes: self.attributes.range(at as u32, place, into)?,
                dropped_attributes: self.dropped.decoded()[at],
            };
            into.links.push(link);
            places.element += 1;
        }
        Ok(Range32::between(start, into.links.len()))
    }
}

impl PagedColumn for LinkPages {
    fn fetch(&mut self, page: usize, _: usize) -> Result<(), ReadError> {
        self.page = page;
        self.trace_id.fetch_list(page)
    }

    /// Decodes the whole page.
    fn decode(&mut self, _: &Range<usize>, of: usize) -> Result<(), ReadError> {
        self.owners
            .read_rows(self.trace_id.raw(), of)
            .ok_or_else(|| self.trace_id.bad_levels())?;
        let count = self.owners.of_value.len();
        self.trace_id.decode(&(0..count), count)?;
        self.span_id.load_values(self.page, count)?;
        self.trace_state.load_values(self.page, count)?;
        self.flags.load_values(self.page, count)?;
        self.dropped.load_values(self.page, count)?;
        self.attributes.load(self.page)?;
        if self.attributes.owner_count() != count {
            return Err(content("the columns of links do not agree"));
        }
        Ok(())
    }
}
