//! Many children at once: one that is far slower than the others, and far too many of them.

use model::Symbol;

use super::calls::sum_and_union;
use super::{Finding, Pattern, Words, labels};
use crate::trace::Trace;
use crate::words;

/// Calls run side by side when their summed time is so many times the time in which any of them ran.
const PARALLEL_RATIO: f64 = 2.0;

/// A straggler among siblings of one operation, in order of start.
pub(super) fn straggler(trace: &Trace<'_>, group: &[u32], list: &mut Vec<Finding>) {
    let settings = trace.settings;
    if group.len() < settings.parallel_calls {
        return;
    }
    let (sum, union) = sum_and_union(trace, group);
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
    let different = difference(trace, group, slowest).map_or(String::new(), |(key, value)| {
        format!(" Only it has {key} = {value}.")
    });
    list.push(Finding::new(
        trace,
        Pattern::Straggler,
        &[slowest],
        at_stake,
        Words {
            headline: format!(
                "1 of {} parallel calls took {}, the others {}",
                group.len(),
                words::time(duration),
                words::time(median),
            ),
            sentence: format!(
                "{} made {} calls of {} side by side and waited for the slowest: {}, where half of them took {} or less.{different}",
                labels::service(trace, slowest as usize),
                group.len(),
                labels::operation(trace, slowest as usize),
                words::time(duration),
                words::time(median),
            ),
            advice: "Ask what is different about it: a shard, a host, a larger answer. Where one answer may be missing, stop waiting earlier or ask twice.".to_owned(),
        },
    ));
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
    list: &mut Vec<Finding>,
) {
    let told = children
        .iter()
        .filter(|&&child| is_repeated[child as usize])
        .count();
    if told * 2 > children.len() {
        return;
    }
    let largest = super::by_operation(trace, children.iter().map(|&child| child as usize))
        .into_iter()
        .max_by_key(Vec::len)
        .unwrap_or_default();
    let most = largest.first().map_or(String::new(), |&first| {
        format!(
            ", {} of them {}",
            largest.len(),
            labels::name(trace, first as usize)
        )
    });
    list.push(Finding::new(
        trace,
        Pattern::WideFanOut,
        children,
        0,
        Words {
            headline: format!("{} children below {}", children.len(), labels::name(trace, parent)),
            sentence: format!(
                "{} has {} direct children{most}.",
                labels::name(trace, parent),
                children.len()
            ),
            advice: "Often an unbounded batch: work in pages of a fixed size, and record a span for each page rather than for each item.".to_owned(),
        },
    ));
}
