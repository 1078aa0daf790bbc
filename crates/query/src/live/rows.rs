//! Live spans in the order in which they lie in memory, whatever traces they are of: to ask each by itself costs far less than to
//! build the traces first, whose spans lie apart.

use std::collections::HashSet;
use std::ops::Range;

use collect::LiveSpans;
use evaluate::{Sieve, Tree, TreeBuilder};
use model::TraceId;
use traceql::query::Condition;

use super::LiveTraces;
use crate::QueryError;
use crate::work::{Work, for_each_worker, on_all_processors, on_blocking_thread};

/// Rows looked at at a time: few enough for the memory they are noted in to stay in a processor's cache.
const PART: usize = 4 << 10;

/// The owner of rows of other traces.
const NOBODY: u32 = u32::MAX;

/// Filters whose spans are counted. Hardly a query has so many; all spans may pass the others.
const FILTERS_MAX: usize = 16;

/// The spans of some live traces.
pub(crate) struct LiveRows {
    live: LiveTraces,
    /// For each generation and row the position of its trace in the list that this was made of, or [`NOBODY`].
    owners: Vec<Vec<u32>>,
    /// Traces of the list.
    traces: usize,
}

/// Some rows of a generation.
pub(crate) struct Part {
    generation: usize,
    rows: Range<usize>,
}

impl LiveTraces {
    /// As [`LiveRows::new`], where it does not hold up other tasks.
    ///
    /// # Errors
    /// [`QueryError::Bug`]
    pub(crate) async fn rows(&self, ids: Vec<TraceId>) -> Result<LiveRows, QueryError> {
        let live = self.clone();
        on_blocking_thread(move || Ok(LiveRows::new(&live, &ids))).await
    }
}

impl LiveRows {
    /// The spans of these traces. Costs a step for each of them and four bytes for each live span.
    pub(crate) fn new(live: &LiveTraces, ids: &[TraceId]) -> Self {
        let nobody = |generation: &LiveSpans| vec![NOBODY; generation.batch().len()];
        let mut owners: Vec<Vec<u32>> = live.generations.iter().map(nobody).collect();
        let mut rows = Vec::new();
        for (owner, id) in ids.iter().enumerate() {
            for (generation, piece) in live.pieces(*id) {
                rows.clear();
                live.generations[*generation].rows(piece, &mut rows);
                for &row in &rows {
                    owners[*generation][row as usize] = owner as u32;
                }
            }
        }
        Self {
            live: live.clone(),
            owners,
            traces: ids.len(),
        }
    }

    /// All rows, in parts for workers.
    pub(crate) fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        for (generation, owners) in self.owners.iter().enumerate() {
            parts.extend((0..owners.len()).step_by(PART).map(|first| Part {
                generation,
                rows: first..owners.len().min(first + PART),
            }));
        }
        parts
    }

    /// All rows of each generation in one part, oldest generation of each shard first.
    pub(crate) fn generations(&self) -> Vec<Part> {
        let all = self.owners.iter().enumerate();
        all.map(|(generation, owners)| Part {
            generation,
            rows: 0..owners.len(),
        })
        .collect()
    }

    /// Calls `each` with the spans of a part, side by side, and with the trace of each, by its position in the list.
    ///
    /// # Errors
    /// [`QueryError`], also those of `each`.
    pub(crate) fn look_at(
        &self,
        part: &Part,
        work: &Work,
        each: impl FnOnce(&Tree<'_>, &[u32]) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        work.check()?;
        let all = self.owners[part.generation][part.rows.clone()].iter();
        let here = (part.rows.start as u32..).zip(all.copied());
        let (rows, owners): (Vec<u32>, Vec<u32>) =
            here.filter(|(_, owner)| *owner != NOBODY).unzip();
        work.count_spans(rows.len());
        let batch = self.live.generations[part.generation].batch();
        each(&TreeBuilder::default().side_by_side(batch, &rows), &owners)
    }

    /// The traces that have a span twice in one generation, and hardly any others: spans are told apart by a hash.
    ///
    /// # Errors
    /// [`QueryError`]
    pub(crate) async fn repeating(self, work: &Work) -> Result<HashSet<TraceId>, QueryError> {
        let count = self.owners.len();
        let (sums, work) = (for_each_worker(count, HashSet::new), work.clone());
        let each = move |repeating: &mut HashSet<TraceId>, generation: usize| {
            work.check()?;
            let spans = &self.live.generations[generation].batch().spans;
            let owners = &self.owners[generation];
            let mut seen = hashbrown::HashSet::with_capacity(spans.len());
            for (span, _) in (spans.iter().zip(owners)).filter(|(_, owner)| **owner != NOBODY) {
                let hash = span.trace_id.hash64() ^ u64::from_le_bytes(span.span_id.0);
                if !seen.insert(hash) {
                    repeating.insert(span.trace_id);
                }
            }
            Ok(())
        };
        let found = on_all_processors(sums, count, each).await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// How many spans of each trace may pass each filter.
    ///
    /// # Errors
    /// [`QueryError`]
    pub(crate) async fn count(
        self,
        filters: &[Condition],
        work: &Work,
    ) -> Result<Counts, QueryError> {
        let filters = &filters[..filters.len().min(FILTERS_MAX)];
        let (parts, traces) = (self.parts(), self.traces);
        let count = parts.len();
        let sums = for_each_worker(count, || Counting::new(filters, traces));
        let work = work.clone();
        let each = move |sum: &mut Counting, part: usize| {
            self.look_at(&parts[part], &work, |spans, owners| {
                sum.add(spans, owners);
                Ok(())
            })
        };
        let mut all = vec![vec![0; traces]; filters.len()];
        for sum in on_all_processors(sums, count, each).await? {
            let pairs = all.iter_mut().flatten();
            let pairs = pairs.zip(sum.counts.into_iter().flatten());
            pairs.for_each(|(all, count)| *all += count);
        }
        Ok(Counts(all))
    }
}

/// How many spans of some traces may pass each filter, at the most, by filter and then by position of the trace in a list.
#[derive(Default)]
pub(crate) struct Counts(Vec<Vec<u32>>);

impl Counts {
    /// Of a trace, by its position in the list; of a filter that was not counted, all there could be.
    pub(crate) fn of(&self, filter: usize, trace: usize) -> u32 {
        self.0.get(filter).map_or(u32::MAX, |counts| counts[trace])
    }
}

/// What a worker has counted.
struct Counting {
    sieves: Vec<Sieve>,
    counts: Vec<Vec<u32>>,
    positions: Vec<u32>,
}

impl Counting {
    fn new(filters: &[Condition], traces: usize) -> Self {
        Self {
            sieves: filters.iter().map(Sieve::new).collect(),
            counts: vec![vec![0; traces]; filters.len()],
            positions: Vec::new(),
        }
    }

    fn add(&mut self, spans: &Tree<'_>, owners: &[u32]) {
        for (sieve, counts) in self.sieves.iter_mut().zip(&mut self.counts) {
            if !sieve.bind(&spans.batch().symbols) {
                continue;
            }
            self.positions.clear();
            self.positions.extend(0..spans.len() as u32);
            sieve.sift(spans, &mut self.positions);
            for &at in &self.positions {
                counts[owners[at as usize] as usize] += 1;
            }
        }
    }
}
