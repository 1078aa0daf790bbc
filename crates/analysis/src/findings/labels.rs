//! What spans are called in sentences.

use model::Symbol;

use crate::trace::Trace;
use crate::words;

/// Longer names are cut: a sentence must stay one.
const LABEL_CHARACTERS_MAX: usize = 60;

/// The service of a span, or words for none.
pub(crate) fn service(trace: &Trace<'_>, position: usize) -> String {
    match trace.service(position) {
        "" => "a service without name".to_owned(),
        service => words::short(service, LABEL_CHARACTERS_MAX),
    }
}

/// The name of a span, or words for none.
pub(crate) fn name(trace: &Trace<'_>, position: usize) -> String {
    match trace.name(position) {
        "" => "a span without name".to_owned(),
        name => words::short(name, LABEL_CHARACTERS_MAX),
    }
}

/// The nearest child of a call that runs elsewhere.
pub(crate) fn remote_child(trace: &Trace<'_>, call: usize) -> Option<usize> {
    let service = trace.facts[call].service;
    trace
        .tree
        .children(call)
        .find(|&child| trace.facts[child].service != service)
}

/// Whom a call goes to: the service that answered, or what the caller says of it, or the name of the span.
pub(crate) fn callee(trace: &Trace<'_>, call: usize) -> String {
    if let Some(child) = remote_child(trace, call) {
        return service(trace, child);
    }
    let facts = &trace.facts[call];
    let peer = text(trace, facts.peer);
    let host = || {
        host_of(trace.str(facts.target))
            .unwrap_or_default()
            .to_owned()
    };
    [peer, host()]
        .into_iter()
        .find(|label| !label.is_empty())
        .map_or_else(
            || name(trace, call),
            |label| words::short(&label, LABEL_CHARACTERS_MAX),
        )
}

/// What a call does, by the name of the side that knows best: the server's, else its own.
pub(crate) fn operation(trace: &Trace<'_>, call: usize) -> String {
    match remote_child(trace, call) {
        Some(child) => format!("{} {}", service(trace, child), name(trace, child)),
        None => name(trace, call),
    }
}

/// `payment → api.acquirer.example`
pub(crate) fn caller_and_callee(trace: &Trace<'_>, call: usize) -> String {
    format!("{} → {}", service(trace, call), callee(trace, call))
}

/// An attribute's value as text.
pub(crate) fn text(trace: &Trace<'_>, value: Symbol) -> String {
    words::value(trace.batch.symbols.value(value))
}

/// The host of an address such as `https://api.example:443/v1`.
fn host_of(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let host = host.rsplit('@').next()?;
    // The brackets of an IPv6 address hold colons of their own.
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => Some(name),
        _ => Some(host),
    }
}

#[cfg(test)]
mod tests {
    use super::host_of;

    #[test]
    fn a_host_is_found_in_an_address() {
        assert_eq!(host_of("https://api.example:443/v1"), Some("api.example"));
        assert_eq!(host_of("http://user@[::1]?q"), Some("[::1]"));
        assert_eq!(host_of("select 1"), None);
    }
}
