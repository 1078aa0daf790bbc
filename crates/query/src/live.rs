//! Live spans as traces.

mod rows;

pub(crate) use rows::{Counts, LiveRows};

use std::collections::HashMap;
use std::sync::Arc;

use collect::{LivePiece, LiveSpans};
use evaluate::{Tree, TreeBuilder};
use hashbrown::hash_map::Entry;
use model::{Gathered, Remap, TraceId, UnixNanos};

use crate::QueryError;
use crate::work::Work;

/// All live spans at a moment, by trace.
#[derive(Debug, Clone, Default)]
pub(crate) struct LiveTraces {
    generations: Arc<[LiveSpans]>,
    traces: Arc<hashbrown::HashMap<TraceId, LiveTrace>>,
}

/// Index of the generation, and what is there of a trace.
type Place = (usize, LivePiece);

/// A trace that has live spans.
#[derive(Debug, Clone)]
pub(crate) struct LiveTrace {
    pub(crate) start: UnixNanos,
    pub(crate) end: UnixNanos,
    /// Whether spans of it may be in blocks.
    pub(crate) is_piece: bool,
    first: Place,
    /// Pieces in other generations; few traces have some.
    more: Vec<Place>,
}

impl LiveTrace {
    /// Whether all of it is in one place, so that it can be evaluated there.
    pub(crate) fn is_whole(&self) -> bool {
        !self.is_piece && self.more.is_empty()
    }

    fn add(&mut self, place: Place) {
        let (_, piece) = place;
        self.start = self.start.min(piece.start);
        self.end = self.end.max(piece.end);
        // A later piece is called so because of earlier ones, here or not.
        self.is_piece |= piece.is_piece;
        self.more.push(place);
    }

    fn pieces(&self) -> impl Iterator<Item = &Place> {
        std::iter::once(&self.first).chain(&self.more)
    }
}

impl LiveTraces {
    /// Costs a look at the record of every live trace.
    pub(crate) fn new(generations: Vec<LiveSpans>) -> Self {
        let mut traces: hashbrown::HashMap<TraceId, LiveTrace> = hashbrown::HashMap::new();
        for (at, generation) in generations.iter().enumerate() {
            for piece in generation.traces() {
                match traces.entry(piece.trace_id) {
                    Entry::Vacant(free) => drop(free.insert(LiveTrace {
                        start: piece.start,
                        end: piece.end,
                        is_piece: piece.is_piece,
                        first: (at, piece),
                        more: Vec::new(),
                    })),
                    Entry::Occupied(mut known) => known.get_mut().add((at, piece)),
                }
            }
        }
        Self {
            generations: generations.into(),
            traces: Arc::new(traces),
        }
    }

    /// Traces.
    pub(crate) fn len(&self) -> usize {
        self.traces.len()
    }

    /// The earliest start and the latest end; `None` when there are no traces.
    pub(crate) fn times(&self) -> Option<(UnixNanos, UnixNanos)> {
        let times = self.traces.values().map(|trace| (trace.start, trace.end));
        times.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
    }

    /// Looks for those that are live as a whole, as far as is known, of which there is more elsewhere, as `has_more` tells.
    pub(crate) fn find_pieces(&mut self, mut has_more: impl FnMut(TraceId, &LiveTrace) -> bool) {
        for (id, trace) in Arc::make_mut(&mut self.traces) {
            if trace.is_whole() {
                trace.is_piece = has_more(*id, trace);
            }
        }
    }

    fn pieces(&self, id: TraceId) -> impl Iterator<Item = &Place> {
        self.traces.get(&id).into_iter().flat_map(LiveTrace::pieces)
    }

    pub(crate) fn contains(&self, id: TraceId) -> bool {
        self.traces.contains_key(&id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (TraceId, &LiveTrace)> {
        self.traces.iter().map(|(id, trace)| (*id, trace))
    }

    /// As [`Self::evaluate`], for every piece of a trace by itself.
    ///
    /// # Errors
    /// [`QueryError`], also those of `each`.
    pub(crate) fn evaluate_pieces(
        &self,
        ids: &[TraceId],
        work: &Work,
        mut each: impl FnMut(TraceId, &Tree<'_>) -> Result<bool, QueryError>,
    ) -> Result<(), QueryError> {
        let pieces = ids
            .iter()
            .flat_map(|id| self.pieces(*id).map(move |piece| (*id, piece)));
        self.build(pieces, work, &mut each)
    }

    /// Builds each of these traces, which are whole, and calls `each` with it. `each` may end it by giving `false`.
    ///
    /// # Errors
    /// [`QueryError`], also those of `each`.
    pub(crate) fn evaluate(
        &self,
        ids: &[TraceId],
        work: &Work,
        mut each: impl FnMut(TraceId, &Tree<'_>) -> Result<bool, QueryError>,
    ) -> Result<(), QueryError> {
        let first = |id: &TraceId| Some((*id, &self.traces.get(id)?.first));
        self.build(ids.iter().filter_map(first), work, &mut each)
    }

    /// Appends all live spans of these traces to a batch, and the rows there of each to what `rows` has for its id.
    ///
    /// # Errors
    /// [`QueryError::TooLarge`]
    pub(crate) fn gather(
        &self,
        ids: &[TraceId],
        into: &mut Gathered,
        rows: &mut HashMap<TraceId, Vec<u32>>,
    ) -> Result<(), QueryError> {
        let mut here = Vec::new();
        let mut remap = Remap::default();
        for (at, generation) in self.generations.iter().enumerate() {
            remap.reset(generation.batch());
            for id in ids {
                for (_, piece) in self.pieces(*id).filter(|(of, _)| *of == at) {
                    here.clear();
                    generation.rows(piece, &mut here);
                    let rows = rows.entry(*id).or_default();
                    for &row in &here {
                        rows.push(into.batch.len() as u32);
                        into.push(generation.batch(), row as usize, &mut remap)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn build<'a>(
        &'a self,
        pieces: impl Iterator<Item = (TraceId, &'a Place)>,
        work: &Work,
        each: &mut impl FnMut(TraceId, &Tree<'_>) -> Result<bool, QueryError>,
    ) -> Result<(), QueryError> {
        let mut builder = TreeBuilder::default();
        let mut rows = Vec::new();
        for (count, (id, (at, piece))) in pieces.enumerate() {
            if count % CHECK_EVERY == 0 {
                work.check()?;
            }
            let generation = &self.generations[*at];
            rows.clear();
            generation.rows(piece, &mut rows);
            work.count_spans(rows.len());
            work.count_traces(1);
            let tree = builder.build(generation.batch(), &rows);
            let goes_on = each(id, &tree)?;
            builder.recycle(tree);
            if !goes_on {
                break;
            }
        }
        Ok(())
    }
}

/// Traces evaluated between two looks at the clock.
const CHECK_EVERY: usize = 256;
