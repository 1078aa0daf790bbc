//! What is kept in memory of the files of blocks: one cache for all kinds, weighed in bytes.
//!
//! Files of a block never change, so nothing here can be out of date. Who asks for the same thing at the same time waits
//! for one load. What is used most stays: a single large trace table does not drive out the blooms of all blocks.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use block::{BlockId, Bloom, Dictionary, SpanFile, TraceTable};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use model::SpanBatch;
use moka::future::Cache;
use parking_lot::RwLock;

use crate::StoreError;
use crate::parquet_file::ParquetFile;
use crate::stats::Counters;
use crate::traces_file::TracesFile;

/// What is kept of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Bloom,
    TraceTable,
    Resources,
    SpansFile,
    SpanColumns,
    TracesFile,
    /// Of the columns of `spans.parquet` in one row group. Reading one trace takes most of them, and without this a third of
    /// its time.
    Dictionaries {
        group: usize,
    },
}

#[derive(Clone)]
pub(crate) enum Kept {
    Bloom(Arc<Bloom>),
    TraceTable(Arc<TraceTable>),
    Resources(Arc<SpanBatch>),
    File(Arc<ParquetFile>),
    Traces(Arc<TracesFile>),
    Columns(Arc<SpanFile>),
    Dictionaries(Arc<KeptDictionaries>),
}

/// Dictionaries of a row group, by the number of their column. Each has its place, and is put there by the first who reads it.
pub(crate) struct KeptDictionaries(Box<[OnceLock<Dictionary>]>);

impl KeptDictionaries {
    /// Places for so many columns.
    pub(crate) fn new(leaves: usize) -> Self {
        Self((0..leaves).map(|_| OnceLock::new()).collect())
    }

    pub(crate) fn get(&self, leaf: usize) -> Option<&Dictionary> {
        self.0.get(leaf)?.get()
    }

    /// Whether there was none before.
    pub(crate) fn put(&self, leaf: usize, dictionary: &Dictionary) -> bool {
        let place = self.0.get(leaf);
        place.is_some_and(|place| place.set(dictionary.clone()).is_ok())
    }

    fn byte_count(&self) -> usize {
        let there = self.0.iter().filter_map(OnceLock::get);
        there.map(Dictionary::byte_count).sum::<usize>() + size_of_val(&*self.0)
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bloom(_) => "a bloom",
            Self::TraceTable(_) => "a trace table",
            Self::Resources(_) => "resources",
            Self::File(_) => "a file",
            Self::Traces(_) => "a file of traces",
            Self::Columns(_) => "columns",
            Self::Dictionaries(_) => "dictionaries",
        })
    }
}

impl Kept {
    fn byte_count(&self) -> usize {
        match self {
            Self::Bloom(bloom) => bloom.byte_count(),
            Self::TraceTable(table) => table.byte_count(),
            Self::Resources(resources) => resources.byte_count(),
            Self::File(file) => file.byte_count(),
            Self::Traces(file) => file.byte_count(),
            Self::Columns(file) => file.byte_count(),
            Self::Dictionaries(kept) => kept.byte_count(),
        }
    }
}

/// What an entry costs besides its content.
const ENTRY_BYTES: usize = 256;

#[derive(Debug)]
pub(crate) struct BlockCache {
    cache: Cache<(BlockId, Kind), Kept>,
    /// The blooms that are in the cache, or were: a search for a trace asks those of all blocks, and a look-up here costs a
    /// twentieth of one there.
    blooms: RwLock<HashMap<BlockId, Weak<Bloom>>>,
    counters: Arc<Counters>,
}

impl BlockCache {
    pub(crate) fn new(bytes: u64, counters: Arc<Counters>) -> Self {
        let cache = Cache::builder()
            .max_capacity(bytes)
            .weigher(|_, kept: &Kept| {
                u32::try_from(kept.byte_count() + ENTRY_BYTES).unwrap_or(u32::MAX)
            })
            .build();
        Self {
            cache,
            blooms: RwLock::default(),
            counters,
        }
    }

    /// The bloom of a block, if it is kept. Counts as no look-up.
    pub(crate) fn known_bloom(&self, block: BlockId) -> Option<Arc<Bloom>> {
        self.blooms.read().get(&block)?.upgrade()
    }

    /// Notes a bloom that is in the cache.
    pub(crate) fn remember_bloom(&self, block: BlockId, bloom: &Arc<Bloom>) {
        self.blooms.write().insert(block, Arc::downgrade(bloom));
    }

    /// What is kept under the key, or else what `load` gives; an error is not kept. Loading is boxed, so that what is
    /// usually there costs no large future.
    pub(crate) async fn get_or_load<'a>(
        &self,
        block: BlockId,
        kind: Kind,
        load: impl FnOnce() -> BoxFuture<'a, Result<Kept, StoreError>>,
    ) -> Result<Kept, StoreError> {
        if let Some(kept) = self.cache.get(&(block, kind)).await {
            self.counters.cache_hits.add(1);
            return Ok(kept);
        }
        self.counters.cache_misses.add(1);
        self.cache
            .try_get_with((block, kind), load())
            .await
            .map_err(|error| StoreError::clone(&error))
    }

    /// Keeps something, in place of what was there, and weighs it. A cache that is busy at this moment may not take it.
    pub(crate) fn keep(&self, block: BlockId, kind: Kind, kept: Kept) {
        let _ = self.cache.insert((block, kind), kept).now_or_never();
    }

    /// What is kept under the key, if anything. Counts as no look-up.
    pub(crate) async fn peek(&self, block: BlockId, kind: Kind) -> Option<Kept> {
        self.cache.get(&(block, kind)).await
    }

    /// Forgets a block whose files are gone.
    pub(crate) async fn forget(&self, block: BlockId) {
        self.blooms.write().remove(&block);
        if let Some(Kept::Columns(file)) = self.peek(block, Kind::SpanColumns).await {
            for group in 0..file.group_count() {
                let key = (block, Kind::Dictionaries { group });
                self.cache.invalidate(&key).await;
            }
        }
        for kind in [
            Kind::Bloom,
            Kind::TraceTable,
            Kind::Resources,
            Kind::SpansFile,
            Kind::SpanColumns,
            Kind::TracesFile,
        ] {
            self.cache.invalidate(&(block, kind)).await;
        }
    }

    pub(crate) fn byte_count(&self) -> u64 {
        self.cache.weighted_size()
    }
}
