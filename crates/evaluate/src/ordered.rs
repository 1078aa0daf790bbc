//! Rows that already are in pre-order, as those of a block: seen to be so in one pass, and so a tree at once.

use model::SpanRow;

use crate::node::{NONE, Node, number};

/// Searches for places that an average span may take; more means ids that were chosen to collide.
const SEARCHES: usize = 8;

/// Follows rows.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    ids: Ids,
    /// The span that was seen last, and those above it.
    open: Vec<Open>,
    /// Parent ids that no open span has.
    missing: Vec<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    id: u64,
    at: u32,
    last_child: (i64, u64),
}

/// Before all spans.
const FIRST: (i64, u64) = (i64::MIN, 0);

impl Follower {
    /// Makes nodes of the rows if they are distinct spans in pre-order. Tells whether they are; if not, the nodes mean nothing.
    pub(crate) fn follow(
        &mut self,
        spans: &[SpanRow],
        rows: &[u32],
        nodes: &mut Vec<Node>,
    ) -> bool {
        let Self { ids, open, missing } = self;
        nodes.clear();
        nodes.reserve(rows.len());
        ids.start(rows.len());
        open.clear();
        missing.clear();
        let mut last_root = FIRST;
        for (&row, at) in rows.iter().zip(0..) {
            let span = &spans[row as usize];
            let id = number(span.span_id);
            let parent_id = number(span.parent_span_id);
            if !ids.insert(id) {
                return false;
            }
            while open.last().is_some_and(|last| last.id != parent_id) {
                open.pop();
            }
            let (parent, last_sibling) = match open.last_mut() {
                Some(parent) => (parent.at, &mut parent.last_child),
                None => (NONE, &mut last_root),
            };
            let place = (span.start.0, id);
            if *last_sibling > place {
                return false;
            }
            *last_sibling = place;
            if parent != NONE {
                nodes[parent as usize].children += 1;
            } else if parent_id != 0 {
                missing.push(parent_id);
            }
            nodes.push(Node::new(row, parent, open.len() as u32, 0));
            let last_child = FIRST;
            open.push(Open { id, at, last_child });
        }
        !missing.iter().any(|id| ids.contains(*id))
    }
}

/// A set of ids other than 0: open addressing, half full at most.
#[derive(Debug, Default)]
struct Ids {
    places: Vec<u64>,
    shift: u32,
    searches_left: usize,
}

impl Ids {
    /// Empties it and makes room.
    fn start(&mut self, count: usize) {
        let room = (2 * count).next_power_of_two().max(16);
        self.shift = 64 - room.ilog2();
        self.searches_left = SEARCHES * room;
        self.places.clear();
        self.places.resize(room, 0);
    }

    /// Where an id is or would be; `None` when it took too long to find.
    #[inline]
    fn find(&mut self, id: u64) -> Option<usize> {
        let mut place = (id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize;
        loop {
            let found = self.places[place];
            if found == 0 || found == id {
                return Some(place);
            }
            self.searches_left = self.searches_left.checked_sub(1)?;
            place = (place + 1) & (self.places.len() - 1);
        }
    }

    /// Adds an id; whether it was new and found its place.
    #[inline]
    fn insert(&mut self, id: u64) -> bool {
        match self.find(id) {
            Some(place) if self.places[place] == 0 => {
                self.places[place] = id;
                id != 0
            }
            _ => false,
        }
    }

    /// Whether it was added; if in doubt, yes.
    fn contains(&mut self, id: u64) -> bool {
        self.find(id).is_none_or(|place| self.places[place] != 0)
    }
}
