//! Random expressions inside of braces.

use super::{DEPTH, Generator};
use crate::ast::{BinaryOp, FilterExpr, FilterKind, Literal, LogicOp, Name, Node};
use crate::field::Type;

const COMPARISONS: [BinaryOp; 6] = [
    BinaryOp::Eq,
    BinaryOp::Ne,
    BinaryOp::Lt,
    BinaryOp::Le,
    BinaryOp::Gt,
    BinaryOp::Ge,
];
const EQUALITIES: [BinaryOp; 2] = [BinaryOp::Eq, BinaryOp::Ne];
pub(super) const ARITHMETIC: [BinaryOp; 6] = [
    BinaryOp::Add,
    BinaryOp::Sub,
    BinaryOp::Mul,
    BinaryOp::Div,
    BinaryOp::Mod,
    BinaryOp::Pow,
];

fn binary(op: BinaryOp, left: FilterExpr, right: FilterExpr) -> FilterExpr {
    Node::bare(FilterKind::Binary {
        op,
        left: Box::new(left),
        right: Box::new(right),
    })
}

fn literal(literal: Literal) -> FilterExpr {
    Node::bare(FilterKind::Literal(literal))
}

fn name(name: &Name) -> FilterExpr {
    Node::bare(FilterKind::Name(name.clone()))
}

fn not(inner: FilterExpr) -> FilterExpr {
    Node::bare(FilterKind::Not(Box::new(inner)))
}

/// `-inner`; the sign of a literal belongs to it.
fn negate(inner: FilterExpr) -> FilterExpr {
    let folded = match &inner.kind {
        FilterKind::Literal(value) => value.negated(),
        _ => None,
    };
    match folded {
        Some(value) => literal(value),
        None => Node::bare(FilterKind::Negate(Box::new(inner))),
    }
}

/// A chain, flat as the parser makes it.
fn logic(op: LogicOp, mut operands: Vec<FilterExpr>) -> FilterExpr {
    if matches!(&operands[0].kind, FilterKind::Logic { op: inner, .. } if *inner == op)
        && let FilterKind::Logic {
            operands: first, ..
        } = operands.remove(0).kind
    {
        operands.splice(0..0, first);
    }
    Node::bare(FilterKind::Logic { op, operands })
}

impl Generator<'_, '_> {
    /// The inside of braces that checks; `None` for `{ }`.
    pub(super) fn typed_filter(&mut self) -> Option<Box<FilterExpr>> {
        (self.choices.below(8) != 0).then(|| Box::new(self.condition(DEPTH)))
    }

    /// Something true or false.
    fn condition(&mut self, depth: usize) -> FilterExpr {
        let kinds = if depth == 0 { 7 } else { 10 };
        match self.choices.below(kinds) {
            0 => self.comparison(),
            1 => self.number_comparison(depth),
            2 => self.match_pattern(),
            3 => self.nil(),
            4 => literal(Literal::Bool(self.choices.below(2) == 0)),
            5 => self.field_comparison(),
            6 => match self.one_of(|kind| kind == Type::Any) {
                Some(attribute) => attribute,
                None => literal(Literal::Bool(true)),
            },
            7 => not(self.condition(depth - 1)),
            _ => {
                let op = *self.choices.of(&[LogicOp::And, LogicOp::Or]);
                let count = 2 + self.choices.below(2);
                let operands = (0..count).map(|_| self.condition(depth - 1)).collect();
                logic(op, operands)
            }
        }
    }

    fn one_of(&mut self, wanted: impl Fn(Type) -> bool) -> Option<FilterExpr> {
        let fields = self.vocabulary.fields_of(wanted);
        (!fields.is_empty()).then(|| name(self.choices.of(&fields)))
    }

    /// A field compared with a constant of its type.
    fn comparison(&mut self) -> FilterExpr {
        let field = self.choices.of(&self.vocabulary.names).clone();
        let kind = field.field().map_or(Type::Any, |field| field.value_type());
        let (ops, value) = match kind {
            Type::Status => (&EQUALITIES[..], self.status()),
            Type::Kind => (&EQUALITIES[..], self.kind()),
            Type::Str => {
                let text = self.choices.of(&self.vocabulary.strings).clone();
                (&COMPARISONS[..], Literal::Str(text))
            }
            Type::Int | Type::Float | Type::Duration => (&COMPARISONS[..], self.number_literal()),
            _ => match self.choices.below(4) {
                0 => (&COMPARISONS[..], self.number_literal()),
                1 => (&EQUALITIES[..], Literal::Bool(true)),
                _ => {
                    let text = self.choices.of(&self.vocabulary.strings).clone();
                    (&COMPARISONS[..], Literal::Str(text))
                }
            },
        };
        let op = *self.choices.of(ops);
        if self.choices.once_in(8) {
            binary(op, literal(value), name(&field))
        } else {
            binary(op, name(&field), literal(value))
        }
    }

