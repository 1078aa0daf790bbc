//! The arithmetic and the order of values: the checker folds constants with it, and it is what engines must agree with.

use std::cmp::Ordering;

use model::DurationNanos;

use crate::query::{ArithOp, CompareOp, Constant};

/// Two numbers computed with, as [`Value::Arith`](crate::query::Value::Arith) says; `None` is nil.
pub fn arith(op: ArithOp, left: &Constant, right: &Constant) -> Option<Constant> {
    use Constant::{Duration, Float, Int};
    let both = (whole(left), whole(right));
    if let (Some(a), Some(b)) = both {
        let is_duration = matches!((left, right), (Duration(_), _) | (_, Duration(_)));
        if op == ArithOp::Pow && b < 0 {
            return finite((a as f64).powf(b as f64));
        }
        let value = whole_arith(op, a, b)?;
        return Some(if is_duration {
            Duration(DurationNanos(value))
        } else {
            Int(value)
        });
    }
    match (left, right) {
        (Float(_), _) | (_, Float(_)) => {
            let (a, b) = (as_f64(left)?, as_f64(right)?);
            finite(match op {
                ArithOp::Add => a + b,
                ArithOp::Sub => a - b,
                ArithOp::Mul => a * b,
                ArithOp::Div => a / b,
                ArithOp::Mod => a % b,
                ArithOp::Pow => a.powf(b),
            })
        }
        _ => None,
    }
}

/// The number with its sign changed; `None` is nil.
pub fn negate(value: &Constant) -> Option<Constant> {
    match value {
        Constant::Int(value) => value.checked_neg().map(Constant::Int),
        Constant::Float(value) => Some(Constant::Float(-value)),
        Constant::Duration(value) => value
            .0
            .checked_neg()
            .map(|nanos| Constant::Duration(DurationNanos(nanos))),
        _ => None,
    }
}

/// Whether a comparison of two single values holds, as [`Condition::Compare`](crate::query::Condition::Compare) says.
pub fn compare(op: CompareOp, left: &Constant, right: &Constant) -> bool {
    match order(left, right) {
        Some(order) => holds(op, order),
        None => match (left, right) {
            (Constant::Bool(a), Constant::Bool(b)) => equality(op, a == b),
            (Constant::Status(a), Constant::Status(b)) => equality(op, a == b),
            (Constant::Kind(a), Constant::Kind(b)) => equality(op, a == b),
            _ => false,
        },
    }
}

/// Whether `op` holds for values in this order.
pub const fn holds(op: CompareOp, order: Ordering) -> bool {
    match op {
        CompareOp::Eq => order.is_eq(),
        CompareOp::Ne => order.is_ne(),
        CompareOp::Lt => order.is_lt(),
        CompareOp::Le => order.is_le(),
        CompareOp::Gt => order.is_gt(),
        CompareOp::Ge => order.is_ge(),
    }
}

const fn equality(op: CompareOp, equal: bool) -> bool {
    match op {
        CompareOp::Eq => equal,
        CompareOp::Ne => !equal,
        _ => false,
    }
}

/// How an integer stands to a double, without rounding either; `None` for NaN.
pub fn order_int_to_float(int: i64, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    // 2^63 is a double; every double in [-2^63, 2^63) cut to an integer fits.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if float >= LIMIT {
        return Some(Ordering::Less);
    }
    if float < -LIMIT {
        return Some(Ordering::Greater);
    }
    let cut = float.trunc();
    let whole = int.cmp(&(cut as i64));
    Some(whole.then_with(|| {
        0.0f64
            .partial_cmp(&(float - cut))
            .unwrap_or(Ordering::Equal)
    }))
}

