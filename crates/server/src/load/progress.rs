//! The progress line on standard error.

use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::report::grouped;
use super::tally::Live;
use super::worker::Part;

/// How often the line is renewed on a terminal, and printed elsewhere.
const RENEW: Duration = Duration::from_millis(250);
const PRINT: Duration = Duration::from_secs(10);

/// Shows what goes on: a line that renews itself on a terminal, a line now and then elsewhere, nothing beside JSON.
pub(super) struct Progress {
    bar: ProgressBar,
    prints: bool,
}

impl Progress {
    pub(super) fn new(silent: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = if silent || !terminal {
            ProgressBar::hidden()
        } else {
            ProgressBar::new_spinner()
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(RENEW);
        Self {
            bar,
            prints: !silent && !terminal,
        }
    }

    pub(super) fn say(&self, text: &'static str) {
        self.bar.set_message(text);
    }

    /// Shows the counts until all threads have ended.
    pub(super) async fn follow(&self, live: &Live, threads: &[JoinHandle<Part>]) {
        let (mut shown, mut printed) = ((Instant::now(), 0), Instant::now());
        while !threads.iter().all(JoinHandle::is_finished) {
            tokio::time::sleep(RENEW).await;
            let accepted = live.accepted_spans.load(Ordering::Relaxed);
            let now = Instant::now();
            let rate = (accepted - shown.1) as f64 / now.duration_since(shown.0).as_secs_f64();
            let line = format!(
                "{} spans/s, {} accepted in {} requests, {} refused or failed",
                grouped(rate as u64),
                grouped(accepted),
                grouped(live.requests.load(Ordering::Relaxed)),
                grouped(live.troubles.load(Ordering::Relaxed)),
            );
            if self.prints && printed.elapsed() >= PRINT {
                // Progress is a courtesy: when nobody can read it, the load goes on.
                let _ = writeln!(std::io::stderr(), "{line}");
                printed = now;
            }
            self.bar.set_message(line);
            // The rate shown is that of the last seconds, not of the last renewal, so that it can be read.
            if now.duration_since(shown.0) > 4 * RENEW {
                shown = (now, accepted);
            }
        }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
