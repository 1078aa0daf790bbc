//! Several blocks into one, column by column: what compaction writes with.
//!
//! The traces of all inputs are known from their trace tables. So the rows of a row group are laid out first ([`Layout`]): which
//! rows of which input come one after the other. Then each column is read from all inputs, put in this order, and written, without
//! putting spans together in between. A value that has a code in the dictionary of its input gets its code in the new dictionary
//! once; a row then costs two look-ups. Reading spans ([`SpanReader`](crate::SpanReader)) and writing them again
//! ([`BlockWriter::write`]) gives the same block at twice the cost; tests hold the two against each other.
//!
//! A trace that lies in one input is copied as it is. One that lies in several is put in order again, and a span id that occurs
//! twice is taken from the first of them: its rows are copied one by one, and only where their parents are is computed anew.
//!
//! Inputs need not have the same attributes as columns: see [`columns`].

mod columns;
mod input;
mod layout;
mod lists;
mod words;

use model::{Remap, SpanBatch, SpanKind, StatusCode, Symbol, Symbols, TraceId, UnixNanos};
use parquet::errors::ParquetError;

pub use self::input::MergeInput;
use self::input::{Column, Columns, Core};
use self::layout::{Layout, Parents};
use self::lists::{EventsIn, LinksIn, Target, label_of};
use self::words::{Words, merge_nullable};
use crate::chunk::PageCompressor;
use crate::facts::SpanFacts;
use crate::inventory::RowGroupCounts;
use crate::leaf::{IdLeaf, IntLeaf, LongLeaf};
use crate::spans::SpanLeaves;
use crate::values::{Places, SymbolLeaf, WordLeaf};
use crate::words::WordPages;
use crate::{AttributeColumn, BlockWriter, ReadError, WriteError};

/// The rows of a trace in one input: the next ones there.
#[derive(Debug, Clone, Copy)]
pub struct Piece {
    /// The index of the input.
    pub input: usize,
    /// How many rows, at least one.
    pub rows: usize,
}

/// A trace that is to be merged.
#[derive(Debug, Clone, Copy)]
pub struct MergedTrace<'a> {
    /// The trace.
    pub trace_id: TraceId,
    /// Whether this is known to be a piece of the trace. A trace without root is taken as a piece anyway.
    pub partial: bool,
    /// Where it lies, by ascending input, each at most once and at least one.
    pub pieces: &'a [Piece],
}

/// Why blocks could not be merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// An input cannot be read.
    #[error("cannot read input {input}: {error}")]
    Input {
        /// Its index.
        input: usize,
        /// Why.
        error: ReadError,
    },
    /// The block cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

impl From<ParquetError> for MergeError {
    fn from(error: ParquetError) -> Self {
        Self::Write(error.into())
    }
}

impl From<model::SymbolOverflow> for MergeError {
    fn from(error: model::SymbolOverflow) -> Self {
        Self::Write(error.into())
    }
}

/// Does something for each input, and tells which one an error is about.
fn each_input<T>(
    inputs: &mut [MergeInput],
    mut load: impl FnMut(&mut MergeInput) -> Result<T, ReadError>,
) -> Result<Vec<T>, MergeError> {
    let inputs = inputs.iter_mut().enumerate();
    inputs
        .map(|(input, source)| load(source).map_err(|error| MergeError::Input { input, error }))
        .collect()
}

