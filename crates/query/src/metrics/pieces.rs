//! Traces of a question for series that lie in several places, and live ones.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use block::{BlockId, BlockMeta};
use evaluate::{Meter, is_of_span_alone};
use model::TraceId;
use traceql::query::{MetricsQuery, Series};

use super::{Metrics, compares};
use crate::QueryError;
use crate::live::{LiveRows, LiveTraces};
use crate::need::{Need, Needs};
use crate::pieces::TOGETHER;
use crate::work::{for_each_worker, in_turns, on_all_processors, on_blocking_thread};

/// Traces that lie in several places and are put together for one answer at the most. Of more, each piece is measured by
/// itself, and the answer says so.
const SCATTERED_MAX: usize = 20_000;

/// Live traces measured by one worker at a time.
const TRACES_A_TASK: usize = 256;

/// Service and name of the root of traces, where there is one.
pub(super) type Roots = HashMap<TraceId, Option<(String, String)>>;

/// Traces that lie in several places.
pub(super) struct Scattered {
    /// Those that are put together.
    pub(super) together: HashSet<TraceId>,
    /// Those of which pieces are measured where they are, but for what the pieces do not know.
    pub(super) roots: Roots,
}

/// Whether each span counts by itself, whatever else its trace has; in a comparison, but for the root.
fn counts_by_span(series: &Series) -> bool {
    let mut of_span = true;
    series.visit_fields(&mut |field| of_span &= is_of_span_alone(field));
    let by_span = |query: &&MetricsQuery| Needs::of(&query.input).is_sufficient;
    of_span && series.queries().iter().all(by_span)
}

