//! A pipeline run over whole traces, one after another.

use std::sync::Arc;

use model::Symbols;
use traceql::query::{Condition, Constant, Mode, Pipeline, Relation, Spansets, Stage};

use crate::condition::{Operand, Test};
use crate::keys::Part;
use crate::scalar::{Kept, ScalarFilter};
use crate::scratch::Scratch;
use crate::structure::related;
use crate::tree::Tree;

/// Spans of one trace.
#[derive(Debug, Clone, PartialEq)]
pub struct Spanset {
    /// Name and value of each key of `by` and of each aggregate that a filter compares, in the order of the stages; of the same
    /// name the last.
    pub keys: Vec<(Arc<str>, Constant)>,
    /// Positions in the [`Tree`], ascending; at least one.
    pub spans: Vec<u32>,
}

/// A pipeline, ready to be run many times. It remembers which texts its patterns match, and keeps memory to work in.
#[derive(Debug)]
pub struct Matcher {
    program: Program,
    scratch: Scratch,
}

impl Matcher {
    /// Makes a pipeline ready.
    pub fn new(pipeline: &Pipeline) -> Self {
        Self {
            program: Program::new(pipeline),
            scratch: Scratch::default(),
        }
    }

    /// The spansets that a trace gives; none when it does not match.
    ///
    /// Structural operators cost O(n); everything else looks at each span once for every time that the query mentions one.
    pub fn run(&mut self, tree: &Tree<'_>) -> Vec<Spanset> {
        self.program.bind(&tree.batch().symbols);
        let spans = self.whole(tree);
        self.program.run(spans, tree, &mut self.scratch)
    }

    /// The spans of everything that a trace gives, ascending. The list can be given back to [`Self::recycle`].
    pub(crate) fn spans(&mut self, tree: &Tree<'_>) -> Vec<u32> {
        let spans = self.whole(tree);
        if self.program.stages.is_empty() {
            return spans;
        }
        self.program.bind(&tree.batch().symbols);
        self.program.spans(spans, tree, &mut self.scratch)
    }

    pub(crate) fn recycle(&mut self, spans: Vec<u32>) {
        self.scratch.give(spans);
    }

    fn whole(&mut self, tree: &Tree<'_>) -> Vec<u32> {
        let mut spans = self.scratch.list();
        spans.extend(0..tree.len() as u32);
        spans
    }
}

/// The stages of a [`Pipeline`] made ready. Those that change nothing are left out.
#[derive(Debug)]
pub(crate) struct Program {
    stages: Vec<Step>,
}

#[derive(Debug)]
enum Step {
    Choose(Choice),
    Keep(ScalarFilter),
    By { key: Operand, label: Arc<str> },
    Coalesce,
}

/// A [`Spansets`] made ready.
#[derive(Debug)]
enum Choice {
    Filter(Test),
    All(Vec<Choice>),
    Any(Vec<Choice>),
    Related {
        relation: Relation,
        mode: Mode,
        left: Box<Choice>,
        right: Box<Choice>,
    },
    Program(Program),
}

impl Program {
    pub(crate) fn new(pipeline: &Pipeline) -> Self {
        let stages = pipeline.stages.iter().filter_map(|stage| {
            Some(match stage {
                Stage::Select(_) | Stage::Spansets(Spansets::Filter(Condition::Const(true))) => {
                    return None;
                }
                Stage::Spansets(spansets) => Step::Choose(Choice::new(spansets)),
                Stage::Keep(filter) => Step::Keep(ScalarFilter::new(filter)),
                Stage::By(key) => Step::By {
                    key: Operand::new(&key.value),
                    label: key.label.as_str().into(),
                },
                Stage::Coalesce => Step::Coalesce,
            })
        });
        let stages = stages.collect();
        Self { stages }
    }

    /// Readies this for a batch.
    pub(crate) fn bind(&mut self, symbols: &Symbols) {
        for stage in &mut self.stages {
            match stage {
                Step::Choose(choice) => choice.bind(symbols),
                Step::Keep(filter) => filter.bind(symbols),
                Step::By { key, .. } => key.bind(symbols),
                Step::Coalesce => {}
            }
        }
    }

    /// What the stages give, one after the other, of one spanset without keys.
    fn run(&self, spans: Vec<u32>, tree: &Tree<'_>, scratch: &mut Scratch) -> Vec<Spanset> {
        let mut spansets = vec![Spanset {
            keys: Vec::new(),
            spans,
        }];
        spansets.retain(|spanset| !spanset.spans.is_empty());
        for stage in &self.stages {
            if spansets.is_empty() {
                break;
            }
            stage.run(&mut spansets, tree, scratch);
            for spanset in spansets.extract_if(.., |spanset| spanset.spans.is_empty()) {
                scratch.give(spanset.spans);
            }
        }
        spansets
    }

    /// The spans of everything that the stages give when these spans are their input.
    pub(crate) fn spans(
        &self,
        spans: Vec<u32>,
        tree: &Tree<'_>,
        scratch: &mut Scratch,
    ) -> Vec<u32> {
        let given = self.run(spans, tree, scratch);
        let lists = given.into_iter().map(|spanset| spanset.spans);
        scratch.union(lists, tree.len())
    }
}

