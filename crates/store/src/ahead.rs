//! Reading ahead: what the first questions after a start will need.
//!
//! The first trace of a block costs some milliseconds more than the next, and so does its first list, for what is kept of a block
//! afterwards: footers, dictionaries, the table of its traces. Who asks the first question after a start will ask more of
//! them, mostly about what is new. So then, and not before, the newest blocks are read in the background, one after another, as
//! far as three quarters of the cache take them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use block::BlockMeta;
use tokio::task::JoinHandle;

use crate::reader::{BlockRef, on_blocking_thread};
use crate::{Store, StoreError};

/// Blocks that are read ahead at the most. Each is a few requests, a megabyte or two, and some ten milliseconds of the processor.
const BLOCKS_MAX: usize = 128;

impl Store {
    /// Starts to read ahead, the first time that it is called, and gives the task that does it. Needs a runtime; what cannot be read
    /// is left for those who ask for it.
    pub fn read_ahead(&self) -> Option<JoinHandle<()>> {
        let has_read = &self.inner.has_read_ahead;
        // Looked at before it is written, since every question comes by here.
        if has_read.load(Ordering::Relaxed)
            || self.unread().is_some()
            || has_read.swap(true, Ordering::Relaxed)
        {
            return None;
        }
        let store = self.clone();
        Some(tokio::spawn(async move { store.read_newest().await }))
    }

    async fn read_newest(&self) {
        let most = self.inner.config.cache_bytes / 4 * 3;
        let blocks = self.blocks();
        for block in blocks.iter().take(BLOCKS_MAX) {
            if self.inner.reader.cache().byte_count() > most {
                break;
            }
            if let Err(error) = self.keep(block).await {
                tracing::debug!(block = %block.id, %error, "not read ahead");
            }
        }
    }

    /// Reads what is kept of a block.
    async fn keep(&self, block: &BlockMeta) -> Result<(), StoreError> {
        let reader = &self.inner.reader;
        let block_ref: BlockRef<'_> = self.inner.block_ref(block);
        reader.bloom(&block_ref).await?;
        reader.trace_table(&block_ref).await?;
        let columns = Arc::new(reader.open_columns(&block_ref).await?);
        let path = columns.file.path().clone();
        on_blocking_thread(path, move || columns.read_dictionaries()).await
    }
}
