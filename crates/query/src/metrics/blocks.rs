//! Blocks of a question for series, row group by row group on all processors.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use block::BlockMeta;
use evaluate::Meter;
use model::UnixNanos;

use super::pieces::Scattered;
use super::{Metrics, compares};
use crate::QueryError;
use crate::block_scan::BlockScan;
use crate::columns::Keys;
use crate::measure::{Measure, RootsHere};
use crate::work::{for_each_worker, in_turns, on_all_processors, on_blocking_thread};

impl Metrics<'_> {
    pub(super) async fn measure_blocks(
        &mut self,
        blocks: &[Arc<BlockMeta>],
        scattered: &Arc<Scattered>,
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
        let (keys, bounds) = (self.keys.clone(), self.request.steps.bounds());
        let sums = for_each_worker(tasks.len(), || (self.new_meter(), Vec::new()));
        let count = tasks.len();
        let each = move |(meter, missing): &mut (Meter, Vec<String>), task: usize| {
            let (block, group) = &tasks[task];
            match block.measure(*group, &keys, bounds, meter) {
                Err(QueryError::Store(error)) => missing.push(error.to_string()),
                other => other?,
            }
            Ok(())
        };
        // Of the values of an attribute, the first few thousand that come are told apart.
        let measured = if self.series.queries().into_iter().any(compares) {
            in_turns(sums, count, each).await?
        } else {
            on_all_processors(sums, count, each).await?
        };
        for (meter, missing) in measured {
            self.meter.merge(meter)?;
            self.missing.extend(missing);
        }
        self.missing.sort_unstable();
        self.missing.dedup();
        Ok(())
    }

    /// Whether all these blocks are measured from columns.
    pub(super) async fn columns_suffice(
        &mut self,
        blocks: &[Arc<BlockMeta>],
    ) -> Result<bool, QueryError> {
        let nothing = Arc::new(Scattered {
            together: HashSet::new(),
            roots: HashMap::new(),
        });
        for block in blocks {
            match self.open_block(block, &nothing).await {
                Ok(Some(opened)) if opened.measure.is_none() => return Ok(false),
                // What cannot be read is named when it is measured.
                Ok(_) | Err(QueryError::Store(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// `None` when the block has nothing to give. Meters are not for several threads at once, hence `mut`.
    async fn open_block(
        &mut self,
        block: &Arc<BlockMeta>,
        scattered: &Arc<Scattered>,
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
            let together = scattered.together.iter();
            let found = together.filter_map(|id| scan.table.find(*id));
            let mut except: Vec<u32> = found.map(|at| at as u32).collect();
            except.sort_unstable();
            let roots = scattered.roots.iter();
            let roots = roots.filter_map(|(id, root)| Some((scan.table.find(*id)?, root.clone())));
            let roots = roots.collect();
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
                roots,
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
    roots: RootsHere,
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
            Some(measure) => measure.group(&self.scan, group, except, &self.roots, meter),
            None => whole_traces(&self.scan, group, except, keys, bounds, meter),
        }
    }
}

/// Blocks that are measured at a time: what is known of their traces is held meanwhile.
pub(super) const BLOCKS_AT_A_TIME: usize = 64;

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
    let passed = scan.judge_group(group, &candidates)?.passed;
    scan.evaluate(&passed, keys, |_, tree| {
        meter.observe(tree)?;
        Ok(true)
    })
}
