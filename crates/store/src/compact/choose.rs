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
                leftovers(members, config, patience)
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

/// The smallest blocks, as many as fit; without the largest of them while it is more than `inputs_min` times the rest,
/// unless patience is at its end.
fn leftovers<'a>(
    members: Vec<&'a Arc<Entry>>,
    config: &CompactionConfig,
    patience: Patience,
) -> Vec<&'a Arc<Entry>> {
    let mut chosen = fitting(members.into_iter(), config);
    while let Some((largest, rest)) = chosen.split_last() {
        let others: u64 = rest.iter().map(|entry| entry.block.spans).sum();
        let pays = others.saturating_mul(config.inputs_min as u64) >= largest.block.spans;
        if !rest.is_empty() && (pays || patience == Patience::None) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Checksum, Checksums};
    use block::{BlockFiles, BlockMeta, HexId, JournalRange};
    use model::TraceId;
    use ulid::Ulid;

    const SECOND: i64 = 1_000_000_000;
    const HOUR: i64 = 3600 * SECOND;
    /// The start of some day.
    const DAY: i64 = 20_000 * 24 * HOUR;

    /// A block of traces that started, were received and were written at `time`.
    fn entry(number: u64, time: i64, spans: u64) -> Entry {
        let nothing = Checksum::of(b"");
        let time = UnixNanos(time);
        let block = BlockMeta {
            id: BlockId(Ulid::from_parts(0, u128::from(number))),
            format: 1,
            tenant: "t".into(),
            class: "default".into(),
            date: "2026-11-21".into(),
            level: 0,
            created: time,
            spans,
            traces: 1,
            errors: 0,
            partial_traces: 0,
            start_min: time,
            start_max: time,
            end_max: time,
            duration_max: 0,
            trace_id_min: HexId(TraceId([0; 16])),
            trace_id_max: HexId(TraceId([9; 16])),
            files: BlockFiles::default(),
            columns: Vec::new(),
            keys: Vec::new(),
            keys_truncated: false,
            services: Vec::new(),
            journal: None,
        };
        Entry {
            block: Arc::new(block),
            received: time,
            checksums: Checksums {
                spans_tail: nothing,
                traces_tail: nothing,
                traces: nothing,
                resources: nothing,
                bloom: nothing,
            },
        }
    }

    fn chosen(entries: Vec<Entry>, now: i64) -> usize {
        let entries: Vec<_> = entries.into_iter().map(Arc::new).collect();
        let config = CompactionConfig::default();
        choose(&entries, UnixNanos(now), &config, Patience::Normal).len()
    }

    #[test]
    fn blocks_of_one_size_are_joined_and_of_many_sizes_are_not() {
        let alike = |count| (0..count).map(|n| entry(n, DAY, 1000 + n)).collect();
        assert_eq!(chosen(alike(7), DAY), 0);
        assert_eq!(chosen(alike(8), DAY), 8);
        assert_eq!(chosen(alike(100), DAY), 12);
        let sizes = (0..7).map(|n| entry(n, DAY, 8u64.pow(n as u32)));
        assert_eq!(chosen(sizes.collect(), DAY), 0);
    }

    #[test]
    fn windows_and_recent_journals_are_kept_apart() {
        let hours = |hour: fn(u64) -> i64| {
            (0..8)
                .map(|n| entry(n, DAY + hour(n) * HOUR, 1000))
                .collect()
        };
        assert_eq!(chosen(hours(|_| 0), DAY), 8);
        assert_eq!(chosen(hours(|n| n as i64 % 2), DAY), 0);
        let of_journals = |age: i64| {
            let entries = (0..8).map(|n| {
                let mut entry = entry(n, DAY, 1000);
                Arc::make_mut(&mut entry.block).journal = Some(JournalRange {
                    journal: (n % 2).to_string(),
                    first: n,
                    last: n,
                });
                entry
            });
            chosen(entries.collect(), DAY + age)
        };
        assert_eq!(of_journals(0), 0);
        assert_eq!(of_journals(HOUR), 8);
    }

    #[test]
    fn a_claim_to_come_from_the_future_does_not_make_a_window_of_its_own() {
        let claims = (0..8).map(|n| {
            let mut entry = entry(n, DAY, 1000);
            Arc::make_mut(&mut entry.block).start_max = UnixNanos(i64::MAX - n as i64 * HOUR);
            entry
        });
        assert_eq!(chosen(claims.collect(), DAY), 8);
    }

    #[test]
    fn a_closed_window_rests_while_old_traces_are_imported() {
        let late = DAY + 30 * HOUR;
        let two = |written: i64| {
            let entries = (0..2).map(|n| {
                let mut entry = entry(n, DAY, 1000);
                Arc::make_mut(&mut entry.block).created = UnixNanos(written);
                entry.received = UnixNanos(written);
                entry
            });
            chosen(entries.collect(), late)
        };
        assert_eq!(two(late - 60 * SECOND), 0);
        assert_eq!(two(late - 16 * 60 * SECOND), 2);
    }

    #[test]
    fn a_large_block_is_not_rewritten_for_a_little_more() {
        let late = DAY + 48 * HOUR;
        let with = |small| vec![entry(0, DAY, 800_000), entry(1, DAY, small)];
        assert_eq!(chosen(with(80_000), late), 0);
        assert_eq!(chosen(with(100_000), late), 2);
    }

    /// What becomes of a steady stream of flushes: compactions run whenever there is something to join, and take no time.
    /// Returns how often a span was rewritten on average, the most blocks there were in the last hour, and the blocks left
    /// a day later.
    fn stream(block_spans: u64, every: i64, hours: i64) -> (f64, usize, usize) {
        let config = CompactionConfig::default();
        let mut entries: Vec<Arc<Entry>> = Vec::new();
        let (mut number, mut flushed, mut rewritten, mut most) = (0, 0u64, 0u64, 0);
        let mut settle = |entries: &mut Vec<Arc<Entry>>, number: &mut u64, now: i64| {
            loop {
                let inputs = choose(entries, UnixNanos(now), &config, Patience::Normal);
                if inputs.is_empty() {
                    return;
                }
                let (joined, others) = std::mem::take(entries)
                    .into_iter()
                    .partition::<Vec<_>, _>(|entry| inputs.contains(&entry.block.id));
                *entries = others;
                let spans = joined.iter().map(|entry| entry.block.spans).sum();
                assert!(spans <= config.block_spans_max);
                rewritten += spans;
                *number += 1;
                let mut output = entry(*number, now, spans);
                let start = joined.iter().map(|entry| entry.block.start_max).max();
                Arc::make_mut(&mut output.block).start_max = start.unwrap();
                output.received = start.unwrap();
                entries.push(Arc::new(output));
            }
        };
        let end = DAY + hours * HOUR;
        let mut now = DAY;
        while now < end {
            number += 1;
            flushed += block_spans;
            entries.push(Arc::new(entry(number, now, block_spans)));
            settle(&mut entries, &mut number, now);
            if now > end - HOUR {
                most = most.max(entries.len());
            }
            now += every;
        }
        for hour in 1..48 {
            settle(&mut entries, &mut number, end + hour * HOUR);
        }
        (rewritten as f64 / flushed as f64, most, entries.len())
    }

    #[test]
    fn at_full_speed_a_span_is_rewritten_twice_at_most() {
        // 500,000 spans a second in blocks of 250,000, for two hours.
        let (rewrites, _, left) = stream(250_000, SECOND / 2, 2);
        assert!(rewrites < 2.0, "{rewrites}");
        // 3.6 thousand million spans in blocks of two to four million.
        assert!(left < 1900, "{left}");
        let (rewrites, ..) = stream(130_000, SECOND / 4, 1);
        assert!(rewrites < 2.2, "{rewrites}");
    }

    #[test]
    fn at_low_rates_blocks_stay_few_and_rewrites_logarithmic() {
        // Ten spans every ten seconds for three days.
        let (rewrites, most, left) = stream(10, 10 * SECOND, 72);
        assert!(rewrites < 5.5, "{rewrites}");
        assert!(most < 60, "{most}");
        assert_eq!(left, 3, "one a day");
    }
}
