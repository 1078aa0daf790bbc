//! A whole trace as a tree: its spans in pre-order, so that what is below a span are the next positions.
//!
//! Roots and children come by start, then span id. A span whose parent is not in the trace is a root of what is there. Parent
//! ids may be wrong in every way: of spans that are their own ancestors, the earliest is taken as a root, and what hangs below
//! stays below.

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use model::{DurationNanos, SpanBatch, SpanRow, UnixNanos};

use crate::node::{NONE, Node, number};
use crate::ordered::Follower;

/// A table with so many times more room than is needed is given back.
const FAR_TOO_LARGE: usize = 32;

/// One whole trace. Its spans are named by their positions in pre-order.
#[derive(Debug)]
pub struct Tree<'b> {
    batch: &'b SpanBatch,
    nodes: Vec<Node>,
    start: UnixNanos,
    end: UnixNanos,
    root: u32,
}

impl<'b> Tree<'b> {
    /// The tree of these rows of a batch, which are all spans of one trace. Of rows with one span id, the first counts.
    ///
    /// Costs O(n), and least when the rows are in pre-order; of siblings that are not, O(n log n). With many traces, a [`TreeBuilder`] saves memory from being fetched and given back for each.
    ///
    /// # Panics
    /// When the batch has no such row.
    pub fn new(batch: &'b SpanBatch, rows: &[u32]) -> Self {
        TreeBuilder::default().build(batch, rows)
    }

    /// What the spans are rows of.
    #[inline]
    pub fn batch(&self) -> &'b SpanBatch {
        self.batch
    }

    /// Spans.
    #[inline]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no span.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The span at a position.
    #[inline]
    pub fn span(&self, at: u32) -> &'b SpanRow {
        &self.batch.spans[self.row(at) as usize]
    }

    /// The row of the batch that the span at a position is.
    #[inline]
    pub fn row(&self, at: u32) -> u32 {
        self.nodes[at as usize].row
    }

    /// The position of the parent, where it is in the trace and not below.
    #[inline]
    pub fn parent(&self, at: u32) -> Option<u32> {
        let parent = self.nodes[at as usize].parent;
        (parent != NONE).then_some(parent)
    }

    /// Spans right below.
    #[inline]
    pub fn children(&self, at: u32) -> u32 {
        self.nodes[at as usize].children
    }

    /// The last position below a span; its own when there is nothing below.
    #[inline]
    pub fn last_below(&self, at: u32) -> u32 {
        at + self.nodes[at as usize].below
    }

    /// The numbers given to a span when it is entered and when it is left: roots from 1, one for each entering and leaving.
    pub fn numbers(&self, at: u32) -> (i64, i64) {
        let node = self.nodes[at as usize];
        // Every span before has been entered, and all but those above have been left.
        let entered = 2 * i64::from(at) - i64::from(node.depth) + 1;
        (entered, entered + 2 * i64::from(node.below) + 1)
    }

    /// Earliest start.
    pub fn start(&self) -> UnixNanos {
        self.start
    }

    /// Latest end, never before the earliest start.
    pub fn end(&self) -> UnixNanos {
        self.end
    }

    /// From earliest start to latest end.
    pub fn duration(&self) -> DurationNanos {
        self.end.since(self.start)
    }

    /// The earliest span without a parent id.
    pub fn root(&self) -> Option<u32> {
        (self.root != NONE).then_some(self.root)
    }
}

/// Builds trees one after another, reusing its memory.
///
/// In here, spans are named by their places in the list of distinct ones.
#[derive(Debug, Default)]
pub struct TreeBuilder {
    follower: Follower,
    /// The place of each span id.
    places: HashMap<u64, u32>,
    spans: Vec<Place>,
    parents: Vec<u32>,
    /// Where the children of each begin in `children`; those of none, the roots, come last.
    first_child: Vec<u32>,
    children: Vec<u32>,
    /// A span to visit, the position of its parent, and its depth.
    stack: Vec<(u32, u32, u32)>,
    /// In which walk each was seen.
    seen: Vec<u32>,
    /// The memory of a tree that is no longer needed.
    nodes: Vec<Node>,
}

/// What decides where a span comes: siblings by start, then id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    start: i64,
    id: u64,
    row: u32,
}

