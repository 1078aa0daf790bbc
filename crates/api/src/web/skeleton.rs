//! `GET /api/v1/traces/{id}/skeleton`: what is needed to draw a trace, and nothing else.
//!
//! A span takes some 40 bytes here and 400 and more as OTLP/JSON. Columns rather than objects, so that the names of members
//! are said once; ids as one long string, since a browser reads that in one go; parents as rows, since an id would be
//! looked up anyway; and JSON all the same, since nothing parses faster in a browser than what it has built in, and anybody
//! can read it.

use axum::extract::{Path, State};
use axum::response::Response;
use model::{SpanBatch, SpanId, UnixNanos};
use query::FoundTrace;
use serde::Serialize;
use std::collections::HashMap;

use crate::edge::Edge;
use crate::web::failure::Failure;
use crate::web::params::trace_id;
use crate::web::trace::{computed, found, json_of, respond};

/// In the column of parents: the span is a root, or names a parent that is not here.
const NO_PARENT: i64 = -1;

/// The columns, all of one length; a span is a row, parents mostly before their children.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Skeleton<'a> {
    /// What offsets count from: the earliest start that is known, in nanoseconds since 1970, as a decimal string.
    start_time_unix_nano: String,
    /// Distinct names of spans, and of services.
    names: Vec<&'a str>,
    services: Vec<&'a str>,
    /// 16 hex digits of each span, without anything between them.
    ids: String,
    /// Rows of parents, or -1.
    parent: Vec<i64>,
    /// Rows whose parent is not here, and the parents' ids like [`Self::ids`].
    orphan: Vec<u32>,
    orphan_parents: String,
    /// Indices into the names and the services.
    name: Vec<u32>,
    service: Vec<u32>,
    /// A digit for each span, as OTLP numbers kinds and statuses.
    kinds: String,
    statuses: String,
    /// Nanoseconds from the start of the trace, and how long.
    start_ns: Vec<i64>,
    duration_ns: Vec<i64>,
    missing: Vec<String>,
}

/// Returns the spans of a trace without attributes, events and links, as columns. A row is a span.
///
/// `ids` has 16 hex digits of each, `parent` the row of its parent or -1, `name` and `service` are indices into `names` and
/// `services`, `kinds` and `statuses` have a digit of each as OTLP numbers them, `startNs` counts from `startTimeUnixNano`.
/// The spans at the rows `orphan` name parents that are not here: `orphanParents` has 16 digits of each.
#[utoipa::path(
    get,
    path = "/api/v1/traces/{id}/skeleton",
    tag = "traces",
    params(("id" = String, Path, description = "Trace id in hex, in any spelling")),
    responses(
        (status = 200, description = "The columns; and `missing`, a list of strings", body = Object),
        (status = 400, description = "Not a trace id", body = String, content_type = "text/plain"),
        (status = 404, description = "No span of this trace is held", body = String, content_type = "text/plain"),
    )
)]
pub(crate) async fn skeleton(
    State(edge): State<Edge>,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let FoundTrace { spans, missing } = found(&edge, trace_id(&id)?).await?;
    let body = computed(spans.len(), move || json_of(&columns(&spans, missing)));
    Ok(respond("application/json", body.await?))
}

fn columns(batch: &SpanBatch, missing: Vec<String>) -> Skeleton<'_> {
    let count = batch.spans.len();
    let start = origin(batch);
    // Of spans with one id the first is the parent.
    let mut rows: HashMap<SpanId, i64> = HashMap::with_capacity(count);
    for (row, span) in batch.spans.iter().enumerate() {
        rows.entry(span.span_id).or_insert(row as i64);
    }
    let mut names = Dictionary::default();
    let mut services = Dictionary::default();
    let mut skeleton = Skeleton {
        start_time_unix_nano: start.0.to_string(),
        ids: String::with_capacity(count * 16),
        missing,
        ..Skeleton::default()
    };
    for (row, span) in batch.spans.iter().enumerate() {
        push_id(&mut skeleton.ids, span.span_id);
        let parent = rows.get(&span.parent_span_id).copied();
        if parent.is_none() && !span.is_root() {
            skeleton.orphan.push(row as u32);
            push_id(&mut skeleton.orphan_parents, span.parent_span_id);
        }
        skeleton.parent.push(parent.unwrap_or(NO_PARENT));
        skeleton
            .name
            .push(names.index(batch.symbols.str(span.name)));
        skeleton.service.push(services.index(batch.service(span)));
        skeleton.kinds.push(char::from(b'0' + span.kind as u8));
        skeleton.statuses.push(char::from(b'0' + span.status as u8));
        // A span that does not know the time is drawn at the start.
        let offset = if span.start.0 > 0 {
            span.start.since(start).0
        } else {
            0
        };
        skeleton.start_ns.push(offset);
        skeleton.duration_ns.push(span.duration.0);
    }
    skeleton.names = names.texts;
    skeleton.services = services.texts;
    skeleton
}

/// The earliest start; one of zero only when no span knows the time.
fn origin(batch: &SpanBatch) -> UnixNanos {
    let starts = || batch.spans.iter().map(|span| span.start);
    let known = starts().filter(|start| start.0 > 0).min();
    known.or_else(|| starts().min()).unwrap_or(UnixNanos(0))
}

fn push_id(digits: &mut String, id: SpanId) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for byte in id.0 {
        digits.push(char::from(HEX[usize::from(byte >> 4)]));
        digits.push(char::from(HEX[usize::from(byte & 15)]));
    }
}

/// Distinct texts in the order in which they came.
#[derive(Default)]
struct Dictionary<'a> {
    texts: Vec<&'a str>,
    indices: HashMap<&'a str, u32>,
}

impl<'a> Dictionary<'a> {
    fn index(&mut self, text: &'a str) -> u32 {
        *self.indices.entry(text).or_insert_with(|| {
            self.texts.push(text);
            self.texts.len() as u32 - 1
        })
    }
}
