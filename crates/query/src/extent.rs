//! From when to when there are spans, without those whose clock was wrong by years: one span of 1970 would stretch every
//! chart over all that is held to half a century.

use block::BlockMeta;
use collect::LiveSpans;
use model::UnixNanos;

use crate::{Query, QueryError};

/// What lies further away from the middle of all that is held tells of a clock, not of a time. A year: archives of some
/// months are whole, and clocks that start at 1970, at 2000 or at the end of time are out.
const FAR_NANOS: i64 = 366 * 24 * 3_600 * 1_000_000_000;

/// Where in time the spans are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The earliest start.
    pub start: UnixNanos,
    /// The latest end.
    pub end: UnixNanos,
    /// Traces that start or end more than a year away from the middle of all, and do not count. One in several pieces
    /// counts as several.
    pub left_out: u64,
}

impl Query {
    /// From when to when there are spans; none when there are none. Blocks are not read, but for the trace tables of those
    /// in which some traces are far away from the others and some are not.
    ///
    /// # Errors
    /// [`QueryError::Live`]
    pub async fn extent(&self) -> Result<Option<Extent>, QueryError> {
        let live = self.collector.live_spans().await?.value;
        let live: Vec<_> = live
            .iter()
            .flat_map(LiveSpans::traces)
            .map(|piece| (piece.start, piece.end))
            .collect();
        let blocks = self.store.blocks();
        let weighed = live.iter().map(|(_, end)| (*end, 1));
        let stored = blocks
            .iter()
            .map(|block| (latest_start(block), block.traces));
        let Some(middle) = middle(weighed.chain(stored).collect()) else {
            return Ok(None);
        };
        let mut near = Near::to(middle);
        for (start, end) in live {
            near.take(start, end);
        }
        for block in blocks.iter() {
            if near.has(block.start_min) && near.has(block.end_max) {
                near.take(block.start_min, block.end_max);
            } else if near.is_before(block.start_max) || near.is_after(block.start_min) {
                near.left_out += block.traces;
            } else if let Ok(table) = self.store.trace_table(block).await {
                for index in 0..table.len() {
                    near.take(table.start(index), table.end(index));
                }
            }
        }
        Ok(Some(near.extent()))
    }
}

/// Of a block; one that claims to come from the future came when it was written.
fn latest_start(block: &BlockMeta) -> UnixNanos {
    block.start_max.min(block.created)
}

/// The time before and after which there is as much.
fn middle(mut weighed: Vec<(UnixNanos, u64)>) -> Option<UnixNanos> {
    weighed.sort_unstable();
    let half = weighed.iter().map(|(_, weight)| weight).sum::<u64>() / 2;
    let mut before = 0;
    let found = weighed.iter().find(|(_, weight)| {
        before += weight;
        before > half
    });
    found.or(weighed.last()).map(|(time, _)| *time)
}

/// What is not far away from the middle, which is.
struct Near {
    middle: UnixNanos,
    start: UnixNanos,
    end: UnixNanos,
    left_out: u64,
}

impl Near {
    fn to(middle: UnixNanos) -> Self {
        Self {
            middle,
            start: middle,
            end: middle,
            left_out: 0,
        }
    }

    fn is_before(&self, time: UnixNanos) -> bool {
        self.middle.since(time).0 > FAR_NANOS
    }

    fn is_after(&self, time: UnixNanos) -> bool {
        time.since(self.middle).0 > FAR_NANOS
    }

    fn has(&self, time: UnixNanos) -> bool {
        !self.is_before(time) && !self.is_after(time)
    }

    /// Of what is far away at one end, the other one counts.
    fn take(&mut self, start: UnixNanos, end: UnixNanos) {
        for time in [start, end] {
            if self.has(time) {
                self.start = self.start.min(time);
                self.end = self.end.max(time);
            }
        }
        if !self.has(start) || !self.has(end) {
            self.left_out += 1;
        }
    }

    fn extent(&self) -> Extent {
        Extent {
            start: self.start,
            end: self.end,
            left_out: self.left_out,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3_600 * 1_000_000_000;
    const NOW: i64 = 20_000 * DAY;

    /// From when to when the traces are, in days from now, and how many are left out.
    fn extent(traces: &[(i64, i64)]) -> (i64, i64, u64) {
        let at = |days: i64| UnixNanos(NOW + days * DAY);
        let ends = traces.iter().map(|(_, end)| (at(*end), 1)).collect();
        let mut near = Near::to(middle(ends).unwrap());
        for (start, end) in traces {
            near.take(at(*start), at(*end));
        }
        let Extent {
            start,
            end,
            left_out,
        } = near.extent();
        ((start.0 - NOW) / DAY, (end.0 - NOW) / DAY, left_out)
    }

    #[test]
    fn clocks_that_are_wrong_by_years_do_not_count() {
        assert_eq!(extent(&[(-3, -3), (-1, 0)]), (-3, 0, 0));
        assert_eq!(extent(&[(-300, -300), (-1, 0)]), (-300, 0, 0));
        assert_eq!(extent(&[(-20_000, -20_000), (-1, 0), (-2, -1)]), (-2, 0, 1));
        assert_eq!(extent(&[(86_000, 86_000), (-1, 0), (-2, -1)]), (-2, 0, 1));
    }

    #[test]
    fn of_a_trace_that_is_far_away_at_one_end_the_other_end_counts() {
        assert_eq!(extent(&[(-20_000, -5), (-1, 0), (-2, -1)]), (-5, 0, 1));
        assert_eq!(extent(&[(-20_000, 0)]), (0, 0, 1));
    }

    #[test]
    fn archives_of_years_ago_are_where_they_are() {
        assert_eq!(
            extent(&[(-5_000, -5_000), (-4_990, -4_980)]),
            (-5_000, -4_980, 0)
        );
    }

    #[test]
    fn the_middle_has_as_much_before_as_after() {
        let middle = |weighed: &[(i64, u64)]| {
            middle(
                weighed
                    .iter()
                    .map(|(time, weight)| (UnixNanos(*time), *weight))
                    .collect(),
            )
        };
        assert_eq!(middle(&[]), None);
        assert_eq!(middle(&[(7, 1)]), Some(UnixNanos(7)));
        assert_eq!(middle(&[(7, 0)]), Some(UnixNanos(7)));
        assert_eq!(middle(&[(9, 1), (7, 1), (8, 1)]), Some(UnixNanos(8)));
        assert_eq!(middle(&[(1, 1), (7, 5), (9, 1)]), Some(UnixNanos(7)));
    }
}
