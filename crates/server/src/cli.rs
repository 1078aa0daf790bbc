//! The command line: what can be asked of the program, in words that help.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::Sources;

/// Follow every request through every service and see where the time went, and why.
///
/// Throughline receives traces over OTLP, keeps every one of them durably, and shows them on its page.
#[derive(Debug, Parser)]
#[command(name = "throughline", version, max_term_width = 100, arg_required_else_help = true, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  throughline demo                                 a shop of 20 services to look at
  throughline serve                                OTLP on 4317 (gRPC) and 4318 (HTTP), the page on http://127.0.0.1:3200
  throughline serve --config throughline.yaml      the same, configured
  throughline query '{ status = error }' --since 1h   the traces with an error of the last hour
  throughline trace 4bf92f3577b34da6a3ce929d0e0e4736  one of them, drawn
  throughline import recorded.otlp.zst             send recorded traces to a running server";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Receive, keep and show traces
    Serve(ServeArgs),
    /// Serve, and fill the server with the traces of a simulated shop
    Demo(DemoArgs),
    /// Report everything that is wrong with a configuration, or show the settings in effect
    CheckConfig(CheckConfigArgs),
    /// Ask a running server with TraceQL, or check a query
    Query(Box<crate::query::QueryArgs>),
    /// Draw a trace in the terminal: who called whom, when, for how long, and what is worth a look
    Trace(crate::trace::TraceArgs),
    /// Send recorded traces from files to a running server
    Import(crate::import::ImportArgs),
    /// Generate load on any OTLP endpoint and report rates, latencies and refusals
    Load(crate::load::LoadArgs),
    /// Show what a data folder holds: blocks, manifest, journal. Changes nothing
    Inspect(crate::inspect::InspectArgs),
}

/// Settings as flags. Their values are read where those of the file are, so that all problems are reported together.
#[derive(Debug, Default, Clone, Args)]
pub(crate) struct SettingArgs {
    /// A YAML file with settings; `docs/configuration.md` explains each
    #[arg(long, value_name = "FILE", env = "THROUGHLINE_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// The folder for journal and blocks [default: ./throughline-data]
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<String>,
    /// Where blocks are kept: a path or s3://bucket/folder [default: a folder in the data folder]
    #[arg(long, value_name = "URL")]
    pub(crate) storage: Option<String>,
    /// Where the page and the APIs are served [default: 127.0.0.1:3200]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen_http: Option<String>,
    /// Where OTLP over HTTP is taken [default: 127.0.0.1:4318]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen_otlp_http: Option<String>,
    /// Where OTLP over gRPC is taken [default: 127.0.0.1:4317]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen_otlp_grpc: Option<String>,
    /// How logs are written: text or json [default: text on a terminal, else json]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,
    /// What is logged, as in `info` or `info,store=debug` [default: info]
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log_level: Option<String>,
    /// Any other setting, as in `--set retention=30d`; may be repeated
    #[arg(long, value_name = "PATH=VALUE", value_parser = assignment)]
    pub(crate) set: Vec<(String, String)>,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((path, value)) => Ok((path.trim().to_owned(), value.trim().to_owned())),
        None => Err("expected PATH=VALUE, as in retention=30d".into()),
    }
}

impl SettingArgs {
    /// Where settings are written.
    pub(crate) fn sources(&self) -> Sources {
        let named = [
            ("--data-dir", "data_dir", &self.data_dir),
            ("--storage", "storage", &self.storage),
            ("--listen-http", "listen.http", &self.listen_http),
            (
                "--listen-otlp-http",
                "listen.otlp_http",
                &self.listen_otlp_http,
            ),
            (
                "--listen-otlp-grpc",
                "listen.otlp_grpc",
                &self.listen_otlp_grpc,
            ),
            ("--log-format", "log.format", &self.log_format),
            ("--log-level", "log.level", &self.log_level),
        ];
        let named = named.into_iter().filter_map(|(flag, path, value)| {
            value
                .as_ref()
                .map(|value| (flag.to_owned(), path.to_owned(), value.clone()))
        });
        let set = self
            .set
            .iter()
            .map(|(path, value)| (format!("--set {path}"), path.clone(), value.clone()));
        Sources {
            file: self.config.clone(),
            flags: set.chain(named).collect(),
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 after a clean end, 1 when serving failed, 2 for a wrong configuration, 3 when a shutdown ran out of time
(nothing is lost then: what was acknowledged is in the journal, and the next start takes it up).

Examples:
  throughline serve --data-dir /var/lib/throughline
  throughline serve --storage s3://traces/prod --listen-otlp-grpc 0.0.0.0:4317
  THROUGHLINE_RETENTION=30d throughline serve")]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CheckConfigArgs {
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
    /// Print the reference of all settings (docs/configuration.md) and do nothing else
    #[arg(long, conflicts_with = "print_sample")]
    pub(crate) print_reference: bool,
    /// Print a config file with all settings at their defaults (docs/throughline.yaml) and do nothing else
    #[arg(long)]
    pub(crate) print_sample: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Sends an hour of history at once and live traffic after, as real OTLP over loopback, and prints a link to the page.
Without --data-dir everything is kept in a temporary folder that is removed at the end.

Examples:
  throughline demo
  throughline demo --data-dir ./demo-data --listen-http 127.0.0.1:8080")]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
}
