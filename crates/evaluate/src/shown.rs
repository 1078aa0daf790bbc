//! Values as answers show them.

use std::fmt;

use traceql::ast::Literal;
use traceql::query::Constant;

/// A value of a span as an answer shows it.
#[derive(Debug, Clone, PartialEq)]
pub enum Shown {
    /// A single value.
    One(Constant),
    /// Bytes, a map, or an array inside of an array: its canonical text.
    Other(String),
    /// An array.
    Many(Vec<Shown>),
}

/// As a query spells it, strings in quotes: the text tells the type.
impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(constant) => literal(constant).fmt(f),
            Self::Other(text) => f.write_str(text),
            Self::Many(items) => {
                f.write_str("[")?;
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        f.write_str(", ")?;
                    }
                    item.fmt(f)?;
                }
                f.write_str("]")
            }
        }
    }
}

/// The constant as it is written in a query.
pub(crate) fn literal(value: &Constant) -> Literal {
    match value {
        Constant::Str(text) => Literal::Str(text.clone()),
        Constant::Int(int) => Literal::Int(*int),
        Constant::Float(float) => Literal::Float(*float),
        Constant::Bool(bool) => Literal::Bool(*bool),
        Constant::Duration(duration) => Literal::Duration(*duration),
        Constant::Status(status) => Literal::Status(*status),
        Constant::Kind(kind) => Literal::Kind(*kind),
    }
}
