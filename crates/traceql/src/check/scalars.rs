//! Numbers computed from spansets, and the filters that compare them.

use super::values::{Checked, arith_op, arith_type, constant};
use super::{Checker, fold, is_number};
use crate::ast::{AggregateFn, BinaryOp, Expr, ExprKind, FilterExpr, StageKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::print::filter_text;
use crate::query::{Aggregate, CompareOp, Constant, Pipeline, Scalar, ScalarFilter, Stage, Type};
use crate::range::TextRange;

impl Checker<'_> {
    /// `left op right` as stages.
    ///
    /// With the aggregates of one pipeline in parentheses and none besides, that is the pipeline and then the filter.
    pub(super) fn scalar_filter(
        &mut self,
        op: CompareOp,
        left: &Expr,
        right: &Expr,
        range: TextRange,
        grouped: bool,
    ) -> Option<Vec<Stage>> {
        let checked_left = self.scalar(left, grouped);
        let checked_right = self.scalar(right, grouped);
        let ((mut left, _), (mut right, _)) = (checked_left?, checked_right?);
        let mut uses = Uses::default();
        uses.count(&left);
        uses.count(&right);
        if uses.plain + uses.over == 0 {
            self.report(
                Diagnostic::error(Code::NoSpan, range, "this compares two constants")
                    .hint("compare an aggregate, for example `count() > 3`"),
            );
            return None;
        }
        let mut stages = Vec::new();
        if uses.over == 1 && uses.plain == 0 {
            let inner = take_over(&mut left).or_else(|| take_over(&mut right));
            stages = inner.map(|pipeline| pipeline.stages).unwrap_or_default();
        } else if uses.over_grouped {
            self.report(
                Diagnostic::error(
                    Code::Grouped,
                    range,
                    "groups of `by(…)` can be compared with constants only",
                )
                .hint("leave out `by(…)`, or add `| coalesce()` before the aggregate"),
            );
            return None;
        }
        let filter = if matches!(left, Scalar::Constant(_)) {
            ScalarFilter {
                op: op.flipped(),
                left: right,
                right: left,
            }
        } else {
            ScalarFilter { op, left, right }
        };
        stages.push(Stage::Keep(filter));
        Some(stages)
    }

    /// An expression that gives a number.
    fn scalar(&mut self, expr: &Expr, grouped: bool) -> Option<(Scalar, Type)> {
        match &expr.kind {
            ExprKind::Error => None,
            ExprKind::Literal(literal) => {
                let constant =
                    constant(literal).filter(|constant| constant.value_type().is_number());
                match constant {
                    Some(constant) => {
                        let kind = constant.value_type();
                        Some((Scalar::Constant(constant), kind))
                    }
                    None => {
                        self.report(
                            Diagnostic::error(
                                Code::NotNumber,
                                expr.range,
                                format!("aggregates are numbers, and `{literal}` is none"),
                            )
                            .hint("compare with a number or a duration"),
                        );
                        None
                    }
                }
            }
            ExprKind::Aggregate { function, of } => self.aggregate(*function, of.as_deref()),
            ExprKind::Negate(inner) => {
                let (value, kind) = self.scalar(inner, grouped)?;
                Some((fold::scalar_negate(value), kind))
            }
            ExprKind::Binary { op, left, right } => match arith_op(*op) {
                Some(arith) => {
                    let left = self.scalar(left, grouped);
                    let right = self.scalar(right, grouped);
                    let ((left, left_type), (right, right_type)) = (left?, right?);
                    let kind = arith_type(left_type, right_type);
                    Some((fold::scalar_arith(arith, left, right), kind))
                }
                None => self.not_number(expr, Some(*op)),
            },
            ExprKind::Pipeline(pipeline) => match pipeline.kind.split_last() {
                Some((last, before)) if matches!(&last.kind, StageKind::Expr(inner) if super::sort(inner) == super::Sort::Scalar) =>
                {
                    let StageKind::Expr(inner) = &last.kind else {
                        return None;
                    };
                    let before = self.pipeline(before, grouped);
                    let inner_grouped =
                        grouped || before.as_ref().is_some_and(Pipeline::is_grouped);
                    let inner = self.scalar(inner, inner_grouped);
                    let (pipeline, (scalar, kind)) = (before?, inner?);
                    let scalar = Box::new(scalar);
                    Some((Scalar::Over { pipeline, scalar }, kind))
                }
                _ => self.not_number(expr, None),
            },
            ExprKind::Filter(_) | ExprKind::Logic { .. } => self.not_number(expr, None),
        }
    }

    fn not_number(&mut self, expr: &Expr, op: Option<BinaryOp>) -> Option<(Scalar, Type)> {
        let diagnostic = Diagnostic::error(
            Code::NotNumber,
            expr.range,
            "a number is expected here, and this is not one",
        );
        self.report(match op {
            Some(op) if op.is_comparison() => {
                diagnostic.hint("a comparison is true or false; join several with pipes: `| count() > 1 | count() < 9`")
            }
            _ => diagnostic.hint("a spanset becomes a number through an aggregate: `({ … } | count())`"),
        });
        None
    }

    fn aggregate(
        &mut self,
        function: AggregateFn,
        of: Option<&FilterExpr>,
    ) -> Option<(Scalar, Type)> {
        let make = match function {
            AggregateFn::Count => {
                let count = Scalar::Aggregate(Aggregate::Count, "count()".into());
                return Some((count, Type::Int));
            }
            AggregateFn::Avg => Aggregate::Avg,
            AggregateFn::Min => Aggregate::Min,
            AggregateFn::Max => Aggregate::Max,
            AggregateFn::Sum => Aggregate::Sum,
        };
        let of = of?;
        let (value, kind) = match self.value(of)? {
            Checked::Value(value, kind) if is_number(kind) => (value, kind),
            Checked::Value(_, kind) => {
                self.aggregate_of(function, of, kind);
                return None;
            }
            Checked::Nil => {
                self.aggregate_of(function, of, Type::Nil);
                return None;
            }
        };
        if !value.reads_span() {
            self.report(
                Diagnostic::error(
                    Code::NoSpan,
                    of.range,
                    format!("`{}` needs something of the span", function.as_str()),
                )
                .hint(format!("for example `{}(duration)`", function.as_str())),
            );
            return None;
        }
        let kind = match (function, kind) {
            (AggregateFn::Avg, Type::Int) => Type::Float,
            (_, kind) => kind,
        };
        let label = format!("{}({})", function.as_str(), filter_text(of));
        Some((Scalar::Aggregate(make(value), label.into()), kind))
    }

    fn aggregate_of(&mut self, function: AggregateFn, of: &FilterExpr, kind: Type) {
        self.error(
            Code::NotNumber,
            of.range,
            format!(
                "`{}` needs numbers, and {} is {}",
                function.as_str(),
                super::values::shown(of),
                kind.describe()
            ),
        );
    }
}

