//! What a span's own time is made of: self time, the gap between client and server, and dark time.
//!
//! - *Self time*: the duration minus the time in which some blocking child ran. Detached children (see [`crate::path`])
//!   do not count: a span that starts something and goes on is busy itself.
//! - *Gap*: the self time of a client that has a server below it is nobody's work: network, queues, proxies, TLS. It is
//!   a quantity of its own, and neither side's.
//! - *Dark time*: own time on the critical path in which nothing is recorded, no child and no event, of a span that
//!   does not name one step of work. What calls somebody else without a server span below *waits*, and is not dark; a
//!   leaf inside a process says by its name what it does, and is not dark either.

use model::{SpanBatch, SpanKind};

use crate::facts::Facts;
use crate::path::{CriticalPath, Section};
use crate::timeline::Timeline;
use crate::tree::Tree;

/// What own time is. Decides how it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum OwnTime {
    /// Of a client with its server below: between them.
    Gap,
    /// Of a client or producer with nothing remote below: waiting for somebody who is not traced.
    Wait,
    /// Of a step of work inside a process.
    Work,
    /// Of a span that has, or should have, others below: nobody knows.
    Unexplained,
}

/// Own times by position.
#[derive(Debug, Default)]
pub(crate) struct Own {
    pub(crate) self_ns: Vec<i64>,
    pub(crate) class: Vec<OwnTime>,
    pub(crate) gap_ns: Vec<i64>,
    /// Own time on the critical path.
    pub(crate) critical_ns: Vec<i64>,
    pub(crate) dark_ns: Vec<i64>,
    /// Stretches without anything recorded, by position and time.
    pub(crate) dark: Vec<Section>,
}

/// Measures all own times. O(n log n).
pub(crate) fn measure(
    batch: &SpanBatch,
    tree: &Tree,
    timeline: &Timeline,
    facts: &[Facts],
    detached: &[bool],
    paths: &[CriticalPath],
) -> Own {
    let mut own = Own::default();
    // Stretches in which no blocking child runs, by position and time, of spans whose own time is unexplained.
    let mut free = Vec::new();
    let mut scratch = Vec::new();
    for span in 0..tree.len() {
        let class = class(tree, facts, detached, span);
        let before = free.len();
        let self_ns = free_stretches(tree, timeline, detached, span, &mut scratch, &mut free);
        if class != OwnTime::Unexplained {
            free.truncate(before);
        }
        own.gap_ns
            .push(if class == OwnTime::Gap { self_ns } else { 0 });
        own.self_ns.push(self_ns);
        own.class.push(class);
    }
    let sections = by_span(paths);
    own.critical_ns = sums(tree.len(), &sections);
    own.dark = without_events(batch, tree, timeline, &common(&sections, &free));
    own.dark_ns = sums(tree.len(), &own.dark);
    own
}

fn class(tree: &Tree, facts: &[Facts], detached: &[bool], span: usize) -> OwnTime {
    let here = &facts[span];
    match here.kind {
        SpanKind::Client | SpanKind::Producer => {
            let is_answered = tree.children(span).any(|child| {
                let below = &facts[child];
                !detached[child]
                    && (below.kind == SpanKind::Server || below.service != here.service)
            });
            if is_answered {
                OwnTime::Gap
            } else {
                OwnTime::Wait
            }
        }
        SpanKind::Internal | SpanKind::Unspecified => {
            let is_step = tree.descendants(span).is_empty() && tree.parent(span).is_some();
            if is_step {
                OwnTime::Work
            } else {
                OwnTime::Unexplained
            }
        }
        SpanKind::Server | SpanKind::Consumer => OwnTime::Unexplained,
    }
}

/// Appends the stretches of a span in which no blocking child runs, earliest first, and gives their sum.
fn free_stretches(
    tree: &Tree,
    timeline: &Timeline,
    detached: &[bool],
    span: usize,
    children: &mut Vec<(i64, i64)>,
    free: &mut Vec<Section>,
) -> i64 {
    let (start, end) = (timeline.start[span], timeline.end[span]);
    children.clear();
    let blocking = tree.children(span).filter(|&child| !detached[child]);
    children.extend(blocking.map(|child| (timeline.start[child], timeline.end[child])));
    // Corrected clocks may have changed their order.
    children.sort_unstable();
    let (mut covered_until, mut sum) = (start, 0);
    let mut add = |from: i64, until: i64| {
        let until = until.min(end);
        if from < until {
            sum += until - from;
            free.push(Section {
                span: span as u32,
                start_ns: from,
                end_ns: until,
            });
        }
    };
    for &(child_start, child_end) in children.iter() {
        add(covered_until, child_start);
        covered_until = covered_until.max(child_end);
    }
    add(covered_until, end);
    sum
}

/// All sections of all paths, by position and time.
fn by_span(paths: &[CriticalPath]) -> Vec<Section> {
    let mut sections: Vec<Section> = paths
        .iter()
        .flat_map(|path| path.sections.iter().copied())
        .collect();
    sections.sort_unstable_by_key(|section| (section.span, section.start_ns));
    sections
}

fn sums(count: usize, sections: &[Section]) -> Vec<i64> {
    let mut sums = vec![0; count];
    for section in sections {
        sums[section.span as usize] += section.duration_ns();
    }
    sums
}

/// What two lists, each by position and time and free of overlaps, have in common.
fn common(left: &[Section], right: &[Section]) -> Vec<Section> {
    let mut both = Vec::new();
    let (mut l, mut r) = (0, 0);
    while let (Some(a), Some(b)) = (left.get(l), right.get(r)) {
        let start_ns = a.start_ns.max(b.start_ns);
        let end_ns = a.end_ns.min(b.end_ns);
        if a.span == b.span && start_ns < end_ns {
            both.push(Section {
                span: a.span,
                start_ns,
                end_ns,
            });
        }
        if (a.span, a.end_ns) <= (b.span, b.end_ns) {
            l += 1;
        } else {
            r += 1;
        }
    }
    both
}

/// The same stretches, divided where their span recorded an event.
fn without_events(
    batch: &SpanBatch,
    tree: &Tree,
    timeline: &Timeline,
    stretches: &[Section],
) -> Vec<Section> {
    let mut divided = Vec::with_capacity(stretches.len());
    let mut times: Vec<i64> = Vec::new();
    for of_span in stretches.chunk_by(|left, right| left.span == right.span) {
        let position = of_span[0].span as usize;
        let events = batch.events(&batch.spans[tree.row(position)]);
        let shift = timeline.shift[position];
        times.clear();
        times.extend(events.iter().map(|event| {
            let offset = event.time.0.saturating_sub(timeline.origin.0);
            offset.saturating_add(shift)
        }));
        times.sort_unstable();
        let mut times = times.iter().copied().peekable();
        for &stretch in of_span {
            let mut rest = stretch;
            while let Some(&time) = times.peek() {
                if time >= rest.end_ns {
                    break;
                }
                times.next();
                if time > rest.start_ns {
                    divided.push(Section {
                        end_ns: time,
                        ..rest
                    });
                    rest.start_ns = time;
                }
            }
            divided.push(rest);
        }
    }
    divided
}
