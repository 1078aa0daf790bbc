//! The pages of one leaf column, decoded as this crate wrote them: see [`crate::chunk`] and [`crate::leaf`].
//!
//! Parquet's general readers turn pages into Arrow arrays, of which the symbols would then be looked up row by row. Here a
//! dictionary entry becomes a symbol once, and a page is a list of indices. That costs a quarter.

use std::sync::Arc;

use bytes::{Buf as _, Bytes};
use parquet::basic::Encoding;
use parquet::column::page::{Page, PageReader as _};
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;

use crate::ReadError;
use crate::read::content;
use crate::rle;

/// A part of a file that is in memory.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    pub(crate) start: u64,
    pub(crate) bytes: Bytes,
}

impl Window {
    fn from(&self, start: u64) -> Result<Bytes, ParquetError> {
        let skipped = start.checked_sub(self.start);
        let skipped = skipped.filter(|&skipped| skipped <= self.bytes.len() as u64);
        let skipped = skipped.ok_or_else(|| ParquetError::EOF(format!("nothing at {start}")))?;
        Ok(self.bytes.slice(skipped as usize..))
    }
}

impl Length for Window {
    fn len(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

impl ChunkReader for Window {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(self.from(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let bytes = self.from(start)?;
        if length > bytes.len() {
            return Err(ParquetError::EOF(format!("no {length} bytes at {start}")));
        }
        Ok(bytes.slice(..length))
    }
}

/// A page before its values are looked at.
pub(crate) struct RawPage {
    /// Values and nulls and empty lists.
    pub(crate) entries: usize,
    /// Encoded; empty where the column has none.
    pub(crate) repetition: Bytes,
    pub(crate) definition: Bytes,
    pub(crate) encoding: Encoding,
    pub(crate) values: Bytes,
}

/// Walks the pages of one leaf in one row group.
pub(crate) struct LeafPages {
    name: String,
    pages: SerializedPageReader<Window>,
    has_repetition: bool,
    has_definition: bool,
    waiting: Option<Page>,
}

impl LeafPages {
    /// The pages, and the dictionary with the number of its entries.
    pub(crate) fn open(
        file: &Window,
        chunk: &ColumnChunkMetaData,
        rows: usize,
    ) -> Result<(Self, Bytes, usize), ReadError> {
        let descr = chunk.column_descr();
        let mut leaf = Self {
            name: descr.path().string(),
            pages: SerializedPageReader::new(Arc::new(file.clone()), chunk, rows, None)?,
            has_repetition: descr.max_rep_level() > 0,
            has_definition: descr.max_def_level() > 0,
            waiting: None,
        };
        match leaf.pages.get_next_page()? {
            Some(Page::DictionaryPage {
                buf, num_values, ..
            }) => Ok((leaf, buf, num_values as usize)),
            first => {
                leaf.waiting = first;
                Ok((leaf, Bytes::new(), 0))
            }
        }
    }

    /// The next page, which must be there.
    pub(crate) fn next(&mut self) -> Result<RawPage, ReadError> {
        let page = match self.waiting.take() {
            Some(page) => Some(page),
            None => self.pages.get_next_page()?,
        };
        let Some(Page::DataPage {
            mut buf,
            num_values,
            encoding,
            ..
        }) = page
        else {
            return Err(self.damaged("a page is missing or of another kind"));
        };
        let mut levels = |is_there: bool| {
            if !is_there {
                return Some(Bytes::new());
            }
            let len = buf.try_get_u32_le().ok()? as usize;
            (len <= buf.len()).then(|| buf.split_to(len))
        };
        let repetition = levels(self.has_repetition);
        let definition = levels(self.has_definition);
        let (Some(repetition), Some(definition)) = (repetition, definition) else {
            return Err(self.damaged("its levels are cut off"));
        };
        Ok(RawPage {
            entries: num_values as usize,
            repetition,
            definition,
            encoding,
            values: buf,
        })
    }

    #[cold]
    pub(crate) fn damaged(&self, what: &str) -> ReadError {
        content(format!("column `{}`: {what}", self.name))
    }
}

/// The codes of a page whose values are indices into a dictionary of `entries` entries.
pub(crate) fn codes(
    values: &Bytes,
    count: usize,
    entries: usize,
    out: &mut Vec<u32>,
) -> Option<()> {
    out.clear();
    let (&width, runs) = values.split_first()?;
    rle::decode(runs, width, count, out)?;
    let within = out.iter().fold(0, |most: u32, &code| most.max(code)) < entries as u32;
    (within || count == 0).then_some(())
}

/// A column of integers without nulls.
pub(crate) struct IntPages {
    pages: LeafPages,
    dictionary: Vec<u32>,
    pub(crate) values: Vec<u32>,
}

impl IntPages {
    pub(crate) fn open(
        file: &Window,
        chunk: &ColumnChunkMetaData,
        rows: usize,
    ) -> Result<Self, ReadError> {
        let (pages, dictionary, _) = LeafPages::open(file, chunk, rows)?;
        Ok(Self {
            pages,
            dictionary: ints(&dictionary).collect(),
            values: Vec::new(),
        })
    }

    pub(crate) fn next(&mut self) -> Result<(), ReadError> {
        let page = self.pages.next()?;
        self.decode(&page, page.entries)
            .ok_or_else(|| self.pages.damaged("its values cannot be read"))
    }

    /// As [`Self::next`], for a nested column of which `count` values are present.
    pub(crate) fn next_of(&mut self, count: usize) -> Result<(), ReadError> {
        let page = self.pages.next()?;
        self.decode(&page, count)
            .ok_or_else(|| self.pages.damaged("its values cannot be read"))
    }

    fn decode(&mut self, page: &RawPage, count: usize) -> Option<()> {
        if page.encoding == Encoding::PLAIN {
            self.values.clear();
            self.values.extend(ints(&page.values));
        } else {
            let entries = self.dictionary.len();
            codes(&page.values, count, entries, &mut self.values)?;
            for value in &mut self.values {
                *value = self.dictionary[*value as usize];
            }
        }
        (self.values.len() == count).then_some(())
    }
}

fn ints(bytes: &[u8]) -> impl Iterator<Item = u32> {
    let (ints, _) = bytes.as_chunks::<4>();
    ints.iter().map(|int| u32::from_le_bytes(*int))
}

/// A column of times.
pub(crate) struct LongPages {
    pages: LeafPages,
    pub(crate) values: Vec<i64>,
}

impl LongPages {
    pub(crate) fn open(
        file: &Window,
        chunk: &ColumnChunkMetaData,
        rows: usize,
    ) -> Result<Self, ReadError> {
        Ok(Self {
            pages: LeafPages::open(file, chunk, rows)?.0,
            values: Vec::new(),
        })
    }

    /// Decodes the next page, of which `count` values are present.
    pub(crate) fn next_of(&mut self, count: usize) -> Result<(), ReadError> {
        let page = self.pages.next()?;
        self.decode(&page, count)
    }

    /// Decodes the next page of the first leaf of a list, which tells the rows of all.
    pub(crate) fn next_owned(&mut self, owners: &mut Owners) -> Result<(), ReadError> {
        let page = self.pages.next()?;
        owners
            .read(&page, 1)
            .ok_or_else(|| self.pages.damaged("its levels cannot be read"))?;
        self.decode(&page, owners.of_value.len())
    }

    fn decode(&mut self, page: &RawPage, count: usize) -> Result<(), ReadError> {
        self.values.clear();
        if count == 0 {
            return Ok(());
        }
        if page.encoding != Encoding::BYTE_STREAM_SPLIT || page.values.len() != count * 8 {
            return Err(self.pages.damaged("its values cannot be read"));
        }
        self.values.resize(count, 0);
        for (plane, bytes) in page.values.chunks_exact(count).enumerate() {
            for (value, &byte) in self.values.iter_mut().zip(bytes) {
                *value |= i64::from(byte) << (8 * plane);
            }
        }
        Ok(())
    }
}

/// A column of ids.
pub(crate) struct IdPages<const N: usize> {
    pages: LeafPages,
    values: Bytes,
    /// Of a nullable column: the rows that have an id.
    pub(crate) rows: Vec<u32>,
}

impl<const N: usize> IdPages<N> {
    pub(crate) fn open(
        file: &Window,
        chunk: &ColumnChunkMetaData,
        rows: usize,
    ) -> Result<Self, ReadError> {
        Ok(Self {
            pages: LeafPages::open(file, chunk, rows)?.0,
            values: Bytes::new(),
            rows: Vec::new(),
        })
    }

    pub(crate) fn ids(&self) -> &[[u8; N]] {
        self.values.as_chunks::<N>().0
    }

    pub(crate) fn next(&mut self) -> Result<(), ReadError> {
        let page = self.pages.next()?;
        let count = page.entries;
        self.keep(page, count)
    }

    pub(crate) fn next_of(&mut self, count: usize) -> Result<(), ReadError> {
        let page = self.pages.next()?;
        self.keep(page, count)
    }

    /// As [`LongPages::next_owned`].
    pub(crate) fn next_owned(&mut self, owners: &mut Owners) -> Result<(), ReadError> {
        let page = self.pages.next()?;
        owners
            .read(&page, 1)
            .ok_or_else(|| self.pages.damaged("its levels cannot be read"))?;
        self.keep(page, owners.of_value.len())
    }

    pub(crate) fn next_nullable(&mut self) -> Result<(), ReadError> {
        let page = self.pages.next()?;
        self.rows.clear();
        rle::positions_of_ones(&page.definition, page.entries, &mut self.rows)
            .ok_or_else(|| self.pages.damaged("its levels cannot be read"))?;
        self.keep(page, self.rows.len())
    }

    fn keep(&mut self, page: RawPage, count: usize) -> Result<(), ReadError> {
        self.values = page.values;
        if self.values.len() != count * N {
            return Err(self.pages.damaged("its values cannot be read"));
        }
        Ok(())
    }
}

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
    pub(crate) fn read(&mut self, page: &RawPage, depth: u8) -> Option<()> {
        let width = rle::width_of(u32::from(depth));
        self.repetition.clear();
        self.definition.clear();
        rle::decode(&page.repetition, width, page.entries, &mut self.repetition)?;
        rle::decode(&page.definition, width, page.entries, &mut self.definition)?;
        self.of_value.clear();
        let mut owners = 0u32;
        for (&repetition, &definition) in self.repetition.iter().zip(&self.definition) {
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
