//! The walk over a request.

use model::{
    Attribute, DropReason, DurationNanos, EventRow, LinkRow, NO_EXTRA, Range32, ResourceRow,
    SpanBatch, SpanExtra, SpanId, SpanKind, SpanRow, StatusCode, Symbol, SymbolOverflow, TraceId,
    UnixNanos, ValueRef,
};

use super::path::{Place, path_of};
use super::repeats::{Known, Repeats};
use super::value::{self, Pieces, Wire};
use super::{DecodeError, DecodeLimits, Rejected};
use crate::proto::{Fault, ProtoError, Reader, Tag};
use crate::schema::{
    any_value, event, key_value, link, request, resource, resource_spans, scope, scope_spans, span,
    status,
};

/// Why the walk left a message before its end.
#[derive(Debug)]
pub(super) enum Stop {
    /// The bytes are not protobuf: the request is refused. Boxed so that results, which are nearly always good, are small.
    Broken(Box<ProtoError>),
    /// The span, resource or scope breaks a rule: it is left out.
    Rejected(DropReason),
    /// More distinct values than a batch can hold: the request is refused.
    Overflow,
}

impl From<ProtoError> for Stop {
    #[cold]
    fn from(error: ProtoError) -> Self {
        Self::Broken(Box::new(error))
    }
}

impl From<SymbolOverflow> for Stop {
    #[cold]
    fn from(_: SymbolOverflow) -> Self {
        Self::Overflow
    }
}

type Walk<T> = Result<T, Stop>;

pub(super) struct Decoder<'a, 'b> {
    body: &'a [u8],
    limits: DecodeLimits,
    batch: &'b mut SpanBatch,
    repeats: Repeats<'a>,
    /// Canonical text of the value at hand.
    canonical: String,
    rejected: Rejected,
}

/// Lengths of the columns before a span, to take back what a rejected one has left.
struct Mark {
    attributes: usize,
    extras: usize,
    events: usize,
    links: usize,
}

impl<'a, 'b> Decoder<'a, 'b> {
    pub(super) fn new(body: &'a [u8], limits: &DecodeLimits, batch: &'b mut SpanBatch) -> Self {
        batch.clear();
        Self {
            body,
            limits: *limits,
            batch,
            repeats: Repeats::new(),
            canonical: String::new(),
            rejected: Rejected::default(),
        }
    }

    pub(super) fn run(mut self) -> Result<Rejected, DecodeError> {
        // Rows are counted in 32 bits; each takes at least two bytes of the body.
        if u32::try_from(self.body.len()).is_err() {
            return Err(self.too_large());
        }
        match self.request() {
            Ok(()) => Ok(self.rejected),
            Err(Stop::Broken(error)) => Err(DecodeError {
                offset: error.offset,
                path: path_of(self.body, Place::Fault(error.offset)),
                fault: error.fault,
            }),
            Err(Stop::Rejected(_) | Stop::Overflow) => Err(self.too_large()),
        }
    }

    fn too_large(&self) -> DecodeError {
        DecodeError {
            offset: self.body.len(),
            path: String::new(),
            fault: Fault::TooLarge,
        }
    }

    fn request(&mut self) -> Walk<()> {
        let mut reader = Reader::new(self.body);
        while let Some(tag) = reader.tag()? {
            match tag {
                request::RESOURCE_SPANS => self.resource_spans(reader.message()?)?,
                other => reader.skip_unknown(other, request::KNOWN)?,
            }
        }
        Ok(())
    }

    /// What belongs to all spans is read first, wherever it stands.
    fn resource_spans(&mut self, mut reader: Reader<'a>) -> Walk<()> {
        let whole = reader;
        let attributes = self.batch.attributes.len();
        let mut row = ResourceRow::default();
        let mut verdict = Ok(());
        while let Some(tag) = reader.tag()? {
            let value = reader;
            match tag {
                resource_spans::RESOURCE => {
                    let found = self.resource(reader.message()?, &mut row);
                    note(&mut verdict, found, value)?;
                }
                resource_spans::SCHEMA_URL => {
                    let found = self.text(reader.bytes()?);
                    note(&mut verdict, found.map(|url| row.schema_url = url), value)?;
                }
                resource_spans::SCOPE_SPANS => reader.skip(tag)?,
                other => reader.skip_unknown(other, resource_spans::KNOWN)?,
            }
        }
        if let Err((reason, at)) = verdict {
            let spans = count_in_scopes(whole)?;
            self.reject(reason, spans, Place::Fault(at));
            self.batch.attributes.truncate(attributes);
            return Ok(());
        }
        row.attributes = Range32::between(attributes, self.batch.attributes.len());
        row.service = self.batch.service_of(row.attributes)?;
        let mut reader = whole;
        while let Some(tag) = reader.tag()? {
            match tag {
                resource_spans::SCOPE_SPANS => self.scope_spans(reader.message()?, row)?,
                other => reader.skip(other)?,
            }
        }
        Ok(())
    }

