//! Text to tokens.
//!
//! Nothing stops the lexer: a mistake becomes a diagnostic and, where the meaning is clear (`==`, single quotes), the token
//! that was meant; otherwise a [`TokenKind::Bad`] that the parser steps over.
//!
//! A word of a scope followed by a dot begins an attribute, whose name runs until white space or one of `{}()=~!<>&|^,`.
//! So `span.n-1` is one name, and `span.n -1` a subtraction.

use std::sync::Arc;

use crate::ast::{BinaryOp, LogicOp, Name};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::field::{Intrinsic, Owner, Scope};
use crate::number::{DurationError, parse_duration};
use crate::quote::{self, unescape};
use crate::range::TextRange;
use crate::token::{Token, TokenKind, ends_name};

/// The tokens of a text, the last of them [`TokenKind::End`].
pub(crate) fn lex(text: &str, diagnostics: &mut Diagnostics) -> Vec<Token> {
    lex_with_comments(text, diagnostics).0
}

/// The tokens of a text, and where its comments stand.
pub(crate) fn lex_with_comments(
    text: &str,
    diagnostics: &mut Diagnostics,
) -> (Vec<Token>, Vec<TextRange>) {
    let mut lexer = Lexer {
        text,
        at: 0,
        comments: Vec::new(),
        diagnostics,
    };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_blanks();
        let start = lexer.at;
        let kind = lexer.token();
        let range = TextRange::new(start, lexer.at);
        let done = kind == TokenKind::End;
        tokens.push(Token { kind, range });
        if done {
            return (tokens, lexer.comments);
        }
    }
}

use BinaryOp as Op;
use TokenKind::{Bang, Binary, Logic};

/// Operators and marks, longest first: a prefix must not hide a longer one.
static OPERATORS: &[(&str, TokenKind)] = &[
    ("!>>", Binary(Op::NotDescendant)),
    ("!<<", Binary(Op::NotAncestor)),
    ("&>>", Binary(Op::UnionDescendant)),
    ("&<<", Binary(Op::UnionAncestor)),
    ("&&", Logic(LogicOp::And)),
    ("||", Logic(LogicOp::Or)),
    ("!=", Binary(Op::Ne)),
    ("!~", Binary(Op::NotMatch)),
    ("=~", Binary(Op::Match)),
    (">=", Binary(Op::Ge)),
    ("<=", Binary(Op::Le)),
    (">>", Binary(Op::Descendant)),
    ("<<", Binary(Op::Ancestor)),
    ("!>", Binary(Op::NotChild)),
    ("!<", Binary(Op::NotParent)),
    ("&>", Binary(Op::UnionChild)),
    ("&<", Binary(Op::UnionParent)),
    ("&~", Binary(Op::UnionSibling)),
    ("{", TokenKind::OpenBrace),
    ("}", TokenKind::CloseBrace),
    ("(", TokenKind::OpenParen),
    (")", TokenKind::CloseParen),
    (",", TokenKind::Comma),
    ("|", TokenKind::Pipe),
    ("!", Bang),
    (">", Binary(Op::Gt)),
    ("<", Binary(Op::Lt)),
    ("=", Binary(Op::Eq)),
    ("~", Binary(Op::Sibling)),
    ("+", Binary(Op::Add)),
    ("-", Binary(Op::Sub)),
    ("*", Binary(Op::Mul)),
    ("/", Binary(Op::Div)),
    ("%", Binary(Op::Mod)),
    ("^", Binary(Op::Pow)),
];

