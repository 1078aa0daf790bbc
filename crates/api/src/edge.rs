//! What all surfaces share: the engines behind them, limits, metrics and health.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use collect::Collector;
use model::Clock;
use query::Query;

use crate::body::Intake;
use crate::codes::Rejection;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::transcode::Transcoder;

/// Live searches that are listened to at a time; each costs up to a search a second.
pub(crate) const LISTENERS_MAX: usize = 16;

/// Bounds on what clients may ask of the surfaces.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Largest request body in bytes, before and after decompression.
    pub body_bytes_max: usize,
    /// Bytes that all bodies being received may hold together.
    pub bodies_bytes_max: usize,
    /// How long a body may take to arrive.
    pub body_time_max: Duration,
    /// OTLP/JSON bodies transcoded at a time.
    pub transcodes_max: usize,
    /// Questions answered at a time; more wait.
    pub reads_max: usize,
    /// How long a question may take, waiting included.
    pub read_time_max: Duration,
}

/// What answers requests once the server has started.
#[derive(Clone)]
pub struct Engines {
    /// Takes spans in.
    pub collector: Collector,
    /// Answers questions.
    pub query: Query,
    /// Tells what "now" is in a question.
    pub clock: Arc<dyn Clock>,
}

/// How soon a client may find the server started. Replay of a full journal takes seconds.
const START_RETRY: Duration = Duration::from_secs(2);

/// The state of every surface. Cheap to clone.
///
/// Surfaces are served before the engines exist, so that a probe is told "starting" rather than refused the connection;
/// [`Edge::start`] opens them.
#[derive(Clone)]
pub struct Edge(Arc<Shared>);

struct Shared {
    engines: OnceLock<Engines>,
    health: Health,
    metrics: Metrics,
    intake: Intake,
    transcoder: Transcoder,
    reads: tokio::sync::Semaphore,
    listeners: Arc<tokio::sync::Semaphore>,
    limits: Limits,
}

impl Edge {
    /// Surfaces without engines: they answer that the server is starting.
    pub fn new(limits: Limits) -> Self {
        let intake = Intake::new(
            limits.body_bytes_max,
            limits.bodies_bytes_max,
            limits.body_time_max,
        );
        Self(Arc::new(Shared {
            engines: OnceLock::new(),
            health: Health::new(),
            metrics: Metrics::new(intake.clone()),
            transcoder: Transcoder::new(limits.body_bytes_max, limits.transcodes_max),
            reads: tokio::sync::Semaphore::new(limits.reads_max),
            listeners: Arc::new(tokio::sync::Semaphore::new(LISTENERS_MAX)),
            intake,
            limits,
        }))
    }

    /// Puts the engines behind the surfaces. Later calls change nothing.
    pub fn start(&self, engines: Engines) {
        if self.0.engines.set(engines).is_ok() {
            self.health().ready();
        }
    }

    /// Whether requests can be answered, and why not.
    pub fn health(&self) -> &Health {
        &self.0.health
    }

    /// The metrics of the surfaces, to which the engines' are added.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn engines(&self) -> Result<&Engines, Rejection> {
        self.0
            .engines
            .get()
            .ok_or_else(|| Rejection::unavailable(self.health().describe(), START_RETRY))
    }

    pub(crate) fn intake(&self) -> &Intake {
        &self.0.intake
    }

    pub(crate) fn transcoder(&self) -> &Transcoder {
        &self.0.transcoder
    }

    pub(crate) fn reads(&self) -> &tokio::sync::Semaphore {
        &self.0.reads
    }

    /// Places for live searches.
    pub(crate) fn listeners(&self) -> &Arc<tokio::sync::Semaphore> {
        &self.0.listeners
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }
}
