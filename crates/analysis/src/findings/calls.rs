//! Patterns among the children of one span: goes over all parents, groups their children by operation, and asks each
//! pattern in turn.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use model::{SpanKind, Symbol};

use super::{Collector, Pattern, Words, fan_out, labels, retries, sequence};
use crate::template::template;
use crate::trace::Trace;
use crate::tree::NONE;
use crate::words;

/// Characters of a statement that a sentence shows.
const STATEMENT_CHARACTERS_MAX: usize = 120;

/// Calls of which this share of the summed time does not overlap run one after another.
const SEQUENTIAL_SHARE: f64 = 0.7;

/// Finds the patterns, and gives for each position whether it is an attempt of a call that was made again.
pub(super) fn find(trace: &Trace<'_>, list: &mut Collector) -> Vec<bool> {
    let mut calls = Calls {
        trace,
        templates: Templates::new(trace),
        is_retried: vec![false; trace.tree.len()],
        is_repeated: vec![false; trace.tree.len()],
        list,
    };
    let mut children: Vec<u32> = Vec::new();
    for parent in 0..trace.tree.len() {
        children.clear();
        children.extend(trace.tree.children(parent).map(|child| child as u32));
        if children.len() > 1 {
            calls.below(parent, &children);
        }
    }
    calls.is_retried
}

struct Calls<'a, 't> {
    trace: &'t Trace<'a>,
    templates: Templates<'t>,
    is_retried: Vec<bool>,
    is_repeated: Vec<bool>,
    list: &'t mut Collector,
}

impl Calls<'_, '_> {
    /// All patterns below one span. `children` are in order of start.
    fn below(&mut self, parent: usize, children: &[u32]) {
        let trace = self.trace;
        let mut sorted: Vec<(u32, Symbol, SpanKind, u32)> = children
            .iter()
            .map(|&child| {
                let facts = &trace.facts[child as usize];
                (
                    self.templates.of(facts.name),
                    facts.service,
                    facts.kind,
                    child,
                )
            })
            .collect();
        // By operation, in order of start within, since positions of siblings are.
        sorted.sort_unstable();
        let is_same = |left: &(u32, Symbol, SpanKind, u32),
                       right: &(u32, Symbol, SpanKind, u32)| {
            (left.0, left.1, left.2) == (right.0, right.1, right.2)
        };
        for group in sorted.chunk_by(is_same).filter(|group| group.len() > 1) {
            let group: Vec<u32> = group.iter().map(|&(.., child)| child).collect();
            retries::find(trace, &group, children, &mut self.is_retried, self.list);
            self.repeated(parent, &group);
            fan_out::straggler(trace, &group, self.list);
        }
        if children.len() >= trace.settings.wide_fan_out {
            fan_out::wide(trace, parent, children, &self.is_repeated, self.list);
        }
        let is_taken = |child: usize| self.is_retried[child] || self.is_repeated[child];
        sequence::find(trace, parent, children, is_taken, self.list);
    }

    /// N+1 among children of one operation.
    fn repeated(&mut self, parent: usize, group: &[u32]) {
        let trace = self.trace;
        if group.len() < trace.settings.repeated_calls {
            return;
        }
        let mut by_form: Vec<(Symbol, u32, u32)> = group
            .iter()
            .filter(|&&child| !self.is_retried[child as usize] && is_call(trace, child as usize))
            .map(|&child| {
                let facts = &trace.facts[child as usize];
                (facts.peer, self.templates.of(facts.target), child)
            })
            .collect();
        by_form.sort_unstable();
        for form in by_form.chunk_by(|left, right| (left.0, left.1) == (right.0, right.1)) {
            let form: Vec<u32> = form.iter().map(|&(.., child)| child).collect();
            if form.len() >= trace.settings.repeated_calls && is_sequential(trace, &form) {
                for &child in &form {
                    self.is_repeated[child as usize] = true;
                }
                let of = |&call: &u32| trace.critical_below(call as usize);
                let largest = form.iter().map(of).max().unwrap_or(0);
                // One call must stay.
                let at_stake = trace.critical_of(&form) - largest;
                let words = || repeated_words(trace, parent, &form);
                self.list
                    .add(Pattern::RepeatedCalls, &form, at_stake, words);
            }
        }
    }
}

fn repeated_words(trace: &Trace<'_>, parent: usize, calls: &[u32]) -> Words {
    let first = calls[0] as usize;
    let facts = &trace.facts[first];
    let statement = template(&labels::text(trace, facts.target));
    let form = match statement.as_str() {
        "" => String::new(),
        text => format!(", each `{}`", words::short(text, STATEMENT_CHARACTERS_MAX)),
    };
    let (sum, _) = trace.timeline.sum_and_union(calls);
    let advice = match facts.kind {
        _ if facts.is_database => {
            "Fetch all rows at once: one statement with a join or a list of keys, or a batch."
        }
        SpanKind::Producer => "Send the messages as one batch.",
        _ => "Ask for all of them in one call, or remember answers that repeat.",
    };
    Words {
        headline: format!(
            "{} × {}, one after another",
            calls.len(),
            labels::operation(trace, first)
        ),
        sentence: format!(
            "Below {}, {} called {} {} times, one after another{form}. Together they took {}.",
            labels::name(trace, parent),
            labels::service(trace, first),
            labels::callee(trace, first),
            calls.len(),
            words::time(sum),
        ),
        advice: advice.to_owned(),
    }
}

/// Whether a span asks somebody else: work inside a process that repeats is a loop, and nothing to batch.
fn is_call(trace: &Trace<'_>, position: usize) -> bool {
    let facts = &trace.facts[position];
    match facts.kind {
        SpanKind::Client | SpanKind::Producer => true,
        SpanKind::Unspecified => trace.tree.descendants(position).is_empty(),
        SpanKind::Internal => facts.is_database,
        SpanKind::Server | SpanKind::Consumer => false,
    }
}

/// Whether spans, in order of start, mostly do not overlap.
fn is_sequential(trace: &Trace<'_>, spans: &[u32]) -> bool {
    let (sum, union) = trace.timeline.sum_and_union(spans);
    union as f64 >= SEQUENTIAL_SHARE * sum as f64
}

/// Numbers for the templates of symbols; equal templates have equal numbers. Each text is read once.
pub(super) struct Templates<'t> {
    trace: &'t Trace<'t>,
    by_symbol: Vec<u32>,
    by_text: HashMap<String, u32, FixedState>,
}

impl<'t> Templates<'t> {
    pub(super) fn new(trace: &'t Trace<'_>) -> Self {
        Self {
            trace,
            by_symbol: vec![NONE; trace.batch.symbols.len()],
            by_text: HashMap::default(),
        }
    }

    pub(super) fn of(&mut self, symbol: Symbol) -> u32 {
        let known = self.by_symbol[symbol.index()];
        if known != NONE {
            return known;
        }
        let next = self.by_text.len() as u32;
        let number = *self
            .by_text
            .entry(template(self.trace.str(symbol)))
            .or_insert(next);
        self.by_symbol[symbol.index()] = number;
        number
    }
}
