//! What the engine found, in Tempo's messages.

use evaluate::{Exemplar, FoundSeries, Steps};
use model::{UnixNanos, Value};
use query::{
    MatchedAttribute, MatchedSpan, MatchedSpanset, MatchedTrace, MetricsAnswer, QueryStats,
    SearchPage, TagNames, TagValues,
};
use traceql::query::{Constant, Field, Intrinsic, Owner};
use wire::tempo::{
    InstantSeries, KeyValue, MetadataMetrics, Partial, QueryInstantResponse, QueryRangeResponse,
    Sample, SearchMetrics, SearchResponse, ServiceStats, Span, SpanSet, TagScope, TagValue,
    TagValuesResponse, TagValuesV2Response, TagsResponse, TagsV2Response, TimeSeries,
    TraceMetadata,
};

use super::ask::{TagsAsk, TagsScope};
use crate::web::query::{plain_text, wire_constant, wire_value};

/// What Tempo says of a trace whose root it has not; Grafana looks for this text.
const NO_ROOT: &str = "<root span not yet received>";

/// Bytes of values in an answer, as in Tempo.
const VALUES_BYTES_MAX: usize = 1 << 20;

/// What it cost, and how far it is. The live spans are a part of the work besides the blocks.
pub(crate) fn search_metrics(stats: &QueryStats, is_done: bool) -> SearchMetrics {
    let total = stats.blocks.saturating_add(1);
    let completed = stats.blocks_done + stats.blocks_skipped;
    SearchMetrics {
        inspected_traces: narrow(stats.traces),
        inspected_bytes: stats.bytes,
        inspected_spans: stats.spans,
        total_blocks: narrow(stats.blocks),
        completed_jobs: narrow(if is_done {
            total
        } else {
            completed.min(stats.blocks)
        }),
        total_jobs: narrow(total),
        total_block_bytes: stats.block_bytes,
    }
}

