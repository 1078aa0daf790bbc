//! What is too much, and what is much but not too much.

use std::fmt::Write as _;

use evaluate::{Matcher, Meter, MeterError, MeterLimits, Steps, Tree};
use model::{
    DurationNanos, NO_EXTRA, Range32, ResourceRow, SpanBatch, SpanId, SpanKind, SpanRow,
    StatusCode, Symbol, TraceId, UnixNanos,
};
use traceql::Query;
use traceql::query::{Body, Pipeline};

use crate::answers::LIMITS;

fn pipeline(text: &str) -> Pipeline {
    match traceql::compile(text).unwrap().body {
        Body::Search(pipeline) => pipeline,
        Body::Metrics(_) => panic!("not a search"),
    }
}

/// Spans named by their numbers from 0, a second apart, with these parents; parent `u64::MAX` is none.
fn batch(parents: impl Iterator<Item = u64>) -> SpanBatch {
    let mut batch = SpanBatch::default();
    batch.resources.push(ResourceRow::default());
    for (parent, number) in parents.zip(0u64..) {
        let id = |number: u64| SpanId(number.wrapping_add(1).to_be_bytes());
        let name = batch.symbols.intern_str(&number.to_string()).unwrap();
        batch.spans.push(SpanRow {
            trace_id: TraceId([1; 16]),
            span_id: id(number),
            parent_span_id: id(parent),
            start: UnixNanos(number as i64 * 1_000_000_000),
            duration: DurationNanos(number as i64 + 1),
            name,
            resource: 0,
            attributes: Range32::default(),
            extra: NO_EXTRA,
            flags: 0,
            kind: SpanKind::Internal,
            status: StatusCode::Unset,
        });
    }
    batch
}

fn tree(batch: &SpanBatch) -> Tree<'_> {
    let rows: Vec<u32> = (0..batch.len() as u32).collect();
    Tree::new(batch, &rows)
}

fn count(text: &str, tree: &Tree<'_>) -> usize {
    let found = Matcher::new(&pipeline(text)).run(tree);
    found.iter().map(|spanset| spanset.spans.len()).sum()
}

const MANY: u64 = 200_000;

