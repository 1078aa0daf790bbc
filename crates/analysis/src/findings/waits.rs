//! Time that nobody explains, calls that ran out of time, and work that nobody waits for.

use model::SpanKind;

use super::{Finding, Pattern, Words, by_operation, labels};
use crate::own::OwnTime;
use crate::patience::{gave_up, is_usual_timeout};
use crate::trace::Trace;
use crate::words;

pub(super) fn find(trace: &Trace<'_>, is_retried: &[bool], list: &mut Vec<Finding>) {
    for position in 0..trace.tree.len() {
        list.extend(dark_time(trace, position));
        list.extend(network_gap(trace, position));
        list.extend(hidden_timeout(trace, position, is_retried));
    }
    fire_and_forget(trace, list);
}

fn dark_time(trace: &Trace<'_>, position: usize) -> Option<Finding> {
    let dark = trace.own.dark_ns[position];
    if !trace.settings.is_dark(dark, trace.total_ns()) {
        return None;
    }
    let name = labels::name(trace, position);
    let between = longest_stretch(trace, position);
    Some(Finding::new(
        trace,
        Pattern::DarkTime,
        &[position as u32],
        dark,
        Words {
            headline: format!("{} in {name} with nothing recorded", words::time(dark)),
            sentence: format!(
                "For {}, {} was in {name} without any span or event below{between}.",
                words::time(dark),
                labels::service(trace, position),
            ),
            advice: "Record spans there, or profile it: uninstrumented work, a lock, garbage collection, or waiting for a connection from a pool.".to_owned(),
        },
    ))
}

/// Between which children the longest dark stretch of a span lies.
fn longest_stretch(trace: &Trace<'_>, position: usize) -> String {
    let span = position as u32;
    let from = trace
        .own
        .dark
        .partition_point(|stretch| stretch.span < span);
    let stretches = trace.own.dark[from..]
        .iter()
        .take_while(|stretch| stretch.span == span);
    let Some(longest) = stretches.max_by_key(|stretch| stretch.duration_ns()) else {
        return String::new();
    };
    let timeline = &trace.timeline;
    let children = || {
        trace
            .tree
            .children(position)
            .filter(|&child| !trace.detached[child])
    };
    let before = children()
        .filter(|&child| timeline.end[child] <= longest.start_ns)
        .max_by_key(|&child| timeline.end[child]);
    let after = children()
        .filter(|&child| timeline.start[child] >= longest.end_ns)
        .min_by_key(|&child| timeline.start[child]);
    let name = |child| labels::operation(trace, child);
    match (before, after) {
        (Some(before), Some(after)) => {
            format!(", most of it between {} and {}", name(before), name(after))
        }
        (Some(before), None) => format!(", most of it after {}", name(before)),
        (None, Some(after)) => format!(", most of it before {}", name(after)),
        (None, None) => String::new(),
    }
}

fn network_gap(trace: &Trace<'_>, position: usize) -> Option<Finding> {
    let gap = trace.own.critical_ns[position];
    if trace.own.class[position] != OwnTime::Gap || !trace.settings.is_dark(gap, trace.total_ns()) {
        return None;
    }
    let (caller, callee) = (
        labels::service(trace, position),
        labels::callee(trace, position),
    );
    let mut spans = vec![position as u32];
    spans.extend(labels::remote_child(trace, position).map(|child| child as u32));
    Some(Finding::new(
        trace,
        Pattern::NetworkGap,
        &spans,
        gap,
        Words {
            headline: format!("{} between {caller} and {callee}", words::time(gap)),
            sentence: format!(
                "{caller} waited {} longer for {callee} than {callee} worked on the request.",
                words::time(gap)
            ),
            advice: "Look between them: network, proxies, TLS, name resolution, a full pool of connections on one side, a queue of requests on the other.".to_owned(),
        },
    ))
}

