//! Any bit of any page that is not as it was written is noticed, whoever reads.

use block::{FinishedBlock, TraceTable, WriteOptions, decode_resources, read_resources};
use bytes::Bytes;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use proptest::prelude::*;

use crate::batches::{batch_of, block_of, tell, told_spans};
use crate::readers::{by_arrow, footer_of, found, in_order, indexed_footer_of};

/// The bytes of a file in which pages are: from behind the magic to the first index. What comes after is protected by a
/// checksum in the manifest.
pub(crate) fn pages_of(file: &[u8]) -> std::ops::Range<usize> {
    let footer = footer_of(file);
    let ends = footer
        .row_groups()
        .iter()
        .flat_map(RowGroupMetaData::columns)
        .map(ColumnChunkMetaData::byte_range);
    4..ends.map(|(start, length)| start + length).max().unwrap() as usize
}

/// Calls `check` with one bit after the other flipped in `file`.
fn flip_each(
    block: &mut FinishedBlock,
    file: fn(&mut FinishedBlock) -> &mut Vec<u8>,
    places: &[prop::sample::Index],
    check: impl Fn(&FinishedBlock) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    let pages = pages_of(file(block));
    for place in places {
        let bit = pages.start * 8 + place.index(pages.len() * 8);
        file(block)[bit / 8] ^= 1 << (bit % 8);
        check(block)?;
        file(block)[bit / 8] ^= 1 << (bit % 8);
    }
    check(block).expect_err("nothing is flipped any more");
    Ok(())
}

fn places() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    proptest::collection::vec(any::<prop::sample::Index>(), 1..24)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_reader_is_deceived_by_a_flipped_bit_in_spans(spans in told_spans(), group in 1usize..7, places in places(), change: bool) {
        let mut block = block_of(&batch_of(&spans), group, &WriteOptions::default());
        let footer = footer_of(&block.spans);
        let truth = tell(&by_arrow(&block, &footer, 1000).unwrap());
        flip_each(&mut block, |block| &mut block.spans, &places, |block| {
            prop_assert!(by_arrow(block, &footer, 1000).is_err());
            // This one does not read what it does not need.
            if let Ok(spans) = in_order(block, &footer, 1000, change) {
                prop_assert_eq!(tell(&spans), &truth[..]);
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_flipped_bit_in_traces_or_resources_is_noticed(spans in told_spans(), places in places()) {
        let mut block = block_of(&batch_of(&spans), 3, &WriteOptions::default());
        let footer = indexed_footer_of(&block.traces);
        let table = TraceTable::from_bytes(Bytes::from(block.traces.clone())).unwrap();
        flip_each(&mut block, |block| &mut block.traces, &places, |block| {
            prop_assert!(TraceTable::from_bytes(Bytes::from(block.traces.clone())).is_err());
            for at in 0..table.len() {
                // This one does not read what it does not need.
                if let Ok(place) = found(&block.traces, &footer, table.trace_id(at)) {
                    prop_assert_eq!(place, Some(table.place(at)));
                }
            }
            Ok(())
        })?;
        flip_each(&mut block, |block| &mut block.resources, &places, |block| {
            prop_assert!(decode_resources(Bytes::from(block.resources.clone())).is_err());
            prop_assert!(read_resources(Bytes::from(block.resources.clone())).is_err());
            Ok(())
        })?;
    }

    /// Not only single bits: whatever stands there, at worst it is refused.
    #[test]
    fn a_damaged_page_is_refused_without_panic(spans in told_spans(), place: prop::sample::Index, noise in proptest::collection::vec(any::<u8>(), 1..40)) {
        let mut block = block_of(&batch_of(&spans), 3, &WriteOptions::default());
        let footer = footer_of(&block.spans);
        let pages = pages_of(&block.spans);
        let start = pages.start + place.index(pages.len());
        let end = pages.end.min(start + noise.len());
        let same = block.spans[start..end] == noise[..end - start];
        block.spans[start..end].copy_from_slice(&noise[..end - start]);
        prop_assert_eq!(by_arrow(&block, &footer, 1000).is_ok(), same);
        prop_assert!(in_order(&block, &footer, 1000, false).is_ok() || !same);
    }
}
