//! Traces drawn as indented text.
//!
//! ```text
//! web GET /checkout | server 0..100
//!   web GET | client 10..90 server.address=pay
//!     pay Charge | server 20..80 error host=b event@30 db.query.text="select 1"
//! ```
//!
//! A line is a span: service, name, and behind the bar kind, start and end in milliseconds, then what else is known. Two
//! more spaces make it a child. `id=7` and `parent=9` override the ids that follow from the drawing (spans are numbered from
//! 1), `parent=0` makes a root. `host=` is a resource attribute; any other `key=value` is one of the span, a number
//! where it reads like one. Services without `host=` have a host of their own service's name.

use model::{
    Attribute, DurationNanos, EventRow, NO_EXTRA, Range32, ResourceRow, SpanBatch, SpanExtra,
    SpanId, SpanKind, SpanRow, StatusCode, Symbol, TraceId, UnixNanos, ValueRef,
};

/// Where drawn traces begin.
pub(crate) const ORIGIN: i64 = 1_795_000_000_000_000_000;

const MILLISECOND: f64 = 1e6;

/// The trace that a text draws. Panics where it cannot be read.
pub(crate) fn trace(text: &str) -> SpanBatch {
    let mut drawing = Drawing::default();
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let margin = lines
        .clone()
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    for line in lines {
        let indent = line.len() - line.trim_start().len() - margin;
        assert!(indent % 2 == 0, "odd indentation: {line}");
        drawing.span(indent / 2, line.trim());
    }
    drawing.batch
}

/// The id of the span with this number.
pub(crate) fn id(number: u64) -> SpanId {
    SpanId(number.to_be_bytes())
}

#[derive(Default)]
struct Drawing {
    batch: SpanBatch,
    /// Ids of the open spans, root first.
    open: Vec<u64>,
}

impl Drawing {
    fn span(&mut self, depth: usize, line: &str) {
        let (what, how) = line
            .split_once(" | ")
            .unwrap_or_else(|| panic!("no bar: {line}"));
        let (service, name) = what.split_once(' ').unwrap_or((what, ""));
        let mut words = words(how).into_iter();
        let kind = kind(&words.next().expect("kind"));
        let (start, end) = times(&words.next().expect("times"));
        self.open.truncate(depth);
        assert_eq!(self.open.len(), depth, "indented too far: {line}");
        let mut span = SpanRow {
            trace_id: TraceId([7; 16]),
            span_id: id(self.batch.spans.len() as u64 + 1),
            parent_span_id: self.open.last().map_or(SpanId::ZERO, |&parent| id(parent)),
            start: UnixNanos(start),
            duration: DurationNanos(end - start),
            name: self.batch.symbols.intern_str(name).unwrap(),
            resource: 0,
            attributes: Range32::default(),
            extra: NO_EXTRA,
            flags: 0,
            kind,
            status: StatusCode::Unset,
        };
        let (mut host, mut attributes, mut events) = (service.to_owned(), Vec::new(), Vec::new());
        for word in words {
            match word.split_once('=') {
                None if word == "error" => span.status = StatusCode::Error,
                None if word == "ok" => span.status = StatusCode::Ok,
                None => events.push(
                    word.strip_prefix("event@")
                        .expect("event")
                        .parse::<f64>()
                        .unwrap(),
                ),
                Some(("id", number)) => span.span_id = id(number.parse().unwrap()),
                Some(("parent", number)) => span.parent_span_id = id(number.parse().unwrap()),
                Some(("host", name)) => name.clone_into(&mut host),
                Some((key, value)) => attributes.push(self.attribute(key, value)),
            }
        }
        self.open.push(u64::from_be_bytes(span.span_id.0));
        span.attributes = self.attributes(&attributes);
        span.resource = self.resource(service, &host);
        if !events.is_empty() {
            span.extra = self.events(&events);
        }
        self.batch.spans.push(span);
    }

    fn attribute(&mut self, key: &str, value: &str) -> Attribute {
        let symbols = &mut self.batch.symbols;
        let value = value.parse().map_or(ValueRef::Str(value), ValueRef::Int);
        Attribute {
            key: symbols.intern_str(key).unwrap(),
            value: symbols.intern_value(value).unwrap(),
        }
    }

    fn attributes(&mut self, attributes: &[Attribute]) -> Range32 {
        let start = self.batch.attributes.len();
        self.batch.attributes.extend(attributes);
        Range32::between(start, self.batch.attributes.len())
    }

    fn resource(&mut self, service: &str, host: &str) -> u32 {
        let attributes = [
            self.attribute(model::SERVICE_NAME, service),
            self.attribute("host.name", host),
        ];
        let attributes = self.attributes(&attributes);
        let service = self.batch.symbols.intern_str(service).unwrap();
        self.batch.resources.push(ResourceRow {
            attributes,
            service,
            ..ResourceRow::default()
        });
        self.batch.resources.len() as u32 - 1
    }

    fn events(&mut self, times: &[f64]) -> u32 {
        let start = self.batch.events.len();
        self.batch.events.extend(times.iter().map(|ms| EventRow {
            time: UnixNanos(nanos(*ms)),
            name: Symbol::EMPTY,
            attributes: Range32::default(),
            dropped_attributes: 0,
        }));
        self.batch.extras.push(SpanExtra {
            events: Range32::between(start, self.batch.events.len()),
            ..SpanExtra::default()
        });
        self.batch.extras.len() as u32 - 1
    }
}

fn nanos(ms: f64) -> i64 {
    ORIGIN + (ms * MILLISECOND).round() as i64
}

fn times(text: &str) -> (i64, i64) {
    let (start, end) = text.split_once("..").expect("start..end");
    (nanos(start.parse().unwrap()), nanos(end.parse().unwrap()))
}

fn kind(word: &str) -> SpanKind {
    (0..6)
        .map(SpanKind::from_number)
        .find(|kind| kind.as_str() == word)
        .unwrap_or_else(|| panic!("no kind: {word}"))
}

/// Splits at spaces outside of double quotes, and drops the quotes.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut is_quoted = false;
    for character in text.chars() {
        match character {
            '"' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.push(String::new()),
            _ => words.last_mut().unwrap().push(character),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
