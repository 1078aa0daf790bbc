//! `/ready`: whether requests can be answered, and if not, why.

use std::sync::{Arc, PoisonError, RwLock};

/// Asks a part of the server what is wrong with it; `None` when nothing is.
pub type Check = Box<dyn Fn() -> Option<Trouble> + Send + Sync>;

/// What is wrong with a part of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The trouble in words.
    pub text: String,
    /// Whether requests are refused because of it. Otherwise it is said, and the server stays ready.
    pub refuses: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Phase {
    Starting(String),
    Ready,
    Draining,
}

/// The phase of the server's life and the checks of its parts. Cheap to clone.
#[derive(Clone)]
pub struct Health(Arc<Shared>);

struct Shared {
    phase: RwLock<Phase>,
    checks: RwLock<Vec<Check>>,
}

/// What `/ready` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Readiness {
    /// Whether to send requests here.
    pub(crate) ready: bool,
    /// The state in words, a line for each thing that is wrong.
    pub(crate) text: String,
}

impl Health {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Shared {
            phase: RwLock::new(Phase::Starting("opening the store".into())),
            checks: RwLock::new(Vec::new()),
        }))
    }

    /// Says what the start is busy with.
    pub fn starting(&self, doing: impl Into<String>) {
        self.set(Phase::Starting(doing.into()));
    }

    pub(crate) fn ready(&self) {
        self.set(Phase::Ready);
    }

    /// No new requests: the server is going down.
    pub fn draining(&self) {
        self.set(Phase::Draining);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.phase() == Phase::Draining
    }

    /// Adds a check, asked whenever somebody asks for readiness. It must be quick.
    pub fn add_check(&self, check: Check) {
        let mut checks = self
            .0
            .checks
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        checks.push(check);
    }

    fn set(&self, phase: Phase) {
        *self.0.phase.write().unwrap_or_else(PoisonError::into_inner) = phase;
    }

    fn phase(&self) -> Phase {
        self.0
            .phase
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The phase in words.
    pub(crate) fn describe(&self) -> String {
        match self.phase() {
            Phase::Starting(doing) => format!("starting: {doing}"),
            Phase::Ready => "ready".into(),
            Phase::Draining => "shutting down".into(),
        }
    }

    pub(crate) fn readiness(&self) -> Readiness {
        let checks = self.0.checks.read().unwrap_or_else(PoisonError::into_inner);
        let troubles: Vec<Trouble> = checks.iter().filter_map(|check| check()).collect();
        let refuses = troubles.iter().any(|trouble| trouble.refuses);
        let mut text = match self.phase() {
            Phase::Ready if refuses => "not ready\n".to_owned(),
            _ => self.describe() + "\n",
        };
        for trouble in &troubles {
            text.push_str(&trouble.text);
            text.push('\n');
        }
        Readiness {
            ready: self.phase() == Phase::Ready && !refuses,
            text,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[test]
    fn readiness_follows_the_phase_and_the_checks() {
        let health = Health::new();
        health.starting("replaying the journal");
        assert_eq!(
            health.readiness(),
            Readiness {
                ready: false,
                text: "starting: replaying the journal\n".into()
            }
        );
        health.ready();
        assert!(health.readiness().ready);

        let refuses = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&refuses);
        health.add_check(Box::new(move || {
            Some(Trouble {
                text: "the disk is full".into(),
                refuses: asked.load(Ordering::Relaxed),
            })
        }));
        let readiness = health.readiness();
        assert_eq!(
            (readiness.ready, &*readiness.text),
            (true, "ready\nthe disk is full\n")
        );
        refuses.store(true, Ordering::Relaxed);
        let readiness = health.readiness();
        assert_eq!(
            (readiness.ready, &*readiness.text),
            (false, "not ready\nthe disk is full\n")
        );
        health.draining();
        assert!(health.readiness().text.starts_with("shutting down\n"));
    }
}
