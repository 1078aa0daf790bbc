//! Random pipelines, of spansets, numbers and series.

use super::filters::ARITHMETIC;
use super::{DEPTH, Generator};
use crate::ast::{
    AggregateFn, Argument, BinaryOp, Expr, ExprKind, Literal, LogicOp, Metrics, MetricsFn, Name,
    Node, Pipeline, Stage, StageKind,
};
use crate::field::Type;

const STRUCTURE: [BinaryOp; 15] = [
    BinaryOp::Gt,
    BinaryOp::Descendant,
    BinaryOp::Lt,
    BinaryOp::Ancestor,
    BinaryOp::Sibling,
    BinaryOp::NotChild,
    BinaryOp::NotDescendant,
    BinaryOp::NotParent,
    BinaryOp::NotAncestor,
    BinaryOp::NotMatch,
    BinaryOp::UnionChild,
    BinaryOp::UnionDescendant,
    BinaryOp::UnionParent,
    BinaryOp::UnionAncestor,
    BinaryOp::UnionSibling,
];
const COMPARISONS: [BinaryOp; 6] = [
    BinaryOp::Gt,
    BinaryOp::Ge,
    BinaryOp::Lt,
    BinaryOp::Le,
    BinaryOp::Eq,
    BinaryOp::Ne,
];

fn stage(kind: StageKind) -> Stage {
    Node::bare(kind)
}

fn binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    Node::bare(ExprKind::Binary {
        op,
        left: Box::new(left),
        right: Box::new(right),
    })
}

/// `( stages )`; around one plain expression the parentheses are not in the tree.
fn parentheses(mut stages: Vec<Stage>, keep: bool) -> Expr {
    if stages.len() == 1
        && !keep
        && let Some(Node {
            kind: StageKind::Expr(expr),
            ..
        }) = stages.pop_if(|only| matches!(only.kind, StageKind::Expr(_)))
    {
        return expr;
    }
    Node::bare(ExprKind::Pipeline(Node::bare(stages)))
}

fn negate(inner: Expr) -> Expr {
    let folded = match &inner.kind {
        ExprKind::Literal(value) => value.negated(),
        _ => None,
    };
    Node::bare(match folded {
        Some(value) => ExprKind::Literal(value),
        None => ExprKind::Negate(Box::new(inner)),
    })
}

fn logic(op: LogicOp, mut operands: Vec<Expr>) -> Expr {
    if matches!(&operands[0].kind, ExprKind::Logic { op: inner, .. } if *inner == op)
        && let ExprKind::Logic {
            operands: first, ..
        } = operands.remove(0).kind
    {
        operands.splice(0..0, first);
    }
    Node::bare(ExprKind::Logic { op, operands })
}

impl Generator<'_, '_> {
    pub(super) fn search_pipeline(&mut self) -> Pipeline {
        Node::bare(self.span_stages(DEPTH - 1, false).0)
    }

    /// Stages that give spansets, and whether those are split.
    fn span_stages(&mut self, depth: usize, mut grouped: bool) -> (Vec<Stage>, bool) {
        let count = 1 + self.choices.below(if depth == 0 { 1 } else { 3 });
        let mut stages = Vec::with_capacity(count);
        for position in 0..count {
            let kind = match self.choices.below(8) {
                4 | 5 => self.scalar_filter(depth, grouped),
                6 => {
                    grouped = true;
                    StageKind::By(self.group_key())
                }
                7 if grouped && position > 0 => {
                    grouped = false;
                    StageKind::Coalesce
                }
                7 => StageKind::Select(self.names()),
                _ => StageKind::Expr(self.spansets(depth, grouped)),
            };
            stages.push(stage(kind));
        }
        (stages, grouped)
    }

    fn names(&mut self) -> Vec<Node<Name>> {
        let count = 1 + self.choices.below(3);
        (0..count)
            .map(|_| Node::bare(self.choices.of(&self.vocabulary.names).clone()))
            .collect()
    }

