//! TraceQL over live and stored spans: the ways in, and how an answer came about.

use std::fmt::Write as _;
use std::sync::Arc;

use evaluate::Steps;
use model::{DurationNanos, UnixNanos};
use traceql::query::Body;

use crate::search::Search;
use crate::work::Work;
use crate::{
    Limits, MetricsRequest, Query, QueryError, QueryStats, SearchPage, SearchRequest, TraceOrder,
};

/// Traces looked for, and points computed, to explain a query.
const EXPLAINED: i64 = 20;

impl Query {
    /// One page of the traces that match. Dropping the future ends the work.
    ///
    /// # Errors
    /// [`QueryError::Live`], [`QueryError::Limit`]. What cannot be read is no error, but is named in the answer.
    pub async fn search(&self, request: &SearchRequest) -> Result<SearchPage, QueryError> {
        let work = Work::begin(request.limits);
        Search::begin(self, request, work).await?.run(None).await
    }

    /// As [`Self::search`]. `progress` is called now and then with what is found so far: the best traces yet, which better ones
    /// may still push out, and what it has cost. To show them costs time of its own.
    ///
    /// # Errors
    /// As with [`Self::search`].
    pub async fn search_with_progress(
        &self,
        request: &SearchRequest,
        mut progress: impl FnMut(&SearchPage) + Send,
    ) -> Result<SearchPage, QueryError> {
        let work = Work::begin(request.limits);
        let search = Search::begin(self, request, work).await?;
        search.run(Some(&mut progress)).await
    }

    /// Answers a query, a page of the newest traces or some points of series, and tells how: a line for each step, and what
    /// it cost. Without times a search looks at everything, and series are those of the hour before the latest span.
    ///
    /// # Errors
    /// As with [`Self::search`].
    pub async fn explain(
        &self,
        query: &traceql::Query,
        start: Option<UnixNanos>,
        end: Option<UnixNanos>,
    ) -> Result<String, QueryError> {
        const HOUR: i64 = 3_600_000_000_000;
        let query = Arc::new(query.clone());
        let limits = Limits::default();
        let (work, guard) = Work::begin_explained(limits);
        let (what, stats) = match &query.body {
            Body::Search(_) => {
                let request = SearchRequest {
                    query: query.clone(),
                    start,
                    end,
                    order: TraceOrder::Newest,
                    limit: EXPLAINED as usize,
                    spans_per_spanset: 3,
                    cursor: None,
                    limits,
                };
                let search = Search::begin(self, &request, (work.clone(), guard)).await?;
                let page = search.run(None).await?;
                (
                    format!("{} traces, newest first", page.traces.len()),
                    page.stats,
                )
            }
            Body::Metrics(_) => {
                let end = match end {
                    Some(end) => end,
                    None => self
                        .extent()
                        .await?
                        .map_or(UnixNanos(0), |extent| extent.end),
                };
                let start = start.unwrap_or(UnixNanos(end.0.saturating_sub(HOUR)));
                let step = DurationNanos((end.since(start).0 / EXPLAINED).max(1));
                let request = MetricsRequest {
                    query: query.clone(),
                    steps: Steps::Range { start, end, step },
                    exemplars: 0,
                    limits,
                };
                let answer = self.metrics_with(&request, None, work.clone()).await?;
                drop(guard);
                (format!("{} series", answer.series.len()), answer.stats)
            }
        };
        Ok(told(&what, &work.notes(), &stats))
    }
}

fn told(what: &str, notes: &[String], stats: &QueryStats) -> String {
    let mut text = format!("{what}\n");
    for note in notes {
        let _ = writeln!(text, "  {note}");
    }
    let _ = writeln!(
        text,
        "{} of {} blocks, {} not looked into; {} spans in columns or whole, {} traces whole; {} bytes read of {}; {:?}",
        stats.blocks_done,
        stats.blocks,
        stats.blocks_skipped,
        stats.spans,
        stats.traces,
        stats.bytes,
        stats.block_bytes,
        stats.elapsed
    );
    text
}