impl BlockWriter {
    /// Appends the next traces of the inputs as one row group: some 100,000 spans at a time. Each input must have been given the
    /// bytes of as many rows as the traces have in it ([`MergeInput::wanted`]). Costs about a quarter of a microsecond a span.
    ///
    /// # Errors
    /// [`MergeError`], also when the next rows of an input are of other traces; the writer and the inputs are of no use afterwards.
    ///
    /// # Panics
    /// When the ids do not ascend strictly, within the call and from call to call, or a piece is of no input.
    pub fn merge(
        &mut self,
        inputs: &mut [MergeInput],
        traces: &[MergedTrace<'_>],
    ) -> Result<(), MergeError> {
        if traces.is_empty() {
            return Ok(());
        }
        let cores = Core::load_all(inputs, traces)?;
        let layout = Layout::of(traces, &cores, &mut self.order);
        let mut remap = Remap::default();
        let resources = each_input(inputs, |input| {
            input.resources(&mut self.resources, &mut remap)
        })?;
        self.expect(layout.rows());
        let schema = self.spans.schema_descr().clone();
        let mut group = GroupMerge {
            inputs,
            layout: &layout,
            compressor: &mut self.compressor,
            leaves: SpanLeaves::new(&schema, &self.plan.columns, &layout.trace_of_row()),
            labels: Symbols::default(),
            counts: RowGroupCounts::default(),
        };
        let parents = group.places(traces, &cores)?;
        let told = group.facts(&cores, &parents, &resources, &self.resources.batch)?;
        group.extras()?;
        group.attributes(&self.plan.columns)?;
        for (trace, rows) in traces.iter().zip(&layout.traces) {
            let last = self.traces.last_id();
            assert!(
                last.is_none_or(|last| last < trace.trace_id),
                "traces must come by ascending id"
            );
            let first = self.rows + rows.start as u64;
            let spans = told[rows.clone()].iter().copied();
            let symbols = &group.labels;
            self.traces
                .push(symbols, trace.trace_id, first, trace.partial, spans);
        }
        self.traces.push_masks(&group.leaves.masks(traces.len()));
        let mut row_group = self.spans.next_row_group()?;
        group.leaves.finish(group.compressor, &mut row_group)?;
        row_group.close()?;
        self.inventory.add(&group.labels, group.counts);
        self.rows += layout.rows() as u64;
        self.duplicates += layout.duplicates as u64;
        Ok(())
    }
}

/// A row group that is being merged.
struct GroupMerge<'a> {
    inputs: &'a mut [MergeInput],
    layout: &'a Layout,
    compressor: &'a mut PageCompressor,
    leaves: SpanLeaves,
    /// Names of services, spans and keys.
    labels: Symbols,
    counts: RowGroupCounts,
}

