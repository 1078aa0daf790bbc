//! An answer from memory, and what it already includes of the store.

use block::BlockId;

/// An answer about spans that are not known to be in a block, together with the blocks that they are just going to.
///
/// Between the moment a block becomes visible and the moment its spans leave memory, they are in both places. To count each
/// once and miss none, ask the collector first, then take the store's list of blocks, and pass over [`Self::blocks`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Live<T> {
    /// The answer.
    pub value: T,
    /// Blocks whose spans the answer covers, whether they are visible by now or not.
    pub blocks: Vec<BlockId>,
}

/// The collector has stopped and answers no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the collector has stopped")]
pub struct Stopped;
