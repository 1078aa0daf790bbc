//! Series: metrics queries, arithmetic between them, and what may be done to them.

use super::conditions::compare_op;
use super::values::{arith_op, constant};
use super::{Checker, Sort, fold, gives_series, sort};
use crate::ast::{BinaryOp, Expr, ExprKind, Metrics, MetricsFn, Stage, StageKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::query::{
    ArithOp, CompareOp, Constant, MathOp, MetricsFunction, MetricsQuery, Scalar, Series,
    SeriesStage, Type,
};
use crate::range::TextRange;

/// Nanoseconds in a second: series of durations are in seconds.
const NANOS_PER_SECOND: f64 = 1e9;

impl Checker<'_> {
    /// Stages of which some give series.
    pub(super) fn series(&mut self, stages: &[Stage]) -> Option<Series> {
        let at = stages.iter().position(|stage| gives_series(&stage.kind))?;
        let (before, rest) = stages.split_at(at);
        let (head, rest) = rest.split_first()?;
        let mut series = match &head.kind {
            StageKind::Metrics(metrics) => self.metrics_query(before, head.range, metrics),
            StageKind::Expr(expr) if before.is_empty() => self.series_expr(expr),
            StageKind::Expr(expr) => {
                self.report(
                    Diagnostic::error(
                        Code::WrongPlace,
                        expr.range,
                        "arithmetic on series cannot follow a pipe",
                    )
                    .hint("it begins the query: `({ … } | rate()) / ({ … } | rate())`"),
                );
                None
            }
            _ => {
                self.second_stage_alone(head);
                None
            }
        };
        for stage in rest {
            let next = self.series_stage(stage);
            series = match (series, next) {
                (Some(series), Some(next)) => self.then(series, next, stage.range),
                _ => None,
            };
        }
        series
    }

    fn second_stage_alone(&mut self, stage: &Stage) {
        self.report(
            Diagnostic::error(Code::WrongPlace, stage.range, "this works on series, and there are none yet")
                .hint("put a metrics function before it: `{ … } | rate() by (resource.service.name) | topk(5)`"),
        );
    }

    fn series_stage(&mut self, stage: &Stage) -> Option<SeriesStage> {
        match &stage.kind {
            StageKind::TopK(count) => Some(SeriesStage::TopK(*count)),
            StageKind::BottomK(count) => Some(SeriesStage::BottomK(*count)),
            StageKind::Threshold { op, value } => {
                let op = compare_op(*op)?;
                let value = self.threshold_value(value)?;
                Some(SeriesStage::Threshold { op, value })
            }
            StageKind::Error => None,
            _ => {
                self.report(
                    Diagnostic::error(
                        Code::WrongPlace,
                        stage.range,
                        "after a metrics function come only `topk`, `bottomk` and thresholds",
                    )
                    .hint("filter and group spans before it"),
                );
                None
            }
        }
    }

    fn then(&mut self, input: Series, stage: SeriesStage, range: TextRange) -> Option<Series> {
        if compares(&input) {
            self.report(
                Diagnostic::error(Code::WrongPlace, range, "nothing can follow `compare(…)`")
                    .hint("its second argument limits how many values are listed"),
            );
            return None;
        }
        Some(match input {
            Series::Then { input, mut stages } => {
                stages.push(stage);
                Series::Then { input, stages }
            }
            input => Series::Then {
                input: Box::new(input),
                stages: vec![stage],
            },
        })
    }

    fn metrics_query(
        &mut self,
        before: &[Stage],
        range: TextRange,
        metrics: &Metrics,
    ) -> Option<Series> {
        if before.is_empty() {
            let name = metrics.function.kind.as_str();
            self.report(
                Diagnostic::error(
                    Code::WrongPlace,
                    range,
                    format!("`{name}` needs spans to work on"),
                )
                .hint(format!(
                    "for all spans, write `{{ }} | {name}({})`",
                    if metrics.arguments.is_empty() {
                        ""
                    } else {
                        "…"
                    }
                ))
                .fix(TextRange::empty_at(range.start), "{ } | "),
            );
        }
        let input = if before.is_empty() {
            None
        } else {
            self.pipeline(before, false)
        };
        let function = self.function(metrics);
        let by: Vec<_> = metrics.by.iter().map(|name| self.column(name)).collect();
        let by = by.into_iter().collect::<Option<Vec<_>>>();
        if metrics.function.kind == MetricsFn::Compare && !metrics.by.is_empty() {
            self.error(
                Code::WrongPlace,
                range,
                "`compare` looks at every attribute and takes no `by`",
            );
            return None;
        }
        Some(Series::Query(MetricsQuery {
            input: input?,
            function: function?,
            by: by?,
        }))
    }

    // === arithmetic ===

    fn series_expr(&mut self, expr: &Expr) -> Option<Series> {
        match &expr.kind {
            ExprKind::Error => None,
            ExprKind::Pipeline(pipeline) if sort(expr) == Sort::Series => {
                self.series(&pipeline.kind)
            }
            ExprKind::Binary { op, left, right } if op.is_comparison() => {
                self.series_threshold(*op, left, right, expr.range)
            }
            ExprKind::Binary { op, left, right } if op.is_arithmetic() => {
                let Some(math) = math_op(*op) else {
                    self.report(
                        Diagnostic::error(
                            Code::TypeMismatch,
                            expr.range,
                            format!("`{}` cannot compute with series", op.as_str()),
                        )
                        .hint("series know `+ - * /`"),
                    );
                    return None;
                };
                let left = self.series_operand(left);
                let right = self.series_operand(right);
                Some(Series::Math {
                    op: math,
                    left: Box::new(left?),
                    right: Box::new(right?),
                })
            }
            _ => {
                self.report(
                    Diagnostic::error(
                        Code::TypeMismatch,
                        expr.range,
                        "this does not work with series",
                    )
                    .hint("series can be computed with `+ - * /` and compared with numbers"),
                );
                None
            }
        }
    }

    fn series_operand(&mut self, expr: &Expr) -> Option<Series> {
        match sort(expr) {
            Sort::Unknown => None,
            Sort::Constant => {
                let value = self.constant_number(expr)?;
                let Some(value) = plain_number(&value) else {
                    self.report(
                        Diagnostic::error(
                            Code::TypeMismatch,
                            expr.range,
                            "series cannot be computed with durations",
                        )
                        .hint("series of durations are in seconds; write a plain number"),
                    );
                    return None;
                };
                Some(Series::Constant(value))
            }
            Sort::Series => {
                let series = self.series_expr(expr)?;
                if compares(&series) {
                    self.error(
                        Code::WrongPlace,
                        expr.range,
                        "the answer of `compare` cannot be computed with",
                    );
                    return None;
                }
                Some(series)
            }
            _ => {
                self.report(
                    Diagnostic::error(
                        Code::TypeMismatch,
                        expr.range,
                        "both sides must be series or numbers, and this is neither",
                    )
                    .hint("end the pipeline with a metrics function: `({ … } | rate())`"),
                );
                None
            }
        }
    }

    fn series_threshold(
        &mut self,
        op: BinaryOp,
        left: &Expr,
        right: &Expr,
        range: TextRange,
    ) -> Option<Series> {
        let op = compare_op(op)?;
        let (series, value, op) = match (sort(left), sort(right)) {
            (Sort::Unknown, _) | (_, Sort::Unknown) => return None,
            (Sort::Series, Sort::Constant) => (left, right, op),
            (Sort::Constant, Sort::Series) => (right, left, op.flipped()),
            _ => {
                self.report(
                    Diagnostic::error(
                        Code::TypeMismatch,
                        range,
                        "series can be compared with numbers only",
                    )
                    .hint("compare the quotient or the difference of two series with a number"),
                );
                return None;
            }
        };
        let series = self.series_expr(series);
        let value = self.threshold_value(value);
        let stage = threshold(op, value?);
        self.then(series?, stage, range)
    }

    fn threshold_value(&mut self, expr: &Expr) -> Option<f64> {
        match sort(expr) {
            Sort::Unknown => None,
            Sort::Constant => Some(match self.constant_number(expr)? {
                Constant::Duration(value) => value.0 as f64 / NANOS_PER_SECOND,
                other => plain_number(&other)?,
            }),
            _ => {
                self.report(
                    Diagnostic::error(
                        Code::NotNumber,
                        expr.range,
                        "series can be compared with numbers only",
                    )
                    .hint("a number or a duration stands here"),
                );
                None
            }
        }
    }

    /// A number that depends on nothing.
    fn constant_number(&mut self, expr: &Expr) -> Option<Constant> {
        let not_number = |checker: &mut Self| {
            checker.error(Code::NotNumber, expr.range, "a number is expected here");
            None
        };
        let folded = match &expr.kind {
            ExprKind::Literal(literal) => match constant(literal) {
                Some(value) if value.value_type().is_number() => return Some(value),
                _ => return not_number(self),
            },
            ExprKind::Negate(inner) => {
                fold::scalar_negate(Scalar::Constant(self.constant_number(inner)?))
            }
            ExprKind::Binary { op, left, right } => {
                let op = arith_op(*op)?;
                if matches!(op, ArithOp::Mod | ArithOp::Pow) {
                    self.error(
                        Code::TypeMismatch,
                        expr.range,
                        format!("`{}` cannot compute with series", op.as_str()),
                    );
                    return None;
                }
                let left = self.constant_number(left);
                let right = self.constant_number(right);
                fold::scalar_arith(op, Scalar::Constant(left?), Scalar::Constant(right?))
            }
            _ => return not_number(self),
        };
        match folded {
            Scalar::Constant(value) => Some(value),
            _ => {
                self.error(Code::BadNumber, expr.range, "this number does not exist");
                None
            }
        }
    }
}

fn threshold(op: CompareOp, value: f64) -> SeriesStage {
    SeriesStage::Threshold { op, value }
}

fn compares(series: &Series) -> bool {
    matches!(series, Series::Query(query) if matches!(query.function, MetricsFunction::Compare { .. }))
}

fn plain_number(value: &Constant) -> Option<f64> {
    match value.value_type() {
        Type::Int | Type::Float => crate::semantics::as_f64(value),
        _ => None,
    }
}

fn math_op(op: BinaryOp) -> Option<MathOp> {
    Some(match op {
        BinaryOp::Add => MathOp::Add,
        BinaryOp::Sub => MathOp::Sub,
        BinaryOp::Mul => MathOp::Mul,
        BinaryOp::Div => MathOp::Div,
        _ => return None,
    })
}
