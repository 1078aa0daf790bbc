//! Who goes to the block when a generation is sealed, and who goes on.

use std::cmp::Reverse;
use std::time::Duration;

use super::generation::Generation;
use super::live::{LiveTrace, State};
use crate::counters::SealReason;
use crate::settings::{CARRY_DIVISOR, Settings};
use crate::steady::Moment;

/// A trace with a root that was active this recently when it had to be flushed was probably cut. Longer than spans of one
/// trace usually lie apart on their way here, much shorter than the idle time that makes a trace complete.
const CUT_IDLE: Duration = Duration::from_millis(200);

/// The traces that should go on, the one with the best claim first, as positions in [`Generation::traces`].
///
/// Those that are not complete, traces that still miss their root before those that have it, then the most recently active;
/// together no more rows than the carry budget.
pub(super) fn candidates(
    full: &Generation,
    now: Moment,
    reason: SealReason,
    settings: &Settings,
) -> Vec<u32> {
    let rows_max = match reason {
        SealReason::Asked | SealReason::Journal => return Vec::new(),
        SealReason::Spans | SealReason::Bytes => full.len() / CARRY_DIVISOR,
        // There is room: let everybody go on who has reason to.
        SealReason::Age => settings.generation_spans_max / CARRY_DIVISOR,
    };
    let mut growing: Vec<(bool, Reverse<Moment>, u32)> = full
        .traces()
        .iter()
        .enumerate()
        .filter(|(_, trace)| !trace.is_complete(now, settings.root_idle, settings.decision_wait))
        .map(|(index, trace)| {
            (
                is_less_urgent(trace, now, settings),
                Reverse(trace.last_arrival),
                index as u32,
            )
        })
        .collect();
    growing.sort_unstable();
    let mut rows = 0;
    growing
        .into_iter()
        .map(|(_, _, index)| index)
        .filter(|&index| {
            let count = full.traces()[index as usize].span_count as usize;
            let fits = rows + count <= rows_max;
            rows += if fits { count } else { 0 };
            fits
        })
        .collect()
}

/// Without a root more is sure to come, but not for ever: who lost the root is no better than the others after a while.
fn is_less_urgent(trace: &LiveTrace, now: Moment, settings: &Settings) -> bool {
    trace.has_root() || now.since(trace.last_arrival) >= settings.root_idle
}

/// Writes into each trace of a sealed generation where it goes: `carried` went on, the rest goes to a block, as a whole
/// or as a piece.
pub(super) fn settle(full: &mut Generation, carried: &[u32], now: Moment, settings: &Settings) {
    for trace in full.traces_mut() {
        let is_cut = !trace.is_complete(now, settings.root_idle, settings.decision_wait)
            && now.since(trace.last_arrival) < CUT_IDLE;
        trace.state = if trace.is_late || !trace.has_root() || is_cut {
            State::Piece
        } else {
            State::Whole
        };
    }
    for &index in carried {
        full.traces_mut()[index as usize].state = State::Carried;
    }
}
