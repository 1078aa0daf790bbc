//! Many spans as columns over one table of distinct values.
//!
//! A [`SpanBatch`] is the one in-memory form of spans, from the door to the answer: a decoded request, the live spans of
//! a shard, the input of a block writer, the rows read from a block, and the trace to be rendered. A span is one fixed-size
//! [`SpanRow`] plus a range of [`Attribute`]s; what most spans lack (events, links, status message, trace state, dropped
//! counts) sits in a [`SpanExtra`] that only spans which need it have.
//!
//! Spans waiting in memory cost about 80 bytes for the row and 8 for each attribute, plus each distinct value once.

use std::collections::HashMap;

use crate::{
    DurationNanos, SpanId, Symbol, SymbolOverflow, Symbols, TraceId, UNKNOWN_SERVICE, UnixNanos,
};

/// The kind of a span, numbered as in OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum SpanKind {
    /// Not stated. Numbers that OTLP does not define are taken as this.
    #[default]
    Unspecified = 0,
    /// Work inside a process.
    Internal = 1,
    /// The side that answers a request.
    Server = 2,
    /// The side that makes a request and waits.
    Client = 3,
    /// The side that publishes a message.
    Producer = 4,
    /// The side that takes a message.
    Consumer = 5,
}

impl SpanKind {
    /// The kind of a number in OTLP.
    pub fn from_number(number: i64) -> Self {
        match number {
            1 => Self::Internal,
            2 => Self::Server,
            3 => Self::Client,
            4 => Self::Producer,
            5 => Self::Consumer,
            _ => Self::Unspecified,
        }
    }

    /// The word in queries and on the page.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Internal => "internal",
            Self::Server => "server",
            Self::Client => "client",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
        }
    }
}

/// The status of a span, numbered as in OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum StatusCode {
    /// Not stated, which means no error. Numbers that OTLP does not define are taken as this.
    #[default]
    Unset = 0,
    /// Declared a success.
    Ok = 1,
    /// An error.
    Error = 2,
}

impl StatusCode {
    /// The status of a number in OTLP.
    pub fn from_number(number: i64) -> Self {
        match number {
            1 => Self::Ok,
            2 => Self::Error,
            _ => Self::Unset,
        }
    }

    /// The word in queries and on the page.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unset => "unset",
            Self::Ok => "ok",
            Self::Error => "error",
        }
    }
}

/// A range of rows in a column of the same batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Range32 {
    /// The first row.
    pub start: u32,
    /// Rows.
    pub len: u32,
}

impl Range32 {
    /// From row `start` up to, not including, row `end`. Rows are counted in 32 bits: budgets on memory keep columns shorter.
    #[inline]
    pub fn between(start: usize, end: usize) -> Self {
        debug_assert!(start <= end && end <= u32::MAX as usize);
        Self {
            start: start as u32,
            len: (end - start) as u32,
        }
    }

    /// As a range of indices.
    #[inline]
    pub fn indices(self) -> std::ops::Range<usize> {
        self.start as usize..self.start as usize + self.len as usize
    }
}

/// A key and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute {
    /// The key, a string.
    pub key: Symbol,
    /// The value, of any type.
    pub value: Symbol,
}

/// A distinct resource together with an instrumentation scope.
#[derive(Debug, Clone, Copy, Default)]
pub struct ResourceRow {
    /// Attributes of the resource.
    pub attributes: Range32,
    /// Attributes that the sender dropped from the resource.
    pub dropped_attributes: u32,
    /// Schema URL of the resource.
    pub schema_url: Symbol,
    /// Value of `service.name`, or [`UNKNOWN_SERVICE`] where it is missing, empty or no string. Derived: never written out.
    pub service: Symbol,
    /// Name of the scope.
    pub scope_name: Symbol,
    /// Version of the scope.
    pub scope_version: Symbol,
    /// Attributes of the scope.
    pub scope_attributes: Range32,
    /// Attributes that the sender dropped from the scope.
    pub scope_dropped_attributes: u32,
    /// Schema URL of the scope.
    pub scope_schema_url: Symbol,
}

/// In [`SpanRow::extra`]: the span has no [`SpanExtra`].
pub const NO_EXTRA: u32 = u32::MAX;

