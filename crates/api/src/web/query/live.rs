//! `GET /api/v1/search/live`: traces that match as they come, as server-sent events, until the client leaves.
//!
//! While spans come in, the newest traces that match are looked up once a second, and what is new or has changed is sent. A
//! listener costs a search that stops early, and nothing while no spans come. A client that does not read is not searched for.

#![expect(
    unused_qualifications,
    reason = "the code that utoipa derives spells out paths"
)]

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use bytes::Bytes;
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http_body::Frame;
use model::TraceId;
use query::{MatchedTrace, SearchPage, SearchRequest};
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use utoipa::{IntoParams, ToSchema};

use super::search::{FoundTrace, SearchParams};
use crate::edge::{Edge, LISTENERS_MAX};
use crate::web::failure::Failure;

/// Between two looks: as often as somebody can read.
const PAUSE: Duration = Duration::from_secs(1);

/// Looks without a word after which a comment is sent, so that proxies do not take the connection for dead.
const QUIET_LOOKS_MAX: u32 = 15;

/// Traces of one event. Of more in a second the newest are sent, and it is said.
const TRACES_MAX: &str = "100";

/// Events that may wait for a slow client.
const WAITING_MAX: usize = 2;

/// Which traces to follow.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LiveParams {
    /// TraceQL; every trace when it is empty.
    q: Option<String>,
    /// Only traces that end at or after this: Unix seconds (a fraction is allowed), Unix nanoseconds, or RFC 3339.
    start: Option<String>,
    /// Spans shown of each spanset, 0 to 100; 3 when not given.
    spss: Option<String>,
}

/// The data of an event `traces`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LiveTraces {
    /// Traces that are new or have changed, newest first.
    traces: Vec<FoundTrace>,
    /// Whether more were new than are sent.
    left_out: bool,
    /// What could not be read or was not looked at, in words.
    missing: Vec<String>,
}

/// Follows a search: the newest traces that match, and from then on those that are new or have changed.
///
/// Server-sent events. `traces`: `{ "traces": […], "leftOut": false, "missing": […] }`, with traces as `/api/v1/search`
/// answers them. `failed`: why it ended, as text. Ask again to go on.
#[utoipa::path(
    get,
    path = "/api/v1/search/live",
    tag = "query",
    params(LiveParams),
    responses(
        (status = 200, description = "Events, until the client leaves", body = String, content_type = "text/event-stream"),
        (status = 400, description = "The query cannot run, with a caret under the mistake; or a parameter cannot be used", body = String, content_type = "text/plain"),
        (status = 503, description = "Too many listen already, or the server is not ready", body = String, content_type = "text/plain"),
    )
)]
pub(crate) async fn live(
    State(edge): State<Edge>,
    params: Result<Query<LiveParams>, QueryRejection>,
) -> Result<Response, Failure> {
    let Query(LiveParams { q, start, spss }) =
        params.map_err(|rejection| Failure::invalid(rejection.body_text()))?;
    let limit = Some(TRACES_MAX.to_owned());
    let request = SearchParams::newest(q, start, spss, limit).request(&edge)?;
    edge.engines()?;
    let slot = Arc::clone(edge.listeners())
        .try_acquire_owned()
        .map_err(|_| {
            Failure::unreadable(format!(
                "{LISTENERS_MAX} live searches are open, and more are not served; close one or try again"
            ))
        })?;
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    tokio::spawn(async move {
        tokio::select! {
            // Dropping the work ends it.
            () = sender.closed() => {}
            () = follow(&edge, &request, &sender) => {}
        }
        drop::<OwnedSemaphorePermit>(slot);
    });
    let mut response = Response::new(Body::new(Events(receiver)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Looks and tells until something fails or the server goes down.
async fn follow(edge: &Edge, request: &SearchRequest, out: &mpsc::Sender<Bytes>) {
    let mut known = Known::default();
    let mut looked_at = None;
    let mut quiet_looks = 0;
    while !edge.health().is_draining() {
        let changes = match edge.engines() {
            // Counted before the look: what comes while it is made is looked for the next time.
            Ok(engines) => {
                let counted = engines.collector.snapshot();
                Some((counted.received, counted.inserted))
            }
            Err(_) => None,
        };
        let event = if changes == looked_at {
            None
        } else {
            looked_at = changes;
            match look(edge, request).await {
                Ok(page) => known.event(page),
                Err(failure) => {
                    let _ = out.send(event("failed", &failure.to_string())).await;
                    return;
                }
            }
        };
        quiet_looks = if event.is_some() { 0 } else { quiet_looks + 1 };
        let event = event.or_else(|| {
            let is_time = quiet_looks % QUIET_LOOKS_MAX == 0;
            is_time.then(|| Bytes::from_static(b": still here\n\n"))
        });
        if let Some(event) = event
            && out.send(event).await.is_err()
        {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The newest traces that match. Waits its turn among all questions.
async fn look(edge: &Edge, request: &SearchRequest) -> Result<SearchPage, Failure> {
    // Never closed, so waiting cannot fail.
    let _slot = edge.reads().acquire().await;
    Ok(edge.engines()?.query.search(request).await?)
}

/// What was sent of the newest traces: as much of each as changes when it grows.
#[derive(Default)]
struct Known {
    traces: Option<HashMap<TraceId, Print>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Print {
    spans: u64,
    errors: u64,
    matched: usize,
    has_root: bool,
}

impl Print {
    fn of(trace: &MatchedTrace) -> Self {
        Self {
            spans: trace.summary.span_count,
            errors: trace.summary.error_count,
            matched: trace.spansets.iter().map(|spanset| spanset.matched).sum(),
            has_root: trace.summary.has_root,
        }
    }
}

impl Known {
    /// An event with what is not known yet, if anything is, and knows it from now on. Traces that newer ones have pushed off
    /// the page are forgotten, so this stays as small as a page.
    fn event(&mut self, page: SearchPage) -> Option<Bytes> {
        let prints: HashMap<_, _> = page
            .traces
            .iter()
            .map(|trace| (trace.summary.trace_id, Print::of(trace)))
            .collect();
        let before = self.traces.replace(prints);
        let is_first = before.is_none();
        let before = before.unwrap_or_default();
        let is_all_new = !page
            .traces
            .iter()
            .any(|trace| before.contains_key(&trace.summary.trace_id));
        let changed = page
            .traces
            .into_iter()
            .filter(|trace| before.get(&trace.summary.trace_id) != Some(&Print::of(trace)));
        let told = LiveTraces {
            traces: changed.map(Into::into).collect(),
            left_out: !is_first && is_all_new && page.next.is_some(),
            missing: page.missing,
        };
        if told.traces.is_empty() && !is_first {
            return None;
        }
        let data = serde_json::to_string(&told).unwrap_or_default();
        Some(event("traces", &data))
    }
}

/// An event. Its data may have several lines, such as a query with a caret under it.
fn event(name: &str, data: &str) -> Bytes {
    let mut text = format!("event: {name}\n");
    for line in data.lines() {
        text.push_str("data: ");
        text.push_str(line);
        text.push('\n');
    }
    text.push('\n');
    text.into()
}

/// The body of the answer.
struct Events(mpsc::Receiver<Bytes>);

impl http_body::Body for Events {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let event = self.0.poll_recv(context);
        event.map(|event| event.map(|event| Ok(Frame::data(event))))
    }
}
