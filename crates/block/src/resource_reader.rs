//! `resources.parquet` in, resources out, page by page: the first trace that is read of a block waits for this.
//!
//! It depends on what is written (`resources`): pages of all columns begin at the same rows. [`crate::decode_resources`] reads the
//! files of any writer, at three times the cost; tests hold the two against each other.

use std::sync::Arc;

use bytes::Bytes;
use model::{ResourceRow, SpanBatch};
use parquet::file::metadata::{ParquetMetaDataReader, RowGroupMetaData};

use crate::ReadError;
use crate::lists::ListPages;
use crate::numbers::IntPages;
use crate::pages::{PagedColumn, Window};
use crate::read::content;
use crate::source::{Source, leaves_of};
use crate::words::WordPages;

/// `resources.parquet`, decoded: a batch without spans whose resource rows are those of the file, in order.
///
/// Costs half a millisecond for the resources of a shop of twenty services.
///
/// # Errors
/// [`ReadError`]
pub fn read_resources(bytes: Bytes) -> Result<SpanBatch, ReadError> {
    let footer = ParquetMetaDataReader::new().parse_and_finish(&bytes)?;
    let leaves = leaves_of(&footer);
    let parts = Arc::from([Window { start: 0, bytes }]);
    let mut into = SpanBatch::default();
    for group in footer.row_groups() {
        let source = Source {
            parts: &parts,
            group,
            leaves: &leaves,
            places: None,
            dictionaries: None,
        };
        ResourcePages::open(&source)?.append(group, &mut into)?;
    }
    Ok(into)
}

/// The columns of a row group, one page decoded at a time.
struct ResourcePages {
    service: WordPages,
    attributes: ListPages,
    dropped: IntPages,
    schema_url: WordPages,
    scope_name: WordPages,
    scope_version: WordPages,
    scope_attributes: ListPages,
    scope_dropped: IntPages,
    scope_schema_url: WordPages,
}

impl ResourcePages {
    fn open(source: &Source<'_>) -> Result<Self, ReadError> {
        Ok(Self {
            service: source.text("service")?,
            attributes: source.list("attributes", 1)?,
            dropped: source.ints("dropped_attributes")?,
            schema_url: source.text("schema_url")?,
            scope_name: source.text("scope_name")?,
            scope_version: source.text("scope_version")?,
            scope_attributes: source.list("scope_attributes", 1)?,
            scope_dropped: source.ints("scope_dropped_attributes")?,
            scope_schema_url: source.text("scope_schema_url")?,
        })
    }

    fn append(&mut self, group: &RowGroupMetaData, into: &mut SpanBatch) -> Result<(), ReadError> {
        let mut left = usize::try_from(group.num_rows()).unwrap_or(0);
        for page in 0.. {
            if left == 0 {
                break;
            }
            let rows = self.load(page)?;
            if rows == 0 || rows > left {
                return Err(content("a row group does not have the rows it says"));
            }
            left -= rows;
            self.append_page(rows, into)?;
        }
        Ok(())
    }

    /// Decodes a page of all columns, and gives its rows.
    fn load(&mut self, page: usize) -> Result<usize, ReadError> {
        let rows = self.dropped.load_any(page)?;
        let columns: [&mut dyn PagedColumn; 8] = [
            &mut self.service,
            &mut self.attributes,
            &mut self.schema_url,
            &mut self.scope_name,
            &mut self.scope_version,
            &mut self.scope_attributes,
            &mut self.scope_dropped,
            &mut self.scope_schema_url,
        ];
        for column in columns {
            column.fetch(page, rows)?;
            column.decode(&(0..rows), rows)?;
        }
        Ok(rows)
    }

    fn append_page(&mut self, rows: usize, into: &mut SpanBatch) -> Result<(), ReadError> {
        let (mut attribute, mut scope_attribute) = (0, 0);
        for row in 0..rows {
            let owner = row as u32;
            let resource = ResourceRow {
                attributes: self.attributes.range(owner, &mut attribute, into)?,
                dropped_attributes: self.dropped.decoded()[row],
                schema_url: self.schema_url.symbol(row, &mut into.symbols)?,
                service: self.service.symbol(row, &mut into.symbols)?,
                scope_name: self.scope_name.symbol(row, &mut into.symbols)?,
                scope_version: self.scope_version.symbol(row, &mut into.symbols)?,
                scope_attributes: self
                    .scope_attributes
                    .range(owner, &mut scope_attribute, into)?,
                scope_dropped_attributes: self.scope_dropped.decoded()[row],
                scope_schema_url: self.scope_schema_url.symbol(row, &mut into.symbols)?,
            };
            into.resources.push(resource);
        }
        Ok(())
    }
}
