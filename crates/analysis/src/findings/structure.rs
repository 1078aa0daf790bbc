//! The trace as recorded: missing parts, clocks, ids, sizes.

use std::collections::BTreeSet;

use model::{SpanKind, Symbol};

use super::{Collector, Pattern, Words, by_operation, labels};
use crate::trace::Trace;
use crate::words;

/// Examples that a sentence names.
const NAMED_MAX: usize = 3;

pub(super) fn find(trace: &Trace<'_>, list: &mut Collector) {
    broken_chain(trace, list);
    clock_skew(trace, list);
    wrong_times_and_ids(trace, list);
    size(trace, list);
}

/// Orphans by what is likely missing above them, and roots besides the main one.
fn broken_chain(trace: &Trace<'_>, list: &mut Collector) {
    let is_entry = |&&orphan: &&u32| {
        let kind = trace.facts[orphan as usize].kind;
        matches!(kind, SpanKind::Server | SpanKind::Consumer)
    };
    let orphans = trace.tree.orphans().iter();
    let (entries, inner): (Vec<u32>, Vec<u32>) = orphans.partition(is_entry);
    chain_finding(
        trace,
        list,
        &entries,
        |count| {
            format!(
                "{} without the caller's span",
                words::count(count, "request")
            )
        },
        "their callers passed a context on, but their own spans are not here",
        "Likely the caller does not export its spans, sampled them out by itself, or sits in a \
             proxy that starts spans and does not report them. Late spans appear by themselves.",
    );
    chain_finding(
        trace,
        list,
        &inner,
        |count| format!("{} with a missing parent", words::count(count, "span")),
        "the parents are of the same process, so they were lost on the way, or are still open",
        "Look for dropped spans at the sender: a full export queue, a process that ended before \
             its last export, or a request that still runs.",
    );
    let is_other = |&root: &u32| {
        let is_true_root = trace.span(root as usize).is_root();
        is_true_root && Some(root as usize) != trace.main_root
    };
    let others: Vec<u32> = trace
        .tree
        .roots()
        .iter()
        .copied()
        .filter(is_other)
        .collect();
    chain_finding(
        trace,
        list,
        &others,
        |count| format!("{} besides the first", words::count(count, "root")),
        "they have no parent, but share the id of the trace",
        "Somebody hands on the trace id without the span id, or uses one trace id for several \
             requests: look at how the context is passed, and at mixed propagators.",
    );
}

fn chain_finding(
    trace: &Trace<'_>,
    list: &mut Collector,
    spans: &[u32],
    headline: impl Fn(usize) -> String,
    why: &str,
    advice: &str,
) {
    if spans.is_empty() {
        return;
    }
    list.add(Pattern::BrokenChain, spans, 0, || {
        let services: BTreeSet<&str> = spans
            .iter()
            .map(|&span| trace.service(span as usize))
            .collect();
        let services: Vec<String> = services.into_iter().map(str::to_owned).collect();
        Words {
            headline: headline(spans.len()),
            sentence: format!(
                "{} of {} {} apart from the main root: {why}.",
                words::count(spans.len(), "tree"),
                words::list(&services, NAMED_MAX),
                if spans.len() == 1 { "is" } else { "are" },
            ),
            advice: advice.to_owned(),
        }
    });
}

