//! Tokens to a syntax tree, by recursive descent, with operators by precedence climbing.
//!
//! Precedence, low to high: `&&` and `||` together; all comparisons and structural operators together; `+ -`; `!`;
//! `* / %`; `^`, the only one that groups to the right; unary minus.
//!
//! A mistake never stops the parser. It is reported once per place, an `Error` node stands for what is missing, and tokens
//! are skipped up to one that an enclosing rule can use. Where the intention is plain (`and`, a comma between conditions,
//! no operator between two filters) the tree gets what was meant.
//!
//! At every decision the parser notes what could stand there ([`Expect`]). The notes at the place of an error make its list
//! of what was expected; the notes at the end of a text are what an editor can offer.
//!
//! Recursion is bounded by [`MAX_DEPTH`]: both the nesting of the text and the height of the tree, since a long chain of
//! operators that group to the left is a tall tree.

mod expect;
mod expr;
mod filter;
mod names;
mod pipeline;

pub(crate) use expect::{Expect, Left, Operand};

use crate::ast::{Ast, BinaryOp, FilterExpr, FilterKind, LogicOp, Name, Node};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::lexer::lex;
use crate::range::TextRange;
use crate::token::{Token, TokenKind};

/// The longest text that is looked at, as in Tempo: 128 KiB.
pub const MAX_QUERY_BYTES: usize = 128 * 1024;

/// How deep parentheses may be nested, and how tall the tree may grow. Everything that walks the tree recurses this deep
/// at most, and a debug build needs about 8 KiB of stack for a level of parsing; threads have 2 MiB.
pub const MAX_DEPTH: usize = 100;

/// How many stages a pipeline may have. Engines nest a plan for each; people write up to ten.
pub const MAX_STAGES: usize = 64;

/// Letters of a token that are shown in a message.
const MAX_SHOWN: usize = 40;

/// Parses a text into a tree, putting what is wrong into `diagnostics`.
pub(crate) fn parse(text: &str, diagnostics: &mut Diagnostics) -> Ast {
    let tokens = lex(text, diagnostics);
    Parser::new(text, tokens, diagnostics).query()
}

/// What can stand at the end of `tokens`, which are those before a cursor and an end.
pub(crate) fn expected_at_end(text: &str, tokens: Vec<Token>) -> Vec<Expect> {
    let mut ignored = Diagnostics::default();
    let mut parser = Parser::new(text, tokens, &mut ignored);
    parser.query();
    if parser.noted_at + 1 == parser.tokens.len() {
        parser.noted
    } else {
        Vec::new()
    }
}

/// The name that `tokens` are, and nothing besides.
pub(crate) fn lone_name(
    text: &str,
    tokens: Vec<Token>,
    diagnostics: &mut Diagnostics,
) -> Option<Name> {
    let mut parser = Parser::new(text, tokens, diagnostics);
    parser.note(Expect::Field);
    let name = parser.name();
    if name.is_none() && *parser.peek() == TokenKind::Word {
        parser.unknown_word(None);
    } else if name.is_none() || !parser.at_end() {
        parser.fail_unexpected(None);
    }
    Some(name?.kind)
}

/// A node and the height of the tree under it.
type Built<T> = (Node<T>, usize);

