//! What queries cost over a folder of settled blocks, without HTTP: the best and the median time and the processor's time, in ms.
//!
//! `cargo run --release -p benches --bin questions -- FOLDER/blocks [part of a query] [runs] [live spans]`. Nothing else may use the
//! folder. So many spans of the shop, newer than those of the folder, are live meanwhile, 200000 at the most.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a tool")]

use std::sync::Arc;
use std::time::Instant;

use benches::{open, processor_millis};
use evaluate::Steps;
use model::{DurationNanos, UnixNanos};
use query::{Limits, MetricsRequest, Query, SearchRequest, TagValuesRequest, TraceOrder};
use traceql::query::{Body, Field, Owner, Scope};

/// As in the server.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const QUERIES: [&str; 20] = [
    r#"{ resource.service.name = "payment" && status = error }"#,
    r#"{ span.user.id = "user_4711" }"#,
    r#"{ span.db.system.name = "redis" && duration > 5ms }"#,
    r#"{ span.db.system.name = "redis" && duration > 5h }"#,
    r#"{ name = "POST /checkout" } >> { status = error }"#,
    r#"{ .tenant.id = "tenant-7" } | count() > 20"#,
    "{ }",
    r#"{ event:name = "exception" }"#,
    r#"{ event.exception.type = "none" }"#,
    "{ .no.such = 1 }",
    "{ } | rate()",
    "{ } | rate() by (resource.service.name)",
    "{ } | quantile_over_time(duration, .5, .95, .99) by (resource.service.name)",
    "{ } | avg_over_time(duration) by (span.tenant.id)",
    "{ } | histogram_over_time(duration)",
    "{ status = error } | rate() by (name)",
    r#"{ name = "POST /checkout" } >> { status = error } | count_over_time()"#,
    "{ event:name = \"exception\" } | rate()",
    "{ } | compare({ status = error })",
    "{ duration > 100ms } | compare({ resource.service.name = \"payment\" })",
];

/// Attributes of spans of which all values are asked for: of many and of few.
const VALUES_OF: [&str; 2] = ["user.id", "http.route"];

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().expect("a folder of blocks");
    let part = arguments.next().unwrap_or_default();
    let runs = arguments.next().map_or(7, |runs| runs.parse().unwrap());
    let live = arguments.next().map_or(0, |live| live.parse().unwrap());
    let opened = open(&folder).await;
    let query = &opened.query;
    opened.send(live, newest(query).await).await;
    let newest = newest(query).await;
    println!("     best    median       cpu");
    for text in QUERIES.into_iter().filter(|text| text.contains(&part)) {
        let compiled = Arc::new(traceql::compile(text).unwrap());
        timed(text, runs, || run(query, &compiled, newest)).await;
    }
    for name in VALUES_OF.into_iter().filter(|name| name.contains(&part)) {
        let request = values(name);
        let ask = async || query.tag_values(&request).await.unwrap().values.len();
        timed(&format!("values of {name}"), runs, ask).await;
    }
}

/// Runs a question that gives how much was found, and prints what it cost.
async fn timed(text: &str, runs: u32, ask: impl AsyncFn() -> usize) {
    let mut times = Vec::new();
    let mut found = 0;
    let cpu = processor_millis();
    for _ in 0..runs {
        let started = Instant::now();
        found = ask().await;
        times.push(started.elapsed().as_secs_f64() * 1e3);
    }
    let cpu = (processor_millis() - cpu) / f64::from(runs);
    times.sort_by(f64::total_cmp);
    let median = times[times.len() / 2];
    println!("{:9.1} {median:9.1} {cpu:9.1}  {text} ({found})", times[0]);
}

fn values(name: &str) -> TagValuesRequest {
    let name: Arc<str> = name.into();
    TagValuesRequest {
        field: Field::Attribute {
            owner: Owner::Span,
            scope: Scope::Span,
            name,
        },
        filter: None,
        start: None,
        end: None,
        limit: 100_000,
        limits: Limits::default(),
    }
}

/// A search as the page asks for it, or the series of the hour up to the newest trace; gives how much was found.
async fn run(query: &Query, compiled: &Arc<traceql::Query>, newest: UnixNanos) -> usize {
    const SECOND: i64 = 1_000_000_000;
    match &compiled.body {
        Body::Search(_) => {
            let page = query.search(&search(compiled)).await.unwrap();
            page.traces.len()
        }
        Body::Metrics(_) => {
            let request = MetricsRequest {
                query: compiled.clone(),
                steps: Steps::Range {
                    start: UnixNanos(newest.0 - 3600 * SECOND),
                    end: UnixNanos(newest.0 + 60 * SECOND),
                    step: DurationNanos(15 * SECOND),
                },
                exemplars: 100,
                limits: Limits::default(),
            };
            let answer = query.metrics(&request).await.unwrap();
            answer.series.len()
        }
    }
}

fn search(compiled: &Arc<traceql::Query>) -> SearchRequest {
    SearchRequest {
        query: compiled.clone(),
        start: None,
        end: None,
        order: TraceOrder::Newest,
        limit: 20,
        spans_per_spanset: 3,
        cursor: None,
        limits: Limits::default(),
    }
}

async fn newest(query: &Query) -> UnixNanos {
    let everything = Arc::new(traceql::compile("{ }").unwrap());
    let page = query.search(&search(&everything)).await.unwrap();
    page.traces[0].summary.start
}
