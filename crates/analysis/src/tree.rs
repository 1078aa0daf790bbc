//! The tree of a trace, flat: spans in pre-order with numbers beside them.
//!
//! ```text
//! position  0 checkout          depth 0   descendants 4   parent none
//!           1 ├ cart            depth 1   descendants 1   parent 0
//!           2 │ └ redis         depth 2   descendants 0   parent 1
//!           3 ├ payment         depth 1   descendants 0   parent 0
//!           4 └ mail            depth 1   descendants 0   parent 0
//! ```
//!
//! A subtree is a range of positions, so children and descendants are walked without lists. Any input gives a tree: an
//! orphan (its parent is not among the spans) is a root, a circle of parents is cut at its earliest span, and of spans
//! with one id the earliest is kept. The exception is the pair of client and server that share an id, as Zipkin's
//! libraries write it: the server becomes a child of the client, and the children of both are the server's.

use model::{SpanBatch, SpanId, SpanKind};

/// No position.
pub(crate) const NONE: u32 = u32::MAX;

/// The tree. All columns are by position, which is what the whole analysis names spans by.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// Row of the batch.
    rows: Vec<u32>,
    parent: Vec<u32>,
    depth: Vec<u32>,
    descendants: Vec<u32>,
    roots: Vec<u32>,
    orphans: Vec<u32>,
    circles: Vec<u32>,
    shared: Vec<u32>,
    duplicates: Vec<u32>,
}

impl Tree {
    /// Builds the tree of all spans of a batch, which should be those of one trace. Roots and siblings come by start, of
    /// equal starts the longer first, then by id.
    ///
    /// Costs O(n log n), without recursion.
    pub fn new(batch: &SpanBatch) -> Self {
        let links = Links::new(batch);
        let mut walk = Walk::new(&links);
        walk.roots();
        walk.circles();
        walk.finish()
    }

    /// Spans in the tree.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no span.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row of the batch at a position.
    pub fn row(&self, position: usize) -> usize {
        self.rows[position] as usize
    }

    /// The parent; `None` for roots of every sort.
    pub fn parent(&self, position: usize) -> Option<usize> {
        let parent = self.parent[position];
        (parent != NONE).then_some(parent as usize)
    }

    /// Ancestors up to the root.
    pub fn depth(&self, position: usize) -> u32 {
        self.depth[position]
    }

    /// The positions below a span; they are the next ones.
    pub fn descendants(&self, position: usize) -> std::ops::Range<usize> {
        position + 1..position + 1 + self.descendants[position] as usize
    }

    /// The children of a span, by recorded start.
    pub fn children(&self, position: usize) -> impl Iterator<Item = usize> + '_ {
        let below = self.descendants(position);
        let mut next = below.start;
        std::iter::from_fn(move || {
            let child = next;
            (child < below.end).then(|| {
                next = self.descendants(child).end;
                child
            })
        })
    }

    /// The parent and its parents, nearest first.
    pub fn ancestors(&self, position: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(self.parent(position), |&above| self.parent(above))
    }

    /// Positions without a parent in the tree: true roots, orphans and cut circles, by recorded start.
    pub fn roots(&self) -> &[u32] {
        &self.roots
    }

    /// Roots that name a parent which is not among the spans.
    pub fn orphans(&self) -> &[u32] {
        &self.orphans
    }

    /// Roots that are their own ancestors by what they say; each stands for one circle that was cut here.
    pub fn circles(&self) -> &[u32] {
        &self.circles
    }

    /// Server spans that have the id of their client.
    pub fn shared(&self) -> &[u32] {
        &self.shared
    }

    /// Rows of the batch that are left out because an earlier span has their id.
    pub fn duplicate_rows(&self) -> &[u32] {
        &self.duplicates
    }
}

/// Who is whose child, in *ranks*: places in the order of siblings.
struct Links {
    /// Rows by rank.
    rows: Vec<u32>,
    kept: Vec<bool>,
    parent: Vec<u32>,
    first_child: Vec<u32>,
    next_sibling: Vec<u32>,
    orphans: Vec<u32>,
    own_parents: Vec<u32>,
    shared: Vec<u32>,
    duplicates: Vec<u32>,
}

impl Links {
    fn new(batch: &SpanBatch) -> Self {
        let rows = rows_by_start(batch);
        let count = rows.len();
        let mut links = Self {
            kept: vec![true; count],
            parent: vec![NONE; count],
            first_child: vec![NONE; count],
            next_sibling: vec![NONE; count],
            orphans: Vec::new(),
            own_parents: Vec::new(),
            shared: Vec::new(),
            duplicates: Vec::new(),
            rows,
        };
        let by_id = links.distinct_ids(batch);
        links.find_parents(batch, &by_id);
        // Latest first, each in front of its siblings, leaves them earliest first.
        for rank in (0..count).rev() {
            let parent = links.parent[rank];
            if links.kept[rank] && parent != NONE {
                links.next_sibling[rank] = links.first_child[parent as usize];
                links.first_child[parent as usize] = rank as u32;
            }
        }
        links
    }

    /// Marks what is not kept, links shared pairs, and gives (id, rank that children of this id hang below), sorted.
    fn distinct_ids(&mut self, batch: &SpanBatch) -> Vec<(u64, u32)> {
        let mut ids: Vec<(u64, u32)> = (0..self.rows.len() as u32)
            .map(|rank| {
                (
                    key(batch.spans[self.rows[rank as usize] as usize].span_id),
                    rank,
                )
            })
            .collect();
        ids.sort_unstable();
        let mut targets = Vec::with_capacity(ids.len());
        for group in ids.chunk_by(|left, right| left.0 == right.0) {
            let kind = |rank: u32| batch.spans[self.rows[rank as usize] as usize].kind;
            let of = |wanted| {
                group
                    .iter()
                    .map(|&(_, rank)| rank)
                    .find(|&rank| kind(rank) == wanted)
            };
            let (first, below) = match (of(SpanKind::Client), of(SpanKind::Server)) {
                (Some(client), Some(server)) => {
                    self.parent[server as usize] = client;
                    self.shared.push(server);
                    (client, server)
                }
                _ => (group[0].1, group[0].1),
            };
            for &(_, rank) in group {
                if rank != first && rank != below {
                    self.kept[rank as usize] = false;
                    self.duplicates.push(self.rows[rank as usize]);
                }
            }
            targets.push((group[0].0, below));
        }
        targets
    }

