//! What a text that is not finished says all the same: the conditions that are complete, and fields by themselves.
//!
//! Editors ask for the values of an attribute while a query is being typed, and pass what is there of it, so that only values
//! of matching spans are offered.

use crate::ast::{
    Ast, Expr, ExprKind, FilterExpr, FilterKind, LogicOp, Name, Node, Pipeline, StageKind,
};
use crate::check::check_filter;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::lexer::lex;
use crate::parser;
use crate::print::filter_text;
use crate::query::{Condition, Field};
use crate::range::TextRange;

/// The part of a filter that is complete and makes sense.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownFilter {
    /// What it says.
    pub condition: Condition,
    /// The same as a query, braces included.
    pub text: String,
}

/// What the query `text`, perhaps unfinished, surely demands of the spans it looks for.
///
/// That is the conjunction of the complete conditions of its filter, if its first stage is one filter and no more; conditions
/// joined by `||` count as one. `None` when nothing is demanded.
pub fn known_filter(text: &str) -> Option<KnownFilter> {
    let (ast, _) = crate::parse(text);
    match &ast.pipeline.kind.first()?.kind {
        StageKind::Expr(Node {
            kind: ExprKind::Filter(Some(filter)),
            ..
        }) => complete(filter, None),
        _ => None,
    }
}

/// What the filter around the byte at `offset` demands besides the condition that stands there.
pub(crate) fn known_around(ast: &Ast, offset: usize) -> Option<KnownFilter> {
    complete(filter_at(&ast.pipeline, offset)?, Some(offset))
}

fn complete(filter: &FilterExpr, cursor: Option<usize>) -> Option<KnownFilter> {
    let known = known(filter, cursor)?;
    let condition = check_filter(&known, &mut Diagnostics::default())?;
    let text = format!("{{ {} }}", filter_text(&known));
    Some(KnownFilter { condition, text })
}

fn known(filter: &FilterExpr, cursor: Option<usize>) -> Option<FilterExpr> {
    if let FilterKind::Logic {
        op: LogicOp::And,
        operands,
    } = &filter.kind
    {
        let mut operands: Vec<FilterExpr> = operands
            .iter()
            .filter_map(|operand| known(operand, cursor))
            .collect();
        return match operands.len() {
            0 | 1 => operands.pop(),
            _ => Some(Node::new(
                FilterKind::Logic {
                    op: LogicOp::And,
                    operands,
                },
                filter.range,
            )),
        };
    }
    let touched = cursor.is_some_and(|at| filter.range.start <= at && at <= filter.range.end);
    let sound = !touched
        && !has_error(filter)
        && check_filter(filter, &mut Diagnostics::default()).is_some();
    sound.then(|| filter.clone())
}

fn has_error(filter: &FilterExpr) -> bool {
    match &filter.kind {
        FilterKind::Error => true,
        FilterKind::Literal(_) => false,
        FilterKind::Name(name) => name
            .field()
            .is_some_and(|field| matches!(field, Field::Attribute { name, .. } if name.is_empty())),
        FilterKind::Not(inner) | FilterKind::Negate(inner) => has_error(inner),
        FilterKind::Binary { left, right, .. } => has_error(left) || has_error(right),
        FilterKind::Logic { operands, .. } => operands.iter().any(has_error),
    }
}

/// The filter in braces around an offset.
fn filter_at(pipeline: &Pipeline, offset: usize) -> Option<&FilterExpr> {
    pipeline.kind.iter().find_map(|stage| match &stage.kind {
        StageKind::Expr(expr) => in_expr(expr, offset),
        StageKind::Metrics(metrics) => {
            metrics
                .arguments
                .iter()
                .find_map(|argument| match &argument.kind {
                    crate::ast::Argument::Filter(Some(filter)) if holds(argument.range, offset) => {
                        Some(&**filter)
                    }
                    _ => None,
                })
        }
        _ => None,
    })
}

fn in_expr(expr: &Expr, offset: usize) -> Option<&FilterExpr> {
    match &expr.kind {
        ExprKind::Filter(Some(filter)) if holds(expr.range, offset) => Some(filter),
        ExprKind::Pipeline(pipeline) => filter_at(pipeline, offset),
        ExprKind::Negate(inner) => in_expr(inner, offset),
        ExprKind::Binary { left, right, .. } => {
            in_expr(left, offset).or_else(|| in_expr(right, offset))
        }
        ExprKind::Logic { operands, .. } => {
            operands.iter().find_map(|operand| in_expr(operand, offset))
        }
        _ => None,
    }
}

fn holds(range: TextRange, offset: usize) -> bool {
    range.start < offset && offset <= range.end
}

/// The field that a text names and nothing besides: `name`, `.a`, `span."a b"`, `event:name`.
///
/// # Errors
/// What is wrong with it, when it is not exactly one field.
pub fn parse_field(text: &str) -> Result<Field, Vec<Diagnostic>> {
    let mut diagnostics = Diagnostics::default();
    let tokens = lex(text, &mut diagnostics);
    let name = parser::lone_name(text, tokens, &mut diagnostics);
    let field = name.as_ref().and_then(Name::field);
    if name.is_some() && field.is_none() {
        diagnostics.error(
            Code::WrongPlace,
            TextRange::new(0, text.len()),
            "`parent` alone is not a value",
        );
    }
    let diagnostics = diagnostics.finish();
    field.filter(|_| diagnostics.is_empty()).ok_or(diagnostics)
}
