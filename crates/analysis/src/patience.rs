//! When a caller gave up waiting: it ended before its callee did, and not because clocks disagree.

use crate::facts::Facts;
use crate::settings::{SECOND, Settings};

/// Timeouts that people configure, in seconds.
const USUAL_TIMEOUTS_S: [i64; 9] = [1, 2, 3, 5, 10, 15, 20, 30, 60];

/// A call that ends so shortly after a usual timeout was ended by it: a fiftieth covers timers and clean-up.
const TIMEOUT_SLACK: i64 = 50;

/// Whether a call ended when one of the timeouts ended that people write down.
pub(crate) fn is_usual_timeout(duration_ns: i64) -> bool {
    USUAL_TIMEOUTS_S.iter().any(|seconds| {
        let timeout = seconds * SECOND;
        (timeout..=timeout + timeout / TIMEOUT_SLACK).contains(&duration_ns)
    })
}

/// Whether `caller`, a client, gave up on a callee that was at work. `caller_time` and `callee_time` are starts and ends.
///
/// The callee must have begun while the caller waited, and have gone on for longer than noise. Beyond that the caller
/// must say that time ran out, or have failed, or have lasted as long as a usual timeout, long before the callee was
/// done: a little before is what clocks do.
pub(crate) fn gave_up(
    caller: &Facts,
    caller_time: (i64, i64),
    callee_time: (i64, i64),
    settings: &Settings,
) -> bool {
    let duration = caller_time.1 - caller_time.0;
    let late = callee_time.1 - caller_time.1;
    let was_at_work = caller_time.0 <= callee_time.0 && callee_time.0 < caller_time.1;
    let was_alone = was_at_work && late > settings.noise(duration);
    let has_ended_badly = caller.has_failed() || is_usual_timeout(duration);
    was_alone && (caller.has_timed_out || (has_ended_badly && late > settings.skew_usual_ns))
}