impl GroupMerge<'_> {
    /// Merges ids and where parents are.
    fn places(
        &mut self,
        traces: &[MergedTrace<'_>],
        cores: &[Core],
    ) -> Result<Parents, MergeError> {
        let (layout, leaves, to) = (self.layout, &mut self.leaves, &mut *self.compressor);
        merge_ids(&mut leaves.trace_id, &layout.trace_ids(traces), layout, to)?;
        let ids = layout.gather(|input| &cores[input].span_id);
        merge_ids(&mut leaves.span_id, &ids, layout, to)?;
        let parents = layout.parents(cores);
        merge_ints(&mut leaves.parent, &parents.back, layout, to)?;
        let mut named = parents.by_id.iter().peekable();
        for rows in layout.page_rows() {
            while let Some(&(row, id)) = named.next_if(|(row, _)| rows.contains(row)) {
                leaves.parent_span_id.set(row - rows.start, id);
            }
            leaves.parent_span_id.end_page(rows.len(), true, to)?;
        }
        let subtrees = layout.subtrees(|input| &cores[input].subtree);
        merge_ints(&mut leaves.subtree, &subtrees, layout, to)?;
        Ok(parents)
    }

    /// Merges times, resources, names, kinds and statuses, and gives what traces and services are told of each span. The services of
    /// `resources`, which are numbered as in the output, are those of `block`.
    fn facts(
        &mut self,
        cores: &[Core],
        parents: &Parents,
        resources: &[Vec<u32>],
        block: &SpanBatch,
    ) -> Result<Vec<SpanFacts>, MergeError> {
        let (layout, leaves, to) = (self.layout, &mut self.leaves, &mut *self.compressor);
        let starts = layout.gather(|input| &cores[input].start);
        merge_longs(&mut leaves.start, &starts, layout, to)?;
        let durations = each_input(self.inputs, |input| {
            input.longs(|columns| &mut columns.duration)
        })?;
        let durations = layout.gather(|input| &durations[input]);
        merge_longs(&mut leaves.duration, &durations, layout, to)?;
        let kinds = each_input(self.inputs, |input| {
            input.numbers(|columns| &mut columns.kind)
        })?;
        let kinds = layout.gather(|input| &kinds[input]);
        let word = |kind: u8| SpanKind::from_number(kind.into()).as_str();
        merge_numbers(&mut leaves.kind, &kinds, word, layout, to)?;
        let statuses = each_input(self.inputs, |input| {
            input.numbers(|columns| &mut columns.status)
        })?;
        let statuses = layout.gather(|input| &statuses[input]);
        let word = |status: u8| StatusCode::from_number(status.into()).as_str();
        merge_numbers(&mut leaves.status, &statuses, word, layout, to)?;
        let resources = layout.gather(|input| &resources[input]);
        merge_ints(&mut leaves.resource, &resources, layout, to)?;
        let services = self.services(&resources, block)?;
        let names = self.names()?;
        let places = &mut Places::new(&self.labels);
        let (leaves, to) = (&mut self.leaves, &mut *self.compressor);
        merge_symbols(
            &mut leaves.service,
            &services,
            &self.labels,
            places,
            layout,
            to,
        )?;
        merge_symbols(&mut leaves.name, &names, &self.labels, places, layout, to)?;
        let mut named = parents.by_id.iter().map(|(row, _)| *row).peekable();
        let span = |row: usize| SpanFacts {
            start: UnixNanos(starts[row]),
            end: UnixNanos(starts[row].saturating_add(durations[row])),
            is_root: parents.back[row] == 0 && named.next_if_eq(&row).is_none(),
            is_error: StatusCode::from_number(statuses[row].into()) == StatusCode::Error,
            service: services[row],
            name: names[row],
        };
        let spans: Vec<SpanFacts> = (0..layout.rows()).map(span).collect();
        spans.iter().for_each(|span| self.counts.span(span));
        Ok(spans)
    }

    /// The service of each row.
    fn services(
        &mut self,
        resources: &[u32],
        block: &SpanBatch,
    ) -> Result<Vec<Symbol>, MergeError> {
        let mut known = vec![None; block.resources.len()];
        let mut services = Vec::with_capacity(resources.len());
        for &resource in resources {
            let known = &mut known[resource as usize];
            let service = match *known {
                Some(service) => service,
                None => {
                    let service = block.resources[resource as usize].service;
                    *known.insert(self.labels.intern_from(&block.symbols, service)?)
                }
            };
            services.push(service);
        }
        Ok(services)
    }

    /// The name of each row.
    fn names(&mut self) -> Result<Vec<Symbol>, MergeError> {
        let words = each_input(self.inputs, |input| {
            let mut names = Words::default();
            input.each(
                |columns| &mut columns.name,
                |_, pages| {
                    names.extend(pages, 0..pages.len());
                    Ok(())
                },
            )?;
            Ok(names)
        })?;
        let mut names = Vec::with_capacity(words.len());
        for words in &words {
            let mut known = vec![None; words.entry_count()];
            let mut of_input = Vec::with_capacity(words.entries().len());
            for &entry in words.entries() {
                let known = &mut known[entry as usize];
                of_input.push(match *known {
                    Some(name) => name,
                    None => *known.insert(label_of(words.entry(entry), &mut self.labels)?),
                });
            }
            names.push(of_input);
        }
        Ok(self.layout.gather(|input| &names[input]))
    }

    /// Merges what few spans have.
    fn extras(&mut self) -> Result<(), MergeError> {
        let (layout, leaves) = (self.layout, &mut self.leaves);
        let flags = each_input(self.inputs, |input| {
            input.ints(|columns| &mut columns.flags)
        })?;
        let flags = layout.gather(|input| &flags[input]);
        merge_ints(&mut leaves.flags, &flags, layout, self.compressor)?;
        for (at, leaf) in leaves.dropped.iter_mut().enumerate() {
            let dropped = each_input(self.inputs, |input| {
                input.ints(|columns| &mut columns.dropped[at])
            })?;
            let dropped = layout.gather(|input| &dropped[input]);
            merge_ints(leaf, &dropped, layout, self.compressor)?;
        }
        let messages = nullable(self.inputs, |columns| &mut columns.status_message)?;
        merge_nullable(
            &messages,
            layout,
            leaves.status_message.values(),
            self.compressor,
        )?;
        let states = nullable(self.inputs, |columns| &mut columns.trace_state)?;
        merge_nullable(
            &states,
            layout,
            leaves.trace_state.values(),
            self.compressor,
        )?;
        let events = EventsIn::load(self.inputs)?;
        let links = LinksIn::load(self.inputs)?;
        let target = &mut Target {
            layout,
            compressor: self.compressor,
            labels: &mut self.labels,
            counts: &mut self.counts,
        };
        events.merge(&mut leaves.events, target)?;
        links.merge(&mut leaves.links, target)
    }

    fn attributes(&mut self, columns: &[AttributeColumn]) -> Result<(), MergeError> {
        let target = &mut Target {
            layout: self.layout,
            compressor: self.compressor,
            labels: &mut self.labels,
            counts: &mut self.counts,
        };
        columns::merge(self.inputs, columns, &mut self.leaves, target)
    }
}

