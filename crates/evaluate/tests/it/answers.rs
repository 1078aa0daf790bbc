//! Traces through the evaluator, and its answers in the words of the test kit.

use evaluate::{
    Display, FoundSeries, Matcher, Meter, MeterLimits, Shown, Steps, Tree, TreeBuilder,
};
use model::SpanBatch;
use testkit::oracle;
use testkit::trace::{Trace, to_batch};
use traceql::Query;
use traceql::query::{Body, Pipeline};

/// The rows of each trace in a batch that was made of these.
fn rows(traces: &[Trace]) -> Vec<Vec<u32>> {
    let mut next = 0;
    let of_trace = |trace: &Trace| {
        let first = next;
        next += trace.spans.len() as u32;
        (first..next).collect()
    };
    traces.iter().map(of_trace).collect()
}

/// Calls `each` for the tree of each trace, all in one batch.
pub(crate) fn each_tree(traces: &[Trace], mut each: impl FnMut(&Tree<'_>)) {
    let batch: SpanBatch = to_batch(traces);
    let mut builder = TreeBuilder::default();
    for rows in rows(traces) {
        let tree = builder.build(&batch, &rows);
        each(&tree);
        builder.recycle(tree);
    }
}

pub(crate) fn search(pipeline: &Pipeline, traces: &[Trace]) -> Vec<oracle::Found> {
    let mut matcher = Matcher::new(pipeline);
    let display = Display::new(pipeline);
    let mut found = Vec::new();
    each_tree(traces, |tree| {
        let spansets = matcher.run(tree);
        for spanset in &spansets {
            assert!(spanset.spans.is_sorted_by(|a, b| a < b));
        }
        if !spansets.is_empty() {
            found.push(oracle::Found {
                trace: tree.span(0).trace_id,
                spansets: spansets
                    .into_iter()
                    .map(|spanset| oracle::FoundSpanset {
                        keys: spanset
                            .keys
                            .into_iter()
                            .map(|(label, value)| (label.to_string(), value))
                            .collect(),
                        spans: spanset
                            .spans
                            .iter()
                            .map(|at| found_span(&display, tree, *at))
                            .collect(),
                    })
                    .collect(),
            });
        }
    });
    found
}

/// With the columns of `select` only.
fn found_span(display: &Display, tree: &Tree<'_>, at: u32) -> oracle::FoundSpan {
    let is_selected = |label: &str| display.selected().iter().any(|c| c.label == label);
    oracle::FoundSpan {
        id: tree.span(at).span_id,
        columns: display
            .show(tree, at)
            .into_iter()
            .filter(|(label, _, _)| is_selected(label))
            .map(|(label, _, value)| (label.to_string(), shown(value)))
            .collect(),
    }
}

pub(crate) fn shown(value: Shown) -> oracle::Shown {
    match value {
        Shown::One(constant) => oracle::Shown::One(constant),
        Shown::Other(text) => oracle::Shown::Other(text),
        Shown::Many(items) => oracle::Shown::Many(items.into_iter().map(shown).collect()),
    }
}

// === series ===

pub(crate) const LIMITS: MeterLimits = MeterLimits {
    series: 10_000,
    exemplars: 100,
    bytes: 64 << 20,
};

pub(crate) fn steps(steps: &oracle::Steps) -> Steps {
    match *steps {
        oracle::Steps::Range { start, end, step } => Steps::Range { start, end, step },
        oracle::Steps::Instant { start, end } => Steps::Instant { start, end },
    }
}

pub(crate) fn meter(query: &Query, at: &oracle::Steps) -> Meter {
    let Body::Metrics(series) = &query.body else {
        panic!("not a query for series");
    };
    Meter::new(series, &query.hints, steps(at), LIMITS)
}

/// The answer of as many meters as there are parts, merged.
pub(crate) fn metrics_of_parts(
    query: &Query,
    parts: &[Vec<Trace>],
    at: &oracle::Steps,
) -> Vec<FoundSeries> {
    let mut merged = meter(query, at);
    for traces in parts {
        let mut part = meter(query, at);
        each_tree(traces, |tree| part.observe(tree).unwrap());
        merged.merge(part).unwrap();
    }
    merged.finish().unwrap()
}

pub(crate) fn metrics(
    query: &Query,
    traces: &[Trace],
    at: &oracle::Steps,
) -> Vec<oracle::FoundSeries> {
    let mut meter = meter(query, at);
    each_tree(traces, |tree| meter.observe(tree).unwrap());
    plain(meter.finish().unwrap())
}

pub(crate) fn plain(found: Vec<FoundSeries>) -> Vec<oracle::FoundSeries> {
    let of_series = |series: FoundSeries| oracle::FoundSeries {
        labels: series
            .labels
            .into_iter()
            .map(|(name, value)| (name.to_string(), value))
            .collect(),
        points: series.points,
    };
    found.into_iter().map(of_series).collect()
}
