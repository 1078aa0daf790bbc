//! Conditions: logic, comparisons, patterns and `nil`.

use super::values::{Checked, full_id, shown};
use super::{Checker, fold};
use crate::ast::{BinaryOp, FilterExpr, FilterKind, Literal, LogicOp, Name};
use crate::diagnostic::{Code, Diagnostic};
use crate::field::Owner;
use crate::number::parse_duration;
use crate::pattern::Pattern;
use crate::print::filter_text;
use crate::query::{CompareOp, Condition, Constant, Field, Intrinsic, Type, Value};
use crate::semantics;
use crate::token::literal_of_word;

impl Checker<'_> {
    /// An expression that must be true or false, or an attribute that may be.
    pub(super) fn condition(&mut self, expr: &FilterExpr) -> Option<Condition> {
        match &expr.kind {
            FilterKind::Not(inner) => Some(fold::not(self.condition(inner)?)),
            FilterKind::Logic { op, operands } => {
                let checked: Vec<_> = operands
                    .iter()
                    .map(|operand| self.condition(operand))
                    .collect();
                let operands = checked.into_iter().collect::<Option<Vec<_>>>()?;
                Some(match op {
                    LogicOp::And => fold::and(operands),
                    LogicOp::Or => fold::or(operands),
                })
            }
            _ => match self.value(expr)? {
                Checked::Value(value, Type::Bool | Type::Any) => Some(fold::condition(value)),
                Checked::Value(_, kind) => {
                    self.not_boolean(expr, kind);
                    None
                }
                Checked::Nil => {
                    self.not_boolean(expr, Type::Nil);
                    None
                }
            },
        }
    }

    fn not_boolean(&mut self, expr: &FilterExpr, kind: Type) {
        let text = shown(expr);
        let diagnostic = Diagnostic::error(
            Code::NotBoolean,
            expr.range,
            format!("{text} is {}, neither true nor false", kind.describe()),
        );
        self.report(match &expr.kind {
            FilterKind::Name(name) => {
                let example = match kind {
                    Type::Str => "= \"…\"",
                    Type::Status => "= error",
                    Type::Kind => "= server",
                    Type::Duration => "> 100ms",
                    _ => "> 0",
                };
                diagnostic.hint(format!("compare it, for example `{name} {example}`"))
            }
            FilterKind::Literal(Literal::Status(_)) => {
                diagnostic.hint(format!("write `status = {}`", filter_text(expr)))
            }
            FilterKind::Literal(Literal::Kind(_)) => {
                diagnostic.hint(format!("write `kind = {}`", filter_text(expr)))
            }
            _ => diagnostic.hint("compare it with something"),
        });
    }

    /// A comparison or a match; `expr` is a binary operation that is no arithmetic.
    pub(super) fn comparison(&mut self, expr: &FilterExpr) -> Option<Condition> {
        let FilterKind::Binary { op, left, right } = &expr.kind else {
            return None;
        };
        if matches!(op, BinaryOp::Match | BinaryOp::NotMatch) {
            return self.matches(*op == BinaryOp::NotMatch, left, right);
        }
        let op = compare_op(*op)?;
        if let Some(condition) = parent_is_nil(op, left, right) {
            return Some(condition);
        }
        let checked_left = self.value(left);
        let checked_right = self.value(right);
        match (checked_left?, checked_right?) {
            (Checked::Nil, Checked::Nil) => {
                self.report(
                    Diagnostic::warning(
                        Code::NeverTrue,
                        expr.range,
                        "comparing `nil` with `nil` is always false",
                    )
                    .hint("compare an attribute with `nil` to learn whether it is there"),
                );
                Some(Condition::Const(false))
            }
            (Checked::Value(value, _), Checked::Nil) => self.nil(op, value, left, expr),
            (Checked::Nil, Checked::Value(value, _)) => self.nil(op, value, right, expr),
            (Checked::Value(a, a_type), Checked::Value(b, b_type)) => {
                if !comparable(a_type, b_type) {
                    self.mismatch(expr, (left, a_type), (right, b_type));
                    return None;
                }
                self.ordered(op, expr, a_type, b_type)?;
                Some(self.compare(op, a, b, expr))
            }
        }
    }

    /// Whether `op` can take these types, which go together.
    fn ordered(&mut self, op: CompareOp, expr: &FilterExpr, left: Type, right: Type) -> Option<()> {
        let only_equality = |kind| matches!(kind, Type::Bool | Type::Status | Type::Kind);
        let Some(kind) = [left, right].into_iter().find(|kind| only_equality(*kind)) else {
            return Some(());
        };
        if matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Some(());
        }
        let what = match kind {
            Type::Bool => "booleans",
            Type::Status => "statuses",
            _ => "span kinds",
        };
        let diagnostic = Diagnostic::error(
            Code::TypeMismatch,
            expr.range,
            format!(
                "{what} have no order; `{}` cannot compare them",
                op.as_str()
            ),
        );
        self.report(if kind == Type::Bool && is_comparison(expr_left(expr)) {
            diagnostic.hint("a range takes two comparisons: `1 < .a && .a < 3`")
        } else {
            diagnostic.hint("use `=` or `!=`")
        });
        None
    }

    fn mismatch(
        &mut self,
        expr: &FilterExpr,
        (left, left_type): (&FilterExpr, Type),
        (right, right_type): (&FilterExpr, Type),
    ) {
        let diagnostic = Diagnostic::error(
            Code::TypeMismatch,
            expr.range,
            format!(
                "{} is {} and cannot be compared with {}, which is {}",
                shown(left),
                left_type.describe(),
                shown(right),
                right_type.describe()
            ),
        );
        let both_literal = is_literal(left) && is_literal(right);
        let advice = advice(left_type, right)
            .or_else(|| advice(right_type, left))
            .filter(|_| !both_literal);
        self.report(match advice {
            Some((hint, Some((range, replacement)))) => {
                diagnostic.hint(hint).fix(range, replacement)
            }
            Some((hint, None)) => diagnostic.hint(hint),
            None if is_comparison(left) => {
                diagnostic.hint("a range takes two comparisons: `1 < .a && .a < 3`")
            }
            None => diagnostic,
        });
    }

    /// `left op right` with constants computed or moved to the right, and ids in full width.
    fn compare(
        &mut self,
        op: CompareOp,
        left: Value,
        right: Value,
        expr: &FilterExpr,
    ) -> Condition {
        if let (Value::Constant(a), Value::Constant(b)) = (&left, &right) {
            return Condition::Const(semantics::compare(op, a, b));
        }
        let (op, left, mut right) = if matches!(left, Value::Constant(_)) {
            (op.flipped(), right, left)
        } else {
            (op, left, right)
        };
        if let (Value::Field(field), Value::Constant(constant)) = (&left, &mut right) {
            self.constant_of_field(op, field, constant, expr);
        }
        Condition::Compare { op, left, right }
    }

    fn constant_of_field(
        &mut self,
        op: CompareOp,
        field: &Field,
        constant: &mut Constant,
        expr: &FilterExpr,
    ) {
        match constant {
            Constant::Str(text) if matches!(op, CompareOp::Eq | CompareOp::Ne) => {
                match full_id(field, text) {
                    Some(Some(id)) => *constant = Constant::Str(id.into()),
                    Some(None) if op == CompareOp::Eq => {
                        self.report(
                            Diagnostic::warning(
                                Code::NeverTrue,
                                expr.range,
                                format!("no id is like \"{text}\", so this is always false"),
                            )
                            .hint("ids of traces have up to 32 hex digits, ids of spans up to 16"),
                        );
                    }
                    _ => {}
                }
            }
            Constant::Status(_) | Constant::Kind(_) if field.value_type() == Type::Any => {
                let (word, intrinsic) = match constant {
                    Constant::Status(status) => (crate::token::status_word(*status), "status"),
                    Constant::Kind(kind) => (kind.as_str(), "kind"),
                    _ => return,
                };
                self.report(
                    Diagnostic::warning(
                        Code::NeverTrue,
                        expr.range,
                        format!("no attribute is a {intrinsic}, so this is always false"),
                    )
                    .hint(format!(
                        "write `{intrinsic} {} {word}` for the span's own, or \"{word}\" for a string",
                        op.as_str()
                    )),
                );
            }
            _ => {}
        }
    }

    fn nil(
        &mut self,
        op: CompareOp,
        value: Value,
        side: &FilterExpr,
        expr: &FilterExpr,
    ) -> Option<Condition> {
        let negated = match op {
            CompareOp::Eq => false,
            CompareOp::Ne => true,
            _ => {
                self.report(
                    Diagnostic::error(
                        Code::NilComparison,
                        expr.range,
                        format!("nothing is `{}` nil", op.as_str()),
                    )
                    .hint("`= nil` and `!= nil` ask whether there is a value"),
                );
                return None;
            }
        };
        let always_there = match &value {
            Value::Field(Field::Intrinsic { owner, .. }) => *owner == Owner::Span,
            Value::Field(field) => field.is_service_name(),
            Value::Constant(_) | Value::Condition(_) => return Some(Condition::Const(negated)),
            _ => false,
        };
        if always_there && !negated {
            let diagnostic = Diagnostic::error(
                Code::NilComparison,
                expr.range,
                format!("{} is never nil", shown(side)),
            );
            self.report(match &value {
                Value::Field(Field::Intrinsic {
                    intrinsic: Intrinsic::ParentId,
                    ..
                }) => diagnostic.hint("root spans are found with `nestedSetParent < 0`"),
                _ => diagnostic.hint("`= nil` is for attributes that a span may lack"),
            });
            return None;
        }
        Some(Condition::IsNil { negated, value })
    }

    fn matches(
        &mut self,
        negated: bool,
        left: &FilterExpr,
        right: &FilterExpr,
    ) -> Option<Condition> {
        let operator = if negated { "!~" } else { "=~" };
        let value = match self.value(left)? {
            Checked::Value(value, Type::Str | Type::Any) => Some(value),
            Checked::Value(_, kind) => {
                self.regex_on(operator, left, kind);
                None
            }
            Checked::Nil => {
                self.regex_on(operator, left, Type::Nil);
                None
            }
        };
        let FilterKind::Literal(Literal::Str(source)) = &right.kind else {
            if right.kind != FilterKind::Error {
                self.report(
                    Diagnostic::error(
                        Code::BadRegex,
                        right.range,
                        format!("the right side of `{operator}` must be a string"),
                    )
                    .hint("patterns are compiled once for the whole query"),
                );
            }
            return None;
        };
        match Pattern::new(source) {
            Ok(pattern) => Some(match value? {
                Value::Constant(Constant::Str(text)) => {
                    Condition::Const(pattern.is_match(&text) != negated)
                }
                value => Condition::Matches {
                    negated,
                    value,
                    pattern,
                },
            }),
            Err(problem) => {
                self.report(
                    Diagnostic::error(
                        Code::BadRegex,
                        right.range,
                        format!("this is not a regular expression: {problem}"),
                    )
                    .hint("patterns are those of RE2 and match the whole value; a plain character of the pattern language takes a backslash, which is `\\\\` in double quotes and `\\` in backquotes"),
                );
                None
            }
        }
    }

    fn regex_on(&mut self, operator: &str, expr: &FilterExpr, kind: Type) {
        self.report(
            Diagnostic::error(
                Code::TypeMismatch,
                expr.range,
                format!(
                    "`{operator}` matches strings, and {} is {}",
                    shown(expr),
                    kind.describe()
                ),
            )
            .hint("compare it with `=` or `!=`"),
        );
    }
}

