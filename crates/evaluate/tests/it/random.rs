//! Random traces and queries, answered as the plain evaluator answers them.

use std::collections::BTreeMap;

use evaluate::{Matcher, Sieve, Tree, TreeBuilder, Values, is_of_span_alone, read};
use proptest::prelude::*;
use testkit::drawing::{ORIGIN, print};
use testkit::oracle;
use testkit::random::{self, SECONDS, Size, traces};
use testkit::suite::{check_series, rounded, span_lines};
use testkit::trace::Trace;
use traceql::Query;
use traceql::query::{Body, Intrinsic, MetricsFunction, MetricsQuery, Series, Spansets, Stage};
use traceql::testing::Choices;

use crate::answers;

/// Bytes to take decisions from, told by a seed and their number: fewer bytes make less.
fn bytes(count: usize) -> impl Strategy<Value = Bytes> {
    (any::<u64>(), 0..count).prop_map(|(seed, count)| Bytes { seed, count })
}

#[derive(Debug, Clone, Copy)]
struct Bytes {
    seed: u64,
    count: usize,
}

impl Bytes {
    fn get(self) -> Vec<u8> {
        random::bytes(self.seed, self.count)
    }
}

fn odd_traces(bytes: &[u8]) -> Vec<Trace> {
    let size = Size {
        odd: true,
        spans: 14,
        ..Size::default()
    };
    traces(&mut Choices::new(bytes), size)
}

const END: model::UnixNanos = model::UnixNanos(ORIGIN.0 + SECONDS * 1_000_000_000);

const STEPS: oracle::Steps = oracle::Steps::Range {
    start: ORIGIN,
    end: END,
    step: model::DurationNanos(7_500_000_000),
};

const INSTANT: oracle::Steps = oracle::Steps::Instant {
    start: ORIGIN,
    end: END,
};

/// Whether quantiles, of which a little error is expected, are compared with anything.
fn computes_with_quantiles(query: &Query) -> bool {
    let Body::Metrics(series) = &query.body else {
        return false;
    };
    let is_quantile =
        |query: &&MetricsQuery| matches!(query.function, MetricsFunction::QuantileOverTime { .. });
    !matches!(series, Series::Query(_)) && series.queries().iter().any(is_quantile)
}

