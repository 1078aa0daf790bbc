//! Giving up segments that nobody needs any more.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use crate::error::JournalError;
use crate::folder;
use crate::journal::{Shared, Trimmed};
use crate::spare::Spare;

/// What one trim leaves for the next.
pub(crate) struct Trims {
    /// When space was last given back.
    last_trim: Instant,
    /// When a spare file was last made smaller.
    last_step: Instant,
}

impl Trims {
    pub(crate) fn new() -> Self {
        let now = Instant::now();
        Self {
            last_trim: now,
            last_step: now,
        }
    }
}

impl Shared {
    /// Gives up the segments below `segment` that are free, and some of the spare files when there are too many.
    pub(crate) fn trim(&self, segment: u64, trims: &mut Trims) -> Result<Trimmed, JournalError> {
        let free = self.ledger.lock().free_below(segment);
        let mut trimmed = Trimmed::default();
        let mut used_bytes = 0;
        let mut kept = Vec::new();
        let outcome = free.into_iter().try_for_each(|(number, fate)| {
            let is_kept = folder::retire(&self.config.dir, &*self.files, number, fate)?;
            if let Some(segment) = self.ledger.lock().retire(number, is_kept) {
                let bytes = segment.bytes;
                kept.extend(is_kept.then_some(Spare { number, bytes }));
                trimmed.segments += 1;
                trimmed.bytes += bytes;
                used_bytes += segment.used;
            }
            Ok(())
        });
        let outcome = outcome.and(self.keep_spares(kept));
        if trimmed.segments > 0 {
            let counters = &self.counters;
            counters
                .trimmed_segments
                .fetch_add(trimmed.segments, Relaxed);
            counters.trimmed_bytes.fetch_add(trimmed.bytes, Relaxed);
            counters
                .drain_rate
                .measured(used_bytes, trims.last_trim.elapsed());
            trims.last_trim = Instant::now();
            self.queue.retry_now();
        }
        self.shrink_spares(&mut trims.last_step);
        outcome.map(|()| trimmed)
    }
}
