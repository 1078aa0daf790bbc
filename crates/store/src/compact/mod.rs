//! Compaction: few large blocks instead of many small ones, with the pieces of traces joined and duplicates gone.
//!
//! One compaction reads its inputs, writes one block, and then replaces the inputs by it in a single manifest edit.
//! Until that edit nothing has changed; if an input is gone by then (another compactor or retention was quicker), the
//! work is thrown away. The inputs' files stay for a while, so that queries that began before can finish.

mod choose;
mod merge;

use std::sync::Arc;

use block::{
    BlockId, BlockMeta, BlockWriter, ColumnPlan, FinishedBlock, JournalRange, MergeInput, NewBlock,
};
use model::UnixNanos;
use tokio::runtime::Handle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::choose::{Patience, choose};
use self::merge::{Input, MergeError, merge, row_group_spans};
use crate::layout::BlockFile;
use crate::manifest::{Entry, Proposal, Reason};
use crate::objects::{Upload, in_parallel};
use crate::pending::PendingBlock;
use crate::reader::{BlockRef, on_blocking_thread};
use crate::store::Inner;
use crate::{ErrorKind, Store, StoreError};

/// What a compaction did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompactionReport {
    /// The blocks that were joined.
    pub inputs: Vec<BlockId>,
    /// The block that came of them.
    pub output: BlockId,
    /// Spans of the inputs.
    pub spans_in: u64,
    /// Spans of the output: fewer by the duplicates.
    pub spans_out: u64,
    /// Bytes of the inputs' files.
    pub bytes_in: u64,
    /// Bytes of the output's files.
    pub bytes_out: u64,
}

impl Store {
    /// Joins the blocks that most need it. `None` when there is nothing to join, or compaction is switched off.
    ///
    /// The work for the processor is done on a blocking thread and costs some microsecond for each span.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] when another process took an input meanwhile; [`ErrorKind::Corrupt`] or
    /// [`ErrorKind::NotFound`] for an input that cannot be read, which is left alone from then on; others as the object
    /// store fails. The blocks are as they were then.
    pub async fn compact_once(&self) -> Result<Option<CompactionReport>, StoreError> {
        self.compact(Patience::Normal, &CancellationToken::new())
            .await
    }

    /// Like [`Store::compact_once`], but does not wait for windows of time to close: called until it returns `None`, it joins
    /// all that can be joined. For imports, benches and a person's command.
    ///
    /// # Errors
    /// As [`Store::compact_once`].
    pub async fn compact_now(&self) -> Result<Option<CompactionReport>, StoreError> {
        self.compact(Patience::None, &CancellationToken::new())
            .await
    }

    pub(crate) async fn compact_until(
        &self,
        cancel: &CancellationToken,
    ) -> Result<Option<CompactionReport>, StoreError> {
        self.compact(Patience::Normal, cancel).await
    }

    async fn compact(
        &self,
        patience: Patience,
        cancel: &CancellationToken,
    ) -> Result<Option<CompactionReport>, StoreError> {
        let inner = &self.inner;
        if !inner.config.compaction.enabled {
            return Ok(None);
        }
        let inputs = inner.choose_inputs(patience);
        if inputs.is_empty() {
            return Ok(None);
        }
        let result = inner.join(&inputs, cancel).await;
        match result {
            Ok(report) => {
                inner.count_compaction(&report);
                tracing::info!(
                    inputs = report.inputs.len(),
                    output = %report.output,
                    spans = report.spans_out,
                    duplicates = report.spans_in - report.spans_out,
                    bytes_in = report.bytes_in,
                    bytes_out = report.bytes_out,
                    "joined blocks"
                );
                Ok(Some(report))
            }
            Err(MergeError { inputs, error }) => {
                inner.counters.compactions_abandoned.add(1);
                self.report_unreadable(&inputs, &error).await;
                Err(error)
            }
        }
    }
}

impl Store {
    /// A file that is not there is no damage when its block was removed by another process in the meantime.
    async fn report_unreadable(&self, inputs: &[BlockId], error: &StoreError) {
        if error.kind() == ErrorKind::NotFound && self.refresh().await.is_err() {
            return;
        }
        let blocks = self.blocks();
        for input in inputs.iter().filter(|id| blocks.find(**id).is_some()) {
            self.inner.reader.report(*input, error);
        }
    }
}

