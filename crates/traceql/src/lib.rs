//! TraceQL, the language: text to syntax tree to checked query, and back.
//!
//! This crate knows nothing of storage, performs no I/O and never panics on any text. Its parts, in the order of a query's life:
//!
//! | what | module |
//! |---|---|
//! | the syntax tree, with the place of every node | [`ast`] |
//! | what is wrong with a text, and how it is shown | [`Diagnostic`], [`render`] |
//! | the checked query, which engines compile from | [`query`] |
//! | what arithmetic and comparisons give | [`semantics`] |
//! | what an editor can offer | [`complete`], [`known_filter`] |
//! | random queries, and the check of any text that a fuzzer calls | `testing`, with the feature of that name |
//!
//! ```
//! let analysis = traceql::analyse(r#"{ span:kind = server && duration > 1.5s } | count() > 3"#);
//! assert!(analysis.diagnostics.is_empty());
//! let query = analysis.query.unwrap();
//! assert_eq!(query.fields().len(), 2);
//! assert_eq!(
//!     analysis.ast.to_string(),
//!     "{ span:kind = server && duration > 1s500ms } | count() > 3"
//! );
//!
//! let wrong = traceql::analyse("{ status == eror }");
//! assert!(wrong.query.is_none());
//! assert_eq!(wrong.diagnostics[0].to_string(), "there is no operator `==` (write `=`)");
//! assert_eq!(wrong.diagnostics[1].to_string(), "unknown word `eror` (did you mean `error`?)");
//! ```

pub mod ast;
mod check;
mod complete;
mod diagnostic;
mod field;
mod lenient;
mod lexer;
mod number;
mod parser;
mod pattern;
mod print;
pub mod query;
mod quote;
mod range;
mod render;
pub mod semantics;
mod suggest;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod token;
mod walk;

pub use ast::Ast;
pub use complete::{Completion, Item, ItemKind, Wanted, complete};
pub use diagnostic::{Code, Diagnostic, Fix, MAX_DIAGNOSTICS, Severity};
pub use lenient::{KnownFilter, known_filter, parse_field};
pub use parser::{MAX_DEPTH, MAX_QUERY_BYTES, MAX_STAGES};
pub use query::Query;
pub use range::TextRange;
pub use render::render;

use diagnostic::Diagnostics;

/// Everything that can be said about a text.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// The tree; with `Error` nodes where the text does not parse.
    pub ast: Ast,
    /// The query; none exactly when a diagnostic is an error.
    pub query: Option<Query>,
    /// Errors and warnings in the order of the text, at most [`MAX_DIAGNOSTICS`].
    pub diagnostics: Vec<Diagnostic>,
}

/// Parses and checks a text.
///
/// Costs time in proportion to the text, which is not looked at when it is longer than [`MAX_QUERY_BYTES`].
pub fn analyse(text: &str) -> Analysis {
    let mut diagnostics = Diagnostics::default();
    let ast = parse_into(text, &mut diagnostics);
    // What is left of a text that was given up on says nothing.
    let query = if diagnostics.has(Code::TooComplex) || diagnostics.has(Code::TooLong) {
        None
    } else {
        check::check(&ast, &mut diagnostics)
    };
    let diagnostics = diagnostics.finish();
    let fails = diagnostics.iter().any(Diagnostic::is_error);
    Analysis {
        ast,
        query: query.filter(|_| !fails),
        diagnostics,
    }
}

/// Parses a text without checking it: the tree, and what is wrong with the syntax.
pub fn parse(text: &str) -> (Ast, Vec<Diagnostic>) {
    let mut diagnostics = Diagnostics::default();
    let ast = parse_into(text, &mut diagnostics);
    (ast, diagnostics.finish())
}

/// The query of a text.
///
/// # Errors
/// All diagnostics, warnings among them, when at least one is an error.
pub fn compile(text: &str) -> Result<Query, Vec<Diagnostic>> {
    let analysis = analyse(text);
    analysis.query.ok_or(analysis.diagnostics)
}

fn parse_into(text: &str, diagnostics: &mut Diagnostics) -> Ast {
    if text.len() > MAX_QUERY_BYTES {
        diagnostics.push(
            Diagnostic::error(
                Code::TooLong,
                TextRange::empty_at(0),
                format!(
                    "the query has {} bytes; at most {MAX_QUERY_BYTES} are read",
                    text.len()
                ),
            )
            .hint("ask for less at once"),
        );
        return parser::parse("", &mut Diagnostics::default());
    }
    parser::parse(text, diagnostics)
}
