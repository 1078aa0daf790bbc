//! A comparison with a constant, decided for single values.

use std::cmp::Ordering;

use model::{DurationNanos, SpanKind, StatusCode, Value, ValueRef};
use traceql::query::{self, CompareOp, Condition, Constant, Field, Pattern};
use traceql::semantics;

use super::value::{constant, constant_of_element};

/// What a condition asks of one field.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    /// Compares with a constant.
    Compare(CompareOp, Constant),
    /// Matches a pattern, or does not.
    Matches { negated: bool, pattern: Pattern },
    /// Is there no value, or one?
    IsNil { negated: bool },
    /// Is it the boolean true?
    IsTrue,
}

impl Test {
    /// The field and the test of a condition that looks at one field only; `None` for other conditions.
    pub(crate) fn of(condition: &Condition) -> Option<(&Field, Self)> {
        fn field(value: &query::Value) -> Option<&Field> {
            match value {
                query::Value::Field(field) => Some(field),
                _ => None,
            }
        }
        match condition {
            Condition::Compare {
                op,
                left,
                right: query::Value::Constant(constant),
            } => Some((field(left)?, Self::Compare(*op, constant.clone()))),
            Condition::Matches {
                negated,
                value,
                pattern,
            } => {
                let (negated, pattern) = (*negated, pattern.clone());
                Some((field(value)?, Self::Matches { negated, pattern }))
            }
            Condition::IsNil { negated, value } => {
                Some((field(value)?, Self::IsNil { negated: *negated }))
            }
            Condition::IsTrue(value) => Some((field(value)?, Self::IsTrue)),
            _ => None,
        }
    }

