//! Messages cut to a size that every client takes, and what of an answer was sent before.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::time::Duration;

use tokio::time::Instant;

/// Bytes of a message, as in Tempo. Clients of gRPC refuse more than 4 MiB unless told otherwise.
const PACKET_BYTES_MAX: usize = 1 << 20;

/// Kept of a packet for what stands beside the items: counts, and the length of each.
const PACKET_REST_BYTES: usize = 16 << 10;
const _: () = assert!(PACKET_REST_BYTES < PACKET_BYTES_MAX);

/// Between two messages that only tell progress.
const PROGRESS_PAUSE: Duration = Duration::from_millis(100);

/// Items in groups that fit a packet; one that is larger by itself makes its own. At least one group, perhaps empty.
pub(super) fn packets<T>(
    items: impl IntoIterator<Item = T>,
    bytes: impl Fn(&T) -> usize,
) -> Vec<Vec<T>> {
    /// Tag and length of an item.
    const FRAMING: usize = 6;
    let mut packets = vec![Vec::new()];
    let mut filled = 0;
    for item in items {
        let size = bytes(&item) + FRAMING;
        if filled > 0 && filled + size > PACKET_BYTES_MAX - PACKET_REST_BYTES {
            packets.push(Vec::new());
            filled = 0;
        }
        filled += size;
        if let Some(last) = packets.last_mut() {
            last.push(item);
        }
    }
    packets
}

/// What was sent of an answer, by name, so that only what is new or changed is sent again.
pub(super) struct Sent<N> {
    hasher: RandomState,
    fingerprints: HashMap<N, u64>,
    told: Instant,
}

impl<N: Hash + Eq + Clone> Sent<N> {
    pub(super) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            fingerprints: HashMap::new(),
            told: Instant::now(),
        }
    }

    /// Whether it is time to tell progress again.
    pub(super) fn is_time(&self) -> bool {
        self.told.elapsed() >= PROGRESS_PAUSE
    }

    /// The names of `items`, given as bytes, that were not sent as they are, with their fingerprints.
    pub(super) fn changed<T>(
        &self,
        items: impl IntoIterator<Item = (N, T)>,
        bytes: impl Fn(&T) -> Vec<u8>,
    ) -> Vec<(N, u64, T)> {
        let items = items.into_iter().filter_map(|(name, item)| {
            let fingerprint = self.hasher.hash_one(bytes(&item));
            let is_known = self.fingerprints.get(&name) == Some(&fingerprint);
            (!is_known).then_some((name, fingerprint, item))
        });
        items.collect()
    }

    /// Remembers what was sent now.
    pub(super) fn remember(&mut self, sent: impl IntoIterator<Item = (N, u64)>) {
        self.fingerprints.extend(sent);
        self.told = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_filled_and_never_too_large() {
        let sizes = |items: Vec<usize>| -> Vec<usize> {
            let packets = packets(items, |size| *size);
            packets.iter().map(|packet| packet.iter().sum()).collect()
        };
        assert_eq!(sizes(vec![]), [0]);
        assert_eq!(sizes(vec![10, 20]), [30]);
        assert_eq!(sizes(vec![600_000, 300_000, 300_000]), [900_000, 300_000]);
        assert_eq!(sizes(vec![1, 5_000_000, 1]), [1, 5_000_000, 1]);
    }

    #[test]
    fn only_what_has_changed_is_sent_again() {
        let mut sent = Sent::new();
        let bytes = |text: &&str| text.as_bytes().to_vec();
        let first = sent.changed([(1, "a"), (2, "b")], bytes);
        assert_eq!(first.len(), 2);
        sent.remember(first.iter().map(|(name, print, _)| (*name, *print)));
        let second = sent.changed([(1, "a"), (2, "c"), (3, "d")], bytes);
        let names: Vec<i32> = second.iter().map(|(name, ..)| *name).collect();
        assert_eq!(names, [2, 3]);
    }
}
