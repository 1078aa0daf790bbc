//! Calls that failed and were made again.
//!
//! A run of attempts is a sequence of siblings with the same operation, target and statement, each starting after the one
//! before has failed; a success ends it. A later sibling with another target that succeeded is told as the way out.

use super::{Collector, Pattern, Words, labels};
use crate::trace::Trace;
use crate::words;

/// Attempts that last equally long but for this share were ended by the same timeout.
const ALIKE_SHARE: f64 = 0.1;

/// Siblings among which the way out is looked for: it comes soon, and a loop of thousands must not be walked for each run.
const FALLBACK_WITHIN: usize = 16;

/// A pause so many times the one before is a growing one.
const GROWTH: f64 = 1.4;

/// Finds runs among `group`, siblings of one operation in order of start; `siblings` are all of them. Marks the attempts.
pub(super) fn find(
    trace: &Trace<'_>,
    group: &[u32],
    siblings: &[u32],
    is_retried: &mut [bool],
    list: &mut Collector,
) {
    if !group
        .iter()
        .any(|&span| trace.facts[span as usize].has_failed())
    {
        return;
    }
    let what = |span: u32| {
        let facts = &trace.facts[span as usize];
        (facts.peer, facts.target)
    };
    let mut group = group.to_vec();
    group.sort_by_key(|&span| what(span));
    for alike in group.chunk_by(|&left, &right| what(left) == what(right)) {
        let mut run: Vec<u32> = Vec::new();
        for &span in alike {
            if run.last().is_some_and(|&last| !follows(trace, last, span)) {
                close(trace, &mut run, siblings, is_retried, list);
            }
            run.push(span);
            if !trace.facts[span as usize].has_failed() {
                close(trace, &mut run, siblings, is_retried, list);
            }
        }
        close(trace, &mut run, siblings, is_retried, list);
    }
}

fn follows(trace: &Trace<'_>, before: u32, after: u32) -> bool {
    let noise = trace
        .settings
        .noise(trace.timeline.duration(before as usize));
    trace.timeline.start[after as usize] >= trace.timeline.end[before as usize] - noise
}

fn close(
    trace: &Trace<'_>,
    run: &mut Vec<u32>,
    siblings: &[u32],
    is_retried: &mut [bool],
    list: &mut Collector,
) {
    let run = std::mem::take(run);
    if run.len() > 1 {
        for &span in &run {
            is_retried[span as usize] = true;
        }
        add(trace, &run, siblings, list);
    }
}

fn add(trace: &Trace<'_>, run: &[u32], siblings: &[u32], list: &mut Collector) {
    let last = run[run.len() - 1] as usize;
    let has_succeeded = !trace.facts[last].has_failed();
    let failed = if has_succeeded {
        &run[..run.len() - 1]
    } else {
        run
    };
    let pauses: Vec<i64> = run
        .windows(2)
        .map(|pair| {
            let pause =
                trace.timeline.start[pair[1] as usize] - trace.timeline.end[pair[0] as usize];
            pause.max(0)
        })
        .collect();
    let at_stake = at_stake(trace, failed, run, &pauses);
    list.add(Pattern::Retries, run, at_stake, || {
        let way_out = if has_succeeded {
            None
        } else {
            fallback(trace, last, siblings)
        };
        told(trace, run, failed, &pauses, way_out)
    });
}

fn told(
    trace: &Trace<'_>,
    run: &[u32],
    failed: &[u32],
    pauses: &[i64],
    way_out: Option<usize>,
) -> Words {
    let first = run[0] as usize;
    let has_succeeded = failed.len() < run.len();
    let verb = ended(trace, failed);
    let end = match way_out {
        _ if has_succeeded => ", then one succeeded".to_owned(),
        Some(other) => format!(", then {} answered", labels::callee(trace, other)),
        None => String::new(),
    };
    let unheard = if trace.failed_above[first] {
        ""
    } else {
        ", and nothing above is marked as an error"
    };
    Words {
        headline: if has_succeeded {
            format!(
                "{} attempts, {} {verb}, then a success",
                run.len(),
                failed.len()
            )
        } else {
            format!("{} attempts, each {verb}", run.len())
        },
        sentence: format!(
            "{} called {} {} times in a row: {} {}{end}{unheard}.",
            labels::service(trace, first),
            labels::callee(trace, first),
            run.len(),
            words::count(failed.len(), "attempt"),
            verb.replace("timing out", "timed out")
                .replace("failing", "failed"),
        ),
        advice: advice(trace, failed, pauses).to_owned(),
    }
}

/// `timing out after 3 s`, `failing after 3 s on average`
fn ended(trace: &Trace<'_>, failed: &[u32]) -> String {
    let durations = || {
        failed
            .iter()
            .map(|&span| trace.timeline.duration(span as usize))
    };
    let (shortest, longest) = (
        durations().min().unwrap_or(0),
        durations().max().unwrap_or(0),
    );
    let sum = durations().fold(0, i64::saturating_add);
    let mean = sum / failed.len().max(1) as i64;
    let have_timed_out = failed
        .iter()
        .all(|&span| trace.facts[span as usize].has_timed_out);
    let verb = if have_timed_out {
        "timing out"
    } else {
        "failing"
    };
    let are_alike = (longest - shortest) as f64 <= ALIKE_SHARE * longest as f64;
    let average = if are_alike { "" } else { " on average" };
    format!("{verb} after {}{average}", words::time(mean))
}

/// The failed attempts and the pauses between them, as far as they are on the critical path.
fn at_stake(trace: &Trace<'_>, failed: &[u32], run: &[u32], pauses: &[i64]) -> i64 {
    let is_critical = |span: u32| trace.critical_below(span as usize) > 0;
    let paused = run
        .windows(2)
        .zip(pauses)
        .filter(|(pair, _)| is_critical(pair[0]) && is_critical(pair[1]))
        .map(|(_, pause)| *pause);
    paused.fold(trace.critical_of(failed), i64::saturating_add)
}

/// A success of the same operation with another target, after all attempts.
fn fallback(trace: &Trace<'_>, last: usize, siblings: &[u32]) -> Option<usize> {
    let failed = &trace.facts[last];
    let after = siblings.partition_point(|&sibling| sibling as usize <= last);
    let next = siblings[after..].iter().take(FALLBACK_WITHIN);
    next.map(|&sibling| sibling as usize).find(|&other| {
        let facts = &trace.facts[other];
        let is_same =
            (facts.service, facts.name, facts.kind) == (failed.service, failed.name, failed.kind);
        is_same
            && facts.peer != failed.peer
            && !facts.has_failed()
            && trace.timeline.start[other] >= trace.timeline.end[last]
    })
}

fn advice(trace: &Trace<'_>, failed: &[u32], pauses: &[i64]) -> &'static str {
    let is_growing = pauses.len() > 1
        && pauses
            .windows(2)
            .all(|pair| pair[1] as f64 >= GROWTH * pair[0] as f64);
    let have_timed_out = failed
        .iter()
        .any(|&span| trace.facts[span as usize].has_timed_out);
    match (have_timed_out, is_growing) {
        (true, _) => {
            "Give the whole operation one deadline, and give up or turn elsewhere sooner: what \
                 has timed out twice will mostly do so again."
        }
        (false, true) => "Pauses grow, as they should. Ask why the first attempt fails.",
        (false, false) => {
            "Ask why the first attempt fails; pause longer before each further one, and bound \
                 their number."
        }
    }
}
