//! What texts are checked into.

use model::{DurationNanos, StatusCode};
use traceql::query::{
    Aggregate, ArithOp, Body, CompareOp, Condition, Constant, Field, Intrinsic, Mode, Relation,
    Scalar, ScalarFilter, Scope, Series, SeriesStage, Spansets, Stage, Value,
};
use traceql::{Query, compile};

#[track_caller]
fn query(text: &str) -> Query {
    compile(text).unwrap_or_else(|diagnostics| panic!("{}", traceql::render(text, &diagnostics)))
}

#[track_caller]
fn condition(text: &str) -> Condition {
    query(text).as_filter().expect("one filter").clone()
}

#[track_caller]
fn stages(text: &str) -> Vec<Stage> {
    match query(text).body {
        Body::Search(pipeline) => pipeline.stages,
        Body::Metrics(_) => panic!("{text} is a metrics query"),
    }
}

#[track_caller]
fn series(text: &str) -> Series {
    match query(text).body {
        Body::Metrics(series) => series,
        Body::Search(_) => panic!("{text} is no metrics query"),
    }
}

fn attribute(name: &str) -> Value {
    Value::Field(Field::attribute(Scope::Any, name))
}

fn compare(op: CompareOp, left: Value, right: Constant) -> Condition {
    let right = Value::Constant(right);
    Condition::Compare { op, left, right }
}

#[test]
fn both_spellings_of_an_intrinsic_are_one_field() {
    let field = Value::Field(Field::intrinsic(Intrinsic::Status));
    let error = compare(CompareOp::Eq, field, Constant::Status(StatusCode::Error));
    for text in [
        "{ status = error }",
        "{ span:status = error }",
        "{ error = status }",
    ] {
        assert_eq!(condition(text), error, "{text}");
    }
}

#[test]
fn logic_groups_from_left_to_right_with_equal_strength() {
    assert_eq!(
        condition("{ true || true && false }"),
        Condition::Const(false)
    );
    let is_true = |name| Condition::IsTrue(attribute(name));
    assert_eq!(
        condition("{ .a || .b && .c }"),
        Condition::And(vec![
            Condition::Or(vec![is_true("a"), is_true("b")]),
            is_true("c")
        ])
    );
    assert_eq!(
        condition("{ !.a = .b }"),
        Condition::Compare {
            op: CompareOp::Eq,
            left: Value::Condition(Box::new(Condition::Not(Box::new(is_true("a"))))),
            right: attribute("b"),
        }
    );
}

#[test]
fn constants_are_folded_and_stand_on_the_right() {
    assert_eq!(
        condition("{ 2 * 3 + 1 < .a }"),
        compare(CompareOp::Gt, attribute("a"), Constant::Int(7))
    );
    let duration = Value::Field(Field::intrinsic(Intrinsic::Duration));
    assert_eq!(
        condition("{ duration > 1.5s + 500ms }"),
        compare(
            CompareOp::Gt,
            duration,
            Constant::Duration(DurationNanos::from_secs(2))
        )
    );
    assert_eq!(condition("{ 2 ^ 3 = 8 }"), Condition::Const(true));
    assert_eq!(condition("{ -2 ^ 2 = 4 }"), Condition::Const(true));
    assert_eq!(condition("{ 2 ^ 3 ^ 0 = 2.0 }"), Condition::Const(true));
    assert_eq!(condition("{ nil != nil }"), Condition::Const(false));
    assert_eq!(condition("{ .a || true }"), Condition::Const(true));
    assert_eq!(
        condition("{ .a && true }"),
        Condition::IsTrue(attribute("a"))
    );
}

#[test]
fn what_has_no_value_is_not_folded() {
    assert_eq!(
        condition("{ .a > 1 / 0 }"),
        Condition::Compare {
            op: CompareOp::Gt,
            left: attribute("a"),
            right: Value::Arith {
                op: ArithOp::Div,
                left: Box::new(Value::Constant(Constant::Int(1))),
                right: Box::new(Value::Constant(Constant::Int(0))),
            },
        }
    );
}

#[test]
fn ids_are_compared_in_full_width() {
    let id = Value::Field(Field::intrinsic(Intrinsic::SpanId));
    for text in [
        r#"{ span:id = "A1" }"#,
        r#"{ span:id = "00000000000000a1" }"#,
    ] {
        assert_eq!(
            condition(text),
            compare(
                CompareOp::Eq,
                id.clone(),
                Constant::Str("00000000000000a1".into())
            )
        );
    }
}

