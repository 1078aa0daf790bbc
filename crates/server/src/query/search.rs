//! Traces that match.

use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{csv, time};
use super::{Asked, Output, with_dim_head};
use crate::client::Client;
use crate::table::{Table, count};
use crate::terminal::{Paint, plain};

/// Traces of one page at the most: what the server allows.
const PAGE_MAX: u32 = 1000;

/// What was found, over as many pages as it took.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// As the server answered.
    traces: Vec<Value>,
    pub(super) missing: Vec<String>,
    stats: Value,
    /// Whether there are more.
    next: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    traces: Vec<Value>,
    next: Option<String>,
    missing: Vec<String>,
    stats: Value,
}

/// Asks for up to `limit` traces, page by page.
pub(super) async fn ask(
    client: &Client,
    asked: &Asked<'_>,
    limit: u32,
    sort: &str,
) -> anyhow::Result<Found> {
    let mut found = Found::default();
    let mut wanted = limit;
    loop {
        let page_size = wanted.min(PAGE_MAX).to_string();
        let cursor = found.next.take().unwrap_or_default();
        let params = [
            ("q", asked.text),
            ("start", asked.start),
            ("end", asked.end),
            ("limit", &page_size),
            ("sort", sort),
            ("cursor", &cursor),
        ];
        let page: Page = client.json("/api/v1/search", &params).await?;
        wanted = wanted.saturating_sub(page.traces.len() as u32);
        let is_last = page.next.is_none() || page.traces.is_empty();
        found.traces.extend(page.traces);
        found.next = page.next;
        found.stats = page.stats;
        for what in page.missing {
            if !found.missing.contains(&what) {
                found.missing.push(what);
            }
        }
        if wanted == 0 || is_last {
            return Ok(found);
        }
    }
}

pub(super) fn render(found: &Found, output: Output) -> anyhow::Result<String> {
    Ok(match output {
        Output::Table => table(found, Paint::of_stdout()),
        Output::Csv => lines(found)?,
        Output::Json => {
            let mut answer = json!({
                "traces": found.traces,
                "missing": found.missing,
                "stats": found.stats,
            });
            if let Some(next) = &found.next {
                answer["next"] = next.as_str().into();
            }
            serde_json::to_string_pretty(&answer)? + "\n"
        }
    })
}

/// What a line tells of a trace.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Trace {
    trace_id: String,
    root_service: String,
    root_name: String,
    has_root: bool,
    start_time_unix_nano: String,
    duration_nanos: String,
    span_count: u64,
    error_count: u64,
    matched: u64,
}

impl Trace {
    fn read(value: &Value) -> serde_json::Result<Self> {
        Self::deserialize(value)
    }

    fn start(&self) -> String {
        let nanos: i64 = self.start_time_unix_nano.parse().unwrap_or(0);
        time(nanos.div_euclid(1_000_000))
    }

    fn duration_millis(&self) -> f64 {
        self.duration_nanos.parse().unwrap_or(0.0) / 1e6
    }

    fn root(&self) -> String {
        match self.has_root {
            true => plain(&format!("{}  {}", self.root_service, self.root_name)),
            false => "(no root yet)".into(),
        }
    }
}

fn table(found: &Found, paint: Paint) -> String {
    if found.traces.is_empty() {
        return "no traces match\n".into();
    }
    let mut table = Table::new([
        "start (UTC)",
        "duration",
        "spans",
        "errors",
        "matched",
        "trace id",
        "root",
    ]);
    for trace in found
        .traces
        .iter()
        .filter_map(|value| Trace::read(value).ok())
    {
        table.row([
            trace.start(),
            millis(trace.duration_millis()),
            count(trace.span_count),
            count(trace.error_count),
            count(trace.matched),
            trace.trace_id.clone(),
            trace.root(),
        ]);
    }
    let mut text = with_dim_head(&table.render(), paint);
    if found.next.is_some() {
        text.push_str(&format!(
            "the first {} traces; more with --limit\n",
            count(found.traces.len() as u64)
        ));
    }
    text
}

/// Milliseconds as people read them: `0.042 ms`, `12.3 ms`, `1.24 s`, `95 s`.
pub(crate) fn millis(millis: f64) -> String {
    match millis {
        ..1.0 => format!("{millis:.3} ms"),
        ..100.0 => format!("{millis:.1} ms"),
        ..1_000.0 => format!("{millis:.0} ms"),
        ..60_000.0 => format!("{:.2} s", millis / 1e3),
        _ => format!("{:.0} s", millis / 1e3),
    }
}

fn lines(found: &Found) -> serde_json::Result<String> {
    let mut text = csv([
        "trace_id",
        "start",
        "duration_ms",
        "root_service",
        "root_name",
        "spans",
        "errors",
        "matched",
    ]);
    for value in &found.traces {
        let trace = Trace::read(value)?;
        text.push_str(&csv([
            trace.trace_id.clone(),
            trace.start().replace(' ', "T") + "Z",
            trace.duration_millis().to_string(),
            trace.root_service.clone(),
            trace.root_name.clone(),
            trace.span_count.to_string(),
            trace.error_count.to_string(),
            trace.matched.to_string(),
        ]));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> Found {
        Found {
            traces: vec![json!({
                "traceId": "0af7651916cd43dd8448eb211c80319c",
                "rootService": "shop", "rootName": "GET /a,b", "hasRoot": true,
                "startTimeUnixNano": "1795253400042000000", "durationNanos": "1234500000",
                "spanCount": 1200, "errorCount": 1, "matched": 3, "services": [], "spansets": [],
            })],
            next: Some("1-2".into()),
            ..Found::default()
        }
    }

    #[test]
    fn traces_are_listed_in_columns() {
        assert_eq!(
            table(&found(), Paint::OFF),
            "\
start (UTC)              duration  spans  errors  matched  trace id                          root
2026-11-21 09:30:00.042    1.23 s  1,200       1        3  0af7651916cd43dd8448eb211c80319c  shop  GET /a,b
the first 1 traces; more with --limit
"
        );
        assert_eq!(table(&Found::default(), Paint::OFF), "no traces match\n");
    }

    #[test]
    fn traces_are_listed_as_values() {
        assert_eq!(
            lines(&found()).unwrap(),
            "trace_id,start,duration_ms,root_service,root_name,spans,errors,matched\n\
             0af7651916cd43dd8448eb211c80319c,2026-11-21T09:30:00.042Z,1234.5,shop,\"GET /a,b\",1200,1,3\n"
        );
    }

    #[test]
    fn durations_have_three_digits_or_so() {
        let texts = [0.0421, 12.34, 250.4, 1_234.0, 95_400.0].map(millis);
        assert_eq!(texts, ["0.042 ms", "12.3 ms", "250 ms", "1.23 s", "95 s"]);
    }
}
