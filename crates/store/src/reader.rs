//! Reading blocks: their small files through the cache, their rows page by page.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::array::{AsArray as _, FixedSizeBinaryArray, RecordBatch};
use block::{BlockId, BlockMeta, Bloom, SpanFile, TracePlace, TraceTable, read_resources};
use bytes::Bytes;
use futures::FutureExt as _;
use model::{Gathered, SpanBatch, SpanId, TraceId};
use object_store::path::Path;
use parking_lot::Mutex;
use parquet::file::metadata::PageIndexPolicy;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;

use crate::blocks::BlockList;
use crate::cache::{BlockCache, Kept, Kind};
use crate::columns::BlockColumns;
use crate::layout::{BlockFile, Layout};
use crate::manifest::{Checksum, Checksums};
use crate::objects::Objects;
use crate::parquet_file::{ParquetFile, Rows, Selection};
use crate::traces_file::{TraceRows, TracesFile};
use crate::{ErrorKind, StoreError};

/// Rows decoded at a time. Larger batches look up the words of a dictionary less often; smaller ones hold less.
pub(crate) const BATCH_ROWS: usize = 8192;

/// What is read of the end of a file whose checksums are no longer known: enough for most footers.
const BLIND_TAIL_BYTES: u64 = 64 << 10;

/// Batches of ids that wait for their receiver.
const ID_BATCHES_WAITING: usize = 4;

/// Threads that decode at a time. Each of them may wait for another blocking thread, on which a local file is read; were
/// all of the runtime's (512, unless set otherwise) waiting, none would be left to read.
const DECODERS_MAX: usize = 64;

const ENDED_IN_PANIC: &str = "decoding it ended in a panic";

/// A block to read from: its entry, and the checksums unless it was removed long ago.
#[derive(Debug, Clone)]
pub(crate) struct BlockRef<'a> {
    pub(crate) meta: &'a BlockMeta,
    pub(crate) checksums: Option<Checksums>,
}

