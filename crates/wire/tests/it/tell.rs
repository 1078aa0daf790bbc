//! A batch as indented lines, so that a test can show what it expects.

use std::fmt::Write as _;

use model::{Range32, SpanBatch, SpanRow, StatusCode, Symbol, ValueRef};

/// Every span with all that it has, under its resource and scope. Zeros, empty text and what follows from the rest are
/// left out.
pub(crate) fn tell(batch: &SpanBatch) -> String {
    let mut out = String::new();
    let mut told = None;
    for span in &batch.spans {
        if told != Some(span.resource) {
            told = Some(span.resource);
            tell_resource(&mut out, batch, span.resource);
        }
        tell_span(&mut out, batch, span);
    }
    out
}

fn tell_resource(out: &mut String, batch: &SpanBatch, index: u32) {
    let row = &batch.resources[index as usize];
    let text = |symbol| batch.symbols.str(symbol);
    let _ = writeln!(
        out,
        "resource {}{}{}",
        text(row.schema_url),
        attributes(batch, row.attributes),
        lost("attributes", row.dropped_attributes),
    );
    let _ = writeln!(
        out,
        " scope {} {} {}{}{}",
        text(row.scope_name),
        text(row.scope_version),
        text(row.scope_schema_url),
        attributes(batch, row.scope_attributes),
        lost("attributes", row.scope_dropped_attributes),
    );
}

fn tell_span(out: &mut String, batch: &SpanBatch, span: &SpanRow) {
    let text = |symbol: Symbol| batch.symbols.str(symbol);
    let extra = batch.extra(span);
    let _ = write!(out, "  {} {}", span.trace_id, span.span_id);
    if !span.is_root() {
        let _ = write!(out, " < {}", span.parent_span_id);
    }
    let _ = write!(
        out,
        " {:?} {} {}+{}",
        text(span.name),
        span.kind.as_str(),
        span.start.0,
        span.duration.0
    );
    if span.flags != 0 {
        let _ = write!(out, " flags {:x}", span.flags);
    }
    if span.status != StatusCode::Unset || extra.status_message != Symbol::EMPTY {
        let _ = write!(
            out,
            " {} {:?}",
            span.status.as_str(),
            text(extra.status_message)
        );
    }
    if extra.trace_state != Symbol::EMPTY {
        let _ = write!(out, " state {}", text(extra.trace_state));
    }
    for (what, count) in [
        ("attributes", extra.dropped_attributes),
        ("events", extra.dropped_events),
        ("links", extra.dropped_links),
    ] {
        out.push_str(&lost(what, count));
    }
    let _ = writeln!(out, "{}", attributes(batch, span.attributes));
    for event in batch.events(span) {
        let _ = writeln!(
            out,
            "    event {} {:?}{}{}",
            event.time.0,
            text(event.name),
            attributes(batch, event.attributes),
            lost("attributes", event.dropped_attributes),
        );
    }
    for link in batch.links(span) {
        let _ = writeln!(
            out,
            "    link {} {} {} flags {:x}{}{}",
            link.trace_id,
            link.span_id,
            text(link.trace_state),
            link.flags,
            attributes(batch, link.attributes),
            lost("attributes", link.dropped_attributes),
        );
    }
}

fn lost(what: &str, count: u32) -> String {
    match count {
        0 => String::new(),
        _ => format!(" lost {count} {what}"),
    }
}

fn attributes(batch: &SpanBatch, range: Range32) -> String {
    let mut out = String::new();
    for attribute in batch.attributes(range) {
        let key = batch.symbols.str(attribute.key);
        let _ = match batch.symbols.value(attribute.value) {
            ValueRef::Str(text) => write!(out, " {key}={text:?}"),
            ValueRef::Int(int) => write!(out, " {key}={int}"),
            ValueRef::Double(double) => write!(out, " {key}={double:?}"),
            ValueRef::Bool(bool) => write!(out, " {key}={bool}"),
            ValueRef::Json(text) => write!(out, " {key}:{text}"),
        };
    }
    out
}
