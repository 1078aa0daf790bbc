//! Which traces were flushed lately, so that spans that come after are known to be late.

use hashbrown::HashSet;
use model::TraceId;

/// A bounded memory of trace ids: at least the last `capacity`, at most twice as many, 10 bytes each.
///
/// Two sets, of which the older is forgotten when the newer is full. Holds 64-bit hashes: should two traces ever share one,
/// a whole trace would be called a piece, which costs a look and nothing else.
#[derive(Debug)]
pub(super) struct Recent {
    newer: HashSet<u64, Hashed>,
    older: HashSet<u64, Hashed>,
    capacity: usize,
}

type Hashed = std::hash::BuildHasherDefault<PassOn>;

/// Ids are hashed well already.
#[derive(Debug, Default)]
pub(super) struct PassOn(u64);

impl std::hash::Hasher for PassOn {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        debug_assert!(false, "only 64-bit numbers are hashed, not {bytes:?}");
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

impl Recent {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            newer: HashSet::default(),
            older: HashSet::default(),
            capacity: capacity.max(1),
        }
    }

    pub(super) fn insert(&mut self, id: TraceId) {
        if self.newer.len() >= self.capacity {
            std::mem::swap(&mut self.newer, &mut self.older);
            self.newer.clear();
        }
        self.newer.insert(id.hash64());
    }

    pub(super) fn contains(&self, id: TraceId) -> bool {
        let hash = id.hash64();
        self.newer.contains(&hash) || self.older.contains(&hash)
    }

    pub(super) fn byte_count(&self) -> usize {
        (self.newer.capacity() + self.older.capacity()) * (size_of::<u64>() + 1) * 8 / 7
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> TraceId {
        TraceId(number.to_le_bytes())
    }

    #[test]
    fn the_last_ones_are_known_and_memory_is_bounded() {
        let mut recent = Recent::new(100);
        for number in 1..=1_000 {
            recent.insert(id(number));
        }
        assert!((901..=1_000).all(|number| recent.contains(id(number))));
        assert!(!recent.contains(id(1)));
        assert!(recent.newer.len() + recent.older.len() <= 200);
    }
}
