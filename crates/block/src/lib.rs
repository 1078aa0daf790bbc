//! The block: a folder of Parquet files that hold whole traces, written once and readable by anybody.
//!
//! This crate turns [`model::SpanBatch`]es into the bytes of those files and back. It performs no I/O: whoever calls it
//! moves the bytes (`store`).

mod meta;
mod read;
mod write;

pub use meta::{
    AttributeColumn, AttributeScope, AttributeType, BlockFiles, BlockId, BlockMeta, FORMAT_VERSION,
    HexId, JournalRange, KeyInfo, OperationInfo, ServiceInfo,
};
pub use read::{Bloom, ReadError, RowRange, SpanDecoder, TraceTable, read_resources};
pub use write::{
    BlockWriter, ColumnPlan, FinishedBlock, NewBlock, TraceRows, WriteError, WriteOptions,
};
