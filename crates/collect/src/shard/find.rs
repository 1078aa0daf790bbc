//! All live spans of one trace.

use hashbrown::HashSet;
use model::{Gathered, Remap, SpanBatch, SpanId, SymbolOverflow, TraceId};

use super::Shard;
use super::generation::Generation;
use super::live::{LiveTrace, State};

impl Shard {
    /// The spans of a trace that are in no visible block, each once, in order of arrival; empty when there is none.
    ///
    /// # Errors
    /// [`SymbolOverflow`] when the trace holds more than 4 GiB of values.
    pub(crate) fn find(&self, id: TraceId) -> Result<SpanBatch, SymbolOverflow> {
        let mut found = Gathered::new();
        let mut remap = Remap::default();
        let mut seen = HashSet::new();
        for (generation, trace) in self.pieces(id) {
            remap.reset(generation.batch());
            let mut rows: Vec<u32> = generation.rows(trace).collect();
            rows.reverse();
            for row in rows {
                let span_id: SpanId = generation.span(row).span_id;
                if seen.insert(span_id) {
                    found.push(generation.batch(), row as usize, &mut remap)?;
                }
            }
        }
        Ok(found.batch)
    }

    /// Where spans of a trace are, oldest generation first.
    pub(super) fn pieces(&self, id: TraceId) -> impl Iterator<Item = (&Generation, &LiveTrace)> {
        self.generations().filter_map(move |generation| {
            let trace = generation.find(id)?;
            (trace.state != State::Carried).then_some((generation, trace))
        })
    }

    /// All generations, oldest first.
    pub(super) fn generations(&self) -> impl Iterator<Item = &Generation> {
        self.sealed
            .iter()
            .map(|sealed| sealed.generation())
            .chain([&self.open])
    }
}
