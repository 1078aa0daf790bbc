//! Batches and buffers that are used again, so that a request at full speed costs no fresh memory.

use model::SpanBatch;
use parking_lot::Mutex;

/// Batches and buffers kept for later. As many as can be between the door and the shards when nothing is congested.
const KEPT_MAX: usize = 16;

/// Larger ones are given back to the allocator: one giant request must not hold its memory for ever.
const KEPT_BYTES_MAX: usize = 2 << 20;

/// Spare batches and buffers.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    batches: Mutex<Vec<SpanBatch>>,
    buffers: Mutex<Vec<Vec<u8>>>,
}

impl Pool {
    /// An empty batch.
    pub(crate) fn batch(&self) -> SpanBatch {
        self.batches.lock().pop().unwrap_or_default()
    }

    /// Takes a batch back.
    pub(crate) fn keep_batch(&self, mut batch: SpanBatch) {
        if batch.byte_count() > KEPT_BYTES_MAX {
            return;
        }
        batch.clear();
        keep(&self.batches, batch);
    }

    /// An empty buffer.
    pub(crate) fn buffer(&self) -> Vec<u8> {
        self.buffers.lock().pop().unwrap_or_default()
    }

    /// Takes a buffer back.
    pub(crate) fn keep_buffer(&self, mut buffer: Vec<u8>) {
        if buffer.capacity() > KEPT_BYTES_MAX {
            return;
        }
        buffer.clear();
        keep(&self.buffers, buffer);
    }
}

fn keep<T>(kept: &Mutex<Vec<T>>, item: T) {
    let mut kept = kept.lock();
    if kept.len() < KEPT_MAX {
        kept.push(item);
    }
}
