//! `throughline query`: TraceQL asked of a running server, and checked without one.

mod answer;
mod range;
mod search;
mod series;
mod spark;

use std::io::Read as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand, ValueEnum};
use model::DurationNanos;
use traceql::query::Body;

use self::range::Range;
pub(crate) use self::search::millis;
use crate::client::{Client, ServerArgs};
use crate::terminal::Paint;

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "\
A query of spans prints the traces that match; one of series a line with a sparkline for each.
Mistakes are shown with a caret under them, before any server is asked; the exit code is then 1.

Examples:
  throughline query '{ resource.service.name = \"payment\" && status = error }'
  throughline query '{ duration > 1s } | select(span.http.route)' --since 15m --sort slowest
  throughline query '{ } | quantile_over_time(duration, .5, .99) by (name)' --since 6h
  throughline query '{ status = error } | rate()' --output csv > errors.csv
  throughline query '{ span.user.id = \"4711\" }' --explain
  throughline query check '{ status == error }'"
)]
pub(crate) struct QueryArgs {
    #[command(subcommand)]
    command: Option<QueryCommand>,
    /// TraceQL; `-` reads it from standard input
    #[arg(required = true, value_name = "QUERY")]
    query: Option<String>,
    #[command(flatten)]
    range: Range,
    /// Traces at the most
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Which traces come first
    #[arg(long, value_enum, default_value_t = Sort::Newest)]
    sort: Sort,
    /// From point to point of a series, as in 30s [default: some 240 points]
    #[arg(long, value_name = "DURATION", value_parser = range::duration)]
    step: Option<DurationNanos>,
    /// How the answer is written
    #[arg(long, short, value_enum, default_value_t = Output::Table)]
    output: Output,
    /// Say how the query would be answered: what is passed over, what is read
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Subcommand)]
enum QueryCommand {
    /// Say what is wrong with a query, or print it as it is understood. Needs no server
    Check {
        /// TraceQL; `-` reads it from standard input
        #[arg(value_name = "QUERY")]
        query: String,
    },
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// Aligned columns
    Table,
    /// As the server answers
    Json,
    /// Comma-separated values, a line for each trace or point
    Csv,
}

/// Which traces come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Sort {
    Newest,
    Slowest,
}

impl Sort {
    fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Slowest => "slowest",
        }
    }
}

/// Runs the command. A query with mistakes is not an error of the program, but ends it with code 1.
pub(crate) async fn run(args: Box<QueryArgs>) -> anyhow::Result<ExitCode> {
    if let Some(QueryCommand::Check { query }) = &args.command {
        return Ok(check(&text_of(query)?));
    }
    let text = text_of(args.query.as_deref().unwrap_or_default())?;
    let analysis = traceql::analyse(&text);
    complain(&text, &analysis.diagnostics);
    let Some(query) = analysis.query else {
        return Ok(ExitCode::FAILURE);
    };
    let client = Client::new(&args.server)?;
    let (start, end) = args.range.bounds()?;
    let (start, end) = (start.0.to_string(), end.0.to_string());
    let asked = Asked {
        text: &text,
        start: &start,
        end: &end,
    };
    let told = if args.explain {
        asked.plan(&client).await?
    } else {
        match query.body {
            Body::Search(_) => {
                let found = search::ask(&client, &asked, args.limit, args.sort.as_str()).await?;
                answer::warn(&found.missing);
                search::render(&found, args.output)?
            }
            Body::Metrics(_) => {
                let found = series::ask(&client, &asked, args.step).await?;
                answer::warn(&found.message());
                series::render(&found, args.output, crate::terminal::width())?
            }
        }
    };
    print(&told);
    Ok(ExitCode::SUCCESS)
}

/// A question and its range.
struct Asked<'a> {
    text: &'a str,
    start: &'a str,
    end: &'a str,
}

impl Asked<'_> {
    async fn plan(&self, client: &Client) -> anyhow::Result<String> {
        let params = [("q", self.text), ("start", self.start), ("end", self.end)];
        let answer: serde_json::Value = client.json("/api/v1/query/explain", &params).await?;
        let plan = answer["plan"].as_str().unwrap_or_default();
        Ok(format!("{}\n", plan.trim_end()))
    }
}

fn text_of(query: &str) -> anyhow::Result<String> {
    if query != "-" {
        return Ok(query.to_owned());
    }
    let mut text = String::new();
    let most = traceql::MAX_QUERY_BYTES as u64 + 1;
    std::io::stdin()
        .take(most)
        .read_to_string(&mut text)
        .context("cannot read the query from standard input")?;
    Ok(text.trim_end().to_owned())
}

fn check(text: &str) -> ExitCode {
    let analysis = traceql::analyse(text);
    complain(text, &analysis.diagnostics);
    match analysis.query {
        Some(_) => {
            print(&format!("{}\n", analysis.ast));
            ExitCode::SUCCESS
        }
        None => ExitCode::FAILURE,
    }
}

#[expect(
    clippy::print_stderr,
    reason = "what is wrong belongs beside the answer"
)]
fn complain(text: &str, diagnostics: &[traceql::Diagnostic]) {
    if !diagnostics.is_empty() {
        eprintln!("{}", traceql::render(text, diagnostics).trim_end());
    }
}

/// Writes an answer. Somebody who reads no further, as `head` does, is not an error.
fn print(text: &str) {
    use std::io::Write as _;
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// The first line of a table, less prominent than what is below.
fn with_dim_head(table: &str, paint: Paint) -> String {
    match table.split_once('\n') {
        Some((head, rest)) => format!("{}\n{rest}", paint.ink(crate::terminal::Ink::Dim, head)),
        None => table.to_owned(),
    }
}
