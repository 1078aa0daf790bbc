//! Numbers computed from spansets, and filters that compare them.

use std::sync::Arc;

use model::{DurationNanos, Symbols};
use traceql::query::{self, ArithOp, CompareOp, Constant};
use traceql::semantics;

use crate::condition::Operand;
use crate::matcher::Program;
use crate::scratch::Scratch;
use crate::tree::Tree;

/// A [`query::ScalarFilter`] made ready.
#[derive(Debug)]
pub(crate) struct ScalarFilter {
    op: CompareOp,
    left: Scalar,
    right: Scalar,
    /// Whether all aggregates look at the entering spanset.
    is_plain: bool,
}

/// The spans that a filter keeps.
#[derive(Debug)]
pub(crate) enum Kept {
    None,
    All,
    These(Vec<u32>),
}

/// Name and value of an aggregate.
pub(crate) type Named = (Arc<str>, Constant);

/// What is noted of the aggregates that are computed.
struct Notes {
    /// The spans that they have looked at, where that matters.
    looked_at: Option<Vec<Vec<u32>>>,
    /// Those of the entering spanset.
    values: Vec<Named>,
}

#[derive(Debug)]
enum Scalar {
    Constant(Constant),
    /// With its name in answers; so the next.
    Count(Arc<str>),
    Of(Function, Operand, Arc<str>),
    Over(Program, Box<Scalar>),
    Negate(Box<Scalar>),
    Arith(ArithOp, Box<Scalar>, Box<Scalar>),
}

#[derive(Debug, Clone, Copy)]
enum Function {
    Avg,
    Min,
    Max,
    Sum,
}

impl ScalarFilter {
    pub(crate) fn new(filter: &query::ScalarFilter) -> Self {
        let (left, right) = (Scalar::new(&filter.left), Scalar::new(&filter.right));
        Self {
            op: filter.op,
            is_plain: left.is_plain() && right.is_plain(),
            left,
            right,
        }
    }

    /// Readies this for a batch.
    pub(crate) fn bind(&mut self, symbols: &Symbols) {
        self.left.bind(symbols);
        self.right.bind(symbols);
    }

    /// What the filter keeps of a spanset, nothing when it does not hold, and the aggregates of the spanset.
    pub(crate) fn keep(
        &self,
        spans: &[u32],
        tree: &Tree<'_>,
        scratch: &mut Scratch,
    ) -> (Kept, Vec<Named>) {
        let mut notes = Notes {
            looked_at: (!self.is_plain).then(Vec::new),
            values: Vec::new(),
        };
        let left = self.left.number(spans, tree, scratch, &mut notes);
        let right = self.right.number(spans, tree, scratch, &mut notes);
        let holds = |(left, right)| semantics::compare(self.op, &left, &right);
        let kept = if !left.zip(right).is_some_and(holds) {
            Kept::None
        } else if let Some(lists) = notes.looked_at {
            Kept::These(scratch.union(lists, tree.len()))
        } else {
            Kept::All
        };
        (kept, notes.values)
    }
}

impl Scalar {
    fn new(scalar: &query::Scalar) -> Self {
        use query::Aggregate::{Avg, Count, Max, Min, Sum};
        match scalar {
            query::Scalar::Constant(constant) => Self::Constant(constant.clone()),
            query::Scalar::Aggregate(aggregate, label) => {
                let of = |function, value| Self::Of(function, Operand::new(value), label.clone());
                match aggregate {
                    Count => Self::Count(label.clone()),
                    Avg(value) => of(Function::Avg, value),
                    Min(value) => of(Function::Min, value),
                    Max(value) => of(Function::Max, value),
                    Sum(value) => of(Function::Sum, value),
                }
            }
            query::Scalar::Over { pipeline, scalar } => {
                Self::Over(Program::new(pipeline), Box::new(Self::new(scalar)))
            }
            query::Scalar::Negate(inner) => Self::Negate(Box::new(Self::new(inner))),
            query::Scalar::Arith { op, left, right } => {
                Self::Arith(*op, Box::new(Self::new(left)), Box::new(Self::new(right)))
            }
        }
    }

    fn is_plain(&self) -> bool {
        match self {
            Self::Constant(_) | Self::Count(_) | Self::Of(..) => true,
            Self::Over(..) => false,
            Self::Negate(inner) => inner.is_plain(),
            Self::Arith(_, left, right) => left.is_plain() && right.is_plain(),
        }
    }

    fn bind(&mut self, symbols: &Symbols) {
        match self {
            Self::Constant(_) | Self::Count(_) => {}
            Self::Of(_, value, _) => value.bind(symbols),
            Self::Over(program, scalar) => {
                program.bind(symbols);
                scalar.bind(symbols);
            }
            Self::Negate(inner) => inner.bind(symbols),
            Self::Arith(_, left, right) => {
                left.bind(symbols);
                right.bind(symbols);
            }
        }
    }

