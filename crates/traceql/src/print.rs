//! The canonical text of a tree: parsing it gives the same tree again.
//!
//! One space around operators and inside of braces, parentheses only where the tree needs them, and around chains of `&&`
//! inside `||` and the other way round, because few people know that the two bind equally. A tree with `Error` nodes
//! prints `<error>` for each, which does not parse.

use std::fmt;

use crate::ast::{
    Argument, Ast, BinaryOp, Expr, ExprKind, FilterExpr, FilterKind, Hint, Literal, LogicOp,
    Metrics, Name, Node, Stage, StageKind,
};
use crate::field::{Intrinsic, Owner, Scope};
use crate::number::print_duration;
use crate::parser::{MINUS, NOT};
use crate::quote::{print_name, print_quoted_name, print_string};
use crate::token::status_word;

impl fmt::Display for Ast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        pipeline(&self.pipeline.kind, &mut out);
        hints(&self.hints, &mut out);
        f.write_str(&out)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        name(self, &mut out);
        f.write_str(&out)
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        literal(self, &mut out);
        f.write_str(&out)
    }
}

/// The text of an expression, for labels such as that of `by(1 + .a)`.
pub(crate) fn filter_text(expr: &FilterExpr) -> String {
    let mut out = String::new();
    filter(expr, &mut out);
    out
}

fn pipeline(stages: &[Stage], out: &mut String) {
    for (position, stage) in stages.iter().enumerate() {
        if position > 0 {
            let piped = !matches!(stage.kind, StageKind::Threshold { .. });
            out.push_str(if piped { " | " } else { " " });
        }
        self::stage(stage, out);
    }
}

fn stage(stage: &Stage, out: &mut String) {
    match &stage.kind {
        StageKind::Expr(inner) => expr(inner, out),
        StageKind::By(key) => {
            out.push_str("by(");
            filter(key, out);
            out.push(')');
        }
        StageKind::Coalesce => out.push_str("coalesce()"),
        StageKind::Select(fields) => {
            out.push_str("select(");
            names(fields, out);
            out.push(')');
        }
        StageKind::Metrics(call) => metrics(call, out),
        StageKind::TopK(count) => out.push_str(&format!("topk({count})")),
        StageKind::BottomK(count) => out.push_str(&format!("bottomk({count})")),
        StageKind::Threshold { op, value } => {
            out.push_str(op.as_str());
            out.push(' ');
            operand(
                value,
                value_needs_parentheses(value, op.right_minimum()),
                out,
            );
        }
        StageKind::Error => out.push_str("<error>"),
    }
}

fn metrics(call: &Metrics, out: &mut String) {
    out.push_str(call.function.kind.as_str());
    out.push('(');
    separated(&call.arguments, out, |argument, out| match &argument.kind {
        Argument::Name(inner) => name(inner, out),
        Argument::Literal(inner) => literal(inner, out),
        Argument::Filter(inner) => braces(inner.as_deref(), out),
        Argument::Error => out.push_str("<error>"),
    });
    out.push(')');
    if !call.by.is_empty() {
        out.push_str(" by (");
        names(&call.by, out);
        out.push(')');
    }
}

fn hints(hints: &[Hint], out: &mut String) {
    if hints.is_empty() {
        return;
    }
    out.push_str(" with(");
    separated(hints, out, |hint, out| {
        out.push_str(&hint.name.kind);
        out.push('=');
        literal(&hint.value.kind, out);
    });
    out.push(')');
}

fn names(list: &[Node<Name>], out: &mut String) {
    separated(list, out, |field, out| name(&field.kind, out));
}

fn separated<T>(items: &[T], out: &mut String, print: impl Fn(&T, &mut String)) {
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            out.push_str(", ");
        }
        print(item, out);
    }
}

// === outside of braces ===

fn expr(node: &Expr, out: &mut String) {
    match &node.kind {
        ExprKind::Filter(inner) => braces(inner.as_deref(), out),
        ExprKind::Pipeline(inner) => {
            out.push('(');
            pipeline(&inner.kind, out);
            out.push(')');
        }
        ExprKind::Aggregate { function, of } => {
            out.push_str(function.as_str());
            out.push('(');
            if let Some(of) = of {
                filter(of, out);
            }
            out.push(')');
        }
        ExprKind::Literal(inner) => literal(inner, out),
        ExprKind::Negate(inner) => {
            out.push('-');
            operand(inner, value_needs_parentheses(inner, MINUS), out);
        }
        ExprKind::Binary { op, left, right } => {
            operand(left, value_needs_parentheses(left, left_minimum(*op)), out);
            spaced(op.as_str(), out);
            operand(
                right,
                value_needs_parentheses(right, op.right_minimum()),
                out,
            );
        }
        ExprKind::Logic { op, operands } => {
            for (position, inner) in operands.iter().enumerate() {
                if position > 0 {
                    spaced(op.as_str(), out);
                }
                operand(inner, matches!(inner.kind, ExprKind::Logic { .. }), out);
            }
        }
        ExprKind::Error => out.push_str("<error>"),
    }
}