/// Every span with every column, sorted, and aggregates as far as the order of adding up does not matter, so that equal answers are equal.
fn sorted(mut found: Vec<oracle::Found>) -> Vec<oracle::Found> {
    for found in &mut found {
        for spanset in &mut found.spansets {
            spanset.spans.sort_by_key(|span| span.id);
            for (_, value) in &mut spanset.keys {
                *value = rounded(value);
            }
        }
        found
            .spansets
            .sort_by_cached_key(|spanset| format!("{spanset:?}"));
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 500, failure_persistence: None, ..ProptestConfig::with_cases(1500) })]

    #[test]
    fn spans_are_those_of_the_plain_evaluator(data in bytes(900), query in bytes(200)) {
        let traces = odd_traces(&data.get());
        let text = random::search(&mut Choices::new(&query.get()));
        let query = traceql::compile(&text).unwrap();
        let Body::Search(pipeline) = &query.body else { unreachable!("a search") };
        let expected = sorted(oracle::search(&query, &traces));
        let found = sorted(answers::search(pipeline, &traces));
        prop_assert!(
            format!("{expected:?}") == format!("{found:?}"),
            "{}\nexpected {:#?}\nfound {:#?}\n{}",
            text, span_lines(&expected, &traces), span_lines(&found, &traces), print(&traces)
        );
    }

    #[test]
    fn series_are_those_of_the_plain_evaluator(data in bytes(900), query in bytes(200), parts in 1usize..4) {
        let traces = odd_traces(&data.get());
        let text = random::metrics(&mut Choices::new(&query.get()));
        let query = traceql::compile(&text).unwrap();
        if computes_with_quantiles(&query) {
            return Ok(());
        }
        let tolerance = if text.contains("quantile_over_time") { 0.005 } else { 1e-9 };
        for steps in [STEPS, INSTANT] {
            let expected = oracle::metrics(&query, &traces, &steps);
            let found = answers::metrics(&query, &traces, &steps);
            let dealt: Vec<Vec<Trace>> = (0..parts)
                .map(|part| traces.iter().skip(part).step_by(parts).cloned().collect())
                .collect();
            let merged = answers::plain(answers::metrics_of_parts(&query, &dealt, &steps));
            for found in [found, merged] {
                if let Err(difference) = check_series(&expected, &found, tolerance) {
                    prop_assert!(false, "{}\n{}\n{}", text, difference, print(&traces));
                }
            }
        }
    }

    #[test]
    fn sieves_let_all_through_for_which_a_condition_holds(data in bytes(900), query in bytes(200)) {
        let traces = odd_traces(&data.get());
        let text = random::search(&mut Choices::new(&query.get()));
        let Body::Search(mut pipeline) = traceql::compile(&text).unwrap().body else { unreachable!("a search") };
        pipeline.stages.truncate(1);
        let [Stage::Spansets(Spansets::Filter(condition))] = pipeline.stages.as_slice() else {
            return Ok(());
        };
        let mut is_alone = true;
        condition.visit_fields(&mut |field| is_alone &= is_of_span_alone(field));
        let (mut matcher, mut sieve) = (Matcher::new(&pipeline), Sieve::new(condition));
        answers::each_tree(&traces, |tree| {
            let holds: Vec<u32> = matcher.run(tree).into_iter().flat_map(|found| found.spans).collect();
            let rows: Vec<u32> = (0..tree.len() as u32).map(|at| tree.row(at)).collect();
            let mut passed: Vec<u32> = (0..tree.len() as u32).collect();
            if sieve.bind(&tree.batch().symbols) {
                sieve.sift(&TreeBuilder::default().side_by_side(tree.batch(), &rows), &mut passed);
            } else {
                passed.clear();
            }
            assert!(holds.iter().all(|at| passed.contains(at)), "{text}: {holds:?} of {passed:?}");
            assert!(!is_alone || holds == passed, "{text}: {holds:?} instead of {passed:?}");
        });
    }

    #[test]
    fn trees_are_those_of_the_plain_evaluator(data in bytes(600)) {
        let traces = odd_traces(&data.get());
        let mut expected = traces.iter().map(oracle::tree::Tree::new);
        answers::each_tree(&traces, |tree| {
            let plain = expected.next().unwrap();
            assert_eq!(tree.len(), plain.spans.len());
            assert_eq!(tree.duration(), plain.duration());
            assert_eq!(tree.root().map(|at| tree.span(at).span_id), plain.root().map(|s| s.id));
            // Rows that are in order already make the same tree.
            let ordered: Vec<u32> = (0..tree.len() as u32).map(|at| tree.row(at)).collect();
            let again = Tree::new(tree.batch(), &ordered);
            assert_eq!(again.len(), tree.len());
            let places: BTreeMap<_, _> =
                plain.spans.iter().enumerate().map(|(place, span)| (span.id, place)).collect();
            for at in 0..tree.len() as u32 {
                let place = places[&tree.span(at).span_id];
                assert_eq!(tree.numbers(at), plain.numbers[place]);
                assert_eq!(
                    tree.parent(at).map(|parent| tree.span(parent).span_id),
                    plain.parents[place].map(|parent| plain.spans[parent].id),
                );
                assert_eq!(tree.children(at) as usize, plain.children(Some(place)).len());
                assert_eq!(tree.span(at).start, plain.spans[place].start);
                assert_eq!(again.row(at), tree.row(at));
                assert_eq!((again.parent(at), again.numbers(at)), (tree.parent(at), tree.numbers(at)));
                assert_eq!(again.children(at), tree.children(at));
                for below in 0..tree.len() as u32 {
                    let is_below = at < below && below <= tree.last_below(at);
                    let other = places[&tree.span(below).span_id];
                    assert_eq!(is_below, plain.is_above(place, other));
                }
            }
        });
    }
}

#[test]
fn a_trace_of_no_spans_is_no_trace() {
    let batch = model::SpanBatch::default();
    let tree = Tree::new(&batch, &[]);
    assert!(tree.is_empty() && tree.root().is_none());
    assert_eq!((tree.start().0, tree.end().0, tree.duration().0), (0, 0, 0));
    let query = traceql::compile("{ }").unwrap();
    let Body::Search(pipeline) = &query.body else {
        unreachable!("a search")
    };
    assert!(Matcher::new(pipeline).run(&tree).is_empty());
}

#[test]
fn a_field_is_read_with_its_type() {
    let traces = testkit::draw("trace 1\n  shop a | server 0..1 v=1\n").unwrap();
    answers::each_tree(&traces, |tree| {
        let text = |field: traceql::query::Field| read(&field, tree, 0).map(|v| v.to_string());
        let name = traceql::query::Field::intrinsic(Intrinsic::Name);
        assert_eq!(text(name).as_deref(), Some("\"a\""));
        let duration = traceql::query::Field::intrinsic(Intrinsic::Duration);
        assert_eq!(text(duration).as_deref(), Some("1ms"));
    });
}

#[test]
fn texts_of_many_spans_are_told_once() {
    let drawing =
        "trace 1\n  shop a | server 0..9\n    shop b | server 1..2\n    shop a | server 3..4\n";
    answers::each_tree(&testkit::draw(drawing).unwrap(), |tree| {
        let name = traceql::query::Field::intrinsic(Intrinsic::Name);
        let mut values = Values::new(&name, tree.batch());
        let mut told = Vec::new();
        (0..3).for_each(|at| values.read(tree, at, |value| told.push(value.to_string())));
        assert_eq!(told, ["\"a\"", "\"b\""]);
    });
}
