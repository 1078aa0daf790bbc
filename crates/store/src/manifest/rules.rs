//! What must hold for an edit to be made on a state. Each rule is a predicate from (old, edit) to a verdict; all of them
//! are asked at every commit, and again each time that somebody else's edit came first.

use std::collections::HashSet;

use super::object::Edit;
use super::state::State;

/// A rule, and what it answers: nothing when it holds, otherwise the words of the offence.
type Rule = fn(&State, &Edit) -> Option<String>;

const RULES: &[(&str, Rule)] = &[
    ("number_follows", number_follows),
    ("something_changes", something_changes),
    ("no_block_is_added_twice", no_block_is_added_twice),
    ("removed_blocks_exist", removed_blocks_exist),
    ("spans_are_not_invented", spans_are_not_invented),
];

/// The first rule that does not hold, with the offence.
pub(crate) fn check(old: &State, edit: &Edit) -> Result<(), String> {
    for (name, rule) in RULES {
        if let Some(offence) = rule(old, edit) {
            return Err(format!("rule {name}: {offence}"));
        }
    }
    Ok(())
}

/// Numbers have no gaps: a reader that finds no object of the next number has read everything.
fn number_follows(old: &State, edit: &Edit) -> Option<String> {
    (edit.number != old.number + 1)
        .then(|| format!("edit {} does not follow {}", edit.number, old.number))
}

/// An edit without effect would cost everybody a request.
fn something_changes(_old: &State, edit: &Edit) -> Option<String> {
    (edit.added.is_empty() && edit.removed.is_empty()).then(|| "the edit is empty".to_owned())
}

/// A block is immutable and has one life. Adding it again, after a removal too, would bring back spans that a compaction
/// has moved, or files that are being deleted.
fn no_block_is_added_twice(old: &State, edit: &Edit) -> Option<String> {
    let mut seen = HashSet::new();
    edit.added
        .iter()
        .map(|entry| entry.block.id)
        .find(|id| old.has_known(*id) || !seen.insert(*id))
        .map(|id| format!("block {id} is or was there"))
}

/// Two compactions of one block, or a compaction of one that retention has removed: the second would duplicate its spans
/// or bring them back.
fn removed_blocks_exist(old: &State, edit: &Edit) -> Option<String> {
    let mut seen = HashSet::new();
    edit.removed
        .iter()
        .find(|id| !old.entries.contains_key(id) || !seen.insert(**id))
        .map(|id| format!("block {id} is not there"))
}

/// What replaces blocks holds at most their spans. Fewer is right: duplicates are joined.
fn spans_are_not_invented(old: &State, edit: &Edit) -> Option<String> {
    if edit.added.is_empty() || edit.removed.is_empty() {
        return None;
    }
    let held: u64 = edit
        .removed
        .iter()
        .filter_map(|id| old.entries.get(id))
        .map(|entry| entry.block.spans)
        .sum();
    let new: u64 = edit.added.iter().map(|entry| entry.block.spans).sum();
    (new > held).then(|| format!("{new} spans replace {held}"))
}
