//! Conditions and values of a span.

use traceql::query::{CompareOp, Condition, Constant, Pattern, Value};
use traceql::semantics;

use super::Shown;
use super::field::read;
use super::tree::Tree;

/// Whether the condition holds for a span.
pub(super) fn holds(condition: &Condition, span: usize, tree: &Tree<'_>) -> bool {
    let value = |value: &Value| evaluate(value, span, tree);
    match condition {
        Condition::Const(constant) => *constant,
        Condition::IsTrue(inner) => {
            matches!(value(inner), Some(Shown::One(Constant::Bool(true))))
        }
        Condition::Not(inner) => !holds(inner, span, tree),
        Condition::And(operands) => operands.iter().all(|operand| holds(operand, span, tree)),
        Condition::Or(operands) => operands.iter().any(|operand| holds(operand, span, tree)),
        Condition::Compare { op, left, right } => compare(*op, value(left), value(right)),
        Condition::Matches {
            negated,
            value: text,
            pattern,
        } => matches_pattern(*negated, value(text), pattern),
        Condition::IsNil {
            negated,
            value: inner,
        } => value(inner).is_none() != *negated,
    }
}

/// Any pair of elements for all operators but `!=`, which needs every pair.
fn compare(op: CompareOp, left: Option<Shown>, right: Option<Shown>) -> bool {
    let (Some(left), Some(right)) = (left, right) else {
        return false;
    };
    let pair = |a: &Shown, b: &Shown| match (a, b) {
        (Shown::One(a), Shown::One(b)) => semantics::compare(op, a, b),
        _ => false,
    };
    let (left, right) = (elements(left), elements(right));
    if op == CompareOp::Ne {
        left.iter().all(|a| right.iter().all(|b| pair(a, b)))
    } else {
        left.iter().any(|a| right.iter().any(|b| pair(a, b)))
    }
}

/// Any element for `=~`, every element for `!~`.
fn matches_pattern(negated: bool, value: Option<Shown>, pattern: &Pattern) -> bool {
    let Some(value) = value else {
        return false;
    };
    let one = |element: &Shown| match element {
        Shown::One(Constant::Str(text)) => pattern.is_match(text) != negated,
        _ => false,
    };
    let elements = elements(value);
    if negated {
        elements.iter().all(one)
    } else {
        elements.iter().any(one)
    }
}

/// The elements of an array, or the value itself. Never empty: an empty array is nil.
pub(super) fn elements(value: Shown) -> Vec<Shown> {
    match value {
        Shown::Many(items) => items,
        one => vec![one],
    }
}

/// The value for a span; `None` is nil.
pub(super) fn evaluate(value: &Value, span: usize, tree: &Tree<'_>) -> Option<Shown> {
    let number = |value: &Value| match evaluate(value, span, tree)? {
        Shown::One(constant) => Some(constant),
        _ => None,
    };
    match value {
        Value::Constant(constant) => Some(Shown::One(constant.clone())),
        Value::Field(field) => read(field, span, tree),
        Value::Negate(inner) => semantics::negate(&number(inner)?).map(Shown::One),
        Value::Arith { op, left, right } => {
            semantics::arith(*op, &number(left)?, &number(right)?).map(Shown::One)
        }
        Value::Condition(condition) => {
            let holds = holds(condition, span, tree);
            Some(Shown::One(Constant::Bool(holds)))
        }
    }
}

/// The value of a group key: the first of an array; the string `nil` when there is none.
pub(super) fn key(value: Option<Shown>) -> Option<Constant> {
    match one_zero(elements(value?).swap_remove(0)) {
        Shown::One(constant) => Some(constant),
        other => Some(Constant::Str(other.to_string().into())),
    }
}

/// Zero is one value, whatever its sign.
pub(super) fn one_zero(value: Shown) -> Shown {
    match value {
        // The sum of the two zeros is the positive one.
        Shown::One(Constant::Float(float)) => Shown::One(Constant::Float(float + 0.0)),
        other => other,
    }
}
