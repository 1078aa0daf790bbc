//! The manifest of one tenant, as one process sees and extends it.
//!
//! The newest state known is an immutable snapshot behind an atomic pointer: readers take it for nothing and keep it as long
//! as they like. Own commits go one after another, for speed only; what makes them right is the create-only put.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use block::BlockId;
use model::{Clock, UnixNanos};
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::load::{Listing, list, load, read_edit};
use super::object::{Checkpoint, Edit, Entry, MANIFEST_FORMAT, Reason};
use super::rules;
use super::state::State;
use crate::blocks::BlockList;
use crate::ids::Ids;
use crate::layout::{Layout, ManifestName};
use crate::objects::{Created, Objects};
use crate::stats::Counters;
use crate::{ErrorKind, StoreError};

/// A checkpoint is written after this many edits: opening reads at most about as many objects, and a checkpoint is not
/// written for each small flush.
pub(crate) const CHECKPOINT_EVERY: u64 = 50;

/// Checkpoints that stay, with all edits after the oldest of them.
const CHECKPOINTS_KEPT: usize = 2;

/// Commits that others may win in a row. Each one lost means that another was made, so this is reached only when dozens
/// of writers commit at once, again and again.
const COMMIT_ATTEMPTS: u32 = 100;

/// A superseded object is deleted no earlier than this after the checkpoint that supersedes it.
const FORGET_AFTER: Duration = Duration::from_secs(10 * 60);

/// A view older than this is loaded anew instead of followed, since what follows it might be deleted. Much less than
/// [`FORGET_AFTER`], and measured on a clock that nobody sets.
const STALE_AFTER: Duration = Duration::from_secs(2 * 60);

const _: () = assert!(STALE_AFTER.as_secs() * 4 < FORGET_AFTER.as_secs());

/// What a change wants, given the newest state.
#[derive(Debug)]
pub(crate) enum Proposal {
    /// Remove and add these.
    Change {
        reason: Reason,
        removed: Vec<BlockId>,
        added: Vec<Arc<Entry>>,
    },
    /// It is so already.
    Nothing,
}

/// A state and what readers want of it.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) state: State,
    pub(crate) blocks: Arc<BlockList>,
}

pub(crate) struct Manifest {
    objects: Arc<Objects>,
    layout: Layout,
    clock: Arc<dyn Clock>,
    ids: Arc<Ids>,
    counters: Arc<Counters>,
    head: ArcSwap<Head>,
    /// Whether the manifest was ever read: until then the head is empty, and nothing is built on it.
    is_read: AtomicBool,
    /// When the head was last known to be the newest, in milliseconds since `opened`.
    confirmed: AtomicU64,
    opened: Instant,
    /// The newest checkpoint known.
    checkpoint: AtomicU64,
    /// A checkpoint that was found readable, and when it was written.
    readable: Mutex<Option<(u64, UnixNanos)>>,
    /// One own commit at a time: they would only lose against each other.
    turn: Semaphore,
}

