//! `compare`: which attributes tell the selected spans from the others.

use std::collections::{BTreeMap, BTreeSet};

use traceql::query::{Condition, Constant, Field, Intrinsic, Scope};

use super::condition::{elements, holds, one_zero};
use super::field::read;
use super::metrics::{Labels, Sample, counts};
use super::{FoundSeries, Shown, constant_text};

/// Intrinsics that are looked at, those that may be empty last.
const INTRINSICS: [Intrinsic; 9] = [
    Intrinsic::Name,
    Intrinsic::Kind,
    Intrinsic::Status,
    Intrinsic::RootName,
    Intrinsic::RootService,
    Intrinsic::EventName,
    Intrinsic::StatusMessage,
    Intrinsic::InstrumentationName,
    Intrinsic::InstrumentationVersion,
];

/// From the text of an attribute to its values by their text, and the samples that have each.
type Side<'d> = BTreeMap<String, BTreeMap<String, (Constant, Vec<Sample<'d>>)>>;

pub(super) fn compare(
    selection: &Condition,
    top: usize,
    window: Option<(i64, i64)>,
    samples: &[Sample<'_>],
    points: usize,
) -> Vec<FoundSeries> {
    let is_selected = |sample: &Sample<'_>| {
        let start = sample.tree.spans[sample.span].start.0;
        window.is_none_or(|(from, to)| from <= start && start < to)
            && holds(selection, sample.span, sample.tree)
    };
    let (selected, others): (Vec<_>, Vec<_>) = samples.iter().copied().partition(is_selected);
    let mut found = Vec::new();
    let mut too_many = BTreeSet::new();
    for (samples, meta) in [(selected, "selection"), (others, "baseline")] {
        let side = side(&samples);
        for (attribute, values) in &side {
            if values.len() > top {
                too_many.insert(attribute.clone());
            }
            found.extend(side_series(meta, attribute, values, top, points));
        }
    }
    for attribute in too_many {
        found.push(FoundSeries {
            labels: labels("__meta_error", "__too_many_values__", &attribute, nil()),
            points: vec![None; points],
        });
    }
    found
}

fn nil() -> Constant {
    Constant::Str("nil".into())
}

fn labels(meta: &str, what: &str, attribute: &str, value: Constant) -> Labels {
    vec![
        (meta.to_owned(), Constant::Str(what.into())),
        (attribute.to_owned(), value),
    ]
}

/// The most frequent values of an attribute, and how many spans have the attribute.
fn side_series(
    meta: &str,
    attribute: &str,
    values: &BTreeMap<String, (Constant, Vec<Sample<'_>>)>,
    top: usize,
    points: usize,
) -> Vec<FoundSeries> {
    let line = |what: &str, value: Constant, samples: &[Sample<'_>]| FoundSeries {
        labels: labels("__meta_type", what, attribute, value),
        points: counts(samples, points).into_iter().map(Some).collect(),
    };
    let weight = |samples: &[Sample<'_>]| -> f64 { samples.iter().map(|s| s.weight).sum() };
    // In the order of their texts, and kept so where they are equally frequent.
    let mut by_weight: Vec<_> = values.values().collect();
    by_weight.sort_by(|a, b| weight(&b.1).total_cmp(&weight(&a.1)));
    let mut found: Vec<_> = by_weight
        .into_iter()
        .take(top)
        .map(|(value, samples)| line(meta, value.clone(), samples))
        .collect();
    // A span with several values counts once.
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for sample in values.values().flat_map(|(_, samples)| samples) {
        if seen.insert((sample.tree.trace.id, sample.span)) {
            all.push(*sample);
        }
    }
    found.push(line(&format!("{meta}_total"), nil(), &all));
    found
}

fn side<'d>(samples: &[Sample<'d>]) -> Side<'d> {
    let mut side = Side::new();
    for sample in samples {
        for field in fields(sample) {
            let Some(value) = read(&field, sample.span, sample.tree) else {
                continue;
            };
            let mut distinct = BTreeMap::new();
            for element in elements(value) {
                if let Shown::One(constant) = one_zero(element) {
                    distinct.insert(constant_text(&constant), constant);
                }
            }
            for (text, constant) in distinct {
                let values = side.entry(field.to_string()).or_default();
                let samples = &mut values.entry(text).or_insert((constant, Vec::new())).1;
                samples.push(*sample);
            }
        }
    }
    side
}

/// What is looked at of a span: everything that it has but times, ids and numbers that its place in the trace gives it.
fn fields(sample: &Sample<'_>) -> Vec<Field> {
    let span = sample.tree.spans[sample.span];
    let has = |intrinsic: &Intrinsic| match intrinsic {
        Intrinsic::StatusMessage => !span.status_message.is_empty(),
        Intrinsic::InstrumentationName => !span.scope.name.is_empty(),
        Intrinsic::InstrumentationVersion => !span.scope.version.is_empty(),
        _ => true,
    };
    let mut fields: Vec<Field> = INTRINSICS
        .into_iter()
        .filter(has)
        .map(Field::intrinsic)
        .collect();
    let mut add = |scope, attributes: &crate::trace::Attributes| {
        for (key, _) in attributes {
            let field = Field::attribute(scope, key.as_str());
            if !key.is_empty() && !fields.contains(&field) {
                fields.push(field);
            }
        }
    };
    add(Scope::Span, &span.attributes);
    add(Scope::Resource, &span.resource);
    add(Scope::Instrumentation, &span.scope.attributes);
    span.events
        .iter()
        .for_each(|event| add(Scope::Event, &event.attributes));
    span.links
        .iter()
        .for_each(|link| add(Scope::Link, &link.attributes));
    // Every span has a service, whether its resource names one or not.
    let service = Field::attribute(Scope::Resource, model::SERVICE_NAME);
    if !fields.contains(&service) {
        fields.push(service);
    }
    fields
}