/// A span, but for its attributes and what few spans have.
#[derive(Debug, Clone, Copy)]
pub struct SpanRow {
    /// The trace; never all zeros.
    pub trace_id: TraceId,
    /// The span; never all zeros.
    pub span_id: SpanId,
    /// The parent, all zeros for a root.
    pub parent_span_id: SpanId,
    /// When it started.
    pub start: UnixNanos,
    /// End minus start; negative where it was recorded so.
    pub duration: DurationNanos,
    /// The name.
    pub name: Symbol,
    /// Index into [`SpanBatch::resources`].
    pub resource: u32,
    /// Its attributes.
    pub attributes: Range32,
    /// Index into [`SpanBatch::extras`], or [`NO_EXTRA`].
    pub extra: u32,
    /// Trace flags in bits 0 to 7; bit 8 says that bit 9, "the parent is remote", is known.
    pub flags: u32,
    /// Kind.
    pub kind: SpanKind,
    /// Status.
    pub status: StatusCode,
}

impl SpanRow {
    /// When it ended; before its start where it was recorded so.
    #[inline]
    pub fn end(&self) -> UnixNanos {
        self.start.saturating_add(self.duration)
    }

    /// Whether it has no parent.
    #[inline]
    pub fn is_root(&self) -> bool {
        self.parent_span_id.is_zero()
    }
}

/// What few spans have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpanExtra {
    /// Message of the status.
    pub status_message: Symbol,
    /// W3C trace state.
    pub trace_state: Symbol,
    /// Attributes that the sender dropped.
    pub dropped_attributes: u32,
    /// Events that the sender dropped.
    pub dropped_events: u32,
    /// Links that the sender dropped.
    pub dropped_links: u32,
    /// Its events, in the order sent.
    pub events: Range32,
    /// Its links, in the order sent.
    pub links: Range32,
}

/// An event of a span.
#[derive(Debug, Clone, Copy)]
pub struct EventRow {
    /// When.
    pub time: UnixNanos,
    /// Name.
    pub name: Symbol,
    /// Attributes.
    pub attributes: Range32,
    /// Attributes that the sender dropped.
    pub dropped_attributes: u32,
}

/// A link from a span to another.
#[derive(Debug, Clone, Copy)]
pub struct LinkRow {
    /// Trace of the other span; may be anything that the sender wrote, all zeros included.
    pub trace_id: TraceId,
    /// The other span.
    pub span_id: SpanId,
    /// Trace state of the other.
    pub trace_state: Symbol,
    /// Flags, as in [`SpanRow::flags`].
    pub flags: u32,
    /// Attributes.
    pub attributes: Range32,
    /// Attributes that the sender dropped.
    pub dropped_attributes: u32,
}

/// Spans as columns. All symbols are of [`Self::symbols`], all ranges and indices of the columns beside them.
#[derive(Debug, Clone, Default)]
pub struct SpanBatch {
    /// The distinct values.
    pub symbols: Symbols,
    /// Distinct pairs of resource and scope.
    pub resources: Vec<ResourceRow>,
    /// The spans; their order means nothing unless the producer says so.
    pub spans: Vec<SpanRow>,
    /// Attributes of resources, scopes, spans, events and links, each owner's next to each other.
    pub attributes: Vec<Attribute>,
    /// What few spans have.
    pub extras: Vec<SpanExtra>,
    /// Events of spans.
    pub events: Vec<EventRow>,
    /// Links of spans.
    pub links: Vec<LinkRow>,
}

impl SpanBatch {
    /// Spans.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is no span.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Forgets all rows and values, and keeps the memory.
    pub fn clear(&mut self) {
        self.symbols.clear();
        self.resources.clear();
        self.spans.clear();
        self.attributes.clear();
        self.extras.clear();
        self.events.clear();
        self.links.clear();
    }

    /// Memory held, in bytes: capacity, not use.
    pub fn byte_count(&self) -> usize {
        fn held<T>(rows: &Vec<T>) -> usize {
            rows.capacity() * size_of::<T>()
        }
        self.symbols.byte_count()
            + held(&self.resources)
            + held(&self.spans)
            + held(&self.attributes)
            + held(&self.extras)
            + held(&self.events)
            + held(&self.links)
    }

    /// Memory used, in bytes: what is filled of [`Self::byte_count`].
    pub fn used_byte_count(&self) -> usize {
        fn used<T>(rows: &[T]) -> usize {
            size_of_val(rows)
        }
        self.symbols.used_byte_count()
            + used(&self.resources)
            + used(&self.spans)
            + used(&self.attributes)
            + used(&self.extras)
            + used(&self.events)
            + used(&self.links)
    }

