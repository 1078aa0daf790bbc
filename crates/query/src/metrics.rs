//! Series over live and stored spans.
//!
//! Each span counts once. Traces that lie in several places are put together first, for structure and for spans that were sent
//! twice; all others are measured where they are, block by block, row group by row group, on all processors.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use block::{BlockId, BlockMeta};
use evaluate::{Meter, MeterError, MeterLimits};
use model::{TraceId, UnixNanos};
use traceql::query::{Body, Field, Intrinsic, MetricsFunction, MetricsQuery, Owner, Series};

use crate::block_scan::BlockScan;
use crate::columns::Keys;
use crate::live::{LiveTrace, LiveTraces};
use crate::measure::Measure;
use crate::need::{Needs, has_structure};
use crate::pieces::TOGETHER;
use crate::tags::overlaps;
use crate::work::{Work, on_blocking_thread, workers};
use crate::{MAX_POINTS, MetricsAnswer, MetricsRequest, Query, QueryError, QueryStats};

/// Traces that lie in several places and are put together for one answer at the most. Of more, each piece is measured by
/// itself, and the answer says so.
const SCATTERED_MAX: usize = 20_000;

/// Live traces that are looked up in blocks for one answer at the most. Where there are more, spans that were sent again after
/// a restart may count twice.
const LOOKED_UP_MAX: usize = 1_000_000;

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
    let compares =
        |query: &&MetricsQuery| matches!(query.function, MetricsFunction::Compare { .. });
    if queries.iter().any(compares) {
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

/// Whether each span counts by itself, whatever else its trace has.
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
    let by_span = |query: &&MetricsQuery| {
        Needs::of(&query.input).is_sufficient
            && !matches!(query.function, MetricsFunction::Compare { .. })
    };
    of_span && series.queries().iter().all(by_span)
}

