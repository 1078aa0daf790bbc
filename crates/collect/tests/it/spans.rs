//! Small batches of spans for tests, of the crate's own and of those from outside.

use model::{
    Attribute, DurationNanos, NO_EXTRA, Range32, ResourceRow, SpanBatch, SpanId, SpanKind, SpanRow,
    StatusCode, TraceId, UnixNanos,
};

/// A span in few words. Change what matters with struct update syntax: `TestSpan { trace: 7, ..root(1) }`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TestSpan {
    pub(crate) trace: u64,
    pub(crate) span: u64,
    /// 0 for a root.
    pub(crate) parent: u64,
    pub(crate) start: i64,
    pub(crate) duration: i64,
    pub(crate) service: &'static str,
    pub(crate) name: &'static str,
    pub(crate) is_error: bool,
}

/// The root of trace `trace`, with span id 1.
pub(crate) fn root(trace: u64) -> TestSpan {
    TestSpan {
        trace,
        span: 1,
        parent: 0,
        start: 1_000,
        duration: 100,
        service: "shop",
        name: "GET /",
        is_error: false,
    }
}

/// A child of the root of trace `trace`.
pub(crate) fn child(trace: u64, span: u64) -> TestSpan {
    TestSpan {
        span,
        parent: 1,
        start: 1_010,
        duration: 10,
        service: "stock",
        name: "look",
        ..root(trace)
    }
}

pub(crate) fn trace_id(number: u64) -> TraceId {
    let mut bytes = [0xab; 16];
    bytes[8..].copy_from_slice(&number.to_be_bytes());
    TraceId(bytes)
}

pub(crate) fn span_id(number: u64) -> SpanId {
    SpanId(number.to_be_bytes())
}

/// The spans as a decoded request. Each has an attribute with its own value and one that all share.
pub(crate) fn batch(spans: &[TestSpan]) -> SpanBatch {
    let mut batch = SpanBatch::default();
    for span in spans {
        let key = batch.symbols.intern_str(model::SERVICE_NAME).unwrap();
        let service = batch.symbols.intern_str(span.service).unwrap();
        let known = batch.resources.iter().position(|r| r.service == service);
        let resource = known.unwrap_or_else(|| {
            let start = batch.attributes.len();
            batch.attributes.push(Attribute {
                key,
                value: service,
            });
            batch.resources.push(ResourceRow {
                attributes: Range32::between(start, start + 1),
                service,
                ..ResourceRow::default()
            });
            batch.resources.len() - 1
        });
        let start = batch.attributes.len();
        let own = format!("value of {}/{}", span.trace, span.span);
        for (key, value) in [("own", own.as_str()), ("shared", "the same")] {
            let key = batch.symbols.intern_str(key).unwrap();
            let value = batch.symbols.intern_str(value).unwrap();
            batch.attributes.push(Attribute { key, value });
        }
        let name = batch.symbols.intern_str(span.name).unwrap();
        batch.spans.push(SpanRow {
            trace_id: trace_id(span.trace),
            span_id: span_id(span.span),
            parent_span_id: span_id(span.parent),
            start: UnixNanos(span.start),
            duration: DurationNanos(span.duration),
            name,
            resource: resource as u32,
            attributes: Range32::between(start, start + 2),
            extra: NO_EXTRA,
            flags: 0,
            kind: SpanKind::Server,
            status: if span.is_error {
                StatusCode::Error
            } else {
                StatusCode::Unset
            },
        });
    }
    batch
}

/// What a batch says of each span: `trace/span service name own-value`, sorted.
pub(crate) fn told(batch: &SpanBatch) -> Vec<String> {
    let mut told: Vec<String> = batch
        .spans
        .iter()
        .map(|span| {
            let own = batch.attributes(span.attributes)[0];
            format!(
                "{}/{} {} {} {}",
                u64::from_be_bytes(span.trace_id.0[8..].try_into().unwrap()),
                u64::from_be_bytes(span.span_id.0),
                batch.service(span),
                batch.symbols.str(span.name),
                batch.symbols.str(own.value),
            )
        })
        .collect();
    told.sort();
    told
}

/// What [`told`] says of these spans when each is there once.
pub(crate) fn expected(spans: &[TestSpan]) -> Vec<String> {
    let mut told = told(&batch(spans));
    told.dedup();
    told
}
