//! Appends records from many tasks for some seconds and prints the rate, the latency of acknowledgements and the processor time.
//!
//! ```text
//! cargo run --release -p journal --example append_load -- [DIR] [record bytes] [tasks] [seconds] [records/s, 0 = no limit] [warm-up seconds]
//! ```
//!
//! The defaults stand for batches of 1,000 spans at 309 bytes. Once a second all but the last two segments are trimmed, as flushing
//! would. Latencies of the warm-up, in which no trimmed file can be used again yet, are left out. It only measures; whether the records are right is for the tests.

#![expect(clippy::print_stdout, reason = "the output is the purpose")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use bytes::Bytes;
use journal::{Entry, Journal, JournalConfig, SystemFiles};
use model::UnixNanos;

const SPAN_BYTES: f64 = 309.0;
/// How often the journal is trimmed.
const TRIM_PAUSE: Duration = Duration::from_secs(1);

struct Load {
    record_bytes: usize,
    tasks: u64,
    time: Duration,
    /// Records per second; 0 for as many as go.
    rate: u64,
    /// The time at the beginning whose latencies do not count.
    warm_up: Duration,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let dir = args.next().map_or_else(
        || std::env::temp_dir().join("journal-append-load"),
        PathBuf::from,
    );
    let mut number = |default: u64| args.next().map_or(Ok(default), |text| text.parse());
    let load = Arc::new(Load {
        record_bytes: number(309_000)? as usize,
        tasks: number(32)?,
        time: Duration::from_secs(number(5)?),
        rate: number(0)?,
        warm_up: Duration::from_secs(number(0)?),
    });
    let (journal, _) = Journal::open(JournalConfig::new(&dir), Arc::new(SystemFiles))?;
    let cpu_before = cpu_time();
    let began = Instant::now();
    let mut latencies = run(&journal, &load).await?;
    let elapsed = began.elapsed().as_secs_f64();
    let cpu = (cpu_time() - cpu_before).as_secs_f64();
    latencies.sort_unstable();
    report(&journal, &load, &latencies, elapsed, cpu);
    let newest = journal.roll().await?;
    journal.trim(newest)?;
    journal.close().await;
    Ok(std::fs::remove_dir_all(dir)?)
}

/// Appends from all tasks until the time is up; returns the time that each acknowledgement took.
async fn run(journal: &Journal, load: &Arc<Load>) -> Result<Vec<Duration>, journal::AppendError> {
    let payload = Bytes::from_iter((0..load.record_bytes).map(|at| (at * at / 7) as u8));
    let next = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..load.tasks)
        .map(|_| {
            let (journal, load, next) = (journal.clone(), load.clone(), next.clone());
            let payload = payload.clone();
            tokio::spawn(async move { append_until(&journal, &load, &next, &payload).await })
        })
        .collect();
    let trimming = tokio::spawn(trim(journal.clone()));
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.unwrap_or(Err(journal::AppendError::Closed))?);
    }
    trimming.abort();
    Ok(latencies)
}

/// Gives back all but the last two segments again and again, as if their spans were in blocks.
async fn trim(journal: Journal) {
    loop {
        tokio::time::sleep(TRIM_PAUSE).await;
        let journal = journal.clone();
        // A failure shows in the numbers as a full journal.
        let trimmed = move || journal.trim(journal.stats().active_segment.saturating_sub(2));
        let _ = tokio::task::spawn_blocking(trimmed).await;
    }
}

async fn append_until(
    journal: &Journal,
    load: &Load,
    next: &AtomicU64,
    payload: &Bytes,
) -> Result<Vec<Duration>, journal::AppendError> {
    let began = Instant::now();
    let mut latencies = Vec::new();
    loop {
        let turn = next.fetch_add(1, Relaxed);
        // With a rate, a record counts from when it was due: a stall of the journal is not hidden by a sender that waits for it.
        let due = match load.rate {
            0 => Instant::now(),
            rate => began + Duration::from_secs_f64(turn as f64 / rate as f64),
        };
        if due.duration_since(began) >= load.time {
            return Ok(latencies);
        }
        if due > Instant::now() {
            tokio::time::sleep_until(due.into()).await;
        }
        let position = journal.append(entry(turn, payload.clone())).await?;
        if due.duration_since(began) >= load.warm_up {
            latencies.push(due.elapsed());
        }
        journal.handed_over(position);
    }
}

fn entry(turn: u64, payload: Bytes) -> Entry {
    Entry {
        received: UnixNanos(turn.cast_signed()),
        encoding: 1,
        tenant: "default".into(),
        payload,
    }
}

fn report(journal: &Journal, load: &Load, sorted: &[Duration], elapsed: f64, cpu: f64) {
    let stats = journal.stats();
    let quantile = |q: f64| sorted[((sorted.len() - 1) as f64 * q) as usize];
    let records = stats.appended_records as f64;
    let spans = records * load.record_bytes as f64 / SPAN_BYTES;
    let commits = stats.commits as f64;
    println!(
        "{:.0} records/s of {} bytes, {:.0} MB/s, as spans of {SPAN_BYTES} bytes {:.0}/s",
        records / elapsed,
        load.record_bytes,
        records * load.record_bytes as f64 / elapsed / 1e6,
        spans / elapsed,
    );
    println!(
        "acknowledged after p50 {:.1?}  p99 {:.1?}  p99.9 {:.1?}  max {:.1?}",
        quantile(0.5),
        quantile(0.99),
        quantile(0.999),
        quantile(1.0),
    );
    println!(
        "{:.0} commits/s of {:.1} records, sync mean {:.1?}  max {:.1?}",
        commits / elapsed,
        records / commits,
        stats.sync_time.div_f64(commits),
        stats.sync_time_max,
    );
    println!(
        "cpu {cpu:.2} s: {:.1} us per record, {:.1} ns per span, {:.0} % of a core",
        cpu / records * 1e6,
        cpu / spans * 1e9,
        cpu / elapsed * 100.0,
    );
}

/// User and system time of this process, to a hundredth of a second; zero where the system does not tell.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Fields 14 and 15; the name before them, in parentheses, may hold spaces.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Duration::from_millis(10 * ticks)
}
