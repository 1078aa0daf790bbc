//! Pipelines of spansets: stages and structure.

use super::conditions::compare_op;
use super::values::Checked;
use super::{Checker, Sort, sort};
use crate::ast::{BinaryOp, Expr, ExprKind, LogicOp, Stage as AstStage, StageKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::print::filter_text;
use crate::query::{Condition, GroupKey, Mode, Pipeline, Relation, Spansets, Stage};
use crate::range::TextRange;

impl Checker<'_> {
    /// Stages that take spansets and give spansets. `grouped` tells that the input is split by `by`.
    pub(super) fn pipeline(&mut self, stages: &[AstStage], grouped: bool) -> Option<Pipeline> {
        let mut checked = Vec::new();
        let mut fine = true;
        let mut grouped = grouped;
        for (position, stage) in stages.iter().enumerate() {
            match self.stage(stage, position == 0, grouped) {
                Some(stages) => checked.extend(stages),
                None => fine = false,
            }
            match stage.kind {
                StageKind::By(_) => grouped = true,
                StageKind::Coalesce => grouped = false,
                _ => {}
            }
        }
        fine.then_some(Pipeline { stages: checked })
    }

    fn stage(&mut self, stage: &AstStage, first: bool, grouped: bool) -> Option<Vec<Stage>> {
        let one = |stage| Some(vec![stage]);
        match &stage.kind {
            StageKind::Expr(expr) => self.expr_stage(expr, grouped),
            StageKind::By(key) => {
                let label = format!("by({})", filter_text(key));
                match self.value(key)? {
                    Checked::Value(value, _) if value.reads_span() => {
                        one(Stage::By(GroupKey { value, label }))
                    }
                    _ => {
                        self.report(
                            Diagnostic::error(
                                Code::NoSpan,
                                key.range,
                                "this is the same for every span, so there is nothing to group by",
                            )
                            .hint("group by an attribute or an intrinsic, such as `by(resource.service.name)`"),
                        );
                        None
                    }
                }
            }
            StageKind::Coalesce if first => {
                self.report(
                    Diagnostic::error(
                        Code::WrongPlace,
                        stage.range,
                        "a pipeline cannot begin with `coalesce()`",
                    )
                    .hint("it joins what `by(…)` has split before"),
                );
                None
            }
            StageKind::Coalesce => one(Stage::Coalesce),
            StageKind::Select(names) => {
                let columns: Vec<_> = names.iter().map(|name| self.column(name)).collect();
                one(Stage::Select(columns.into_iter().collect::<Option<_>>()?))
            }
            StageKind::Metrics(_)
            | StageKind::TopK(_)
            | StageKind::BottomK(_)
            | StageKind::Threshold { .. } => {
                self.report(
                    Diagnostic::error(
                        Code::WrongPlace,
                        stage.range,
                        "metrics end a pipeline; spans are expected here",
                    )
                    .hint("put the metrics function last"),
                );
                None
            }
            StageKind::Error => None,
        }
    }

    fn expr_stage(&mut self, expr: &Expr, grouped: bool) -> Option<Vec<Stage>> {
        match sort(expr) {
            Sort::ScalarFilter => {
                let ExprKind::Binary { op, left, right } = &expr.kind else {
                    return None;
                };
                self.scalar_filter(compare_op(*op)?, left, right, expr.range, grouped)
            }
            Sort::Scalar | Sort::Constant => {
                self.naked_scalar(expr);
                None
            }
            _ => match self.spansets(expr, grouped)? {
                // A pipeline in parentheses that is a whole stage is that pipeline.
                Spansets::Pipeline(pipeline) => Some(pipeline.stages),
                spansets => Some(vec![Stage::Spansets(spansets)]),
            },
        }
    }

    fn naked_scalar(&mut self, expr: &Expr) {
        self.report(
            Diagnostic::error(
                Code::WrongPlace,
                expr.range,
                "this is a number, and a pipeline filters",
            )
            .hint("compare it with something, for example `count() > 3`; numbers over time come from `rate()` and its kin")
            .fix(TextRange::empty_at(expr.range.end), " > 0"),
        );
    }

    /// An expression that gives spans.
    pub(super) fn spansets(&mut self, expr: &Expr, grouped: bool) -> Option<Spansets> {
        match &expr.kind {
            ExprKind::Error => None,
            ExprKind::Filter(None) => Some(Spansets::Filter(Condition::Const(true))),
            ExprKind::Filter(Some(filter)) => self.condition(filter).map(Spansets::Filter),
            ExprKind::Logic { op, operands } => {
                let checked: Vec<_> = operands
                    .iter()
                    .map(|operand| self.spansets(operand, grouped))
                    .collect();
                let operands = checked.into_iter().collect::<Option<Vec<_>>>()?;
                Some(match op {
                    LogicOp::And => Spansets::And(operands),
                    LogicOp::Or => Spansets::Or(operands),
                })
            }
            ExprKind::Binary { op, left, right } => self.related(expr, *op, left, right, grouped),
            ExprKind::Pipeline(pipeline) => match sort(expr) {
                Sort::Series => {
                    self.series_as_spansets(expr);
                    None
                }
                Sort::Scalar | Sort::Constant => {
                    self.naked_scalar(expr);
                    None
                }
                _ => {
                    let mut pipeline = self.pipeline(&pipeline.kind, grouped)?;
                    Some(match pipeline.stages.pop() {
                        Some(Stage::Spansets(only)) if pipeline.stages.is_empty() => only,
                        Some(last) => {
                            pipeline.stages.push(last);
                            Spansets::Pipeline(pipeline)
                        }
                        None => return None,
                    })
                }
            },
            ExprKind::Aggregate { .. } | ExprKind::Literal(_) | ExprKind::Negate(_) => {
                self.naked_scalar(expr);
                None
            }
        }
    }

    fn series_as_spansets(&mut self, expr: &Expr) {
        self.report(
            Diagnostic::error(
                Code::WrongPlace,
                expr.range,
                "this gives series, and spans are expected here",
            )
            .hint("series can be computed with `+ - * /` and compared with numbers"),
        );
    }

    fn related(
        &mut self,
        expr: &Expr,
        op: BinaryOp,
        left: &Expr,
        right: &Expr,
        grouped: bool,
    ) -> Option<Spansets> {
        match sort(expr) {
            Sort::ScalarFilter => {
                self.report(
                    Diagnostic::error(
                        Code::WrongPlace,
                        expr.range,
                        "a comparison of numbers is a stage and no spanset",
                    )
                    .hint("put it behind a pipe, `… | count() > 3`, or in parentheses, `(count() > 3) && { … }`"),
                );
                return None;
            }
            Sort::Series => {
                self.series_as_spansets(expr);
                return None;
            }
            Sort::Unknown => {
                // Something was reported; the sound side is looked at all the same.
                for side in [left, right] {
                    if sort(side) == Sort::Spansets {
                        self.spansets(side, grouped);
                    }
                }
                return None;
            }
            _ => {}
        }
        let Some((relation, mode)) = relation(op) else {
            self.report(
                Diagnostic::error(
                    Code::TypeMismatch,
                    expr.range,
                    format!("`{}` cannot join two spansets", op.as_str()),
                )
                .hint("spansets are joined with `&& || > >> < << ~` and with `!` or `&` before one of the last five; numbers come from aggregates, such as `({ … } | count())`"),
            );
            return None;
        };
        let left = self.spansets(left, grouped);
        let right = self.spansets(right, grouped);
        let (left, right) = (left?, right?);
        let splits =
            |side: &Spansets| matches!(side, Spansets::Pipeline(pipeline) if pipeline.is_grouped());
        if grouped || splits(&left) || splits(&right) {
            self.report(
                Diagnostic::error(
                    Code::Grouped,
                    expr.range,
                    format!(
                        "`{}` cannot work on spansets that `by(…)` has split",
                        op.as_str()
                    ),
                )
                .hint("join them before with `| coalesce()`"),
            );
            return None;
        }
        Some(Spansets::Related {
            relation,
            mode,
            left: Box::new(left),
            right: Box::new(right),
        })
    }
}

fn relation(op: BinaryOp) -> Option<(Relation, Mode)> {
    use Mode::{Both, Right, RightWithout};
    use Relation::{Ancestor, Child, Descendant, Parent, Sibling};
    Some(match op {
        BinaryOp::Gt => (Child, Right),
        BinaryOp::Descendant => (Descendant, Right),
        BinaryOp::Lt => (Parent, Right),
        BinaryOp::Ancestor => (Ancestor, Right),
        BinaryOp::Sibling => (Sibling, Right),
        BinaryOp::NotChild => (Child, RightWithout),
        BinaryOp::NotDescendant => (Descendant, RightWithout),
        BinaryOp::NotParent => (Parent, RightWithout),
        BinaryOp::NotAncestor => (Ancestor, RightWithout),
        BinaryOp::NotMatch => (Sibling, RightWithout),
        BinaryOp::UnionChild => (Child, Both),
        BinaryOp::UnionDescendant => (Descendant, Both),
        BinaryOp::UnionParent => (Parent, Both),
        BinaryOp::UnionAncestor => (Ancestor, Both),
        BinaryOp::UnionSibling => (Sibling, Both),
        _ => return None,
    })
}
