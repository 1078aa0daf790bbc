//! What settings must satisfy together, and the bounds that a single one cannot state by its type.

use std::net::SocketAddr;
use std::time::Duration;

use super::keys::Settings;
use super::value::ByteCount;
use super::written::Problem;

/// Requests above this could not be framed by the journal.
const BODY_MAX: ByteCount = ByteCount(128 << 20);

/// The levels of logs.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

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
    for (place, time) in [
        ("receive.body_timeout", s.receive_body_timeout),
        ("live.decision_wait", s.live_decision_wait),
        ("read.timeout", s.read_timeout),
    ] {
        require(!time.is_zero(), place, "must be above 0");
    }
    require(
        is_log_level(&s.log_level),
        "log.level",
        "expected one of error, warn, info, debug and trace, or levels by part, as in `info,store=debug`",
    );
    for origin in &s.receive_cors_origins {
        require(
            api::Cors::is_pattern(origin),
            "receive.cors_origins",
            &format!(
                "expected origins such as https://shop.example.com or https://*.example.com, or `*`, found `{origin}`"
            ),
        );
    }
    check_addresses(s, problems);
}

/// Levels, alone or by part. A word that is no level would name a part of which everything is logged, and nothing of the others.
fn is_log_level(text: &str) -> bool {
    let is_level = |word: &str| LEVELS.contains(&word.trim().to_ascii_lowercase().as_str());
    let is_understood = |part: &str| part.contains('=') || is_level(part);
    text.split(',').all(is_understood) && tracing_subscriber::EnvFilter::try_new(text).is_ok()
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
