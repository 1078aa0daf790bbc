//! The RLE / bit-packing hybrid of Parquet, for levels and dictionary indices.
//!
//! ```text
//! hybrid  = run*
//! run     = header value | header group+
//! header  = varint: length << 1 for a repeated value, groups << 1 | 1 for groups
//! value   = ceil(width / 8) bytes, little-endian
//! group   = 8 values of `width` bits each, least significant bit first
//! ```

use std::ops::Range;

/// Bits that hold every number up to and including `max`, at least 1: some readers stumble over a width of 0.
pub(crate) fn width_of(max: u32) -> u8 {
    (32 - max.leading_zeros()).max(1) as u8
}

/// What is encoded: levels, a byte each, and indices.
pub(crate) trait Number: Copy + PartialEq + Into<u32> {
    /// The number, of which bits beyond its own width are cut off.
    fn cut(number: u32) -> Self;
}

impl Number for u32 {
    fn cut(number: u32) -> Self {
        number
    }
}

impl Number for u8 {
    fn cut(number: u32) -> Self {
        number as Self
    }
}

/// Appends `values` to `out`, each in `width` bits.
///
/// Groups are looked at whole: one of eight equal values begins a run, which then goes on value by value.
pub(crate) fn encode<T: Number>(values: &[T], width: u8, out: &mut Vec<u8>) {
    let mut packed_from = 0;
    let mut at = 0;
    while let Some(group) = values[at..].first_chunk::<8>() {
        if group.iter().any(|value| *value != group[0]) {
            at += 8;
            continue;
        }
        encode_groups(&values[packed_from..at], width, out);
        let run = run_length(&values[at..]);
        encode_run(group[0].into(), run, width, out);
        at += run;
        packed_from = at;
    }
    encode_groups(&values[packed_from..], width, out);
}

/// How many values from the front on are equal. `values` has eight that are.
fn run_length<T: Number>(values: &[T]) -> usize {
    let first = values[0];
    let (groups, _) = values.as_chunks::<8>();
    let differs = |group: &[T; 8]| group.iter().any(|&value| value != first);
    let whole = groups.iter().position(differs).unwrap_or(groups.len()) * 8;
    let rest = &values[whole..];
    let more = rest.iter().position(|&value| value != first);
    whole + more.unwrap_or(rest.len())
}

fn encode_run(value: u32, count: usize, width: u8, out: &mut Vec<u8>) {
    varint((count as u64) << 1, out);
    out.extend_from_slice(&value.to_le_bytes()[..usize::from(width).div_ceil(8)]);
}

fn encode_groups<T: Number>(values: &[T], width: u8, out: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    varint((values.len().div_ceil(8) as u64) << 1 | 1, out);
    let (groups, rest) = values.as_chunks::<8>();
    for group in groups {
        pack(group, width, out);
    }
    if !rest.is_empty() {
        // The last group is filled with zeros.
        let mut last = [T::cut(0); 8];
        last[..rest.len()].copy_from_slice(rest);
        pack(&last, width, out);
    }
}

/// A group of eight values is as many bytes as a value has bits.
#[inline]
fn pack<T: Number>(group: &[T; 8], width: u8, out: &mut Vec<u8>) {
    let half = |values: &[T]| {
        let packed = values.iter().rev();
        packed.fold(0u128, |bits, &value| {
            bits << width | u128::from(value.into())
        })
    };
    match width {
        0..=8 => {
            let packed = group.iter().rev();
            let bits = packed.fold(0u64, |bits, &value| bits << width | u64::from(value.into()));
            out.extend_from_slice(&bits.to_le_bytes()[..usize::from(width)]);
        }
        9..=16 => {
            let bits = half(group);
            out.extend_from_slice(&bits.to_le_bytes()[..usize::from(width)]);
        }
        _ => {
            // Two halves, of which the second may begin in the middle of a byte. Both fit even so.
            let bits = usize::from(width) * 4;
            let (low, high) = (half(&group[..4]), half(&group[4..]));
            let mut bytes = [0; 32];
            bytes[..16].copy_from_slice(&low.to_le_bytes());
            let shifted = (high << (bits % 8)).to_le_bytes();
            for (byte, more) in bytes[bits / 8..].iter_mut().zip(shifted) {
                *byte |= more;
            }
            out.extend_from_slice(&bytes[..usize::from(width)]);
        }
    }
}

