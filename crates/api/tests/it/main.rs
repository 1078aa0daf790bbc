//! The surfaces over real sockets, in front of a real collector, journal and store.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod analysis;
mod body;
mod bounds;
mod live;
mod otlp_grpc;
mod otlp_http;
mod query;
mod read;
mod stream;
mod tempo;
mod tls;
mod web;
mod world;
