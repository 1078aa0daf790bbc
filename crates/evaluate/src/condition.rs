//! Conditions and values of a span, made ready to be asked many times.

use hashbrown::HashMap;
use model::Symbols;
use traceql::query::{ArithOp, CompareOp, Condition, Constant, Field, Value};
use traceql::semantics;

use crate::item::{BoundConstant, Item, Shape, compare};
use crate::keys::Part;
use crate::reader::Reader;
use crate::tree::Tree;
use crate::words::{Matching, Words};

/// A [`Condition`] made ready.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    Const(bool),
    IsTrue(Operand),
    Not(Box<Test>),
    All(Vec<Test>),
    Any(Vec<Test>),
    /// A field compared with a constant.
    Is {
        field: Reader,
        op: CompareOp,
        constant: BoundConstant,
    },
    Compare {
        op: CompareOp,
        left: Operand,
        right: Operand,
    },
    /// Whether a string is one of these; negated, whether it is none of them.
    IsOneOf {
        negated: bool,
        value: Operand,
        words: Words,
    },
    Matches {
        negated: bool,
        value: Operand,
        pattern: Matching,
    },
    IsNil {
        negated: bool,
        value: Operand,
    },
}

/// A [`Value`] made ready.
#[derive(Debug, Clone)]
pub(crate) enum Operand {
    Constant(BoundConstant),
    Field(Reader),
    Negate(Box<Operand>),
    Arith {
        op: ArithOp,
        left: Box<Operand>,
        right: Box<Operand>,
    },
    Test(Box<Test>),
}

impl Test {
    pub(crate) fn new(condition: &Condition) -> Self {
        match condition {
            Condition::Const(constant) => Self::Const(*constant),
            Condition::IsTrue(value) => Self::IsTrue(Operand::new(value)),
            Condition::Not(inner) => Self::Not(Box::new(Self::new(inner))),
            Condition::And(operands) => Self::All(joined(operands, CompareOp::Ne)),
            Condition::Or(operands) => Self::Any(joined(operands, CompareOp::Eq)),
            Condition::Compare {
                op,
                left: Value::Field(field),
                right: Value::Constant(constant),
            } => Self::Is {
                field: Reader::new(field),
                op: *op,
                constant: BoundConstant::new(constant),
            },
            Condition::Compare { op, left, right } => Self::Compare {
                op: *op,
                left: Operand::new(left),
                right: Operand::new(right),
            },
            Condition::Matches {
                negated,
                value,
                pattern,
            } => {
                let (negated, value) = (*negated, Operand::new(value));
                match pattern.literals() {
                    Some(words) => Self::IsOneOf {
                        negated,
                        value,
                        words: Words::new(words.into_iter().map(Into::into)),
                    },
                    None => Self::Matches {
                        negated,
                        value,
                        pattern: Matching::new(pattern.clone()),
                    },
                }
            }
            Condition::IsNil { negated, value } => Self::IsNil {
                negated: *negated,
                value: Operand::new(value),
            },
        }
    }

    /// Readies this for a batch.
    pub(crate) fn bind(&mut self, symbols: &Symbols) {
        match self {
            Self::Const(_) => {}
            Self::Not(inner) => inner.bind(symbols),
            Self::All(operands) | Self::Any(operands) => {
                operands.iter_mut().for_each(|test| test.bind(symbols));
            }
            Self::Is {
                field, constant, ..
            } => {
                field.bind(symbols);
                constant.bind(symbols);
            }
            Self::Compare { left, right, .. } => {
                left.bind(symbols);
                right.bind(symbols);
            }
            Self::IsOneOf { value, words, .. } => {
                value.bind(symbols);
                words.bind(symbols);
            }
            Self::IsTrue(value) | Self::Matches { value, .. } | Self::IsNil { value, .. } => {
                value.bind(symbols);
            }
        }
    }

