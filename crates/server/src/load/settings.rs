//! From arguments to settings that have been checked.

use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderName, HeaderValue};

use super::LoadArgs;
use super::client::Compression;
use super::endpoint::Endpoint;
use crate::tls::Tls;

/// How long to send when neither a duration nor a limit on spans is given.
const DEFAULT_DURATION: Duration = Duration::from_secs(30);
/// More connections than this are a mistake in typing.
const CONNECTIONS_MAX: usize = 4_096;

/// Where the requests come from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    /// A recording.
    File(PathBuf),
    /// The built-in shop.
    Shop {
        spans: u64,
        spans_per_request: usize,
    },
}

/// What to do, checked.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) endpoint: Endpoint,
    pub(crate) tls: Option<Tls>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) compression: Compression,
    pub(crate) connections: usize,
    pub(crate) threads: usize,
    /// Spans a second; none: as fast as they are taken.
    pub(crate) rate: Option<u64>,
    pub(crate) duration: Option<Duration>,
    pub(crate) limit_spans: Option<u64>,
    pub(crate) source: Source,
    pub(crate) replay_exact: bool,
    pub(crate) seed: u64,
    pub(crate) server_pid: Option<u32>,
    pub(crate) settle: Duration,
    pub(crate) timeout: Duration,
    pub(crate) json: bool,
}

impl Settings {
    /// Checks the arguments.
    ///
    /// # Errors
    /// Names the argument that cannot be meant.
    pub(crate) fn new(args: LoadArgs) -> anyhow::Result<Self> {
        anyhow::ensure!(
            (1..=CONNECTIONS_MAX).contains(&args.connections),
            "--connections must be between 1 and {CONNECTIONS_MAX}"
        );
        anyhow::ensure!(args.threads >= 1, "--threads must be at least 1");
        anyhow::ensure!(
            args.spans_per_request >= 1,
            "--spans-per-request must be at least 1"
        );
        anyhow::ensure!(args.shop_spans >= 1, "--shop-spans must be at least 1");
        let source = match args.file {
            Some(path) => Source::File(path),
            None => Source::Shop {
                spans: args.shop_spans,
                spans_per_request: args.spans_per_request,
            },
        };
        let duration = match (args.duration, args.limit_spans) {
            (None, None) => Some(DEFAULT_DURATION),
            (duration, _) => duration,
        };
        let endpoint = Endpoint::parse(&args.endpoint, args.protocol)?;
        Ok(Self {
            tls: endpoint.tls(&args.tls)?,
            endpoint,
            headers: args
                .headers
                .iter()
                .map(|text| parse_header(text))
                .collect::<anyhow::Result<_>>()?,
            compression: args.compression,
            connections: args.connections,
            threads: args.threads.min(args.connections),
            rate: (args.rate > 0).then_some(args.rate),
            duration,
            limit_spans: args.limit_spans,
            source,
            replay_exact: args.replay_exact,
            seed: args.seed.unwrap_or_else(rand::random),
            server_pid: args.server_pid,
            settle: args.settle,
            timeout: args.timeout,
            json: args.json,
        })
    }
}

fn parse_header(text: &str) -> anyhow::Result<(HeaderName, HeaderValue)> {
    let (name, value) = text
        .split_once([':', '='])
        .ok_or_else(|| anyhow::anyhow!("--header `{text}`: expected NAME: VALUE"))?;
    let name = name
        .trim()
        .parse()
        .map_err(|err| anyhow::anyhow!("--header `{text}`: {err}"))?;
    let value = value
        .trim()
        .parse()
        .map_err(|err| anyhow::anyhow!("--header `{text}`: {err}"))?;
    Ok((name, value))
}

/// A count with an optional unit of thousands (k) or millions (M).
pub(super) fn parse_count(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a count such as 5000, 150k or 2.5M");
    let (number, unit) = match text.trim().char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&text.trim()[..at], 1e3),
        Some((at, 'm' | 'M')) => (&text.trim()[..at], 1e6),
        _ => (text.trim(), 1.0),
    };
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let count = (number * unit).round();
    // Above 2^53 a double no longer holds every integer, and no load is that large.
    if (0.0..9.0e15).contains(&count) {
        Ok(count as u64)
    } else {
        Err(wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_units() {
        assert_eq!(parse_count("0"), Ok(0));
        assert_eq!(parse_count("512"), Ok(512));
        assert_eq!(parse_count("150k"), Ok(150_000));
        assert_eq!(parse_count("2.5M"), Ok(2_500_000));
        for wrong in ["", "k", "-1", "1G", "nan", "1e300"] {
            assert!(parse_count(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn headers_are_names_and_values() {
        let (name, value) = parse_header("X-Scope-OrgID: tenant-7").unwrap();
        assert_eq!(
            (name.as_str(), value.to_str().unwrap()),
            ("x-scope-orgid", "tenant-7")
        );
        assert!(parse_header("no value").is_err());
        assert!(parse_header("bad name: x").is_err());
    }
}
