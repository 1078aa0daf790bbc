//! Expressions outside of braces: spansets, scalars and metrics, which the checker tells apart.

use super::pipeline::expr_gives_series;
use super::{Built, Expect, LogicOp, MINUS, Operand, Parser};
use crate::ast::{AggregateFn, BinaryOp, Expr, ExprKind, MetricsFn, Node, Pipeline, StageKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::field::Intrinsic;
use crate::token::TokenKind;

impl Parser<'_> {
    /// An expression of operators that bind at least as strongly as `minimum`.
    pub(super) fn expr(&mut self, minimum: u8) -> Built<ExprKind> {
        let built = if self.enter() {
            self.expr_inside(minimum)
        } else {
            (Node::new(ExprKind::Error, self.range()), 1)
        };
        self.leave();
        built
    }

    fn expr_inside(&mut self, minimum: u8) -> Built<ExprKind> {
        let (mut left, mut height) = self.operand();
        loop {
            self.note(Expect::Operator(if is_scalar(&left) {
                Operand::Number
            } else if expr_gives_series(&left) {
                Operand::Series
            } else {
                Operand::Spansets
            }));
            match *self.peek() {
                TokenKind::Logic(op) if minimum <= LogicOp::PRECEDENCE => {
                    self.bump();
                    (left, height) = self.logic(op, left, height);
                }
                TokenKind::Binary(op) if minimum <= op.precedence() => {
                    self.bump();
                    let (right, right_height) = self.expr(op.right_minimum());
                    height = self.grow(height, right_height);
                    let range = left.range.to(right.range);
                    let kind = ExprKind::Binary {
                        op,
                        left: Box::new(left),
                        right: Box::new(right),
                    };
                    left = Node::new(kind, range);
                }
                TokenKind::OpenBrace if minimum <= LogicOp::PRECEDENCE => {
                    self.side_by_side_spansets();
                    (left, height) = self.logic(LogicOp::And, left, height);
                }
                _ => return (left, height),
            }
        }
    }

    fn logic(&mut self, op: LogicOp, left: Expr, height: usize) -> Built<ExprKind> {
        let (right, right_height) = self.expr(LogicOp::PRECEDENCE + 1);
        let range = left.range.to(right.range);
        let (operands, below) = match left.kind {
            ExprKind::Logic {
                op: inner,
                mut operands,
            } if inner == op => {
                operands.push(right);
                (operands, height - 1)
            }
            _ => (vec![left, right], height),
        };
        let height = self.grow(below, right_height);
        (Node::new(ExprKind::Logic { op, operands }, range), height)
    }

    fn side_by_side_spansets(&mut self) {
        let mut diagnostic = Diagnostic::error(
            Code::Unexpected,
            self.range(),
            "expected an operator between two spansets",
        )
        .hint("use `&&` or `||`, or `>>` to find descendants; one span that meets both conditions is `{ a && b }`");
        diagnostic.expected = self.expected();
        self.fail(diagnostic);
    }

    fn operand(&mut self) -> Built<ExprKind> {
        self.note(Expect::Operand);
        let start = self.range();
        if let Some(literal) = self.signed_literal() {
            return (Node::new(ExprKind::Literal(literal.kind), literal.range), 1);
        }
        match self.peek() {
            TokenKind::OpenBrace => {
                let (filter, range, height) = self.braces();
                (Node::new(ExprKind::Filter(filter), range), height + 1)
            }
            TokenKind::OpenParen => self.parentheses(),
            TokenKind::Binary(BinaryOp::Sub) => {
                self.bump();
                let (operand, height) = self.expr(MINUS);
                let range = start.to(operand.range);
                let kind = match &operand.kind {
                    ExprKind::Literal(literal) => literal.negated().map(ExprKind::Literal),
                    _ => None,
                };
                let kind = kind.unwrap_or_else(|| ExprKind::Negate(Box::new(operand)));
                (Node::new(kind, range), height + 1)
            }
            TokenKind::Word if AggregateFn::from_word(self.word()).is_some() => self.aggregate(),
            TokenKind::Bang => {
                self.fail(
                    Diagnostic::error(
                        Code::WrongPlace,
                        start,
                        "`!` cannot stand before a spanset",
                    )
                    .hint("negate inside of the braces, `{ !(…) }`, or relate two spansets with `!>`, `!>>`, `!<`, `!<<` or `!~`"),
                );
                self.bump();
                self.expr(MINUS)
            }
            _ => {
                self.no_operand();
                (Node::new(ExprKind::Error, start), 1)
            }
        }
    }

    /// `( pipeline )`. Around one expression the parentheses have done their work with the shape of the tree; around more,
    /// and around a scalar filter, they stay.
    fn parentheses(&mut self) -> Built<ExprKind> {
        let open = self.bump();
        let (pipeline, height) = self.pipeline(false);
        self.close(&TokenKind::CloseParen, "`)`", open);
        let range = self.range_from(open.start);
        let mut pipeline = pipeline;
        let lone = match &pipeline.kind[..] {
            [only] => matches!(&only.kind, StageKind::Expr(expr) if !is_scalar_filter(expr)),
            _ => false,
        };
        if lone
            && let Some(Node {
                kind: StageKind::Expr(mut expr),
                ..
            }) = pipeline.kind.pop()
        {
            expr.range = range;
            return (expr, height);
        }
        let height = self.grow(height, 0);
        (Node::new(ExprKind::Pipeline(pipeline), range), height)
    }

    fn aggregate(&mut self) -> Built<ExprKind> {
        let word = self.bump();
        let function = AggregateFn::from_word(word.of(self.text)).unwrap_or(AggregateFn::Count);
        let open = self.range();
        if !self.open_arguments() {
            return (Node::new(ExprKind::Error, word), 1);
        }
        let mut of = None;
        let mut height = 0;
        if function != AggregateFn::Count || *self.peek() != TokenKind::CloseParen {
            if *self.peek() == TokenKind::CloseParen {
                self.note(Expect::FilterOperand);
                self.fail(
                    Diagnostic::error(
                        Code::BadArgument,
                        word.to(open),
                        format!("`{}` needs an expression to work on", function.as_str()),
                    )
                    .hint(format!("for example `{}(duration)`", function.as_str())),
                );
                of = Some(Box::new(Node::new(
                    crate::ast::FilterKind::Error,
                    self.range(),
                )));
            } else {
                let (argument, below) = self.whole_filter();
                height = below;
                of = Some(Box::new(argument));
            }
        }
        if function == AggregateFn::Count
            && let Some(argument) = of.take()
        {
            self.diagnostics.push(
                Diagnostic::error(
                    Code::BadArgument,
                    argument.range,
                    "`count()` takes nothing in its parentheses",
                )
                .hint("to count only some spans, filter before: `{ … } | count()`")
                .fix(argument.range, ""),
            );
        }
        self.close(&TokenKind::CloseParen, "`)`", open);
        let kind = ExprKind::Aggregate { function, of };
        (Node::new(kind, self.range_from(word.start)), height + 1)
    }

    /// Eats the parenthesis that must follow the name of a function.
    pub(super) fn open_arguments(&mut self) -> bool {
        let found = self.eat(&TokenKind::OpenParen);
        if !found {
            self.note(Expect::Mark("`(`"));
            self.fail_unexpected(None);
        }
        found
    }

    fn no_operand(&mut self) {
        let range = self.range();
        let word = self.word();
        match self.peek() {
            TokenKind::Word if MetricsFn::from_word(word).is_some() => {
                self.fail(
                    Diagnostic::error(
                        Code::WrongPlace,
                        range,
                        format!("`{word}` turns a pipeline into series and cannot stand here"),
                    )
                    .hint(format!("write it as `({{ … }} | {word}(…))`")),
                );
                self.bump();
                self.skip_parentheses_if_any();
            }
            TokenKind::Word if Intrinsic::from_spelling(word).is_some() => self.bare_condition(),
            TokenKind::Word => {
                self.fail(crate::suggest::unknown_stage(word, range));
                self.bump();
                self.skip_parentheses_if_any();
            }
            TokenKind::Name(_) | TokenKind::Scoped | TokenKind::Dotted | TokenKind::Str(_) => {
                self.bare_condition();
            }
            TokenKind::Bad => {
                self.failed_at = Some(self.at);
                self.bump();
            }
            _ => self.fail_unexpected(None),
        }
    }

    fn skip_parentheses_if_any(&mut self) {
        if *self.peek() == TokenKind::OpenParen {
            self.skip_parentheses();
        }
    }

    /// Says that a condition lacks its braces, and steps over it.
    fn bare_condition(&mut self) {
        let start = self.range().start;
        let failed = self.at;
        while !matches!(
            self.peek(),
            TokenKind::End
                | TokenKind::Pipe
                | TokenKind::OpenBrace
                | TokenKind::CloseParen
                | TokenKind::CloseBrace
        ) {
            self.bump();
        }
        let range = self.range_from(start);
        let (end, text) = (self.at, range.of(self.text));
        self.at = failed;
        self.fail(
            Diagnostic::error(
                Code::WrongPlace,
                range,
                "conditions on spans stand in braces",
            )
            .hint("write `{ … }` around the condition")
            .fix(range, format!("{{ {text} }}")),
        );
        self.at = end;
    }
}

/// Whether an expression compares numbers rather than relating spansets: `count() > 3`, not `{ } > { }`.
fn is_scalar_filter(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Binary { op, left, right } if op.is_comparison() => {
            is_scalar(left) || is_scalar(right)
        }
        _ => false,
    }
}

fn is_scalar(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Aggregate { .. } | ExprKind::Literal(_) | ExprKind::Negate(_) => true,
        ExprKind::Binary { op, .. } => op.is_arithmetic(),
        ExprKind::Pipeline(pipeline) => ends_in_scalar(pipeline),
        ExprKind::Filter(_) | ExprKind::Logic { .. } | ExprKind::Error => false,
    }
}

fn ends_in_scalar(pipeline: &Pipeline) -> bool {
    match pipeline.kind.last().map(|stage| &stage.kind) {
        Some(StageKind::Expr(expr)) => is_scalar(expr),
        _ => false,
    }
}