    /// Whether it surely holds for no span of the batch that it was readied for, since no attribute there has the key.
    pub(crate) fn is_never(&self) -> bool {
        match self {
            Self::Const(constant) => !constant,
            Self::All(operands) => operands.iter().any(Self::is_never),
            Self::Any(operands) => operands.iter().all(Self::is_never),
            Self::Is { field, .. } => field.is_absent(),
            // Nil is in no set, matches nothing and is not true.
            Self::IsOneOf { value, .. }
            | Self::Matches { value, .. }
            | Self::IsTrue(value)
            | Self::IsNil {
                negated: true,
                value,
            } => matches!(value, Operand::Field(field) if field.is_absent()),
            _ => false,
        }
    }

    /// Whether it holds for the span at a position.
    pub(crate) fn holds(&self, tree: &Tree<'_>, at: u32) -> bool {
        let symbols = &tree.batch().symbols;
        match self {
            Self::Const(constant) => *constant,
            Self::IsTrue(value) => {
                let mut is_true = false;
                let shape = value.visit(tree, at, &mut |item| {
                    is_true = matches!(item, Item::Bool(true));
                    false
                });
                is_true && shape == Shape::One
            }
            Self::Not(inner) => !inner.holds(tree, at),
            Self::All(operands) => operands.iter().all(|test| test.holds(tree, at)),
            Self::Any(operands) => operands.iter().any(|test| test.holds(tree, at)),
            Self::Is {
                field,
                op,
                constant,
            } => field.is(*op, constant.item(), tree, at),
            Self::Compare { op, left, right } => compare_values(*op, left, right, tree, at),
            Self::IsOneOf {
                negated,
                value,
                words,
            } => of_elements(*negated, value, tree, at, |item| {
                words
                    .contains(item, symbols)
                    .is_some_and(|is| is != *negated)
            }),
            Self::Matches {
                negated,
                value,
                pattern,
            } => of_elements(*negated, value, tree, at, |item| {
                pattern
                    .is_match(item, symbols)
                    .is_some_and(|is| is != *negated)
            }),
            Self::IsNil { negated, value } => {
                let shape = value.visit(tree, at, &mut |_| false);
                (shape == Shape::Nil) != *negated
            }
        }
    }

    /// Leaves the positions for which it holds.
    pub(crate) fn filter(&self, tree: &Tree<'_>, spans: &mut Vec<u32>) {
        match self {
            Self::Const(true) => {}
            Self::Const(false) => spans.clear(),
            // Each operand looks only at what the one before has left.
            Self::All(operands) => {
                for test in operands {
                    if spans.is_empty() {
                        return;
                    }
                    test.filter(tree, spans);
                }
            }
            Self::Is {
                field,
                op,
                constant,
            } => field.retain(*op, constant.item(), tree, spans),
            test => spans.retain(|at| test.holds(tree, *at)),
        }
    }
}

/// The operands of a conjunction or disjunction. Comparisons of one field with strings become one test: any of them equal,
/// or all of them unequal, as `op` says.
fn joined(operands: &[Condition], op: CompareOp) -> Vec<Test> {
    let mut tests: Vec<Option<Test>> = Vec::with_capacity(operands.len());
    // Of each field, its words, and which test they become.
    let mut words: HashMap<&Field, (usize, Vec<_>)> = HashMap::new();
    for condition in operands {
        match condition {
            Condition::Compare {
                op: this,
                left: Value::Field(field),
                right: Value::Constant(Constant::Str(word)),
            } if *this == op => {
                let place = words.entry(field).or_insert_with(|| {
                    tests.push(None);
                    (tests.len() - 1, Vec::new())
                });
                place.1.push(word.clone());
            }
            other => tests.push(Some(Test::new(other))),
        }
    }
    for (field, (place, words)) in words {
        tests[place] = Some(Test::IsOneOf {
            negated: op == CompareOp::Ne,
            value: Operand::Field(Reader::new(field)),
            words: Words::new(words.into_iter()),
        });
    }
    tests.into_iter().flatten().collect()
}

