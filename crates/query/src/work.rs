//! What all parts of one question share: its end, its bounds, and what it has cost.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::{Limits, QueryError, QueryStats};

/// Lines of an explanation at the most.
const NOTES_MAX: usize = 1000;

/// Work on one question. Cheap to clone; all clones are the same work.
#[derive(Debug, Clone)]
pub(crate) struct Work(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    began: Instant,
    limits: Limits,
    is_cancelled: AtomicBool,
    traces: AtomicU64,
    spans: AtomicU64,
    bytes: AtomicU64,
    /// What was done, for whoever wants to know.
    notes: Option<Mutex<Vec<String>>>,
}

/// Ends the work when whoever waits for it goes away.
#[derive(Debug)]
pub(crate) struct Guard(Work);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.0.is_cancelled.store(true, Relaxed);
    }
}

impl Work {
    pub(crate) fn begin(limits: Limits) -> (Self, Guard) {
        Self::with(limits, None)
    }

    /// Work that remembers what it did.
    pub(crate) fn begin_explained(limits: Limits) -> (Self, Guard) {
        Self::with(limits, Some(Mutex::new(Vec::new())))
    }

    fn with(limits: Limits, notes: Option<Mutex<Vec<String>>>) -> (Self, Guard) {
        let work = Self(Arc::new(Shared {
            began: Instant::now(),
            limits,
            is_cancelled: AtomicBool::new(false),
            traces: AtomicU64::new(0),
            spans: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            notes,
        }));
        (work.clone(), Guard(work))
    }

    /// Whether to go on. Asked before every piece of work that takes more than a millisecond.
    ///
    /// # Errors
    /// [`QueryError::Limit`]
    pub(crate) fn check(&self) -> Result<(), QueryError> {
        let Shared { limits, spans, .. } = &*self.0;
        if self.0.is_cancelled.load(Relaxed) {
            return Err(QueryError::Limit(
                "nobody waits for the answer any more".into(),
            ));
        }
        if self.0.began.elapsed() > limits.time {
            return Err(QueryError::Limit(format!(
                "the query took longer than {:?}; ask for a shorter time range, or add a condition on service or status",
                limits.time
            )));
        }
        if spans.load(Relaxed) > limits.spans {
            return Err(QueryError::Limit(format!(
                "the query looked at more than {} spans; ask for a shorter time range",
                limits.spans
            )));
        }
        Ok(())
    }

    /// Notes a line for the explanation, if one is wanted.
    pub(crate) fn note(&self, line: impl FnOnce() -> String) {
        if let Some(notes) = &self.0.notes {
            let mut notes = notes.lock().unwrap_or_else(PoisonError::into_inner);
            if notes.len() < NOTES_MAX {
                notes.push(line());
            }
        }
    }

    /// What was noted.
    pub(crate) fn notes(&self) -> Vec<String> {
        let notes = self.0.notes.as_ref();
        notes.map_or_else(Vec::new, |notes| {
            notes.lock().unwrap_or_else(PoisonError::into_inner).clone()
        })
    }

    pub(crate) fn count_traces(&self, traces: usize) {
        self.0.traces.fetch_add(traces as u64, Relaxed);
    }

    pub(crate) fn count_spans(&self, spans: usize) {
        self.0.spans.fetch_add(spans as u64, Relaxed);
    }

    pub(crate) fn count_bytes(&self, bytes: u64) {
        self.0.bytes.fetch_add(bytes, Relaxed);
    }

    /// What it has cost so far, but for blocks.
    pub(crate) fn stats(&self) -> QueryStats {
        self.cost(QueryStats::default())
    }

    /// What it has cost so far; `blocks` tells what became of them.
    pub(crate) fn cost(&self, blocks: QueryStats) -> QueryStats {
        QueryStats {
            traces: self.0.traces.load(Relaxed),
            spans: self.0.spans.load(Relaxed),
            bytes: self.0.bytes.load(Relaxed),
            elapsed: self.0.began.elapsed(),
            ..blocks
        }
    }
}

/// Threads that work on one question: as many as there are processors, but leaving something to others.
fn workers() -> usize {
    const MOST: usize = 16;
    std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(MOST)
}

/// What the workers that do `count` pieces of work begin with.
pub(crate) fn for_each_worker<T>(count: usize, begin: impl FnMut() -> T) -> Vec<T> {
    std::iter::repeat_with(begin)
        .take(workers().min(count))
        .collect()
}

/// Does `count` pieces of work on all processors. There is a worker for each of `sums`: it has `each` add one piece after the
/// other to it, and what they end with is returned.
pub(crate) async fn on_all_processors<T: Send + 'static>(
    sums: Vec<T>,
    count: usize,
    each: impl Fn(&mut T, usize) -> Result<(), QueryError> + Send + Sync + 'static,
) -> Result<Vec<T>, QueryError> {
    let (each, next) = (Arc::new(each), Arc::new(AtomicUsize::new(0)));
    let workers = sums.into_iter().map(|mut sum| {
        let (each, next) = (each.clone(), next.clone());
        on_blocking_thread(move || {
            loop {
                let piece = next.fetch_add(1, Relaxed);
                if piece >= count {
                    return Ok(sum);
                }
                each(&mut sum, piece)?;
            }
        })
    });
    futures::future::try_join_all(workers).await
}

/// As [`on_all_processors`], but which worker does which piece, and in which order, does not depend on how quick they are: for sums
/// that depend on the order of what is added. Workers that are done do not help the others.
pub(crate) async fn in_turns<T: Send + 'static>(
    sums: Vec<T>,
    count: usize,
    each: impl Fn(&mut T, usize) -> Result<(), QueryError> + Send + Sync + 'static,
) -> Result<Vec<T>, QueryError> {
    let (each, workers) = (Arc::new(each), sums.len());
    let workers = sums.into_iter().enumerate().map(|(worker, mut sum)| {
        let each = each.clone();
        on_blocking_thread(move || {
            for piece in (worker..count).step_by(workers) {
                each(&mut sum, piece)?;
            }
            Ok(sum)
        })
    });
    futures::future::try_join_all(workers).await
}

/// Runs work for the processor where it does not hold up other tasks. A panic becomes an error.
pub(crate) async fn on_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, QueryError> + Send + 'static,
) -> Result<T, QueryError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(QueryError::Bug(format!(
            "a part of the query has ended: {error}"
        ))),
    }
}
