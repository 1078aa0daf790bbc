//! Laws that the plain evaluator keeps on random traces and queries.

use std::collections::BTreeSet;

use model::{SpanId, TraceId};
use proptest::prelude::*;
use testkit::drawing::{ORIGIN, print};
use testkit::oracle::{Found, Steps, metrics, search};
use testkit::random::{self, SECONDS, Size, traces};
use testkit::suite::{check_series, span_lines};
use testkit::trace::Trace;
use traceql::Query;
use traceql::query::{
    Body, Condition, MetricsFunction, MetricsQuery, Mode, Pipeline, Relation, Series, Spansets,
    Stage,
};
use traceql::testing::Choices;

const STEPS: Steps = Steps::Range {
    start: ORIGIN,
    end: model::UnixNanos(ORIGIN.0 + SECONDS * 1_000_000_000),
    step: model::DurationNanos(7_500_000_000),
};

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..500)
}

fn odd_traces(bytes: &[u8]) -> Vec<Trace> {
    let size = Size {
        odd: true,
        ..Size::default()
    };
    traces(&mut Choices::new(bytes), size)
}

fn random_search(bytes: &[u8]) -> (String, Query) {
    let text = random::search(&mut Choices::new(bytes));
    let query = traceql::compile(&text).unwrap();
    (text, query)
}

fn random_metrics(bytes: &[u8]) -> (String, Query) {
    let text = random::metrics(&mut Choices::new(bytes));
    let query = traceql::compile(&text).unwrap();
    (text, query)
}

fn stages(query: &Query) -> Vec<Stage> {
    match &query.body {
        Body::Search(pipeline) => pipeline.stages.clone(),
        Body::Metrics(_) => Vec::new(),
    }
}

fn of_stages(stages: Vec<Stage>) -> Query {
    Query {
        body: Body::Search(Pipeline { stages }),
        hints: Default::default(),
    }
}

/// The spans of an answer, whatever spanset they are in.
fn spans(found: &[Found]) -> BTreeSet<(TraceId, SpanId)> {
    found
        .iter()
        .flat_map(|found| {
            let spans = found.spansets.iter().flat_map(|spanset| &spanset.spans);
            spans.map(|span| (found.trace, span.id))
        })
        .collect()
}

fn all(traces: &[Trace]) -> BTreeSet<(TraceId, SpanId)> {
    traces
        .iter()
        .flat_map(|trace| trace.spans.iter().map(|span| (trace.id, span.id)))
        .collect()
}

