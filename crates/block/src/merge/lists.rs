//! What few spans have: attributes without a column of their own, events and links.

use std::ops::Range;

use model::{Symbol, SymbolOverflow, Symbols};

use super::input::{MergeInput, Step};
use super::layout::{Cursor, Layout};
use super::words::{Translation, Words};
use super::{MergeError, each_input};
use crate::chunk::PageCompressor;
use crate::extras::{EventPages, LinkPages};
use crate::inventory::RowGroupCounts;
use crate::leaf::Leaf as _;
use crate::list_leaves::{AttributeLeaves, EventLeaves, LinkLeaves, ListLeaves};
use crate::lists::ListPages;
use crate::pages::within;
use crate::{AttributeScope, AttributeType};

/// Lists of attributes of all inputs, each field by input.
#[derive(Default)]
pub(super) struct AttributesIn {
    /// Of each attribute: whose it is, ascending.
    pub(super) owners: Vec<Vec<u32>>,
    pub(super) keys: Vec<Words>,
    pub(super) kinds: Vec<Vec<AttributeType>>,
    pub(super) values: Vec<Words>,
}

/// The attributes of one input.
#[derive(Default)]
struct Attributes {
    owners: Vec<u32>,
    keys: Words,
    kinds: Vec<AttributeType>,
    values: Words,
}

impl Attributes {
    /// Takes attributes of a page; the first `passed` owners there are left out, and `first` owners came before.
    fn extend(&mut self, pages: &ListPages, range: Range<usize>, passed: usize, first: usize) {
        let owners = pages.owners()[range.clone()].iter();
        let place = |owner: &u32| owner - passed as u32 + first as u32;
        self.owners.extend(owners.map(place));
        self.kinds.extend(range.clone().map(|at| pages.kind(at)));
        self.keys.extend(pages.keys(), range.clone());
        self.values.extend(pages.values(), range);
    }
}

impl AttributesIn {
    fn of(inputs: impl IntoIterator<Item = Attributes>) -> Self {
        let mut all = Self::default();
        for input in inputs {
            all.owners.push(input.owners);
            all.keys.push(input.keys);
            all.kinds.push(input.kinds);
            all.values.push(input.values);
        }
        all
    }

    /// The attributes of spans that have no column of their own.
    pub(super) fn load(inputs: &mut [MergeInput]) -> Result<Self, MergeError> {
        let load = |input: &mut MergeInput| {
            let mut tail = Attributes::default();
            input.each(
                |columns| &mut columns.tail,
                |step, pages| {
                    let range = within(pages.owners(), &step.rows);
                    tail.extend(pages, range, step.rows.start, step.first);
                    Ok(())
                },
            )?;
            Ok(tail)
        };
        Ok(Self::of(each_input(inputs, load)?))
    }

    /// Writes them as attributes of spans.
    pub(super) fn merge(
        &self,
        leaves: &mut AttributeLeaves,
        to: &mut Target<'_>,
    ) -> Result<(), MergeError> {
        let mut out = AttributesOut::new(self, AttributeScope::Span);
        merge_lists(&self.owners, leaves, to, |leaves, to, input, range| {
            out.push(input, range, 0, leaves, to)
        })
    }
}

/// Where lists go.
pub(super) struct Target<'a> {
    pub(super) layout: &'a Layout,
    pub(super) compressor: &'a mut PageCompressor,
    /// What keys are counted in.
    pub(super) labels: &'a mut Symbols,
    pub(super) counts: &'a mut RowGroupCounts,
}

/// Writes lists in the order of their rows. `owners` are the rows that the elements of each input belong to; `push` takes the list of a
/// row: these elements of an input.
fn merge_lists<L: ListLeaves>(
    owners: &[Vec<u32>],
    leaves: &mut L,
    to: &mut Target<'_>,
    mut push: impl FnMut(&mut L, &mut Target<'_>, usize, Range<usize>) -> Result<(), SymbolOverflow>,
) -> Result<(), MergeError> {
    let layout = to.layout;
    let mut cursor = Cursor::new(owners.len());
    for (runs, rows) in layout.pages() {
        let mut without = 0;
        for run in runs {
            let owners = &owners[run.input];
            let found = cursor.find(run, owners);
            let (mut next, mut element) = (run.rows().start, found.start);
            for list in owners[found].chunk_by(|one, other| one == other) {
                without += list[0] as usize - next;
                leaves.empty_rows(std::mem::take(&mut without));
                push(leaves, to, run.input, element..element + list.len())?;
                next = list[0] as usize + 1;
                element += list.len();
            }
            without += run.rows().end - next;
        }
        leaves.empty_rows(without);
        leaves.end_page(rows, to.compressor)?;
    }
    Ok(())
}

/// Lists of attributes on their way.
struct AttributesOut<'a> {
    lists: &'a AttributesIn,
    scope: AttributeScope,
    keys: Translation,
    values: Translation,
    /// By input and entry of a key: how it is counted.
    labels: Vec<Vec<Option<Symbol>>>,
}

