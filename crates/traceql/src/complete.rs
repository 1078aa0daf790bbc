//! What can stand at a place in a text that is being typed.
//!
//! The parser runs over the tokens before the cursor and says what it could take next; so what is offered is what parses. The
//! word under the cursor is not given to it: it only narrows what is offered. Names of attributes and their values are known
//! to the server alone; the answer says which are wanted.

use crate::ast::{AggregateFn, BinaryOp, LogicOp, MetricsFn, Name};
use crate::diagnostic::Diagnostics;
use crate::field::{Field, Intrinsic, Owner, Scope, Type};
use crate::lenient::{KnownFilter, known_around};
use crate::lexer::lex_with_comments;
use crate::parser::{Expect, Left, MAX_QUERY_BYTES, Operand, expected_at_end};
use crate::range::TextRange;
use crate::token::{KINDS, STATUSES, Token, TokenKind, status_word};

/// What an editor can offer at a place.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// What the chosen item replaces: the word around the cursor, empty where there is none.
    pub range: TextRange,
    /// What can stand here and begins with what is typed, in the order in which to offer it.
    pub items: Vec<Item>,
    /// Names and values that the server has to be asked for.
    pub wanted: Vec<Wanted>,
    /// What the filter around the cursor demands besides the condition that is being typed.
    pub filter: Option<KnownFilter>,
}

/// One thing to offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// What is inserted.
    pub text: &'static str,
}

/// The kinds of things to offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ItemKind {
    /// A stage, `by`, `with`, the name of a hint.
    Keyword,
    /// An aggregate or a metrics function.
    Function,
    /// An intrinsic.
    Intrinsic,
    /// A scope with its dot; the name of an attribute follows.
    Scope,
    /// An operator.
    Operator,
    /// A status, a kind, `true`, `false`, `nil`, a usual quantile.
    Value,
    /// A bracket or a comma.
    Mark,
}

/// Something that only the server knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Names of attributes in a scope ([`Scope::Any`]: in all) that begin with `prefix`. What is inserted is the attribute
    /// with its scope and the quotes it needs, as [`Field`] displays it.
    AttributeName {
        /// The span or its parent.
        owner: Owner,
        /// Where.
        scope: Scope,
        /// What is typed of the name, unquoted.
        prefix: String,
    },
    /// Values of a field that begin with `prefix`. What is inserted is a literal, strings in quotes.
    Value {
        /// Of what.
        field: Field,
        /// Whether a pattern is being typed rather than a value.
        is_pattern: bool,
        /// What is typed of a string, without the quote.
        prefix: String,
    },
}

/// What can stand at `offset` in `text`; an offset inside of a character counts as the character's start.
///
/// Costs the parsing of the text.
pub fn complete(text: &str, offset: usize) -> Completion {
    let offset = text.floor_char_boundary(offset.min(text.len()));
    let mut found = Completion {
        range: TextRange::empty_at(offset),
        items: Vec::new(),
        wanted: Vec::new(),
        filter: None,
    };
    if text.len() > MAX_QUERY_BYTES {
        return found;
    }
    let mut ignored = Diagnostics::default();
    let (tokens, comments) = lex_with_comments(text, &mut ignored);
    if comments
        .iter()
        .any(|comment| comment.start < offset && offset <= comment.end)
    {
        return found;
    }
    let open = tokens.iter().find(|token| is_open_at(token, text, offset));
    let start = open.map_or(offset, |token| token.range.start);
    if let Some(token) = open {
        found.range = token.range;
    }
    let mut before: Vec<Token> = tokens
        .iter()
        .filter(|token| token.range.end <= start && token.kind != TokenKind::End)
        .cloned()
        .collect();
    before.push(Token {
        kind: TokenKind::End,
        range: TextRange::empty_at(start),
    });
    let typed = Typed::of(open, text, offset);
    let expected = expected_at_end(text, before);
    for expect in &expected {
        offer(expect, &typed, &mut found);
    }
    if expected.iter().any(wants_comparison) {
        found.items.retain(|item| item.text != "}");
    }
    found.filter = known_around(&crate::parse(text).0, offset);
    found
}

