//! Tables of spans: how often, how long, and how much of the critical path, by whatever one likes.

use std::collections::HashMap;

use foldhash::fast::FixedState;
use model::{Attribute, SpanBatch, StatusCode, Symbol};
use serde::Serialize;

use crate::analysis::Analysis;
use crate::words;

/// What spans are grouped by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupBy {
    /// The service.
    Service,
    /// The service and the name.
    Operation,
    /// The value of an attribute: of the span, else of its resource, else of its scope.
    Attribute(String),
}

/// Spans that have something in common.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Group {
    /// The service, or the value as text; null for spans without the attribute.
    pub key: Option<String>,
    /// The name; null unless spans are grouped by operation.
    pub name: Option<String>,
    /// Spans.
    pub count: u32,
    /// Spans with an error.
    pub error_count: u32,
    /// Summed duration. Spans inside spans of the same group count twice here, but not in self time.
    pub total_ns: i64,
    /// The longest duration.
    pub longest_ns: i64,
    /// Summed self time.
    pub self_ns: i64,
    /// Summed own time on the critical path.
    pub critical_ns: i64,
    /// That time as a share of the main root.
    pub share: f64,
    /// Position of the longest span.
    pub longest: u32,
}

/// Groups the spans of an analysed trace; most time on the critical path first, then most self time.
///
/// `batch` must be the one that was analysed. Costs O(spans and their attributes).
///
/// # Panics
/// When `batch` has fewer rows than the analysis names.
pub fn group(batch: &SpanBatch, analysis: &Analysis, by: &GroupBy) -> Vec<Group> {
    let attribute = match by {
        GroupBy::Attribute(key) => batch.symbols.find_str(key),
        GroupBy::Service | GroupBy::Operation => None,
    };
    let spans = &analysis.spans;
    let mut index: HashMap<(Option<Symbol>, Option<Symbol>), usize, FixedState> =
        HashMap::default();
    let mut groups: Vec<Group> = Vec::new();
    for position in 0..spans.row.len() {
        let span = &batch.spans[spans.row[position] as usize];
        let service = batch.resources[span.resource as usize].service;
        let key = match by {
            GroupBy::Service => (Some(service), None),
            GroupBy::Operation => (Some(service), Some(span.name)),
            GroupBy::Attribute(_) => (attribute.and_then(|key| value(batch, span, key)), None),
        };
        let at = *index.entry(key).or_insert_with(|| {
            groups.push(empty(batch, key, position as u32));
            groups.len() - 1
        });
        let group = &mut groups[at];
        let duration = spans.duration_ns[position];
        group.count += 1;
        group.error_count += u32::from(span.status == StatusCode::Error);
        group.total_ns = group.total_ns.saturating_add(duration);
        group.self_ns = group.self_ns.saturating_add(spans.self_ns[position]);
        group.critical_ns = group
            .critical_ns
            .saturating_add(spans.critical_ns[position]);
        if duration > group.longest_ns {
            (group.longest_ns, group.longest) = (duration, position as u32);
        }
    }
    let root_ns = analysis
        .main_root
        .map_or(0, |root| spans.duration_ns[root as usize]);
    for group in groups.iter_mut().filter(|_| root_ns > 0) {
        group.share = (group.critical_ns as f64 / root_ns as f64).min(1.0);
    }
    groups.sort_by_key(|group| std::cmp::Reverse((group.critical_ns, group.self_ns, group.count)));
    groups
}

fn value(batch: &SpanBatch, span: &model::SpanRow, key: Symbol) -> Option<Symbol> {
    let resource = &batch.resources[span.resource as usize];
    [
        span.attributes,
        resource.attributes,
        resource.scope_attributes,
    ]
    .into_iter()
    .find_map(|range| {
        let found = |attribute: &&Attribute| attribute.key == key;
        batch
            .attributes(range)
            .iter()
            .find(found)
            .map(|attribute| attribute.value)
    })
}

fn empty(batch: &SpanBatch, key: (Option<Symbol>, Option<Symbol>), first: u32) -> Group {
    Group {
        key: key.0.map(|key| words::value(batch.symbols.value(key))),
        name: key.1.map(|name| words::value(batch.symbols.value(name))),
        count: 0,
        error_count: 0,
        total_ns: 0,
        longest_ns: 0,
        self_ns: 0,
        critical_ns: 0,
        share: 0.0,
        longest: first,
    }
}