fn value_needs_parentheses(node: &Expr, minimum: u8) -> bool {
    match &node.kind {
        ExprKind::Binary { op, .. } => op.precedence() < minimum,
        ExprKind::Logic { .. } => LogicOp::PRECEDENCE < minimum,
        _ => false,
    }
}

fn operand(node: &Expr, parentheses: bool, out: &mut String) {
    if parentheses {
        out.push('(');
    }
    expr(node, out);
    if parentheses {
        out.push(')');
    }
}

// === inside of braces ===

fn braces(inner: Option<&FilterExpr>, out: &mut String) {
    out.push_str("{ ");
    if let Some(inner) = inner {
        filter(inner, out);
        out.push(' ');
    }
    out.push('}');
}

fn filter(node: &FilterExpr, out: &mut String) {
    match &node.kind {
        FilterKind::Literal(inner) => literal(inner, out),
        FilterKind::Name(inner) => name(inner, out),
        FilterKind::Not(inner) => {
            out.push('!');
            filter_operand(inner, needs_parentheses(inner, NOT), out);
        }
        FilterKind::Negate(inner) => {
            out.push('-');
            filter_operand(inner, needs_parentheses(inner, MINUS), out);
        }
        FilterKind::Binary { op, left, right } => {
            filter_operand(left, needs_parentheses(left, left_minimum(*op)), out);
            spaced(op.as_str(), out);
            filter_operand(right, needs_parentheses(right, op.right_minimum()), out);
        }
        FilterKind::Logic { op, operands } => {
            for (position, inner) in operands.iter().enumerate() {
                if position > 0 {
                    spaced(op.as_str(), out);
                }
                filter_operand(inner, matches!(inner.kind, FilterKind::Logic { .. }), out);
            }
        }
        FilterKind::Error => out.push_str("<error>"),
    }
}

fn needs_parentheses(node: &FilterExpr, minimum: u8) -> bool {
    match &node.kind {
        FilterKind::Binary { op, .. } => op.precedence() < minimum,
        FilterKind::Logic { .. } => LogicOp::PRECEDENCE < minimum,
        FilterKind::Not(_) => NOT < minimum,
        _ => false,
    }
}

/// The weakest operator that the left operand may be made of.
fn left_minimum(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Pow => op.precedence() + 1,
        _ => op.precedence(),
    }
}

fn filter_operand(node: &FilterExpr, parentheses: bool, out: &mut String) {
    if parentheses {
        out.push('(');
    }
    filter(node, out);
    if parentheses {
        out.push(')');
    }
}

// === leaves ===

fn spaced(operator: &str, out: &mut String) {
    out.push(' ');
    out.push_str(operator);
    out.push(' ');
}

fn literal(literal: &Literal, out: &mut String) {
    match literal {
        Literal::Str(text) => print_string(text, out),
        Literal::Int(i64::MIN) => out.push_str("minInt"),
        Literal::Int(i64::MAX) => out.push_str("maxInt"),
        Literal::Int(value) => out.push_str(&value.to_string()),
        // `{:?}` is the shortest text that reads back to the same bits, and never looks like an integer.
        Literal::Float(value) => out.push_str(&format!("{value:?}")),
        Literal::Bool(value) => out.push_str(&value.to_string()),
        Literal::Nil => out.push_str("nil"),
        Literal::Duration(value) => print_duration(value.0, out),
        Literal::Status(value) => out.push_str(status_word(*value)),
        Literal::Kind(value) => out.push_str(value.as_str()),
    }
}

fn name(name: &Name, out: &mut String) {
    match name {
        Name::Parent => out.push_str("parent"),
        Name::Intrinsic {
            owner,
            intrinsic,
            scoped,
        } => {
            if *owner == Owner::Parent {
                out.push_str("parent.");
            }
            out.push_str(intrinsic.spelling(*scoped));
        }
        Name::Attribute {
            owner,
            scope,
            name: key,
        } => {
            if *owner == Owner::Parent {
                out.push_str("parent.");
            }
            out.push_str(scope.word());
            if *scope != Scope::Any || *owner == Owner::Span {
                out.push('.');
            }
            if *owner == Owner::Parent && *scope == Scope::Any && reads_as_more(key) {
                print_quoted_name(key, out);
            } else {
                let word_before = *owner == Owner::Parent || *scope != Scope::Any;
                print_name(key, word_before, out);
            }
        }
    }
}

/// Whether a key behind `parent.` would be read as an intrinsic or as a scope with a key.
fn reads_as_more(key: &str) -> bool {
    Intrinsic::from_spelling(key).is_some_and(Intrinsic::is_of_span)
        || key
            .split_once('.')
            .is_some_and(|(first, _)| Scope::from_word(first).is_some())
}
