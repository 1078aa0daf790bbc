//! The block: a folder of Parquet files that hold whole traces, written once and readable by anybody.
//!
//! This crate turns [`model::SpanBatch`]es into the bytes of those files and back. It performs no I/O: whoever calls it
//! moves the bytes (`store`).

mod bloom;
mod chunk;
mod decode;
mod dictionary;
mod extras;
mod facts;
mod fetched;
mod group;
mod header;
mod inventory;
mod leaf;
mod leaves;
mod levels;
mod list_leaves;
mod lists;
mod mask;
mod merge;
mod meta;
mod numbers;
mod order;
mod pages;
mod plan;
mod read;
mod resource_reader;
mod resources;
mod rle;
mod rows;
mod scan;
mod schema;
mod source;
mod span_reader;
mod span_writer;
mod spans;
mod table;
mod trace_file;
mod traces;
mod values;
mod words;
mod write;

pub use bloom::Bloom;
pub use decode::{SpanDecoder, decode_resources};
pub use dictionary::{Dictionaries, Dictionary};
pub use extras::{EventNamePages, EventPages, LinkPages};
pub use group::{SpanGroup, WordColumn};
pub use header::check_page_headers;
pub use lists::ListPages;
pub use mask::ColumnMask;
pub use merge::{MergeError, MergeInput, MergedTrace, Piece};
pub use meta::{
    AttributeColumn, AttributeScope, AttributeType, BlockFiles, BlockId, BlockMeta, FORMAT_VERSION,
    HexId, JournalRange, KeyInfo, OperationInfo, ServiceInfo,
};
pub use numbers::BoolPages;
pub use order::{OrderedRow, TraceOrder};
pub use plan::ColumnPlan;
pub use read::{ReadError, reader_metadata};
pub use resource_reader::read_resources;
pub use scan::{SpanColumn, SpanFile};
pub use span_reader::SpanReader;
pub use table::{RowRange, TracePlace, TraceTable};
pub use trace_file::{TraceFile, TracePage};
pub use words::{AttributePages, WordPages};
pub use write::{BlockWriter, FinishedBlock, NewBlock, TraceRows, WriteError, WriteOptions};