    fn spansets(&mut self, depth: usize, grouped: bool) -> Expr {
        if depth == 0 {
            return Node::bare(ExprKind::Filter(self.typed_filter()));
        }
        match self.choices.below(6) {
            2 => {
                let op = *self.choices.of(&[LogicOp::And, LogicOp::Or]);
                let count = 2 + self.choices.below(2);
                let operands = (0..count)
                    .map(|_| self.spansets(depth - 1, grouped))
                    .collect();
                logic(op, operands)
            }
            3 | 4 if !grouped => {
                let op = *self.choices.of(&STRUCTURE);
                let left = self.spansets(depth - 1, false);
                let right = self.spansets(depth - 1, false);
                binary(op, left, right)
            }
            5 => {
                let (mut stages, now) = self.span_stages(depth - 1, grouped);
                if now && !grouped {
                    stages.push(stage(StageKind::Coalesce));
                }
                let filter = matches!(&stages[..], [only] if is_comparison(only));
                parentheses(stages, filter)
            }
            _ => Node::bare(ExprKind::Filter(self.typed_filter())),
        }
    }

    // === numbers ===

    fn scalar_filter(&mut self, depth: usize, grouped: bool) -> StageKind {
        let op = *self.choices.of(&COMPARISONS);
        let left = self.scalar(depth, grouped);
        let right = if self.choices.once_in(3) {
            self.scalar(depth, grouped)
        } else {
            Node::bare(ExprKind::Literal(self.number_literal()))
        };
        StageKind::Expr(binary(op, left, right))
    }

    /// A number with at least one aggregate in it.
    fn scalar(&mut self, depth: usize, grouped: bool) -> Expr {
        let kinds = if depth == 0 { 1 } else { 5 };
        match self.choices.below(kinds) {
            0 | 1 => self.aggregate(),
            2 => negate(self.scalar(depth - 1, grouped)),
            3 => {
                let op = *self.choices.of(&ARITHMETIC);
                let left = self.scalar(depth - 1, grouped);
                let right = Node::bare(ExprKind::Literal(self.number_literal()));
                binary(op, left, right)
            }
            _ if grouped => self.aggregate(),
            _ => {
                let (mut stages, now) = self.span_stages(depth - 1, false);
                if now {
                    stages.push(stage(StageKind::Coalesce));
                }
                stages.push(stage(StageKind::Expr(self.aggregate())));
                parentheses(stages, true)
            }
        }
    }

    fn aggregate(&mut self) -> Expr {
        let function = *self.choices.of(AggregateFn::ALL);
        let of = (function != AggregateFn::Count).then(|| Box::new(self.span_number()));
        Node::bare(ExprKind::Aggregate { function, of })
    }

    // === series ===

    pub(super) fn metrics_pipeline(&mut self) -> Pipeline {
        let computed = self.choices.once_in(4);
        let mut stages = if computed {
            vec![stage(StageKind::Expr(self.series_math(2)))]
        } else {
            self.metrics_stages()
        };
        // A threshold right behind an expression would be part of the expression.
        let mut thresholds = !computed;
        if !compares(&stages) {
            for _ in 0..self.choices.below(3) {
                stages.push(stage(self.second_stage(thresholds)));
                thresholds = true;
            }
        }
        Node::bare(stages)
    }

    fn metrics_stages(&mut self) -> Vec<Stage> {
        let (mut stages, _) = self.span_stages(1, false);
        let call = self.metrics_call();
        stages.push(stage(StageKind::Metrics(call)));
        stages
    }

    fn metrics_call(&mut self) -> Metrics {
        let function = *self.choices.of(MetricsFn::ALL);
        let arguments = match function {
            MetricsFn::Rate | MetricsFn::CountOverTime => Vec::new(),
            MetricsFn::Compare => vec![Argument::Filter(self.typed_filter())],
            MetricsFn::QuantileOverTime => vec![
                self.field_argument(),
                Argument::Literal(Literal::Float(0.5)),
                Argument::Literal(Literal::Int(1)),
            ],
            _ => vec![self.field_argument()],
        };
        let by = if function != MetricsFn::Compare && self.choices.once_in(2) {
            self.names()
        } else {
            Vec::new()
        };
        Metrics {
            function: Node::bare(function),
            arguments: arguments.into_iter().map(Node::bare).collect(),
            by,
        }
    }

    fn field_argument(&mut self) -> Argument {
        let fields = self
            .vocabulary
            .fields_of(|kind| kind.is_number() || kind == Type::Any);
        Argument::Name(self.choices.of(&fields).clone())
    }

