//! Traces drawn as indented text.
//!
//! ```text
//! trace a1
//!   shop POST /checkout | server 0..100 cart.size=3 state="ot=th:8"
//!     shop charge | client 10..90 error message="card declined"
//!       pay Charge | server 20..80 resource.host.name=b7 scope=grpc@1.2 id=c4
//!         pay "a | b" | internal 30..40 event:retry@35{attempt=2} link:b2/7{kind=cause}
//! ```
//!
//! - `trace ID` begins a trace; without it, all spans are of trace 1. Two more spaces make a span the child of the one above.
//! - A span is its service, its name, and behind the bar its kind, its start and end in milliseconds after [`ORIGIN`] (up to
//!   six decimals), then whatever else is known of it, in any order. A service of `-` stands for a resource that names none.
//! - `error` or `ok` is the status, `message=` its message, `state=` the trace state, `scope=name@version` the
//!   instrumentation scope.
//! - Spans are numbered from 1 in each trace; `id=` and `parent=` override what follows from the drawing, `parent=0` makes a
//!   root. Ids are hex digits, without leading zeros if one likes.
//! - Any other `key=value` is an attribute: of the resource with `resource.` in front, of the instrumentation scope with
//!   `instrumentation.`, else of the span, with or without `span.` (so `span.id=` is an attribute called `id`).
//! - `event:name@time{key=value …}` is an event at so many milliseconds after [`ORIGIN`], `link:trace/span{key=value …}` a
//!   link; name and braces may be left out.
//! - A value is what [`model::Value::from_canonical`] reads (`1` integer, `1.0` double, `true`, `"text"`, `[1,"x"]`, `{"k":1}`, `null`),
//!   else the word itself as a string. Names, services and keys that would be misread stand in double quotes.

mod cursor;
mod print;
mod read;

use model::{TraceId, UnixNanos};

pub use print::print;

use crate::trace::Trace;

/// Where drawn traces begin: 2026-11-21T00:00:00Z.
pub const ORIGIN: UnixNanos = UnixNanos(1_795_219_200_000_000_000);

/// Nanoseconds in the unit of drawn times.
const MILLISECOND: i64 = 1_000_000;

/// Why a drawing cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct DrawingError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

/// Reads the traces that `text` draws; blank lines and lines that begin with `#` are skipped.
///
/// # Errors
/// [`DrawingError`] for the first line that cannot be read.
pub fn draw(text: &str) -> Result<Vec<Trace>, DrawingError> {
    let mut reader = read::Reader::default();
    for (index, line) in text.lines().enumerate() {
        let content = line.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        reader.line(indent, content).map_err(|message| {
            let line = index + 1;
            DrawingError { line, message }
        })?;
    }
    Ok(reader.finish())
}

/// The trace whose id has this number.
pub fn trace_id(number: u64) -> TraceId {
    let mut id = TraceId::ZERO;
    id.0[8..].copy_from_slice(&number.to_be_bytes());
    id
}

#[cfg(test)]
mod tests {
    use model::{SpanKind, StatusCode, Value};

    use super::*;

    #[test]
    fn a_drawing_is_read_as_described() {
        let traces = draw(
            r#"
            # Two traces.
            trace a1
              shop POST /checkout | server 0..100.5 n=3 span.id=x state="ot=th:8"
                shop charge | client 10..90 error message="card declined"
                  - "a | b" | internal 20..80 scope="my lib"@1.2 id=c4 resource.host=b
                shop other | internal 30..31 list=[1,"x"] "a b"=1.0
            trace 2
              shop lost | consumer -5..0 parent=9 event:retry@2{n=2 text="x y"} event@3 link:b2/7{kind=cause}
            "#,
        )
        .unwrap();
        let [first, second] = &traces[..] else {
            panic!("{traces:?}");
        };
        assert_eq!(first.id.to_string(), format!("{:0>32}", "a1"));
        let told: Vec<_> = first
            .spans
            .iter()
            .map(|span| format!("{} {} {}", span.id, span.parent, span.name))
            .collect();
        assert_eq!(
            told,
            [
                "0000000000000001 0000000000000000 POST /checkout",
                "0000000000000002 0000000000000001 charge",
                "00000000000000c4 0000000000000002 a | b",
                "0000000000000004 0000000000000001 other",
            ]
        );
        let root = &first.spans[0];
        assert_eq!((root.start, root.duration.0), (ORIGIN, 100_500_000));
        assert_eq!((root.kind, root.weight()), (SpanKind::Server, 2.0));
        assert_eq!(
            root.attributes,
            [
                ("n".to_owned(), Value::Int(3)),
                ("id".to_owned(), Value::Str("x".to_owned()))
            ]
        );
        assert_eq!(first.spans[1].status, StatusCode::Error);
        assert_eq!(first.spans[1].status_message, "card declined");
        let inner = &first.spans[2];
        assert_eq!(
            (inner.service(), inner.resource.len()),
            ("unknown_service", 1)
        );
        assert_eq!(
            (&*inner.scope.name, &*inner.scope.version),
            ("my lib", "1.2")
        );
        assert_eq!(first.spans[3].attributes[1].0, "a b");
        let lost = &second.spans[0];
        assert_eq!((lost.parent.0[7], lost.start.0), (9, ORIGIN.0 - 5_000_000));
        assert_eq!(lost.events[0].attributes.len(), 2);
        assert_eq!(
            (&*lost.events[1].name, lost.events[1].attributes.len()),
            ("", 0)
        );
        assert_eq!(
            (lost.links[0].trace.0[15], lost.links[0].span.0[7]),
            (0xb2, 7)
        );
    }

    #[test]
    fn errors_name_the_line_and_what_is_wrong() {
        for (text, wanted) in [
            (
                "\nshop a server 0..1",
                "line 2: no bar ` | ` between name and kind",
            ),
            ("shop a | sever 0..1", "line 1: `sever` is no kind"),
            (
                "shop a | server 0-1",
                "line 1: `0-1` is no time, which is `start..end`",
            ),
            (
                "shop a | server 0..1x",
                "line 1: `1x` is no number of milliseconds",
            ),
            (
                "shop a | server 0..1\n    shop b | server 0..1",
                "line 2: indented by 4 spaces, and at most 2 fit here",
            ),
            (
                "shop a | server 0..1 wrong",
                "line 1: `wrong` is neither a word nor `key=value`",
            ),
            ("shop a | server 0..1 a=", "line 1: `a` has no value"),
            ("shop a | server 0..1 a=[1", "line 1: `[1` is not closed"),
            (
                "shop a | server 0..1 id=xyz",
                "line 1: id `xyz`: `x` at offset 0 is not a hex digit",
            ),
            (
                "trace 0",
                "line 1: id `0`: the id is all zeros, which means no id",
            ),
            (
                "shop a | server 0..1 event:x",
                "line 1: an event is `event:name@time`",
            ),
            (
                "shop a | server 0..1 link:1",
                "line 1: a link is `link:trace/span`",
            ),
        ] {
            assert_eq!(draw(text).unwrap_err().to_string(), wanted, "{text}");
        }
    }
}
