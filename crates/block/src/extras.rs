//! Pages of what few spans have: events and links, lists whose elements have columns and lists of attributes of their own.

use model::{EventRow, LinkRow, Range32, SpanBatch, SpanId, TraceId, UnixNanos};

use crate::ReadError;
use crate::pages::{IdPages, IntPages, LongPages, Owners};
use crate::read::content;
use crate::source::Source;
use crate::words::{ListPages, WordPages};

/// Where the names of events are.
pub(crate) const EVENT_NAME: &str = "events.list.element.name";

/// The events of the rows of a page, one page decoded at a time.
pub struct EventPages {
    owners: Owners,
    time: LongPages,
    name: WordPages,
    dropped: IntPages,
    attributes: ListPages,
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

    /// Their attributes, which are owned by the events, numbered in the page.
    pub fn attributes(&self) -> &ListPages {
        &self.attributes
    }

    pub(crate) fn open(source: &Source<'_>) -> Result<Self, ReadError> {
        let path = |name: &str| format!("events.list.element.{name}");
        Ok(Self {
            owners: Owners::default(),
            time: source.longs(&path("time"))?,
            name: source.text(EVENT_NAME)?,
            dropped: source.ints(&path("dropped_attributes"))?,
            attributes: source.list(&path("attributes"), 2)?,
        })
    }

    /// In front of what belongs to the row.
    pub(crate) fn before(&self, row: u32) -> ListPlaces {
        ListPlaces::before(&self.owners, &self.attributes, row)
    }

    pub(crate) fn owner_count(&self) -> usize {
        self.owners.count
    }

    pub(crate) fn forget_symbols(&mut self) {
        self.name.forget_symbols();
        self.attributes.forget_symbols();
    }

    pub(crate) fn seek(&mut self, page: usize) {
        self.time.seek(page);
        self.name.seek(page);
        self.dropped.seek(page);
        self.attributes.seek(page);
    }

    pub(crate) fn next(&mut self) -> Result<(), ReadError> {
        self.time.next_owned(&mut self.owners)?;
        let count = self.owners.of_value.len();
        self.name.next_of(count)?;
        self.dropped.next_of(count)?;
        self.attributes.next()?;
        if self.attributes.owner_count() != count {
            return Err(content("the columns of events do not agree"));
        }
        Ok(())
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
                time: UnixNanos(self.time.values[at]),
                name: self.name.symbol(at, &mut into.symbols)?,
                attributes: self.attributes.range(at as u32, place, into)?,
                dropped_attributes: self.dropped.values[at],
            };
            into.events.push(event);
            places.element += 1;
        }
        Ok(Range32::between(start, into.events.len()))
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
            names: source.text(EVENT_NAME)?,
        })
    }

    pub(crate) fn owner_count(&self) -> usize {
        self.owners.count
    }

    pub(crate) fn seek(&mut self, page: usize) {
        self.names.seek(page);
    }

    pub(crate) fn next(&mut self) -> Result<(), ReadError> {
        self.names.next_owned(1, &mut self.owners)
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
            trace_state: source.text(&path("trace_state"))?,
            flags: source.ints(&path("flags"))?,
            dropped: source.ints(&path("dropped_attributes"))?,
            attributes: source.list(&path("attributes"), 2)?,
        })
    }

    /// In front of what belongs to the row.
    pub(crate) fn before(&self, row: u32) -> ListPlaces {
        ListPlaces::before(&self.owners, &self.attributes, row)
    }

    pub(crate) fn owner_count(&self) -> usize {
        self.owners.count
    }

    pub(crate) fn forget_symbols(&mut self) {
        self.trace_state.forget_symbols();
        self.attributes.forget_symbols();
    }

    pub(crate) fn seek(&mut self, page: usize) {
        self.trace_id.seek(page);
        self.span_id.seek(page);
        self.trace_state.seek(page);
        self.flags.seek(page);
        self.dropped.seek(page);
        self.attributes.seek(page);
    }

    pub(crate) fn next(&mut self) -> Result<(), ReadError> {
        self.trace_id.next_owned(&mut self.owners)?;
        let count = self.owners.of_value.len();
        self.span_id.next_of(count)?;
        self.trace_state.next_of(count)?;
        self.flags.next_of(count)?;
        self.dropped.next_of(count)?;
        self.attributes.next()?;
        if self.attributes.owner_count() != count {
            return Err(content("the columns of links do not agree"));
        }
        Ok(())
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
                flags: self.flags.values[at],
                attributes: self.attributes.range(at as u32, place, into)?,
                dropped_attributes: self.dropped.values[at],
            };
            into.links.push(link);
            places.element += 1;
        }
        Ok(Range32::between(start, into.links.len()))
    }
}
