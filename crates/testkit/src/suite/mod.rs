//! Drawn traces, queries, and what they answer: one file for each topic in `suite/`.
//!
//! ```text
//! # A remark.
//! traces:
//!   trace 1
//!     shop a | server 0..100 n=1
//!       shop b | client 10..90 n=2
//!
//! { .n > 0 } | by(.n) | select(name)
//!   1 [by(.n)=1]: a(name="a")
//!   1 [by(.n)=2]: b(name="b")
//!
//! surprise: Tempo swaps the operands
//! { 2 ^ 3 = 9 }
//!   nothing
//!
//! range 0..60 step 30
//! { } | count_over_time() by (.n)
//!   {.n=1}: 1 0 0
//!   {.n=2}: 0 1 0
//! ```
//!
//! - `traces:` begins a drawing ([`drawing`](crate::drawing)) that all queries below it look at, up to the next one.
//! - A line that is not indented is a query; what it answers stands below it, indented:
//!   - `nothing`; or `refused` for what does not parse or check;
//!   - a line for each spanset: the trace, its keys and aggregates in brackets, doubles with twelve digits, its spans in the order
//!     drawn, each with its columns in parentheses. A span is its name, and `name#id` where another span of the trace has the same name;
//!   - or a line for each series: its labels, and its points, `-` for none.
//! - `surprise:` in front of a query says that Tempo answers otherwise, and what.
//! - `range start..end step length` and `instant start..end`, in seconds after [`ORIGIN`](crate::drawing::ORIGIN), hold for
//!   the queries below.

mod read;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use model::{SpanId, TraceId};
use traceql::query::Constant;

pub use read::{SuiteError, parse};

use crate::oracle::{
    Found, FoundSeries, FoundSpan, FoundSpanset, Steps, constant_text, labels_text,
};
use crate::trace::Trace;

/// A query and what it answers.
#[derive(Debug, Clone)]
pub struct Case {
    /// The file, without its folder.
    pub file: String,
    /// The line of the query.
    pub line: usize,
    /// The text of the query.
    pub query: String,
    /// What it looks at.
    pub traces: Arc<[Trace]>,
    /// How Tempo answers otherwise.
    pub surprise: Option<String>,
    /// When its points are, should it ask for series.
    pub steps: Steps,
    /// What it answers.
    pub expected: Expected,
}

/// What a case expects.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    /// The query does not parse or does not check.
    Refused,
    /// Spans, a line for each spanset.
    Spans(Vec<String>),
    /// Series: their labels as text, and their points.
    Series(Vec<(String, Vec<Option<f64>>)>),
}

/// What an engine answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It does not take the query.
    Refused,
    /// Traces with spans, in any order.
    Spans(Vec<Found>),
    /// Series in any order.
    Series(Vec<FoundSeries>),
}

/// All cases of all files, in order.
///
/// # Panics
/// When a file cannot be read, with its name and the line.
pub fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("suite");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let read = |path: &std::path::PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).unwrap();
        parse(&name, &text).unwrap_or_else(|error| panic!("{error}"))
    };
    files.iter().flat_map(read).collect()
}

impl Case {
    /// Compares an answer with what is expected. Points may differ by a share of `tolerance` of the expected ones; engines
    /// with sketches need 0.01 for quantiles, and everything else 1e-9.
    ///
    /// # Errors
    /// The case and both answers, to be shown.
    pub fn check(&self, answer: &Answer, tolerance: f64) -> Result<(), String> {
        let (expected, actual, same) = match (&self.expected, answer) {
            (Expected::Series(expected), Answer::Series(found)) => {
                let actual = series_lines(found);
                let same = same_series(expected, &actual, tolerance);
                (points_text(expected), points_text(&actual), same)
            }
            (expected, answer) => {
                let mut expected = match expected {
                    Expected::Refused => vec!["refused".to_owned()],
                    Expected::Spans(lines) => lines.clone(),
                    Expected::Series(series) => points_text(series),
                };
                let mut actual = match answer {
                    Answer::Refused => vec!["refused".to_owned()],
                    Answer::Spans(found) => span_lines(found, &self.traces),
                    Answer::Series(found) => points_text(&series_lines(found)),
                };
                expected.sort();
                actual.sort();
                let same = expected == actual;
                (expected, actual, same)
            }
        };
        if same {
            return Ok(());
        }
        let shown = |lines: &[String]| {
            if lines.is_empty() {
                "  nothing".to_owned()
            } else {
                format!("  {}", lines.join("\n  "))
            }
        };
        Err(format!(
            "{}:{}: {}\nexpected\n{}\nfound\n{}",
            self.file,
            self.line,
            self.query,
            shown(&expected),
            shown(&actual)
        ))
    }
}

