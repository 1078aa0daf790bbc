//! Tables filled by hand, and what comes of exemplars.

use evaluate::{Exemplar, FoundSeries, Meter, Number, labels_text};
use model::{SpanId, TraceId, UnixNanos};
use testkit::drawing::ORIGIN;
use testkit::oracle;
use traceql::query::{Constant, Field, Intrinsic};

use crate::answers::{self, meter};

const SECOND: i64 = 1_000_000_000;

/// Points at 0, 10, 20 and 30 s.
const STEPS: oracle::Steps = oracle::Steps::Range {
    start: ORIGIN,
    end: UnixNanos(ORIGIN.0 + 30 * SECOND),
    step: model::DurationNanos(10 * SECOND),
};

fn at(seconds: i64) -> UnixNanos {
    UnixNanos(ORIGIN.0 + seconds * SECOND)
}

fn told(found: &[FoundSeries]) -> Vec<String> {
    let line = |series: &FoundSeries| {
        let points: Vec<_> = series
            .points
            .iter()
            .map(|point| point.map_or("-".to_owned(), |value| value.to_string()))
            .collect();
        format!("{}: {}", labels_text(&series.labels), points.join(" "))
    };
    found.iter().map(line).collect()
}

fn new(text: &str) -> Meter {
    meter(&traceql::compile(text).unwrap(), &STEPS)
}

fn word(text: &str) -> Option<Constant> {
    Some(Constant::Str(text.into()))
}

#[test]
fn groups_are_those_of_their_labels() {
    let mut meter = new("{ } | count_over_time() by (.a, .b)");
    let table = meter.table(0);
    let one = table.group(&[word("x"), None]).unwrap();
    let nil = table.group(&[None, None]).unwrap();
    assert_eq!(table.group(&[word("x"), None]), Ok(one));
    assert_eq!(table.group(&[word("nil"), None]), Ok(nil));
    let zero = table.group(&[Some(Constant::Float(0.0)), None]).unwrap();
    assert_eq!(table.group(&[Some(Constant::Float(-0.0)), None]), Ok(zero));
    assert_ne!(table.group(&[Some(Constant::Int(0)), None]), Ok(zero));
    for (group, point) in [(one, 1), (one, 1), (nil, 3)] {
        table.add_count(group, point, 1.5);
    }
    assert_eq!(
        told(&meter.finish().unwrap()),
        [
            "{.a=\"nil\"}: 0 0 0 1.5",
            "{.a=\"x\"}: 0 3 0 0",
            "{.a=0.0}: 0 0 0 0",
            "{.a=0}: 0 0 0 0",
        ]
    );
}

#[test]
fn values_are_computed_with_as_the_function_says() {
    let values = [
        (1, Number::Int(4)),
        (1, Number::Float(0.5)),
        (1, Number::Float(f64::NAN)),
        (2, Number::Duration(2 * SECOND)),
        (2, Number::Float(f64::INFINITY)),
    ];
    for (function, expected) in [
        (
            "min_over_time(.v)",
            "{__name__=\"min_over_time\"}: - 0.5 2 -",
        ),
        ("max_over_time(.v)", "{__name__=\"max_over_time\"}: - 4 2 -"),
        (
            "avg_over_time(.v)",
            "{__name__=\"avg_over_time\"}: - 2.25 2 -",
        ),
        ("sum_over_time(.v)", "{__name__=\"sum_over_time\"}: - 9 4 -"),
        ("quantile_over_time(.v, 1)", "{p=1.0}: - 4 2 -"),
    ] {
        let mut meter = new(&format!("{{ }} | {function}"));
        assert!(meter.is_weighted() && meter.queries().len() == 1);
        let group = meter.table(0).group(&[]).unwrap();
        for (point, value) in values {
            meter.table(0).add_value(group, point, value, 2.0);
        }
        meter.table(0).check().unwrap();
        assert_eq!(told(&meter.finish().unwrap()), [expected]);
    }
}

