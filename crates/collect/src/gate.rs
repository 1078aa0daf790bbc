//! The door: closed while any shard has more waiting for its block than memory was set aside for.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::drain_rate::DrainRate;

/// Counts the shards that want no more.
#[derive(Debug)]
pub(crate) struct Gate {
    congested: watch::Sender<usize>,
    flushed: DrainRate,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            congested: watch::Sender::new(0),
            flushed: DrainRate::default(),
        }
    }

    /// One more shard is congested.
    pub(crate) fn close(&self) {
        self.congested.send_modify(|shards| *shards += 1);
    }

    /// One shard fewer is congested.
    pub(crate) fn reopen(&self) {
        self.congested.send_modify(|shards| *shards -= 1);
    }

    /// Notes that bytes in memory were written to a block.
    pub(crate) fn flushed(&self, bytes: usize) {
        self.flushed.add(bytes);
    }

    /// How long it should take until `bytes` have been written.
    pub(crate) fn retry_after(&self, bytes: usize) -> Duration {
        self.flushed.time_for(bytes)
    }

    pub(crate) fn is_closed(&self) -> bool {
        *self.congested.borrow() > 0
    }

    /// Waits until the door is open, and says whether it was before `deadline`.
    pub(crate) async fn pass(&self, deadline: Instant) -> bool {
        if !self.is_closed() {
            return true;
        }
        let mut congested = self.congested.subscribe();
        timeout_at(deadline, congested.wait_for(|shards| *shards == 0))
            .await
            .is_ok()
    }
}
