//! The thresholds of the analysis, each with its reason.

/// A microsecond in nanoseconds.
pub(crate) const MICROSECOND: i64 = 1_000;
/// A millisecond in nanoseconds.
pub(crate) const MILLISECOND: i64 = 1_000_000;
/// A second in nanoseconds.
pub(crate) const SECOND: i64 = 1_000_000_000;
/// A minute in nanoseconds.
pub(crate) const MINUTE: i64 = 60 * SECOND;
/// An hour in nanoseconds.
pub(crate) const HOUR: i64 = 60 * MINUTE;

/// What decides when the analysis speaks up. One set for all systems, so that answers can be compared; times are in
/// nanoseconds, shares between 0 and 1 of the time of the main root.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Whether clocks that disagree are corrected before anything is measured. On: times between hosts mean little without.
    pub correct_skew: bool,
    /// A correction beyond this is not made, only reported. Clocks a minute apart are noticed by other means, so a child
    /// that is later still was more likely started late.
    pub skew_max_ns: i64,
    /// Clocks that disagree by up to so much are corrected by the least that will do, and without a finding: time
    /// synchronisation does not promise more.
    pub skew_usual_ns: i64,
    /// Ends and starts that overlap by no more than this are taken for one after the other: rounding to microseconds,
    /// and spans that are closed a moment after their result was handed on. A tenth of the span at most.
    pub noise_ns: i64,

    /// A finding about time is made from this share of the main root's time on. Below, nobody would act.
    pub worth_share: f64,
    /// And from so much time on, whatever its share: a millisecond saved is not felt.
    pub worth_ns: i64,

    /// Dark time, and time between client and server, is a finding from this share on: a fifth is more than overhead.
    pub dark_share: f64,
    /// And from so much time on: garbage collection and scheduling take tens of milliseconds without anybody's fault.
    pub dark_ns: i64,
    /// Dark stretches from this length on are listed for drawing; shorter ones cannot be seen.
    pub dark_drawn_ns: i64,
    /// So is the share of the main root's time below which they are not listed.
    pub dark_drawn_share: f64,

    /// Calls of one kind below one span from which they are called N+1. Fewer may be meant.
    pub repeated_calls: usize,
    /// Children of one span from which a fan-out is called wide. Usually an unbounded batch.
    pub wide_fan_out: usize,
    /// Parallel calls from which one can be slower than the others: with fewer the median says little.
    pub parallel_calls: usize,
    /// The slowest of parallel calls is a straggler when it takes so many times the median.
    pub straggler_ratio: f64,
    /// A pause between two calls up to this, or a tenth of the longer call, leaves them back to back.
    pub back_to_back_ns: i64,

    /// Spans from which a trace is called large. Beyond, most tools stop showing it.
    pub large_trace: usize,
    /// An operation that makes this share of a trace of [`Self::large_operation`] spans or more is named.
    pub large_share: f64,
    /// See [`Self::large_share`].
    pub large_operation: usize,
    /// A trace that lasts longer is called long: no request takes an hour.
    pub long_trace_ns: i64,
    /// Distinct names of one service that differ in numbers or ids alone, from which they are said to need a template.
    pub similar_names: usize,
    /// How much two durations of one operation must differ to be called slower or faster, as a share of the longer one.
    pub difference_share: f64,
    /// And by how much time.
    pub difference_ns: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            correct_skew: true,
            skew_max_ns: MINUTE,
            skew_usual_ns: 10 * MILLISECOND,
            noise_ns: MILLISECOND,
            worth_share: 0.05,
            worth_ns: 5 * MILLISECOND,
            dark_share: 0.2,
            dark_ns: 50 * MILLISECOND,
            dark_drawn_ns: MILLISECOND,
            dark_drawn_share: 0.01,
            repeated_calls: 10,
            wide_fan_out: 100,
            parallel_calls: 4,
            straggler_ratio: 3.0,
            back_to_back_ns: MILLISECOND,
            large_trace: 10_000,
            large_share: 0.5,
            large_operation: 1_000,
            long_trace_ns: HOUR,
            similar_names: 5,
            difference_share: 0.1,
            difference_ns: MILLISECOND,
        }
    }
}

impl Settings {
    /// How much of a span of this duration may be noise.
    pub(crate) fn noise(&self, duration_ns: i64) -> i64 {
        self.noise_ns.min(duration_ns / 10).max(0)
    }

    /// Whether so much time out of `total_ns` is worth a finding.
    pub(crate) fn is_worth(&self, time_ns: i64, total_ns: i64) -> bool {
        time_ns >= self.worth_ns && time_ns as f64 >= self.worth_share * total_ns as f64
    }

    /// Whether so much unexplained time out of `total_ns` is worth a finding.
    pub(crate) fn is_dark(&self, time_ns: i64, total_ns: i64) -> bool {
        time_ns >= self.dark_ns && time_ns as f64 >= self.dark_share * total_ns as f64
    }
}