impl Metrics<'_> {
    async fn run(
        &mut self,
        progress: &mut (impl FnMut(&MetricsAnswer) + Send),
    ) -> Result<(), QueryError> {
        let live = self.query.collector.live_spans().await?;
        let spans = live.value;
        let live_traces = on_blocking_thread(move || Ok(LiveTraces::new(spans))).await?;
        let (earliest, latest) = self.request.steps.bounds();
        let all = self.query.store.blocks();
        let covered: Arc<[BlockId]> = live.blocks.into();
        let blocks: Vec<Arc<BlockMeta>> = all
            .iter()
            .filter(|block| !covered.contains(&block.id))
            .filter(|block| overlaps(block, Some(earliest), Some(latest)))
            .cloned()
            .collect();
        self.stats.blocks = all.len() as u64;
        self.stats.block_bytes = all.iter().map(|block| block.byte_count()).sum();
        self.stats.blocks_skipped = self.stats.blocks - blocks.len() as u64;
        let scattered = Arc::new(self.scattered(&blocks, &live_traces).await?);
        self.measure_live(&live_traces, &scattered).await?;
        self.measure_scattered(&scattered, &live_traces, &covered)
            .await?;
        for blocks in blocks.chunks(BLOCKS_AT_A_TIME) {
            self.measure_blocks(blocks, &scattered).await?;
            self.stats.blocks_done += blocks.len() as u64;
            // Series so far would be wrong ones; how far it has come is not.
            progress(&MetricsAnswer {
                stats: self.stats(),
                ..MetricsAnswer::default()
            });
        }
        Ok(())
    }

    fn stats(&self) -> QueryStats {
        QueryStats {
            blocks: self.stats.blocks,
            blocks_skipped: self.stats.blocks_skipped,
            blocks_done: self.stats.blocks_done,
            block_bytes: self.stats.block_bytes,
            ..self.work.stats()
        }
    }

    fn answer(self) -> Result<MetricsAnswer, QueryError> {
        let stats = self.stats();
        Ok(MetricsAnswer {
            series: self.meter.finish()?,
            missing: self.missing,
            stats,
        })
    }

    fn new_meter(&self) -> Meter {
        meter(&self.series, &self.request)
    }

    // === traces in several places ===

    /// The traces that are to be put together: those in several places, and where each span counts by itself only those with
    /// spans that were sent twice, and those of which pieces are live.
    async fn scattered(
        &mut self,
        blocks: &[Arc<BlockMeta>],
        live: &LiveTraces,
    ) -> Result<HashSet<TraceId>, QueryError> {
        let stored = self
            .query
            .scattered(blocks, SCATTERED_MAX, &self.work)
            .await?;
        let stored = if counts_by_span(&self.series) {
            &stored.repeating
        } else {
            &stored.traces
        };
        let of_live = live
            .iter()
            .filter(|(_, trace)| !trace.is_whole())
            .map(|(id, _)| id);
        let mut scattered: HashSet<TraceId> = of_live.chain(stored.iter().copied()).collect();
        self.add_sent_again(blocks, live, &mut scattered).await?;
        if scattered.len() > SCATTERED_MAX {
            self.missing.push(format!(
                "{} traces lie in several places, too many to put together: spans that were sent twice may count twice, and \
                 structure is that of each piece, until compaction has joined them",
                scattered.len()
            ));
            scattered.clear();
        }
        Ok(scattered)
    }

    /// Adds the live traces that are in blocks which the collector knows nothing of: those from before it began. A span that
    /// is in both starts while there are traces of the block, so few live traces are looked up once it has run for a while.
    async fn add_sent_again(
        &mut self,
        blocks: &[Arc<BlockMeta>],
        live: &LiveTraces,
        scattered: &mut HashSet<TraceId>,
    ) -> Result<(), QueryError> {
        let mut left = LOOKED_UP_MAX;
        let unknown = blocks
            .iter()
            .filter(|block| !self.query.collector.has_written(block));
        for block in unknown {
            let in_time = |trace: &LiveTrace| {
                trace.is_whole() && overlaps(block, Some(trace.start), Some(trace.end))
            };
            let ids: Vec<TraceId> = live
                .iter()
                .filter(|(id, trace)| in_time(trace) && !scattered.contains(id))
                .map(|(id, _)| id)
                .take(left)
                .collect();
            if ids.is_empty() {
                continue;
            }
            left -= ids.len();
            let table = match self.query.store.trace_table(block).await {
                Ok(table) => table,
                // It is met again, and named, when the block is measured.
                Err(_) => continue,
            };
            self.work.check()?;
            let found = on_blocking_thread(move || {
                let found = ids.into_iter().filter(|id| table.find(*id).is_some());
                Ok(found.collect::<Vec<_>>())
            });
            scattered.extend(found.await?);
        }
        Ok(())
    }

    async fn measure_scattered(
        &mut self,
        scattered: &HashSet<TraceId>,
        live: &LiveTraces,
        covered: &Arc<[BlockId]>,
    ) -> Result<(), QueryError> {
        let ids: Vec<TraceId> = scattered.iter().copied().collect();
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

    async fn measure_live(
        &mut self,
        live: &LiveTraces,
        scattered: &Arc<HashSet<TraceId>>,
    ) -> Result<(), QueryError> {
        let (earliest, latest) = self.request.steps.bounds();
        let ids: Vec<TraceId> = live
            .iter()
            .filter(|(id, trace)| {
                trace.start <= latest && trace.end >= earliest && !scattered.contains(id)
            })
            .map(|(id, _)| id)
            .collect();
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

    // === blocks ===

    async fn measure_blocks(
        &mut self,
        blocks: &[Arc<BlockMeta>],
        scattered: &Arc<HashSet<TraceId>>,
    ) -> Result<(), QueryError> {
        let mut tasks = Vec::new();
        for block in blocks {
            match self.open_block(block, scattered).await {
                Ok(Some(opened)) => {
                    let opened = Arc::new(opened);
                    let groups = 0..opened.scan.columns.file().group_count();
                    tasks.extend(groups.map(|group| (opened.clone(), group)));
                }
                Ok(None) => {}
                Err(QueryError::Store(error)) => self.missing.push(error.to_string()),
                Err(error) => return Err(error),
            }
        }
        let count = tasks.len();
        let (tasks, next) = (Arc::new(tasks), Arc::new(AtomicUsize::new(0)));
        let workers = (0..workers().min(count)).map(|_| {
            let (tasks, next, keys) = (tasks.clone(), next.clone(), self.keys.clone());
            let (mut meter, bounds) = (self.new_meter(), self.request.steps.bounds());
            on_blocking_thread(move || {
                let mut missing = Vec::new();
                while let Some((block, group)) = tasks.get(next.fetch_add(1, Relaxed)) {
                    match block.measure(*group, &keys, bounds, &mut meter) {
                        Err(QueryError::Store(error)) => missing.push(error.to_string()),
                        other => other?,
                    }
                }
                Ok((meter, missing))
            })
        });
        for (meter, missing) in futures::future::try_join_all(workers).await? {
            self.meter.merge(meter)?;
            self.missing.extend(missing);
        }
        self.missing.sort_unstable();
        self.missing.dedup();
        Ok(())
    }

    /// `None` when the block has nothing to give. Meters are not for several threads at once, hence `mut`.
    async fn open_block(
        &mut self,
        block: &Arc<BlockMeta>,
        scattered: &Arc<HashSet<TraceId>>,
    ) -> Result<Option<OpenBlock>, QueryError> {
        let (table, columns) = futures::try_join!(
            self.query.store.trace_table(block),
            self.query.store.open_columns(block),
        )?;
        let (needs, work) = (self.needs.clone(), self.work.clone());
        let (block, meter, scattered) = (block.clone(), self.new_meter(), scattered.clone());
        on_blocking_thread(move || {
            let scan = BlockScan::new(block, table, Arc::new(columns), &needs, work);
            if scan.is_hopeless() {
                return Ok(None);
            }
            let found = scattered.iter().filter_map(|id| scan.table.find(*id));
            let mut except: Vec<u32> = found.map(|at| at as u32).collect();
            except.sort_unstable();
            let measure = Measure::compile(&meter, &scan);
            scan.note(|| {
                let how = if measure.is_some() {
                    "measured from columns".to_owned()
                } else {
                    format!("measured on whole traces, {}", scan.plan())
                };
                format!("{how}; {} of its traces were put together", except.len())
            });
            Ok(Some(OpenBlock {
                scan,
                measure,
                except,
            }))
        })
        .await
    }
}

/// A block that is ready to be measured, row group by row group.
struct OpenBlock {
    scan: BlockScan,
    /// `None` when columns do not suffice.
    measure: Option<Measure>,
    /// Traces that were measured elsewhere, by position, ascending.
    except: Vec<u32>,
}

impl OpenBlock {
    fn measure(
        &self,
        group: usize,
        keys: &Keys,
        bounds: (UnixNanos, UnixNanos),
        meter: &mut Meter,
    ) -> Result<(), QueryError> {
        let here = self.scan.traces_of(group);
        let from = self
            .except
            .partition_point(|&at| (at as usize) < here.start);
        let to = self.except.partition_point(|&at| (at as usize) < here.end);
        let except = &self.except[from..to];
        match &self.measure {
            Some(measure) => measure.group(&self.scan, group, except, meter),
            None => whole_traces(&self.scan, group, except, keys, bounds, meter),
        }
    }
}

/// Blocks that are measured at a time: what is known of their traces is held meanwhile.
const BLOCKS_AT_A_TIME: usize = 64;

/// Measures the traces of a row group that may give anything, one by one.
fn whole_traces(
    scan: &BlockScan,
    group: usize,
    except: &[u32],
    keys: &Keys,
    (earliest, latest): (UnixNanos, UnixNanos),
    meter: &mut Meter,
) -> Result<(), QueryError> {
    let table = &scan.table;
    let candidates: Vec<u32> = scan
        .traces_of(group)
        .filter(|&at| table.start(at) <= latest && table.end(at) >= earliest)
        .filter(|&at| scan.may_match(at))
        .map(|at| at as u32)
        .filter(|at| except.binary_search(at).is_err())
        .collect();
    let passed = scan.judge_group(group, &candidates)?;
    scan.evaluate(&passed, keys, |_, tree| {
        meter.observe(tree)?;
        Ok(true)
    })
}
