//! Arithmetic between series, and stages on whole series.

use traceql::query::{Constant, MathOp, Series, SeriesStage};
use traceql::semantics;

use super::metrics::{self, Data};
use super::{FoundSeries, labels_text};

/// The series of a query by the text of their labels.
pub(super) fn answer(series: &Series, data: &Data<'_>) -> Vec<FoundSeries> {
    let mut found = evaluate(series, data);
    for one in &mut found {
        if one.labels.is_empty() {
            let name = Constant::Str(series.name().into());
            one.labels.push(("__name__".to_owned(), name));
        }
    }
    found.sort_by_key(|one| labels_text(&one.labels));
    found
}

/// The series without `__name__`.
fn evaluate(series: &Series, data: &Data<'_>) -> Vec<FoundSeries> {
    match series {
        Series::Query(query) => metrics::query(query, data),
        Series::Constant(value) => {
            let points = vec![Some(*value); data.steps.points().len()];
            let labels = Vec::new();
            vec![FoundSeries { labels, points }]
        }
        Series::Math { op, left, right } => {
            let (left, right) = (evaluate(left, data), evaluate(right, data));
            with_points(math(*op, &left, &right))
        }
        Series::Then { input, stages } => {
            let mut found = evaluate(input, data);
            for stage in stages {
                found = with_points(run_stage(stage, found));
            }
            found
        }
    }
}

fn with_points(mut found: Vec<FoundSeries>) -> Vec<FoundSeries> {
    found.retain(|series| series.points.iter().any(Option::is_some));
    found
}

// === arithmetic ===

/// Series with the same labels pair; one alone that has no labels goes with every series of the other side.
fn math(op: MathOp, left: &[FoundSeries], right: &[FoundSeries]) -> Vec<FoundSeries> {
    let alone = |side: &[FoundSeries]| side.len() == 1 && side[0].labels.is_empty();
    let mut found = Vec::new();
    for l in left {
        for r in right {
            if alone(left) || alone(right) || same_labels(l, r) {
                let labels = if l.labels.is_empty() {
                    &r.labels
                } else {
                    &l.labels
                };
                found.push(FoundSeries {
                    labels: labels.clone(),
                    points: points(op, l, r),
                });
            }
        }
    }
    found
}

fn same_labels(left: &FoundSeries, right: &FoundSeries) -> bool {
    let sorted = |series: &FoundSeries| {
        let one = |label| labels_text(std::slice::from_ref(label));
        let mut texts: Vec<_> = series.labels.iter().map(one).collect();
        texts.sort();
        texts
    };
    sorted(left) == sorted(right)
}

fn points(op: MathOp, left: &FoundSeries, right: &FoundSeries) -> Vec<Option<f64>> {
    let compute = |a: f64, b: f64| match op {
        MathOp::Add => a + b,
        MathOp::Sub => a - b,
        MathOp::Mul => a * b,
        MathOp::Div => a / b,
    };
    left.points
        .iter()
        .zip(&right.points)
        .map(|(a, b)| Some(compute((*a)?, (*b)?)).filter(|result| result.is_finite()))
        .collect()
}

// === stages ===

fn run_stage(stage: &SeriesStage, mut found: Vec<FoundSeries>) -> Vec<FoundSeries> {
    match stage {
        SeriesStage::TopK(count) => keep_ranked(&mut found, *count, |a, b| b > a),
        SeriesStage::BottomK(count) => keep_ranked(&mut found, *count, |a, b| a > b),
        SeriesStage::Threshold { op, value } => {
            let passes = |point: &f64| {
                semantics::compare(*op, &Constant::Float(*point), &Constant::Float(*value))
            };
            for series in &mut found {
                for point in &mut series.points {
                    *point = point.filter(passes);
                }
            }
        }
    }
    found
}

/// Keeps at each point the first `count` series; of equal ones, those come first whose labels do as text.
fn keep_ranked(found: &mut [FoundSeries], count: u64, is_behind: impl Fn(f64, f64) -> bool) {
    found.sort_by_key(|series| labels_text(&series.labels));
    let points = found.first().map_or(0, |series| series.points.len());
    for at in 0..points {
        let values: Vec<Option<f64>> = found.iter().map(|series| series.points[at]).collect();
        for (index, series) in found.iter_mut().enumerate() {
            let Some(value) = values[index] else {
                continue;
            };
            let before = values.iter().enumerate().filter(|(other, theirs)| {
                theirs.is_some_and(|theirs| {
                    is_behind(value, theirs) || (value == theirs && *other < index)
                })
            });
            if before.count() as u64 >= count {
                series.points[at] = None;
            }
        }
    }
}
