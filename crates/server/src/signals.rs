//! Being told to stop.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::Instant;
use tracing::{error, warn};

/// Signals that come within so long are one: some supervisors signal a process and then its whole group.
const ONE_WISH: Duration = Duration::from_millis(500);

/// Resolves at the first SIGTERM or SIGINT. A second one, later than [`ONE_WISH`], ends the process at once: somebody is impatient,
/// and what was acknowledged is in the journal.
pub(crate) async fn stop() {
    let (mut terminate, mut interrupt) = match (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) {
        (Ok(terminate), Ok(interrupt)) => (terminate, interrupt),
        (Err(error), _) | (_, Err(error)) => {
            error!(%error, "cannot listen for signals; stop this process with SIGKILL");
            return std::future::pending().await;
        }
    };
    either(&mut terminate, &mut interrupt).await;
    let told = Instant::now();
    tokio::spawn(async move {
        while told.elapsed() < ONE_WISH {
            either(&mut terminate, &mut interrupt).await;
        }
        warn!("told to stop a second time: stopping at once");
        // As the shell reports a process that a signal ended.
        std::process::exit(130)
    });
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
