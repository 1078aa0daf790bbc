//! The spans that one shard gathers until they are written together: columns, and a record for each trace.
//!
//! ```text
//! by_id ──► traces[i] ──last_row──► row 7 ──previous──► row 3 ──► row 0 ──► end
//! ```
//!
//! Rows stand in order of arrival; those of a trace form a chain from the last back to the first. So a span costs one
//! probe of a table, one record of a trace, and appends.

use std::hash::BuildHasher as _;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use model::{Gathered, Remap, SpanBatch, SpanRow, Symbol, SymbolOverflow, TraceId};

use super::live::{LiveTrace, NO_ROW};
use crate::steady::Moment;

/// The end of a chain of rows.
pub(super) const NO_ROW_BEFORE: u32 = NO_ROW;

/// Spans in memory, their traces, and which journal segments hold them.
#[derive(Debug)]
pub(super) struct Generation {
    gathered: Gathered,
    traces: Vec<LiveTrace>,
    by_id: HashTable<u32>,
    /// Seeded at random, unlike [`TraceId::hash64`]: whoever chooses ids must not be able to choose collisions.
    hasher: RandomState,
    /// For each row the row of the same trace that came before it, or [`NO_ROW`].
    previous: Vec<u32>,
    /// The ordinal of each resource's service in `services`.
    service_of: Vec<u32>,
    /// Services in order of first appearance.
    services: Vec<Symbol>,
    /// When its first span came, or was carried here; `None` while it is empty.
    began: Option<Moment>,
    first_segment: u64,
    last_segment: u64,
}

impl Default for Generation {
    fn default() -> Self {
        Self {
            gathered: Gathered::new(),
            traces: Vec::new(),
            by_id: HashTable::new(),
            hasher: RandomState::default(),
            previous: Vec::new(),
            service_of: Vec::new(),
            services: Vec::new(),
            began: None,
            first_segment: u64::MAX,
            last_segment: 0,
        }
    }
}

impl Generation {
    /// Forgets everything but the memory.
    pub(super) fn clear(&mut self) {
        self.gathered.clear();
        self.traces.clear();
        self.by_id.clear();
        self.previous.clear();
        self.service_of.clear();
        self.services.clear();
        self.began = None;
        self.first_segment = u64::MAX;
        self.last_segment = 0;
    }

    /// Takes those `rows` of `source`, which the journal has in `segment`. `is_late` is asked for each trace not yet here.
    /// `remap` must have been reset for `source` and have served no other generation since.
    ///
    /// # Errors
    /// [`SymbolOverflow`] and the number of rows taken before the table of values was full.
    pub(super) fn insert(
        &mut self,
        source: &SpanBatch,
        rows: &[u32],
        remap: &mut Remap,
        now: Moment,
        segment: u64,
        mut is_late: impl FnMut(TraceId) -> bool,
    ) -> Result<(), (usize, SymbolOverflow)> {
        self.began.get_or_insert(now);
        self.first_segment = self.first_segment.min(segment);
        self.last_segment = self.last_segment.max(segment);
        remap.prepare(source, rows, &mut self.gathered);
        for (taken, &row) in rows.iter().enumerate() {
            self.gathered
                .push(source, row as usize, remap)
                .map_err(|overflow| (taken, overflow))?;
            let trace_id = source.spans[row as usize].trace_id;
            let index = self.find_or_add(trace_id, || {
                LiveTrace::new(trace_id, now, segment, is_late(trace_id))
            });
            let trace = &mut self.traces[index];
            trace.last_arrival = now;
            trace.first_segment = trace.first_segment.min(segment);
            self.link(index);
        }
        Ok(())
    }

    /// Takes a whole trace from a sealed generation; to what is carried, this generation's age begins `now`. The same rules for `remap` as with [`Self::insert`].
    ///
    /// # Errors
    /// [`SymbolOverflow`]; then none of it was taken, and this generation is as good as full.
    pub(super) fn carry(
        &mut self,
        from: &Self,
        trace: &LiveTrace,
        remap: &mut Remap,
        now: Moment,
    ) -> Result<(), SymbolOverflow> {
        let before = self.len();
        let mut rows: Vec<u32> = from.rows(trace).collect();
        rows.reverse();
        for row in rows {
            if let Err(overflow) = self
                .gathered
                .push(&from.gathered.batch, row as usize, remap)
            {
                self.gathered.batch.spans.truncate(before);
                return Err(overflow);
            }
        }
        self.began.get_or_insert(now);
        self.first_segment = self.first_segment.min(trace.first_segment);
        self.last_segment = self.last_segment.max(from.last_segment);
        let index = self.find_or_add(trace.trace_id, || LiveTrace {
            last_arrival: trace.last_arrival,
            ..LiveTrace::new(
                trace.trace_id,
                trace.first_arrival,
                trace.first_segment,
                trace.is_late,
            )
        });
        while self.previous.len() < self.len() {
            self.link(index);
        }
        Ok(())
    }

