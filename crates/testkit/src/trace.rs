//! Owned traces: plain structures that a test can build, read and compare.
//!
//! They hold what a query can see. Dropped counts, schema URLs, and the flags and trace states of links are not here; a batch
//! made from a trace has them empty.

use std::collections::BTreeMap;

use model::{
    Attribute, DurationNanos, EventRow, LinkRow, NO_EXTRA, Range32, ResourceRow, SpanBatch,
    SpanExtra, SpanId, SpanKind, SpanRow, StatusCode, Symbol, TraceId, UNKNOWN_SERVICE, UnixNanos,
    Value, ValueRef,
};

/// Keys with their values, in the order sent; of a repeated key, queries see the first.
pub type Attributes = Vec<(String, Value)>;

/// A trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Its id.
    pub id: TraceId,
    /// Its spans, in any order.
    pub spans: Vec<Span>,
}

/// A span.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Its id.
    pub id: SpanId,
    /// The id of its parent, which need not be in the trace; all zeros for a root.
    pub parent: SpanId,
    /// Name.
    pub name: String,
    /// When it started.
    pub start: UnixNanos,
    /// End minus start.
    pub duration: DurationNanos,
    /// Kind.
    pub kind: SpanKind,
    /// Status.
    pub status: StatusCode,
    /// Message of the status; empty for none.
    pub status_message: String,
    /// W3C trace state; empty for none.
    pub trace_state: String,
    /// Its own attributes.
    pub attributes: Attributes,
    /// Attributes of its resource, `service.name` among them.
    pub resource: Attributes,
    /// Its instrumentation scope.
    pub scope: Scope,
    /// Events in the order sent.
    pub events: Vec<Event>,
    /// Links in the order sent.
    pub links: Vec<Link>,
}

/// An instrumentation scope.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scope {
    /// Name; empty for none.
    pub name: String,
    /// Version; empty for none.
    pub version: String,
    /// Attributes.
    pub attributes: Attributes,
}

/// An event of a span.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When.
    pub time: UnixNanos,
    /// Name.
    pub name: String,
    /// Attributes.
    pub attributes: Attributes,
}

/// A link from a span to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// Trace of the other span.
    pub trace: TraceId,
    /// The other span.
    pub span: SpanId,
    /// Attributes.
    pub attributes: Attributes,
}

impl Span {
    /// When it ended.
    pub fn end(&self) -> UnixNanos {
        self.start.saturating_add(self.duration)
    }

    /// Its service, or [`UNKNOWN_SERVICE`] where the resource names none.
    pub fn service(&self) -> &str {
        self.resource
            .iter()
            .find_map(|(key, value)| match value {
                Value::Str(name) if key == model::SERVICE_NAME && !name.is_empty() => {
                    Some(name.as_str())
                }
                _ => None,
            })
            .unwrap_or(UNKNOWN_SERVICE)
    }

    /// How many spans it stands for: 2^56 / (2^56 − *th*), where `th` is that of OpenTelemetry's member of the trace state,
    /// and 1 without a valid one.
    pub fn weight(&self) -> f64 {
        const ALL: u64 = 1 << 56;
        let member = self
            .trace_state
            .split(',')
            .find_map(|member| member.trim().strip_prefix("ot="));
        let threshold = member.and_then(|ot| ot.split(';').find_map(|f| f.strip_prefix("th:")));
        let digits = threshold.filter(|digits| {
            let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            (1..=14).contains(&digits.len()) && digits.bytes().all(is_digit)
        });
        digits.map_or(1.0, |digits| {
            // Cut zeros at the end are supplied.
            let rejected = u64::from_str_radix(&format!("{digits:0<14}"), 16).unwrap();
            ALL as f64 / (ALL - rejected) as f64
        })
    }
}

// === to and from batches ===

/// The traces as one batch, a row of resources for each distinct pair of resource and scope.
pub fn to_batch(traces: &[Trace]) -> SpanBatch {
    let mut writer = Writer::default();
    for trace in traces {
        for span in &trace.spans {
            writer.span(trace.id, span);
        }
    }
    writer.batch
}

#[derive(Default)]
struct Writer {
    batch: SpanBatch,
    resources: Vec<(Attributes, Scope)>,
}

impl Writer {
    fn span(&mut self, trace_id: TraceId, span: &Span) {
        let resource = self.resource(&span.resource, &span.scope);
        let attributes = self.attributes(&span.attributes);
        let extra = self.extra(span);
        let name = self.word(&span.name);
        self.batch.spans.push(SpanRow {
            trace_id,
            span_id: span.id,
            parent_span_id: span.parent,
            start: span.start,
            duration: span.duration,
            name,
            resource,
            attributes,
            extra,
            flags: 0,
            kind: span.kind,
            status: span.status,
        });
    }

    fn word(&mut self, text: &str) -> Symbol {
        self.batch.symbols.intern_str(text).unwrap()
    }

    fn attributes(&mut self, attributes: &Attributes) -> Range32 {
        let start = self.batch.attributes.len();
        for (key, value) in attributes {
            let key = self.word(key);
            let symbols = &mut self.batch.symbols;
            let value = match value {
                Value::Str(text) => symbols.intern_value(ValueRef::Str(text)),
                Value::Int(int) => symbols.intern_value(ValueRef::Int(*int)),
                Value::Double(double) => symbols.intern_value(ValueRef::Double(*double)),
                Value::Bool(bool) => symbols.intern_value(ValueRef::Bool(*bool)),
                other => symbols.intern_value(ValueRef::Json(&other.to_canonical())),
            };
            let value = value.unwrap();
            self.batch.attributes.push(Attribute { key, value });
        }
        Range32::between(start, self.batch.attributes.len())
    }

