//! A trace as a tree: who is whose parent.

use model::{DurationNanos, SpanId, UnixNanos};

use crate::trace::{Span, Trace};

/// A trace whose spans know their parents. Spans are named by their position in [`Tree::spans`].
#[derive(Debug)]
pub struct Tree<'t> {
    /// The trace.
    pub trace: &'t Trace,
    /// Its spans, each id once.
    pub spans: Vec<&'t Span>,
    /// The parent of each, where it is in the trace.
    pub parents: Vec<Option<usize>>,
    /// The numbers given to each when it is entered and left.
    pub numbers: Vec<(i64, i64)>,
}

impl<'t> Tree<'t> {
    /// The tree of a trace.
    pub fn new(trace: &'t Trace) -> Self {
        let mut spans: Vec<&Span> = Vec::new();
        for span in &trace.spans {
            if spans.iter().all(|known| known.id != span.id) {
                spans.push(span);
            }
        }
        let parents = parents(&spans);
        let numbers = vec![(0, 0); spans.len()];
        let mut tree = Self {
            trace,
            spans,
            parents,
            numbers,
        };
        tree.number(None, &mut 0);
        tree
    }

    /// Numbers the children of a span, or the roots, and all below them: one on entering a span, one on leaving it.
    fn number(&mut self, parent: Option<usize>, last: &mut i64) {
        for child in self.children(parent) {
            *last += 1;
            self.numbers[child].0 = *last;
            self.number(Some(child), last);
            *last += 1;
            self.numbers[child].1 = *last;
        }
    }

    /// The children of a span, or the roots, by start and then id.
    pub fn children(&self, parent: Option<usize>) -> Vec<usize> {
        let mut children: Vec<_> = (0..self.spans.len())
            .filter(|span| self.parents[*span] == parent)
            .collect();
        children.sort_by_key(|span| (self.spans[*span].start, self.spans[*span].id));
        children
    }

    /// Whether `above` is the parent of `span`, or the parent of its parent, and so on.
    pub fn is_above(&self, above: usize, span: usize) -> bool {
        let mut at = span;
        while let Some(parent) = self.parents[at] {
            if parent == above {
                return true;
            }
            at = parent;
        }
        false
    }

    /// The earliest span without a parent id.
    pub fn root(&self) -> Option<&'t Span> {
        self.spans
            .iter()
            .copied()
            .filter(|span| span.parent == SpanId::ZERO)
            .min_by_key(|span| (span.start, span.id))
    }

    /// Latest end minus earliest start; a span that is recorded to end before it begins ends when it begins.
    pub fn duration(&self) -> DurationNanos {
        let start = self.spans.iter().map(|span| span.start).min();
        let ends = self.spans.iter().map(|span| span.end().max(span.start));
        let (start, end) = (
            start.unwrap_or(UnixNanos(0)),
            ends.max().unwrap_or(UnixNanos(0)),
        );
        end.since(start)
    }
}

fn parents(spans: &[&Span]) -> Vec<Option<usize>> {
    let mut parents: Vec<Option<usize>> = spans
        .iter()
        .map(|span| {
            let is_parent = |other: &&Span| other.id == span.parent && other.id != span.id;
            spans.iter().position(is_parent)
        })
        .collect();
    // Each circle is cut at its earliest span.
    for start in 0..spans.len() {
        let circle = circle(&parents, start);
        let earliest = circle
            .into_iter()
            .min_by_key(|span| (spans[*span].start, spans[*span].id));
        if let Some(earliest) = earliest {
            parents[earliest] = None;
        }
    }
    parents
}

/// The spans of the circle that `start` is part of; none when it is part of none.
fn circle(parents: &[Option<usize>], start: usize) -> Vec<usize> {
    let mut circle = vec![start];
    let mut at = start;
    // A walk that has not come back after as many steps as there are spans goes round elsewhere.
    for _ in 0..parents.len() {
        match parents[at] {
            Some(parent) if parent == start => return circle,
            Some(parent) => {
                circle.push(parent);
                at = parent;
            }
            None => return Vec::new(),
        }
    }
    Vec::new()
}