    /// The number for a spanset; `None` is nil.
    fn number(
        &self,
        spans: &[u32],
        tree: &Tree<'_>,
        scratch: &mut Scratch,
        notes: &mut Notes,
    ) -> Option<Constant> {
        match self {
            Self::Constant(constant) => Some(constant.clone()),
            Self::Count(label) => {
                let count = Some(Constant::Int(spans.len() as i64));
                notes.add(label, count, spans, scratch)
            }
            Self::Of(function, value, label) => {
                let number = aggregate(*function, value, spans, tree);
                notes.add(label, number, spans, scratch)
            }
            Self::Over(program, scalar) => {
                let mut given = scratch.list();
                given.extend_from_slice(spans);
                let given = program.spans(given, tree, scratch);
                let own = std::mem::take(&mut notes.values);
                let number = scalar.number(&given, tree, scratch, notes);
                // Those are of other spans, and have no name that would tell them apart.
                notes.values = own;
                scratch.give(given);
                number
            }
            Self::Negate(inner) => semantics::negate(&inner.number(spans, tree, scratch, notes)?),
            Self::Arith(op, left, right) => semantics::arith(
                *op,
                &left.number(spans, tree, scratch, notes)?,
                &right.number(spans, tree, scratch, notes)?,
            ),
        }
    }
}

impl Notes {
    /// Notes an aggregate of these spans and gives it back.
    fn add(
        &mut self,
        label: &Arc<str>,
        number: Option<Constant>,
        spans: &[u32],
        scratch: &mut Scratch,
    ) -> Option<Constant> {
        // Two aggregates of one spanset look at the same spans.
        if let Some(looked_at) = &mut self.looked_at
            && looked_at.last().is_none_or(|last| last != spans)
        {
            let mut list = scratch.list();
            list.extend_from_slice(spans);
            looked_at.push(list);
        }
        self.values
            .extend(number.clone().map(|number| (label.clone(), number)));
        number
    }
}

// === aggregates ===

fn aggregate(
    function: Function,
    value: &Operand,
    spans: &[u32],
    tree: &Tree<'_>,
) -> Option<Constant> {
    let mut numbers = Numbers::default();
    for at in spans {
        value.visit(tree, *at, &mut |item| {
            let number = item.number();
            let finite = |number: &Constant| semantics::as_f64(number).is_some_and(f64::is_finite);
            if let Some(number) = number.filter(finite) {
                numbers.add(function, number);
            }
            true
        });
    }
    let number = match function {
        Function::Avg => numbers.mean(),
        Function::Sum => numbers.sum(),
        Function::Min | Function::Max => numbers.extreme,
    };
    number.map(|number| match number {
        // Zero has no sign, whichever span came first.
        Constant::Float(0.0) => Constant::Float(0.0),
        other => other,
    })
}

/// What is kept of finite numbers to aggregate them.
#[derive(Default)]
struct Numbers {
    count: u64,
    durations: u64,
    doubles: u64,
    /// The exact sum of integers and durations.
    whole: i128,
    /// The sum of all.
    total: f64,
    extreme: Option<Constant>,
}

impl Numbers {
    fn add(&mut self, function: Function, number: Constant) {
        match function {
            Function::Min => self.keep(CompareOp::Lt, number),
            Function::Max => self.keep(CompareOp::Gt, number),
            Function::Avg | Function::Sum => self.count_in(&number),
        }
    }

    fn count_in(&mut self, number: &Constant) {
        self.count += 1;
        self.total += semantics::as_f64(number).unwrap_or(0.0);
        match number {
            Constant::Int(int) => self.whole += i128::from(*int),
            Constant::Duration(duration) => {
                self.durations += 1;
                self.whole += i128::from(duration.0);
            }
            _ => self.doubles += 1,
        }
    }

    /// Keeps the number that is `op` than all others; of equal ones, the integer before the duration before the double.
    fn keep(&mut self, op: CompareOp, number: Constant) {
        let is_better = self.extreme.as_ref().is_none_or(|best| {
            semantics::compare(op, &number, best)
                || rank(&number) < rank(best) && semantics::compare(CompareOp::Eq, &number, best)
        });
        if is_better {
            self.extreme = Some(number);
        }
    }

    fn sum(&self) -> Option<Constant> {
        if self.count == 0 {
            None
        } else if self.doubles > 0 {
            finite(self.total)
        } else {
            let sum = i64::try_from(self.whole).ok()?;
            Some(if self.durations > 0 {
                Constant::Duration(DurationNanos(sum))
            } else {
                Constant::Int(sum)
            })
        }
    }

    fn mean(&self) -> Option<Constant> {
        if self.count == 0 {
            None
        } else if self.doubles > 0 {
            finite(self.total / self.count as f64)
        } else if self.durations == self.count {
            let mean = i64::try_from(self.whole / i128::from(self.count)).ok()?;
            Some(Constant::Duration(DurationNanos(mean)))
        } else {
            finite(self.whole as f64 / self.count as f64)
        }
    }
}

fn rank(number: &Constant) -> u8 {
    match number {
        Constant::Int(_) => 0,
        Constant::Duration(_) => 1,
        _ => 2,
    }
}

fn finite(value: f64) -> Option<Constant> {
    value.is_finite().then_some(Constant::Float(value))
}
