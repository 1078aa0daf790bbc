//! What instrumentation left out or got wrong: kinds, links, and the names of services and spans.

use std::collections::{BTreeMap, BTreeSet};

use model::{SpanKind, Symbol};

use super::calls::Templates;
use super::{Collector, Pattern, Words, labels};
use crate::trace::Trace;
use crate::words;

/// Names of services that stand for none, or begin so.
const NO_SERVICE: [&str; 2] = ["unknown_service", "OTLPResourceNoServiceName"];

pub(super) fn find(trace: &Trace<'_>, list: &mut Collector) {
    wrong_kind(trace, list);
    missing_link(trace, list);
    missing_service_name(trace, list);
    names_with_values(trace, list);
}

/// Calls between services whose two spans say neither client nor server.
fn wrong_kind(trace: &Trace<'_>, list: &mut Collector) {
    let is_vague = |position: usize| {
        matches!(
            trace.facts[position].kind,
            SpanKind::Internal | SpanKind::Unspecified
        )
    };
    let callees = (0..trace.tree.len()).filter(|&position| {
        trace.tree.parent(position).is_some_and(|parent| {
            is_vague(position)
                && is_vague(parent)
                && trace.facts[parent].service != trace.facts[position].service
        })
    });
    let callees: Vec<u32> = callees.map(|position| position as u32).collect();
    let Some(&first) = callees.first() else {
        return;
    };
    let first = first as usize;
    list.add(Pattern::WrongKind, &callees, 0, || Words {
        headline: format!(
            "{} between services without kinds",
            words::count(callees.len(), "call")
        ),
        sentence: format!(
            "{} in {} has a parent in another service, but neither says that it is client or \
                     server.",
            labels::name(trace, first),
            labels::service(trace, first)
        ),
        advice: "Set the span kinds: service maps, rates of requests and the time between \
                 client and server rest on them."
            .to_owned(),
    });
}

/// Consumers that are roots and link to nothing.
fn missing_link(trace: &Trace<'_>, list: &mut Collector) {
    let lonely = trace
        .tree
        .roots()
        .iter()
        .map(|&root| root as usize)
        .filter(|&root| {
            let span = trace.span(root);
            span.kind == SpanKind::Consumer && span.is_root() && trace.batch.links(span).is_empty()
        });
    let lonely: Vec<u32> = lonely.map(|root| root as u32).collect();
    let Some(&first) = lonely.first() else {
        return;
    };
    let name = labels::name(trace, first as usize);
    list.add(Pattern::MissingLink, &lonely, 0, || Words {
        headline: format!("{name} does not say who sent the message"),
        sentence: format!(
            "{name} in {} has neither a parent nor a link to the producer of its message.",
            labels::service(trace, first as usize)
        ),
        advice: "Send the trace context in the message's headers, and link to it from the \
                 consumer's span."
            .to_owned(),
    });
}

fn missing_service_name(trace: &Trace<'_>, list: &mut Collector) {
    let is_missing = |service: &str| {
        service.is_empty() || NO_SERVICE.iter().any(|none| service.starts_with(none))
    };
    let nameless: Vec<u32> = (0..trace.tree.len())
        .filter(|&position| is_missing(trace.service(position)))
        .map(|position| position as u32)
        .collect();
    let Some(&first) = nameless.first() else {
        return;
    };
    let resource = &trace.batch.resources[trace.span(first as usize).resource as usize];
    let language = trace
        .batch
        .attributes(resource.attributes)
        .iter()
        .find(|attribute| trace.str(attribute.key) == "telemetry.sdk.language")
        .map_or(String::new(), |attribute| {
            format!(
                " Its SDK is the one for {}.",
                labels::text(trace, attribute.value)
            )
        });
    list.add(Pattern::MissingServiceName, &nameless, 0, || Words {
        headline: format!(
            "{} of a service without name",
            words::count(nameless.len(), "span")
        ),
        sentence: format!("A process does not say which service it is.{language}"),
        advice: "Set OTEL_SERVICE_NAME, or `service.name` in its resource.".to_owned(),
    });
}

/// Names of one service and kind that are the same but for ids and numbers.
fn names_with_values(trace: &Trace<'_>, list: &mut Collector) {
    let mut templates = Templates::new(trace);
    let mut forms: BTreeMap<(Symbol, u32), Vec<u32>> = BTreeMap::new();
    for (position, facts) in (0..).zip(&trace.facts) {
        let form = (facts.service, templates.of(facts.name));
        forms.entry(form).or_default().push(position);
    }
    for ((service, _), spans) in forms {
        let names: BTreeSet<Symbol> = spans
            .iter()
            .map(|&span| trace.facts[span as usize].name)
            .collect();
        if names.len() < trace.settings.similar_names {
            continue;
        }
        let example = names.first().map_or("", |name| trace.str(*name));
        let service = trace.str(service);
        list.add(Pattern::NamesWithValues, &spans, 0, || Words {
            headline: format!("{} names in {service} differ in values alone", names.len()),
            sentence: format!(
                "Span names such as `{}` hold ids or numbers.",
                words::short(example, 80)
            ),
            advice: format!(
                "Name them `{}`, and put the values into attributes: names are what \
                         operations are grouped by.",
                words::short(&crate::template::template(example), 80)
            ),
        });
    }
}
