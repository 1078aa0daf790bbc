//! Some columns of a block, for queries.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use block::{
    BlockId, BlockMeta, Dictionaries, Dictionary, SpanColumn, SpanFile, SpanGroup, TracePlace,
};
use bytes::Bytes;
use model::{Gathered, Remap, SpanBatch, TraceId};
use tokio::runtime::Handle;

use crate::cache::{BlockCache, Kept, KeptDictionaries, Kind};
use crate::objects::Objects;
use crate::parquet_file::ParquetFile;
use crate::{Store, StoreError};

/// A block of which columns can be read. Its methods that read must be called on a thread that may block.
pub struct BlockColumns {
    pub(crate) block: BlockId,
    pub(crate) cache: Arc<BlockCache>,
    pub(crate) file: Arc<ParquetFile>,
    pub(crate) spans: Arc<SpanFile>,
    pub(crate) resources: Arc<SpanBatch>,
    pub(crate) objects: Arc<Objects>,
    pub(crate) runtime: Handle,
}

impl Store {
    /// Opens a block for reading columns. What it needs beforehand is kept in the cache.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) or [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) naming the
    /// file; or as the object store fails.
    pub async fn open_columns(&self, block: &BlockMeta) -> Result<BlockColumns, StoreError> {
        let block_ref = self.inner.block_ref(block);
        let opened = self.inner.reader.open_columns(&block_ref).await;
        self.reported(block, opened)
    }

    /// Whether a trace may be in a block, as far as the manifest entry and the bloom tell.
    ///
    /// # Errors
    /// As with [`Self::open_columns`].
    pub async fn may_contain(&self, block: &BlockMeta, id: TraceId) -> Result<bool, StoreError> {
        let block_ref = self.inner.block_ref(block);
        self.inner.reader.may_contain(&block_ref, id).await
    }
}

impl BlockColumns {
    /// What can be read.
    pub fn file(&self) -> &SpanFile {
        &self.spans
    }

    /// Resources and instrumentation scopes of the block.
    pub fn resources(&self) -> &Arc<SpanBatch> {
        &self.resources
    }

    /// Reads `pages` (all, when there is no list) of columns of a row group, and says how many bytes that took. `columns` must
    /// name [`SpanColumn::Resource`]. Blocks the thread while the object store is asked.
    ///
    /// # Errors
    /// As with [`Store::open_columns`].
    pub fn read(
        &self,
        group: usize,
        columns: &[SpanColumn],
        pages: Option<&[usize]>,
    ) -> Result<(SpanGroup, u64), StoreError> {
        let damaged = |error: block::ReadError| self.file.damaged(error);
        let dictionaries: Arc<dyn Dictionaries> = Arc::new(self.dictionaries(group));
        let ranges = self
            .spans
            .bytes_of(group, columns, pages, &*dictionaries)
            .map_err(damaged)?;
        let parts = self.read_parts(&ranges)?;
        let bytes = parts.iter().map(|(_, part)| part.len() as u64).sum();
        let resources = Arc::clone(&self.resources);
        let group = SpanGroup::open(&self.spans, group, columns, parts, resources, &dictionaries);
        Ok((group.map_err(damaged)?, bytes))
    }

    /// Reads all dictionaries that are not in the cache yet. Blocks the thread as [`Self::read`] does.
    pub(crate) fn read_dictionaries(&self) -> Result<(), StoreError> {
        for group in 0..self.spans.group_count() {
            let dictionaries: Arc<dyn Dictionaries> = Arc::new(self.dictionaries(group));
            let ranges = self.spans.bytes_of_dictionaries(group, &*dictionaries);
            let parts = self.read_parts(&ranges)?;
            let read = self.spans.read_dictionaries(group, parts, &dictionaries);
            read.map_err(|error| self.file.damaged(error))?;
        }
        Ok(())
    }

    /// Parts of the file, each with where it begins.
    fn read_parts(&self, ranges: &[Range<u64>]) -> Result<Vec<(u64, Bytes)>, StoreError> {
        self.file.read_parts(&self.objects, &self.runtime, ranges)
    }

    fn dictionaries(&self, group: usize) -> GroupDictionaries {
        let kind = Kind::Dictionaries { group };
        let kept = self.runtime.block_on(self.cache.peek(self.block, kind));
        let kept = match kept {
            Some(Kept::Dictionaries(kept)) => kept,
            _ => Arc::new(KeptDictionaries::new(self.spans.leaf_count())),
        };
        GroupDictionaries {
            cache: Arc::clone(&self.cache),
            block: self.block,
            kind,
            kept,
            has_grown: AtomicBool::new(false),
        }
    }

    /// A whole trace, of which the place is known.
    pub(crate) fn trace(&self, id: TraceId, place: &TracePlace) -> Result<Gathered, StoreError> {
        let rows = place.rows;
        let groups = 0..self.spans.group_count();
        let mut groups = groups.filter(|&group| self.spans.rows(group).contains(&rows.start));
        let Some(group) = groups.next() else {
            return Err(self
                .file
                .damaged("it has fewer rows than traces.parquet says"));
        };
        let first = self.spans.rows(group).start;
        let start = u32::try_from(rows.start - first).ok();
        let end = start.and_then(|start| start.checked_add(u32::try_from(rows.len).ok()?));
        let (Some(start), Some(end)) = (start, end) else {
            return Err(self.file.damaged("a trace has more rows than fit"));
        };
        let damaged = |error: block::ReadError| self.file.damaged(error);
        let pages = self
            .spans
            .pages_with(group, std::iter::once(start..end))
            .map_err(damaged)?;
        let columns = self.spans.columns_with(place.columns.as_ref());
        let columns = columns.map_err(damaged)?;
        let (mut spans, _) = self.read(group, &columns, Some(&pages))?;
        let mut gathered = Gathered::new();
        let mut remap = Remap::default();
        remap.reset(&self.resources);
        spans
            .append(id, start..end, &mut gathered, &mut remap)
            .map_err(damaged)?;
        Ok(gathered)
    }

    /// The error to report when what was read does not decode.
    pub fn damaged(&self, error: block::ReadError) -> StoreError {
        self.file.damaged(error)
    }
}

/// The dictionaries of a row group, for as long as somebody reads it. Those who read it at the same time share them, unless it was
/// not in the cache when they began.
struct GroupDictionaries {
    cache: Arc<BlockCache>,
    block: BlockId,
    kind: Kind,
    kept: Arc<KeptDictionaries>,
    has_grown: AtomicBool,
}

impl Dictionaries for GroupDictionaries {
    fn get(&self, leaf: usize) -> Option<Dictionary> {
        self.kept.get(leaf).cloned()
    }

    fn has(&self, leaf: usize) -> bool {
        self.kept.get(leaf).is_some()
    }

    fn keep(&self, leaf: usize, dictionary: &Dictionary) {
        if self.kept.put(leaf, dictionary) {
            self.has_grown.store(true, Ordering::Relaxed);
        }
    }
}

/// The cache weighs what is put there and never again, so what has grown is put there once more, when all is read: a first trace
/// reads a hundred dictionaries.
impl Drop for GroupDictionaries {
    fn drop(&mut self) {
        if self.has_grown.load(Ordering::Relaxed) {
            let kept = Kept::Dictionaries(Arc::clone(&self.kept));
            self.cache.keep(self.block, self.kind, kept);
        }
    }
}
