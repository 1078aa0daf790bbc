//! What settings must satisfy together, and the bounds that a single one cannot state by its type.

use std::net::SocketAddr;
use std::time::Duration;

use super::keys::Settings;
use super::value::ByteCount;
use super::written::Problem;

/// Requests above this could not be framed by the journal.
const BODY_MAX: ByteCount = ByteCount(128 << 20);

/// What addresses of the storage may start with; `memory` keeps nothing and is for tests.
const STORAGE_SCHEMES: [&str; 4] = ["file", "s3", "s3a", "memory"];

pub(super) fn check(settings: &Settings, problems: &mut Vec<Problem>) {
    let mut require = |holds: bool, place: &str, text: &str| {
        if !holds {
            problems.push(Problem {
                place: place.to_owned(),
                text: text.to_owned(),
            });
        }
    };
    let s = settings;
    require(
        s.tls_certificate.0.is_some() == s.tls_key.0.is_some(),
        if s.tls_key.0.is_some() {
            "tls.certificate"
        } else {
            "tls.key"
        },
        "certificate and key are needed together",
    );
    require(
        s.tls_client_authorities.0.is_none() || s.tls_certificate.0.is_some(),
        "tls.client_authorities",
        "clients can only be verified with TLS: set tls.certificate and tls.key",
    );
    require(
        (1..=BODY_MAX.0).contains(&s.receive_body_max.0),
        "receive.body_max",
        "must be between 1B and 128MiB",
    );
    require(
        s.receive_bodies_max >= s.receive_body_max,
        "receive.bodies_max",
        "must hold at least one body of receive.body_max",
    );
    require(
        s.receive_in_flight_max.0 >= 2 * s.receive_body_max.0,
        "receive.in_flight_max",
        "must hold two bodies of receive.body_max",
    );
    require(
        s.receive_span_max <= s.receive_body_max,
        "receive.span_max",
        "must not be above receive.body_max",
    );
    require(
        s.journal_size_max.0 / 2 >= s.journal_segment_size.0,
        "journal.size_max",
        "must hold two segments of journal.segment_size",
    );
    require(
        (4 << 10..=u64::from(u32::MAX)).contains(&s.journal_segment_size.0),
        "journal.segment_size",
        "must be between 4KiB and 4GiB",
    );
    require(
        s.journal_commit_interval <= Duration::from_secs(1),
        "journal.commit_interval",
        "must be at most 1s: senders wait for it",
    );
    require(
        s.retention >= Duration::from_secs(60),
        "retention",
        "must be at least 1m",
    );
    require(
        !s.live_flush_interval.is_zero(),
        "live.flush_interval",
        "must be above 0",
    );
    let log_level = tracing_subscriber::EnvFilter::try_new(&s.log_level);
    require(
        log_level.is_ok(),
        "log.level",
        "expected a level or levels by part, as in `info,store=debug`",
    );
    let scheme = s.storage.0.as_deref().and_then(|url| url.split_once("://"));
    require(
        scheme.is_none_or(|(scheme, _)| STORAGE_SCHEMES.contains(&scheme)),
        "storage",
        "expected a path, file:///path or s3://bucket/folder",
    );
    check_addresses(s, problems);
}

fn check_addresses(settings: &Settings, problems: &mut Vec<Problem>) {
    let addresses: [(&str, SocketAddr); 3] = [
        ("listen.http", settings.listen_http),
        ("listen.otlp_http", settings.listen_otlp_http),
        ("listen.otlp_grpc", settings.listen_otlp_grpc),
    ];
    for (at, (path, address)) in addresses.iter().enumerate() {
        let earlier = addresses[..at]
            .iter()
            .find(|(_, other)| other == address && address.port() != 0);
        if let Some((other, _)) = earlier {
            problems.push(Problem {
                place: (*path).to_owned(),
                text: format!("{address} is taken by {other}"),
            });
        }
    }
}