/// Operators of other languages, and what is meant.
const FOREIGN: &[(&str, BinaryOp)] = &[
    ("===", Op::Eq),
    ("!==", Op::Ne),
    ("==", Op::Eq),
    ("<>", Op::Ne),
    ("=>", Op::Ge),
    ("=<", Op::Le),
];

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    comments: Vec<TextRange>,
    diagnostics: &'a mut Diagnostics,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest
            .find(|character| !wanted(character))
            .unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn range_from(&self, start: usize) -> TextRange {
        TextRange::new(start, self.at)
    }

    fn skip_blanks(&mut self) {
        loop {
            self.take_while(char::is_whitespace);
            let start = self.at;
            if self.eat("//") {
                self.take_while(|character| character != '\n');
            } else if self.eat("/*") {
                match self.rest().find("*/") {
                    Some(end) => self.at += end + 2,
                    None => {
                        self.at = self.text.len();
                        self.diagnostics.push(
                            Diagnostic::error(
                                Code::Unterminated,
                                TextRange::new(start, start + 2),
                                "this comment never ends",
                            )
                            .hint("close it with `*/`"),
                        );
                    }
                }
            } else {
                return;
            }
            self.comments.push(self.range_from(start));
        }
    }

    fn token(&mut self) -> TokenKind {
        let start = self.at;
        let Some(first) = self.peek() else {
            return TokenKind::End;
        };
        match first {
            '0'..='9' => self.number(),
            '.' if self.rest()[1..].starts_with(|next: char| next.is_ascii_digit()) => {
                self.number()
            }
            '.' => {
                self.at += 1;
                self.attribute(Owner::Span, Scope::Any)
            }
            '"' => self.string(),
            '`' => self.raw_string(),
            '\'' | '“' | '”' | '‘' | '’' => self.wrong_quotes(),
            '_' => self.word(),
            _ if first.is_alphabetic() => self.word(),
            _ => self.operator().unwrap_or_else(|| {
                self.bump();
                let kind = self.unknown_character(first, start);
                if first == '[' {
                    self.skip_list();
                }
                kind
            }),
        }
    }

    fn unknown_character(&mut self, character: char, start: usize) -> TokenKind {
        let diagnostic = Diagnostic::error(
            Code::UnknownCharacter,
            self.range_from(start),
            format!("`{}` has no meaning here", character.escape_debug()),
        );
        self.diagnostics.push(match character {
            '[' | ']' => diagnostic.hint(
                "there are no lists; use `=~ \"a|b\"`, or several comparisons joined by `||`",
            ),
            '&' => diagnostic.hint("`and` is written `&&`"),
            ';' => diagnostic.hint("one query at a time, without an end mark"),
            '#' => diagnostic.hint("comments begin with `//`"),
            _ => diagnostic,
        });
        TokenKind::Bad
    }

    /// Skips to the end of a list, which is one mistake and not one for each of its parts.
    fn skip_list(&mut self) {
        let end = self.rest().find(['[', ']', '{', '}', '\n']);
        if let Some(end) = end.filter(|end| self.rest()[*end..].starts_with(']')) {
            self.at += end + 1;
        }
    }

    fn operator(&mut self) -> Option<TokenKind> {
        let start = self.at;
        for &(wrong, meant) in FOREIGN {
            if self.eat(wrong) {
                let range = self.range_from(start);
                self.diagnostics.push(
                    Diagnostic::error(
                        Code::WrongOperator,
                        range,
                        format!("there is no operator `{wrong}`"),
                    )
                    .hint(format!("write `{}`", meant.as_str()))
                    .fix(range, meant.as_str()),
                );
                return Some(Binary(meant));
            }
        }
        let (_, kind) = OPERATORS.iter().find(|(text, _)| self.eat(text))?;
        Some(kind.clone())
    }

    fn number(&mut self) -> TokenKind {
        let start = self.at;
        let digit = |character: char| character.is_ascii_digit();
        self.take_while(digit);
        let mut float = self.eat(".");
        self.take_while(digit);
        let exponent = self.rest().strip_prefix(['e', 'E']);
        if exponent.is_some_and(|rest| {
            rest.strip_prefix(['+', '-'])
                .unwrap_or(rest)
                .starts_with(digit)
        }) {
            self.at += 2;
            self.take_while(digit);
            float = true;
        }
        let end = self.at;
        self.take_while(|character| character.is_alphanumeric() || matches!(character, '_' | '.'));
        let text = &self.text[start..self.at];
        if self.at > end {
            return match parse_duration(text) {
                Ok(nanos) => TokenKind::Duration(nanos),
                Err(error) => self.bad_number(start, error == DurationError::Range),
            };
        }
        if float {
            return match text.parse::<f64>() {
                Ok(value) if value.is_finite() => TokenKind::Float(value),
                _ => self.bad_number(start, true),
            };
        }
        text.parse()
            .map_or_else(|_| self.bad_number(start, true), TokenKind::Int)
    }

    fn bad_number(&mut self, start: usize, too_large: bool) -> TokenKind {
        let range = self.range_from(start);
        let text = range.of(self.text);
        let diagnostic = if too_large {
            Diagnostic::error(
                Code::BadNumber,
                range,
                format!("`{text}` is too large a number"),
            )
            .hint("integers have 64 bits and durations reach 292 years; `maxInt` is the largest integer")
        } else {
            Diagnostic::error(
                Code::BadNumber,
                range,
                format!("`{text}` is neither a number nor a duration"),
            )
            .hint("units of durations are y w d h m s ms us ns, as in `1h30m` or `1.5s`")
        };
        self.diagnostics.push(diagnostic);
        TokenKind::Bad
    }

    fn string(&mut self) -> TokenKind {
        let start = self.at;
        self.at += 1;
        let mut escaped = false;
        loop {
            match self.peek() {
                None | Some('\n') => {
                    self.unterminated(start, "string", "\"");
                    break;
                }
                Some('"') if !escaped => break,
                Some(character) => {
                    escaped = character == '\\' && !escaped;
                    self.at += character.len_utf8();
                }
            }
        }
        let inside = &self.text[start + 1..self.at];
        self.eat("\"");
        match unescape(inside) {
            Ok(value) => TokenKind::Str(value.into()),
            Err(error) => {
                let base = start + 1;
                self.diagnostics.push(
                    Diagnostic::error(
                        Code::BadEscape,
                        TextRange::new(base + error.start, base + error.end),
                        format!("this escape cannot be read: {}", error.problem),
                    )
                    .hint("write a backslash as `\\\\`, or put the string in backquotes, where nothing is escaped"),
                );
                TokenKind::Str(inside.into())
            }
        }
    }

    fn raw_string(&mut self) -> TokenKind {
        let start = self.at;
        self.at += 1;
        let inside = self.take_while(|character| character != '`');
        if !self.eat("`") {
            self.unterminated(start, "string", "`");
        }
        TokenKind::Str(inside.into())
    }

    fn unterminated(&mut self, start: usize, what: &str, quote: &str) {
        self.diagnostics.push(
            Diagnostic::error(
                Code::Unterminated,
                self.range_from(start),
                format!("this {what} never ends"),
            )
            .hint(match quote {
                "`" => "close it with a backquote".to_owned(),
                _ => format!("close it with `{quote}`"),
            })
            .fix(TextRange::empty_at(self.at), quote),
        );
    }

    /// `'…'` and typographic quotes: taken as the string that was meant.
    fn wrong_quotes(&mut self) -> TokenKind {
        let start = self.at;
        let single = self.bump() == Some('\'');
        let closes = |character: char| match character {
            '\'' => single,
            '“' | '”' | '‘' | '’' => !single,
            _ => false,
        };
        let inside = self.take_while(|character| !closes(character) && character != '\n');
        if self.peek().is_some_and(closes) {
            self.bump();
        }
        let range = self.range_from(start);
        let mut replacement = String::new();
        quote::print_string(inside, &mut replacement);
        self.diagnostics.push(
            Diagnostic::error(
                Code::WrongQuotes,
                range,
                if single {
                    "strings stand in double quotes, not in single ones"
                } else {
                    "strings stand in plain double quotes, not in typographic ones"
                },
            )
            .hint(format!("write {replacement}"))
            .fix(range, replacement),
        );
        TokenKind::Str(inside.into())
    }

    fn word(&mut self) -> TokenKind {
        let part = |character: char| character.is_alphanumeric() || character == '_';
        let word = self.take_while(part);
        let scope = Scope::from_word(word);
        match self.peek() {
            Some('.') => {
                self.at += 1;
                if word == "parent" {
                    let scope = Scope::NAMED.into_iter().find(|scope| {
                        let rest = self.rest().strip_prefix(scope.word());
                        rest.is_some_and(|rest| rest.starts_with('.'))
                    });
                    if let Some(scope) = scope {
                        self.at += scope.word().len() + 1;
                    }
                    return self.attribute(Owner::Parent, scope.unwrap_or_default());
                }
                match scope {
                    Some(scope) => self.attribute(Owner::Span, scope),
                    None => {
                        self.attribute(Owner::Span, Scope::Any);
                        TokenKind::Dotted
                    }
                }
            }
            Some(':') => {
                self.at += 1;
                self.take_while(part);
                TokenKind::Scoped
            }
            _ => TokenKind::Word,
        }
    }

    /// The name after the dot. Quoted parts may stand anywhere in it.
    fn attribute(&mut self, owner: Owner, scope: Scope) -> TokenKind {
        let mut name = String::new();
        let mut quoted = false;
        while let Some(character) = self.peek() {
            if character == '"' {
                quoted = true;
                self.quoted_part(&mut name);
            } else if ends_name(character) {
                break;
            } else {
                name.push(character);
                self.at += character.len_utf8();
            }
        }
        if owner == Owner::Parent && scope == Scope::Any && !quoted {
            let intrinsic = Intrinsic::from_spelling(&name).filter(|found| found.is_of_span());
            if let Some(intrinsic) = intrinsic {
                return TokenKind::Name(Name::Intrinsic {
                    owner,
                    intrinsic,
                    scoped: intrinsic.scoped() == Some(&*name),
                });
            }
        }
        TokenKind::Name(Name::Attribute {
            owner,
            scope,
            name: Arc::from(name),
        })
    }

    fn quoted_part(&mut self, name: &mut String) {
        let start = self.at;
        self.at += 1;
        while let Some(character) = self.bump() {
            match character {
                '"' => return,
                '\\' => {
                    let escape = self.at - 1;
                    match self.peek() {
                        Some(next @ ('"' | '\\')) => {
                            name.push(next);
                            self.at += 1;
                        }
                        next => {
                            let end = self.at + next.map_or(0, char::len_utf8);
                            self.diagnostics.push(
                                Diagnostic::error(
                                    Code::BadEscape,
                                    TextRange::new(escape, end),
                                    "quoted names know two escapes only: `\\\"` and `\\\\`",
                                )
                                .hint("newlines and tabs may stand in the quotes as they are"),
                            );
                        }
                    }
                }
                other => name.push(other),
            }
        }
        self.unterminated(start, "quoted name", "\"");
    }
}
