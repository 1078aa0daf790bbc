//! Names and jitter, drawn from a seed.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use block::BlockId;
use model::UnixNanos;
use ulid::Ulid;

/// A SplitMix64 sequence that any task may draw from.
#[derive(Debug)]
pub(crate) struct Ids(AtomicU64);

impl Ids {
    /// `None` takes the seed from the machine: the keys of the standard hasher are random for each process.
    pub(crate) fn new(seed: Option<u64>) -> Self {
        Self(AtomicU64::new(seed.unwrap_or_else(|| {
            RandomState::new().hash_one(std::process::id())
        })))
    }

    pub(crate) fn next(&self) -> u64 {
        let state = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn block(&self, now: UnixNanos) -> BlockId {
        let millis = u64::try_from(now.0 / 1_000_000).unwrap_or(0);
        let random = u128::from(self.next()) << 64 | u128::from(self.next());
        BlockId(Ulid::from_parts(millis, random))
    }

    /// Between a half of `pause` and all of it, so that those who failed together do not try again together.
    pub(crate) fn jitter(&self, pause: Duration) -> Duration {
        pause.mul_f64(0.5 + self.next() as f64 / u64::MAX as f64 / 2.0)
    }
}