/// Compares series with expected ones, both in any order; `tolerance` as for [`Case::check`].
///
/// # Errors
/// Both, to be shown.
pub fn check_series(
    expected: &[FoundSeries],
    found: &[FoundSeries],
    tolerance: f64,
) -> Result<(), String> {
    let (expected, found) = (series_lines(expected), series_lines(found));
    if same_series(&expected, &found, tolerance) {
        return Ok(());
    }
    let (expected, found) = (points_text(&expected), points_text(&found));
    Err(format!(
        "expected\n  {}\nfound\n  {}",
        expected.join("\n  "),
        found.join("\n  ")
    ))
}

// === answers as lines ===

/// A line for each spanset, traces in the order of `traces`, spansets of a trace by their keys, spans as in the trace.
pub fn span_lines(found: &[Found], traces: &[Trace]) -> Vec<String> {
    let mut lines = Vec::new();
    for trace in traces {
        let names = names(trace);
        let of_trace = found.iter().filter(|found| found.trace == trace.id);
        let mut spansets: Vec<_> = of_trace
            .flat_map(|found| &found.spansets)
            .map(|spanset| spanset_line(spanset, trace.id, &names))
            .collect();
        spansets.sort();
        lines.extend(spansets);
    }
    lines
}

fn spanset_line(
    spanset: &FoundSpanset,
    trace: TraceId,
    names: &HashMap<SpanId, (usize, String)>,
) -> String {
    let mut spans: Vec<_> = spanset
        .spans
        .iter()
        .map(|span| match names.get(&span.id) {
            Some((position, name)) => (*position, span_text(name, span)),
            None => (usize::MAX, format!("#{}", span.id)),
        })
        .collect();
    spans.sort();
    let spans: Vec<_> = spans.into_iter().map(|(_, text)| text).collect();
    let keys: Vec<_> = spanset
        .keys
        .iter()
        .map(|(name, value)| format!("{name}={}", constant_text(&rounded(value))))
        .collect();
    let keys = if keys.is_empty() {
        String::new()
    } else {
        format!(" [{}]", keys.join(", "))
    };
    format!("{}{keys}: {}", short(&trace.to_string()), spans.join(" "))
}

/// Of a double twelve digits: the last ones of a sum tell in which order it was added up.
pub fn rounded(value: &Constant) -> Constant {
    match value {
        Constant::Float(float) => {
            Constant::Float(format!("{float:.11e}").parse().unwrap_or(*float))
        }
        other => other.clone(),
    }
}

fn span_text(name: &str, span: &FoundSpan) -> String {
    if span.columns.is_empty() {
        return name.to_owned();
    }
    let columns: Vec<_> = span
        .columns
        .iter()
        .map(|(label, value)| format!("{label}={value}"))
        .collect();
    format!("{name}({})", columns.join(", "))
}

/// The position of each span in its trace, and what it is called.
fn names(trace: &Trace) -> HashMap<SpanId, (usize, String)> {
    let mut names = HashMap::new();
    for (position, span) in trace.spans.iter().enumerate() {
        let is_shared = trace
            .spans
            .iter()
            .any(|other| other.name == span.name && other.id != span.id);
        let name = if is_shared {
            format!("{}#{}", span.name, short(&span.id.to_string()))
        } else {
            span.name.clone()
        };
        names.entry(span.id).or_insert((position, name));
    }
    names
}

fn short(id: &str) -> &str {
    id.trim_start_matches('0')
}

fn series_lines(found: &[FoundSeries]) -> Vec<(String, Vec<Option<f64>>)> {
    let mut lines: Vec<_> = found
        .iter()
        .map(|series| (labels_text(&series.labels), series.points.clone()))
        .collect();
    lines.sort_by(|a, b| a.0.cmp(&b.0));
    lines
}

fn points_text(series: &[(String, Vec<Option<f64>>)]) -> Vec<String> {
    let point = |point: &Option<f64>| point.map_or("-".to_owned(), |value| value.to_string());
    series
        .iter()
        .map(|(labels, points)| {
            let points: Vec<_> = points.iter().map(point).collect();
            format!("{labels}: {}", points.join(" "))
        })
        .collect()
}

fn same_series(
    expected: &[(String, Vec<Option<f64>>)],
    actual: &[(String, Vec<Option<f64>>)],
    tolerance: f64,
) -> bool {
    let same_point = |(a, b): (&Option<f64>, &Option<f64>)| match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= tolerance * a.abs(),
        (a, b) => a == b,
    };
    expected.len() == actual.len()
        && expected.iter().zip(actual).all(|(a, b)| {
            a.0 == b.0 && a.1.len() == b.1.len() && a.1.iter().zip(&b.1).all(same_point)
        })
}
