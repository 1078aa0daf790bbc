//! What the analysis must know of each span beyond its times: whom it calls, with what, and how that ended.
//!
//! One pass over all attributes; the keys of OpenTelemetry's conventions are understood in their present and older
//! spellings. Texts stay symbols of the batch, so that comparing them is comparing numbers.

use model::{Attribute, SpanBatch, SpanKind, StatusCode, Symbol, ValueRef};

use crate::tree::Tree;

/// What an attribute tells us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Role {
    #[default]
    Other,
    /// Names the other side; the lower, the better.
    Peer(u8),
    /// What exactly was asked for: a statement or an address; the lower, the better.
    Target(u8),
    HttpStatus,
    HttpMethod,
    GrpcStatus,
    ErrorType,
    Database,
}

const ROLES: &[(&str, Role)] = &[
    ("peer.service", Role::Peer(0)),
    ("server.address", Role::Peer(1)),
    ("net.peer.name", Role::Peer(2)),
    ("messaging.destination.name", Role::Peer(3)),
    ("db.query.text", Role::Target(0)),
    ("db.statement", Role::Target(1)),
    ("url.full", Role::Target(2)),
    ("http.url", Role::Target(3)),
    ("http.response.status_code", Role::HttpStatus),
    ("http.status_code", Role::HttpStatus),
    ("http.request.method", Role::HttpMethod),
    ("http.method", Role::HttpMethod),
    ("rpc.response.status_code", Role::GrpcStatus),
    ("rpc.grpc.status_code", Role::GrpcStatus),
    ("error.type", Role::ErrorType),
    ("db.system.name", Role::Database),
    ("db.system", Role::Database),
];

/// A rank that no attribute has.
const UNRANKED: u8 = u8::MAX;

/// gRPC's number for "the deadline passed".
const GRPC_DEADLINE_EXCEEDED: i64 = 4;

/// How many events of a failed span are looked at for a timeout: a retry loop may record thousands on one span.
const EVENTS_READ_MAX: usize = 16;

/// What is known of one span.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    pub(crate) service: Symbol,
    pub(crate) name: Symbol,
    pub(crate) kind: SpanKind,
    /// The other side of a call, empty when not stated.
    pub(crate) peer: Symbol,
    /// The statement or address, empty when not stated.
    pub(crate) target: Symbol,
    pub(crate) method: Symbol,
    /// Status of HTTP, 0 when there is none.
    pub(crate) http_status: u16,
    /// The status is error.
    pub(crate) is_error: bool,
    /// It failed for want of time, by its own words.
    pub(crate) has_timed_out: bool,
    /// It talks to a database.
    pub(crate) is_database: bool,
}

impl Facts {
    /// Whether the work failed, by its status or by the answer.
    pub(crate) fn has_failed(&self) -> bool {
        self.is_error || self.http_status >= 500
    }

    /// Whether it is the waiting side of a call.
    pub(crate) fn is_client(&self) -> bool {
        self.kind == SpanKind::Client
    }
}

/// The facts by position. Costs O(attributes).
pub(crate) fn read(batch: &SpanBatch, tree: &Tree) -> Vec<Facts> {
    let mut roles = vec![Role::Other; batch.symbols.len()];
    for (key, role) in ROLES {
        if let Some(symbol) = batch.symbols.find_str(key) {
            roles[symbol.index()] = *role;
        }
    }
    (0..tree.len())
        .map(|position| of_span(batch, &roles, tree.row(position)))
        .collect()
}

fn of_span(batch: &SpanBatch, roles: &[Role], row: usize) -> Facts {
    let span = &batch.spans[row];
    let mut facts = Facts {
        service: batch.resources[span.resource as usize].service,
        name: span.name,
        kind: span.kind,
        peer: Symbol::EMPTY,
        target: Symbol::EMPTY,
        method: Symbol::EMPTY,
        http_status: 0,
        is_error: span.status == StatusCode::Error,
        has_timed_out: false,
        is_database: false,
    };
    let (mut peer_rank, mut target_rank) = (UNRANKED, UNRANKED);
    for &Attribute { key, value } in batch.attributes(span.attributes) {
        match roles[key.index()] {
            Role::Other => {}
            Role::Peer(rank) if rank < peer_rank => (facts.peer, peer_rank) = (value, rank),
            Role::Target(rank) if rank < target_rank => (facts.target, target_rank) = (value, rank),
            Role::Peer(_) | Role::Target(_) => {}
            Role::HttpMethod => facts.method = value,
            Role::HttpStatus => facts.http_status = http_status(batch.symbols.value(value)),
            Role::GrpcStatus => facts.has_timed_out |= is_deadline(batch.symbols.value(value)),
            Role::ErrorType => facts.has_timed_out |= tells_timeout(batch.symbols.str(value)),
            Role::Database => facts.is_database = true,
        }
    }
    facts.has_timed_out |= matches!(facts.http_status, 408 | 504);
    if facts.is_error && !facts.has_timed_out {
        facts.has_timed_out = words_tell_timeout(batch, row);
    }
    facts
}

fn http_status(value: ValueRef<'_>) -> u16 {
    match value {
        ValueRef::Int(status) => u16::try_from(status).unwrap_or(0),
        ValueRef::Str(text) => text.parse().unwrap_or(0),
        _ => 0,
    }
}

fn is_deadline(value: ValueRef<'_>) -> bool {
    match value {
        ValueRef::Int(code) => code == GRPC_DEADLINE_EXCEEDED,
        ValueRef::Str(text) => text == "4" || tells_timeout(text),
        _ => false,
    }
}

/// The status message and the exceptions of a failed span.
fn words_tell_timeout(batch: &SpanBatch, row: usize) -> bool {
    let span = &batch.spans[row];
    let message = batch.symbols.str(batch.extra(span).status_message);
    tells_timeout(message)
        || batch
            .events(span)
            .iter()
            .take(EVENTS_READ_MAX)
            .any(|event| {
                batch.attributes(event.attributes).iter().any(|attribute| {
                    batch.symbols.str(attribute.key) == "exception.type"
                        && tells_timeout(batch.symbols.str(attribute.value))
                })
            })
}

fn tells_timeout(text: &str) -> bool {
    const WORDS: [&str; 4] = ["timeout", "timed out", "timedout", "deadline"];
    /// A cause stands at the beginning; what follows in a message may be a whole stack trace.
    const READ_MAX: usize = 500;
    let text = &text.as_bytes()[..text.len().min(READ_MAX)];
    WORDS.iter().any(|word| {
        text.windows(word.len())
            .any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
    })
}