    fn number_comparison(&mut self, depth: usize) -> FilterExpr {
        let left = self.number(depth);
        let op = *self.choices.of(&COMPARISONS);
        let right = self.number(depth.min(1));
        binary(op, left, right)
    }

    /// A number; an attribute may be one.
    fn number(&mut self, depth: usize) -> FilterExpr {
        let is_number = |kind: Type| kind.is_number() || kind == Type::Any;
        let kinds = if depth == 0 { 2 } else { 5 };
        match self.choices.below(kinds) {
            0 => match self.one_of(is_number) {
                Some(field) => field,
                None => literal(self.number_literal()),
            },
            1 => literal(self.number_literal()),
            2 => negate(self.number(depth - 1)),
            _ => {
                let op = *self.choices.of(&ARITHMETIC);
                let left = self.number(depth - 1);
                let right = self.number(depth - 1);
                binary(op, left, right)
            }
        }
    }

    /// A number that surely depends on the span.
    pub(super) fn span_number(&mut self) -> FilterExpr {
        let is_number = |kind: Type| kind.is_number() || kind == Type::Any;
        let field = self
            .one_of(is_number)
            .unwrap_or_else(|| name(&self.vocabulary.names[0]));
        if self.choices.below(2) == 0 {
            return field;
        }
        let op = *self.choices.of(&ARITHMETIC);
        let right = literal(self.number_literal());
        binary(op, field, right)
    }

    /// Something to group by.
    pub(super) fn group_key(&mut self) -> FilterExpr {
        match self.choices.below(3) {
            0 => name(self.choices.of(&self.vocabulary.names)),
            1 => self.span_number(),
            _ => self.comparison(),
        }
    }

    fn match_pattern(&mut self) -> FilterExpr {
        let op = *self.choices.of(&[BinaryOp::Match, BinaryOp::NotMatch]);
        let pattern = Literal::Str(self.choices.of(&self.vocabulary.patterns).clone());
        let field = self
            .one_of(|kind| matches!(kind, Type::Str | Type::Any))
            .unwrap_or_else(|| literal(Literal::Str("x".into())));
        binary(op, field, literal(pattern))
    }

    fn nil(&mut self) -> FilterExpr {
        let attributes: Vec<Name> = self
            .vocabulary
            .fields_of(|kind| kind == Type::Any)
            .into_iter()
            .filter(|name| name.field().is_some_and(|field| !field.is_service_name()))
            .collect();
        let nil = literal(Literal::Nil);
        if attributes.is_empty() {
            return binary(BinaryOp::Ne, name(&self.vocabulary.names[0]), nil);
        }
        let attribute = name(self.choices.of(&attributes));
        let op = *self.choices.of(&EQUALITIES);
        if self.choices.once_in(8) {
            binary(op, nil, attribute)
        } else {
            binary(op, attribute, nil)
        }
    }

    /// Two fields compared.
    fn field_comparison(&mut self) -> FilterExpr {
        let left = self.choices.of(&self.vocabulary.names).clone();
        let kind = left.field().map_or(Type::Any, |field| field.value_type());
        let right = self.one_of(|other| other == kind || other == Type::Any);
        let ops = if matches!(kind, Type::Str | Type::Any) || kind.is_number() {
            &COMPARISONS[..]
        } else {
            &EQUALITIES[..]
        };
        let right = right.unwrap_or_else(|| name(&left));
        let only_equal = |side: &FilterExpr| match &side.kind {
            FilterKind::Name(name) => matches!(
                name.field().map(|field| field.value_type()),
                Some(Type::Status | Type::Kind)
            ),
            _ => false,
        };
        let ops = if only_equal(&right) {
            &EQUALITIES[..]
        } else {
            ops
        };
        binary(*self.choices.of(ops), name(&left), right)
    }

    /// Anything that parses.
    pub(super) fn wild_filter(&mut self, depth: usize) -> FilterExpr {
        let kinds = if depth == 0 { 3 } else { 8 };
        match self.choices.below(kinds) {
            0 => name(self.choices.of(&self.vocabulary.names)),
            1 => literal(self.literal()),
            2 => name(&Name::Parent),
            3 => not(self.wild_filter(depth - 1)),
            4 => negate(self.wild_filter(depth - 1)),
            5 => {
                let op = *self.choices.of(&[LogicOp::And, LogicOp::Or]);
                let count = 2 + self.choices.below(2);
                let operands = (0..count).map(|_| self.wild_filter(depth - 1)).collect();
                logic(op, operands)
            }
            _ => {
                let ops: Vec<BinaryOp> = BinaryOp::ALL
                    .iter()
                    .copied()
                    .filter(|op| op.is_of_filters())
                    .collect();
                let op = *self.choices.of(&ops);
                let left = self.wild_filter(depth - 1);
                let right = self.wild_filter(depth - 1);
                binary(op, left, right)
            }
        }
    }
}
