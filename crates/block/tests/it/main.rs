//! Behaviour of the block through its public surface.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod batches;
mod damage;
mod golden;
mod masks;
mod merges;
mod readers;
mod round_trip;

// The check of the fuzzer, compiled into this test so that it runs without a fuzzer; public in its own library.
#[allow(unreachable_pub, clippy::expect_used)]
#[path = "../../../../fuzz/src/block_files.rs"]
mod block_files;
#[allow(unreachable_pub)]
#[path = "../../../../fuzz/src/corpus.rs"]
mod fuzz_corpus;

#[test]
fn any_bytes_in_the_files_hold_the_invariants_of_the_fuzzer() {
    fuzz_corpus::run("block_files", block_files::check);
}
