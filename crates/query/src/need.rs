//! What a trace must have to match: read off a pipeline, so that most traces are ruled out without being looked at whole.
//!
//! A need is necessary, not sufficient. It is asked twice: of the summary of a trace, and of the rows that columns say may pass
//! each filter. What it lets through is evaluated.

use evaluate::is_of_span_alone;
use traceql::query::{
    Aggregate, CompareOp, Condition, Constant, Mode, Pipeline, Scalar, ScalarFilter, Spansets,
    Stage,
};

/// What a pipeline needs of a trace.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Need {
    /// Nothing in particular.
    Nothing,
    /// At least so many spans that pass the filter with this number.
    Spans { filter: usize, at_least: u32 },
    /// All of these.
    All(Vec<Need>),
    /// One of these.
    Any(Vec<Need>),
}

/// The filters of a pipeline and what it needs of them.
#[derive(Debug, Clone)]
pub(crate) struct Needs {
    /// Distinct conditions.
    pub(crate) filters: Vec<Condition>,
    /// What a trace must have.
    pub(crate) need: Need,
    /// Whether a trace that has a span which passes the only filter matches, and its spans are those.
    pub(crate) is_sufficient: bool,
}

impl Needs {
    /// Of a search, or of the input of metrics.
    pub(crate) fn of(pipeline: &Pipeline) -> Self {
        let mut needs = Self {
            filters: Vec::new(),
            need: Need::Nothing,
            is_sufficient: false,
        };
        needs.need = needs.pipeline(pipeline);
        let mut stages = pipeline.stages.iter();
        needs.is_sufficient = matches!(stages.next(), Some(Stage::Spansets(Spansets::Filter(_))))
            && stages.all(|stage| matches!(stage, Stage::Select(_)));
        needs
    }

    /// Whether what filters say of a span does not depend on what other spans there are.
    pub(crate) fn is_of_spans_alone(&self) -> bool {
        let mut is_alone = true;
        for filter in &self.filters {
            filter.visit_fields(&mut |field| is_alone &= is_of_span_alone(field));
        }
        is_alone
    }

    /// Of a question that needs nothing in particular.
    pub(crate) fn nothing() -> Self {
        Self {
            filters: Vec::new(),
            need: Need::Nothing,
            is_sufficient: false,
        }
    }

    fn filter(&mut self, condition: &Condition) -> Need {
        if *condition == Condition::Const(true) {
            return Need::Nothing;
        }
        let known = self.filters.iter().position(|known| known == condition);
        let filter = known.unwrap_or_else(|| {
            self.filters.push(condition.clone());
            self.filters.len() - 1
        });
        Need::Spans {
            filter,
            at_least: 1,
        }
    }

    fn pipeline(&mut self, pipeline: &Pipeline) -> Need {
        let mut all = Vec::new();
        // The filter whose spans the stage at hand looks at, as long as it is one.
        let mut only: Option<usize> = None;
        for (at, stage) in pipeline.stages.iter().enumerate() {
            match stage {
                Stage::Spansets(spansets) => {
                    let need = self.spansets(spansets);
                    only = match need {
                        Need::Spans { filter, .. } if at == 0 => Some(filter),
                        _ => None,
                    };
                    all.push(need);
                }
                Stage::Keep(keep) => {
                    if let (Some(filter), Some(at_least)) = (only, least_count(keep)) {
                        all.push(Need::Spans { filter, at_least });
                    }
                }
                Stage::By(_) | Stage::Coalesce | Stage::Select(_) => {}
            }
        }
        join(all)
    }

    fn spansets(&mut self, spansets: &Spansets) -> Need {
        match spansets {
            Spansets::Filter(condition) => self.filter(condition),
            Spansets::And(operands) => join(
                operands
                    .iter()
                    .map(|operand| self.spansets(operand))
                    .collect(),
            ),
            Spansets::Or(operands) => {
                let any: Vec<_> = operands
                    .iter()
                    .map(|operand| self.spansets(operand))
                    .collect();
                if any.contains(&Need::Nothing) {
                    Need::Nothing
                } else {
                    Need::Any(any)
                }
            }
            Spansets::Related {
                mode, left, right, ..
            } => {
                if *mode == Mode::RightWithout {
                    return self.spansets(right);
                }
                let left = self.spansets(left);
                let right = self.spansets(right);
                join(vec![left, right])
            }
            Spansets::Pipeline(pipeline) => self.pipeline(pipeline),
        }
    }
}

/// Whether a pipeline looks at who is whose parent, besides what its fields do.
pub(crate) fn has_structure(pipeline: &Pipeline) -> bool {
    fn spansets(of: &Spansets) -> bool {
        match of {
            Spansets::Filter(_) => false,
            Spansets::And(operands) | Spansets::Or(operands) => operands.iter().any(spansets),
            Spansets::Related { .. } => true,
            Spansets::Pipeline(pipeline) => has_structure(pipeline),
        }
    }
    fn scalar(of: &Scalar) -> bool {
        match of {
            Scalar::Constant(_) | Scalar::Aggregate(..) => false,
            Scalar::Over {
                pipeline,
                scalar: of,
            } => has_structure(pipeline) || scalar(of),
            Scalar::Negate(inner) => scalar(inner),
            Scalar::Arith { left, right, .. } => scalar(left) || scalar(right),
        }
    }
    pipeline.stages.iter().any(|stage| match stage {
        Stage::Spansets(of) => spansets(of),
        Stage::Keep(keep) => scalar(&keep.left) || scalar(&keep.right),
        Stage::By(_) | Stage::Coalesce | Stage::Select(_) => false,
    })
}

