//! The loop that looks after a store.

use std::future::Future;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{ErrorKind, Store, StoreError};

/// The pause after a compaction that failed grows up to this: a lasting fault is not met every two seconds with megabytes
/// of reading.
const COMPACTION_PAUSE_MAX: Duration = Duration::from_secs(300);

impl Store {
    /// Refreshes, compacts, expires and collects garbage, each at its interval, until cancelled. Any number of processes
    /// may do this for one tenant; they divide the work by chance.
    ///
    /// Failures are logged and tried again at the next turn. Ends soon after the cancellation: a compaction stops after the
    /// row group at hand and leaves nothing but a folder to be collected.
    pub async fn maintain(&self, cancel: CancellationToken) {
        futures::join!(self.keep_house(&cancel), self.keep_compacting(&cancel));
    }

    async fn keep_house(&self, cancel: &CancellationToken) {
        let intervals = self.inner.config.intervals.clone();
        let mut refresh = Duty::new("refresh the list of blocks", intervals.refresh);
        let mut expire = Duty::new("expire blocks", intervals.expire);
        let mut collect = Duty::new("delete files of removed blocks", intervals.collect);
        let mut sweep = Duty::new("look for orphaned blocks", intervals.sweep);
        let mut is_unread = self.unread().is_some();
        loop {
            let next = refresh.due.min(expire.due).min(collect.due).min(sweep.due);
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep_until(next) => {}
            }
            let duties = async {
                refresh.run(|| self.refresh()).await;
                expire.run(|| self.expire_once()).await;
                collect.run(|| self.collect_removed()).await;
                sweep.run(|| self.sweep_orphans()).await;
            };
            // Every duty may be dropped half way: what it did stays right, and the rest is done by the next start.
            tokio::select! {
                () = cancel.cancelled() => return,
                () = duties => {}
            }
            if is_unread && self.unread().is_none() {
                is_unread = false;
                let blocks = self.blocks().len();
                tracing::info!(
                    blocks,
                    "the storage answers: the list of its blocks is read"
                );
            }
        }
    }

    async fn keep_compacting(&self, cancel: &CancellationToken) {
        let usual = self.inner.config.intervals.compact;
        let mut pause = usual;
        loop {
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
            pause = match self.compact_until(cancel).await {
                // Where there was one there may be more.
                Ok(Some(_)) => Duration::ZERO,
                Ok(None) => usual,
                Err(error) if error.kind() == ErrorKind::ShuttingDown => return,
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    tracing::debug!(%error, "a compaction came too late");
                    usual
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot join blocks");
                    (pause.max(usual) * 2).min(COMPACTION_PAUSE_MAX)
                }
            };
        }
    }
}

/// Something to be done now and then.
struct Duty {
    what: &'static str,
    every: Duration,
    due: Instant,
}

impl Duty {
    /// Due at once.
    fn new(what: &'static str, every: Duration) -> Self {
        Self {
            what,
            every,
            due: Instant::now(),
        }
    }

    async fn run<T, Fut>(&mut self, work: impl FnOnce() -> Fut)
    where
        Fut: Future<Output = Result<T, StoreError>>,
    {
        if Instant::now() < self.due {
            return;
        }
        if let Err(error) = work().await {
            tracing::warn!(%error, duty = self.what, "maintenance of the store failed, and is tried again later");
        }
        self.due = Instant::now() + self.every;
    }
}
