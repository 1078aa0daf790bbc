//! What the machine has, for defaults that fit it.

use std::num::NonZero;
use std::thread::available_parallelism;

/// Assumed where the machine does not tell: small enough for any.
const MEMORY_UNKNOWN: u64 = 4 << 30;

/// Cores that this process may use.
pub(crate) fn cores() -> usize {
    available_parallelism().map_or(1, NonZero::get)
}

/// Memory that this process may use: that of the machine, or of its container if that is less.
pub(crate) fn memory_bytes() -> u64 {
    let machine = std::fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| total_of(&text));
    let container = std::fs::read_to_string("/sys/fs/cgroup/memory.max")
        .ok()
        .and_then(|text| text.trim().parse().ok());
    match (machine, container) {
        (Some(machine), Some(container)) => machine.min(container),
        (machine, container) => machine.or(container).unwrap_or(MEMORY_UNKNOWN),
    }
}

/// `MemTotal` of `/proc/meminfo`, which is in KiB.
fn total_of(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1 << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_found() {
        assert_eq!(
            total_of("MemFree: 1 kB\nMemTotal:       24576000 kB\n"),
            Some(24_576_000 << 10)
        );
        assert_eq!(total_of(""), None);
        assert!(memory_bytes() > 1 << 20);
    }
}
