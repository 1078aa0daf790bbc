//! Live spans as they are at a moment, for queries that look at all of them.
//!
//! Sealed generations no longer change and are shared. The open one is copied; when it is large, at most once in [`COPY_KEPT`]
//! however many ask, so that queries cannot hold up what comes in.

use std::sync::Arc;
use std::time::Duration;

use model::{SpanBatch, TraceId, UnixNanos};

use super::generation::{Generation, NO_ROW_BEFORE};
use super::live::{LiveTrace, State};
use super::{Sealed, Shard};
use crate::steady::Moment;

/// How old a copy of the open generation may be. Copying the largest takes some 15 ms of the shard's thread.
const COPY_KEPT: Duration = Duration::from_millis(250);

/// A generation of fewer spans is copied whenever somebody asks: it takes a millisecond or two.
const COPY_ALWAYS: usize = 16 << 10;

/// Spans of one generation of a shard. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LiveSpans(Source);

#[derive(Debug, Clone)]
enum Source {
    Sealed(Arc<Sealed>),
    Copy(Arc<Copied>),
}

/// What is copied of an open generation.
#[derive(Debug)]
pub(super) struct Copied {
    batch: SpanBatch,
    traces: Vec<LiveTrace>,
    previous: Vec<u32>,
}

/// A trace, or the piece of it that is in one generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LivePiece {
    /// The trace.
    pub trace_id: TraceId,
    /// The earliest start.
    pub start: UnixNanos,
    /// The latest end.
    pub end: UnixNanos,
    /// Spans whose status is error.
    pub errors: u32,
    /// Whether other spans of the trace may be elsewhere, in a block or an older generation.
    pub is_piece: bool,
    last_row: u32,
}

impl LiveSpans {
    /// The spans; those of [`Self::traces`] and perhaps others.
    pub fn batch(&self) -> &SpanBatch {
        match &self.0 {
            Source::Sealed(sealed) => sealed.batch(),
            Source::Copy(copied) => &copied.batch,
        }
    }

    /// The traces, in order of arrival.
    pub fn traces(&self) -> impl Iterator<Item = LivePiece> + '_ {
        let traces = match &self.0 {
            Source::Sealed(sealed) => sealed.generation().traces(),
            Source::Copy(copied) => &copied.traces,
        };
        let here = traces.iter().filter(|trace| trace.state != State::Carried);
        here.map(|trace| LivePiece {
            trace_id: trace.trace_id,
            start: trace.start,
            end: trace.end,
            errors: trace.error_count,
            is_piece: trace.is_late,
            last_row: trace.last_row,
        })
    }

    /// Appends the rows of a trace to `rows`, in order of arrival. A span that was sent twice is there twice.
    pub fn rows(&self, piece: &LivePiece, rows: &mut Vec<u32>) {
        let previous = match &self.0 {
            Source::Sealed(sealed) => sealed.generation().previous(),
            Source::Copy(copied) => &copied.previous,
        };
        let first = rows.len();
        let mut row = piece.last_row;
        while row != NO_ROW_BEFORE {
            rows.push(row);
            row = previous[row as usize];
        }
        rows[first..].reverse();
    }
}

/// The copy that was made last.
#[derive(Debug, Default)]
pub(super) struct LastCopy(Option<(Moment, Arc<Copied>)>);

impl LastCopy {
    /// Forgets a copy that is too old to serve, and with it the memory.
    pub(super) fn tick(&mut self, now: Moment) {
        if self
            .0
            .as_ref()
            .is_some_and(|(at, _)| now.since(*at) >= COPY_KEPT)
        {
            self.0 = None;
        }
    }

    /// What was copied is no longer the open generation.
    pub(super) fn forget(&mut self) {
        self.0 = None;
    }

    fn of(&mut self, open: &Generation, now: Moment) -> Arc<Copied> {
        self.tick(now);
        let is_behind = |copied: &Copied| copied.batch.len() < open.len();
        if open.len() <= COPY_ALWAYS && self.0.as_ref().is_some_and(|(_, last)| is_behind(last)) {
            self.0 = None;
        }
        let (_, copied) = self.0.get_or_insert_with(|| {
            let copied = Copied {
                batch: open.batch().clone(),
                traces: open.traces().to_vec(),
                previous: open.previous().to_vec(),
            };
            (now, Arc::new(copied))
        });
        Arc::clone(copied)
    }
}

impl Shard {
    /// All live spans, oldest generation first. Costs a copy of the open generation, if the last is too old.
    pub(crate) fn snapshot(&mut self, now: Moment) -> Vec<LiveSpans> {
        let sealed = self.sealed.iter();
        let mut all: Vec<_> = sealed
            .map(|sealed| LiveSpans(Source::Sealed(sealed.clone())))
            .collect();
        if !self.open.is_empty() {
            all.push(LiveSpans(Source::Copy(self.last_copy.of(&self.open, now))));
        }
        all
    }
}
