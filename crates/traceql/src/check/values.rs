//! Values: literals, fields and arithmetic, each with its type.

use super::{Checker, fold, is_number};
use crate::ast::{BinaryOp, FilterExpr, FilterKind, Literal, Name, Node};
use crate::diagnostic::{Code, Diagnostic};
use crate::field::{Field, Intrinsic, Owner, Scope};
use crate::print::filter_text;
use crate::query::{ArithOp, Constant, Type, Value};

/// Letters of an expression that are shown in a message.
const MAX_SHOWN: usize = 40;

/// A value and its type. `nil` is no [`Value`]: only comparisons know it.
pub(super) enum Checked {
    Value(Value, Type),
    Nil,
}

impl Checker<'_> {
    /// The value of an expression, which may be a condition.
    pub(super) fn value(&mut self, expr: &FilterExpr) -> Option<Checked> {
        Some(match &expr.kind {
            FilterKind::Error => return None,
            FilterKind::Literal(literal) => match constant(literal) {
                Some(constant) => {
                    let kind = constant.value_type();
                    Checked::Value(Value::Constant(constant), kind)
                }
                None => Checked::Nil,
            },
            FilterKind::Name(name) => {
                let column = self.column(&Node::new(name.clone(), expr.range))?;
                let kind = column.field.value_type();
                Checked::Value(Value::Field(column.field), kind)
            }
            FilterKind::Negate(inner) => {
                let (value, kind) = self.number(inner, BinaryOp::Sub)?;
                Checked::Value(fold::negate(value), kind)
            }
            FilterKind::Binary { op, left, right } => match arith_op(*op) {
                Some(arith) => self.arithmetic(*op, arith, left, right)?,
                None => Checked::Value(fold::value(self.comparison(expr)?), Type::Bool),
            },
            FilterKind::Not(_) | FilterKind::Logic { .. } => {
                Checked::Value(fold::value(self.condition(expr)?), Type::Bool)
            }
        })
    }

    fn arithmetic(
        &mut self,
        op: BinaryOp,
        arith: ArithOp,
        left: &FilterExpr,
        right: &FilterExpr,
    ) -> Option<Checked> {
        let left = self.number(left, op);
        let right = self.number(right, op);
        let ((left, left_type), (right, right_type)) = (left?, right?);
        let kind = arith_type(left_type, right_type);
        Some(Checked::Value(fold::arith(arith, left, right), kind))
    }

    /// A value that `op` can compute with.
    fn number(&mut self, expr: &FilterExpr, op: BinaryOp) -> Option<(Value, Type)> {
        let (value, kind) = match self.value(expr)? {
            Checked::Value(value, kind) => (value, kind),
            Checked::Nil => {
                self.report(
                    Diagnostic::error(
                        Code::TypeMismatch,
                        expr.range,
                        format!("`{}` needs numbers, and `nil` is none", op.as_str()),
                    )
                    .hint("`nil` can be compared with `=` and `!=` only"),
                );
                return None;
            }
        };
        if is_number(kind) {
            return Some((value, kind));
        }
        self.error(
            Code::TypeMismatch,
            expr.range,
            format!(
                "`{}` needs numbers, and {} is {}",
                op.as_str(),
                shown(expr),
                kind.describe()
            ),
        );
        None
    }

    /// Warns of names that are right, and probably not what was meant.
    pub(super) fn suspicious(&mut self, name: &Node<Name>) {
        let Name::Attribute {
            owner,
            scope,
            name: key,
        } = &name.kind
        else {
            return;
        };
        let Some(intrinsic) = Intrinsic::from_spelling(key) else {
            return;
        };
        let asks_span = matches!(scope, Scope::Any | Scope::Span);
        let owner_fits = *owner == Owner::Span || intrinsic.is_of_trace();
        if !asks_span || !owner_fits || key.contains(':') {
            return;
        }
        let right = intrinsic.spelling(false);
        self.report(
            Diagnostic::warning(
                Code::Suspicious,
                name.range,
                format!(
                    "{} is an attribute that someone has called `{key}`",
                    name_shown(&name.kind)
                ),
            )
            .hint(format!("what every span has by itself is `{right}`"))
            .fix(name.range, right),
        );
    }
}

fn name_shown(name: &Name) -> String {
    format!("`{name}`")
}

/// An expression as it is shown in a message.
pub(super) fn shown(expr: &FilterExpr) -> String {
    let text = filter_text(expr);
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

/// The constant of a literal; `None` for `nil`.
pub(super) fn constant(literal: &Literal) -> Option<Constant> {
    Some(match literal {
        Literal::Str(text) => Constant::Str(text.clone()),
        Literal::Int(value) => Constant::Int(*value),
        Literal::Float(value) => Constant::Float(*value),
        Literal::Bool(value) => Constant::Bool(*value),
        Literal::Duration(value) => Constant::Duration(*value),
        Literal::Status(value) => Constant::Status(*value),
        Literal::Kind(value) => Constant::Kind(*value),
        Literal::Nil => return None,
    })
}

/// The type of what arithmetic gives.
pub(super) fn arith_type(left: Type, right: Type) -> Type {
    let either = |wanted| left == wanted || right == wanted;
    if either(Type::Any) {
        Type::Any
    } else if either(Type::Float) {
        Type::Float
    } else if either(Type::Duration) {
        Type::Duration
    } else {
        Type::Int
    }
}

/// The arithmetic that an operator stands for.
pub(super) fn arith_op(op: BinaryOp) -> Option<ArithOp> {
    Some(match op {
        BinaryOp::Add => ArithOp::Add,
        BinaryOp::Sub => ArithOp::Sub,
        BinaryOp::Mul => ArithOp::Mul,
        BinaryOp::Div => ArithOp::Div,
        BinaryOp::Mod => ArithOp::Mod,
        BinaryOp::Pow => ArithOp::Pow,
        _ => return None,
    })
}

/// The digits in full width, lower case, of an id that is compared with; `None` when no id can be so.
pub(super) fn full_id(field: &Field, text: &str) -> Option<Option<String>> {
    let Field::Intrinsic { intrinsic, .. } = field else {
        return None;
    };
    let digits = intrinsic.id_digits()?;
    let is_id = !text.is_empty()
        && text.len() <= digits
        && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    Some(is_id.then(|| format!("{:0>digits$}", text.to_ascii_lowercase())))
}
