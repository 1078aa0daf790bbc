//! From traces to a drawing, for messages of tests that found something.

use std::fmt::Write as _;

use model::{SERVICE_NAME, SpanId, StatusCode, UnixNanos, Value};

use super::{MILLISECOND, ORIGIN};
use crate::trace::{Attributes, Span, Trace};

/// Draws traces so that [`draw`](super::draw) reads the same ones; spans of a trace come parents first.
pub fn print(traces: &[Trace]) -> String {
    let mut out = String::new();
    for trace in traces {
        let _ = writeln!(out, "trace {}", short(&trace.id.to_string()));
        let mut printer = Printer {
            trace,
            printed: vec![false; trace.spans.len()],
            out: &mut out,
        };
        let ids: Vec<SpanId> = trace.spans.iter().map(|span| span.id).collect();
        let is_top = |span: &Span| !ids.contains(&span.parent);
        printer.spans(1, None, &is_top);
        // What hangs in circles.
        printer.spans(1, None, &|_| true);
    }
    out
}

struct Printer<'p> {
    trace: &'p Trace,
    printed: Vec<bool>,
    out: &'p mut String,
}

impl Printer<'_> {
    /// Prints those spans that are `wanted` and not printed yet, each with all that is below it.
    fn spans(&mut self, depth: usize, parent: Option<SpanId>, wanted: &dyn Fn(&Span) -> bool) {
        for (index, span) in self.trace.spans.iter().enumerate() {
            if self.printed[index] || !wanted(span) {
                continue;
            }
            self.printed[index] = true;
            let line = line(span, parent.unwrap_or(SpanId::ZERO));
            let _ = writeln!(self.out, "{}{line}", "  ".repeat(depth));
            let id = span.id;
            self.spans(depth + 1, Some(id), &|other| other.parent == id);
        }
    }
}

fn line(span: &Span, parent_drawn: SpanId) -> String {
    let mut line = String::new();
    let named = match span.resource.first() {
        Some((key, Value::Str(service))) if key == SERVICE_NAME => Some(service),
        _ => None,
    };
    match named {
        Some(service) if service == "-" => line.push_str("\"-\""),
        Some(service) => line.push_str(&text(service, &[])),
        None => line.push('-'),
    }
    let quoted = span.name.contains(['|', '"']) || span.name.trim() != span.name;
    let name = if quoted || span.name.is_empty() || span.name.contains(char::is_control) {
        Value::Str(span.name.clone()).to_canonical()
    } else {
        span.name.clone()
    };
    let (start, end) = (time(span.start), time(span.end()));
    let _ = write!(line, " {name} | {} {start}..{end}", span.kind.as_str());
    let _ = write!(line, " id={}", short(&span.id.to_string()));
    if span.parent != parent_drawn {
        let _ = write!(line, " parent={}", short(&span.parent.to_string()));
    }
    match span.status {
        StatusCode::Unset => {}
        StatusCode::Ok => line.push_str(" ok"),
        StatusCode::Error => line.push_str(" error"),
    }
    if !span.status_message.is_empty() {
        let _ = write!(line, " message={}", text(&span.status_message, &[]));
    }
    if !span.trace_state.is_empty() {
        let _ = write!(line, " state={}", text(&span.trace_state, &[]));
    }
    let scope = &span.scope;
    if !scope.name.is_empty() || !scope.version.is_empty() {
        let (name, version) = (text(&scope.name, &['@']), text(&scope.version, &[]));
        let _ = write!(line, " scope={name}@{version}");
    }
    let rest = &span.resource[usize::from(named.is_some())..];
    pairs(&mut line, " span.", &span.attributes);
    pairs(&mut line, " resource.", rest);
    pairs(&mut line, " instrumentation.", &scope.attributes);
    for event in &span.events {
        let name = text(&event.name, &['@', '{']);
        let _ = write!(line, " event:{name}@{}", time(event.time));
        braces(&mut line, &event.attributes);
    }
    for link in &span.links {
        let (trace, span) = (link.trace.to_string(), link.span.to_string());
        let _ = write!(line, " link:{}/{}", short(&trace), short(&span));
        braces(&mut line, &link.attributes);
    }
    line
}

fn pairs(line: &mut String, before: &str, attributes: &[(String, Value)]) {
    for (key, value) in attributes {
        let _ = write!(
            line,
            "{before}{}={}",
            text(key, &['=', '}']),
            value.to_canonical()
        );
    }
}

fn braces(line: &mut String, attributes: &Attributes) {
    if attributes.is_empty() {
        return;
    }
    line.push('{');
    pairs(line, " ", attributes);
    line.push_str(" }");
}

/// The text, in quotes if it would be misread.
fn text(text: &str, stops: &[char]) -> String {
    let is_plain = !text.is_empty()
        && !text.starts_with('"')
        && !text.contains(|character: char| {
            character.is_whitespace() || character.is_control() || stops.contains(&character)
        });
    if is_plain {
        text.to_owned()
    } else {
        Value::Str(text.to_owned()).to_canonical()
    }
}

fn short(id: &str) -> &str {
    let digits = id.trim_start_matches('0');
    if digits.is_empty() { "0" } else { digits }
}

fn time(time: UnixNanos) -> String {
    let nanos = time.since(ORIGIN).0;
    let sign = if nanos < 0 { "-" } else { "" };
    let (whole, rest) = (
        nanos.unsigned_abs() / MILLISECOND as u64,
        nanos.unsigned_abs() % MILLISECOND as u64,
    );
    if rest == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{rest:06}")
    }
}