    fn resource(&mut self, mut reader: Reader<'a>, row: &mut ResourceRow) -> Walk<()> {
        let mut previous = Symbol::EMPTY;
        while let Some(tag) = reader.tag()? {
            match tag {
                resource::ATTRIBUTES => previous = self.attribute(reader.message()?, previous)?,
                resource::DROPPED_ATTRIBUTES => row.dropped_attributes = reader.uint32()?,
                other => reader.skip_unknown(other, resource::KNOWN)?,
            }
        }
        Ok(())
    }

    fn scope_spans(&mut self, mut reader: Reader<'a>, mut row: ResourceRow) -> Walk<()> {
        let whole = reader;
        let attributes = self.batch.attributes.len();
        let mut verdict = Ok(());
        let mut spans = 0u64;
        while let Some(tag) = reader.tag()? {
            let value = reader;
            match tag {
                scope_spans::SPANS => {
                    reader.bytes()?;
                    spans += 1;
                }
                scope_spans::SCOPE => {
                    let found = self.scope(reader.message()?, &mut row);
                    note(&mut verdict, found, value)?;
                }
                scope_spans::SCHEMA_URL => {
                    let found = self.text(reader.bytes()?);
                    note(
                        &mut verdict,
                        found.map(|url| row.scope_schema_url = url),
                        value,
                    )?;
                }
                other => reader.skip_unknown(other, scope_spans::KNOWN)?,
            }
        }
        if let Err((reason, at)) = verdict {
            self.reject(reason, spans, Place::Fault(at));
            self.batch.attributes.truncate(attributes);
            return Ok(());
        }
        row.scope_attributes = Range32::between(attributes, self.batch.attributes.len());
        let before = self.batch.spans.len();
        self.spans(whole)?;
        if self.batch.spans.len() > before {
            self.batch.resources.push(row);
        } else {
            self.batch.attributes.truncate(attributes);
        }
        Ok(())
    }

    fn scope(&mut self, mut reader: Reader<'a>, row: &mut ResourceRow) -> Walk<()> {
        let mut previous = Symbol::EMPTY;
        while let Some(tag) = reader.tag()? {
            match tag {
                scope::NAME => row.scope_name = self.text(reader.bytes()?)?,
                scope::VERSION => row.scope_version = self.text(reader.bytes()?)?,
                scope::ATTRIBUTES => previous = self.attribute(reader.message()?, previous)?,
                scope::DROPPED_ATTRIBUTES => row.scope_dropped_attributes = reader.uint32()?,
                other => reader.skip_unknown(other, scope::KNOWN)?,
            }
        }
        Ok(())
    }

    /// The spans of a `ScopeSpans` whose other fields have been read.
    fn spans(&mut self, mut reader: Reader<'a>) -> Walk<()> {
        loop {
            let start = reader.offset();
            let Some(tag) = reader.tag()? else {
                return Ok(());
            };
            if tag != scope_spans::SPANS {
                reader.skip(tag)?;
                continue;
            }
            let message = reader.message()?;
            let mark = self.mark();
            let outcome = if message.len() > self.limits.max_span_bytes {
                Err(Stop::Rejected(DropReason::SpanTooLarge))
            } else {
                self.span(message)
            };
            match outcome {
                Ok(row) => self.batch.spans.push(row),
                Err(Stop::Rejected(reason)) => {
                    self.take_back(&mark);
                    self.reject(reason, 1, Place::Field(start));
                }
                Err(stop) => return Err(stop),
            }
        }
    }

    fn mark(&self) -> Mark {
        Mark {
            attributes: self.batch.attributes.len(),
            extras: self.batch.extras.len(),
            events: self.batch.events.len(),
            links: self.batch.links.len(),
        }
    }