impl<'a> BlockRef<'a> {
    pub(crate) fn new(meta: &'a BlockMeta, blocks: &BlockList) -> Self {
        Self {
            meta,
            checksums: blocks.checksums(meta.id),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Reader {
    objects: Arc<Objects>,
    layout: Layout,
    cache: Arc<BlockCache>,
    /// Blocks found missing or damaged, with the last finding.
    unreadable: Mutex<HashMap<BlockId, String>>,
    decoders: Semaphore,
}

impl Reader {
    pub(crate) fn new(objects: Arc<Objects>, layout: Layout, cache: BlockCache) -> Self {
        Self {
            objects,
            layout,
            cache: Arc::new(cache),
            unreadable: Mutex::new(HashMap::new()),
            decoders: Semaphore::new(DECODERS_MAX),
        }
    }

    pub(crate) fn cache(&self) -> &BlockCache {
        &self.cache
    }

    fn path(&self, block: &BlockMeta, file: BlockFile) -> Path {
        self.layout.block_file(&block.folder(), file)
    }

    /// Remembers that a block cannot be read, if that is what `error` says, and logs it the first time.
    pub(crate) fn report(&self, block: BlockId, error: &StoreError) {
        if !matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::NotFound) {
            return;
        }
        let mut unreadable = self.unreadable.lock();
        if unreadable.insert(block, error.to_string()).is_none() {
            tracing::error!(%block, %error, "a block cannot be read; answers without it may be incomplete");
        }
    }

    pub(crate) fn is_unreadable(&self, block: BlockId) -> bool {
        self.unreadable.lock().contains_key(&block)
    }

    /// Forgets the findings about blocks that are no longer there, and returns how many others there are.
    pub(crate) fn unreadable_of(&self, blocks: &BlockList) -> u64 {
        let mut unreadable = self.unreadable.lock();
        unreadable.retain(|id, _| blocks.find(*id).is_some());
        unreadable.len() as u64
    }

    async fn whole(
        &self,
        block: &BlockMeta,
        file: BlockFile,
        bytes: u64,
        checksum: Option<Checksum>,
    ) -> Result<(Path, Bytes), StoreError> {
        let path = self.path(block, file);
        let content = self.objects.get_sized(&path, bytes).await?;
        if checksum.is_some_and(|checksum| Checksum::of(&content) != checksum) {
            return Err(StoreError::corrupt(
                &path,
                "it does not have the checksum in the manifest",
            ));
        }
        Ok((path, content))
    }

    pub(crate) async fn bloom(&self, block: &BlockRef<'_>) -> Result<Arc<Bloom>, StoreError> {
        let load = || {
            async move {
                let checksum = block.checksums.map(|sums| sums.bloom);
                let bytes = block.meta.files.bloom;
                let (path, content) = self
                    .whole(block.meta, BlockFile::Bloom, bytes, checksum)
                    .await?;
                let bloom = Bloom::from_bytes(&content)
                    .map_err(|error| StoreError::corrupt(path, error))?;
                Ok(Kept::Bloom(Arc::new(bloom)))
            }
            .boxed()
        };
        match self
            .cache
            .get_or_load(block.meta.id, Kind::Bloom, load)
            .await?
        {
            Kept::Bloom(bloom) => {
                self.cache.remember_bloom(block.meta.id, &bloom);
                Ok(bloom)
            }
            other => Err(mistaken(&other)),
        }
    }

    pub(crate) async fn trace_table(
        &self,
        block: &BlockRef<'_>,
    ) -> Result<Arc<TraceTable>, StoreError> {
        let load = || {
            async move {
                let checksum = block.checksums.map(|sums| sums.traces);
                let bytes = block.meta.files.traces;
                let (path, content) = self
                    .whole(block.meta, BlockFile::Traces, bytes, checksum)
                    .await?;
                let table = on_blocking_thread(path.clone(), move || {
                    TraceTable::from_bytes(content)
                        .map_err(|error| StoreError::corrupt(path, error))
                })
                .await?;
                Ok(Kept::TraceTable(Arc::new(table)))
            }
            .boxed()
        };
        match self
            .cache
            .get_or_load(block.meta.id, Kind::TraceTable, load)
            .await?
        {
            Kept::TraceTable(table) => Ok(table),
            other => Err(mistaken(&other)),
        }
    }

    pub(crate) async fn resources(
        &self,
        block: &BlockRef<'_>,
    ) -> Result<Arc<SpanBatch>, StoreError> {
        let load = || {
            async move {
                let checksum = block.checksums.map(|sums| sums.resources);
                let bytes = block.meta.files.resources;
                let (path, content) = self
                    .whole(block.meta, BlockFile::Resources, bytes, checksum)
                    .await?;
                let resources = on_blocking_thread(path.clone(), move || {
                    read_resources(content).map_err(|error| StoreError::corrupt(path, error))
                })
                .await?;
                Ok(Kept::Resources(Arc::new(resources)))
            }
            .boxed()
        };
        match self
            .cache
            .get_or_load(block.meta.id, Kind::Resources, load)
            .await?
        {
            Kept::Resources(resources) => Ok(resources),
            other => Err(mistaken(&other)),
        }
    }

    pub(crate) async fn spans_file(
        &self,
        block: &BlockRef<'_>,
    ) -> Result<Arc<ParquetFile>, StoreError> {
        let tail = block.checksums.map(|sums| sums.spans_tail);
        let bytes = block.meta.files.spans;
        let index = PageIndexPolicy::Skip;
        let load = || {
            async move {
                let opened = self.open(block.meta, BlockFile::Spans, bytes, tail, index);
                Ok(Kept::File(Arc::new(opened.await?)))
            }
            .boxed()
        };
        match self
            .cache
            .get_or_load(block.meta.id, Kind::SpansFile, load)
            .await?
        {
            Kept::File(file) => Ok(file),
            other => Err(mistaken(&other)),
        }
    }

    /// What is known of the columns of `file`, the block's `spans.parquet`.
    pub(crate) async fn span_columns(
        &self,
        block: &BlockRef<'_>,
        file: &ParquetFile,
    ) -> Result<Arc<SpanFile>, StoreError> {
        let footer = file.metadata();
        let load = || {
            let columns = SpanFile::new(Arc::clone(footer), block.meta);
            async move { Ok(Kept::Columns(Arc::new(columns))) }.boxed()
        };
        match self
            .cache
            .get_or_load(block.meta.id, Kind::SpanColumns, load)
            .await?
        {
            Kept::Columns(columns) => Ok(columns),
            other => Err(mistaken(&other)),
        }
    }

    pub(crate) async fn traces_file(
        &self,
        block: &BlockRef<'_>,
    ) -> Result<Arc<TracesFile>, StoreError> {
        let tail = block.checksums.map(|sums| sums.traces_tail);
        let bytes = block.meta.files.traces;
        let index = PageIndexPolicy::Optional;
        let load = || {
            async move {
                let opened = self.open(block.meta, BlockFile::Traces, bytes, tail, index);
                Ok(Kept::Traces(Arc::new(TracesFile::new(opened.await?)?)))
            }
            .boxed()
        };
        match self
            .cache
            .get_or_load(block.meta.id, Kind::TracesFile, load)
            .await?
        {
            Kept::Traces(file) => Ok(file),
            other => Err(mistaken(&other)),
        }
    }

    async fn open(
        &self,
        block: &BlockMeta,
        file: BlockFile,
        bytes: u64,
        tail: Option<Checksum>,
        column_index: PageIndexPolicy,
    ) -> Result<ParquetFile, StoreError> {
        let path = self.path(block, file);
        let blind = bytes.min(BLIND_TAIL_BYTES);
        ParquetFile::open(&self.objects, path, bytes, tail, blind, column_index).await
    }

    /// Tells of traces whether it is known that they are not in the block. Costs a look for the bloom; what is not in memory says
    /// nothing.
    pub(crate) fn ruled_out_of(&self, block: &BlockMeta) -> impl Fn(TraceId) -> bool + use<> {
        let within = block.trace_id_min.0..=block.trace_id_max.0;
        let bloom = self.cache.known_bloom(block.id);
        move |id| {
            let bloom = bloom.as_ref();
            !within.contains(&id) || bloom.is_some_and(|bloom| !bloom.may_contain(id))
        }
    }

    /// Whether it is known that the trace is not in the block.
    pub(crate) fn is_ruled_out(&self, block: &BlockMeta, id: TraceId) -> bool {
        self.ruled_out_of(block)(id)
    }

    /// Whether the trace may be in the block, as far as the manifest entry and the bloom tell.
    pub(crate) async fn may_contain(
        &self,
        block: &BlockRef<'_>,
        id: TraceId,
    ) -> Result<bool, StoreError> {
        Ok(!self.is_ruled_out(block.meta, id) && self.bloom(block).await?.may_contain(id))
    }

    /// What tells the rows of the block's traces: its table, if that is in memory.
    async fn trace_rows(&self, block: &BlockRef<'_>) -> Result<TraceRows, StoreError> {
        let kept = self.cache.peek(block.meta.id, Kind::TraceTable).await;
        match kept {
            Some(Kept::TraceTable(table)) => Ok(TraceRows::Table(table)),
            _ => Ok(TraceRows::File(self.traces_file(block).await?)),
        }
    }

    /// Where the spans of a trace are in the block; `None` when it is not there.
    pub(crate) async fn locate(
        &self,
        block: &BlockRef<'_>,
        id: TraceId,
    ) -> Result<Option<TracePlace>, StoreError> {
        let rows = self.trace_rows(block).await?;
        let (objects, runtime) = (Arc::clone(&self.objects), Handle::current());
        let TraceRows::File(file) = &rows else {
            return rows.find(&objects, &runtime, id);
        };
        let path = file.file.path().clone();
        let _turn = self.decoders.acquire().await;
        on_blocking_thread(path, move || rows.find(&objects, &runtime, id)).await
    }

    /// Whether the table of the block's traces is in memory.
    pub(crate) async fn has_trace_table(&self, block: &BlockMeta) -> bool {
        let kept = self.cache.peek(block.id, Kind::TraceTable).await;
        kept.is_some()
    }

    /// Those of these traces that are in the block.
    pub(crate) async fn there(
        &self,
        block: &BlockRef<'_>,
        ids: Vec<TraceId>,
    ) -> Result<Vec<TraceId>, StoreError> {
        let mut there = Vec::new();
        for id in ids {
            let place = self.locate(block, id).await?;
            there.extend(place.map(|_| id));
        }
        Ok(there)
    }

    pub(crate) async fn open_columns(
        &self,
        block: &BlockRef<'_>,
    ) -> Result<BlockColumns, StoreError> {
        let (file, resources) = futures::try_join!(self.spans_file(block), self.resources(block))?;
        Ok(BlockColumns {
            block: block.meta.id,
            cache: Arc::clone(&self.cache),
            spans: self.span_columns(block, &file).await?,
            file,
            resources,
            objects: Arc::clone(&self.objects),
            runtime: Handle::current(),
        })
    }

    /// The spans of a trace, which are at this place of the block.
    pub(crate) async fn trace(
        &self,
        block: &BlockRef<'_>,
        id: TraceId,
        place: TracePlace,
    ) -> Result<Gathered, StoreError> {
        let open = self.open_columns(block).await?;
        let _turn = self.decoders.acquire().await;
        let path = open.file.path().clone();
        on_blocking_thread(path, move || open.trace(id, &place)).await
    }

    /// The spans of a trace in the block; `None` when it is not there. As [`Self::locate`] and [`Self::trace`], and for when no
    /// other block is read at the same time: without changing threads.
    pub(crate) async fn find(
        &self,
        block: &BlockRef<'_>,
        id: TraceId,
    ) -> Result<Option<Gathered>, StoreError> {
        let (rows, open) = futures::try_join!(self.trace_rows(block), self.open_columns(block))?;
        let _turn = self.decoders.acquire().await;
        let traces = self.path(block.meta, BlockFile::Traces);
        let find = move || {
            let found = guarded(&traces, || rows.find(&open.objects, &open.runtime, id))?;
            let read = |place| guarded(open.file.path(), || open.trace(id, &place));
            found.map(read).transpose()
        };
        if Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread {
            tokio::task::block_in_place(find)
        } else {
            let path = self.path(block.meta, BlockFile::Spans);
            on_blocking_thread(path, find).await
        }
    }

    /// Calls `each` with the ids of every span of the block, in the order of the rows.
    pub(crate) async fn span_ids(
        &self,
        block: &BlockRef<'_>,
        mut each: impl FnMut(TraceId, SpanId),
    ) -> Result<(), StoreError> {
        let file = self.spans_file(block).await?;
        let (objects, runtime) = (Arc::clone(&self.objects), Handle::current());
        let _turn = self.decoders.acquire().await;
        let (sender, mut batches) = tokio::sync::mpsc::channel(ID_BATCHES_WAITING);
        let read = on_blocking_thread(file.path().clone(), move || {
            let selection = Selection {
                rows: None,
                columns: Some(&["trace_id", "span_id"]),
                batch_rows: BATCH_ROWS,
            };
            let mut rows = file.rows(&objects, &runtime, &selection)?;
            while let Some(batch) = rows.next()? {
                let ids = ids_of(&batch).ok_or_else(|| unexpected(&rows))?;
                if sender.blocking_send(ids).is_err() {
                    break; // Nobody listens any more.
                }
            }
            Ok(())
        });
        let receive = async {
            while let Some(ids) = batches.recv().await {
                for (trace_id, span_id) in ids {
                    each(trace_id, span_id);
                }
            }
        };
        let (read, ()) = futures::join!(read, receive);
        read
    }
}

/// Runs work for the processor where it does not hold up other tasks. A panic, which damaged bytes can cause in a decoder,
/// becomes an error about the object at `path`.
pub(crate) async fn on_blocking_thread<T: Send + 'static>(
    path: Path,
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => Err(StoreError::corrupt(path, ENDED_IN_PANIC)),
        Err(error) => Err(StoreError::joined("read a block", &error)),
    }
}

