//! Failures that went unheard: errors below a success, and failures that the status does not tell.

use super::{Collector, Pattern, Words, by_operation, labels};
use crate::trace::Trace;
use crate::words;

/// Characters of an error's message that a sentence shows.
const MESSAGE_CHARACTERS_MAX: usize = 160;

pub(super) fn find(trace: &Trace<'_>, is_retried: &[bool], list: &mut Collector) {
    swallowed(trace, is_retried, list);
    wrong_status(trace, list);
}

/// Errors below spans that all report success. Attempts of a call that was made again have a finding of their own.
fn swallowed(trace: &Trace<'_>, is_retried: &[bool], list: &mut Collector) {
    let last_seen = (0..trace.tree.len()).filter(|&position| {
        let is_below = trace.tree.parent(position).is_some();
        let is_heard = trace.failed_above[position] || is_retried[position];
        is_below && trace.facts[position].is_error && !is_heard
    });
    for group in by_operation(trace, last_seen) {
        let at_stake = trace.critical_of(&group);
        list.add(Pattern::SwallowedError, &group, at_stake, || {
            swallowed_words(trace, &group)
        });
    }
}

fn swallowed_words(trace: &Trace<'_>, group: &[u32]) -> Words {
    let first = group[0] as usize;
    let (operation, service) = (labels::name(trace, first), labels::service(trace, first));
    let above = trace
        .tree
        .parent(first)
        .map_or(String::new(), |parent| labels::name(trace, parent));
    let message = message(trace, first).map_or(String::new(), |message| format!(" ({message})"));
    let times = match group.len() {
        1 => String::new(),
        count => format!(" {count} times"),
    };
    Words {
        headline: format!("{operation} in {service} failed{times}, and nothing above says so"),
        sentence: format!(
            "{operation} in {service} ended with an error{times}{message}. {above} and all above \
                 report success."
        ),
        advice:
            "If the caller can do without, record on its span that it did; if not, let it fail."
                .to_owned(),
    }
}

/// What the span says of its error: its status, or its first exception.
fn message(trace: &Trace<'_>, position: usize) -> Option<String> {
    let span = trace.span(position);
    let status = trace.str(trace.batch.extra(span).status_message);
    let exception = || {
        let events = trace.batch.events(span);
        let mut attributes = events
            .iter()
            .flat_map(|event| trace.batch.attributes(event.attributes));
        attributes
            .find(|attribute| trace.str(attribute.key) == "exception.message")
            .map(|attribute| trace.str(attribute.value))
    };
    let message = Some(status)
        .filter(|status| !status.is_empty())
        .or_else(exception)?;
    let message = words::short(message, MESSAGE_CHARACTERS_MAX);
    (!message.is_empty()).then_some(message)
}

fn wrong_status(trace: &Trace<'_>, list: &mut Collector) {
    let unmarked = (0..trace.tree.len()).filter(|&position| {
        let facts = &trace.facts[position];
        facts.http_status >= 500 && !facts.is_error
    });
    for group in by_operation(trace, unmarked) {
        let first = group[0] as usize;
        let status = trace.facts[first].http_status;
        let name = || labels::name(trace, first);
        list.add(Pattern::WrongStatus, &group, 0, || Words {
            headline: format!("{} answered {status} and is not marked as an error", name()),
            sentence: format!(
                "{} of {} in {} have HTTP status {status} or the like, but no error status: \
                         error rates do not count them.",
                words::count(group.len(), "span"),
                name(),
                labels::service(trace, first)
            ),
            advice: "Let the instrumentation set the span's status to error for answers of \
                     500 and above."
                .to_owned(),
        });
    }
}
