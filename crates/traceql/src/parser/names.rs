//! Names and words: fields, constants, and what may have been meant by a word that is neither.

use std::sync::Arc;

use super::{Expect, Parser};
use crate::ast::{Literal, Name, Node};
use crate::diagnostic::{Code, Diagnostic};
use crate::field::{Intrinsic, Owner, Scope};
use crate::range::TextRange;
use crate::suggest;
use crate::token::{TokenKind, literal_of_word};

impl Parser<'_> {
    /// A field, if one stands here. A name that is wrong in a plain way is reported and taken as what was probably meant.
    pub(super) fn name(&mut self) -> Option<Node<Name>> {
        let range = self.range();
        let text = range.of(self.text);
        let name = match self.peek() {
            TokenKind::Name(name) => {
                let name = name.clone();
                if let Name::Attribute {
                    owner,
                    scope,
                    name: key,
                } = &name
                    && key.is_empty()
                {
                    self.empty_name(*owner, *scope);
                }
                name
            }
            TokenKind::Word if text == "parent" => Name::Parent,
            TokenKind::Word => Name::Intrinsic {
                owner: Owner::Span,
                intrinsic: Intrinsic::from_spelling(text)?,
                scoped: false,
            },
            TokenKind::Scoped => self.scoped_intrinsic(text, range),
            TokenKind::Dotted => {
                self.fail(suggest::missing_scope(text, range));
                unscoped(text)
            }
            _ => return None,
        };
        self.bump();
        Some(Node::new(name, range))
    }

    fn empty_name(&mut self, owner: Owner, scope: Scope) {
        let range = TextRange::empty_at(self.range().end);
        let before = self.range().of(self.text);
        let mut diagnostic = Diagnostic::error(
            Code::Unexpected,
            range,
            format!("expected the name of an attribute after `{before}`"),
        );
        diagnostic.expected = vec![Expect::AttributeName(owner, scope).describe()];
        self.fail(diagnostic);
    }

    fn scoped_intrinsic(&mut self, text: &str, range: TextRange) -> Name {
        match Intrinsic::from_spelling(text) {
            Some(intrinsic) => Name::Intrinsic {
                owner: Owner::Span,
                intrinsic,
                scoped: true,
            },
            None => {
                self.fail(suggest::unknown_intrinsic(text, range));
                unscoped(text)
            }
        }
    }

    /// A constant without a sign, if one stands here. Of a number that only fits with a minus, `negative` tells whether
    /// there is one; the sign is applied.
    pub(super) fn literal(&mut self, negative: bool) -> Option<Node<Literal>> {
        let range = self.range();
        let literal = match self.peek() {
            TokenKind::Str(text) => Literal::Str(Arc::clone(text)),
            TokenKind::Int(magnitude) => Literal::Int(self.signed(*magnitude, negative)),
            TokenKind::Float(value) => Literal::Float(if negative { -value } else { *value }),
            TokenKind::Duration(magnitude) => {
                Literal::Duration(model::DurationNanos(self.signed(*magnitude, negative)))
            }
            TokenKind::Word => literal_of_word(range.of(self.text))?,
            _ => return None,
        };
        self.bump();
        Some(Node::new(literal, range))
    }

    fn signed(&mut self, magnitude: u64, negative: bool) -> i64 {
        let value = if negative {
            0i64.checked_sub_unsigned(magnitude)
        } else {
            i64::try_from(magnitude).ok()
        };
        value.unwrap_or_else(|| {
            let text = self.range().of(self.text);
            self.fail(
                Diagnostic::error(
                    Code::BadNumber,
                    self.range(),
                    format!("`{text}` is too large a number"),
                )
                .hint("`maxInt` is the largest integer"),
            );
            i64::MAX
        })
    }

    /// A constant with an optional minus before it.
    pub(super) fn signed_literal(&mut self) -> Option<Node<Literal>> {
        let start = self.range().start;
        let minus = TokenKind::Binary(crate::ast::BinaryOp::Sub);
        if *self.peek() != minus {
            return self.literal(false);
        }
        if !is_number(self.peek_second()) {
            return None;
        }
        self.bump();
        let literal = self.literal(true)?;
        Some(Node::new(
            literal.kind,
            literal.range.to(TextRange::empty_at(start)),
        ))
    }

    /// Says that a word means nothing here, and what may have been meant.
    pub(super) fn unknown_word(&mut self, compared_with: Option<&Name>) {
        let range = self.range();
        let text = range.of(self.text);
        self.fail(suggest::unknown_word(text, range, compared_with));
    }
}

/// Whether a token is a number or a duration.
pub(super) fn is_number(kind: &TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Int(_) | TokenKind::Float(_) | TokenKind::Duration(_)
    )
}

fn unscoped(text: &str) -> Name {
    Name::Attribute {
        owner: Owner::Span,
        scope: Scope::Any,
        name: text.into(),
    }
}