fn hidden_timeout(trace: &Trace<'_>, position: usize, is_retried: &[bool]) -> Option<Finding> {
    let facts = &trace.facts[position];
    if facts.kind != SpanKind::Client {
        return None;
    }
    let duration = trace.timeline.duration(position);
    let time = |span: usize| (trace.timeline.start[span], trace.timeline.end[span]);
    let still_running = trace
        .tree
        .children(position)
        .filter(|&child| {
            let is_server = trace.facts[child].kind == SpanKind::Server;
            is_server && gave_up(facts, time(position), time(child), trace.settings)
        })
        .max_by_key(|&child| trace.timeline.end[child]);
    let at_stake = trace.critical_below(position);
    let (caller, callee) = (
        labels::service(trace, position),
        labels::callee(trace, position),
    );
    let after = words::time(duration);
    let words = match still_running {
        Some(server) => {
            let late = words::time(trace.timeline.end[server] - trace.timeline.end[position]);
            Words {
                headline: format!("{caller} gave up after {after}, {callee} went on for {late}"),
                sentence: format!(
                    "{caller} stopped waiting for {callee} after {after}; {} went on for another {late}, and nobody heard its answer.",
                    labels::name(trace, server)
                ),
                advice: "Pass the deadline on to the callee so that it can stop as well, and make it shorter than the caller's.".to_owned(),
            }
        }
        // Attempts that were made again have a finding of their own.
        None if facts.has_failed()
            && (facts.has_timed_out || is_usual_timeout(duration))
            && !is_retried[position]
            && trace.settings.is_worth(at_stake, trace.total_ns()) =>
        {
            Words {
                headline: format!("{caller} waited {after} for {callee} until it timed out"),
                sentence: format!("{caller} called {callee} and gave up after {after} without an answer."),
                advice: "Ask why there was no answer. If the result can be done without, wait for a shorter time.".to_owned(),
            }
        }
        _ => return None,
    };
    let mut spans = vec![position as u32];
    spans.extend(still_running.map(|server| server as u32));
    Some(Finding::new(
        trace,
        Pattern::HiddenTimeout,
        &spans,
        at_stake,
        words,
    ))
}

fn fire_and_forget(trace: &Trace<'_>, list: &mut Vec<Finding>) {
    let detached = (0..trace.tree.len()).filter(|&position| trace.detached[position]);
    for group in by_operation(trace, detached) {
        let first = group[0] as usize;
        let Some(parent) = trace.tree.parent(first) else {
            continue;
        };
        let (name, above) = (labels::name(trace, first), labels::name(trace, parent));
        let late = group
            .iter()
            .filter_map(|&span| {
                let parent = trace.tree.parent(span as usize)?;
                Some(trace.timeline.end[span as usize] - trace.timeline.end[parent])
            })
            .max()
            .unwrap_or(0);
        let late = words::time(late.max(0));
        let is_message = trace.facts[first].kind == SpanKind::Consumer;
        let times = if group.len() == 1 {
            String::new()
        } else {
            format!(" {} times", group.len())
        };
        let words = if is_message {
            Words {
                headline: format!("{name} runs aside{times}, up to {late} later"),
                sentence: format!(
                    "{} took messages of {above}{times}; the last was done {late} after it was sent. The request did not wait for that.",
                    labels::service(trace, first)
                ),
                advice: "Nothing, unless somebody waits for the result in another way; then follow the consumer's time, not the request's.".to_owned(),
            }
        } else {
            Words {
                headline: format!("{name} outlives {above}{times}, by up to {late}"),
                sentence: format!(
                    "{name} in {} went on for up to {late} after {above} had ended{times}; nobody waited for it, nor for its errors.",
                    labels::service(trace, first)
                ),
                advice: "If it is meant to run aside, start it in a trace of its own with a link, and watch its failures; if not, wait for it.".to_owned(),
            }
        };
        list.push(Finding::new(
            trace,
            Pattern::FireAndForget,
            &group,
            0,
            words,
        ));
    }
}