    #[inline]
    fn find_or_add(&mut self, id: TraceId, new: impl FnOnce() -> LiveTrace) -> usize {
        let hash = self.hasher.hash_one(id);
        let traces = &self.traces;
        if let Some(&index) = self
            .by_id
            .find(hash, |&i| traces[i as usize].trace_id == id)
        {
            return index as usize;
        }
        let index = self.traces.len();
        self.traces.push(new());
        let (traces, hasher) = (&self.traces, &self.hasher);
        self.by_id.insert_unique(hash, index as u32, |&i| {
            hasher.hash_one(traces[i as usize].trace_id)
        });
        index
    }

    /// Makes the first row that is in no chain the end of the chain of the trace at `index`.
    #[inline]
    fn link(&mut self, index: usize) {
        let row = self.previous.len();
        let resource = self.gathered.batch.spans[row].resource as usize;
        if resource >= self.service_of.len() {
            self.learn_resources(resource);
        }
        let bit = 1u64 << (self.service_of[resource] % u64::BITS);
        let previous = self.traces[index].add(row as u32, &self.gathered.batch.spans, bit);
        self.previous.push(previous);
    }

    /// Numbers the services of resources not yet seen, up to `last`.
    #[cold]
    fn learn_resources(&mut self, last: usize) {
        for resource in &self.gathered.batch.resources[self.service_of.len()..=last] {
            let service = resource.service;
            let known = self.services.iter().position(|&known| known == service);
            let ordinal = known.unwrap_or_else(|| {
                self.services.push(service);
                self.services.len() - 1
            });
            self.service_of.push(ordinal as u32);
        }
    }

    /// Spans, the dead rows of carried traces included.
    pub(super) fn len(&self) -> usize {
        self.gathered.batch.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.gathered.batch.is_empty()
    }

    /// Memory used, in bytes.
    pub(super) fn used_byte_count(&self) -> usize {
        /// An entry of the table: its number, a control byte, and the slack of a table that is seven eighths full.
        const TABLE_ENTRY: usize = 6;
        self.gathered.batch.used_byte_count()
            + size_of_val(self.traces.as_slice())
            + self.traces.len() * TABLE_ENTRY
            + size_of_val(self.previous.as_slice())
            + size_of_val(self.service_of.as_slice())
    }

    pub(super) fn batch(&self) -> &SpanBatch {
        &self.gathered.batch
    }

    /// For each row the row of the same trace that came before it, or [`NO_ROW_BEFORE`].
    pub(super) fn previous(&self) -> &[u32] {
        &self.previous
    }

    pub(super) fn traces(&self) -> &[LiveTrace] {
        &self.traces
    }

    pub(super) fn traces_mut(&mut self) -> &mut [LiveTrace] {
        &mut self.traces
    }

    pub(super) fn find(&self, id: TraceId) -> Option<&LiveTrace> {
        self.by_id
            .find(self.hasher.hash_one(id), |&i| {
                self.traces[i as usize].trace_id == id
            })
            .map(|&i| &self.traces[i as usize])
    }

    /// The rows of a trace, last arrival first.
    pub(super) fn rows(&self, trace: &LiveTrace) -> impl Iterator<Item = u32> + '_ {
        let mut row = trace.last_row;
        std::iter::from_fn(move || {
            let current = row;
            (current != NO_ROW).then(|| {
                row = self.previous[current as usize];
                current
            })
        })
    }

    pub(super) fn span(&self, row: u32) -> &SpanRow {
        &self.gathered.batch.spans[row as usize]
    }

    /// The ordinal of the service of a span.
    pub(super) fn service_ordinal(&self, span: &SpanRow) -> usize {
        self.service_of[span.resource as usize] as usize
    }

    /// Services in order of first appearance.
    pub(super) fn services(&self) -> &[Symbol] {
        &self.services
    }

    /// The name of a service by its ordinal.
    pub(super) fn service_name(&self, ordinal: usize) -> &str {
        self.gathered.batch.symbols.str(self.services[ordinal])
    }

    pub(super) fn began(&self) -> Option<Moment> {
        self.began
    }

    /// The lowest journal segment that a span came from; `u64::MAX` while there is none.
    pub(super) fn first_segment(&self) -> u64 {
        self.first_segment
    }

    /// The highest journal segment that a span came from.
    pub(super) fn last_segment(&self) -> u64 {
        self.last_segment
    }
}
