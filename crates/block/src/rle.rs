//! The RLE / bit-packing hybrid of Parquet, for levels and dictionary indices.
//!
//! ```text
//! hybrid  = run*
//! run     = header value | header group+
//! header  = varint: length << 1 for a repeated value, groups << 1 | 1 for groups
//! value   = ceil(width / 8) bytes, little-endian
//! group   = 8 values of `width` bits each, least significant bit first
//! ```

/// Shorter runs cost more as a run of their own than inside groups.
const RUN_MIN: usize = 8;

/// Bits that hold every number up to and including `max`, at least 1: some readers stumble over a width of 0.
pub(crate) fn width_of(max: u32) -> u8 {
    (32 - max.leading_zeros()).max(1) as u8
}

/// Appends `values` to `out`, each in `width` bits.
pub(crate) fn encode<T: Copy + PartialEq + Into<u32>>(values: &[T], width: u8, out: &mut Vec<u8>) {
    let mut packed_from = 0;
    let mut at = 0;
    while at < values.len() {
        let run = run_length(values, at);
        // Groups are of 8: a run lends its first values to the group that is open.
        let lent = (8 - (at - packed_from) % 8) % 8;
        if run >= lent + RUN_MIN {
            let run_from = at + lent;
            encode_groups(&values[packed_from..run_from], width, out);
            encode_run(values[at].into(), run - lent, width, out);
            packed_from = at + run;
        }
        at += run;
    }
    encode_groups(&values[packed_from..], width, out);
}

#[inline]
fn run_length<T: Copy + PartialEq>(values: &[T], from: usize) -> usize {
    let first = values[from];
    let mut to = from + 1;
    while to < values.len() && values[to] == first {
        to += 1;
    }
    to - from
}

fn encode_run(value: u32, count: usize, width: u8, out: &mut Vec<u8>) {
    varint((count as u64) << 1, out);
    out.extend_from_slice(&value.to_le_bytes()[..usize::from(width).div_ceil(8)]);
}

fn encode_groups<T: Copy + Into<u32>>(values: &[T], width: u8, out: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    let groups = values.len().div_ceil(8);
    varint((groups as u64) << 1 | 1, out);
    let end = out.len() + groups * usize::from(width);
    let (mut bits, mut held) = (0u64, 0u32);
    for &value in values {
        bits |= u64::from(value.into()) << held;
        held += u32::from(width);
        if held >= 32 {
            out.extend_from_slice(&(bits as u32).to_le_bytes());
            bits >>= 32;
            held -= 32;
        }
    }
    out.extend_from_slice(&bits.to_le_bytes());
    // The last group is filled with zeros, and what was written beyond it goes away.
    out.resize(end, 0);
}

pub(crate) fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The plain reading of the grammar above.
    fn decode(mut bytes: &[u8], width: u8, count: usize) -> Vec<u32> {
        let mut values = Vec::new();
        while values.len() < count {
            let (mut header, mut shift) = (0u64, 0);
            loop {
                let byte = bytes[0];
                bytes = &bytes[1..];
                header |= u64::from(byte & 0x7f) << shift;
                shift += 7;
                if byte < 0x80 {
                    break;
                }
            }
            if header & 1 == 0 {
                let len = usize::from(width).div_ceil(8);
                let mut value = [0; 4];
                value[..len].copy_from_slice(&bytes[..len]);
                bytes = &bytes[len..];
                values.extend(std::iter::repeat_n(
                    u32::from_le_bytes(value),
                    (header >> 1) as usize,
                ));
            } else {
                for bit in (0..(header >> 1) as usize * 8).map(|i| i * usize::from(width)) {
                    let value = (0..usize::from(width)).fold(0u32, |value, i| {
                        let at = bit + i;
                        value | u32::from(bytes[at / 8] >> (at % 8) & 1) << i
                    });
                    values.push(value);
                }
                bytes = &bytes[(header >> 1) as usize * usize::from(width)..];
            }
        }
        assert!(bytes.is_empty(), "{} bytes left over", bytes.len());
        values.truncate(count);
        values
    }

    proptest! {
        #[test]
        fn decoding_gives_back_what_was_encoded(
            runs in proptest::collection::vec((0u32..70_000, 1usize..40), 0..60),
            short in proptest::collection::vec(0u32..3, 0..50),
        ) {
            let mut values: Vec<u32> = runs.iter().flat_map(|&(value, count)| std::iter::repeat_n(value, count)).collect();
            values.extend(short);
            let width = width_of(values.iter().copied().max().unwrap_or(0));
            let mut bytes = Vec::new();
            encode(&values, width, &mut bytes);
            prop_assert_eq!(decode(&bytes, width, values.len()), values);
        }
    }

    #[test]
    fn long_runs_are_tiny() {
        let mut bytes = Vec::new();
        encode(&[1u8; 100_000], 1, &mut bytes);
        assert_eq!(bytes.len(), 4);
    }
}
