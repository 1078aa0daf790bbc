//! Random queries for tests: of this crate, and of engines that are compared with a plainer twin.
//!
//! A query is made from a string of bytes, each of which decides one thing ([`Choices`]); where the bytes end, the simplest
//! choice is taken. So any source of bytes will do, a property test's or a fuzzer's, and shorter or smaller bytes make a simpler
//! query: whatever shrinks the bytes shrinks the query.
//!
//! - [`search`], [`metrics`]: queries that check without errors, over the words of a [`Vocabulary`].
//! - [`tree`]: anything that parses, whether it makes sense or not.

mod filters;
mod pipelines;
mod text;

pub use text::check_text;

use std::sync::Arc;

use model::{DurationNanos, SpanKind, StatusCode};

use crate::ast::{Ast, Hint, Literal, Name, Node};
use crate::field::{Field, Intrinsic, Owner, Scope, Type};

/// How deep expressions are nested. Deep enough for every pair of precedences to meet.
const DEPTH: usize = 4;

/// Decisions, taken from bytes.
#[derive(Debug, Clone)]
pub struct Choices<'a> {
    bytes: &'a [u8],
}

impl<'a> Choices<'a> {
    /// The decisions that these bytes stand for.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// A number below `bound`, which is above 0; 0 when the bytes are used up.
    pub fn below(&mut self, bound: usize) -> usize {
        let mut take = || match self.bytes.split_first() {
            Some((first, rest)) => {
                self.bytes = rest;
                usize::from(*first)
            }
            None => 0,
        };
        let value = if bound > 256 {
            take() * 256 + take()
        } else {
            take()
        };
        value % bound
    }

    /// True about once in `in_how_many` times.
    pub fn once_in(&mut self, in_how_many: usize) -> bool {
        self.below(in_how_many) == in_how_many - 1
    }

    /// One of `items`, which is not empty.
    ///
    /// # Panics
    /// When `items` is empty.
    pub fn of<'i, T>(&mut self, items: &'i [T]) -> &'i T {
        &items[self.below(items.len())]
    }
}

/// The words that queries are made of. None of the lists may be empty.
#[derive(Debug, Clone)]
pub struct Vocabulary {
    /// Fields; at least one that is a number or an attribute, and one that is a string or an attribute.
    pub names: Vec<Name>,
    /// Strings.
    pub strings: Vec<Arc<str>>,
    /// Integers.
    pub ints: Vec<i64>,
    /// Doubles, finite.
    pub floats: Vec<f64>,
    /// Durations.
    pub durations: Vec<DurationNanos>,
    /// Regular expressions.
    pub patterns: Vec<Arc<str>>,
}

impl Vocabulary {
    /// Every intrinsic in every spelling, attributes of every scope, and awkward constants.
    pub fn everything() -> Self {
        let mut names = Vec::new();
        for intrinsic in Intrinsic::ALL.iter().copied() {
            for scoped in [false, true] {
                let exists = if scoped {
                    intrinsic.scoped()
                } else {
                    intrinsic.unscoped()
                };
                if exists.is_none() {
                    continue;
                }
                for owner in [Owner::Span, Owner::Parent] {
                    if owner == Owner::Span || intrinsic.is_of_span() {
                        names.push(Name::Intrinsic {
                            owner,
                            intrinsic,
                            scoped,
                        });
                    }
                }
            }
        }
        let keys = [
            "a",
            "service.name",
            "n-1",
            "a b",
            "1st",
            "name",
            "span.x",
            "q\"\\",
            "größe",
            "a,b{}",
            "x:y",
            "// no",
            "true",
            "span:id",
            "tab\there",
        ];
        for scope in Scope::NAMED.into_iter().chain([Scope::Any]) {
            for owner in [Owner::Span, Owner::Parent] {
                names.extend(keys.iter().map(|key| Name::Attribute {
                    owner,
                    scope,
                    name: Arc::from(*key),
                }));
            }
        }
        let texts = [
            "",
            "x",
            "a\"b\\c",
            "tab\tnewline\n",
            "é\u{7f}\u{0}",
            "`",
            "}|{",
            "// x",
        ];
        Self {
            names,
            strings: texts.map(Arc::from).to_vec(),
            ints: vec![0, 1, -1, 2, 200, i64::MAX, i64::MIN, i64::MIN + 1],
            floats: vec![
                0.0,
                1.5,
                -0.5,
                2.0,
                1e300,
                -1e-300,
                f64::MAX,
                f64::MIN_POSITIVE,
            ],
            durations: [
                0,
                1,
                1_500_000_000,
                -5_000_000,
                i64::MAX,
                i64::MIN,
                90_061_001_001_001,
            ]
            .map(DurationNanos)
            .to_vec(),
            patterns: [".*", "a|b", "[^x]+", "\\d{2,3}", ""]
                .map(Arc::from)
                .to_vec(),
        }
    }

    /// Few words, for engines: `fields` and the constants that tests put into their spans.
    pub fn of_fields(fields: impl IntoIterator<Item = Field>) -> Self {
        Self {
            names: fields.into_iter().map(Name::from).collect(),
            strings: ["x", "y", "z", ""].map(Arc::from).to_vec(),
            ints: vec![0, 1, 2, 3, -1],
            floats: vec![0.0, 1.0, 1.5, 2.0, -0.5],
            durations: [0, 1, 1_000_000, 5_000_000].map(DurationNanos).to_vec(),
            patterns: ["x|y", ".*", "[^x]", ""].map(Arc::from).to_vec(),
        }
    }

