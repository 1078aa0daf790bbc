//! `MetricsQueryRange` and `MetricsQueryInstant`

use model::{DurationNanos, UnixNanos};
use query::{MetricsAnswer, MetricsRequest};
use wire::tempo::{
    InstantSeries, QueryInstantRequest, QueryInstantResponse, QueryRangeRequest,
    QueryRangeResponse, SearchMetrics, TimeSeries,
};

use super::out::Out;
use super::packet::{Sent, packets};
use super::{Job, unreadable};
use crate::edge::Edge;
use crate::web::failure::Failure;
use crate::web::query::limits;
use crate::web::tempo::answer;
use crate::web::tempo::ask::MetricsAsk;

/// A time of a message.
fn time(nanos: u64) -> Option<UnixNanos> {
    i64::try_from(nanos).ok().map(UnixNanos)
}

/// `MetricsQueryRange`: series as they grow. A message has the series that have changed since the one before, whole; the last
/// messages have all.
pub(super) fn query_range(edge: Edge, message: &[u8], out: Out) -> Result<Job, Failure> {
    let message = QueryRangeRequest::decode(message).map_err(|error| unreadable(&error))?;
    let ask = MetricsAsk {
        q: message.query,
        start: time(message.start),
        end: time(message.end),
        since: None,
        step: i64::try_from(message.step).ok().map(DurationNanos),
        exemplars: (message.exemplars > 0).then_some(message.exemplars as usize),
        max_series: message.max_series as usize,
        instant: message.instant,
    };
    let request = ask.request(edge.engines()?.clock.now(), limits(&edge))?;
    let steps = request.steps;
    let render = move |found: &MetricsAnswer| answer::query_range(found, &steps, ask.max_series);
    Ok(Box::pin(run(edge, request, out, render)))
}

/// `MetricsQueryInstant`: the same with one number for each series.
pub(super) fn query_instant(edge: Edge, message: &[u8], out: Out) -> Result<Job, Failure> {
    let message = QueryInstantRequest::decode(message).map_err(|error| unreadable(&error))?;
    let ask = MetricsAsk {
        q: message.query,
        start: time(message.start),
        end: time(message.end),
        instant: true,
        ..MetricsAsk::default()
    };
    let request = ask.request(edge.engines()?.clock.now(), limits(&edge))?;
    Ok(Box::pin(run(edge, request, out, answer::query_instant)))
}

async fn run<R: Response>(
    edge: Edge,
    request: MetricsRequest,
    out: Out,
    render: impl Fn(&MetricsAnswer) -> R + Send + Sync,
) -> Result<(), Failure> {
    let mut sent = Sent::new();
    let progress = |found: &MetricsAnswer| {
        if !sent.is_time() {
            return;
        }
        let mut response = render(found);
        *response.metrics() = answer::search_metrics(&found.stats, false);
        let series = std::mem::take(response.series());
        let named = series.into_iter().map(|series| (series.name(), series));
        let changed = sent.changed(named, Series::bytes);
        let prints: Vec<(Vec<u8>, u64)> = changed
            .iter()
            .map(|(name, print, _)| (name.clone(), *print))
            .collect();
        let series = changed.into_iter().map(|(.., series)| series).collect();
        if out.offer(&messages(&mut response, series)) {
            sent.remember(prints);
        }
    };
    let query = &edge.engines()?.query;
    let found = query.metrics_with_progress(&request, progress).await?;
    let mut response = render(&found);
    let series = std::mem::take(response.series());
    out.send(&messages(&mut response, series)).await;
    Ok(())
}

fn messages<R: Response>(response: &mut R, series: Vec<R::Series>) -> Vec<Vec<u8>> {
    packets(series, |series| series.bytes().len())
        .into_iter()
        .map(|series| {
            *response.series() = series;
            response.bytes()
        })
        .collect()
}

/// What the two answers have in common.
trait Response: Send {
    type Series: Series;

    fn series(&mut self) -> &mut Vec<Self::Series>;
    fn metrics(&mut self) -> &mut SearchMetrics;
    fn bytes(&self) -> Vec<u8>;
}

trait Series: Send {
    /// What tells it from the others: its labels.
    fn name(&self) -> Vec<u8>;
    fn bytes(&self) -> Vec<u8>;
}

macro_rules! responses {
    ($($response:ident of $series:ident),*) => {
        $(
            impl Response for $response {
                type Series = $series;

                fn series(&mut self) -> &mut Vec<$series> {
                    &mut self.series
                }

                fn metrics(&mut self) -> &mut SearchMetrics {
                    &mut self.metrics
                }

                fn bytes(&self) -> Vec<u8> {
                    self.to_protobuf()
                }
            }

            impl Series for $series {
                fn name(&self) -> Vec<u8> {
                    let labels = self.labels.clone();
                    $series { labels, ..Default::default() }.to_protobuf()
                }

                fn bytes(&self) -> Vec<u8> {
                    self.to_protobuf()
                }
            }
        )*
    };
}

responses!(QueryRangeResponse of TimeSeries, QueryInstantResponse of InstantSeries);
