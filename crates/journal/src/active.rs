//! The segment that is being written: a group of records becomes bytes in the file.

use std::io::{self, IoSlice};
use std::time::{Duration, Instant};

use crate::files::{AppendFile, write_all};
use crate::format::{Head, Salt};
use crate::queue::Pending;

/// The segment being written.
pub(crate) struct Active {
    pub(crate) number: u64,
    pub(crate) file: Box<dyn AppendFile>,
    pub(crate) salt: Salt,
    /// Where the last good commit ends.
    pub(crate) end: u64,
}

/// A group that is durable.
pub(crate) struct Committed {
    pub(crate) segment: u64,
    /// Of its records, in their order.
    pub(crate) offsets: Vec<u64>,
    pub(crate) bytes: u64,
    /// How long the disk took to write and sync it.
    pub(crate) disk_time: Duration,
}

impl Active {
    /// Writes `group` behind the last good commit and syncs it. `heads` is room for work.
    ///
    /// On an error the file is not to be used again.
    pub(crate) fn write(
        &mut self,
        group: &[Pending],
        heads: &mut Vec<u8>,
    ) -> Result<Committed, (&'static str, io::Error)> {
        let offsets = self.encode_heads(group, heads);
        let mut parts = Vec::with_capacity(2 * group.len());
        let mut rest = heads.as_slice();
        for pending in group {
            let (head, behind) = rest.split_at(pending.bytes as usize - pending.payload.len());
            parts.push(IoSlice::new(head));
            parts.push(IoSlice::new(&pending.payload));
            rest = behind;
        }
        debug_assert!(rest.is_empty());
        let began = Instant::now();
        write_all(&mut *self.file, &mut parts).map_err(|error| ("write to", error))?;
        self.file.sync_data().map_err(|error| ("sync", error))?;
        let disk_time = began.elapsed();
        let bytes = group.iter().map(|pending| pending.bytes).sum();
        self.end += bytes;
        Ok(Committed {
            segment: self.number,
            offsets,
            bytes,
            disk_time,
        })
    }

    /// Encodes the heads of `group` one behind the other and returns the offsets of the records.
    fn encode_heads(&self, group: &[Pending], heads: &mut Vec<u8>) -> Vec<u64> {
        heads.clear();
        let mut offset = self.end;
        let place = |pending: &Pending| {
            let head = Head {
                length: pending.payload.len() as u32,
                sum: pending.payload_crc,
                group: (offset - self.end) as u32,
                received: pending.received,
                encoding: pending.encoding,
                tenant: pending.tenant.len() as u8,
            };
            debug_assert_eq!(head.record_len(), pending.bytes);
            head.encode(&self.salt, offset, &pending.tenant, heads);
            let placed = offset;
            offset += pending.bytes;
            placed
        };
        group.iter().map(place).collect()
    }
}