impl Manifest {
    /// One that is not read yet: it is with the first [`Self::refresh`] or [`Self::commit`] that succeeds.
    pub(crate) fn unread(
        objects: Arc<Objects>,
        layout: Layout,
        clock: Arc<dyn Clock>,
        ids: Arc<Ids>,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            objects,
            layout,
            clock,
            ids,
            counters,
            head: ArcSwap::from_pointee(Head::of(State::default())),
            is_read: AtomicBool::new(false),
            confirmed: AtomicU64::new(0),
            opened: Instant::now(),
            checkpoint: AtomicU64::new(0),
            readable: Mutex::new(None),
            turn: Semaphore::new(1),
        }
    }

    /// Whether the manifest was ever read.
    pub(crate) fn is_read(&self) -> bool {
        self.is_read.load(Ordering::Acquire)
    }

    pub(crate) fn head(&self) -> Arc<Head> {
        self.head.load_full()
    }

    /// Makes the change that `propose` wants, on the newest state there is. `propose` is asked again whenever somebody
    /// else's edit came first.
    ///
    /// Returns the state with the change in it. Dropping the future leaves the change made or not made.
    ///
    /// # Errors
    /// Those of `propose`; [`ErrorKind::Conflict`] for a change that breaks a rule; [`ErrorKind::Retry`] when the object
    /// store failed or others were quicker too often: then the change may have been made, and asking again finds out.
    pub(crate) async fn commit(
        &self,
        mut propose: impl FnMut(&State) -> Result<Proposal, StoreError>,
    ) -> Result<Arc<Head>, StoreError> {
        let _turn = self.turn.acquire().await;
        for attempt in 0..COMMIT_ATTEMPTS {
            if self.is_stale() {
                self.reload().await?;
            }
            let head = self.head();
            let Some(edit) = self.next_edit(&head.state, propose(&head.state)?)? else {
                return Ok(head);
            };
            let asked = Instant::now();
            match self.create(&edit).await? {
                Created::Done if !self.is_stale() => {
                    self.counters.commits.add(1);
                    self.confirm(asked);
                    let head = self.follow(&edit);
                    self.checkpoint_after(&head.state).await;
                    return Ok(head);
                }
                // The machine slept in between: the number may have been long gone. What is true now decides.
                Created::Done => {}
                Created::Exists => {
                    self.counters.conflicts.add(1);
                    self.catch_up().await?;
                    self.let_others_finish(attempt).await;
                }
            }
        }
        Err(StoreError::new(
            ErrorKind::Retry,
            format!(
                "cannot commit to {}: others were quicker {COMMIT_ATTEMPTS} times",
                self.layout.manifest()
            ),
        ))
    }

    fn next_edit(&self, state: &State, proposal: Proposal) -> Result<Option<Edit>, StoreError> {
        let Proposal::Change {
            reason,
            removed,
            added,
        } = proposal
        else {
            return Ok(None);
        };
        let edit = Edit {
            format: MANIFEST_FORMAT,
            number: state.number + 1,
            time: self.clock.now(),
            reason,
            removed,
            added,
        };
        rules::check(state, &edit)
            .map_err(|offence| StoreError::conflict(format!("cannot commit: {offence}")))?;
        Ok(Some(edit))
    }

    async fn create(&self, edit: &Edit) -> Result<Created, StoreError> {
        let path = self.layout.manifest_object(ManifestName::Edit(edit.number));
        let json = edit.to_json().map_err(|error| unprintable(&path, &error))?;
        self.objects.create(&path, json).await
    }

    /// Most conflicts are over at once; where many writers keep losing, spreading them out lets one of them through.
    async fn let_others_finish(&self, attempt: u32) {
        const PAUSE_MAX: Duration = Duration::from_millis(200);
        if attempt > 0 {
            let pause = Duration::from_millis(1 << attempt.min(10)).min(PAUSE_MAX);
            tokio::time::sleep(self.ids.jitter(pause)).await;
        }
    }

    /// Reads the edits that others have made since, or everything when the view is old.
    pub(crate) async fn refresh(&self) -> Result<(), StoreError> {
        if self.is_stale() {
            self.reload().await
        } else {
            self.catch_up().await
        }
    }

    async fn catch_up(&self) -> Result<(), StoreError> {
        loop {
            let asked = Instant::now();
            let next = self.head().state.number + 1;
            match read_edit(&self.objects, &self.layout, next).await {
                Ok(edit) => drop(self.follow(&edit)),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    self.confirm(asked);
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Loads the newest state.
    ///
    /// # Errors
    /// See [`load`].
    async fn reload(&self) -> Result<(), StoreError> {
        let asked = Instant::now();
        let loaded = load(&self.objects, &self.layout).await?;
        self.checkpoint
            .fetch_max(loaded.checkpoint, Ordering::Relaxed);
        let new = Arc::new(Head::of(loaded.state));
        self.head.rcu(|old| {
            let newer = new.state.number > old.state.number;
            Arc::clone(if newer { &new } else { old })
        });
        self.confirm(asked);
        self.is_read.store(true, Ordering::Release);
        Ok(())
    }

    /// Makes the state after `edit` the head, unless another task was there before.
    fn follow(&self, edit: &Edit) -> Arc<Head> {
        let old = self.head.rcu(|old| {
            if old.state.number + 1 == edit.number {
                let mut state = old.state.clone();
                state.apply(edit);
                Arc::new(Head::of(state))
            } else {
                Arc::clone(old)
            }
        });
        drop(old);
        self.head()
    }

    fn confirm(&self, at: Instant) {
        let millis = at.duration_since(self.opened).as_millis() as u64;
        self.confirmed.fetch_max(millis, Ordering::Relaxed);
    }

    fn is_stale(&self) -> bool {
        let confirmed = Duration::from_millis(self.confirmed.load(Ordering::Relaxed));
        !self.is_read() || self.opened.elapsed().saturating_sub(confirmed) > STALE_AFTER
    }

    /// Writes a checkpoint when it is time. A failure is a nuisance only: the next one will do.
    async fn checkpoint_after(&self, state: &State) {
        if state.number < self.checkpoint.load(Ordering::Relaxed) + CHECKPOINT_EVERY {
            return;
        }
        let path = self
            .layout
            .manifest_object(ManifestName::Checkpoint(state.number));
        let written = match state.to_checkpoint(self.clock.now()).to_json() {
            Ok(json) => self.objects.create(&path, json).await.map(drop),
            Err(error) => Err(unprintable(&path, &error)),
        };
        match written {
            Ok(()) => {
                self.checkpoint.fetch_max(state.number, Ordering::Relaxed);
                self.counters.checkpoints.add(1);
            }
            Err(error) => {
                tracing::warn!(%error, "cannot write a manifest checkpoint; starting will take a little longer");
            }
        }
    }

    /// Deletes what checkpoints have superseded, oldest first, and writes a checkpoint where one is overdue. Returns how
    /// many objects it deleted.
    pub(crate) async fn tidy(&self) -> Result<u64, StoreError> {
        self.checkpoint_after(&self.head().state).await;
        let listing = list(&self.objects, &self.layout).await?;
        if let Some(newest) = listing.checkpoints.last() {
            self.checkpoint.fetch_max(*newest, Ordering::Relaxed);
        }
        let Some(superseded) = self.superseded(&listing).await? else {
            return Ok(0);
        };
        let mut deleted = 0;
        for name in superseded {
            self.objects
                .delete(&self.layout.manifest_object(name))
                .await?;
            deleted += 1;
        }
        Ok(deleted)
    }

    /// What may go: everything before the second newest checkpoint, once that has been there long enough and only if it can
    /// be read. Edits come before checkpoints, ascending, so that what a failure leaves behind is still a log.
    async fn superseded(&self, listing: &Listing) -> Result<Option<Vec<ManifestName>>, StoreError> {
        let Some(&kept) = listing.checkpoints.iter().rev().nth(CHECKPOINTS_KEPT - 1) else {
            return Ok(None);
        };
        let edits = listing.edits.iter().filter(|n| **n <= kept);
        let checkpoints = listing.checkpoints.iter().filter(|n| **n < kept);
        let superseded: Vec<_> = edits
            .map(|n| ManifestName::Edit(*n))
            .chain(checkpoints.map(|n| ManifestName::Checkpoint(*n)))
            .collect();
        if superseded.is_empty() {
            return Ok(None);
        }
        let Some(written) = self.written(kept).await? else {
            return Ok(None);
        };
        Ok(older_than(written, self.clock.now(), FORGET_AFTER).then_some(superseded))
    }

    /// When a checkpoint was written; `None` when it cannot be read.
    async fn written(&self, number: u64) -> Result<Option<UnixNanos>, StoreError> {
        if let Some((_, written)) = self.readable.lock().filter(|(known, _)| *known == number) {
            return Ok(Some(written));
        }
        let path = self
            .layout
            .manifest_object(ManifestName::Checkpoint(number));
        let bytes = self.objects.get(&path).await?;
        match Checkpoint::from_json(&bytes, number) {
            Ok(checkpoint) => {
                *self.readable.lock() = Some((number, checkpoint.time));
                Ok(Some(checkpoint.time))
            }
            Err(cause) => {
                tracing::warn!(%path, %cause, "a manifest checkpoint is damaged; nothing before it is deleted");
                Ok(None)
            }
        }
    }
}

fn older_than(time: UnixNanos, now: UnixNanos, age: Duration) -> bool {
    now.since(time).0 > i64::try_from(age.as_nanos()).unwrap_or(i64::MAX)
}

fn unprintable(path: &object_store::path::Path, error: &serde_json::Error) -> StoreError {
    StoreError::new(ErrorKind::Bug, format!("cannot write {path}: {error}"))
}

impl Head {
    fn of(state: State) -> Self {
        let blocks = Arc::new(BlockList::of(&state));
        Self { state, blocks }
    }
}