impl Inner {
    fn choose_inputs(&self, patience: Patience) -> Vec<Arc<Entry>> {
        let head = self.manifest.head();
        let entries: Vec<_> = head
            .state
            .entries
            .values()
            .filter(|entry| !self.reader.is_unreadable(entry.block.id))
            .cloned()
            .collect();
        let config = &self.config.compaction;
        choose(&entries, self.clock.now(), config, patience)
            .iter()
            .filter_map(|id| head.state.entries.get(id).cloned())
            .collect()
    }

    fn count_compaction(&self, report: &CompactionReport) {
        let counters = &self.counters;
        counters.compactions.add(1);
        counters
            .compaction_blocks_in
            .add(report.inputs.len() as u64);
        counters.compaction_spans_in.add(report.spans_in);
        counters.compaction_spans_out.add(report.spans_out);
        counters.compaction_bytes_in.add(report.bytes_in);
        counters.compaction_bytes_out.add(report.bytes_out);
    }

    async fn join(
        self: &Arc<Self>,
        entries: &[Arc<Entry>],
        cancel: &CancellationToken,
    ) -> Result<CompactionReport, MergeError> {
        let new = self.new_block(entries);
        let _uploading = self.uploading(new.id);
        let inputs = self.open_inputs(entries).await?;
        let date = earliest(entries).date.clone();
        let path = self
            .layout
            .block_file(&folder(&new, entries), BlockFile::Spans);
        let upload = self.objects.upload(&path).await?;
        let (upload, merged) = self.merge(entries, inputs, new, upload, cancel).await?;
        match merged {
            Ok(mut block) => {
                // The folder was named before the rows were known. It can only differ when a duplicate with another time
                // was dropped.
                block.meta.date = date;
                Ok(self.publish(entries, block, upload).await?)
            }
            Err(error) => {
                upload.abort().await;
                Err(error)
            }
        }
    }

    fn new_block(&self, entries: &[Arc<Entry>]) -> NewBlock {
        let now = self.clock.now();
        let levels = entries.iter().map(|entry| entry.block.level);
        NewBlock {
            id: self.ids.block(now),
            tenant: self.config.tenant.clone(),
            class: earliest(entries).class.clone(),
            level: levels.max().unwrap_or(0) + 1,
            created: now,
            journal: joined_journal(entries),
        }
    }

    async fn open_inputs(
        self: &Arc<Self>,
        entries: &[Arc<Entry>],
    ) -> Result<Vec<(Input, MergeInput)>, MergeError> {
        let runtime = Handle::current();
        let limit = self.objects.concurrency();
        let opened = in_parallel(entries, limit, |entry| {
            let runtime = &runtime;
            async move {
                let block = BlockRef {
                    meta: &entry.block,
                    checksums: Some(entry.checksums),
                };
                let (traces, spans, resources) = futures::try_join!(
                    self.reader.traces_file(&block),
                    self.reader.spans_file(&block),
                    self.reader.resources(&block),
                )?;
                Input::open(
                    block.meta,
                    &traces.file,
                    &spans,
                    resources,
                    &self.objects,
                    runtime,
                )
            }
        })
        .await;
        let blamed = |(opened, entry): (Result<(Input, MergeInput), StoreError>, &Arc<Entry>)| {
            opened.map_err(|error| MergeError {
                inputs: vec![entry.block.id],
                error,
            })
        };
        opened.into_iter().zip(entries).map(blamed).collect()
    }

    /// The upload comes back whatever became of the merge, so that it can be ended.
    async fn merge(
        &self,
        entries: &[Arc<Entry>],
        inputs: Vec<(Input, MergeInput)>,
        new: NewBlock,
        mut upload: Upload,
        cancel: &CancellationToken,
    ) -> Result<(Upload, Result<FinishedBlock, MergeError>), MergeError> {
        let config = &self.config.compaction;
        let metas = || entries.iter().map(|entry| &*entry.block);
        let plan = ColumnPlan::of_blocks(metas(), &config.write);
        let spans = row_group_spans(metas(), config.row_group_spans);
        let writer = BlockWriter::new(new, &config.write, plan)
            .map_err(|error| StoreError::new(ErrorKind::Bug, error.to_string()))?;
        let runtime = Handle::current();
        let cancel = cancel.clone();
        let merged = on_blocking_thread(self.layout.tenant().clone(), move || {
            let merged = merge(inputs, writer, spans, &mut upload, &runtime, &cancel);
            Ok((upload, merged))
        });
        // After a panic nobody knows which input it was.
        merged.await.map_err(|error| MergeError {
            inputs: metas().map(|meta| meta.id).collect(),
            error,
        })
    }

