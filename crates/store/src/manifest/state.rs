//! What follows from the edits: the blocks that are there, and those that were lately.

use std::collections::BTreeMap;
use std::sync::Arc;

use block::BlockId;
use model::{DurationNanos, UnixNanos};
use serde::{Deserialize, Serialize};

use super::object::{Checkpoint, Checksums, Edit, Entry, MANIFEST_FORMAT};

/// How long a removed block is remembered, in the time of the edits. Long enough that its files are deleted by name and
/// that a repeated attempt to add it is recognised; files that are left even then are found by listing.
const TOMBSTONE_AGE_MAX: DurationNanos = DurationNanos::from_secs(2 * 3600);

/// A block that was removed and whose files may still be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tombstone {
    pub(crate) id: BlockId,
    /// See [`block::BlockMeta::folder`].
    pub(crate) folder: String,
    /// When it was removed.
    pub(crate) time: UnixNanos,
    /// For whoever still reads it, from an older list.
    pub(crate) checksums: Checksums,
}

/// The state after the edit `number`. Cloning costs a reference count for each block.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct State {
    /// 0 before the first edit.
    pub(crate) number: u64,
    pub(crate) entries: BTreeMap<BlockId, Arc<Entry>>,
    pub(crate) tombstones: Vec<Tombstone>,
}

impl State {
    pub(crate) fn of_checkpoint(checkpoint: Checkpoint) -> Self {
        Self {
            number: checkpoint.number,
            entries: checkpoint
                .entries
                .into_iter()
                .map(|entry| (entry.block.id, entry))
                .collect(),
            tombstones: checkpoint.removed,
        }
    }

    pub(crate) fn to_checkpoint(&self, time: UnixNanos) -> Checkpoint {
        Checkpoint {
            format: MANIFEST_FORMAT,
            number: self.number,
            time,
            removed: self.tombstones.clone(),
            entries: self.entries.values().cloned().collect(),
        }
    }

    /// Whether the block is there or was there lately.
    pub(crate) fn has_known(&self, id: BlockId) -> bool {
        self.entries.contains_key(&id) || self.tombstones.iter().any(|t| t.id == id)
    }

    /// Applies the next edit. Every reader does the same with the same edits, so this never refuses: what the
    /// [`rules`](super::rules) would not have let pass (a block to remove that is not there) changes nothing.
    pub(crate) fn apply(&mut self, edit: &Edit) {
        debug_assert_eq!(edit.number, self.number + 1);
        self.number = edit.number;
        self.tombstones
            .retain(|tombstone| edit.time.since(tombstone.time) < TOMBSTONE_AGE_MAX);
        for id in &edit.removed {
            if let Some(entry) = self.entries.remove(id) {
                self.tombstones.push(Tombstone {
                    id: *id,
                    folder: entry.block.folder(),
                    time: edit.time,
                    checksums: entry.checksums,
                });
            }
        }
        for entry in &edit.added {
            self.entries.insert(entry.block.id, Arc::clone(entry));
        }
    }
}
