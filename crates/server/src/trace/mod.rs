//! `throughline trace`: one trace drawn in the terminal.

mod waterfall;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use model::{SpanBatch, TraceId};
use wire::otlp::DecodeLimits;
use wire::proto::{Reader, Tag};

use self::waterfall::Canvas;
use crate::client::{Client, ServerArgs};
use crate::terminal::{Paint, width};

#[derive(Debug, Args)]
#[command(after_help = "\
Each line is a span: its service and name, a bar that shows when it ran, and how long.
Full blocks are the critical path: what the end of the trace was waiting for.
Light ones are time that nobody waited for, or that was spent further down. `!` marks errors.
Below stand the findings: where the time went, and what to do about it.

Examples:
  throughline trace 4bf92f3577b34da6a3ce929d0e0e4736
  throughline trace a3ce929d0e0e4736 --spans 50
  throughline trace 4bf92f3577b34da6a3ce929d0e0e4736 --output json > trace.json")]
pub(crate) struct TraceArgs {
    /// The trace id, in any spelling: upper case, with dashes, without leading zeros
    #[arg(value_name = "ID", value_parser = trace_id)]
    id: TraceId,
    /// Spans drawn at the most, in the order of the tree
    #[arg(long, value_name = "N", default_value_t = 500)]
    spans: usize,
    /// How it is written
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
    #[command(flatten)]
    server: ServerArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// Drawn
    Text,
    /// OTLP/JSON, as the server answers
    Json,
}

/// An id as people have it in logs and addresses.
fn trace_id(text: &str) -> Result<TraceId, String> {
    let bare = text.trim().to_lowercase().replace('-', "");
    let bare = bare.strip_prefix("0x").unwrap_or(&bare);
    bare.parse().map_err(|error| format!("{error}"))
}

/// Runs the command.
#[expect(clippy::print_stderr, reason = "a warning belongs beside the answer")]
pub(crate) async fn run(args: TraceArgs) -> anyhow::Result<()> {
    let client = Client::new(&args.server)?;
    if args.output == Output::Json {
        let path = format!("/api/v1/traces/{}", args.id);
        let body = client.get(&path, &[], "application/json").await?;
        print(&body);
        return Ok(());
    }
    let path = format!("/api/v2/traces/{}", args.id);
    let body = client.get(&path, &[], "application/protobuf").await?;
    let (spans, message) = read(&body).context("cannot read the answer")?;
    if !message.is_empty() {
        eprintln!("throughline: the trace may not be complete: {message}");
    }
    if spans.is_empty() {
        bail!("trace {} is not held by {}", args.id, args.server.address);
    }
    let analysis = analysis::analyse(&spans, &analysis::Settings::default());
    let canvas = Canvas {
        width: width(),
        spans_max: args.spans,
        paint: Paint::of_stdout(),
    };
    print(waterfall::draw(&spans, &analysis, &canvas).as_bytes());
    Ok(())
}

/// Writes an answer. Somebody who reads no further, as `head` does, is not an error.
fn print(bytes: &[u8]) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

/// The spans of a `TraceByIDResponse`, and what it says of their completeness.
fn read(body: &[u8]) -> anyhow::Result<(SpanBatch, String)> {
    let mut spans = SpanBatch::default();
    let mut message = String::new();
    let mut reader = Reader::new(body);
    while let Some(tag) = reader.tag()? {
        if tag == Tag::len(1) {
            let limits = DecodeLimits {
                max_span_bytes: usize::MAX,
            };
            wire::otlp::decode(reader.bytes()?, &limits, &mut spans)?;
        } else if tag == Tag::len(4) {
            message = String::from_utf8_lossy(reader.bytes()?).into_owned();
        } else {
            reader.skip(tag)?;
        }
    }
    Ok((spans, message))
}