impl TreeBuilder {
    /// See [`Tree::new`].
    ///
    /// # Panics
    /// When the batch has no such row.
    pub fn build<'b>(&mut self, batch: &'b SpanBatch, rows: &[u32]) -> Tree<'b> {
        let mut nodes = std::mem::take(&mut self.nodes);
        if !self.follower.follow(&batch.spans, rows, &mut nodes) {
            self.order(&batch.spans, rows, &mut nodes);
        }
        for at in (0..nodes.len()).rev() {
            let Node { parent, below, .. } = nodes[at];
            if parent != NONE {
                nodes[parent as usize].below += below + 1;
            }
        }
        tree(batch, nodes)
    }

    /// These rows, whatever traces they are of, each as if it were alone: for what is asked of spans by themselves
    /// ([`is_of_span_alone`](crate::is_of_span_alone)). Of parents, roots and the time of a trace it tells nothing, and a span
    /// that is there twice counts twice. Positions are those of `rows`.
    pub fn side_by_side<'b>(&mut self, batch: &'b SpanBatch, rows: &[u32]) -> Tree<'b> {
        let mut nodes = std::mem::take(&mut self.nodes);
        nodes.clear();
        nodes.extend(rows.iter().map(|&row| Node::new(row, NONE, 0, 0)));
        Tree {
            batch,
            nodes,
            start: UnixNanos(0),
            end: UnixNanos(0),
            root: NONE,
        }
    }

    /// Makes nodes of rows in any order.
    fn order(&mut self, spans: &[SpanRow], rows: &[u32], nodes: &mut Vec<Node>) {
        self.find_spans(spans, rows);
        self.find_parents(spans);
        self.find_children();
        self.walk(nodes);
        if nodes.len() < self.spans.len() {
            self.cut_circles();
            self.find_children();
            self.walk(nodes);
        }
        debug_assert_eq!(nodes.len(), self.spans.len());
    }

    /// Lists each span id once.
    fn find_spans(&mut self, spans: &[SpanRow], rows: &[u32]) {
        // Emptying a table costs as much as it is large.
        if self.places.capacity() > FAR_TOO_LARGE * rows.len().max(64) {
            self.places = HashMap::new();
        }
        self.places.clear();
        self.places.reserve(rows.len());
        self.spans.clear();
        for &row in rows {
            let span = &spans[row as usize];
            let id = number(span.span_id);
            if let Entry::Vacant(entry) = self.places.entry(id) {
                entry.insert(self.spans.len() as u32);
                let start = span.start.0;
                self.spans.push(Place { start, id, row });
            }
        }
    }

    /// Takes the memory of a tree that is no longer needed.
    pub fn recycle(&mut self, tree: Tree<'_>) {
        self.nodes = tree.nodes;
    }

    fn find_parents(&mut self, spans: &[SpanRow]) {
        self.parents.clear();
        // Siblings often stand together.
        let (mut last_id, mut last) = (0, NONE);
        for &Place { id, row, .. } in &self.spans {
            let parent_id = number(spans[row as usize].parent_span_id);
            if parent_id != last_id {
                last_id = parent_id;
                last = self.places.get(&parent_id).copied().unwrap_or(NONE);
            }
            self.parents.push(if parent_id == id { NONE } else { last });
        }
    }

    /// Lists the children of each by start, then id.
    fn find_children(&mut self) {
        let count = self.parents.len();
        let group = |parent: u32| (parent as usize).min(count);
        // Counted two places behind, summed up to one behind; filling then moves each to its own place.
        self.first_child.clear();
        self.first_child.resize(count + 3, 0);
        for &parent in &self.parents {
            self.first_child[group(parent) + 2] += 1;
        }
        for at in 1..count + 3 {
            self.first_child[at] += self.first_child[at - 1];
        }
        self.children.clear();
        self.children.resize(count, 0);
        for (span, &parent) in self.parents.iter().enumerate() {
            let place = &mut self.first_child[group(parent) + 1];
            self.children[*place as usize] = span as u32;
            *place += 1;
        }
        let spans = &self.spans;
        for bounds in self.first_child[..count + 2].windows(2) {
            let siblings = &mut self.children[bounds[0] as usize..bounds[1] as usize];
            if siblings.len() > 1 {
                siblings.sort_unstable_by_key(|span| spans[*span as usize]);
            }
        }
    }

    fn children_of(&self, span: usize) -> &[u32] {
        &self.children[self.first_child[span] as usize..self.first_child[span + 1] as usize]
    }

    /// Visits everything that hangs below roots, in pre-order.
    fn walk(&mut self, nodes: &mut Vec<Node>) {
        nodes.clear();
        nodes.reserve(self.spans.len());
        let mut stack = std::mem::take(&mut self.stack);
        let roots = self.children_of(self.spans.len()).iter().rev();
        stack.extend(roots.map(|root| (*root, NONE, 0)));
        while let Some((span, parent, depth)) = stack.pop() {
            let at = nodes.len() as u32;
            let children = self.children_of(span as usize);
            let row = self.spans[span as usize].row;
            nodes.push(Node::new(row, parent, depth, children.len() as u32));
            stack.extend(children.iter().rev().map(|child| (*child, at, depth + 1)));
        }
        self.stack = stack;
    }

    /// Makes the earliest span of each circle a root.
    fn cut_circles(&mut self) {
        let count = self.parents.len();
        self.seen.clear();
        self.seen.resize(count, NONE);
        for walk in 0..count as u32 {
            let mut at = walk;
            while at != NONE && self.seen[at as usize] == NONE {
                self.seen[at as usize] = walk;
                at = self.parents[at as usize];
            }
            // A walk that meets itself has been round; one that meets another has joined it.
            if at != NONE && self.seen[at as usize] == walk {
                let mut earliest = at;
                let mut next = self.parents[at as usize];
                while next != at {
                    if self.spans[next as usize] < self.spans[earliest as usize] {
                        earliest = next;
                    }
                    next = self.parents[next as usize];
                }
                self.parents[earliest as usize] = NONE;
            }
        }
    }
}

fn tree(batch: &SpanBatch, nodes: Vec<Node>) -> Tree<'_> {
    let mut tree = Tree {
        batch,
        nodes,
        start: UnixNanos(i64::MAX),
        end: UnixNanos(i64::MIN),
        root: NONE,
    };
    let mut earliest = None;
    for at in 0..tree.nodes.len() as u32 {
        let span = tree.span(at);
        tree.start = tree.start.min(span.start);
        tree.end = tree.end.max(span.end()).max(span.start);
        if span.is_root() && earliest.is_none_or(|known| (span.start, span.span_id) < known) {
            earliest = Some((span.start, span.span_id));
            tree.root = at;
        }
    }
    if tree.is_empty() {
        tree.start = UnixNanos(0);
    }
    tree.end = tree.end.max(tree.start);
    tree
}
