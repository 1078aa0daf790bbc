//! Pages of lists: which elements belong to which rows, and lists of attributes.

use std::ops::Range;

use model::{Attribute, Range32, SpanBatch, Symbols, ValueRef};

use crate::fetched::FetchedLeaf;
use crate::pages::{LeafSource, PagedColumn, RawPage};
use crate::rle;
use crate::words::{NumberedPages, Shape, WordPages};
use crate::{AttributeType, ReadError};

/// Which list the values of a nested column belong to.
#[derive(Default)]
pub(crate) struct Owners {
    repetition: Vec<u8>,
    definition: Vec<u8>,
    /// Of each value: the number of its owner, counted in the page. At depth 1 owners are rows, at 2 the elements of depth 1.
    pub(crate) of_value: Vec<u32>,
    /// Owners in the page.
    pub(crate) count: usize,
}

impl Owners {
    /// Reads the levels of the page that a leaf at `depth` has gone to, and gives how many values it has.
    pub(crate) fn read(&mut self, leaf: &FetchedLeaf, depth: u8) -> Result<usize, ReadError> {
        self.read_levels(leaf.page(), depth)
            .ok_or_else(|| leaf.bad_levels())?;
        Ok(self.of_value.len())
    }

    /// As [`Self::read`], of a list in rows, of which there must be so many.
    pub(crate) fn read_rows(
        &mut self,
        leaf: &FetchedLeaf,
        rows: usize,
    ) -> Result<usize, ReadError> {
        let values = self.read(leaf, 1)?;
        if self.count != rows {
            return Err(leaf.bad_levels());
        }
        Ok(values)
    }

    fn read_levels(&mut self, page: &RawPage, depth: u8) -> Option<()> {
        let (count, width) = (page.entries, rle::width_of(u32::from(depth)));
        let (repetition, definition) = (&mut self.repetition, &mut self.definition);
        repetition.clear();
        definition.clear();
        rle::decode(&page.repetition, width, count, &(0..count), repetition)?;
        rle::decode(&page.definition, width, count, &(0..count), definition)?;
        self.of_value.clear();
        let mut owners = 0u32;
        for (&repetition, &definition) in self.repetition.iter().zip(&self.definition) {
            if repetition.max(definition) > depth {
                return None;
            }
            // Of two levels, a value or an empty list at the upper one begins an owner; a row without elements has none.
            owners += u32::from(repetition < depth && definition + 1 >= depth);
            if definition == depth {
                self.of_value.push(owners.checked_sub(1)?);
            }
        }
        self.count = owners as usize;
        Some(())
    }
}

/// A list of attributes: key, type, value. One page of it decoded at a time.
pub struct ListPages {
    depth: u8,
    keys: WordPages,
    kinds: NumberedPages,
    values: WordPages,
    owners: Owners,
    /// The page that was gone to.
    page: usize,
}

const KINDS: [AttributeType; 5] = [
    AttributeType::String,
    AttributeType::Int,
    AttributeType::Double,
    AttributeType::Bool,
    AttributeType::Json,
];

impl ListPages {
    /// `leaves` are those of key, type and value. At `depth` 1 in a row itself, at 2 inside the elements of a list.
    pub(crate) fn open(leaves: [LeafSource<'_>; 3], depth: u8) -> Result<Self, ReadError> {
        let kind = |word: &str| {
            let kind = KINDS.iter().position(|kind| kind.as_str() == word);
            kind.map(|kind| kind as u8)
        };
        Ok(Self {
            depth,
            keys: WordPages::open(leaves[0], Shape::Text, true)?,
            kinds: NumberedPages::open(leaves[1], kind)?,
            values: WordPages::open(leaves[2], Shape::Text, true)?,
            owners: Owners::default(),
            page: 0,
        })
    }

    /// The keys of the attributes of the page.
    pub fn keys(&self) -> &WordPages {
        &self.keys
    }

    /// The type of an attribute of the page.
    ///
    /// # Panics
    /// When there are not so many.
    pub fn kind(&self, at: usize) -> AttributeType {
        KINDS[usize::from(self.kinds.number(at))]
    }

    /// The texts of the values of the page: numbers in digits, other types in canonical text.
    pub fn values(&self) -> &WordPages {
        &self.values
    }

    /// Goes to a page and decodes all of it, for as many owners as it says.
    pub(crate) fn load(&mut self, page: usize) -> Result<(), ReadError> {
        self.keys.leaf.fetch(page)?;
        self.page = page;
        self.decode_all()
    }

    fn decode_all(&mut self) -> Result<(), ReadError> {
        let count = self.owners.read(&self.keys.leaf, self.depth)?;
        self.keys.decode_values(&(0..count), true)?;
        self.kinds.load_values(self.page, count)?;
        self.values.load_values(self.page, count)
    }

    /// Whether any of these rows of the page that was gone to has attributes, decoded or not. At depth 1.
    pub(crate) fn has_value_in(&self, rows: &Range<usize>) -> Result<bool, ReadError> {
        self.keys.leaf.has_element_in(rows)
    }

    pub(crate) fn forget_symbols(&mut self) {
        self.keys.forget_symbols();
        self.values.forget_symbols();
    }

    /// Owners in the page.
    pub(crate) fn owner_count(&self) -> usize {
        self.owners.count
    }

    /// Of each attribute of the page: its owner, ascending.
    pub fn owners(&self) -> &[u32] {
        &self.owners.of_value
    }

    pub(crate) fn attribute(
        &mut self,
        at: usize,
        symbols: &mut Symbols,
    ) -> Result<Attribute, ReadError> {
        let key = self.keys.symbol(at, symbols)?;
        let kind = KINDS[usize::from(self.kinds.number(at))];
        if kind == AttributeType::String {
            let value = self.values.symbol(at, symbols)?;
            return Ok(Attribute { key, value });
        }
        let text = self.values.text(at)?;
        let value = match kind {
            AttributeType::Int => text.parse().ok().map(ValueRef::Int),
            AttributeType::Double => text.parse().ok().map(ValueRef::Double),
            AttributeType::Bool => text.parse().ok().map(ValueRef::Bool),
            AttributeType::String | AttributeType::Json => Some(ValueRef::Json(text)),
        };
        let Some(value) = value else {
            return Err(self.values.damaged("a value is not of its type"));
        };
        let value = symbols.intern_value(value)?;
        Ok(Attribute { key, value })
    }

    /// Appends the attributes of an owner to `into`. Owners must be asked for in ascending order; `at` begins at 0 and is
    /// moved on.
    pub(crate) fn range(
        &mut self,
        owner: u32,
        at: &mut usize,
        into: &mut SpanBatch,
    ) -> Result<Range32, ReadError> {
        let start = into.attributes.len();
        while self.owners().get(*at) == Some(&owner) {
            let attribute = self.attribute(*at, &mut into.symbols)?;
            into.attributes.push(attribute);
            *at += 1;
        }
        Ok(Range32::between(start, into.attributes.len()))
    }
}

impl PagedColumn for ListPages {
    fn fetch(&mut self, page: usize, _: usize) -> Result<(), ReadError> {
        self.keys.leaf.fetch(page)?;
        self.page = page;
        Ok(())
    }

    /// Decodes the whole page.
    fn decode(&mut self, _: &Range<usize>, of: usize) -> Result<Range<usize>, ReadError> {
        self.decode_all()?;
        if self.owners.count != of {
            return Err(self.keys.leaf.bad_levels());
        }
        Ok(0..of)
    }
}
