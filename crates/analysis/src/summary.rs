//! Where the time went, in words: `62 % in payment → api.acquirer.example: 10 attempts, each timing out after 3 s`.
//!
//! The critical path of the main root is divided by who had the time and what for: own work of an operation, waiting for
//! somebody who is not traced, the way between client and server, time with nothing recorded. The largest parts are told,
//! each with the headline of a finding that explains it.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use model::Symbol;
use serde::Serialize;

use crate::findings::{Finding, Findings, Pattern, callee, caller_and_callee};
use crate::own::OwnTime;
use crate::trace::Trace;
use crate::words;

/// Parts that are listed; the rest is small.
const PARTS_MAX: usize = 8;

/// Parts that the text tells.
const PARTS_TOLD_MAX: usize = 2;

/// A part is told from this share on; of the first, any.
const TOLD_SHARE: f64 = 0.15;

/// What a part of the time was spent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PartKind {
    /// Steps of work inside a process.
    Work,
    /// Waiting for somebody who is not traced: a database, a provider.
    Wait,
    /// Between a client and its server.
    Network,
    /// In an operation, with nothing recorded below.
    Unexplained,
}

/// A part of the critical path of the main root.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// On what.
    pub kind: PartKind,
    /// Where, in words: `payment → api.acquirer.example`.
    pub place: String,
    /// Time on the critical path.
    pub critical_ns: i64,
    /// That time as a share of the main root.
    pub share: f64,
    /// Spans that had it.
    pub span_count: usize,
    /// The one that had most of it.
    pub span: u32,
}

/// Where the time went.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// One line. Empty when the main root has no length.
    pub text: String,
    /// The largest parts, largest first.
    pub parts: Vec<Part>,
}

struct Gathered {
    critical_ns: i64,
    span_count: usize,
    largest: usize,
}

pub(crate) fn summarise(trace: &Trace<'_>, findings: &Findings) -> Summary {
    let parts = parts(trace);
    let mut told: Vec<String> = Vec::new();
    let mut explained: Vec<&Finding> = Vec::new();
    for (rank, part) in parts.iter().take(PARTS_TOLD_MAX).enumerate() {
        if rank > 0 && part.share < TOLD_SHARE {
            break;
        }
        let explanation = findings
            .list
            .iter()
            .find(|finding| explains(trace, finding, part));
        let place = format!("{} {}", words::percent(part.share), place_in_words(part));
        match explanation.filter(|finding| !explained.contains(finding)) {
            Some(finding) => {
                explained.push(finding);
                told.push(format!("{place}: {}", finding.headline));
            }
            None => told.push(place),
        }
    }
    Summary {
        text: told.join("; "),
        parts,
    }
}

fn parts(trace: &Trace<'_>) -> Vec<Part> {
    let Some(root) = trace.main_root else {
        return Vec::new();
    };
    let mut gathered: HashMap<(OwnTime, Symbol, Symbol, Symbol), Gathered, FixedState> =
        HashMap::default();
    for position in root..trace.tree.descendants(root).end {
        let critical_ns = trace.own.critical_ns[position];
        if critical_ns == 0 {
            continue;
        }
        let facts = &trace.facts[position];
        let class = trace.own.class[position];
        // What is waited for is told by the other side, whatever the call is named.
        let name = match class {
            OwnTime::Wait | OwnTime::Gap if facts.peer != Symbol::EMPTY => Symbol::EMPTY,
            _ => facts.name,
        };
        let part = gathered
            .entry((class, facts.service, name, facts.peer))
            .or_insert(Gathered {
                critical_ns: 0,
                span_count: 0,
                largest: position,
            });
        part.critical_ns += critical_ns;
        part.span_count += 1;
        if critical_ns > trace.own.critical_ns[part.largest] {
            part.largest = position;
        }
    }
    let mut gathered: Vec<Gathered> = gathered.into_values().collect();
    gathered.sort_unstable_by_key(|part| (std::cmp::Reverse(part.critical_ns), part.largest));
    gathered.truncate(PARTS_MAX);
    gathered.iter().map(|part| finished(trace, part)).collect()
}

fn finished(trace: &Trace<'_>, part: &Gathered) -> Part {
    let span = part.largest;
    let here = || {
        format!(
            "{}, {}",
            label(trace.service(span)),
            label(trace.name(span))
        )
    };
    let (kind, place) = match trace.own.class[span] {
        OwnTime::Work => (PartKind::Work, here()),
        OwnTime::Unexplained => (PartKind::Unexplained, here()),
        OwnTime::Wait => (PartKind::Wait, caller_and_callee(trace, span)),
        OwnTime::Gap => {
            let place = format!("{} and {}", label(trace.service(span)), callee(trace, span));
            (PartKind::Network, place)
        }
    };
    Part {
        kind,
        place,
        critical_ns: part.critical_ns,
        share: trace.share(part.critical_ns),
        span_count: part.span_count,
        span: span as u32,
    }
}

fn label(text: &str) -> String {
    if text.is_empty() {
        "(no name)".to_owned()
    } else {
        words::short(text, 60)
    }
}

fn place_in_words(part: &Part) -> String {
    match part.kind {
        PartKind::Network => format!("between {}", part.place),
        PartKind::Work | PartKind::Wait | PartKind::Unexplained => format!("in {}", part.place),
    }
}

/// Whether a finding says why a part took so long: it is about time, and about the span that had most of it. For
/// attempts of a call, that span may also lie below one of them.
fn explains(trace: &Trace<'_>, finding: &Finding, part: &Part) -> bool {
    let is_named = finding.spans.binary_search(&part.span).is_ok();
    match finding.pattern {
        Pattern::Retries => {
            let after = finding.spans.partition_point(|&span| span <= part.span);
            let nearest = after.checked_sub(1).map(|at| finding.spans[at] as usize);
            nearest.is_some_and(|span| trace.tree.descendants(span).end > part.span as usize)
        }
        Pattern::RepeatedCalls | Pattern::Straggler | Pattern::HiddenTimeout => is_named,
        Pattern::DarkTime => is_named && part.kind == PartKind::Unexplained,
        _ => false,
    }
}
