//! Arithmetic between series, and stages on whole series.

use std::cmp::Ordering;

use hashbrown::HashMap;
use traceql::query::{CompareOp, MathOp, SeriesStage};
use traceql::semantics;

use crate::{FoundSeries, labels_text};

/// Series that have a point.
pub(super) fn with_points(found: &mut Vec<FoundSeries>) {
    found.retain(|series| series.points.iter().any(Option::is_some));
}

// === arithmetic ===

/// Series with the same labels pair; one alone that has no labels goes with every series of the other side.
pub(super) fn math(op: MathOp, left: &[FoundSeries], right: &[FoundSeries]) -> Vec<FoundSeries> {
    let alone = |side: &[FoundSeries]| side.len() == 1 && side[0].labels.is_empty();
    let mut found = Vec::new();
    if alone(left) || alone(right) {
        for l in left {
            found.extend(right.iter().map(|r| pair(op, l, r)));
        }
    } else {
        let mut by_labels: HashMap<Vec<String>, Vec<&FoundSeries>> = HashMap::new();
        for r in right {
            by_labels.entry(sorted_labels(r)).or_default().push(r);
        }
        for l in left {
            let pairs = by_labels.get(&sorted_labels(l));
            found.extend(pairs.into_iter().flatten().map(|r| pair(op, l, r)));
        }
    }
    with_points(&mut found);
    found
}

/// The texts of labels, in whatever order a query names its keys.
fn sorted_labels(series: &FoundSeries) -> Vec<String> {
    let one = |label| labels_text(std::slice::from_ref(label));
    let mut texts: Vec<_> = series.labels.iter().map(one).collect();
    texts.sort_unstable();
    texts
}

fn pair(op: MathOp, left: &FoundSeries, right: &FoundSeries) -> FoundSeries {
    let compute = |a: f64, b: f64| match op {
        MathOp::Add => a + b,
        MathOp::Sub => a - b,
        MathOp::Mul => a * b,
        MathOp::Div => a / b,
    };
    let labels = if left.labels.is_empty() {
        &right.labels
    } else {
        &left.labels
    };
    let pairs = left.points.iter().zip(&right.points);
    FoundSeries {
        labels: labels.clone(),
        points: pairs
            .map(|(a, b)| Some(compute((*a)?, (*b)?)).filter(|result| result.is_finite()))
            .collect(),
        exemplars: [&left.exemplars[..], &right.exemplars].concat(),
    }
}

// === stages ===

pub(super) fn run_stage(stage: &SeriesStage, found: &mut Vec<FoundSeries>) {
    match stage {
        SeriesStage::TopK(count) => keep_ranked(found, *count, |a, b| b.partial_cmp(a)),
        SeriesStage::BottomK(count) => keep_ranked(found, *count, f64::partial_cmp),
        SeriesStage::Threshold { op, value } => keep_passing(found, *op, *value),
    }
    with_points(found);
}

fn keep_passing(found: &mut [FoundSeries], op: CompareOp, value: f64) {
    let passes = |point: &f64| {
        let order = point.partial_cmp(&value);
        order.is_some_and(|order| semantics::holds(op, order))
    };
    for series in found {
        for point in &mut series.points {
            *point = point.filter(passes);
        }
    }
}

/// Keeps at each point the first `count` series; of equal ones, those whose labels come first as text.
fn keep_ranked(
    found: &mut [FoundSeries],
    count: u64,
    order: impl Fn(&f64, &f64) -> Option<Ordering>,
) {
    found.sort_by_cached_key(|series| labels_text(&series.labels));
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let points = found.first().map_or(0, |series| series.points.len());
    let mut ranked: Vec<(f64, usize)> = Vec::with_capacity(found.len());
    for at in 0..points {
        ranked.clear();
        let values = found.iter().zip(0..);
        ranked.extend(values.filter_map(|(series, index)| Some((series.points[at]?, index))));
        if ranked.len() <= count {
            continue;
        }
        ranked.select_nth_unstable_by(count, |a, b| {
            order(&a.0, &b.0)
                .unwrap_or(Ordering::Equal)
                .then(a.1.cmp(&b.1))
        });
        for (_, index) in &ranked[count..] {
            found[*index].points[at] = None;
        }
    }
}
