//! Expressions inside of braces, of `by` and of aggregates.

use super::names::is_number;
use super::{Built, Expect, Left, MINUS, NOT, Parser, chain};
use crate::ast::{AggregateFn, BinaryOp, FilterExpr, FilterKind, LogicOp, MetricsFn, Name, Node};
use crate::diagnostic::{Code, Diagnostic};
use crate::range::TextRange;
use crate::token::TokenKind;

impl Parser<'_> {
    /// `{ }` or `{ expression }`; stands at the opening brace. A comma or a lone pipe in braces is a mistake for an operator.
    pub(super) fn braces(&mut self) -> (Option<Box<FilterExpr>>, TextRange, usize) {
        let open = self.bump();
        if *self.peek() == TokenKind::CloseBrace {
            let close = self.bump();
            return (None, open.to(close), 0);
        }
        self.braces_open += 1;
        let (filter, height) = self.whole_filter();
        self.braces_open -= 1;
        self.skip_to_end_of_braces();
        self.close(&TokenKind::CloseBrace, "`}`", open);
        // Braces that never close hold everything up to the end, blanks included: a cursor there is inside of them.
        let closed = matches!(
            self.tokens[self.at.saturating_sub(1)].kind,
            TokenKind::CloseBrace
        );
        let range = if closed || !self.at_end() {
            self.range_from(open.start)
        } else {
            open.to(self.range())
        };
        (Some(Box::new(filter)), range, height)
    }

    /// An expression up to a closing mark. Conditions that merely stand side by side are reported and joined.
    pub(super) fn whole_filter(&mut self) -> Built<FilterKind> {
        let (mut filter, mut height) = self.filter(0, None);
        while let Some(op) = self.missing_logic() {
            let (right, right_height) = self.filter(LogicOp::PRECEDENCE + 1, None);
            height = self.grow(height, right_height);
            filter = chain(op, filter, right);
        }
        (filter, height)
    }

    /// After a whole expression: another operator of logic that is misspelled, or missing between two conditions.
    fn missing_logic(&mut self) -> Option<LogicOp> {
        let range = self.range();
        let meant = match self.peek() {
            TokenKind::Comma if self.braces_open > 0 => LogicOp::And,
            TokenKind::Pipe if self.braces_open > 0 && !self.begins_stage() => LogicOp::Or,
            TokenKind::Word => match range.of(self.text).to_lowercase().as_str() {
                "and" => LogicOp::And,
                "or" => LogicOp::Or,
                "in" | "like" | "contains" | "matches" => {
                    self.fail(
                        Diagnostic::error(
                            Code::WrongOperator,
                            range,
                            format!("there is no operator `{}`", range.of(self.text)),
                        )
                        .hint("use `=~` with a regular expression: `=~ \"a|b\"` for one of a list, `=~ \".*a.*\"` for a part"),
                    );
                    return None;
                }
                _ => return self.side_by_side(),
            },
            _ => return self.side_by_side(),
        };
        self.fail(
            Diagnostic::error(
                Code::WrongOperator,
                range,
                format!("`{}` does not join conditions", range.of(self.text)),
            )
            .hint(format!("write `{}`", meant.as_str()))
            .fix(range, meant.as_str()),
        );
        self.bump();
        Some(meant)
    }

    fn side_by_side(&mut self) -> Option<LogicOp> {
        let begins = matches!(
            self.peek(),
            TokenKind::Name(_) | TokenKind::Scoped | TokenKind::Dotted | TokenKind::Bang
        ) || self.word_is_field();
        if !begins || self.failed_at == Some(self.at) {
            return None;
        }
        let mut diagnostic = Diagnostic::error(
            Code::Unexpected,
            self.range(),
            format!("expected an operator before {}", self.describe_token()),
        )
        .hint("join conditions with `&&` or `||`");
        diagnostic.expected = self.expected();
        self.fail(diagnostic);
        Some(LogicOp::And)
    }

    fn word_is_field(&self) -> bool {
        *self.peek() == TokenKind::Word
            && crate::field::Intrinsic::from_spelling(self.word()).is_some()
    }

    /// Whether a pipe here is followed by a stage, so that a closing brace is missing before it.
    fn begins_stage(&self) -> bool {
        let Some(next) = self.tokens.get(self.at + 1) else {
            return true;
        };
        let word = next.range.of(self.text);
        match next.kind {
            TokenKind::OpenBrace | TokenKind::End => true,
            TokenKind::Word => {
                AggregateFn::from_word(word).is_some()
                    || MetricsFn::from_word(word).is_some()
                    || matches!(word, "by" | "coalesce" | "select")
            }
            _ => false,
        }
    }

    /// Skips what is left before the end of braces, after a mistake.
    fn skip_to_end_of_braces(&mut self) {
        if *self.peek() == TokenKind::CloseBrace || self.at_end() {
            return;
        }
        self.note(Expect::Mark("`}`"));
        self.fail_unexpected(None);
        let mut open = 0usize;
        loop {
            match self.peek() {
                TokenKind::End | TokenKind::CloseBrace => return,
                TokenKind::Pipe | TokenKind::OpenBrace if open == 0 => return,
                TokenKind::OpenParen => open += 1,
                TokenKind::CloseParen => open = open.saturating_sub(1),
                _ => {}
            }
            self.bump();
        }
    }

    /// An expression of operators that bind at least as strongly as `minimum`. `after` is what stands before its operator.
    pub(super) fn filter(
        &mut self,
        minimum: u8,
        after: Option<(&Name, BinaryOp)>,
    ) -> Built<FilterKind> {
        let built = if self.enter() {
            self.filter_inside(minimum, after)
        } else {
            (Node::new(FilterKind::Error, self.range()), 1)
        };
        self.leave();
        built
    }

    fn filter_inside(
        &mut self,
        minimum: u8,
        after: Option<(&Name, BinaryOp)>,
    ) -> Built<FilterKind> {
        let (mut left, mut height) = self.filter_operand(after);
        loop {
            self.note(Expect::FilterOperator {
                left: Left::of(&left.kind),
                minimum,
            });
            match *self.peek() {
                TokenKind::Logic(op) if minimum <= LogicOp::PRECEDENCE => {
                    self.bump();
                    let (right, right_height) = self.filter(LogicOp::PRECEDENCE + 1, None);
                    let flat =
                        matches!(&left.kind, FilterKind::Logic { op: inner, .. } if *inner == op);
                    height = self.grow(if flat { height - 1 } else { height }, right_height);
                    left = chain(op, left, right);
                }
                TokenKind::Binary(op) if minimum <= op.precedence() => {
                    if !op.is_of_filters() {
                        self.structural_in_braces(op);
                    }
                    self.bump();
                    let after = match &left.kind {
                        FilterKind::Name(name) if !op.is_arithmetic() => Some((name, op)),
                        _ => None,
                    };
                    let (right, right_height) = self.filter(op.right_minimum(), after);
                    height = self.grow(height, right_height);
                    let range = left.range.to(right.range);
                    let kind = if op.is_of_filters() {
                        FilterKind::Binary {
                            op,
                            left: Box::new(left),
                            right: Box::new(right),
                        }
                    } else {
                        FilterKind::Error
                    };
                    left = Node::new(kind, range);
                }
                _ => return (left, height),
            }
        }
    }

    fn structural_in_braces(&mut self, op: BinaryOp) {
        let diagnostic = Diagnostic::error(
            Code::WrongPlace,
            self.range(),
            format!(
                "`{}` relates spansets and cannot stand inside of braces",
                op.as_str()
            ),
        );
        self.fail(if op == BinaryOp::Sibling {
            let range = self.range();
            diagnostic
                .hint("write `=~` to match a regular expression")
                .fix(range, "=~")
        } else {
            diagnostic.hint(format!(
                "close the braces first: `{{ … }} {} {{ … }}`",
                op.as_str()
            ))
        });
    }

    fn filter_operand(&mut self, after: Option<(&Name, BinaryOp)>) -> Built<FilterKind> {
        self.note(match after {
            Some((name, op)) => Expect::ValueOf(name.clone(), op),
            None => Expect::FilterOperand,
        });
        if let TokenKind::Name(Name::Attribute { owner, scope, name }) = self.peek()
            && name.is_empty()
        {
            let expect = Expect::AttributeName(*owner, *scope);
            self.note(expect);
        }
        let start = self.range();
        match self.peek() {
            TokenKind::Bang => {
                self.bump();
                let (operand, height) = self.filter(NOT, None);
                let range = start.to(operand.range);
                (
                    Node::new(FilterKind::Not(Box::new(operand)), range),
                    height + 1,
                )
            }
            TokenKind::Word if self.word().eq_ignore_ascii_case("not") => {
                self.fail(
                    Diagnostic::error(Code::WrongOperator, start, "`not` is written `!`")
                        .fix(start, "!"),
                );
                self.bump();
                let (operand, height) = self.filter(NOT, None);
                let range = start.to(operand.range);
                (
                    Node::new(FilterKind::Not(Box::new(operand)), range),
                    height + 1,
                )
            }
            TokenKind::Binary(BinaryOp::Sub) => self.negated_filter(start),
            TokenKind::OpenParen => {
                self.bump();
                let (mut inner, height) = self.whole_filter();
                self.close(&TokenKind::CloseParen, "`)`", start);
                inner.range = self.range_from(start.start);
                (inner, height)
            }
            _ => (self.leaf(after), 1),
        }
    }

    fn negated_filter(&mut self, start: TextRange) -> Built<FilterKind> {
        if is_number(self.peek_second())
            && let Some(literal) = self.signed_literal()
        {
            return (
                Node::new(FilterKind::Literal(literal.kind), literal.range),
                1,
            );
        }
        self.bump();
        let (operand, height) = self.filter(MINUS, None);
        let range = start.to(operand.range);
        let kind = match &operand.kind {
            FilterKind::Literal(literal) => literal.negated().map(FilterKind::Literal),
            _ => None,
        };
        let kind = kind.unwrap_or_else(|| FilterKind::Negate(Box::new(operand)));
        (Node::new(kind, range), height + 1)
    }

    fn leaf(&mut self, after: Option<(&Name, BinaryOp)>) -> FilterExpr {
        if let Some(name) = self.name() {
            return Node::new(FilterKind::Name(name.kind), name.range);
        }
        if let Some(literal) = self.literal(false) {
            return Node::new(FilterKind::Literal(literal.kind), literal.range);
        }
        let range = self.range();
        match self.peek() {
            TokenKind::Word => {
                self.unknown_word(after.map(|(name, _)| name));
                self.bump();
                if *self.peek() == TokenKind::OpenParen {
                    self.skip_parentheses();
                }
            }
            TokenKind::Bad => {
                self.bump();
            }
            TokenKind::Binary(op) => {
                let hint = matches!(op, BinaryOp::Eq | BinaryOp::Gt | BinaryOp::Lt)
                    .then_some("a comparison needs something on both sides");
                self.fail_unexpected(hint);
                return Node::new(FilterKind::Error, TextRange::empty_at(range.start));
            }
            _ => {
                self.fail_unexpected(None);
                return Node::new(FilterKind::Error, TextRange::empty_at(range.start));
            }
        }
        Node::new(FilterKind::Error, range)
    }

    /// Steps over `( … )` with everything in it, without a word: it was reported as a whole.
    pub(super) fn skip_parentheses(&mut self) {
        let mut open = 0usize;
        loop {
            match self.peek() {
                TokenKind::OpenParen => open += 1,
                TokenKind::CloseParen => open = open.saturating_sub(1),
                TokenKind::End | TokenKind::CloseBrace | TokenKind::OpenBrace => return,
                _ => {}
            }
            self.bump();
            if open == 0 {
                return;
            }
        }
    }
}