#[test]
fn a_chain_of_spans_is_as_deep_as_it_likes() {
    let batch = batch((0..MANY).map(|number| number.wrapping_sub(1)));
    let tree = tree(&batch);
    assert_eq!(tree.numbers(0), (1, 2 * MANY as i64));
    assert_eq!(count(r#"{ name = "5" } >> { }"#, &tree), MANY as usize - 6);
    assert_eq!(count("{ } >> { }", &tree), MANY as usize - 1);
    assert_eq!(count("{ } &<< { }", &tree), MANY as usize);
    assert_eq!(count(r#"{ name = "5" } << { }"#, &tree), 5);
    assert_eq!(count("{ } ~ { }", &tree), 0);
}

#[test]
fn a_span_has_as_many_children_as_it_likes() {
    let parents = (0..MANY).map(|number| if number == 0 { u64::MAX } else { 0 });
    let batch = batch(parents);
    let tree = tree(&batch);
    assert_eq!(u64::from(tree.children(0)), MANY - 1);
    assert_eq!(count("{ } ~ { }", &tree), MANY as usize - 1);
    assert_eq!(count("{ } !~ { }", &tree), 1);
    assert_eq!(count("{ } > { }", &tree), MANY as usize - 1);
}

#[test]
fn rows_in_any_order_and_a_circle_of_all_make_the_same_trees() {
    let count = 10_000;
    let ring = batch((0..count).map(|number| (number + count - 1) % count));
    let mut rows: Vec<u32> = (0..count as u32).collect();
    rows.rotate_left(77);
    rows.swap(5, 500);
    let tree = Tree::new(&ring, &rows);
    // Cut at its earliest span, it is a chain.
    assert_eq!(tree.span(0).start, UnixNanos(0));
    assert_eq!(tree.parent(0), None);
    assert!((1..count as u32).all(|at| tree.parent(at) == Some(at - 1)));
}

#[test]
fn ids_that_collide_cost_no_more_than_sorting() {
    // Multiples of the inverse of an odd number, by which it is a common choice to hash, in 64 bits.
    let inverse = |odd: u64| {
        (0..6).fold(odd, |x, _| {
            x.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(x)))
        })
    };
    let step = inverse(0x9e37_79b9_7f4a_7c15);
    let mut batch = batch((0..MANY).map(|number| number.wrapping_sub(1)));
    let id = |number: u64| SpanId(number.wrapping_mul(step).to_be_bytes());
    for (span, number) in batch.spans.iter_mut().zip(1..) {
        span.span_id = id(number);
        span.parent_span_id = id(number - 1);
    }
    let tree = tree(&batch);
    assert_eq!(u64::from(tree.last_below(0)), MANY - 1);
    assert!((1..MANY as u32).all(|at| tree.parent(at) == Some(at - 1)));
}

#[test]
fn thousands_of_operands_nest_no_level_each() {
    let batch = batch((0..100u64).map(|number| number.wrapping_sub(1)));
    let tree = tree(&batch);
    let joined = |each: &dyn Fn(u64) -> String, between: &str| {
        let parts: Vec<String> = (0..4000).map(each).collect();
        parts.join(between)
    };
    let name = |number: u64| format!("name = \"{}\"", number * 2);
    let other_name = |number: u64| format!("name != \"{}\"", number * 2);
    let id = |number: u64| format!("duration = {number}ns");
    let filter = |number: u64| format!("{{ nestedSetLeft = {number} }}");
    for (text, expected) in [
        (format!("{{ {} }}", joined(&name, " || ")), 50),
        (format!("{{ {} }}", joined(&other_name, " && ")), 50),
        (format!("{{ {} }}", joined(&id, " || ")), 100),
        (joined(&filter, " || "), 100),
        (joined(&filter, " && "), 0),
    ] {
        assert_eq!(count(&text, &tree), expected, "{}", &text[..40]);
    }
}

// === series ===

fn query(text: &str) -> Query {
    traceql::compile(text).unwrap()
}

const STEPS: Steps = Steps::Range {
    start: UnixNanos(0),
    end: UnixNanos(1_000_000_000_000),
    step: DurationNanos(1_000_000_000),
};

/// The answer for a thousand spans, a second apart.
fn answer(text: &str, steps: Steps, limits: MeterLimits) -> Result<usize, MeterError> {
    let query = query(text);
    let Body::Metrics(series) = &query.body else {
        panic!("not a query for series");
    };
    let batch = batch((0..1000u64).map(|number| number.wrapping_sub(1)));
    let mut meter = Meter::new(series, &query.hints, steps, limits);
    meter.observe(&tree(&batch))?;
    let mut merged = Meter::new(series, &query.hints, steps, limits);
    merged.merge(meter)?;
    Ok(merged.finish()?.len())
}

#[test]
fn too_many_series_are_refused() {
    let limits = MeterLimits {
        series: 100,
        ..LIMITS
    };
    let error = MeterError::Series { limit: 100 };
    for text in [
        "{ } | rate() by (name)",
        "{ } | min_over_time(duration) by (name)",
        "{ duration < 60ns } | quantile_over_time(duration, 0.1, 0.5) by (name)",
        "{ } | histogram_over_time(duration) by (name)",
        "({ } | rate()) / ({ } | rate() by (name))",
    ] {
        assert_eq!(answer(text, STEPS, limits), Err(error.clone()), "{text}");
    }
    assert_eq!(
        answer("{ duration <= 100ns } | rate() by (name)", STEPS, limits),
        Ok(100)
    );
    let text = error.to_string();
    assert!(text.contains("`by`") && text.contains("filter"), "{text}");
}

#[test]
fn too_much_memory_is_refused() {
    let limits = MeterLimits {
        bytes: 200_000,
        ..LIMITS
    };
    let error = MeterError::Memory { limit: 200_000 };
    for text in [
        "{ } | rate() by (name)",
        "{ } | max_over_time(duration) by (name)",
        "{ } | avg_over_time(duration) by (name)",
        "{ } | quantile_over_time(duration, 0.5) by (name)",
        "{ } | histogram_over_time(duration) by (name)",
        "{ } | compare({ duration > 5ns }, 1000)",
    ] {
        assert_eq!(answer(text, STEPS, limits), Err(error.clone()), "{text}");
    }
    assert_eq!(answer("{ } | rate()", STEPS, limits), Ok(1));
    let text = error.to_string();
    assert!(text.contains("narrower") && text.contains("`by`"), "{text}");
}

#[test]
fn too_many_points_are_refused() {
    let steps = Steps::Range {
        start: UnixNanos(0),
        end: UnixNanos(i64::MAX),
        step: DurationNanos(1),
    };
    for text in [
        "{ } | rate()",
        "{ } | quantile_over_time(duration, 0.5)",
        "2 * ({ .missing = 1 } | rate())",
    ] {
        let refused = answer(text, steps, LIMITS);
        assert!(
            matches!(refused, Err(MeterError::Points { .. })),
            "{text}: {refused:?}"
        );
    }
}

#[test]
fn an_attribute_with_very_many_values_is_told_to_have_too_many() {
    let query = query("{ } | compare({ duration > 0ns }, 3)");
    let Body::Metrics(series) = &query.body else {
        panic!("not a query for series");
    };
    let batch = batch((0..10_000u64).map(|number| number.wrapping_sub(1)));
    let instant = Steps::Instant {
        start: UnixNanos(0),
        end: UnixNanos(i64::MAX),
    };
    let mut meter = Meter::new(series, &query.hints, instant, LIMITS);
    meter.observe(&tree(&batch)).unwrap();
    let mut told = String::new();
    for series in meter.finish().unwrap() {
        if series.labels.iter().any(|(label, _)| &**label == "name") {
            let labels = evaluate::labels_text(&series.labels);
            writeln!(told, "{labels} {:?}", series.points[0]).unwrap();
        }
    }
    assert_eq!(
        told,
        "{__meta_error=\"__too_many_values__\", name=\"nil\"} None\n\
         {__meta_type=\"selection\", name=\"0\"} Some(1.0)\n\
         {__meta_type=\"selection\", name=\"1\"} Some(1.0)\n\
         {__meta_type=\"selection\", name=\"10\"} Some(1.0)\n\
         {__meta_type=\"selection_total\", name=\"nil\"} Some(10000.0)\n"
    );
    assert_ne!(Symbol::EMPTY, batch.spans[0].name);
}
