//! The store: blocks in an object store, and the manifest that says which.
//!
//! - [`open_object_store`] turns an address into an object store: a local folder (durably written), S3, or memory.
//! - [`Store`] is the store of one tenant. [`Store::add`] takes a finished block; [`Store::blocks`] lists what there is;
//!   [`Store::find_trace`], [`Store::trace_table`] and [`Store::open_columns`] read; [`Store::maintain`] compacts, expires and
//!   tidies up.
//! - The manifest is the truth, a log of numbered objects created with create-only puts (`manifest/mod.rs` has its grammar
//!   and its rules). Several processes may write, compact and read one tenant.
//!
//! This crate moves bytes and knows where they lie. It does not know what is in a span: `block` does.
//!
//! What can go wrong, and what is done:
//!
//! | | |
//! |---|---|
//! | a request fails or is slow | time limit, bounded repetition with growing pauses, then [`ErrorKind::Retry`] |
//! | a crash between files and manifest | the files are orphans and are collected after a grace period |
//! | a crash between manifest and answer | the block is there; adding it again does nothing |
//! | two processes commit at once | one is second, reads the other's edit, and checks and commits again |
//! | a block's file is missing, cut or flipped | named in the answer, in the log once, and in the statistics; the rest is served |
//! | a checkpoint is damaged | the one before it and the edits since are used |
//! | an edit is damaged that no checkpoint covers | the store refuses to open and names the object |

mod ahead;
mod blocks;
mod cache;
mod columns;
mod compact;
mod config;
mod error;
mod expire;
mod garbage;
mod ids;
mod in_place;
mod layout;
mod local;
mod maintain;
mod manifest;
mod objects;
mod open;
mod parquet_file;
mod pending;
mod reader;
mod stats;
mod store;
mod summaries;
pub mod testing;
mod traces_file;

pub use blocks::BlockList;
pub use columns::BlockColumns;
pub use compact::CompactionReport;
pub use config::{CompactionConfig, Intervals, RequestConfig, StoreConfig};
pub use error::{ErrorKind, StoreError};
pub use expire::ExpiryReport;
pub use garbage::GarbageReport;
pub use local::DurableFileSystem;
pub use open::{check_object_store, open_object_store};
pub use pending::PendingBlock;
pub use stats::{Operation, OperationStats, StoreStats};
pub use store::{FoundTrace, Store};
