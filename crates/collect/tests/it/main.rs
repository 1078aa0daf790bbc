//! The collector with a real journal on a disk that crashes and a real store over an object store that fails.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod crash;
mod flush;
mod receive;
mod spans;
mod world;