impl<'a> AttributesOut<'a> {
    fn new(lists: &'a AttributesIn, scope: AttributeScope) -> Self {
        let unseen = |keys: &Words| vec![None; keys.entry_count()];
        Self {
            lists,
            scope,
            keys: Translation::new(&lists.keys),
            values: Translation::new(&lists.values),
            labels: lists.keys.iter().map(unseen).collect(),
        }
    }

    /// The list of one owner, whose own repetition level is `repetition`. It may be empty where owners are elements.
    fn push(
        &mut self,
        input: usize,
        range: Range<usize>,
        repetition: u8,
        leaves: &mut AttributeLeaves,
        to: &mut Target<'_>,
    ) -> Result<(), SymbolOverflow> {
        if range.is_empty() {
            leaves.push_none(repetition);
        }
        for at in range.clone() {
            let kind = self.lists.kinds[input][at];
            leaves.push_levels(at == range.start, repetition);
            let key = self.lists.keys[input].entries()[at];
            self.keys
                .push(&self.lists.keys, input, at..at + 1, leaves.key.values());
            leaves.kind.push(kind as u8, kind.as_str());
            self.values
                .push(&self.lists.values, input, at..at + 1, leaves.value.values());
            let label = self.label(input, key, to.labels)?;
            to.counts.attribute(self.scope, label, kind);
        }
        Ok(())
    }

    fn label(
        &mut self,
        input: usize,
        key: u32,
        labels: &mut Symbols,
    ) -> Result<Symbol, SymbolOverflow> {
        if let Some(label) = self.labels[input][key as usize] {
            return Ok(label);
        }
        let label = label_of(self.lists.keys[input].entry(key), labels)?;
        self.labels[input][key as usize] = Some(label);
        Ok(label)
    }
}

/// The symbol of a text. Blocks hold UTF-8, and what is damaged has no sound checksum.
pub(super) fn label_of(text: &[u8], labels: &mut Symbols) -> Result<Symbol, SymbolOverflow> {
    labels.intern_str(&String::from_utf8_lossy(text))
}

/// The events of all inputs, each field by input.
#[derive(Default)]
pub(super) struct EventsIn {
    owners: Vec<Vec<u32>>,
    times: Vec<Vec<i64>>,
    names: Vec<Words>,
    dropped: Vec<Vec<u32>>,
    attributes: AttributesIn,
}

impl EventsIn {
    pub(super) fn load(inputs: &mut [MergeInput]) -> Result<Self, MergeError> {
        let mut all = Self::default();
        let mut attributes = Vec::new();
        each_input(inputs, |input| {
            let (mut owners, mut times, mut dropped) = (Vec::new(), Vec::new(), Vec::new());
            let (mut names, mut own) = (Words::default(), Attributes::default());
            input.each(
                |columns| &mut columns.events,
                |step, pages: &mut EventPages| {
                    let range = within(pages.owners(), &step.rows);
                    own.extend_of(pages.attributes(), &range, owners.len());
                    owners.extend(places(step, &pages.owners()[range.clone()]));
                    times.extend_from_slice(&pages.times()[range.clone()]);
                    dropped.extend_from_slice(&pages.dropped()[range.clone()]);
                    names.extend(pages.names(), range);
                    Ok(())
                },
            )?;
            all.owners.push(owners);
            all.times.push(times);
            all.names.push(names);
            all.dropped.push(dropped);
            attributes.push(own);
            Ok(())
        })?;
        all.attributes = AttributesIn::of(attributes);
        Ok(all)
    }

