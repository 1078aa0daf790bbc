//! The record of a trace that waits in memory.

use std::time::Duration;

use model::{DurationNanos, SpanRow, StatusCode, Symbol, TraceId, UnixNanos};

use crate::steady::Moment;

/// In [`LiveTrace::root_row`]: no root was seen. In chains: the end.
pub(super) const NO_ROW: u32 = u32::MAX;

/// What is known of a live trace without looking at its spans.
///
/// Kept small: inserting a span touches one of these, and listing traces walks over all of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct LiveTrace {
    pub(super) trace_id: TraceId,
    /// The earliest start.
    pub(super) start: UnixNanos,
    /// The latest end.
    pub(super) end: UnixNanos,
    /// When the first span came, in whichever generation.
    pub(super) first_arrival: Moment,
    /// When the last span came.
    pub(super) last_arrival: Moment,
    /// The lowest journal segment that holds a span of it.
    pub(super) first_segment: u64,
    /// A bit for each service that takes part: its ordinal in the generation, modulo 64.
    pub(super) services: u64,
    /// The row that came last; the chain of rows leads back from here.
    pub(super) last_row: u32,
    /// Spans, duplicates included.
    pub(super) span_count: u32,
    /// Spans whose status is error, duplicates included.
    pub(super) error_count: u32,
    /// The row of the root, of several the one that starts first; [`NO_ROW`] while none came.
    pub(super) root_row: u32,
    /// The name of the root.
    pub(super) root_name: Symbol,
    pub(super) state: State,
    /// Whether spans of this trace were flushed before this record began.
    pub(super) is_late: bool,
}

const _: () = assert!(size_of::<LiveTrace>() <= 96);

/// Where a trace of a generation is going.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It is in the open generation and may grow.
    Open,
    /// It was sealed and goes to a block as far as known whole.
    Whole,
    /// It was sealed and goes to a block as a piece: late, without root, or cut while spans were coming.
    Piece,
    /// It went on into the next generation; the rows here are dead.
    Carried,
}

impl LiveTrace {
    pub(super) fn new(trace_id: TraceId, now: Moment, segment: u64, is_late: bool) -> Self {
        Self {
            trace_id,
            start: UnixNanos(i64::MAX),
            end: UnixNanos(i64::MIN),
            first_arrival: now,
            last_arrival: now,
            first_segment: segment,
            services: 0,
            last_row: NO_ROW,
            span_count: 0,
            error_count: 0,
            root_row: NO_ROW,
            root_name: Symbol::EMPTY,
            state: State::Open,
            is_late,
        }
    }

    /// Takes one more span, stored at `row` of `spans`, of a service with this bit. Returns the row before it in the chain.
    #[inline]
    pub(super) fn add(&mut self, row: u32, spans: &[SpanRow], service_bit: u64) -> u32 {
        let span = &spans[row as usize];
        if span.is_root() && (!self.has_root() || span.start < spans[self.root_row as usize].start)
        {
            self.root_row = row;
            self.root_name = span.name;
        }
        self.start = self.start.min(span.start);
        // A span recorded to end before its start does not make its trace end before it starts.
        self.end = self.end.max(span.end()).max(span.start);
        self.services |= service_bit;
        self.span_count += 1;
        self.error_count += u32::from(span.status == StatusCode::Error);
        std::mem::replace(&mut self.last_row, row)
    }

    pub(super) fn has_root(&self) -> bool {
        self.root_row != NO_ROW
    }

    pub(super) fn duration(&self) -> DurationNanos {
        self.end.since(self.start)
    }

    /// Whether no more spans are expected: the root is there and nothing came for `root_idle`, or its time is up.
    pub(super) fn is_complete(&self, now: Moment, root_idle: Duration, wait: Duration) -> bool {
        (self.has_root() && now.since(self.last_arrival) >= root_idle)
            || now.since(self.first_arrival) >= wait
    }
}
