//! Folding of what does not depend on the span, so that an engine meets a constant only where one matters.

use crate::query::{ArithOp, Condition, Constant, Scalar, Value};
use crate::semantics;

/// `left op right`, computed when both are constants. What would be nil stays as it is: nil has no constant.
pub(super) fn arith(op: ArithOp, left: Value, right: Value) -> Value {
    if let (Value::Constant(a), Value::Constant(b)) = (&left, &right)
        && let Some(value) = semantics::arith(op, a, b)
    {
        return Value::Constant(value);
    }
    Value::Arith {
        op,
        left: Box::new(left),
        right: Box::new(right),
    }
}

/// `-value`
pub(super) fn negate(value: Value) -> Value {
    match &value {
        Value::Constant(constant) => semantics::negate(constant).map(Value::Constant),
        _ => None,
    }
    .unwrap_or_else(|| Value::Negate(Box::new(value)))
}

/// `left op right` of numbers computed from spansets.
pub(super) fn scalar_arith(op: ArithOp, left: Scalar, right: Scalar) -> Scalar {
    if let (Scalar::Constant(a), Scalar::Constant(b)) = (&left, &right)
        && let Some(value) = semantics::arith(op, a, b)
    {
        return Scalar::Constant(value);
    }
    Scalar::Arith {
        op,
        left: Box::new(left),
        right: Box::new(right),
    }
}

/// `-value`
pub(super) fn scalar_negate(value: Scalar) -> Scalar {
    match &value {
        Scalar::Constant(constant) => semantics::negate(constant).map(Scalar::Constant),
        _ => None,
    }
    .unwrap_or_else(|| Scalar::Negate(Box::new(value)))
}

/// `!condition`
pub(super) fn not(condition: Condition) -> Condition {
    match condition {
        Condition::Const(value) => Condition::Const(!value),
        Condition::Not(inner) => *inner,
        other => Condition::Not(Box::new(other)),
    }
}

/// All of them, constants dropped.
pub(super) fn and(operands: Vec<Condition>) -> Condition {
    chain(operands, true, Condition::And)
}

/// Any of them, constants dropped.
pub(super) fn or(operands: Vec<Condition>) -> Condition {
    chain(operands, false, Condition::Or)
}

fn chain(
    mut operands: Vec<Condition>,
    neutral: bool,
    join: fn(Vec<Condition>) -> Condition,
) -> Condition {
    if operands.contains(&Condition::Const(!neutral)) {
        return Condition::Const(!neutral);
    }
    operands.retain(|operand| *operand != Condition::Const(neutral));
    match operands.len() {
        0 => Condition::Const(neutral),
        1 => operands.remove(0),
        _ => join(operands),
    }
}

/// A value as a condition: itself, if it is one.
pub(super) fn condition(value: Value) -> Condition {
    match value {
        Value::Condition(condition) => *condition,
        Value::Constant(Constant::Bool(value)) => Condition::Const(value),
        other => Condition::IsTrue(other),
    }
}

/// A condition as a value.
pub(super) fn value(condition: Condition) -> Value {
    match condition {
        Condition::Const(value) => Value::Constant(Constant::Bool(value)),
        other => Value::Condition(Box::new(other)),
    }
}