fn narrow(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn metadata_metrics(stats: &QueryStats) -> MetadataMetrics {
    let metrics = search_metrics(stats, true);
    MetadataMetrics {
        inspected_bytes: metrics.inspected_bytes,
        total_jobs: metrics.total_jobs,
        completed_jobs: metrics.completed_jobs,
        total_blocks: metrics.total_blocks,
        total_block_bytes: metrics.total_block_bytes,
    }
}

// === search ===

pub(crate) fn search(page: &SearchPage) -> SearchResponse {
    SearchResponse {
        traces: page.traces.iter().map(trace).collect(),
        metrics: search_metrics(&page.stats, true),
    }
}

pub(crate) fn trace(found: &MatchedTrace) -> TraceMetadata {
    let summary = &found.summary;
    let root_service_name = match summary.has_root {
        true => summary.root_service.clone(),
        false => NO_ROOT.into(),
    };
    let stats = summary.services.iter().map(|(name, spans, errors)| {
        let stats = ServiceStats {
            span_count: *spans,
            error_count: *errors,
        };
        (name.clone(), stats)
    });
    TraceMetadata {
        // In full width, as Tempo writes it when told to: ids without their leading zeros are found nowhere else.
        trace_id: summary.trace_id.to_string(),
        root_service_name,
        root_trace_name: summary.root_name.clone(),
        start_time_unix_nano: summary.start.0.max(0) as u64,
        duration_ms: narrow(summary.duration().0.max(0) as u64 / 1_000_000),
        span_sets: found.spansets.iter().map(spanset).collect(),
        service_stats: stats.collect(),
    }
}

fn spanset(found: &MatchedSpanset) -> SpanSet {
    let key = |(name, value): &(std::sync::Arc<str>, Constant)| KeyValue {
        key: name.to_string(),
        value: wire_constant(value),
    };
    SpanSet {
        spans: found.spans.iter().map(span).collect(),
        matched: narrow(found.matched as u64),
        attributes: found.keys.iter().map(key).collect(),
    }
}

fn span(found: &MatchedSpan) -> Span {
    Span {
        span_id: found.span_id.to_string(),
        name: found.name.clone(),
        start_time_unix_nano: found.start.0.max(0) as u64,
        duration_nanos: found.duration.0.max(0) as u64,
        attributes: found.attributes.iter().filter_map(attribute).collect(),
    }
}

/// An attribute by its key, without the scope. What the trace or the span says in a field of its own is left out.
fn attribute(found: &MatchedAttribute) -> Option<KeyValue> {
    let key = match &found.field {
        Field::Attribute {
            owner: Owner::Span,
            name,
            ..
        } => name.to_string(),
        Field::Intrinsic {
            owner: Owner::Span,
            intrinsic,
        } => match intrinsic {
            Intrinsic::Name
            | Intrinsic::Duration
            | Intrinsic::SpanId
            | Intrinsic::TraceId
            | Intrinsic::TraceDuration
            | Intrinsic::RootName
            | Intrinsic::RootService => return None,
            other => other.spelling(false).to_owned(),
        },
        of_parent => of_parent.to_string(),
    };
    Some(KeyValue {
        key,
        value: wire_value(&found.value),
    })
}

// === names and values ===

/// Names by scope; what is of the language comes last.
pub(crate) fn tags_v2(ask: &TagsAsk, names: TagNames) -> TagsV2Response {
    let scopes = names.scopes.into_iter().map(|(scope, tags)| TagScope {
        name: scope.word().to_owned(),
        tags,
    });
    let mut scopes: Vec<TagScope> = scopes.collect();
    if matches!(ask.scope, TagsScope::All | TagsScope::Intrinsic) {
        scopes.push(TagScope {
            name: "intrinsic".into(),
            tags: intrinsics(),
        });
    }
    TagsV2Response {
        scopes,
        metrics: metadata_metrics(&QueryStats::default()),
    }
}

/// Names of all scopes together. Those of the language only when asked for, as in Tempo.
pub(crate) fn tags_v1(ask: &TagsAsk, names: TagNames) -> TagsResponse {
    let mut tag_names = match ask.scope {
        TagsScope::Intrinsic => intrinsics(),
        _ => names
            .scopes
            .into_iter()
            .flat_map(|(_, tags)| tags)
            .collect(),
    };
    tag_names.sort_unstable();
    tag_names.dedup();
    TagsResponse {
        tag_names,
        metrics: metadata_metrics(&QueryStats::default()),
    }
}

/// Every spelling of every intrinsic, without the numbers that only programs ask for.
fn intrinsics() -> Vec<String> {
    let internal = [
        Intrinsic::NestedSetLeft,
        Intrinsic::NestedSetRight,
        Intrinsic::NestedSetParent,
    ];
    let all = Intrinsic::ALL
        .iter()
        .filter(|each| !internal.contains(each));
    let spellings = all.flat_map(|each| [each.unscoped(), each.scoped()]);
    let mut spellings: Vec<String> = spellings.flatten().map(str::to_owned).collect();
    spellings.sort_unstable();
    spellings
}

pub(crate) fn values_v2(found: &TagValues) -> TagValuesV2Response {
    let values = found.values.iter().map(|value| TagValue {
        kind: match value {
            Constant::Str(_) => "string",
            Constant::Int(_) => "int",
            Constant::Float(_) => "float",
            Constant::Bool(_) => "bool",
            Constant::Duration(_) => "duration",
            Constant::Status(_) | Constant::Kind(_) => "keyword",
        },
        value: plain_text(value),
    });
    TagValuesV2Response {
        tag_values: within_bytes(values, |value| value.value.len()),
        metrics: metadata_metrics(&found.stats),
    }
}

pub(crate) fn values_v1(found: &TagValues) -> TagValuesResponse {
    let mut tag_values = within_bytes(found.values.iter().map(plain_text), String::len);
    tag_values.sort_unstable();
    tag_values.dedup();
    TagValuesResponse {
        tag_values,
        metrics: metadata_metrics(&found.stats),
    }
}

/// As many of the first as fit an answer.
fn within_bytes<T>(values: impl Iterator<Item = T>, len: impl Fn(&T) -> usize) -> Vec<T> {
    let mut bytes = 0;
    values
        .take_while(|value| {
            bytes += len(value);
            bytes <= VALUES_BYTES_MAX
        })
        .collect()
}

// === metrics ===

/// Series over time, `max_series` of them at the most unless that is zero.
pub(crate) fn query_range(
    answer: &MetricsAnswer,
    steps: &Steps,
    max_series: usize,
) -> QueryRangeResponse {
    let shown = shown(answer, max_series);
    QueryRangeResponse {
        series: shown
            .iter()
            .map(|series| time_series(series, steps))
            .collect(),
        metrics: search_metrics(&answer.stats, true),
        partial: partial(answer, shown.len()),
    }
}

/// One number for each series.
pub(crate) fn query_instant(answer: &MetricsAnswer) -> QueryInstantResponse {
    let series = answer.series.iter().filter_map(|series| {
        Some(InstantSeries {
            labels: labels(series),
            value: series.points.first().copied().flatten()?,
        })
    });
    QueryInstantResponse {
        series: series.collect(),
        metrics: search_metrics(&answer.stats, true),
        partial: partial(answer, answer.series.len()),
    }
}

fn shown(answer: &MetricsAnswer, max_series: usize) -> &[FoundSeries] {
    match max_series {
        0 => &answer.series,
        max => &answer.series[..max.min(answer.series.len())],
    }
}

fn partial(answer: &MetricsAnswer, shown: usize) -> Partial {
    let mut reasons = answer.missing.clone();
    if shown < answer.series.len() {
        reasons.push(format!(
            "{shown} of {} series are shown, as maxSeries says",
            answer.series.len()
        ));
    }
    Partial((!reasons.is_empty()).then(|| reasons.join("; ")))
}

pub(crate) fn time_series(series: &FoundSeries, steps: &Steps) -> TimeSeries {
    let points = steps.points().zip(&series.points);
    let samples = points.filter_map(|(time, value)| {
        Some(Sample {
            timestamp_ms: millis(time),
            value: (*value)?,
        })
    });
    TimeSeries {
        labels: labels(series),
        samples: samples.collect(),
        exemplars: series.exemplars.iter().map(exemplar).collect(),
    }
}

fn labels(series: &FoundSeries) -> Vec<KeyValue> {
    let label = |(name, value): &(std::sync::Arc<str>, Constant)| KeyValue {
        key: name.to_string(),
        value: wire_constant(value),
    };
    series.labels.iter().map(label).collect()
}

fn exemplar(exemplar: &Exemplar) -> wire::tempo::Exemplar {
    let label = |key: &str, value: String| KeyValue {
        key: key.into(),
        value: Value::Str(value),
    };
    wire::tempo::Exemplar {
        labels: vec![
            label("trace:id", exemplar.trace_id.to_string()),
            label("span:id", exemplar.span_id.to_string()),
        ],
        value: exemplar.value,
        timestamp_ms: millis(exemplar.time),
    }
}

fn millis(time: UnixNanos) -> i64 {
    time.0.div_euclid(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_intrinsics_are_those_of_tempo_and_two_more() {
        let all = intrinsics();
        assert_eq!(all.len(), 26);
        for more in ["span:childCount", "span:parentID"] {
            assert!(all.iter().any(|name| name == more));
        }
        assert!(all.iter().all(|name| traceql::parse_field(name).is_ok()));
    }

    #[test]
    fn progress_is_complete_only_at_the_end() {
        let stats = QueryStats {
            blocks: 3,
            blocks_done: 2,
            blocks_skipped: 1,
            ..QueryStats::default()
        };
        let (before, after) = (search_metrics(&stats, false), search_metrics(&stats, true));
        assert_eq!((before.completed_jobs, before.total_jobs), (3, 4));
        assert_eq!((after.completed_jobs, after.total_jobs), (4, 4));
    }
}