#[test]
fn what_is_compared_is_counted_on_its_side() {
    let mut meter = new("{ } | compare({ status = error }, 1)");
    let table = meter.table(0);
    let name = table.attribute(&Field::intrinsic(Intrinsic::Name)).unwrap();
    assert_eq!(
        table.attribute(&Field::intrinsic(Intrinsic::Name)),
        Ok(name)
    );
    for (value, is_selected, point) in [
        ("a", true, 1),
        ("b", true, 1),
        ("b", true, 2),
        ("a", false, 3),
    ] {
        let value = table
            .attribute_value(name, &Constant::Str(value.into()))
            .unwrap();
        table.add_compared(name, value, is_selected, point, 1.0);
        table.add_compared_total(name, is_selected, point, 1.0);
    }
    assert_eq!(
        told(&meter.finish().unwrap()),
        [
            "{__meta_error=\"__too_many_values__\", name=\"nil\"}: - - - -",
            "{__meta_type=\"baseline\", name=\"a\"}: 0 0 0 1",
            "{__meta_type=\"baseline_total\", name=\"nil\"}: 0 0 0 1",
            "{__meta_type=\"selection\", name=\"b\"}: 0 1 1 0",
            "{__meta_type=\"selection_total\", name=\"nil\"}: 0 2 1 0",
        ]
    );
}

// === exemplars ===

fn exemplar(number: u64, seconds: i64, value: f64) -> Exemplar {
    Exemplar {
        trace_id: TraceId([7; 16]),
        span_id: SpanId(number.to_be_bytes()),
        time: at(seconds),
        value,
    }
}

/// Adds an exemplar for each of some times and values, and gives those of each series.
fn shown(text: &str, added: &[(i64, f64)]) -> Vec<(String, Vec<f64>)> {
    let mut meter = new(text);
    let steps = *meter.steps();
    let table = meter.table(0);
    let group = table.group(&[]).unwrap();
    for ((seconds, value), number) in added.iter().zip(1..) {
        let point = steps.position(at(*seconds)).unwrap();
        table.add_count(group, point, 1.0);
        table.add_value(group, point, Number::Float(*value), 1.0);
        if table.wants_exemplar(group, point) {
            table.add_exemplar(group, point, exemplar(number, *seconds, *value));
        }
    }
    let found = meter.finish().unwrap().into_iter();
    found
        .map(|series| {
            let values = series.exemplars.iter().map(|exemplar| exemplar.value);
            (labels_text(&series.labels), values.collect())
        })
        .collect()
}

fn series(label: &str, values: &[f64]) -> (String, Vec<f64>) {
    (format!("{{{label}}}"), values.to_vec())
}

#[test]
fn exemplars_are_spread_over_time_and_as_many_as_wanted() {
    let added = [(1, 1.0), (2, 2.0), (25, 3.0), (12, 4.0), (13, 5.0)];
    let rate = "__name__=\"rate\"";
    assert_eq!(
        shown("{ } | rate()", &added),
        [series(rate, &[1.0, 4.0, 3.0])]
    );
    assert_eq!(
        shown("{ } | rate() with(exemplars=2)", &added),
        [series(rate, &[1.0, 3.0])]
    );
    assert_eq!(
        shown("{ } | rate() with(exemplars=false)", &added),
        [series(rate, &[])]
    );
    // Where a series has no point left, nothing is to be seen.
    assert_eq!(
        shown("{ } | count_over_time() < 2", &added),
        [series("__name__=\"count_over_time\"", &[3.0])]
    );
}

#[test]
fn exemplars_stand_where_their_values_belong() {
    let added = [(1, 3.0), (12, 0.5), (25, 100.0)];
    assert_eq!(
        shown("{ } | histogram_over_time(.v)", &added),
        [
            series("__bucket=0.5", &[0.5]),
            series("__bucket=128.0", &[100.0]),
            series("__bucket=4.0", &[3.0]),
        ]
    );
    let added = [(1, 1.0), (2, 5.0), (25, 9.0)];
    assert_eq!(
        shown("{ } | quantile_over_time(.v, 1, 0.5)", &added),
        [series("p=0.5", &[1.0]), series("p=1.0", &[9.0])]
    );
}

#[test]
fn a_series_with_few_exemplars_leaves_its_share_to_others() {
    let traces = testkit::draw(
        "trace 1\n  s a | server 1000..1001\n  s b | server 1000..1002\n  s b | server 11000..11002\n  s b | server 21000..21002\n",
    )
    .unwrap();
    for (wanted, expected) in [
        (10, [1, 3]),
        (3, [1, 2]),
        (2, [1, 1]),
        (1, [1, 0]),
        (0, [0, 0]),
    ] {
        let text = format!("{{ }} | rate() by (name) with(exemplars={wanted})");
        let mut meter = new(&text);
        answers::each_tree(&traces, |tree| meter.observe(tree).unwrap());
        let found = meter.finish().unwrap();
        let counts: Vec<usize> = found.iter().map(|series| series.exemplars.len()).collect();
        assert_eq!(counts, expected, "{wanted}");
        for exemplar in found.iter().flat_map(|series| &series.exemplars) {
            assert!(exemplar.value == 0.001 || exemplar.value == 0.002);
        }
    }
}
