//! The store of one tenant: the parts put together, and the ways in and out.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use block::{BlockId, BlockMeta, TraceTable};
use bytes::Bytes;
use model::{Clock, Gathered, Remap, SpanId, TraceId};
use object_store::ObjectStore;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::blocks::BlockList;
use crate::cache::BlockCache;
use crate::ids::Ids;
use crate::layout::{BlockFile, Layout};
use crate::manifest::{Entry, Manifest, Proposal, Reason};
use crate::objects::{Objects, in_parallel};
use crate::pending::PendingBlock;
use crate::reader::{BlockRef, Reader};
use crate::stats::{Counters, StoreStats};
use crate::{ErrorKind, StoreConfig, StoreError};

/// The blocks of one tenant in an object store. Cheap to clone; all clones are the same store.
///
/// Nothing runs by itself: somebody has to run [`Store::maintain`], in one process or in several.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) config: StoreConfig,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<Ids>,
    pub(crate) layout: Layout,
    pub(crate) objects: Arc<Objects>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) manifest: Manifest,
    pub(crate) reader: Reader,
    /// Whether [`Store::read_ahead`] was called.
    pub(crate) has_read_ahead: AtomicBool,
    /// Blocks whose files this process is writing, and how many tasks do so.
    pub(crate) in_flight: Mutex<HashMap<BlockId, u32>>,
    /// Removed blocks, still remembered by the manifest, whose files this process has deleted.
    pub(crate) collected: Mutex<HashSet<BlockId>>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("tenant", &self.inner.layout.tenant().as_ref())
            .field("blocks", &self.blocks().len())
            .finish_non_exhaustive()
    }
}

/// The spans of a trace in all blocks.
#[derive(Debug, Default)]
pub struct FoundTrace {
    /// All rows, in no order. A span that was sent twice may be there twice, until a compaction has joined its blocks.
    pub spans: Gathered,
    /// Blocks that have rows of it. Those of a single one are in pre-order, each span once.
    pub pieces: usize,
    /// What could not be read, in words; if there is any, spans may be missing.
    pub unreadable: Vec<String>,
}

impl Store {
    /// Opens the store of `config.tenant`, reading its manifest. A tenant without one is new and empty.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a setting that cannot work; [`ErrorKind::Corrupt`] when the manifest is damaged so that
    /// the list of blocks cannot be told, with the object to restore; others as the object store fails.
    pub async fn open(
        config: StoreConfig,
        object_store: Arc<dyn ObjectStore>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let store = Self::open_unread(config, object_store, clock)?;
        store.refresh().await?;
        Ok(store)
    }

    /// As [`Self::open`], without asking the object store for anything. Until it was asked, by [`Self::refresh`] or [`Self::add`],
    /// [`Self::blocks`] is empty and [`Self::unread`] says why.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] for a setting that cannot work.
    pub fn open_unread(
        config: StoreConfig,
        object_store: Arc<dyn ObjectStore>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        config.check()?;
        let ids = Arc::new(Ids::new(config.seed));
        let counters = Arc::new(Counters::default());
        let layout = Layout::new(&config.root, &config.tenant);
        let objects = Arc::new(Objects::new(
            object_store,
            config.requests.clone(),
            Arc::clone(&ids),
            Arc::clone(&counters),
        ));
        let manifest = Manifest::unread(
            Arc::clone(&objects),
            layout.clone(),
            Arc::clone(&clock),
            Arc::clone(&ids),
            Arc::clone(&counters),
        );
        let cache = BlockCache::new(config.cache_bytes, Arc::clone(&counters));
        let reader = Reader::new(Arc::clone(&objects), layout.clone(), cache);
        Ok(Self {
            inner: Arc::new(Inner {
                config,
                clock,
                ids,
                layout,
                objects,
                counters,
                manifest,
                reader,
                has_read_ahead: AtomicBool::new(false),
                in_flight: Mutex::default(),
                collected: Mutex::default(),
            }),
        })
    }