    fn resource(&mut self, resource: &Attributes, scope: &Scope) -> u32 {
        let is_this = |known: &(Attributes, Scope)| known.0 == *resource && known.1 == *scope;
        if let Some(known) = self.resources.iter().position(is_this) {
            return known as u32;
        }
        let attributes = self.attributes(resource);
        let row = ResourceRow {
            attributes,
            service: self.batch.service_of(attributes).unwrap(),
            scope_name: self.word(&scope.name),
            scope_version: self.word(&scope.version),
            scope_attributes: self.attributes(&scope.attributes),
            ..ResourceRow::default()
        };
        self.batch.resources.push(row);
        self.resources.push((resource.clone(), scope.clone()));
        self.resources.len() as u32 - 1
    }

    fn extra(&mut self, span: &Span) -> u32 {
        let first_event = self.batch.events.len();
        for event in &span.events {
            let row = EventRow {
                time: event.time,
                name: self.word(&event.name),
                attributes: self.attributes(&event.attributes),
                dropped_attributes: 0,
            };
            self.batch.events.push(row);
        }
        let first_link = self.batch.links.len();
        for link in &span.links {
            let row = LinkRow {
                trace_id: link.trace,
                span_id: link.span,
                trace_state: Symbol::EMPTY,
                flags: 0,
                attributes: self.attributes(&link.attributes),
                dropped_attributes: 0,
            };
            self.batch.links.push(row);
        }
        let extra = SpanExtra {
            status_message: self.word(&span.status_message),
            trace_state: self.word(&span.trace_state),
            events: Range32::between(first_event, self.batch.events.len()),
            links: Range32::between(first_link, self.batch.links.len()),
            ..SpanExtra::default()
        };
        let is_plain = span.status_message.is_empty()
            && span.trace_state.is_empty()
            && span.events.is_empty()
            && span.links.is_empty();
        if is_plain {
            return NO_EXTRA;
        }
        self.batch.extras.push(extra);
        self.batch.extras.len() as u32 - 1
    }
}

/// The traces of a batch by id; spans in the order of the rows.
pub fn from_batch(batch: &SpanBatch) -> Vec<Trace> {
    let mut traces: BTreeMap<TraceId, Vec<Span>> = BTreeMap::new();
    for row in &batch.spans {
        let span = span_of(batch, row);
        traces.entry(row.trace_id).or_default().push(span);
    }
    traces
        .into_iter()
        .map(|(id, spans)| Trace { id, spans })
        .collect()
}

fn span_of(batch: &SpanBatch, row: &SpanRow) -> Span {
    let text = |symbol| batch.symbols.str(symbol).to_owned();
    let resource = &batch.resources[row.resource as usize];
    let extra = batch.extra(row);
    Span {
        id: row.span_id,
        parent: row.parent_span_id,
        name: text(row.name),
        start: row.start,
        duration: row.duration,
        kind: row.kind,
        status: row.status,
        status_message: text(extra.status_message),
        trace_state: text(extra.trace_state),
        attributes: attributes_of(batch, row.attributes),
        resource: attributes_of(batch, resource.attributes),
        scope: Scope {
            name: text(resource.scope_name),
            version: text(resource.scope_version),
            attributes: attributes_of(batch, resource.scope_attributes),
        },
        events: batch
            .events(row)
            .iter()
            .map(|event| Event {
                time: event.time,
                name: text(event.name),
                attributes: attributes_of(batch, event.attributes),
            })
            .collect(),
        links: batch
            .links(row)
            .iter()
            .map(|link| Link {
                trace: link.trace_id,
                span: link.span_id,
                attributes: attributes_of(batch, link.attributes),
            })
            .collect(),
    }
}

fn attributes_of(batch: &SpanBatch, range: Range32) -> Attributes {
    let symbols = &batch.symbols;
    batch
        .attributes(range)
        .iter()
        .map(|attribute| {
            let value = symbols.value(attribute.value).to_value().unwrap();
            (symbols.str(attribute.key).to_owned(), value)
        })
        .collect()
}

// === pieces ===

/// Deals the spans out to `parts` lists of traces, so that most traces are split: what arrives in several requests, or lies in
/// several blocks. The same `seed` deals alike; every span comes into exactly one part.
///
/// # Panics
/// When `parts` is 0.
pub fn split(traces: &[Trace], parts: usize, seed: u64) -> Vec<Vec<Trace>> {
    assert!(parts > 0, "no parts");
    let mut out = vec![Vec::new(); parts];
    for trace in traces {
        let mut pieces = vec![Vec::new(); parts];
        for span in &trace.spans {
            let number = u64::from_be_bytes(span.id.0);
            let part = crate::random::mix(seed ^ trace.id.hash64() ^ number) as usize % parts;
            pieces[part].push(span.clone());
        }
        for (part, spans) in out.iter_mut().zip(pieces) {
            if !spans.is_empty() {
                part.push(Trace {
                    id: trace.id,
                    spans,
                });
            }
        }
    }
    out
}