    /// Looks up all parents at once: two sorted lists meet in one pass, where a search for each would jump about.
    fn find_parents(&mut self, batch: &SpanBatch, by_id: &[(u64, u32)]) {
        let mut wanted: Vec<(u64, u32)> = Vec::with_capacity(self.rows.len());
        for (rank, &row) in self.rows.iter().enumerate() {
            let span = &batch.spans[row as usize];
            let is_linked = self.parent[rank] != NONE;
            if !self.kept[rank] || is_linked || span.is_root() {
                continue;
            }
            if span.parent_span_id == span.span_id {
                self.own_parents.push(rank as u32);
            } else {
                wanted.push((key(span.parent_span_id), rank as u32));
            }
        }
        wanted.sort_unstable();
        let mut known = by_id.iter().peekable();
        for (parent, rank) in wanted {
            while known.next_if(|(id, _)| *id < parent).is_some() {}
            match known.peek() {
                Some(&&(id, target)) if id == parent => self.parent[rank as usize] = target,
                _ => self.orphans.push(rank),
            }
        }
    }
}

fn rows_by_start(batch: &SpanBatch) -> Vec<u32> {
    let mut keyed: Vec<(i64, i64, u64, u32)> = batch
        .spans
        .iter()
        .enumerate()
        .map(|(row, span)| {
            let longest_first = !span.duration.0;
            (span.start.0, longest_first, key(span.span_id), row as u32)
        })
        .collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(.., row)| row).collect()
}

/// Visits ranks in pre-order.
struct Walk<'a> {
    links: &'a Links,
    /// Position by rank, once visited.
    position: Vec<u32>,
    stack: Vec<u32>,
    tree: Tree,
}

impl<'a> Walk<'a> {
    fn new(links: &'a Links) -> Self {
        Self {
            links,
            position: vec![NONE; links.rows.len()],
            stack: Vec::new(),
            tree: Tree::default(),
        }
    }

    fn roots(&mut self) {
        for rank in 0..self.links.rows.len() {
            if self.links.kept[rank] && self.links.parent[rank] == NONE {
                self.from(rank as u32);
            }
        }
    }

    /// What the roots do not lead to hangs below circles.
    fn circles(&mut self) {
        for rank in 0..self.links.rows.len() {
            if self.links.kept[rank] && self.position[rank] == NONE {
                let cut = self.earliest_of_circle(rank as u32);
                self.tree.circles.push(self.tree.rows.len() as u32);
                self.from(cut);
            }
        }
    }

    /// The least rank on the circle that the ancestors of `start` end in. It takes at most as many steps as the walk
    /// from there will visit spans.
    fn earliest_of_circle(&mut self, start: u32) -> u32 {
        let next = |rank: u32| self.links.parent[rank as usize];
        // The tortoise and the hare: they meet on the circle.
        let (mut slow, mut fast) = (next(start), next(next(start)));
        while slow != fast {
            slow = next(slow);
            fast = next(next(fast));
        }
        let (mut least, mut rank) = (slow, next(slow));
        while rank != slow {
            least = least.min(rank);
            rank = next(rank);
        }
        least
    }

    fn from(&mut self, root: u32) {
        self.visit(root, NONE);
        self.tree.roots.push(self.position[root as usize]);
        self.stack.push(self.links.first_child[root as usize]);
        while let Some(rank) = self.stack.pop() {
            if rank == NONE {
                continue;
            }
            self.stack.push(self.links.next_sibling[rank as usize]);
            // Only the span at which a circle was cut can come again.
            if self.position[rank as usize] == NONE {
                let parent = self.links.parent[rank as usize];
                self.visit(rank, self.position[parent as usize]);
                self.stack.push(self.links.first_child[rank as usize]);
            }
        }
    }

    fn visit(&mut self, rank: u32, parent: u32) {
        let tree = &mut self.tree;
        self.position[rank as usize] = tree.rows.len() as u32;
        tree.rows.push(self.links.rows[rank as usize]);
        tree.parent.push(parent);
        tree.depth.push(match parent {
            NONE => 0,
            above => tree.depth[above as usize] + 1,
        });
    }

    fn finish(self) -> Tree {
        let Self {
            links,
            position,
            mut tree,
            ..
        } = self;
        tree.descendants = vec![0; tree.rows.len()];
        for at in (0..tree.rows.len()).rev() {
            if tree.parent[at] != NONE {
                tree.descendants[tree.parent[at] as usize] += tree.descendants[at] + 1;
            }
        }
        let positions = |ranks: &[u32]| -> Vec<u32> {
            let mut positions: Vec<u32> =
                ranks.iter().map(|&rank| position[rank as usize]).collect();
            positions.sort_unstable();
            positions
        };
        tree.orphans = positions(&links.orphans);
        tree.circles.extend(positions(&links.own_parents));
        tree.circles.sort_unstable();
        tree.shared = positions(&links.shared);
        tree.duplicates.clone_from(&links.duplicates);
        tree.duplicates.sort_unstable();
        tree
    }
}

fn key(id: SpanId) -> u64 {
    u64::from_be_bytes(id.0)
}
