//! The door: closed while any shard has more waiting for its block than memory was set aside for.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// Counts the shards that want no more.
#[derive(Debug)]
pub(crate) struct Gate {
    congested: watch::Sender<usize>,
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self {
            congested: watch::Sender::new(0),
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

    pub(crate) fn is_closed(&self) -> bool {
        *self.congested.borrow() > 0
    }

    /// Waits up to `wait` until the door is open, and says whether it is.
    pub(crate) async fn pass(&self, wait: Duration) -> bool {
        if !self.is_closed() {
            return true;
        }
        let mut congested = self.congested.subscribe();
        timeout(wait, congested.wait_for(|shards| *shards == 0))
            .await
            .is_ok()
    }
}
