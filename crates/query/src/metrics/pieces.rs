//! Traces of a question for series that lie in several places, and live ones.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use block::{BlockId, BlockMeta};
use model::TraceId;
use traceql::query::{Field, Intrinsic, MetricsQuery, Owner, Series};

use super::{Metrics, compares};
use crate::QueryError;
use crate::live::LiveTraces;
use crate::need::Needs;
use crate::pieces::TOGETHER;
use crate::work::on_blocking_thread;

/// Traces that lie in several places and are put together for one answer at the most. Of more, each piece is measured by
/// itself, and the answer says so.
const SCATTERED_MAX: usize = 20_000;

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
    series.visit_fields(&mut |field| {
        of_span &= field.owner() == Owner::Span
            && !matches!(
                field,
                Field::Intrinsic {
                    intrinsic: Intrinsic::ParentId
                        | Intrinsic::ChildCount
                        | Intrinsic::NestedSetLeft
                        | Intrinsic::NestedSetRight
                        | Intrinsic::NestedSetParent
                        | Intrinsic::TraceDuration
                        | Intrinsic::RootName
                        | Intrinsic::RootService,
                    ..
                }
            );
    });
    let by_span = |query: &&MetricsQuery| Needs::of(&query.input).is_sufficient;
    of_span && series.queries().iter().all(by_span)
}

impl Metrics<'_> {
    /// The traces that are to be put together: those in several places, and where each span counts by itself only those with
    /// spans that were sent twice, and those of which pieces are live.
    pub(super) async fn scattered(
        &mut self,
        blocks: &[Arc<BlockMeta>],
        live: &LiveTraces,
    ) -> Result<Scattered, QueryError> {
        let stored = self
            .query
            .scattered(blocks, SCATTERED_MAX, &self.work)
            .await?;
        let of_live = live
            .iter()
            .filter(|(_, trace)| !trace.is_whole())
            .map(|(id, _)| id);
        let mut scattered = Scattered {
            together: of_live.collect(),
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

    pub(super) async fn measure_live(
        &mut self,
        live: &LiveTraces,
        scattered: &HashSet<TraceId>,
    ) -> Result<(), QueryError> {
        let (earliest, latest) = self.request.steps.bounds();
        let mut ids: Vec<TraceId> = live
            .iter()
            .filter(|(id, trace)| {
                trace.start <= latest && trace.end >= earliest && !scattered.contains(id)
            })
            .map(|(id, _)| id)
            .collect();
        ids.sort_unstable();
        let (live, work, mut meter) = (live.clone(), self.work.clone(), self.new_meter());
        let measured = on_blocking_thread(move || {
            live.evaluate_pieces(&ids, &work, |_, tree| {
                meter.observe(tree)?;
                Ok(true)
            })?;
            Ok(meter)
        });
        Ok(self.meter.merge(measured.await?)?)
    }
}