/// `parent = nil`: the span has no parent in the trace; and its opposite.
fn parent_is_nil(op: CompareOp, left: &FilterExpr, right: &FilterExpr) -> Option<Condition> {
    let is_parent = |side: &FilterExpr| side.kind == FilterKind::Name(Name::Parent);
    let is_nil = |side: &FilterExpr| side.kind == FilterKind::Literal(Literal::Nil);
    if !(is_parent(left) && is_nil(right) || is_nil(left) && is_parent(right)) {
        return None;
    }
    let op = match op {
        CompareOp::Eq => CompareOp::Lt,
        CompareOp::Ne => CompareOp::Ge,
        _ => return None,
    };
    Some(Condition::Compare {
        op,
        left: Value::Field(Field::intrinsic(Intrinsic::NestedSetParent)),
        right: Value::Constant(Constant::Int(0)),
    })
}

fn comparable(left: Type, right: Type) -> bool {
    left == right
        || left == Type::Any
        || right == Type::Any
        || (left.is_number() && right.is_number())
}

pub(super) fn compare_op(op: BinaryOp) -> Option<CompareOp> {
    Some(match op {
        BinaryOp::Eq => CompareOp::Eq,
        BinaryOp::Ne => CompareOp::Ne,
        BinaryOp::Lt => CompareOp::Lt,
        BinaryOp::Le => CompareOp::Le,
        BinaryOp::Gt => CompareOp::Gt,
        BinaryOp::Ge => CompareOp::Ge,
        _ => return None,
    })
}