    #[cold]
    fn take_back(&mut self, mark: &Mark) {
        self.batch.attributes.truncate(mark.attributes);
        self.batch.extras.truncate(mark.extras);
        self.batch.events.truncate(mark.events);
        self.batch.links.truncate(mark.links);
    }

    #[cold]
    fn reject(&mut self, reason: DropReason, spans: u64, place: Place) {
        self.rejected.counts[reason.index()] += spans;
        if spans > 0 && self.rejected.first.is_none() {
            let path = path_of(self.body, place);
            self.rejected.first = Some(format!("{path}: {}", reason.explain()));
        }
    }

    fn span(&mut self, mut reader: Reader<'a>) -> Walk<SpanRow> {
        let mut row = SpanRow {
            trace_id: TraceId::ZERO,
            span_id: SpanId::ZERO,
            parent_span_id: SpanId::ZERO,
            start: UnixNanos(0),
            duration: DurationNanos(0),
            name: Symbol::EMPTY,
            resource: self.batch.resources.len() as u32,
            attributes: Range32::between(self.batch.attributes.len(), self.batch.attributes.len()),
            extra: NO_EXTRA,
            flags: 0,
            kind: SpanKind::Unspecified,
            status: StatusCode::Unset,
        };
        let mut extra = SpanExtra::default();
        let (mut start, mut end) = (0, 0);
        let mut previous = None;
        let mut nested = None;
        while let Some(tag) = reader.tag()? {
            match tag {
                // An id of a wrong length is as good as none.
                span::TRACE_ID => {
                    row.trace_id = TraceId::from_slice(reader.bytes()?).unwrap_or_default();
                }
                span::SPAN_ID => {
                    row.span_id = SpanId::from_slice(reader.bytes()?).unwrap_or_default();
                }
                span::PARENT_SPAN_ID => {
                    row.parent_span_id = id_or_none(reader.bytes()?, SpanId::from_slice)?;
                }
                span::NAME => row.name = self.text(reader.bytes()?)?,
                span::KIND => row.kind = SpanKind::from_number(i64::from(reader.int32()?)),
                span::START => start = reader.fixed64()?,
                span::END => end = reader.fixed64()?,
                span::ATTRIBUTES => {
                    let message = reader.message()?;
                    previous = Some(self.attribute(message, previous.unwrap_or(row.name))?);
                }
                span::FLAGS => row.flags = reader.fixed32()?,
                span::STATUS => self.status(reader.message()?, &mut row, &mut extra)?,
                span::TRACE_STATE => extra.trace_state = self.text(reader.bytes()?)?,
                span::DROPPED_ATTRIBUTES => extra.dropped_attributes = reader.uint32()?,
                span::DROPPED_EVENTS => extra.dropped_events = reader.uint32()?,
                span::DROPPED_LINKS => extra.dropped_links = reader.uint32()?,
                // Their attributes go to the same column, so they wait until the span's own are complete.
                span::EVENTS | span::LINKS => {
                    nested.get_or_insert((tag, reader));
                    reader.bytes()?;
                }
                other => reader.skip_unknown(other, span::KNOWN)?,
            }
        }
        if row.trace_id.is_zero() {
            return Err(Stop::Rejected(DropReason::InvalidTraceId));
        }
        if row.span_id.is_zero() {
            return Err(Stop::Rejected(DropReason::InvalidSpanId));
        }
        row.start = time(start)?;
        row.duration = time(end)?.since(row.start);
        row.attributes = self.attributes_since(row.attributes.start as usize);
        if let Some((tag, reader)) = nested {
            self.events_and_links(tag, reader, &mut extra)?;
        }
        if extra != SpanExtra::default() {
            row.extra = self.batch.extras.len() as u32;
            self.batch.extras.push(extra);
        }
        Ok(row)
    }

    fn attributes_since(&self, start: usize) -> Range32 {
        Range32::between(start, self.batch.attributes.len())
    }

    fn status(
        &mut self,
        mut reader: Reader<'a>,
        row: &mut SpanRow,
        extra: &mut SpanExtra,
    ) -> Walk<()> {
        while let Some(tag) = reader.tag()? {
            match tag {
                status::MESSAGE => extra.status_message = self.text(reader.bytes()?)?,
                status::CODE => row.status = StatusCode::from_number(i64::from(reader.int32()?)),
                other if other.field() == status::RESERVED => reader.skip(other)?,
                other => reader.skip_unknown(other, status::KNOWN)?,
            }
        }
        Ok(())
    }

