//! Tree to checked query: what is a spanset, what is a number, what is a series, and whether the types go together.
//!
//! Every mistake found is reported, so a part that cannot be checked gives `None` and its neighbours are checked all the same.
//! The types: numbers (integers, doubles, durations) mix; strings compare with strings; booleans take `&& || = !=`;
//! statuses and kinds take `=` and `!=`; attributes may be anything.

mod conditions;
mod fold;
mod hints;
mod metrics;
mod scalars;
mod series;
mod spansets;
mod values;

use crate::ast::{Ast, Expr, ExprKind, FilterExpr, Name, Node, Stage, StageKind};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::query::{Body, Column, Condition, Query, Type};

/// Checks a tree, putting what is wrong into `diagnostics`. Gives a query exactly if there is no error in this tree; `Error`
/// nodes count as errors but were reported by the parser.
pub(crate) fn check(ast: &Ast, diagnostics: &mut Diagnostics) -> Option<Query> {
    let mut checker = Checker { diagnostics };
    let hints = checker.hints(&ast.hints);
    let stages = &ast.pipeline.kind;
    let body = if stages.iter().any(|stage| gives_series(&stage.kind)) {
        checker.series(stages).map(Body::Metrics)
    } else {
        checker.pipeline(stages, false).map(Body::Search)
    };
    Some(Query { body: body?, hints })
}

/// Checks one filter by itself.
pub(crate) fn check_filter(
    filter: &FilterExpr,
    diagnostics: &mut Diagnostics,
) -> Option<Condition> {
    Checker { diagnostics }.condition(filter)
}

struct Checker<'d> {
    diagnostics: &'d mut Diagnostics,
}

impl Checker<'_> {
    fn error(&mut self, code: Code, node: crate::range::TextRange, message: impl Into<String>) {
        self.diagnostics.error(code, node, message);
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// The field of a name with its spelling as a label.
    fn column(&mut self, name: &Node<Name>) -> Option<Column> {
        self.suspicious(name);
        match name.kind.field() {
            Some(field) => Some(Column {
                field,
                label: name.kind.to_string(),
            }),
            None => {
                self.bare_parent(name.range);
                None
            }
        }
    }

    fn bare_parent(&mut self, range: crate::range::TextRange) {
        self.report(
            Diagnostic::error(Code::WrongPlace, range, "`parent` alone is not a value").hint(
                "read something of the parent, such as `parent.name` or `parent.span.x`; `parent = nil` finds spans without one",
            ),
        );
    }
}

/// What an expression outside of braces gives, as far as its shape tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Spansets,
    /// A number; for `Constant`, one that does not depend on spans.
    Scalar,
    Constant,
    /// A comparison of numbers.
    ScalarFilter,
    Series,
    /// Something the parser has reported.
    Unknown,
}

fn sort(expr: &Expr) -> Sort {
    match &expr.kind {
        ExprKind::Filter(_) | ExprKind::Logic { .. } => Sort::Spansets,
        ExprKind::Aggregate { .. } => Sort::Scalar,
        ExprKind::Literal(_) => Sort::Constant,
        ExprKind::Negate(inner) => match sort(inner) {
            Sort::Unknown => Sort::Unknown,
            Sort::Constant => Sort::Constant,
            Sort::Series => Sort::Series,
            _ => Sort::Scalar,
        },
        ExprKind::Pipeline(pipeline) => pipeline.kind.last().map_or(Sort::Unknown, stage_sort),
        ExprKind::Binary { op, left, right } => {
            let (left, right) = (sort(left), sort(right));
            let either = |wanted| left == wanted || right == wanted;
            if either(Sort::Unknown) {
                Sort::Unknown
            } else if either(Sort::Series) {
                Sort::Series
            } else if op.is_arithmetic() && !either(Sort::Spansets) {
                if left == Sort::Constant && right == Sort::Constant {
                    Sort::Constant
                } else {
                    Sort::Scalar
                }
            } else if op.is_comparison()
                && [left, right]
                    .iter()
                    .any(|sort| matches!(sort, Sort::Scalar | Sort::Constant))
            {
                Sort::ScalarFilter
            } else {
                Sort::Spansets
            }
        }
        ExprKind::Error => Sort::Unknown,
    }
}

fn stage_sort(stage: &Stage) -> Sort {
    match &stage.kind {
        StageKind::Expr(expr) => match sort(expr) {
            // A filter is done; what comes out is spans.
            Sort::ScalarFilter => Sort::Spansets,
            other => other,
        },
        StageKind::By(_) | StageKind::Coalesce | StageKind::Select(_) => Sort::Spansets,
        StageKind::Metrics(_)
        | StageKind::TopK(_)
        | StageKind::BottomK(_)
        | StageKind::Threshold { .. } => Sort::Series,
        StageKind::Error => Sort::Unknown,
    }
}

fn gives_series(stage: &StageKind) -> bool {
    match stage {
        StageKind::Expr(expr) => sort(expr) == Sort::Series,
        StageKind::Metrics(_)
        | StageKind::TopK(_)
        | StageKind::BottomK(_)
        | StageKind::Threshold { .. } => true,
        _ => false,
    }
}

/// Whether a value of this type can be computed with.
fn is_number(kind: Type) -> bool {
    kind.is_number() || kind == Type::Any
}
