//! Clocks that disagree: moves the spans of a host so that calls lie inside their callers.
//!
//! The method is that of Jaeger: from the root down, a child on another host than its parent that sticks out of it is
//! centred in the (already corrected) parent, which takes the way there and the way back for equally long; a child longer
//! than its parent is only kept from starting before it. All that runs on the child's host below moves with it. Spans of
//! one host are never moved against each other, and a root never moves.
//!
//! Clocks that are kept in step differ by little. So a child that sticks out by [no more than is
//! usual](crate::Settings::skew_usual_ns) is moved just inside, and not to the middle of a parent that may be far longer.
//!
//! Two cases are left alone that Jaeger moves, since there a child outside its parent is no sign of a clock: a message
//! that is consumed after its sender went on, and a server that goes on after its client has given up.
//! Where a host is not stated, a process counts as its own host, and processes of one service as one.

use model::{SpanBatch, SpanKind, Symbol};

use crate::facts::Facts;
use crate::patience::gave_up;
use crate::settings::Settings;
use crate::timeline::Timeline;
use crate::tree::Tree;

/// Resource attributes that name a host, the surest first.
const HOST_KEYS: [&str; 3] = ["host.id", "host.ip", "host.name"];

/// What names a host: the rank of the key in [`HOST_KEYS`], or their count for a service, and the value.
type Host = (usize, Symbol);

/// Corrects the times. Gives the positions whose correction would pass the bound and was not made.
///
/// Costs O(n).
pub(crate) fn correct(
    batch: &SpanBatch,
    tree: &Tree,
    facts: &[Facts],
    timeline: &mut Timeline,
    settings: &Settings,
) -> Vec<u32> {
    let hosts = hosts(batch);
    let host = |position: usize| hosts[batch.spans[tree.row(position)].resource as usize];
    let mut refused = Vec::new();
    for child in 0..tree.len() {
        let Some(parent) = tree.parent(child) else {
            continue;
        };
        let by = if host(child) == host(parent) {
            timeline.shift[parent]
        } else {
            needed(facts, timeline, parent, child, settings)
        };
        if by == 0 {
            continue;
        }
        let is_inherited = host(child) == host(parent);
        if is_inherited || by.abs() <= settings.skew_max_ns {
            timeline.shift(child, by);
        } else {
            refused.push(child as u32);
        }
    }
    refused
}

/// By how much `child`, at its recorded time, must move to suit `parent`, at its corrected time.
fn needed(
    facts: &[Facts],
    timeline: &Timeline,
    parent: usize,
    child: usize,
    settings: &Settings,
) -> i64 {
    let (caller, callee) = (&facts[parent], &facts[child]);
    let room = timeline.duration(parent) - timeline.duration(child);
    let early = timeline.start[parent] - timeline.start[child];
    let time = |span: usize| (timeline.start[span], timeline.end[span]);
    let is_message = caller.kind == SpanKind::Producer || callee.kind == SpanKind::Consumer;
    let has_given_up =
        caller.kind == SpanKind::Client && gave_up(caller, time(parent), time(child), settings);
    if room < 0 || is_message || has_given_up {
        return early.max(0);
    }
    let late = timeline.end[child] - timeline.end[parent];
    match early.max(late) {
        ..=0 => 0,
        out if out > settings.skew_usual_ns => early + room / 2,
        _ if early > 0 => early,
        _ => -late,
    }
}

/// The host by row of [`SpanBatch::resources`].
fn hosts(batch: &SpanBatch) -> Vec<Host> {
    let keys = HOST_KEYS.map(|key| batch.symbols.find_str(key));
    let of = |resource: &model::ResourceRow| -> Host {
        let attributes = batch.attributes(resource.attributes);
        let named = keys.iter().enumerate().find_map(|(rank, key)| {
            let wanted = (*key)?;
            attributes
                .iter()
                .find(|attribute| attribute.key == wanted && attribute.value != Symbol::EMPTY)
                .map(|attribute| (rank, attribute.value))
        });
        named.unwrap_or((HOST_KEYS.len(), resource.service))
    };
    batch.resources.iter().map(of).collect()
}
