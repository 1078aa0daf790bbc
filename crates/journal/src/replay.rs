//! Reads back what an earlier process has left, record by record.

use std::collections::VecDeque;
use std::fmt;
use std::iter::FusedIterator;
use std::sync::Arc;

use crate::error::JournalError;
use crate::format::Salt;
use crate::journal::{Entry, Position, Shared};
use crate::reader::{Found, SegmentReader, Step};

/// A segment to be replayed, up to where it ends.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) number: u64,
    pub(crate) limit: u64,
}

/// The records of an earlier process, in the order in which they were appended; holds one at a time.
///
/// Each record yielded is held until it is handed over. A segment that is not read to its end (because the file cannot be
/// read, or because this is dropped before) is never trimmed by this process, so its records come again at the next opening.
/// Unreadable stretches are passed over, as the report has said already. An error is about one segment; the next call goes on with the
/// segment behind it. Blocks while it reads.
pub struct Replay {
    parts: VecDeque<Part>,
    current: Option<(u64, SegmentReader)>,
    records_left: u64,
    shared: Arc<Shared>,
}

impl Replay {
    pub(crate) fn new(parts: VecDeque<Part>, records: u64, shared: Arc<Shared>) -> Self {
        Self {
            parts,
            current: None,
            records_left: records,
            shared,
        }
    }

    /// Records not yet yielded, as counted when the journal was opened.
    pub fn records_left(&self) -> u64 {
        self.records_left
    }

    fn open(&self, part: &Part) -> Result<SegmentReader, JournalError> {
        let path = self.shared.segment_path(part.number);
        let salt = Salt::new(self.shared.id, part.number);
        self.shared
            .files
            .open(&path)
            .and_then(|file| SegmentReader::new(file, salt, Some(part.limit)))
            .map_err(JournalError::io("replay", &path))
    }

    /// The next record of the current segment; `None` at its end.
    fn advance(&mut self) -> Result<Option<(Position, Entry)>, JournalError> {
        let Some((segment, reader)) = &mut self.current else {
            return Ok(None);
        };
        loop {
            match reader.step() {
                Ok(Step::Record(found)) => {
                    let position = Position {
                        segment: *segment,
                        offset: found.offset,
                    };
                    return Ok(Some((position, entry(found, reader))));
                }
                Ok(Step::Unreadable(_)) => {}
                Ok(Step::End) => {
                    self.shared.ledger.lock().replayed(*segment);
                    self.current = None;
                    return Ok(None);
                }
                Err(error) => {
                    let path = self.shared.segment_path(*segment);
                    self.current = None;
                    return Err(JournalError::io("replay", &path)(error));
                }
            }
        }
    }
}

fn entry(found: Found, reader: &mut SegmentReader) -> Entry {
    Entry {
        received: found.head.received,
        encoding: found.head.encoding,
        tenant: found.tenant,
        payload: reader.take_payload(),
    }
}

impl Iterator for Replay {
    type Item = Result<(Position, Entry), JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.advance() {
                Ok(Some((position, entry))) => {
                    self.shared.ledger.lock().hold(position);
                    self.records_left = self.records_left.saturating_sub(1);
                    return Some(Ok((position, entry)));
                }
                Ok(None) => {}
                Err(error) => return Some(Err(error)),
            }
            let part = self.parts.pop_front()?;
            match self.open(&part) {
                Ok(reader) => self.current = Some((part.number, reader)),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

impl FusedIterator for Replay {}

impl fmt::Debug for Replay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replay")
            .field("segments_left", &self.parts.len())
            .field("records_left", &self.records_left)
            .finish_non_exhaustive()
    }
}
