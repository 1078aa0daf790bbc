//! From drawing to traces.

use std::str::FromStr;

use model::{DurationNanos, SERVICE_NAME, SpanId, SpanKind, StatusCode, TraceId, UnixNanos, Value};

use super::cursor::Cursor;
use super::{MILLISECOND, ORIGIN, trace_id};
use crate::trace::{Attributes, Event, Link, Scope, Span, Trace};

/// Spaces that make a child.
const INDENT: usize = 2;

/// Nanoseconds have so many digits behind the point of milliseconds.
const DECIMALS: usize = 6;

/// Reads line by line. What is wrong comes as a message without its line.
#[derive(Default)]
pub(super) struct Reader {
    traces: Vec<Trace>,
    /// Ids of the open spans of the last trace, root first.
    open: Vec<SpanId>,
    /// Spaces in front of the whole drawing.
    margin: Option<usize>,
    /// Whether spans stand one step in, below the line that names their trace.
    is_named: bool,
}

impl Reader {
    pub(super) fn finish(self) -> Vec<Trace> {
        self.traces
    }

    pub(super) fn line(&mut self, indent: usize, content: &str) -> Result<(), String> {
        let margin = *self.margin.get_or_insert(indent);
        let header = content
            .strip_prefix("trace ")
            .filter(|_| indent == margin && !content.contains('|'));
        if let Some(id) = header {
            self.is_named = true;
            self.begin(self::id(id.trim())?);
            return Ok(());
        }
        if self.traces.is_empty() {
            self.begin(trace_id(1));
        }
        let first = margin + if self.is_named { INDENT } else { 0 };
        let depth = indent.checked_sub(first).filter(|more| more % INDENT == 0);
        let depth = depth.map(|more| more / INDENT);
        match depth.filter(|depth| *depth <= self.open.len()) {
            Some(depth) => self.open.truncate(depth),
            None => {
                let deepest = self.open.len() * INDENT;
                return Err(format!(
                    "indented by {} spaces, and at most {deepest} fit here",
                    indent.saturating_sub(first)
                ));
            }
        }
        let trace = self.traces.last_mut().unwrap();
        let number = trace.spans.len() as u64 + 1;
        let mut span = blank(number, self.open.last().copied());
        read_span(&mut span, content)?;
        self.open.push(span.id);
        trace.spans.push(span);
        Ok(())
    }

    fn begin(&mut self, id: TraceId) {
        self.open.clear();
        let spans = Vec::new();
        self.traces.push(Trace { id, spans });
    }
}

fn blank(number: u64, parent: Option<SpanId>) -> Span {
    Span {
        id: SpanId(number.to_be_bytes()),
        parent: parent.unwrap_or(SpanId::ZERO),
        name: String::new(),
        start: ORIGIN,
        duration: DurationNanos(0),
        kind: SpanKind::Unspecified,
        status: StatusCode::Unset,
        status_message: String::new(),
        trace_state: String::new(),
        attributes: Attributes::new(),
        resource: Attributes::new(),
        scope: Scope::default(),
        events: Vec::new(),
        links: Vec::new(),
    }
}

fn read_span(span: &mut Span, content: &str) -> Result<(), String> {
    let mut cursor = Cursor::new(content);
    let is_nameless = cursor.rest.starts_with("- ");
    let service = cursor.text(&[])?;
    if !is_nameless {
        span.resource
            .push((SERVICE_NAME.to_owned(), Value::Str(service)));
    }
    cursor.at_end();
    if cursor.rest.starts_with('"') {
        span.name = cursor.text(&[])?;
    } else {
        let end = cursor.rest.find(" | ").unwrap_or(0);
        span.name = cursor.rest[..end].trim().to_owned();
        cursor.rest = &cursor.rest[end..];
    }
    if !cursor.eat(" | ") {
        return Err("no bar ` | ` between name and kind".to_owned());
    }
    span.kind = kind(cursor.until(&[]))?;
    cursor.at_end();
    (span.start, span.duration) = times(cursor.until(&[]))?;
    while !cursor.at_end() {
        read_word(span, &mut cursor)?;
    }
    Ok(())
}

