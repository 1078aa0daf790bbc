//! The leaf columns of a schema, taken in its order.

use parquet::schema::types::{ColumnDescPtr, SchemaDescriptor};

use crate::leaf::{IntLeaf, LongLeaf};
use crate::values::{SymbolLeaf, ValueShape};

/// Takes the leaf columns of a schema one after another.
pub(crate) struct Leaves<'a> {
    schema: &'a SchemaDescriptor,
    next: usize,
}

impl<'a> Leaves<'a> {
    pub(crate) fn of(schema: &'a SchemaDescriptor) -> Self {
        Self { schema, next: 0 }
    }

    pub(crate) fn take(&mut self) -> ColumnDescPtr {
        self.next += 1;
        self.schema.column(self.next - 1)
    }

    pub(crate) fn symbol(&mut self, shape: ValueShape) -> SymbolLeaf {
        let id = self.next as u16;
        SymbolLeaf::new(id, self.take(), shape)
    }

    pub(crate) fn text(&mut self) -> SymbolLeaf {
        self.symbol(ValueShape::Text)
    }

    pub(crate) fn int(&mut self) -> IntLeaf {
        IntLeaf::new(self.take())
    }

    pub(crate) fn long(&mut self) -> LongLeaf {
        LongLeaf::new(self.take())
    }
}
