//! What queries cost per span: `cargo run --release -p evaluate --example speed -- [part of a query]`.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a tool")]

use std::time::Instant;

use evaluate::{Matcher, Meter, MeterLimits, Steps, TreeBuilder};
use model::{
    Attribute, DurationNanos, NO_EXTRA, Range32, ResourceRow, SpanBatch, SpanId, SpanKind, SpanRow,
    StatusCode, Symbol, TraceId, UnixNanos, ValueRef,
};
use traceql::query::Body;

const TRACES: u32 = 100;
const SPANS: u32 = 50;
const SECOND: i64 = 1_000_000_000;

const QUERIES: [&str; 12] = [
    r#"{ name = "name 3" } >> { status = error }"#,
    r#"{ name = "name 3" } &~ { kind = server }"#,
    "{ .a = 1 } | count() > 2",
    r#"{ span.url =~ "http://[a-z]+/path/1.*" }"#,
    r#"{ resource.service.name = "service 1" && duration > 10ms }"#,
    "{ } | by(resource.service.name) | avg(duration) > 1s",
    "{ span.a > parent.span.a }",
    "{ } | rate() by (resource.service.name)",
    "{ status = error } | rate() by (resource.service.name, name)",
    "{ } | quantile_over_time(duration, 0.5, 0.99) by (name)",
    "{ } | histogram_over_time(duration)",
    "{ } | compare({ status = error })",
];

fn main() {
    let batch = batch();
    let rows: Vec<Vec<u32>> = (0..TRACES)
        .map(|trace| (trace * SPANS..(trace + 1) * SPANS).collect())
        .collect();
    let mut builder = TreeBuilder::default();
    report("trees", || {
        for rows in &rows {
            let tree = builder.build(&batch, rows);
            builder.recycle(tree);
        }
    });
    let ordered: Vec<Vec<u32>> = rows
        .iter()
        .map(|rows| {
            let tree = builder.build(&batch, rows);
            (0..tree.len() as u32).map(|at| tree.row(at)).collect()
        })
        .collect();
    report("trees whose rows are in order", || {
        for rows in &ordered {
            let tree = builder.build(&batch, rows);
            builder.recycle(tree);
        }
    });
    let trees: Vec<_> = rows
        .iter()
        .map(|rows| builder.build(&batch, rows))
        .collect();
    let wanted = std::env::args().nth(1).unwrap_or_default();
    for text in QUERIES.into_iter().filter(|text| text.contains(&wanted)) {
        let query = traceql::compile(text).unwrap();
        match &query.body {
            Body::Search(pipeline) => {
                let mut matcher = Matcher::new(pipeline);
                let matches = trees
                    .iter()
                    .filter(|tree| !matcher.run(tree).is_empty())
                    .count();
                let name = format!("{text} ({matches})");
                report(&name, || {
                    trees.iter().for_each(|tree| drop(matcher.run(tree)));
                });
            }
            Body::Metrics(series) => {
                let steps = Steps::Range {
                    start: UnixNanos(0),
                    end: UnixNanos(3600 * SECOND),
                    step: DurationNanos(15 * SECOND),
                };
                let limits = MeterLimits {
                    series: 10_000,
                    exemplars: 100,
                    bytes: 1 << 30,
                };
                let mut meter = Meter::new(series, &query.hints, steps, limits);
                report(text, || {
                    trees.iter().for_each(|tree| meter.observe(tree).unwrap());
                });
                let start = Instant::now();
                let series = meter.finish().unwrap().len();
                println!("          {series} series in {:?}", start.elapsed());
            }
        }
    }
}

/// The fastest of many short runs, per span: what else the machine does disturbs few of them.
fn report(name: &str, mut run: impl FnMut()) {
    let time = |_| {
        let start = Instant::now();
        run();
        start.elapsed().as_nanos() as f64 / f64::from(TRACES * SPANS)
    };
    let best = (0..100).map(time).fold(f64::INFINITY, f64::min);
    println!("{best:7.1} ns  {name}");
}

/// Spans whose parents are the span before or one a few before, each with eight attributes, of ten services.
fn batch() -> SpanBatch {
    let mut batch = SpanBatch::default();
    let mut random = Random(1);
    for service in 0..10u32 {
        let name = format!("service {service}");
        let pairs = [
            (model::SERVICE_NAME, name.as_str()),
            ("host.name", "host 1"),
            ("os", "linux"),
        ];
        let attributes = pairs.map(|(key, value)| pair(&mut batch, key, ValueRef::Str(value)));
        let start = batch.attributes.len();
        batch.attributes.extend(attributes);
        batch.resources.push(ResourceRow {
            attributes: Range32::between(start, start + pairs.len()),
            service: batch.symbols.intern_str(&name).unwrap(),
            ..ResourceRow::default()
        });
    }
    for trace in 0..TRACES {
        let begin = i64::from(random.below(3600)) * SECOND;
        for number in 0..SPANS {
            let span = span(&mut batch, &mut random, trace, number, begin);
            batch.spans.push(span);
        }
    }
    batch
}

fn pair(batch: &mut SpanBatch, key: &str, value: ValueRef<'_>) -> Attribute {
    Attribute {
        key: batch.symbols.intern_str(key).unwrap(),
        value: batch.symbols.intern_value(value).unwrap(),
    }
}

fn span(
    batch: &mut SpanBatch,
    random: &mut Random,
    trace: u32,
    number: u32,
    begin: i64,
) -> SpanRow {
    let start = batch.attributes.len();
    for key in [
        "http.method",
        "http.route",
        "net.peer",
        "thread",
        "code",
        "db",
    ] {
        let value = format!("{key} {}", random.below(8));
        let pair = pair(batch, key, ValueRef::Str(&value));
        batch.attributes.push(pair);
    }
    let url = format!("http://host/path/{}", random.below(500));
    let url = pair(batch, "url", ValueRef::Str(&url));
    let a = pair(batch, "a", ValueRef::Int(i64::from(random.below(20))));
    batch.attributes.extend([url, a]);
    let id = |number: u32| {
        let mixed =
            (u64::from(trace) << 32 | u64::from(number + 1)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        SpanId(mixed.to_be_bytes())
    };
    let parent = match number {
        0 => SpanId::ZERO,
        _ => id(number - 1 - random.below(number.min(4))),
    };
    let name: Symbol = batch
        .symbols
        .intern_str(&format!("name {}", random.below(40)))
        .unwrap();
    SpanRow {
        trace_id: TraceId(u128::from(trace + 1).to_be_bytes()),
        span_id: id(number),
        parent_span_id: parent,
        start: UnixNanos(begin + i64::from(number) * 1_000_000),
        duration: DurationNanos(i64::from(random.below(1 << 30)) >> random.below(16)),
        name,
        resource: random.below(10),
        attributes: Range32::between(start, batch.attributes.len()),
        extra: NO_EXTRA,
        flags: 0,
        kind: SpanKind::from_number(i64::from(random.below(6))),
        status: StatusCode::from_number(i64::from(random.below(20) / 9)),
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % u64::from(bound)) as u32
    }
}