    /// Lets the output appear and replaces the inputs by it.
    async fn publish(
        &self,
        entries: &[Arc<Entry>],
        block: FinishedBlock,
        mut upload: Upload,
    ) -> Result<CompactionReport, StoreError> {
        let block = PendingBlock::from(block);
        block.check(&self.config.tenant, true)?;
        let output = Arc::new(Entry {
            block: Arc::clone(block.meta()),
            received: latest_received(entries),
            checksums: block.checksums()?,
        });
        if let Err(error) = upload.write(block.tail_of_spans().clone()).await {
            upload.abort().await;
            return Err(error);
        }
        let begun = Instant::now();
        upload.complete().await?;
        self.put_files(block.meta(), &block.files(true)).await?;
        if begun.elapsed() > self.upload_time_max() {
            // Another process may have taken the files for orphans. They are of no use to anybody, so it is welcome to them.
            return Err(StoreError::new(
                ErrorKind::Retry,
                "gave up a compaction: writing its output took too long",
            ));
        }
        let replaced = self.replace(entries, &output).await;
        match replaced {
            Ok(()) => Ok(report(entries, &output)),
            Err(error) => {
                // Not after a failed request: then the edit may have been made.
                if error.kind() == ErrorKind::Conflict {
                    self.delete_block(&output.block.folder()).await?;
                }
                Err(error)
            }
        }
    }

    async fn replace(&self, entries: &[Arc<Entry>], output: &Arc<Entry>) -> Result<(), StoreError> {
        let inputs: Vec<BlockId> = entries.iter().map(|entry| entry.block.id).collect();
        self.manifest
            .commit(|state| {
                if state.has_known(output.block.id) {
                    return Ok(Proposal::Nothing);
                }
                if let Some(gone) = inputs.iter().find(|id| !state.entries.contains_key(id)) {
                    return Err(StoreError::conflict(format!(
                        "gave up a compaction: block {gone} was removed meanwhile"
                    )));
                }
                Ok(Proposal::Change {
                    reason: Reason::Compact,
                    removed: inputs.clone(),
                    added: vec![Arc::clone(output)],
                })
            })
            .await
            .map(drop)
    }
}

fn report(entries: &[Arc<Entry>], output: &Entry) -> CompactionReport {
    let blocks = || entries.iter().map(|entry| &entry.block);
    CompactionReport {
        inputs: blocks().map(|block| block.id).collect(),
        output: output.block.id,
        spans_in: blocks().map(|block| block.spans).sum(),
        spans_out: output.block.spans,
        bytes_in: blocks().map(|block| block.byte_count()).sum(),
        bytes_out: output.block.byte_count(),
    }
}

/// The input with the earliest trace: its day is that of the output. There is at least one input.
fn earliest(entries: &[Arc<Entry>]) -> &BlockMeta {
    let mut earliest = &entries[0].block;
    for entry in entries {
        if entry.block.start_min < earliest.start_min {
            earliest = &entry.block;
        }
    }
    earliest
}

fn latest_received(entries: &[Arc<Entry>]) -> UnixNanos {
    let received = entries.iter().map(|entry| entry.received);
    received.max().unwrap_or_default()
}

/// Where the output goes: as an input, but for the id.
fn folder(new: &NewBlock, entries: &[Arc<Entry>]) -> String {
    let like = BlockMeta {
        id: new.id,
        ..earliest(entries).clone()
    };
    like.folder()
}

/// The part of the journal that the inputs came from, so that a replay still finds its spans. Inputs of several journals are
/// joined only when no replay can reach them any more.
fn joined_journal(entries: &[Arc<Entry>]) -> Option<JournalRange> {
    let mut ranges = entries
        .iter()
        .filter_map(|entry| entry.block.journal.as_ref());
    let mut joined = ranges.next()?.clone();
    for range in ranges {
        if range.journal != joined.journal {
            return None;
        }
        joined.first = joined.first.min(range.first);
        joined.last = joined.last.max(range.last);
    }
    Some(joined)
}
