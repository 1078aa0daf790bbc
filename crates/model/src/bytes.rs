//! Comparing and hashing short byte strings.
//!
//! Keys and values are mostly shorter than 32 bytes. For those, a call of `memcmp` or a general hasher costs more than the
//! work itself; here they are two overlapping loads, inlined.

/// Whether two byte strings are equal.
#[inline]
pub fn same(a: &[u8], b: &[u8]) -> bool {
    fn ends<const N: usize>(a: &[u8], b: &[u8]) -> bool {
        a.first_chunk::<N>() == b.first_chunk::<N>() && a.last_chunk::<N>() == b.last_chunk::<N>()
    }
    if a.len() != b.len() {
        return false;
    }
    match a.len() {
        8..=16 => ends::<8>(a, b),
        17..=32 => ends::<16>(a, b),
        4..8 => ends::<4>(a, b),
        _ => a == b,
    }
}

/// A well mixed hash: two words at a time are multiplied to 128 bits and folded, as wyhash and foldhash do.
///
/// The same in every process; it does not withstand somebody who looks for collisions.
#[inline]
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    // Digits of pi, as good as any.
    const FIRST: u64 = 0x243f_6a88_85a3_08d3;
    const SECOND: u64 = 0x1319_8a2e_0370_7344;
    // Spread over all bits, else a length could make up for a difference in the first byte.
    let mut state = FIRST ^ (bytes.len() as u64).wrapping_mul(SECOND);
    if let (Some(first), Some(last)) = (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        let mut rest = bytes;
        while rest.len() > 16
            && let Some((chunk, behind)) = rest.split_first_chunk::<16>()
        {
            let [low, high] = halves(chunk);
            state = fold(state ^ low, SECOND ^ high);
            rest = behind;
        }
        if bytes.len() > 16
            && let Some(chunk) = bytes.last_chunk::<16>()
        {
            let [low, high] = halves(chunk);
            return fold(state ^ low, SECOND ^ high);
        }
        return fold(
            state ^ u64::from_le_bytes(*first),
            SECOND ^ u64::from_le_bytes(*last),
        );
    }
    let [low, high] = match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        (Some(first), Some(last)) => [u32::from_le_bytes(*first), u32::from_le_bytes(*last)],
        _ => match *bytes {
            [] => [0, 0],
            [first, ..] => {
                let middle = bytes[bytes.len() / 2];
                let last = bytes[bytes.len() - 1];
                [u32::from(first), u32::from(middle) << 8 | u32::from(last)]
            }
        },
    };
    fold(state ^ u64::from(low), SECOND ^ u64::from(high))
}

#[inline]
fn halves(chunk: &[u8; 16]) -> [u64; 2] {
    let whole = u128::from_le_bytes(*chunk);
    [whole as u64, (whole >> 64) as u64]
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn same_is_equality(a in proptest::collection::vec(0..3u8, 0..40), at in any::<prop::sample::Index>()) {
            prop_assert!(same(&a, &a.clone()));
            if !a.is_empty() {
                let mut b = a.clone();
                b[at.index(a.len())] ^= 0x80;
                prop_assert!(!same(&a, &b));
                prop_assert!(!same(&a, &a[1..]));
            }
        }
    }

    #[test]
    fn similar_strings_have_different_hashes() {
        // Numbers as text and as bytes, runs of one byte of every length, and one byte changed at every place.
        let mut seen = HashSet::new();
        let mut all: Vec<Vec<u8>> = (0..100_000u64)
            .flat_map(|n| [n.to_string().into_bytes(), n.to_le_bytes().to_vec()])
            .collect();
        for len in 0..200 {
            all.push(vec![b'a'; len]);
            for place in 0..len {
                let mut text = vec![b'a'; len];
                text[place] = b'b';
                all.push(text);
            }
        }
        all.sort();
        all.dedup();
        // Of 32 bits, as the table uses them; chance alone gives six pairs.
        let collisions = all
            .iter()
            .filter(|bytes| !seen.insert(hash(bytes) as u32))
            .count();
        assert!(collisions < 30, "{collisions} among {}", all.len());
    }
}
