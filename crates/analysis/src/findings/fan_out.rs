//! Many children at once: one that is far slower than the others, and far too many of them.

use model::Symbol;

use super::{Collector, Pattern, Words, labels};
use crate::trace::Trace;
use crate::words;

/// Calls run side by side when their summed time is so many times the time in which any of them ran.
const PARALLEL_RATIO: f64 = 2.0;

/// A straggler among siblings of one operation, in order of start.
pub(super) fn straggler(trace: &Trace<'_>, group: &[u32], list: &mut Collector) {
    let settings = trace.settings;
    if group.len() < settings.parallel_calls {
        return;
    }
    let (sum, union) = trace.timeline.sum_and_union(group);
    if (sum as f64) < PARALLEL_RATIO * union as f64 && !all_start_before_first_ends(trace, group) {
        return;
    }
    let mut durations: Vec<i64> = group
        .iter()
        .map(|&span| trace.timeline.duration(span as usize))
        .collect();
    durations.sort_unstable();
    let median = durations[durations.len() / 2];
    let Some(&slowest) = group
        .iter()
        .max_by_key(|&&span| trace.timeline.duration(span as usize))
    else {
        return;
    };
    let duration = trace.timeline.duration(slowest as usize);
    let at_stake = (duration - median).min(trace.critical_below(slowest as usize));
    let is_slow = duration as f64 >= settings.straggler_ratio * median as f64;
    if !is_slow || !settings.is_worth(at_stake, trace.total_ns()) {
        return;
    }
    list.add(Pattern::Straggler, &[slowest], at_stake, || {
        let (slow, usual) = (words::time(duration), words::time(median));
        let (count, slowest_at) = (group.len(), slowest as usize);
        let different = difference(trace, group, slowest);
        Words {
            headline: format!("1 of {count} parallel calls took {slow}, the others {usual}"),
            sentence: format!(
                "{} made {count} calls of {} side by side and waited for the slowest: {slow}, \
                 where half of them took {usual} or less.{}",
                labels::service(trace, slowest_at),
                labels::operation(trace, slowest_at),
                different.map_or(String::new(), |(key, value)| {
                    format!(" Only it has {key} = {value}.")
                }),
            ),
            advice: "Ask what is different about it: a shard, a host, a larger answer. Where one \
                     answer may be missing, stop waiting earlier or ask twice."
                .to_owned(),
        }
    });
}

/// A clear fan-out, even where the straggler alone makes most of the time.
fn all_start_before_first_ends(trace: &Trace<'_>, group: &[u32]) -> bool {
    let latest_start = group
        .iter()
        .map(|&span| trace.timeline.start[span as usize])
        .max();
    let first_end = group
        .iter()
        .map(|&span| trace.timeline.end[span as usize])
        .min();
    latest_start < first_end
}

/// An attribute in which the slowest differs from all others, which agree.
fn difference(trace: &Trace<'_>, group: &[u32], slowest: u32) -> Option<(String, String)> {
    /// Others that are looked at: agreement of that many is enough.
    const OTHERS_MAX: usize = 20;
    let value = |span: u32, key: Symbol| {
        let attributes = trace.batch.attributes(trace.span(span as usize).attributes);
        attributes
            .iter()
            .find(|attribute| attribute.key == key)
            .map(|attribute| attribute.value)
    };
    let others = || {
        group
            .iter()
            .copied()
            .filter(|&span| span != slowest)
            .take(OTHERS_MAX)
    };
    let attributes = trace
        .batch
        .attributes(trace.span(slowest as usize).attributes);
    attributes.iter().find_map(|attribute| {
        let common = value(others().next()?, attribute.key)?;
        let is_different = common != attribute.value
            && others().all(|other| value(other, attribute.key) == Some(common));
        is_different.then(|| {
            let key = labels::text(trace, attribute.key);
            (key, words::short(&labels::text(trace, attribute.value), 60))
        })
    })
}

/// Too many children, unless they were already told as repeated calls.
pub(super) fn wide(
    trace: &Trace<'_>,
    parent: usize,
    children: &[u32],
    is_repeated: &[bool],
    list: &mut Collector,
) {
    let told = children
        .iter()
        .filter(|&&child| is_repeated[child as usize])
        .count();
    if told * 2 > children.len() {
        return;
    }
    list.add(Pattern::WideFanOut, children, 0, || {
        let (name, count) = (labels::name(trace, parent), children.len());
        let below = children.iter().map(|&child| child as usize);
        let groups = super::by_operation(trace, below);
        let largest = groups.iter().max_by_key(|group| group.len());
        let most = largest.map_or(String::new(), |group| {
            let operation = labels::name(trace, group[0] as usize);
            format!(", {} of them {operation}", group.len())
        });
        Words {
            headline: format!("{count} children below {name}"),
            sentence: format!("{name} has {count} direct children{most}."),
            advice: "Often an unbounded batch: work in pages of a fixed size, and record a span \
                     for each page rather than for each item."
                .to_owned(),
        }
    });
}
