//! Calls one after the other that could perhaps run side by side.
//!
//! Spans do not say who needs whose answer. So this speaks of "could", and only of calls that look like questions: no
//! failures, nothing that by its name or method changes something, and no statements to databases, which share a
//! connection and a transaction.

use std::collections::HashSet;

use super::{Collector, Pattern, Words, labels};
use crate::trace::Trace;
use crate::words;

/// Calls that a sentence names.
const NAMED_MAX: usize = 4;

/// How operations begin that change something or decide about what comes after.
const CHANGES: [&str; 38] = [
    "add", "append", "apply", "auth", "book", "cancel", "charge", "check", "commit", "create",
    "delete", "enqueue", "insert", "lock", "login", "mark", "order", "patch", "pay", "place",
    "post", "publish", "put", "refund", "register", "release", "remove", "reserve", "save", "send",
    "set", "store", "submit", "unlock", "update", "validate", "verify", "write",
];

/// Finds runs of calls back to back among all children of a span, in order of start.
pub(super) fn find(
    trace: &Trace<'_>,
    parent: usize,
    children: &[u32],
    is_taken: impl Fn(usize) -> bool,
    list: &mut Collector,
) {
    // Nothing can be saved where less than the threshold was spent.
    if !trace
        .settings
        .is_worth(trace.critical_below(parent), trace.total_ns())
    {
        return;
    }
    let mut run: Vec<u32> = Vec::new();
    for &child in children {
        let position = child as usize;
        let is_question = !is_taken(position) && is_question(trace, position);
        let follows = run
            .last()
            .is_none_or(|&last| is_back_to_back(trace, last as usize, position));
        if !(is_question && follows) {
            close(trace, parent, &run, list);
            run.clear();
        }
        if is_question {
            run.push(child);
        }
    }
    close(trace, parent, &run, list);
}

fn is_question(trace: &Trace<'_>, call: usize) -> bool {
    let facts = &trace.facts[call];
    let is_call = facts.is_client() && !facts.is_database && !facts.has_failed();
    is_call && trace.critical_below(call) > 0 && !changes_something(trace, call)
}

fn changes_something(trace: &Trace<'_>, call: usize) -> bool {
    let method = trace.str(trace.facts[call].method);
    if !method.is_empty() {
        return !["GET", "HEAD", "OPTIONS", "QUERY"].contains(&method);
    }
    let server = labels::remote_child(trace, call).unwrap_or(call);
    let operation = trace
        .name(server)
        .rsplit(['/', '.', ' '])
        .next()
        .unwrap_or("");
    CHANGES.iter().any(|word| {
        let start = operation.get(..word.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(word))
    })
}

fn is_back_to_back(trace: &Trace<'_>, before: usize, after: usize) -> bool {
    let timeline = &trace.timeline;
    let longer = timeline.duration(before).max(timeline.duration(after));
    let pause = timeline.start[after] - timeline.end[before];
    let overlap = trace.settings.noise(timeline.duration(before));
    (-overlap..=trace.settings.back_to_back_ns.max(longer / 10)).contains(&pause)
}

fn close(trace: &Trace<'_>, parent: usize, run: &[u32], list: &mut Collector) {
    let critical = |&call: &u32| trace.critical_below(call as usize);
    let sum = trace.critical_of(run);
    let longest = run.iter().map(critical).max().unwrap_or(0);
    let saving = sum - longest;
    if run.len() < 2 || !trace.settings.is_worth(saving, trace.total_ns()) {
        return;
    }
    list.add(Pattern::SequentialCalls, run, saving, || Words {
        headline: format!(
            "{} calls in sequence; side by side {} could be saved",
            run.len(),
            words::time(saving)
        ),
        sentence: format!(
            "Below {}, {} asked for {} one after the other, in {}; none visibly needs the \
                     answer of another.",
            labels::name(trace, parent),
            labels::service(trace, parent),
            words::list(&names(trace, run), NAMED_MAX),
            words::time(sum),
        ),
        advice: format!(
            "If they do not depend on each other, start them together: they could take {} \
                     instead of {}.",
            words::time(longest),
            words::time(sum)
        ),
    });
}

/// What was asked for, each once, in order.
fn names(trace: &Trace<'_>, run: &[u32]) -> Vec<String> {
    let mut seen = HashSet::new();
    run.iter()
        .map(|&call| labels::operation(trace, call as usize))
        .filter(|name| seen.insert(name.clone()))
        .collect()
}
