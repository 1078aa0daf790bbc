//! Opening a journal: the lock first, so that whoever has it can say so before anything is read.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::config::JournalConfig;
use crate::error::JournalError;
use crate::files::{Files, Lock};
use crate::folder;
use crate::journal::{Journal, Shared};
use crate::queue::{Pace, Queue};
use crate::recover::{self, Recovered};
use crate::stats::Counters;
use crate::trim::Trims;
use crate::writer::Writer;

/// The folder of a journal that is not open yet, locked against other processes until this or the journal is dropped.
pub struct LockedFolder {
    config: JournalConfig,
    files: Arc<dyn Files>,
    lock: Box<dyn Lock>,
}

impl LockedFolder {
    /// Locks `config.dir`, which is created where missing. Blocks for a file operation or two.
    ///
    /// # Errors
    ///
    /// When another process has the folder open, when it cannot be written, or when a setting cannot work.
    pub fn lock(config: JournalConfig, files: Arc<dyn Files>) -> Result<Self, JournalError> {
        config.check()?;
        let dir = &config.dir;
        files
            .create_dir(dir)
            .map_err(JournalError::io("create the folder", dir))?;
        let lock = folder::lock(dir, &*files)?;
        Ok(Self {
            config,
            files,
            lock,
        })
    }

    /// Opens the journal, or makes one, and reads back what an earlier process has left.
    ///
    /// All existing segments are checked, at the speed of the disk. They are not written again before they are trimmed: appends
    /// go to a new segment. A torn tail of the last segment is left out; damage elsewhere costs the records it hits, is stated in the
    /// report, and keeps the file. A full disk does not prevent opening, only appending. Blocks; takes memory for one record.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read or written, or when a segment is of a newer format version.
    pub fn open(self) -> Result<(Journal, Recovered), JournalError> {
        let Self {
            config,
            files,
            lock,
        } = self;
        let found = recover::scan(&config, &*files)?;
        let shared = Arc::new(Shared {
            queue: Queue::new(Pace {
                interval: config.commit_interval,
                commit_bytes: config.commit_bytes as u64,
                queue_bytes: config.queue_bytes as u64,
            }),
            config,
            files,
            id: found.id,
            id_text: format!("{:032x}", found.id),
            ledger: Mutex::new(found.ledger),
            counters: Counters::default(),
            torn_bytes_cut: found.report.torn_bytes_cut,
            damage_found: found.report.damage_count(),
            full_said: Mutex::default(),
            trims: Mutex::new(Trims::new()),
        });
        let writer = Writer::new(shared.clone(), found.previous, found.highest + 1, lock);
        let ended = writer.start(&found.leftovers)?;
        let recovered = Recovered::new(found.report, found.parts, shared.clone());
        Ok((Journal::new(shared, ended), recovered))
    }
}

impl fmt::Debug for LockedFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockedFolder")
            .field("dir", &self.config.dir)
            .finish_non_exhaustive()
    }
}
