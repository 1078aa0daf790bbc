//! Spansets, and the stages that work on them.

use std::collections::BTreeSet;

use traceql::query::{
    Column, Constant, GroupKey, Mode, Pipeline, Relation, Scalar, Spansets, Stage,
};

use super::condition::{evaluate, holds, key};
use super::field::read;
use super::scalar;
use super::tree::Tree;
use super::{FoundSpan, FoundSpanset, constant_text};

/// Spans, by their positions in the tree.
pub(super) type Spans = BTreeSet<usize>;

/// Spans of one trace, the keys of the group that they are, and the aggregates that filters have compared.
#[derive(Debug, Clone)]
pub(super) struct Spanset {
    pub(super) keys: Vec<(String, Constant)>,
    pub(super) spans: Spans,
}

impl Spanset {
    /// All spans of the trace.
    pub(super) fn whole(tree: &Tree<'_>) -> Self {
        Self::of((0..tree.spans.len()).collect())
    }

    /// A spanset without keys.
    pub(super) fn of(spans: Spans) -> Self {
        let keys = Vec::new();
        Self { keys, spans }
    }

    fn with(&self, spans: Spans) -> Self {
        let keys = self.keys.clone();
        Self { keys, spans }
    }

    pub(super) fn found(self, tree: &Tree<'_>, columns: &[Column]) -> FoundSpanset {
        let spans = self.spans.iter().map(|span| FoundSpan {
            id: tree.spans[*span].id,
            columns: columns
                .iter()
                .filter_map(|column| {
                    Some((column.label.clone(), read(&column.field, *span, tree)?))
                })
                .collect(),
        });
        FoundSpanset {
            spans: spans.collect(),
            keys: self.keys,
        }
    }
}

// === stages ===

/// What the stages give, one after the other; empty spansets are dropped.
pub(super) fn run(pipeline: &Pipeline, input: Vec<Spanset>, tree: &Tree<'_>) -> Vec<Spanset> {
    let mut spansets = input;
    for stage in &pipeline.stages {
        spansets = run_stage(stage, spansets, tree);
        spansets.retain(|spanset| !spanset.spans.is_empty());
    }
    spansets
}

/// The spans of everything that the stages give when these spans are their input.
pub(super) fn spans_of(pipeline: &Pipeline, input: &Spans, tree: &Tree<'_>) -> Spans {
    let given = run(pipeline, vec![Spanset::of(input.clone())], tree);
    given
        .into_iter()
        .flat_map(|spanset| spanset.spans)
        .collect()
}

fn run_stage(stage: &Stage, input: Vec<Spanset>, tree: &Tree<'_>) -> Vec<Spanset> {
    match stage {
        Stage::Spansets(expr) => input
            .into_iter()
            .map(|spanset| spanset.with(choose(expr, &spanset.spans, tree)))
            .collect(),
        Stage::Keep(filter) => input
            .into_iter()
            .filter_map(|spanset| {
                let kept = scalar::keep(filter, &spanset.spans, tree)?;
                let mut kept = spanset.with(kept);
                for (name, value) in scalar::values(filter, &spanset.spans, tree) {
                    kept.keys.retain(|(known, _)| *known != name);
                    kept.keys.push((name, value));
                }
                Some(kept)
            })
            .collect(),
        Stage::By(key) => input
            .into_iter()
            .flat_map(|spanset| split(key, &spanset, tree))
            .collect(),
        Stage::Coalesce => {
            let all = input.into_iter().flat_map(|spanset| spanset.spans);
            vec![Spanset::of(all.collect())]
        }
        Stage::Select(_) => input,
    }
}

/// A spanset for each value of the key.
fn split(by: &GroupKey, spanset: &Spanset, tree: &Tree<'_>) -> Vec<Spanset> {
    let mut groups: Vec<Spanset> = Vec::new();
    for span in &spanset.spans {
        let value = key(evaluate(&by.value, *span, tree)).unwrap_or(Constant::Str("nil".into()));
        let mut group = spanset.with(Spans::from([*span]));
        group.keys.push((by.label.clone(), value));
        // Equal text means equal value and type.
        let text = |group: &Spanset| group.keys.last().map(|(_, value)| constant_text(value));
        match groups.iter_mut().find(|known| text(known) == text(&group)) {
            Some(known) => known.spans.extend(group.spans),
            None => groups.push(group),
        }
    }
    groups
}

