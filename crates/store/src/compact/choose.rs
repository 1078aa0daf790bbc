//! Which blocks to join next. A pure function of the list of blocks and the time.
//!
//! Blocks are joined within one class and one window of time, by the start of their latest trace, so that the pieces of
//! traces that came late or were flushed early meet, and so that blocks stay narrow in time. Within a window:
//!
//! - **While it is open**, blocks of similar size (the same power of `inputs_min`) are joined once there are `inputs_min` of
//!   them. So each rewrite multiplies the size, and a span is rewritten log times.
//! - **Once it is closed and quiet**, all that is left in it is joined as far as that pays: nothing is rewritten to gain
//!   less than an `inputs_min`-th of it.
//!
//! Windows come in sizes, hours before days: what is left of the hours of a day is joined once the day is over. Blocks
//! of at least half of `block_spans_max` are done.
//!
//! A trace whose pieces lie in neighbouring windows stays in two blocks. Answers join it anyway.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use block::BlockId;
use model::{DurationNanos, UnixNanos};

use crate::config::CompactionConfig;
use crate::manifest::Entry;

/// Blocks of different journals are not mixed while a replay of these journals may still ask for them. Journals hold
/// minutes; this is far more.
const JOURNAL_MEMORY: DurationNanos = DurationNanos::from_secs(3600);

/// How patient the choice is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// As the module describes.
    Normal,
    /// Every window counts as closed and quiet.
    None,
}

/// Blocks that belong together.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Group<'a> {
    class: &'a str,
    journal: Option<&'a str>,
    window: i64,
}

/// The blocks to join next, oldest first; empty when there is nothing to do.
pub(crate) fn choose(
    entries: &[Arc<Entry>],
    now: UnixNanos,
    config: &CompactionConfig,
    patience: Patience,
) -> Vec<BlockId> {
    let mut best: Vec<&Arc<Entry>> = Vec::new();
    for (size, window) in config.windows.iter().enumerate() {
        for (group, members) in group(entries, now, *window, config) {
            let quiet =
                patience == Patience::None || is_quiet(&group, &members, now, *window, config);
            let chosen = if quiet {
                leftovers(members, config)
            } else if size == 0 {
                similar(&members, config)
            } else {
                Vec::new()
            };
            // The most blocks away for one output; of equals, the oldest window.
            if chosen.len() > best.len() {
                best = chosen;
            }
        }
        if !best.is_empty() {
            break;
        }
    }
    best.sort_by_key(|entry| (entry.block.created, entry.block.id));
    best.iter().map(|entry| entry.block.id).collect()
}

/// Blocks that may still grow, by group. Within one, ascending by size.
fn group<'a>(
    entries: &'a [Arc<Entry>],
    now: UnixNanos,
    window: Duration,
    config: &CompactionConfig,
) -> BTreeMap<Group<'a>, Vec<&'a Arc<Entry>>> {
    let window = nanos(window);
    let mut groups: BTreeMap<Group<'a>, Vec<&Arc<Entry>>> = BTreeMap::new();
    for entry in entries {
        if entry.block.spans * 2 >= config.block_spans_max {
            continue;
        }
        let young = now.since(entry.received) < JOURNAL_MEMORY;
        let journal = entry.block.journal.as_ref().filter(|_| young);
        groups
            .entry(Group {
                class: &entry.block.class,
                journal: journal.map(|journal| journal.journal.as_str()),
                window: time(entry).0.div_euclid(window),
            })
            .or_default()
            .push(entry);
    }
    for members in groups.values_mut() {
        members.sort_by_key(|entry| (entry.block.spans, entry.block.id));
    }
    groups
}

/// The time that places a block in a window: its latest trace start, or when it was received if that claims to be later.
fn time(entry: &Entry) -> UnixNanos {
    entry.block.start_max.min(entry.received)
}

/// Whether the window is over and nothing came for it lately. An import of old traces fills windows long over; they are left
/// alone while it does.
fn is_quiet(
    group: &Group<'_>,
    members: &[&Arc<Entry>],
    now: UnixNanos,
    window: Duration,
    config: &CompactionConfig,
) -> bool {
    let lateness = DurationNanos(nanos(config.lateness));
    let end = UnixNanos(group.window.saturating_add(1).saturating_mul(nanos(window)));
    let newest = members.iter().map(|entry| entry.block.created).max();
    now.since(end) >= lateness && newest.is_some_and(|newest| now.since(newest) >= lateness)
}

/// `inputs_min` or more blocks of one size class, the smallest class first.
fn similar<'a>(members: &[&'a Arc<Entry>], config: &CompactionConfig) -> Vec<&'a Arc<Entry>> {
    let base = config.inputs_min as u64;
    let class = |entry: &Arc<Entry>| entry.block.spans.max(1).ilog(base);
    members
        .chunk_by(|a, b| class(a) == class(b))
        .map(|alike| fitting(alike.iter().copied(), config))
        .find(|fitting| fitting.len() >= config.inputs_min)
        .unwrap_or_default()
}

/// The smallest blocks, as many as fit; without the largest of them while it is more than `inputs_min` times the rest.
fn leftovers<'a>(members: Vec<&'a Arc<Entry>>, config: &CompactionConfig) -> Vec<&'a Arc<Entry>> {
    let mut chosen = fitting(members.into_iter(), config);
    while let Some((largest, rest)) = chosen.split_last() {
        let others: u64 = rest.iter().map(|entry| entry.block.spans).sum();
        if !rest.is_empty()
            && others.saturating_mul(config.inputs_min as u64) >= largest.block.spans
        {
            return chosen;
        }
        chosen.pop();
    }
    chosen
}

fn fitting<'a>(
    candidates: impl Iterator<Item = &'a Arc<Entry>>,
    config: &CompactionConfig,
) -> Vec<&'a Arc<Entry>> {
    let mut spans = 0;
    candidates
        .take(config.inputs_max)
        .take_while(|entry| {
            spans += entry.block.spans;
            spans <= config.block_spans_max
        })
        .collect()
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}
