//! What processes use, from `/proc`.

use std::time::{Duration, Instant};

use anyhow::Context as _;

/// Ticks of CPU time per second in `/proc/<pid>/stat`: 100 on every architecture that Linux has.
const TICKS_PER_SECOND: f64 = 100.0;
/// A process is idle when it used less than this share of a core for so long.
const IDLE_SHARE: f64 = 0.03;
const IDLE_FOR: Duration = Duration::from_millis(1_500);

/// CPU time and memory of one process.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Usage {
    /// User and system time since its start, all threads, those that ended too.
    pub(super) cpu_seconds: f64,
    /// The most memory that it ever had resident.
    pub(super) peak_bytes: u64,
}

/// Both sides at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Snapshot {
    pub(super) own: Option<Usage>,
    pub(super) server: Option<Usage>,
}

impl Snapshot {
    /// # Errors
    /// When a server was named and cannot be read. Our own usage is left out where there is no `/proc`.
    pub(super) fn take(server_pid: Option<u32>) -> anyhow::Result<Self> {
        Ok(Self {
            own: usage("self").ok(),
            server: match server_pid {
                Some(pid) => Some(
                    usage(&pid.to_string())
                        .with_context(|| format!("cannot observe --server-pid {pid}"))?,
                ),
                None => None,
            },
        })
    }
}

fn usage(pid: &str) -> anyhow::Result<Usage> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    Ok(Usage {
        cpu_seconds: cpu_seconds(&stat).context("unexpected form of /proc/<pid>/stat")?,
        peak_bytes: peak_bytes(&status).context("unexpected form of /proc/<pid>/status")?,
    })
}

/// User and system time are the 14th and 15th field; the second is the name in parentheses, which may hold anything.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((user + system) as f64 / TICKS_PER_SECOND)
}

fn peak_bytes(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// Waits until a process is idle, and returns how long that took; none when it still was busy after `limit`.
///
/// # Errors
/// When the process is gone.
pub(super) async fn settle(pid: Option<u32>, limit: Duration) -> anyhow::Result<Option<Duration>> {
    let Some(pid) = pid else {
        return Ok(None);
    };
    let start = Instant::now();
    let mut before = usage(&pid.to_string())?.cpu_seconds;
    while start.elapsed() < limit {
        tokio::time::sleep(IDLE_FOR).await;
        let now = usage(&pid.to_string())
            .context("the server's process is gone")?
            .cpu_seconds;
        if now - before < IDLE_SHARE * IDLE_FOR.as_secs_f64() {
            return Ok(Some(start.elapsed().saturating_sub(IDLE_FOR)));
        }
        before = now;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_processes_may_hold_anything() {
        let stat = "42 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(cpu_seconds("42 (x) S"), None);
    }

    #[test]
    fn the_peak_is_in_kibibytes() {
        assert_eq!(peak_bytes("Name:\tx\nVmHWM:\t    2048 kB\n"), Some(2 << 20));
        assert_eq!(peak_bytes("Name:\tx\n"), None);
    }

    #[test]
    fn this_process_can_be_observed() {
        let usage = usage("self").unwrap();
        assert!(usage.peak_bytes > 1 << 20);
    }
}