/// Whether braces cannot close yet, since what stands before is neither true nor false.
fn wants_comparison(expect: &Expect) -> bool {
    match expect {
        Expect::FilterOperator { left, minimum: 0 } => match left {
            Left::Name(name) => name
                .field()
                .is_none_or(|field| field.value_type() != Type::Any),
            Left::Number | Left::Other => true,
            Left::Condition => false,
        },
        _ => false,
    }
}

/// Whether `token` is still being typed when the cursor is at `offset`.
fn is_open_at(token: &Token, text: &str, offset: usize) -> bool {
    let inside = token.range.start < offset && offset < token.range.end;
    let at_end = token.range.end == offset && token.range.start < offset;
    match &token.kind {
        TokenKind::Word | TokenKind::Scoped | TokenKind::Dotted | TokenKind::Name(_) => {
            inside || at_end
        }
        // A number could go on with digits or a unit.
        TokenKind::Int(_) | TokenKind::Float(_) | TokenKind::Duration(_) => inside || at_end,
        TokenKind::Str(_) => {
            let quoted = token.range.of(text);
            let closed = quoted.len() > 1 && quoted.ends_with(['"', '`', '\'']);
            inside || (at_end && !closed)
        }
        _ => inside,
    }
}

/// What is typed of the word under the cursor.
enum Typed {
    Nothing,
    /// Letters of a word, or of an intrinsic with its scope.
    Word(String),
    /// A name without a scope, with dots in it.
    Dotted(String),
    Attribute {
        owner: Owner,
        scope: Scope,
        prefix: String,
        /// All of it as typed, for intrinsics of the parent.
        text: String,
    },
    Str(String),
    /// Something that is typed to its end by oneself.
    Number,
}

impl Typed {
    fn of(open: Option<&Token>, text: &str, offset: usize) -> Self {
        let Some(token) = open else {
            return Self::Nothing;
        };
        let typed = &text[token.range.start..offset];
        match &token.kind {
            TokenKind::Word | TokenKind::Scoped => Self::Word(typed.to_owned()),
            TokenKind::Dotted => Self::Dotted(typed.to_owned()),
            TokenKind::Name(_) => {
                // What is typed up to the cursor, read again: the rest of the word must not count.
                let (tokens, _) = lex_with_comments(typed, &mut Diagnostics::default());
                match tokens.into_iter().next().map(|token| token.kind) {
                    Some(TokenKind::Name(Name::Attribute { owner, scope, name })) => {
                        Self::Attribute {
                            owner,
                            scope,
                            prefix: name.to_string(),
                            text: typed.to_owned(),
                        }
                    }
                    _ => Self::Word(typed.to_owned()),
                }
            }
            TokenKind::Str(_) => Self::Str(typed.get(1..).unwrap_or_default().to_owned()),
            _ => Self::Number,
        }
    }
}

/// Adds what `expect` stands for, as far as it begins with what is typed.
fn offer(expect: &Expect, typed: &Typed, into: &mut Completion) {
    match expect {
        Expect::Stage { first } => {
            marks(&["{", "("], typed, into);
            functions(
                AggregateFn::ALL.iter().map(|function| function.as_str()),
                typed,
                into,
            );
            keywords(&["by", "select"], typed, into);
            if !first {
                keywords(&["coalesce()"], typed, into);
                functions(
                    MetricsFn::ALL.iter().map(|function| function.as_str()),
                    typed,
                    into,
                );
            }
        }
        Expect::SecondStage => keywords(&["topk", "bottomk"], typed, into),
        Expect::Operand => {
            marks(&["{", "("], typed, into);
            functions(
                AggregateFn::ALL.iter().map(|function| function.as_str()),
                typed,
                into,
            );
        }
        Expect::Operator(Operand::Spansets) => operators(&SPANSET_OPERATORS, typed, into),
        Expect::Operator(Operand::Number) => {
            operators(&COMPARISONS, typed, into);
            operators(&ARITHMETIC, typed, into);
        }
        Expect::Operator(Operand::Series) => {
            operators(&ARITHMETIC[..4], typed, into);
            operators(&COMPARISONS, typed, into);
        }
        Expect::Threshold => operators(&COMPARISONS, typed, into),
        Expect::FilterOperand => {
            fields(typed, into);
            values(&["true", "false"], typed, into);
            marks(&["(", "!"], typed, into);
        }
        Expect::ValueOf(name, op) => values_of(name, *op, typed, into),
        Expect::FilterOperator { left, minimum } => filter_operators(left, *minimum, typed, into),
        Expect::Field => fields(typed, into),
        // The attribute is offered by what wants a field.
        Expect::AttributeName(..) | Expect::Count => {}
        Expect::Argument(function, position) => argument(*function, *position, typed, into),
        Expect::By => keywords(&["by"], typed, into),
        Expect::With => keywords(&["with"], typed, into),
        Expect::HintName => keywords(&HINTS, typed, into),
        Expect::HintValue => values(&["true", "false"], typed, into),
        Expect::Mark(mark) => marks(&[mark.trim_matches('`')], typed, into),
    }
}

