//! A few spans for each series, spread over time.
//!
//! While spans are counted, each group keeps one for each of some equal stretches of time, as long as all groups together have
//! not gathered far more than will be shown. In the end they are dealt out evenly among the series.

use hashbrown::HashMap;

use crate::{Exemplar, FoundSeries, Steps};

/// So many times as many are gathered as will be shown.
const GATHERED: usize = 4;

/// Exemplars of the groups of one query.
#[derive(Debug, Clone)]
pub(super) struct Exemplars {
    /// By group and stretch of time.
    held: HashMap<u64, Exemplar>,
    limit: usize,
    points_per_stretch: usize,
}

impl Exemplars {
    /// For `wanted` exemplars to be shown in the end.
    pub(super) fn new(wanted: usize, points: usize) -> Self {
        Self {
            held: HashMap::new(),
            limit: wanted.saturating_mul(GATHERED),
            points_per_stretch: points.div_ceil(wanted.max(1)).max(1),
        }
    }

    fn key(&self, group: u32, point: usize) -> u64 {
        u64::from(group) << 32 | (point / self.points_per_stretch) as u64
    }

    #[inline]
    pub(super) fn wants(&self, group: u32, point: usize) -> bool {
        self.held.len() < self.limit && !self.held.contains_key(&self.key(group, point))
    }

    pub(super) fn add(&mut self, group: u32, point: usize, exemplar: Exemplar) {
        if self.wants(group, point) {
            self.held.insert(self.key(group, point), exemplar);
        }
    }

    /// Takes those of another; `groups` tells what each of its groups is here.
    pub(super) fn merge(&mut self, other: Self, groups: &[u32]) {
        for (key, exemplar) in other.held {
            let ours = u64::from(groups[(key >> 32) as usize]) << 32 | key & u64::from(u32::MAX);
            if self.held.len() < self.limit {
                self.held.entry(ours).or_insert(exemplar);
            }
        }
    }

    /// Those of each group, by time.
    pub(super) fn finish(self, groups: usize) -> Vec<Vec<Exemplar>> {
        let mut found = vec![Vec::new(); groups];
        for (key, exemplar) in self.held {
            found[(key >> 32) as usize].push(exemplar);
        }
        found.iter_mut().for_each(|exemplars| by_time(exemplars));
        found
    }
}

fn by_time(exemplars: &mut [Exemplar]) {
    exemplars.sort_unstable_by_key(|exemplar| (exemplar.time, exemplar.trace_id, exemplar.span_id));
}

/// Leaves at most `wanted` in all series together, as evenly as can be, and none where a series has no point.
pub(super) fn deal(found: &mut [FoundSeries], wanted: usize, steps: &Steps) {
    let clock = steps.clock();
    for series in found.iter_mut() {
        let points = &series.points;
        let has_point = |exemplar: &Exemplar| {
            let point = clock.position(exemplar.time);
            point.is_some_and(|at| points.get(at).copied().flatten().is_some())
        };
        series.exemplars.retain(has_point);
        by_time(&mut series.exemplars);
        series.exemplars.dedup();
    }
    let mut left = wanted;
    let mut open: Vec<&mut FoundSeries> = found.iter_mut().collect();
    // Series with few take less than their share and leave more to the others.
    open.sort_by_key(|series| series.exemplars.len());
    let mut series_left = open.len();
    for series in open {
        let share = left.div_ceil(series_left);
        let count = series.exemplars.len();
        let kept = count.min(share).min(left);
        // Evenly over time.
        series.exemplars = (0..kept)
            .map(|at| series.exemplars[at * count / kept].clone())
            .collect();
        left -= kept;
        series_left -= 1;
    }
}
