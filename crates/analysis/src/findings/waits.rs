//! Time that nobody explains, calls that ran out of time, and work that nobody waits for.

use model::SpanKind;

use super::{Collector, Pattern, Words, by_operation, labels};
use crate::own::OwnTime;
use crate::patience::{gave_up, is_usual_timeout};
use crate::trace::Trace;
use crate::words;

pub(super) fn find(trace: &Trace<'_>, is_retried: &[bool], list: &mut Collector) {
    for position in 0..trace.tree.len() {
        dark_time(trace, position, list);
        network_gap(trace, position, list);
        hidden_timeout(trace, position, is_retried, list);
    }
    fire_and_forget(trace, list);
}

fn dark_time(trace: &Trace<'_>, position: usize, list: &mut Collector) {
    let dark = trace.own.dark_ns[position];
    if !trace.settings.is_dark(dark, trace.total_ns()) {
        return;
    }
    list.add(Pattern::DarkTime, &[position as u32], dark, || {
        let (name, time) = (labels::name(trace, position), words::time(dark));
        Words {
            headline: format!("{time} in {name} with nothing recorded"),
            sentence: format!(
                "For {time}, {} was in {name} without any span or event below{}.",
                labels::service(trace, position),
                longest_stretch(trace, position),
            ),
            advice: "Record spans there, or profile it: uninstrumented work, a lock, garbage \
                 collection, or waiting for a connection from a pool."
                .to_owned(),
        }
    });
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

fn network_gap(trace: &Trace<'_>, position: usize, list: &mut Collector) {
    let gap = trace.own.critical_ns[position];
    if trace.own.class[position] != OwnTime::Gap || !trace.settings.is_dark(gap, trace.total_ns()) {
        return;
    }
    let mut spans = vec![position as u32];
    spans.extend(labels::remote_child(trace, position).map(|child| child as u32));
    list.add(Pattern::NetworkGap, &spans, gap, || {
        let (caller, callee) = (
            labels::service(trace, position),
            labels::callee(trace, position),
        );
        let time = words::time(gap);
        Words {
            headline: format!("{time} between {caller} and {callee}"),
            sentence: format!(
                "{caller} waited {time} longer for {callee} than {callee} worked on the request."
            ),
            advice: "Look between them: network, proxies, TLS, name resolution, a full pool of \
                 connections on one side, a queue of requests on the other."
                .to_owned(),
        }
    });
}

fn hidden_timeout(trace: &Trace<'_>, position: usize, is_retried: &[bool], list: &mut Collector) {
    let facts = &trace.facts[position];
    if facts.kind != SpanKind::Client {
        return;
    }
    let at_stake = trace.critical_below(position);
    if let Some(server) = still_running(trace, position) {
        let spans = [position as u32, server as u32];
        let words = || gave_up_words(trace, position, server);
        list.add(Pattern::HiddenTimeout, &spans, at_stake, words);
        return;
    }
    let duration = trace.timeline.duration(position);
    let has_timed_out = facts.has_failed() && (facts.has_timed_out || is_usual_timeout(duration));
    // Attempts that were made again have a finding of their own.
    let is_told = is_retried[position] || !trace.settings.is_worth(at_stake, trace.total_ns());
    if has_timed_out && !is_told {
        list.add(Pattern::HiddenTimeout, &[position as u32], at_stake, || {
            let (caller, callee) = (
                labels::service(trace, position),
                labels::callee(trace, position),
            );
            let after = words::time(duration);
            Words {
                headline: format!("{caller} waited {after} for {callee} until it timed out"),
                sentence: format!(
                    "{caller} called {callee} and gave up after {after} without an \
                     answer."
                ),
                advice: "Ask why there was no answer. If the result can be done without, wait \
                     for a shorter time."
                    .to_owned(),
            }
        });
    }
}

/// The server that went on longest after its client gave up.
fn still_running(trace: &Trace<'_>, client: usize) -> Option<usize> {
    let time = |span: usize| (trace.timeline.start[span], trace.timeline.end[span]);
    let servers = trace.tree.children(client).filter(|&child| {
        let is_server = trace.facts[child].kind == SpanKind::Server;
        is_server
            && gave_up(
                &trace.facts[client],
                time(client),
                time(child),
                trace.settings,
            )
    });
    servers.max_by_key(|&child| trace.timeline.end[child])
}

fn gave_up_words(trace: &Trace<'_>, client: usize, server: usize) -> Words {
    let (caller, callee) = (
        labels::service(trace, client),
        labels::callee(trace, client),
    );
    let after = words::time(trace.timeline.duration(client));
    let late = words::time(trace.timeline.end[server] - trace.timeline.end[client]);
    Words {
        headline: format!("{caller} gave up after {after}, {callee} went on for {late}"),
        sentence: format!(
            "{caller} stopped waiting for {callee} after {after}; {} went on for another {late}, \
                 and nobody heard its answer.",
            labels::name(trace, server)
        ),
        advice: "Pass the deadline on to the callee so that it can stop as well, and make it \
             shorter than the caller's."
            .to_owned(),
    }
}

fn fire_and_forget(trace: &Trace<'_>, list: &mut Collector) {
    let detached = (0..trace.tree.len()).filter(|&position| trace.detached[position]);
    for group in by_operation(trace, detached) {
        list.add(Pattern::FireAndForget, &group, 0, || {
            detached_words(trace, &group)
        });
    }
}

fn detached_words(trace: &Trace<'_>, group: &[u32]) -> Words {
    let first = group[0] as usize;
    let (name, service) = (labels::name(trace, first), labels::service(trace, first));
    let above = trace
        .tree
        .parent(first)
        .map_or(String::new(), |parent| labels::name(trace, parent));
    let lateness = group.iter().filter_map(|&span| {
        let parent = trace.tree.parent(span as usize)?;
        Some(trace.timeline.end[span as usize] - trace.timeline.end[parent])
    });
    let late = words::time(lateness.max().unwrap_or(0).max(0));
    let times = match group.len() {
        1 => String::new(),
        count => format!(" {count} times"),
    };
    if trace.facts[first].kind == SpanKind::Consumer {
        Words {
            headline: format!("{name} runs aside{times}, up to {late} later"),
            sentence: format!(
                "{service} took messages of {above}{times}; the last was done {late} after it \
                     was sent. The request did not wait for that."
            ),
            advice: "Nothing, unless somebody waits for the result in another way; then follow \
                 the consumer's time, not the request's."
                .to_owned(),
        }
    } else {
        Words {
            headline: format!("{name} outlives {above}{times}, by up to {late}"),
            sentence: format!(
                "{name} in {service} went on for up to {late} after {above} had ended{times}; \
                     nobody waited for it, nor for its errors."
            ),
            advice: "If it is meant to run aside, start it in a trace of its own with a link, \
                 and watch its failures; if not, wait for it."
                .to_owned(),
        }
    }
}
