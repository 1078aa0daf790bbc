//! The block: a folder of Parquet files that hold whole traces, written once and readable by anybody.
//!
//! This crate turns [`model::SpanBatch`]es into the bytes of those files and back. It performs no I/O: whoever calls it
//! moves the bytes (`store`).

mod bloom;
mod chunk;
mod decode;
mod extras;
mod header;
mod inventory;
mod leaf;
mod meta;
mod order;
mod pages;
mod plan;
mod read;
mod resources;
mod rle;
mod rows;
mod scan;
mod schema;
mod source;
mod span_reader;
mod spans;
mod table;
mod traces;
mod words;
mod write;

pub use bloom::Bloom;
pub use decode::{SpanDecoder, read_resources};
pub use extras::{EventNamePages, EventPages, LinkPages};
pub use header::check_page_headers;
pub use meta::{
    AttributeColumn, AttributeScope, AttributeType, BlockFiles, BlockId, BlockMeta, FORMAT_VERSION,
    HexId, JournalRange, KeyInfo, OperationInfo, ServiceInfo,
};
pub use order::{OrderedRow, TraceOrder};
pub use plan::ColumnPlan;
pub use read::{ReadError, reader_metadata};
pub use scan::{SpanColumn, SpanFile, SpanGroup, WordColumn};
pub use span_reader::SpanReader;
pub use table::{RowRange, TraceTable};
pub use words::{AttributePages, BoolPages, ListPages, WordPages};
pub use write::{BlockWriter, FinishedBlock, NewBlock, TraceRows, WriteError, WriteOptions};
