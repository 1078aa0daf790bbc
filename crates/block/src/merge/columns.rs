//! Attributes of spans: those that have a column of their own here or there, and the rest.
//!
//! Which keys have columns is decided for each block ([`ColumnPlan`](crate::ColumnPlan)). A key that has one in an input and none in
//! the output joins the rest there; one that has none in an input and one in the output is taken out of the rest. Both are for keys
//! at the limit of being frequent enough, so they may cost more.

use super::input::MergeInput;
use super::lists::{AttributesIn, Target};
use super::words::{Words, merge_nullable};
use super::{MergeError, each_input};
use crate::dictionary::Dictionary;
use crate::read::content;
use crate::spans::SpanLeaves;
use crate::{AttributeColumn, AttributeType, ReadError};

/// Merges all attributes of spans.
pub(super) fn merge(
    inputs: &mut [MergeInput],
    columns: &[AttributeColumn],
    leaves: &mut SpanLeaves,
    to: &mut Target<'_>,
) -> Result<(), MergeError> {
    let mut tail = AttributesIn::load(inputs)?;
    for (column, leaf) in columns.iter().zip(&mut leaves.columns) {
        let mut words = Vec::with_capacity(inputs.len());
        for (at, input) in inputs.iter_mut().enumerate() {
            let of_input = match input.place_of(column) {
                Some(place) => load(input, place),
                None if input.may_have_in_tail(column) => tail.take_out(at, column),
                None => Ok(Words::default()),
            };
            words.push(of_input.map_err(|error| MergeError::Input { input: at, error })?);
        }
        merge_nullable(&words, to.layout, leaf.values(), to.compressor)?;
        to.counts.column(&column.key, column.kind, leaf.present());
    }
    let mut numbers = 0..;
    each_input(inputs, |input| {
        let number = numbers.next().unwrap_or(0);
        for place in 0..input.columns().len() {
            let column = input.columns()[place].clone();
            if !columns.iter().any(|other| other.is_same(&column)) {
                let words = load(input, place)?;
                tail.put_in(number, &column, &words)?;
            }
        }
        Ok(())
    })?;
    tail.merge(&mut leaves.attributes, to)
}

/// The column of an input at `place` among its columns.
fn load(input: &mut MergeInput, place: usize) -> Result<Words, ReadError> {
    let mut words = Words::default();
    input.each(
        |columns| &mut columns.attributes[place],
        |step, pages| {
            words.extend_attributes(step, pages);
            Ok(())
        },
    )?;
    Ok(words)
}

impl AttributesIn {
    /// Takes the attributes of a key and type out of those of an input, as values of a column. Of a span that has the key several
    /// times the first is taken.
    fn take_out(&mut self, input: usize, column: &AttributeColumn) -> Result<Words, ReadError> {
        let (owners, keys, values) = (&self.owners[input], &self.keys[input], &self.values[input]);
        let key = column.key.as_bytes();
        let is_key: Vec<bool> = keys.each_entry().map(|entry| entry == key).collect();
        let (mut kept, mut stored) = (Vec::new(), Arena::default());
        let mut rows: Vec<u32> = Vec::new();
        for at in 0..owners.len() {
            let is_it = is_key[keys.entries()[at] as usize]
                && self.kinds[input][at] == column.kind
                && rows.last() != Some(&owners[at]);
            if is_it {
                rows.push(owners[at]);
                let value = values.entry(values.entries()[at]);
                stored.push(&to_stored(value, column)?);
            } else {
                kept.push(at);
            }
        }
        self.select(input, &kept);
        Ok(Words::of_rows(rows, stored.into()))
    }

    /// Adds the values of a column to the attributes of an input.
    fn put_in(
        &mut self,
        input: usize,
        column: &AttributeColumn,
        words: &Words,
    ) -> Result<(), ReadError> {
        let mut rendered = Arena::default();
        for &entry in words.entries() {
            rendered.push(&to_text(words.entry(entry), column)?);
        }
        let mut key = Arena::default();
        key.push(column.key.as_bytes());
        let count = words.entries().len();
        let key = self.keys[input].add(key.into());
        self.keys[input].extend_entries(std::iter::repeat_n(key, count));
        let first = self.values[input].add(rendered.into());
        self.values[input].extend_entries((0..count).map(|at| first + at as u32));
        self.kinds[input].extend(std::iter::repeat_n(column.kind, count));
        self.owners[input].extend_from_slice(words.rows());
        let mut places: Vec<usize> = (0..self.owners[input].len()).collect();
        places.sort_by_key(|&at| self.owners[input][at]);
        self.select(input, &places);
        Ok(())
    }

    /// Keeps the attributes of an input that are at these places, in this order.
    fn select(&mut self, input: usize, places: &[usize]) {
        let (owners, kinds) = (&mut self.owners[input], &mut self.kinds[input]);
        *owners = places.iter().map(|&at| owners[at]).collect();
        *kinds = places.iter().map(|&at| kinds[at]).collect();
        self.keys[input].select(places);
        self.values[input].select(places);
    }
}

/// Values one after another.
#[derive(Default)]
struct Arena {
    bytes: Vec<u8>,
    places: Vec<(u32, u32)>,
}

impl Arena {
    fn push(&mut self, value: &[u8]) {
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(value);
        self.places.push((start, self.bytes.len() as u32));
    }
}

impl From<Arena> for Dictionary {
    fn from(arena: Arena) -> Self {
        Self::of_values(arena.bytes.into(), arena.places)
    }
}

/// What a column holds of a value that is written as text.
fn to_stored(text: &[u8], column: &AttributeColumn) -> Result<Vec<u8>, ReadError> {
    let parsed = || std::str::from_utf8(text).ok();
    let stored = match column.kind {
        AttributeType::String | AttributeType::Json => Some(text.to_vec()),
        AttributeType::Int => parsed()
            .and_then(|text| text.parse::<i64>().ok())
            .map(|int| int.to_le_bytes().to_vec()),
        AttributeType::Double => parsed()
            .and_then(|text| text.parse::<f64>().ok())
            .map(|double| double.to_bits().to_le_bytes().to_vec()),
        AttributeType::Bool => parsed()
            .and_then(|text| text.parse::<bool>().ok())
            .map(|bool| vec![u8::from(bool)]),
    };
    stored.ok_or_else(|| of_other_type(column))
}

/// The text of a value that a column holds.
fn to_text(stored: &[u8], column: &AttributeColumn) -> Result<Vec<u8>, ReadError> {
    let eight = || stored.first_chunk::<8>().copied();
    let text = match column.kind {
        AttributeType::String | AttributeType::Json => return Ok(stored.to_vec()),
        AttributeType::Int => eight().map(|int| i64::from_le_bytes(int).to_string()),
        AttributeType::Double => eight().map(|double| format!("{:?}", f64::from_le_bytes(double))),
        AttributeType::Bool => Some((stored == [1]).to_string()),
    };
    let text = text.ok_or_else(|| of_other_type(column))?;
    Ok(text.into_bytes())
}

#[cold]
fn of_other_type(column: &AttributeColumn) -> ReadError {
    content(format!("a value of `{}` is not of its type", column.key))
}