    /// The text that a value must be equal to.
    pub(crate) fn sought(&self) -> Option<&str> {
        match self {
            Self::Compare(CompareOp::Eq, Constant::Str(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether it asks every element of an array, not any.
    pub(crate) fn asks_every(&self) -> bool {
        matches!(
            self,
            Self::Compare(CompareOp::Ne, _) | Self::Matches { negated: true, .. }
        )
    }

    /// Whether it holds where there is no value.
    pub(crate) fn of_nil(&self) -> bool {
        matches!(self, Self::IsNil { negated: false })
    }

    /// Whether it holds for the value of an attribute.
    pub(crate) fn of_value(&self, value: ValueRef<'_>) -> bool {
        match value {
            ValueRef::Str(text) => self.of_text(text),
            ValueRef::Json(text) => self.of_json(text),
            other => constant(other).is_some_and(|one| self.of_constant(&one)),
        }
    }

    pub(crate) fn of_text(&self, text: &str) -> bool {
        match self {
            Self::Compare(op, Constant::Str(other)) => {
                semantics::holds(*op, text.as_bytes().cmp(other.as_bytes()))
            }
            Self::Compare(..) | Self::IsTrue => false,
            Self::Matches { negated, pattern } => pattern.is_match(text) != *negated,
            Self::IsNil { negated } => *negated,
        }
    }

    pub(crate) fn of_constant(&self, value: &Constant) -> bool {
        match self {
            Self::Compare(op, other) => semantics::compare(*op, value, other),
            Self::Matches { .. } => match value {
                Constant::Str(text) => self.of_text(text),
                _ => false,
            },
            Self::IsNil { negated } => *negated,
            Self::IsTrue => *value == Constant::Bool(true),
        }
    }

    pub(crate) fn of_status(&self, status: StatusCode) -> bool {
        self.of_constant(&Constant::Status(status))
    }

    pub(crate) fn of_kind(&self, kind: SpanKind) -> bool {
        self.of_constant(&Constant::Kind(kind))
    }

    pub(crate) fn of_duration(&self, nanos: i64) -> bool {
        self.of_constant(&Constant::Duration(DurationNanos(nanos)))
    }

    /// An array by its elements; a map, bytes, or an array inside of an array compare with nothing.
    fn of_json(&self, text: &str) -> bool {
        let items = match Value::from_canonical(text) {
            Ok(Value::Empty) => return self.of_nil(),
            Ok(Value::Array(items)) if items.is_empty() => return self.of_nil(),
            Ok(Value::Array(items)) => items,
            _ => return matches!(self, Self::IsNil { negated: true }),
        };
        let one = |item: &Value| {
            constant_of_element(item).is_some_and(|element| self.of_constant(&element))
        };
        match self {
            Self::IsNil { negated } => *negated,
            Self::IsTrue => false,
            _ if self.asks_every() => items.iter().all(one),
            _ => items.iter().any(one),
        }
    }

    /// The durations, in nanoseconds, for which it holds: those from the first to the second, or all but them. `None` when
    /// it cannot be said so.
    pub(crate) fn durations(&self) -> Option<Durations> {
        let Self::Compare(op, constant) = self else {
            return None;
        };
        let stands = |nanos: i64| order(nanos, constant);
        stands(0)?;
        // The first duration that is not below the constant, and the first that is above it.
        let not_below = first(|nanos| stands(nanos).is_some_and(Ordering::is_ge));
        let above = first(|nanos| stands(nanos).is_some_and(Ordering::is_gt));
        let range = |from: Option<i64>, to: Option<i64>| {
            // `to` is the first that is not in it.
            let to = match to {
                Some(i64::MIN) => return (1, 0),
                Some(to) => to - 1,
                None => i64::MAX,
            };
            from.map_or((1, 0), |from| (from, to))
        };
        let (from, to, outside) = match op {
            CompareOp::Lt => pair(range(Some(i64::MIN), not_below), false),
            CompareOp::Le => pair(range(Some(i64::MIN), above), false),
            CompareOp::Gt => pair(range(above, None), false),
            CompareOp::Ge => pair(range(not_below, None), false),
            CompareOp::Eq => pair(range(not_below, above), false),
            CompareOp::Ne => pair(range(not_below, above), true),
        };
        Some(Durations { from, to, outside })
    }
}

fn pair((from, to): (i64, i64), outside: bool) -> (i64, i64, bool) {
    (from, to, outside)
}

/// The durations from one to another, both included, or all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Durations {
    from: i64,
    to: i64,
    outside: bool,
}

impl Durations {
    #[inline]
    pub(crate) fn has(self, nanos: i64) -> bool {
        (self.from <= nanos && nanos <= self.to) != self.outside
    }

    /// The least duration in it, when it has no others than those from there on.
    pub(crate) fn least(&self) -> Option<i64> {
        (!self.outside && self.from > i64::MIN).then_some(self.from)
    }
}

fn order(nanos: i64, constant: &Constant) -> Option<Ordering> {
    let duration = Constant::Duration(DurationNanos(nanos));
    let holds = |op| semantics::compare(op, &duration, constant);
    if holds(CompareOp::Lt) {
        Some(Ordering::Less)
    } else if holds(CompareOp::Eq) {
        Some(Ordering::Equal)
    } else if holds(CompareOp::Gt) {
        Some(Ordering::Greater)
    } else {
        None
    }
}

/// The first number for which `holds`, which does for every greater one; `None` when it does for none.
fn first(holds: impl Fn(i64) -> bool) -> Option<i64> {
    let (mut below, mut from) = (i128::from(i64::MIN) - 1, i128::from(i64::MAX) + 1);
    while from - below > 1 {
        let middle = below + (from - below) / 2;
        // Between the two bounds, so it fits.
        if holds(middle as i64) {
            from = middle;
        } else {
            below = middle;
        }
    }
    i64::try_from(from).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_durations_say_what_comparisons_say() {
        let constants = [
            Constant::Int(5),
            Constant::Float(5.5),
            Constant::Float(5.0),
            Constant::Float(-1e300),
            Constant::Float(1e300),
            Constant::Duration(DurationNanos(i64::MAX)),
            Constant::Duration(DurationNanos(i64::MIN)),
        ];
        let ops = [
            CompareOp::Eq,
            CompareOp::Ne,
            CompareOp::Lt,
            CompareOp::Le,
            CompareOp::Gt,
            CompareOp::Ge,
        ];
        for constant in constants {
            for op in ops {
                let test = Test::Compare(op, constant.clone());
                let range = test.durations().unwrap();
                for nanos in [
                    i64::MIN,
                    i64::MIN + 1,
                    -1,
                    0,
                    4,
                    5,
                    6,
                    i64::MAX - 1,
                    i64::MAX,
                ] {
                    let expected = test.of_duration(nanos);
                    assert_eq!(range.has(nanos), expected, "{nanos} {op:?} {constant:?}");
                }
            }
        }
        assert_eq!(
            Test::Compare(CompareOp::Eq, Constant::Bool(true)).durations(),
            None
        );
    }

    #[test]
    fn arrays_compare_by_their_elements() {
        let is = |op, text: &str| Test::Compare(op, Constant::Str(text.into()));
        let both = ValueRef::Json(r#"["x","y"]"#);
        assert!(is(CompareOp::Eq, "y").of_value(both));
        assert!(!is(CompareOp::Ne, "y").of_value(both));
        assert!(is(CompareOp::Ne, "z").of_value(both));
        let empty = ValueRef::Json("[]");
        assert!(!is(CompareOp::Ne, "z").of_value(empty));
        assert!(Test::IsNil { negated: false }.of_value(empty));
    }
}