    /// Puts the block's files into the object store and then its entry into the manifest. When this returns `Ok`, the block
    /// is durable, visible in [`Store::blocks`], and what it was made from may be forgotten.
    ///
    /// Requests are repeated a bounded number of times. After an error the block may or may not have been added; adding the
    /// same block again, as often as it takes, is right and never adds it twice:
    ///
    /// ```no_run
    /// # async fn example(store: store::Store, finished: block::FinishedBlock) {
    /// let block = store::PendingBlock::from(finished);
    /// while let Err(error) = store.add(block.clone()).await {
    ///     // Tell a person, wait, keep the journal: whatever the kind, the spans are still there.
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Retry`] and [`ErrorKind::Denied`] as the object store fails; [`ErrorKind::Invalid`] for a block of
    /// another tenant or with files that do not fit its entry.
    pub async fn add(&self, block: impl Into<PendingBlock>) -> Result<(), StoreError> {
        let block = block.into();
        block.check(&self.inner.config.tenant, false)?;
        let entry = Arc::new(Entry {
            block: Arc::clone(block.meta()),
            received: block.meta().created,
            checksums: block.checksums()?,
        });
        let _uploading = self.inner.uploading(block.meta().id);
        let files = block.files(false);
        let begun = Instant::now();
        self.inner.put_files(block.meta(), &files).await?;
        self.inner
            .manifest
            .commit(|state| {
                Ok(if state.has_known(entry.block.id) {
                    Proposal::Nothing
                } else {
                    Proposal::Change {
                        reason: Reason::Flush,
                        removed: Vec::new(),
                        added: vec![Arc::clone(&entry)],
                    }
                })
            })
            .await?;
        if begun.elapsed() > self.inner.upload_time_max() {
            // Another process may have taken the files for orphans before the entry was there.
            self.inner.put_missing(block.meta(), &files).await?;
        }
        self.inner.counters.blocks_added.add(1);
        Ok(())
    }

    /// The blocks there are. Costs nothing; hold the list as long as a question takes.
    pub fn blocks(&self) -> Arc<BlockList> {
        Arc::clone(&self.inner.manifest.head().blocks)
    }

    /// Why [`Self::blocks`] says nothing, in words for whoever asked; `None` as soon as the list was read once.
    pub fn unread(&self) -> Option<String> {
        let text = "the list of stored blocks could not be read yet, since the storage does not answer: this is what is in memory";
        (!self.inner.manifest.is_read()).then(|| text.to_owned())
    }

    /// Learns what other processes have added and removed. [`Store::maintain`] does this now and then.
    ///
    /// # Errors
    /// As the object store fails, or [`ErrorKind::Corrupt`] for a damaged manifest object; the blocks stay as they were.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        self.inner.manifest.refresh().await
    }

    /// All spans of a trace in all blocks, without any hint about time. Costs a look at each block's bloom, and a few
    /// requests for each block that has the trace.
    ///
    /// # Errors
    /// [`ErrorKind::Retry`] or [`ErrorKind::Denied`] when nothing could be found and a block could not be asked. A block
    /// that is damaged or missing is no error: it is named in [`FoundTrace::unreadable`].
    pub async fn find_trace(&self, id: TraceId) -> Result<FoundTrace, StoreError> {
        let blocks = self.blocks();
        let mut pieces = self.pieces(&blocks, id).await;
        if pieces.failed_with(ErrorKind::NotFound) {
            // The list may be so old that its blocks are gone; a newer one tells where their spans went.
            if let Err(error) = self.refresh().await {
                tracing::debug!(%error, "cannot look for a newer list of blocks");
            }
            let newer = self.blocks();
            let is_gone = |(id, _): &(BlockId, StoreError)| newer.find(*id).is_none();
            if pieces.failures.iter().any(is_gone) {
                pieces = self.pieces(&newer, id).await;
            }
        }
        self.told(pieces)
    }

    async fn pieces(&self, blocks: &BlockList, id: TraceId) -> Pieces {
        let reader = &self.inner.reader;
        let limit = self.inner.objects.concurrency();
        let likely = blocks.iter().filter(|meta| !reader.is_ruled_out(meta, id));
        let likely: Vec<_> = likely.collect();
        if let [only] = likely[..] {
            return self.only_piece(BlockRef::new(only, blocks), id).await;
        }
        let located = in_parallel(likely, limit, |meta| async move {
            let block = BlockRef::new(meta, blocks);
            // A bloom that cannot be read makes this slower, not wrong.
            let bloom = reader.may_contain(&block, id).await;
            let place = match bloom {
                Ok(false) => Ok(None),
                _ => reader.locate(&block, id).await,
            };
            (block, bloom.err(), place)
        });
        let mut pieces = Pieces::default();
        let mut there = Vec::new();
        for (block, bloom, place) in located.await {
            let damage = bloom.map(|error| (block.meta.id, error));
            pieces.damage.extend(damage);
            match place {
                Ok(place) => there.extend(place.map(|place| (block, place))),
                Err(error) => pieces.failures.push((block.meta.id, error)),
            }
        }
        let read = in_parallel(there, limit, |(block, place)| async move {
            let read = reader.trace(&block, id, place).await;
            (block.meta.id, read)
        });
        for (block, read) in read.await {
            match read {
                Ok(piece) => pieces.found.push(piece),
                Err(error) => pieces.failures.push((block, error)),
            }
        }
        pieces
    }

    /// As [`Self::pieces`], when only one block may have the trace.
    async fn only_piece(&self, block: BlockRef<'_>, id: TraceId) -> Pieces {
        let reader = &self.inner.reader;
        let bloom = reader.may_contain(&block, id).await;
        let found = match bloom {
            Ok(false) => Ok(None),
            _ => reader.find(&block, id).await,
        };
        let mut pieces = Pieces::default();
        let damage = bloom.err().map(|error| (block.meta.id, error));
        pieces.damage.extend(damage);
        match found {
            Ok(piece) => pieces.found.extend(piece),
            Err(error) => pieces.failures.push((block.meta.id, error)),
        }
        pieces
    }

    fn told(&self, pieces: Pieces) -> Result<FoundTrace, StoreError> {
        if let Some(why) = self.unread() {
            return Err(StoreError::new(ErrorKind::Retry, why));
        }
        let listed = self.blocks();
        for (block, error) in pieces.damage.iter().chain(&pieces.failures) {
            if listed.find(*block).is_some() {
                self.inner.reader.report(*block, error);
            }
        }
        let mut told = FoundTrace::default();
        for piece in pieces.found {
            told.join(piece)?;
        }
        for (_, error) in pieces.failures {
            let weather = matches!(error.kind(), ErrorKind::Retry | ErrorKind::Denied);
            if weather && told.spans.batch.is_empty() {
                return Err(error);
            }
            told.unreadable.push(error.to_string());
        }
        Ok(told)
    }

    /// The traces of a block, through the cache.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] or [`ErrorKind::NotFound`] naming the file; or as the object store fails.
    pub async fn trace_table(&self, block: &BlockMeta) -> Result<Arc<TraceTable>, StoreError> {
        let table = self
            .inner
            .reader
            .trace_table(&self.inner.block_ref(block))
            .await;
        self.reported(block, table)
    }

    /// Calls `each` with the ids of every span of a block, reading no other column. After a crash the collector asks this
    /// of blocks whose [`BlockMeta::journal`] reaches into what is replayed.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`] or [`ErrorKind::NotFound`] naming the file; or as the object store fails. `each` may have
    /// been called for some spans.
    pub async fn span_ids(
        &self,
        block: &BlockMeta,
        each: impl FnMut(TraceId, SpanId),
    ) -> Result<(), StoreError> {
        let read = self
            .inner
            .reader
            .span_ids(&self.inner.block_ref(block), each)
            .await;
        self.reported(block, read)
    }

    pub(crate) fn reported<T>(
        &self,
        block: &BlockMeta,
        result: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if let Err(error) = &result
            && self.blocks().find(block.id).is_some()
        {
            self.inner.reader.report(block.id, error);
        }
        result
    }

    /// What the store holds and has done. Costs a walk over the list of blocks.
    pub fn stats(&self) -> StoreStats {
        let blocks = self.blocks();
        StoreStats {
            blocks: blocks.len() as u64,
            bytes: blocks.iter().map(|block| block.byte_count()).sum(),
            spans: blocks.iter().map(|block| block.spans).sum(),
            traces: blocks.iter().map(|block| block.traces).sum(),
            manifest_number: blocks.number(),
            cache_bytes: self.inner.reader.cache().byte_count(),
            unreadable_blocks: self.inner.reader.unreadable_of(&blocks),
            ..self.inner.counters.read()
        }
    }
}