/// Hosts whose clocks were corrected by more than is usual, or could not be.
fn clock_skew(trace: &Trace<'_>, list: &mut Collector) {
    let mut spans: Vec<u32> = Vec::new();
    let mut pairs: BTreeSet<(Symbol, Symbol)> = BTreeSet::new();
    let mut largest = 0;
    for position in 0..trace.tree.len() {
        let Some(parent) = trace.tree.parent(position) else {
            continue;
        };
        // On one host all spans move alike, and only the first of them is told.
        let moved = match trace.timeline.shift[position] {
            0 => 0,
            shift => (shift - trace.timeline.shift[parent]).abs(),
        };
        let is_refused = trace.skew_refused.binary_search(&(position as u32)).is_ok();
        if moved <= trace.settings.skew_usual_ns && !is_refused {
            continue;
        }
        largest = largest.max(moved);
        spans.push(position as u32);
        pairs.insert((trace.facts[parent].service, trace.facts[position].service));
    }
    let Some(&first) = spans.first() else {
        return;
    };
    let below = labels::service(trace, first as usize);
    let above = trace
        .tree
        .parent(first as usize)
        .map_or(String::new(), |parent| labels::service(trace, parent));
    let others = if pairs.len() == 1 {
        ""
    } else {
        ", and others,"
    };
    let mut sentence = format!(
        "{} outside their callers on other hosts.",
        words::count(spans.len(), "span")
    );
    if largest > 0 {
        sentence += &format!(
            " Here they are moved by up to {}; the recorded times are kept.",
            words::time(largest)
        );
    }
    if !trace.skew_refused.is_empty() {
        sentence += " Where the difference is too large for a clock, they are left as recorded.";
    }
    list.add(Pattern::ClockSkew, &spans, 0, || Words {
        headline: format!("the clocks of {above} and {below}{others} disagree"),
        sentence,
        advice: "Check time synchronisation on these hosts. Until then, times between them \
                 are estimates."
            .to_owned(),
    });
}

fn wrong_times_and_ids(trace: &Trace<'_>, list: &mut Collector) {
    let backwards = &trace.timeline.backwards;
    if !backwards.is_empty() {
        list.add(Pattern::WrongTimes, backwards, 0, || Words {
            headline: format!(
                "{} end before they start",
                words::count(backwards.len(), "span")
            ),
            sentence: "They are shown without length, at their start.".to_owned(),
            advice: "A clock was set back while they ran, or the instrumentation mixes clocks."
                .to_owned(),
        });
    }
    let circles = trace.tree.circles();
    if !circles.is_empty() {
        list.add(Pattern::WrongIds, circles, 0, || Words {
            headline: format!("{} of parents", words::count(circles.len(), "circle")),
            sentence: "Spans are their own ancestors by their parent ids; each circle is cut \
                     at its earliest span."
                .to_owned(),
            advice: "Span ids are not unique: look for a broken source of random numbers, or \
                     for ids that are set by hand."
                .to_owned(),
        });
    }
    let duplicates = trace.tree.duplicate_rows();
    if !duplicates.is_empty() {
        list.add(Pattern::WrongIds, &[], 0, || Words {
            headline: format!(
                "{} with the id of another",
                words::count(duplicates.len(), "span")
            ),
            sentence: "Of spans with one id the earliest is shown.".to_owned(),
            advice: "Mostly an export that was repeated; if the spans differ, their ids are not \
                     random."
                .to_owned(),
        });
    }
}

fn size(trace: &Trace<'_>, list: &mut Collector) {
    let settings = trace.settings;
    let count = trace.tree.len();
    let groups = if count >= settings.large_operation {
        by_operation(trace, 0..count)
    } else {
        Vec::new()
    };
    let largest = groups.into_iter().max_by_key(Vec::len).unwrap_or_default();
    let dominates = largest.len() as f64 > settings.large_share * count as f64;
    if count >= settings.large_trace || dominates {
        let first = largest.first().map_or(0, |&first| first as usize);
        list.add(Pattern::LargeTrace, &largest, 0, || Words {
            headline: format!(
                "{}, {} of them {}",
                words::count(count, "span"),
                largest.len(),
                labels::name(trace, first)
            ),
            sentence: format!(
                "Most spans are {} in {}.",
                labels::name(trace, first),
                labels::service(trace, first)
            ),
            advice: "Fold repeated spans to read it. Where they say little each, record one \
                     span with a count; divide long jobs into traces that link to each \
                     other."
                .to_owned(),
        });
    }
    let (start, end) = trace.timeline.bounds();
    if end - start >= settings.long_trace_ns {
        let root: Vec<u32> = trace.main_root.iter().map(|&root| root as u32).collect();
        list.add(Pattern::LongTrace, &root, 0, || Words {
            headline: format!("the trace is open for {}", words::time(end - start)),
            sentence: "No request takes so long: a loop keeps one context, or the trace id \
                     was used again."
                .to_owned(),
            advice: "Begin a trace for each round of a loop, and link it to the one \
                     before."
                .to_owned(),
        });
    }
}