/// How many aggregates look at the entering spanset, and how many at that of a pipeline in parentheses.
#[derive(Default)]
struct Uses {
    plain: usize,
    over: usize,
    over_grouped: bool,
}

impl Uses {
    fn count(&mut self, scalar: &Scalar) {
        match scalar {
            Scalar::Constant(_) => {}
            Scalar::Aggregate(..) => self.plain += 1,
            Scalar::Over { pipeline, .. } => {
                self.over += 1;
                self.over_grouped |= pipeline.is_grouped();
            }
            Scalar::Negate(inner) => self.count(inner),
            Scalar::Arith { left, right, .. } => {
                self.count(left);
                self.count(right);
            }
        }
    }
}

/// Replaces the pipeline in parentheses by the number computed over it, and gives its stages.
fn take_over(scalar: &mut Scalar) -> Option<Pipeline> {
    match scalar {
        Scalar::Over { .. } => {
            let taken = std::mem::replace(scalar, Scalar::Constant(Constant::Int(0)));
            let Scalar::Over {
                pipeline,
                scalar: inner,
            } = taken
            else {
                return None;
            };
            *scalar = *inner;
            Some(pipeline)
        }
        Scalar::Negate(inner) => take_over(inner),
        Scalar::Arith { left, right, .. } => take_over(left).or_else(|| take_over(right)),
        Scalar::Constant(_) | Scalar::Aggregate(..) => None,
    }
}
