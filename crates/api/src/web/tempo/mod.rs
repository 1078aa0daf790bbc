//! Tempo's API, as Grafana and scripts ask it. What differs from Tempo, and why, is in `docs/tempo-api.md`.
//!
//! A question comes as parameters of HTTP ([`search`], [`tags`], [`metrics`], [`trace`]) or as a message of gRPC
//! ([`crate::stream`]). Both become the same [`ask`], are checked there once, and are answered with the same messages, which
//! [`answer`] makes of what the engine found. Over HTTP they are proto3 JSON, or protobuf for those who accept that.

pub(crate) mod answer;
pub(crate) mod ask;
mod legacy;
pub(crate) mod metrics;
mod part;
pub(crate) mod search;
pub(crate) mod tags;
pub(crate) mod trace;

use axum::response::Response;
pub(crate) use legacy::field as old_field;

use http::HeaderMap;
use http::header::ACCEPT;
use serde::Serialize;

use crate::web::failure::Failure;
use crate::web::trace::respond;

const PROTOBUF: &str = "application/protobuf";
const JSON: &str = "application/json";

fn wants_protobuf(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|accepted| accepted.contains(PROTOBUF))
}

/// A message in the form that the client accepts.
fn rendered<T: Serialize>(
    headers: &HeaderMap,
    message: &T,
    to_protobuf: impl FnOnce(&T) -> Vec<u8>,
) -> Result<Response, Failure> {
    if wants_protobuf(headers) {
        return Ok(respond(PROTOBUF, to_protobuf(message)));
    }
    match serde_json::to_vec(message) {
        Ok(body) => Ok(respond(JSON, body)),
        Err(error) => Err(Failure::internal(format!(
            "cannot write the answer: {error}"
        ))),
    }
}