// === choosing spans ===

/// The spans that the expression gives for an input.
fn choose(expr: &Spansets, input: &Spans, tree: &Tree<'_>) -> Spans {
    match expr {
        Spansets::Filter(condition) => input
            .iter()
            .copied()
            .filter(|span| holds(condition, *span, tree))
            .collect(),
        Spansets::And(operands) => {
            let given: Vec<_> = operands
                .iter()
                .map(|operand| choose(operand, input, tree))
                .collect();
            if given.iter().any(Spans::is_empty) {
                return Spans::new();
            }
            given.into_iter().flatten().collect()
        }
        Spansets::Or(operands) => operands
            .iter()
            .flat_map(|operand| choose(operand, input, tree))
            .collect(),
        Spansets::Related {
            relation,
            mode,
            left,
            right,
        } => {
            let (left, right) = (choose(left, input, tree), choose(right, input, tree));
            related(*relation, *mode, &left, &right, tree)
        }
        Spansets::Pipeline(pipeline) => spans_of(pipeline, input, tree),
    }
}

fn related(relation: Relation, mode: Mode, left: &Spans, right: &Spans, tree: &Tree<'_>) -> Spans {
    let has_left = |r: &usize| left.iter().any(|l| is_related(relation, *l, *r, tree));
    let has_right = |l: &usize| right.iter().any(|r| is_related(relation, *l, *r, tree));
    let with_left = right.iter().copied().filter(has_left);
    match mode {
        Mode::Right => with_left.collect(),
        Mode::RightWithout => right.iter().copied().filter(|r| !has_left(r)).collect(),
        Mode::Both => with_left
            .chain(left.iter().copied().filter(has_right))
            .collect(),
    }
}

/// Whether `right` is to `left` what the relation says.
fn is_related(relation: Relation, left: usize, right: usize, tree: &Tree<'_>) -> bool {
    match relation {
        Relation::Child => tree.parents[right] == Some(left),
        Relation::Descendant => tree.is_above(left, right),
        Relation::Parent => tree.parents[left] == Some(right),
        Relation::Ancestor => tree.is_above(right, left),
        Relation::Sibling => {
            left != right
                && tree.parents[left].is_some()
                && tree.parents[left] == tree.parents[right]
        }
    }
}

// === columns ===

/// What every `select` of the query asks for, each label once.
pub(super) fn columns(pipeline: &Pipeline) -> Vec<Column> {
    let mut columns = Vec::new();
    of_pipeline(pipeline, &mut columns);
    columns
}

fn of_pipeline(pipeline: &Pipeline, columns: &mut Vec<Column>) {
    for stage in &pipeline.stages {
        match stage {
            Stage::Select(selected) => {
                for column in selected {
                    if columns.iter().all(|known| known.label != column.label) {
                        columns.push(column.clone());
                    }
                }
            }
            Stage::Spansets(expr) => of_spansets(expr, columns),
            Stage::Keep(filter) => {
                of_scalar(&filter.left, columns);
                of_scalar(&filter.right, columns);
            }
            Stage::By(_) | Stage::Coalesce => {}
        }
    }
}

fn of_spansets(expr: &Spansets, columns: &mut Vec<Column>) {
    match expr {
        Spansets::Filter(_) => {}
        Spansets::And(operands) | Spansets::Or(operands) => {
            operands
                .iter()
                .for_each(|operand| of_spansets(operand, columns));
        }
        Spansets::Related { left, right, .. } => {
            of_spansets(left, columns);
            of_spansets(right, columns);
        }
        Spansets::Pipeline(pipeline) => of_pipeline(pipeline, columns),
    }
}

fn of_scalar(scalar: &Scalar, columns: &mut Vec<Column>) {
    match scalar {
        Scalar::Constant(_) | Scalar::Aggregate(..) => {}
        Scalar::Over { pipeline, scalar } => {
            of_pipeline(pipeline, columns);
            of_scalar(scalar, columns);
        }
        Scalar::Negate(inner) => of_scalar(inner, columns),
        Scalar::Arith { left, right, .. } => {
            of_scalar(left, columns);
            of_scalar(right, columns);
        }
    }
}