fn read_word(span: &mut Span, cursor: &mut Cursor<'_>) -> Result<(), String> {
    if cursor.eat("event:") || cursor.rest.starts_with("event@") {
        cursor.eat("event");
        let event = event(cursor)?;
        span.events.push(event);
        return Ok(());
    }
    if cursor.eat("link:") {
        let link = link(cursor)?;
        span.links.push(link);
        return Ok(());
    }
    for (prefix, attributes) in [
        ("span.", &mut span.attributes),
        ("resource.", &mut span.resource),
        ("instrumentation.", &mut span.scope.attributes),
    ] {
        if cursor.eat(prefix) {
            attributes.push(pair(cursor)?);
            return Ok(());
        }
    }
    let before = cursor.rest;
    let is_quoted = before.starts_with('"');
    let key = cursor.text(&['='])?;
    if !cursor.eat("=") {
        match key.as_str() {
            "error" => span.status = StatusCode::Error,
            "ok" => span.status = StatusCode::Ok,
            other => return Err(format!("`{other}` is neither a word nor `key=value`")),
        }
        return Ok(());
    }
    match key.as_str() {
        "id" if !is_quoted => span.id = id(cursor.until(&[]))?,
        "parent" if !is_quoted => {
            span.parent = id_or_none(cursor.until(&[]))?;
        }
        "message" if !is_quoted => span.status_message = cursor.text(&[])?,
        "state" if !is_quoted => span.trace_state = cursor.text(&[])?,
        "scope" if !is_quoted => {
            span.scope.name = cursor.text(&['@'])?;
            if cursor.eat("@") {
                span.scope.version = cursor.text(&[])?;
            }
        }
        _ => {
            cursor.rest = before;
            span.attributes.push(pair(cursor)?);
        }
    }
    Ok(())
}

fn pair(cursor: &mut Cursor<'_>) -> Result<(String, Value), String> {
    let key = cursor.text(&['=', '}'])?;
    if !cursor.eat("=") {
        return Err(format!("`{key}` is no `key=value`"));
    }
    if cursor.rest.is_empty() || cursor.rest.starts_with([' ', '}']) {
        return Err(format!("`{key}` has no value"));
    }
    Ok((key, cursor.value()?))
}

/// The attributes in braces, if there are any.
fn braces(cursor: &mut Cursor<'_>) -> Result<Attributes, String> {
    let mut attributes = Attributes::new();
    if !cursor.eat("{") {
        return Ok(attributes);
    }
    loop {
        if cursor.at_end() {
            return Err("`}` is missing".to_owned());
        }
        if cursor.eat("}") {
            return Ok(attributes);
        }
        attributes.push(pair(cursor)?);
    }
}

fn event(cursor: &mut Cursor<'_>) -> Result<Event, String> {
    let name = cursor.text(&['@', '{'])?;
    if !cursor.eat("@") {
        return Err("an event is `event:name@time`".to_owned());
    }
    let time = time(cursor.until(&['{']))?;
    let attributes = braces(cursor)?;
    Ok(Event {
        time,
        name,
        attributes,
    })
}

fn link(cursor: &mut Cursor<'_>) -> Result<Link, String> {
    let ids = cursor.until(&['{']);
    let Some((trace, span)) = ids.split_once('/') else {
        return Err("a link is `link:trace/span`".to_owned());
    };
    let (trace, span) = (id_or_none(trace)?, id_or_none(span)?);
    let attributes = braces(cursor)?;
    Ok(Link {
        trace,
        span,
        attributes,
    })
}

fn id<T: FromStr<Err = model::IdError>>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|error| format!("id `{text}`: {error}"))
}

/// `0` is the id of all zeros.
fn id_or_none<T: FromStr<Err = model::IdError> + Default>(text: &str) -> Result<T, String> {
    if text == "0" {
        return Ok(T::default());
    }
    id(text)
}

fn kind(word: &str) -> Result<SpanKind, String> {
    (0..6)
        .map(SpanKind::from_number)
        .find(|kind| kind.as_str() == word)
        .ok_or_else(|| format!("`{word}` is no kind"))
}

fn times(text: &str) -> Result<(UnixNanos, DurationNanos), String> {
    let Some((start, end)) = text.split_once("..") else {
        return Err(format!("`{text}` is no time, which is `start..end`"));
    };
    let (start, end) = (time(start)?, time(end)?);
    Ok((start, end.since(start)))
}

/// Milliseconds after the origin, read as exactly as they are written.
fn time(text: &str) -> Result<UnixNanos, String> {
    let wrong = || format!("`{text}` is no number of milliseconds");
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
    let fits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !fits(whole) || !fits(decimals) || decimals.len() > DECIMALS {
        return Err(wrong());
    }
    let whole: i64 = whole.parse().map_err(|_| wrong())?;
    let nanos: i64 = format!("{decimals:0<DECIMALS$}")
        .parse()
        .map_err(|_| wrong())?;
    let length = whole
        .checked_mul(MILLISECOND)
        .and_then(|whole| whole.checked_add(nanos))
        .ok_or_else(wrong)?;
    let length = if text.starts_with('-') {
        -length
    } else {
        length
    };
    Ok(ORIGIN.saturating_add(DurationNanos(length)))
}
