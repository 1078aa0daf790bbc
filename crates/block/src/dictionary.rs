//! Plain-encoded values, and the dictionaries of row groups, which are such values.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::Type as PhysicalType;

/// Keeps dictionaries of a row group that were read, by the number of their column, for the next one who reads it.
pub trait Dictionaries: Send + Sync {
    /// What was kept, if it still is.
    fn get(&self, leaf: usize) -> Option<Dictionary>;
    /// Whether there is something to [get](Self::get).
    fn has(&self, leaf: usize) -> bool {
        self.get(leaf).is_some()
    }
    /// Keeps a dictionary for as long as there is room.
    fn keep(&self, leaf: usize, dictionary: &Dictionary);
}

/// How plain-encoded values lie: one after the other, texts with their length in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    Texts,
    /// Numbers of so many bytes.
    Numbers(usize),
}

impl Layout {
    pub(crate) fn of(values: PhysicalType) -> Self {
        match values {
            PhysicalType::BYTE_ARRAY => Self::Texts,
            PhysicalType::INT32 | PhysicalType::FLOAT => Self::Numbers(4),
            _ => Self::Numbers(8),
        }
    }
}

/// The values of a dictionary, decompressed. A clone shares them.
#[derive(Debug, Clone, Default)]
pub struct Dictionary {
    bytes: Bytes,
    /// Of texts: where each lies.
    texts: Option<Arc<Vec<(u32, u32)>>>,
    /// Of numbers: the bytes of each.
    entry_bytes: usize,
}

impl Dictionary {
    /// `None` when the bytes do not hold exactly so many values.
    pub(crate) fn read(bytes: Bytes, entries: usize, layout: Layout) -> Option<Self> {
        let mut texts = None;
        let (entry_bytes, end) = match layout {
            Layout::Texts => {
                let mut places = Vec::new();
                let end = read_texts(&bytes, &(0..entries), &mut places)?;
                texts = Some(Arc::new(places));
                (0, end)
            }
            Layout::Numbers(size) => (size, entries.checked_mul(size)?),
        };
        (end == bytes.len()).then_some(Self {
            bytes,
            texts,
            entry_bytes,
        })
    }

    /// Of values that lie where `places` say.
    pub(crate) fn of_values(bytes: Bytes, places: Vec<(u32, u32)>) -> Self {
        Self {
            bytes,
            texts: Some(Arc::new(places)),
            entry_bytes: 0,
        }
    }

    /// The booleans, false first, in a byte each.
    pub(crate) fn of_bools() -> Self {
        Self {
            bytes: Bytes::from_static(&[0, 1]),
            texts: None,
            entry_bytes: 1,
        }
    }

    /// Whether the two are one dictionary, and not just alike.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.bytes.as_ptr() == other.bytes.as_ptr() && self.len() == other.len()
    }

    /// Memory held, in bytes, about.
    pub fn byte_count(&self) -> usize {
        self.bytes.len()
            + self
                .texts
                .as_ref()
                .map_or(0, |texts| size_of_val(texts.as_slice()))
    }

    pub(crate) fn len(&self) -> usize {
        match &self.texts {
            Some(texts) => texts.len(),
            None => self.bytes.len().checked_div(self.entry_bytes).unwrap_or(0),
        }
    }

    /// The bytes of an entry: UTF-8 of a text, else a number, little-endian.
    #[inline]
    pub(crate) fn get(&self, entry: usize) -> &[u8] {
        match &self.texts {
            Some(texts) => {
                let (start, end) = texts[entry];
                &self.bytes[start as usize..end as usize]
            }
            None => &self.bytes[entry * self.entry_bytes..(entry + 1) * self.entry_bytes],
        }
    }
}

/// Some of the plain-encoded values of a page.
#[derive(Default)]
pub(crate) struct PlainValues {
    bytes: Bytes,
    /// Of texts: where each lies.
    texts: Option<Vec<(u32, u32)>>,
    /// Of numbers: the bytes of each.
    value_bytes: usize,
}

