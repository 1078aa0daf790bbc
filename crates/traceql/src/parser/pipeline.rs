//! Whole queries: stages, metrics functions with their arguments, and hints.

use std::sync::Arc;

use super::{Built, Expect, MAX_STAGES, Parser};
use crate::ast::{
    Argument, Ast, BinaryOp, Expr, ExprKind, Hint, Metrics, MetricsFn, Name, Node, Stage, StageKind,
};
use crate::diagnostic::{Code, Diagnostic};
use crate::range::TextRange;
use crate::token::TokenKind;

impl Parser<'_> {
    pub(super) fn query(&mut self) -> Ast {
        let (mut pipeline, _) = self.pipeline(true);
        let mut hints = Vec::new();
        loop {
            if self.at_end() {
                self.note(Expect::With);
                break;
            }
            if self.word() == "with" {
                self.hints(&mut hints);
                continue;
            }
            self.note(Expect::With);
            self.trailing();
            // Later stages are looked at all the same, for what else is wrong.
            while !matches!(self.peek(), TokenKind::End | TokenKind::Pipe) {
                self.bump();
            }
            if self.eat(&TokenKind::Pipe) {
                let (more, _) = self.pipeline(true);
                pipeline.kind.extend(more.kind);
            }
        }
        Ast { pipeline, hints }
    }

    /// Something stands after a whole pipeline.
    fn trailing(&mut self) {
        let diagnostic =
            |message: &str| Diagnostic::error(Code::Unexpected, self.range(), message.to_owned());
        let diagnostic = match self.peek() {
            TokenKind::CloseParen => {
                diagnostic("this `)` closes nothing").hint("remove it, or open it before")
            }
            TokenKind::CloseBrace => {
                diagnostic("this `}` closes nothing").hint("remove it, or open it before")
            }
            TokenKind::Binary(op) if op.is_arithmetic() => Diagnostic::error(
                Code::WrongPlace,
                self.range(),
                format!(
                    "`{}` needs a whole query in parentheses on both sides",
                    op.as_str()
                ),
            )
            .hint(format!(
                "write `({{ … }} | rate()) {} ({{ … }} | rate())`",
                op.as_str()
            )),
            _ => return self.fail_unexpected(None),
        };
        self.fail(diagnostic);
    }

    /// Stages up to something that is none. `top` tells that no parenthesis is open.
    pub(super) fn pipeline(&mut self, top: bool) -> Built<Vec<Stage>> {
        let start = self.range().start;
        let mut stages: Vec<Stage> = Vec::new();
        let mut height = 0;
        loop {
            let metrics = stages.iter().any(|stage| gives_series(&stage.kind));
            let (stage, below) = self.stage(stages.is_empty(), metrics);
            height = self.grow(height.max(below), 0) - 1;
            let mut series = metrics || gives_series(&stage.kind);
            stages.push(stage);
            while series {
                self.note(Expect::Threshold);
                match *self.peek() {
                    TokenKind::Binary(op) if op.is_comparison() && stages.len() <= MAX_STAGES => {
                        let (threshold, below) = self.threshold(op);
                        height = height.max(below);
                        stages.push(threshold);
                    }
                    _ => series = false,
                }
            }
            if stages.len() > MAX_STAGES {
                self.give_up(format!("the pipeline has more than {MAX_STAGES} stages"));
            }
            self.note(Expect::Mark("`|`"));
            if !top {
                self.note(Expect::Mark("`)`"));
            }
            if self.word() == "with" && !top {
                self.fail(
                    Diagnostic::error(
                        Code::WrongPlace,
                        self.range(),
                        "hints stand at the end of the whole query",
                    )
                    .hint("move `with (…)` behind the last parenthesis"),
                );
                self.hints(&mut Vec::new());
            }
            if !self.eat(&TokenKind::Pipe) {
                break;
            }
        }
        let height = self.grow(height, 0);
        (Node::new(stages, self.range_from(start)), height)
    }

    fn threshold(&mut self, op: BinaryOp) -> Built<StageKind> {
        let start = self.bump().start;
        let (value, height) = self.expr(op.right_minimum());
        let kind = StageKind::Threshold { op, value };
        (Node::new(kind, self.range_from(start)), height + 1)
    }

    fn stage(&mut self, first: bool, metrics: bool) -> Built<StageKind> {
        self.note(if metrics {
            Expect::SecondStage
        } else {
            Expect::Stage { first }
        });
        let start = self.range();
        let word = self.word();
        let mut height = 0;
        let kind = match word {
            "by" => {
                self.bump();
                let (kind, below) = self.by_stage();
                height = below;
                kind
            }
            "coalesce" => {
                self.bump();
                let open = self.range();
                if self.open_arguments() {
                    self.close(&TokenKind::CloseParen, "`)`", open);
                }
                StageKind::Coalesce
            }
            "select" => {
                self.bump();
                StageKind::Select(self.names("select"))
            }
            "topk" | "bottomk" => {
                self.bump();
                let count = self.count(word);
                if word == "topk" {
                    StageKind::TopK(count)
                } else {
                    StageKind::BottomK(count)
                }
            }
            _ => match MetricsFn::from_word(word) {
                Some(function) => {
                    let (kind, below) = self.metrics(function);
                    height = below;
                    kind
                }
                None => {
                    let (expr, below) = self.expr(0);
                    height = below;
                    match expr.kind {
                        ExprKind::Error => StageKind::Error,
                        _ => StageKind::Expr(expr),
                    }
                }
            },
        };
        (Node::new(kind, self.range_from(start.start)), height + 1)
    }

    fn by_stage(&mut self) -> (StageKind, usize) {
        let open = self.range();
        if !self.open_arguments() {
            return (StageKind::Error, 1);
        }
        if *self.peek() == TokenKind::CloseParen {
            self.note(Expect::FilterOperand);
            self.fail(
                Diagnostic::error(
                    Code::BadArgument,
                    open.to(self.range()),
                    "`by` needs something to group by",
                )
                .hint("for example `by(resource.service.name)`"),
            );
            self.bump();
            return (StageKind::Error, 1);
        }
        let (key, height) = self.whole_filter();
        if *self.peek() == TokenKind::Comma {
            self.fail(
                Diagnostic::error(
                    Code::BadArgument,
                    self.range(),
                    "`by` of a pipeline takes one expression",
                )
                .hint("group again with another stage: `| by(a) | by(b)`; after metrics, `by (a, b)` takes many"),
            );
            while !matches!(
                self.peek(),
                TokenKind::CloseParen | TokenKind::Pipe | TokenKind::End
            ) {
                self.bump();
            }
        }
        self.close(&TokenKind::CloseParen, "`)`", open);
        (StageKind::By(key), height)
    }

    /// `(a, b, …)`: fields and nothing else, at least one.
    fn names(&mut self, function: &str) -> Vec<Node<Name>> {
        let mut names = Vec::new();
        let open = self.range();
        if !self.open_arguments() {
            return names;
        }
        loop {
            self.note(Expect::Field);
            if let TokenKind::Name(Name::Attribute { owner, scope, name }) = self.peek()
                && name.is_empty()
            {
                let expect = Expect::AttributeName(*owner, *scope);
                self.note(expect);
            }
            match self.name() {
                Some(name) => names.push(name),
                None => {
                    if *self.peek() == TokenKind::Word {
                        self.unknown_word(None);
                    } else {
                        self.fail_unexpected(None);
                    }
                }
            }
            self.note(Expect::Mark("`,`"));
            if self.eat(&TokenKind::Comma) {
                continue;
            }
            if !matches!(self.peek(), TokenKind::CloseParen | TokenKind::End) {
                let hint = format!("`{function}` takes attributes and intrinsics, no expressions");
                self.note(Expect::Mark("`)`"));
                self.fail_unexpected(Some(&hint));
                self.skip_arguments();
            }
            break;
        }
        self.close(&TokenKind::CloseParen, "`)`", open);
        names
    }

    /// Skips to the parenthesis that closes the arguments, or to the end of the stage.
    fn skip_arguments(&mut self) {
        let mut open = 0usize;
        loop {
            match self.peek() {
                TokenKind::End | TokenKind::Pipe => return,
                TokenKind::CloseParen if open == 0 => return,
                TokenKind::OpenParen => open += 1,
                TokenKind::CloseParen => open -= 1,
                _ => {}
            }
            self.bump();
        }
    }

    /// `(n)` with n above 0; 1 after a mistake.
    fn count(&mut self, function: &str) -> u64 {
        let open = self.range();
        if !self.open_arguments() {
            return 1;
        }
        self.note(Expect::Count);
        let count = match *self.peek() {
            TokenKind::Int(count) if count > 0 => {
                self.bump();
                count
            }
            _ => {
                let range = self.range();
                let found = self.describe_token();
                self.fail(
                    Diagnostic::error(
                        Code::BadArgument,
                        range,
                        format!("expected a whole number above 0, found {found}"),
                    )
                    .hint(format!("for example `{function}(10)`")),
                );
                self.skip_arguments();
                1
            }
        };
        self.close(&TokenKind::CloseParen, "`)`", open);
        count
    }

    fn metrics(&mut self, function: MetricsFn) -> (StageKind, usize) {
        let word = self.bump();
        let (arguments, height) = self.arguments(function);
        self.note(Expect::By);
        let by = if self.word() == "by" {
            self.bump();
            self.names("by")
        } else {
            Vec::new()
        };
        let metrics = Metrics {
            function: Node::new(function, word),
            arguments,
            by,
        };
        (StageKind::Metrics(metrics), height + 1)
    }

    fn arguments(&mut self, function: MetricsFn) -> (Vec<Node<Argument>>, usize) {
        let mut arguments = Vec::new();
        let mut height = 0;
        let open = self.range();
        if !self.open_arguments() {
            return (arguments, height);
        }
        if *self.peek() == TokenKind::CloseParen {
            self.bump();
            return (arguments, height);
        }
        loop {
            self.note(Expect::Argument(function, arguments.len()));
            let range = self.range();
            let argument = if *self.peek() == TokenKind::OpenBrace {
                let (filter, range, below) = self.braces();
                height = height.max(below);
                Node::new(Argument::Filter(filter), range)
            } else if let Some(literal) = self.signed_literal() {
                Node::new(Argument::Literal(literal.kind), literal.range)
            } else if let Some(name) = self.name() {
                if function == MetricsFn::Compare {
                    self.selection_without_braces(name.range);
                    Node::new(Argument::Error, range)
                } else {
                    Node::new(Argument::Name(name.kind), name.range)
                }
            } else {
                if *self.peek() == TokenKind::Word {
                    self.unknown_word(None);
                } else {
                    self.fail_unexpected(None);
                }
                Node::new(Argument::Error, range)
            };
            arguments.push(argument);
            self.note(Expect::Mark("`,`"));
            if self.eat(&TokenKind::Comma) {
                continue;
            }
            if !matches!(self.peek(), TokenKind::CloseParen | TokenKind::End) {
                self.note(Expect::Mark("`)`"));
                self.fail_unexpected(Some(
                    "metrics functions take an attribute or an intrinsic, no expressions",
                ));
                self.skip_arguments();
            }
            break;
        }
        self.close(&TokenKind::CloseParen, "`)`", open);
        (arguments, height)
    }

    fn selection_without_braces(&mut self, range: TextRange) {
        self.fail(
            Diagnostic::error(
                Code::WrongPlace,
                range,
                "what `compare` selects stands in braces",
            )
            .hint("for example `compare({ status = error })`"),
        );
        self.skip_arguments();
    }

    /// `with(name=value, …)`; stands at `with`.
    fn hints(&mut self, hints: &mut Vec<Hint>) {
        self.bump();
        let open = self.range();
        if !self.open_arguments() {
            return;
        }
        loop {
            self.note(Expect::HintName);
            let name = self.range();
            if *self.peek() != TokenKind::Word {
                self.fail_unexpected(None);
                self.skip_arguments();
                break;
            }
            self.bump();
            if !self.eat(&TokenKind::Binary(BinaryOp::Eq)) {
                self.note(Expect::Mark("`=`"));
                self.fail_unexpected(None);
                self.skip_arguments();
                break;
            }
            self.note(Expect::HintValue);
            match self.signed_literal() {
                Some(value) => hints.push(Hint {
                    name: Node::new(Arc::from(name.of(self.text)), name),
                    value,
                }),
                None => {
                    self.fail_unexpected(None);
                    self.skip_arguments();
                    break;
                }
            }
            self.note(Expect::Mark("`,`"));
            if !self.eat(&TokenKind::Comma) {
                break;
            }
        }
        self.close(&TokenKind::CloseParen, "`)`", open);
    }
}

/// Whether a stage gives series rather than spans.
fn gives_series(kind: &StageKind) -> bool {
    matches!(
        kind,
        StageKind::Metrics(_)
            | StageKind::TopK(_)
            | StageKind::BottomK(_)
            | StageKind::Threshold { .. }
    ) || matches!(kind, StageKind::Expr(expr) if expr_gives_series(expr))
}

/// Whether an expression gives series, as far as its shape tells.
pub(super) fn expr_gives_series(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Pipeline(pipeline) => pipeline
            .kind
            .last()
            .is_some_and(|stage| gives_series(&stage.kind)),
        ExprKind::Binary { left, right, .. } => expr_gives_series(left) || expr_gives_series(right),
        _ => false,
    }
}
