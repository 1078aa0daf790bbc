//! Pieces of a trace put together.

use block::TraceOrder;
use model::{Gathered, Remap, SpanBatch, SymbolOverflow};
use store::FoundTrace;

/// Stored and live spans of one trace as one batch: each span once, in pre-order. What a single block has is that already.
pub(crate) fn whole(found: FoundTrace, live: &SpanBatch) -> Result<SpanBatch, SymbolOverflow> {
    let mut stored = found.spans;
    if live.is_empty() && found.pieces <= 1 {
        return Ok(stored.batch);
    }
    let mut remap = Remap::default();
    remap.reset(live);
    for row in 0..live.len() {
        stored.push(live, row, &mut remap)?;
    }
    let batch = stored.batch;
    let rows: Vec<u32> = (0..batch.len() as u32).collect();
    let mut ordered = Vec::with_capacity(rows.len());
    TraceOrder::default().order(&batch, &rows, &mut ordered);
    let mut whole = Gathered::new();
    remap.reset(&batch);
    for row in ordered {
        whole.push(&batch, row.row as usize, &mut remap)?;
    }
    Ok(whole.batch)
}