impl PlainValues {
    /// Takes the values in `range`, and gives where the bytes of the last of them end. `None` when the bytes do not hold so many.
    pub(crate) fn read(
        &mut self,
        bytes: &Bytes,
        range: &Range<usize>,
        layout: Layout,
    ) -> Option<usize> {
        let mut texts = self.texts.take().unwrap_or_default();
        texts.clear();
        let end = match layout {
            Layout::Texts => {
                self.bytes = bytes.clone();
                let end = read_texts(bytes, range, &mut texts)?;
                self.texts = Some(texts);
                end
            }
            Layout::Numbers(size) => {
                let (start, end) = (range.start.checked_mul(size)?, range.end.checked_mul(size)?);
                if start > end || end > bytes.len() {
                    return None;
                }
                self.bytes = bytes.slice(start..end);
                self.value_bytes = size;
                end
            }
        };
        Some(end)
    }

    /// The values, to be kept: `count` of them.
    pub(crate) fn to_dictionary(&self, count: usize) -> Dictionary {
        let size = self.value_bytes;
        let place = |at: usize| ((at * size) as u32, ((at + 1) * size) as u32);
        let numbers = || (0..count).map(place).collect();
        let places = self.texts.clone().unwrap_or_else(numbers);
        Dictionary::of_values(self.bytes.clone(), places)
    }

    /// As [`Dictionary::get`].
    #[inline]
    pub(crate) fn get(&self, value: usize) -> &[u8] {
        match &self.texts {
            Some(texts) => {
                let (start, end) = texts[value];
                &self.bytes[start as usize..end as usize]
            }
            None => &self.bytes[value * self.value_bytes..(value + 1) * self.value_bytes],
        }
    }
}

/// Notes where those of plain-encoded texts lie that are in `range`, and gives where the last of them ends.
fn read_texts(bytes: &[u8], range: &Range<usize>, texts: &mut Vec<(u32, u32)>) -> Option<usize> {
    texts.reserve(range.len().min(bytes.len() / 4));
    let mut at = 0usize;
    for entry in 0..range.end {
        let len = bytes.get(at..)?.first_chunk::<4>()?;
        let start = at + 4;
        at = start.checked_add(u32::from_le_bytes(*len) as usize)?;
        if at > bytes.len() {
            return None;
        }
        if entry >= range.start {
            texts.push((u32::try_from(start).ok()?, u32::try_from(at).ok()?));
        }
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(texts: &[&str]) -> Bytes {
        let length = |text: &&str| (text.len() as u32).to_le_bytes();
        let written = texts
            .iter()
            .flat_map(|text| [&length(text), text.as_bytes()].concat());
        written.collect::<Vec<u8>>().into()
    }

    #[test]
    fn a_dictionary_holds_what_it_says_and_nothing_behind() {
        let bytes = plain(&["one", "", "three"]);
        let dictionary = Dictionary::read(bytes.clone(), 3, Layout::Texts).unwrap();
        let entries: Vec<_> = (0..3).map(|entry| dictionary.get(entry)).collect();
        assert_eq!(entries, [&b"one"[..], b"", b"three"]);
        for entries in [0, 2, 4] {
            assert!(Dictionary::read(bytes.clone(), entries, Layout::Texts).is_none());
        }
        let numbers = Bytes::from_static(&[1, 0, 0, 0, 2, 0, 0, 0]);
        let dictionary = Dictionary::read(numbers.clone(), 2, Layout::Numbers(4)).unwrap();
        assert_eq!(dictionary.get(1), [2, 0, 0, 0]);
        for entries in [0, 1, 3, usize::MAX] {
            assert!(Dictionary::read(numbers.clone(), entries, Layout::Numbers(4)).is_none());
        }
    }

    #[test]
    fn plain_values_tell_where_they_end() {
        let bytes = plain(&["one", "", "three"]);
        let mut values = PlainValues::default();
        assert_eq!(
            values.read(&bytes, &(1..3), Layout::Texts),
            Some(bytes.len())
        );
        assert_eq!((values.get(0), values.get(1)), (&b""[..], &b"three"[..]));
        assert_eq!(
            values.read(&bytes, &(0..2), Layout::Texts),
            Some(bytes.len() - 9)
        );
        assert_eq!(values.read(&bytes, &(3..4), Layout::Texts), None);
        assert_eq!(values.read(&bytes, &(1..2), Layout::Numbers(8)), Some(16));
        assert_eq!(values.get(0), &bytes[8..16]);
        assert_eq!(values.read(&bytes, &(2..3), Layout::Numbers(8)), None);
    }
}
