//! The surfaces: HTTP and gRPC in front of the engines. The only place that knows status codes.
//!
//! - [`otlp_router`]: OTLP over HTTP and gRPC, for the two ports where spans come in.
//! - [`web_router`]: the page, our API, Tempo's API, health and metrics.
//! - [`Listener`]: the one accept loop that serves either, with TLS where configured.
//! - [`Edge`]: what they share. Built first, so that probes are answered while the engines still start.
//!
//! It does not see the config file, and it does not decide what becomes of a span: it translates what the collector and
//! the query engine say into protocols, and bounds what clients may make them do.

mod body;
mod codes;
mod cors;
mod edge;
mod grpc;
mod health;
mod listen;
mod metrics;
mod otlp;
mod stream;
mod tls;
mod transcode;
mod web;

pub use codes::Code;
pub use cors::Cors;
pub use edge::{Edge, Engines, Limits};
pub use health::{Check, Health, Trouble};
pub use listen::Listener;
pub use metrics::Metrics;
pub use otlp::router as otlp_router;
pub use tls::{TlsError, server_config};
pub use web::{openapi_document, prepare_page, router as web_router};