    /// Reads on in a span from its first event or link, of which `tag` has been taken.
    #[cold]
    fn events_and_links(
        &mut self,
        tag: Tag,
        mut reader: Reader<'a>,
        extra: &mut SpanExtra,
    ) -> Walk<()> {
        let (events, links) = (self.batch.events.len(), self.batch.links.len());
        let mut next = Some(tag);
        while let Some(tag) = next {
            match tag {
                span::EVENTS => self.event(reader.message()?)?,
                span::LINKS => self.link(reader.message()?)?,
                other => reader.skip(other)?,
            }
            next = reader.tag()?;
        }
        extra.events = Range32::between(events, self.batch.events.len());
        extra.links = Range32::between(links, self.batch.links.len());
        Ok(())
    }

    fn event(&mut self, mut reader: Reader<'a>) -> Walk<()> {
        let attributes = self.batch.attributes.len();
        let mut row = EventRow {
            time: UnixNanos(0),
            name: Symbol::EMPTY,
            attributes: Range32::default(),
            dropped_attributes: 0,
        };
        let mut at = 0;
        let mut previous = None;
        while let Some(tag) = reader.tag()? {
            match tag {
                event::TIME => at = reader.fixed64()?,
                event::NAME => row.name = self.text(reader.bytes()?)?,
                event::ATTRIBUTES => {
                    let message = reader.message()?;
                    previous = Some(self.attribute(message, previous.unwrap_or(row.name))?);
                }
                event::DROPPED_ATTRIBUTES => row.dropped_attributes = reader.uint32()?,
                other => reader.skip_unknown(other, event::KNOWN)?,
            }
        }
        row.time = time(at)?;
        row.attributes = self.attributes_since(attributes);
        self.batch.events.push(row);
        Ok(())
    }

    fn link(&mut self, mut reader: Reader<'a>) -> Walk<()> {
        let attributes = self.batch.attributes.len();
        let mut row = LinkRow {
            trace_id: TraceId::ZERO,
            span_id: SpanId::ZERO,
            trace_state: Symbol::EMPTY,
            flags: 0,
            attributes: Range32::default(),
            dropped_attributes: 0,
        };
        let mut previous = Symbol::EMPTY;
        while let Some(tag) = reader.tag()? {
            match tag {
                link::TRACE_ID => row.trace_id = id_or_none(reader.bytes()?, TraceId::from_slice)?,
                link::SPAN_ID => row.span_id = id_or_none(reader.bytes()?, SpanId::from_slice)?,
                link::TRACE_STATE => row.trace_state = self.text(reader.bytes()?)?,
                link::ATTRIBUTES => previous = self.attribute(reader.message()?, previous)?,
                link::DROPPED_ATTRIBUTES => row.dropped_attributes = reader.uint32()?,
                link::FLAGS => row.flags = reader.fixed32()?,
                other => reader.skip_unknown(other, link::KNOWN)?,
            }
        }
        row.attributes = self.attributes_since(attributes);
        self.batch.links.push(row);
        Ok(())
    }

    /// Appends a `KeyValue` and gives its key. `previous` is what came before it, to guess from.
    #[inline]
    fn attribute(&mut self, message: Reader<'a>, previous: Symbol) -> Walk<Symbol> {
        let attribute = match self.repeats.look(previous, message) {
            Known::Whole(attribute) => attribute,
            Known::Key(key, mut tail) => {
                let rest = tail.rest();
                // Something behind the value: the key may be said again.
                if tail.varint()? != tail.len() as u64 {
                    return self.new_attribute(message, previous);
                }
                let value = self.plain_value(tail)?;
                let attribute = Attribute { key, value };
                self.repeats.note(previous, message.rest(), rest, attribute);
                attribute
            }
            Known::Nothing => return self.new_attribute(message, previous),
        };
        self.batch.attributes.push(attribute);
        Ok(attribute.key)
    }

    fn new_attribute(&mut self, message: Reader<'a>, previous: Symbol) -> Walk<Symbol> {
        let plain = plain_attribute(message);
        let key = match plain {
            Some((key, ..)) => key,
            None => value::key_of(message)?,
        };
        let key = self.text(key)?;
        let value = match plain {
            Some((_, _, value)) => self.plain_value(value)?,
            None => self.any_value(Pieces::of(message, key_value::VALUE))?,
        };
        let attribute = Attribute { key, value };
        if let Some((_, tail, _)) = plain {
            self.repeats.note(previous, message.rest(), tail, attribute);
        }
        self.batch.attributes.push(attribute);
        Ok(key)
    }

