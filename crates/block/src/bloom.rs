//! `trace_id.bloom`: which traces are certainly not in a block.
//!
//! ```text
//! file   = "TLBLOOM1" blocks:u32-LE block*
//! block  = 64 bytes
//! ```
//! A trace's hash picks one block and eight bits in it, so that a look-up touches one cache line. At 16 bits a trace some
//! 0.1 % of the answers "perhaps" are wrong.

use model::TraceId;

use crate::ReadError;

const MAGIC: &[u8; 8] = b"TLBLOOM1";
const BITS_PER_TRACE: usize = 16;
const BLOCK_BYTES: usize = 64;
const PROBES: u32 = 8;

/// Tells for certain that a trace is not in a block, or else that it probably is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bloom {
    blocks: Vec<[u8; BLOCK_BYTES]>,
}

impl Bloom {
    /// A filter with room for `traces` traces, holding none.
    pub fn with_capacity(traces: usize) -> Self {
        let blocks = (traces * BITS_PER_TRACE).div_ceil(BLOCK_BYTES * 8).max(1);
        Self {
            blocks: vec![[0; BLOCK_BYTES]; blocks],
        }
    }

    /// From the bytes of `trace_id.bloom`.
    ///
    /// # Errors
    /// [`ReadError::Content`] when they are not of that form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ReadError> {
        let damaged = || ReadError::Content("not a bloom filter of this version".into());
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(damaged)?;
        let (count, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
        let (blocks, tail) = rest.as_chunks::<BLOCK_BYTES>();
        if blocks.is_empty()
            || !tail.is_empty()
            || blocks.len() != u32::from_le_bytes(*count) as usize
        {
            return Err(damaged());
        }
        Ok(Self {
            blocks: blocks.to_vec(),
        })
    }

    /// The bytes of `trace_id.bloom`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&(self.blocks.len() as u32).to_le_bytes());
        bytes.extend(self.blocks.iter().flatten());
        bytes
    }

    /// Adds a trace.
    pub fn insert(&mut self, id: TraceId) {
        let (block, probes) = self.probe(id);
        for bit in probes {
            self.blocks[block][bit / 8] |= 1 << (bit % 8);
        }
    }

    /// Whether the trace may be in the block.
    pub fn may_contain(&self, id: TraceId) -> bool {
        let (block, mut probes) = self.probe(id);
        probes.all(|bit| self.blocks[block][bit / 8] >> (bit % 8) & 1 == 1)
    }

    /// Memory held, in bytes.
    pub fn byte_count(&self) -> usize {
        self.blocks.capacity() * BLOCK_BYTES
    }

    fn probe(&self, id: TraceId) -> (usize, impl Iterator<Item = usize> + use<>) {
        let hash = id.hash64();
        let block = ((hash >> 32) * self.blocks.len() as u64) >> 32;
        // Double hashing over the 512 bits of the block; an odd step visits distinct bits.
        let (mut bit, step) = (hash as u32, (hash >> 16) as u32 | 1);
        let probes = (0..PROBES).map(move |_| {
            bit = bit.wrapping_add(step);
            bit as usize % (BLOCK_BYTES * 8)
        });
        (block as usize, probes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> TraceId {
        let mut id = [7; 16];
        id[..8].copy_from_slice(&number.to_le_bytes());
        TraceId(id)
    }

    #[test]
    fn finds_all_that_was_inserted_and_little_else() {
        let mut bloom = Bloom::with_capacity(10_000);
        (0..10_000).for_each(|number| bloom.insert(id(number)));
        let bloom = Bloom::from_bytes(&bloom.to_bytes()).unwrap();
        assert!((0..10_000).all(|number| bloom.may_contain(id(number))));
        let wrong = (10_000..110_000)
            .filter(|&number| bloom.may_contain(id(number)))
            .count();
        assert!(wrong < 400, "{wrong} of 100,000 unknown ids seemed known");
    }

    #[test]
    fn other_bytes_are_refused() {
        let bytes = Bloom::with_capacity(1).to_bytes();
        for damaged in [&bytes[..bytes.len() - 1], &bytes[1..], b"TLBLOOM1", b""] {
            assert!(Bloom::from_bytes(damaged).is_err());
        }
    }
}