/// Appends the levels of `count` rows of which those at `present`, ascending, are one and the others zero.
pub(crate) fn encode_presence(present: &[u32], count: usize, out: &mut Vec<u8>) {
    /// A shorter run costs as much as the groups it replaces, and cuts their run in two.
    const RUN_BYTES_MIN: usize = 4;
    let mut bits = vec![0u8; count.div_ceil(8)];
    for &row in present {
        bits[row as usize / 8] |= 1 << (row % 8);
    }
    let mut packed_from = 0;
    let mut at = 0;
    while at < bits.len() {
        let byte = bits[at];
        if byte != 0 && byte != u8::MAX {
            at += 1;
            continue;
        }
        let begin = at;
        let other = bits[begin..].iter().position(|&other| other != byte);
        at = other.map_or(bits.len(), |other| begin + other);
        if at - begin >= RUN_BYTES_MIN {
            encode_bits(&bits[packed_from..begin], out);
            let rows = (at * 8).min(count) - begin * 8;
            encode_run(u32::from(byte & 1), rows, 1, out);
            packed_from = at;
        }
    }
    encode_bits(&bits[packed_from..], out);
}

/// Groups of one bit a value.
fn encode_bits(groups: &[u8], out: &mut Vec<u8>) {
    if !groups.is_empty() {
        varint((groups.len() as u64) << 1 | 1, out);
        out.extend_from_slice(groups);
    }
}

pub(crate) fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// A run, decoded.
enum Run<'a> {
    Repeated(u32, usize),
    /// The groups, and how many values of them count.
    Packed(&'a [u8], usize),
}

impl Run<'_> {
    fn len(&self) -> usize {
        let (Self::Repeated(_, len) | Self::Packed(_, len)) = *self;
        len
    }

    /// Which of its values, the first of which is the one at `at` of all, are in `range`.
    fn wanted(&self, at: usize, range: &Range<usize>) -> Range<usize> {
        let len = self.len();
        let end = range.end.saturating_sub(at).min(len);
        range.start.saturating_sub(at).min(end)..end
    }
}

/// The runs of `count` values. `None` in place of a run that is cut off or cannot be; nothing comes after it.
struct Runs<'a> {
    bytes: &'a [u8],
    width: u8,
    count: usize,
}

impl<'a> Runs<'a> {
    fn next(&mut self) -> Option<Run<'a>> {
        let header = self.header()?;
        // A length beyond what is wanted says nothing about the values that are.
        let len = usize::try_from(header >> 1).ok()?;
        if header & 1 == 0 {
            let bytes = self.split(usize::from(self.width).div_ceil(8))?;
            let mut value = [0; 4];
            value.get_mut(..bytes.len())?.copy_from_slice(bytes);
            let value = u32::from_le_bytes(value);
            if u64::from(value) >> self.width != 0 {
                return None; // Its bytes hold more than its width can.
            }
            let len = len.min(self.count);
            self.count -= len;
            return Some(Run::Repeated(value, len));
        }
        let bytes = self.split(len.checked_mul(usize::from(self.width))?)?;
        let len = len.saturating_mul(8).min(self.count);
        self.count -= len;
        Some(Run::Packed(bytes, len))
    }

    fn header(&mut self) -> Option<u64> {
        let (mut header, mut shift) = (0u64, 0);
        loop {
            let (&byte, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            header |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                // An empty run would never come to an end.
                return (header > 1).then_some(header);
            }
            shift += 7;
        }
    }

    fn split(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.bytes.split_at_checked(len)?;
        self.bytes = rest;
        Some(head)
    }
}

/// Appends those in `range` of `count` values of `width` bits to `out`, and gives how many bytes were looked at for them. `None`
/// when the bytes do not hold so many values, as far as they are looked at.
pub(crate) fn decode<T: Number>(
    bytes: &[u8],
    width: u8,
    count: usize,
    range: &Range<usize>,
    out: &mut Vec<T>,
) -> Option<usize> {
    if width > 32 || range.end > count {
        return None;
    }
    let mut runs = Runs {
        bytes,
        width,
        count,
    };
    let mut at = 0;
    while at < range.end {
        let run = runs.next()?;
        let wanted = run.wanted(at, range);
        at += run.len();
        if wanted.is_empty() {
            continue;
        }
        match run {
            Run::Repeated(value, _) => out.resize(out.len() + wanted.len(), T::cut(value)),
            Run::Packed(groups, _) => {
                out.reserve(wanted.len());
                let mut from = wanted.start;
                if from % 8 == 0 {
                    let whole = &groups[from / 8 * usize::from(width)..];
                    from += 8 * unpack_groups(whole, width, wanted.len(), out);
                }
                unpack(groups, width, from..wanted.end, |value| {
                    out.push(T::cut(value));
                });
            }
        }
    }
    Some(bytes.len() - runs.bytes.len())
}

