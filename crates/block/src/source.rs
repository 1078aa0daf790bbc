//! Where the columns of a row group are found by their paths.

use std::collections::HashMap;
use std::sync::Arc;

use model::{SpanKind, StatusCode};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};

use crate::ReadError;
use crate::dictionary::Dictionaries;
use crate::lists::ListPages;
use crate::numbers::{IdPages, IntPages, LongPages, NullableIdPages};
use crate::pages::{LeafPlaces, LeafSource, Window};
use crate::read::content;
use crate::words::{NumberedPages, Shape, WordPages};

/// The leaf columns of a file by their paths.
pub(crate) fn leaves_of(footer: &ParquetMetaData) -> HashMap<String, usize> {
    let leaves = footer.file_metadata().schema_descr().columns().iter();
    leaves
        .enumerate()
        .map(|(at, leaf)| (leaf.path().string(), at))
        .collect()
}

/// Where the columns of a row group are found.
pub(crate) struct Source<'a> {
    /// What is in memory of the file.
    pub(crate) parts: &'a Arc<[Window]>,
    pub(crate) group: &'a RowGroupMetaData,
    pub(crate) leaves: &'a HashMap<String, usize>,
    /// Where the pages of each leaf are; without it all of the row group must be in memory.
    pub(crate) places: Option<&'a [LeafPlaces]>,
    /// Who may have dictionaries of the row group.
    pub(crate) dictionaries: Option<&'a Arc<dyn Dictionaries>>,
}

impl<'a> Source<'a> {
    pub(crate) fn leaf(&self, path: &str) -> Result<LeafSource<'a>, ReadError> {
        let Some(&leaf) = self.leaves.get(path) else {
            return Err(content(format!("column `{path}` is missing")));
        };
        Ok(LeafSource {
            parts: self.parts,
            chunk: self.group.column(leaf),
            places: self.places.and_then(|places| places.get(leaf)),
            leaf,
            dictionaries: self.dictionaries,
        })
    }

    pub(crate) fn ids<const N: usize>(&self, path: &str) -> Result<IdPages<N>, ReadError> {
        IdPages::open(self.leaf(path)?)
    }

    pub(crate) fn nullable_ids<const N: usize>(
        &self,
        path: &str,
    ) -> Result<NullableIdPages<N>, ReadError> {
        NullableIdPages::open(self.leaf(path)?)
    }

    pub(crate) fn ints(&self, path: &str) -> Result<IntPages, ReadError> {
        IntPages::open(self.leaf(path)?)
    }

    pub(crate) fn longs(&self, path: &str) -> Result<LongPages, ReadError> {
        LongPages::open(self.leaf(path)?)
    }

    pub(crate) fn text(&self, path: &str) -> Result<WordPages, ReadError> {
        WordPages::open(self.leaf(path)?, Shape::Text, false)
    }

    pub(crate) fn nullable_text(&self, path: &str) -> Result<WordPages, ReadError> {
        WordPages::open(self.leaf(path)?, Shape::Text, true)
    }

    pub(crate) fn list(&self, path: &str, depth: u8) -> Result<ListPages, ReadError> {
        let leaves = [
            self.leaf(&format!("{path}.key_value.key"))?,
            self.leaf(&format!("{path}.key_value.value.type"))?,
            self.leaf(&format!("{path}.key_value.value.value"))?,
        ];
        ListPages::open(leaves, depth)
    }

    pub(crate) fn kinds(&self) -> Result<NumberedPages, ReadError> {
        let number = |word: &str| {
            let is_it = |&number: &u8| SpanKind::from_number(number.into()).as_str() == word;
            (0..=5).find(is_it)
        };
        NumberedPages::open(self.leaf("kind")?, number)
    }

    pub(crate) fn statuses(&self) -> Result<NumberedPages, ReadError> {
        let number = |word: &str| {
            let is_it = |&number: &u8| StatusCode::from_number(number.into()).as_str() == word;
            (0..=2).find(is_it)
        };
        NumberedPages::open(self.leaf("status")?, number)
    }
}
