//! The words of the language: tokens and the fixed words.

use std::sync::Arc;

use model::{SpanKind, StatusCode};

use crate::ast::{BinaryOp, Literal, LogicOp, Name};
use crate::range::TextRange;

/// A token and its bytes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) range: TextRange,
}

/// What a token is. Numbers carry no sign, so they can be one greater than the greatest positive value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TokenKind {
    OpenBrace,
    CloseBrace,
    OpenParen,
    CloseParen,
    Comma,
    Pipe,
    Bang,
    Binary(BinaryOp),
    Logic(LogicOp),
    /// A plain word; which, the text tells.
    Word,
    /// `span:name`, or an attempt at it.
    Scoped,
    /// `http.method`: a name that lacks its scope.
    Dotted,
    /// An attribute with its scope, or something of the parent.
    Name(Name),
    Str(Arc<str>),
    Int(u64),
    Float(f64),
    /// Nanoseconds.
    Duration(u64),
    /// Something that was reported already.
    Bad,
    End,
}

/// The constant of a word.
pub(crate) fn literal_of_word(word: &str) -> Option<Literal> {
    Some(match word {
        "true" => Literal::Bool(true),
        "false" => Literal::Bool(false),
        "nil" => Literal::Nil,
        "minInt" => Literal::Int(i64::MIN),
        "maxInt" => Literal::Int(i64::MAX),
        _ => {
            return STATUSES
                .into_iter()
                .find(|status| status_word(*status) == word)
                .map(Literal::Status)
                .or_else(|| {
                    KINDS
                        .into_iter()
                        .find(|kind| kind.as_str() == word)
                        .map(Literal::Kind)
                });
        }
    })
}

/// The statuses, in the order in which an editor offers them.
pub(crate) const STATUSES: [StatusCode; 3] = [StatusCode::Error, StatusCode::Ok, StatusCode::Unset];

/// The kinds, in the order in which an editor offers them.
pub(crate) const KINDS: [SpanKind; 6] = [
    SpanKind::Server,
    SpanKind::Client,
    SpanKind::Producer,
    SpanKind::Consumer,
    SpanKind::Internal,
    SpanKind::Unspecified,
];

/// The word of a status.
pub(crate) const fn status_word(status: StatusCode) -> &'static str {
    match status {
        StatusCode::Unset => "unset",
        StatusCode::Ok => "ok",
        StatusCode::Error => "error",
    }
}

/// Whether a character ends the name of an attribute.
pub(crate) fn ends_name(character: char) -> bool {
    character.is_whitespace()
        || matches!(
            character,
            '{' | '}' | '(' | ')' | '=' | '~' | '!' | '<' | '>' | '&' | '|' | '^' | ','
        )
}