#[test]
fn a_pattern_matches_the_whole_value() {
    let Condition::Matches { pattern, .. } = condition(r#"{ name =~ "GET|POST" }"#) else {
        panic!("no pattern");
    };
    assert!(pattern.is_match("GET") && pattern.is_match("POST"));
    assert!(!pattern.is_match("GETS") && !pattern.is_match("A POST"));
    assert_eq!(pattern.literals(), Some(vec!["GET", "POST"]));
}

#[test]
fn the_parent_without_a_value_is_a_root() {
    let root = condition("{ nestedSetParent < 0 }");
    assert_eq!(condition("{ parent = nil }"), root);
    let not_root = condition("{ nestedSetParent >= 0 }");
    assert_eq!(condition("{ parent != nil }"), not_root);
}

#[test]
fn structure_binds_stronger_than_logic() {
    let filter = |name| Spansets::Filter(Condition::IsTrue(attribute(name)));
    assert_eq!(
        stages("{ .a } || { .b } !>> { .c }"),
        [Stage::Spansets(Spansets::Or(vec![
            filter("a"),
            Spansets::Related {
                relation: Relation::Descendant,
                mode: Mode::RightWithout,
                left: Box::new(filter("b")),
                right: Box::new(filter("c")),
            }
        ]))]
    );
}

#[test]
fn one_pipeline_compared_with_a_constant_becomes_stages() {
    let plain = stages("{ .a } | by(.b) | 2 * count() > 4");
    assert_eq!(
        stages("({ .a } | by(.b) | count()) * 2 > 4").len(),
        plain.len()
    );
    assert_eq!(stages("2 * ({ .a } | by(.b) | count()) > 4"), plain);
    assert_eq!(stages("4 < 2 * ({ .a } | by(.b) | count())"), plain);
    assert_eq!(stages("({ .a } | by(.b) | 2 * count() > 4)"), plain);
}

#[test]
fn two_pipelines_are_compared_over_the_same_input() {
    let [Stage::Keep(ScalarFilter { op, left, right })] =
        &stages("({ .a } | count()) > ({ .b } | count())")[..]
    else {
        panic!("one filter");
    };
    assert_eq!(*op, CompareOp::Gt);
    for (side, name) in [(left, "a"), (right, "b")] {
        let Scalar::Over { pipeline, scalar } = side else {
            panic!("{side:?}");
        };
        assert_eq!(
            **scalar,
            Scalar::Aggregate(Aggregate::Count, "count()".into())
        );
        assert_eq!(
            pipeline.as_filter(),
            Some(&Condition::IsTrue(attribute(name)))
        );
    }
}

#[test]
fn group_keys_are_named_like_the_call() {
    let labels: Vec<String> =
        stages("{ } | by(resource.service.name) | by(1 + .a) | by(span:name)")
            .iter()
            .filter_map(|stage| match stage {
                Stage::By(key) => Some(key.label.clone()),
                _ => None,
            })
            .collect();
    assert_eq!(
        labels,
        ["by(resource.service.name)", "by(1 + .a)", "by(span:name)"]
    );
    let series = series(r#"{ } | rate() by (resource.service.name, .a, span."b c", name)"#);
    let labels: Vec<&str> = series.queries()[0]
        .by
        .iter()
        .map(|column| &*column.label)
        .collect();
    assert_eq!(
        labels,
        ["resource.service.name", ".a", "span.\"b c\"", "name"]
    );
}

#[test]
fn thresholds_are_in_seconds_and_arithmetic_of_whole_numbers_is_whole() {
    let Series::Then { stages, .. } = series("{ } | max_over_time(duration) > 500ms") else {
        panic!("no threshold");
    };
    let op = CompareOp::Gt;
    assert_eq!(stages, [SeriesStage::Threshold { op, value: 0.5 }]);
    let Series::Math { right, .. } = series("({ } | rate()) * (1 / 2)") else {
        panic!("no arithmetic");
    };
    assert_eq!(*right, Series::Constant(0.0));
}

#[test]
fn series_are_named_by_what_they_are_computed_from() {
    let name = |text| series(text).name();
    assert_eq!(name("{ } | rate() by (name) | topk(3)"), "rate");
    assert_eq!(
        name("({ } | count_over_time()) / ({ .a } | count_over_time())"),
        "(count_over_time / count_over_time)"
    );
    assert_eq!(
        name("1 - ({ .a } | rate()) / ({ } | rate()) > 0.5"),
        "(1 - (rate / rate))"
    );
}

#[test]
fn every_field_is_listed_once() {
    let fields: Vec<String> = query(
        r#"{ .a = 1 && name = "x" } >> { .a = 2 } | by(duration / 1s) | max(.b) > 1 | select(name, .c)"#,
    )
    .fields()
    .iter()
    .map(ToString::to_string)
    .collect();
    assert_eq!(fields, [".a", "name", "duration", ".b", ".c"]);
}