    /// The symbol of an `AnyValue` in one piece.
    #[inline]
    fn plain_value(&mut self, reader: Reader<'a>) -> Walk<Symbol> {
        let mut fields = reader;
        let leaf = match fields.tag()? {
            Some(any_value::STRING) => {
                let bytes = fields.bytes()?;
                if fields.is_empty() {
                    return self.text(bytes);
                }
                return self.any_value(Pieces::one(reader));
            }
            Some(any_value::INT) => ValueRef::Int(fields.int64()?),
            Some(any_value::BOOL) => ValueRef::Bool(fields.bool()?),
            Some(any_value::DOUBLE) => ValueRef::Double(fields.double()?),
            _ => return self.any_value(Pieces::one(reader)),
        };
        if !fields.is_empty() {
            return self.any_value(Pieces::one(reader));
        }
        Ok(self.batch.symbols.intern_value(leaf)?)
    }

    /// The symbol of an `AnyValue` of any shape.
    #[cold]
    fn any_value(&mut self, fields: Pieces<'a>) -> Walk<Symbol> {
        let value = value::read(fields)?;
        let plain = match value {
            Wire::Str(bytes) => return self.text(bytes),
            Wire::Int(int) => ValueRef::Int(int),
            Wire::Bool(bool) => ValueRef::Bool(bool),
            Wire::Double(double) => ValueRef::Double(double),
            Wire::Empty | Wire::Bytes(_) | Wire::Array(_) | Wire::Map(_) => {
                self.canonical.clear();
                value::write_canonical(&value, 0, &mut self.canonical)?;
                ValueRef::Json(&self.canonical)
            }
        };
        Ok(self.batch.symbols.intern_value(plain)?)
    }

    /// The symbol of a string.
    #[inline]
    fn text(&mut self, bytes: &[u8]) -> Walk<Symbol> {
        self.batch
            .symbols
            .intern_utf8(bytes)?
            .ok_or(Stop::Rejected(DropReason::InvalidUtf8))
    }
}

/// Key, value with its length, and value of a `KeyValue` that is written as everybody writes it: one key, one value,
/// nothing else.
fn plain_attribute(mut reader: Reader<'_>) -> Option<(&[u8], &[u8], Reader<'_>)> {
    if reader.tag() != Ok(Some(key_value::KEY)) {
        return None;
    }
    let key = reader.bytes().ok()?;
    if reader.tag() != Ok(Some(key_value::VALUE)) {
        return None;
    }
    let tail = reader.rest();
    let value = reader.message().ok()?;
    reader.is_empty().then_some((key, tail, value))
}

/// An id that may be missing: zeros then.
fn id_or_none<Id: Default>(bytes: &[u8], id: impl FnOnce(&[u8]) -> Option<Id>) -> Walk<Id> {
    if bytes.is_empty() {
        return Ok(Id::default());
    }
    id(bytes).ok_or(Stop::Rejected(DropReason::InvalidSpanId))
}

#[inline]
fn time(nanos: u64) -> Walk<UnixNanos> {
    i64::try_from(nanos)
        .map(UnixNanos)
        .map_err(|_| Stop::Rejected(DropReason::TimestampOutOfRange))
}

/// Keeps the first reason for which all spans below are rejected, with the offset of the value that gave it.
fn note(
    verdict: &mut Result<(), (DropReason, usize)>,
    found: Walk<()>,
    value: Reader<'_>,
) -> Walk<()> {
    match found {
        Err(Stop::Rejected(reason)) => {
            if verdict.is_ok() {
                *verdict = Err((reason, value.offset()));
            }
            Ok(())
        }
        other => other,
    }
}

/// The spans of all `ScopeSpans` of a `ResourceSpans`.
#[cold]
fn count_in_scopes(mut reader: Reader<'_>) -> Walk<u64> {
    let mut spans = 0;
    while let Some(tag) = reader.tag()? {
        if tag != resource_spans::SCOPE_SPANS {
            reader.skip(tag)?;
            continue;
        }
        let mut scope = reader.message()?;
        while let Some(tag) = scope.tag()? {
            spans += u64::from(tag == scope_spans::SPANS);
            scope.skip(tag)?;
        }
    }
    Ok(spans)
}