/// A column of texts that some spans have.
fn nullable(
    inputs: &mut [MergeInput],
    column: impl Fn(&mut Columns) -> &mut Column<WordPages>,
) -> Result<Vec<Words>, MergeError> {
    each_input(inputs, |input| {
        let mut words = Words::default();
        input.each(&column, |step, pages| {
            words.extend_rows(step, pages);
            Ok(())
        })?;
        Ok(words)
    })
}

fn merge_ids<const N: usize>(
    leaf: &mut IdLeaf<N>,
    ids: &[[u8; N]],
    layout: &Layout,
    compressor: &mut PageCompressor,
) -> Result<(), ParquetError> {
    for rows in layout.page_rows() {
        leaf.extend(ids[rows.clone()].iter().copied());
        leaf.end_page(rows.len(), false, compressor)?;
    }
    Ok(())
}

fn merge_ints(
    leaf: &mut IntLeaf,
    ints: &[u32],
    layout: &Layout,
    compressor: &mut PageCompressor,
) -> Result<(), ParquetError> {
    for rows in layout.page_rows() {
        leaf.extend(ints[rows.clone()].iter().copied());
        leaf.end_page(rows.len(), compressor)?;
    }
    Ok(())
}

fn merge_longs(
    leaf: &mut LongLeaf,
    longs: &[i64],
    layout: &Layout,
    compressor: &mut PageCompressor,
) -> Result<(), ParquetError> {
    for rows in layout.page_rows() {
        leaf.extend(longs[rows.clone()].iter().copied());
        leaf.end_page(rows.len(), compressor)?;
    }
    Ok(())
}

fn merge_numbers(
    leaf: &mut WordLeaf,
    numbers: &[u8],
    word: impl Fn(u8) -> &'static str,
    layout: &Layout,
    compressor: &mut PageCompressor,
) -> Result<(), ParquetError> {
    for rows in layout.page_rows() {
        for &number in &numbers[rows.clone()] {
            leaf.push(number, word(number));
        }
        leaf.end_page(rows.len(), compressor)?;
    }
    Ok(())
}

fn merge_symbols(
    leaf: &mut SymbolLeaf,
    words: &[Symbol],
    labels: &Symbols,
    places: &mut Places,
    layout: &Layout,
    compressor: &mut PageCompressor,
) -> Result<(), ParquetError> {
    for rows in layout.page_rows() {
        for &word in &words[rows.clone()] {
            leaf.push(labels, places, word);
        }
        leaf.end_page(rows.len(), false, compressor)?;
    }
    Ok(())
}
