//! What is wrong with a query, in words for a person and in codes for a program.
//!
//! A diagnostic names the bytes it is about, says what was expected there, and where it can, what to write instead.
//! Codes are stable; texts are not.

use std::fmt;

use crate::range::TextRange;

/// How many diagnostics one query can give. A bound for texts that are no queries at all; nobody reads more.
pub const MAX_DIAGNOSTICS: usize = 20;

/// Letters of a message or a hint: a sentence of ours, and room for what it quotes of the query.
const MAX_LINE: usize = 300;

/// Whether a query with this diagnostic can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// It cannot.
    Error,
    /// It can, but it probably does not do what its author wants.
    Warning,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// The kind of a mistake. The names are stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

codes! {
    /// The text is longer than [`MAX_QUERY_BYTES`](crate::MAX_QUERY_BYTES).
    TooLong = "too-long",
    /// Parentheses or chains of operators are deeper than [`MAX_DEPTH`](crate::MAX_DEPTH), or a pipeline is longer than
    /// [`MAX_STAGES`](crate::MAX_STAGES).
    TooComplex = "too-complex",
    /// A character that has no meaning anywhere.
    UnknownCharacter = "unknown-character",
    /// A string, a quoted name or a comment without its end.
    Unterminated = "unterminated",
    /// An escape that strings do not know.
    BadEscape = "bad-escape",
    /// Quotes of another kind than `"`.
    WrongQuotes = "wrong-quotes",
    /// A number or duration that cannot be read or does not fit.
    BadNumber = "bad-number",
    /// An operator of another language, such as `==`.
    WrongOperator = "wrong-operator",
    /// Something else was expected here.
    Unexpected = "unexpected",
    /// A word that means nothing.
    UnknownWord = "unknown-word",
    /// An attribute without its scope.
    MissingScope = "missing-scope",
    /// A stage, an operator or an expression that cannot stand here.
    WrongPlace = "wrong-place",
    /// An operator on values of types that it cannot take.
    TypeMismatch = "type-mismatch",
    /// A filter that is neither true nor false.
    NotBoolean = "not-boolean",
    /// A number was wanted.
    NotNumber = "not-number",
    /// A pattern that is no regular expression.
    BadRegex = "bad-regex",
    /// A comparison with `nil` that can have no sense.
    NilComparison = "nil-comparison",
    /// An expression that must look at the span, and does not.
    NoSpan = "no-span",
    /// An argument that is missing, too many, or out of range.
    BadArgument = "bad-argument",
    /// An operation that cannot take spansets split by `by()`.
    Grouped = "grouped",
    /// Warning: a comparison that can never be true.
    NeverTrue = "never-true",
    /// Warning: a hint that nobody knows, or with a value of a wrong type. It is ignored.
    IgnoredHint = "ignored-hint",
    /// Warning: a name that probably means something else.
    Suspicious = "suspicious",
}

/// A replacement that would mend the query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What to replace.
    pub range: TextRange,
    /// With what.
    pub replacement: String,
}

/// One thing wrong with a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of mistake.
    pub code: Code,
    /// Whether the query can still run.
    pub severity: Severity,
    /// The bytes it is about; empty where something is missing.
    pub range: TextRange,
    /// What is wrong, in one line: lower case, no final period.
    pub message: String,
    /// What could have stood here instead, each in words; empty when that is not the point.
    pub expected: Vec<&'static str>,
    /// What to do about it, in one line.
    pub hint: Option<String>,
    /// An edit that does it.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// An error without hint.
    pub fn error(code: Code, range: TextRange, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            range,
            message: one_line(&message.into()),
            expected: Vec::new(),
            hint: None,
            fix: None,
        }
    }

    /// A warning without hint.
    pub fn warning(code: Code, range: TextRange, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, range, message)
        }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(one_line(&hint.into()));
        self
    }

    /// The same with an edit that mends it.
    #[must_use]
    pub fn fix(mut self, range: TextRange, replacement: impl Into<String>) -> Self {
        self.fix = Some(Fix {
            range,
            replacement: replacement.into(),
        });
        self
    }

    /// Whether the query cannot run.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// A text that may quote the query, without line breaks and without end.
fn one_line(text: &str) -> String {
    let plain = |character: char| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    };
    let mut line: String = text.chars().take(MAX_LINE).map(plain).collect();
    if text.chars().nth(MAX_LINE).is_some() {
        line.push('…');
    }
    line
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// Where lexer, parser and checker put what they find: a list with a bound.
#[derive(Debug, Default)]
pub(crate) struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        if self.list.len() < MAX_DIAGNOSTICS {
            self.list.push(diagnostic);
        } else if diagnostic.is_error()
            && let Some(last) = self.list.last_mut()
        {
            // Errors matter more: a query with one must never look as if it had none.
            *last = diagnostic;
        }
    }

    pub(crate) fn error(&mut self, code: Code, range: TextRange, message: impl Into<String>) {
        self.push(Diagnostic::error(code, range, message));
    }

    pub(crate) fn has(&self, code: Code) -> bool {
        self.list.iter().any(|diagnostic| diagnostic.code == code)
    }

    /// In the order of the text.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        self.list
            .sort_by_key(|diagnostic| (diagnostic.range.start, diagnostic.severity));
        self.list
    }
}