/// Appends the positions of the ones in `range` of `count` values of one bit to `out`, and gives how many ones come before it.
/// `None` when the bytes do not hold so many values, as far as they are looked at.
pub(crate) fn positions_of_ones(
    bytes: &[u8],
    count: usize,
    range: &Range<usize>,
    out: &mut Vec<u32>,
) -> Option<usize> {
    if range.end > count {
        return None;
    }
    let mut runs = Runs {
        bytes,
        width: 1,
        count,
    };
    let (mut at, mut before) = (0, 0);
    while at < range.end {
        let run = runs.next()?;
        let wanted = run.wanted(at, range);
        match run {
            Run::Repeated(0, _) => {}
            Run::Repeated(..) => {
                before += wanted.start;
                out.extend((at + wanted.start) as u32..(at + wanted.end) as u32);
            }
            Run::Packed(groups, _) => {
                before += ones_before(groups, wanted.start);
                push_ones(groups, &wanted, at, out);
            }
        }
        at += run.len();
    }
    Some(before)
}

/// How many of the first `count` bits are ones.
fn ones_before(bits: &[u8], count: usize) -> usize {
    let (whole, rest) = bits.split_at(count / 8);
    let (words, bytes) = whole.as_chunks::<8>();
    let of_words: u32 = words
        .iter()
        .map(|word| u64::from_le_bytes(*word).count_ones())
        .sum();
    let of_bytes: u32 = bytes.iter().map(|byte| byte.count_ones()).sum();
    let last = rest
        .first()
        .map_or(0, |byte| byte & ((1 << (count % 8)) - 1));
    (of_words + of_bytes + last.count_ones()) as usize
}

/// Appends the positions of the ones in `range`, counted from `first`.
fn push_ones(groups: &[u8], range: &Range<usize>, first: usize, out: &mut Vec<u32>) {
    let bytes = range.start / 8..range.end.div_ceil(8);
    let ones: u32 = groups[bytes.clone()]
        .iter()
        .map(|bits| bits.count_ones())
        .sum();
    out.reserve(ones as usize);
    for group in bytes {
        let mut bits = groups[group];
        while bits != 0 {
            let position = group * 8 + bits.trailing_zeros() as usize;
            if range.contains(&position) {
                out.push((first + position) as u32);
            }
            bits &= bits - 1;
        }
    }
}

/// Where the entries of `rows` lie among `count` entries of a list, of which the first one of each row has the repetition level
/// 0 and others have 1. `None` when there are not so many rows.
pub(crate) fn entries_of(
    repetition: &[u8],
    count: usize,
    rows: &Range<usize>,
) -> Option<Range<usize>> {
    Some(begin_of(repetition, count, rows.start)?..begin_of(repetition, count, rows.end)?)
}

/// Where the entries of a row begin, or where all end, if it is the row behind the last.
fn begin_of(repetition: &[u8], count: usize, row: usize) -> Option<usize> {
    let mut runs = Runs {
        bytes: repetition,
        width: 1,
        count,
    };
    // Rows that are still to be passed, and where the next one begins is wanted.
    let (mut left, mut at) = (row, 0);
    while at < count {
        let run = runs.next()?;
        let len = run.len();
        let begins = match run {
            Run::Repeated(0, len) => len,
            Run::Repeated(..) => 0,
            Run::Packed(groups, len) => len - ones_before(groups, len),
        };
        if left < begins {
            return Some(match run {
                Run::Repeated(..) => at + left,
                Run::Packed(groups, _) => at + nth_zero(groups, left),
            });
        }
        left -= begins;
        at += len;
    }
    (left == 0).then_some(count)
}