const SPANSET_OPERATORS: [&str; 17] = [
    "&&", "||", ">>", ">", "<<", "<", "~", "!>>", "!>", "!<<", "!<", "!~", "&>>", "&>", "&<<",
    "&<", "&~",
];
const COMPARISONS: [&str; 6] = ["=", "!=", ">", ">=", "<", "<="];
const ARITHMETIC: [&str; 6] = ["+", "-", "*", "/", "%", "^"];
const HINTS: [&str; 6] = [
    "most_recent",
    "exemplars",
    "sample",
    "span_sample",
    "trace_sample",
    "extrapolate",
];

const SCOPES: [&str; 6] = [
    "span.",
    "resource.",
    "event.",
    "link.",
    "instrumentation.",
    "parent.",
];

fn add(kind: ItemKind, text: &'static str, typed: &Typed, into: &mut Completion) {
    let fits = match typed {
        Typed::Nothing => true,
        Typed::Word(word) | Typed::Attribute { text: word, .. } => {
            let start = text.get(..word.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(word))
        }
        Typed::Dotted(_) | Typed::Str(_) | Typed::Number => false,
    };
    let item = Item { kind, text };
    if fits && !into.items.contains(&item) {
        into.items.push(item);
    }
}

fn add_all(kind: ItemKind, texts: &[&'static str], typed: &Typed, into: &mut Completion) {
    for text in texts {
        add(kind, text, typed, into);
    }
}

fn functions(names: impl Iterator<Item = &'static str>, typed: &Typed, into: &mut Completion) {
    for name in names {
        add(ItemKind::Function, name, typed, into);
    }
}

fn keywords(texts: &[&'static str], typed: &Typed, into: &mut Completion) {
    add_all(ItemKind::Keyword, texts, typed, into);
}

fn operators(texts: &[&'static str], typed: &Typed, into: &mut Completion) {
    add_all(ItemKind::Operator, texts, typed, into);
}

fn values(texts: &[&'static str], typed: &Typed, into: &mut Completion) {
    add_all(ItemKind::Value, texts, typed, into);
}

fn marks(texts: &[&'static str], typed: &Typed, into: &mut Completion) {
    add_all(ItemKind::Mark, texts, typed, into);
}

/// Every field: intrinsics, scopes, attributes.
fn fields(typed: &Typed, into: &mut Completion) {
    intrinsics(typed, into, |_| true);
    add_all(ItemKind::Scope, &SCOPES, typed, into);
    attributes(typed, into);
}

fn intrinsics(typed: &Typed, into: &mut Completion, wanted: impl Fn(Intrinsic) -> bool) {
    for intrinsic in Intrinsic::ALL.iter().copied().filter(|each| wanted(*each)) {
        let spellings = [intrinsic.unscoped(), intrinsic.scoped()];
        for text in spellings.into_iter().flatten() {
            add(ItemKind::Intrinsic, text, typed, into);
        }
    }
    if !matches!(typed, Typed::Nothing) {
        for (text, intrinsic) in PARENT_INTRINSICS {
            if wanted(intrinsic) {
                add(ItemKind::Intrinsic, text, typed, into);
            }
        }
    }
}

/// The intrinsics of the parent that are offered, once something of its name is typed.
const PARENT_INTRINSICS: [(&str, Intrinsic); 5] = [
    ("parent.name", Intrinsic::Name),
    ("parent.duration", Intrinsic::Duration),
    ("parent.status", Intrinsic::Status),
    ("parent.kind", Intrinsic::Kind),
    ("parent.statusMessage", Intrinsic::StatusMessage),
];

fn attributes(typed: &Typed, into: &mut Completion) {
    let (owner, scope, prefix) = match typed {
        Typed::Nothing => (Owner::Span, Scope::Any, String::new()),
        Typed::Word(word) if word.contains(':') => return,
        Typed::Word(word) | Typed::Dotted(word) => (Owner::Span, Scope::Any, word.clone()),
        Typed::Attribute {
            owner,
            scope,
            prefix,
            ..
        } => (*owner, *scope, prefix.clone()),
        Typed::Str(_) | Typed::Number => return,
    };
    want(
        Wanted::AttributeName {
            owner,
            scope,
            prefix,
        },
        into,
    );
}

fn want(wanted: Wanted, into: &mut Completion) {
    if !into.wanted.contains(&wanted) {
        into.wanted.push(wanted);
    }
}

fn values_of(name: &Name, op: BinaryOp, typed: &Typed, into: &mut Completion) {
    let Some(field) = name.field() else {
        return values(&["nil"], typed, into);
    };
    let is_pattern = matches!(op, BinaryOp::Match | BinaryOp::NotMatch);
    match field.value_type() {
        Type::Status => {
            for status in STATUSES {
                add(ItemKind::Value, status_word(status), typed, into);
            }
        }
        Type::Kind => {
            for kind in KINDS {
                add(ItemKind::Value, kind.as_str(), typed, into);
            }
        }
        kind @ (Type::Str | Type::Any) => {
            let prefix = match typed {
                Typed::Nothing => Some(String::new()),
                Typed::Str(prefix) | Typed::Word(prefix) => Some(prefix.clone()),
                _ => None,
            };
            if let Some(prefix) = prefix {
                let wanted = Wanted::Value {
                    field,
                    is_pattern,
                    prefix,
                };
                want(wanted, into);
            }
            if kind == Type::Any && matches!(op, BinaryOp::Eq | BinaryOp::Ne) {
                values(&["true", "false", "nil"], typed, into);
            }
        }
        // Numbers are typed; what they can be compared with besides is another field.
        _ => intrinsics(typed, into, |intrinsic| intrinsic.value_type().is_number()),
    }
    // Once the scope is typed, an attribute is meant.
    if matches!(typed, Typed::Attribute { .. }) && !is_pattern {
        attributes(typed, into);
    }
}

fn filter_operators(left: &Left, minimum: u8, typed: &Typed, into: &mut Completion) {
    use Type::{Any, Duration, Float, Int};
    let kind = match left {
        Left::Name(name) => name.field().map_or(Type::Nil, |field| field.value_type()),
        Left::Number => Float,
        Left::Condition => Type::Bool,
        Left::Other => Type::Str,
    };
    if minimum <= BinaryOp::Eq.precedence() {
        let comparisons: &[&str] = match kind {
            Type::Bool => &[],
            Type::Status | Type::Kind | Type::Nil => &["=", "!="],
            Type::Str => &["=", "!=", "=~", "!~"],
            Int | Float | Duration => &[">", ">=", "<", "<=", "=", "!="],
            Any => &["=", "!=", "=~", "!~", ">", ">=", "<", "<="],
        };
        operators(comparisons, typed, into);
    }
    if minimum <= LogicOp::PRECEDENCE && matches!(kind, Type::Bool | Any) {
        operators(&["&&", "||"], typed, into);
    }
    if matches!(kind, Int | Float | Duration | Any) {
        operators(&ARITHMETIC, typed, into);
    }
}

fn argument(function: MetricsFn, position: usize, typed: &Typed, into: &mut Completion) {
    match (function, position) {
        (MetricsFn::Rate | MetricsFn::CountOverTime, _) => {}
        (MetricsFn::Compare, 0) => marks(&["{"], typed, into),
        (MetricsFn::Compare, _) => {}
        (MetricsFn::QuantileOverTime, 1..) => {
            values(&["0.5", "0.9", "0.95", "0.99"], typed, into);
        }
        (_, 0) => {
            intrinsics(typed, into, |intrinsic| intrinsic.value_type().is_number());
            add_all(ItemKind::Scope, &SCOPES, typed, into);
            attributes(typed, into);
        }
        _ => {}
    }
}