/// What the blocks answered when they were asked for a trace.
#[derive(Debug, Default)]
struct Pieces {
    found: Vec<Gathered>,
    /// Blocks that may have the trace and could not say.
    failures: Vec<(BlockId, StoreError)>,
    /// Blocks that answered although something of them could not be read.
    damage: Vec<(BlockId, StoreError)>,
}

impl Pieces {
    fn failed_with(&self, kind: ErrorKind) -> bool {
        let mut all = self.failures.iter().chain(&self.damage);
        all.any(|(_, error)| error.kind() == kind)
    }
}

impl FoundTrace {
    fn join(&mut self, piece: Gathered) -> Result<(), StoreError> {
        self.pieces += 1;
        if self.spans.batch.is_empty() {
            self.spans = piece;
            return Ok(());
        }
        let mut remap = Remap::default();
        remap.reset(&piece.batch);
        for row in 0..piece.batch.len() {
            self.spans
                .push(&piece.batch, row, &mut remap)
                .map_err(|error| {
                    StoreError::new(ErrorKind::Bug, format!("cannot join a trace: {error}"))
                })?;
        }
        Ok(())
    }
}

impl Inner {
    pub(crate) fn block_ref<'a>(&self, meta: &'a BlockMeta) -> BlockRef<'a> {
        BlockRef::new(meta, &self.manifest.head().blocks)
    }

    /// How long after its files were put a block may be committed without a second look at them.
    pub(crate) fn upload_time_max(&self) -> Duration {
        self.config.garbage_grace / 2
    }

    /// Keeps garbage collection in this process off a block until dropped.
    pub(crate) fn uploading(self: &Arc<Self>, id: BlockId) -> Uploading {
        *self.in_flight.lock().entry(id).or_default() += 1;
        Uploading {
            inner: Arc::clone(self),
            id,
        }
    }

    pub(crate) async fn put_files(
        &self,
        meta: &BlockMeta,
        files: &[(BlockFile, Bytes)],
    ) -> Result<(), StoreError> {
        let folder = meta.folder();
        let puts = files.iter().map(|(file, bytes)| {
            let path = self.layout.block_file(&folder, *file);
            async move { self.objects.put(&path, bytes.clone()).await }
        });
        futures::future::try_join_all(puts).await.map(drop)
    }

    async fn put_missing(
        &self,
        meta: &BlockMeta,
        files: &[(BlockFile, Bytes)],
    ) -> Result<(), StoreError> {
        let folder = self.layout.block_folder(&meta.folder());
        let there = self.objects.list(&folder).await?;
        let missing: Vec<_> = files
            .iter()
            .filter(|(file, _)| {
                !there
                    .iter()
                    .any(|object| object.location.filename() == Some(file.name()))
            })
            .cloned()
            .collect();
        self.put_files(meta, &missing).await
    }
}

/// A block whose files are being written.
pub(crate) struct Uploading {
    inner: Arc<Inner>,
    id: BlockId,
}

impl Drop for Uploading {
    fn drop(&mut self) {
        let mut in_flight = self.inner.in_flight.lock();
        if let Some(count) = in_flight.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                in_flight.remove(&self.id);
            }
        }
    }
}
