//! A server in this process: engines over a temporary folder and a store in memory, surfaces on free ports.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use api::{Cors, Edge, Engines, Limits, Listener};
use bytes::Bytes;
use collect::Collector;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use journal::{Journal, JournalConfig, SystemFiles};
use model::{Clock, UnixNanos};
use query::Query;
use store::{Store, StoreConfig};
use tokio_util::sync::CancellationToken;

/// The time of every test.
pub(crate) const NOW: i64 = 1_795_253_400_000_000_000;

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> UnixNanos {
        UnixNanos(NOW)
    }
}

/// Limits small enough to be met in a test.
pub(crate) fn limits() -> Limits {
    Limits {
        body_bytes_max: 1 << 20,
        bodies_bytes_max: 4 << 20,
        body_time_max: Duration::from_secs(10),
        transcodes_max: 2,
        reads_max: 4,
        read_time_max: Duration::from_secs(10),
    }
}

pub(crate) struct World {
    pub(crate) edge: Edge,
    pub(crate) otlp: SocketAddr,
    pub(crate) web: SocketAddr,
    pub(crate) collector: Option<Collector>,
    pub(crate) stop: CancellationToken,
    body_bytes_max: usize,
    folder: tempfile::TempDir,
}

impl World {
    /// A server that is ready.
    pub(crate) async fn new() -> Self {
        Self::with(limits(), Cors::default()).await
    }

    pub(crate) async fn with(limits: Limits, cors: Cors) -> Self {
        let mut world = Self::starting(limits, cors).await;
        let collect_settings = collect::Settings {
            body_bytes_max: world.body_bytes_max,
            ..collect::Settings::for_machine(2, 64 << 20)
        };
        let clock: Arc<dyn Clock> = Arc::new(Fixed);
        let (objects, root) = store::open_object_store("memory://").unwrap();
        let store = Store::open(StoreConfig::new(root, "default"), objects, clock.clone())
            .await
            .unwrap();
        let config = JournalConfig::new(world.folder.path().join("journal"));
        let (journal, recovered) = Journal::open(config, Arc::new(SystemFiles)).unwrap();
        let (collector, _) = Collector::start(
            collect_settings,
            journal,
            recovered,
            store.clone(),
            Arc::clone(&clock),
            Some(1),
        )
        .await
        .unwrap();
        world.edge.start(Engines {
            collector: collector.clone(),
            query: Query::new(collector.clone(), store),
            clock,
        });
        world.collector = Some(collector);
        world
    }

    /// Surfaces without engines.
    pub(crate) async fn starting(limits: Limits, cors: Cors) -> Self {
        let body_bytes_max = limits.body_bytes_max;
        let edge = Edge::new(limits);
        let stop = CancellationToken::new();
        let otlp = serve("otlp", api::otlp_router(edge.clone(), &cors), &edge, &stop).await;
        let web = serve("web", api::web_router(edge.clone()), &edge, &stop).await;
        Self {
            edge,
            otlp,
            web,
            collector: None,
            stop,
            body_bytes_max,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Moves everything that is in memory to blocks.
    pub(crate) async fn flush(&self) {
        self.collector.as_ref().unwrap().flush().await.unwrap();
    }

    /// A request to the port for spans.
    pub(crate) async fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        ask(self.otlp, Method::POST, path, headers, body.into()).await
    }

    /// `POST /v1/traces` in protobuf.
    pub(crate) async fn send(&self, body: impl Into<Bytes>) -> Answer {
        self.post(
            "/v1/traces",
            &[("content-type", "application/x-protobuf")],
            body,
        )
        .await
    }

    /// A request to the port for people.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[]).await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        ask(self.web, Method::GET, path, headers, Bytes::new()).await
    }

    /// The value of a metric, which is named with its labels as in the text.
    pub(crate) async fn metric(&self, name: &str) -> Option<f64> {
        let metrics = self.get("/metrics").await.text();
        let line = metrics.lines().find(|line| {
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(' '))
        })?;
        line.rsplit(' ').next()?.parse().ok()
    }
}

async fn serve(
    name: &'static str,
    router: axum::Router,
    edge: &Edge,
    stop: &CancellationToken,
) -> SocketAddr {
    let listener = Listener::bind(name, "127.0.0.1:0".parse().unwrap(), None)
        .await
        .unwrap();
    let address = listener.address();
    tokio::spawn(listener.serve(router, edge.metrics().clone(), 64, stop.clone()));
    address
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: HeaderMap,
}

impl Answer {
    pub(crate) async fn of<B>(response: Response<B>) -> Self
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: std::fmt::Debug,
    {
        let (parts, body) = response.into_parts();
        let collected = body.collect().await.unwrap();
        let trailers = collected.trailers().cloned().unwrap_or_default();
        Self {
            status: parts.status,
            headers: parts.headers,
            body: collected.to_bytes(),
            trailers,
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {:?}", self.body))
    }
}

pub(crate) async fn ask(
    address: SocketAddr,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: Bytes,
) -> Answer {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let mut request = Request::builder()
        .method(method)
        .uri(format!("http://{address}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(
        client
            .request(request.body(Full::new(body)).unwrap())
            .await
            .unwrap(),
    )
    .await
}
