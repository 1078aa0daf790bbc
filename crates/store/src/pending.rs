//! A finished block on its way into the store.

use std::sync::Arc;

use block::{BlockMeta, FinishedBlock};
use bytes::Bytes;

use crate::StoreError;
use crate::config::check_name;
use crate::layout::BlockFile;
use crate::manifest::{Checksum, Checksums};
use crate::parquet_file::tail_checksum;

/// A finished block on its way into the store. Cheap to clone, so that whoever adds it can keep it and try again.
#[derive(Debug, Clone)]
pub struct PendingBlock {
    meta: Arc<BlockMeta>,
    spans: Bytes,
    traces: Bytes,
    resources: Bytes,
    bloom: Bytes,
}

impl From<FinishedBlock> for PendingBlock {
    fn from(block: FinishedBlock) -> Self {
        Self {
            meta: Arc::new(block.meta),
            spans: block.spans.into(),
            traces: block.traces.into(),
            resources: block.resources.into(),
            bloom: block.bloom.into(),
        }
    }
}

impl PendingBlock {
    /// Its manifest entry.
    pub fn meta(&self) -> &Arc<BlockMeta> {
        &self.meta
    }

    /// The files that are held whole: without `spans.parquet` when `streamed` says that it was sent off in parts.
    pub(crate) fn files(&self, streamed: bool) -> Vec<(BlockFile, Bytes)> {
        let spans = (!streamed).then(|| (BlockFile::Spans, self.spans.clone()));
        let others = [
            (BlockFile::Traces, self.traces.clone()),
            (BlockFile::Resources, self.resources.clone()),
            (BlockFile::Bloom, self.bloom.clone()),
        ];
        spans.into_iter().chain(others).collect()
    }

    pub(crate) fn tail_of_spans(&self) -> &Bytes {
        &self.spans
    }

    /// Whether the files are what the manifest entry says, and the entry fits the store. With `streamed`, of
    /// `spans.parquet` only the tail is here.
    pub(crate) fn check(&self, tenant: &str, streamed: bool) -> Result<(), StoreError> {
        let meta = &self.meta;
        check_name("class", &meta.class)?;
        if meta.tenant != tenant {
            return Err(StoreError::invalid(format!(
                "cannot add block {}: it belongs to tenant {:?}, not {tenant:?}",
                meta.id, meta.tenant
            )));
        }
        let held = [&self.traces, &self.resources, &self.bloom].map(|file| file.len() as u64);
        let said = [meta.files.traces, meta.files.resources, meta.files.bloom];
        let spans = self.spans.len() as u64;
        let spans_fit = spans == meta.files.spans || (streamed && spans < meta.files.spans);
        if held != said || !spans_fit {
            return Err(StoreError::invalid(format!(
                "cannot add block {}: its files have other sizes than its entry says",
                meta.id
            )));
        }
        Ok(())
    }

    pub(crate) fn checksums(&self) -> Result<Checksums, StoreError> {
        let no_parquet = |file: BlockFile| {
            StoreError::invalid(format!(
                "cannot add block {}: {} does not end like a Parquet file",
                self.meta.id,
                file.name()
            ))
        };
        Ok(Checksums {
            spans_tail: tail_checksum(&self.spans, self.meta.files.spans, false)
                .ok_or_else(|| no_parquet(BlockFile::Spans))?,
            traces_tail: tail_checksum(&self.traces, self.meta.files.traces, true)
                .ok_or_else(|| no_parquet(BlockFile::Traces))?,
            traces: Checksum::of(&self.traces),
            resources: Checksum::of(&self.resources),
            bloom: Checksum::of(&self.bloom),
        })
    }
}
