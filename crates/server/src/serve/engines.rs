//! The engines: store, journal, collector and query, from settings to running.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use api::{Edge, Health, Trouble};
use collect::{Collector, TENANT};
use journal::{Journal, JournalConfig, JournalError, LockedFolder, Recovered, SystemFiles};
use model::{Clock, DurationNanos};
use query::Query;
use store::{CompactionConfig, ErrorKind, Store, StoreConfig, StoreError};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::StartError;
use crate::config::Settings;
use crate::config::value::ByteCount;
use crate::machine;
use crate::metrics::{CollectorMetrics, JournalMetrics, StoreMetrics};

/// The folders of the data folder.
pub(crate) const JOURNAL_FOLDER: &str = "journal";
/// See [`JOURNAL_FOLDER`].
pub(crate) const BLOCKS_FOLDER: &str = "blocks";

/// How long the storage may take to tell its blocks before the server starts without them.
const OPEN_PATIENCE: Duration = Duration::from_secs(10);

/// The default of `live.memory_max`: this part of the machine's memory, but not more than the bound.
const LIVE_MEMORY_DIVISOR: u64 = 4;
/// See [`LIVE_MEMORY_DIVISOR`].
const LIVE_MEMORY_MAX: u64 = 1 << 30;

/// The default of `read.cache`, likewise. Dictionaries of ten million spans take some 170 MiB, lists of their traces 70.
const READ_CACHE_DIVISOR: u64 = 8;
/// See [`READ_CACHE_DIVISOR`].
const READ_CACHE_MAX: u64 = 512 << 20;

/// Engines that run.
pub(super) struct Running {
    store: Store,
    journal: Journal,
    collector: Collector,
    clock: Arc<dyn Clock>,
    maintenance: JoinHandle<()>,
    stop_maintenance: CancellationToken,
}

impl Running {
    /// Opens and starts everything, telling `health` what it is busy with.
    pub(super) async fn start(
        settings: &Settings,
        locked: LockedFolder,
        clock: Arc<dyn Clock>,
        health: &Health,
    ) -> Result<Self, StartError> {
        health.starting("opening the store");
        let store = open_store(settings, &clock).await?;
        health.starting("opening the journal");
        let (journal, recovered) = open_journal(settings, locked).await?;
        health.starting(format!(
            "replaying {} requests from the journal",
            recovered.report.records
        ));
        let (collector, _) = Collector::start(
            collect_settings(settings),
            journal.clone(),
            recovered,
            store.clone(),
            Arc::clone(&clock),
            None,
        )
        .await
        .context("cannot start the collector")?;
        let stop_maintenance = CancellationToken::new();
        let maintained = (store.clone(), stop_maintenance.clone());
        let maintenance = tokio::spawn(async move { maintained.0.maintain(maintained.1).await });
        Ok(Self {
            store,
            journal,
            collector,
            clock,
            maintenance,
            stop_maintenance,
        })
    }

    /// Puts the engines behind the surfaces, with their metrics and health.
    pub(super) fn connect(&self, edge: &Edge) {
        edge.metrics()
            .add(Box::new(CollectorMetrics(self.collector.clone())));
        edge.metrics()
            .add(Box::new(JournalMetrics(self.journal.clone())));
        edge.metrics()
            .add(Box::new(StoreMetrics(self.store.clone())));
        let journal = self.journal.clone();
        edge.health().add_check(Box::new(move || {
            let why = journal.stats().failing?;
            Some(Trouble {
                text: format!("the journal refuses to write: {why}"),
                refuses: true,
            })
        }));
        let collector = self.collector.clone();
        edge.health().add_check(Box::new(move || {
            let failing = collector.snapshot().flushes_failing;
            let text = format!(
                "{failing} blocks cannot be written to the storage; their spans are safe in the journal, and writing is tried again"
            );
            (failing > 0).then_some(Trouble { text, refuses: false })
        }));
        let store = self.store.clone();
        edge.health().add_check(Box::new(move || {
            let text = store.unread()?;
            Some(Trouble {
                text,
                refuses: false,
            })
        }));
        let store = self.store.clone();
        edge.health().add_check(Box::new(move || {
            let unreadable = store.stats().unreadable_blocks;
            let text =
                format!("{unreadable} blocks of the storage cannot be read; the log names them");
            (unreadable > 0).then_some(Trouble {
                text,
                refuses: false,
            })
        }));
        edge.start(api::Engines {
            collector: self.collector.clone(),
            query: Query::new(self.collector.clone(), self.store.clone()),
            clock: Arc::clone(&self.clock),
        });
    }

    /// Resolves when the maintenance of the store has ended, which it should not by itself.
    pub(super) async fn maintenance_ended(&mut self) {
        let _ = (&mut self.maintenance).await;
    }

    /// Lets the maintenance of the store come to its end.
    pub(super) fn stop_maintenance(&self) {
        self.stop_maintenance.cancel();
    }

    /// Writes what is in memory to blocks, if `within` allows, and stops. Returns whether everything is in blocks.
    pub(super) async fn drain(self, within: Duration) -> bool {
        let drained = self.collector.drain(within).await;
        if drained.left_in_journal > 0 {
            warn!(
                spans = drained.left_in_journal,
                "not everything could be written to blocks; the journal keeps it, and the next start takes it up"
            );
        }
        self.maintenance.abort();
        drained.is_clean
    }
}

