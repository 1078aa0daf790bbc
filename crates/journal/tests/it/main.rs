//! The journal seen from outside: what is acknowledged comes back, whatever happens in between.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, too, fail by panicking"
)]

mod basics;
mod bounds;
mod crash;
mod damage;
mod disk;
mod give_way;
mod inspect;
mod replay;
mod reuse;
mod support;
mod system;
mod trim;

// The check of the fuzzer, compiled into this test so that it runs without a fuzzer; public in its own library.
#[allow(unreachable_pub)]
#[path = "../../../../fuzz/src/corpus.rs"]
mod fuzz_corpus;
#[allow(unreachable_pub, clippy::expect_used)]
#[path = "../../../../fuzz/src/journal_segment.rs"]
mod journal_segment;

#[test]
fn any_bytes_of_a_segment_hold_the_invariants_of_the_fuzzer() {
    fuzz_corpus::run("journal_segment", journal_segment::check);
}
