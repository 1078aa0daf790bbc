//! Objects that are written while they come to be.

use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{MultipartUpload, PutPayload};

use super::{Objects, asked};
use crate::StoreError;
use crate::stats::Operation;

/// S3 wants at least 5 MiB for every part but the last, and R2 wants them equal.
const PART_BYTES: usize = 8 << 20;

/// An object that is being written in parts. It appears when [`Upload::complete`] succeeds, or not at all.
///
/// A part that fails is not repeated here: most stores would take the repetition for another part. The whole is.
#[derive(Debug)]
pub(crate) struct Upload {
    objects: Arc<Objects>,
    path: Path,
    upload: Box<dyn MultipartUpload>,
    /// What did not fill a part yet, and how many bytes that is.
    pending: Vec<Bytes>,
    pending_bytes: usize,
}

impl Upload {
    pub(super) fn new(objects: Arc<Objects>, path: Path, upload: Box<dyn MultipartUpload>) -> Self {
        Self {
            objects,
            path,
            upload,
            pending: Vec::new(),
            pending_bytes: 0,
        }
    }

    /// Appends bytes, which are not copied; sends them when they fill a part.
    pub(crate) async fn write(&mut self, mut bytes: Bytes) -> Result<(), StoreError> {
        while self.pending_bytes + bytes.len() >= PART_BYTES {
            let end_of_part = bytes.split_to(PART_BYTES - self.pending_bytes);
            self.push(end_of_part);
            self.send().await?;
        }
        self.push(bytes);
        Ok(())
    }

    fn push(&mut self, bytes: Bytes) {
        self.pending_bytes += bytes.len();
        self.pending.push(bytes);
    }

    /// Sends the rest and lets the object appear.
    pub(crate) async fn complete(mut self) -> Result<(), StoreError> {
        if self.pending_bytes > 0 {
            self.send().await?;
        }
        let Self {
            objects,
            path,
            upload,
            ..
        } = &mut self;
        let done = objects
            .within_time(
                asked(Operation::Upload, "complete", path, 0),
                upload.complete(),
            )
            .await;
        self.counted(done.map(drop).map_err(StoreError::from))
    }

    /// Gives up, so that the store can forget the parts. Errors are of no consequence.
    pub(crate) async fn abort(mut self) {
        let Self {
            objects,
            path,
            upload,
            ..
        } = &mut self;
        let asked = asked(Operation::Upload, "abort", path, 0);
        let aborted = objects.within_time(asked, upload.abort()).await;
        if let Err(error) = aborted.map_err(StoreError::from) {
            tracing::debug!(%error, "cannot abort an upload; the object store keeps its parts until its own rules delete them");
        }
    }

    /// Sends what is pending as a part.
    async fn send(&mut self) -> Result<(), StoreError> {
        let size = std::mem::take(&mut self.pending_bytes);
        self.objects.counters.attempt(Operation::Upload, false);
        let part = PutPayload::from_iter(self.pending.drain(..));
        let request = self.upload.put_part(part);
        let sent = self
            .objects
            .within_time(
                asked(Operation::Upload, "write", &self.path, size as u64),
                request,
            )
            .await;
        self.objects.counters.moved(Operation::Upload, size);
        self.counted(sent.map_err(StoreError::from))
    }

    fn counted(&self, answer: Result<(), StoreError>) -> Result<(), StoreError> {
        if let Err(error) = &answer {
            self.objects
                .counters
                .failure(Operation::Upload, error.kind(), true);
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;
    use crate::config::RequestConfig;
    use crate::ids::Ids;
    use crate::stats::Counters;

    #[tokio::test]
    async fn parts_are_equal_but_the_last_and_hold_what_was_written() {
        let counters = Arc::new(Counters::default());
        let store = Arc::new(InMemory::new());
        let ids = Arc::new(Ids::new(Some(1)));
        let objects = Objects::new(store, RequestConfig::default(), ids, Arc::clone(&counters));
        let objects = Arc::new(objects);
        let path = Path::from("whole");
        let mut upload = objects.upload(&path).await.unwrap();
        let sizes = [0, 3 << 20, 9 << 20, 1, (4 << 20) - 1, 0, 18 << 20, 5];
        let mut written = Vec::new();
        for (number, size) in sizes.into_iter().enumerate() {
            let piece = vec![number as u8; size];
            written.extend_from_slice(&piece);
            upload.write(piece.into()).await.unwrap();
        }
        upload.complete().await.unwrap();
        assert!(objects.get(&path).await.unwrap() == written);
        let parts = written.len().div_ceil(PART_BYTES) as u64;
        let uploads = &counters.read().operations[Operation::Upload.index()];
        assert_eq!(uploads.requests, 1 + parts, "one to begin");
        assert_eq!(uploads.bytes, written.len() as u64);
    }
}
