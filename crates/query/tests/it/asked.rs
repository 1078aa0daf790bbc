//! What the engine answers, in the words of the testkit.

use std::sync::Arc;

use evaluate::Display;
use query::{Limits, MatchedTrace, MetricsRequest, Query, SearchRequest, TraceOrder};
use testkit::oracle::{Found, FoundSeries, FoundSpan, FoundSpanset, Shown, Steps};
use traceql::query::Body;

/// All traces that match, page by page.
pub(crate) async fn search(engine: &Query, query: &traceql::Query, limit: usize) -> Vec<Found> {
    let Body::Search(pipeline) = &query.body else {
        panic!("not a search");
    };
    let selected: Vec<String> = Display::new(pipeline)
        .selected()
        .iter()
        .map(|column| column.label.clone())
        .collect();
    let mut request = SearchRequest {
        query: Arc::new(query.clone()),
        start: None,
        end: None,
        order: TraceOrder::Newest,
        limit,
        spans_per_spanset: usize::MAX,
        cursor: None,
        limits: Limits::default(),
    };
    let mut found = Vec::new();
    loop {
        let page = sendable(engine.search(&request)).await.unwrap();
        assert_eq!(page.missing, Vec::<String>::new());
        found.extend(page.traces.into_iter().map(|trace| told(trace, &selected)));
        match page.next {
            Some(next) => request.cursor = Some(next),
            None => return found,
        }
    }
}

fn told(trace: MatchedTrace, selected: &[String]) -> Found {
    let spansets = trace.spansets.into_iter().map(|spanset| {
        assert_eq!(spanset.matched, spanset.spans.len());
        let spans = spanset.spans.into_iter().map(|span| FoundSpan {
            id: span.span_id,
            columns: span
                .attributes
                .into_iter()
                .filter(|attribute| selected.iter().any(|label| **label == *attribute.label))
                .map(|attribute| (attribute.label.to_string(), shown(attribute.value)))
                .collect(),
        });
        FoundSpanset {
            spans: spans.collect(),
            keys: spanset
                .keys
                .into_iter()
                .map(|(label, value)| (label.to_string(), value))
                .collect(),
        }
    });
    Found {
        trace: trace.summary.trace_id,
        spansets: spansets.collect(),
    }
}

fn shown(value: evaluate::Shown) -> Shown {
    match value {
        evaluate::Shown::One(constant) => Shown::One(constant),
        evaluate::Shown::Other(text) => Shown::Other(text),
        evaluate::Shown::Many(items) => Shown::Many(items.into_iter().map(shown).collect()),
    }
}

/// The series at `steps`.
pub(crate) async fn metrics(
    engine: &Query,
    query: &traceql::Query,
    steps: &Steps,
) -> Vec<FoundSeries> {
    let steps = match *steps {
        Steps::Range { start, end, step } => evaluate::Steps::Range { start, end, step },
        Steps::Instant { start, end } => evaluate::Steps::Instant { start, end },
    };
    let request = MetricsRequest {
        query: Arc::new(query.clone()),
        steps,
        exemplars: 0,
        limits: Limits::default(),
    };
    // Surfaces run it on any thread.
    let answer = sendable(engine.metrics(&request)).await.unwrap();
    assert_eq!(answer.missing, Vec::<String>::new());
    let series = answer.series.into_iter().map(|series| FoundSeries {
        labels: series
            .labels
            .into_iter()
            .map(|(label, value)| (label.to_string(), value))
            .collect(),
        points: series.points,
    });
    series.collect()
}

fn sendable<T>(future: impl Future<Output = T> + Send) -> impl Future<Output = T> + Send {
    future
}
