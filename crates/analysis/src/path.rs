//! The critical path: which span the end of the root was waiting for, at each moment.
//!
//! Walked back from the end of a root: of its blocking children the one that ended last before the present moment was
//! waited for; the time between that end and the moment is the parent's own; so on inside the child, and before its
//! start. The sections of a root partition its time exactly: they touch, and none overlaps another.
//!
//! ```text
//! root    ├──────────────────────────────┤
//!   a      ├──────┤                          sections: root a root b c root
//!   b               ├──────┤                 b and c touch, and both are on the path
//!   c                      ├──────┤
//! ```
//!
//! A child that nobody waited for is *detached*, and not on the path with all below it: the consumer of a message in
//! another process, and a child that ends after its parent, unless it is the server of a client that gave up waiting.
//! Where a child sticks out by [`noise`](crate::Settings::noise_ns) only, or before the start, it is cut to its parent.

use model::SpanKind;
use serde::Serialize;

use crate::facts::Facts;
use crate::settings::Settings;
use crate::timeline::Timeline;
use crate::tree::Tree;

/// A stretch of time that is one span's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Section {
    /// Position of the span.
    pub span: u32,
    /// Offset of the start.
    pub start_ns: i64,
    /// Offset of the end; after the start.
    pub end_ns: i64,
}

impl Section {
    /// How long it is.
    pub fn duration_ns(&self) -> i64 {
        self.end_ns - self.start_ns
    }
}

/// The critical path of one root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CriticalPath {
    /// Position of the root.
    pub root: u32,
    /// Earliest first. They partition the time of the root; a root without length has none.
    pub sections: Vec<Section>,
}

/// Whether nobody waits for a child, by position; roots are not detached.
pub(crate) fn detached(
    tree: &Tree,
    timeline: &Timeline,
    facts: &[Facts],
    settings: &Settings,
) -> Vec<bool> {
    let is_detached = |child: usize| {
        let Some(parent) = tree.parent(child) else {
            return false;
        };
        let (above, below) = (&facts[parent], &facts[child]);
        let is_message = below.kind == SpanKind::Consumer
            && (above.kind == SpanKind::Producer || above.service != below.service);
        let is_call = above.kind == SpanKind::Client && below.kind == SpanKind::Server;
        let late = timeline.end[child] - timeline.end[parent];
        let outlives = late > settings.noise(timeline.duration(child));
        is_message || (outlives && !is_call)
    };
    (0..tree.len()).map(is_detached).collect()
}

/// The critical path of every root, in the order of the roots. O(n log n), without recursion.
pub(crate) fn critical_paths(
    tree: &Tree,
    timeline: &Timeline,
    detached: &[bool],
    settings: &Settings,
) -> Vec<CriticalPath> {
    let mut walk = Walk {
        tree,
        timeline,
        detached,
        settings,
        windows: vec![None; tree.len()],
        sections: Vec::new(),
        children: Vec::new(),
    };
    let paths = tree.roots().iter().map(|&root| walk.path(root));
    paths.collect()
}

struct Walk<'a> {
    tree: &'a Tree,
    timeline: &'a Timeline,
    detached: &'a [bool],
    settings: &'a Settings,
    /// For spans on the path, the time in which they are: set by the parent, which comes first in pre-order.
    windows: Vec<Option<(i64, i64)>>,
    sections: Vec<Section>,
    children: Vec<u32>,
}

impl Walk<'_> {
    fn path(&mut self, root: u32) -> CriticalPath {
        let first = root as usize;
        self.windows[first] = Some((self.timeline.start[first], self.timeline.end[first]));
        for span in first..self.tree.descendants(first).end {
            if let Some((start, end)) = self.windows[span] {
                self.divide(span, start, end);
            }
        }
        let mut sections = std::mem::take(&mut self.sections);
        sections.sort_unstable_by_key(|section| section.start_ns);
        CriticalPath { root, sections }
    }

    /// Divides the time of a span between itself and the children that it waited for.
    fn divide(&mut self, span: usize, start: i64, end: i64) {
        let mut children = std::mem::take(&mut self.children);
        children.clear();
        let waited_for = self
            .tree
            .children(span)
            .filter(|&child| !self.detached[child]);
        children.extend(waited_for.map(|child| child as u32));
        // Stable: of equal ends the first child wins.
        children.sort_by_key(|&child| std::cmp::Reverse(self.timeline.end[child as usize]));
        let mut moment = end;
        for &child in &children {
            let child = child as usize;
            let child_start = self.timeline.start[child].max(start);
            // A child that sticks out of its parent ends with it; one that was still running while the next child ran was
            // not waited for at this moment, and as moments go back, at none.
            let recorded_end = self.timeline.end[child].min(end);
            let overlap = recorded_end - moment;
            if overlap > self.settings.noise(self.timeline.duration(child)) {
                continue;
            }
            let child_end = recorded_end.min(moment);
            if child_start >= child_end {
                continue;
            }
            self.section(span, child_end, moment);
            self.windows[child] = Some((child_start, child_end));
            moment = child_start;
        }
        self.section(span, start, moment);
        self.children = children;
    }

    fn section(&mut self, span: usize, start_ns: i64, end_ns: i64) {
        if start_ns < end_ns {
            self.sections.push(Section {
                span: span as u32,
                start_ns,
                end_ns,
            });
        }
    }
}