fn expr_left(expr: &FilterExpr) -> &FilterExpr {
    match &expr.kind {
        FilterKind::Binary { left, .. } => left,
        _ => expr,
    }
}

fn is_literal(expr: &FilterExpr) -> bool {
    matches!(expr.kind, FilterKind::Literal(_))
}

fn is_comparison(expr: &FilterExpr) -> bool {
    matches!(&expr.kind, FilterKind::Binary { op, .. } if op.is_comparison())
}

type Advice = (String, Option<(crate::range::TextRange, String)>);

/// How a literal could be written so that it goes with a value of `wanted` type.
fn advice(wanted: Type, literal: &FilterExpr) -> Option<Advice> {
    let FilterKind::Literal(value) = &literal.kind else {
        return None;
    };
    let replace = |text: &str| {
        Some((
            format!("write `{text}`"),
            Some((literal.range, text.to_owned())),
        ))
    };
    match (wanted, value) {
        (Type::Status | Type::Kind, Literal::Str(text)) => {
            let fits = match literal_of_word(text) {
                Some(Literal::Status(_)) => wanted == Type::Status,
                Some(Literal::Kind(_)) => wanted == Type::Kind,
                _ => false,
            };
            if fits {
                Some((
                    format!("without quotes: `{text}`"),
                    Some((literal.range, text.to_string())),
                ))
            } else if wanted == Type::Status {
                Some(("a status is `ok`, `error` or `unset`".to_owned(), None))
            } else {
                Some((
                    "a kind is `server`, `client`, `producer`, `consumer`, `internal` or `unspecified`"
                        .to_owned(),
                    None,
                ))
            }
        }
        (Type::Status, Literal::Int(number)) => match number {
            0 => replace("unset"),
            1 => replace("ok"),
            2 => replace("error"),
            _ => None,
        },
        (Type::Duration, Literal::Str(text)) if parse_duration(text).is_ok() => replace(text),
        (Type::Int | Type::Float | Type::Duration, Literal::Str(text))
            if text.parse::<f64>().is_ok() =>
        {
            replace(text)
        }
        (
            Type::Str,
            Literal::Int(_) | Literal::Float(_) | Literal::Status(_) | Literal::Kind(_),
        ) => replace(&format!("\"{value}\"")),
        _ => None,
    }
}