    /// The attributes of a range.
    #[inline]
    pub fn attributes(&self, range: Range32) -> &[Attribute] {
        &self.attributes[range.indices()]
    }

    /// The extra of a span; all empty where it has none.
    #[inline]
    pub fn extra(&self, span: &SpanRow) -> SpanExtra {
        if span.extra == NO_EXTRA {
            SpanExtra::default()
        } else {
            self.extras[span.extra as usize]
        }
    }

    /// The events of a span.
    pub fn events(&self, span: &SpanRow) -> &[EventRow] {
        &self.events[self.extra(span).events.indices()]
    }

    /// The links of a span.
    pub fn links(&self, span: &SpanRow) -> &[LinkRow] {
        &self.links[self.extra(span).links.indices()]
    }

    /// The service of a span.
    pub fn service(&self, span: &SpanRow) -> &str {
        self.symbols
            .str(self.resources[span.resource as usize].service)
    }

    /// The symbol of the service that these resource attributes name: the string value of the first `service.name`.
    ///
    /// # Errors
    /// [`SymbolOverflow`] when the table is full.
    pub fn service_of(&mut self, resource_attributes: Range32) -> Result<Symbol, SymbolOverflow> {
        let named = self.attributes[resource_attributes.indices()]
            .iter()
            .find_map(|attribute| {
                let is_name = self.symbols.payload(attribute.key) == crate::SERVICE_NAME.as_bytes();
                let is_text = self.symbols.kind(attribute.value) == crate::SymbolKind::Str
                    && attribute.value != Symbol::EMPTY;
                (is_name && is_text).then_some(attribute.value)
            });
        named.map_or_else(|| self.symbols.intern_str(UNKNOWN_SERVICE), Ok)
    }
}

/// Moves spans from one batch into another, translating each symbol and resource once.
///
/// A `Remap` belongs to one pair of batches: make a new one (or [`Remap::reset`]) for each source. Equal resources of
/// different sources become one row of the target in [`Gathered`].
#[derive(Debug, Default)]
pub struct Remap {
    symbols: Vec<u32>,
    resources: Vec<u32>,
    wanted: Vec<Symbol>,
}

const UNSEEN: u32 = u32::MAX;

/// While [`Remap::prepare`] collects them: asked for, and not yet moved.
const WANTED: u32 = u32::MAX - 1;

/// Finds equal resources of a batch: from content, in symbols of that batch, to index.
type ResourceIndex = HashMap<Box<[u32]>, u32>;

/// A batch that grows from others and holds equal resources once.
#[derive(Debug, Default)]
pub struct Gathered {
    /// The rows so far.
    pub batch: SpanBatch,
    resources: ResourceIndex,
}

impl Remap {
    /// Readies this for another source.
    pub fn reset(&mut self, source: &SpanBatch) {
        self.symbols.clear();
        self.symbols.resize(source.symbols.len(), UNSEEN);
        self.resources.clear();
        self.resources.resize(source.resources.len(), UNSEEN);
    }

    /// Moves the names and attributes of these rows of `source` into the table of `target` at once, before the rows are
    /// pushed. It may be left out; with many rows and a large target it saves half of the time.
    pub fn prepare(&mut self, source: &SpanBatch, rows: &[u32], target: &mut Gathered) {
        self.wanted.clear();
        for &row in rows {
            let span = &source.spans[row as usize];
            self.want(span.name);
            for attribute in source.attributes(span.attributes) {
                self.want(attribute.key);
                self.want(attribute.value);
            }
        }
        let (symbols, wanted) = (&mut self.symbols, &self.wanted);
        let moved = target
            .batch
            .symbols
            .intern_many(&source.symbols, wanted, |symbol, moved| {
                symbols[symbol.index()] = moved.0;
            });
        if moved.is_err() {
            // The table is full. Whoever pushes the rows will meet it where it matters.
            for symbol in wanted {
                let place = &mut symbols[symbol.index()];
                if *place == WANTED {
                    *place = UNSEEN;
                }
            }
        }
    }

    #[inline]
    fn want(&mut self, symbol: Symbol) {
        let place = &mut self.symbols[symbol.index()];
        if *place == UNSEEN {
            *place = WANTED;
            self.wanted.push(symbol);
        }
    }

