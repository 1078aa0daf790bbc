//! A span at its place in a tree.

use model::SpanId;

/// No span.
pub(crate) const NONE: u32 = u32::MAX;

/// A span at its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    /// Row of the batch.
    pub(crate) row: u32,
    /// Position of the parent, or [`NONE`].
    pub(crate) parent: u32,
    /// Spans above.
    pub(crate) depth: u32,
    /// Spans below: they are the next positions.
    pub(crate) below: u32,
    /// Spans right below.
    pub(crate) children: u32,
}

impl Node {
    /// A span of which is not known yet how much is below it.
    pub(crate) const fn new(row: u32, parent: u32, depth: u32, children: u32) -> Self {
        Self {
            row,
            parent,
            depth,
            below: 0,
            children,
        }
    }
}

/// Ids in the order of their bytes.
#[inline]
pub(crate) fn number(id: SpanId) -> u64 {
    u64::from_be_bytes(id.0)
}