/// The position of the zero that `before` zeros come before. There must be so many.
fn nth_zero(bits: &[u8], mut before: usize) -> usize {
    for (at, byte) in bits.iter().enumerate() {
        let zeros = byte.count_zeros() as usize;
        if before < zeros {
            let mut open = !byte;
            for _ in 0..before {
                open &= open - 1;
            }
            return at * 8 + open.trailing_zeros() as usize;
        }
        before -= zeros;
    }
    bits.len() * 8
}

/// Whether any of the values in `range` of `count` values of one bit is a one. `None` as with [`positions_of_ones`].
pub(crate) fn has_one_in(bytes: &[u8], count: usize, range: &Range<usize>) -> Option<bool> {
    if range.end > count {
        return None;
    }
    let mut runs = Runs {
        bytes,
        width: 1,
        count,
    };
    let mut at = 0;
    while at < range.end {
        let run = runs.next()?;
        let wanted = run.wanted(at, range);
        let is_there = !wanted.is_empty()
            && match run {
                Run::Repeated(value, _) => value == 1,
                Run::Packed(groups, _) => {
                    ones_before(groups, wanted.end) > ones_before(groups, wanted.start)
                }
            };
        if is_there {
            return Some(true);
        }
        at += run.len();
    }
    Some(false)
}

/// Appends the values of whole groups, eight at a time, and gives how many groups that were: those at the end are left, and all of
/// them where values are so wide that four do not fit in a word.
fn unpack_groups<T: Number>(groups: &[u8], width: u8, count: usize, out: &mut Vec<T>) -> usize {
    let (bytes, mask) = (usize::from(width), (1u64 << width) - 1);
    if width > 16 {
        return 0;
    }
    let word = |at: usize| Some(u64::from_le_bytes(*groups.get(at..)?.first_chunk()?));
    for group in 0..count / 8 {
        let at = group * bytes;
        // The second half may begin in the middle of a byte, but then it is no wider than what is left of its word.
        let (Some(low), Some(high)) = (word(at), word(at + bytes / 2)) else {
            return group;
        };
        let high = high >> (bytes * 4 % 8);
        let of = |half: u64, place: u8| T::cut((half >> (place * width) & mask) as u32);
        out.extend_from_slice(&[
            of(low, 0),
            of(low, 1),
            of(low, 2),
            of(low, 3),
            of(high, 0),
            of(high, 1),
            of(high, 2),
            of(high, 3),
        ]);
    }
    count / 8
}