fn order(left: &Constant, right: &Constant) -> Option<Ordering> {
    match (left, right) {
        (Constant::Str(a), Constant::Str(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
        (Constant::Float(a), Constant::Float(b)) => a.partial_cmp(b),
        (Constant::Float(a), b) => order_int_to_float(whole(b)?, *a).map(Ordering::reverse),
        (a, Constant::Float(b)) => order_int_to_float(whole(a)?, *b),
        (a, b) => Some(whole(a)?.cmp(&whole(b)?)),
    }
}

const fn whole(value: &Constant) -> Option<i64> {
    match value {
        Constant::Int(value) => Some(*value),
        Constant::Duration(value) => Some(value.0),
        _ => None,
    }
}

/// The number as a double, rounded where it must be; durations in nanoseconds.
pub const fn as_f64(value: &Constant) -> Option<f64> {
    match value {
        Constant::Int(value) => Some(*value as f64),
        Constant::Duration(value) => Some(value.0 as f64),
        Constant::Float(value) => Some(*value),
        _ => None,
    }
}

fn finite(value: f64) -> Option<Constant> {
    value.is_finite().then_some(Constant::Float(value))
}

fn whole_arith(op: ArithOp, a: i64, b: i64) -> Option<i64> {
    match op {
        ArithOp::Add => a.checked_add(b),
        ArithOp::Sub => a.checked_sub(b),
        ArithOp::Mul => a.checked_mul(b),
        ArithOp::Div => a.checked_div(b),
        ArithOp::Mod => match b {
            0 => None,
            // The one case that overflows in the machine has a plain answer.
            -1 => Some(0),
            _ => Some(a % b),
        },
        ArithOp::Pow => power(a, b),
    }
}

/// `a` to the power of `b`, which is not negative.
fn power(a: i64, b: i64) -> Option<i64> {
    match a {
        0 | 1 => Some(if b == 0 { 1 } else { a }),
        -1 => Some(if b % 2 == 0 { 1 } else { -1 }),
        _ => a.checked_pow(u32::try_from(b).ok()?),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn whole_numbers_stay_whole() {
        let int = |op, a, b| arith(op, &Constant::Int(a), &Constant::Int(b));
        assert_eq!(int(ArithOp::Pow, 2, 3), Some(Constant::Int(8)));
        assert_eq!(int(ArithOp::Pow, 2, -1), Some(Constant::Float(0.5)));
        assert_eq!(int(ArithOp::Pow, -1, i64::MAX), Some(Constant::Int(-1)));
        assert_eq!(int(ArithOp::Pow, 0, -1), None);
        assert_eq!(int(ArithOp::Div, 7, 2), Some(Constant::Int(3)));
        assert_eq!(int(ArithOp::Div, 7, 0), None);
        assert_eq!(int(ArithOp::Mod, -7, 2), Some(Constant::Int(-1)));
        assert_eq!(int(ArithOp::Mod, i64::MIN, -1), Some(Constant::Int(0)));
        assert_eq!(int(ArithOp::Mod, 1, 0), None);
        assert_eq!(int(ArithOp::Add, i64::MAX, 1), None);
    }

    #[test]
    fn a_double_makes_a_double_and_a_duration_a_duration() {
        let second = Constant::Duration(DurationNanos(1_000_000_000));
        assert_eq!(
            arith(ArithOp::Mul, &second, &Constant::Int(2)),
            Some(Constant::Duration(DurationNanos(2_000_000_000)))
        );
        assert_eq!(
            arith(ArithOp::Mul, &second, &Constant::Float(0.5)),
            Some(Constant::Float(5e8))
        );
        assert_eq!(
            arith(ArithOp::Div, &Constant::Float(1.0), &Constant::Int(0)),
            None
        );
    }

    #[test]
    fn numbers_of_all_types_compare_by_what_they_are() {
        let big = 1 << 53;
        assert!(compare(
            CompareOp::Eq,
            &Constant::Int(2),
            &Constant::Float(2.0)
        ));
        assert!(compare(
            CompareOp::Gt,
            &Constant::Int(big + 1),
            &Constant::Float(big as f64)
        ));
        assert!(
            compare(CompareOp::Lt, &Constant::Float(1e300), &Constant::Int(0))
                == compare(CompareOp::Gt, &Constant::Int(0), &Constant::Float(1e300))
        );
        assert!(compare(
            CompareOp::Lt,
            &Constant::Int(i64::MAX),
            &Constant::Float(9_223_372_036_854_775_808.0)
        ));
        assert!(compare(
            CompareOp::Eq,
            &Constant::Int(i64::MIN),
            &Constant::Float(-9_223_372_036_854_775_808.0)
        ));
        assert!(!compare(
            CompareOp::Ne,
            &Constant::Int(1),
            &Constant::Str("1".into())
        ));
    }

    proptest! {
        #[test]
        fn integers_and_doubles_are_ordered_like_their_exact_values(int in -1_000_000i64..1_000_000, float in -1e6f64..1e6) {
            // In this range every integer is a double.
            prop_assert_eq!(order_int_to_float(int, float), (int as f64).partial_cmp(&float));
        }
    }
}
