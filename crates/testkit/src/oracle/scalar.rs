//! Numbers computed from spansets, and filters that compare them.

use model::DurationNanos;
use traceql::query::{Aggregate, CompareOp, Constant, Scalar, ScalarFilter, Value};
use traceql::semantics;

use super::Shown;
use super::condition::{elements, evaluate};
use super::spanset::{Spans, spans_of};
use super::tree::Tree;

/// The spans that the filter keeps of a spanset; `None` when it does not hold.
pub(super) fn keep(filter: &ScalarFilter, spans: &Spans, tree: &Tree<'_>) -> Option<Spans> {
    let left = number(&filter.left, spans, tree)?;
    let right = number(&filter.right, spans, tree)?;
    if !semantics::compare(filter.op, &left, &right) {
        return None;
    }
    let mut kept = Spans::new();
    looked_at(&filter.left, spans, tree, &mut kept);
    looked_at(&filter.right, spans, tree, &mut kept);
    Some(kept)
}

/// Name and value of each aggregate over the spanset itself.
pub(super) fn values(
    filter: &ScalarFilter,
    spans: &Spans,
    tree: &Tree<'_>,
) -> Vec<(String, Constant)> {
    fn of(scalar: &Scalar, spans: &Spans, tree: &Tree<'_>) -> Vec<(String, Constant)> {
        match scalar {
            Scalar::Constant(_) | Scalar::Over { .. } => Vec::new(),
            Scalar::Aggregate(aggregate, label) => {
                let value = self::aggregate(aggregate, spans, tree);
                value
                    .map(|value| (label.to_string(), value))
                    .into_iter()
                    .collect()
            }
            Scalar::Negate(inner) => of(inner, spans, tree),
            Scalar::Arith { left, right, .. } => {
                [of(left, spans, tree), of(right, spans, tree)].concat()
            }
        }
    }
    [
        of(&filter.left, spans, tree),
        of(&filter.right, spans, tree),
    ]
    .concat()
}

/// Adds the spans that the aggregates of a number look at.
fn looked_at(scalar: &Scalar, spans: &Spans, tree: &Tree<'_>, kept: &mut Spans) {
    match scalar {
        Scalar::Constant(_) => {}
        Scalar::Aggregate(..) => kept.extend(spans),
        Scalar::Over { pipeline, scalar } => {
            looked_at(scalar, &spans_of(pipeline, spans, tree), tree, kept);
        }
        Scalar::Negate(inner) => looked_at(inner, spans, tree, kept),
        Scalar::Arith { left, right, .. } => {
            looked_at(left, spans, tree, kept);
            looked_at(right, spans, tree, kept);
        }
    }
}

/// The number for a spanset; `None` is nil.
fn number(scalar: &Scalar, spans: &Spans, tree: &Tree<'_>) -> Option<Constant> {
    match scalar {
        Scalar::Constant(constant) => Some(constant.clone()),
        Scalar::Aggregate(aggregate, _) => self::aggregate(aggregate, spans, tree),
        Scalar::Over { pipeline, scalar } => number(scalar, &spans_of(pipeline, spans, tree), tree),
        Scalar::Negate(inner) => semantics::negate(&number(inner, spans, tree)?),
        Scalar::Arith { op, left, right } => semantics::arith(
            *op,
            &number(left, spans, tree)?,
            &number(right, spans, tree)?,
        ),
    }
}

fn aggregate(aggregate: &Aggregate, spans: &Spans, tree: &Tree<'_>) -> Option<Constant> {
    let numbers = |value: &Value| -> Vec<Constant> {
        spans
            .iter()
            .filter_map(|span| evaluate(value, *span, tree))
            .flat_map(numbers)
            .collect()
    };
    let number = match aggregate {
        Aggregate::Count => Some(Constant::Int(spans.len() as i64)),
        Aggregate::Avg(value) => mean(&numbers(value)),
        Aggregate::Min(value) => extreme(CompareOp::Lt, numbers(value)),
        Aggregate::Max(value) => extreme(CompareOp::Gt, numbers(value)),
        Aggregate::Sum(value) => sum(&numbers(value)),
    };
    // Zero has no sign.
    number.map(|number| match number {
        Constant::Float(0.0) => Constant::Float(0.0),
        other => other,
    })
}

/// The finite numbers that a value holds.
pub(super) fn numbers(value: Shown) -> Vec<Constant> {
    elements(value)
        .into_iter()
        .filter_map(|element| match element {
            Shown::One(constant) => Some(constant),
            _ => None,
        })
        .filter(|constant| semantics::as_f64(constant).is_some_and(f64::is_finite))
        .collect()
}

/// The number that is `op` than all others; of equal ones, the integer before the duration before the double.
fn extreme(op: CompareOp, mut numbers: Vec<Constant>) -> Option<Constant> {
    numbers.sort_by_key(|number| match number {
        Constant::Int(_) => 0,
        Constant::Duration(_) => 1,
        _ => 2,
    });
    numbers.into_iter().reduce(|best, number| {
        if semantics::compare(op, &number, &best) {
            number
        } else {
            best
        }
    })
}

fn sum(numbers: &[Constant]) -> Option<Constant> {
    if numbers.is_empty() {
        return None;
    }
    match whole_sum(numbers) {
        Some(sum) => {
            let sum = i64::try_from(sum).ok()?;
            let any_duration = numbers.iter().any(|n| matches!(n, Constant::Duration(_)));
            Some(if any_duration {
                Constant::Duration(DurationNanos(sum))
            } else {
                Constant::Int(sum)
            })
        }
        None => finite(float_sum(numbers)),
    }
}

fn mean(numbers: &[Constant]) -> Option<Constant> {
    let count = numbers.len();
    if count == 0 {
        return None;
    }
    let all_durations = numbers.iter().all(|n| matches!(n, Constant::Duration(_)));
    match whole_sum(numbers) {
        Some(sum) if all_durations => {
            let mean = i64::try_from(sum / count as i128).ok()?;
            Some(Constant::Duration(DurationNanos(mean)))
        }
        Some(sum) => finite(sum as f64 / count as f64),
        None => finite(float_sum(numbers) / count as f64),
    }
}

/// The exact sum; `None` when a double is among the numbers.
fn whole_sum(numbers: &[Constant]) -> Option<i128> {
    numbers
        .iter()
        .map(|number| match number {
            Constant::Int(int) => Some(i128::from(*int)),
            Constant::Duration(duration) => Some(i128::from(duration.0)),
            _ => None,
        })
        .sum()
}

fn float_sum(numbers: &[Constant]) -> f64 {
    numbers.iter().filter_map(semantics::as_f64).sum()
}

fn finite(value: f64) -> Option<Constant> {
    value.is_finite().then_some(Constant::Float(value))
}
