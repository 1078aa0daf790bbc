//! What can stand at a place in a query: noted while parsing, told in messages, offered to an editor.

use crate::ast::{BinaryOp, FilterKind, Literal, MetricsFn, Name};
use crate::field::{Owner, Scope};

/// What stands before an operator outside of braces, as far as its shape tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operand {
    Spansets,
    Number,
    Series,
}

/// What stands before an operator inside of braces, as far as its shape tells.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Left {
    Name(Name),
    Number,
    /// Something that is true or false.
    Condition,
    Other,
}

impl Left {
    pub(super) fn of(kind: &FilterKind) -> Self {
        match kind {
            FilterKind::Name(name) => Self::Name(name.clone()),
            FilterKind::Literal(Literal::Int(_) | Literal::Float(_) | Literal::Duration(_))
            | FilterKind::Negate(_) => Self::Number,
            FilterKind::Binary { op, .. } if op.is_arithmetic() => Self::Number,
            FilterKind::Binary { .. }
            | FilterKind::Not(_)
            | FilterKind::Logic { .. }
            | FilterKind::Literal(Literal::Bool(_)) => Self::Condition,
            FilterKind::Literal(_) | FilterKind::Error => Self::Other,
        }
    }
}

/// Something that can stand at a place in a query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expect {
    /// A stage of a pipeline: the very first of a query or of parentheses, or a later one.
    Stage { first: bool },
    /// `topk` or `bottomk`, after metrics.
    SecondStage,
    /// `{`, `(`, an aggregate or a number.
    Operand,
    /// An operator between spansets, numbers or series.
    Operator(Operand),
    /// A comparison that keeps points of metrics.
    Threshold,
    /// A field or a value, inside of braces.
    FilterOperand,
    /// A value that a field is compared with.
    ValueOf(Name, BinaryOp),
    /// An operator inside of braces that binds at least as strongly as `minimum`.
    FilterOperator { left: Left, minimum: u8 },
    /// A field, and nothing else.
    Field,
    /// The rest of an attribute.
    AttributeName(Owner, Scope),
    /// An argument of a metrics function, counted from 0.
    Argument(MetricsFn, usize),
    /// `by`
    By,
    /// `with`
    With,
    /// The name of a hint.
    HintName,
    /// The value of a hint.
    HintValue,
    /// A whole number above zero.
    Count,
    /// A mark.
    Mark(&'static str),
}

impl Expect {
    /// In words, for a message.
    pub(super) fn describe(&self) -> &'static str {
        match self {
            Self::Stage { .. } => "a spanset `{ … }`, an aggregate or another stage",
            Self::SecondStage => "`topk(n)` or `bottomk(n)`",
            Self::Operand => "a spanset `{ … }`, an aggregate or a number",
            Self::Operator(_) | Self::FilterOperator { .. } => "an operator",
            Self::Threshold => "a comparison",
            Self::FilterOperand => "an attribute, an intrinsic or a value",
            Self::ValueOf(..) => "a value",
            Self::Field => "an attribute or an intrinsic",
            Self::AttributeName(..) => "the name of an attribute",
            Self::Argument(..) => "an argument",
            Self::By => "`by (…)`",
            Self::With => "`with (…)`",
            Self::HintName => "the name of a hint",
            Self::HintValue => "a number, a string, `true` or `false`",
            Self::Count => "a whole number above 0",
            Self::Mark(mark) => mark,
        }
    }
}
