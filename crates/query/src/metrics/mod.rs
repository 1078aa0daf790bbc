//! Series over live and stored spans.
//!
//! Each span counts once. Traces that lie in several places are put together first, for structure and for spans that were sent
//! twice; all others are measured where they are, block by block, row group by row group, on all processors.

mod blocks;
mod pieces;

use std::cmp::Reverse;
use std::sync::Arc;

use block::BlockMeta;
use evaluate::{Meter, MeterError, MeterLimits};
use model::UnixNanos;
use traceql::query::{Body, MetricsFunction, MetricsQuery, Series};

use self::blocks::BLOCKS_AT_A_TIME;
use crate::columns::Keys;
use crate::need::{Needs, has_structure};
use crate::tags::overlaps;
use crate::work::Work;
use crate::{MAX_POINTS, MetricsAnswer, MetricsRequest, Query, QueryError, QueryStats};

impl From<MeterError> for QueryError {
    fn from(error: MeterError) -> Self {
        Self::Limit(error.to_string())
    }
}

/// Where whoever asked wants to know how far it has come.
pub(crate) type Progress<'p> = &'p mut (dyn FnMut(&MetricsAnswer) + Send);

/// Blocks between two looks at what there is so far.
const BLOCKS_A_PROGRESS: usize = 8;

/// One question for series.
struct Metrics<'q> {
    query: &'q Query,
    request: MetricsRequest,
    series: Arc<Series>,
    needs: Arc<Needs>,
    keys: Arc<Keys>,
    work: Work,
    meter: Meter,
    missing: Vec<String>,
    stats: QueryStats,
}

impl Query {
    /// Series over time.
    ///
    /// # Errors
    /// As with [`Self::search`].
    pub async fn metrics(&self, request: &MetricsRequest) -> Result<MetricsAnswer, QueryError> {
        let (work, _guard) = Work::begin(request.limits);
        self.metrics_with(request, None, work).await
    }

    /// As [`Self::metrics`]. `progress` is called now and then with the series as far as they are complete, from the latest point
    /// back, and what they have cost. That costs time of its own.
    ///
    /// # Errors
    /// As with [`Self::search`].
    pub async fn metrics_with_progress(
        &self,
        request: &MetricsRequest,
        mut progress: impl FnMut(&MetricsAnswer) + Send,
    ) -> Result<MetricsAnswer, QueryError> {
        let (work, _guard) = Work::begin(request.limits);
        self.metrics_with(request, Some(&mut progress), work).await
    }

    pub(crate) async fn metrics_with(
        &self,
        request: &MetricsRequest,
        progress: Option<Progress<'_>>,
        work: Work,
    ) -> Result<MetricsAnswer, QueryError> {
        let Body::Metrics(series) = &request.query.body else {
            return Err(QueryError::Limit(
                "the query asks for traces, not for series".into(),
            ));
        };
        if request.steps.count() > MAX_POINTS {
            return Err(QueryError::Limit(format!(
                "the time range has more than {} steps; ask for a longer step or a shorter range",
                MAX_POINTS - 1
            )));
        }
        self.store.read_ahead();
        let mut metrics = Metrics {
            query: self,
            series: Arc::new(series.clone()),
            needs: Arc::new(needs_of(series)),
            keys: Arc::new(keys_of(series)),
            meter: meter(series, request),
            request: request.clone(),
            work,
            missing: self.store.unread().into_iter().collect(),
            stats: QueryStats::default(),
        };
        metrics.run(progress).await?;
        metrics.answer()
    }
}

fn meter(series: &Series, request: &MetricsRequest) -> Meter {
    let limits = MeterLimits {
        series: request.limits.series,
        exemplars: request.exemplars,
        bytes: request.limits.memory,
    };
    Meter::new(series, &request.query.hints, request.steps, limits)
}

fn needs_of(series: &Series) -> Needs {
    let queries = series.queries();
    match queries.as_slice() {
        [only] => Needs::of(&only.input),
        // Each has needs of its own; together they need nothing in particular.
        _ => Needs::nothing(),
    }
}

fn keys_of(series: &Series) -> Keys {
    let queries = series.queries();
    if queries.iter().copied().any(compares) {
        return Keys::everything().with_weights();
    }
    let mut fields = Vec::new();
    series.visit_fields(&mut |field| fields.push(field.clone()));
    let keys = Keys::of(&fields).with_weights();
    if queries.iter().any(|query| has_structure(&query.input)) {
        keys.with_structure()
    } else {
        keys
    }
}

fn compares(query: &MetricsQuery) -> bool {
    matches!(query.function, MetricsFunction::Compare { .. })
}

impl Metrics<'_> {
    async fn run(&mut self, mut progress: Option<Progress<'_>>) -> Result<(), QueryError> {
        let (live, covered) = self.query.live_traces(&self.work).await?;
        let (earliest, latest) = self.request.steps.bounds();
        let all = self.query.store.blocks();
        let mut blocks: Vec<Arc<BlockMeta>> = all
            .iter()
            .filter(|block| !covered.contains(&block.id))
            .filter(|block| overlaps(block, Some(earliest), Some(latest)))
            .cloned()
            .collect();
        // Series become complete from the latest point back.
        blocks.sort_by_key(|block| Reverse(block.end_max));
        self.stats.blocks = all.len() as u64;
        self.stats.block_bytes = all.iter().map(|block| block.byte_count()).sum();
        self.stats.blocks_skipped = self.stats.blocks - blocks.len() as u64;
        let scattered = Arc::new(self.scattered(&blocks, &live, &covered).await?);
        let together = &scattered.together;
        self.measure_live(&live, together).await?;
        self.measure_scattered(together, &live, &covered).await?;
        let at_a_time = match progress {
            Some(_) => BLOCKS_A_PROGRESS,
            None => BLOCKS_AT_A_TIME,
        };
        let mut rest = &blocks[..];
        while !rest.is_empty() {
            let (next, behind) = rest.split_at(at_a_time.min(rest.len()));
            self.measure_blocks(next, &scattered).await?;
            self.stats.blocks_done += next.len() as u64;
            if let (Some(progress), Some(open)) = (&mut progress, behind.first()) {
                progress(&self.so_far(open.end_max));
            }
            rest = behind;
        }
        Ok(())
    }

    /// The series of points for which no span counts that starts up to a time.
    fn so_far(&self, open: UnixNanos) -> MetricsAnswer {
        let (earliest, _) = self.request.steps.bounds();
        let from = match self.meter.clock().position(open) {
            Some(point) => point + 1,
            None if open < earliest => 0,
            None => self.request.steps.count(),
        };
        MetricsAnswer {
            // Whether there is too much is said at the end.
            series: self.meter.complete_from(from).unwrap_or_default(),
            missing: Vec::new(),
            stats: self.work.cost(self.stats),
        }
    }

    fn answer(self) -> Result<MetricsAnswer, QueryError> {
        let stats = self.work.cost(self.stats);
        Ok(MetricsAnswer {
            series: self.meter.finish()?,
            missing: self.missing,
            stats,
        })
    }

    fn new_meter(&self) -> Meter {
        meter(&self.series, &self.request)
    }
}
