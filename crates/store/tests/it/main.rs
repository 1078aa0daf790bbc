//! The store through its public surface: on memory, on a local folder, and on an object store that fails.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod chaos;
mod compaction;
mod crashes;
mod damage;
mod garbage;
mod local;
mod manifest;
mod reading;
mod retention;
mod s3;
mod support;
