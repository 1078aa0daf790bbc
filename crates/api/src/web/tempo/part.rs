//! A part of a trace: the spans that match a query, and as much of what is above and below them as is wanted.

use std::sync::Arc;

use evaluate::{Matcher, Tree};
use model::SpanBatch;
use traceql::query::Body;

/// Which part.
#[derive(Debug)]
pub(super) struct Part {
    /// A search; it may split spansets and relate spans as any other.
    pub(super) query: Arc<traceql::Query>,
    /// Levels of ancestors kept above a match.
    pub(super) above: u32,
    /// Levels of descendants kept below a match.
    pub(super) below: u32,
}

impl Part {
    /// Removes the other spans of a trace.
    pub(super) fn take(&self, trace: &mut SpanBatch) {
        let Body::Search(pipeline) = &self.query.body else {
            return;
        };
        let rows: Vec<u32> = (0..trace.len() as u32).collect();
        let tree = Tree::new(trace, &rows);
        let mut matches = vec![false; tree.len()];
        for spanset in Matcher::new(pipeline).run(&tree) {
            for at in spanset.spans {
                matches[at as usize] = true;
            }
        }
        let mut kept = vec![false; trace.len()];
        for at in self.around(&tree, &matches) {
            kept[tree.row(at) as usize] = true;
        }
        let mut kept = kept.into_iter();
        trace.spans.retain(|_| kept.next().unwrap_or(false));
    }

    /// The matches and what is near enough. Parents come before their children in a tree, so one pass down and one up do.
    fn around(&self, tree: &Tree<'_>, matches: &[bool]) -> impl Iterator<Item = u32> {
        // Levels that are still wanted from a span on, and one more when it is wanted itself.
        let wanted = |levels: u32| {
            let of_match = levels.saturating_add(1);
            matches.iter().map(move |is| if *is { of_match } else { 0 })
        };
        let mut below: Vec<u32> = wanted(self.below).collect();
        let mut above: Vec<u32> = wanted(self.above).collect();
        let all = 0..tree.len() as u32;
        for at in all.clone() {
            if let Some(parent) = tree.parent(at) {
                let handed = below[parent as usize].saturating_sub(1);
                below[at as usize] = below[at as usize].max(handed);
            }
        }
        for at in all.clone().rev() {
            if let Some(parent) = tree.parent(at) {
                let handed = above[at as usize].saturating_sub(1);
                above[parent as usize] = above[parent as usize].max(handed);
            }
        }
        all.filter(move |at| below[*at as usize].max(above[*at as usize]) > 0)
    }
}
