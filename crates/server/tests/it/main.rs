//! The program as its users meet it: processes, ports, signals, files, exit codes.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod config;
mod import;
mod inspect;
mod process;
mod query;
mod serve;
mod tls;