struct Parser<'a> {
    text: &'a str,
    /// Never empty; the last is the end.
    tokens: Vec<Token>,
    at: usize,
    diagnostics: &'a mut Diagnostics,
    /// What could stand at token `noted_at`.
    noted: Vec<Expect>,
    noted_at: usize,
    /// The token where something was reported last: one report per place is enough.
    failed_at: Option<usize>,
    nesting: usize,
    /// Braces around this place.
    braces_open: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, tokens: Vec<Token>, diagnostics: &'a mut Diagnostics) -> Self {
        Self {
            text,
            tokens,
            at: 0,
            diagnostics,
            noted: Vec::new(),
            noted_at: 0,
            failed_at: None,
            nesting: 0,
            braces_open: 0,
        }
    }

    // === tokens ===

    fn peek(&self) -> &TokenKind {
        &self.tokens[self.at].kind
    }

    fn peek_second(&self) -> &TokenKind {
        &self.tokens[(self.at + 1).min(self.tokens.len() - 1)].kind
    }

    fn range(&self) -> TextRange {
        self.tokens[self.at].range
    }

    fn word(&self) -> &'a str {
        match self.peek() {
            TokenKind::Word => self.range().of(self.text),
            _ => "",
        }
    }

    /// The end of the token before this one.
    fn end(&self) -> usize {
        match self.at.checked_sub(1) {
            Some(before) => self.tokens[before].range.end,
            None => self.range().start,
        }
    }

    fn range_from(&self, start: usize) -> TextRange {
        TextRange::new(start, self.end().max(start))
    }

    /// Steps over a token; the end stays.
    fn bump(&mut self) -> TextRange {
        let range = self.range();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        range
    }

    fn eat(&mut self, kind: &TokenKind) -> bool {
        let found = self.peek() == kind;
        if found {
            self.bump();
        }
        found
    }

    fn at_end(&self) -> bool {
        *self.peek() == TokenKind::End
    }

    // === what could stand here ===

    fn note(&mut self, expect: Expect) {
        if self.failed_at == Some(self.at) {
            return;
        }
        if self.noted_at != self.at {
            self.noted.clear();
            self.noted_at = self.at;
        }
        // A stage can be an operand, so that goes without saying; after series only few stages make sense.
        let said = |noted: &Expect| {
            *noted == expect
                || expect == Expect::Operand
                    && matches!(noted, Expect::Stage { .. } | Expect::SecondStage)
        };
        if !self.noted.iter().any(said) {
            self.noted.push(expect);
        }
    }

    fn expected(&self) -> Vec<&'static str> {
        let mut expected = Vec::new();
        if self.noted_at == self.at {
            for expect in &self.noted {
                if !expected.contains(&expect.describe()) {
                    expected.push(expect.describe());
                }
            }
        }
        expected
    }

    // === mistakes ===

    /// Reports `diagnostic` unless something was reported at this token before.
    fn fail(&mut self, diagnostic: Diagnostic) {
        if self.failed_at != Some(self.at) {
            self.failed_at = Some(self.at);
            self.diagnostics.push(diagnostic);
        }
    }

    /// Reports that this token cannot stand here, with what could.
    fn fail_unexpected(&mut self, hint: Option<&str>) {
        if *self.peek() == TokenKind::Bad {
            // The lexer has said it.
            self.failed_at = Some(self.at);
            return;
        }
        let expected = self.expected();
        let mut diagnostic = Diagnostic::error(
            Code::Unexpected,
            self.range(),
            format!(
                "expected {}{}, found {}",
                list(&expected),
                self.describe_before(),
                self.describe_token()
            ),
        );
        diagnostic.expected = expected;
        diagnostic.hint = hint.map(str::to_owned);
        self.fail(diagnostic);
    }

    /// ` after …`, when an operator stands before.
    fn describe_before(&self) -> String {
        let before = self.at.checked_sub(1).map(|at| &self.tokens[at]);
        match before {
            Some(Token {
                kind: TokenKind::Binary(_) | TokenKind::Logic(_) | TokenKind::Bang | TokenKind::Pipe,
                range,
            }) => format!(" after `{}`", range.of(self.text)),
            _ => String::new(),
        }
    }

    fn describe_token(&self) -> String {
        match self.peek() {
            TokenKind::End => "the end of the query".to_owned(),
            _ => {
                let text = self.range().of(self.text);
                match text.char_indices().nth(MAX_SHOWN) {
                    Some((end, _)) => format!("`{}…`", &text[..end]),
                    None => format!("`{text}`"),
                }
            }
        }
    }

    /// Eats a closing mark that belongs to the opening one at `open`, or says that it is missing.
    fn close(&mut self, kind: &TokenKind, mark: &'static str, open: TextRange) {
        if self.eat(kind) {
            return;
        }
        self.note(Expect::Mark(mark));
        if self.at_end() {
            let text = open.of(self.text);
            let end = self.end();
            let mut diagnostic = Diagnostic::error(
                Code::Unexpected,
                open,
                format!("this `{text}` is never closed"),
            )
            .hint(format!("close it with {mark}"))
            .fix(TextRange::empty_at(end), mark.trim_matches('`'));
            diagnostic.expected = self.expected();
            self.fail(diagnostic);
        } else {
            self.fail_unexpected(None);
        }
    }

    /// Goes one level deeper. At the bound, gives up on the whole text and returns false.
    fn enter(&mut self) -> bool {
        self.nesting += 1;
        if self.nesting > MAX_DEPTH {
            self.give_up_deep();
            return false;
        }
        true
    }

    fn leave(&mut self) {
        self.nesting -= 1;
    }

    fn give_up_deep(&mut self) {
        self.give_up(format!(
            "the query is nested deeper than {MAX_DEPTH} levels"
        ));
    }

    /// The query is too complex: says so and goes to the end, so that everything unwinds.
    fn give_up(&mut self, message: String) {
        self.fail(
            Diagnostic::error(Code::TooComplex, self.range(), message)
                .hint("drop parentheses that change nothing, or ask for less at once"),
        );
        self.at = self.tokens.len() - 1;
        self.failed_at = Some(self.at);
    }

    /// The height above operands of these heights; gives up when that is too tall.
    fn grow(&mut self, left: usize, right: usize) -> usize {
        let height = 1 + left.max(right);
        if height > MAX_DEPTH {
            self.give_up_deep();
            return 1;
        }
        height
    }
}

/// `a`, `a or b`, `a, b or c`.
pub(crate) fn list(words: &[&str]) -> String {
    match words {
        [] => "nothing more".to_owned(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// How strongly an operator binds; see the top of the file.
fn precedence(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Add | BinaryOp::Sub => 3,
        BinaryOp::Mul | BinaryOp::Div | BinaryOp::Mod => 5,
        BinaryOp::Pow => 6,
        _ => 2,
    }
}

const LOGIC: u8 = 1;
pub(crate) const NOT: u8 = 4;
pub(crate) const MINUS: u8 = 7;

impl BinaryOp {
    /// How strongly it binds.
    pub(crate) fn precedence(self) -> u8 {
        precedence(self)
    }

    /// The weakest operator that its right operand may be made of.
    pub(crate) fn right_minimum(self) -> u8 {
        match self {
            Self::Pow => precedence(self),
            _ => precedence(self) + 1,
        }
    }
}

impl LogicOp {
    /// How strongly `&&` and `||` bind.
    pub(crate) const PRECEDENCE: u8 = LOGIC;
}

/// `left op right`, as one flat chain when `left` is a chain of the same operator.
fn chain(op: LogicOp, left: FilterExpr, right: FilterExpr) -> FilterExpr {
    let range = left.range.to(right.range);
    let kind = match left.kind {
        FilterKind::Logic {
            op: inner,
            mut operands,
        } if inner == op => {
            operands.push(right);
            FilterKind::Logic { op, operands }
        }
        _ => FilterKind::Logic {
            op,
            operands: vec![left, right],
        },
    };
    Node::new(kind, range)
}