/// Runs work on the thread at hand. A panic becomes an error as it does in [`on_blocking_thread`].
fn guarded<T>(path: &Path, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
    std::panic::catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(StoreError::corrupt(path, ENDED_IN_PANIC)))
}

pub(crate) fn id_column<'a>(
    batch: &'a RecordBatch,
    name: &str,
    bytes: usize,
) -> Option<&'a FixedSizeBinaryArray> {
    let column = batch.column_by_name(name)?.as_fixed_size_binary_opt()?;
    (column.value_length() as usize == bytes).then_some(column)
}

fn ids_of(batch: &RecordBatch) -> Option<Vec<(TraceId, SpanId)>> {
    let traces = id_column(batch, "trace_id", TraceId::BYTES)?;
    let spans = id_column(batch, "span_id", SpanId::BYTES)?;
    (0..batch.num_rows())
        .map(|row| {
            Some((
                TraceId::from_slice(traces.value(row))?,
                SpanId::from_slice(spans.value(row))?,
            ))
        })
        .collect()
}

pub(crate) fn unexpected(rows: &Rows) -> StoreError {
    rows.file()
        .damaged("a column is missing or has an unexpected type")
}

fn mistaken(kept: &Kept) -> StoreError {
    StoreError::new(
        ErrorKind::Bug,
        format!("the cache holds something else under this key: {kept:?}"),
    )
}
