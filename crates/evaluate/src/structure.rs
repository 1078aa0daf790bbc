//! Relations between spans of one tree, found in one pass over both sides.
//!
//! Both sides are positions in pre-order, ascending, each once; so what is below a span is a range, and every relation is a
//! merge or a look-up in a set of bits. All cost O(left + right + spans of the tree / 64).

use traceql::query::{Mode, Relation};

use crate::scratch::Scratch;
use crate::tree::Tree;

/// The spans that a relation gives, ascending.
pub(crate) fn related(
    relation: Relation,
    mode: Mode,
    left: &[u32],
    right: &[u32],
    tree: &Tree<'_>,
    scratch: &mut Scratch,
) -> Vec<u32> {
    match mode {
        Mode::Right => with(relation, true, left, right, tree, scratch),
        Mode::RightWithout => with(relation, false, left, right, tree, scratch),
        Mode::Both => {
            let right_side = with(relation, true, left, right, tree, scratch);
            let left_side = with(mirror(relation), true, right, left, tree, scratch);
            scratch.union([right_side, left_side], tree.len())
        }
    }
}

/// What the left span is to the right one.
const fn mirror(relation: Relation) -> Relation {
    match relation {
        Relation::Child => Relation::Parent,
        Relation::Descendant => Relation::Ancestor,
        Relation::Parent => Relation::Child,
        Relation::Ancestor => Relation::Descendant,
        Relation::Sibling => Relation::Sibling,
    }
}

/// The right spans that have the relation to any left span; or, when not `wanted`, those that have it to none.
fn with(
    relation: Relation,
    wanted: bool,
    left: &[u32],
    right: &[u32],
    tree: &Tree<'_>,
    scratch: &mut Scratch,
) -> Vec<u32> {
    let mut found = scratch.list();
    match relation {
        Relation::Child => {
            let parents = scratch.bits(tree.len());
            left.iter().for_each(|at| parents.insert(*at));
            choose(right, wanted, &mut found, |at| {
                tree.parent(at)
                    .is_some_and(|parent| parents.contains(parent))
            });
        }
        Relation::Parent => {
            let parents = scratch.bits(tree.len());
            left.iter()
                .filter_map(|at| tree.parent(*at))
                .for_each(|parent| parents.insert(parent));
            choose(right, wanted, &mut found, |at| parents.contains(at));
        }
        Relation::Descendant => {
            // Where what is below the left spans before `at` ends.
            let mut end = 0;
            let mut left = left.iter().copied().peekable();
            choose(right, wanted, &mut found, |at| {
                while let Some(before) = left.next_if(|before| *before < at) {
                    end = end.max(tree.last_below(before) + 1);
                }
                at < end
            });
        }
        Relation::Ancestor => {
            let mut left = left.iter().copied().peekable();
            choose(right, wanted, &mut found, |at| {
                while left.next_if(|before| *before <= at).is_some() {}
                left.peek().is_some_and(|next| *next <= tree.last_below(at))
            });
        }
        Relation::Sibling => {
            let children = scratch.only_children(left, tree);
            choose(right, wanted, &mut found, |at| {
                tree.parent(at)
                    .is_some_and(|parent| children.has_other(parent, at))
            });
            scratch.forget_children(left, tree);
        }
    }
    found
}

fn choose(
    right: &[u32],
    wanted: bool,
    found: &mut Vec<u32>,
    mut is_related: impl FnMut(u32) -> bool,
) {
    found.extend(right.iter().filter(|at| is_related(**at) == wanted));
}
