//! What is worth a look in a trace: patterns with the spans that show them, the time at stake, and what to do.
//!
//! One file per family: [`calls`] are patterns among the children of one span, [`waits`] are about time nobody explains,
//! [`errors`] about failures that went unheard, [`structure`] about the trace as recorded,
//! [`instrumentation`] about how it was.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use foldhash::fast::FixedState;
use model::Symbol;
use serde::Serialize;

use crate::trace::Trace;

mod calls;
mod errors;
mod fan_out;
mod instrumentation;
mod labels;
mod retries;
mod sequence;
mod structure;
mod waits;

pub(crate) use labels::{callee, caller_and_callee};

/// Findings that are kept: nobody reads more, and a broken trace could have one for each span.
const FINDINGS_MAX: usize = 100;

/// Spans that a finding names: enough to show them all on a page. The count says how many there are.
const SPANS_PER_FINDING_MAX: usize = 1_000;

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Pattern {
    /// A call failed and was made again.
    Retries,
    /// Many calls of one form, one after another, where one could do.
    RepeatedCalls,
    /// Calls one after the other that do not visibly need each other.
    SequentialCalls,
    /// One of many parallel calls took far longer than the others.
    Straggler,
    /// A span with very many children.
    WideFanOut,
    /// Time of a span in which nothing is recorded.
    DarkTime,
    /// Time between a client and its server.
    NetworkGap,
    /// A caller ran out of time, and perhaps the work went on unheard.
    HiddenTimeout,
    /// An error below a success.
    SwallowedError,
    /// Work that nobody waits for.
    FireAndForget,
    /// Spans whose parent is missing, or more than one root.
    BrokenChain,
    /// Clocks of hosts that disagree.
    ClockSkew,
    /// Times that cannot be: an end before its start.
    WrongTimes,
    /// One id on several spans, or spans that are their own ancestors.
    WrongIds,
    /// An answer of HTTP that says failure on a span that does not.
    WrongStatus,
    /// A call between services whose spans do not say that they are client and server.
    WrongKind,
    /// The consumer of a message that names no producer.
    MissingLink,
    /// No name of a service, or the one that stands for none.
    MissingServiceName,
    /// Span names with ids or numbers in them.
    NamesWithValues,
    /// More spans than anyone can read.
    LargeTrace,
    /// A trace that stays open longer than any request.
    LongTrace,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What was found.
    pub pattern: Pattern,
    /// Positions of the spans that show it, in order; the first thousand of them.
    pub spans: Vec<u32>,
    /// How many spans show it.
    pub span_count: usize,
    /// Time on the critical path that would be saved at most; zero where it is not about time, or off the path.
    pub at_stake_ns: i64,
    /// That time as a share of the main root.
    pub share: f64,
    /// A few words, as a title: `10 attempts, each timing out after 3 s`.
    pub headline: String,
    /// What happened, in a sentence or two.
    pub sentence: String,
    /// What to do.
    pub advice: String,
}

/// The findings of a trace.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Findings {
    /// Most time at stake first; of equal ones in the order of [`Pattern`], then of the spans.
    pub list: Vec<Finding>,
    /// How many more there are, of less time at stake.
    pub left_out: usize,
}

/// The words of a finding.
struct Words {
    headline: String,
    sentence: String,
    advice: String,
}

/// What findings are ordered by; the last tells apart what is equal otherwise.
type Rank = (Reverse<i64>, Pattern, Option<u32>, usize);

/// Keeps the findings of most time at stake. Words are made only for what is kept: in a large trace most is not.
#[derive(Default)]
struct Collector {
    best: BTreeMap<Rank, Finding>,
    offered: usize,
}

impl Collector {
    fn add(
        &mut self,
        pattern: Pattern,
        spans: &[u32],
        at_stake_ns: i64,
        words: impl FnOnce() -> Words,
    ) {
        self.offered += 1;
        let first = spans.iter().min().copied();
        let rank = (Reverse(at_stake_ns), pattern, first, self.offered);
        let is_full = self.best.len() >= FINDINGS_MAX;
        if is_full
            && self
                .best
                .last_key_value()
                .is_some_and(|(worst, _)| *worst < rank)
        {
            return;
        }
        let Words {
            headline,
            sentence,
            advice,
        } = words();
        let mut spans = spans.to_vec();
        spans.sort_unstable();
        let span_count = spans.len();
        spans.truncate(SPANS_PER_FINDING_MAX);
        let finding = Finding {
            pattern,
            spans,
            span_count,
            at_stake_ns,
            share: 0.0,
            headline,
            sentence,
            advice,
        };
        self.best.insert(rank, finding);
        if self.best.len() > FINDINGS_MAX {
            self.best.pop_last();
        }
    }
}

/// Finds everything. O(n log n).
pub(crate) fn find(trace: &Trace<'_>) -> Findings {
    let mut list = Collector::default();
    let retried = calls::find(trace, &mut list);
    waits::find(trace, &retried, &mut list);
    errors::find(trace, &retried, &mut list);
    structure::find(trace, &mut list);
    instrumentation::find(trace, &mut list);
    let left_out = list.offered - list.best.len();
    let with_share = |finding: Finding| Finding {
        share: trace.share(finding.at_stake_ns),
        ..finding
    };
    Findings {
        list: list.best.into_values().map(with_share).collect(),
        left_out,
    }
}

/// Positions by operation: service and name. In the order of their first span.
fn by_operation(trace: &Trace<'_>, positions: impl Iterator<Item = usize>) -> Vec<Vec<u32>> {
    let mut groups: HashMap<(Symbol, Symbol), Vec<u32>, FixedState> = HashMap::default();
    for position in positions {
        let facts = &trace.facts[position];
        groups
            .entry((facts.service, facts.name))
            .or_default()
            .push(position as u32);
    }
    let mut groups: Vec<Vec<u32>> = groups.into_values().collect();
    groups.sort_unstable();
    groups
}