    #[inline]
    fn symbol(
        &mut self,
        source: &Symbols,
        target: &mut Symbols,
        symbol: Symbol,
    ) -> Result<Symbol, SymbolOverflow> {
        let known = self.symbols[symbol.index()];
        if known != UNSEEN {
            return Ok(Symbol(known));
        }
        let moved = target.intern_from(source, symbol)?;
        self.symbols[symbol.index()] = moved.0;
        Ok(moved)
    }
}

impl Gathered {
    /// Nothing gathered yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets all rows and values, and keeps the memory.
    pub fn clear(&mut self) {
        self.batch.clear();
        self.resources.clear();
    }

    /// Appends `source.spans[row]` with all that belongs to it. Costs O(its attributes); a symbol or resource that this
    /// `remap` has moved before costs one array look-up.
    ///
    /// # Errors
    /// [`SymbolOverflow`] when the table of this batch is full. Then no span was appended.
    ///
    /// # Panics
    /// When `remap` was not reset for `source`, or has served another target since.
    pub fn push(
        &mut self,
        source: &SpanBatch,
        row: usize,
        remap: &mut Remap,
    ) -> Result<(), SymbolOverflow> {
        let mut span = source.spans[row];
        span.name = remap.symbol(&source.symbols, &mut self.batch.symbols, span.name)?;
        span.resource = self.push_resource(source, span.resource, remap)?;
        span.attributes = self.attributes(source, span.attributes, remap)?;
        if span.extra != NO_EXTRA {
            span.extra = self.extra(source, &source.extras[span.extra as usize], remap)?;
        }
        self.batch.spans.push(span);
        Ok(())
    }

    fn attributes(
        &mut self,
        source: &SpanBatch,
        range: Range32,
        remap: &mut Remap,
    ) -> Result<Range32, SymbolOverflow> {
        let start = self.batch.attributes.len();
        for attribute in source.attributes(range) {
            let key = remap.symbol(&source.symbols, &mut self.batch.symbols, attribute.key)?;
            let value = remap.symbol(&source.symbols, &mut self.batch.symbols, attribute.value)?;
            self.batch.attributes.push(Attribute { key, value });
        }
        Ok(Range32::between(start, self.batch.attributes.len()))
    }

    /// Makes `source.resources[index]` a row of this batch, unless an equal one is there, and gives its index.
    ///
    /// # Errors
    /// [`SymbolOverflow`] when the table of this batch is full.
    #[inline]
    pub fn push_resource(
        &mut self,
        source: &SpanBatch,
        index: u32,
        remap: &mut Remap,
    ) -> Result<u32, SymbolOverflow> {
        let known = remap.resources[index as usize];
        if known != UNSEEN {
            return Ok(known);
        }
        let moved = self.new_resource(source, &source.resources[index as usize], remap)?;
        remap.resources[index as usize] = moved;
        Ok(moved)
    }

    #[cold]
    fn new_resource(
        &mut self,
        source: &SpanBatch,
        row: &ResourceRow,
        remap: &mut Remap,
    ) -> Result<u32, SymbolOverflow> {
        let attributes_before = self.batch.attributes.len();
        let mut moved = *row;
        for symbol in [
            &mut moved.schema_url,
            &mut moved.service,
            &mut moved.scope_name,
            &mut moved.scope_version,
            &mut moved.scope_schema_url,
        ] {
            *symbol = remap.symbol(&source.symbols, &mut self.batch.symbols, *symbol)?;
        }
        moved.attributes = self.attributes(source, row.attributes, remap)?;
        moved.scope_attributes = self.attributes(source, row.scope_attributes, remap)?;
        let content = resource_content(&moved, &self.batch);
        if let Some(&index) = self.resources.get(&content) {
            self.batch.attributes.truncate(attributes_before);
            return Ok(index);
        }
        let index = u32::try_from(self.batch.resources.len()).map_err(|_| SymbolOverflow)?;
        self.batch.resources.push(moved);
        self.resources.insert(content, index);
        Ok(index)
    }

