//! Garbage: files of blocks that were removed, folders of blocks that were never added, superseded manifest objects.
//!
//! The order of steps is what makes this safe beside writers. A folder is an orphan only if it is older than the grace
//! period **and** a manifest that was read *after* the folder was listed does not name it. A writer that needs longer than
//! half of the grace period from its first file to its commit looks again whether its files are there, or gives up.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use block::BlockId;
use model::{DurationNanos, UnixNanos};
use object_store::ObjectMeta;
use object_store::path::Path;

use crate::layout::BlockFile;
use crate::manifest::{State, Tombstone};
use crate::store::Inner;
use crate::{Store, StoreError};

/// What was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GarbageReport {
    /// Removed blocks whose files were deleted.
    pub removed_blocks: u64,
    /// Folders deleted that no manifest entry named.
    pub orphans: u64,
    /// Superseded manifest objects deleted.
    pub manifest_objects: u64,
}

impl Store {
    /// Deletes everything that is of no use any more and old enough. Lists the whole tenant.
    ///
    /// # Errors
    /// As the object store fails; what was not deleted is found next time.
    pub async fn collect_garbage(&self) -> Result<GarbageReport, StoreError> {
        let mut report = self.collect_removed().await?;
        report.orphans = self.sweep_orphans().await?;
        Ok(report)
    }

    /// Deletes the files of removed blocks, and superseded manifest objects: what can be named without listing blocks.
    pub(crate) async fn collect_removed(&self) -> Result<GarbageReport, StoreError> {
        let inner = &self.inner;
        let now = inner.clock.now();
        let head = inner.manifest.head();
        let due: Vec<&Tombstone> = head
            .state
            .tombstones
            .iter()
            .filter(|tombstone| now.since(tombstone.time) > inner.grace())
            .filter(|tombstone| !inner.collected.lock().contains(&tombstone.id))
            .collect();
        let mut report = GarbageReport::default();
        for tombstone in due {
            inner.delete_block(&tombstone.folder).await?;
            inner.reader.cache().forget(tombstone.id).await;
            inner.collected.lock().insert(tombstone.id);
            report.removed_blocks += 1;
        }
        let remembered: HashSet<BlockId> = head.state.tombstones.iter().map(|t| t.id).collect();
        inner.collected.lock().retain(|id| remembered.contains(id));
        report.manifest_objects = inner.manifest.tidy().await?;
        Ok(report)
    }

    /// Deletes folders that look like blocks, that no manifest entry names, and that are old enough.
    pub(crate) async fn sweep_orphans(&self) -> Result<u64, StoreError> {
        let inner = &self.inner;
        let objects = inner.objects.list(inner.layout.tenant()).await?;
        let folders = inner.folders(&objects);
        inner.manifest.refresh().await?;
        let head = inner.manifest.head();
        // Without a manifest nothing is known to be an orphan: it may have been deleted by mistake.
        if head.state.number == 0 {
            return Ok(0);
        }
        let mut orphans = 0;
        for (id, folder) in folders {
            if !inner.is_orphan(&head.state, id, &folder) {
                continue;
            }
            for path in &folder.files {
                inner.objects.delete(path).await?;
            }
            tracing::info!(block = %id, files = folder.files.len(), "deleted a folder that the manifest does not name");
            orphans += 1;
        }
        inner.counters.orphans_collected.add(orphans);
        Ok(orphans)
    }
}

/// A folder that looks like a block's.
struct Folder {
    files: Vec<Path>,
    /// When the youngest file was written, by the object store's clock.
    modified: UnixNanos,
}

impl Inner {
    pub(crate) fn grace(&self) -> DurationNanos {
        nanos(self.config.garbage_grace)
    }

    pub(crate) async fn delete_block(&self, folder: &str) -> Result<(), StoreError> {
        for file in [
            BlockFile::Spans,
            BlockFile::Traces,
            BlockFile::Resources,
            BlockFile::Bloom,
        ] {
            self.objects
                .delete(&self.layout.block_file(folder, file))
                .await?;
            self.counters.files_deleted.add(1);
        }
        Ok(())
    }

    fn folders(&self, objects: &[ObjectMeta]) -> HashMap<BlockId, Folder> {
        let mut folders: HashMap<BlockId, Folder> = HashMap::new();
        for object in objects {
            let Some((id, _)) = self.layout.block_of(&object.location) else {
                continue;
            };
            let modified = UnixNanos(
                object
                    .last_modified
                    .timestamp_millis()
                    .saturating_mul(1_000_000),
            );
            let folder = folders.entry(id).or_insert_with(|| Folder {
                files: Vec::new(),
                modified,
            });
            folder.files.push(object.location.clone());
            folder.modified = folder.modified.max(modified);
        }
        folders
    }

    fn is_orphan(&self, state: &State, id: BlockId, folder: &Folder) -> bool {
        let now = self.clock.now();
        let named = UnixNanos(
            i64::try_from(id.0.timestamp_ms())
                .unwrap_or(0)
                .saturating_mul(1_000_000),
        );
        let old = |time: UnixNanos| now.since(time) > self.grace();
        !state.has_known(id)
            && !self.in_flight.lock().contains_key(&id)
            && old(folder.modified)
            && old(named)
    }
}

fn nanos(duration: Duration) -> DurationNanos {
    DurationNanos(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
}
