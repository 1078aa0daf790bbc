//! What the mask of a trace says is what its rows hold, and who goes by it misses nothing.

use arrow::array::{Array as _, ArrayRef, AsArray as _};
use arrow::datatypes::{DataType, Field};
use block::{FinishedBlock, TraceTable, WriteOptions};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;

use crate::batches::{batch_of, block_of, tell, told_spans};
use crate::readers::{by_arrow, by_id, footer_of};

fn may_be_empty(field: &Field) -> bool {
    let is_list = matches!(field.data_type(), DataType::List(_) | DataType::Map(..));
    is_list || field.is_nullable()
}

fn has_value(column: &ArrayRef, row: usize) -> bool {
    match column.data_type() {
        DataType::List(_) => column.as_list::<i32>().value_length(row) > 0,
        DataType::Map(..) => column.as_map().value_length(row) > 0,
        _ => column.is_valid(row),
    }
}

/// The bits of each row, as Arrow reads what is in the columns.
fn bits_of_rows(spans: &[u8]) -> Vec<Vec<bool>> {
    let bytes = Bytes::copy_from_slice(spans);
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
    let mut rows = Vec::new();
    for batch in reader.build().unwrap() {
        let batch = batch.unwrap();
        let schema = batch.schema();
        let columns = schema.fields().iter().zip(batch.columns());
        let columns: Vec<_> = columns.filter(|(field, _)| may_be_empty(field)).collect();
        let bits = |row| {
            columns
                .iter()
                .map(move |(_, column)| has_value(column, row))
        };
        rows.extend((0..batch.num_rows()).map(|row| bits(row).collect()));
    }
    rows
}

/// # Panics
/// When a mask is not what the rows of its trace hold.
pub(crate) fn check_masks(block: &FinishedBlock) {
    let rows = bits_of_rows(&block.spans);
    let table = TraceTable::from_bytes(Bytes::from(block.traces.clone())).unwrap();
    for at in 0..table.len() {
        let place = table.place(at);
        let (start, len) = (place.rows.start as usize, place.rows.len as usize);
        let mut expected = vec![0u8; rows[start].len().div_ceil(8)];
        for bits in &rows[start..start + len] {
            for (bit, _) in bits.iter().enumerate().filter(|(_, has)| **has) {
                expected[bit / 8] |= 1 << (bit % 8);
            }
        }
        assert_eq!(place.columns.unwrap().as_bytes(), expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn masks_say_what_the_rows_hold(spans in told_spans(), group in 1usize..7, columns_max in prop_oneof![Just(0usize), Just(2), Just(64)]) {
        let options = WriteOptions { columns_max, ..WriteOptions::default() };
        check_masks(&block_of(&batch_of(&spans), group, &options));
    }

    #[test]
    fn a_trace_is_read_whole_by_its_mask(spans in told_spans(), group in 1usize..7, columns_max in prop_oneof![Just(0usize), Just(2), Just(64)]) {
        let options = WriteOptions { columns_max, ..WriteOptions::default() };
        let block = block_of(&batch_of(&spans), group, &options);
        check_by_id(&block)?;
    }
}

/// That each trace, read by its id, is what reading everything gives.
pub(crate) fn check_by_id(block: &FinishedBlock) -> Result<(), TestCaseError> {
    let all = tell(&by_arrow(block, &footer_of(&block.spans), 1000).unwrap());
    let table = TraceTable::from_bytes(Bytes::from(block.traces.clone())).unwrap();
    for at in 0..table.len() {
        let rows = table.rows(at);
        let expected = &all[rows.start as usize..][..rows.len as usize];
        let read = by_id(block, table.trace_id(at)).unwrap();
        prop_assert_eq!(&tell(&read)[..], expected);
    }
    Ok(())
}