async fn open_store(settings: &Settings, clock: &Arc<dyn Clock>) -> Result<Store, StartError> {
    let url = storage_url(settings);
    let (objects, root) = store::open_object_store(&url).context("cannot open the storage")?;
    let mut config = StoreConfig::new(root, TENANT);
    config.retention =
        DurationNanos(i64::try_from(settings.retention.as_nanos()).unwrap_or(i64::MAX));
    let auto = (machine::memory_bytes() / READ_CACHE_DIVISOR).min(READ_CACHE_MAX);
    config.cache_bytes = settings.read_cache.0.unwrap_or(ByteCount(auto)).0;
    config.compaction = CompactionConfig {
        enabled: settings.compaction_enabled,
        ..CompactionConfig::default()
    };
    let store = Store::open_unread(config, objects, Arc::clone(clock)).map_err(store_failed)?;
    let cause = match timeout(OPEN_PATIENCE, store.refresh()).await {
        Ok(Ok(())) => {
            let stats = store.stats();
            info!(
                storage = url,
                blocks = stats.blocks,
                spans = stats.spans,
                "store opened"
            );
            return Ok(store);
        }
        Ok(Err(error)) if error.is_retry() => error.to_string(),
        Ok(Err(error)) => return Err(store_failed(error).into()),
        Err(_) => format!("no answer within {OPEN_PATIENCE:?}"),
    };
    warn!(
        storage = url,
        cause,
        "the storage does not answer: starting without the list of its blocks, which is asked for again and again. Spans are taken, \
         and kept in the journal; answers have only what is in memory"
    );
    Ok(store)
}

fn store_failed(error: StoreError) -> anyhow::Error {
    let advice = match error.kind() {
        ErrorKind::Corrupt => {
            "cannot open the store: the list of its blocks is damaged, and going on without a part of it would lose the blocks that \
             this part names. Put the object back from a backup or an older version of it; it is a few lines of JSON, so one \
             that is there can also be mended by hand"
        }
        _ => "cannot open the store",
    };
    anyhow::Error::new(error).context(advice)
}

/// Where blocks are kept.
pub(crate) fn storage_url(settings: &Settings) -> String {
    match &settings.storage.0 {
        Some(url) => url.clone(),
        None => settings.data_dir.join(BLOCKS_FOLDER).display().to_string(),
    }
}

/// Locks the folder of the journal. A second server over the same data ends here, before it has said or changed anything.
pub(super) async fn lock_journal(settings: &Settings) -> Result<LockedFolder, StartError> {
    let mut config = JournalConfig::new(journal_folder(settings));
    config.segment_bytes = settings.journal_segment_size.0;
    config.max_bytes = settings.journal_size_max.0;
    config.reserve_bytes = settings.journal_disk_reserve.0;
    config.commit_interval = settings.journal_commit_interval;
    let lock = move || LockedFolder::lock(config, Arc::new(SystemFiles));
    let locked = tokio::task::spawn_blocking(lock)
        .await
        .context("locking the journal was interrupted")?;
    locked.map_err(journal_failed)
}

async fn open_journal(
    settings: &Settings,
    locked: LockedFolder,
) -> Result<(Journal, Recovered), StartError> {
    let opened = tokio::task::spawn_blocking(move || locked.open())
        .await
        .context("opening the journal was interrupted")?;
    let (journal, recovered) = opened.map_err(journal_failed)?;
    let folder = journal_folder(settings).display().to_string();
    let report = &recovered.report;
    info!(
        folder,
        segments = report.segments,
        requests = report.records,
        torn_bytes_cut = report.torn_bytes_cut,
        damages = journal.stats().damage_found,
        "journal opened"
    );
    for damage in &report.damaged {
        warn!(damage, "the journal is damaged");
    }
    Ok((journal, recovered))
}

fn journal_folder(settings: &Settings) -> PathBuf {
    settings.data_dir.join(JOURNAL_FOLDER)
}

/// The text of the error names the folder or file.
fn journal_failed(error: JournalError) -> StartError {
    match error {
        JournalError::Setting { .. } => StartError::Config(error.to_string()),
        _ => StartError::Failed(error.into()),
    }
}

pub(super) fn collect_settings(settings: &Settings) -> collect::Settings {
    let auto = (machine::memory_bytes() / LIVE_MEMORY_DIVISOR).min(LIVE_MEMORY_MAX);
    let live = settings
        .live_memory_max
        .0
        .unwrap_or(ByteCount(auto))
        .as_usize();
    collect::Settings {
        body_bytes_max: settings.receive_body_max.as_usize(),
        in_flight_bytes_max: settings.receive_in_flight_max.as_usize(),
        span_bytes_max: settings.receive_span_max.as_usize(),
        flush_interval: settings.live_flush_interval,
        root_idle: settings.live_root_idle,
        decision_wait: settings.live_decision_wait,
        ..collect::Settings::for_machine(machine::cores(), live)
    }
}
