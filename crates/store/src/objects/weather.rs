//! Whether the object store answers, so that it is not waited for again and again while it does not.
//!
//! A question may ask for the parts of a thousand blocks. When the store hangs, each of them would be waited for in vain, and whoever
//! asked would not even be told what is in memory. So once a part was waited for in vain, the others are refused at once, until
//! anything is answered again; and after each pause one is let through to see.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::{ErrorKind, StoreError};

/// What the last requests have met.
#[derive(Debug, Default)]
pub(super) struct Weather {
    /// Whether `bad` holds something: looked at before every request, and hardly ever true.
    is_bad: AtomicBool,
    bad: Mutex<Option<Bad>>,
}

#[derive(Debug)]
struct Bad {
    cause: String,
    /// When somebody may ask again.
    next_try: Instant,
}

impl Weather {
    /// Lets a request through, or not. In bad weather the first who comes after each `pause` is let through.
    ///
    /// # Errors
    /// [`ErrorKind::Retry`] with what was waited for in vain.
    pub(super) fn check(&self, pause: Duration) -> Result<(), StoreError> {
        if !self.is_bad.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut bad = self.bad.lock();
        let Some(bad) = &mut *bad else {
            return Ok(());
        };
        let now = Instant::now();
        if bad.next_try <= now {
            bad.next_try = now + pause;
            return Ok(());
        }
        Err(StoreError::new(
            ErrorKind::Retry,
            format!("the storage does not answer: {}", bad.cause),
        ))
    }

    /// Something was answered.
    pub(super) fn clear(&self) {
        if self.is_bad.load(Ordering::Acquire) {
            let mut bad = self.bad.lock();
            *bad = None;
            self.is_bad.store(false, Ordering::Release);
        }
    }

    /// Something was waited for in vain.
    pub(super) fn darken(&self, cause: &StoreError, pause: Duration) {
        let mut bad = self.bad.lock();
        if bad.is_none() {
            tracing::warn!(%cause, "the storage does not answer; until it does, answers are without what is only there");
        }
        *bad = Some(Bad {
            cause: cause.to_string(),
            next_try: Instant::now() + pause,
        });
        self.is_bad.store(true, Ordering::Release);
    }
}