proptest! {
    #[test]
    fn a_condition_or_its_negation_holds_and_never_both(data in bytes(), query in bytes()) {
        let traces = odd_traces(&data);
        let (text, query) = random_search(&query);
        let condition = match query.as_filter() {
            Some(condition) => condition.clone(),
            None => Condition::Const(true),
        };
        let filter = |condition| of_stages(vec![Stage::Spansets(Spansets::Filter(condition))]);
        let yes = spans(&search(&filter(condition.clone()), &traces));
        let no = spans(&search(&filter(Condition::Not(Box::new(condition))), &traces));
        prop_assert!(yes.is_disjoint(&no), "{}\n{}", text, print(&traces));
        prop_assert_eq!(&yes | &no, all(&traces), "{}\n{}", text, print(&traces));
    }

    #[test]
    fn a_relation_divides_its_right_side_and_has_a_mirror(
        data in bytes(),
        left in bytes(),
        right in bytes(),
        relation in 0usize..5,
    ) {
        let traces = odd_traces(&data);
        let (relation, mirror) = [
            (Relation::Child, Relation::Parent),
            (Relation::Descendant, Relation::Ancestor),
            (Relation::Parent, Relation::Child),
            (Relation::Ancestor, Relation::Descendant),
            (Relation::Sibling, Relation::Sibling),
        ][relation];
        let side = |bytes: &[u8]| {
            let mut stages = stages(&random_search(bytes).1);
            stages.push(Stage::Coalesce);
            Box::new(Spansets::Pipeline(Pipeline { stages }))
        };
        let (left, right) = (side(&left), side(&right));
        let answer = |relation, mode, left: &Spansets, right: &Spansets| {
            let related = Spansets::Related {
                relation,
                mode,
                left: Box::new(left.clone()),
                right: Box::new(right.clone()),
            };
            spans(&search(&of_stages(vec![Stage::Spansets(related)]), &traces))
        };
        let with = answer(relation, Mode::Right, &left, &right);
        let without = answer(relation, Mode::RightWithout, &left, &right);
        let mirrored = answer(mirror, Mode::Right, &right, &left);
        let both = answer(relation, Mode::Both, &left, &right);
        let right = spans(&search(&of_stages(vec![Stage::Spansets(*right)]), &traces));
        prop_assert!(with.is_disjoint(&without));
        prop_assert_eq!(&with | &without, right);
        prop_assert_eq!(&with | &mirrored, both);
    }

    #[test]
    fn groups_hold_every_span_once(data in bytes(), query in bytes(), key in bytes()) {
        let traces = odd_traces(&data);
        let mut stages = stages(&random_search(&query).1);
        stages.push(Stage::Coalesce);
        let whole = search(&of_stages(stages.clone()), &traces);
        let by = stages_with_key(&key);
        stages.push(by);
        let split = search(&of_stages(stages), &traces);
        let count = |found: &[Found]| -> usize {
            found.iter().flat_map(|found| &found.spansets).map(|spanset| spanset.spans.len()).sum()
        };
        prop_assert_eq!(count(&split), count(&whole));
        prop_assert_eq!(spans(&split), spans(&whole));
    }

    #[test]
    fn the_order_of_spans_does_not_matter(data in bytes(), query in bytes()) {
        // Of equal ids, the first counts; so none may be equal here.
        let traces = traces(&mut Choices::new(&data), Size::default());
        let mut turned = traces.clone();
        turned.iter_mut().for_each(|trace| trace.spans.reverse());
        let (text, query_of_spans) = random_search(&query);
        let told = |found: Vec<Found>| span_lines(&found, &traces);
        prop_assert_eq!(
            told(search(&query_of_spans, &turned)),
            told(search(&query_of_spans, &traces)),
            "{}\n{}", text, print(&traces)
        );
        let (text, query) = random_metrics(&query);
        let (found, again) = (metrics(&query, &traces, &STEPS), metrics(&query, &turned, &STEPS));
        if let Err(difference) = check_series(&found, &again, 1e-9) {
            prop_assert!(false, "{}\n{}\n{}", text, difference, print(&traces));
        }
    }

    #[test]
    fn groups_of_series_add_up(data in bytes(), query in bytes()) {
        let traces = odd_traces(&data);
        let (text, query) = random_metrics(&query);
        let Body::Metrics(Series::Query(MetricsQuery { input, by, .. })) = query.body else {
            return Ok(());
        };
        let counts = |by| {
            let input = input.clone();
            let function = MetricsFunction::CountOverTime;
            let body = Body::Metrics(Series::Query(MetricsQuery { input, function, by }));
            let hints = Default::default();
            let found = metrics(&Query { body, hints }, &traces, &STEPS);
            let mut sums = vec![0.0; STEPS.points().len()];
            for series in &found {
                for (sum, point) in sums.iter_mut().zip(&series.points) {
                    *sum += point.unwrap();
                }
            }
            sums
        };
        let whole = counts(Vec::new());
        for (a, b) in whole.iter().zip(counts(by)) {
            prop_assert!((a - b).abs() < 1e-9, "{}\n{}", text, print(&traces));
        }
    }
}

/// A key to group by: that of a random query that has one.
fn stages_with_key(bytes: &[u8]) -> Stage {
    let by = stages(&random_search(bytes).1)
        .into_iter()
        .find(|stage| matches!(stage, Stage::By(_)));
    by.unwrap_or_else(|| stages(&traceql::compile("by(.a)").unwrap()).remove(0))
}

#[test]
fn random_queries_find_something_in_random_traces() {
    const ROUNDS: u64 = 200;
    let (mut some_spans, mut not_all_spans, mut some_points) = (0, 0, 0);
    for seed in 0..ROUNDS {
        let traces = odd_traces(&random::bytes(seed, 2000));
        let query = random::bytes(seed ^ 0xffff, 200);
        let found = spans(&search(&random_search(&query).1, &traces));
        some_spans += u64::from(!found.is_empty());
        not_all_spans += u64::from(!found.is_empty() && found.len() < all(&traces).len());
        let series = metrics(&random_metrics(&query).1, &traces, &STEPS);
        let mut points = series.iter().flat_map(|series| &series.points);
        some_points += u64::from(points.any(|point| point.is_some_and(|value| value != 0.0)));
    }
    let told = format!("{some_spans} find spans, {not_all_spans} not all; {some_points} points");
    assert!(
        some_spans > ROUNDS / 3 && not_all_spans > ROUNDS / 5,
        "{told}"
    );
    assert!(some_points > ROUNDS / 3, "{told}");
}