    /// The fields whose type is `wanted`.
    fn fields_of(&self, wanted: impl Fn(Type) -> bool) -> Vec<Name> {
        self.names
            .iter()
            .filter(|name| name.field().is_some_and(|field| wanted(field.value_type())))
            .cloned()
            .collect()
    }
}

/// A query for spans that checks without errors.
pub fn search(choices: &mut Choices<'_>, vocabulary: &Vocabulary) -> Ast {
    let mut generator = Generator {
        choices,
        vocabulary,
    };
    let pipeline = generator.search_pipeline();
    let hints = generator.hints();
    Ast { pipeline, hints }
}

/// A query for series that checks without errors.
pub fn metrics(choices: &mut Choices<'_>, vocabulary: &Vocabulary) -> Ast {
    let mut generator = Generator {
        choices,
        vocabulary,
    };
    let pipeline = generator.metrics_pipeline();
    let hints = generator.hints();
    Ast { pipeline, hints }
}

/// A tree that the parser can give without an error, whatever the checker says.
pub fn tree(choices: &mut Choices<'_>) -> Ast {
    let vocabulary = Vocabulary::everything();
    let mut generator = Generator {
        choices,
        vocabulary: &vocabulary,
    };
    let pipeline = generator.wild_pipeline(DEPTH);
    let hints = generator.hints();
    Ast { pipeline, hints }
}

struct Generator<'g, 'c> {
    choices: &'g mut Choices<'c>,
    vocabulary: &'g Vocabulary,
}

impl Generator<'_, '_> {
    fn hints(&mut self) -> Vec<Hint> {
        let count = if self.choices.once_in(4) { 2 } else { 0 };
        let known = [
            ("exemplars", Literal::Bool(true)),
            ("exemplars", Literal::Int(3)),
            ("most_recent", Literal::Bool(true)),
            ("sample", Literal::Float(0.5)),
        ];
        (0..count)
            .map(|_| {
                let (name, value) = self.choices.of(&known).clone();
                Hint {
                    name: Node::bare(name.into()),
                    value: Node::bare(value),
                }
            })
            .collect()
    }

    fn number_literal(&mut self) -> Literal {
        match self.choices.below(3) {
            0 => Literal::Int(*self.choices.of(&self.vocabulary.ints)),
            1 => Literal::Float(*self.choices.of(&self.vocabulary.floats)),
            _ => Literal::Duration(*self.choices.of(&self.vocabulary.durations)),
        }
    }

    fn literal(&mut self) -> Literal {
        match self.choices.below(6) {
            0 => self.number_literal(),
            1 => Literal::Str(self.choices.of(&self.vocabulary.strings).clone()),
            2 => Literal::Bool(self.choices.below(2) == 0),
            3 => Literal::Nil,
            4 => self.status(),
            _ => self.kind(),
        }
    }

    fn status(&mut self) -> Literal {
        let all = [StatusCode::Unset, StatusCode::Ok, StatusCode::Error];
        Literal::Status(*self.choices.of(&all))
    }

    fn kind(&mut self) -> Literal {
        let all = [
            SpanKind::Unspecified,
            SpanKind::Internal,
            SpanKind::Server,
            SpanKind::Client,
            SpanKind::Producer,
            SpanKind::Consumer,
        ];
        Literal::Kind(*self.choices.of(&all))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{analyse, parse, render};

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        proptest::collection::vec(any::<u8>(), 0..200)
    }

    proptest! {
        #[test]
        fn parsing_what_was_printed_gives_the_same_tree(bytes in bytes()) {
            let tree = tree(&mut Choices::new(&bytes));
            let text = tree.to_string();
            let (again, diagnostics) = parse(&text);
            prop_assert!(diagnostics.is_empty(), "{}", render(&text, &diagnostics));
            prop_assert_eq!(&again, &tree, "{}", text);
            prop_assert_eq!(again.to_string(), text);
        }

        #[test]
        fn searches_check_and_mean_the_same_when_printed(bytes in bytes()) {
            let tree = search(&mut Choices::new(&bytes), &Vocabulary::everything());
            let text = tree.to_string();
            let analysis = analyse(&text);
            prop_assert!(analysis.query.is_some(), "{}", render(&text, &analysis.diagnostics));
            prop_assert_eq!(analysis.ast, tree, "{}", text);
        }

        #[test]
        fn metrics_check_and_mean_the_same_when_printed(bytes in bytes()) {
            let tree = metrics(&mut Choices::new(&bytes), &Vocabulary::everything());
            let text = tree.to_string();
            let analysis = analyse(&text);
            prop_assert!(analysis.query.is_some(), "{}", render(&text, &analysis.diagnostics));
            prop_assert_eq!(analysis.ast, tree, "{}", text);
        }
    }

    #[test]
    fn no_bytes_make_the_simplest_query() {
        let vocabulary = Vocabulary::of_fields([Field::attribute(Scope::Span, "a")]);
        assert_eq!(
            search(&mut Choices::new(&[]), &vocabulary).to_string(),
            "{ }"
        );
        assert_eq!(
            metrics(&mut Choices::new(&[]), &vocabulary).to_string(),
            "{ } | rate()"
        );
    }
}
