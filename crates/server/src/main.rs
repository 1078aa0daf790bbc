//! `throughline`: the program. Reads the command line and the configuration, puts the parts together, and ends with a code
//! that says how it went.

mod cli;
mod client;
mod clock;
mod config;
mod connect;
mod demo;
mod import;
mod inspect;
mod load;
mod logging;
mod machine;
mod metrics;
mod query;
mod serve;
mod signals;
mod table;
mod terminal;
mod tls;
mod trace;

use std::future::Future;
use std::pin::{Pin, pin};
use std::process::ExitCode;

use clap::Parser as _;
use tokio_util::sync::CancellationToken;

use crate::cli::{CheckConfigArgs, Cli, Command, DemoArgs, ServeArgs};
use crate::config::{Loaded, Settings};
use crate::demo::DemoTarget;
use crate::serve::{Ending, Server, StartError};

/// Spans are freed by other threads than those that took the memory; decision 6 says what that does to allocators. Elsewhere
/// the allocator of the system serves.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Something did not work.
const FAILED: u8 = 1;
/// The configuration is wrong; so do wrong arguments end.
const BAD_CONFIG: u8 = 2;
/// A shutdown ran out of time. Nothing is lost.
const NOT_CLEAN: u8 = 3;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(machine::cores())
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(run(cli.command)),
        Err(error) => fail(&format!("cannot start threads: {error}")),
    }
}

async fn run(command: Command) -> ExitCode {
    match command {
        Command::Serve(args) => serve(&args).await,
        Command::Demo(args) => demo(&args).await,
        Command::CheckConfig(args) => check_config(&args),
        Command::Import(args) => ended(import::run(args).await),
        Command::Load(args) => ended(load::run(args).await),
        Command::Inspect(args) => ended(inspect::run(args).await),
        Command::Query(args) => match query::run(args).await {
            Ok(code) => code,
            Err(error) => fail(&format!("{error:#}")),
        },
        Command::Trace(args) => ended(trace::run(args).await),
    }
}

async fn serve(args: &ServeArgs) -> ExitCode {
    let settings = match load_settings(&args.settings) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let mut stop = pin!(signals::stop());
    match start(&settings, stop.as_mut()).await {
        Ok(server) => ending(server.run_until(stop).await),
        Err(code) => code,
    }
}

/// Starts a server, unless told to stop meanwhile.
async fn start(
    settings: &Settings,
    stop: Pin<&mut impl Future<Output = ()>>,
) -> Result<Server, ExitCode> {
    tokio::select! {
        started = Server::start(settings) => started.map_err(|error| start_failed(&error)),
        () = stop => {
            tracing::info!("stopped before it was ready");
            Err(ExitCode::SUCCESS)
        }
    }
}

async fn demo(args: &DemoArgs) -> ExitCode {
    let mut args = args.settings.clone();
    // Lines of the log would run through the progress bar; what matters is still said.
    args.log_level.get_or_insert_with(|| "warn".into());
    let temporary = match args.data_dir {
        Some(_) => None,
        None => match tempfile::Builder::new()
            .prefix("throughline-demo-")
            .tempdir()
        {
            Ok(folder) => Some(folder),
            Err(error) => {
                return fail(&format!(
                    "cannot create a temporary folder; give one with --data-dir: {error}"
                ));
            }
        },
    };
    if let Some(folder) = &temporary {
        args.data_dir = Some(folder.path().display().to_string());
    }
    let settings = match load_settings(&args) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    if settings.tls_certificate.0.is_some() {
        complain("the demo's senders speak no TLS: leave out tls.certificate and tls.key");
        return ExitCode::from(BAD_CONFIG);
    }
    let mut stop = pin!(signals::stop());
    let server = match start(&settings, stop.as_mut()).await {
        Ok(server) => server,
        Err(code) => return code,
    };
    let addresses = server.addresses().reachable();
    let target = DemoTarget {
        http: addresses.otlp_http,
        grpc: addresses.otlp_grpc,
        page_url: format!("http://{}", addresses.http),
    };
    let cancel = CancellationToken::new();
    let mut sending = tokio::spawn(demo::run(target, cancel.clone()));
    let mut failure = None;
    let ended = server.run_until(async {
        tokio::select! {
            () = stop => {}
            sent = &mut sending => failure = sent.map_err(anyhow::Error::from).and_then(|sent| sent).err(),
        }
        cancel.cancel();
    });
    let code = ending(ended.await);
    match failure {
        Some(error) => fail(&format!("{error:#}")),
        None => code,
    }
}

/// Reads the settings and starts logging as they say; ends with a report of all problems.
fn load_settings(args: &cli::SettingArgs) -> Result<Settings, ExitCode> {
    match config::load(&args.sources(), std::env::vars(), serve::problems) {
        Ok(Loaded { settings, warnings }) => {
            logging::start(settings.log_format.0, &settings.log_level);
            for warning in warnings {
                tracing::warn!("{warning}");
            }
            Ok(settings)
        }
        Err(problems) => {
            complain(&problems.to_string());
            Err(ExitCode::from(BAD_CONFIG))
        }
    }
}

fn start_failed(error: &StartError) -> ExitCode {
    match error {
        StartError::Config(text) => {
            complain(text);
            ExitCode::from(BAD_CONFIG)
        }
        StartError::Failed(error) => fail(&format!("{error:#}")),
    }
}

fn ending(ending: Ending) -> ExitCode {
    match ending {
        Ending::Clean => ExitCode::SUCCESS,
        Ending::OutOfTime => ExitCode::from(NOT_CLEAN),
        Ending::Failed => ExitCode::from(FAILED),
    }
}

fn ended(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("{error:#}")),
    }
}

fn fail(text: &str) -> ExitCode {
    complain(text);
    ExitCode::from(FAILED)
}

#[expect(clippy::print_stderr, reason = "the last words of a program that ends")]
fn complain(text: &str) {
    eprintln!("throughline: {}", text.trim_end());
}

#[expect(clippy::print_stdout, reason = "the answer is what the command is for")]
fn check_config(args: &CheckConfigArgs) -> ExitCode {
    if args.print_reference {
        print!("{}", config::reference::page());
        return ExitCode::SUCCESS;
    }
    if args.print_sample {
        print!("{}", config::reference::sample());
        return ExitCode::SUCCESS;
    }
    match config::load(&args.settings.sources(), std::env::vars(), serve::problems) {
        Ok(Loaded { settings, warnings }) => {
            for warning in warnings {
                complain(&warning);
            }
            for (path, value) in settings.shown() {
                println!("{path}: {value}");
            }
            ExitCode::SUCCESS
        }
        Err(problems) => {
            complain(&problems.to_string());
            ExitCode::from(BAD_CONFIG)
        }
    }
}
