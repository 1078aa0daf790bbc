//! Series over live and stored spans.
//!
//! Each span counts once. Traces that lie in several places are put together first, for structure and for spans that were sent
//! twice; all others are measured where they are, block by block, row group by row group, on all processors.

mod blocks;
mod pieces;

use std::sync::Arc;

use block::BlockMeta;
use evaluate::{Meter, MeterError, MeterLimits};
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
    pub async fn metrics(
        &self,
        request: &MetricsRequest,
        progress: impl FnMut(&MetricsAnswer) + Send,
    ) -> Result<MetricsAnswer, QueryError> {
        let (work, _guard) = Work::begin(request.limits);
        self.metrics_with(request, progress, work).await
    }

    pub(crate) async fn metrics_with(
        &self,
        request: &MetricsRequest,
        mut progress: impl FnMut(&MetricsAnswer) + Send,
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
        let mut metrics = Metrics {
            query: self,
            series: Arc::new(series.clone()),
            needs: Arc::new(needs_of(series)),
            keys: Arc::new(keys_of(series)),
            meter: meter(series, request),
            request: request.clone(),
            work,
            missing: Vec::new(),
            stats: QueryStats::default(),
        };
        metrics.run(&mut progress).await?;
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
    async fn run(
        &mut self,
        progress: &mut (impl FnMut(&MetricsAnswer) + Send),
    ) -> Result<(), QueryError> {
        let (live, covered) = self.query.live_traces(&self.work).await?;
        let (earliest, latest) = self.request.steps.bounds();
        let all = self.query.store.blocks();
        let blocks: Vec<Arc<BlockMeta>> = all
            .iter()
            .filter(|block| !covered.contains(&block.id))
            .filter(|block| overlaps(block, Some(earliest), Some(latest)))
            .cloned()
            .collect();
        self.stats.blocks = all.len() as u64;
        self.stats.block_bytes = all.iter().map(|block| block.byte_count()).sum();
        self.stats.blocks_skipped = self.stats.blocks - blocks.len() as u64;
        let scattered = Arc::new(self.scattered(&blocks, &live).await?);
        let together = &scattered.together;
        self.measure_live(&live, together).await?;
        self.measure_scattered(together, &live, &covered).await?;
        for blocks in blocks.chunks(BLOCKS_AT_A_TIME) {
            self.measure_blocks(blocks, &scattered).await?;
            self.stats.blocks_done += blocks.len() as u64;
            // Series so far would be wrong ones; how far it has come is not.
            progress(&MetricsAnswer {
                stats: self.work.cost(self.stats),
                ..MetricsAnswer::default()
            });
        }
        Ok(())
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
