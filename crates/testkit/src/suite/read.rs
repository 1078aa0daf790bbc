//! From the text of a file to cases.

use std::sync::Arc;

use model::{DurationNanos, UnixNanos};

use super::{Case, Expected};
use crate::drawing::{ORIGIN, draw};
use crate::oracle::Steps;
use crate::trace::Trace;

/// Why a file of the suite cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {message}")]
pub struct SuiteError {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub message: String,
}

/// The cases of a file.
///
/// # Errors
/// [`SuiteError`] for the first line that cannot be read, and for a query without an answer.
pub fn parse(file: &str, text: &str) -> Result<Vec<Case>, SuiteError> {
    let mut reader = Reader {
        file,
        cases: Vec::new(),
        traces: Arc::from(Vec::new()),
        surprise: None,
        steps: Steps::Instant {
            start: ORIGIN,
            end: at(60.0),
        },
    };
    let lines: Vec<&str> = text.lines().collect();
    let mut at = 0;
    while at < lines.len() {
        let below = lines[at + 1..]
            .iter()
            .take_while(|line| line.is_empty() || line.starts_with(' '))
            .count();
        reader
            .block(at + 1, lines[at], &lines[at + 1..at + 1 + below])
            .map_err(|(line, message)| {
                let file = file.to_owned();
                SuiteError {
                    file,
                    line,
                    message,
                }
            })?;
        at += 1 + below;
    }
    Ok(reader.cases)
}

struct Reader<'f> {
    file: &'f str,
    cases: Vec<Case>,
    traces: Arc<[Trace]>,
    surprise: Option<String>,
    steps: Steps,
}

/// What is wrong, and the line.
type Problem = (usize, String);

impl Reader<'_> {
    /// A line that is not indented, and the lines below it.
    fn block(&mut self, number: usize, line: &str, below: &[&str]) -> Result<(), Problem> {
        let here = |message: String| (number, message);
        if line.trim().is_empty() || line.starts_with('#') {
            return Ok(());
        }
        if line.starts_with(' ') {
            return Err(here("an answer without a query".to_owned()));
        }
        if line == "traces:" {
            let traces =
                draw(&below.join("\n")).map_err(|error| (number + error.line, error.message))?;
            self.traces = traces.into();
        } else if let Some(surprise) = line.strip_prefix("surprise: ") {
            self.surprise = Some(surprise.to_owned());
        } else if let Some(range) = line.strip_prefix("range ") {
            self.steps = range_steps(range).ok_or_else(|| here("not a range".to_owned()))?;
        } else if let Some(range) = line.strip_prefix("instant ") {
            let (start, end) = ends(range).ok_or_else(|| here("not a range".to_owned()))?;
            self.steps = Steps::Instant { start, end };
        } else {
            let answer: Vec<&str> = below
                .iter()
                .map(|line| line.trim())
                .filter(|line| !line.is_empty() && !line.starts_with('#'))
                .collect();
            let case = Case {
                file: self.file.to_owned(),
                line: number,
                query: line.to_owned(),
                traces: Arc::clone(&self.traces),
                surprise: self.surprise.take(),
                steps: self.steps,
                expected: expected(line, &answer).map_err(here)?,
            };
            self.cases.push(case);
        }
        Ok(())
    }
}

fn expected(query: &str, answer: &[&str]) -> Result<Expected, String> {
    let asks_series = matches!(
        traceql::compile(query),
        Ok(traceql::Query {
            body: traceql::query::Body::Metrics(_),
            ..
        })
    );
    match answer {
        [] => Err("a query without an answer".to_owned()),
        ["refused"] => Ok(Expected::Refused),
        ["nothing"] if asks_series => Ok(Expected::Series(Vec::new())),
        ["nothing"] => Ok(Expected::Spans(Vec::new())),
        lines if asks_series => {
            let series: Option<Vec<_>> = lines.iter().map(|line| series(line)).collect();
            let mut series = series.ok_or("not `{labels}: point point`")?;
            series.sort_by(|a, b| a.0.cmp(&b.0));
            Ok(Expected::Series(series))
        }
        lines => Ok(Expected::Spans(
            lines.iter().map(|line| (*line).to_owned()).collect(),
        )),
    }
}

fn series(line: &str) -> Option<(String, Vec<Option<f64>>)> {
    let (labels, points) = line.rsplit_once("}: ")?;
    let points: Option<Vec<_>> = points
        .split_whitespace()
        .map(|point| match point {
            "-" => Some(None),
            number => number.parse().ok().map(Some),
        })
        .collect();
    Some((format!("{labels}}}"), points?))
}

fn range_steps(text: &str) -> Option<Steps> {
    let (range, step) = text.split_once(" step ")?;
    let (start, end) = ends(range)?;
    let step = at(step.parse().ok()?).since(ORIGIN);
    (step.0 > 0).then_some(Steps::Range { start, end, step })
}

fn ends(text: &str) -> Option<(UnixNanos, UnixNanos)> {
    let (start, end) = text.split_once("..")?;
    let (start, end) = (at(start.parse().ok()?), at(end.parse().ok()?));
    (start < end).then_some((start, end))
}

/// So many seconds after the origin.
fn at(seconds: f64) -> UnixNanos {
    ORIGIN.saturating_add(DurationNanos((seconds * 1e9).round() as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_described() {
        let cases = parse(
            "x.txt",
            "# remark\ntraces:\n  shop a | server 0..1\n\nsurprise: more\n{ }\n  1: a\n\nrange 0..60 step 30\n{ } | rate()\n  {__name__=\"rate\"}: 0 - 1.5\n{\n  refused\n",
        )
        .unwrap();
        let [spans, series, refused] = &cases[..] else {
            panic!("{cases:?}");
        };
        assert_eq!((spans.line, spans.traces.len()), (6, 1));
        assert_eq!(spans.surprise.as_deref(), Some("more"));
        assert_eq!(spans.expected, Expected::Spans(vec!["1: a".to_owned()]));
        assert_eq!(series.surprise, None);
        assert_eq!(series.steps.points().len(), 3);
        let points = vec![Some(0.0), None, Some(1.5)];
        assert_eq!(
            series.expected,
            Expected::Series(vec![("{__name__=\"rate\"}".to_owned(), points)])
        );
        assert_eq!(refused.expected, Expected::Refused);
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_line() {
        for (text, wanted) in [
            ("{ }\n", "x.txt:1: a query without an answer"),
            ("  1: a\n", "x.txt:1: an answer without a query"),
            ("range 60..0 step 1\n", "x.txt:1: not a range"),
            (
                "traces:\n\n  shop a | server 0\n",
                "x.txt:3: `0` is no time, which is `start..end`",
            ),
            (
                "{ } | rate()\n  {}: x\n",
                "x.txt:1: not `{labels}: point point`",
            ),
        ] {
            assert_eq!(parse("x.txt", text).unwrap_err().to_string(), wanted);
        }
    }
}