impl Metrics<'_> {
    /// The traces that are to be put together: those in several places, and where each span counts by itself only those with
    /// spans that were sent twice; in a comparison, also those of which pieces are live.
    pub(super) async fn scattered(
        &mut self,
        blocks: &[Arc<BlockMeta>],
        live: &LiveTraces,
        covered: &Arc<[BlockId]>,
    ) -> Result<Scattered, QueryError> {
        let stored = self
            .query
            .scattered(blocks, SCATTERED_MAX, &self.work)
            .await?;
        let mut scattered = Scattered {
            together: self.scattered_live(live, covered).await?,
            roots: Roots::new(),
        };
        if !counts_by_span(&self.series) {
            scattered.together.extend(&stored.traces);
        } else if !self.series.queries().into_iter().any(compares) {
            scattered.together.extend(&stored.repeating);
        } else if stored.traces.len() <= SCATTERED_MAX && self.columns_suffice(blocks).await? {
            scattered.together.extend(&stored.repeating);
            let others = stored.traces.difference(&stored.repeating).copied();
            self.add_roots(others.collect(), &mut scattered).await;
        } else {
            scattered.together.extend(&stored.traces);
        }
        if scattered.together.len() > SCATTERED_MAX {
            self.missing.push(format!(
                "{} traces lie in several places, too many to put together: spans that were sent twice may count twice, and \
                 structure is that of each piece, until compaction has joined them",
                scattered.together.len()
            ));
            scattered.together.clear();
        }
        Ok(scattered)
    }

    /// Whether live spans are measured one by one, without their traces.
    pub(super) fn is_by_span(&self) -> bool {
        counts_by_span(&self.series) && !self.series.queries().into_iter().any(compares)
    }

    /// The traces with live spans that are to be put together. Meters are not for several threads at once, hence `mut`.
    async fn scattered_live(
        &mut self,
        live: &LiveTraces,
        covered: &Arc<[BlockId]>,
    ) -> Result<HashSet<TraceId>, QueryError> {
        let (whole, pieces): (Vec<_>, Vec<_>) =
            live.iter().partition(|(_, trace)| trace.is_whole());
        let ids = |traces: Vec<(TraceId, _)>| traces.into_iter().map(|(id, _)| id);
        let pieces: HashSet<TraceId> = ids(pieces).collect();
        if !self.is_by_span() || pieces.len() > SCATTERED_MAX {
            return Ok(pieces);
        }
        let repeating = self.query.repeating(&pieces, live, covered, &self.work);
        let mut together = repeating.await?;
        let rows = live.rows(ids(whole).collect()).await?;
        together.extend(rows.repeating(&self.work).await?);
        Ok(together)
    }

    /// Adds the roots of these traces, as their summaries tell them; those with several roots are to be put together.
    async fn add_roots(&mut self, ids: Vec<TraceId>, scattered: &mut Scattered) {
        let store = &self.query.store;
        let (pieces, unreadable) = store.summaries(&store.blocks(), &ids, &[]).await;
        self.missing.extend(unreadable);
        for piece in pieces {
            let root = scattered.roots.entry(piece.trace_id).or_default();
            if !piece.has_root {
                continue;
            }
            if root.is_some() {
                scattered.together.insert(piece.trace_id);
            }
            *root = Some((piece.root_service, piece.root_name));
        }
    }

    pub(super) async fn measure_scattered(
        &mut self,
        scattered: &HashSet<TraceId>,
        live: &LiveTraces,
        covered: &Arc<[BlockId]>,
    ) -> Result<(), QueryError> {
        let mut ids: Vec<TraceId> = scattered.iter().copied().collect();
        ids.sort_unstable();
        for ids in ids.chunks(TOGETHER) {
            let (keys, work) = (self.keys.clone(), self.work.clone());
            let together =
                self.query
                    .together(ids.to_vec(), keys, live.clone(), covered.clone(), work);
            let together = together.await?;
            self.missing.extend_from_slice(&together.missing);
            let mut meter = self.new_meter();
            let measured = on_blocking_thread(move || {
                together.each(|_, tree| Ok(meter.observe(tree)?))?;
                Ok(meter)
            });
            self.meter.merge(measured.await?)?;
        }
        self.missing.sort_unstable();
        self.missing.dedup();
        Ok(())
    }

    /// Measures what is live, but for the traces that are put together.
    pub(super) async fn measure_live(
        &mut self,
        live: &LiveTraces,
        scattered: &HashSet<TraceId>,
    ) -> Result<(), QueryError> {
        let (earliest, latest) = self.request.steps.bounds();
        let in_time = live
            .iter()
            .filter(|(_, trace)| trace.start <= latest && trace.end >= earliest);
        let ids = in_time
            .map(|(id, _)| id)
            .filter(|id| !scattered.contains(id));
        let mut ids: Vec<TraceId> = ids.collect();
        if self.is_by_span() {
            return self.measure_spans(live.rows(ids).await?).await;
        }
        ids.sort_unstable();
        self.measure_traces(live, ids).await
    }

    /// Measures live spans one by one.
    async fn measure_spans(&mut self, rows: LiveRows) -> Result<(), QueryError> {
        let (parts, work) = (rows.parts(), self.work.clone());
        let count = parts.len();
        let sums = for_each_worker(count, || self.new_meter());
        let each = move |meter: &mut Meter, part: usize| {
            rows.look_at(&parts[part], &work, |spans, _| Ok(meter.observe(spans)?))
        };
        for meter in on_all_processors(sums, count, each).await? {
            self.meter.merge(meter)?;
        }
        Ok(())
    }

    /// Measures every piece of these live traces that may have what is needed.
    async fn measure_traces(
        &mut self,
        live: &LiveTraces,
        ids: Vec<TraceId>,
    ) -> Result<(), QueryError> {
        let ids = self.sift_live(live, ids).await?;
        let (live, work) = (live.clone(), self.work.clone());
        let count = ids.len().div_ceil(TRACES_A_TASK);
        let sums = for_each_worker(count, || self.new_meter());
        let each = move |meter: &mut Meter, task: usize| {
            let ids = &ids[task * TRACES_A_TASK..];
            let ids = &ids[..ids.len().min(TRACES_A_TASK)];
            live.evaluate_pieces(ids, &work, |_, tree| {
                meter.observe(tree)?;
                Ok(true)
            })
        };
        // Of the values of an attribute, the first few thousand that come are told apart.
        for meter in in_turns(sums, count, each).await? {
            self.meter.merge(meter)?;
        }
        Ok(())
    }

    /// Those of these live traces that may have what is needed, as far as their spans one by one tell.
    async fn sift_live(
        &mut self,
        live: &LiveTraces,
        ids: Vec<TraceId>,
    ) -> Result<Vec<TraceId>, QueryError> {
        let needs = self.needs.clone();
        if needs.need == Need::Nothing {
            return Ok(ids);
        }
        let rows = live.rows(ids.clone()).await?;
        let counts = rows.count(&needs.filters, &self.work).await?;
        let has_enough = |at: usize| needs.need.is_met(&|filter| counts.of(filter, at));
        let may_match = ids.into_iter().zip(0..).filter(|(_, at)| has_enough(*at));
        Ok(may_match.map(|(id, _)| id).collect())
    }
}
