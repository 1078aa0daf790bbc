//! Conditions asked of many spans at once, whatever traces these are of.
//!
//! Most spans are ruled out by what they are themselves. To find those that are not costs a walk over spans as they lie in
//! memory, where building each trace first costs a walk from one place to another.

use model::Symbols;
use traceql::query::{Condition, Field, Intrinsic, Owner};

use crate::condition::Test;
use crate::tree::Tree;

/// Whether a field says something of a span alone: its value does not depend on what other spans there are.
pub fn is_of_span_alone(field: &Field) -> bool {
    let looks_around = matches!(
        field,
        Field::Intrinsic {
            intrinsic: Intrinsic::ParentId
                | Intrinsic::ChildCount
                | Intrinsic::NestedSetLeft
                | Intrinsic::NestedSetRight
                | Intrinsic::NestedSetParent
                | Intrinsic::TraceDuration
                | Intrinsic::RootName
                | Intrinsic::RootService,
            ..
        }
    );
    field.owner() == Owner::Span && !looks_around
}

/// A condition as far as spans alone tell: it lets every span through for which the condition holds, and perhaps others.
#[derive(Debug, Clone)]
pub struct Sieve {
    test: Test,
}

impl Sieve {
    /// Makes a condition ready.
    pub fn new(condition: &Condition) -> Self {
        Self {
            test: Test::new(&widened(condition, true)),
        }
    }

    /// Readies this for a batch. Gives whether a span of the batch can pass at all: where no value has the key that a
    /// condition asks for, none can.
    pub fn bind(&mut self, symbols: &Symbols) -> bool {
        self.test.bind(symbols);
        !self.test.is_never()
    }

    /// Leaves those of these positions whose spans pass. The spans may be of any traces:
    /// [`TreeBuilder::side_by_side`](crate::TreeBuilder::side_by_side).
    pub fn sift(&self, spans: &Tree<'_>, positions: &mut Vec<u32>) {
        self.test.filter(spans, positions);
    }
}

/// The condition with `verdict` in place of what depends on other spans. Under a negation, `verdict` is turned round as well, so
/// that what is not known always speaks for the span.
///
/// The depth is that of the query, which the parser bounds.
fn widened(condition: &Condition, verdict: bool) -> Condition {
    let each = |operands: &[Condition]| operands.iter().map(|one| widened(one, verdict)).collect();
    match condition {
        Condition::Not(inner) => Condition::Not(Box::new(widened(inner, !verdict))),
        Condition::And(operands) => Condition::And(each(operands)),
        Condition::Or(operands) => Condition::Or(each(operands)),
        leaf => {
            let mut is_alone = true;
            leaf.visit_fields(&mut |field| is_alone &= is_of_span_alone(field));
            if is_alone {
                leaf.clone()
            } else {
                Condition::Const(verdict)
            }
        }
    }
}