    fn extra(
        &mut self,
        source: &SpanBatch,
        extra: &SpanExtra,
        remap: &mut Remap,
    ) -> Result<u32, SymbolOverflow> {
        let mut moved = *extra;
        moved.status_message = remap.symbol(
            &source.symbols,
            &mut self.batch.symbols,
            extra.status_message,
        )?;
        moved.trace_state =
            remap.symbol(&source.symbols, &mut self.batch.symbols, extra.trace_state)?;
        let events = self.batch.events.len();
        for event in &source.events[extra.events.indices()] {
            let name = remap.symbol(&source.symbols, &mut self.batch.symbols, event.name)?;
            let attributes = self.attributes(source, event.attributes, remap)?;
            self.batch.events.push(EventRow {
                name,
                attributes,
                ..*event
            });
        }
        moved.events = Range32::between(events, self.batch.events.len());
        let links = self.batch.links.len();
        for link in &source.links[extra.links.indices()] {
            let trace_state =
                remap.symbol(&source.symbols, &mut self.batch.symbols, link.trace_state)?;
            let attributes = self.attributes(source, link.attributes, remap)?;
            self.batch.links.push(LinkRow {
                trace_state,
                attributes,
                ..*link
            });
        }
        moved.links = Range32::between(links, self.batch.links.len());
        self.batch.extras.push(moved);
        Ok((self.batch.extras.len() - 1) as u32)
    }
}

/// Everything that makes a resource row what it is, as numbers; equal content in one batch means equal numbers.
fn resource_content(row: &ResourceRow, batch: &SpanBatch) -> Box<[u32]> {
    let mut content = vec![
        row.dropped_attributes,
        row.schema_url.0,
        row.scope_name.0,
        row.scope_version.0,
        row.scope_dropped_attributes,
        row.scope_schema_url.0,
        row.attributes.len,
    ];
    for range in [row.attributes, row.scope_attributes] {
        for attribute in batch.attributes(range) {
            content.extend([attribute.key.0, attribute.value.0]);
        }
    }
    content.into_boxed_slice()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ValueRef;

    fn one_span(service: &str, name: &str) -> SpanBatch {
        let mut batch = SpanBatch::default();
        let key = batch.symbols.intern_str(crate::SERVICE_NAME).unwrap();
        let value = batch.symbols.intern_str(service).unwrap();
        batch.attributes.push(Attribute { key, value });
        let resource = Range32::between(0, 1);
        let service = batch.service_of(resource).unwrap();
        batch.resources.push(ResourceRow {
            attributes: resource,
            service,
            ..Default::default()
        });
        let key = batch.symbols.intern_str("n").unwrap();
        let value = batch.symbols.intern_value(ValueRef::Int(7)).unwrap();
        batch.attributes.push(Attribute { key, value });
        batch.events.push(EventRow {
            time: UnixNanos(3),
            name: key,
            attributes: Range32::between(1, 2),
            dropped_attributes: 0,
        });
        batch.extras.push(SpanExtra {
            events: Range32::between(0, 1),
            dropped_links: 4,
            ..Default::default()
        });
        batch.spans.push(SpanRow {
            trace_id: TraceId([1; 16]),
            span_id: SpanId([2; 8]),
            parent_span_id: SpanId::ZERO,
            start: UnixNanos(10),
            duration: DurationNanos(5),
            name: batch.symbols.intern_str(name).unwrap(),
            resource: 0,
            attributes: Range32::between(1, 2),
            extra: 0,
            flags: 0,
            kind: SpanKind::Server,
            status: StatusCode::Unset,
        });
        batch
    }

    #[test]
    fn a_gathered_span_keeps_all_that_belongs_to_it_and_shares_equal_resources() {
        let sources = [
            one_span("shop", "a"),
            one_span("shop", "b"),
            one_span("", "c"),
        ];
        let mut gathered = Gathered::new();
        let mut remap = Remap::default();
        for source in &sources {
            remap.reset(source);
            gathered.push(source, 0, &mut remap).unwrap();
        }
        let batch = &gathered.batch;
        assert_eq!(batch.resources.len(), 2);
        let told: Vec<String> = batch
            .spans
            .iter()
            .map(|span| {
                let attribute = batch.attributes(span.attributes)[0];
                let event = batch.events(span)[0];
                format!(
                    "{} {} {}={:?} event {} lost {}",
                    batch.service(span),
                    batch.symbols.str(span.name),
                    batch.symbols.str(attribute.key),
                    batch.symbols.value(attribute.value),
                    batch.symbols.str(event.name),
                    batch.extra(span).dropped_links,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                "shop a n=Int(7) event n lost 4",
                "shop b n=Int(7) event n lost 4",
                "unknown_service c n=Int(7) event n lost 4",
            ]
        );
    }
}
