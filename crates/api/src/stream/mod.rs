//! `tempopb.StreamingQuerier`: Tempo's questions over gRPC, each answered with a stream of messages while the engine works.
//!
//! A message holds what is new since the one before, and how far the work is; the last one has it done. Served on the ports
//! for OTLP and on the one for HTTP, where Grafana looks for it. A client that leaves takes the work with it.

mod metrics;
mod out;
mod packet;
mod search;
mod tags;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::routing::{MethodRouter, post};
use bytes::Bytes;
use collect::Encoding;
use http::{HeaderMap, Response};
use model::UnixNanos;

use self::out::{Out, stream};
use crate::codes::{Code, Rejection};
use crate::edge::Edge;
use crate::grpc::{
    FRAME_HEADER_BYTES, encoding_of, message_of, not_grpc, rejected, respond, speaks_protobuf,
    stated_encoding,
};
use crate::web::failure::Failure;

/// A question is a query and a few numbers; inflated it must not be more.
const QUESTION_BYTES_MAX: usize = 1 << 20;

const INSTEAD: &str = "The same is answered over HTTP at /api/search and its neighbours";

/// The methods, on whatever port.
pub(crate) fn routes() -> Router<Edge> {
    let method = |name: &str| format!("/tempopb.StreamingQuerier/{name}");
    Router::new()
        .route(&method("Search"), serve(search::search))
        .route(&method("SearchTags"), serve(tags::names_v1))
        .route(&method("SearchTagsV2"), serve(tags::names_v2))
        .route(&method("SearchTagValues"), serve(tags::values_v1))
        .route(&method("SearchTagValuesV2"), serve(tags::values_v2))
        .route(&method("MetricsQueryRange"), serve(metrics::query_range))
        .route(
            &method("MetricsQueryInstant"),
            serve(metrics::query_instant),
        )
}

/// The work of a question, which puts messages into the stream.
type Job = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

/// Reads and checks a question, and returns the work of answering it.
type Method = fn(Edge, &[u8], Out) -> Result<Job, Failure>;

/// Serves a method. What is wrong with a question is said before anything is streamed.
fn serve(method: Method) -> MethodRouter<Edge> {
    let handler = async move |State(edge): State<Edge>, request: Request| {
        if !speaks_protobuf(request.headers()) {
            return not_grpc(INSTEAD);
        }
        match begin(edge, request, method).await {
            Ok(response) => response,
            Err(rejection) => rejected(&rejection),
        }
    };
    post(handler).fallback(async || not_grpc(INSTEAD))
}

/// Begins an answer. Questions share the bounds on number and time of those over HTTP.
async fn begin(edge: Edge, request: Request, method: Method) -> Result<Response<Body>, Rejection> {
    let (parts, mut body) = request.into_parts();
    let message = question(&edge, &parts.headers, &mut body).await?;
    let (out, answer) = stream();
    let job = method(edge.clone(), &message, out.clone())?;
    let time_max = edge.limits().read_time_max;
    let time_max = timeout_of(&parts.headers).map_or(time_max, |timeout| timeout.min(time_max));
    tokio::spawn(async move {
        let work = async {
            // Never closed, so waiting cannot fail.
            let _slot = edge.reads().acquire().await;
            job.await
        };
        let ended = tokio::select! {
            // Dropping the work ends it.
            () = out.left() => return,
            ended = tokio::time::timeout(time_max, work) => ended,
        };
        let ended = ended.unwrap_or_else(|_| Err(Failure::timed_out(time_max)));
        out.end(ended.map_err(Rejection::from)).await;
    });
    Ok(respond(Code::Ok, Body::new(answer)))
}

/// The one message of the request, inflated.
async fn question(edge: &Edge, headers: &HeaderMap, body: &mut Body) -> Result<Bytes, Rejection> {
    let stated = stated_encoding(headers)?;
    let taken = edge
        .intake()
        .take(headers, body, FRAME_HEADER_BYTES)
        .await?;
    let (is_compressed, message) = message_of(&taken.bytes)?;
    match encoding_of(is_compressed, stated)? {
        Encoding::Identity => Ok(message),
        encoding => {
            let mut inflated = Vec::new();
            collect::inflate(encoding, &message, QUESTION_BYTES_MAX, &mut inflated)?;
            Ok(inflated.into())
        }
    }
}

/// How long the client waits: up to eight digits and a unit.
fn timeout_of(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = number.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(number.checked_mul(3600)?),
        "M" => Duration::from_secs(number.checked_mul(60)?),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

/// A time of a message; zero is none.
fn seconds(number: u32) -> Option<UnixNanos> {
    (number > 0).then(|| UnixNanos(i64::from(number) * 1_000_000_000))
}

/// A broken message.
fn unreadable(error: &wire::tempo::RequestError) -> Failure {
    Failure::invalid(format!("cannot read the request: {error}"))
}

#[cfg(test)]
mod tests {
    use http_body_util::{BodyExt as _, Full};
    use tokio::sync::Notify;

    use super::*;
    use crate::edge::Limits;

    fn edge() -> Edge {
        Edge::new(Limits {
            body_bytes_max: 1 << 20,
            bodies_bytes_max: 1 << 20,
            body_time_max: Duration::from_secs(10),
            transcodes_max: 1,
            reads_max: 1,
            read_time_max: Duration::from_secs(600),
        })
    }

    fn request(timeout: &str) -> Request {
        let body = Body::new(Full::new(Bytes::from_static(&[0; FRAME_HEADER_BYTES])));
        let mut request = Request::new(body);
        let headers = request.headers_mut();
        headers.insert("grpc-timeout", timeout.parse().unwrap());
        request
    }

    /// Work without an end, which tells when it begins and when it is dropped.
    struct Working(&'static (Notify, Notify));

    impl Drop for Working {
        fn drop(&mut self) {
            self.0.1.notify_one();
        }
    }

    async fn for_ever(signals: &'static (Notify, Notify)) -> Result<(), Failure> {
        let _working = Working(signals);
        signals.0.notify_one();
        std::future::pending().await
    }

    #[tokio::test]
    async fn a_client_that_leaves_ends_the_work() {
        static SIGNALS: (Notify, Notify) = (Notify::const_new(), Notify::const_new());
        let method: Method = |_, _, _| Ok(Box::pin(for_ever(&SIGNALS)));
        let response = begin(edge(), request("8H"), method).await.unwrap();
        SIGNALS.0.notified().await;
        drop(response);
        SIGNALS.1.notified().await;
    }

    #[tokio::test]
    async fn work_that_takes_too_long_is_ended_with_a_status() {
        static SIGNALS: (Notify, Notify) = (Notify::const_new(), Notify::const_new());
        let method: Method = |_, _, _| Ok(Box::pin(for_ever(&SIGNALS)));
        let response = begin(edge(), request("20m"), method).await.unwrap();
        let whole = response.into_body().collect().await.unwrap();
        let status = &whole.trailers().unwrap()["grpc-status"];
        assert_eq!(status.as_bytes(), b"4");
        SIGNALS.1.notified().await;
    }

    #[test]
    fn time_limits_of_clients_are_read() {
        let timeout = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-timeout", text.parse().unwrap());
            timeout_of(&headers)
        };
        assert_eq!(timeout("10S"), Some(Duration::from_secs(10)));
        assert_eq!(timeout("250m"), Some(Duration::from_millis(250)));
        assert_eq!(timeout("1H"), Some(Duration::from_secs(3600)));
        for wrong in ["", "S", "10", "10x", "-1S"] {
            assert_eq!(timeout(wrong), None, "{wrong}");
        }
    }
}
