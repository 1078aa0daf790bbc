//! Series over time.

use std::collections::BTreeSet;

use model::DurationNanos;
use serde::Deserialize;
use serde_json::Value;

use super::answer::{csv, time};
use super::spark::sparkline;
use super::{Asked, Output, with_dim_head};
use crate::client::Client;
use crate::table::Table;
use crate::terminal::{Paint, fitted};

/// Columns of a sparkline at the most.
const SPARK_MAX: usize = 60;

/// Columns of a sparkline that a long name must leave.
const SPARK_MIN: usize = 24;

/// Columns that the numbers beside a name and a sparkline take, with gaps.
const NUMBERS_WIDTH: usize = 34;

/// What was answered.
#[derive(Debug)]
pub(super) struct Found {
    /// As the server answered.
    raw: Value,
    answer: Answer,
}

/// `QueryRangeResponse`, as far as it is shown.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    series: Vec<Series>,
    message: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Series {
    labels: Vec<Label>,
    samples: Vec<Sample>,
}

#[derive(Debug, Deserialize)]
struct Label {
    key: String,
    value: Value,
}

/// Numbers of zero are left out in Tempo's JSON.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Sample {
    timestamp_ms: String,
    value: f64,
}

impl Sample {
    fn millis(&self) -> i64 {
        self.timestamp_ms.parse().unwrap_or(0)
    }
}

impl Series {
    /// `{service = "shop", p = 0.99}`, or the function where nothing is grouped.
    fn name(&self) -> String {
        if let [label] = &*self.labels
            && label.key == "__name__"
        {
            return label.text();
        }
        let labels = self.labels.iter();
        let labels = labels.map(|label| format!("{} = {}", label.key, label.text()));
        format!("{{{}}}", labels.collect::<Vec<_>>().join(", "))
    }
}

impl Series {
    /// A value or none for each time.
    fn points(&self, times: &BTreeSet<i64>) -> Vec<Option<f64>> {
        let mut samples = self.samples.iter().peekable();
        let at = |time: &i64| {
            let sample = samples.next_if(|sample| sample.millis() == *time)?;
            Some(sample.value)
        };
        times.iter().map(at).collect()
    }
}

impl Label {
    /// The value: `AnyValue` is an object with one member.
    fn text(&self) -> String {
        let value = self.value.as_object().and_then(|one| one.values().next());
        match value {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        }
    }
}

impl Found {
    /// What is missing.
    pub(super) fn message(&self) -> Vec<String> {
        self.answer.message.iter().cloned().collect()
    }
}

/// Asks for series.
pub(super) async fn ask(
    client: &Client,
    asked: &Asked<'_>,
    step: Option<DurationNanos>,
) -> anyhow::Result<Found> {
    let step = step.map_or(String::new(), |step| format!("{}ns", step.0));
    let params = [
        ("q", asked.text),
        ("start", asked.start),
        ("end", asked.end),
        ("step", &step),
        ("exemplars", "0"),
    ];
    let raw: Value = client.json("/api/metrics/query_range", &params).await?;
    let answer = Answer::deserialize(&raw)?;
    Ok(Found { raw, answer })
}

pub(super) fn render(found: &Found, output: Output, width: usize) -> anyhow::Result<String> {
    Ok(match output {
        Output::Table => table(&found.answer.series, width, Paint::of_stdout()),
        Output::Csv => lines(&found.answer.series),
        Output::Json => serde_json::to_string_pretty(&found.raw)? + "\n",
    })
}

/// A line for each series: its name, how it went, and where it ended.
fn table(series: &[Series], width: usize, paint: Paint) -> String {
    let times: BTreeSet<i64> = series
        .iter()
        .flat_map(|one| one.samples.iter().map(Sample::millis))
        .collect();
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        return "no series\n".into();
    };
    let (head, names) = names(series);
    let widest = names.iter().map(|name| console::measure_text_width(name));
    let widest = widest.max().unwrap_or(0).max(head.len());
    let room = width.saturating_sub(NUMBERS_WIDTH);
    let name_width = widest.min(room - SPARK_MIN.min(times.len()));
    let spark_width = SPARK_MAX.min(room - name_width);
    let mut table = Table::new([&*fitted(&head, name_width), "", "min", "max", "last"]);
    for (one, name) in series.iter().zip(&names) {
        let values = || one.samples.iter().map(|sample| sample.value);
        table.row([
            fitted(name, name_width),
            sparkline(&one.points(&times), spark_width),
            number(values().fold(f64::INFINITY, f64::min)),
            number(values().fold(f64::NEG_INFINITY, f64::max)),
            number(values().next_back().unwrap_or(0.0)),
        ]);
    }
    let text = with_dim_head(&table.render(), paint);
    format!("{} to {} (UTC)\n{text}", time(*first), time(*last))
}

