//! The blocks there are, as one immutable list.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;

use block::{BlockId, BlockMeta};

use crate::manifest::{Checksums, Entry, State};

/// All blocks of a tenant at one moment, those with the newest traces first: by latest trace start descending, then by id.
///
/// Never changes; hold it for as long as a question takes. Files of a block that is removed meanwhile stay readable for
/// [`crate::StoreConfig::garbage_grace`].
#[derive(Debug, Default)]
pub struct BlockList {
    number: u64,
    blocks: Vec<Arc<BlockMeta>>,
    by_id: HashMap<BlockId, Arc<Entry>>,
    /// Of blocks that were removed lately.
    removed: HashMap<BlockId, Checksums>,
}

impl BlockList {
    pub(crate) fn of(state: &State) -> Self {
        let mut blocks: Vec<_> = state
            .entries
            .values()
            .map(|entry| Arc::clone(&entry.block))
            .collect();
        blocks.sort_unstable_by(|a, b| b.start_max.cmp(&a.start_max).then(b.id.cmp(&a.id)));
        let by_id = state
            .entries
            .iter()
            .map(|(id, entry)| (*id, Arc::clone(entry)))
            .collect();
        Self {
            number: state.number,
            blocks,
            by_id,
            removed: state
                .tombstones
                .iter()
                .map(|tombstone| (tombstone.id, tombstone.checksums))
                .collect(),
        }
    }

    /// Grows with every change of the list; equal numbers of one store mean equal lists.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The block of this id, if it is in the list.
    pub fn find(&self, id: BlockId) -> Option<&Arc<BlockMeta>> {
        self.by_id.get(&id).map(|entry| &entry.block)
    }

    /// Of a block that is in the list or was there lately.
    pub(crate) fn checksums(&self, id: BlockId) -> Option<Checksums> {
        let listed = self.by_id.get(&id).map(|entry| entry.checksums);
        listed.or_else(|| self.removed.get(&id).copied())
    }
}

impl Deref for BlockList {
    type Target = [Arc<BlockMeta>];

    fn deref(&self) -> &Self::Target {
        &self.blocks
    }
}
