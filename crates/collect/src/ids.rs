//! Names for new blocks.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;

use block::BlockId;
use model::Clock;
use ulid::Ulid;

/// Draws names of blocks: the time in milliseconds, then 80 bits that no other source draws.
pub(crate) struct BlockIds {
    clock: Arc<dyn Clock>,
    state: u64,
}

impl std::fmt::Debug for BlockIds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlockIds").finish_non_exhaustive()
    }
}

impl BlockIds {
    /// A source of its own; sources of one seed that differ in `number` draw different names. Without a seed the machine's
    /// randomness is taken.
    pub(crate) fn new(clock: Arc<dyn Clock>, seed: Option<u64>, number: usize) -> Self {
        let seed = seed.unwrap_or_else(|| RandomState::new().hash_one(number));
        Self {
            clock,
            state: seed ^ (number as u64).wrapping_mul(0xd134_2543_de82_ef95),
        }
    }

    pub(crate) fn next(&mut self) -> BlockId {
        let millis = u64::try_from(self.clock.now().0 / 1_000_000).unwrap_or(0);
        let random = u128::from(self.draw()) << 64 | u128::from(self.draw());
        BlockId(Ulid::from_parts(millis, random))
    }

    /// SplitMix64.
    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