/// A head for the names, and the names. Where all series have the same keys these make the head, and the values the names.
fn names(series: &[Series]) -> (String, Vec<String>) {
    let keys = |one: &Series| -> Vec<String> {
        let keys = one.labels.iter().map(|label| label.key.clone());
        keys.collect()
    };
    let first = series.first().map(keys).unwrap_or_default();
    let is_shared = series.iter().all(|one| keys(one) == first);
    if !is_shared || first.iter().any(|key| key == "__name__") {
        return ("series".into(), series.iter().map(Series::name).collect());
    }
    let values = |one: &Series| {
        let values = one.labels.iter().map(Label::text);
        values.collect::<Vec<_>>().join(", ")
    };
    (first.join(", "), series.iter().map(values).collect())
}

/// A number in five digits or so.
fn number(number: f64) -> String {
    let size = number.abs();
    match size {
        _ if number.fract() == 0.0 && size < 1e6 => format!("{number}"),
        1e6.. => format!("{number:.3e}"),
        100.0.. => format!("{number:.1}"),
        1.0.. => format!("{number:.2}"),
        0.001.. => format!("{number:.4}"),
        _ => format!("{number:.2e}"),
    }
}

fn lines(series: &[Series]) -> String {
    let mut text = csv(["time", "series", "value"]);
    for one in series {
        let name = one.name();
        for sample in &one.samples {
            let time = time(sample.millis()).replace(' ', "T") + "Z";
            text.push_str(&csv([&time, &name, &sample.value.to_string()]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn series() -> Vec<Series> {
        let answer = json!([
            {
                "labels": [
                    {"key": "service", "value": {"stringValue": "shop"}},
                    {"key": "p", "value": {"doubleValue": 0.5}},
                ],
                "samples": [
                    {"timestampMs": "1795253400000"},
                    {"timestampMs": "1795253430000", "value": 0.25},
                ],
            },
            {
                "labels": [{"key": "__name__", "value": {"stringValue": "rate"}}],
                "samples": [{"timestampMs": "1795253430000", "value": 12}],
            },
        ]);
        serde_json::from_value(answer).unwrap()
    }

    #[test]
    fn series_are_drawn() {
        assert_eq!(
            table(&series(), 100, Paint::OFF),
            "\
2026-11-21 09:30:00.000 to 2026-11-21 09:30:30.000 (UTC)
series                         min     max    last
{service = shop, p = 0.5}  ▁█    0  0.2500  0.2500
rate                        █   12      12      12
"
        );
        let shared = &series()[..1];
        assert_eq!(
            table(shared, 60, Paint::OFF),
            "\
2026-11-21 09:30:00.000 to 2026-11-21 09:30:30.000 (UTC)
service, p      min     max    last
shop, 0.5   ▁█    0  0.2500  0.2500
"
        );
        assert_eq!(table(&[], 100, Paint::OFF), "no series\n");
    }

    #[test]
    fn points_are_listed_as_values() {
        assert_eq!(
            lines(&series()),
            "time,series,value\n\
             2026-11-21T09:30:00.000Z,\"{service = shop, p = 0.5}\",0\n\
             2026-11-21T09:30:30.000Z,\"{service = shop, p = 0.5}\",0.25\n\
             2026-11-21T09:30:30.000Z,rate,12\n"
        );
    }

    #[test]
    fn numbers_are_short() {
        let texts = [0.0, 12.0, 1.5, 123.456, 0.0123, 0.000_012, 12_345_678.0].map(number);
        assert_eq!(
            texts,
            ["0", "12", "1.50", "123.5", "0.0123", "1.20e-5", "1.235e7"]
        );
    }
}
