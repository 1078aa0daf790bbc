//! When each span ran, as offsets in nanoseconds from the earliest recorded start of the trace.
//!
//! All arithmetic of the analysis happens on these offsets. They are held within [`LONGEST_NS`] here, once, so that
//! differences and midpoints cannot overflow, whatever was recorded; a span with its end before its start has no length.

use model::{SpanBatch, UnixNanos};

use crate::tree::Tree;

/// The longest time that is told apart: 36 years. Beyond, a clock was not set.
pub(crate) const LONGEST_NS: i64 = i64::MAX / 8;

/// Times by position of the tree.
#[derive(Debug, Clone, Default)]
pub(crate) struct Timeline {
    /// The earliest recorded start; offset zero.
    pub(crate) origin: UnixNanos,
    pub(crate) start: Vec<i64>,
    /// Never before the start.
    pub(crate) end: Vec<i64>,
    /// What was added to the recorded times because clocks disagree.
    pub(crate) shift: Vec<i64>,
    /// Positions whose recorded end is before their start.
    pub(crate) backwards: Vec<u32>,
}

impl Timeline {
    /// The times as recorded.
    pub(crate) fn recorded(batch: &SpanBatch, tree: &Tree) -> Self {
        let origin = batch.spans.iter().map(|span| span.start).min();
        let mut timeline = Self {
            origin: origin.unwrap_or_default(),
            shift: vec![0; tree.len()],
            ..Self::default()
        };
        for position in 0..tree.len() {
            let span = &batch.spans[tree.row(position)];
            let start = span
                .start
                .0
                .saturating_sub(timeline.origin.0)
                .min(LONGEST_NS);
            let duration = span.duration.0.clamp(0, LONGEST_NS);
            timeline.start.push(start);
            timeline.end.push(start + duration);
            if span.duration.0 < 0 {
                timeline.backwards.push(position as u32);
            }
        }
        timeline
    }

    /// How long a span took.
    pub(crate) fn duration(&self, position: usize) -> i64 {
        self.end[position] - self.start[position]
    }

    /// The summed time of spans in order of start, and the time in which any of them ran.
    pub(crate) fn sum_and_union(&self, spans: &[u32]) -> (i64, i64) {
        let (mut sum, mut union, mut covered_until) = (0_i64, 0_i64, i64::MIN);
        for &span in spans {
            let (start, end) = (self.start[span as usize], self.end[span as usize]);
            sum = sum.saturating_add(end - start);
            union = union.saturating_add((end - start.max(covered_until)).max(0));
            covered_until = covered_until.max(end);
        }
        (sum, union)
    }

    /// Moves a span, and says so.
    pub(crate) fn shift(&mut self, position: usize, by: i64) {
        let duration = self.duration(position);
        let recorded = self.start[position];
        self.start[position] = recorded.saturating_add(by).clamp(-LONGEST_NS, LONGEST_NS);
        self.end[position] = self.start[position] + duration;
        self.shift[position] = self.start[position] - recorded;
    }

    /// From the earliest start to the latest end, as offsets; both zero when there is no span.
    pub(crate) fn bounds(&self) -> (i64, i64) {
        (
            self.start.iter().copied().min().unwrap_or(0),
            self.end.iter().copied().max().unwrap_or(0),
        )
    }
}