/// Whether it is so for any element; if negated, for every one, and there are some.
#[inline]
fn of_elements(
    negated: bool,
    value: &Operand,
    tree: &Tree<'_>,
    at: u32,
    is_so: impl Fn(Item<'_>) -> bool,
) -> bool {
    let mut holds = negated;
    let shape = value.visit(tree, at, &mut |item| {
        holds = is_so(item);
        // Any one decides for, or against.
        holds == negated
    });
    holds && shape != Shape::Nil
}

/// Any pair of elements for all operators but `!=`, which needs every pair.
fn compare_values(
    op: CompareOp,
    left: &Operand,
    right: &Operand,
    tree: &Tree<'_>,
    at: u32,
) -> bool {
    let symbols = &tree.batch().symbols;
    let every = op == CompareOp::Ne;
    let mut holds = every;
    let mut right_shape = Shape::Nil;
    let left_shape = left.visit(tree, at, &mut |a| {
        right_shape = right.visit(tree, at, &mut |b| {
            holds = compare(op, a, b, symbols);
            holds == every
        });
        right_shape != Shape::Nil && holds == every
    });
    holds && left_shape != Shape::Nil && right_shape != Shape::Nil
}

impl Operand {
    pub(crate) fn new(value: &Value) -> Self {
        match value {
            Value::Constant(constant) => Self::Constant(BoundConstant::new(constant)),
            Value::Field(field) => Self::Field(Reader::new(field)),
            Value::Negate(inner) => Self::Negate(Box::new(Self::new(inner))),
            Value::Arith { op, left, right } => Self::Arith {
                op: *op,
                left: Box::new(Self::new(left)),
                right: Box::new(Self::new(right)),
            },
            Value::Condition(condition) => Self::Test(Box::new(Test::new(condition))),
        }
    }

    /// Readies this for a batch.
    pub(crate) fn bind(&mut self, symbols: &Symbols) {
        match self {
            Self::Constant(constant) => constant.bind(symbols),
            Self::Field(reader) => reader.bind(symbols),
            Self::Negate(inner) => inner.bind(symbols),
            Self::Arith { left, right, .. } => {
                left.bind(symbols);
                right.bind(symbols);
            }
            Self::Test(test) => test.bind(symbols),
        }
    }

    /// Calls `visit` for the value, or for each element of an array, until it gives false.
    #[inline]
    pub(crate) fn visit(
        &self,
        tree: &Tree<'_>,
        at: u32,
        visit: &mut impl FnMut(Item<'_>) -> bool,
    ) -> Shape {
        match self {
            Self::Field(reader) => return reader.visit(tree, at, visit),
            Self::Constant(constant) => visit(constant.item()),
            Self::Test(test) => visit(Item::Bool(test.holds(tree, at))),
            Self::Negate(_) | Self::Arith { .. } => match self.number(tree, at).as_ref() {
                Some(Constant::Int(int)) => visit(Item::Int(*int)),
                Some(Constant::Float(float)) => visit(Item::Float(*float)),
                Some(Constant::Duration(duration)) => visit(Item::Duration(duration.0)),
                _ => return Shape::Nil,
            },
        };
        Shape::One
    }

    /// The value as a key, of an array its first element.
    pub(crate) fn key(&self, tree: &Tree<'_>, at: u32) -> Part {
        let mut key = Part::Nil;
        self.visit(tree, at, &mut |item| {
            key = Part::of(item);
            false
        });
        key
    }

    /// The value, if it is a single number.
    fn number(&self, tree: &Tree<'_>, at: u32) -> Option<Constant> {
        match self {
            Self::Negate(inner) => semantics::negate(&inner.number(tree, at)?),
            Self::Arith { op, left, right } => {
                semantics::arith(*op, &left.number(tree, at)?, &right.number(tree, at)?)
            }
            leaf => {
                let mut number = None;
                let shape = leaf.visit(tree, at, &mut |item| {
                    number = item.number();
                    false
                });
                number.filter(|_| shape == Shape::One)
            }
        }
    }
}