/// All of these together.
fn join(mut all: Vec<Need>) -> Need {
    all.retain(|need| *need != Need::Nothing);
    match all.len() {
        0 => Need::Nothing,
        1 => all.swap_remove(0),
        _ => Need::All(all),
    }
}

/// How many spans a filter on `count()` asks for at the least.
fn least_count(keep: &ScalarFilter) -> Option<u32> {
    let (Scalar::Aggregate(Aggregate::Count, _), Scalar::Constant(Constant::Int(count))) =
        (&keep.left, &keep.right)
    else {
        return None;
    };
    let least = match keep.op {
        CompareOp::Ge | CompareOp::Eq => *count,
        CompareOp::Gt => count.saturating_add(1),
        CompareOp::Lt | CompareOp::Le | CompareOp::Ne => return None,
    };
    Some(u32::try_from(least.max(1)).unwrap_or(u32::MAX))
}

impl Need {
    /// Whether a trace that has a span for each filter meets it.
    pub(crate) fn is_modest(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Spans { at_least, .. } => *at_least <= 1,
            Self::All(needs) | Self::Any(needs) => needs.iter().all(Self::is_modest),
        }
    }

    /// How many spans a trace must have to meet it.
    pub(crate) fn least_spans(&self) -> u32 {
        match self {
            Self::Nothing => 0,
            Self::Spans { at_least, .. } => *at_least,
            Self::All(needs) => needs.iter().map(Self::least_spans).max().unwrap_or(0),
            Self::Any(needs) => needs.iter().map(Self::least_spans).min().unwrap_or(0),
        }
    }

    /// Whether it is met, when `count` tells how many spans may pass a filter, at most.
    pub(crate) fn is_met(&self, count: &impl Fn(usize) -> u32) -> bool {
        match self {
            Self::Nothing => true,
            Self::Spans { filter, at_least } => count(*filter) >= *at_least,
            Self::All(all) => all.iter().all(|need| need.is_met(count)),
            Self::Any(any) => any.iter().any(|need| need.is_met(count)),
        }
    }

    /// Whether a piece of a trace may help to meet it.
    pub(crate) fn may_help(&self, count: &impl Fn(usize) -> u32) -> bool {
        match self {
            Self::Nothing => true,
            Self::Spans { filter, .. } => count(*filter) > 0,
            Self::All(needs) | Self::Any(needs) => needs.iter().any(|need| need.may_help(count)),
        }
    }
}

#[cfg(test)]
mod tests {
    use traceql::query::Body;

    use super::*;

    fn needs(text: &str) -> (String, bool) {
        let query = traceql::compile(text).unwrap();
        let Body::Search(pipeline) = &query.body else {
            panic!("a search");
        };
        let needs = Needs::of(pipeline);
        (show(&needs.need), needs.is_sufficient)
    }

    fn show(need: &Need) -> String {
        let many = |needs: &[Need]| needs.iter().map(show).collect::<Vec<_>>().join(" ");
        match need {
            Need::Nothing => "-".into(),
            Need::Spans { filter, at_least } => format!("{filter}x{at_least}"),
            Need::All(all) => format!("all({})", many(all)),
            Need::Any(any) => format!("any({})", many(any)),
        }
    }

    #[test]
    fn pipelines_need_what_they_cannot_match_without() {
        for (text, expected, sufficient) in [
            ("{ }", "-", true),
            ("{ .a = 1 }", "0x1", true),
            ("{ .a = 1 } | select(.b)", "0x1", true),
            ("{ .a = 1 } && { .b = 1 }", "all(0x1 1x1)", false),
            ("{ .a = 1 } || { .b = 1 }", "any(0x1 1x1)", false),
            ("{ .a = 1 } || { }", "-", false),
            ("{ .a = 1 } >> { .b = 1 }", "all(0x1 1x1)", false),
            ("{ .a = 1 } !>> { .b = 1 }", "0x1", false),
            ("{ .a = 1 } &>> { .a = 1 }", "all(0x1 0x1)", false),
            ("{ .a = 1 } | count() > 2", "all(0x1 0x3)", false),
            ("{ .a = 1 } | count() < 2", "0x1", false),
            ("{ .a = 1 } | by(.b) | count() >= 2", "all(0x1 0x2)", false),
            (
                "{ .a = 1 } | { .b = 1 } | count() > 2",
                "all(0x1 1x1)",
                false,
            ),
        ] {
            assert_eq!(needs(text), (expected.to_owned(), sufficient), "{text}");
        }
    }
}
