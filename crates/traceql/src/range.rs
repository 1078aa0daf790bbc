//! Places in a query text: byte ranges, and nodes that carry one.

/// A range of bytes in the query text; both ends lie on character boundaries of the text it came from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TextRange {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl TextRange {
    /// The range from `start` to `end`.
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The place just before the byte at `offset`, with nothing in it.
    pub const fn empty_at(offset: usize) -> Self {
        Self::new(offset, offset)
    }

    /// The smallest range that holds this one and `other`.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self::new(self.start.min(other.start), self.end.max(other.end))
    }

    /// Whether nothing is in it.
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// The part of `text` in this range; empty when the text is not the one the range came from.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or_default()
    }
}

impl std::fmt::Debug for TextRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

/// A part of the syntax tree and where it stands in the text.
///
/// Two nodes are equal when they *say* the same, wherever they stand: so a tree can be compared with the tree of its
/// own printed text.
#[derive(Debug, Clone)]
pub struct Node<T> {
    /// What it says.
    pub kind: T,
    /// Where it stands.
    pub range: TextRange,
}

impl<T> Node<T> {
    /// `kind`, standing at `range`.
    pub const fn new(kind: T, range: TextRange) -> Self {
        Self { kind, range }
    }

    /// `kind` without a place in any text, for trees that are built rather than parsed.
    pub fn bare(kind: T) -> Self {
        Self::new(kind, TextRange::default())
    }
}

impl<T: PartialEq> PartialEq for Node<T> {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}
