//! What dictionaries of blocks tell of values, kept for whoever asks again: an editor asks at every key.
//!
//! Blocks never change, so what was told once holds as long as the block is there.

use std::collections::HashMap;
use std::sync::Arc;

use block::BlockId;
use parking_lot::Mutex;
use traceql::query::{Constant, Field};

/// Texts that are kept at the most, of some forty bytes each. Of more, all are forgotten.
const VALUES_MAX: usize = 500_000;

/// Values of a field that a block tells without a look at its spans.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) texts: Vec<Arc<str>>,
    /// Values that are no texts.
    pub(super) others: Vec<Constant>,
    /// Whether some are left out.
    pub(super) truncated: bool,
    /// Whether there may be more that only spans tell.
    pub(super) is_rest: bool,
}

impl Told {
    fn len(&self) -> usize {
        1 + self.texts.len() + self.others.len()
    }
}

/// What has been told, by block and field. Cheap to clone; all clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<Lists>>);

#[derive(Debug, Default)]
struct Lists {
    told: HashMap<(BlockId, Field), Arc<Told>>,
    len: usize,
}

impl Kept {
    pub(super) fn get(&self, block: BlockId, field: &Field) -> Option<Arc<Told>> {
        self.0.lock().told.get(&(block, field.clone())).cloned()
    }

    pub(super) fn keep(&self, block: BlockId, field: &Field, told: &Arc<Told>) {
        let mut lists = self.0.lock();
        if lists.len + told.len() > VALUES_MAX {
            *lists = Lists::default();
        }
        lists.len += told.len();
        lists.told.insert((block, field.clone()), told.clone());
    }
}
