//! Prints how long the analysis of large traces takes: `cargo run --release -p analysis --example large`.
#![allow(clippy::print_stdout, clippy::unwrap_used)] // a measurement for a terminal

use std::time::Instant;

use analysis::{GroupBy, Settings, analyse, compare, group};
use model::{DurationNanos, SpanBatch, SpanId, UnixNanos};

const SPANS: usize = 100_000;
const ROUNDS: usize = 5;
const START: UnixNanos = UnixNanos(1_795_000_000_000_000_000);

fn main() {
    let import = import();
    measure("an import job of the shop", &import);
    measure("a chain", &shaped(&import, |number| number - 1));
    measure("a fan", &shaped(&import, |_| 0));
    measure(
        "a tree of pairs",
        &shaped(&import, |number| (number - 1) / 2),
    );
}

/// A broad trace with repeated statements and errors.
fn import() -> SpanBatch {
    let spans = shop::Shop::new(7, START).long_trace(START, SPANS);
    let mut batch = SpanBatch::default();
    let limits = wire::otlp::DecodeLimits::default();
    wire::otlp::decode(&shop::encode(&spans), &limits, &mut batch).unwrap();
    batch
}

/// The same spans with other parents: each half as long as its parent, the more so the later it comes.
fn shaped(import: &SpanBatch, parent: impl Fn(usize) -> usize) -> SpanBatch {
    let id = |number: usize| SpanId((number as u64 + 1).to_be_bytes());
    let mut batch = import.clone();
    for number in 0..batch.len() {
        let span = &mut batch.spans[number];
        span.span_id = id(number);
        span.parent_span_id = if number == 0 {
            SpanId::ZERO
        } else {
            id(parent(number))
        };
        span.start = UnixNanos(START.0 + number as i64 * 1_000);
        span.duration = DurationNanos((SPANS - number) as i64 * 2_000);
    }
    batch
}

fn measure(what: &str, batch: &SpanBatch) {
    let settings = Settings::default();
    let best = |run: &dyn Fn()| {
        let rounds = (0..ROUNDS).map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        });
        rounds.min().unwrap_or_default()
    };
    let analysis = analyse(batch, &settings);
    println!(
        "{what}, {} spans: analyse {:.1?}, compare with itself {:.1?}, group by operation {:.1?}, as JSON {:.1?} ({} findings, {:.1} MB)",
        batch.len(),
        best(&|| drop(analyse(batch, &settings))),
        best(&|| drop(compare(batch, batch, &settings))),
        best(&|| drop(group(batch, &analysis, &GroupBy::Operation))),
        best(&|| drop(serde_json::to_vec(&analysis))),
        analysis.findings.list.len(),
        serde_json::to_vec(&analysis).map_or(0, |json| json.len()) as f64 / 1e6,
    );
    println!("  {}", analysis.summary.text);
}