    fn second_stage(&mut self, thresholds: bool) -> StageKind {
        let count = 1 + self.choices.below(10) as u64;
        match self.choices.below(if thresholds { 3 } else { 2 }) {
            0 => StageKind::TopK(count),
            1 => StageKind::BottomK(count),
            _ => StageKind::Threshold {
                op: *self.choices.of(&COMPARISONS),
                value: Node::bare(ExprKind::Literal(self.number_literal())),
            },
        }
    }

    fn series_math(&mut self, depth: usize) -> Expr {
        if depth == 0 || self.choices.once_in(3) {
            let mut stages = self.metrics_stages();
            while compares(&stages) {
                stages.pop();
                stages.push(stage(StageKind::Metrics(Metrics {
                    function: Node::bare(MetricsFn::Rate),
                    arguments: Vec::new(),
                    by: Vec::new(),
                })));
            }
            return parentheses(stages, true);
        }
        let op = *self.choices.of(&ARITHMETIC[..4]);
        let left = self.series_math(depth - 1);
        if self.choices.once_in(3) {
            let number = Literal::Int(*self.choices.of(&self.vocabulary.ints));
            return binary(op, Node::bare(ExprKind::Literal(number)), left);
        }
        let right = self.series_math(depth - 1);
        binary(op, left, right)
    }

    // === anything ===

    pub(super) fn wild_pipeline(&mut self, depth: usize) -> Pipeline {
        match self.choices.below(4) {
            0 => self.search_pipeline(),
            1 => self.metrics_pipeline(),
            _ => {
                let count = 1 + self.choices.below(3);
                let stages = (0..count).map(|_| self.wild_stage(depth)).collect();
                Node::bare(stages)
            }
        }
    }

    fn wild_stage(&mut self, depth: usize) -> Stage {
        stage(match self.choices.below(8) {
            0 => StageKind::By(self.wild_filter(depth)),
            1 => StageKind::Coalesce,
            2 => StageKind::Select(self.names()),
            3 => StageKind::TopK(1 + self.choices.below(1000) as u64),
            4 => StageKind::Metrics(self.metrics_call()),
            _ => StageKind::Expr(self.wild_expr(depth)),
        })
    }

    fn wild_expr(&mut self, depth: usize) -> Expr {
        let kinds = if depth == 0 { 3 } else { 7 };
        match self.choices.below(kinds) {
            0 => {
                let filter = Box::new(self.wild_filter(depth));
                Node::bare(ExprKind::Filter(Some(filter)))
            }
            1 => self.aggregate(),
            2 => Node::bare(ExprKind::Literal(self.literal())),
            3 => negate(self.wild_expr(depth - 1)),
            4 => {
                let op = *self.choices.of(&[LogicOp::And, LogicOp::Or]);
                let operands = vec![self.wild_expr(depth - 1), self.wild_expr(depth - 1)];
                logic(op, operands)
            }
            5 => {
                let stages = vec![self.wild_stage(depth - 1), stage(StageKind::Coalesce)];
                parentheses(stages, true)
            }
            // Of comparisons, parentheses may or may not stay in the tree; here are none that need any.
            _ => {
                let op = *self.choices.of(&ARITHMETIC);
                let left = self.wild_expr(depth - 1);
                let right = self.wild_expr(depth - 1);
                binary(op, left, right)
            }
        }
    }
}

fn is_comparison(stage: &Stage) -> bool {
    matches!(&stage.kind, StageKind::Expr(Node { kind: ExprKind::Binary { op, left, .. }, .. })
        if op.is_comparison() && !matches!(left.kind, ExprKind::Filter(_) | ExprKind::Logic { .. }) && is_number(left))
}

fn is_number(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Aggregate { .. } | ExprKind::Literal(_) | ExprKind::Negate(_) => true,
        ExprKind::Binary { op, .. } => op.is_arithmetic(),
        ExprKind::Pipeline(pipeline) => pipeline
            .kind
            .last()
            .is_some_and(|last| matches!(&last.kind, StageKind::Expr(expr) if is_number(expr))),
        _ => false,
    }
}

fn compares(stages: &[Stage]) -> bool {
    matches!(
        stages.last().map(|stage| &stage.kind),
        Some(StageKind::Metrics(metrics)) if metrics.function.kind == MetricsFn::Compare
    )
}
