//! Which rows a trace has, out of the page of `traces.parquet` that names it: what reading a trace by id begins with.
//!
//! The page is found by the bounds of the column index, the trace in it by halving: ids ascend. Of the other columns only its row is
//! decoded. [`TraceTable`](crate::TraceTable) reads the same file whole, for questions about all traces.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use model::TraceId;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::page_index::column_index::ColumnIndexMetaData;

use crate::dictionary::{Dictionaries, Dictionary};
use crate::numbers::{IdPages, IntPages, LongPages};
use crate::pages::{LeafPlaces, LeafSource, PagedColumn, joined, windows};
use crate::read::content;
use crate::source::leaves_of;
use crate::words::{Shape, WordPages};
use crate::{ColumnMask, ReadError, RowRange, TracePlace};

/// The columns that are read, in the order of [`TraceFile::places`]. Blocks of version 1 do not have the last.
const COLUMNS: [&str; 4] = ["trace_id", "spans", "row", "columns"];

/// How many of [`COLUMNS`] there always are.
const REQUIRED: usize = 3;

/// How much larger a dictionary is in memory than in the file, about.
const DICTIONARY_GROWTH: usize = 4;

/// A `traces.parquet` whose footer is known.
pub struct TraceFile {
    footer: Arc<ParquetMetaData>,
    /// The numbers of [`COLUMNS`] among the leaves.
    leaves: Vec<usize>,
    /// Where their pages are, by row groups.
    places: Vec<Vec<LeafPlaces>>,
    /// By row groups.
    dictionaries: Vec<Arc<dyn Dictionaries>>,
}

/// The dictionaries of a row group that were read: of masks a few kilobytes, which every look-up would decompress again.
struct KeptDictionaries {
    /// The numbers of [`COLUMNS`] among the leaves, and in their order what was read.
    leaves: Vec<usize>,
    read: Vec<OnceLock<Dictionary>>,
}

impl KeptDictionaries {
    fn of(leaves: &[usize]) -> Self {
        Self {
            leaves: leaves.to_vec(),
            read: leaves.iter().map(|_| OnceLock::new()).collect(),
        }
    }

    fn place(&self, leaf: usize) -> Option<&OnceLock<Dictionary>> {
        let column = self.leaves.iter().position(|&known| known == leaf)?;
        self.read.get(column)
    }
}

impl Dictionaries for KeptDictionaries {
    fn get(&self, leaf: usize) -> Option<Dictionary> {
        self.place(leaf)?.get().cloned()
    }

    fn keep(&self, leaf: usize, dictionary: &Dictionary) {
        if let Some(place) = self.place(leaf) {
            place.get_or_init(|| dictionary.clone());
        }
    }
}

/// A page that may name a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TracePage {
    group: usize,
    page: usize,
}

impl TraceFile {
    /// `footer` must have the offset index, and should have the column index: without it every page may name any trace.
    ///
    /// # Errors
    /// [`ReadError`] when a column or the offset index is missing.
    pub fn new(footer: Arc<ParquetMetaData>) -> Result<Self, ReadError> {
        let known = leaves_of(&footer);
        let leaves = COLUMNS.iter().map_while(|path| known.get(*path).copied());
        let leaves: Vec<usize> = leaves.collect();
        if leaves.len() < REQUIRED {
            let missing = COLUMNS[leaves.len()];
            return Err(content(format!("column `{missing}` is missing")));
        }
        let groups = 0..footer.num_row_groups();
        let places = groups.map(|group| places_of(&footer, group, &leaves));
        let places: Option<Vec<_>> = places.collect();
        let none_read = || Arc::new(KeptDictionaries::of(&leaves)) as Arc<dyn Dictionaries>;
        Ok(Self {
            dictionaries: (0..footer.num_row_groups()).map(|_| none_read()).collect(),
            places: places.ok_or_else(|| content("the file does not tell where its pages are"))?,
            leaves,
            footer,
        })
    }

    /// Memory held besides the footer, in bytes, about: with dictionaries, as if they had been read.
    pub fn byte_count(&self) -> usize {
        let places = self.places.iter().flatten();
        let dictionaries = places
            .clone()
            .filter_map(|places| places.dictionary.as_ref());
        let stored: u64 = dictionaries.map(|range| range.end - range.start).sum();
        places.map(LeafPlaces::byte_count).sum::<usize>() + DICTIONARY_GROWTH * stored as usize
    }

