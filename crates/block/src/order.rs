//! The order of spans inside a trace: pre-order, so that descendants are a range of rows.
//!
//! Roots and children come by start time, then span id. A span whose parent is not here counts as a root of what is
//! here. Parent ids may be wrong in every way: where spans are each other's ancestors, the earliest of the circle is cut
//! off from its parent and becomes a root that names its parent by id, so every span comes exactly once.

use model::{SpanBatch, SpanId, SpanRow};

/// A row of the block, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderedRow {
    /// The row of the batch.
    pub row: u32,
    /// Rows back to the parent; 0 when the parent is not here.
    pub parent: u32,
    /// Descendants: they are the next rows.
    pub subtree: u32,
}

const NONE: u32 = u32::MAX;

/// Orders traces one after another, reusing its memory.
#[derive(Debug, Default)]
pub struct TraceOrder {
    /// (span id, row) by id: distinct spans of the trace. Positions in here name spans below.
    by_id: Vec<(u64, u32)>,
    parent: Vec<u32>,
    first_child: Vec<u32>,
    next_sibling: Vec<u32>,
    /// Positions, latest first, so that linking each in front of its siblings leaves them earliest first.
    latest_first: Vec<(i64, u32)>,
    visited: Vec<bool>,
    stack: Vec<(u32, u32)>,
}

impl TraceOrder {
    /// Appends the rows of one trace to `out`, ordered, each span id once (of several rows the lowest). Gives the number
    /// of rows left out.
    ///
    /// Costs O(n log n); no recursion, whatever the depth.
    pub fn order(&mut self, batch: &SpanBatch, rows: &[u32], out: &mut Vec<OrderedRow>) -> usize {
        let spans = &batch.spans;
        self.by_id.clear();
        self.by_id.extend(
            rows.iter()
                .map(|&row| (key(spans[row as usize].span_id), row)),
        );
        self.by_id.sort_unstable();
        self.by_id.dedup_by_key(|&mut (id, _)| id);
        self.link(spans);
        let from = out.len();
        // Latest first on a stack: earliest comes out first.
        for at in 0..self.latest_first.len() {
            let position = self.latest_first[at].1;
            if self.parent[position as usize] == NONE {
                self.stack.push((position, 0));
            }
        }
        self.walk(from, out);
        // What is left goes round in a circle, or hangs below one.
        for at in (0..self.latest_first.len()).rev() {
            let position = self.latest_first[at].1;
            if !self.visited[position as usize] {
                let cut = self.earliest_of_circle(spans, position);
                self.stack.push((cut, 0));
                self.walk(from, out);
            }
        }
        count_subtrees(&mut out[from..]);
        debug_assert_eq!(out.len() - from, self.by_id.len());
        rows.len() - self.by_id.len()
    }

    fn link(&mut self, spans: &[SpanRow]) {
        let count = self.by_id.len();
        for list in [
            &mut self.parent,
            &mut self.first_child,
            &mut self.next_sibling,
        ] {
            list.clear();
            list.resize(count, NONE);
        }
        self.visited.clear();
        self.visited.resize(count, false);
        self.latest_first.clear();
        let by_id = &self.by_id;
        self.latest_first.extend(
            by_id
                .iter()
                .enumerate()
                .map(|(position, &(_, row))| (spans[row as usize].start.0, position as u32)),
        );
        self.latest_first
            .sort_unstable_by(|left, right| right.cmp(left));
        for &(_, position) in &self.latest_first {
            let span = &spans[by_id[position as usize].1 as usize];
            if span.parent_span_id == SpanId::ZERO || span.parent_span_id == span.span_id {
                continue;
            }
            let parent_key = key(span.parent_span_id);
            if let Ok(parent) = by_id.binary_search_by_key(&parent_key, |&(id, _)| id) {
                self.parent[position as usize] = parent as u32;
                self.next_sibling[position as usize] = self.first_child[parent];
                self.first_child[parent] = position;
            }
        }
    }

    /// The earliest span of the circle that the ancestors of `position` end in. All of them must have parents. Costs a few
    /// steps for each, and all that hangs on a circle is reached from it, so each circle is looked for once.
    fn earliest_of_circle(&self, spans: &[SpanRow], position: u32) -> u32 {
        let parent = |position: u32| self.parent[position as usize];
        let (mut slow, mut fast) = (position, position);
        loop {
            slow = parent(slow);
            fast = parent(parent(fast));
            if slow == fast {
                break;
            }
        }
        let start = |position: u32| spans[self.by_id[position as usize].1 as usize].start;
        let (mut earliest, mut at) = (slow, parent(slow));
        while at != slow {
            if (start(at), at) < (start(earliest), earliest) {
                earliest = at;
            }
            at = parent(at);
        }
        earliest
    }

    /// Empties the stack of (position, row of the parent + 1 counted from `from`, or 0).
    fn walk(&mut self, from: usize, out: &mut Vec<OrderedRow>) {
        while let Some((position, parent)) = self.stack.pop() {
            if std::mem::replace(&mut self.visited[position as usize], true) {
                continue;
            }
            let here = (out.len() - from) as u32;
            let distance = if parent == 0 { 0 } else { here + 1 - parent };
            out.push(OrderedRow {
                row: self.by_id[position as usize].1,
                parent: distance,
                subtree: 0,
            });
            let children = self.stack.len();
            let mut child = self.first_child[position as usize];
            while child != NONE {
                if !self.visited[child as usize] {
                    self.stack.push((child, here + 1));
                }
                child = self.next_sibling[child as usize];
            }
            self.stack[children..].reverse();
        }
    }
}

