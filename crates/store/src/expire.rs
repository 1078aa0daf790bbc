//! Retention: blocks whose spans have all been received too long ago are removed whole.

use block::BlockId;
use model::UnixNanos;

use crate::manifest::{Entry, Proposal, Reason, State};
use crate::{Store, StoreError};

/// Blocks removed by one edit, so that an edit stays small however long the store was not looked after.
const BLOCKS_PER_EDIT_MAX: usize = 1000;

/// What retention removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExpiryReport {
    /// Blocks.
    pub blocks: u64,
    /// Their spans.
    pub spans: u64,
    /// Bytes of their files, which are deleted a grace period later.
    pub bytes: u64,
}

impl Store {
    /// Removes the blocks whose spans were all received longer ago than [`crate::StoreConfig::retention`]. A block joins
    /// spans of different age by compaction and goes with the youngest.
    ///
    /// # Errors
    /// As the object store fails; then nothing, or a part, was removed.
    pub async fn expire_once(&self) -> Result<ExpiryReport, StoreError> {
        let mut report = ExpiryReport::default();
        loop {
            let expired = self.expire_some().await?;
            if expired.blocks == 0 {
                return Ok(report);
            }
            report.blocks += expired.blocks;
            report.spans += expired.spans;
            report.bytes += expired.bytes;
        }
    }

    async fn expire_some(&self) -> Result<ExpiryReport, StoreError> {
        let inner = &self.inner;
        let now = inner.clock.now();
        let mut report = ExpiryReport::default();
        let is_expired = |entry: &Entry| now.since(entry.received) > inner.config.retention;
        if !inner
            .manifest
            .head()
            .state
            .entries
            .values()
            .any(|entry| is_expired(entry))
        {
            return Ok(report);
        }
        inner
            .manifest
            .commit(|state| {
                let expired = expired(state, is_expired);
                report = told(state, &expired);
                Ok(if expired.is_empty() {
                    Proposal::Nothing
                } else {
                    Proposal::Change {
                        reason: Reason::Expire,
                        removed: expired,
                        added: Vec::new(),
                    }
                })
            })
            .await?;
        if report.blocks == 0 {
            return Ok(report);
        }
        inner.counters.expired_blocks.add(report.blocks);
        inner.counters.expired_spans.add(report.spans);
        tracing::info!(
            blocks = report.blocks,
            spans = report.spans,
            bytes = report.bytes,
            received_before = ?UnixNanos(now.0.saturating_sub(inner.config.retention.0)),
            "removed blocks past retention"
        );
        Ok(report)
    }
}

fn expired(state: &State, is_expired: impl Fn(&Entry) -> bool) -> Vec<BlockId> {
    state
        .entries
        .iter()
        .filter(|(_, entry)| is_expired(entry))
        .map(|(id, _)| *id)
        .take(BLOCKS_PER_EDIT_MAX)
        .collect()
}

fn told(state: &State, expired: &[BlockId]) -> ExpiryReport {
    let mut report = ExpiryReport::default();
    for entry in expired.iter().filter_map(|id| state.entries.get(id)) {
        report.blocks += 1;
        report.spans += entry.block.spans;
        report.bytes += entry.block.byte_count();
    }
    report
}