#[inline]
fn unpack(groups: &[u8], width: u8, range: Range<usize>, mut each: impl FnMut(u32)) {
    let groups = &groups[range.start / 8 * usize::from(width)..];
    let mask = (1u64 << width) - 1;
    let (mut bits, mut held) = (0u64, 0u32);
    let (words, rest) = groups.as_chunks::<4>();
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    let mut words = words.iter().chain(std::iter::once(&last));
    let mut next = || {
        if held < u32::from(width) {
            let word = words.next().copied().unwrap_or_default();
            bits |= u64::from(u32::from_le_bytes(word)) << held;
            held += 32;
        }
        let value = (bits & mask) as u32;
        bits >>= width;
        held -= u32::from(width);
        value
    };
    for _ in 0..range.start % 8 {
        next();
    }
    for _ in range {
        each(next());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_repeated_value_that_is_wider_than_the_others_is_refused() {
        for (width, value) in [(1, 2), (1, 255), (3, 8)] {
            let bytes = [8 << 1, value];
            assert!(decode::<u8>(&bytes, width, 8, &(0..8), &mut Vec::new()).is_none());
            assert!(decode::<u8>(&bytes, 8, 8, &(0..8), &mut Vec::new()).is_some());
        }
    }

    /// The plain reading of the grammar above.
    fn decode_plainly(mut bytes: &[u8], width: u8, count: usize) -> Vec<u32> {
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
            part in (0usize..1000, 0usize..100),
        ) {
            let mut values: Vec<u32> = runs.iter().flat_map(|&(value, count)| std::iter::repeat_n(value, count)).collect();
            values.extend(short);
            let width = width_of(values.iter().copied().max().unwrap_or(0));
            let mut bytes = Vec::new();
            encode(&values, width, &mut bytes);
            let end = (part.0 + part.1).min(values.len());
            for range in [0..values.len(), part.0.min(end)..end] {
                let mut fast = Vec::new();
                let looked_at = decode::<u32>(&bytes, width, values.len(), &range, &mut fast);
                prop_assert!(looked_at.is_some_and(|at| at == bytes.len() || at < bytes.len() && range.end < values.len()));
                prop_assert_eq!(&fast, &values[range]);
            }
            prop_assert_eq!(decode_plainly(&bytes, width, values.len()), values);
        }

        #[test]
        fn ones_are_found_where_they_are(
            runs in proptest::collection::vec((0u8..2, 1usize..40), 0..40), part in (0usize..900, 0usize..30)
        ) {
            let levels: Vec<u8> = runs.iter().flat_map(|&(value, count)| std::iter::repeat_n(value, count)).collect();
            let mut bytes = Vec::new();
            encode(&levels, 1, &mut bytes);
            let end = (part.0 + part.1).min(levels.len());
            let mut by_rows = Vec::new();
            let all: Vec<u32> = (0..levels.len() as u32).filter(|&at| levels[at as usize] == 1).collect();
            encode_presence(&all, levels.len(), &mut by_rows);
            for bytes in [&bytes, &by_rows] {
                for range in [0..levels.len(), part.0.min(end)..end] {
                    let expected: Vec<u32> = all.iter().copied().filter(|&at| range.contains(&(at as usize))).collect();
                    let before = all.iter().filter(|&&at| (at as usize) < range.start).count();
                    let mut positions = Vec::new();
                    prop_assert_eq!(positions_of_ones(bytes, levels.len(), &range, &mut positions), Some(before));
                    prop_assert_eq!(has_one_in(bytes, levels.len(), &range), Some(!expected.is_empty()));
                    prop_assert_eq!(positions, expected);
                }
            }
            prop_assert_eq!(decode_plainly(&by_rows, 1, levels.len()), levels.iter().copied().map(u32::from).collect::<Vec<_>>());
        }

        #[test]
        fn entries_of_rows_are_found(lists in proptest::collection::vec(prop_oneof![4 => Just(1usize), 1 => 1usize..40], 0..200), part in (0usize..200, 0usize..30)) {
            let levels: Vec<u8> = lists.iter().flat_map(|&len| (0..len).map(|at| u8::from(at > 0))).collect();
            let mut bytes = Vec::new();
            encode(&levels, 1, &mut bytes);
            let end = (part.0 + part.1).min(lists.len());
            let rows = part.0.min(end)..end;
            let begin = |row: usize| lists[..row].iter().sum::<usize>();
            let entries = entries_of(&bytes, levels.len(), &rows);
            prop_assert_eq!(entries, Some(begin(rows.start)..begin(rows.end)));
            prop_assert_eq!(entries_of(&bytes, levels.len(), &(0..lists.len() + 1)), None);
        }

        #[test]
        fn values_of_every_width_come_back(width in 1u8..=32, values in proptest::collection::vec(any::<u32>(), 0..200)) {
            let values: Vec<u32> = values.into_iter().map(|value| (u64::from(value) & ((1 << width) - 1)) as u32).collect();
            let mut bytes = Vec::new();
            encode(&values, width, &mut bytes);
            let mut fast = Vec::new();
            prop_assert!(decode::<u32>(&bytes, width, values.len(), &(0..values.len()), &mut fast).is_some());
            prop_assert_eq!(&fast, &values);
            prop_assert_eq!(decode_plainly(&bytes, width, values.len()), values);
        }

        #[test]
        fn any_bytes_are_decoded_or_refused(bytes: Vec<u8>, width in 0u8..=40, count in 0usize..2000, part in (0usize..2000, 0usize..2000)) {
            let range = part.0.min(part.1)..part.0.max(part.1);
            let mut values = Vec::<u32>::new();
            if decode(&bytes, width, count, &range, &mut values).is_some() {
                prop_assert_eq!(values.len(), range.len());
            }
            let mut positions = Vec::new();
            if positions_of_ones(&bytes, count, &range, &mut positions).is_some() {
                prop_assert!(positions.iter().all(|&at| range.contains(&(at as usize))));
            }
            if let Some(entries) = entries_of(&bytes, count, &range) {
                prop_assert!(entries.start <= entries.end && entries.end <= count);
            }
            has_one_in(&bytes, count, &range);
        }
    }

    #[test]
    fn long_runs_are_tiny() {
        let mut bytes = Vec::new();
        encode(&[1u8; 100_000], 1, &mut bytes);
        assert_eq!(bytes.len(), 4);
    }
}
