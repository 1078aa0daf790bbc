//! A trace with all that is measured on it: what findings, summary and comparison read.

use model::{SpanBatch, Symbol};

use crate::facts::{self, Facts};
use crate::own::{self, Own};
use crate::path::{self, CriticalPath};
use crate::settings::Settings;
use crate::skew;
use crate::timeline::Timeline;
use crate::tree::Tree;

pub(crate) struct Trace<'a> {
    pub(crate) batch: &'a SpanBatch,
    pub(crate) settings: &'a Settings,
    pub(crate) tree: Tree,
    pub(crate) timeline: Timeline,
    /// Spans whose clock was not corrected since that would pass the bound.
    pub(crate) skew_refused: Vec<u32>,
    pub(crate) facts: Vec<Facts>,
    /// Whether some ancestor tells of a failure, be it one that was the caller's fault.
    pub(crate) failed_above: Vec<bool>,
    pub(crate) detached: Vec<bool>,
    pub(crate) paths: Vec<CriticalPath>,
    pub(crate) own: Own,
    /// Critical time before each position, and after the last: sums over subtrees are differences.
    critical_before: Vec<i64>,
    /// The root that shares are of, and what it is called in lists of traces.
    pub(crate) main_root: Option<usize>,
}

impl<'a> Trace<'a> {
    pub(crate) fn new(batch: &'a SpanBatch, settings: &'a Settings) -> Self {
        let tree = Tree::new(batch);
        let facts = facts::read(batch, &tree);
        let mut timeline = Timeline::recorded(batch, &tree);
        let skew_refused = if settings.correct_skew {
            skew::correct(batch, &tree, &facts, &mut timeline, settings)
        } else {
            Vec::new()
        };
        let detached = path::detached(&tree, &timeline, &facts, settings);
        let paths = path::critical_paths(&tree, &timeline, &detached, settings);
        let own = own::measure(batch, &tree, &timeline, &facts, &detached, &paths);
        let mut sum = 0_i64;
        let mut critical_before = vec![0];
        critical_before.extend(own.critical_ns.iter().map(|critical| {
            sum = sum.saturating_add(*critical);
            sum
        }));
        let main_root = main_root(&tree, &timeline);
        Self {
            batch,
            settings,
            failed_above: failed_above(&tree, &facts),
            tree,
            timeline,
            skew_refused,
            facts,
            detached,
            paths,
            own,
            critical_before,
            main_root,
        }
    }

    /// Time on the critical path of a span and all below it.
    pub(crate) fn critical_below(&self, position: usize) -> i64 {
        let end = self.tree.descendants(position).end;
        self.critical_before[end] - self.critical_before[position]
    }

    /// The sum of [`Self::critical_below`].
    pub(crate) fn critical_of(&self, positions: &[u32]) -> i64 {
        positions
            .iter()
            .map(|&position| self.critical_below(position as usize))
            .fold(0, i64::saturating_add)
    }

    /// Duration of the main root: what shares are of.
    pub(crate) fn total_ns(&self) -> i64 {
        self.main_root
            .map_or(0, |root| self.timeline.duration(root))
    }

    /// `time_ns` as a share of the main root.
    pub(crate) fn share(&self, time_ns: i64) -> f64 {
        match self.total_ns() {
            0 => 0.0,
            total => (time_ns as f64 / total as f64).clamp(0.0, 1.0),
        }
    }

    pub(crate) fn str(&self, symbol: Symbol) -> &'a str {
        self.batch.symbols.str(symbol)
    }

    pub(crate) fn service(&self, position: usize) -> &'a str {
        self.str(self.facts[position].service)
    }

    pub(crate) fn name(&self, position: usize) -> &'a str {
        self.str(self.facts[position].name)
    }

    /// The span as stored.
    pub(crate) fn span(&self, position: usize) -> &'a model::SpanRow {
        &self.batch.spans[self.tree.row(position)]
    }
}

fn failed_above(tree: &Tree, facts: &[Facts]) -> Vec<bool> {
    let mut failed_above = vec![false; tree.len()];
    // Parents come first.
    for position in 0..tree.len() {
        if let Some(parent) = tree.parent(position) {
            let above = &facts[parent];
            let tells = above.is_error || above.http_status >= 400;
            failed_above[position] = failed_above[parent] || tells;
        }
    }
    failed_above
}

/// The earliest root without a parent id, as in lists of traces; where there is none, the longest of the others.
fn main_root(tree: &Tree, timeline: &Timeline) -> Option<usize> {
    let is_true = |root: &u32| {
        tree.orphans().binary_search(root).is_err() && tree.circles().binary_search(root).is_err()
    };
    let roots = tree.roots();
    let true_root = roots.iter().find(|root| is_true(root));
    let longest = || {
        let longest = roots
            .iter()
            .max_by_key(|&&root| (timeline.duration(root as usize), std::cmp::Reverse(root)));
        longest.copied()
    };
    true_root
        .copied()
        .or_else(longest)
        .map(|root| root as usize)
}