    pub(super) fn merge(
        &self,
        leaves: &mut EventLeaves,
        to: &mut Target<'_>,
    ) -> Result<(), MergeError> {
        let mut names = Translation::new(&self.names);
        let mut attributes = AttributesOut::new(&self.attributes, AttributeScope::Event);
        merge_lists(&self.owners, leaves, to, |leaves, to, input, range| {
            for at in range.clone() {
                let repetition = u8::from(at > range.start);
                leaves.time.nested(repetition, 1);
                leaves.time.push(self.times[input][at]);
                leaves.name.nested(repetition, 1);
                names.push(&self.names, input, at..at + 1, leaves.name.values());
                leaves.dropped.nested(repetition, 1);
                leaves.dropped.push(self.dropped[input][at]);
                let own = within(&self.attributes.owners[input], &(at..at + 1));
                attributes.push(input, own, repetition, &mut leaves.attributes, to)?;
            }
            Ok(())
        })
    }
}

impl Attributes {
    /// Takes the attributes of elements of a list, before which `before` elements were taken.
    fn extend_of(&mut self, pages: &ListPages, elements: &Range<usize>, before: usize) {
        let range = within(pages.owners(), elements);
        self.extend(pages, range, elements.start, before);
    }
}

/// Where rows of a page are among those that are merged.
fn places(step: &Step, rows: &[u32]) -> impl Iterator<Item = u32> {
    rows.iter().map(|&row| step.place(row))
}

/// The links of all inputs, each field by input.
#[derive(Default)]
pub(super) struct LinksIn {
    owners: Vec<Vec<u32>>,
    trace_ids: Vec<Vec<[u8; 16]>>,
    span_ids: Vec<Vec<[u8; 8]>>,
    states: Vec<Words>,
    flags: Vec<Vec<u32>>,
    dropped: Vec<Vec<u32>>,
    attributes: AttributesIn,
}

impl LinksIn {
    pub(super) fn load(inputs: &mut [MergeInput]) -> Result<Self, MergeError> {
        let mut all = Self::default();
        let mut attributes = Vec::new();
        each_input(inputs, |input| {
            let (mut owners, mut trace_ids, mut span_ids) = (Vec::new(), Vec::new(), Vec::new());
            let (mut flags, mut dropped) = (Vec::new(), Vec::new());
            let (mut states, mut own) = (Words::default(), Attributes::default());
            input.each(
                |columns| &mut columns.links,
                |step, pages: &mut LinkPages| {
                    let range = within(pages.owners(), &step.rows);
                    own.extend_of(pages.attributes(), &range, owners.len());
                    owners.extend(places(step, &pages.owners()[range.clone()]));
                    trace_ids.extend(range.clone().map(|at| pages.trace_id(at).0));
                    span_ids.extend(range.clone().map(|at| pages.span_id(at).0));
                    flags.extend_from_slice(&pages.flags()[range.clone()]);
                    dropped.extend_from_slice(&pages.dropped()[range.clone()]);
                    states.extend(pages.trace_states(), range);
                    Ok(())
                },
            )?;
            all.owners.push(owners);
            all.trace_ids.push(trace_ids);
            all.span_ids.push(span_ids);
            all.states.push(states);
            all.flags.push(flags);
            all.dropped.push(dropped);
            attributes.push(own);
            Ok(())
        })?;
        all.attributes = AttributesIn::of(attributes);
        Ok(all)
    }

    pub(super) fn merge(
        &self,
        leaves: &mut LinkLeaves,
        to: &mut Target<'_>,
    ) -> Result<(), MergeError> {
        let mut states = Translation::new(&self.states);
        let mut attributes = AttributesOut::new(&self.attributes, AttributeScope::Link);
        merge_lists(&self.owners, leaves, to, |leaves, to, input, range| {
            for at in range.clone() {
                let repetition = u8::from(at > range.start);
                leaves.trace_id.nested(repetition, 1);
                leaves.trace_id.push(self.trace_ids[input][at]);
                leaves.span_id.nested(repetition, 1);
                leaves.span_id.push(self.span_ids[input][at]);
                leaves.trace_state.nested(repetition, 1);
                states.push(&self.states, input, at..at + 1, leaves.trace_state.values());
                leaves.flags.nested(repetition, 1);
                leaves.flags.push(self.flags[input][at]);
                leaves.dropped.nested(repetition, 1);
                leaves.dropped.push(self.dropped[input][at]);
                let own = within(&self.attributes.owners[input], &(at..at + 1));
                attributes.push(input, own, repetition, &mut leaves.attributes, to)?;
            }
            Ok(())
        })
    }
}