    /// The pages that may name a trace: one, or none, where the file is sound.
    pub fn pages_with(&self, id: TraceId) -> Vec<TracePage> {
        let mut found = Vec::new();
        for (group, places) in self.places.iter().enumerate() {
            let pages = 0..places[0].pages.len();
            let pages = pages.filter(|&page| self.may_name(group, page, id));
            found.extend(pages.map(|page| TracePage { group, page }));
        }
        found
    }

    fn may_name(&self, group: usize, page: usize, id: TraceId) -> bool {
        let index = self.footer.column_index();
        match index.and_then(|index| index.get(group)?.get(self.leaves[0])) {
            Some(ColumnIndexMetaData::FIXED_LEN_BYTE_ARRAY(bounds)) => {
                let least = bounds.min_value(page).unwrap_or(&[]);
                let most = bounds.max_value(page).unwrap_or(&[0xff; TraceId::BYTES]);
                least <= id.0.as_slice() && id.0.as_slice() <= most
            }
            _ => true,
        }
    }

    /// The bytes of the file that [`Self::find`] wants to look into a page.
    ///
    /// # Panics
    /// When the page is of another file.
    pub fn bytes_of(&self, page: TracePage) -> Vec<Range<u64>> {
        let mut ranges = Vec::new();
        let dictionaries = &self.dictionaries[page.group];
        for (places, &leaf) in self.places[page.group].iter().zip(&self.leaves) {
            ranges.extend(
                places
                    .dictionary
                    .clone()
                    .filter(|_| !dictionaries.has(leaf)),
            );
            ranges.extend(places.pages.get(page.page).cloned());
        }
        joined(ranges)
    }

    /// Where a trace is; `None` when the page does not name it. `bytes` are those of [`Self::bytes_of`], each with where it
    /// begins. Costs the checksum of the page of ids and decompressing those of numbers: some 10 µs for 2048 traces.
    ///
    /// # Errors
    /// [`ReadError`]
    ///
    /// # Panics
    /// When the page is of another file.
    pub fn find(
        &self,
        page: TracePage,
        bytes: Vec<(u64, Bytes)>,
        id: TraceId,
    ) -> Result<Option<TracePlace>, ReadError> {
        let parts = windows(bytes);
        let leaf = |column: usize| LeafSource {
            parts: &parts,
            chunk: (self.footer.row_group(page.group)).column(self.leaves[column]),
            places: Some(&self.places[page.group][column]),
            leaf: self.leaves[column],
            dictionaries: Some(&self.dictionaries[page.group]),
        };
        let mut ids = IdPages::<{ TraceId::BYTES }>::open(leaf(0))?;
        let of = ids.load_any(page.page)?;
        let Ok(at) = ids.ids().binary_search(&id.0) else {
            return Ok(None);
        };
        let row = at..at + 1;
        let (mut spans, mut first) = (IntPages::open(leaf(1))?, LongPages::open(leaf(2))?);
        decode(&mut spans, page.page, &row, of)?;
        decode(&mut first, page.page, &row, of)?;
        let start = u64::try_from(first.decoded()[0]);
        let rows = RowRange {
            start: start.map_err(|_| content("the first row of a trace is negative"))?,
            len: u64::from(spans.decoded()[0]),
        };
        let mut columns = None;
        if self.leaves.len() > REQUIRED {
            let mut masks = WordPages::open(leaf(REQUIRED), Shape::Text, false)?;
            decode(&mut masks, page.page, &row, of)?;
            columns = Some(ColumnMask::new(masks.value(0)));
        }
        Ok(Some(TracePlace { rows, columns }))
    }
}

/// `None` when the file does not tell.
fn places_of(footer: &ParquetMetaData, group: usize, leaves: &[usize]) -> Option<Vec<LeafPlaces>> {
    let index = footer.offset_index()?.get(group)?;
    let chunks = footer.row_group(group);
    let places = |&leaf: &usize| Some(LeafPlaces::of(chunks.column(leaf), index.get(leaf)?));
    leaves.iter().map(places).collect()
}

/// Decodes some rows of a page of `of`.
fn decode(
    pages: &mut impl PagedColumn,
    page: usize,
    rows: &Range<usize>,
    of: usize,
) -> Result<(), ReadError> {
    pages.fetch(page, of)?;
    pages.decode(rows, of).map(drop)
}
