//! `/metrics`: what the surfaces count, and a place where the engines' counts are added.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use collect::Encoding;
use http::Response;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelSet, EncodeLabelValue, EncodeMetric as _, LabelValueEncoder,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::body::Intake;
use crate::codes::Code;

/// Every metric's name starts with this.
const PREFIX: &str = "throughline";

/// What a scrape is answered with.
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The group of routes that a request belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Surface {
    /// OTLP over HTTP.
    OtlpHttp,
    /// OTLP over gRPC.
    OtlpGrpc,
    /// The page and the APIs that read.
    Web,
}

impl EncodeLabelValue for Surface {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        let name = match self {
            Self::OtlpHttp => "otlp_http",
            Self::OtlpGrpc => "otlp_grpc",
            Self::Web => "web",
        };
        name.encode(encoder)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    surface: Surface,
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    surface: Surface,
    route: String,
    code: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EncodingLabels {
    encoding: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ListenerLabels {
    listener: &'static str,
}

/// The registry and the counters of the surfaces. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<RwLock<Registry>>,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram, fn() -> Histogram>,
    bodies: Family<EncodingLabels, Counter>,
    body_bytes: Family<EncodingLabels, Counter>,
    connections: Family<ListenerLabels, Gauge>,
    connections_opened: Family<ListenerLabels, Counter>,
}

/// From 0.25 ms, below which no commit can be, to 16 s, above which clients have given up.
fn duration_histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.000_25, 2.0, 17))
}

impl Metrics {
    pub(crate) fn new(intake: Intake) -> Self {
        let metrics = Self {
            registry: Arc::new(RwLock::new(Registry::with_prefix(PREFIX))),
            requests: Family::default(),
            durations: Family::new_with_constructor(duration_histogram),
            bodies: Family::default(),
            body_bytes: Family::default(),
            connections: Family::default(),
            connections_opened: Family::default(),
        };
        metrics.register(intake);
        metrics
    }

    fn register(&self, intake: Intake) {
        let mut registry = self
            .registry
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        registry.register(
            "requests",
            "Requests answered, by surface, route and code (an HTTP status, or a gRPC code by name)",
            self.requests.clone(),
        );
        registry.register(
            "request_duration_seconds",
            "Time from a request's headers to its answer's",
            self.durations.clone(),
        );
        registry.register(
            "request_bodies",
            "OTLP bodies received whole, by content encoding",
            self.bodies.clone(),
        );
        registry.register(
            "request_body_bytes",
            "Bytes of OTLP bodies as received, by content encoding",
            self.body_bytes.clone(),
        );
        registry.register("connections", "Connections open", self.connections.clone());
        registry.register(
            "connections_opened",
            "Connections accepted",
            self.connections_opened.clone(),
        );
        registry.register_collector(Box::new(intake));
    }

    /// Adds what an engine counts. Names of its metrics get the prefix `throughline_`.
    pub fn add(&self, collector: Box<dyn Collector>) {
        let mut registry = self
            .registry
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        registry.register_collector(collector);
    }

    /// The text that a scrape is answered with.
    pub(crate) fn encode(&self) -> Result<String, fmt::Error> {
        let registry = self.registry.read().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry)?;
        Ok(text)
    }

    /// Counts a body that was received whole.
    pub(crate) fn body(&self, encoding: Encoding, bytes: usize) {
        let labels = EncodingLabels {
            encoding: encoding_name(encoding),
        };
        self.bodies.get_or_create(&labels).inc();
        self.body_bytes.get_or_create(&labels).inc_by(bytes as u64);
    }

    /// Counts a connection until the guard is dropped.
    pub(crate) fn connection(&self, listener: &'static str) -> ConnectionGuard {
        let labels = ListenerLabels { listener };
        self.connections_opened.get_or_create(&labels).inc();
        let open = self.connections.get_or_create_owned(&labels);
        open.inc();
        ConnectionGuard(open)
    }

    fn answered(&self, surface: Surface, route: String, code: String, started: Instant) {
        let labels = RouteLabels { surface, route };
        self.durations
            .get_or_create(&labels)
            .observe(started.elapsed().as_secs_f64());
        let labels = RequestLabels {
            surface,
            route: labels.route,
            code,
        };
        self.requests.get_or_create(&labels).inc();
    }
}

/// Counts what is held now, so nothing has to be counted when a body comes and goes.
impl Collector for Intake {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let held = ConstGauge::new(self.bytes_held() as i64);
        let gauge = encoder.encode_descriptor(
            "request_bodies_held_bytes",
            "Bytes reserved for OTLP bodies being received or handed on",
            None,
            MetricType::Gauge,
        )?;
        held.encode(gauge)
    }
}

/// See [`Metrics::connection`].
pub(crate) struct ConnectionGuard(Gauge);

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn encoding_name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Identity => "identity",
        Encoding::Gzip => "gzip",
        Encoding::Zstd => "zstd",
        Encoding::Deflate => "deflate",
    }
}

/// On a response: the gRPC code that it carries in its trailers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GrpcCode(pub(crate) Code);

/// Middleware that counts requests of OTLP ports: see [`track`].
pub(crate) async fn track_otlp(
    state: State<Metrics>,
    request: Request,
    next: Next,
) -> Response<Body> {
    track(&state.0, Surface::OtlpHttp, request, next).await
}

/// Middleware that counts requests of the web port.
pub(crate) async fn track_web(
    state: State<Metrics>,
    request: Request,
    next: Next,
) -> Response<Body> {
    track(&state.0, Surface::Web, request, next).await
}

/// Counts a request by the route that it matched, never by its path, which a client could choose without bound.
async fn track(
    metrics: &Metrics,
    surface: Surface,
    request: Request,
    next: Next,
) -> Response<Body> {
    let started = Instant::now();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());
    let response = next.run(request).await;
    let (surface, code) = match response.extensions().get::<GrpcCode>() {
        Some(GrpcCode(code)) => (Surface::OtlpGrpc, code.as_str().to_owned()),
        None => (surface, response.status().as_str().to_owned()),
    };
    metrics.answered(surface, route, code, started);
    response
}
