//! Which rows have values: the repetition and definition levels of a page.

/// The levels of a page.
#[derive(Clone, Copy)]
pub(crate) enum Levels<'a> {
    /// Of a nested column, or both empty.
    Nested {
        repetition: &'a [u8],
        definition: &'a [u8],
    },
    /// Of a nullable column that is not nested: which of so many rows have a value, ascending.
    Nullable { present: &'a [u32], rows: usize },
}

/// Levels of the open page. A column without nulls and repetition leaves all empty.
#[derive(Default)]
pub(crate) struct OpenLevels {
    repetition: Vec<u8>,
    definition: Vec<u8>,
    /// In place of levels, of a column that is nullable and not nested: the rows that have a value.
    present: Vec<u32>,
}

impl OpenLevels {
    pub(crate) fn borrow(&self) -> Levels<'_> {
        Levels::Nested {
            repetition: &self.repetition,
            definition: &self.definition,
        }
    }

    /// Of a page of a column that is nullable and not nested.
    pub(crate) fn borrow_nullable(&self, rows: usize) -> Levels<'_> {
        Levels::Nullable {
            present: &self.present,
            rows,
        }
    }

    /// Whether the column has no levels.
    pub(crate) fn is_flat(&self) -> bool {
        self.definition.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.repetition.clear();
        self.definition.clear();
        self.present.clear();
    }

    /// Notes that `row` has a value. `false`: it had one already.
    #[inline]
    pub(crate) fn set(&mut self, row: usize) -> bool {
        let row = row as u32;
        if self.present.last().is_some_and(|&last| last >= row) {
            return false;
        }
        self.present.push(row);
        true
    }

    #[inline]
    pub(crate) fn push(&mut self, repetition: u8, definition: u8) {
        self.repetition.push(repetition);
        self.definition.push(definition);
    }

    /// As many rows of a nested column hold nothing.
    #[inline]
    pub(crate) fn push_empty(&mut self, rows: usize) {
        self.repetition.resize(self.repetition.len() + rows, 0);
        self.definition.resize(self.definition.len() + rows, 0);
    }
}