impl Step {
    fn run(&self, spansets: &mut Vec<Spanset>, tree: &Tree<'_>, scratch: &mut Scratch) {
        match self {
            Self::Choose(Choice::Filter(test)) => {
                for spanset in spansets {
                    test.filter(tree, &mut spanset.spans);
                }
            }
            Self::Choose(choice) => {
                for spanset in spansets {
                    let chosen = choice.choose(&spanset.spans, tree, scratch);
                    scratch.give(std::mem::replace(&mut spanset.spans, chosen));
                }
            }
            Self::Keep(filter) => {
                for spanset in spansets {
                    let (kept, values) = filter.keep(&spanset.spans, tree, scratch);
                    match kept {
                        Kept::None => spanset.spans.clear(),
                        Kept::All => {}
                        Kept::These(kept) => {
                            scratch.give(std::mem::replace(&mut spanset.spans, kept));
                        }
                    }
                    for (label, value) in values {
                        spanset.keys.retain(|(known, _)| *known != label);
                        spanset.keys.push((label, value));
                    }
                }
            }
            Self::By { key, label } => {
                let mut found = Vec::new();
                for spanset in spansets.drain(..) {
                    split(key, label, &spanset, tree, scratch, &mut found);
                    scratch.give(spanset.spans);
                }
                *spansets = found;
            }
            Self::Coalesce => {
                let lists = spansets.drain(..).map(|spanset| spanset.spans);
                let spans = scratch.union(lists, tree.len());
                spansets.push(Spanset {
                    keys: Vec::new(),
                    spans,
                });
            }
        }
    }
}

/// Adds a spanset for each value of the key, in the order of first appearance.
fn split(
    key: &Operand,
    label: &Arc<str>,
    spanset: &Spanset,
    tree: &Tree<'_>,
    scratch: &mut Scratch,
    found: &mut Vec<Spanset>,
) {
    let symbols = &tree.batch().symbols;
    let first = found.len();
    scratch.groups.clear();
    for at in &spanset.spans {
        let mut part = key.key(tree, *at);
        let code = part.code();
        let known = code.and_then(|code| scratch.groups.by_code.get(&code));
        if let Some(group) = known {
            found[first + *group as usize].spans.push(*at);
            continue;
        }
        if part == Part::Nil {
            part = Part::Value(Constant::Str("nil".into()));
        }
        let groups = &mut scratch.groups;
        let Some((group, is_new)) = groups.keys.number(&[part], symbols, usize::MAX) else {
            continue;
        };
        groups.by_code.extend(code.map(|code| (code, group)));
        if is_new {
            let value = groups.keys.key(group as usize)[0].clone();
            let mut keys = Vec::with_capacity(spanset.keys.len() + 1);
            keys.extend_from_slice(&spanset.keys);
            keys.extend(value.map(|value| (Arc::clone(label), value)));
            let spans = scratch.list();
            found.push(Spanset { keys, spans });
        }
        found[first + group as usize].spans.push(*at);
    }
}

impl Choice {
    fn new(spansets: &Spansets) -> Self {
        match spansets {
            Spansets::Filter(condition) => Self::Filter(Test::new(condition)),
            Spansets::And(operands) => Self::All(operands.iter().map(Self::new).collect()),
            Spansets::Or(operands) => Self::any(operands),
            Spansets::Related {
                relation,
                mode,
                left,
                right,
            } => Self::Related {
                relation: *relation,
                mode: *mode,
                left: Box::new(Self::new(left)),
                right: Box::new(Self::new(right)),
            },
            Spansets::Pipeline(pipeline) => Self::Program(Program::new(pipeline)),
        }
    }

    /// Filters side by side are one filter that any of their conditions passes.
    fn any(operands: &[Spansets]) -> Self {
        let mut conditions = Vec::new();
        let mut choices = Vec::new();
        for operand in operands {
            match operand {
                Spansets::Filter(condition) => conditions.push(condition.clone()),
                other => choices.push(Self::new(other)),
            }
        }
        if !conditions.is_empty() {
            choices.push(Self::Filter(Test::new(&Condition::Or(conditions))));
        }
        if choices.len() == 1 {
            choices.swap_remove(0)
        } else {
            Self::Any(choices)
        }
    }

    fn bind(&mut self, symbols: &Symbols) {
        match self {
            Self::Filter(test) => test.bind(symbols),
            Self::All(operands) | Self::Any(operands) => {
                operands.iter_mut().for_each(|choice| choice.bind(symbols));
            }
            Self::Related { left, right, .. } => {
                left.bind(symbols);
                right.bind(symbols);
            }
            Self::Program(program) => program.bind(symbols),
        }
    }

    /// The spans that are given for an input, ascending.
    fn choose(&self, input: &[u32], tree: &Tree<'_>, scratch: &mut Scratch) -> Vec<u32> {
        match self {
            Self::Filter(test) => {
                let mut spans = scratch.list();
                spans.extend_from_slice(input);
                test.filter(tree, &mut spans);
                spans
            }
            Self::All(operands) => {
                let mut given = Vec::with_capacity(operands.len());
                for operand in operands {
                    let spans = operand.choose(input, tree, scratch);
                    if spans.is_empty() {
                        return spans;
                    }
                    given.push(spans);
                }
                scratch.union(given, tree.len())
            }
            Self::Any(operands) => {
                let mut given = Vec::with_capacity(operands.len());
                for operand in operands {
                    given.push(operand.choose(input, tree, scratch));
                }
                scratch.union(given, tree.len())
            }
            Self::Related {
                relation,
                mode,
                left,
                right,
            } => {
                let right = right.choose(input, tree, scratch);
                if right.is_empty() {
                    return right;
                }
                let left = left.choose(input, tree, scratch);
                let found = related(*relation, *mode, &left, &right, tree, scratch);
                scratch.give(left);
                scratch.give(right);
                found
            }
            Self::Program(program) => {
                let mut spans = scratch.list();
                spans.extend_from_slice(input);
                program.spans(spans, tree, scratch)
            }
        }
    }
}
