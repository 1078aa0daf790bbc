//! The catalogue of settings: each with its documentation, path, type and default, once.
//!
//! The doc comment here is the text of `docs/configuration.md`, of the sample file and of the field in code. Paths are
//! those of the YAML file; the environment variable of `journal.size_max` is `THROUGHLINE_JOURNAL_SIZE_MAX`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::value::{Auto, ByteCount, Count, LogFormat, Value};
use super::written::{Problem, Written};

/// What is known of a setting without its value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    /// Where it stands in the file, with dots.
    pub(crate) path: &'static str,
    /// Its documentation, a line each, with the space that a doc comment starts with.
    pub(crate) doc: &'static [&'static str],
    /// The default as it would be written; empty for none.
    pub(crate) default: &'static str,
    /// What is accepted, in words.
    pub(crate) accepts: &'static str,
}

macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $field:ident: $kind:ty = $path:literal, $default:literal;)+) => {
        /// All settings, read and typed; see [`Settings::check`](super::Settings) for how they must fit together.
        #[derive(Debug, Clone, PartialEq)]
        pub(crate) struct Settings {
            $($(#[doc = $doc])+ pub(crate) $field: $kind,)+
        }

        /// Every setting, in the order of the reference.
        pub(crate) const KEYS: &[Key] = &[
            $(Key {
                path: $path,
                doc: &[$($doc),+],
                default: $default,
                accepts: <$kind as Value>::ACCEPTS,
            },)+
        ];

        impl Settings {
            /// Reads each setting by itself. Every value that cannot be read is a problem; `None` when there is one.
            pub(super) fn read(written: &Written, problems: &mut Vec<Problem>) -> Option<Self> {
                $(let $field = written.value::<$kind>($path, $default, problems);)+
                Some(Self { $($field: $field?,)+ })
            }

            /// Each path with its value as it would be written.
            pub(crate) fn shown(&self) -> Vec<(&'static str, String)> {
                vec![$(($path, self.$field.show()),)+]
            }
        }
    };
}

settings! {
    /// The folder for everything that is kept on this machine: the journal, and the blocks unless `storage` names another
    /// place. Created where missing.
    data_dir: PathBuf = "data_dir", "./throughline-data";

    /// Where blocks are kept: a path, `file:///path`, or `s3://bucket/folder` for Amazon S3 and everything compatible
    /// (credentials and region come from the usual `AWS_…` variables; `?endpoint=http://host:9000&region=…` may follow).
    /// When not given, the folder `blocks` in `data_dir`.
    storage: Auto<String> = "storage", "auto";

    /// How long spans are kept, counted from when they were received.
    retention: Duration = "retention", "14d";

    /// Where the page, the API and Tempo's API are served.
    listen_http: SocketAddr = "listen.http", "127.0.0.1:3200";

    /// Where OTLP over HTTP is taken (and gRPC, for senders that mix up the two ports).
    listen_otlp_http: SocketAddr = "listen.otlp_http", "127.0.0.1:4318";

    /// Where OTLP over gRPC is taken (and HTTP, for senders that mix up the two ports).
    listen_otlp_grpc: SocketAddr = "listen.otlp_grpc", "127.0.0.1:4317";

    /// Connections open at a time on each of these; more wait until one ends.
    listen_connections_max: Count = "listen.connections_max", "4096";

    /// A PEM file with the server's certificate and those between it and its authority. With it, everything listens with
    /// TLS only: `throughline query`, `trace`, `import` and `load` reach it by `https://` and `grpcs://`.
    tls_certificate: Auto<PathBuf> = "tls.certificate", "auto";

    /// A PEM file with the private key of the certificate.
    tls_key: Auto<PathBuf> = "tls.key", "auto";

    /// A PEM file with authorities. With it, only clients that present a certificate from one of them are let in; commands
    /// present theirs with `--tls-certificate` and `--tls-key`.
    tls_client_authorities: Auto<PathBuf> = "tls.client_authorities", "auto";

    /// The largest OTLP request, before and after decompression.
    receive_body_max: ByteCount = "receive.body_max", "64MiB";

    /// Memory for all OTLP requests that are being received; beyond it senders are told to come back.
    receive_bodies_max: ByteCount = "receive.bodies_max", "128MiB";

    /// How long the body of a request may take to arrive.
    receive_body_timeout: Duration = "receive.body_timeout", "30s";

    /// The largest single span. Larger ones are rejected, the others of their request are not.
    receive_span_max: ByteCount = "receive.span_max", "16MiB";

    /// Memory for the spans of requests between their arrival and their place in memory, decompressed.
    receive_in_flight_max: ByteCount = "receive.in_flight_max", "128MiB";

    /// Web pages that may send spans from a browser, as origins: `https://shop.example.com`, `https://*.example.com`, or
    /// `*` for all.
    receive_cors_origins: Vec<String> = "receive.cors_origins", "";

    /// How long a browser may remember that it may send.
    receive_cors_max_age: Duration = "receive.cors_max_age", "2h";

    /// The most that the journal may take on disk. When it is reached, senders are told to come back until spans have moved
    /// into blocks.
    journal_size_max: ByteCount = "journal.size_max", "8GiB";

    /// The size of the journal's files. Space is given back file by file.
    journal_segment_size: ByteCount = "journal.segment_size", "64MiB";

    /// Space that the journal leaves free on its disk, so that blocks can still be written.
    journal_disk_reserve: ByteCount = "journal.disk_reserve", "256MiB";

    /// Requests that arrive within so long are made durable together. Longer saves work of the disk, shorter answers sooner.
    journal_commit_interval: Duration = "journal.commit_interval", "2ms";

    /// Memory for spans that wait to be written to a block, once beside the journal. Passing it writes blocks early. When not
    /// given: a quarter of the machine's memory, at most 1GiB.
    live_memory_max: Auto<ByteCount> = "live.memory_max", "auto";

    /// The longest that a span waits in memory for its block. It can be queried all the time.
    live_flush_interval: Duration = "live.flush_interval", "60s";

    /// A trace whose root has arrived is complete when nothing more came for so long.
    live_root_idle: Duration = "live.root_idle", "2s";

    /// A trace is taken as complete so long after its first span, come what may.
    live_decision_wait: Duration = "live.decision_wait", "30s";

    /// Whether this server joins small blocks to larger ones.
    compaction_enabled: bool = "compaction.enabled", "true";

    /// Memory for what is kept of blocks between queries: lists of traces, filters, indices, dictionaries. When not given: an
    /// eighth of the machine's memory, at most 512MiB.
    read_cache: Auto<ByteCount> = "read.cache", "auto";

    /// Queries answered at a time; more wait. When not given, four for each core.
    read_concurrency: Auto<Count> = "read.concurrency", "auto";

    /// How long a query may take, waiting included.
    read_timeout: Duration = "read.timeout", "30s";

    /// How logs are written: `text` for people or `json` for machines. When not given, by whether a terminal reads them.
    log_format: Auto<LogFormat> = "log.format", "auto";

    /// What is logged: `error`, `warn`, `info`, `debug` or `trace`, or by part, as in `info,store=debug`.
    log_level: String = "log.level", "info";

    /// How long a shutdown may take: requests under way are answered, and what is in memory is written to blocks. What does
    /// not make it stays in the journal.
    shutdown_timeout: Duration = "shutdown.timeout", "5s";
}

/// The name of a key's environment variable.
pub(crate) fn variable_of(path: &str) -> String {
    format!("{PREFIX}{}", path.replace('.', "_").to_ascii_uppercase())
}

/// What all environment variables of ours start with.
pub(crate) const PREFIX: &str = "THROUGHLINE_";
