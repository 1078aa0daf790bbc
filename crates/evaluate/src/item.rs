//! Single values as they are met in a batch: borrowed, strings by their symbols, so that most comparisons look at two numbers.

use std::cmp::Ordering;
use std::sync::Arc;

use model::{DurationNanos, SpanKind, StatusCode, Symbol, SymbolKind, Symbols, Value};
use traceql::query::{CompareOp, Constant};
use traceql::semantics;

use crate::Shown;

/// A value of a span, or one element of several.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Item<'a> {
    /// A string of the batch.
    Text(Symbol),
    /// A string that may be in no table.
    Str(&'a str),
    Int(i64),
    Float(f64),
    Bool(bool),
    /// Nanoseconds.
    Duration(i64),
    Status(StatusCode),
    Kind(SpanKind),
    /// Bytes, a map, or an array inside of an array: canonical text. There, but compares with nothing.
    Other(&'a str),
}

/// How many values there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Nil,
    One,
    /// An array; at least one.
    Many,
}

impl<'a> Item<'a> {
    /// The bytes of a string.
    #[inline]
    pub(crate) fn text(self, symbols: &'a Symbols) -> Option<&'a [u8]> {
        match self {
            Self::Text(symbol) => Some(symbols.payload(symbol)),
            Self::Str(text) => Some(text.as_bytes()),
            _ => None,
        }
    }

    /// As a constant, if it is a value that a query can write.
    pub(crate) fn constant(self, symbols: &Symbols) -> Option<Constant> {
        Some(match self {
            Self::Text(symbol) => Constant::Str(symbols.str(symbol).into()),
            Self::Str(text) => Constant::Str(text.into()),
            Self::Bool(bool) => Constant::Bool(bool),
            Self::Status(status) => Constant::Status(status),
            Self::Kind(kind) => Constant::Kind(kind),
            Self::Other(_) => return None,
            number => return number.number(),
        })
    }

    /// As an integer, a double or a duration.
    #[inline]
    pub(crate) fn number(self) -> Option<Constant> {
        match self {
            Self::Int(int) => Some(Constant::Int(int)),
            Self::Float(float) => Some(Constant::Float(float)),
            Self::Duration(nanos) => Some(Constant::Duration(DurationNanos(nanos))),
            _ => None,
        }
    }

    pub(crate) fn shown(self, symbols: &Symbols) -> Shown {
        match self {
            Self::Other(text) => Shown::Other(text.to_owned()),
            single => single
                .constant(symbols)
                .map_or_else(|| Shown::Other(String::new()), Shown::One),
        }
    }
}

/// Whether a comparison of two single values holds: [`semantics::compare`], with strings of a batch.
#[inline]
pub(crate) fn compare(op: CompareOp, left: Item<'_>, right: Item<'_>, symbols: &Symbols) -> bool {
    let equality = |equal: bool| match op {
        CompareOp::Eq => equal,
        CompareOp::Ne => !equal,
        _ => false,
    };
    match (left, right) {
        // Each string is in the table once.
        (Item::Text(a), Item::Text(b)) if matches!(op, CompareOp::Eq | CompareOp::Ne) => {
            equality(a == b)
        }
        (Item::Bool(a), Item::Bool(b)) => equality(a == b),
        (Item::Status(a), Item::Status(b)) => equality(a == b),
        (Item::Kind(a), Item::Kind(b)) => equality(a == b),
        _ => order(left, right, symbols).is_some_and(|order| semantics::holds(op, order)),
    }
}

fn order(left: Item<'_>, right: Item<'_>, symbols: &Symbols) -> Option<Ordering> {
    let whole = |item: Item<'_>| match item {
        Item::Int(int) => Some(int),
        Item::Duration(nanos) => Some(nanos),
        _ => None,
    };
    match (left, right) {
        (Item::Float(a), Item::Float(b)) => a.partial_cmp(&b),
        (Item::Float(a), b) => semantics::order_int_to_float(whole(b)?, a).map(Ordering::reverse),
        (a, Item::Float(b)) => semantics::order_int_to_float(whole(a)?, b),
        (Item::Text(_) | Item::Str(_), b) => Some(left.text(symbols)?.cmp(b.text(symbols)?)),
        (a, b) => Some(whole(a)?.cmp(&whole(b)?)),
    }
}

