//! `resources.parquet`: a row per distinct resource and scope.

use std::io::Write;

use model::SpanBatch;
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;

use crate::chunk::PageCompressor;
use crate::leaves::Leaves;
use crate::list_leaves::{AttributeLeaves, ListLeaves as _};
use crate::values::Places;

/// Rows of a page of `resources.parquet`, which is always read whole.
const PAGE_ROWS: usize = 65_536;

/// Writes the resource rows of the batch, in order, as one row group.
pub(crate) fn write<W: Write + Send>(
    batch: &SpanBatch,
    compressor: &mut PageCompressor,
    file: &mut SerializedFileWriter<W>,
) -> Result<(), ParquetError> {
    let schema = file.schema_descr().clone();
    let leaves = &mut Leaves::of(&schema);
    let (symbols, places) = (&batch.symbols, &mut Places::new(&batch.symbols));
    let mut service = leaves.text();
    let mut attributes = AttributeLeaves::new(leaves, 1);
    let mut dropped = leaves.int();
    let mut texts = [leaves.text(), leaves.text(), leaves.text()];
    let mut scope_attributes = AttributeLeaves::new(leaves, 1);
    let mut scope_dropped = leaves.int();
    let mut scope_schema_url = leaves.text();
    for page in batch.resources.chunks(PAGE_ROWS) {
        for row in page {
            service.push(symbols, places, row.service);
            attributes.push(batch, places, batch.attributes(row.attributes), 0);
            dropped.push(row.dropped_attributes);
            for (leaf, text) in
                texts
                    .iter_mut()
                    .zip([row.schema_url, row.scope_name, row.scope_version])
            {
                leaf.push(symbols, places, text);
            }
            scope_attributes.push(batch, places, batch.attributes(row.scope_attributes), 0);
            scope_dropped.push(row.scope_dropped_attributes);
            scope_schema_url.push(symbols, places, row.scope_schema_url);
        }
        let rows = page.len();
        service.end_page(rows, false, compressor)?;
        attributes.end_page(rows, compressor)?;
        dropped.end_page(rows, compressor)?;
        texts
            .iter_mut()
            .try_for_each(|leaf| leaf.end_page(rows, false, compressor))?;
        scope_attributes.end_page(rows, compressor)?;
        scope_dropped.end_page(rows, compressor)?;
        scope_schema_url.end_page(rows, false, compressor)?;
    }
    let mut group = file.next_row_group()?;
    service.finish(compressor, &mut group)?;
    attributes.finish(compressor, &mut group)?;
    dropped.finish(compressor, &mut group)?;
    texts
        .into_iter()
        .try_for_each(|leaf| leaf.finish(compressor, &mut group))?;
    scope_attributes.finish(compressor, &mut group)?;
    scope_dropped.finish(compressor, &mut group)?;
    scope_schema_url.finish(compressor, &mut group)?;
    group.close()?;
    Ok(())
}
