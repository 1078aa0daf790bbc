//! What the summary of a trace says about conditions on its spans: services, errors, how long it took, its root.

use block::TraceTable;
use model::{StatusCode, Symbol};
use traceql::query::{CompareOp, Condition, Constant, Field, Intrinsic, Owner};

use crate::columns::{Durations, Test};

/// A condition, as far as summaries can tell of it, for the traces of one table.
#[derive(Debug)]
pub(crate) enum Summary {
    /// It may hold for some span, or surely for none.
    Const(bool),
    /// A service takes part; with an error of its own if that is asked for.
    Service {
        name: Symbol,
        with_error: bool,
    },
    /// Some span has an error.
    Error,
    /// The trace takes at least so many nanoseconds.
    AtLeast(i64),
    /// By the position of the trace.
    Trace(Vec<bool>),
    All(Vec<Summary>),
    Any(Vec<Summary>),
}

impl Summary {
    /// Costs a look at each trace for each condition on fields of traces.
    pub(crate) fn compile(condition: &Condition, table: &TraceTable) -> Self {
        match condition {
            Condition::Const(value) => Self::Const(*value),
            Condition::And(operands) => {
                let with_error = operands.iter().any(is_error);
                let mut all = Vec::new();
                for operand in operands {
                    match Self::compile(operand, table) {
                        Self::Const(true) => {}
                        Self::Const(false) => return Self::Const(false),
                        // One span has all of it: the error is of that service.
                        Self::Service { name, .. } => all.push(Self::Service { name, with_error }),
                        other => all.push(other),
                    }
                }
                if all.is_empty() {
                    return Self::Const(true);
                }
                Self::All(all)
            }
            Condition::Or(operands) => {
                let any: Vec<_> = operands
                    .iter()
                    .map(|operand| Self::compile(operand, table))
                    .filter(|operand| !matches!(operand, Self::Const(false)))
                    .collect();
                if any
                    .iter()
                    .any(|operand| matches!(operand, Self::Const(true)))
                {
                    Self::Const(true)
                } else if any.is_empty() {
                    Self::Const(false)
                } else {
                    Self::Any(any)
                }
            }
            other => match Test::of(other) {
                Some((field, test)) => leaf(field, &test, table),
                None => Self::Const(true),
            },
        }
    }

    /// Whether the condition may hold for some span of the trace at a position of the table.
    pub(crate) fn may_hold(&self, table: &TraceTable, at: usize) -> bool {
        match self {
            Self::Const(value) => *value,
            Self::Service { name, with_error } => {
                let mut services = table.services(at).iter();
                services.any(|(service, _, errors)| service == name && (*errors > 0 || !with_error))
            }
            Self::Error => table.errors(at) > 0,
            Self::AtLeast(nanos) => table.duration(at).0 >= *nanos,
            // Only all pieces together tell.
            Self::Trace(verdicts) => verdicts[at] || table.is_partial(at),
            Self::All(all) => all.iter().all(|part| part.may_hold(table, at)),
            Self::Any(any) => any.iter().any(|part| part.may_hold(table, at)),
        }
    }
}

/// Whether the summary of a trace tells exactly whether some span of it has this: a service, an error, an error of a service.
pub(crate) fn is_told(condition: &Condition) -> bool {
    match condition {
        Condition::And(operands) => match operands.as_slice() {
            [one, other] => {
                (is_service(one) && is_error(other)) || (is_error(one) && is_service(other))
            }
            _ => false,
        },
        one => is_service(one) || is_error(one),
    }
}

fn is_service(condition: &Condition) -> bool {
    Test::of(condition).is_some_and(|(field, test)| {
        field.is_service_name() && matches!(test, Test::Compare(CompareOp::Eq, Constant::Str(_)))
    })
}

fn is_error(condition: &Condition) -> bool {
    Test::of(condition).is_some_and(|(field, test)| {
        *field == Field::intrinsic(Intrinsic::Status) && wants_error(&test)
    })
}

fn wants_error(test: &Test) -> bool {
    let error = Constant::Status(StatusCode::Error);
    matches!(test, Test::Compare(CompareOp::Eq, constant) if *constant == error)
}

fn leaf(field: &Field, test: &Test, table: &TraceTable) -> Summary {
    let of_traces =
        |value: &dyn Fn(usize) -> bool| Summary::Trace((0..table.len()).map(value).collect());
    match field {
        service if service.is_service_name() => match test {
            Test::Compare(CompareOp::Eq, Constant::Str(service)) => match table.word(service) {
                Some(name) => Summary::Service {
                    name,
                    with_error: false,
                },
                None => Summary::Const(false),
            },
            test => of_traces(&|at| {
                let mut services = table.services(at).iter();
                services.any(|&(service, ..)| test.of_text(table.text(service)))
            }),
        },
        Field::Intrinsic {
            owner: Owner::Span,
            intrinsic,
        } => match intrinsic {
            Intrinsic::Status if wants_error(test) => Summary::Error,
            // A span takes no longer than its trace.
            Intrinsic::Duration => match test.durations().as_ref().and_then(Durations::least) {
                Some(nanos) if nanos > 0 => Summary::AtLeast(nanos),
                _ => Summary::Const(true),
            },
            Intrinsic::TraceDuration => of_traces(&|at| test.of_duration(table.duration(at).0)),
            Intrinsic::TraceId => of_traces(&|at| test.of_text(&table.trace_id(at).to_string())),
            Intrinsic::RootName => of_traces(&|at| match table.root(at) {
                Some((_, name)) => test.of_text(table.text(name)),
                None => test.of_nil(),
            }),
            Intrinsic::RootService => of_traces(&|at| match table.root(at) {
                Some((service, _)) => test.of_text(table.text(service)),
                None => test.of_nil(),
            }),
            _ => Summary::Const(true),
        },
        _ => Summary::Const(true),
    }
}