fn count_subtrees(rows: &mut [OrderedRow]) {
    for at in (0..rows.len()).rev() {
        let OrderedRow {
            parent, subtree, ..
        } = rows[at];
        if parent > 0 {
            rows[at - parent as usize].subtree += subtree + 1;
        }
    }
}

#[inline]
fn key(id: SpanId) -> u64 {
    u64::from_be_bytes(id.0)
}

#[cfg(test)]
mod tests {
    use model::{
        DurationNanos, NO_EXTRA, Range32, SpanKind, StatusCode, Symbol, TraceId, UnixNanos,
    };
    use proptest::prelude::*;

    use super::*;

    fn id(number: u8) -> SpanId {
        let mut id = SpanId::ZERO;
        id.0[7] = number;
        id
    }

    /// Spans as (id, parent, start); parent 0 is none.
    fn batch(spans: &[(u8, u8, i64)]) -> SpanBatch {
        let mut batch = SpanBatch::default();
        batch
            .spans
            .extend(spans.iter().map(|&(span, parent, start)| SpanRow {
                trace_id: TraceId([1; 16]),
                span_id: id(span),
                parent_span_id: id(parent),
                start: UnixNanos(start),
                duration: DurationNanos(1),
                name: Symbol::EMPTY,
                resource: 0,
                attributes: Range32::default(),
                extra: NO_EXTRA,
                flags: 0,
                kind: SpanKind::Internal,
                status: StatusCode::Unset,
            }));
        batch
    }

    fn drawn(spans: &[(u8, u8, i64)]) -> String {
        let batch = batch(spans);
        let rows: Vec<u32> = (0..spans.len() as u32).collect();
        let mut out = Vec::new();
        TraceOrder::default().order(&batch, &rows, &mut out);
        let mut depths: Vec<usize> = Vec::new();
        let mut text = String::new();
        for (at, row) in out.iter().enumerate() {
            let depth = if row.parent == 0 {
                0
            } else {
                depths[at - row.parent as usize] + 1
            };
            depths.push(depth);
            let span = batch.spans[row.row as usize].span_id.0[7];
            text += &format!("{}{span}+{}\n", "  ".repeat(depth), row.subtree);
        }
        text
    }

    #[test]
    fn children_come_by_start_below_their_parent() {
        let drawn = drawn(&[(3, 1, 30), (1, 0, 0), (4, 3, 31), (2, 1, 10), (9, 7, 5)]);
        assert_eq!(drawn, "1+3\n  2+0\n  3+1\n    4+0\n9+0\n");
    }

    #[test]
    fn a_circle_is_cut_at_its_earliest_span() {
        assert_eq!(
            drawn(&[(1, 2, 5), (2, 1, 3), (3, 1, 9), (4, 4, 1)]),
            "4+0\n2+2\n  1+1\n    3+0\n"
        );
    }

    #[test]
    fn what_hangs_below_a_circle_keeps_its_parent_however_early_it_is() {
        assert_eq!(
            drawn(&[(1, 2, 5), (2, 1, 6), (3, 1, 1)]),
            "1+2\n  3+0\n  2+0\n"
        );
    }

    proptest! {
        #[test]
        fn every_span_comes_once_and_descendants_are_the_next_rows(
            spans in proptest::collection::vec((1u8..12, 0u8..12, 0i64..6), 1..14)
        ) {
            let batch = batch(&spans);
            let rows: Vec<u32> = (0..spans.len() as u32).collect();
            let mut out = Vec::new();
            let left_out = TraceOrder::default().order(&batch, &rows, &mut out);
            let mut ids: Vec<u8> = out.iter().map(|row| batch.spans[row.row as usize].span_id.0[7]).collect();
            ids.sort_unstable();
            let mut expected: Vec<u8> = spans.iter().map(|span| span.0).collect();
            expected.sort_unstable();
            expected.dedup();
            prop_assert_eq!(&ids, &expected);
            prop_assert_eq!(left_out, spans.len() - expected.len());
            for (at, row) in out.iter().enumerate() {
                let is_descendant = |mut other: usize| loop {
                    if other == at { break true; }
                    match out[other].parent as usize { 0 => break false, back => other -= back }
                };
                let descendants = (0..out.len()).filter(|&other| other != at && is_descendant(other)).count();
                prop_assert_eq!(row.subtree as usize, descendants);
                prop_assert!((at + 1..=at + descendants).all(is_descendant));
            }
        }

        #[test]
        fn only_the_earliest_of_a_circle_loses_its_parent(
            spans in proptest::collection::vec((1u8..12, 0u8..12, 0i64..6), 1..14)
        ) {
            let batch = batch(&spans);
            let rows: Vec<u32> = (0..spans.len() as u32).collect();
            let mut out = Vec::new();
            TraceOrder::default().order(&batch, &rows, &mut out);
            let span = |row: &OrderedRow| spans[row.row as usize];
            let parent = |(id, parent, _): (u8, u8, i64)| {
                let found = out.iter().map(span).find(|other| other.0 == parent);
                found.filter(|_| parent != id)
            };
            for (at, row) in out.iter().enumerate() {
                match (row.parent, parent(span(row))) {
                    (0, None) => {}
                    (0, Some(first)) => {
                        let mut above = first;
                        // It comes back to itself within as many steps as there are spans, or the assertion fails.
                        for _ in 0..out.len() {
                            if above == span(row) {
                                break;
                            }
                            prop_assert!((span(row).2, span(row).0) < (above.2, above.0));
                            above = parent(above).unwrap_or(above);
                        }
                        prop_assert_eq!(above, span(row));
                    }
                    (back, found) => prop_assert_eq!(Some(span(&out[at - back as usize])), found),
                }
            }
        }
    }
}