/// Calls `visit` for the value that a symbol stands for, or for each of its elements, until it gives false.
#[inline]
pub(crate) fn visit_symbol(
    symbols: &Symbols,
    value: Symbol,
    visit: &mut impl FnMut(Item<'_>) -> bool,
) -> Shape {
    let eight = || symbols.payload(value).first_chunk().copied();
    visit(match symbols.kind(value) {
        SymbolKind::Str => Item::Text(value),
        SymbolKind::Int => Item::Int(i64::from_le_bytes(eight().unwrap_or_default())),
        SymbolKind::Double => Item::Float(f64::from_le_bytes(eight().unwrap_or_default())),
        SymbolKind::Bool => Item::Bool(symbols.payload(value) == [1]),
        SymbolKind::Json => return visit_json(symbols.str(value), visit),
    });
    Shape::One
}

/// What is neither text nor number nor boolean.
#[cold]
fn visit_json(text: &str, visit: &mut impl FnMut(Item<'_>) -> bool) -> Shape {
    match text.as_bytes().first() {
        Some(b'n') => Shape::Nil,
        Some(b'[') => match Value::from_canonical(text) {
            Ok(Value::Array(items)) => visit_elements(&items, visit),
            // A damaged value is there, whatever it was.
            _ => other(text, visit),
        },
        _ => other(text, visit),
    }
}

fn other(text: &str, visit: &mut impl FnMut(Item<'_>) -> bool) -> Shape {
    visit(Item::Other(text));
    Shape::One
}

fn visit_elements(items: &[Value], visit: &mut impl FnMut(Item<'_>) -> bool) -> Shape {
    for item in items {
        let goes_on = match item {
            Value::Str(text) => visit(Item::Str(text)),
            Value::Int(int) => visit(Item::Int(*int)),
            Value::Double(double) => visit(Item::Float(*double)),
            Value::Bool(bool) => visit(Item::Bool(*bool)),
            other => visit(Item::Other(&other.to_canonical())),
        };
        if !goes_on {
            break;
        }
    }
    if items.is_empty() {
        Shape::Nil
    } else {
        Shape::Many
    }
}

/// A constant, and its symbol in the batch that is looked at.
#[derive(Debug, Clone)]
pub(crate) struct BoundConstant {
    value: Constant,
    symbol: Option<Symbol>,
}

impl BoundConstant {
    pub(crate) fn new(value: &Constant) -> Self {
        Self {
            value: value.clone(),
            symbol: None,
        }
    }

    pub(crate) fn bind(&mut self, symbols: &Symbols) {
        if let Constant::Str(text) = &self.value {
            self.symbol = symbols.find_str(text);
        }
    }

    #[inline]
    pub(crate) fn item(&self) -> Item<'_> {
        match &self.value {
            Constant::Str(text) => match self.symbol {
                Some(symbol) => Item::Text(symbol),
                None => Item::Str(text),
            },
            Constant::Int(int) => Item::Int(*int),
            Constant::Float(float) => Item::Float(*float),
            Constant::Bool(bool) => Item::Bool(*bool),
            Constant::Duration(duration) => Item::Duration(duration.0),
            Constant::Status(status) => Item::Status(*status),
            Constant::Kind(kind) => Item::Kind(*kind),
        }
    }
}

/// A word, and its symbol in the batch that is looked at.
#[derive(Debug, Clone)]
pub(crate) struct BoundWord {
    text: Arc<str>,
    symbol: Option<Symbol>,
}

impl BoundWord {
    pub(crate) fn new(text: Arc<str>) -> Self {
        Self { text, symbol: None }
    }

    pub(crate) fn bind(&mut self, symbols: &Symbols) {
        self.symbol = symbols.find_str(&self.text);
    }

    pub(crate) fn text(&self) -> &Arc<str> {
        &self.text
    }

    #[inline]
    pub(crate) fn symbol(&self) -> Option<Symbol> {
        self.symbol
    }
}
